"""The functions that are compiled, written in scalars, and their data; the GPT stands in tests/benchmarks/gpt.py."""

import random
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy

from autograd import dot, grad, sigmoid, sin, sum
from nn import MLP
from tests.benchmarks import gpt

Array = numpy.ndarray[Any, Any]

OPERATIONS = 6  # of a round of the chain
FIRST = 0.5  # what the chain begins with
WORKED_EXAMPLE = numpy.array([0.15, 0.2, 0.25, 0.3, 0.4, 0.45, 0.5, 0.55])


def network_error(parameters: dict[str, Any], inputs: Any, target: Any, activation: str = "tanh") -> Any:
    """Half the squared error of a 2-16-16-1 network, by the formulas of nn."""
    signals: Sequence[Any] = list(inputs)
    for layer in ("first", "second"):
        nets = [dot(row, signals) + bias for row, bias in zip(*layer_of(parameters, layer), strict=True)]
        signals = [getattr(net, activation)() for net in nets]
    (weights,), (bias,) = layer_of(parameters, "third")
    return 0.5 * (target - (dot(weights, signals) + bias)) ** 2


def layer_of(parameters: dict[str, Any], name: str) -> tuple[Any, Any]:
    """The weights and the biases of a layer."""
    return parameters[name], parameters[f"{name}_bias"]


def network_parameters() -> dict[str, Array]:
    """Those of an untrained network of nn, in the order of network.c."""
    network: MLP = MLP(2, [16, 16, 1], "tanh", generator=random.Random(1))
    parameters = {}
    for name, layer in zip(("first", "second", "third"), network.layers, strict=True):
        parameters[name] = numpy.array([[weight.data for weight in neuron.weights] for neuron in layer.neurons])
        parameters[f"{name}_bias"] = numpy.array([bias.data for bias in layer.biases])
    return parameters


def network_cases(rows: int) -> tuple[Array, Array]:
    """Points of a square, and whether their coordinates have the same sign."""
    inputs = numpy.random.default_rng(1).uniform(-1.0, 1.0, (rows, 2))
    return inputs, (inputs[:, 0] * inputs[:, 1] > 0.0).astype(float)


def worked_example_error(weights: Any) -> Any:
    """The total error of the worked example's network."""
    w1, w2, w3, w4, w5, w6, w7, w8 = weights
    h1 = sigmoid(w1 * 0.05 + w2 * 0.1 + 0.35)
    h2 = sigmoid(w3 * 0.05 + w4 * 0.1 + 0.35)
    o1 = sigmoid(w5 * h1 + w6 * h2 + 0.6)
    o2 = sigmoid(w7 * h1 + w8 * h2 + 0.6)
    return 0.5 * (0.01 - o1) ** 2 + 0.5 * (0.99 - o2) ** 2


def worked_example_round(weights: Any) -> Any:
    """The weights after a round of training, all from the same gradient."""
    return weights - 0.5 * numpy.asarray(grad(worked_example_error)(weights))


def rosenbrock(x: Any) -> Any:
    """The chained Rosenbrock function."""
    return sum([100.0 * (b - a**2) ** 2 + (1.0 - a) ** 2 for a, b in pairwise(x)])


def rosenbrock_point(count: int) -> Array:
    """Where it is differentiated."""
    return numpy.random.default_rng(1).uniform(-1.5, 1.5, count)


def brusselator(y: Any) -> Any:
    """The right-hand side of the Brusselator along a line: two substances, which react and spread."""
    count = len(y) // 2
    u, v, rate = y[:count], y[count:], brusselator_rate(count)
    uuv = u * u * v
    of_u = rate * (numpy.concatenate([[1.0], u[:-1]]) - 2.0 * u + numpy.concatenate([u[1:], [1.0]]))
    of_v = rate * (numpy.concatenate([[3.0], v[:-1]]) - 2.0 * v + numpy.concatenate([v[1:], [3.0]]))
    return numpy.concatenate([1.0 + uuv - 4.0 * u + of_u, 3.0 * u - uuv + of_v])


def brusselator_rate(count: int) -> float:
    """How fast substances spread between so many points."""
    return (count + 1) ** 2 / 50


def brusselator_point(states: int) -> Array:
    """Where it is differentiated."""
    return numpy.random.default_rng(1).uniform(0.5, 3.0, states)


def chain(x: Any, rounds: int) -> Any:
    """Six operations on one number, over and over."""
    for _ in range(rounds):
        x = (x + sin(x) * 0.0001) * 1.0001 - x * 0.0001
    return x


def two_variables(x: Any, y: Any) -> Any:
    """A small function."""
    return x * y + sin(x)


def gpt_documents(count: int) -> gpt.Document:
    """Documents that fill all positions, so that nobody computes for nothing; with an axis for their number."""
    return gpt.documents(gpt.made_up_names(count, least=gpt.POSITIONS - 1, most=gpt.POSITIONS - 1))


def flat(tree: Any) -> Array:
    """The numbers of a nesting, one after another."""
    if isinstance(tree, dict):
        return numpy.concatenate([flat(part) for part in tree.values()])
    if isinstance(tree, tuple):
        return numpy.concatenate([flat(part) for part in tree])
    return numpy.asarray(tree, dtype=float).ravel()
