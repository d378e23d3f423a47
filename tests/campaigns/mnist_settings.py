"""Compare settings of the training with MNIST on images that are split from those for training.

    python -m tests.campaigns.mnist_settings FOLDER

FOLDER holds MNIST's files. The images for testing are not looked at. Ten thousand of the 60,000 others, with as much of
each digit, are what the settings are compared by; the rest is what each network is trained with. What was found stands
in docs/how_to/read_digits.md, and the choice in `nn.examples.digits.SETTINGS_OF_MNIST`.
"""

import sys
import time

import numpy as np
from sklearn.model_selection import train_test_split

from nn import SGD, AdamW
from nn.examples.digits import SIZES_OF_MNIST, SPLIT_SEED, Settings, digit_network, finished, scores, train
from nn.examples.mnist_files import read_mnist

VALIDATION = 10_000
CANDIDATES = (
    Settings("relu", AdamW, 0.001, 0.0, 128, 10),
    Settings("relu", AdamW, 0.001, 0.1, 128, 10),
    Settings("relu", AdamW, 0.002, 0.0, 128, 10),
    Settings("relu", AdamW, 0.001, 0.0, 128, 15),
    Settings("relu", SGD, 0.5, 0.0, 128, 10),
    Settings("relu", SGD, 0.5, 0.0, 64, 10),
    Settings("relu", SGD, 0.5, 0.0, 64, 15),
    Settings("relu", SGD, 0.2, 0.0, 64, 10),
    Settings("tanh", AdamW, 0.001, 0.0, 128, 10),
)


def main() -> None:
    """Train with each of the candidates, and print what the validation says."""
    images, _ = read_mnist(sys.argv[1])
    training, held_out = train_test_split(
        np.arange(len(images.labels)), test_size=VALIDATION, stratify=images.labels, random_state=SPLIT_SEED
    )
    validation = images.part(held_out)
    print(f"{len(training):,} images to train with, {len(held_out):,} to validate")
    for settings in CANDIDATES:
        start = time.perf_counter()
        network = digit_network(images, SIZES_OF_MNIST, settings.activation, SPLIT_SEED)
        history = finished(train(network, images.part(training), settings, SPLIT_SEED, validation=validation))
        right = np.mean(scores(network, validation).argmax(axis=1) == validation.labels)
        print(
            f"{settings}: error {history.errors[-1]:.4f}, validation error {history.validation_errors[-1]:.4f}, "
            f"validation accuracy {right:.2%}, {time.perf_counter() - start:.0f} s",
            flush=True,
        )


if __name__ == "__main__":
    main()
