"""What the commands share: a parser that answers wrong usage in one line, and kinds of options."""

from __future__ import annotations

import argparse
import math
import os
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, NoReturn

import autograd


def program() -> str:
    """Return what runs this command, from the folder that it was run in."""
    script, folder = Path(sys.argv[0]), Path.cwd()
    path, words = (script, "") if script.stem == "stepgrad" else (Path(sys.executable), " -m nn")
    path = path.absolute()
    if shutil.which(path.name) == str(path):
        return path.stem + words
    shown = str(path.relative_to(folder) if path.is_relative_to(folder) else path)
    return (f'"{shown}"' if " " in shown else shown) + words


class Parser(argparse.ArgumentParser):
    """A parser of a command's options, whose errors are one line, and exit with 2."""

    def __init__(self, command: str, **settings: Any) -> None:
        super().__init__(prog=f"{program()} {command}".rstrip(), **settings)
        version = f"stepgrad {autograd.__version__}, {autograd.engine} engine"
        self.add_argument("--version", action="version", version=version)

    def error(self, message: str) -> NoReturn:
        """Say what is wrong, and where to look."""
        self.exit(2, f"stepgrad: {message} ('{self.prog} --help' lists what there is)\n")

    def check_out(self, folder: Path, what: str) -> None:
        """Leave with an error if no file could be written into the folder of `--out`, which need not exist yet."""
        existing = next(path for path in (folder, *folder.absolute().parents) if path.exists())
        obstacle = None if os.access(existing, os.W_OK | os.X_OK) else "it is not writable"
        if not existing.is_dir():
            obstacle = f"{str(existing)!r} is not a directory"
        if obstacle:
            self.error(f"cannot write {what} into {str(folder)!r}: {obstacle}; name another directory with --out")


def integer(least: int) -> Callable[[str], int]:
    """Return a kind of option: an integer of at least so much."""

    def read(text: str) -> int:
        try:
            number = int(text)
        except ValueError:
            number = least - 1
        if number < least:
            raise argparse.ArgumentTypeError(f"{text!r} is not possible; give an integer of at least {least}")
        return number

    return read


def positive_number(text: str) -> float:
    """Return a learning rate; raise ArgumentTypeError for anything else."""
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not 0.0 < number < math.inf:
        raise argparse.ArgumentTypeError(f"{text!r} is not a learning rate; give a number greater than 0, such as 0.5")
    return number
