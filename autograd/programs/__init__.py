"""Graphs as lists of instructions, for whatever runs them elsewhere; functions compiled to such programs."""

from typing import TYPE_CHECKING as _TYPE_CHECKING
from typing import Any as _Any

from autograd.programs.compilation import Compiled, compile
from autograd.programs.control_flow import cond, fori_loop, map, scan, while_loop

if _TYPE_CHECKING:
    from autograd.programs.c_source import CSource as CSource
    from autograd.programs.program import Program as Program

__all__ = ["CSource", "Program", "Compiled", "compile", "cond", "fori_loop", "map", "scan", "while_loop"]
_MODULES = {"CSource": "c_source", "Program": "program"}  # which need NumPy


def __getattr__(name: str) -> _Any:
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}", name=name)
    from importlib import import_module

    return getattr(import_module(f"autograd.programs.{_MODULES[name]}"), name)
