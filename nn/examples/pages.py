"""The pages that come with the package: the worked example, logic gates, and a network that reads digits.

>>> worked_example_page().title
'A step by step backpropagation example'
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Any, get_args

from autograd import Constant, LivePage, Value
from autograd.views.live_page.content import GraphContent
from autograd.views.live_page.story import Item
from nn.checkpoints import file_of
from nn.examples import digits, worked_example
from nn.losses import half_squared_error, softmax_cross_entropy
from nn.modules import MLP

GATES = {"XOR": (0, 1, 1, 0), "OR": (0, 1, 1, 1), "NAND": (1, 1, 1, 0), "AND": (0, 0, 0, 1)}
MISTAKES = 3  # that the page of digits offers
GATE_INPUTS = ((0, 0), (0, 1), (1, 0), (1, 1))


def gate_network(generator: random.Random) -> MLP:
    """Make the 2-5-1 network of the article's companion script: logistic, one bias a layer, numbers from [0, 1)."""
    network = MLP(2, [5, 1], "sigmoid", "sigmoid", bias="shared")
    for parameter in network.parameters():
        parameter.data = generator.random()
    return network


def worked_example_page(story: Sequence[Item] = ()) -> LivePage:
    """Make a page of the article's network, to step through, explain and train it in both orders of update.

    Args:
        story: a text beside the picture, as for `live_page`.
    """
    graphs: list[GraphContent] = []
    biases = {}
    for kind in get_args(worked_example.Biases):
        network = worked_example.build_network(kind)
        if kind != "shared":  # which is the graph of the frozen ones
            total = worked_example.forward(network)
            graphs.append(GraphContent(total))
        learning = [parameter.label for parameter in worked_example.learning_parameters(network, kind)]
        biases[kind] = _learning(graphs, learning)
    settings = {
        "learningRate": worked_example.LEARNING_RATE,
        "biases": biases,
        "published": [worked_example.Published.of(key) for key in worked_example.PUBLISHED],
        "publishedNote": "✓: equal in all digits printed. Errors and outputs after training: sequential, biases "
        "frozen. ∂E_o2/∂out_h1: misprinted.",
    }
    if story:
        settings["story"] = story
    return LivePage(graphs, "A step by step backpropagation example", settings)


def logic_gates_page(seed: int = 1) -> LivePage:
    """Make a page of a 2-5-1 network that learns XOR, OR, NAND or AND; the gate can be changed while it learns.

    Args:
        seed: of the initial weights and biases.
    """
    network = gate_network(random.Random(seed))
    inputs = [Constant(0.0, "i1"), Constant(0.0, "i2")]
    outputs, targets = network.forward(inputs), [Constant(0.0, "target")]
    graph = _graph(network, half_squared_error(outputs, targets), inputs, outputs, targets)
    names = [str(parameter.label) for parameter in network.parameters()]
    weights = [name for name in names if name.startswith("w")]
    gates = {
        gate: [[*map(float, (*row, wanted))] for row, wanted in zip(GATE_INPUTS, column, strict=True)]
        for gate, column in GATES.items()
    }
    settings: dict[str, Any] = {
        "learningRate": 0.5,
        "gates": gates,
        "pick": True,
        "biases": {"frozen": _learning([graph], weights), "shared": _learning([graph], names)},
    }
    return LivePage([graph], "Logic gates", settings)


def digit_page() -> LivePage:
    """Make a page of a trained 64-8-10 network that reads images of digits, which it shows as squares like the weights.

    It is trained with four fifths of scikit-learn's digits. The page offers an image of each digit from the last fifth,
    and those of the surest mistakes there. Any pixel can be changed.

    Raises:
        ImportError: if scikit-learn, which the extra `stepgrad[digits]` installs, is missing.
    """
    images = digits.read_digits()
    others, places = next(digits.split(images))
    network = digits.digit_network(images, [8, digits.CLASSES], digits.CANDIDATES[0].activation, seed=1)
    digits.finished(digits.train(network, images.part(others), digits.CANDIDATES[0], seed=1))
    test = images.part(places)
    rows = digits.scores(network, test)
    answers = rows.argmax(axis=1)
    right = [int(((test.labels == digit) & (answers == digit)).argmax()) for digit in range(digits.CLASSES)]
    offered = {f"{digit}": place for digit, place in enumerate(right)}
    for place in digits.surest_mistakes(rows, test.labels)[:MISTAKES]:
        offered[f"{test.labels[place]}, read as {answers[place]}"] = place
    for digit, neuron in enumerate(network.layers[-1].neurons):
        neuron.name = f"o{digit}"
    pixels = [Constant(number, f"i{count}") for count, number in enumerate(test.pixels[right[0]].tolist(), start=1)]
    outputs = network.forward(pixels)
    targets = [Constant(float(digit == 0), f"target_{digit}") for digit in range(digits.CLASSES)]
    error = softmax_cross_entropy(outputs, targets)  # type: ignore[arg-type]  # constants are shown, floats are not
    graph = _graph(network, error, pixels, outputs, targets)
    cases = {
        name: [[*test.pixels[place].tolist(), *(float(digit == test.labels[place]) for digit in range(digits.CLASSES))]]
        for name, place in offered.items()
    }
    settings = {"learningRate": 0.1, "gates": cases, "gateName": "Image", "image": digits.SIDE}
    return LivePage([graph], "A network that reads digits", settings)


def _graph(
    network: MLP[Any], error: Value, inputs: list[Constant], outputs: list[Value], targets: list[Constant]
) -> GraphContent:
    """Return the graph of a network's error as the page shows it, with inputs and targets that change."""
    error.label = "E"
    predictions = list(zip(outputs, targets, strict=True))
    return GraphContent(error, None, [*inputs, *targets], (), predictions, file_of(network))


def _learning(graphs: list[GraphContent], labels: Sequence[str | None]) -> dict[str, Any]:
    """Return what a kind of biases means: which graph the page shows, and which of its slots learn."""
    slots = {node.label: slot for node, slot in graphs[-1].graph.slots.items()}
    return {"graph": len(graphs) - 1, "learning": [slots[label] for label in labels]}
