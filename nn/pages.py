"""A network and its cases as a live page.

>>> import random
>>> network = MLP(2, [3, 1], "tanh", generator=random.Random(1))
>>> network_page(network, [([0, 1], 1), ([1, 1], 0)], title="Two cases").title
'Two cases'
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from operator import index
from typing import Any, SupportsIndex

from autograd import Constant, LivePage, NeuronNodes, Value, live_page, topological_order
from nn.losses import half_squared_error, softmax_cross_entropy
from nn.modules import MLP, Module


def network_page(
    network: Module,
    cases: Iterable[tuple[Sequence[float], Any]],
    loss: Callable[[Any, Any], Value] = half_squared_error,
    *,
    title: str | None = None,
    learning_rate: float = 0.5,
    pick: bool = False,
) -> LivePage:
    """A network as a page: its forward and backward pass with one case, and its training with all of them.

    Args:
        network: what is shown; an `MLP` is drawn in layers.
        cases: pairs of inputs and target, as for `fit`.
        loss: a function of the network's output and the target, as for `fit`.
        title: the heading.
        learning_rate: the size of a step of the training, which can be changed on the page.
        pick: whether a round of the training takes one case, picked at random, instead of the mean over all.

    Raises:
        ValueError: for no cases, or cases of different lengths.
        TypeError: if the network applies a primitive of one's own, whose function only Python knows.
    """
    rows = [([*map(float, inputs)], target) for inputs, target in cases]
    if not rows:
        raise ValueError("there is nothing to show: give at least one case, a pair of inputs and target")
    inputs = [Constant(number, f"i{count}") for count, number in enumerate(rows[0][0], start=1)]
    outputs = network(inputs)
    listed = [outputs] if isinstance(outputs, Value) else list(outputs)
    numbers = [_target_numbers(target, loss, len(listed)) for _, target in rows]
    names = [str(output.label or f"out_o{count}").partition("_")[2] for count, output in enumerate(listed, start=1)]
    labels = ["target"] if len(numbers[0]) == 1 else [f"target_{name}" for name in names]
    targets = [Constant(number, label) for number, label in zip(numbers[0], labels, strict=True)]
    total = loss(outputs, targets[0] if isinstance(outputs, Value) else targets)
    _label_errors(total, names)
    leaves = [*inputs, *targets]
    return live_page(
        total,
        [dict(zip(leaves, [*row, *wanted], strict=True)) for (row, _), wanted in zip(rows, numbers, strict=True)],
        title=title or f"{type(network).__name__}, {len(rows)} case{'s' if len(rows) != 1 else ''}",
        learning_rate=learning_rate,
        pick=pick,
        predictions=zip(listed, targets, strict=True) if loss is half_squared_error else (),
        layers=neurons_of(network, total) if isinstance(network, MLP) else (),
    )


def neurons_of(network: MLP[Any], output: Value) -> list[list[NeuronNodes]]:
    """The nodes of each neuron in the graph of an output, layer by layer."""
    nodes = {node.label: node for node in topological_order(output) if node.label}
    layers = []
    for layer in network.layers:
        neurons = []
        for neuron in layer.neurons:
            net = nodes[f"net_{neuron.name}"]
            neurons.append(NeuronNodes(net, nodes.get(f"out_{neuron.name}", net), neuron.weights, neuron.bias))
        layers.append(neurons)
    return layers


def _target_numbers(target: Any, loss: Callable[[Any, Any], Value], outputs: int) -> list[float]:
    """The numbers of a target; a class becomes a probability for each class."""
    if loss is softmax_cross_entropy and isinstance(target, SupportsIndex):
        return [float(place == index(target)) for place in range(outputs)]
    return [*map(float, target)] if isinstance(target, Iterable) else [float(target)]


def _label_errors(total: Value, names: Sequence[str]) -> None:
    """Call the total E_total and its terms E_o1, …, where there is one for each output; else call it E."""
    terms = [term for term in total.parents if term.primitive is not None]
    has_terms = total.primitive is not None and total.primitive.is_sum and len(terms) == len(names) > 1
    for term, name in zip(terms if has_terms else (), names, strict=False):
        term.label = term.label or f"E_{name}"
    total.label = total.label or ("E_total" if has_terms else "E")
