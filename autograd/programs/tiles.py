"""The pass that cuts long groups into tiles, so that what one of them writes is in a near cache when others read it.

Groups that follow one another are run tile by tile: of each group the members whose operands are known by then.

>>> from autograd import Value
>>> from autograd.programs.layout import Layout
>>> from autograd.programs.program import Program
>>> x = [Value(0.5) for _ in range(64)]
>>> program = Program.of([number.exp().sin() for number in x], inputs=x)
>>> code = Layout(program, program.codes < 0, totals=False).code()
>>> [(group.primitive.name, group.count) for group in with_tiles(code, 32).groups][:4]
[('exp', 16), ('sin', 16), ('exp', 16), ('sin', 16)]
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise
from operator import itemgetter
from typing import TYPE_CHECKING

import numpy as np

from autograd.programs.groups import Code, Map, Sum
from autograd.programs.sharing import MOST_BLOCKS

if TYPE_CHECKING:
    from autograd.programs.groups import Floats, Group, Truths

LEAST_TILES = 4  # of a program, so that there is something to gain
LATE = 0.75  # how far a run has come, on average over the members of a group, for the group to begin another run


def with_tiles(code: Code, size: int) -> Code:
    """Cut runs of long groups of uniform numbers into tiles that write about so many numbers each."""
    most = MOST_BLOCKS - len(code.groups) - len(code.varying_groups)
    if sum([group.size for group in code.groups]) < LEAST_TILES * size or most <= 0:
        return code
    runs = list(_runs(code))
    begins = np.zeros(code.uniform_size, bool)  # the places with which tiles begin, of this run and those before
    return replace(code, groups=[part for run in runs for part in _tiles(run, size, begins, most // len(runs))])


def _runs(code: Code) -> Iterator[list[tuple[Group, Floats]]]:
    """Yield groups that may be run tile by tile.

    Beside a group stands how far the run must have come before each member can be computed, from 0 to 1.
    """
    reached = np.zeros(code.uniform_size)  # how far the present run must have come for a number
    run: list[tuple[Group, Floats]] = []
    for group in code.groups:
        can_be_cut = isinstance(group, Map | Sum)
        progress = _progress(group, reached) if can_be_cut else reached[:0]
        if run and (not can_be_cut or progress.mean() > LATE):
            yield run
            for done, _ in run:
                reached[done.out : done.out + done.count] = 0.0
            run, progress = [], (_progress(group, reached) if can_be_cut else progress)
        if can_be_cut:
            run.append((group, progress))
            reached[group.out : group.out + group.count] = progress
        else:
            yield [(group, progress)]
    if run:
        yield run


def _progress(group: Group, reached: Floats) -> Floats:
    """Return how far a run must have come for each member of a group, if that is known of each number that it reads."""
    parts = [reached[places].reshape(-1, group.count).max(axis=0) for _, places in group.reads()]
    progress: Floats = np.maximum.accumulate(np.max(parts, axis=0))
    return progress if progress[-1] else np.arange(1, group.count + 1) / group.count


def _tiles(run: list[tuple[Group, Floats]], size: int, begins: Truths, most: int) -> Iterator[Group]:
    """Yield the groups of a run, cut into tiles of about a size; into about so many parts at most.

    A part reads nothing of two tiles as one range, which would have to stay together. Where tiles begin is added to
    `begins`.
    """
    count = min(sum([group.count for group, _ in run]) // size, most // (2 * len(run)))
    parts: list[tuple[int, Group]] = []
    for group, progress in run:
        if len(run) == 1 or count < 2:
            yield group
            continue
        assert isinstance(group, Map | Sum)
        tiles = np.ceil(progress * count).astype(np.int64)
        changes = tiles[1:] != tiles[:-1]
        begins[group.out + 1 : group.out + group.count] = changes
        for start, end in group.ranges(False):
            changes |= begins[start + 1 : end]
        cuts = [0, *(np.flatnonzero(changes) + 1).tolist(), group.count]
        parts += [(int(tiles[start]), group.part(start, end)) for start, end in pairwise(cuts)]
    yield from (part for _, part in sorted(parts, key=itemgetter(0)))
