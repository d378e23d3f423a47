"""Arguments and results as flat arrays of numbers, and the form that says how they were nested.

>>> numbers = []
>>> form = form_of({"w": [1.0, 2.0], "b": 3}, numbers)
>>> rebuilt(form, iter([10.0, 20.0, 30.0]))
{'w': [10.0, 20.0], 'b': 30.0}

Two arguments of the same form are computed by the same program. Numbers, and arrays of them, are inputs of the program.
Strings, truth values and None are part of the form.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from numbers import Real
from typing import Any, NamedTuple

import numpy as np

from autograd.floats import as_float
from autograd.saving import shortened
from autograd.value import Value

NUMBER = "number"


class Array(NamedTuple):
    """The form of an array."""

    shape: tuple[int, ...]


class Nested(NamedTuple):
    """The form of a list, a tuple or a dict.

    Attributes:
        kind: the class; that of a named tuple is called with its parts.
        keys: of a dict.
        parts: the forms of what is in it.
    """

    kind: type
    keys: tuple[Any, ...] | None
    parts: tuple[Any, ...]


class Floats(NamedTuple):
    """The form of a list or a tuple of numbers alone."""

    kind: type
    count: int


class Fixed(NamedTuple):
    """The form of what is no number: itself."""

    kind: type
    thing: Any


def form_of(tree: Any, numbers: list[Any], fixed: bool = True) -> Any:
    """The form of a nesting, whose numbers are appended to a list: floats and Values, and arrays as they are.

    Args:
        tree: numbers, and lists, tuples, dicts and arrays of them.
        numbers: what the numbers are appended to.
        fixed: whether strings, truth values and None are allowed.

    Raises:
        TypeError: for anything else.
    """
    kind = type(tree)
    if kind is float or kind is int:
        numbers.append(float(tree))
        return NUMBER
    if isinstance(tree, Value):
        numbers.append(tree)
        return NUMBER
    if isinstance(tree, list | tuple):
        if tree and all(type(part) is float for part in tree) and not hasattr(tree, "_fields"):
            numbers.extend(tree)
            return Floats(kind, len(tree))
        parts = tuple([form_of(part, numbers, fixed) for part in tree])
        if parts and all(part is NUMBER for part in parts) and not hasattr(tree, "_fields"):
            return Floats(kind, len(tree))
        return Nested(kind, None, parts)
    if isinstance(tree, Mapping):
        return Nested(kind, tuple(tree), tuple([form_of(part, numbers, fixed) for part in tree.values()]))
    if isinstance(tree, np.ndarray) and tree.shape:
        if tree.dtype == object:
            numbers.extend(tree.ravel().tolist())
        elif tree.dtype.kind in "fiu":
            numbers.append(np.ascontiguousarray(tree, np.float64).reshape(-1))
        else:
            raise TypeError(f"expected an array of real numbers, got one of the type {tree.dtype}")
        return Array(tree.shape)
    if fixed and (tree is None or kind in (bool, str)):
        return Fixed(kind, tree)
    if isinstance(tree, Real) or getattr(tree, "shape", None) == ():
        numbers.append(as_float(tree if isinstance(tree, Real) else tree.item()))
        return NUMBER
    raise TypeError(
        f"expected numbers, or lists, tuples, dicts and arrays of them, got {shortened(tree)} of type {kind.__name__}; "
        f"name an argument that is something else in static_argnums, or let the function refer to it"
    )


def flat(numbers: list[Any]) -> np.ndarray[Any, np.dtype[np.float64]]:
    """The numbers that `form_of` found as one array."""
    if len(numbers) == 1 and isinstance(numbers[0], np.ndarray):
        return numbers[0]
    if not any(isinstance(number, np.ndarray) for number in numbers):
        return np.array(numbers, np.float64)
    return np.concatenate([number if isinstance(number, np.ndarray) else (number,) for number in numbers])


def size_of(form: Any) -> int:
    """How many numbers a nesting of this form holds."""
    if form is NUMBER:
        return 1
    if isinstance(form, Array):
        return math.prod(form.shape)
    if isinstance(form, Floats):
        return form.count
    return sum(map(size_of, form.parts)) if isinstance(form, Nested) else 0


def rebuilt(form: Any, numbers: Iterator[Any]) -> Any:
    """A nesting of this form around other numbers; arrays are of objects."""
    if form is NUMBER:
        return next(numbers)
    if isinstance(form, Floats):
        return form.kind([next(numbers) for _ in range(form.count)])
    if isinstance(form, Array):
        array = np.empty(math.prod(form.shape), object)
        array[:] = [next(numbers) for _ in range(len(array))]
        return array.reshape(form.shape)
    if isinstance(form, Fixed):
        return form.thing
    return _assembled(form, [rebuilt(part, numbers) for part in form.parts])


def rebuilt_from(form: Any, numbers: np.ndarray[Any, np.dtype[np.float64]], rows: int | None = None) -> Any:
    """A nesting of this form around an array of numbers; of rows of them, each number becomes an array."""
    return _from_array(form, numbers, 0, rows)[0]


def _from_array(form: Any, numbers: Any, start: int, rows: int | None) -> tuple[Any, int]:
    if form is NUMBER:
        return (float(numbers[start]) if rows is None else numbers[:, start].copy()), start + 1
    if isinstance(form, Floats):
        end = start + form.count
        part = numbers[start:end].tolist() if rows is None else [numbers[:, i].copy() for i in range(start, end)]
        return (part if form.kind is list else form.kind(part)), end
    if isinstance(form, Array):
        end = start + math.prod(form.shape)
        if rows is None:
            return numbers[start:end].reshape(form.shape), end
        return numbers[:, start:end].reshape(rows, *form.shape).copy(), end
    if isinstance(form, Fixed):
        return form.thing, start
    parts = []
    for part in form.parts:
        made, start = _from_array(part, numbers, start, rows)
        parts.append(made)
    return _assembled(form, parts), start


def _assembled(form: Nested, parts: list[Any]) -> Any:
    if form.keys is not None:
        return dict(zip(form.keys, parts, strict=True))
    if hasattr(form.kind, "_fields"):
        return form.kind(*parts)
    return parts if form.kind is list else tuple(parts) if form.kind is tuple else form.kind(parts)
