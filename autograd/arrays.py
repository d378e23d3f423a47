"""Arrays of Values, and NumPy's functions on Values.

>>> import numpy as np
>>> from autograd import Value
>>> a = array([3.0, 8.0])
>>> np.hypot(a, 6.0)
ValueArray([Value(6.708203932499369), Value(10.0)], dtype=object)
>>> np.maximum(a, Value(5.0)).sum()
Value(13.0)

NumPy hands a function to a Value or a `ValueArray` where one is an argument; here it is carried out by the rules of the
table. In an array of NumPy's own class that holds Values NumPy calls the operators and methods of each by itself: see
`docs/how_to/arrays_of_values.md`. The modules below reach this one, which needs NumPy, through `hooks`.
"""

from __future__ import annotations

import math
import operator
import sys
from collections.abc import Callable, Iterable, Sequence
from functools import cache, partial, partialmethod
from numbers import Real
from typing import Any

try:
    import numpy as np
except ImportError as error:  # pragma: no cover
    raise ImportError("arrays of Values need NumPy: install it by pip install numpy") from error

from autograd import primitives
from autograd.floats import as_operand
from autograd.modes import is_recording_program
from autograd.primitives import PRIMITIVES, Primitive, greater, softplus, where
from autograd.value import Constant, Value, _function, _unary, apply, apply_wide, is_fixed

__all__ = ["array", "ValueArray"]

# Functions that NumPy itself carries out on arrays of objects by Python's operators; here they are for two numbers.
OPERATORS: dict[str, Callable[..., Any]] = {
    "add": operator.add,
    "subtract": operator.sub,
    "multiply": operator.mul,
    "divide": operator.truediv,
    "floor_divide": operator.floordiv,
    "power": operator.pow,
    "remainder": operator.mod,
    "negative": operator.neg,
    "positive": operator.pos,
    "absolute": operator.abs,
    "square": lambda x: x * x,
    "reciprocal": lambda x: 1.0 / x,
    "matmul": operator.matmul,
}
WIDE = {"maximum": primitives.largest, "minimum": primitives.smallest}  # what reductions of many Values are
IDENTITIES = {"add": 0.0, "multiply": 1.0}  # which NumPy does not know for objects
NUMBERS = Value, Real
SAME_NAMES = (
    *("sign", "floor", "ceil", "maximum", "minimum", "hypot", "exp", "expm1", "exp2", "log", "log1p", "log2", "log10"),
    *("sqrt", "sin", "cos", "tan", "sinh", "cosh", "tanh"),
)


def _applied(name: str) -> Callable[..., Value]:
    """Return what applies a primitive of one or two operands, whatever they are, without looking at them first."""
    primitive = PRIMITIVES[name]
    applied = partial(_unary if primitive.arity == 1 else _function, primitive)
    applied.__name__ = name  # type: ignore[attr-defined]  # for errors of NumPy
    return applied


def _as_value(number: Any) -> Value:
    return number if isinstance(number, Value) else Constant(as_operand(number))


def _logaddexp(x: Any, y: Any) -> Any:
    """Return log(exp(x) + exp(y)) from the larger number on; two equal infinities are their own sum."""
    below = where(greater(math.inf, abs(y)), y + softplus(x - y), primitives.maximum(x, y))
    return where(greater(x, y), x + softplus(y - x), below)


FUNCTIONS: dict[str, Callable[..., Any]] = {
    **{name: _applied(name) for name in SAME_NAMES},
    **{f"arc{name}": _applied(f"a{name}") for name in ("sin", "cos", "tan", "tan2", "sinh", "cosh", "tanh")},
    "fabs": _applied("abs"),
    "float_power": _applied("power"),
    "fmod": lambda x, y: _as_value(x).fmod(y),
    "clip": lambda x, low, high: _as_value(x).clip(low, high),
    "rint": lambda x: round(_as_value(x)),
    "trunc": lambda x: where(greater(0.0, x), primitives.ceil(x), primitives.floor(x)),
    "conjugate": lambda x: x,
    "logaddexp": _logaddexp,
    "real": lambda x: x,  # which numpy.var asks for since NumPy 2.5
    "imag": lambda x: Constant(0.0),
}


def _are_numbers(x: Any, y: Any) -> Any:
    """Return 1 unless one of two numbers is nan."""
    return greater(abs(x) + abs(y), -1.0)


