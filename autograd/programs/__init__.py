"""Graphs as lists of instructions, for whatever runs them elsewhere."""

from autograd.programs.program import Program

__all__ = ["Program"]
