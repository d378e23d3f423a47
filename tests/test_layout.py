"""Which groups instructions form, where their numbers are, and dot products as matrix products."""

from __future__ import annotations

import itertools
import random
from typing import Any

import numpy as np
import pytest

from autograd import Constant, Value, dot, gradients, prod
from autograd.programs.groups import CONTIGUOUS, GATHERED, SINGLE, Chain, Code, Map, Matrix, Sum, blocks_of
from autograd.programs.layout import DEEP, Plan, lanes_for, lower, plan_of
from autograd.programs.program import Program
from tests.random_programs import EACH_ENGINE, Engine, random_program, same


def variables(count: int) -> list[Value]:
    return [Value(0.1 * i + 0.3) for i in range(count)]


def code_of(
    outputs: list[Any], inputs: list[Value], varying: int = 0, totals: bool = False, deep: float = DEEP
) -> Code:
    """Lowered, where the first inputs vary."""
    return lower(Program.of(outputs, inputs=inputs), np.arange(len(inputs)) < varying, totals, deep=deep)


def shapes(code: Code) -> list[tuple[str, int]]:
    """For each group its type or the name of its primitive, and the count of its members."""
    return [
        (group.primitive.name if isinstance(group, Map) and group.primitive else type(group).__name__, group.count)
        for group in code.all_groups()
    ]


def test_instructions_of_one_level_and_kind_are_a_group() -> None:
    xs = variables(20)
    code = code_of([x.exp().sin() for x in xs] + [x.cos() for x in xs], xs)
    assert sorted(shapes(code)) == [("cos", 20), ("exp", 20), ("sin", 20)]
    assert all(group.operands[0].mode == CONTIGUOUS for group in code.groups if isinstance(group, Map))


def test_members_are_put_in_the_order_of_their_operands() -> None:
    xs = variables(20)
    order = random.Random(1).sample(range(20), 20)
    code = code_of([xs[i].exp() for i in order], xs)
    (group,) = code.groups
    assert isinstance(group, Map)
    assert group.operands[0].mode == CONTIGUOUS
    assert (code.outputs - code.outputs.min()).tolist() == order


def test_one_operand_for_all_is_single() -> None:
    xs = variables(20)
    (group,) = code_of([x * xs[7] for x in xs], xs).groups
    assert isinstance(group, Map)
    assert sorted(operand.mode for operand in group.operands) == [CONTIGUOUS, SINGLE]


def test_a_group_is_split_where_its_operands_jump() -> None:
    xs = variables(60)
    code = code_of([x.exp() for x in (*xs[:20], *xs[40:])], xs)
    assert [(shape, group.operands[0].place) for shape, group in zip(shapes(code), code.groups, strict=True)] == [  # type: ignore[union-attr]  # Maps
        (("exp", 20), 0),
        (("exp", 20), 40),
    ]


def test_short_runs_are_gathered() -> None:
    xs = variables(40)
    (group,) = code_of([x.exp() for x in xs[::2]], xs).groups
    assert isinstance(group, Map)
    assert group.operands[0].mode == GATHERED


def test_levels_follow_each_other() -> None:
    (x,) = variables(1)
    node = x
    for _ in range(5):
        node = node.exp().sin()
    assert shapes(code_of([node], [x], deep=1.0)) == [("exp", 1), ("sin", 1)] * 5


def test_what_is_deep_and_narrow_is_a_chain() -> None:
    (x,) = variables(1)
    node = x
    for _ in range(5):
        node = node.exp().sin()
    (chain,) = code_of([node], [x]).groups
    assert isinstance(chain, Chain)
    assert (chain.count, chain.operands.tolist()) == (10, list(range(10)))


def test_a_chain_that_varies_uses_places_again() -> None:
    x, w = variables(2)
    node, scale = x, w.exp()
    for _ in range(50):
        node = node.sin() * scale + x
    code = code_of([node, node.exp()], [x, w], varying=1)
    (once,), (chain,) = code.groups, code.varying_groups
    assert (type(once), type(chain)) == (Chain, Chain)
    assert (once.varies, once.count, chain.varies, chain.count) == (False, 1, True, 151)
    assert code.varying_size <= 4
    code.check(8)


def test_long_dot_products_that_vary_are_matrix_products() -> None:
    xs = variables(16)
    code = code_of([dot(xs[:8], xs[8:]).tanh()], xs, varying=8)
    assert [type(group) for group in code.varying_groups] == [Matrix, Map]


def test_a_full_grid_of_dot_products_is_a_product_of_matrices() -> None:
    xs, ws = [variables(5) for _ in range(7)], [variables(5) for _ in range(4)]
    inputs = [*itertools.chain(*xs, *ws)]
    (group,) = code_of([dot(w, x) for w in ws for x in xs], inputs).groups
    assert isinstance(group, Matrix)
    assert {group.rows.shape, group.columns.shape} == {(7, 5), (4, 5)}
    assert len(group.runs) == len(group.rows)


