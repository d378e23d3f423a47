"""Graphs as lists of instructions, for whatever runs them elsewhere; functions compiled to such programs."""

from collections.abc import Sequence as _Sequence

from autograd.hooks import hooks as _hooks
from autograd.programs import refusals as _refusals  # noqa: F401  # it registers what recording refuses
from autograd.programs.compilation import Compiled, compile
from autograd.programs.program import Program

__all__ = ["Program", "Compiled", "compile"]


def _listing(program: Program, varying: _Sequence[int], timed: bool, most: int | None) -> str:
    from autograd.programs.listing import listing  # it needs NumPy

    return listing(program, varying, timed, most)


_hooks.listing = _listing
