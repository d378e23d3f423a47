"""Arguments and results of compiled functions as rows of numbers: what a program takes and gives.

>>> call, numbers, tables = split([2.0, [[1.0, 2.0], [3.0, 4.0]]], (), (1,), ["argument 0", "argument 1"])
>>> str(call.parts[0]), numbers.tolist(), [table.tolist() for table in tables]
('(a number, a list of 2 numbers)', [2.0], [[[1.0, 2.0], [3.0, 4.0]]])
"""

from __future__ import annotations

import math
import operator
from collections.abc import Collection, Sequence
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from autograd.saving import shortened
from autograd.trees import Structure, container, flatten, leaves_of, static, unflatten
from autograd.value import Value

Row: TypeAlias = NDArray[np.float64]  # of one dimension
Rows: TypeAlias = NDArray[np.float64]  # of two

FLOAT64 = np.dtype(np.float64)
STATIC_LEAVES = (str, bool, type(None))  # that are part of the structure of arguments and results
MOST_BYTES = 10**9  # of the results of a batch for which no arrays are given


def split(
    arguments: Sequence[Any],
    fixed: Collection[int],
    varying: Collection[int],
    names: Sequence[str],
    times: int | None = None,
) -> tuple[Structure, Row, list[Rows]]:
    """Return the structure of one call, the numbers of its arguments that do not vary, and tables of those that do.

    Args:
        arguments: the arguments; those that vary hold many examples.
        fixed: the numbers of those that are static.
        varying: the numbers of those that vary.
        names: what to call them in a message.
        times: how many examples are needed; as many as there are when not given.

    Raises:
        TypeError: if an argument is none, or holds a Value.
        ValueError: if there are not enough examples.
    """
    parts: list[Structure] = []
    uniform: list[Any] = []
    tables: list[Rows] = []
    for place, argument in enumerate(arguments):
        if place in fixed:
            part = static(argument)
        elif place in varying:
            part, rows = examples_of(argument, names[place])
            for table in rows:
                if times is not None and len(table) < times:
                    entry = names[place].partition(" of ")[0]
                    raise ValueError(f"each needs {times} entries, one for each call; {entry} has {len(table)}")
            tables += rows
        else:
            leaves, part = _flattened(argument, names[place])
            uniform += leaves
        parts.append(part)
    return container(tuple, [container(tuple, parts), container(dict, (), ())]), row_of(uniform), tables


def examples_of(argument: Any, name: str) -> tuple[Structure, list[Rows]]:
    """Return the structure of one example, and the numbers of all of them: tables with a row for each example.

    Args:
        argument: an array or a list with an entry for each example; or a tuple or another container of such.
        name: what to call it in a message.

    Raises:
        TypeError: if it is something else, or if examples do not have the same structure.
    """
    try:
        holders, structure = flatten(argument, (list, np.ndarray, Value), ())
    except TypeError:
        raise _refusal(argument, name) from None
    firsts: list[Any] = []
    tables: list[Rows] = []
    for holder in holders:
        _refuse_values([holder] if isinstance(holder, Value) else (), name)
        if not isinstance(holder, list) and not getattr(holder, "shape", ()):
            raise _refusal(argument, name)
        first, table = _table_of(holder, name)
        firsts.append(first)
        tables.append(table)
    return flatten(unflatten(structure, firsts), Value)[1], tables


def _table_of(holder: Any, name: str) -> tuple[Any, Rows]:
    """Return the first of some examples, or one like them if there are none, and a row for each of them."""
    if not isinstance(holder, list):
        leaves, structure = flatten(holder.astype(np.float64) if holder.dtype == bool else holder, Value)
        if structure.is_static:
            raise TypeError(f"expected an array of real numbers, got one of the type {holder.dtype}")
        _refuse_values(leaves, name)
        shape = holder.shape[1:]
        return np.zeros(shape)[()], leaves[0].reshape(len(holder), math.prod(shape))
    rows = []
    structures = []
    for example in holder:
        leaves, structure = _flattened(example, name)
        structures.append(structure)
        rows.append(row_of(leaves))
        if structure != structures[0]:
            raise TypeError(
                f"the examples of {name} do not have the same structure: compare entries 0 and {len(rows) - 1}"
            )
    if structures and structures[0].is_static:
        raise _refusal(holder, name)
    width = structures[0].size if structures else 1
    return holder[0] if holder else 0.0, np.array(rows, np.float64).reshape(len(rows), width)


def _refusal(argument: Any, name: str) -> TypeError:
    return TypeError(
        f"{name} must be an array or a list with an entry for each example, or a tuple or a dict of such, got "
        f"{shortened(argument)} of type {type(argument).__name__}"
    )


def _flattened(tree: Any, name: str) -> tuple[list[Any], Structure]:
    """Return the leaves of a tree without Values, and its structure."""
    leaves, structure = flatten(tree, Value, STATIC_LEAVES)
    _refuse_values(leaves, name)
    return leaves, structure


def _refuse_values(leaves: Sequence[Any], name: str) -> None:
    if has_value(leaves):
        raise TypeError(
            f"{name} holds a Value, but many examples, or many calls, are run without a graph: pass plain numbers "
            f"(v.data); for gradients, compile the function that grad or value_and_grad gives"
        )