def test_dot_products_that_share_little_are_none() -> None:
    xs = variables(40)
    (group,) = code_of([dot(xs[i : i + 2], xs[39 - i : 37 - i : -1]) for i in range(10)], xs).groups
    assert isinstance(group, Sum)
    assert len(group.terms) == len(group.factors) == 2


def test_sums_of_as_many_terms_are_a_group() -> None:
    xs = variables(30)
    code = code_of([a + b + c for a, b, c in zip(xs[:10], xs[10:20], xs[20:], strict=True)], xs)
    (group,) = code.groups
    assert isinstance(group, Sum)
    assert [term.mode for term in group.terms] == [CONTIGUOUS] * 3
    assert not group.factors


def test_what_no_example_changes_is_computed_once() -> None:
    x, w = variables(2)
    code = code_of([x * w.exp(), w.sin()], [x, w], varying=1, deep=1.0)
    assert sorted((type(group).__name__, group.varies) for group in code.all_groups()) == [
        ("Map", False), ("Map", False), ("Map", True),
    ]  # fmt: skip
    assert code.output_varies.tolist() == [True, False]
    assert (code.inputs, code.varying_inputs) == (1, 1)


def test_uniform_terms_of_a_sum_that_varies_are_copied_once() -> None:
    x, w, v = variables(3)
    code = code_of([x + w + v, x.exp() + w + v], [x, w, v], varying=1, deep=1.0)
    copies = [group for group in code.varying_groups if isinstance(group, Map) and group.primitive is None]
    assert [copy.count for copy in copies] == [2]


def test_totals_of_products_are_of_all_pairs_that_are_wanted() -> None:
    xs = variables(9)
    full = code_of([a * b for a in xs[:4] for b in xs[4:]], xs, varying=9, totals=True)
    (total,) = full.totals
    assert {len(total.terms), len(total.factors)} == {4, 5}  # type: ignore[arg-type]  # it has factors
    assert not full.varying_groups
    some = code_of([xs[i] * xs[i + 1] for i in range(8)] + [xs[0].exp()], xs, varying=9, totals=True)
    assert [total.count for total in some.totals] == [1] * 9
    assert [total.factors is None for total in some.totals] == [False] * 8 + [True]


def test_totals_are_made_for_each_block_of_rows_that_share_columns() -> None:
    """As of two layers of a network: the gradients of each are the products of its errors and its inputs."""
    xs = variables(12)
    pairs = [(a, b) for a in xs[:2] for b in xs[2:5]] + [(a, b) for a in xs[5:8] for b in xs[8:12]]
    code = code_of([a * b for a, b in pairs], xs, varying=12, totals=True)
    assert sorted(total.count for total in code.totals) == [6, 12]
    assert code.outputs.tolist() == list(range(18)), "totals stand in the order of the outputs, where they can"


def test_a_product_that_something_else_uses_is_computed_too() -> None:
    a, b = variables(2)
    code = code_of([a * b, (a * b).exp()], [a, b], varying=2, totals=True, deep=1.0)
    assert sum(count for name, count in shapes(code) if name == "multiply") >= 1
    assert ("exp", 1) in shapes(code)


@EACH_ENGINE
def test_long_products_of_one_level_need_not_vary_in_the_same_places(engine: Engine) -> None:
    x, v, w = variables(3)
    program = Program.of([prod([x, x, w, w]), prod([x, w, x, x]), prod([w, x, x, w])], inputs=[x, v, w])
    code = lower(program, np.array([True, True, False]), deep=1.0)
    assert shapes(code) == [("prod", 1)] * 3
    outputs = np.empty((1, 3))
    engine.execution.Schedule(code, 8).run(1, np.array([5.0]), [np.array([[3.0, 2.0]])], [outputs])
    assert outputs.tolist() == [[225.0, 135.0, 225.0]]


def test_constants_and_outputs_have_places() -> None:
    (x,) = variables(1)
    code = code_of([x * 3.0, Constant(5.0), x], [x])
    assert sorted(code.constants.values()) == [3.0, 5.0]
    assert code.constants[int(code.outputs[1])] == 5.0
    assert code.outputs[2] == 0


def test_nothing_needs_no_groups() -> None:
    (x,) = variables(1)
    assert not list(code_of([x], [x]).all_groups())
    assert not list(code_of([], [x]).all_groups())


def test_results_have_places_of_their_own() -> None:
    for seed in range(100):
        rng = random.Random(seed)
        program = random_program(rng)
        varies = np.array([rng.random() < 0.5 for _ in program.inputs] + [False] * len(program.parameters))
        for totals in (False, True):
            code = lower(program, varies, totals, shares_places=False)
            code.check(8)
            for memory, size, given in (
                (False, code.uniform_size, code.inputs),
                (True, code.varying_size, code.varying_inputs),
            ):
                taken = np.zeros(size, int)
                taken[:given] += 1
                for group in code.all_groups():
                    if group.varies is memory:
                        taken[group.out : group.out + group.count] += 1
                if not memory:
                    taken[list(code.constants)] += 1
                    for total in code.totals:
                        taken[total.results()] += 1
                assert (taken == 1).all(), seed


