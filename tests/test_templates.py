"""Templates: filled with names they say what Python says, and filled with numbers they compute what it computes."""

from __future__ import annotations

import math
import re
import time
from collections.abc import Callable, Iterable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import autograd
from autograd import Constant, Derivative, Value, explain, steps
from autograd.notation import number
from autograd.value import is_constant
from autograd.views.live_page.stations import StationGraph
from autograd.views.live_page.templates import DERIVED_NODES, MOST_DERIVATIVES, Templates
from autograd.views.writing import FORMULA_LENGTH, TERMS
from nn import MLP
from nn.examples.worked_example import build_network, forward
from tests.shared_code import examples
from tests.test_derivation import sizes
from tests.test_writing import evaluated, graphs

ODD_LABELS = [
    *("x", "x", "a b", "x(2)", "@1", "#0.5", "v1", "output", "−3", "{0}", "2"),
    *("<b>", "a_b", "∂E", "y\nz", "'", "\\"),
]


def filled(template: str, of: Callable[[int, bool, int], str]) -> str:
    """A template with what stands in its places; `of` takes the slot, whether only the number is shown, the level."""

    def place(match: re.Match[str]) -> str:
        return of(int(match[2]), match[1] == "#", int(match[3] or 0))

    return re.sub(r"([@#])(\d+)(?:\.(\d))?", place, template)


def in_names(template: str, graph: StationGraph) -> str:
    def of(slot: int, only_number: bool, level: int) -> str:
        node = graph.nodes[slot]
        return number(node.data).plain if only_number else graph.names.of(node).plain

    return filled(template, of)


def in_numbers(template: str, graph: StationGraph) -> str:
    """The numbers in brackets where the module says that a page puts them there."""

    def of(slot: int, only_number: bool, level: int) -> str:
        text = number(graph.nodes[slot].data).plain
        binds = 2 if text.startswith("−") else 3 if "e" in text else 5
        return f"({text})" if binds < level else text

    return filled(template, of)


def computed(template: str, graph: StationGraph) -> float:
    """What a template computes from the numbers of the nodes, to all their digits."""
    numbers = {f"slot{slot}": node.data for slot, node in enumerate(graph.nodes)}
    return evaluated(filled(template, lambda slot, only_number, level: f"slot{slot}"), numbers)


def gradients_below(graph: StationGraph, top: Value, ends: Iterable[Value] = ()) -> dict[Value, tuple[float, float]]:
    """The gradient of a node by each node below it, and its size, along the engine's slopes; not past the ends."""
    sums, last = {top: (1.0, 1.0)}, {*ends} - {top}
    for node in reversed(graph.nodes[: graph.slots[top] + 1]):
        if node in sums and node not in last:
            for parent, slope in zip(node.parents, node.slopes, strict=True):
                value, size = sums.get(parent, (0.0, 0.0))
                sums[parent] = value + sums[node][0] * slope, size + sums[node][1] * abs(slope)
    return sums


def stations_of(graph: StationGraph) -> list[Value]:
    return [node for node in graph.nodes if node in graph.stations and node.primitive is not None]


def targets_of(graph: StationGraph) -> list[Value]:
    return [n for n in graph.nodes if n in graph.stations and not is_constant(n) and n is not graph.output]


# Operations.


@examples(200)
@given(graphs(), st.data())
def test_filled_with_names_and_numbers_an_operation_is_the_line_of_its_step(
    nodes: list[Value], data: st.DataObject
) -> None:
    for node in nodes:
        node.label = data.draw(st.none() | st.sampled_from(ODD_LABELS))
    graph = StationGraph(nodes[-1])
    templates = Templates(graph)
    forward = [step for step in steps(nodes[-1]) if step.phase == "forward"]
    for step in forward:
        node = step.node
        template = templates.operation(node)
        parts = [graph.names.of(node).plain, in_names(template, graph)]
        assert computed(template, graph) == pytest.approx(node.data, rel=1e-12)
        if node.primitive is not None and node.primitive.arity is not None:
            parts += [in_numbers(template, graph), number(node.data).plain]
            assert str(step) == " = ".join(dict.fromkeys(parts))
        else:
            assert str(step).startswith(" = ".join(dict.fromkeys(parts)) + " = ")
        for slope, text in zip(node.slopes, templates.slopes(node), strict=True):
            assert computed(text, graph) == pytest.approx(slope, rel=1e-12, abs=1e-14)


