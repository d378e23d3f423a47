"""Numbers at many places of several arrays, read by slices and reshapes, and by index where these do not fit.

What is made here runs on arrays of NumPy, or of another module with its interface, such as `jax.numpy`.

>>> sources = Sources(Arrays(np))
>>> sources.put(np.arange(6))
>>> columns = sources.read(np.array([[0, 3], [1, 4], [2, 5]]))
>>> columns([np.array([10.0, 11.0, 12.0, 13.0, 14.0, 15.0])]).tolist()
[[10.0, 13.0], [11.0, 14.0], [12.0, 15.0]]
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

import numpy as np

from autograd.programs.array_rules import Arrays

if TYPE_CHECKING:
    from autograd.programs.groups import Integers

Reading: TypeAlias = Callable[[Sequence[Any]], Any]  # takes the arrays, gives an array

MOST_PIECES = 16  # of several arrays that are put together; more are read by index
MOST_AXES = 5
ABSENT = -1  # the array of a place that is in none


class Sources:
    """Which array holds the number of each place, and at which index. The arrays have one dimension.

    Args:
        arrays: what reads and reshapes them.
    """

    def __init__(self, arrays: Arrays) -> None:
        self.arrays = arrays
        self.sizes: list[int] = []
        self._array = np.zeros(0, np.int64)
        self._index = np.zeros(0, np.int64)

    def put(self, places: Integers, indices: Integers | None = None, size: int | None = None) -> None:
        """Let a further array hold the numbers of some places.

        Args:
            places: the places.
            indices: for each its index in the array; 0, 1, … when not given.
            size: of the array, if it holds more than that.
        """
        missing = int(places.max(initial=-1)) + 1 - len(self._array)
        if missing > 0:
            self._array = np.concatenate([self._array, np.full(missing, ABSENT)])
            self._index = np.concatenate([self._index, np.zeros(missing, np.int64)])
        self._array[places] = len(self.sizes)
        self._index[places] = np.arange(len(places)) if indices is None else indices
        self.sizes.append(len(places) if size is None else size)

    def has(self, places: Integers) -> bool:
        """Whether there is an array for each of these places."""
        return bool((places < len(self._array)).all() and (self._array[places] != ABSENT).all())

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


class _Cut(NamedTuple):
    """How the last axis of an array is cut: from `start` on, into a number of parts of one length."""

    start: int
    parts: int
    length: int


class _Piece(NamedTuple):
    """Indices of one array as nested loops: for each axis a count and a step.

    Attributes:
        indices: the indices.
        axes: count and step of each loop, the outermost first; None where there are no such loops.
        cuts: how an array is cut into these axes, in the order of their steps; with the last slice.
    """

    indices: Integers
    axes: tuple[tuple[int, int], ...] | None
    cuts: tuple[_Cut, ...] = ()
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
            cuts.append(_Cut(start, count, step))
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
