"""Neurons, layers and networks: what they compute, how they begin, and how they are shown."""

import base64
import copy
import html
import math
import random
import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from autograd import Value, explain, relu, topological_order
from autograd.primitives import PRIMITIVES
from nn import MLP, Layer, Neuron
from nn.modules import ACTIVATIONS


def test_a_neuron_is_a_weighted_sum_through_its_activation() -> None:
    neuron = Neuron(3, "tanh", name="n")
    weights, bias = [w.data for w in neuron.weights], neuron.bias
    assert bias is not None
    out = neuron([1.0, Value(-2.0), 0.5])
    net = weights[0] * 1.0 + weights[1] * -2.0 + weights[2] * 0.5 + bias.data
    assert out.data == pytest.approx(math.tanh(net), rel=1e-15)
    assert (out.label, out.parents[0].label) == ("out_n", "net_n")


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_every_activation_of_the_table(activation: str) -> None:
    neuron = Neuron(1, activation, bias=False)
    neuron.weights[0].data = 1.0
    out = neuron([1.25 if activation == "acosh" else 0.25])
    assert out.primitive is PRIMITIVES[activation]
    out.backward()
    assert neuron.weights[0].has_grad


def test_bad_shapes_are_refused() -> None:
    with pytest.raises(ValueError, match=r"unknown activation 'sigmoidal': choose None or one of .*sigmoid"):
        Neuron(1, "sigmoidal")
    with pytest.raises(ValueError, match="at least one input, got 0"):
        Neuron(0)
    with pytest.raises(ValueError, match="at least one neuron, got 0"):
        Layer(1, 0)
    with pytest.raises(ValueError, match="unknown kind of bias 'common'"):
        Layer(1, 1, bias="common")  # type: ignore[arg-type]  # what is tested
    with pytest.raises(ValueError, match="at least one layer"):
        MLP(1, [])
    with pytest.raises(ValueError, match="this network takes 2 inputs, got 3"):
        MLP(2, [1])([1, 2, 3])
    with pytest.raises(ValueError, match="same length, got 2 and 1"):
        Neuron(2)([1.0])


def test_biases_of_a_layer() -> None:
    shared, own, none = Layer(2, 3, bias="shared"), Layer(2, 3), Layer(2, 3, bias=None)
    assert [len(layer.biases) for layer in (shared, own, none)] == [1, 3, 0]
    assert [len(layer.parameters()) for layer in (shared, own, none)] == [7, 9, 6]
    assert shared.neurons[0].bias is shared.neurons[2].bias
    sum(shared([1.0, 2.0]), Value(0.0)).backward()
    active = [neuron.net([1.0, 2.0]).data > 0 for neuron in shared.neurons]
    assert shared.biases[0].grad == sum(active)  # each neuron that its relu lets through adds 1


def test_one_output_stands_for_itself_as_in_micrograd() -> None:
    network = MLP(2, [3, 1])
    assert isinstance(network([1.0, 2.0]), Value)
    assert [type(out) for out in network.forward([1.0, 2.0])] == [Value]
    assert len(MLP[list[Value]](2, [3, 2])([1.0, 2.0])) == 2
    assert network.layers[0].neurons[0].activation == "relu"
    assert network.layers[1].neurons[0].activation is None


def test_labels_are_those_of_the_article() -> None:
    network: MLP[list[Value]] = MLP(2, [2, 2], "sigmoid", "sigmoid", bias="shared")
    outputs = network([0.05, 0.1])
    labels = {node.label for node in topological_order(outputs[0]) + topological_order(outputs[1]) if node.label}
    assert labels == {
        "i1", "i2", "w1", "w2", "w3", "w4", "w5", "w6", "w7", "w8", "b1", "b2", "net_h1", "out_h1", "net_h2", "out_h2",
        "net_o1", "out_o1", "net_o2", "out_o2",
    }  # fmt: skip
    assert [[neuron.name for neuron in layer.neurons] for layer in MLP(1, [2, 1, 1]).layers] == [
        ["h1.1", "h1.2"], ["h2.1"], ["o1"],
    ]  # fmt: skip


def test_initial_numbers_come_from_the_generator() -> None:
    def numbers(seed: int) -> list[float]:
        return list(MLP(3, [4, 2], generator=random.Random(seed)).state_dict().values())

    assert numbers(1) == numbers(1) != numbers(2)
    state = random.getstate()
    MLP(3, [4, 2], generator=random.Random(1))
    assert random.getstate() == state
    layer = Layer(400, 10, generator=random.Random(3))
    drawn = [weight.data for neuron in layer.neurons for weight in neuron.weights]
    assert max(map(abs, drawn)) <= 1 / 20
    assert sum(x * x for x in drawn) / len(drawn) == pytest.approx(
        1 / 400 / 3, rel=0.1
    )  # the variance of uniform ±1/20


def test_the_default_generator_is_the_module_random() -> None:
    def numbers() -> list[float]:
        return list(MLP(3, [4, 2], bias="shared").state_dict().values())

    random.seed(1337)
    drawn = numbers()
    assert numbers() != drawn
    random.seed(1337)
    assert (
        numbers() == drawn == list(MLP(3, [4, 2], bias="shared", generator=random.Random(1337)).state_dict().values())
    )
    random.seed(1337)
    neuron = Neuron(2)
    assert [weight.data for weight in neuron.weights] == pytest.approx(
        [random.Random(1337).uniform(-1, 1) / math.sqrt(2), drawn[1] * math.sqrt(3 / 2)], rel=1e-14
    )


