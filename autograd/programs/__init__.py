"""Graphs as lists of instructions, for whatever runs them elsewhere; functions compiled to such programs."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import TYPE_CHECKING, Any

from autograd.hooks import hooks
from autograd.programs.compilation import Compiled, compile

if TYPE_CHECKING:
    from autograd.programs.program import Program as Program

__all__ = ["Compiled", "compile"]  # and Program, which needs NumPy, on demand


def __getattr__(name: str) -> Any:
    if name != "Program":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from autograd.programs.program import Program  # it needs NumPy

    return Program


def _of(module: str, name: str) -> Callable[..., Any]:
    """Return a function that calls one of a module, which is imported then, since it needs NumPy."""

    def call(*arguments: Any) -> Any:
        return getattr(import_module(f"autograd.programs.{module}"), name)(*arguments)

    return call


hooks.listing, hooks.to_jax, hooks.refuse = (
    _of("listing", "listing"),
    _of("exports", "to_jax"),
    _of("recording", "refuse"),
)