@examples(300)
@given(graphs(labelled=True))
def test_folded_formulas_compute_the_station_and_its_slopes_and_these_the_gradient(nodes: list[Value]) -> None:
    output = nodes[-1]
    graph = StationGraph(output)
    templates = Templates(graph)
    grads: dict[Value, float] = {output: 1.0}
    is_whole = True
    for station in reversed(stations_of(graph)):
        formula = templates.folded_operation(station)
        assert not formula or computed(formula, graph) == pytest.approx(station.data, rel=1e-9, abs=1e-12)
        parents, local = graph.parents(station), gradients_below(graph, station, graph.stations)
        for parent, slope in zip(parents, templates.folded_slopes(station), strict=True):
            assert len(slope) <= FORMULA_LENGTH
            value, size = local[parent]
            if slope:  # its constants have nine digits
                assert computed(slope, graph) == pytest.approx(value, rel=1e-8, abs=1e-8 * size + 1e-12)
                grads[parent] = grads.get(parent, 0.0) + grads.get(station, 0.0) * computed(slope, graph)
            is_whole = is_whole and bool(slope)
    if is_whole:
        output.backward()
        scale = sizes(output)
        for node, grad in grads.items():
            assert grad == pytest.approx(node.grad, rel=1e-7, abs=1e-7 * scale[node] + 1e-12)


def test_the_worked_example_reads_as_in_the_article() -> None:
    total = forward(build_network())
    graph = StationGraph(total)
    templates = Templates(graph)
    by_name = {graph.names.of(node).plain: node for node in graph.nodes}
    assert in_names(templates.folded_operation(by_name["E_o1"]), graph) == "0.5 · (target_o1 − out_o1) ** 2"
    assert in_names(templates.folded_operation(by_name["net_o1"]), graph) == "w5 · out_h1 + w6 · out_h2 + b2"
    assert [in_names(text, graph) for text in templates.folded_slopes(by_name["E_o1"])] == ["−(target_o1 − out_o1)"]
    assert [in_names(text, graph) for text in templates.folded_slopes(by_name["out_o1"])] == ["out_o1 · (1 − out_o1)"]
    net = by_name["net_o1"]
    slopes = [in_names(text, graph) for text in templates.folded_slopes(net)]
    parents = [graph.names.of(node).plain for node in graph.parents(net)]
    assert dict(zip(parents, slopes, strict=True)) == {
        "w5": "out_h1", "w6": "out_h2", "out_h1": "w5", "out_h2": "w6", "b2": "1",
    }  # fmt: skip


def test_constants_stand_by_their_numbers_and_those_with_a_label_by_their_place() -> None:
    x, k = Value(3.0, "x"), Constant(-0.5, "k")
    output = x * k - (-2.0)
    graph = StationGraph(output)
    templates = Templates(graph)
    difference, product = output, output.parents[0]
    assert in_names(templates.operation(product), graph) == "x · k"
    assert in_numbers(templates.operation(product), graph) == "3 · (−0.5)"
    assert in_names(templates.operation(difference), graph) == "v1 − (−2)"
    assert templates.slopes(product) == [f"@{graph.slots[k]}", f"@{graph.slots[x]}"]


