"""The rules of the table on arrays, and reads of numbers that stand in several arrays: of NumPy, or of JAX.

>>> from autograd.primitives import relu
>>> arrays, x = Arrays(np), np.array([-1.0, 0.0, 2.0])
>>> out = arrays.compute(relu, x)
>>> out.tolist(), arrays.compute(relu.slopes[0], out, x).tolist()
([0.0, 0.0, 2.0], [0.0, 0.0, 1.0])

What is stated here is how the module of the arrays calls the few primitives that rules are made of. Everything else
runs the rule of the table.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

import numpy as np

from autograd import primitives
from autograd.native.languages import SAME_NAMES
from autograd.primitives import PRIMITIVES, Operators, Primitive

if TYPE_CHECKING:
    from autograd.programs.groups import Integers

Function: TypeAlias = Callable[..., Any]  # arrays and floats in, an array out
Reading: TypeAlias = Callable[[Sequence[Any]], Any]  # takes the arrays, gives an array

MOST_PIECES = 16  # of several arrays that are put together; more are read by index
MOST_AXES = 5
ABSENT = -1  # the array of a place that is in none


class ArrayNumber(Operators):
    """An array as a number: rules of the table run on it, element by element.

    Args:
        arrays: what the module of the array calls the primitives.
        array: the array.
    """

    __slots__ = ("array", "arrays")

    def __init__(self, arrays: Arrays, array: Any) -> None:
        self.arrays, self.array = arrays, array

    @staticmethod
    def apply_primitive(primitive: Primitive, *operands: Any) -> ArrayNumber:
        """The primitive at arrays and plain numbers.

        Raises:
            TypeError: if the rule needs a function that the module lacks.
        """
        arrays = next(operand.arrays for operand in operands if isinstance(operand, ArrayNumber))
        function = arrays.function(primitive)
        if function is None:
            result = primitive.value(*operands)
            return result if isinstance(result, ArrayNumber) else ArrayNumber(arrays, result)
        plain = [operand.array if isinstance(operand, ArrayNumber) else operand for operand in operands]
        return ArrayNumber(arrays, function(*plain))


class Arrays:
    """What a module of arrays calls the primitives that rules are made of.

    Args:
        module: the module: `numpy`, or one with its interface.
        others: functions for more primitives, by name, such as `erf` and `erfc`, which the interface of NumPy lacks.
            With NumPy itself, those two are computed by Python, element by element.
    """

    def __init__(self, module: Any, **others: Function) -> None:
        self.module = module
        self._is_numpy = module.__name__ == "numpy"
        own = {"power": _power, "erf": by_element(primitives.erf), "erfc": by_element(primitives.erfc)}
        functions = {**_functions(module), **(own if self._is_numpy else {}), **others}
        self._functions = {PRIMITIVES[name]: function for name, function in functions.items()}

    def function(self, primitive: Primitive) -> Function | None:
        """The function of arrays that computes a primitive; None if the rule of the table does.

        A primitive that is not in the table has a rule for floats alone. With NumPy it is called for each element.

        Raises:
            TypeError: for such a primitive, with another module.
        """
        found = self._functions.get(primitive)
        if found is None and not primitive.index:
            if not self._is_numpy:
                raise TypeError(
                    f"{primitive!r} is not in the table of primitives: only Python knows its function, which "
                    f"{self.module.__name__} cannot run; compose it of primitives of the table"
                )
            return by_element(primitive)
        return found

    def compute(self, rule: Primitive | Function, *operands: Any) -> Any:
        """A primitive, or a slope of one, at arrays and plain numbers: by the rules of IEEE 754, without warnings.

        Returns:
            An array; of a rule that is the same everywhere, such as the slope of a sum, a number.
        """
        numbers = [operand if type(operand) is float else ArrayNumber(self, operand) for operand in operands]
        with self.quiet():
            result = rule(*numbers)
        return result.array if isinstance(result, ArrayNumber) else result

    def take(self, array: Any, indices: Any) -> Any:
        """The numbers of an array of one dimension at some indices, which are all within it."""
        return self.module.take(array, indices)

    def quiet(self) -> AbstractContextManager[Any]:
        """A context in which the module does not warn of what is not finite."""
        return self.module.errstate(all="ignore") if self._is_numpy else nullcontext()


def by_element(primitive: Primitive) -> Function:
    """A primitive as a function of arrays of NumPy, which calls it with the floats of each element."""

    def function(*operands: Any) -> Any:
        arrays = np.broadcast_arrays(*operands)
        columns = [array.ravel().tolist() for array in arrays]
        return np.array([primitive(*numbers) for numbers in zip(*columns, strict=True)]).reshape(arrays[0].shape)

    return function


def _power(x: Any, y: Any) -> Any:
    """The power by NumPy, whatever the shapes.

    For one exponent of −1, 0.5 or 2 for all, NumPy computes something else: sqrt(−inf) for (−inf) ** 0.5, for instance.
    Hence exponents of full shape; and squares as Python's, since NumPy's powers miss the last digit of some.
    """
    return np.where(np.equal(y, 2.0), np.multiply(x, x), np.power(x, y + np.zeros_like(x)))


def _functions(module: Any) -> dict[str, Function]:
    """The functions of a module with NumPy's interface, by the name of the primitive."""
    where = module.where

    def remainder(a: Any, b: Any) -> Any:
        rest = module.fmod(a, b)  # which has the sign of a
        floored = where((rest < 0.0) != (b < 0.0), rest + b, rest)
        return where(rest == 0.0, module.copysign(0.0, b), floored)

    # The choices are written out: of 0 and −0, the functions of the modules do not choose as the table does.
    return {
        "add": module.add,
        "subtract": module.subtract,
        "multiply": module.multiply,
        "divide": module.divide,
        "negate": module.negative,
        "abs": module.abs,
        "remainder": remainder,
        "power": lambda x, y: where(module.equal(y, 2.0), x * x, module.power(x, y)),
        "greater": lambda a, b: where(a > b, 1.0, 0.0),
        "where": lambda condition, a, b: where(condition != 0.0, a, b),
        "maximum": lambda a, b: where((a >= b) | (a != a), a, b),
        "minimum": lambda a, b: where((a <= b) | (a != a), a, b),
        "sign": lambda x: where((x == 0.0) | (x != x), x, module.copysign(1.0, x)),
        "atan2": module.arctan2,
        "hypot": module.hypot,
        **{name: getattr(module, f"arc{name[1:]}" if name[0] == "a" else name) for name in SAME_NAMES},
    }


