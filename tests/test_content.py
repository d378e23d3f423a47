"""The content of a page: what it says of a graph, computed again by other means; and what is refused."""

from __future__ import annotations

import html
import json
import math
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given

import autograd
from autograd import Constant, LivePage, NeuronNodes, Parameter, Value, live_page, steps, topological_order
from autograd.primitives import PRIMITIVES
from autograd.programs import Program
from autograd.views import rendering
from autograd.views.live_page.content import GraphContent
from nn import MLP, Neuron
from nn.examples.worked_example import build_network, forward
from tests.driven_page import projectile
from tests.shared_code import examples
from tests.test_writing import graphs


def content_of(output: Value, **arguments: Any) -> dict[str, Any]:
    """The content, by way of strict JSON."""
    content = GraphContent(output, **arguments).to_dict()
    result: dict[str, Any] = json.loads(json.dumps(content, allow_nan=False))
    return result


def data_of(page: LivePage) -> dict[str, Any]:
    """What the script of a page reads."""
    (text,) = re.findall('<script type="application/json" id="data">(.*?)</script>', page.html, re.DOTALL)
    result: dict[str, Any] = json.loads(text, parse_constant=lambda constant: pytest.fail(f"it holds {constant}"))
    return result


def program_of(content: Mapping[str, Any]) -> Program:
    """The program of a page's graph, read back."""
    head = {"format": "stepgrad program", "version": 1}
    labels = {str(slot): name for slot, name in enumerate(content["names"])}
    return Program.from_json(json.dumps({**head, **content["program"], "labels": labels}))


def evaluated_at(content: Mapping[str, Any], row: Sequence[float]) -> tuple[float, dict[str, float]]:
    """The output and the gradients by name, with a row of numbers for the columns."""
    program = program_of(content)
    numbers = dict(zip(content["columns"], row, strict=True))
    inputs = [numbers.get(slot, program.numbers[slot]) for slot in program.inputs]
    (result,) = program.run(inputs)
    of_inputs, of_parameters = program.gradient(inputs)
    slots = (*program.inputs, *program.parameters)
    return result, {
        content["names"][slot]: grad for slot, grad in zip(slots, (*of_inputs, *of_parameters), strict=True)
    }


@examples(60)
@given(graphs(labelled=True))
def test_the_content_of_random_graphs(nodes: list[Value]) -> None:
    output = nodes[-1]
    order = topological_order(output)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(rendering, "renderers", lambda: iter(()))  # which are slow, and tested elsewhere
        content = content_of(output)
    assert content["names"] == [steps(output).names.of(node).plain for node in order]
    assert content["placement"] is None
    assert content["constants"] == content["columns"] == content["predictions"] == []
    assert content["learning"] == [place for place, node in enumerate(order) if node.primitive is None]
    stations = [slot for slot, _ in content["stations"]]
    assert len(content["formulas"]) == len(content["slopes"]) == len(stations)
    assert stations == sorted(set(stations))
    assert stations[-1:] == [len(order) - 1]
    for (_, parents), slopes in zip(content["stations"], content["slopes"], strict=True):
        assert len(slopes) == len(parents) == len(set(parents))
    operations = [node for node in order if node.primitive is not None]
    if len(stations) < len(operations) or any(len(set(node.parents)) < len(node.parents) for node in operations):
        assert len(content["operations"]) == len(operations)
        assert list(map(len, content["operationSlopes"])) == [len(node.parents) for node in operations]
    else:
        assert "operations" not in content
    program = program_of(content)
    assert len(program) == len(order)
    assert repr(program.run()) == repr((output.data,))
    output.backward()
    grads = dict(zip((*program.inputs, *program.parameters), sum(program.gradient(), ()), strict=True))
    for slot, grad in grads.items():
        assert repr(grad) == repr(order[slot].grad)