@pytest.mark.parametrize("count", [1, TERMS, TERMS + 1, 300])
@pytest.mark.parametrize("kind", ["sum", "prod", "dot"])
def test_operations_on_many_operands_show_the_first_ones(kind: str, count: int) -> None:
    xs = [Value(1.0 + k, f"x{k}") for k in range(count)]
    ys = [Value(2.0, f"y{k}") for k in range(count)]
    if kind == "dot":
        output = autograd.dot(xs, ys)
        parts = [f"x{k} · y{k}" for k in range(count)]
    else:
        output = autograd.sum(xs) if kind == "sum" else autograd.prod(xs)
        parts = [f"x{k}" for k in range(count)]
    graph = StationGraph(output)
    templates = Templates(graph)
    text = (" · " if kind == "prod" else " + ").join(parts[:TERMS])
    text += f" … and {count - TERMS} more" if count > TERMS else ""
    for template in (templates.operation(output), templates.folded_operation(output)):
        assert in_names(template, graph) == text
    slopes = templates.slopes(output)
    assert len(slopes) == len(templates.folded_slopes(output)) == len(output.parents)
    if kind == "sum":
        assert set(slopes) == {"1"}
    elif kind == "dot":
        assert [in_names(slope, graph) for slope in (slopes[0], slopes[-1])] == ["y0", f"x{count - 1}"]
    elif count <= TERMS + 1:
        for slope, expected in zip(slopes, output.slopes, strict=True):
            assert computed(slope, graph) == expected


def test_the_same_node_several_times_in_one_operation() -> None:
    x = Value(3.0, "x")
    for output, slope in ((x * x, 6.0), (autograd.sum([x, x, x]), 3.0), (autograd.prod([x, x, x]), 27.0)):
        graph = StationGraph(output)
        (text,) = Templates(graph).folded_slopes(output)
        assert computed(text, graph) == slope


# Derivations.


def along(graph: StationGraph, edges: list[list[int]]) -> float:
    """The sum over the paths along some edges from the first to the last node, of the products of their slopes."""
    sums, last = {graph.nodes[edges[0][0]]: 1.0}, graph.nodes[0]
    for slot, operand in edges:
        node = graph.nodes[slot]
        last = node.parents[operand]
        sums[last] = sums.get(last, 0.0) + sums.get(node, 0.0) * node.slopes[operand]
    return sums[last]


class Rows:
    """The rows of a graph's derivations, with their numbers by what each says of its computation."""

    def __init__(self, output: Value) -> None:
        self.graph = graph = StationGraph(output)
        derivations = Templates(graph).derivations(targets_of(graph))
        self.rows: list[list[Any]] = derivations["rows"]
        self.roots: dict[Value, int] = {graph.nodes[slot]: row for slot, row in derivations["roots"]}
        self._below: dict[Value, dict[Value, tuple[float, float]]] = {}

    def value(self, row: int) -> float | None:
        """The number of a row; None for what the other terms leave of a sum."""
        computation = self.rows[row][3]
        if not computation:
            return None
        if isinstance(computation[0], list):
            return along(self.graph, computation)
        top, bottom = (self.graph.nodes[slot] for slot in computation)
        if top not in self._below:
            self._below[top] = gradients_below(self.graph, top)
        return self._below[top][bottom][0]

    def name(self, row: int) -> str:
        return in_names(self.rows[row][0], self.graph)

    def parts(self, row: int) -> set[int]:
        """All rows that a row is made of."""
        found: set[int] = set()
        waiting = [row]
        while waiting:
            new = {factor for term in self.rows[waiting.pop()][1] for factor in term} - found
            found |= new
            waiting += new
        return found

    def check(self) -> None:
        """Check each row against the rows it is made of, and against its formula."""
        for place, (_, terms, formula, _) in enumerate(self.rows):
            value = self.value(place)
            if formula and value is not None:
                number = computed(formula, self.graph)  # its constants have nine digits
                assert number == pytest.approx(value, rel=1e-8, abs=1e-8), self.name(place)
            products = [[self.value(factor) for factor in term] for term in terms]
            known = [[x for x in factors if x is not None] for factors in products]
            if terms and value is not None and known == products:
                parts = [math.prod(factors) for factors in known]
                size = math.fsum(map(abs, parts))
                assert math.fsum(parts) == pytest.approx(value, rel=1e-9, abs=1e-9 * size + 1e-12), self.name(place)


