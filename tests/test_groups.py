"""Groups and the places of their operands; code that is not well formed is refused, and the message names the part."""

from __future__ import annotations

import dataclasses
import random
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import autograd
from autograd import Value, compile, dot
from autograd.primitives import PRIMITIVES
from autograd.programs.groups import (
    CONTIGUOUS,
    GATHERED,
    MOST_LANES,
    SINGLE,
    Chain,
    Code,
    Map,
    Matrix,
    Operand,
    Sum,
    Terms,
    Total,
    operand_of,
)
from autograd.programs.layout import lower, runs_of
from autograd.programs.program import Program
from tests.random_code import chain_code, some_code, square

ADD, EXP = PRIMITIVES["add"], PRIMITIVES["exp"]
FIRST, SINGLES = Operand(False, CONTIGUOUS, 0), Operand(False, SINGLE, 1)
VARYING = Operand(True, CONTIGUOUS, 0)
PAIR = np.array([1, 2])
MATRIX = Matrix(np.array([[0, 1]]), np.array([[0, 1], [2, 3]]), False, np.array([[0, 0, 2]]), 5, False, 2)


@pytest.mark.parametrize(
    ("places", "mode"),
    [
        ([4], CONTIGUOUS),
        ([4, 5, 6], CONTIGUOUS),
        ([4, 4, 4], SINGLE),
        ([4, 5, 5], GATHERED),
        ([4, 3, 2], GATHERED),
        ([4, 4, 5], GATHERED),
    ],
)
def test_an_operand_is_read_in_the_simplest_mode(places: list[int], mode: int) -> None:
    operand = operand_of(np.array(places), False)
    assert operand.mode == mode
    assert operand.places(len(places)).tolist() == places


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


def test_totals_have_a_place_each() -> None:
    index = np.arange(6)
    plain, pairs = Total(index, None, index[::-1]), Total(index[:2], index[:3], np.array([9, 14]))
    assert (plain.count, plain.results().tolist()) == (6, [5, 4, 3, 2, 1, 0])
    assert (pairs.count, pairs.row_step, pairs.results().tolist()) == (6, 5, [9, 10, 11, 14, 15, 16])


def test_moved_groups_read_and_write_the_same_numbers_elsewhere() -> None:
    rng = random.Random(1)
    for seed in range(50):
        code, _ = some_code(random.Random(seed))
        places = tuple(rng.randrange(5) + np.arange(size) for size in (code.uniform_size, code.varying_size))
        for group in (*code.all_groups(), *code.totals):
            moved = group.moved(places)  # type: ignore[arg-type]  # two arrays
            for (varies, before), (does_vary, after) in zip(group.reads(), moved.reads(), strict=True):
                assert varies is does_vary
                assert after.tolist() == places[varies][before].tolist()
            if isinstance(group, Total):
                assert moved.results().tolist() == places[0][group.results()].tolist()
            else:
                assert moved.out == places[group.varies][group.out]  # type: ignore[union-attr]  # no Total


def test_very_many_terms_are_the_operands_that_they_stand_for() -> None:
    rows = np.array([[4, 5], [7, 7], [3, 9], [9, 3]])
    terms = Terms(rows)
    assert [(each.mode, each.place) for each in terms] == [(CONTIGUOUS, 4), (SINGLE, 7), (GATHERED, 3), (GATHERED, 9)]
    assert [found.tolist() for found in terms.steps()] == [[False, True, False, False], [True, False, False, False]]
    many, few = Sum(terms, Terms(rows + 1), 0, False, 2), Sum(list(terms), list(Terms(rows + 1)), 0, False, 2)
    assert many.work() == few.work()
    assert sorted(many.ranges(False)) == sorted(few.ranges(False))
    for one, other in zip(many.places(), few.places(), strict=True):
        assert one.tolist() == other.tolist()
    moved = many.moved((np.arange(20) + 3, np.arange(0)))
    assert [side.tolist() for side in moved.places()] == [(rows + 3).tolist(), (rows + 4).tolist()]


@pytest.mark.parametrize("count", [63, 64, 1000])
@pytest.mark.parametrize("members", [1, 2, 3])
def test_sums_of_many_terms_are_added_in_their_order(count: int, members: int) -> None:
    rng = np.random.default_rng(count)
    numbers = (rng.standard_normal(count + members) * 10.0 ** rng.integers(-8, 8, count + members)).tolist()
    for step in (0, 1, 7):  # members read the same places, those one further, or others
        rows = [[(place + step * member) % len(numbers) for place in range(count)] for member in range(members)]

        def sums(x: list[Any], rows: list[list[int]] = rows) -> list[Any]:
            own = [[x[place] for place in row] for row in rows]
            return [*[autograd.sum(terms) for terms in own], *[dot(terms, x[:count]) for terms in own]]

        assert compile(sums)(numbers) == [total.data for total in sums([Value(number) for number in numbers])]


# Code that is not well formed.