def test_what_learns_and_what_is_given() -> None:
    w, x, y, k = Parameter(2.0, "w"), Value(3.0, "x"), Value(0.5, "y"), Constant(1.5, "k")
    output = w * x + y * k

    def learning(**arguments: Any) -> tuple[list[str], list[str]]:
        content = content_of(output, **arguments)
        names = content["names"]
        return [names[slot] for slot in content["learning"]], [names[slot] for slot in content["columns"]]

    assert learning() == (["w"], [])
    assert learning(inputs=iter([k, x])) == (["w"], ["k", "x"])
    assert learning(learning=(leaf for leaf in (y, w))) == (["y", "w"], [])
    assert learning(learning=[]) == ([], [])
    output = x * y + k
    assert learning() == (["x", "y"], [])
    assert learning(inputs=[y]) == (["x"], ["y"])
    assert learning(inputs=[x, y]) == ([], ["x", "y"])


def test_a_training_is_offered_where_there_is_something_to_learn() -> None:
    def offered(output: Value, **arguments: Any) -> bool:
        content = data_of(live_page(output, **arguments))["graphs"][0]
        assert content["canTrain"] <= bool(content["learning"])
        return bool(content["canTrain"])

    x, y = Value(3.0, "x"), Value(0.5, "y")
    ball = projectile()
    energy = Value(2.0, "m") * y**2 / 2.0
    energy.label = "Energy"
    assert not any(map(offered, (x * y, ball, energy)))
    assert offered(Parameter(2.0, "w") * x)
    assert offered(x * y, learning=[x])
    assert offered(ball, learning_rate=0.5)
    assert offered(x * y, cases=[{"x": 1.0}])
    assert not offered(x * y, learning=[])
    assert not offered(x * y, cases=[{"x": 1.0, "y": 2.0}])
    for label in ("E", "E_total", "loss", "squared error", "Cost"):
        output = (x - y) ** 2
        output.label = label
        assert offered(output), label
    target = Value(1.0, "target_o1")
    output = (x * y - target) ** 2
    assert offered(output)
    content = content_of(output)
    assert [content["names"][slot] for slot in content["learning"]] == ["x", "y"]


def test_constants_get_no_gradient() -> None:
    x, k = Value(3.0, "x"), Constant(1.5, "k")
    content = content_of((x * k + 4.0) ** 2)
    names = content["names"]
    assert sorted(names[slot] for slot in content["constants"]) == ["2", "4", "k"]
    for _, parents in content["stations"]:
        assert not set(parents) & set(content["constants"])


@pytest.mark.parametrize("number", [math.inf, -math.inf, math.nan, 1e308, 5e-324])
def test_numbers_that_json_lacks(number: float) -> None:
    x = Value(number, "x")
    output = x * 2.0 + autograd.sum([Constant(number), math.nan])
    content = content_of(output)
    assert repr(program_of(content).run()) == repr((output.data,))
    assert data_of(live_page(output))["graphs"][0]["program"] == content["program"]


def test_labels_are_text_whatever_they_hold(tmp_path: Path) -> None:
    script = "</script><script>alert(1)</script>"
    labels = [script, "]]>", "<!--", "\u2028", "a\x00b\ud800", "@0", '"', "x" * 10_000, "x"]
    leaves = [Value(float(k), label) for k, label in enumerate([*labels, "x"])]
    page = live_page(autograd.sum(leaves), title="</title><script>alert(2)</script>\ud800")  # a lone surrogate
    assert page.html.count("<script") == page.html.count("</script>") == 2
    names = data_of(page)["graphs"][0]["names"]
    assert len(names) == len(set(names)) == len(leaves) + 1
    assert names[0] == labels[0]
    assert max(map(len, names)) < 100
    assert page.save(tmp_path / "page.html").read_bytes() == page.html.encode()


def test_causes_are_those_of_the_table() -> None:
    x = Value(0.5, "x")
    causes = data_of(live_page(x.tanh() + x.relu() * x))["diagnosis"]["causes"]
    assert set(causes) == {"tanh", "relu", "multiply"}
    assert causes["relu"] == [PRIMITIVES["relu"].when_flat, PRIMITIVES["relu"].when_steep, 1]


# Networks.


def network_content(network: MLP, inputs: Sequence[Value | float]) -> dict[str, Any]:
    outputs = network.forward(inputs)
    total = autograd.sum([output * output for output in outputs])
    total.label = "E"
    return content_of(total)


