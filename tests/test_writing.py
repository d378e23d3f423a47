"""Nodes and slopes as formulas: text that computes what the engine computes."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import autograd
from autograd import Constant, Value, topological_order
from autograd.notation import Names
from autograd.primitives import PRIMITIVES, Primitive
from autograd.views.writing import FOLDED_NODES, TERMS, Writer
from tests.shared_code import examples
from tests.test_value import expressions, results_of


def evaluated(formula: str, numbers: Mapping[str, float]) -> float:
    """The number that a formula in plain text computes, where its names stand for some numbers."""

    def function(primitive: Primitive) -> Callable[..., float]:
        return lambda *operands: primitive(*map(float, operands))

    functions = {name: function(primitive) for name, primitive in PRIMITIVES.items()}
    known = {"inf": math.inf, "nan": math.nan, **functions, **numbers}
    return float(eval(formula.replace("·", "*").replace("−", "-"), {"__builtins__": {}}, known))


@st.composite
def graphs(draw: st.DrawFn, labelled: bool = False) -> list[Value]:
    """Random graphs, as nodes with the output last; some with a label where asked for."""
    nodes = draw(expressions().map(_graph).filter(bool))
    assert nodes is not None
    labels = draw(st.integers(0, 2**16)) if labelled else 0
    for place, node in enumerate(nodes):
        node.label = f"n{place}" if labels >> place & 1 else None
    return nodes


def _graph(expression: tuple[list[float], list[tuple[Any, ...]]]) -> list[Value] | None:
    """The nodes of a graph; None outside a domain, or where numbers are huge."""
    numbers, instructions = expression
    rows: dict[str, Callable[..., Any]] = {**PRIMITIVES}
    try:
        nodes: list[Value] = results_of([Value(x) for x in numbers], instructions, rows)
    except (ZeroDivisionError, ValueError):
        return None
    order = topological_order(nodes[-1])
    seen = [*(node.data for node in order), *(slope for node in order for slope in node.slopes)]
    return nodes if all(abs(x) < 1e6 for x in seen) else None


def writer_of(output: Value, is_station: Callable[[Value], bool] = lambda node: True) -> Writer:
    return Writer(Names(output, topological_order(output)), is_station)


@examples(200)
@given(graphs())
def test_formulas_compute_the_data_and_the_slopes_of_nodes(nodes: list[Value]) -> None:
    order = topological_order(nodes[-1])
    writer = writer_of(nodes[-1])
    numbers = {writer.names.of(node).plain: node.data for node in order}
    for node in order:
        if node.primitive is None:
            continue
        assert evaluated(writer.operation(node).plain, numbers) == pytest.approx(node.data, rel=1e-12)
        for index, slope in enumerate(node.slopes):
            formula = writer.slope(node, index, numeric=False)
            assert formula is not None
            assert evaluated(formula.plain, numbers) == pytest.approx(slope, rel=1e-12, abs=1e-14)


def test_a_node_that_is_no_station_is_written_out_in_names_or_numbers() -> None:
    w, x = Value(-0.5, "w"), Value(3.0, "x")
    product = w * x
    output = product.exp()
    for is_station, symbols, numbers in (
        (lambda node: node is not product, "exp(w · x)", "exp(−0.5 · 3)"),
        (lambda node: True, "exp(v1)", "exp(−1.5)"),
    ):
        writer = writer_of(output, is_station)
        assert writer.operation(output).plain == symbols
        assert writer.operation(output, numeric=True).plain == numbers
    slope = writer_of(output, lambda node: False).slope(product, 0, numeric=True)
    assert slope is not None
    assert slope.plain == "3"


def test_constants_stand_by_their_numbers_unless_they_have_a_label() -> None:
    x, target = Value(0.25, "x"), Constant(0.75, "target")
    output = (target - x) * 2.0
    assert writer_of(output, lambda node: False).operation(output).plain == "(target − x) · 2"


def test_only_so_many_operations_and_terms_are_written_out() -> None:
    x = node = Value(1.5, "x")
    for _ in range(6):
        node = node * x
    # Six factors more: below the third the number 1.5 ** 3 stands.
    assert writer_of(node, lambda node: False).operation(node).plain == "3.375 · x · x · x · x"
    for count, text in ((TERMS, "exp(x + x + x + x + x + x)"), (TERMS + 1, "exp(10.5)")):
        output = autograd.sum([x] * count).exp()
        assert writer_of(output, lambda node: False).operation(output).plain == text


def test_the_slope_of_a_node_of_very_many_operands_is_not_written() -> None:
    leaves = [Value(float(k), f"x{k}") for k in range(1, FOLDED_NODES + 2)]
    few, many = autograd.prod(leaves[:FOLDED_NODES]), autograd.prod(leaves)
    formula = writer_of(few).slope(few, 0, numeric=True)
    assert formula is not None
    assert evaluated(formula.plain, {}) == math.factorial(FOLDED_NODES)
    assert writer_of(many).slope(many, 0, numeric=True) is None
    leaf = leaves[0]
    assert writer_of(leaf).slope(leaf, 0, numeric=False) is None