def code_with(*groups: Any, varying: bool = False, totals: Any = (), **parts: Any) -> Code:
    """Code with memories of ten numbers each; groups put their two results at 5."""
    code = Code(
        10, 10, 3, 3, {3: 1.0}, [] if varying else list(groups), list(groups) if varying else [], list(totals),
        np.array([5]), np.array([varying]),
    )  # fmt: skip
    return dataclasses.replace(code, **parts)


def map_of(operand: Operand) -> Map:
    return Map(EXP, EXP.index, 5, False, 2, [operand])


def test_what_the_lowering_makes_is_well_formed() -> None:
    for seed in range(200):
        code, lanes = some_code(random.Random(seed))
        code.check(lanes)


@pytest.mark.parametrize(
    ("code", "message"),
    [
        (code_with(uniform_size=-1), "its memories hold"),
        (code_with(inputs=11), "its inputs are 11 of 10"),
        (code_with(varying_inputs=-1), "its inputs are -1 of 10"),
        (code_with(constants={10: 1.0}), "a constant of 1 numbers is at 10"),
        (code_with(outputs=np.array([10])), "an output is at places from 10 to 10"),
        (code_with(outputs=np.array([0.5])), "an output has places of the type float64"),
        (code_with(outputs=np.array([1, 2])), "do not say whether they vary"),
        (code_with(Map(ADD, ADD.index, 5, True, 2, [FIRST, FIRST])), "stands among the groups of the other memory"),
        (code_with(Map(ADD, ADD.index, 9, False, 2, [FIRST, FIRST])), "the result of a Map of 2 numbers is at 9"),
        (code_with(Map(ADD, ADD.index, 5, False, 0, [FIRST, FIRST])), "a Map has 0 members"),
        (code_with(Map(ADD, ADD.index, 5, False, 2, [FIRST])), "add has 1 operands"),
        (code_with(Map(EXP, ADD.index, 5, False, 2, [FIRST, FIRST])), "exp does not have the code"),
        (code_with(Map(square, 99, 5, False, 2, [FIRST])), "square does not have the code 99"),
        (code_with(Map(square, 2, 5, False, 2, [FIRST]), others={2: square}), "square does not have the code 2"),
        (code_with(map_of(VARYING)), "varies where the results do not"),
        (code_with(Map(EXP, EXP.index, 5, True, 2, [FIRST]), varying=True), "do not vary as its results do"),
        (code_with(Map(None, 0, 5, True, 2, [VARYING]), varying=True), "a copy is of one operand"),
        (code_with(map_of(Operand(False, 7, 0))), "an operand has the mode 7"),
        (code_with(map_of(Operand(False, CONTIGUOUS, 9))), "an operand of 2 numbers is at 9"),
        (code_with(map_of(Operand(False, GATHERED, 0, np.array([0, 10])))), "from 0 to 10"),
        (code_with(map_of(Operand(False, GATHERED, 0, np.array([0])))), "gathered for 2"),
        (code_with(map_of(Operand(False, CONTIGUOUS, 0, np.array([0])))), "that are not read"),
        (code_with(Sum([], [], 5, False, 2)), "a Sum has no terms"),
        (code_with(Sum([FIRST], [FIRST, SINGLES], 5, False, 2)), "are not one for each term"),
        (code_with(Sum(Terms(np.array([[0]])), [], 5, False, 2)), "the terms of a sum are not for 2 members"),
        (code_with(Sum(Terms(np.array([[0, 10]])), [], 5, False, 2)), "an operand of a sum is at places from 0 to 10"),
        (code_with(Sum(Terms(np.array([[0, 1]])), [FIRST], 5, False, 2)), "the terms of a sum are not for 2 members"),
        (code_with(totals=[Total(PAIR[:1], np.array([], int), PAIR[:1])]), "a total is of nothing"),
        (code_with(totals=[Total(PAIR, PAIR, np.array([5, 6]))]), "rows of 2 totals are 1 places apart"),
        (code_with(totals=[Total(PAIR, PAIR, np.array([7, 5]))]), "rows of 2 totals are -2 places apart"),
        (code_with(totals=[Total(np.arange(3), PAIR, np.array([0, 2, 5]))]), "not as far apart as each other"),
        (code_with(totals=[Total(PAIR, PAIR, np.array([5, 9]))]), "a total of 2 numbers is at 9"),
        (code_with(totals=[Total(PAIR, None, np.array([9, 10]))]), "a total is at places from 9 to 10"),
        (code_with(totals=[Total(PAIR, None, np.array([9]))]), "totals have not one place each"),
        (code_with(totals=[Total(np.array([-1]), None, np.array([9]))]), "the factor of a total is at places from -1"),
        (code_with("a group"), "there is no group of the type str"),
        (code_with(totals=["a total"]), "not well-formed code"),
    ],
)
def test_the_message_names_the_part(code: Code, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        code.check(8)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"runs": np.array([[0, 0, 3]])}, "a run of a matrix product is not within"),
        ({"runs": np.array([[2, 0, 2]])}, "a run of a matrix product is not within"),
        ({"runs": np.array([[0, 0, 1]])}, "are not for 2 results"),
        ({"runs": np.array([[0, 0]])}, "do not fit together"),
        ({"rows": np.array([[0, 1, 2]])}, "do not fit together"),
        ({"rows": np.array([[0, 10]])}, "a row is at places"),
        ({"columns": np.array([[0, 1], [-1, 3]])}, "a column is at places"),
        ({"rows_vary": True}, "do not fit together"),
    ],
)
def test_matrices(change: dict[str, Any], message: str) -> None:
    code_with(MATRIX).check(0)
    with pytest.raises(ValueError, match=message):
        code_with(dataclasses.replace(MATRIX, **change)).check(0)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda chain: {"operands": chain.operands + 1}, "reads what is not yet there"),
        (lambda chain: {"operands": chain.operands - 1}, "an operand of a chain is at places from -1"),
        (lambda chain: {"operands_vary": chain.operands_vary | True}, "an operand varies where the results do not"),
        (lambda chain: {"starts": chain.starts[::-1]}, "do not fit together"),
        (lambda chain: {"starts": chain.starts[:-1]}, "do not fit together"),
        (lambda chain: {"codes": chain.codes * 0}, "is not a primitive"),
        (lambda chain: {"codes": chain.codes + 2**32}, "is not a primitive"),
        (lambda chain: {"codes": chain.codes * 0 + EXP.index}, "exp has 2 operands"),
        (lambda chain: {"outs": chain.outs + 1}, "the result of a Chain"),
        (lambda chain: {"outs": chain.outs[::-1]}, "the results of a chain do not fit together"),
    ],
)
def test_chains(change: Callable[[Any], dict[str, Any]], message: str) -> None:
    x = Value(1.0)
    code = chain_code(Program.of([x * 2.0 + x.exp()], inputs=[x]))
    code.check(0)
    (chain,) = code.groups
    with pytest.raises(ValueError, match=message):
        dataclasses.replace(code, groups=[dataclasses.replace(chain, **change(chain))]).check(0)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda chain: {"operands": chain.operands + 9}, "an operand of a chain is at places"),
        (lambda chain: {"operands": chain.operands - 9}, "an operand of a chain is at places"),
        (lambda chain: {"operands_vary": chain.operands_vary[1:]}, "do not fit together"),
        (lambda chain: {"operands_vary": chain.operands_vary * 1}, "do not fit together"),
        (lambda chain: {"outs": chain.outs[1:]}, "do not fit together"),
        (lambda chain: {"outs": chain.outs + 9}, "the result of a Chain"),
        (lambda chain: {"outs": chain.outs[::-1]}, "overwrites what it reads"),
        (lambda chain: {"codes": chain.codes * 0 + EXP.index}, "exp has 2 operands"),
        (lambda chain: {"varies": False}, "stands among the groups of the other memory"),
    ],
)
def test_chains_that_vary(change: Callable[[Any], dict[str, Any]], message: str) -> None:
    x, w = Value(1.0), Value(2.0)
    code = lower(Program.of([(x * w).exp() + x.exp()], inputs=[x, w]), np.array([True, False]))
    code.check(8)
    (chain,) = code.varying_groups
    assert isinstance(chain, Chain)
    with pytest.raises(ValueError, match=message):
        dataclasses.replace(code, varying_groups=[dataclasses.replace(chain, **change(chain))]).check(8)


