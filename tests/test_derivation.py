"""Derivations: on any graph, factors that multiply up to the gradient, and no more of them than can be read."""

import itertools
import math
import random
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import autograd
from autograd import Derivative, Value, explain
from nn import MLP
from tests.shared_code import examples
from tests.test_value import expressions, run


def recomputed(derivative: Derivative) -> float:
    """The value of a derivative from the factors that are printed."""
    if not derivative.terms:
        return derivative.value
    return sum(math.prod(recomputed(factor) for factor in term) for term in derivative.terms)


def sizes(output: Value) -> dict[Value, float]:
    """For each node the sum of the absolute contributions of all paths: what cancels in a gradient rounds like this."""
    total = {output: 1.0}
    for node in reversed(autograd.topological_order(output)):
        for parent, slope in zip(node.parents, node.slopes, strict=True):
            total[parent] = total.get(parent, 0.0) + total[node] * abs(slope)
    return total


@examples(400)
@given(expressions(), st.integers(0, 2**12), st.sampled_from(["stations", "full"]))
def test_the_printed_factors_make_the_gradient(
    expression: tuple[list[float], list[tuple[str, ...]]], labelled: int, detail: str
) -> None:
    numbers, instructions = expression
    inputs = [Value(x, f"x{i}") for i, x in enumerate(numbers)]
    results: list[Value] = list(inputs)
    rows: dict[str, Callable[..., Any]] = {**autograd.primitives.PRIMITIVES}
    try:
        for place, instruction in enumerate(instructions):
            results.append(run(results, [instruction], rows))
            if labelled >> place & 1:
                results[-1].label = f"n{place}"
    except (ZeroDivisionError, ValueError):  # outside a domain
        return
    output = results[-1]
    output.backward()
    for leaf in inputs:
        explanation = explain(output, leaf, detail=detail)  # type: ignore[arg-type]  # one of the two words
        if leaf not in autograd.topological_order(output):
            assert (explanation.gradient, leaf.has_grad) == (0.0, False)
            assert "was not computed from" in str(explanation)
        elif math.isfinite(leaf.grad):
            root = explanation.derivative
            assert root is not None
            scale = sizes(output)[leaf] + 1e-300  # numbers that are not normal have few digits
            if not math.isfinite(scale):
                continue
            assert explanation.gradient == pytest.approx(recomputed(root), rel=1e-12, abs=1e-12 * scale)
            assert explanation.gradient == pytest.approx(leaf.grad, rel=1e-10, abs=1e-10 * scale)
            assert explain(output, leaf, form="delta").gradient == pytest.approx(
                leaf.grad, rel=1e-10, abs=1e-10 * scale
            )
        assert explanation.latex.count("{") == explanation.latex.count("}")
        assert "nan" in str(explanation) or len(str(explanation)) < 60_000


def test_branches_that_meet_again_are_summed_not_listed() -> None:
    """Twenty diamonds in a row: a million paths, and one line for each diamond at most."""
    x = node = Value(0.5, "x")
    for place in range(20):
        left, right = node * 0.5, node.sin()
        left.label, right.label = f"l{place}", f"r{place}"
        node = left + right
        node.label = f"n{place}"
    explanation = explain(node, x)
    node.backward()
    assert explanation.gradient == pytest.approx(x.grad, rel=1e-14)
    assert len(str(explanation).splitlines()) < 200


def labelled(value: Value, label: str) -> Value:
    value.label = label
    return value


def test_branches_with_several_entries() -> None:
    """Two terms of a sum that share a node are one branch; a path without stations may lead past them."""
    x = Value(0.7, "x")
    shared = labelled(x.sin(), "m")
    left, right, apart = labelled(shared * 2, "a"), labelled(shared * x, "b"), labelled(x * 3, "c")
    total = labelled(autograd.sum([left, right, apart]), "E")
    u = labelled(x.sin(), "u")
    past = labelled(autograd.sum([u * x, labelled(u.exp(), "p"), x]), "F")
    for output, slope in (
        (total, 2 * math.cos(0.7) + math.cos(0.7) * 0.7 + math.sin(0.7) + 3),
        (past, math.cos(0.7) * 0.7 + math.sin(0.7) + math.exp(math.sin(0.7)) * math.cos(0.7) + 1),
    ):
        explanation = explain(output, x)
        assert explanation.gradient == pytest.approx(slope, rel=1e-14)
        assert "other paths" not in str(explanation)
        assert "weaker" not in str(explanation)


def test_a_branch_leaves_out_the_edges_of_another() -> None:
    """E = x · m + x · n: the way by m, which n is made of, holds nothing of the direct path from E to x."""
    x = Value(0.3, "x")
    m = labelled(x.exp(), "m")
    n = labelled(m.exp(), "n")
    explanation = explain(labelled(autograd.dot([x, x], [m, n]), "E"), x)
    assert "∂E/∂m = (∂E/∂m by a direct path) + ∂E/∂n · ∂n/∂m\n" in str(explanation)
    assert explanation.gradient == pytest.approx(m.data + n.data + 0.3 * (m.data + n.data * m.data), rel=1e-14)


