"""Which nodes share a box of a picture of a large graph."""

import random
from collections import Counter

import autograd
from autograd import Parameter, Value, draw, topological_order
from autograd.views.folding import Folding
from nn import MLP
from tests.test_drawing import boxes, edges


def error_of(network: MLP[list[Value]]) -> Value:
    outputs = network.forward([0.01 * index for index in range(network.inputs)])
    error = autograd.sum([(output - 0.5) ** 2 for output in outputs])
    error.label = "E"
    error.backward()
    return error


def test_a_layer_is_a_box() -> None:
    """64-8-10: 512 weights, 8 biases, 8 weighted sums, 8 net inputs, 8 outputs, and so on."""
    error = error_of(MLP(64, [8, 10], generator=random.Random(1)))
    folding = Folding.of_groups(topological_order(error))
    sizes = Counter(len(box) for box in folding.boxes)
    assert sizes == {512: 1, 64: 1, 80: 1, 8: 4, 10: 7, 1: 1}
    assert sum(len(links) for _, _, links in folding.edges) == sum(
        len(node.parents) for node in topological_order(error)
    )
    drawn = draw(error)
    assert "rankdir=TB" in drawn.source
    words = list(boxes(drawn.to_svg()).values())
    assert len(words) == 15
    weights = [parameter.data for parameter in error_parameters(error) if int((parameter.label or "w0")[1:]) <= 512]
    (box,) = [line for line in words if line[0] == "w1 … w512"]
    lowest, highest = (f"{end:.5g}".replace("-", "−") for end in (min(weights), max(weights)))
    assert box[1] == f"{lowest} … {highest}"
    assert box[-1] == "512 parameters"
    assert ["E", f"{error.data:.5g}", "∂", "1", "Σ"] in words
    assert "10 nodes such as v9 + b9" in [line[-1] for line in words]


def error_parameters(error: Value) -> list[Parameter]:
    nodes = topological_order(error)
    return [node for node in nodes if isinstance(node, Parameter) and (node.label or "").startswith("w")]


def test_nodes_of_different_layers_and_of_different_kinds_do_not_share_a_box() -> None:
    x, p = Value(1.0, "x1"), Parameter(1.0, "x2")
    first, second = [x.tanh(), p.tanh()], [x.sin(), p.sin()]
    nodes = topological_order(autograd.sum([*first, *second, first[0].tanh()]))
    assert Folding.of_groups(nodes).home.keys() == set(nodes)
    assert len(Folding.of_groups(nodes).boxes) == len(nodes)


def test_a_chain_is_not_folded_and_neither_is_a_small_graph() -> None:
    chain = Value(0.5, "x")
    for _ in range(300):
        chain = chain.sin()
    assert len(edges(draw(chain).source)) == 300
    small = error_of(MLP(2, [2, 2], generator=random.Random(1)))
    nodes = topological_order(small)
    assert len(Folding.of(nodes, None).boxes) == len(nodes)
    assert len(Folding.of(nodes, True).boxes) < len(nodes)
    large = error_of(MLP(2, [16, 16, 1], generator=random.Random(1)))
    assert len(edges(draw(large, fold=False).source)) == sum(len(node.parents) for node in topological_order(large))


def test_frames_hold_the_boxes_of_a_layer() -> None:
    network = MLP[list[Value]](64, [8, 10], generator=random.Random(1))
    source = draw(error_of(network), clusters=network.clusters).source
    assert source.count("label=") - source.count("label=<") >= 2
    assert [title for title in ("hidden layer", "output layer") if f'label="{title}"' in source] == [
        "hidden layer",
        "output layer",
    ]
    assert "label=h1" not in source  # a frame of one neuron would hold nothing


def test_the_range_of_what_is_known() -> None:
    weights = [Parameter(float(index), f"w{index}") for index in range(1, 5)]
    output = autograd.sum([weight.sin() for weight in weights])
    shown = {words[0]: words for words in boxes(draw(output, fold=True).to_svg()).values()}
    assert shown["w1 … w4"] == ["w1 … w4", "1 … 4", "∂", "?", "4 parameters"]
    steps = autograd.steps(output)
    first = {words[0]: words for words in boxes(draw(steps[0], fold=True).to_svg()).values()}
    assert first["v1 … v4"][1:] == ["0.84147", "∂", "?", "4 nodes such as sin(w1)"]  # sin 1
    weights[2].data = float("nan")
    shown = {words[0]: words for words in boxes(draw(output, fold=True).to_svg()).values()}
    assert shown["w1 … w4"][1] == "nan"


def test_a_large_network_is_shown_in_a_notebook_and_a_large_chain_is_not() -> None:
    error = error_of(MLP(64, [8, 10], generator=random.Random(1)))
    assert len(topological_order(error)) > 500
    assert "<img" in str(error._repr_html_())
    chain = Value(0.5)
    for _ in range(30_000):
        chain = chain.sin()
    assert "<img" not in str(chain._repr_html_())
