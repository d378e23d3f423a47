"""NumPy's functions on Values, and the methods of Values over arrays: element by element.

>>> import numpy
>>> from autograd import Value
>>> numpy.arctan2(1.0, Value(1.0))
Value(0.7853981633974483)
>>> numpy.hypot(numpy.array([3.0, 8.0]), Value(6.0))
array([Value(6.708203932499369), Value(10.0)], dtype=object)

NumPy hands a function to a Value where the Value itself is an argument. Where it stands in an array, NumPy calls the
method of its elements.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping, Sequence
from numbers import Real
from typing import Any

from autograd.floats import as_float
from autograd.primitives import PRIMITIVES, Primitive
from autograd.value import Value, apply

# Functions that NumPy itself carries out on arrays of objects by Python's operators; here they are for two numbers.
OPERATORS: dict[str, Callable[..., Any]] = {
    "add": operator.add,
    "subtract": operator.sub,
    "multiply": operator.mul,
    "divide": operator.truediv,
    "power": operator.pow,
    "remainder": operator.mod,
    "negative": operator.neg,
    "positive": operator.pos,
    "absolute": operator.abs,
    "square": lambda x: x * x,
    "reciprocal": lambda x: 1.0 / x,
    "greater": operator.gt,
    "greater_equal": operator.ge,
    "less": operator.lt,
    "less_equal": operator.le,
    "equal": operator.eq,
    "not_equal": operator.ne,
}
NUMBERS = Value, Real
QUESTIONS = frozenset(["isfinite", "isinf", "isnan", "signbit"])  # about the data
SAME_NAMES = (
    *("sign", "floor", "ceil", "maximum", "minimum", "hypot", "exp", "expm1", "exp2", "log", "log1p", "log2", "log10"),
    *("sqrt", "sin", "cos", "tan", "sinh", "cosh", "tanh"),
)
FUNCTIONS: dict[str, Callable[..., Any]] = {
    **{name: PRIMITIVES[name] for name in SAME_NAMES},
    **{f"arc{name}": PRIMITIVES[f"a{name}"] for name in ("sin", "cos", "tan", "tan2", "sinh", "cosh", "tanh")},
    "fabs": PRIMITIVES["abs"],
    "float_power": PRIMITIVES["power"],
    "fmod": lambda x, y: (x if isinstance(x, Value) else Value(x)).fmod(y),
}


def array_function(function: Any, method: str, arguments: Sequence[Any], settings: Mapping[str, Any]) -> Any:
    """Return what a function of NumPy gives where a Value is an argument; the `__array_ufunc__` of a Value."""
    name = function.__name__
    if name in QUESTIONS:
        return getattr(function, method)(*[x.data if isinstance(x, Value) else x for x in arguments], **settings)
    own = FUNCTIONS.get(name)
    of_numbers = own or OPERATORS.get(name)
    if of_numbers is None:
        given = next(argument for argument in arguments if isinstance(argument, Value))
        raise TypeError(
            f"NumPy's {name} is no function of Values, got {given!r}: write it with operators and functions that are "
            f"methods of Value, such as numpy.exp, or use v.data for the plain number"
        )
    if method == "__call__" and not settings and all(isinstance(argument, NUMBERS) for argument in arguments):
        return of_numbers(*[x if isinstance(x, Value) else as_float(x) for x in arguments])
    if own is not None:
        import numpy

        function = numpy.frompyfunc(own, function.nin, 1)
    return getattr(function, method)(*map(_held, arguments), **settings)


def over_array(primitive: Primitive, left: Any, right: Any) -> Any:
    """Apply a primitive of two operands, of which one is an array, element by element."""
    if not hasattr(left, "__array__") and not hasattr(right, "__array__"):
        return apply(primitive, left, right)  # which says that one is no number
    import numpy

    return numpy.frompyfunc(primitive, 2, 1)(_held(left), _held(right))


def _held(argument: Any) -> Any:
    """Return a Value as an array without dimensions, which NumPy does not hand back to the Value."""
    if not isinstance(argument, Value):
        return argument
    import numpy

    holder = numpy.empty((), object)
    holder[()] = argument
    return holder
