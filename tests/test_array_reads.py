"""Reading at places of several arrays: the numbers of indexing, by slices where the places are regular."""

from __future__ import annotations

import math
import random
from typing import Any

import numpy as np
import pytest

from autograd.programs.array_reads import MOST_PIECES, Sources, loops_of
from autograd.programs.array_rules import Arrays


class Counting(Arrays):
    """NumPy, and how often it reads by index."""

    def __init__(self) -> None:
        super().__init__(np)
        self.taken = 0

    def take(self, array: Any, indices: Any) -> Any:
        self.taken += 1
        assert array.ndim == 1
        assert indices.max() < len(array)
        return super().take(array, indices)


def read(places: Any, sizes: tuple[int, ...] = (1000,)) -> tuple[bool, int]:
    """Whether the numbers at places of arrays are right, and how often they were read by index."""
    counting = Counting()
    sources, arrays, start = Sources(counting), [], 0
    for size in sizes:
        sources.put(np.arange(start, start + size))
        arrays.append(np.arange(start, start + size) * 0.5)
        start += size
    found = sources.read(np.asarray(places))(arrays)
    return found.shape == np.shape(places) and np.array_equal(found, np.asarray(places) * 0.5), counting.taken


GRID = np.arange(24).reshape(4, 6)
REGULAR: dict[str, Any] = {
    "in order": np.arange(1000),
    "one": [7],
    "one number many times": [7] * 5,
    "backwards": np.arange(20)[::-1],
    "every third": np.arange(1, 30, 3),
    "transposed": GRID.T,
    "a part": GRID[1:3, 2:5],
    "the last part": 976 + GRID[1:, 2:],
    "rows backwards": GRID[::-1],
    "columns backwards, transposed": GRID[:, ::-1].T,
    "each row many times": np.repeat(GRID[:, :1], 5, axis=1),
    "all rows many times": np.broadcast_to(GRID, (3, 4, 6)),
    "axes turned": np.arange(120).reshape(2, 3, 4, 5).transpose(2, 0, 3, 1),
    "every other of every other": np.arange(96).reshape(4, 4, 6)[::2, ::-2, ::3],
}


@pytest.mark.parametrize("places", REGULAR.values(), ids=list(REGULAR))
def test_regular_places_are_read_by_slices(places: Any) -> None:
    assert read(places) == (True, 0)


IRREGULAR: dict[str, Any] = {
    "ragged": [0, 1, 2, 4, 5, 8],
    "windows that overlap": [0, 1, 2, 1, 2, 3, 2, 3, 4],
    "any order": random.Random(1).sample(range(1000), 77),
    "too many axes": np.arange(3**7).reshape([3] * 7)[(slice(2),) * 7] % 1000,
}


@pytest.mark.parametrize("places", IRREGULAR.values(), ids=list(IRREGULAR))
def test_other_places_are_read_by_index(places: Any) -> None:
    assert read(places) == (True, 1)


def test_few_pieces_of_several_arrays_are_put_together() -> None:
    assert read(np.arange(5, 25), (10, 10, 10)) == (True, 0)
    assert read([[0, 10], [1, 11]], (10, 10)) == (True, 0)


def test_many_pieces_are_read_by_one_index() -> None:
    zipped = np.arange(4 * MOST_PIECES).reshape(2, -1).T
    assert read(zipped, (2 * MOST_PIECES, 2 * MOST_PIECES)) == (True, 1)
    assert read(zipped[::-1] + 3, (2 * MOST_PIECES + 1, 2 * MOST_PIECES + 7)) == (True, 1)


def test_random_places() -> None:
    rng = random.Random(1)
    for _ in range(300):
        sizes = tuple([rng.randint(1, 40) for _ in range(rng.randint(1, 4))])
        shape = [rng.randint(1, 4) for _ in range(rng.randint(1, 4))]
        steps = [rng.choice((0, 1, 1, 2, 3, 4, -1, -2, 6)) for _ in shape]
        places = sum(np.indices(shape)[axis] * step for axis, step in enumerate(steps)) + rng.randint(0, 20)
        assert read(places % sum(sizes), sizes)[0], (sizes, shape, steps)


def test_loops_count_up_to_what_there_is() -> None:
    assert loops_of(np.array([3])) == ()
    assert loops_of(np.array([3, 3])) == ((2, 0),)
    for places in map(np.asarray, REGULAR.values()):
        loops = loops_of(places.ravel())
        assert loops is not None
        assert math.prod([count for count, _ in loops]) == places.size


def test_an_array_may_hold_more_than_what_is_read() -> None:
    sources = Sources(Arrays(np))
    sources.put(np.array([5, 7]), np.array([2, 0]), 4)
    assert sources.has(np.array([7, 5]))
    assert not sources.has(np.array([5, 6]))
    assert not sources.has(np.array([100]))
    assert sources.read(np.array([5, 7, 7]))([np.arange(4.0)]).tolist() == [2.0, 0.0, 0.0]