def test_the_neurons_of_the_worked_example() -> None:
    network = build_network("per-neuron")
    total = forward(network)
    content = content_of(total)
    names = content["names"]

    def named(neuron: list[Any]) -> list[Any]:
        net, out, weights, bias = neuron
        return [names[net], names[out], [names[weight] for weight in weights], names[bias]]

    assert [names[slot] for slot in content["network"]["inputs"]] == ["i1", "i2"]
    assert [[named(neuron) for neuron in layer] for layer in content["network"]["layers"]] == [
        [["net_h1", "out_h1", ["w1", "w2"], "b1"], ["net_h2", "out_h2", ["w3", "w4"], "b2"]],
        [["net_o1", "out_o1", ["w5", "w6"], "b3"], ["net_o2", "out_o2", ["w7", "w8"], "b4"]],
    ]
    assert "placement" not in content
    program = program_of(content)
    layers = {names[slot]: layer for slot, layer in zip(program.parameters, content["program"]["layers"], strict=True)}
    assert layers == {
        **dict.fromkeys(["w1", "w2", "w3", "w4", "b1", "b2"], 0),
        **dict.fromkeys(["w5", "w6", "w7", "w8", "b3", "b4"], 1),
    }


@pytest.mark.engine_independent
@pytest.mark.parametrize("bias", ["per-neuron", "shared", None])
@pytest.mark.parametrize("sizes", [[1], [3, 2], [16, 16, 1]])
@pytest.mark.parametrize("activation", ["tanh", None])
def test_networks_of_any_form_are_drawn_in_layers(bias: Any, sizes: list[int], activation: str | None) -> None:
    network = MLP(2, sizes, activation, bias=bias)
    content = network_content(network, [0.5, -0.5])
    drawn, names = content["network"], content["names"]
    assert [len(layer) for layer in drawn["layers"]] == sizes
    for layer, modules in zip(drawn["layers"], network.layers, strict=True):
        for (net, out, weights, offset), neuron in zip(layer, modules.neurons, strict=True):
            assert names[net] == f"net_{neuron.name}"
            assert names[out] == f"{'out' if neuron.activation else 'net'}_{neuron.name}"
            assert [names[weight] for weight in weights] == [weight.label for weight in neuron.weights]
            assert (offset is None) is (bias is None)
            if neuron.bias is not None:
                assert names[offset] == neuron.bias.label


def test_graphs_that_are_not_layered_as_said_are_placed_like_others() -> None:
    x = Value(0.5, "x")
    twice = MLP(2, [2, 1], "tanh")
    neuron = Neuron(2, "tanh", name="n")
    net = neuron([0.25, 0.75])  # plain numbers are no stations
    unlabelled = NeuronNodes(net.parents[0], net, neuron.weights, neuron.bias)
    outputs = MLP(2, [1]), MLP(2, [1])
    inner, of_inner = outputs[0]([x, 1.0]), outputs[0].layers[0].neurons[0]
    y = outputs[1]([x, inner])
    first = [NeuronNodes(inner, inner, of_inner.weights, of_inner.bias)]
    assert "network" not in network_content(twice, [x, x])
    assert "network" not in content_of(net, layers=[[unlabelled]])
    assert "network" not in content_of(y * 1.0, layers=[first, first])
    assert network_content(twice, [x, x])["placement"] is not None


def test_layers_that_share_weights() -> None:
    network = MLP(2, [2, 2], "tanh")
    for first, second in zip(network.layers[0].neurons, network.layers[1].neurons, strict=True):
        second.weights, second.bias = first.weights, first.bias
    content = network_content(network, [0.5, -0.5])
    assert content["network"]["layers"][0][0][2] == content["network"]["layers"][1][0][2]
    autograd.sum([output * output for output in network.forward([0.5, -0.5])]).backward()
    _, grads = evaluated_at(content, [])
    for parameter in network.parameters():
        assert grads[str(parameter.label)] == parameter.grad


# What is refused.


def test_a_primitive_of_ones_own_is_named() -> None:
    cube = autograd.primitive(lambda out, y: 3.0 * y**2, name="cube")(lambda y: y**3)
    for build in (content_of, live_page):
        with pytest.raises(TypeError, match="<primitive cube>"):
            build(cube(Value(2.0)) + 1.0)


