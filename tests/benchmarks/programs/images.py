"""Networks that read images, the images, and how they are trained: the same numbers for each peer."""

import random
from typing import Any, NamedTuple

import numpy

from nn import MLP
from tests.benchmarks.programs.serving import Skipped

Array = numpy.ndarray[Any, Any]

CLASSES, SIDE, PAPER = 10, 28, 4  # the digits of MNIST: with so many pixels of paper around those with ink
INK = 0.375  # of the pixels within, so that 81 of 100 pixels are 0, as in MNIST
SMALL_DIGITS = 1437  # of those that scikit-learn carries: four fifths
SEED = 1
COMPARED_ROUNDS = 2  # of a long training: their errors are compared


class Images(NamedTuple):
    """What is trained with: a row of pixels for each image, and its class."""

    pixels: Array
    labels: Array


class Training(NamedTuple):
    """How a network is trained.

    Attributes:
        hidden: how many neurons each hidden layer has.
        optimizer: "SGD" or "Adam".
        learning_rate: the size of its steps.
        batch_size: how many images each step takes.
    """

    hidden: tuple[int, ...]
    optimizer: str
    learning_rate: float
    batch_size: int

    def network(self, images: Images) -> MLP[Any]:
        """The untrained network."""
        sizes = [*self.hidden, CLASSES]
        return MLP(images.pixels.shape[1], sizes, "relu", generator=random.Random(SEED))


SMALL = Training((32,), "SGD", 0.1, 32)
LARGE = {
    "images 300": Training((300,), "SGD", 0.1, 100),
    "images 300 adam": Training((300,), "Adam", 0.001, 100),
    "images 1000 1000": Training((1000, 1000), "SGD", 0.1, 100),
}


def small_digits() -> Images:
    """The first of the 1,797 digits of 8×8 pixels."""
    try:
        from sklearn.datasets import load_digits
    except ImportError:
        raise Skipped("there is no scikit-learn") from None
    found = load_digits()
    return Images(found.data[:SMALL_DIGITS] / 16.0, found.target[:SMALL_DIGITS].astype("int64"))


def made_up_images(count: int) -> Images:
    """Images of the size of MNIST's, and as much of them paper; each class has pixels of its own that have ink."""
    generator = numpy.random.default_rng(SEED)
    labels = generator.integers(0, CLASSES, count)
    within = SIDE - 2 * PAPER
    chances = 2.0 * INK * generator.random((CLASSES, within, within))
    pixels = numpy.zeros((count, SIDE, SIDE))
    ink = generator.random((count, within, within))
    ink *= generator.random(ink.shape) < chances[labels]
    pixels[:, PAPER:-PAPER, PAPER:-PAPER] = ink
    return Images(pixels.reshape(count, -1), labels)


def layers(network: MLP[Any]) -> list[tuple[Array, Array]]:
    """The weights and the biases of each layer."""
    return [
        (
            numpy.array([[weight.data for weight in neuron.weights] for neuron in layer.neurons]),
            numpy.array([bias.data for bias in layer.biases]),
        )
        for layer in network.layers
    ]