@examples(300)
@given(graphs(labelled=True))
def test_the_rows_of_derivations_compute_the_engines_gradients(nodes: list[Value]) -> None:
    output = nodes[-1]
    rows = Rows(output)
    output.backward()
    assert set(rows.roots) == set(targets_of(rows.graph))
    scale = sizes(output)
    for node, root in rows.roots.items():
        assert rows.value(root) == pytest.approx(node.grad, rel=1e-9, abs=1e-9 * scale[node] + 1e-12)
    if max(scale.values()) < 1e6:
        rows.check()


def test_the_number_of_one_branch_is_that_of_its_paths_alone() -> None:
    """E = m1 · m2 + x: the branch by the product gives cos(2x), the direct path 1."""
    x = Value(0.5, "x")
    m1, m2 = x.sin(), x.cos()
    m1.label, m2.label = "m1", "m2"
    output = m1 * m2 + x
    output.label = "E"
    rows = Rows(output)
    values = {rows.name(place): rows.value(place) for place in range(len(rows.rows))}
    assert values["∂E/∂x"] == pytest.approx(1.0 + math.cos(1.0), rel=1e-14)
    assert values["(∂E/∂x by a direct path)"] == 1.0
    assert values["(∂E/∂x by v1)"] == pytest.approx(math.cos(1.0), rel=1e-14)


def test_no_row_is_made_of_itself() -> None:
    """A branch with a station of its own, past which a path leads that is too long to be written as one formula."""
    x = Value(0.5, "x")
    station = x.exp()
    station.label = "n"
    output = x.maximum(station + x.exp().gelu().exp().gelu().sin())
    output.label = "E"
    rows = Rows(output)
    assert all(place not in rows.parts(place) for place in range(len(rows.rows)))


@examples(200)
@given(graphs(labelled=True))
def test_the_rows_say_what_explain_says(nodes: list[Value]) -> None:
    for place, node in enumerate(nodes):
        if node.primitive is None:
            node.label = f"n{place}"
    output = nodes[-1]
    output.label = "E"  # which explain writes out where it has no label
    graph = StationGraph(output)
    by_label = {node for node in graph.nodes if node.label}
    if graph.stations != {output, *by_label} or not any(n.primitive and n is not output for n in by_label):
        return
    rows = Rows(output)

    def compare(row: int, derivative: Derivative) -> None:
        _, terms, formula, _ = rows.rows[row]
        assert rows.name(row) == derivative.name.plain
        assert [len(term) for term in terms] == [len(term) for term in derivative.terms]
        if formula and "#" not in formula and derivative.formula is not None:
            assert in_names(formula, graph) == derivative.formula.plain
        for term, factors in zip(terms, derivative.terms, strict=True):
            for index, factor in zip(term, factors, strict=True):
                compare(index, factor)

    for node, root in rows.roots.items():
        explanation = explain(output, node)
        assert explanation.derivative is not None
        texts = [str(explanation), *(in_names(text, graph) for row in rows.rows for text in (row[0], row[2]))]
        if not any(re.search(r"(?<!by )\bv\d", text) for text in texts):  # else a formula is too long, and nodes of the
            compare(root, explanation.derivative)  # stretch are named, which depends on what was derived before


def test_each_derivative_is_written_once() -> None:
    """In the worked example all hidden weights share ∂E_total/∂out_h1 and what it is made of."""
    rows = Rows(forward(build_network()))
    names = [rows.name(place) for place in range(len(rows.rows))]
    assert len(names) == len(set(names))
    by_label = {node.label: node for node in rows.roots}
    assert len(rows.roots) == len([label for label in by_label if label != "E_total"]) == 20
    (first,), (second,) = (rows.rows[rows.roots[by_label[label]]][1] for label in ("w1", "w2"))
    assert first[0] == second[0]
    rows.check()


