"""MNIST's files: small ones made here, damaged in many ways; the real ones, where STEPGRAD_MNIST names their folder."""

from __future__ import annotations

import functools
import gzip
import os
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from nn.examples.mnist_files import read_idx, read_mnist

MEBIBYTE = 2**20
NAMES = ("train-images-idx3-ubyte", "train-labels-idx1-ubyte", "t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte")


def idx(array: np.ndarray) -> bytes:
    header = bytes([0, 0, 8, array.ndim]) + b"".join(size.to_bytes(4, "big") for size in array.shape)
    return header + array.astype(np.uint8).tobytes()


def small_files(training: int = 30, test: int = 10) -> dict[str, bytes]:
    """Images of a bright row at a height that tells the digit, in noise."""
    generator = np.random.default_rng(1)
    files = {}
    for prefix, count in (("train", training), ("t10k", test)):
        labels = np.arange(count) % 10
        images = generator.integers(0, 60, (count, 28, 28))
        images[np.arange(count), 4 + 2 * labels] = 255
        files[f"{prefix}-images-idx3-ubyte"], files[f"{prefix}-labels-idx1-ubyte"] = idx(images), idx(labels)
    return files


def write(folder: Path, files: dict[str, bytes]) -> Path:
    for name, content in files.items():
        (folder / name).write_bytes(content)
    return folder


@pytest.mark.parametrize("ending", ["", ".gz"])
@pytest.mark.parametrize("mark", ["-idx", ".idx"])
def test_the_files_are_read_by_each_of_their_names(tmp_path: Path, mark: str, ending: str) -> None:
    files = {
        name.replace("-idx", mark) + ending: gzip.compress(content) if ending else content
        for name, content in small_files().items()
    }
    training, test = read_mnist(write(tmp_path, files))
    assert training.pixels.shape == (30, 784)
    assert training.labels.tolist() == [*range(10)] * 3
    assert test.labels.tolist() == [*range(10)]
    rows = test.pixels.reshape(10, 28, 28)
    assert [int(image.sum(axis=1).argmax()) for image in rows] == [4, 6, 8, 10, 12, 14, 16, 18, 20, 22]
    assert (rows.min() >= 0.0, rows.max()) == (True, 1.0)


def of_shape(*shape: int, content: bytes = b"") -> bytes:
    return bytes([0, 0, 8, len(shape)]) + b"".join(size.to_bytes(4, "big") for size in shape) + content


zipped = functools.partial(gzip.compress, mtime=0)  # the same bytes in each process that collects the tests
LABELS = small_files()["train-labels-idx1-ubyte"]
IMAGES = small_files()["train-images-idx3-ubyte"]
BOMB = zipped(of_shape(30, 28, 28) + bytes(20 * MEBIBYTE))
HUGE = 2**32 - 1


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        (NAMES[0], b"", "begins with nothing"),
        (NAMES[0], IMAGES[:10], "ends within its header, after 10 bytes"),
        (NAMES[0], IMAGES[:-1], "has 23,519 at most;"),
        (NAMES[0], IMAGES + b"\0", "has more;"),
        (NAMES[0], LABELS, r"\(those are labels\)"),
        (NAMES[1], IMAGES, r"\(those are images\)"),
        (NAMES[0], b"\x89PNG" + IMAGES, "begins with 89 50 4e 47"),
        (NAMES[0], bytes([0, 0, 13, 3]) + IMAGES[4:], "begins with 00 00 0d 03"),  # floats
        (NAMES[0], of_shape(HUGE, HUGE, HUGE), "4,294,967,295 × 4,294,967,295"),
        (NAMES[0], zipped(of_shape(HUGE, 28, 28)), "expected 1 to 100,000 entries"),
        (NAMES[0], zipped(of_shape(100_000, 1024, 1024)), "has .* at most"),
        (NAMES[0], of_shape(30, HUGE, 28), "of at most 1,024 pixels a side"),
        (NAMES[0], of_shape(0, 28, 28), "expected 1 to"),
        (NAMES[1], of_shape(HUGE), "expected 1 to"),
        (NAMES[0], BOMB, "has more"),
        (NAMES[0], zipped(IMAGES)[:-4000], "gzip data cannot be read"),
        (NAMES[0], zipped(IMAGES)[:-6] + b"abcdef", "gzip data cannot be read"),
        (NAMES[0], zipped(IMAGES)[:100] + bytes(3000), "gzip data cannot be read|has only"),
        (NAMES[0], zipped(IMAGES[:-1]), "has only 23,519"),
        (NAMES[1], of_shape(30, content=bytes([3] * 29 + [10])), "holds the label 10 for image 29; a digit is 0 to 9"),
        (NAMES[1], small_files()[NAMES[3]], "30 images and .* 10 labels"),
        (NAMES[0], of_shape(30, 8, 8, content=bytes(30 * 64)), "of 8×8 pixels; those of MNIST have 28×28"),
    ],
)
def test_a_file_that_is_not_what_it_should_be_is_refused_before_memory_is_taken(
    tmp_path: Path, name: str, content: bytes, said: str
) -> None:
    write(tmp_path, {**small_files(), name: content})
    tracemalloc.start()
    try:
        with pytest.raises(ValueError, match=said) as caught:
            read_mnist(tmp_path)
        assert tracemalloc.get_traced_memory()[1] < 2 * MEBIBYTE
    finally:
        tracemalloc.stop()
    assert str(tmp_path / name) in str(caught.value)


def test_files_that_have_changed_places(tmp_path: Path) -> None:
    files = small_files()
    write(tmp_path, dict(zip(NAMES, [files[name] for name in (*NAMES[2:], *NAMES[:2])], strict=True)))
    with pytest.raises(ValueError, match=r"10 images to train with and 30 to test with: the files .* changed places"):
        read_mnist(tmp_path)


def test_a_missing_file_is_named_with_its_spellings(tmp_path: Path) -> None:
    write(tmp_path, small_files())
    (tmp_path / NAMES[3]).unlink()
    with pytest.raises(FileNotFoundError, match=r"no t10k-labels-idx1-ubyte in .* t10k-labels\.idx1-ubyte\.gz; name"):
        read_mnist(tmp_path)
    with pytest.raises(FileNotFoundError, match="no train-images-idx3-ubyte"):
        read_mnist(tmp_path / "nowhere")


@pytest.mark.parametrize("change", [lambda data: data, gzip.compress])
def test_a_file_alone(tmp_path: Path, change: Callable[[bytes], bytes]) -> None:
    path = tmp_path / "labels"
    path.write_bytes(change(b"\0\0\x08\x01\0\0\0\x03\x05\x00\x04"))  # the format as its author describes it
    assert read_idx(path, 1).tolist() == [5, 0, 4]


@pytest.mark.skipif("STEPGRAD_MNIST" not in os.environ, reason="STEPGRAD_MNIST names no folder with MNIST's files")
def test_mnist_itself() -> None:
    training, test = read_mnist(os.environ["STEPGRAD_MNIST"])
    assert training.labels[:10].tolist() == [5, 0, 4, 1, 9, 2, 1, 3, 1, 4]
    assert np.bincount(training.labels).tolist() == [5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949]
    assert np.bincount(test.labels).tolist() == [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009]
    assert training.pixels.mean(dtype=float) == pytest.approx(0.1307, abs=5e-5)  # as often published
