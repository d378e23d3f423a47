"""A GPT in scalars that learns to spell names: its loss and a training step, as functions of numbers.

The model has one layer of four heads over 16 numbers a token, 27 tokens and at most 16 positions: 4,192 parameters.
Nothing here decides by a number, so the functions run eagerly, on floats and Values, and compiled, as one program for
documents of every length.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple

import numpy

from autograd import compile, dot, exp, log, relu, sqrt, sum, value_and_grad

TOKENS, POSITIONS, WIDTH, HEADS = 27, 16, 16, 4
BOUNDARY = TOKENS - 1  # the token before and after a name; the others are the letters
SHAPES = {
    "token_embedding": (TOKENS, WIDTH),
    "position_embedding": (POSITIONS, WIDTH),
    "query": (WIDTH, WIDTH),
    "key": (WIDTH, WIDTH),
    "value": (WIDTH, WIDTH),
    "output": (WIDTH, WIDTH),
    "widen": (4 * WIDTH, WIDTH),
    "narrow": (WIDTH, 4 * WIDTH),
    "head": (TOKENS, WIDTH),
}
RATE, MEMORY, SQUARE_MEMORY, EPSILON = 0.01, 0.85, 0.99, 1e-8  # of Adam

Array = numpy.ndarray[Any, Any]
Parameters = dict[str, Any]  # a matrix by its name: an array, or rows of numbers


def loss(parameters: Parameters, inputs: Any, targets: Any, weights: Any) -> Any:
    """Return the weighted sum over the positions of -log p(target), given the tokens up to there.

    Args:
        parameters: matrices of the shapes in `SHAPES`.
        inputs: for each position the token, as a row of 27 numbers: 1 for that token, 0 for the others.
        targets: likewise the token that comes next.
        weights: of each position; those of a position that only fills up a short document are 0.
    """
    errors = [
        log(sum([exp(logit) for logit in logits])) - dot(target, logits)
        for logits, target in zip(predictions(parameters, inputs), targets, strict=False)
    ]
    return dot(weights, errors)


def predictions(parameters: Parameters, inputs: Any) -> Iterator[list[Any]]:
    """Yield for each position the logits of the token that comes next, given the tokens up to there."""
    keys: list[Any] = []
    values: list[Any] = []
    for token, place in zip(inputs, parameters["position_embedding"], strict=False):
        embedded = [dot(token, column) for column in columns(parameters["token_embedding"])]
        x = normalized(added(embedded, place))
        a = normalized(x)
        keys.append(linear(parameters["key"], a))
        values.append(linear(parameters["value"], a))
        heads = attention(linear(parameters["query"], a), keys, values)
        x = added(x, linear(parameters["output"], heads))
        hidden = [relu(number) for number in linear(parameters["widen"], normalized(x))]
        x = added(x, linear(parameters["narrow"], hidden))
        yield linear(parameters["head"], x)


def attention(query: Sequence[Any], keys: Sequence[Any], values: Sequence[Any]) -> list[Any]:
    """Return for each head the mean of the values so far, weighted by how well their keys suit the query."""
    result = []
    size = WIDTH // HEADS
    for first in range(0, WIDTH, size):
        head = slice(first, first + size)
        shares = softmax([dot(query[head], key[head]) / size**0.5 for key in keys])
        result += [dot(shares, column) for column in columns([value[head] for value in values])]
    return result


def softmax(scores: Sequence[Any]) -> list[Any]:
    """Turn numbers into positive ones that add up to 1."""
    exponentials = [exp(score) for score in scores]
    total = sum(exponentials)
    return [exponential / total for exponential in exponentials]


def normalized(x: Sequence[Any]) -> list[Any]:
    """Scale numbers to a mean square of 1."""
    scale = 1.0 / sqrt(dot(x, x) / len(x) + 1e-5)
    return [number * scale for number in x]


def linear(weights: Iterable[Any], x: Sequence[Any]) -> list[Any]:
    """Multiply a matrix with a vector."""
    return [dot(row, x) for row in weights]


def added(left: Iterable[Any], right: Iterable[Any]) -> list[Any]:
    """Add two vectors."""
    return [a + b for a, b in zip(left, right, strict=True)]


def columns(rows: Iterable[Any]) -> list[tuple[Any, ...]]:
    """Return the columns of a matrix given by its rows."""
    return list(zip(*rows, strict=True))


def training_step(
    parameters: Parameters,
    means: Parameters,
    squares: Parameters,
    rate: Any,
    correction: Any,
    square_correction: Any,
    inputs: Any,
    targets: Any,
    weights: Any,
) -> tuple[Parameters, Parameters, Parameters, Any]:
    """Take one step of Adam with one document.

    Args:
        parameters, means, squares: of the model, of the gradients so far and of their squares, as arrays.
        rate: the learning rate of this step.
        correction, square_correction: 1 - βᵗ in step t, by which the means are too small since they began at 0.
        inputs, targets, weights: as in `loss`.

    Returns:
        The new parameters, means and squares, and the loss before the step.
    """
    error, gradients = value_and_grad(loss)(parameters, inputs, targets, weights)
    moved, new_means, new_squares = {}, {}, {}
    for name, parameter in parameters.items():
        gradient = numpy.asarray(gradients[name])
        new_means[name] = MEMORY * means[name] + (1.0 - MEMORY) * gradient
        new_squares[name] = SQUARE_MEMORY * squares[name] + (1.0 - SQUARE_MEMORY) * gradient * gradient
        size = numpy.sqrt(new_squares[name] / square_correction) + EPSILON
        moved[name] = parameter - rate * (new_means[name] / correction) / size
    return moved, new_means, new_squares, error


class Document(NamedTuple):
    """A name, or one for each step along the leading axis, as `loss` takes it."""

    inputs: Array
    targets: Array
    weights: Array


def document(name: str) -> Document:
    """Return a name as arrays, filled up to 16 positions."""
    tokens = [BOUNDARY, *[ord(letter) - ord("a") for letter in name], BOUNDARY]
    length = min(len(tokens) - 1, POSITIONS)
    inputs, targets = numpy.zeros((2, POSITIONS, TOKENS))
    weights = numpy.zeros(POSITIONS)
    inputs[:length], targets[:length] = numpy.eye(TOKENS)[[tokens[:length], tokens[1 : length + 1]]]
    weights[:length] = 1.0 / length
    return Document(inputs, targets, weights)


def documents(names: Iterable[str]) -> Document:
    """Return several names as arrays with a leading axis."""
    return Document(*map(numpy.stack, zip(*[document(name) for name in names], strict=True)))


def initial_parameters(seed: int = 1) -> dict[str, Array]:
    """Draw small normal numbers."""
    generator = numpy.random.default_rng(seed)
    return {name: generator.normal(0.0, 0.08, shape) for name, shape in SHAPES.items()}


def zeros() -> dict[str, Array]:
    """Return what Adam remembers at first."""
    return {name: numpy.zeros(shape) for name, shape in SHAPES.items()}


def schedule(steps: int) -> tuple[Array, Array, Array]:
    """Return the learning rate of each step, which decays to 0, and the two corrections."""
    done = numpy.arange(steps)
    return RATE * (1.0 - done / steps), 1.0 - MEMORY ** (done + 1), 1.0 - SQUARE_MEMORY ** (done + 1)


def sampled_names(parameters: Parameters, count: int, generator: random.Random) -> list[str]:
    """Make up names letter by letter, each picked with the probability that a model gives it."""
    run = compile(lambda parameters, inputs: list(predictions(parameters, inputs)))
    names = []
    for _ in range(count):
        inputs, tokens = numpy.zeros((POSITIONS, TOKENS)), [BOUNDARY]
        for place in range(POSITIONS):  # of what is filled up, no position before it depends
            inputs[place, tokens[-1]] = 1.0
            logits = numpy.array(run(parameters, inputs)[place])
            weights = numpy.exp(logits - logits.max()).tolist()
            tokens += generator.choices(range(TOKENS), weights)
            if tokens[-1] == BOUNDARY:
                break
        names.append("".join(chr(ord("a") + token) for token in tokens[1:] if token != BOUNDARY))
    return names
