"""A GPT in scalars, `nn.examples.gpt`, trained to spell made-up names.

The names of the model and of its training can be imported from here, too.

    python tests/benchmarks/gpt.py                     # 1,000 training steps, compiled
    python tests/benchmarks/gpt.py --eager --steps 20
"""

import argparse
import random

import numpy

from autograd import Value, compile
from nn.examples.gpt import (
    EPSILON,
    HEADS,
    MEMORY,
    POSITIONS,
    RATE,
    SHAPES,
    SQUARE_MEMORY,
    TOKENS,
    WIDTH,
    Array,
    Document,
    Parameters,
    document,
    documents,
    initial_parameters,
    loss,
    schedule,
    training_step,
    zeros,
)

__all__ = [
    "EPSILON",
    "HEADS",
    "MEMORY",
    "POSITIONS",
    "RATE",
    "SHAPES",
    "SQUARE_MEMORY",
    "TOKENS",
    "WIDTH",
    "Array",
    "Document",
    "Parameters",
    "document",
    "documents",
    "initial_parameters",
    "loss",
    "schedule",
    "training_step",
    "zeros",
]


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


def trimmed(padded: Document) -> Document:
    """Leave out the positions that fill up, for an eager run."""
    length = numpy.count_nonzero(padded.weights)
    return Document(*[part[:length] for part in padded])


def variables(parameters: dict[str, Array]) -> tuple[dict[str, list[list[Value]]], list[Value]]:
    """The parameters as rows of Values, and all of these in a list."""
    nested = {name: [list(map(Value, row)) for row in matrix.tolist()] for name, matrix in parameters.items()}
    return nested, [leaf for matrix in nested.values() for row in matrix for leaf in row]


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
        error = loss(parameters, *trimmed(document(name)))
        for leaf in leaves:
            leaf.grad = 0.0  # not None: a token that is not in the name takes the step, too, as in the program
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
