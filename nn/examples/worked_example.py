"""The worked example: Matt Mazur, "A Step by Step Backpropagation Example" (2015), and every figure of it.

Two inputs, two hidden neurons and two outputs, all logistic, with one bias a layer:

>>> network = build_network()
>>> error = forward(network)
>>> error.backward()
>>> print(f"{error:.9f} {network.layers[1].neurons[0].weights[0].grad:.9f}")
0.298371109 0.082167041

The article says, and its figures follow, that all weights change at once, from the original ones: the *simultaneous*
order, which is gradient descent. The figures it gives after training come from another, the *sequential* order: there
the hidden layer's gradients are formed with output weights that have already changed. Both are here, each by its name.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Iterable
from typing import Any, Literal, NamedTuple, get_args

from autograd import Constant, Drawing, Value, draw, find_node, gradients, sum, topological_order
from autograd.notation import Names
from nn.losses import half_squared_error
from nn.modules import MLP, Bias
from nn.training.progress import progress_bar

Order = Literal["simultaneous", "sequential"]
Biases = Literal["frozen", "shared", "per-neuron"]

INPUTS = {"i1": 0.05, "i2": 0.10}
TARGETS = {"o1": 0.01, "o2": 0.99}
WEIGHTS = {"w1": 0.15, "w2": 0.20, "w3": 0.25, "w4": 0.30, "w5": 0.40, "w6": 0.45, "w7": 0.50, "w8": 0.55}
HIDDEN_BIAS, OUTPUT_BIAS = 0.35, 0.60
LEARNING_RATE = 0.5
ROUNDS = 10_000

# Every figure that the article computes, in its order and to its own digits. Weights after a round are those of the
# simultaneous order; the error and the outputs after training come from the sequential one.
PUBLISHED = {
    "net_h1": "0.3775",
    "out_h1": "0.593269992",
    "out_h2": "0.596884378",
    "net_o1": "1.105905967",
    "out_o1": "0.75136507",
    "out_o2": "0.772928465",
    "E_o1": "0.274811083",
    "E_o2": "0.023560026",
    "E_total": "0.298371109",
    "dE_total/dout_o1": "0.74136507",
    "dout_o1/dnet_o1": "0.186815602",
    "dnet_o1/dw5": "0.593269992",
    "dE_total/dw5": "0.082167041",
    "w5 after 1 round": "0.35891648",
    "w6 after 1 round": "0.408666186",
    "w7 after 1 round": "0.511301270",
    "w8 after 1 round": "0.561370121",
    "dE_o1/dnet_o1": "0.138498562",
    "dnet_o1/dout_h1": "0.40",
    "dE_o1/dout_h1": "0.055399425",
    "dE_o2/dout_h1": "-0.019049119",
    "dE_total/dout_h1": "0.036350306",
    "dout_h1/dnet_h1": "0.241300709",
    "dnet_h1/dw1": "0.05",
    "dE_total/dw1": "0.000438568",
    "w1 after 1 round": "0.149780716",
    "w2 after 1 round": "0.19956143",
    "w3 after 1 round": "0.24975114",
    "w4 after 1 round": "0.29950229",
    "E_total after 1 round": "0.291027924",
    "E_total after 10000 rounds": "0.000035085",
    "out_o1 after 10000 rounds": "0.015912196",
    "out_o2 after 10000 rounds": "0.984065734",
}
MISPRINTED = {"dE_o2/dout_h1": "one unit too much in its last digit"}


class Published(NamedTuple):
    """A figure that the article prints."""

    name: str  # of the node, the parameter, or the node that is differentiated
    by: str | None  # of a derivative the node that it is taken by
    rounds: int  # of training that come before
    text: str  # as it is printed

    @classmethod
    def of(cls, key: str) -> Published:
        """Return the figure of a key of `PUBLISHED`, such as "dE_total/dw5" or "out_o1 after 10000 rounds"."""
        quantity, _, rounds = key.partition(" after ")
        name, _, by = quantity.partition("/d")
        return cls(name[1:] if by else name, by or None, int(rounds.split()[0]) if rounds else 0, PUBLISHED[key])

    @property
    def order(self) -> Order:
        """The order of update that the figure comes from."""
        return "sequential" if self.rounds and not self.name.startswith("w") else "simultaneous"

    def equals(self, number: float) -> bool:
        """Return whether a number is the same in all the digits that are printed."""
        return f"{number:.{len(self.text.partition('.')[2])}f}" == self.text


def build_network(biases: Biases = "frozen") -> MLP[list[Value]]:
    """Make the network of the article, with its weights.

    Args:
        biases: "frozen" (as in the article: one a layer, left alone), "shared" (one a layer, which learns) or
            "per-neuron". Here this decides how many there are; `learning_parameters` says which of them learn.
    """
    if biases not in get_args(Biases):
        raise ValueError(f"unknown biases {biases!r}: choose {', '.join(get_args(Biases))}")
    kind: Bias = "per-neuron" if biases == "per-neuron" else "shared"
    network: MLP[list[Value]] = MLP(2, [2, 2], "sigmoid", "sigmoid", kind)
    for layer, bias in zip(network.layers, (HIDDEN_BIAS, OUTPUT_BIAS), strict=True):
        for parameter in layer.parameters():
            parameter.data = WEIGHTS.get(str(parameter.label), bias)
    return network


def learning_parameters(network: MLP[list[Value]], biases: Biases = "frozen") -> list[Value]:
    """Return the parameters that training changes: the weights, and the biases unless they are frozen."""
    frozen = {bias for layer in network.layers for bias in layer.biases} if biases == "frozen" else set()
    return [parameter for parameter in network.parameters() if parameter not in frozen]


def forward(network: MLP[list[Value]], *, with_input_gradients: bool = False) -> Value:
    """Compute the total error of the network on the article's one case; the nodes have the article's names."""
    kind = Value if with_input_gradients else Constant
    outputs = network.forward([kind(number, name) for name, number in INPUTS.items()])
    errors = []
    for output, (name, target) in zip(outputs, TARGETS.items(), strict=True):
        error = half_squared_error([output], [Constant(target, f"target_{name}")])
        error.label = f"E_{name}"
        errors.append(error)
    total = sum(errors)
    total.label = "E_total"
    return total


def train_round(network: MLP[list[Value]], order: Order, learning_rate: float, learning: Iterable[Value]) -> float:
    """Change the network by one round of training.

    Args:
        network: as from `build_network`.
        order: "simultaneous" (every parameter from the original ones: gradient descent), or "sequential" (the output
            layer first; the error signals of this round then go back to the hidden layer through its new weights).
        learning_rate: η; a parameter w becomes w − η ∂E_total/∂w.
        learning: the parameters to change.

    Returns:
        The total error before the change.
    """
    hidden_layer, output_layer = network.layers
    network.zero_grad()
    total = forward(network)
    total.backward()
    if order == "sequential":
        find, outer = Names(total, topological_order(total)).find, set(output_layer.parameters())
        signals = [find(f"net_{neuron.name}").grad for neuron in output_layer.neurons]
        hidden = [find(f"out_{neuron.name}") for neuron in hidden_layer.neurons]
        _descend(outer.intersection(learning), learning_rate)
        learning = set(learning) - outer
        network.zero_grad()
        neurons = zip(signals, output_layer.neurons, strict=True)
        sum([signal * neuron.net(hidden) for signal, neuron in neurons]).backward()
    _descend(learning, learning_rate)
    return total.data


def _descend(parameters: Iterable[Value], learning_rate: float) -> None:
    for parameter in parameters:
        parameter.data -= learning_rate * parameter.grad


def train(
    order: Order = "simultaneous", rounds: int = ROUNDS, biases: Biases = "frozen", learning_rate: float = LEARNING_RATE
) -> MLP[list[Value]]:
    """Train the article's network for some rounds, in an order of `train_round`, with biases of `build_network`.

    Raises:
        ValueError: for an unknown order or kind of bias, or a negative number of rounds.
        FloatingPointError: if the training diverges; the message names the round.
    """
    if order not in get_args(Order):
        raise ValueError(f"unknown order {order!r}: choose {' or '.join(get_args(Order))}")
    if rounds < 0:
        raise ValueError(f"the number of rounds must be at least 0, got {rounds}")
    network = build_network(biases)
    learning = learning_parameters(network, biases)
    is_terminal = sys.stderr is not None and sys.stderr.isatty()  # and no notebook
    with progress_bar(rounds, 0, is_terminal, desc=order, leave=False) as bar:
        for number in range(1, rounds + 1):
            error = train_round(network, order, learning_rate, learning)
            if not math.isfinite(error):
                raise FloatingPointError(
                    f"the training diverged at round {number} ({order}): the total error is {error}; "
                    f"choose a learning rate below {learning_rate:g}"
                )
            bar.update()
    return network


def figures(
    orders: Iterable[Order] = get_args(Order),
    rounds: int = ROUNDS,
    biases: Biases = "frozen",
    learning_rate: float = LEARNING_RATE,
) -> dict[str, Any]:
    """Compute every figure of the worked example, with training as by `train`, as plain numbers by the article's names.

    Returns:
        A dict with `inputs`, `targets`, `parameters`, `forward` (net, out and E), `backward` (∂E_total with respect to
        every node and parameter), `chain` (the factors of the article's two derivations), `published`, under
        `computed` what these runs give for each published figure that they are about, and under `training`, for each
        order and number of rounds (1 and `rounds`), the error, outputs and parameters.
    """
    network = build_network(biases)
    total = forward(network)
    total.backward()
    nodes = topological_order(total)
    find = Names(total, nodes).find
    computed = {str(node.label): node for node in nodes if node.primitive and node.label}
    parameters = {str(parameter.label): parameter for parameter in network.parameters()}
    learning = set(learning_parameters(network, biases))

    def factors(*pairs: tuple[str, str]) -> dict[str, float]:
        return {f"d{of}/d{by}": gradients(find(of), [find(by)])[0].data for of, by in pairs}

    training = {
        order: {str(count): _trained(order, count, biases, learning_rate) for count in (1, rounds)} for order in orders
    }
    is_articles = biases == "frozen" and learning_rate == LEARNING_RATE
    here = {}
    for key in PUBLISHED:
        name, by, after, _ = figure = Published.of(key)
        if by is not None:
            here[key] = gradients(find(name), [find(by)])[0].data
        elif not after:
            here[key] = find(name).data
        elif is_articles and str(after) in training.get(figure.order, {}):
            trained = training[figure.order][str(after)]
            here[key] = trained["parameters"].get(name, trained.get(name))
    return {
        "inputs": INPUTS,
        "targets": TARGETS,
        "learning_rate": learning_rate,
        "biases": biases,
        "rounds": rounds,
        "parameters": {name: parameter.data for name, parameter in parameters.items()},
        "learning": [name for name, parameter in parameters.items() if parameter in learning],
        "forward": {name: node.data for name, node in computed.items()},
        "backward": {name: node.grad for name, node in {**computed, **parameters}.items() if node is not total},
        "chain": {
            "w5": factors(("E_total", "out_o1"), ("out_o1", "net_o1"), ("net_o1", "w5")),
            "w1": factors(
                ("E_o1", "out_h1"), ("E_o2", "out_h1"), ("E_total", "out_h1"), ("out_h1", "net_h1"), ("net_h1", "w1")
            ),
        },
        "training": training,
        "published": PUBLISHED,
        "computed": here,
    }


def _trained(order: Order, rounds: int, biases: Biases, learning_rate: float) -> dict[str, Any]:
    network = train(order, rounds, biases, learning_rate)
    total = forward(network)
    return {
        **{name: find_node(total, name).data for name in ("E_total", "out_o1", "out_o2")},
        "parameters": {str(parameter.label): parameter.data for parameter in network.parameters()},
    }


def draw_network(network: MLP[list[Value]]) -> Drawing:
    """Draw the network as the article does: neurons and biases as circles, the weights on the edges."""
    targets = {name: f"target {number:g}" for name, number in TARGETS.items()}
    return network.draw({name: f"{number:g}" for name, number in INPUTS.items()} | targets)


def draw_graph(network: MLP[list[Value]]) -> Drawing:
    """Draw the graph of one round, forward and backward; the parameters keep the gradients of this round."""
    network.zero_grad()
    total = forward(network, with_input_gradients=True)
    total.backward()
    return draw(total, rankdir="TB")
