"""Dot products as matrix products: the plan holds each product once, and packs as little as it can."""

import random

import numpy as np

from autograd.programs.lowering.products import Plan, plan_of


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


def test_products_that_share_nothing_are_left_apart() -> None:
    a = np.arange(40).reshape(10, 4)
    assert not plan_of(a, a + 100).is_worth_it()
