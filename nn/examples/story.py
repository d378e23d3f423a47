"""The worked example told line by line, with the arithmetic of every figure, in 80 columns.

>>> print(aligned([0.5, -0.0226, 12.0]))
['  0.5', ' −0.0226', ' 12']
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from autograd import Explanation, Value, explain
from nn.examples import worked_example
from nn.examples.command_options import program
from nn.modules import MLP

COLUMNS = 80
DIGITS = 12


def story(network: MLP[list[Value]], figures: Mapping[str, Any], pictures: Mapping[str, Path]) -> Iterator[str]:
    """Tell the article, line by line, with the figures of its untrained network and the paths of two pictures."""
    yield "A step by step backpropagation example, after Matt Mazur (2015)"
    yield from _given(figures)
    yield from _forward(figures)
    total, weights = worked_example.forward(network), {str(weight.label): weight for weight in network.parameters()}
    yield from _output_weights(total, weights["w5"], figures)
    yield from _hidden_weights(total, weights["w1"], figures)
    yield from _updates(figures)
    yield from _training(figures)
    yield from _comparison(figures)
    yield from _section("Where to go on")
    yield f"the network, neurons and weights:    {pictures['network']}"
    yield f"the computation graph of one round:  {pictures['graph']}"
    yield f"a page to step through and to train:  {program()} page"
    yield f"a network that learns XOR:            {program()} xor"
    yield f"all examples, also with real data:    {program()} list"
    yield "the same in notebooks:                notebooks/03_worked_example.ipynb"


def aligned(numbers: Sequence[float]) -> list[str]:
    """Format numbers to twelve significant digits, with their decimal points one below the other."""
    texts = [decimal(number) for number in numbers]
    before = max(len(text.partition(".")[0]) for text in texts) + 1
    return [" " * (before - len(text.partition(".")[0])) + text for text in texts]


def decimal(number: float) -> str:
    """Format a number to twelve significant digits, without an exponent unless it is very small or large."""
    text = f"{number:.{DIGITS}g}"
    if "e-" in text and abs(number) > 1e-9:
        mantissa, _, exponent = text.partition("e-")
        places = len(mantissa.partition(".")[2]) + int(exponent)
        text = f"{number:.{places}f}"
    return text.replace("-", "−")


def _given(figures: Mapping[str, Any]) -> Iterator[str]:
    names = list(figures["parameters"])
    yield from _section("The network: two inputs, two hidden neurons, two outputs, all logistic")
    yield _row("inputs", figures["inputs"])
    yield _row("targets", figures["targets"])
    for title, selected in (
        ("hidden layer", ["w1", "w2", "w3", "w4"]),
        ("output layer", ["w5", "w6", "w7", "w8"]),
        ("biases", [name for name in names if name.startswith("b")]),
    ):
        yield _row(title, {name: figures["parameters"][name] for name in selected})
    yield _row("learning rate", {"η": figures["learning_rate"]})


def _forward(figures: Mapping[str, Any]) -> Iterator[str]:
    number = {**figures["inputs"], **figures["parameters"], **figures["forward"]}
    biases = [name for name in figures["parameters"] if name.startswith("b")]
    bias = dict(zip(("h1", "h2", "o1", "o2"), biases if len(biases) == 4 else sorted(biases * 2), strict=True))
    yield from _section("The forward pass")
    yield "A neuron adds up its inputs, each times its weight, and a bias; its output is"
    yield "the logistic function of this sum, 1 / (1 + exp(−net))."
    for neuron, weights, inputs in (
        ("h1", ("w1", "w2"), ("i1", "i2")),
        ("h2", ("w3", "w4"), ("i1", "i2")),
        ("o1", ("w5", "w6"), ("out_h1", "out_h2")),
        ("o2", ("w7", "w8"), ("out_h1", "out_h2")),
    ):
        yield ""
        terms = [*zip(weights, inputs, strict=True)]
        yield f"net_{neuron} = {' + '.join(f'{w} · {x}' for w, x in terms)} + {bias[neuron]}"
        products = " + ".join(f"{number[w]:g} · {decimal(number[x])}" for w, x in terms)
        yield f"       = {products} + {number[bias[neuron]]:g}"
        yield f"       = {decimal(number[f'net_{neuron}'])}"
        yield f"out_{neuron} = 1 / (1 + exp(−{decimal(number[f'net_{neuron}'])})) = {decimal(number[f'out_{neuron}'])}"

    yield from _section("The total error")
    for name, target in figures["targets"].items():
        yield f"E_{name}    = ½ (target_{name} − out_{name})²"
        yield f"        = ½ ({target:g} − {decimal(number[f'out_{name}'])})²"
        yield f"        = {decimal(number[f'E_{name}'])}"
    yield "E_total = E_o1 + E_o2"
    yield f"        = {decimal(number['E_o1'])} + {decimal(number['E_o2'])}"
    yield f"        = {decimal(number['E_total'])}"


def _output_weights(total: Value, w5: Value, figures: Mapping[str, Any]) -> Iterator[str]:
    number, gradient = figures["forward"], figures["backward"]
    yield from _section("The backward pass, an output weight: w5")
    yield from _wrapped(explain(total, w5))
    yield ""
    yield "The same by the delta rule:"
    yield ""
    yield from _wrapped(explain(total, w5, form="delta"))
    yield from _section("The other output weights")
    for name, target in figures["targets"].items():
        out = decimal(number[f"out_{name}"])
        yield f"δ_{name} = −(target_{name} − out_{name}) · out_{name} · (1 − out_{name})"
        yield f"     = −({target:g} − {out}) · {out} · (1 − {out})"
        yield f"     = {decimal(gradient[f'net_{name}'])}"
    yield ""
    for weight, neuron, source in (("w6", "o1", "out_h2"), ("w7", "o2", "out_h1"), ("w8", "o2", "out_h2")):
        yield f"∂E_total/∂{weight} = δ_{neuron} · {source}"
        yield f"             = {decimal(gradient[f'net_{neuron}'])} · {decimal(number[source])}"
        yield f"             = {decimal(gradient[weight])}"


def _hidden_weights(total: Value, w1: Value, figures: Mapping[str, Any]) -> Iterator[str]:
    gradient = figures["backward"]
    yield from _section("The backward pass, a hidden weight: w1")
    yield "The output of h1 reaches the error through both outputs, so two terms add up."
    yield ""
    yield from _wrapped(explain(total, w1))
    yield from _section("The other hidden weights")
    for weight, neuron, source in (("w2", "h1", "i2"), ("w3", "h2", "i1"), ("w4", "h2", "i2")):
        product = f"{decimal(gradient[f'net_{neuron}'])} · {figures['inputs'][source]:g}"
        yield f"∂E_total/∂{weight} = ∂E_total/∂net_{neuron} · {source}"
        yield f"             = {product} = {decimal(gradient[weight])}"


def _updates(figures: Mapping[str, Any]) -> Iterator[str]:
    rate, before = figures["learning_rate"], figures["parameters"]
    learning = sorted(figures["learning"], key=lambda name: (name[0] != "w", name))
    yield from _section("One round: each parameter less the learning rate times its gradient")
    for order, training in figures["training"].items():
        after = training["1"]["parameters"]
        yield f"{order}:"
        grads = [
            figures["backward"][name] if order == "simultaneous" else (before[name] - after[name]) / rate
            for name in learning
        ]
        for name, grad in zip(learning, aligned(grads), strict=True):
            yield f"  {name} = {f'{before[name]:g}':<4} − {rate:g} · {grad:<19} = {decimal(after[name])}"
    if "sequential" in figures["training"]:
        yield "In the sequential order the gradients of the hidden weights are those that the"
        yield "new output weights carry back."


def _training(figures: Mapping[str, Any]) -> Iterator[str]:
    rounds, trained = figures["rounds"], figures["training"]
    orders = list(trained)
    yield from _section(f"After one round, and after {rounds:,}" if rounds != 1 else "After one round")
    yield "The article describes the simultaneous order, in which all weights change at"
    yield "once from the original ones, but its figures after training come from the"
    yield "sequential order, in which the hidden layer's gradients are formed with output"
    yield "weights that have already changed. Here are both, each by its name."
    yield ""
    yield "".join(word.ljust(21) for word in ("after", *orders)).rstrip()
    lines = [("E_total", "1"), *((name, str(rounds)) for name in ("E_total", "out_o1", "out_o2"))]
    for name, count in lines[: 1 if rounds == 1 else None]:
        values = "".join(decimal(trained[order][count][name]).ljust(21) for order in orders)
        title = f"{int(count):,}: {name}"
        yield f"{title:<21}{values}".rstrip()


def _comparison(figures: Mapping[str, Any]) -> Iterator[str]:
    computed = figures["computed"]
    yield from _section("Every figure that the article prints, in its order")
    yield "✓: equal in all the digits that the article prints. Weights after a round are"
    yield "those of the simultaneous order; errors and outputs after training are those of"
    yield "the sequential one."
    yield ""
    yield f"{'':<29}{'here':<21}{'article':<14}✓"
    for key, here in computed.items():
        name, by, rounds, text = figure = worked_example.Published.of(key)
        title = f"∂{name}/∂{by}" if by else f"{name}, round {rounds:,}" if rounds else name
        sign = "✓" if figure.equals(here) else "≠"
        yield f"{title:<29}{decimal(here):<21}{text.replace('-', '−'):<14}{sign}"
    for key, reason in worked_example.MISPRINTED.items():
        name, by, *_ = worked_example.Published.of(key)
        yield f"≠ ∂{name}/∂{by}: the article prints {reason}."


def _wrapped(explanation: Explanation) -> Iterable[str]:
    """Split an explanation into lines; a long equation has a line for each side."""
    for line in str(explanation).splitlines():
        if len(line) > COLUMNS:
            left, _, right = line.partition(" = ")
            line = f"{left} = " + right.replace(" = ", f"\n{' ' * len(left)} = ")
        yield from line.split("\n")


def _section(title: str) -> Iterable[str]:
    return "", title, "─" * len(title)


def _row(title: str, numbers: Mapping[str, float]) -> str:
    return f"{title:<15}" + "   ".join(f"{name} = {number:g}" for name, number in numbers.items())