# What is asked about numbers, as a number: 1 or 0. These are recorded while a program is.
CONDITIONS: dict[str, Callable[..., Any]] = {
    "greater": greater,
    "less": lambda x, y: greater(y, x),
    "greater_equal": lambda x, y: _are_numbers(x, y) - greater(y, x),
    "less_equal": lambda x, y: _are_numbers(x, y) - greater(x, y),
    "equal": lambda x, y: _are_numbers(x, y) - greater(x, y) - greater(y, x),
    "not_equal": lambda x, y: 1.0 - (_are_numbers(x, y) - greater(x, y) - greater(y, x)),
    "logical_and": lambda x, y: where(x, where(y, 1.0, 0.0), 0.0),
    "logical_or": lambda x, y: where(x, 1.0, where(y, 1.0, 0.0)),
    "logical_xor": lambda x, y: where(x, where(y, 0.0, 1.0), where(y, 1.0, 0.0)),
    "logical_not": lambda x: where(x, 0.0, 1.0),
    "isfinite": lambda x: greater(math.inf, abs(x)),
    "isinf": lambda x: greater(abs(x), sys.float_info.max),
    "isnan": lambda x: 1.0 - greater(abs(x), -1.0),
}
OF_TRUTHS = {"bitwise_and": "logical_and", "bitwise_or": "logical_or", "bitwise_xor": "logical_xor"}
OF_TRUTHS["invert"] = "logical_not"


class ValueArray(np.ndarray[Any, Any]):
    """An array of Values, made by `array`, on which NumPy's functions follow the table of primitives.

    `grad` and the similar functions pass an array with respect to which they differentiate as a `ValueArray`, and
    `compile` passes every array as one. If one operand of a function of NumPy is a `ValueArray`, the result is one; a
    result without dimensions is a Value. Comparisons, including `==`, compare the data and return arrays of bool. In a
    compiled function they return conditions instead, which are numbers for `numpy.where`.
    """

    __array_priority__ = 1.0  # that of arrays of NumPy's own class is 0

    def __array_ufunc__(  # type: ignore[override]  # its arguments have other names
        self, function: Any, method: str, *arguments: Any, **settings: Any
    ) -> Any:
        return array_ufunc(function, method, arguments, settings)

    def __array_function__(self, function: Any, types: Any, arguments: Any, settings: Any) -> Any:
        return array_function(function, arguments, settings)

    def __setitem__(self, index: Any, new: Any) -> None:
        super().__setitem__(index, new if isinstance(new, Value | ValueArray) else _finished(np.asarray(new, object)))

    def fill(self, value: Any) -> None:
        """Assign one number or Value to all elements."""
        self[...] = value

    def sort(self, axis: int = -1, **settings: Any) -> None:  # type: ignore[override]  # NumPy's has more arguments
        """Sort the array in place by the numbers."""
        self[...] = np.sort(self, axis, **settings)


class ConditionArray(ValueArray):
    """An array of conditions that were recorded: each number is 1 or 0."""

    def astype(self, dtype: Any, *arguments: Any, **settings: Any) -> Any:
        """Return the conditions as numbers."""
        return self.view(ValueArray) if np.dtype(dtype).kind in "iuf" else super().astype(dtype, *arguments, **settings)


def array(values: Any) -> ValueArray:
    """Make an array of Values.

    Args:
        values: numbers and Values, in an array or in nested lists. Each number becomes a new variable; a Value stays
            the same node.

    Returns:
        A `ValueArray`, a subclass of `numpy.ndarray`, on which NumPy's functions follow the rules of the table.

    Raises:
        TypeError: if an element is not a real number.
        ImportError: if NumPy is not installed.
    """
    held = plain_array(values) if isinstance(values, np.ndarray) else np.array(values, object)
    entries = [entry if isinstance(entry, Value) else Value(entry) for entry in held.ravel().tolist()]
    return np.fromiter(entries, object, len(entries)).reshape(held.shape).view(ValueArray)