def test_a_group_reads_what_stands_before_it() -> None:
    for seed in range(100):
        code = lower(random_program(random.Random(seed)), deep=1.0)
        known = set(range(code.inputs)) | set(code.constants)
        for group in code.groups:
            for _, places in group.reads():
                assert known.issuperset(places.tolist())
            known |= set(range(group.out, group.out + group.count))


@EACH_ENGINE
@pytest.mark.parametrize("columns", [1, 2, 8, 30])
def test_a_layer_and_its_gradients(engine: Engine, columns: int) -> None:
    x, ws = variables(columns), [variables(columns) for _ in range(6)]
    hidden = [dot(w, x).relu() for w in ws]
    loss = dot(hidden, hidden)
    weights = [*itertools.chain(*ws)]
    program = Program.of([loss, *gradients(loss, weights)], inputs=[*x, *weights])
    outputs = np.empty((1, len(program.outputs)))
    engine.execution.Schedule(lower(program)).run(1, program.numbers[program.inputs], [], [outputs])
    assert same(program.run(), outputs[0])


# Dot products as matrix products.


def products_of(plan: Plan) -> list[tuple[tuple[int, ...], ...]]:
    """The factors of each product, in the order of the plan."""
    rows, columns = ([tuple(places) for places in part.tolist()] for part in (plan.rows, plan.columns))
    return [(rows[row], columns[first + i]) for row, first, length in plan.runs.tolist() for i in range(length)]


def test_a_plan_holds_each_dot_product_in_its_order() -> None:
    rng = random.Random(1)
    for _ in range(200):
        terms, count = rng.randint(1, 4), rng.randint(1, 30)
        a, b = (np.array([[rng.randrange(6) for _ in range(terms)] for _ in range(count)]) for _ in range(2))
        _, index = np.unique(np.hstack([a, b]), axis=0, return_index=True)  # lowering makes no dot product twice
        a, b = a[index], b[index]
        plan = plan_of(a, b)
        made = products_of(plan)
        wanted = [(tuple(a[i].tolist()), tuple(b[i].tolist())) for i in plan.order.tolist()]
        assert made in (wanted, [(right, left) for left, right in wanted])


def test_a_full_grid_has_one_run_for_each_row() -> None:
    weights, inputs = np.arange(64 * 16).reshape(64, 16), 5000 + np.arange(16 * 16).reshape(16, 16)
    a, b = np.repeat(weights, 16, axis=0), np.tile(inputs, (64, 1))
    plan = plan_of(a, b)
    assert len(plan.runs) == len(plan.rows)
    assert plan.rows.shape == (64, 16), "the larger side would have to be packed if it were the columns"
    assert plan.is_worth_it()


def test_rows_and_columns_that_share_products_stand_together() -> None:
    """Two grids, of which rows and columns stand by turns."""
    rows, columns = np.arange(16).reshape(8, 2), 100 + np.arange(24).reshape(12, 2)
    chosen = [(row, column) for row in range(8) for column in range(12) if row % 2 == column % 2]
    plan = plan_of(rows[[row for row, _ in chosen]], columns[[column for _, column in chosen]])
    assert [(count, first, length) for _, count, first, length in blocks_of(plan.runs)] == [(4, 0, 6), (4, 6, 6)]


def test_products_that_share_nothing_are_left_apart() -> None:
    a = np.arange(40).reshape(10, 4)
    assert not plan_of(a, a + 100).is_worth_it()


def test_lanes_fit_the_examples_and_the_cache() -> None:
    """A multiple of 8, up to 64, such that the numbers of a block are at most 196,608, or 8 lanes; blocks are alike.

    There are up to 256 where the numbers of a block are at most 4,096.
    """
    x, y = ([Value(0.5) for _ in range(count)] for count in (100, 200))
    code = lower(Program.of([x[0].exp()], inputs=x), np.full(100, True))
    counts = {0: 8, 1: 8, 8: 8, 9: 16, 64: 64, 65: 40, 72: 40, 137: 48, 10**6: 64}
    assert {count: lanes_for(code, count) for count in counts} == counts
    for size, lanes in ((16, 256), (17, 240), (60, 64), (3072, 64), (3073, 56), (8192, 24), (2**16, 8), (10**6, 8)):
        code.varying_size = size
        assert lanes_for(code, 10**6) == lanes
    products = Program.of([a * b for a in x for b in y], inputs=[*x, *y])
    assert lanes_for(lower(products, np.full(300, True), totals=True), 1000) == 128, "with 20,000 totals"
