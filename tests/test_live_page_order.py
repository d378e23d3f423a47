"""The steps of the live page with every operation are those of `steps` in Python: the same order, the same numbers."""

from __future__ import annotations

import random
from collections.abc import Callable

import pytest

from autograd import Constant, Value, live_page, maximum, where
from autograd import sum as total_of
from tests.driven_page import Driven
from tests.test_page import python_steps

UNARY: list[Callable[[Value], Value]] = [Value.tanh, Value.sin, Value.sigmoid, Value.relu, lambda a: a**2]
BINARY: list[Callable[[Value, Value], Value]] = [
    lambda a, b: a + b,
    lambda a, b: a * b,
    lambda a, b: a - 0.5 * b,
    lambda a, b: a / (b * b + 1.0),
    maximum,
    lambda a, b: where(a > b, a, 3.0 * b),
]


def random_graph(seed: int) -> Value:
    """A graph whose nodes are used several times, in one operation too; some of them have labels."""
    generator = random.Random(seed)
    nodes = [Value(generator.uniform(-1.5, 1.5), f"x{place}") for place in range(generator.randint(1, 4))]
    nodes.append(Constant(0.75, "k"))
    for place in range(generator.randint(3, 14)):
        if generator.random() < 0.4:
            made = generator.choice(UNARY)(generator.choice(nodes))
        else:
            made = generator.choice(BINARY)(*generator.choices(nodes[-5:], k=2))
        if generator.random() < 0.3:
            made.label = f"n{place}"
        nodes.append(made)
    return total_of([*nodes[-3:], generator.choice(nodes)])


@pytest.mark.parametrize("start", [0, 10, 20])
def test_every_operation_comes_in_the_order_of_python(start: int, driven: Driven) -> None:
    for seed in range(start, start + 10):
        output = random_graph(seed)
        driven.open(live_page(output))
        if driven.root.get_by_role("checkbox", name="Every operation").is_visible():
            driven.check("Every operation")
        driven.press("Last step")
        listed = [(name, float(value)) for name, value, _ in driven.list_of_steps()]
        expected = python_steps(output)
        assert [name for name, _ in listed] == [name for name, _ in expected], seed
        assert [x for _, x in listed] == pytest.approx([x for _, x in expected], rel=1e-9, abs=1e-12), seed
