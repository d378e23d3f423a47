"""While a function is recorded as a program, its numbers must not be looked at: they are different at each call."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from typing import Any

from autograd.modes import traced
from autograd.primitives import stop_gradient
from autograd.value import Value, hooks, is_constant


class Trace:
    """A recording under way.

    Attributes:
        function: what is recorded.
        inputs: the leaves that stand for the numbers of its arguments.
    """

    def __init__(self, function: Callable[..., Any], inputs: Sequence[Value]) -> None:
        self.function, self.inputs = function, inputs


def tracing(function: Callable[..., Any], inputs: Sequence[Value]) -> AbstractContextManager[Any]:
    """A context in which reading the number of a node that is no constant raises an error."""
    return traced(Trace(function, inputs))


def refuse(node: Value, what: str, remedy: str) -> None:
    """Raise a TypeError if a program is being recorded here, unless the node is a constant.

    Args:
        node: whose number is to be read.
        what: what is done with it.
        remedy: what to write instead.
    """
    trace = traced.mode.get()
    if trace is None or is_constant(node):
        return
    name = getattr(trace.function, "__name__", "the function")
    frame = sys._getframe()
    while frame.f_back is not None and frame.f_globals.get("__name__", "").partition(".")[0] in ("autograd", "nn"):
        frame = frame.f_back
    place = next((i for i, leaf in enumerate(trace.inputs) if leaf is node), None)
    kind = node.primitive.name if node.primitive is not None else "a leaf"
    which = f"number {place} of the arguments" if place is not None else f"a node ({kind})"
    label = f" {node.label!r}" if node.label else ""
    raise TypeError(
        f"cannot {what} while {name} is compiled, at line {frame.f_lineno} of {frame.f_code.co_filename}: it is "
        f"{which}{label}, and another number at each call; {remedy}"
    )


__all__ = ["Trace", "refuse", "stop_gradient", "tracing"]
hooks.refuse = refuse  # type: ignore[attr-defined]