def test_a_generator_of_numpy_serves_too() -> None:
    generator: Any = np.random.default_rng(1)
    numbers = list(MLP(2, [2], generator=generator).state_dict().values())
    assert numbers == [x / math.sqrt(2) for x in np.random.default_rng(1).uniform(-1, 1, 6)]


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: MLP(2, 4, 1), r"list of the number of neurons in each layer, got 4; write MLP\(2, \[4, 1\]\)"),  # type: ignore[arg-type]  # what is tested
        (lambda: MLP(3, 16, 16, 1), r"write MLP\(3, \[16, 16, 1\]\)"),  # type: ignore[arg-type]  # likewise
        (lambda: MLP(2, [3, 1])(5), r"takes a list of 2 inputs, got 5; write network\(\[x1, x2\]\)"),  # type: ignore[arg-type]  # likewise
        (lambda: MLP(1, [1])(Value(5.0)), r"a list of 1 input, got Value\(5\.0\); write network\(\[x\]\)"),  # type: ignore[arg-type]  # likewise
        (lambda: MLP(3, [1])(x for x in [1.0, 2.0, 3.0]), r"got <generator .*; write network\(\[x1, x2, …\]\)"),  # type: ignore[arg-type]  # likewise
        (lambda: Neuron(2)(5), r"a neuron takes a list of 2 inputs, got 5"),  # type: ignore[arg-type]  # likewise
        (lambda: Layer(2, 2)(5.0), r"a neuron takes a list of 2 inputs, got 5\.0"),  # type: ignore[arg-type]  # likewise
        (lambda: Neuron(2)(["a", "b"]), "got 'a' of type str"),  # type: ignore[list-item]  # likewise
        (lambda: MLP(1, [1], generator=1), r"expected a generator .*got 1; give random\.Random\(1\)"),  # type: ignore[arg-type]  # likewise
        (lambda: Layer(1, 1, bias="shared", generator=True), "expected a generator of random numbers, got True"),  # type: ignore[arg-type]  # likewise
    ],
)  # fmt: skip
def test_likely_slips_are_named(call: Callable[[], Any], message: str) -> None:
    with pytest.raises(TypeError, match=message):
        call()


@pytest.mark.parametrize(
    ("activation", "meant"),
    [("Relu", "relu"), ("ReLU", "relu"), ("sigmod", "sigmoid"), (relu, "relu"), (math.tanh, "tanh")],
)
def test_an_activation_that_is_nearly_right_is_suggested(activation: Any, meant: str) -> None:
    with pytest.raises(ValueError, match=f"unknown activation .*: choose None or one of .*; did you mean '{meant}'\\?"):
        Neuron(1, activation)


def test_nothing_is_suggested_for_what_is_like_nothing() -> None:
    with pytest.raises(ValueError, match="unknown activation 'zzz'") as error:
        Neuron(1, "zzz")
    assert "did you mean" not in str(error.value)


def test_reprs_are_short() -> None:
    network = MLP(2, [4, 1], "tanh")
    assert repr(network) == "<MLP 2-4-1: 17 parameters>"
    assert repr(network.layers[0]) == "<Layer: 4 neurons, tanh>"
    assert repr(network.layers[1].neurons[0]) == "<Neuron o1: 4 inputs, linear>"
    assert repr(Neuron(1)) == "<Neuron: 1 input, relu>"


def test_a_network_in_a_notebook_shows_its_picture_and_its_summary() -> None:
    network = MLP(2, [2, 1], "tanh")
    network.layers[0].neurons[0].weights[0].label = "<w>"
    shown = network._repr_html_()
    assert shown is not None
    picture = re.search(r"data:image/svg\+xml;base64,([A-Za-z0-9+/=]+)", shown)
    assert picture is not None
    svg = base64.b64decode(picture[1]).decode()
    assert all(f">{name}<" in svg for name in ("i1", "i2", "h1", "h2", "o1"))
    assert shown.endswith(f"<pre>{html.escape(network.summary())}</pre>")
    assert "<w>" not in shown


def test_a_large_network_in_a_notebook_is_short() -> None:
    shown = MLP(2, [600, 1])._repr_html_()
    assert shown is not None
    assert "<img" in shown
    assert len(shown) < 100_000
    assert len(shown.splitlines()) == 101  # of 604 lines
    assert shown.endswith("…</pre>")


def test_what_cannot_be_shown_does_not_raise() -> None:
    unfinished = MLP.__new__(MLP)
    assert (repr(unfinished), unfinished._repr_html_()) == ("<MLP>", None)
    emptied = Layer(1, 1)
    emptied.neurons.clear()
    assert (repr(emptied), emptied._repr_html_()) == ("<Layer>", None)


def test_a_copied_network_learns_on_its_own() -> None:
    network = MLP(2, [2, 1], "tanh")
    before = network.state_dict()
    twin = copy.deepcopy(network)
    assert twin.state_dict() == before
    output = twin([1.0, 2.0])
    output.backward()
    for parameter in twin.parameters():
        parameter.data -= 0.1 * parameter.grad
    assert twin.state_dict() != before == network.state_dict()
    assert not any(parameter.has_grad for parameter in network.parameters())
    copied = copy.deepcopy(output)
    assert str(explain(copied, copied.parents[0])) == str(explain(output, output.parents[0]))


def test_summary_layer_by_layer() -> None:
    network = MLP(2, [2, 1], "sigmoid", bias="shared")
    for parameter in network.parameters():
        parameter.data = 0.25
    assert network.summary().splitlines() == [
        "MLP 2-2-1: 8 parameters",
        "  2 neurons, sigmoid",
        "    h1: w1 = 0.25, w2 = 0.25, b1 = 0.25",
        "    h2: w3 = 0.25, w4 = 0.25, b1 = 0.25",
        "  1 neuron, linear",
        "    o1: w5 = 0.25, w6 = 0.25, b2 = 0.25",
    ]
    assert "… 12 more weights" in MLP(20, [1]).summary()
