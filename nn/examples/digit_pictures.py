"""Pictures of digits and of what a network makes of them: files by matplotlib, and letters for a terminal.

>>> print(in_letters([0.0, 0.5, 1.0, 0.25], "half"))
half
  ==
@@::
"""

from __future__ import annotations

import io
import math
import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from autograd.saving import save
from nn.examples.digits import CLASSES, DigitNetwork, LabelledImages
from nn.history import History

if TYPE_CHECKING:
    import numpy as np
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from numpy.typing import NDArray

SHADES = " .:-=+*#%@"  # from paper to ink
WIDEST = 16  # an image with more pixels across takes one letter for two of them, one above the other
MOST_SHOWN = 48  # images in a picture
COLUMNS = 8


def in_letters(pixels: Sequence[float] | NDArray[Any], caption: str = "") -> str:
    """Return a square image as lines of text, with a caption above.

    Args:
        pixels: its numbers from the upper left, 0 for paper, 1 for ink.
        caption: cut to the width of the image.
    """
    side = math.isqrt(len(pixels))
    rows = [list(pixels[first : first + side]) for first in range(0, side * side, side)]
    times = 2
    if side > WIDEST:
        times = 1
        rows = [
            [(upper + lower) / 2 for upper, lower in zip(*pair, strict=True)]
            for pair in zip(rows[::2], rows[1::2], strict=False)
        ]
    last = len(SHADES) - 1
    lines = ["".join(SHADES[round(last * min(max(number, 0.0), 1.0))] * times for number in row) for row in rows]
    width = side * times
    return "\n".join([*([f"{caption:<{width}.{width}}"] if caption else []), *lines])


def side_by_side(blocks: Sequence[str], gap: str = "   ") -> str:
    """Set blocks of as many lines each beside each other."""
    return "\n".join(gap.join(lines).rstrip() for lines in zip(*map(str.splitlines, blocks), strict=True))


def save_curve(history: History, path: str | os.PathLike[str]) -> Path:
    """Draw the error over the rounds to a PNG file.

    Raises:
        ImportError: if matplotlib is missing, as from all functions here that draw.
        OSError: if the file cannot be written, likewise.
    """
    figure, (axes,) = _axes(1, 1, (6.0, 4.0))
    history.plot(axes)
    return _saved(figure, path)


def save_confusion(counts: NDArray[np.int64], path: str | os.PathLike[str]) -> Path:
    """Draw how many digits of each kind were read as which to a PNG file.

    Args:
        counts: a row for each digit, a column for each answer.
        path: the file.
    """
    from sklearn.metrics import ConfusionMatrixDisplay

    figure, (axes,) = _axes(1, 1, (6.0, 6.0))
    ConfusionMatrixDisplay(counts).plot(ax=axes, colorbar=False, cmap="Blues", text_kw={"fontsize": 9})
    axes.set(xlabel="read as", ylabel="digit")
    return _saved(figure, path)


def save_misread(
    images: LabelledImages, places: Sequence[int], answers: NDArray[np.int64], path: str | os.PathLike[str]
) -> Path:
    """Draw the first images of some that were misread to a PNG file, with what they are and what was read.

    Args:
        images: all images.
        places: of those that were misread.
        answers: what was read, for all images.
        path: the file.
    """
    shown = list(places)[:MOST_SHOWN]
    rows = max(1, -(-len(shown) // COLUMNS))
    figure, all_axes = _axes(rows, COLUMNS, (1.2 * COLUMNS, 1.5 * rows + 0.6))
    for axes, place in zip(all_axes, shown, strict=False):
        _draw_image(axes, images.pixels[place], f"{images.labels[place]}, read as {answers[place]}", "gray_r", (0, 1))
    for axes in all_axes:
        axes.set_axis_off()
    title = f"{len(places)} misread" + (f", the first {len(shown)}" if len(shown) < len(places) else "")
    figure.suptitle(title)
    return _saved(figure, path)


def save_weights(network: DigitNetwork, path: str | os.PathLike[str]) -> Path:
    """Draw the weights of hidden units as images to a PNG file: what each looks for."""
    return _saved(weights_figure(network), path)


def weights_figure(network: DigitNetwork) -> Figure:
    """Draw the weights of hidden units as images: red for ink that a unit wants, blue for ink that it does not want."""
    neurons = network.layers[0].neurons[:MOST_SHOWN]
    rows = -(-len(neurons) // COLUMNS)
    figure, all_axes = _axes(rows, COLUMNS, (1.2 * COLUMNS, 1.4 * rows))
    for axes, neuron in zip(all_axes, neurons, strict=False):
        weights = [weight.data for weight in neuron.weights]
        largest = max(map(abs, weights))
        _draw_image(axes, weights, str(neuron.name), "RdBu_r", (-largest, largest))
    for axes in all_axes:
        axes.set_axis_off()
    return figure


def counts_as_text(counts: NDArray[np.int64]) -> str:
    """Return a confusion matrix as lines of text, with a dot for 0."""
    width = max(5, len(str(counts.max())) + 2)
    lines = ["".join(f"{word:>{width}}" for word in ["", *map(str, range(CLASSES))])]
    for digit, row in enumerate(counts.tolist()):
        lines.append("".join(f"{word:>{width}}" for word in [str(digit), *(str(n) if n else "·" for n in row)]))
    return "\n".join(lines)


def _axes(rows: int, columns: int, size: tuple[float, float]) -> tuple[Figure, list[Axes]]:
    """Return a figure that belongs to no window, and its axes in reading order."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=size, layout="constrained")
    return figure, list(figure.subplots(rows, columns, squeeze=False).flat)


def _draw_image(axes: Axes, pixels: Any, caption: str, colours: str, bounds: tuple[float, float]) -> None:
    side = math.isqrt(len(pixels))
    rows = [list(pixels[first : first + side]) for first in range(0, side * side, side)]
    axes.imshow(rows, cmap=colours, vmin=bounds[0], vmax=bounds[1])
    axes.set_title(caption, fontsize=8)


def _saved(figure: Figure, path: str | os.PathLike[str]) -> Path:
    content = io.BytesIO()
    figure.savefig(content, format="png", dpi=100)
    return save(path, content.getvalue())
