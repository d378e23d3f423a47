"""Reverse accumulation edge by edge, against what backward() computes, and in formulas against the same in numbers."""

import math
from collections.abc import Callable
from typing import Any

from hypothesis import given

import autograd
from autograd import Constant, Value
from autograd.notation import Formula
from autograd.tape import Tape
from autograd.views.tracing import edges, trace, trace_formulas
from tests.shared_code import examples
from tests.test_value import expressions, run


@examples(200)
@given(expressions())
def test_the_gradients_traced_are_those_of_backward(expression: tuple[list[float], list[tuple[str, ...]]]) -> None:
    numbers, instructions = expression
    rows: dict[str, Callable[..., Any]] = {**autograd.primitives.PRIMITIVES}
    try:
        output = run([Value(x) for x in numbers], instructions, rows)
    except (ZeroDivisionError, ValueError):  # outside a domain
        return
    output.backward()
    last: dict[Value, float] = {output: 1.0}
    for edge in trace(output, edges(Tape(output))):
        assert edge.node.parents[edge.operand] is edge.parent
        assert repr(edge.slope) == repr(edge.node.slopes[edge.operand])
        assert repr(edge.before) == repr(last.get(edge.parent, 0.0))
        last[edge.parent] = edge.after
    assert {node: repr(grad) for node, grad in last.items()} == {node: repr(node.grad) for node in last}


def test_edges_go_from_the_output_down_and_leave_constants_out() -> None:
    a, b = Value(2.0), Value(3.0)
    product = a * b
    total = product + 1.0 + a
    found = [(node, index, parent) for node, index, parent, _ in edges(Tape(total))]
    assert found == [
        (total, 0, total.parents[0]),
        (total, 1, a),
        (total.parents[0], 0, product),
        (product, 0, a),
        (product, 1, b),
    ]
    tape = Tape(total)
    reached = [(node, parent) for node, _, parent, _ in edges(tape, tape.dependents([b]))]
    assert reached == [(total, total.parents[0]), (total.parents[0], product), (product, b)]


def test_a_pass_leaves_out_what_it_does_not_reach() -> None:
    a, b = Value(2.0), Value(3.0)
    left, right = a * b, a.exp()
    total = left + right
    assert [edge.parent for edge in trace(left, edges(Tape(total)))] == [a, b]


def test_formulas_add_up_and_may_be_renamed() -> None:
    x = Value(2.0, "x")
    square = x * x
    output = square * square
    slopes = [(node, i, parent, Formula("xs"[parent is square])) for node, i, parent, _ in edges(Tape(output))]
    assert {node.data: formula.plain for node, formula in trace_formulas(output, slopes).items()} == {
        16.0: "1",
        4.0: "s + s",
        2.0: "(s + s) · x + (s + s) · x",
    }
    renamed = trace_formulas(output, slopes, lambda node, formula: Formula("δ") if node is square else formula)
    assert renamed[x].plain == "δ · x + δ · x"
    assert renamed[square].plain == "s + s"


def test_subclasses_of_constants_get_no_edge() -> None:
    class Given(Constant):
        pass

    output = Given(3.0) * Value(math.e)
    assert [edge.parent.data for edge in trace(output, edges(Tape(output)))] == [math.e]