class Sources:
    """Which array holds the number of each place, and at which index. The arrays have one dimension.

    Args:
        arrays: what reads and reshapes them.
        count: how many places there are.
    """

    def __init__(self, arrays: Arrays, count: int) -> None:
        self.arrays = arrays
        self.sizes: list[int] = []
        self._array, self._index = np.full(count, ABSENT), np.zeros(count, np.int64)

    def put(self, places: Integers, indices: Integers | None = None, size: int | None = None) -> None:
        """Let a further array hold the numbers of some places.

        Args:
            places: the places.
            indices: for each its index in the array; 0, 1, … when not given.
            size: of the array, if it holds more than that.
        """
        self._array[places] = len(self.sizes)
        self._index[places] = np.arange(len(places)) if indices is None else indices
        self.sizes.append(len(places) if size is None else size)

    def has(self, places: Integers) -> bool:
        """Whether there is an array for each of these places."""
        return bool((self._array[places] != ABSENT).all())

    def read(self, places: Integers) -> Reading:
        """What reads the numbers of some places.

        Args:
            places: the places, in an array of any shape.

        Returns:
            A function of the arrays, in the order in which they were put. It gives an array of the shape of `places`.
        """
        flat, shape = places.ravel(), places.shape
        if not len(flat):
            return lambda given: given[0][:0].reshape(shape)
        arrays, indices = self._array[flat], self._index[flat]
        starts = [0, *(np.flatnonzero(np.diff(arrays)) + 1).tolist()]
        if len(starts) > MOST_PIECES:
            return self._read_by_index(arrays, indices, shape)
        pieces = [
            (int(arrays[start]), _Piece.of(indices[start:end], self.sizes[arrays[start]]))
            for start, end in zip(starts, [*starts[1:], len(flat)], strict=True)
        ]

        def run(given: Sequence[Any]) -> Any:
            return self._together([piece.read(given[array], self.arrays) for array, piece in pieces]).reshape(shape)

        return run

    def _read_by_index(self, arrays: Integers, indices: Integers, shape: tuple[int, ...]) -> Reading:
        """Read from the arrays put together: of each, from the first to the last index that is used."""
        used = np.unique(arrays)
        ranges = [(int(indices[arrays == array].min()), int(indices[arrays == array].max()) + 1) for array in used]
        ends = np.cumsum([end - start for start, end in ranges])
        shifts = np.array([last - end for last, (_, end) in zip(ends.tolist(), ranges, strict=True)])
        index = indices + shifts[np.searchsorted(used, arrays)]

        def run(given: Sequence[Any]) -> Any:
            parts = [given[array][start:end] for array, (start, end) in zip(used.tolist(), ranges, strict=True)]
            return self.arrays.take(self._together(parts), index).reshape(shape)

        return run

    def _together(self, parts: list[Any]) -> Any:
        return self.arrays.module.concatenate(parts) if len(parts) > 1 else parts[0]


