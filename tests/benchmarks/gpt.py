"""A GPT in scalars: its loss and a training step, as functions of numbers.

The model has one layer of four heads over 16 numbers a token, 27 tokens and at most 16 positions: 4,192 parameters. It
learns to spell names. `loss` and `training_step` have no control flow that depends on the numbers, so they run eagerly,
on floats and Values, and compiled, as one program for documents of every length.

    python tests/benchmarks/gpt.py                     # 1,000 training steps, compiled
    python tests/benchmarks/gpt.py --eager --steps 20
"""

import argparse
import random
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import numpy

from autograd import Value, compile, dot, exp, log, relu, sqrt, sum, value_and_grad

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
    """The weighted sum over the positions of -log p(target), given the tokens up to there.

    Args:
        parameters: matrices of the shapes in `SHAPES`.
        inputs: for each position the token, as a row of 27 numbers: 1 for that token, 0 for the others.
        targets: likewise the token that comes next.
        weights: of each position; those of a position that only fills up a short document are 0.
    """
    keys: list[Any] = []
    values: list[Any] = []
    errors: list[Any] = []
    for token, target, place in zip(inputs, targets, parameters["position_embedding"], strict=False):
        embedded = [dot(token, column) for column in columns(parameters["token_embedding"])]
        x = normalized(added(embedded, place))
        a = normalized(x)
        keys.append(linear(parameters["key"], a))
        values.append(linear(parameters["value"], a))
        heads = attention(linear(parameters["query"], a), keys, values)
        x = added(x, linear(parameters["output"], heads))
        hidden = [relu(number) for number in linear(parameters["widen"], normalized(x))]
        x = added(x, linear(parameters["narrow"], hidden))
        logits = linear(parameters["head"], x)
        errors.append(log(sum([exp(logit) for logit in logits])) - dot(target, logits))
    return dot(weights, errors)


def attention(query: Sequence[Any], keys: Sequence[Any], values: Sequence[Any]) -> list[Any]:
    """For each head, the mean of the values of all positions so far, weighted by how well their keys suit the query."""
    result = []
    size = WIDTH // HEADS
    for first in range(0, WIDTH, size):
        head = slice(first, first + size)
        scores = [dot(query[head], key[head]) / size**0.5 for key in keys]
        shares = softmax(scores)
        result += [dot(shares, column) for column in columns([value[head] for value in values])]
    return result


def softmax(scores: Sequence[Any]) -> list[Any]:
    """Positive numbers that add up to 1."""
    exponentials = [exp(score) for score in scores]
    total = sum(exponentials)
    return [exponential / total for exponential in exponentials]


def normalized(x: Sequence[Any]) -> list[Any]:
    """The numbers scaled to a mean square of 1."""
    scale = 1.0 / sqrt(dot(x, x) / len(x) + 1e-5)
    return [number * scale for number in x]


def linear(weights: Iterable[Any], x: Sequence[Any]) -> list[Any]:
    """A matrix times a vector."""
    return [dot(row, x) for row in weights]


def added(left: Iterable[Any], right: Iterable[Any]) -> list[Any]:
    """The sum of two vectors."""
    return [a + b for a, b in zip(left, right, strict=True)]


