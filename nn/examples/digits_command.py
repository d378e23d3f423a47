"""The command `digits`: trains networks that read handwritten digits, tests them, and shows what they get wrong."""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from nn.checkpoints import load_network, save_network
from nn.examples import digit_pictures as pictures
from nn.examples import digits
from nn.examples.command_options import Parser, integer, program
from nn.examples.mnist_files import read_mnist
from nn.history import History
from nn.modules import MLP
from nn.parameters import counted
from nn.training.progress import progress_bar

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

WIDTH = 80  # of a terminal
PLOT_REMEDY = "pictures need matplotlib, which is not installed here; get it with pip install 'stepgrad[plot]'"


def run_digits(words: Sequence[str]) -> None:
    """Run the command with the words after `digits`."""
    parser = Parser(
        "digits",
        description="Trains a network to read handwritten digits, tests it on digits that it has not seen, and writes "
        "the curve of the error, the confusion matrix, the digits that it got wrong and the network itself. Without "
        "options: a 64-32-10 network and the 1,797 digits of 8×8 pixels that scikit-learn carries, in five parts.",
    )
    parser.add_argument(
        "--mnist", type=Path, metavar="FOLDER", help="a 784-300-10 network and MNIST, whose four files are there"
    )
    parser.add_argument("--seeds", type=integer(1), default=3, metavar="N", help="train with the seeds 1 to N (3)")
    parser.add_argument("--rounds", type=integer(1), metavar="N", help="how many a training has (40; of MNIST 15)")
    parser.add_argument(
        "--resume", action="store_true", help="go on with a stopped training with MNIST; give the same --rounds"
    )
    parser.add_argument("--out", type=Path, default=Path("digits"), metavar="FOLDER", help="where files go (digits)")
    options = parser.parse_args(words)
    if options.resume and options.mnist is None:
        parser.error("--resume goes on with a training with MNIST; the small digits take seconds: leave it out")
    parser.check_out(options.out, "files")
    seeds = range(1, options.seeds + 1)
    try:
        if options.mnist is not None:
            _read_mnist(options.mnist, seeds, options.rounds, options.resume, options.out)
        else:
            _read_small_digits(seeds, options.rounds, options.out)
    except (ImportError, ValueError, FileNotFoundError) as error:
        parser.error(str(error))


def _read_small_digits(seeds: Sequence[int], rounds: int | None, out: Path) -> None:
    import numpy as np

    images = digits.read_digits()
    candidates = [settings if rounds is None else settings._replace(rounds=rounds) for settings in digits.CANDIDATES]
    print(
        f"{len(images.labels):,} digits of {digits.SIDE}×{digits.SIDE} pixels, in {digits.PARTS} parts. Networks are "
        f"tested with each part\nafter training with the other four; settings are chosen within those.\n"
    )
    print(f"{'part':<6}{'settings':<26}" + "".join(f"{f'seed {seed}':>10}" for seed in seeds))
    found, parts = np.empty((len(seeds), len(images.labels), digits.CLASSES)), []
    with progress_bar(digits.PARTS * (len(candidates) + len(seeds)), 0, None, "trainings") as bar:
        for part in digits.cross_validate(images, candidates, seeds, bar.update):
            parts.append(part)
            found[:, part.places] = part.scores
            rights = [np.mean(rows.argmax(axis=1) == images.labels[part.places]) for rows in part.scores]
            settings = f"{part.settings.activation}, weight decay {part.settings.weight_decay:g}"
            with bar.external_write_mode():
                print(f"{len(parts):<6}{settings:<26}" + "".join(f"{right:>10.2%}" for right in rights), flush=True)
    rights = found.argmax(axis=2) == images.labels
    print(f"{'all':<32}" + "".join(f"{right:>10.2%}" for right in rights.mean(axis=1)))
    print(f"\nright on average over parts and seeds: {rights.mean():.2%}")
    first = parts[0]
    out.mkdir(parents=True, exist_ok=True)
    path = save_network(first.networks[0], out / "network.json")
    _tell(images, found[0], "with seed 1")
    _prove(first.networks[0], path, images.part(first.places), f"of part 1 and seed {seeds[0]}")
    _draw(first.networks[0], first.histories[0], images, found[0], out)


