"""Which engine runs: the compiled one, where it was built, or the same source as plain Python.

Cython compiles the modules in `MODULES` when the package is installed on a machine with a C compiler. Python finds them
beside the source, and imports them instead.
"""

from __future__ import annotations

import os
import sys
from importlib import import_module
from types import ModuleType

VARIABLE = "STEPGRAD_ENGINE"
MODULES = (
    *("floats", "primitives", "trees", "value", "tape", "calculus.recorded_slopes", "calculus.reverse_and_forward"),
    "programs.scanning",
)
EXECUTION = "programs.execution"  # compiled from execution.pyx, and imported when the first program runs


def _choose() -> str:
    """Import the engine that the environment variable `STEPGRAD_ENGINE` asks for, and return which one runs."""
    choice = os.environ.get(VARIABLE, "")
    if choice not in ("", "plain", "compiled"):
        raise ValueError(f"{VARIABLE} is {choice!r}: set it to 'plain' or 'compiled', or leave it out")
    if choice == "plain":
        _ignore_compiled_modules()
    try:
        from autograd import value
    except ImportError as error:
        if choice or "interpreter" not in str(error):
            raise
        _ignore_compiled_modules()  # which are loaded into one interpreter of a process alone
        from autograd import value

    compiled = not str(value.__file__).endswith(".py")
    if choice == "compiled" and not compiled:
        raise ValueError(
            f"{VARIABLE} asks for the compiled engine, but it was not compiled here: install a C compiler and then "
            f"stepgrad again, or leave {VARIABLE} out"
        )
    return "compiled" if compiled else "plain"


def _ignore_compiled_modules() -> None:
    """Let Python find source alone in the folders that hold compiled modules."""
    from importlib.machinery import SOURCE_SUFFIXES, FileFinder, SourceFileLoader

    for module in MODULES:
        folder = os.path.join(sys.modules["autograd"].__path__[0], *module.split(".")[:-1])  # noqa: PTH118  # as the import system writes it
        sys.path_importer_cache[folder] = FileFinder(folder, (SourceFileLoader, SOURCE_SUFFIXES))


def execution() -> ModuleType:
    """Return the module that runs lowered programs, of the engine that was chosen. It needs NumPy."""
    return import_module(f"autograd.{EXECUTION}" if engine == "compiled" else "autograd.programs.array_execution")


engine = _choose()
