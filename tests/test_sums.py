"""The passes that make sums and dot products: what they join, in which order, and what they leave."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from autograd import Constant, Value, dot
from autograd import sum as total_of
from autograd.programs.lowering import lower
from autograd.programs.lowering.instructions import Instructions
from autograd.programs.lowering.simplification import without_dead_code
from autograd.programs.lowering.sums import with_dot_products, with_sums
from autograd.programs.program import Program
from tests.random_programs import EACH_ENGINE, Engine


def joined(function: Callable[..., Any], count: int) -> list[tuple[str, list[int]]]:
    """The instructions that both passes make of a function, with operands by the number of the input; −1 for others."""
    inputs = [Value(float(i)) for i in range(count)]
    results = function(*inputs)
    outputs = results if isinstance(results, list) else [results]
    found = without_dead_code(with_dot_products(with_sums(Instructions.of(Program.of(outputs, inputs=inputs)))))
    number = {slot: i for i, slot in enumerate(found.inputs.tolist())}
    return [
        (name, [number.get(operand, -1) for operand in found.operands_of(slot).tolist()])
        for slot, name in enumerate(found.names())
        if name
    ]


@pytest.mark.parametrize(
    ("function", "wanted"),
    [
        (lambda a, b, c, d: a + b + c + d, [("sum", [0, 1, 2, 3])]),
        (lambda a, b, c, d: total_of([a, b]) + c + d, [("sum", [0, 1, 2, 3])]),
        (lambda a, b, c, d: total_of([a + b, c, d]), [("sum", [0, 1, 2, 3])]),
        # Another order of the additions would be another number.
        (lambda a, b, c, d: a + (b + (c + d)), [("add", [2, 3]), ("add", [1, -1]), ("add", [0, -1])]),
        (lambda a, b, c, d: (a + b) + (c + d), [("add", [2, 3]), ("sum", [0, 1, -1])]),
        # A partial sum that something else uses stays.
        (lambda a, b, c, d: [s := a + b, s + c + d], [("add", [0, 1]), ("sum", [-1, 2, 3])]),
        (lambda a, b, c, d: [(s := a + b) + s, c, d], [("add", [0, 1]), ("add", [-1, -1])]),
        (lambda a, b, c, d: a + b, [("add", [0, 1])]),
        # Products.
        (lambda a, b, c, d: a * b + c * d, [("dot", [0, 2, 1, 3])]),
        (lambda a, b, c, d: a * b + c * d + a * d, [("dot", [0, 2, 0, 1, 3, 3])]),
        (lambda a, b, c, d: a * b + c * d + a, [("dot", [0, 2, 0, 1, 3, -1])]),  # a · 1
        (lambda a, b, c, d: a * b + c, [("multiply", [0, 1]), ("add", [-1, 2])]),  # no more than half are products
        (lambda a, b, c, d: [p := a * b, p + c * d], [("multiply", [0, 1]), ("multiply", [2, 3]), ("add", [-1, -1])]),
        (lambda a, b, c, d: dot([a, b], [c, d]), [("dot", [0, 1, 2, 3])]),
        (lambda a, b, c, d: a * a + a * a, [("dot", [0, 0, 0, 0])]),
    ],
)
def test_what_is_joined(function: Callable[..., Any], wanted: list[tuple[str, list[int]]]) -> None:
    assert joined(function, 4) == wanted


def test_a_long_chain_is_one_sum() -> None:
    inputs = [Value(1.0) for _ in range(5000)]
    total = inputs[0]
    for each in inputs[1:]:
        total = total + each
    found = with_sums(Instructions.of(Program.of([total], inputs=inputs)))
    assert found.operands_of(int(found.outputs[0])).tolist() == found.inputs.tolist()
    assert sum(code > 0 for code in found.codes) == 1


def test_a_constant_of_one_is_used_where_there_is_one() -> None:
    a, b = Value(2.0), Value(3.0)
    one = Constant(1.0)
    given = with_sums(Instructions.of(Program.of([a * b + b * b + a, one], inputs=[a, b])))
    assert len(with_dot_products(given)) == len(given)


@EACH_ENGINE
@pytest.mark.parametrize("passes", [(), (with_sums,), (with_dot_products,), (with_sums, with_dot_products)])
def test_the_order_of_rounding_is_kept(engine: Engine, passes: Any) -> None:
    """Terms whose sum depends on their order, and zeros whose sign depends on where a sum starts."""
    numbers = [1e16, 1.0, -1e16, 1.0, 1e-3, -1e16, 3.0, 1e16]
    inputs = [Value(number) for number in numbers]
    total, products = inputs[0], inputs[0] * inputs[1]
    for each, other in zip(inputs[1:], [*inputs[2:], inputs[0]], strict=True):
        total, products = total + each, products + each * other
    program = Program.of([total, products], inputs=inputs)
    runner = engine.running.Runner(lower(program, passes=passes, deep=engine.deep))
    outputs = np.empty(2)
    runner.call(np.array(numbers), outputs)
    assert outputs.tolist() == [total.data, products.data] == list(program.run())
    runner.call(np.full(8, -0.0), outputs)
    assert math.copysign(1.0, outputs[0]) == -1.0
    assert program.run([-0.0] * 8) == tuple(outputs)
