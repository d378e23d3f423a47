"""Graphs as lists of instructions, for whatever runs them elsewhere; functions compiled to such programs."""

from autograd.programs import refusals as _refusals  # noqa: F401  # it registers what recording refuses
from autograd.programs.compilation import compile
from autograd.programs.program import Program

__all__ = ["Program", "compile"]
