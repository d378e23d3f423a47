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
    """Return a square image, from paper (0) to ink (1), as lines of text, with a caption cut to its width above."""
    image, times = _square(pixels), 2
    if len(image) > WIDEST:
        image, times = (image[:-1:2] + image[1::2]) / 2, 1
    shades = (image.clip(0.0, 1.0) * (len(SHADES) - 1)).round().astype(int)
    lines = ["".join(SHADES[shade] * times for shade in row) for row in shades]
    return "\n".join([*([f"{caption:<{len(lines[0])}.{len(lines[0])}}"] if caption else []), *lines])


def side_by_side(blocks: Sequence[str]) -> str:
    """Set blocks of as many lines each beside each other."""
    return "\n".join("   ".join(lines).rstrip() for lines in zip(*map(str.splitlines, blocks), strict=True))


def save_curve(history: History, path: str | os.PathLike[str]) -> Path:
    """Draw the error over the rounds to a PNG file. As all functions here that draw, this needs matplotlib."""
    figure, (axes,) = _axes(1, 1, (6.0, 4.0))
    history.plot(axes)
    return _saved(figure, path)


def save_confusion(counts: NDArray[np.int64], path: str | os.PathLike[str]) -> Path:
    """Draw a confusion matrix, with a row for each digit and a column for each answer, to a PNG file."""
    from sklearn.metrics import ConfusionMatrixDisplay

    figure, (axes,) = _axes(1, 1, (6.0, 6.0))
    ConfusionMatrixDisplay(counts).plot(ax=axes, colorbar=False, cmap="Blues", text_kw={"fontsize": 9})
    axes.set(xlabel="read as", ylabel="digit")
    return _saved(figure, path)


def save_misread(
    images: LabelledImages, places: Sequence[int], answers: NDArray[np.int64], path: str | os.PathLike[str]
) -> Path:
    """Draw the first misread images, at some places among all, to a PNG file, with what they are and what was read."""
    shown = [
        (images.pixels[place], f"{images.labels[place]}, read as {answers[place]}", (0.0, 1.0))
        for place in places[:MOST_SHOWN]
    ]
    title = f"{len(places)} misread" + (f", the first {len(shown)}" if len(shown) < len(places) else "")
    return _saved(_grid(shown, "gray_r", title), path)


def save_weights(network: DigitNetwork, path: str | os.PathLike[str]) -> Path:
    """Draw the weights of hidden units as images to a PNG file: what each looks for."""
    return _saved(weights_figure(network), path)


def weights_figure(network: DigitNetwork) -> Figure:
    """Draw the weights of hidden units as images: red for ink that a unit wants, blue for ink that it does not want."""
    shown = []
    for neuron in network.layers[0].neurons[:MOST_SHOWN]:
        weights = [weight.data for weight in neuron.weights]
        largest = max(map(abs, weights))
        shown.append((weights, str(neuron.name), (-largest, largest)))
    return _grid(shown, "RdBu_r")


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


def _grid(images: Sequence[tuple[Any, str, tuple[float, float]]], colours: str, title: str = "") -> Figure:
    """Draw images side by side, each given as its pixels, a caption, and the numbers of the first and last colour."""
    rows = max(1, -(-len(images) // COLUMNS))
    height = 1.5 * rows + 0.6 if title else 1.4 * rows
    figure, all_axes = _axes(rows, COLUMNS, (1.2 * COLUMNS, height))
    if title:
        figure.suptitle(title)
    for axes in all_axes:
        axes.set_axis_off()
    for axes, (pixels, caption, (least, most)) in zip(all_axes, images, strict=False):
        axes.imshow(_square(pixels), cmap=colours, vmin=least, vmax=most)
        axes.set_title(caption, fontsize=8)
    return figure


def _square(pixels: Any) -> NDArray[Any]:
    import numpy as np

    return np.reshape(pixels, (math.isqrt(len(pixels)), -1))


def _saved(figure: Figure, path: str | os.PathLike[str]) -> Path:
    content = io.BytesIO()
    figure.savefig(content, format="png", dpi=100)
    return save(path, content.getvalue())
