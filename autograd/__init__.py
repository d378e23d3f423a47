"""A scalar engine for automatic differentiation.

>>> from autograd import Value
>>> x = Value(3.0, label="x")
>>> y = x**2 + 2 * x
>>> y.backward()
>>> y.data, x.grad
(15.0, 8.0)

The engine is compiled where there was a C compiler to install it with. `python -m autograd` says which engine runs, and
so does `autograd.engine` ("compiled" or "plain"). The environment variable `STEPGRAD_ENGINE=plain` asks for plain
Python.

The modules `primitives` (the table of differentiable functions), `value` (the node of a graph) and `tape` (a graph as a
flat list) are the engine, with `floats`, `introspection`, `nodes`, `slope_rules` and `sweeping` (reverse and forward
mode over a tape); beside them stand `arrays`, `reductions`, `modes`, `copying`, `notation` and `saving`. `native` holds
the backward pass and what compiling needs, `calculus` derivatives and their checks, `programs` graphs as lists of
instructions, `views` steps, explanations, diagnoses and drawings. All public names can be imported from `autograd`.
"""

from typing import TYPE_CHECKING as _TYPE_CHECKING
from typing import Any as _Any

from autograd.native.selection import engine as engine

# isort: split

from autograd import arrays as _arrays  # noqa: F401  # it registers what Values do with NumPy's functions
from autograd import copying as _copying  # noqa: F401  # it registers how graphs are copied
from autograd import primitives as _primitives
from autograd.calculus import *
from autograd.modes import *
from autograd.programs import *
from autograd.reductions import *
from autograd.tape import *
from autograd.value import *
from autograd.views import *

if _TYPE_CHECKING:
    from autograd.primitives import *  # type: ignore[assignment]  # there is a `where` in reductions, too
    from autograd.programs import Program as Program
else:  # every primitive of the table, and nothing else of that module
    _table = {name: it for name, it in vars(_primitives).items() if isinstance(it, _primitives.Primitive)}
    globals().update(_table | globals())

__version__ = "0.1.0"


def __getattr__(name: str) -> _Any:
    if name != "Program":  # which needs NumPy
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from autograd.programs import Program

    return Program
