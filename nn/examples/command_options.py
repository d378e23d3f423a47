"""What the commands share: a parser that answers wrong usage in one line, kinds of options, and checks of folders."""

from __future__ import annotations

import argparse
import math
import os
import sys
from pathlib import Path
from typing import Any, NoReturn

import autograd


def program() -> str:
    """Return what the reader typed to run this."""
    return "stepgrad" if Path(sys.argv[0]).stem == "stepgrad" else "python -m nn"


class Parser(argparse.ArgumentParser):
    """A parser whose errors are one line, and exit with 2."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        version = f"stepgrad {autograd.__version__}, {autograd.engine} engine"
        self.add_argument("--version", action="version", version=version)

    def error(self, message: str) -> NoReturn:
        """Say what is wrong, and where to look."""
        self.exit(2, f"stepgrad: {message} ('{self.prog} --help' lists what there is)\n")

    def check_out(self, folder: Path, what: str) -> None:
        """Leave with an error if no file could be written into the folder of `--out`.

        Args:
            folder: which need not exist yet.
            what: the kind of files, for the message.
        """
        obstacle = obstacle_to(folder)
        if obstacle:
            self.error(f"cannot write {what} into {str(folder)!r}: {obstacle}; name another directory with --out")


def whole_number(text: str) -> int:
    """Return a number of rounds; raise ArgumentTypeError for anything else."""
    return _at_least(text, 0, "rounds")


def count(text: str) -> int:
    """Return a number of something that there must be one of; raise ArgumentTypeError for anything else."""
    return _at_least(text, 1, "them")


def positive_number(text: str) -> float:
    """Return a learning rate; raise ArgumentTypeError for anything else."""
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not 0.0 < number < math.inf:
        raise argparse.ArgumentTypeError(f"{text!r} is not a learning rate; give a number greater than 0, such as 0.5")
    return number


def obstacle_to(folder: Path) -> str | None:
    """Return why no file could be written into a folder, which need not exist yet."""
    existing = next(path for path in (folder, *folder.absolute().parents) if path.exists())
    if not existing.is_dir():
        return f"{str(existing)!r} is not a directory"
    return None if os.access(existing, os.W_OK | os.X_OK) else "it is not writable"


def _at_least(text: str, least: int, of: str) -> int:
    try:
        number = int(text)
    except ValueError:
        number = least - 1
    if number < least:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of {of}; give an integer of at least {least}")
    return number
