"""Groups and the places of their operands."""

import numpy as np
import pytest
from autograd.programs.lowering import lower

from autograd import Value
from autograd.primitives import PRIMITIVES
from autograd.programs.groups import (
    CONTIGUOUS,
    GATHERED,
    SINGLE,
    Dots,
    Map,
    Matrix,
    Operand,
    OuterTotals,
    Sum,
    Tape,
    Totals,
    operand_of,
    runs_of,
)
from autograd.programs.program import Program


@pytest.mark.parametrize(
    ("places", "mode", "text"),
    [
        ([4], CONTIGUOUS, "u4…"),
        ([4, 5, 6], CONTIGUOUS, "u4…"),
        ([4, 4, 4], SINGLE, "u4"),
        ([4, 5, 5], GATHERED, "u4, …"),
        ([4, 3, 2], GATHERED, "u4, …"),
        ([4, 4, 5], GATHERED, "u4, …"),
    ],
)
def test_an_operand_is_read_in_the_simplest_mode(places: list[int], mode: int, text: str) -> None:
    operand = operand_of(np.array(places), False)
    assert (operand.mode, str(operand)) == (mode, text)
    assert operand.places(len(places)).tolist() == places
    assert str(operand._replace(varies=True)) == text.replace("u", "v")


@pytest.mark.parametrize(
    ("columns", "starts"),
    [
        ([[3]], [0]),
        ([[3, 4, 5, 6]], [0]),
        ([[3, 3, 3, 3]], [0]),
        ([[3, 4, 5, 5, 5]], [0, 3]),
        ([[3, 4, 5, 9, 10]], [0, 3]),
        ([[3, 4, 5], [7, 7, 8]], [0, 2]),
        ([[1, 2], [9, 4]], [0, 1]),
    ],
)
def test_runs_start_where_a_step_changes(columns: list[list[int]], starts: list[int]) -> None:
    given = runs_of([np.array(column) for column in columns])
    assert given is not None
    assert given.tolist() == starts


def test_within_a_run_every_operand_has_a_simple_mode() -> None:
    rng = np.random.default_rng(1)
    for _ in range(300):
        count = int(rng.integers(2, 40))
        columns = [np.cumsum(rng.choice([0, 1, 1, 1, 5], count)) for _ in range(2)]
        starts = runs_of(columns)
        if starts is None:
            continue
        assert starts[0] == 0
        assert (np.diff(starts) > 0).all()
        for start, end in zip(starts, [*starts[1:], count], strict=True):
            assert all(operand_of(column[start:end], False).mode != GATHERED for column in columns)


def test_too_many_runs_are_not_looked_at() -> None:
    assert runs_of([np.random.default_rng(1).permutation(1000)]) is None


def test_work_counts_operations() -> None:
    one = Operand(False, CONTIGUOUS, 0)
    index = np.arange(6)
    matrix = Matrix(
        index.reshape(2, 3), index.reshape(2, 3), False, False, np.array([[0, 0, 2], [1, 0, 2]]), 9, False, 4
    )
    assert Map(PRIMITIVES["add"], 1, 9, False, 5, [one, one]).work() == 5
    assert Sum([one] * 3, 9, False, 5).work() == 15
    assert Dots([one] * 3, [one] * 3, 9, False, 5).work() == 30
    assert matrix.work() == 24
    assert Tape(index[:1], np.array([0, 2]), index[:2], 9).work() == 2
    assert Totals(index, index).count == 6
    outer = OuterTotals(index[:2], index[:3], 9, 5)
    assert outer.count == 6
    assert outer.outs.tolist() == [9, 10, 11, 14, 15, 16]


def test_all_groups_of_code() -> None:
    x, w = Value(1.0), Value(2.0)
    code = lower(Program.of([x * w.exp()], inputs=[x, w]), np.array([True, False]))
    assert [group.varies for group in code.all_groups()] == [False, True]