def test_nodes_that_are_not_of_the_graph_are_named() -> None:
    x, other = Value(1.0, "x"), Value(5.0, "other")
    inner = x * 2.0
    output = inner + x
    wrong: list[dict[str, Any]] = [{role: [node]} for role in ("learning", "inputs") for node in (other, inner)]
    for arguments in wrong:
        with pytest.raises(ValueError, match=r"(label='other'|Value\(2\.0\)).* is not a leaf of this graph"):
            GraphContent(output, **arguments)
    for pair in ((other, x), (inner, other)):
        with pytest.raises(ValueError, match="prediction"):
            live_page(output, predictions=[pair])
    with pytest.raises(TypeError, match=r"expected a node, got 2\.0 of type float"):
        live_page(output, predictions=[(inner, 2.0)])  # type: ignore[list-item]  # what is tested
    with pytest.raises(TypeError, match=r"got 3\.0 of type float"):
        live_page(3.0)  # type: ignore[arg-type]  # what is tested


@pytest.mark.parametrize(
    ("cases", "message"),
    [
        ([{"z": 1.0}], "no node of this graph is called 'z'"),
        ([{"same": 1.0}], "'same' is the label of 2 nodes of this graph"),
        ([{"inner": 1.0}], "label='inner'.* is not a leaf of this graph"),
        ([{Value(1.0, "x"): 1.0}], "label='x'.* is not a leaf of this graph"),
        ([{"x": 1.0}, {"x": 1.0, "k": 2.0}], "case 1 gives numbers for"),
        ([{"x": 1.0}, {}], "case 1 gives numbers for"),
        ([{}, {"x": 1.0}], "case 1 gives numbers for"),
        ([{"x": math.nan}], "nan"),
        ([{"x": 1.0}, {"x": math.inf}], "inf"),
    ],
)
def test_cases_that_do_not_fit_are_named(cases: list[dict[Value | str, float]], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        live_page(small_graph(), cases)


def small_graph() -> Value:
    inner = Value(1.0, "x") * Constant(2.0, "k")
    inner.label = "inner"
    return inner + Value(3.0, "same") * Value(4.0, "same")


@pytest.mark.parametrize("number", ["1", None, 1j, True, [1.0]])
def test_numbers_that_are_none_are_named(number: Any) -> None:
    rates = [] if number is None else [{"learning_rate": number}]  # None asks for the usual one
    for arguments in ({"cases": [{"x": number}]}, *rates):
        with pytest.raises(TypeError, match=f"got .* of type {type(number).__name__}"):
            live_page(small_graph(), **arguments)


@pytest.mark.parametrize("rate", [math.nan, math.inf, 0.0, -0.5])
def test_a_learning_rate_that_is_none_is_named(rate: float) -> None:
    with pytest.raises(ValueError, match=f"{rate}"):
        live_page(small_graph(), learning_rate=rate)


def test_a_leaf_that_a_case_names_twice_is_refused() -> None:
    x = Value(1.0, "x")
    with pytest.raises(ValueError, match="name each leaf once"):
        live_page(x * 2.0, [{x: 1.0, "x": 2.0}])


# Cases.


def test_cases_give_numbers_to_leaves_by_themselves_or_by_label() -> None:
    x, y, w = Value(1.0, "x"), Constant(2.0, "y"), Parameter(0.5, "w")
    output = (w * x - y) ** 2
    rows: list[Mapping[Value | str, float]] = [{x: 3.0, "y": 4}, {"y": -1.0, x: 0.25}]
    page = live_page(output, iter(rows), learning_rate=0.25, pick=True)
    data = data_of(page)
    (content,) = data["graphs"]
    assert (data["cases"], data["learningRate"], data["pick"]) == ([[3.0, 4.0], [0.25, -1.0]], 0.25, True)
    for (at, target), row in zip([(3.0, 4.0), (0.25, -1.0)], data["cases"], strict=True):
        value, grads = evaluated_at(content, row)
        error = 0.5 * at - target
        assert value == pytest.approx(error**2, rel=1e-15)
        assert grads["w"] == pytest.approx(2.0 * error * at, rel=1e-15)


def test_leaves_that_learn_and_predictions_are_named_by_label() -> None:
    x, y, w, k = Constant(1.0, "x"), Constant(2.0, "y"), Value(0.5, "w"), Value(3.0, "k")
    out = w * x + k
    out.label = "out"
    (by_label,) = data_of(live_page((out - y) ** 2, learning=["w"], predictions=[("out", "y")]))["graphs"]
    (by_node,) = data_of(live_page((out - y) ** 2, learning=[w], predictions=[(out, y)]))["graphs"]
    assert by_label == by_node
    assert [by_label["names"][slot] for slot in by_label["learning"]] == ["w"]


def test_a_leaf_without_a_label_stands_in_formulas_by_its_place_if_cases_give_its_number() -> None:
    k, w = Constant(7.25), Parameter(0.5, "w")
    content = content_of(k * w, inputs=[k])
    (column,) = content["columns"]
    assert content["formulas"][0].startswith(f"@{column}")


@pytest.mark.parametrize("leaf", [Value(1.5, "x"), Value(1.5), Parameter(1.5), Constant(1.5), Constant(1.5, "k")])
def test_a_leaf_is_a_page(leaf: Value) -> None:
    content = content_of(leaf)
    assert (content["stations"], content["formulas"], content["slopes"]) == ([], [], [])
    assert len(content["placement"]["across"]["boxes"]) == 1
    assert program_of(content).run() == (1.5,)
    assert data_of(live_page(leaf))["graphs"][0]["names"] == content["names"]


def test_a_graph_of_constants_alone() -> None:
    output = Constant(2.0) * Constant(3.0) + Constant(4.0, "k")
    content = content_of(output)
    assert content["learning"] == []
    assert program_of(content).run() == (10.0,)
    assert live_page(output).title == "output, step by step"


def test_a_large_graph() -> None:
    node = x = Value(0.5, "x")
    for _ in range(5_000):
        node = (node + x) * 0.5
    content = content_of(node)
    assert content["placement"] is None
    assert content["derivations"] == {"rows": [], "roots": [], "definitions": []}
    assert program_of(content).run() == (0.5,)


def test_a_page_in_a_notebook_is_a_frame_that_may_run_scripts_and_save_files_alone() -> None:
    page = live_page(small_graph(), title='a "b" <c>')
    text = page._repr_html_()
    (frame, beside) = re.findall(r"<iframe ([^>]*)></iframe><script>([^<]*)</script>$", text)[0]
    assert frame.count("<") == beside.count("<") == 0  # the text of attributes, and a script that is the same for all
    assert beside in live_page(Value(1.0) + 1.0)._repr_html_()
    assert re.findall(r'sandbox="([^"]*)"', frame) == ["allow-scripts allow-downloads"]
    (source,) = re.findall(r'srcdoc="([^"]*)"', frame)
    assert html.unescape(source) == page.html
    assert 'title="a &quot;b&quot; &lt;c&gt;"' in frame
    assert repr(page).startswith("<LivePage 'a \"b\" <c>' of ")


def test_nodes_in_the_file_of_a_page_are_named_by_their_slots() -> None:
    x, other = Value(2.0, "x"), Value(7.0)
    y = x * 3.0
    y.label = "y"
    content = content_of(y, file={"x": x, "nodes": [y, other], "kind": "line"})
    slots = {name: slot for slot, name in enumerate(content["names"])}
    expected = {"x": {"slot": slots["x"]}, "nodes": [{"slot": slots["y"]}, 7.0], "kind": "line"}
    assert content["file"] == expected
    assert "file" not in content_of(y)
    with pytest.raises(TypeError, match=r"holds <object.*; give strings, numbers, Values"):
        live_page(y, file={"x": object()})
    with pytest.raises(ValueError, match="infinite or nan; give finite ones"):
        live_page(y, file={"x": math.nan})


def test_what_cannot_learn_is_refused() -> None:
    x, w, constant = Value(2.0, "x"), Value(3.0, "w"), Constant(4.0, "c")
    output = x * w * constant
    with pytest.raises(ValueError, match=r"label='c'.* cannot learn: it is a constant; name variables"):
        GraphContent(output, learning=[constant])
    with pytest.raises(ValueError, match=r"label='x'.* cannot learn: it is given by the cases"):
        GraphContent(output, learning=[x], inputs=[x])
