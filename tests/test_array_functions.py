"""Programs as functions of arrays, with NumPy: the numbers of the programs, whatever groups are joined."""

from __future__ import annotations

import random
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from autograd import Constant, Value, dot, exp, gradients, sum, tanh
from autograd.calculus.custom_primitives import primitive
from autograd.programs import array_functions
from autograd.programs.array_functions import ArrayFunction
from autograd.programs.array_rules import Arrays
from autograd.programs.groups import Matrix
from autograd.programs.lowering import lower
from autograd.programs.program import Program
from tests.random_programs import by_numpy, random_program, rounding

ARRAYS = Arrays(np)


def function_of(program: Program) -> ArrayFunction:
    sizes = [len(program.inputs), len(program.parameters)]
    return ArrayFunction(lower(program, deep=1, shares_places=False), sizes, [(len(program.outputs),)], ARRAYS)


def outputs_of(program: Program, given: list[float]) -> Any:
    parameters = np.array([program.numbers[slot] for slot in program.parameters])
    with ARRAYS.quiet():
        return function_of(program)([np.array(given), parameters], np.float64)[0]


def graph(count: int) -> list[Value]:
    return [Value(0.1 * i - 0.7) for i in range(count)]


@pytest.mark.parametrize("first", range(0, 100, 25))
def test_random_programs(first: int, monkeypatch: pytest.MonkeyPatch) -> None:
    for seed in range(first, first + 25):
        rng = random.Random(seed)
        program = random_program(rng)
        given = [rng.uniform(-2.0, 2.0) for _ in program.inputs]
        wanted, distance = rounding(by_numpy, program, given)
        is_known = np.isfinite(wanted) & np.isfinite(distance)
        for waste in (0.0, 1.25, 1e9):  # nothing is joined but maps, as it is, everything
            monkeypatch.setattr(array_functions, "WASTE", waste)
            monkeypatch.setattr(array_functions, "SMALL", 0 if waste < 1 else 1 << 14)
            found = outputs_of(program, given)
            assert (np.abs(found[is_known] - wanted[is_known]) <= distance[is_known]).all(), seed


def attention() -> Program:
    """Sums, dot products and matrix products of all lengths up to 8, as in a causal attention; with its gradients."""
    x = graph(96)
    rows = [x[i : i + 4] for i in range(0, 96, 4)]
    queries, keys, values = rows[:8], rows[8:16], rows[16:]
    out = []
    for last, query in enumerate(queries, start=1):
        powers = [exp(dot(query, key)) for key in keys[:last]]
        total = sum(powers)
        out += [dot([power / total for power in powers], column) for column in zip(*values[:last], strict=True)]
    return Program.of([*out, *gradients(sum([tanh(one) for one in out]), x)], inputs=x)


def test_ragged_groups_become_few_steps() -> None:
    program = attention()
    given = [program.numbers[slot] for slot in program.inputs]
    found = outputs_of(program, given)
    assert found.tolist() == pytest.approx(program.run(), rel=1e-12, abs=1e-14)
    steps, groups = len(function_of(program).steps), len(lower(program, deep=1, shares_places=False).groups)
    assert steps < 0.7 * groups


def test_a_grid_with_holes_is_computed_whole_where_that_is_less() -> None:
    x = graph(10 * 4 + 4 * 4)
    left, right = [x[i : i + 4] for i in range(0, 40, 4)], [x[i : i + 4] for i in range(40, 56, 4)]
    wanted = [(i, j) for i in range(10) for j in range(4) if (i, j) not in ((0, 0), (9, 3), (5, 1))]
    program = Program.of([dot(left[i], right[j]) for i, j in wanted], inputs=x)
    (group,) = lower(program, deep=1, shares_places=False).groups
    assert isinstance(group, Matrix)
    assert group.count == 37
    numbers = [program.numbers[slot] for slot in program.inputs]
    assert outputs_of(program, numbers).tolist() == pytest.approx(program.run(), rel=1e-14)
    products = array_functions._Products.of([group], 100)
    assert len(products.rows) == 1
    assert products.size() == 40


