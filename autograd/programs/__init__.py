"""Graphs as lists of instructions, for whatever runs them elsewhere; functions compiled to such programs."""

from collections.abc import Callable as _Callable
from collections.abc import Sequence as _Sequence
from typing import Any as _Any

from autograd.hooks import hooks as _hooks
from autograd.programs.compilation import Compiled, compile
from autograd.programs.program import Program
from autograd.value import Value as _Value

__all__ = ["Program", "Compiled", "compile"]


def _listing(program: Program, varying: _Sequence[int], timed: bool, most: int | None) -> str:
    from autograd.programs.listing import listing  # it needs NumPy

    return listing(program, varying, timed, most)


def _to_jax(program: Program) -> _Callable[..., _Any]:
    from autograd.programs.jax_export import to_jax  # it needs NumPy

    return to_jax(program)


def _refuse(node: _Value, what: str) -> None:
    from autograd.programs.recording import refuse  # it needs NumPy

    refuse(node, what)


_hooks.listing, _hooks.to_jax, _hooks.refuse = _listing, _to_jax, _refuse