def columns(rows: Iterable[Any]) -> list[tuple[Any, ...]]:
    """The columns of a matrix given by its rows."""
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
    """One step of Adam with one document.

    Args:
        parameters: of the model, as arrays.
        means: the running means of the gradients, as arrays.
        squares: those of their squares.
        rate: the learning rate of this step.
        correction: 1 - β₁ᵗ in step t, by which the means are too small since they began at 0.
        square_correction: 1 - β₂ᵗ.
        inputs: as in `loss`, and so are targets and weights.

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

    @property
    def length(self) -> int:
        """The number of positions that are not there to fill up."""
        return int(numpy.count_nonzero(self.weights))

    def trimmed(self) -> "Document":
        """The same without the positions that fill up, for an eager run."""
        return Document(*[part[: self.length] for part in self])


def document(name: str) -> Document:
    """A name as arrays, filled up to 16 positions."""
    tokens = [BOUNDARY, *[ord(letter) - ord("a") for letter in name], BOUNDARY]
    length = min(len(tokens) - 1, POSITIONS)
    rows = numpy.eye(TOKENS)
    inputs, targets, weights = (
        numpy.zeros((POSITIONS, TOKENS)),
        numpy.zeros((POSITIONS, TOKENS)),
        numpy.zeros(POSITIONS),
    )
    inputs[:length], targets[:length] = rows[tokens[:length]], rows[tokens[1 : length + 1]]
    weights[:length] = 1.0 / length
    return Document(inputs, targets, weights)


def documents(names: Iterable[str]) -> Document:
    """Several names as arrays with a leading axis."""
    return Document(*map(numpy.stack, zip(*[document(name) for name in names], strict=True)))


def made_up_names(count: int, seed: int = 1, least: int = 3, most: int = 10) -> list[str]:
    """Names of syllables, of a length between two bounds."""
    generator = random.Random(seed)
    names: list[str] = []
    while len(names) < count:
        length = generator.randint(least, most)
        name = ""
        while len(name) < length:
            name += generator.choice(["", "b", "d", "j", "k", "l", "m", "n", "r", "s", "t", "z", "ch", "br"])
            name += generator.choice("aaeeiioouy") + generator.choice(["", "", "", "n", "l", "r", "s"])
        names.append(name[:length])
    return names


def initial_parameters(seed: int = 1) -> dict[str, Array]:
    """Small normal numbers."""
    generator = numpy.random.default_rng(seed)
    return {name: generator.normal(0.0, 0.08, shape) for name, shape in SHAPES.items()}


def variables(parameters: dict[str, Array]) -> tuple[dict[str, list[list[Value]]], list[Value]]:
    """The parameters as rows of Values, and all of these in a list."""
    nested = {name: [list(map(Value, row)) for row in matrix.tolist()] for name, matrix in parameters.items()}
    return nested, [leaf for matrix in nested.values() for row in matrix for leaf in row]


def zeros() -> dict[str, Array]:
    """What Adam remembers at first."""
    return {name: numpy.zeros(shape) for name, shape in SHAPES.items()}


def schedule(steps: int) -> tuple[Array, Array, Array]:
    """The learning rate of each step, which decays to 0, and the two corrections."""
    done = numpy.arange(steps)
    return RATE * (1.0 - done / steps), 1.0 - MEMORY ** (done + 1), 1.0 - SQUARE_MEMORY ** (done + 1)


def train(steps: int) -> tuple[dict[str, Array], Array]:
    """The parameters after some steps, each with another name, and the loss of each step; by one compiled program."""
    rounds = (*schedule(steps), *documents(made_up_names(steps)))
    parameters, _, _, losses = compile(training_step).repeat(steps, initial_parameters(), zeros(), zeros(), each=rounds)
    return parameters, losses


def train_eagerly(steps: int, scheduled: int) -> tuple[dict[str, Array], Array]:
    """The same by `backward` and an optimizer: the first steps of a training of so many."""
    from nn import Adam

    parameters, leaves = variables(initial_parameters())
    optimizer = Adam(leaves, RATE, (MEMORY, SQUARE_MEMORY), EPSILON)
    losses = []
    for step, name in enumerate(made_up_names(scheduled)[:steps]):
        error = loss(parameters, *document(name).trimmed())
        optimizer.zero_grad()
        error.backward()
        optimizer.learning_rate = RATE * (1.0 - step / scheduled)
        optimizer.step()
        losses.append(error.data)
    numbers = {name: numpy.array([[v.data for v in row] for row in matrix]) for name, matrix in parameters.items()}
    return numbers, numpy.array(losses)


def main() -> None:
    """Train, and print the loss."""
    parser = argparse.ArgumentParser(description="Train a GPT in scalars to spell made-up names.")
    parser.add_argument("--steps", type=int, default=1000)
    parser.add_argument("--eager", action="store_true", help="run without a compiled program")
    options = parser.parse_args()
    _, losses = train_eagerly(options.steps, options.steps) if options.eager else train(options.steps)
    last = losses[-100:]
    print(f"loss {losses[0]:.4f} at first, {last.mean():.4f} as the mean of the last {len(last)} steps")


if __name__ == "__main__":
    main()