def array_of(entries: Sequence[Any], shape: tuple[int, ...]) -> Any:
    """Return an array of this shape, of float64, Values or objects; or a longer one, if each entry is an array."""
    if entries and all(isinstance(entry, np.ndarray) and entry.shape == entries[0].shape for entry in entries):
        return np.stack(list(entries)).reshape(*shape, *entries[0].shape)
    if all(type(entry) is float for entry in entries):
        return np.array(entries, np.float64).reshape(shape)
    held = np.fromiter(entries, object, len(entries)).reshape(shape)
    return _finished(held) if any(isinstance(entry, Value) for entry in entries) else held


def plain_array(argument: Any) -> Any:
    """Return an array as one of NumPy's own class; a TypeError for one of a class that would lose its meaning."""
    if isinstance(argument, np.ndarray) and not isinstance(argument, ValueArray | np.memmap):
        if type(argument) is not np.ndarray:
            raise TypeError(
                f"expected an array of the class numpy.ndarray, got a {type(argument).__name__}, whose meaning (a "
                f"mask, units, products of matrices) would be lost; convert it first, by numpy.asarray(a), or a masked "
                f"array by a.filled(number)"
            )
        return argument
    return np.asarray(argument)


def over_arrays(primitive: Primitive, *operands: Any) -> Any:
    """Apply a primitive to arrays, element by element; to floats alone it gives floats."""
    operands = tuple([plain_array(x).item() if isinstance(x, np.ndarray) and not x.shape else x for x in operands])
    if not any(getattr(operand, "shape", None) for operand in operands):
        return apply(primitive, *map(_as_value, operands))
    arrays = np.broadcast_arrays(*map(_held, operands))
    entries = list(map(primitive, *[array.ravel().tolist() for array in arrays]))
    return array_of(entries, arrays[0].shape)


def array_ufunc(function: Any, method: str, arguments: Sequence[Any], settings: dict[str, Any]) -> Any:
    """Return what a universal function of NumPy gives for Values; the `__array_ufunc__` of Values and their arrays."""
    name = function.__name__
    if isinstance(settings.get("where"), ValueArray):
        raise _refusal(name, "where= takes an array of bool; choose by numpy.where")
    if name in OF_TRUTHS and all(isinstance(x, ConditionArray) or _kind(x) == "b" for x in arguments):
        name = OF_TRUTHS[name]
    if name in CONDITIONS or name == "signbit":
        return _answered(function, name, method, arguments, settings)
    of_numbers = FUNCTIONS.get(name) or OPERATORS.get(name)
    if of_numbers is None and set("".join(function.types)) != set("O->"):  # that of a function in Python
        raise _refusal(name)
    is_call = method == "__call__"
    if of_numbers is not None and is_call and not settings and all(isinstance(x, NUMBERS) for x in arguments):
        return of_numbers(*[x if isinstance(x, Value) else as_operand(x) for x in arguments])
    dtype = settings.pop("dtype", None)
    is_other = dtype is not None and np.dtype(dtype) not in (np.float64, object)
    if is_other and not all(isinstance(x, ConditionArray) for x in arguments):
        raise _refusal(name, f"a Value is a float64, but dtype={dtype}")
    out = settings.get("out")
    if out is not None:
        settings["out"] = tuple(map(_held, out))
    run = partial(_run, _of_objects(name, function.nin) or function, method)
    if method == "reduce" and settings.get("where", True) is not True:
        if name in IDENTITIES:
            settings.setdefault("initial", IDENTITIES[name])
    elif method == "reduce" and name in WIDE and not settings.keys() & {"out", "initial"}:
        run = partial(_reduced, WIDE[name], run)
    try:
        result = run(list(map(_held, arguments)), settings)
    except TypeError as error:
        if type(error) is TypeError:  # of an element
            raise
        raise _refusal(name, error) from error
    if out is not None:
        return out[0]
    return _as_value(result) if method == "reduce" and isinstance(result, NUMBERS) else _finished(result, is_call)


@cache
def _of_objects(name: str, count: int) -> Any:
    """Return a function of so many operands as a universal one of arrays of objects; None if NumPy's own is one."""
    function = FUNCTIONS.get(name) or CONDITIONS.get(name)
    return function and np.frompyfunc(function, count, 1, identity=None)  # in any order, not from a first number on


