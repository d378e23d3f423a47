"""The neurons of a network, found in its graph.

>>> from autograd import Parameter, Value
>>> w, b, x = Parameter(0.5, "w"), Parameter(0.1, "b"), Value(2.0, "x")
>>> net = w * x + b
>>> net.label = "net"
>>> found = layers_of(StationGraph(net.tanh()))
>>> [[(neuron.net.label, neuron.weights, neuron.bias) for neuron in layer] for layer in found]
[[('net', [Parameter(0.5, label='w')], Parameter(0.1, label='b'))]]
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from autograd.primitives import add, dot_product, multiply, summation
from autograd.value import Parameter, Value
from autograd.views.live_page.stations import StationGraph


class NeuronNodes(NamedTuple):
    """The nodes of a neuron, for the picture of a network.

    Attributes:
        net: its weighted sum.
        out: what its activation makes of that; the sum itself where there is none.
        weights: its parameters, one for each input, in their order.
        bias: its bias, or None.
    """

    net: Value
    out: Value
    weights: Sequence[Value]
    bias: Value | None


def layers_of(graph: StationGraph) -> list[list[NeuronNodes]]:
    """Return the neurons of each layer, if all weighted sums of the graph make one network of fully connected layers.

    A weighted sum is a node with a label, made of products of a parameter and another station, and of a parameter at
    most.

    Returns:
        The layers, from the inputs on; none for another graph.
    """
    stations = [node for node in graph.nodes if node in graph.stations and node.primitive is not None]
    users: dict[Value, list[Value]] = {}
    for station in stations:
        for operand in graph.operands(station):
            users.setdefault(operand, []).append(station)
    waiting: dict[tuple[Value, ...], list[NeuronNodes]] = {}
    for net in stations:
        terms = list(_terms(net, graph, net))
        biases = [bias for bias, source in terms if source is None]
        sources = tuple([source for _, source in terms if source is not None])
        if not net.label or not sources or len(biases) > 1 or None in biases:
            continue
        (user, *others) = users.get(net, [net])
        is_activated = not others and [*user.parents] == [net] and (user.label or user is graph.output)  # not of a loss
        out = user if is_activated else net
        weights = [weight for weight, source in terms if source is not None and weight is not None]
        neuron = NeuronNodes(net, out, weights, biases[0] if biases else None)
        waiting.setdefault(sources, []).append(neuron)
    layers = []
    sources = next((found for found in waiting if all(source.primitive is None for source in found)), ())
    while sources in waiting:
        layers.append(waiting.pop(sources))
        sources = tuple([neuron.out for neuron in layers[-1]])
    return [] if waiting else layers


def _terms(node: Value, graph: StationGraph, net: Value) -> Iterator[tuple[Value | None, Value | None]]:
    """Yield the weight and the source of each product that a sum is made of; a bias without a source.

    A term that is neither has no weight and no source.
    """
    if isinstance(node, Parameter):
        yield node, None
    elif node.primitive in (add, summation) and (node is net or node not in graph.stations):
        for parent in node.parents:
            yield from _terms(parent, graph, net)
    elif node.primitive in (multiply, dot_product) and (node is net or node not in graph.stations):
        half = len(node.parents) // 2
        for left, right in zip(node.parents[:half], node.parents[half:], strict=True):
            weight, source = (left, right) if isinstance(left, Parameter) else (right, left)
            is_product = isinstance(weight, Parameter) and not isinstance(source, Parameter)
            yield (weight, source) if is_product and source in graph.stations else (None, None)
    else:
        yield None, None