def _read_mnist(folder: Path, seeds: Sequence[int], rounds: int | None, resume: bool, out: Path) -> None:
    training, test = read_mnist(folder)
    settings = digits.SETTINGS_OF_MNIST if rounds is None else digits.SETTINGS_OF_MNIST._replace(rounds=rounds)
    print(f"{len(training.labels):,} images to train with, {len(test.labels):,} to test with\n{settings}\n", flush=True)
    out.mkdir(parents=True, exist_ok=True)
    rights = []
    for seed in seeds:
        start = time.perf_counter()
        path = out / f"mnist_seed_{seed}.json"
        network = digits.digit_network(training, digits.SIZES_OF_MNIST, settings.activation, seed)
        history = digits.train(network, training, settings, seed, progress=None, checkpoint=path, resume=resume)
        if history.interrupted:
            again = f" --rounds {rounds}" if rounds is not None else ""
            raise KeyboardInterrupt(
                f"stopped with seed {seed} after {counted(history.rounds, 'round')} and {history.batches} batches of "
                f"the next, saved in {path}; it goes on from there, to the last bit, with\n  {program()} digits "
                f"--mnist {folder} --seeds {len(seeds)}{again} --out {out} --resume"
            )
        found = digits.scores(network, test)
        rights.append(float((found.argmax(axis=1) == test.labels).mean()))
        seconds = time.perf_counter() - start
        print(
            f"seed {seed}: {rights[-1]:.2%} right after {counted(history.rounds, 'round')}, {seconds:.0f} s", flush=True
        )
        if seed == seeds[0]:
            first = network, history, found, path
    print(f"right on average over seeds: {sum(rights) / len(rights):.2%}")
    network, history, found, path = first
    _tell(test, found, f"with seed {seeds[0]}")
    _prove(network, path, test, f"of seed {seeds[0]}")
    _draw(network, history, test, found, out)


def _tell(images: digits.LabelledImages, found: NDArray[np.float64], which: str) -> None:
    """Print the confusion matrix, and the mistakes that the network was surest of."""
    answers = found.argmax(axis=1)
    wrong = digits.surest_mistakes(found, images.labels)
    print(f"\n{which}: {len(wrong)} of {len(answers):,} misread. Rows are digits, columns answers:\n")
    print(pictures.counts_as_text(digits.confusion(found, images.labels)))
    blocks = [
        pictures.in_letters(images.pixels[place], f"{images.labels[place]} as {answers[place]}") for place in wrong
    ]
    if blocks:
        fitting = max(1, WIDTH // (len(blocks[0].splitlines()[-1]) + 3))
        print(f"\nthe mistakes that it was surest of:\n\n{pictures.side_by_side(blocks[:fitting])}")


def _prove(network: digits.DigitNetwork, path: Path, images: digits.LabelledImages, which: str) -> None:
    """Load a file into another network, and compare what both give; raise a RuntimeError if they differ."""
    sizes = [len(layer.neurons) for layer in network.layers]
    other: digits.DigitNetwork = MLP(network.inputs, sizes, network.layers[0].neurons[0].activation)
    load_network(other, path)
    if not (digits.scores(network, images) == digits.scores(other, images)).all():
        raise RuntimeError(f"the network read from {path} gives other numbers than the one that was saved")
    print(f"\nthe network {which} was saved and loaded again, and gives")
    print(f"the same numbers for {len(images.labels):,} images")
    print(f"written: {path}")


def _draw(
    network: digits.DigitNetwork, history: History, images: digits.LabelledImages, found: NDArray[np.float64], out: Path
) -> None:
    answers = found.argmax(axis=1)
    try:
        written = [pictures.save_curve(history, out / "error.png")] if history.errors else []
        written += [
            pictures.save_confusion(digits.confusion(found, images.labels), out / "confusion.png"),
            pictures.save_misread(images, digits.surest_mistakes(found, images.labels), answers, out / "misread.png"),
            pictures.save_weights(network, out / "weights.png"),
        ]
    except ImportError:
        print(f"stepgrad: {PLOT_REMEDY}", file=sys.stderr)
    else:
        print("".join(f"written: {path}\n" for path in written), end="")
