"""Pictures of digits: what is in them, and that they are files that can be read."""

from pathlib import Path

import matplotlib.image
import numpy as np
import pytest

from nn.examples.digit_pictures import (
    counts_as_text,
    in_letters,
    save_confusion,
    save_curve,
    save_misread,
    save_weights,
    side_by_side,
    weights_figure,
)
from nn.examples.digits import LabelledImages, digit_network
from nn.history import History

SQUARE = np.zeros((8, 8))
SQUARE[2:6, 2:6] = 1.0
SQUARE[3:5, 3:5] = 0.0


def test_an_image_in_letters() -> None:
    text = in_letters(SQUARE.ravel(), "a square that is cut")
    lines = text.splitlines()
    assert lines[0] == "a square that is"
    assert lines[1:3] == lines[7:] == [" " * 16] * 2
    assert lines[3] == lines[6] == "    @@@@@@@@    "
    assert lines[4] == lines[5] == "    @@    @@    "


def test_a_large_image_takes_half_as_many_lines_and_one_letter_a_pixel() -> None:
    image = np.zeros((28, 28))
    image[4:6], image[9, 27] = 1.0, 1.0
    lines = in_letters(image.ravel()).splitlines()
    assert (len(lines), {len(line) for line in lines}) == (14, {28})
    assert lines[2] == "@" * 28
    assert lines[4] == " " * 27 + "="  # one of the two is ink
    assert "".join(lines).count("@") == 28


def test_images_side_by_side() -> None:
    assert side_by_side(["a\nb", "c\nd "]) == "a   c\nb   d"


def test_counts_as_text() -> None:
    counts = np.zeros((10, 10), int)
    counts[3, 5], counts[3, 3] = 2, 1234
    lines = counts_as_text(counts).splitlines()
    assert lines[0].split() == [str(digit) for digit in range(10)]
    assert lines[4].split() == ["3", "·", "·", "·", "1234", "·", "2", "·", "·", "·", "·"]
    assert len({len(line) for line in lines}) == 1


def test_the_weights_are_those_of_the_hidden_units() -> None:
    images = LabelledImages(np.zeros((1, 64)), np.zeros(1, int))
    network = digit_network(images, [3, 10], "tanh", 1)
    figure = weights_figure(network)
    drawn = [axes for axes in figure.axes if axes.images]
    assert [axes.get_title() for axes in drawn] == ["h1", "h2", "h3"]
    weights = np.array([weight.data for weight in network.layers[0].neurons[1].weights])
    (image,) = drawn[1].images
    assert np.array_equal(np.asarray(image.get_array()), weights.reshape(8, 8))
    assert image.get_clim() == (-abs(weights).max(), abs(weights).max())  # so that white is 0


def test_files_are_pictures(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("nn.examples.digit_pictures.MOST_SHOWN", 8)
    images = LabelledImages(np.tile(SQUARE.ravel(), (60, 1)), np.arange(60) % 10)
    answers = (images.labels + 1) % 10
    network = digit_network(images, [3, 10], "tanh", 1)
    paths = [
        save_curve(History(3, [1.0, 0.5, 0.25]), tmp_path / "error.png"),
        save_confusion(np.eye(10, dtype=np.int64), tmp_path / "confusion.png"),
        save_misread(images, range(60), answers, tmp_path / "misread.png"),
        save_misread(images, [], answers, tmp_path / "none.png"),
        save_weights(network, tmp_path / "weights.png"),
    ]
    assert sorted(tmp_path.iterdir()) == sorted(paths)
    for path in paths:
        pixels = matplotlib.image.imread(path)
        assert pixels.shape[0] > 60
        assert pixels[..., :3].min() < 0.5 < pixels[..., :3].max() == 1.0
    shown = matplotlib.image.imread(paths[2])[..., :3].mean(axis=2)
    assert 0.05 < (shown < 0.05).mean() < 12 / 64  # of each image 12 pixels of 64 are ink, and there is room around it
