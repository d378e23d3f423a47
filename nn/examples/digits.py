"""Handwritten digits: the 1,797 that scikit-learn carries and MNIST's, the networks that read them, and how they train.

The small digits are split into five parts of the same mixture. Each part is once what a network is tested with, and its
settings are chosen within the other four. Whoever calls this needs NumPy, and for the small digits scikit-learn.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

from autograd import Value, compile
from nn.history import History
from nn.losses import softmax_cross_entropy
from nn.metrics import Case
from nn.modules import MLP
from nn.optimizers import SGD, AdamW
from nn.training import fit

if TYPE_CHECKING:
    import os

    import numpy as np
    from numpy.typing import NDArray

DigitNetwork: TypeAlias = MLP[list[Value]]

CLASSES = 10
SIDE, SIDE_OF_MNIST = 8, 28  # of an image, in pixels
SIZES, SIZES_OF_MNIST = (32, CLASSES), (300, CLASSES)
PARTS = 5  # that the small digits are split into
SPLIT_SEED = 1  # of the splits, which are the same in each run


class LabelledImages(NamedTuple):
    """Images of digits."""

    pixels: NDArray[Any]  # a row for each image, from the upper left: 0 for paper, 1 for ink
    labels: NDArray[np.int64]  # which digit each one is

    def part(self, places: NDArray[np.int64]) -> LabelledImages:
        """Return the images at some places."""
        return LabelledImages(self.pixels[places], self.labels[places])

    def cases(self) -> list[Case]:
        """Return the images as `fit` takes them: pairs of pixels and class."""
        return list(zip(self.pixels, self.labels.tolist(), strict=True))


class Settings(NamedTuple):
    """What decides on a training, besides its cases."""

    activation: str  # of the hidden neurons
    optimizer: type[AdamW] | type[SGD]
    learning_rate: float  # in the first round; it decreases by the same amount from round to round, towards 0
    weight_decay: float
    batch_size: int
    rounds: int

    def __str__(self) -> str:
        decay = f", weight decay {self.weight_decay:g}" if self.weight_decay else ""
        return (
            f"{self.activation}, {self.optimizer.__name__} from {self.learning_rate:g}{decay}, batches of "
            f"{self.batch_size}, {self.rounds} rounds"
        )


CANDIDATES = tuple(Settings(name, AdamW, 0.01, decay, 32, 40) for name in ("tanh", "relu") for decay in (0.0, 0.1))
SETTINGS_OF_MNIST = Settings("relu", SGD, 0.5, 0.0, 64, 15)


class Part(NamedTuple):
    """What was found for one of the parts that the small digits are split into."""

    places: NDArray[np.int64]  # of the images of this part, which the networks were tested with
    settings: Settings  # those that were best within the other parts
    networks: list[DigitNetwork]  # one for each seed
    histories: list[History]  # of their trainings
    scores: list[NDArray[np.float64]]  # their logits for the images of this part


def read_digits() -> LabelledImages:
    """Read the 1,797 digits of 8×8 pixels that scikit-learn carries.

    Raises:
        ImportError: if scikit-learn, which the extra `stepgrad[digits]` installs, is missing.
    """
    try:
        from sklearn.datasets import load_digits
    except ImportError as error:
        raise ImportError(
            "the digits come with scikit-learn, which is not installed here; get it with pip install 'stepgrad[digits]'"
        ) from error
    found = load_digits()
    return LabelledImages(found.data / 16.0, found.target.astype("int64"))


def digit_network(images: LabelledImages, sizes: Sequence[int], activation: str, seed: int) -> DigitNetwork:
    """Make a network with an input for each pixel of some images and an output, a logit, for each digit."""
    return MLP(images.pixels.shape[1], sizes, activation, generator=random.Random(seed))


def train(
    network: DigitNetwork,
    images: LabelledImages,
    settings: Settings,
    seed: int,
    *,
    validation: LabelledImages | None = None,
    progress: bool | None = False,
    checkpoint: str | os.PathLike[str] | None = None,
    resume: bool = False,
) -> History:
    """Train a network from `digit_network` with `fit`; the seed decides on the order of the images."""
    return fit(
        network,
        images.cases(),
        loss=softmax_cross_entropy,
        optimizer=settings.optimizer(network.parameters(), settings.learning_rate, weight_decay=settings.weight_decay),
        rounds=settings.rounds,
        batch_size=settings.batch_size,
        shuffle=random.Random(seed),
        schedule=lambda done: settings.learning_rate * (1.0 - done / settings.rounds),
        validation=None if validation is None else validation.cases(),
        progress=progress,
        checkpoint=checkpoint,
        checkpoint_every=5,
        resume=resume,
        compiled=True,
    )


def scores(network: DigitNetwork, images: LabelledImages) -> NDArray[np.float64]:
    """Return the logits that a network gives: a row for each image, a column for each digit."""
    import numpy as np

    return np.stack(compile(network).batch(images.pixels, reduce="each"), axis=1)


def split(images: LabelledImages) -> Iterator[tuple[NDArray[np.int64], NDArray[np.int64]]]:
    """Yield the places of the images outside of each part, and of those in it. Each part has as much of each digit.

    The images are shuffled before: in their order the last fifth comes from other writers than the rest.
    """
    from sklearn.model_selection import StratifiedKFold

    yield from StratifiedKFold(PARTS, shuffle=True, random_state=SPLIT_SEED).split(*images)


def cross_validate(
    images: LabelledImages, candidates: Sequence[Settings], seeds: Sequence[int], done: Callable[[], object]
) -> Iterator[Part]:
    """Test a network for each seed with each part of the images, after training with the other parts.

    The settings are chosen from the candidates for each part anew. `done` is called after each training.
    """
    for others, places in split(images):
        training, test = images.part(others), images.part(places)
        settings = choose(training, candidates, done)
        part = Part(places, settings, [], [], [])
        for seed in seeds:
            network = digit_network(images, SIZES, settings.activation, seed)
            part.histories.append(finished(train(network, training, settings, seed)))
            part.networks.append(network)
            part.scores.append(scores(network, test))
            done()
        yield part


def choose(images: LabelledImages, candidates: Sequence[Settings], done: Callable[[], object]) -> Settings:
    """Return the settings with the smallest error for a fifth of some images, after training with the other four."""
    import numpy as np
    from sklearn.model_selection import train_test_split

    inner, held_out = train_test_split(
        np.arange(len(images.labels)), test_size=0.2, stratify=images.labels, random_state=SPLIT_SEED
    )
    errors = []
    for settings in candidates:
        network = digit_network(images, SIZES, settings.activation, SPLIT_SEED)
        history = train(network, images.part(inner), settings, SPLIT_SEED, validation=images.part(held_out))
        errors.append(finished(history).validation_errors[-1])
        done()
    return candidates[errors.index(min(errors))]


def confusion(rows: NDArray[np.float64], labels: NDArray[np.int64]) -> NDArray[np.int64]:
    """Count how many digits of each kind were read as which: a row for each digit, a column for each answer."""
    from sklearn.metrics import confusion_matrix

    counts: NDArray[np.int64] = confusion_matrix(labels, rows.argmax(axis=1), labels=range(CLASSES))
    return counts


def surest_mistakes(rows: NDArray[np.float64], labels: NDArray[np.int64]) -> list[int]:
    """List the places of misread images, those first whose wrong logit exceeds the right one by the most."""
    import numpy as np

    margins = rows.max(axis=1) - rows[np.arange(len(rows)), labels]
    order: list[int] = np.argsort(-margins, kind="stable").tolist()
    return [place for place in order if margins[place] > 0.0]


def finished(history: History) -> History:
    """Return a history; raise KeyboardInterrupt if its training was interrupted, which `fit` only notes."""
    if history.interrupted:
        raise KeyboardInterrupt
    return history
