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
# The modules that are compiled, in the order in which they are imported.
MODULES = "floats", "primitives", "trees", "value", "nodes", "tape", "slope_rules", "sweeping", "programs.scanning"
EXECUTION = "programs.execution"  # compiled from execution.pyx, and imported when the first program runs


def _choose() -> str:
    """Import the engine: as plain Python if the environment variable `STEPGRAD_ENGINE` is "plain".

    Returns:
        Which one runs, "compiled" or "plain".

    Raises:
        ValueError: if the variable has another value; "compiled", too, where nothing was compiled.
    """
    choice = os.environ.get(VARIABLE, "")
    if choice not in ("", "plain", "compiled"):
        raise ValueError(f"{VARIABLE} is {choice!r}: set it to 'plain' or 'compiled', or leave it out")
    if choice == "plain":
        for module in MODULES:
            _load_source(module)
    from autograd import value

    compiled = not str(value.__file__).endswith(".py")
    if choice == "compiled" and not compiled:
        raise ValueError(
            f"{VARIABLE} asks for the compiled engine, but it was not compiled here: install a C compiler and then "
            f"stepgrad again, or leave {VARIABLE} out"
        )
    return "compiled" if compiled else "plain"


def execution() -> ModuleType:
    """Return the module that runs lowered programs, of the engine that was chosen; it needs NumPy."""
    return import_module(f"autograd.{EXECUTION}" if engine == "compiled" else "autograd.programs.array_execution")


def _load_source(module: str) -> None:
    """Import a module from its source, also where a compiled one lies beside it."""
    from importlib.util import module_from_spec, spec_from_file_location

    import_module(f"autograd.{module}".rpartition(".")[0])
    folder = sys.modules["autograd"].__path__[0]
    spec = spec_from_file_location(f"autograd.{module}", f"{folder}/{module.replace('.', '/')}.py")
    assert spec is not None
    assert spec.loader is not None
    loaded = module_from_spec(spec)
    sys.modules[spec.name] = loaded
    try:
        spec.loader.exec_module(loaded)
    except BaseException:
        sys.modules.pop(spec.name, None)
        raise
    package, _, own_name = spec.name.rpartition(".")
    setattr(sys.modules[package], own_name, loaded)


engine = _choose()
