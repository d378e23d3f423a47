"""Many dot products as a matrix product: which factors are its rows, and which its columns.

>>> left, right = np.array([[0, 1], [0, 1], [2, 3], [2, 3]]), np.array([[4, 5], [6, 7], [4, 5], [6, 7]])
>>> plan = plan_of(left, right)
>>> plan.rows.tolist(), plan.columns.tolist(), plan.runs.tolist()
([[0, 1], [2, 3]], [[4, 5], [6, 7]], [[0, 0, 2], [1, 0, 2]])
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from autograd.programs.groups import step_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from autograd.programs.groups import Integers

LEAST_SHARE = 3  # columns that a row must have on average, for dot products to be a matrix product


class Plan(NamedTuple):
    """Dot products as those of rows with columns.

    Attributes:
        order: the order of the dot products.
        rows, columns: the places of the factors.
        runs: as of a `Matrix`.
    """

    order: Integers
    rows: Integers
    columns: Integers
    runs: Integers

    def is_worth_it(self) -> bool:
        """Whether rows share so many columns that a matrix product is faster than dot products by themselves."""
        return len(self.order) >= LEAST_SHARE * len(self.runs)


def plan_of(a: Integers, b: Integers, may_swap: bool = True, is_packed: bool = True) -> Plan:
    """The best plan of dot products as those of rows with columns.

    Args:
        a: for each dot product the places of its left factors.
        b: likewise of its right factors.
        may_swap: whether rows may be made of the right factors.
        is_packed: whether factors have to be packed, unless they stand in the right order.
    """
    row_of, rows = _distinct(a)
    column_of, columns = _distinct(b)
    best: tuple[float, Plan] | None = None
    for swap in (False, True) if may_swap else (False,):
        major, minor = (column_of, row_of) if swap else (row_of, column_of)
        order = np.lexsort([minor, major])
        major, minor = major[order], minor[order]
        starts = np.flatnonzero(np.concatenate([[True], (major[1:] != major[:-1]) | (minor[1:] != minor[:-1] + 1)]))
        lengths = np.diff([*starts, len(order)])
        left, right = (columns, rows) if swap else (rows, columns)
        # What it takes, in nanoseconds or so: tiles, runs, and packing.
        cost = (-(-lengths // 8)).sum() * left.shape[1] * 0.5 + 8.0 * len(starts)
        if is_packed:
            cost += 0.7 * (left.size * (step_of(left) is None) + right.size * (step_of(right.T) != 1))
        if best is None or cost < best[0]:
            best = cost, Plan(order, left, right, np.stack([major[starts], minor[starts], lengths], axis=1))
    assert best is not None
    return best[1]


def _distinct(places: Integers) -> tuple[Integers, Integers]:
    """For each row of places its number among the distinct ones, and these, sorted."""
    weights = _weights(places.shape[1])
    with np.errstate(over="ignore"):
        keys = (places.astype(np.uint64) * weights).sum(axis=1, dtype=np.uint64)
    _, first, inverse = np.unique(keys, return_index=True, return_inverse=True)
    if not np.array_equal(places[first][inverse], places):  # two of them share a key
        distinct, inverse = np.unique(places, axis=0, return_inverse=True)
    else:
        distinct = places[first]
    order = np.lexsort(distinct.T[::-1])
    rank = np.empty(len(order), np.int64)
    rank[order] = np.arange(len(order))
    return rank[inverse.reshape(-1)], distinct[order]


@functools.cache
def _weights(count: int) -> NDArray[np.uint64]:
    """Numbers by which rows of places are told apart."""
    return np.random.default_rng(1).integers(1, 2**62, count, dtype=np.uint64)
