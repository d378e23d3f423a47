"""A scalar autograd engine: numbers in, gradients out, and every number on the way there to see.

>>> from autograd import Value
>>> x = Value(3.0, label="x")
>>> y = x**2 + 2 * x
>>> y.backward()
>>> y.data, x.grad
(15.0, 8.0)

The engine is compiled where a C compiler was there to install it. `python -m autograd` says which one runs, and so does
`autograd.engine` ("compiled" or "plain"); the environment variable `STEPGRAD_ENGINE=plain` asks for plain Python.

The rooms, from the ground up: `primitives` (the table of differentiable functions), `value` (the node of a graph),
`native`, `c_rules` and `compilation` (what the compiled engine does in its own way, and which one runs), `derivatives`
(of functions, of any order), `notation` (how things are written), `checks` (of derivatives), `custom_primitives` (rows
of one's own), `stepping` (a pass step by step), `explanation` (a gradient as a derivation), `diagnosis` (what is wrong
with one), `drawing` (a graph as a picture), `saving` (files, whole or not at all).
"""

from autograd.native.selection import engine

# isort: split

from autograd import copying as _copying  # noqa: F401  # it registers how graphs are copied
from autograd.checks import check_gradients
from autograd.custom_primitives import primitive
from autograd.derivatives import grad, gradients, hessian, hvp, jacobian, jvp, stop_gradient, value_and_grad, vjp
from autograd.diagnosis import Diagnosis, diagnose
from autograd.drawing import Drawing, display, draw
from autograd.explanation import Derivative, Explanation, explain
from autograd.modes import no_grad, record_sources
from autograd.primitives import (
    acos,
    asin,
    atan,
    atan2,
    ceil,
    cos,
    cosh,
    erf,
    erfc,
    exp,
    expm1,
    floor,
    gelu,
    hypot,
    leaky_relu,
    log,
    log1p,
    maximum,
    minimum,
    relu,
    sigmoid,
    sign,
    silu,
    sin,
    sinh,
    softplus,
    sqrt,
    tan,
    tanh,
)
from autograd.reductions import dot, prod, sum, where
from autograd.stepping import Step, Steps, steps
from autograd.tape import topological_order
from autograd.value import Constant, Parameter, Value, hooks

__all__ = [
    "Constant",
    "Parameter",
    "Value",
    "grad",
    "value_and_grad",
    "jvp",
    "vjp",
    "jacobian",
    "hessian",
    "hvp",
    "gradients",
    "stop_gradient",
    "check_gradients",
    "primitive",
    "Drawing",
    "draw",
    "Step",
    "Steps",
    "steps",
    "Derivative",
    "Explanation",
    "explain",
    "Diagnosis",
    "diagnose",
    "record_sources",
    "engine",
    "acos",
    "asin",
    "atan",
    "atan2",
    "ceil",
    "cos",
    "cosh",
    "dot",
    "erf",
    "erfc",
    "exp",
    "expm1",
    "floor",
    "gelu",
    "hypot",
    "leaky_relu",
    "log",
    "log1p",
    "maximum",
    "minimum",
    "no_grad",
    "prod",
    "relu",
    "sigmoid",
    "sign",
    "silu",
    "sin",
    "sinh",
    "softplus",
    "sqrt",
    "sum",
    "tan",
    "tanh",
    "topological_order",
    "where",
]

hooks.display = display

__version__ = "0.1.0"