def test_a_branch_whose_slopes_are_nan_keeps_its_edges() -> None:
    x = Value(math.nan, "x")
    m = labelled(x.exp(), "m")
    n = labelled(m.exp(), "n")
    explanation = explain(labelled(autograd.dot([x, x], [m, n]), "E"), x)
    assert "(∂E/∂m by a direct path) = x = nan\n" in str(explanation)


def test_weights_between_fully_connected_layers() -> None:
    network = MLP(3, [8, 8, 8, 1], "tanh", generator=random.Random(1))
    output = network([0.1, -0.2, 0.3])
    output.label = "E"
    output.backward()
    for parameter in itertools.islice(network.parameters(), 0, None, 7):
        explanation = explain(output, parameter)
        assert explanation.gradient == pytest.approx(parameter.grad, rel=1e-11)
        assert len(str(explanation)) < 30_000
    assert "weaker terms" in str(explain(output, network.parameters()[0]))


def test_a_graph_of_many_cases_is_explained_by_its_strongest() -> None:
    generator = random.Random(2)
    w = Value(0.5, "w")
    errors = []
    for _ in range(4_000):
        prediction = (w * generator.random()).tanh()
        prediction.label = "p"
        errors.append((prediction - 0.3) ** 2)
    total = autograd.sum(errors) / len(errors)
    total.label = "E"
    total.backward()
    explanation = explain(total, w)
    assert explanation.gradient == pytest.approx(w.grad, rel=1e-9)
    assert "(3995 weaker terms)" in str(explanation)
    assert len(str(explanation).splitlines()) < 60


def test_what_the_terms_leave_out_is_a_term_of_its_own() -> None:
    """A path of 20 operations without a label is not taken apart; its share is, even where it is a thousandth."""
    for scale in (0.05, 1e-3, 1e-6):
        x = Value(0.7, "x")
        u, long = labelled(x.sin(), "u"), x
        for _ in range(20):
            long = long * 1.0
        explanation = explain(labelled((long * scale) * u + u.exp(), "E"), x)
        share = scale * math.sin(0.7)
        assert explanation.derivative is not None
        last = explanation.derivative.terms[-1][0]
        assert last.name.plain == "(other paths)"
        assert last.value == pytest.approx(share, rel=1e-8)


def test_both_ends_of_a_long_chain_are_taken_apart() -> None:
    """Of a chain of 30 nodes with labels: five factors at each end, and one for the middle."""
    node = first = Value(0.5, "c0")
    for number in range(1, 31):
        node = labelled(node.sin(), f"c{number}")
    explanation = explain(node, first)
    assert explanation.derivative is not None
    (term,) = explanation.derivative.terms
    shown = [30, 29, 28, 27, 26, 25, 5, 4, 3, 2, 1, 0]
    assert [factor.name.plain for factor in term] == [f"∂c{a}/∂c{b}" for a, b in itertools.pairwise(shown)]


@pytest.mark.parametrize(("operations", "is_written"), [(2, True), (17, True), (18, False)])
def test_up_to_sixteen_operations_fold_into_a_formula(operations: int, is_written: bool) -> None:
    w, y = Value(1.5, "w"), Value(0.5, "y")
    node = y
    for _ in range(operations):
        node = node * w
    formula = " · ".join(["w"] * operations)
    assert (formula in str(explain(labelled(node, "z"), y))) is is_written


def without_terms(derivative: Derivative) -> list[Derivative]:
    """The factors that a derivation ends in."""
    if not derivative.terms:
        return [derivative]
    return [last for term in derivative.terms for factor in term for last in without_terms(factor)]


@pytest.mark.parametrize("rounds", [3, 5, 8])
def test_a_long_stretch_without_labels_gets_names(rounds: int) -> None:
    """Else the derivation would be a number alone: the formula of all of it is too long to read."""
    x = Value(0.3)
    node = x
    for _ in range(rounds):
        node = (node * node + node.exp()).tanh() * node
    explanation = explain(node, x)
    assert explanation.derivative is not None
    assert explanation.derivative.terms
    assert all(factor.formula is not None for factor in without_terms(explanation.derivative))
    step = 1e-6

    def value(start: float) -> float:
        number = start
        for _ in range(rounds):
            number = math.tanh(number * number + math.exp(number)) * number
        return number

    slope = (value(0.3 + step) - value(0.3 - step)) / (2.0 * step)
    assert recomputed(explanation.derivative) == pytest.approx(slope, rel=1e-6)