@pytest.mark.parametrize(("size", "steps"), [(8, 1), (100, 2)])
def test_products_of_different_sizes_are_joined_if_they_are_small(size: int, steps: int) -> None:
    x = graph(size * size + size + 16)
    layer = [dot(x[i : i + size], x[-size:]) for i in range(0, size * size, size)]
    program = Program.of([*layer, *[dot(x[i : i + 4], x[-4:]) for i in range(4)]], inputs=x)
    function = function_of(program)
    assert len(function.steps) == steps
    assert len(lower(program, deep=1, shares_places=False).groups) == 2
    found = outputs_of(program, [program.numbers[slot] for slot in program.inputs])
    assert found.tolist() == pytest.approx(program.run(), rel=1e-12, abs=1e-12)


def test_outputs_may_be_inputs_constants_and_repeated() -> None:
    x, y = Value(2.0), Value(3.0)
    program = Program.of([x, Constant(5.0), x, x * y, Constant(5.0)], inputs=[x, y])
    assert outputs_of(program, [2.0, 3.0]).tolist() == [2.0, 5.0, 2.0, 6.0, 5.0]


def test_outputs_have_the_shapes_that_are_asked_for() -> None:
    x = graph(6)
    program = Program.of([one * 2.0 for one in x], inputs=x)
    function = ArrayFunction(lower(program, deep=1, shares_places=False), [2, 4], [(), (2, 2), (0,), (1,)], ARRAYS)
    one, matrix, none, last = function([np.arange(2.0), np.arange(4.0)], np.float64)
    assert (one.shape, matrix.shape, none.shape, last.shape) == ((), (2, 2), (0,), (1,))
    assert matrix.tolist() == [[2.0, 0.0], [2.0, 4.0]]


def test_everything_has_the_type_that_is_asked_for() -> None:
    program = attention()
    function = ArrayFunction(lower(program, deep=1, shares_places=False), [96], [(len(program.outputs),)], ARRAYS)
    (found,) = function([np.array([program.numbers[slot] for slot in program.inputs], np.float32)], np.float32)
    assert found.dtype == np.float32
    assert found.tolist() == pytest.approx(program.run(), rel=1e-4, abs=1e-4)


def test_a_primitive_of_one_s_own_is_refused_where_only_numpy_could_call_it() -> None:
    @primitive(lambda out, x: 2.0 * x)
    def square(x: float) -> float:
        return x * x

    x = Value(3.0)
    program = Program.of([square(x)], inputs=[x])
    assert outputs_of(program, [4.0]).tolist() == [16.0]
    other = ModuleType("other")
    other.__dict__.update({name: it for name, it in vars(np).items() if not name.startswith("__")})
    with pytest.raises(TypeError, match=r"square.* is not in the table of primitives.*; compose it of primitives"):
        ArrayFunction(lower(program, deep=1, shares_places=False), [1], [(1,)], Arrays(other))


def test_a_product_is_cut_by_the_columns_that_its_rows_share() -> None:
    """Each of four rows has its own range of six columns, longer from row to row, in each of three heads."""
    x = graph(3 * 4 * 2 + 3 * 6 * 2)
    rows = [[x[8 * head + 2 * i : 8 * head + 2 * i + 2] for i in range(4)] for head in range(3)]
    columns = [[x[24 + 12 * head + 2 * j : 24 + 12 * head + 2 * j + 2] for j in range(6)] for head in range(3)]
    program = Program.of(
        [dot(rows[head][i], columns[head][j]) for i in range(4) for head in range(3) for j in range(3 + i)], inputs=x
    )
    (group,) = lower(program, deep=1, shares_places=False).groups
    assert isinstance(group, Matrix)
    assert array_functions._Products.of([group], 100).rows.shape == (3, 4, 2)
    numbers = [program.numbers[slot] for slot in program.inputs]
    assert outputs_of(program, numbers).tolist() == pytest.approx(program.run(), rel=1e-14)
