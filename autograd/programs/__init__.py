"""Graphs as lists of instructions, for whatever runs them elsewhere; functions compiled to such programs."""

from typing import TYPE_CHECKING as _TYPE_CHECKING
from typing import Any as _Any

from autograd.programs.compilation import Compiled, compile
from autograd.programs.control_flow import cond, fori_loop, map, scan, while_loop

if _TYPE_CHECKING:
    from autograd.programs.program import Program as Program

__all__ = ["Program", "Compiled", "compile", "cond", "fori_loop", "map", "scan", "while_loop"]


def __getattr__(name: str) -> _Any:
    if name != "Program":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}", name=name)
    from autograd.programs.program import Program  # it needs NumPy

    return Program
