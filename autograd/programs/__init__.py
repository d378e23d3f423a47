"""Graphs as lists of instructions, for whatever runs them elsewhere; functions compiled to such programs."""

from __future__ import annotations

from collections.abc import Callable as _Callable
from collections.abc import Sequence as _Sequence
from typing import TYPE_CHECKING, Any

from autograd.hooks import hooks as _hooks
from autograd.programs import refusals as _refusals  # noqa: F401  # it registers what recording refuses
from autograd.programs.compilation import Compiled, compile

if TYPE_CHECKING:
    from autograd.programs.program import Program as Program

__all__ = ["Compiled", "compile"]  # and Program, which needs NumPy, on demand


def __getattr__(name: str) -> Any:
    if name != "Program":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from autograd.programs.program import Program  # it needs NumPy

    return Program


def _listing(program: Program, varying: _Sequence[int], timed: bool, most: int | None) -> str:
    from autograd.programs.listing import listing  # likewise

    return listing(program, varying, timed, most)


def _to_jax(program: Program) -> _Callable[..., Any]:
    from autograd.programs.exports import to_jax  # likewise

    return to_jax(program)


_hooks.listing, _hooks.to_jax = _listing, _to_jax