def rows_of(examples: Any, structure: Structure) -> Rows | None:
    """Return examples of an array or a number as rows, if they are a C-contiguous array of float64; or None."""
    if not is_contiguous(examples) or not examples.ndim or examples.shape[1:] != structure.shape:
        return None
    rows: Rows = examples if examples.ndim == 2 else examples.reshape(len(examples), structure.size)
    return rows


def is_contiguous(array: Any) -> bool:
    """Return whether something is a C-contiguous array of float64."""
    is_float64 = type(array) is np.ndarray and (array.dtype is FLOAT64 or array.dtype == FLOAT64)
    return bool(is_float64 and array.flags.c_contiguous)


def in_place(array: Any, shape: tuple[int, ...] | None) -> Row | None:
    """Return the numbers of an array where they stand, if it is a contiguous, writable one of float64 and the shape."""
    if not is_contiguous(array) or array.shape != shape or not array.flags.writeable:
        return None
    row: Row = array.reshape(-1)
    return row


def row_of(leaves: Sequence[Any]) -> Row:
    """Return leaves, none of which is a Value, as a new row."""
    if not any(hasattr(leaf, "shape") for leaf in leaves):
        return np.array(leaves, np.float64)
    return np.concatenate([np.atleast_1d(leaf) for leaf in leaves], dtype=np.float64)


def has_value(leaves: Sequence[Any]) -> bool:
    """Return whether there is a Value among leaves."""
    return any(isinstance(leaf, Value) or getattr(getattr(leaf, "dtype", None), "kind", "") == "O" for leaf in leaves)


def leaves_of_rows(structure: Structure, tables: Sequence[Rows]) -> list[Any]:
    """Return for each number and array an array with an entry for each row."""
    leaves: list[Any] = []
    for (_, _, shape), rows in zip(structure.pieces, tables, strict=True):
        if shape:
            leaves.append(rows.reshape(len(rows), *shape))
        else:
            leaves += [column.copy() for column in rows.T]
    return leaves


class Results:
    """Arrays for the results of a function.

    Args:
        structure: that of its result.
        each: whether there is a result for each example.
    """

    def __init__(self, structure: Structure, each: bool = False) -> None:
        self.structure, self.each = structure, each
        self._given: tuple[int, list[Any], list[Rows]] = 0, [], []  # the last arrays, which are given again and again

    def of(self, count: int, out: Any) -> tuple[list[Rows], list[Any] | None]:
        """Return tables for the results of so many examples, and the leaves of the result that lie in them.

        Args:
            count: how many.
            out: a tree of arrays for the results, with None for those to be made; or None for new tables, of which the
                leaves are made afterwards.

        Raises:
            TypeError: if there is anything else than such arrays.
            ValueError: if new arrays for each result take more than 1 GB.
        """
        rows = count if self.each else 1
        if out is None:
            if not self.each:
                return [np.empty((1, self.structure.size))], None
            self._check_size(count * self.structure.size)
            return rows_for(self.structure, count), None
        try:
            entries = leaves_of(self.structure, out)
        except TypeError as error:
            raise TypeError(f"out must be a tree like the result, with arrays for its numbers: {error}") from None
        known_rows, known, tables = self._given
        is_known = known_rows == rows and len(known) == len(entries) and all(map(operator.is_, known, entries))
        if is_known and all(entry.flags.writeable for entry in entries):  # which may have changed since
            return tables, entries
        shapes = [(rows, *shape) if self.each else shape for shape in self.structure.shapes]
        self._check_size(sum([math.prod(shape) for shape, entry in zip(shapes, entries, strict=True) if entry is None]))
        for shape, entry in zip(shapes, entries, strict=True):
            if entry is not None and not _is_room(entry, shape):
                raise TypeError(
                    f"expected a C-contiguous, writable array of float64 of shape {shape} in out, or None for a new "
                    f"one, got {_described(entry)}"
                )
        leaves = [np.empty(shape) if entry is None else entry for shape, entry in zip(shapes, entries, strict=True)]
        tables = [leaf.reshape(rows, leaf.size // rows) for leaf in leaves]
        if all(map(operator.is_, leaves, entries)):
            self._given = rows, entries, tables
        return tables, leaves

    def _check_size(self, size: int) -> None:
        if self.each and size * 8 > MOST_BYTES:
            raise ValueError(
                f"the results of so many examples take {size * 8 / 1e9:.1f} GB: ask for their mean by "
                f'reduce="mean" or for their sum by reduce="sum", give arrays in out=, or run fewer examples at once'
            )


def rows_for(structure: Structure, count: int) -> list[Rows]:
    """Return new tables with so many rows: one for each array of a result, and for each run of numbers."""
    return [np.empty((count, end - start)) for start, end, _ in structure.pieces]


def _is_room(entry: Any, shape: tuple[int, ...]) -> bool:
    return is_contiguous(entry) and entry.shape == shape and bool(entry.flags.writeable)


def _described(entry: Any) -> str:
    if not isinstance(entry, np.ndarray):
        return f"{shortened(entry)} of type {type(entry).__name__}"
    order = "" if entry.flags.c_contiguous else ", not C-contiguous"
    return f"an array of {entry.dtype} of shape {entry.shape}{order}{'' if entry.flags.writeable else ', read-only'}"
