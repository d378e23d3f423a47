"""MNIST's four files in the format idx, as they are distributed, compressed with gzip or not.

A file is read after its header was checked against its size, so a damaged or hostile one costs neither memory nor time.
Nothing is downloaded.
"""

from __future__ import annotations

import gzip
import math
import os
import zlib
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from nn.examples.digits import SIDE_OF_MNIST, LabelledImages

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

NAMES = {  # of the files, and how many dimensions each has
    "train-images-idx3-ubyte": 3,
    "train-labels-idx1-ubyte": 1,
    "t10k-images-idx3-ubyte": 3,
    "t10k-labels-idx1-ubyte": 1,
}
MOST_ENTRIES = 100_000  # in a file; MNIST has 60,000 and 10,000
GZIP_MAGIC = b"\x1f\x8b"
GZIP_RATIO = 1032  # a byte of a gzip file gives at most so many


def read_mnist(folder: str | os.PathLike[str]) -> tuple[LabelledImages, LabelledImages]:
    """Read the images to train with and those to test with.

    The folder holds the four files of `NAMES`; `.idx3-ubyte` may stand for `-idx3-ubyte`, and `.gz` may follow.

    Raises:
        ValueError: if a file is damaged or not what its name says, or the files do not belong together.
        OSError: if a file is missing or cannot be read.
    """
    import numpy as np

    paths = {name: _found(Path(folder), name) for name in NAMES}
    parts = []
    for images, labels in (list(NAMES)[:2], list(NAMES)[2:]):
        classes = read_idx(paths[labels], NAMES[labels])
        pixels = read_idx(paths[images], NAMES[images])
        if len(pixels) != len(classes):
            raise ValueError(
                f"{paths[images]} holds {len(pixels):,} images and {paths[labels]} {len(classes):,} labels; take both "
                f"from the same place, and do not mix the files for training with those for testing"
            )
        if pixels.shape[1:] != (SIDE_OF_MNIST, SIDE_OF_MNIST):
            raise ValueError(
                f"{paths[images]} holds images of {pixels.shape[1]}×{pixels.shape[2]} pixels; those of MNIST have "
                f"{SIDE_OF_MNIST}×{SIDE_OF_MNIST}"
            )
        if classes.max() > 9:
            raise ValueError(
                f"{paths[labels]} holds the label {classes.max()} for image {int(classes.argmax())}; a digit is 0 to 9"
            )
        rows = pixels.reshape(len(pixels), -1) / np.float32(255.0)
        parts.append(LabelledImages(rows, classes.astype(np.int64)))
    training, test = parts
    if len(training.labels) < len(test.labels):
        raise ValueError(
            f"there are {len(training.labels):,} images to train with and {len(test.labels):,} to test with: the files "
            f"train-… and t10k-… in {os.fspath(folder)} have changed places; give them back their names"
        )
    return training, test


def read_idx(path: Path, dimensions: int) -> NDArray[np.uint8]:
    """Read the bytes of an idx file, compressed with gzip or not, in the shape that its header says.

    Raises:
        ValueError: if the file is damaged, is none of bytes in so many dimensions, or declares more entries than
            `MOST_ENTRIES`; before memory is taken for them.
        OSError: if the file cannot be read.
    """
    size = path.stat().st_size
    with path.open("rb") as raw:
        is_compressed = raw.read(2) == GZIP_MAGIC
    most = size * GZIP_RATIO if is_compressed else size
    opener: Any = gzip.open if is_compressed else open
    try:
        with opener(path, "rb") as file:
            return _read(file, path, dimensions, most)
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise ValueError(f"{path} is damaged, its gzip data cannot be read ({error}); get the file again") from None


def _read(file: BinaryIO, path: Path, dimensions: int, most: int) -> NDArray[np.uint8]:
    import numpy as np

    length = 4 + 4 * dimensions
    header = file.read(length)
    magic = bytes([0, 0, 8, dimensions])  # 8 stands for bytes without a sign
    if header[:4] != magic:
        what = {b"\0\0\x08\x01": " (those are labels)", b"\0\0\x08\x03": " (those are images)"}.get(header[:4], "")
        kind = "labels" if dimensions == 1 else "images"
        raise ValueError(
            f"{path} begins with {header[:4].hex(' ') or 'nothing'}{what}, and a file of {kind} with {magic.hex(' ')}; "
            f"give it the file that its name says"
        )
    shape = tuple(int.from_bytes(header[place : place + 4], "big") for place in range(4, len(header), 4))
    if len(header) < length:
        raise ValueError(f"{path} ends within its header, after {len(header)} bytes; get the file again")
    declared = " × ".join(f"{number:,}" for number in shape)
    if not 0 < shape[0] <= MOST_ENTRIES or not all(0 < number <= 1024 for number in shape[1:]):
        raise ValueError(
            f"{path} says that it holds {declared} bytes; expected 1 to {MOST_ENTRIES:,} entries, of at most 1,024 "
            f"pixels a side: get the file again"
        )
    count = math.prod(shape)
    has = f"{most - length:,} at most"
    if count + length <= most:
        content = file.read(count)
        has = f"only {len(content):,}" if len(content) < count else "more" if file.read(1) else ""
    if has:
        raise ValueError(f"{path} says that it holds {declared} bytes after its header, and has {has}; get it again")
    return np.frombuffer(content, np.uint8).reshape(shape)


def _found(folder: Path, name: str) -> Path:
    spellings = [name, name.replace("-idx", ".idx")]
    spellings += [f"{spelling}.gz" for spelling in spellings]
    for spelling in spellings:
        if (folder / spelling).is_file():
            return folder / spelling
    raise FileNotFoundError(
        f"there is no {name} in {str(folder)!r}, nor {', '.join(spellings[1:])}; name the folder that holds the four "
        f"files of MNIST"
    )