class _Piece(NamedTuple):
    """Indices of one array as nested loops: for each axis a count and a step.

    Attributes:
        indices: the indices.
        axes: count and step of each loop, the outermost first; None where there are no such loops.
        cuts: how the last axis of an array is cut again and again into these axes, in the order of their steps: from
            where on, into how many parts, of which length.
        last: what is read of the last parts.
    """

    indices: Integers
    axes: tuple[tuple[int, int], ...] | None
    cuts: tuple[tuple[int, int, int], ...] = ()
    last: slice = slice(None)

    @classmethod
    def of(cls, indices: Integers, size: int) -> _Piece:
        """The loops of indices of an array of some size."""
        axes = loops_of(indices)
        if axes is None:
            return cls(indices, None)
        first = int(indices[0]) + sum((count - 1) * step for count, step in axes if step < 0)
        inner = sorted([(abs(step), count) for count, step in axes if step], reverse=True)
        cuts, length = [], size
        while len(inner) > 1:
            (step, count), *inner = inner
            extent = 1 + sum((many - 1) * each for each, many in inner)
            start = min(first, length - count * step)
            first, length = first - start, step
            if start < 0 or first + extent > step:
                return cls(indices, None)
            cuts.append((start, count, step))
        step, count = inner[0] if inner else (1, 1)
        return cls(indices, axes, tuple(cuts), slice(first, first + (count - 1) * step + 1, step))

    def read(self, array: Any, arrays: Arrays) -> Any:
        """The numbers at the indices, in one dimension."""
        if self.axes is None:
            return arrays.take(array, self.indices)
        shape: tuple[int, ...] = ()
        for start, parts, length in self.cuts:
            array = array[..., start : start + parts * length].reshape(*shape, parts, length)
            shape = (*shape, parts)
        array = array[..., self.last]
        steps = [step for _, step in self.axes if step]
        order = sorted(range(len(steps)), key=lambda axis: -abs(steps[axis]))
        if order != sorted(order):
            array = array.transpose(np.argsort(order).tolist())
        if any(step < 0 for step in steps):
            array = arrays.module.flip(array, [axis for axis, step in enumerate(steps) if step < 0])
        counts = tuple([count for count, _ in self.axes])
        if len(steps) < len(counts):
            array = array.reshape([count if step else 1 for count, step in self.axes])
            array = arrays.module.broadcast_to(array, counts)
        return array.reshape(math.prod(counts))


def loops_of(indices: Integers) -> tuple[tuple[int, int], ...] | None:
    """Indices as nested loops: for each the count and the step, the outermost first; None if they are no such loops.

    >>> loops_of(np.array([4, 5, 6, 0, 1, 2])), loops_of(np.array([0, 2, 3]))
    (((2, -4), (3, 1)), None)
    """
    axes: list[tuple[int, int]] = []
    while len(indices) > 1:
        steps = np.diff(indices)
        changes = np.flatnonzero(steps != steps[0])
        count = int(changes[0]) + 1 if len(changes) else len(indices)
        if len(indices) % count or len(axes) == MOST_AXES:
            return None
        rows = indices.reshape(-1, count)
        if (np.diff(rows, axis=1) != steps[0]).any():
            return None
        axes.insert(0, (count, int(steps[0])))
        indices = rows[:, 0]
    return tuple(axes)


ARRAYS = Arrays(np)
