"""Graphs as lists of instructions, for whatever runs them elsewhere; functions compiled to such programs."""

from autograd.programs.compilation import Compiled, compile
from autograd.programs.program import Program

__all__ = ["Program", "Compiled", "compile"]