def _reduced(primitive: Primitive, run: Callable[..., Any], arguments: Sequence[Any], settings: dict[str, Any]) -> Any:
    """Return the largest or the smallest of the Values along some axes: for each result a node of all of them."""
    array, axis = arguments[0], settings.get("axis", 0)
    axes = range(array.ndim) if axis is None else [place % array.ndim for place in np.atleast_1d(axis).tolist()]
    others = [place for place in range(array.ndim) if place not in axes]
    rows = array.transpose(*others, *axes).reshape(*[array.shape[place] for place in others], -1)
    if rows.shape[-1] < 2:  # the Values themselves, or an error
        return run(arguments, settings)
    made = [apply_wide(primitive, tuple(row)) for row in rows.reshape(-1, rows.shape[-1]).tolist()]
    found = np.fromiter(made, object, len(made)).reshape(rows.shape[:-1])
    return np.expand_dims(found, tuple(axes)) if settings.get("keepdims") else found if found.shape else found.item()


def _run(function: Any, method: str, arguments: Iterable[Any], settings: dict[str, Any]) -> Any:
    """Run a universal function. Values follow IEEE 754 or raise an error, and NumPy need not warn of anything."""
    with np.errstate(all="ignore"):
        return getattr(function, method)(*arguments, **settings)


def _answered(function: Any, name: str, method: str, arguments: Sequence[Any], settings: dict[str, Any]) -> Any:
    """Return what a function says about the data; while a program is recorded, as a condition."""
    formula = CONDITIONS.get(name)
    if formula is None or not (is_recording_program() and any(map(_is_unknown, arguments))):
        return _run(function, method, map(_numbers, arguments), settings)
    if settings.pop("out", None) is not None:
        raise _refusal(name, "a condition that is recorded does not go into an array of bool; leave out= out")
    settings.pop("dtype", None)  # bool, which any and all ask for
    result = _finished(_run(_of_objects(name, function.nin), method, map(_held, arguments), settings))
    return result.view(ConditionArray) if isinstance(result, ValueArray) else result


def array_function(function: Any, arguments: Sequence[Any], settings: dict[str, Any]) -> Any:
    """Return what another function of NumPy gives for Values; the `__array_function__` of Values and their arrays."""
    name = function.__name__
    if name in REFUSED:
        raise _refusal(name)
    try:
        if name in ABOUT_NUMBERS:
            return function(*_numbers(arguments), **_numbers(settings))
        own = OF_ARRAYS.get(name)
        arguments, settings = tuple(map(_with_arrays, arguments)), _with_arrays(settings)
        if own is not None:
            return _finished(own(*arguments, **settings))
        return _finished(np.ndarray.__array_function__(PLAIN, function, (), arguments, settings))
    except (TypeError, AttributeError) as error:
        if str(error).startswith("NumPy's "):
            raise
        raise _refusal(name, error) from error


def _empty_like(prototype: Any, dtype: Any = None, **settings: Any) -> Any:
    made = np.empty_like(_held(prototype), dtype, **settings)
    if made.dtype == object:
        made[...] = Constant(0.0)
    return made


def _round(array: Any, decimals: int = 0, out: Any = None) -> Any:
    scale = 10.0**decimals
    rounded = np.rint(array) if scale == 1.0 else np.rint(array * scale) / scale
    return np.positive(rounded, out=out)


def _copyto(target: Any, source: Any, casting: str = "same_kind", where: Any = True) -> None:
    target[...] = source if where is True else np.where(where, source, target)


def _norm(x: Any, ord: Any = None, axis: Any = None, keepdims: bool = False) -> Any:
    is_of_matrix = ord not in (None, "fro") and np.ndim(x) == 2 and not isinstance(axis, int)
    if is_of_matrix or ord in (math.inf, -math.inf):
        raise _refusal("norm", f"of the order {ord}")
    return np.ndarray.__array_function__(PLAIN, np.linalg.norm, (), (x, ord, axis, keepdims), {})


def _where(condition: Any, *choices: Any) -> Any:
    if not choices:
        return np.nonzero(condition)
    return np.frompyfunc(where, 3, 1)(*map(_held, (condition, *choices)))  # a node, also where the condition is known


def _sort(array: ValueArray, axis: int | None = -1, **settings: Any) -> Any:
    places = np.argsort(array, axis, **settings)
    return array.ravel()[places] if axis is None else np.take_along_axis(array, places, axis)


