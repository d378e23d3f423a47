"""Networks that are found in a graph."""

from __future__ import annotations

import random
from typing import Any

import pytest

from autograd import Constant, Parameter, Value
from autograd.views.live_page.neurons import layers_of
from autograd.views.live_page.stations import StationGraph
from nn import MLP, half_squared_error, softmax_cross_entropy


@pytest.mark.parametrize("sizes", [[1], [2, 1], [5, 3, 1]])
@pytest.mark.parametrize("activation", ["tanh", None])
def test_the_layers_of_an_mlp_are_found(sizes: list[int], activation: str | None) -> None:
    """They are those that the network itself names."""
    network = MLP(3, sizes, activation, generator=random.Random(1))
    inputs = [Constant(0.1 * place, f"i{place}") for place in range(3)]
    error = half_squared_error(network(inputs), Constant(1.0, "target"))
    error.label = "E"
    found = layers_of(StationGraph(error))
    for layer, of_network in zip(found, network.layers, strict=True):
        for neuron, made in zip(layer, of_network.neurons, strict=True):
            assert neuron.net.label == f"net_{made.name}"
            assert neuron.out.label == f"{'out' if made.activation else 'net'}_{made.name}"
            assert (list(neuron.weights), neuron.bias) == (list(made.weights), made.bias)


def test_what_a_loss_makes_of_an_output_is_no_activation() -> None:
    network: MLP[Any] = MLP(4, [3, 12], "tanh", generator=random.Random(1))
    outputs = network([Constant(0.1 * place, f"i{place}") for place in range(4)])
    targets: list[Any] = [Constant(float(place == 3), f"target_{place}") for place in range(12)]
    error = softmax_cross_entropy(outputs, targets)
    error.label = "E"
    found = layers_of(StationGraph(error))
    assert [len(layer) for layer in found] == [3, 12]
    assert all(neuron.out is neuron.net for neuron in found[1])


def test_other_graphs_are_no_networks() -> None:
    w, v, b = (Parameter(0.5, name) for name in "wvb")
    x, y = Value(2.0, "x"), Value(3.0, "y")

    def labelled(node: Value, label: str) -> Value:
        node.label = label
        return node

    neuron = labelled(labelled(w * x + b, "net").tanh(), "out")
    for output in (
        x * y + 1.0,  # no parameters
        w * x * y,  # a product of three
        w * v,  # of parameters alone
        w * x + b + b,  # two biases
        neuron * labelled(v * y, "other"),  # a second neuron with inputs of its own
        labelled(v * neuron, "n") + labelled(v * x, "m"),  # inputs of two layers
    ):
        assert layers_of(StationGraph(output)) == []
    assert [len(layer) for layer in layers_of(StationGraph(labelled(v * neuron, "last")))] == [1, 1]
