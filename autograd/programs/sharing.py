"""The pass that lets numbers share places in memory, where one is no longer read when the other is computed.

What a program reads and writes then stays in a nearer cache.

>>> from autograd import Value
>>> from autograd.programs.layout import lower
>>> from autograd.programs.program import Program
>>> x = [Value(0.5) for _ in range(8)]
>>> y = [number.exp().sin().exp().sin() for number in x]
>>> program = Program.of(y, inputs=x)
>>> lower(program, shares_places=False).uniform_size, lower(program).uniform_size
(40, 24)
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from autograd.programs.groups import Code

if TYPE_CHECKING:
    from autograd.programs.groups import Integers

MOST_BLOCKS = 5_000  # of places that are kept together; with more, the search for free ones would take long


def with_shared_places(code: Code) -> Code:
    """Give the results of groups the places of others that are not read any more.

    Inputs and outputs, constants and totals have places of their own. What is read as a contiguous range stays one.
    """
    (uniform, uniform_size), (varying, varying_size) = _moved(code, False), _moved(code, True)
    places = uniform, varying
    in_lanes, outputs = code.outputs_in_lanes(), code.outputs.copy()
    outputs[in_lanes], outputs[~in_lanes] = varying[outputs[in_lanes]], uniform[outputs[~in_lanes]]
    return replace(
        code,
        uniform_size=uniform_size,
        varying_size=varying_size,
        constants={int(uniform[place]): number for place, number in code.constants.items()},
        groups=[group.moved(places) for group in code.groups],
        varying_groups=[group.moved(places) for group in code.varying_groups],
        totals=[total.moved(places) for total in code.totals],
        outputs=outputs,
    )


def _moved(code: Code, varies: bool) -> tuple[Integers, int]:
    """Return for each place of a memory the new one, and the new size."""
    size = code.varying_size if varies else code.uniform_size
    same = np.arange(size)
    groups = list(code.all_groups())
    if not size or len(groups) > MOST_BLOCKS:
        return same, size
    end = len(groups)  # after all of them
    first, last = np.full(size, -1), np.full(size, -1)  # the groups that write and read a place
    is_cut = np.zeros(size + 1, bool)  # where one block of places may end, and another start
    for time, group in enumerate(groups):
        if group.varies is varies:
            written = slice(group.out, group.out + group.size)
            first[written] = last[written] = time
            is_cut[[written.start, written.stop]] = True
        for does_vary, read in group.reads():
            if does_vary is varies:
                last[read] = end if group.varies is not varies else time
    is_fixed = first < 0
    is_cut[1:-1] |= is_fixed[1:] != is_fixed[:-1]
    is_cut[[0, -1]] = True
    for group in groups:
        for start, stop in group.ranges(varies):
            is_cut[start + 1 : stop] = False
    for total in code.totals:
        for does_vary, read in total.reads():
            if does_vary is varies:
                last[read] = end
    last[code.outputs[code.outputs_in_lanes() == varies]] = end
    starts = np.flatnonzero(is_cut[:-1])
    sizes = np.diff([*starts, size])
    fixed = np.logical_or.reduceat(is_fixed, starts)
    births, deaths = np.minimum.reduceat(first, starts), np.maximum.reduceat(last, starts)
    births[fixed], deaths[fixed] = -1, end
    new, total_size = _placed(sizes.tolist(), births.tolist(), deaths.tolist())
    return np.repeat(np.array(new) - starts, sizes) + same, total_size


def _placed(sizes: list[int], births: list[int], deaths: list[int]) -> tuple[list[int], int]:
    """Return where each block of places comes to stand, and how many places there are.

    Args:
        sizes: of the blocks.
        births: for each block the first group that writes to it; those of -1 come first, in their order.
        deaths: the last group that reads from it. It is free after that.
    """
    new = [0] * len(sizes)
    order = sorted(range(len(sizes)), key=births.__getitem__)
    ends = sorted(range(len(sizes)), key=deaths.__getitem__)
    free: list[tuple[int, int]] = []  # where, and how many, in their order
    size = ended = 0
    for block in order:
        while deaths[ends[ended]] < births[block]:
            _release(free, new[ends[ended]], sizes[ends[ended]])
            ended += 1
        for at, (start, room) in enumerate(free):
            if room >= sizes[block]:
                new[block] = start
                free[at : at + 1] = [(start + sizes[block], room - sizes[block])] * (room > sizes[block])
                break
        else:
            new[block] = size
            size += sizes[block]
    return new, size


def _release(free: list[tuple[int, int]], start: int, count: int) -> None:
    """Add a range to those that are free."""
    at = next((i for i, (other, _) in enumerate(free) if other > start), len(free))
    if at < len(free) and free[at][0] == start + count:
        count += free.pop(at)[1]
    if at and sum(free[at - 1]) == start:
        at -= 1
        start, before = free.pop(at)
        count += before
    free.insert(at, (start, count))
