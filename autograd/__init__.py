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
flat list, and its backward pass) are the engine; beside them stand `arrays`, `reductions`, `modes`, `copying`,
`given_slopes`, `floats`, `notation` and `saving`. `native` holds what compiling the engine needs, `calculus` has
derivatives and their checks, `programs` graphs as lists of instructions, `views` steps, explanations, diagnoses and
drawings. All public names can be imported from `autograd`; those of the last three packages are imported when they
are first used.
"""

import typing as _typing

from autograd.native.selection import engine as engine

# isort: split

from autograd.modes import *
from autograd.reductions import *
from autograd.tape import *
from autograd.value import *

if _typing.TYPE_CHECKING:
    from autograd.arrays import *
    from autograd.calculus import *
    from autograd.primitives import *  # type: ignore[assignment]  # there is a `where` in value, too
    from autograd.programs import *
    from autograd.views import *
else:
    from autograd import primitives as _primitives

    # Every primitive of the table, and nothing else of that module, but for those that functions here are named after.
    _table = {name: it for name, it in vars(_primitives).items() if isinstance(it, _primitives.Primitive)}
    del _table["stop_gradient"]  # that of `calculus` takes anything, and makes a constant of a Value
    globals().update(_table | globals())
    _PACKAGES = ("calculus", "programs", "views")  # a package imports those before it
    _OF_ARRAYS = ("array", "ValueArray")  # which need NumPy

    def __getattr__(name):
        from importlib import import_module

        if name == "__all__":
            return [name for name in __dir__() if not name.startswith("_")]
        if name in _PACKAGES:
            return import_module(f"autograd.{name}")
        if name in _OF_ARRAYS:
            return getattr(import_module("autograd.arrays"), name)
        if not name.startswith("_"):
            for package in _PACKAGES:
                module = import_module(f"autograd.{package}")
                if name in module.__all__:
                    globals()[name] = found = getattr(module, name)
                    return found
        raise AttributeError(f"module 'autograd' has no attribute {name!r}", name=name)

    def __dir__():
        names = (name for package in _PACKAGES for name in __getattr__(package).__all__)
        return sorted({*globals(), *_OF_ARRAYS, *names})


__version__ = "0.1.0"