def test_sizes() -> None:
    for lanes, size in ((0, 2**31), (8, 2**28), (1, 2**28)):  # lanes are whole vectors of eight
        with pytest.raises(MemoryError, match="the program needs memory for"):
            code_with(uniform_size=size, varying_size=size).check(lanes)
    for lanes in (-1, MOST_LANES + 1):
        with pytest.raises(ValueError, match="at most 1024 lanes"):
            code_with().check(lanes)
    xs = [Value(1.0), Value(2.0)]
    for totals in (False, True):
        varying = lower(Program.of([dot(xs, xs)], inputs=xs), np.array([True, True]), totals)
        varying.check(1)
        with pytest.raises(ValueError, match="there are no lanes"):
            varying.check(0)


@pytest.mark.engine_independent
def test_every_place_of_a_group_is_looked_at() -> None:
    """Any operand of any group, put at the end of its memory, is refused."""
    for seed in range(40):
        code, lanes = some_code(random.Random(seed))
        for group in code.all_groups():
            for name in ("operands", "terms", "factors"):
                found = getattr(group, name, [])
                for index, operand in enumerate(found if isinstance(found, list) else []):
                    size = code.varying_size if operand.varies else code.uniform_size
                    found[index] = operand._replace(place=size)
                    with pytest.raises(ValueError, match="an operand of"):
                        code.check(lanes)
                    found[index] = operand