OF_ARRAYS: dict[str, Callable[..., Any]] = {
    "where": _where,
    "sort": _sort,
    "partition": lambda array, places, axis=-1, **settings: _sort(array, axis),
    "empty_like": _empty_like,
    "copyto": _copyto,
    "norm": _norm,
    "round": _round,
    "around": _round,
    "fix": np.trunc,
}
REFUSED = {  # since NumPy's own does not see that a Value is nan, says something else, or puts floats among Values
    *("put", "place", "putmask"),
    *("median", "nanmedian", "percentile", "nanpercentile", "quantile", "nanquantile", "nan_to_num", "polyfit"),
}
# Functions that give places or truths, for which only the data counts.
ABOUT_NUMBERS = {
    *("allclose", "argmax", "argmin", "argpartition", "argsort", "argwhere", "array_equal", "array_equiv", "digitize"),
    *("count_nonzero", "flatnonzero", "in1d", "isclose", "isin", "lexsort", "nanargmax", "nanargmin", "nonzero"),
    "searchsorted",
}
PLAIN = np.empty(0)


for _name in ("argmax", "argmin", "argpartition", "argsort", "nonzero", "searchsorted", "round"):
    setattr(ValueArray, _name, partialmethod(getattr(np, _name)))  # NumPy's own methods ask no __array_function__


def _held(argument: Any) -> Any:
    """Return an argument as NumPy does not hand it back: a Value and its arrays as arrays of NumPy's own class."""
    if isinstance(argument, Value):
        holder = np.empty((), object)
        holder[()] = argument
        return holder
    return plain_array(argument).view(np.ndarray) if isinstance(argument, np.ndarray) else argument


def _with_arrays(argument: Any) -> Any:
    """Return an argument with arrays in place of Values and of lists of them."""
    if isinstance(argument, Value):
        return _held(argument).view(ValueArray)
    if isinstance(argument, dict):
        return {name: _with_arrays(entry) for name, entry in argument.items()}
    if type(argument) not in (list, tuple):
        return argument
    if any(isinstance(entry, Value) for entry in argument) and all(isinstance(entry, NUMBERS) for entry in argument):
        return np.array(argument, object).view(ValueArray)
    return (
        type(argument)(map(_with_arrays, argument)) if any(isinstance(e, list | tuple) for e in argument) else argument
    )


def _numbers(argument: Any) -> Any:
    """Return an argument with the data in place of Values."""
    if isinstance(argument, Value):
        return argument.data
    if isinstance(argument, dict):
        return {name: _numbers(entry) for name, entry in argument.items()}
    if _kind(argument) == "O":
        return np.array(_numbers(argument.ravel().tolist())).reshape(argument.shape)
    return type(argument)(map(_numbers, argument)) if type(argument) in (list, tuple) else argument


def _kind(argument: Any) -> str:
    """Return the letter of what an array or a number of NumPy holds; b for bool, O for objects."""
    return "b" if type(argument) is bool else getattr(getattr(argument, "dtype", None), "kind", "")


def _is_unknown(argument: Any) -> bool:
    """Return whether there is a Value that has another number at each call of what is recorded."""
    entries = argument.ravel().tolist() if _kind(argument) == "O" else [argument]
    return any(isinstance(entry, Value) and not is_fixed(entry) for entry in entries)


def _finished(result: Any, are_values: bool = False) -> Any:
    """Return what NumPy gave with arrays of Values in place of arrays of objects; one without dimensions as a Value.

    If `are_values`, there are no numbers among the objects.
    """
    if isinstance(result, tuple | list):
        return type(result)(map(_finished, result)) if type(result) in (list, tuple) else result
    if not isinstance(result, np.ndarray):
        return result
    if result.dtype != object:
        return result.view(np.ndarray)
    entries = [] if are_values else result.ravel().tolist()
    if not all(issubclass(kind, Value) for kind in set(map(type, entries))):
        result = np.fromiter(map(_as_value, entries), object, len(entries)).reshape(result.shape)
    if not result.shape:
        return result.item()
    return result if isinstance(result, ValueArray) else result.view(ValueArray)


def _refusal(name: str, reason: object = "") -> TypeError:
    return TypeError(
        f"NumPy's {name} is no function of Values{f' ({reason})' if reason else ''}: write it with arithmetic, sums "
        f"and functions that are methods of Value, such as numpy.exp and numpy.maximum, or use v.data for plain numbers"
    )