def test_what_the_weaker_terms_add_up_to_is_left_over() -> None:
    x = Value(0.5, "x")
    terms = []
    for k in range(40):
        station = x * (k + 1.0)
        station.label = f"u{k}"
        terms.append(station * 1.0)
    output = autograd.sum(terms)
    rows = Rows(output)
    root = rows.roots[x]
    assert rows.value(root) == 820.0  # 1 + 2 + … + 40
    *shown, (rest,) = rows.rows[root][1]
    assert len(shown) < TERMS
    assert rows.value(rest) is None
    assert rows.rows[rest][0] == f"({40 - len(shown)} weaker terms)"
    strongest = [math.prod(rows.value(factor) or 0.0 for factor in factors) for factors in shown]
    assert sorted(strongest) == [36.0, 37.0, 38.0, 39.0, 40.0]


def leapfrog(length: int) -> Value:
    """An oscillator step by step, without a label but those of its leaves."""
    x, v, k = Value(1.0, "x"), Value(0.0, "v"), Value(2.0, "k")
    for _ in range(length):
        x = x + v * 0.1
        v = v - k * x * 0.1
    return x


def two_back(length: int) -> Value:
    """Each node is made of the two before it, all with labels."""
    a, b = Value(1.0, "a"), Value(0.5, "b")
    for place in range(length):
        a, b = b, a * 0.5 + b
        b.label = f"n{place}"
    return b


@pytest.mark.engine_independent
@pytest.mark.parametrize("build", [leapfrog, two_back])
@pytest.mark.parametrize("length", [3, 25, 100, 250])
def test_a_long_recurrence_is_derived_or_left_to_the_page(build: Callable[[int], Value], length: int) -> None:
    output = build(length)
    rows = Rows(output)
    if rows.rows:
        rows.check()
        output.backward()
        for node, root in rows.roots.items():
            assert rows.value(root) == pytest.approx(node.grad, rel=1e-9, abs=1e-12)
    else:
        assert not rows.roots
        assert len(targets_of(rows.graph)) * len(rows.graph.nodes) > DERIVED_NODES or length > 25


def test_a_network_with_a_thousand_parameters_and_a_graph_of_thousands_of_nodes() -> None:
    network = MLP(4, [30, 30, 1], "tanh")
    for output in (network([0.1, 0.2, 0.3, 0.4]), leapfrog(1000)):
        graph = StationGraph(output)
        templates = Templates(graph)
        assert all(len(templates.folded_operation(node)) <= FORMULA_LENGTH for node in stations_of(graph))
        assert all(len(text) <= FORMULA_LENGTH for node in stations_of(graph) for text in templates.folded_slopes(node))
        derivations = templates.derivations(targets_of(graph))
        assert len(derivations["rows"]) <= MOST_DERIVATIVES


@pytest.mark.engine_independent
@pytest.mark.parametrize("combined", [autograd.sum, lambda terms: autograd.dot(terms, terms[::-1])])
def test_slopes_of_many_terms_take_time_in_proportion(combined: Callable[[list[Value]], Value]) -> None:
    """Sixteen times as many terms took 150 times as long when each slope went through all of them."""

    def seconds(count: int) -> float:
        output = combined([Value(0.1 * i, f"x{i}") * 2.0 for i in range(count)])
        templates = Templates(StationGraph(output))
        start = time.process_time()
        assert len(templates.folded_slopes(output)) == count
        return time.process_time() - start

    assert min(seconds(8_000) for _ in range(3)) < 40 * min(seconds(500) for _ in range(3))


def test_squares_of_squares_are_not_written_out() -> None:
    """Folded, seven powers of four of one station hold its name 16,384 times."""
    start = Value(0.9, "x").sin()
    start.label = "start"
    node = start
    for _ in range(14):
        node = node * node
    templates = Templates(StationGraph(node))
    assert templates.folded_operation(node) == ""
    assert templates.folded_slopes(node) == [""]
