"""Arguments and results as flat arrays of numbers, and the form that says how they were nested.

>>> numbers = []
>>> form = form_of({"w": [1.0, 2.0], "b": 3}, numbers)
>>> described(form)
"{'w': a list of 2 numbers, 'b': a number}"
>>> rebuilt(form, iter([10.0, 20.0, 30.0]))
{'w': [10.0, 20.0], 'b': 30.0}

Two calls of the same form are computed by the same program. Numbers, and arrays of them, are inputs of the program.
Strings, truth values and None are part of the form.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from numbers import Real
from typing import Any, Final, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from autograd.floats import as_float
from autograd.saving import shortened
from autograd.value import Value

Row: TypeAlias = NDArray[np.float64]  # of one dimension
Rows: TypeAlias = NDArray[np.float64]  # of two
Leaf: TypeAlias = "float | Value | Row"

SHOWN = 6  # parts of a form that are described


class Number:
    """The form of one number; there is one such form."""


NUMBER: Final = Number()


class Array(NamedTuple):
    """The form of an array."""

    shape: tuple[int, ...]


class Floats(NamedTuple):
    """The form of a list or a tuple of numbers alone."""

    kind: type
    length: int


class Fixed(NamedTuple):
    """The form of what is no number: itself. Its class tells True from 1."""

    kind: type
    thing: Any


class Nested(NamedTuple):
    """The form of any other list, tuple or dict.

    Attributes:
        kind: the class; that of a named tuple is called with its parts.
        keys: of a dict.
        parts: the forms of what is in it.
    """

    kind: type
    keys: tuple[Any, ...] | None
    parts: tuple[Any, ...]


Form: TypeAlias = Number | Array | Floats | Fixed | Nested


class CallForm(NamedTuple):
    """The forms of the arguments of a call: those without and those with a name."""

    positional: tuple[Form, ...]
    named: tuple[tuple[str, Form], ...] = ()

    def rebuilt(self, numbers: Iterator[Any]) -> tuple[list[Any], dict[str, Any]]:
        """Arguments of these forms around other numbers."""
        arguments = [rebuilt(form, numbers) for form in self.positional]
        return arguments, {name: rebuilt(form, numbers) for name, form in self.named}


def form_of(tree: Any, numbers: list[Leaf]) -> Form:
    """The form of a nesting, whose numbers are appended to a list: floats and Values, and arrays as rows.

    Args:
        tree: numbers, and lists, tuples, dicts and arrays of them; also strings, truth values and None.
        numbers: what the numbers are appended to.

    Raises:
        TypeError: for anything else.
    """
    kind = type(tree)
    if kind is float or isinstance(tree, Value):
        numbers.append(tree)
        return NUMBER
    if isinstance(tree, list | tuple):
        if not hasattr(tree, "_fields"):
            if tree and all(part is float or issubclass(part, Value) for part in set(map(type, tree))):
                numbers.extend(tree)
                return Floats(kind, len(tree))
            parts = tuple([form_of(part, numbers) for part in tree])
            if parts and all(part is NUMBER for part in parts):
                return Floats(kind, len(parts))
            return Nested(kind, None, parts)
        return Nested(kind, None, tuple([form_of(part, numbers) for part in tree]))
    if isinstance(tree, Mapping):
        return Nested(kind, tuple(tree), tuple([form_of(part, numbers) for part in tree.values()]))
    if isinstance(tree, np.ndarray) and tree.shape:
        if tree.dtype == object:
            numbers.extend([part if isinstance(part, Value) else as_float(part) for part in tree.ravel().tolist()])
        else:
            numbers.append(as_floats(tree).reshape(-1))
        return Array(tree.shape)
    if tree is None or kind is bool or kind is str:
        return Fixed(kind, tree)
    if isinstance(tree, Real) or getattr(tree, "shape", None) == ():  # an array of no dimensions holds a number
        numbers.append(as_float(tree if isinstance(tree, Real) else tree.item()))
        return NUMBER
    raise TypeError(
        f"expected numbers, or lists, tuples, dicts and arrays of them, got {shortened(tree)} of type {kind.__name__}"
    )


def as_floats(array: NDArray[Any]) -> NDArray[np.float64]:
    """An array of real numbers as a contiguous one of float64.

    Raises:
        TypeError: if it is of another type.
    """
    if array.dtype == object:
        return np.array([as_float(part) for part in array.ravel().tolist()], np.float64).reshape(array.shape)
    if array.dtype.kind not in "fiu":
        raise TypeError(f"expected an array of real numbers, got one of the type {array.dtype}")
    return np.ascontiguousarray(array, np.float64)


def has_value(numbers: Iterable[Leaf]) -> bool:
    """Whether there is a Value among what `form_of` found."""
    return any(issubclass(kind, Value) for kind in set(map(type, numbers)))


def holds_value(arguments: Sequence[Any]) -> bool:
    """Whether there is a Value among arguments of which `form_of` knows no form."""
    for argument in arguments:
        if isinstance(argument, Value):
            return True
        if isinstance(argument, list | tuple) and holds_value(argument):
            return True
        if isinstance(argument, dict) and holds_value(list(argument.values())):
            return True
        if getattr(getattr(argument, "dtype", None), "kind", "") == "O" and holds_value(argument.ravel().tolist()):
            return True
    return False


def flat(numbers: Sequence[Leaf]) -> Row:
    """What `form_of` found as one array; there must be no Values in it."""
    if len(numbers) == 1 and isinstance(numbers[0], np.ndarray):
        return numbers[0]
    if np.ndarray in set(map(type, numbers)):
        return np.concatenate([np.atleast_1d(np.asarray(number, np.float64)) for number in numbers])
    return np.array(numbers, np.float64)


def plain(numbers: Iterable[Leaf]) -> list[float]:
    """What `form_of` found as floats; of a Value its number."""
    found: list[float] = []
    for number in numbers:
        if isinstance(number, np.ndarray):
            found += number.tolist()
        else:
            found.append(number.data if isinstance(number, Value) else number)
    return found


def size_of(form: Form) -> int:
    """How many numbers a nesting of this form holds."""
    if isinstance(form, Number):
        return 1
    if isinstance(form, Array):
        return math.prod(form.shape)
    if isinstance(form, Floats):
        return form.length
    return sum(map(size_of, form.parts)) if isinstance(form, Nested) else 0


def entries_of(form: Form) -> tuple[Form, ...]:
    """The forms of the entries of a list or a tuple; of anything else, itself alone."""
    if isinstance(form, Floats):
        return (NUMBER,) * form.length
    return form.parts if isinstance(form, Nested) and form.keys is None else (form,)


def described(form: Form) -> str:
    """A form in words, for messages."""
    if isinstance(form, Number):
        return "a number"
    if isinstance(form, Array):
        return f"an array of shape {form.shape}"
    if isinstance(form, Floats):
        return f"a {form.kind.__name__} of {form.length} number{'s' if form.length != 1 else ''}"
    if isinstance(form, Fixed):
        return shortened(form.thing)
    parts = [described(part) for part in form.parts[:SHOWN]]
    if form.keys is not None:
        parts = [f"{shortened(key)}: {part}" for key, part in zip(form.keys, parts, strict=False)]
    inside = ", ".join([*parts, *["…"] * (len(form.parts) > SHOWN)])
    if form.keys is not None:
        return f"{{{inside}}}"
    if form.kind in (list, tuple):
        return f"[{inside}]" if form.kind is list else f"({inside}{',' * (len(form.parts) == 1)})"
    return f"{form.kind.__name__}({inside})"


def rebuilt(form: Form, numbers: Iterator[Any]) -> Any:
    """A nesting of this form around other numbers; arrays are of objects."""
    leaves = (next(numbers) if isinstance(leaf, Number) else _objects(leaf, numbers) for leaf in leaves_of(form))
    return put_together(form, leaves)


def _objects(form: Array, numbers: Iterator[Any]) -> Any:
    """An array of objects of this form."""
    array = np.empty(math.prod(form.shape), object)
    array[:] = [next(numbers) for _ in range(len(array))]
    return array.reshape(form.shape)


def rebuilder(form: Form, start: int = 0) -> Callable[[Row], Any]:
    """A function that puts a nesting of this form around an array of numbers, with floats and arrays of floats.

    Args:
        form: the form.
        start: where its numbers start in the array.

    Returns:
        The function. The arrays that it gives are parts of the array that it is called with.
    """
    end = start + size_of(form)
    if isinstance(form, Number):
        return lambda numbers: float(numbers[start])
    if isinstance(form, Fixed):
        return lambda numbers: form.thing
    if isinstance(form, Floats):
        if form.kind is list:
            return lambda numbers: numbers[start:end].tolist()
        return lambda numbers: form.kind(numbers[start:end].tolist())
    if isinstance(form, Array):
        return lambda numbers: numbers[start:end].reshape(form.shape)
    parts = [rebuilder(part, start + place.start) for part, place in _places(form.parts)]
    return lambda numbers: _assembled(form, [part(numbers) for part in parts])


def rebuilt_from_rows(form: Form, rows: Rows) -> Any:
    """A nesting of this form around rows of numbers: for each number an array with an entry for each row."""
    if isinstance(form, Number):
        return rows[:, 0].copy()
    if isinstance(form, Fixed):
        return form.thing
    if isinstance(form, Floats):
        return form.kind([column.copy() for column in rows.T])
    if isinstance(form, Array):
        return rows.reshape(len(rows), *form.shape).copy()
    return _assembled(form, [rebuilt_from_rows(part, rows[:, place]) for part, place in _places(form.parts)])


def leaves_of(form: Form) -> Iterator[Number | Array]:
    """The forms of the numbers and of the arrays in a nesting of this form."""
    if isinstance(form, Floats):
        yield from (NUMBER,) * form.length
    elif isinstance(form, Nested):
        for part in form.parts:
            yield from leaves_of(part)
    elif not isinstance(form, Fixed):
        yield form


def taken_apart(form: Form, tree: Any) -> Iterator[Any]:
    """The numbers and the arrays in a nesting, as they are; of dicts in the order of the form.

    Args:
        form: the form that the nesting must have.
        tree: the nesting. Its numbers and arrays may be of any library, such as those that JAX traces.

    Raises:
        TypeError: if it does not have the form.
    """
    if isinstance(form, Number | Array):
        fits = getattr(tree, "shape", ()) == (form.shape if isinstance(form, Array) else ())
        if not fits or tree is None or isinstance(tree, str | list | tuple | Mapping):
            raise _misfit(form, tree)
        yield tree
    elif isinstance(form, Fixed):
        if type(tree) is not form.kind or tree != form.thing:
            raise _misfit(form, tree)
    elif isinstance(form, Nested) and form.keys is not None:
        if not isinstance(tree, Mapping) or set(tree) != set(form.keys):
            raise _misfit(form, tree)
        for key, part in zip(form.keys, form.parts, strict=True):
            yield from taken_apart(part, tree[key])
    else:
        parts = entries_of(form)
        if not isinstance(tree, list | tuple) or len(tree) != len(parts):
            raise _misfit(form, tree)
        for part, entry in zip(parts, tree, strict=True):
            yield from taken_apart(part, entry)


def put_together(form: Form, leaves: Iterator[Any]) -> Any:
    """A nesting of this form around other numbers and arrays, which `leaves_of` gives the forms of."""
    if isinstance(form, Number | Array):
        return next(leaves)
    if isinstance(form, Fixed):
        return form.thing
    if isinstance(form, Floats):
        return form.kind([next(leaves) for _ in range(form.length)])
    return _assembled(form, [put_together(part, leaves) for part in form.parts])


def _misfit(form: Form, tree: Any) -> TypeError:
    shape = getattr(tree, "shape", None)
    given = f"an array of shape {shape}" if shape else f"{shortened(tree)} of type {type(tree).__name__}"
    return TypeError(f"expected {described(form)}, as when the function was recorded, got {given}")


def _places(forms: Iterable[Form]) -> Iterator[tuple[Form, slice]]:
    """Each form, and where its numbers are among those of all."""
    start = 0
    for form in forms:
        end = start + size_of(form)
        yield form, slice(start, end)
        start = end


def _assembled(form: Nested, parts: list[Any]) -> Any:
    if form.keys is not None:
        return dict(zip(form.keys, parts, strict=True))
    if hasattr(form.kind, "_fields"):
        return form.kind(*parts)
    return parts if form.kind is list else form.kind(parts)
