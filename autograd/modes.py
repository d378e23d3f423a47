"""Modes that hold within a `with` block and in its thread: `no_grad`, `record_sources`, IEEE 754 arithmetic.

>>> from autograd import Value
>>> v = Value(2.0)
>>> with no_grad():
...     print(v * 3)
Constant(6.0)
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from autograd.value import Value

__all__ = ["no_grad", "record_sources"]

# An entry for each no_grad() and each record_sources() in force in any thread. An operation looks at this set first,
# and asks for the mode of its own thread only if there is an entry.
watchers: set[object] = set()

recording: ContextVar[bool] = ContextVar("recording", default=True)
ieee: ContextVar[bool] = ContextVar("ieee", default=False)
note_source: ContextVar[Callable[[Value], None] | None] = ContextVar("note_source", default=None)


@contextmanager
def no_grad() -> Iterator[None]:
    """Record nothing within a `with` block, in this thread: the results of operations are constants."""
    with _watching(recording, False):
        yield


@contextmanager
def _watching(variable: ContextVar[Any], value: Any) -> Iterator[None]:
    watcher = object()
    watchers.add(watcher)
    token = variable.set(value)
    try:
        yield
    finally:
        variable.reset(token)
        watchers.discard(watcher)


@contextmanager
def ieee_arithmetic() -> Iterator[None]:
    """Within a `with` block and in this thread, let a pole be infinite and a value outside a domain be nan."""
    token = ieee.set(True)
    try:
        yield
    finally:
        ieee.reset(token)


@contextmanager
def record_sources() -> Iterator[dict[Value, tuple[str, int]]]:
    """Note, within a `with` block and in this thread, which line of whose program makes each node.

    Yields:
        A dict that fills up: the file and the line of each node that an operation makes. The line is the nearest one
        outside the packages `autograd` and `nn`.
    """
    sources: dict[Value, tuple[str, int]] = {}

    def note(node: Value) -> None:
        frame = sys._getframe()
        while frame.f_back is not None and frame.f_globals.get("__name__", "").partition(".")[0] in ("autograd", "nn"):
            frame = frame.f_back
        sources[node] = frame.f_code.co_filename, frame.f_lineno

    with _watching(note_source, note):
        yield sources
