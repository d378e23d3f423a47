"""Modes that hold within a `with` block and in its thread: `no_grad`, `record_sources`, IEEE 754 arithmetic.

>>> from autograd import Value
>>> v = Value(2.0)
>>> with no_grad():
...     print(v * 3)
Constant(6.0)

A mode is in force while its context manager holds a lock, which is released without running Python code. A context
variable that a Python `__exit__` resets by its token stayed set after 338 of 2,000 interrupts, and cannot be reset by a
generator that is closed in another context.
"""

from __future__ import annotations

import functools
import sys
import types
from _thread import RLock
from contextlib import ContextDecorator
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, TypeVar
from weakref import ref

from autograd.hooks import hooks

if TYPE_CHECKING:
    from collections.abc import Callable

    from autograd.value import Value

    FunctionT = TypeVar("FunctionT", bound=Callable[..., Any])

__all__ = ["ieee_arithmetic", "no_grad", "record_sources"]

# An entry for each no_grad() and each record_sources() in force in any thread. An operation looks at this set first,
# and asks for the mode of its own thread only if there is an entry.
watchers: set[object] = set()
program_recordings: set[object] = set()  # likewise for each program that is being recorded; looked at by reads of data


NOT_OF_USERS = {"autograd", "nn", "numpy", *sys.stdlib_module_names} - {"__main__"}  # packages, by name


class Mode:
    """Something that a `with` block changes.

    Args:
        name: the name of the mode.
        usual: its value outside such blocks.
        entries: gets an entry for each such block.
    """

    def __init__(self, name: str, usual: Any, entries: set[object]) -> None:
        self.usual, self.entries = usual, entries
        self.innermost: ContextVar[_Entry | None] = ContextVar(name, default=None)

    def get(self) -> Any:
        """Return the value that is in force here."""
        entry = self.innermost.get()
        while entry is not None and not entry.is_in_force():
            entry = entry.outer
        return self.usual if entry is None else entry.value


class _Entry(ref["_Setting"]):
    """A `with` block that was entered."""

    __slots__ = ("outer", "value")

    value: Any
    outer: _Entry | None

    __eq__, __hash__ = object.__eq__, object.__hash__  # not those of the manager, which may be entered twice

    def is_in_force(self) -> bool:
        """Return whether the block has not ended."""
        manager = self()
        return manager is not None and manager.is_held()


class _Setting(RLock, ContextDecorator):  # type: ignore[misc]  # the interpreter lets it be subclassed
    """A context manager that gives a mode a value. It leaves a block by the lock's own `__exit__`."""

    def __new__(cls, *settings: Any) -> Any:
        return super().__new__(cls)

    def __init__(self, mode: Mode, value: Any) -> None:
        self.mode, self.value = mode, value

    def __enter__(self) -> Any:  # type: ignore[override]  # what a block receives
        entry, outer = _Entry(self, self.mode.entries.discard), self.mode.innermost.get()
        while outer is not None and not outer.is_in_force():
            outer = outer.outer
        entry.value, entry.outer = self.value, outer
        self.mode.entries.add(entry)
        self.mode.innermost.set(entry)
        try:
            is_free = self.acquire(blocking=False)
        except BaseException:  # an interrupt that came just after
            if self.is_held():
                self.release()
            raise
        if not is_free:
            raise RuntimeError("this context manager is in use in another thread; make a new one for each block")

    def is_held(self) -> bool:
        """Return whether this thread is within the block."""
        return bool(self._is_owned())  # type: ignore[attr-defined]  # typeshed does not know it

    def _recreate_cm(self) -> _Setting:
        return _Setting(self.mode, self.value)  # for each call of a decorated function

    def __call__(self, function: FunctionT) -> FunctionT:
        """Decorate a function. The mode holds while its own code runs, and not while a generator or coroutine waits."""
        import inspect

        def generator(*arguments: Any, **keywords: Any) -> Any:
            return (yield from self._driven(function(*arguments, **keywords)))

        async def coroutine(*arguments: Any, **keywords: Any) -> Any:
            return await self._driven(function(*arguments, **keywords))

        async def asynchronous_generator(*arguments: Any, **keywords: Any) -> Any:
            running = function(*arguments, **keywords)
            resume, given = running.asend, None
            while True:
                try:
                    item = await self._driven(resume(given))
                except StopAsyncIteration:
                    return
                try:
                    resume, given = running.asend, (yield item)
                except GeneratorExit:
                    await self._driven(running.aclose())
                    raise
                except BaseException as error:
                    resume, given = running.athrow, error

        made: Any
        for is_kind, made in (
            (inspect.isgeneratorfunction, generator),
            (inspect.iscoroutinefunction, coroutine),
            (inspect.isasyncgenfunction, asynchronous_generator),
        ):
            if is_kind(function):
                return functools.wraps(function)(made)  # type: ignore[return-value]  # it is called as the function is
        return super().__call__(function)

    @types.coroutine
    def _driven(self, running: Any) -> Any:
        """Yield what a generator or a coroutine yields, and return its result; the mode holds while it runs."""
        resume, given = running.send, None
        while True:
            try:
                with self._recreate_cm():
                    item = resume(given)
            except StopIteration as end:
                return end.value
            try:
                resume, given = running.send, (yield item)
            except GeneratorExit:
                with self._recreate_cm():
                    running.close()
                raise
            except BaseException as error:
                resume, given = running.throw, error


is_recording = Mode("is_recording", True, watchers)
domain_failures = Mode("domain_failures", None, set())
note_source = Mode("note_source", None, watchers)
program_recording = Mode("program_recording", None, program_recordings)


def no_grad() -> _Setting:
    """Record nothing within a `with` block, in this thread: the results of operations are constants.

    Returns:
        A context manager, which can also decorate functions, coroutines and generators; it then applies to their code.
        If a `with` block in a generator contains a `yield`, it also applies to the caller while the generator waits.
    """
    return _Setting(is_recording, False)


def recording() -> _Setting:
    """Record operations within a `with` block, in this thread, also where `no_grad` is in force around it."""
    return _Setting(is_recording, True)


def recording_program(what: object) -> _Setting:
    """Refuse to read numbers within a `with` block, in this thread, while a program is being recorded by `what`."""
    return _Setting(program_recording, what)


def is_recording_program() -> bool:
    """Return whether a program is being recorded in this thread."""
    return bool(program_recordings) and program_recording.get() is not None


def recording_number() -> int:
    """Return the number of the recording of a program in this thread; 0 if there is none."""
    current = program_recording.get()
    return 0 if current is None else current.number


class record_sources(_Setting):  # type: ignore[misc]  # noqa: N801  # likewise; it is called like a function
    """Note the source line that makes each node, within a `with` block and in this thread.

    The `with` statement returns a dict, to which each node that an operation makes is added with its file and line. The
    line is the innermost one outside this package, NumPy and the standard library.
    """

    def __init__(self) -> None:
        self.sources: dict[Value, tuple[str, int]] = {}
        super().__init__(note_source, functools.partial(_note, self.sources))

    def __enter__(self) -> dict[Value, tuple[str, int]]:  # type: ignore[override]  # likewise
        super().__enter__()
        return self.sources


class Failures(list[Any]):
    """A list of the operations that were outside their domain, each as a primitive with its parents."""

    def check(self, *outputs: Value) -> None:
        """Raise the error of an operation outside its domain, if an output depends on one.

        Only operands that were chosen count: not the branch that `where` did not choose, nor the smaller operand of
        `maximum`. If there are several such operations, the error is that of the first one.

        Args:
            outputs: the nodes that are checked, usually those that are not finite.

        Raises:
            ValueError, ZeroDivisionError: the error that the operation raises outside of such a block.
        """
        if self:
            hooks.check_domains(self, outputs)


class ieee_arithmetic(_Setting):  # type: ignore[misc]  # noqa: N801  # likewise
    """Compute by IEEE 754 within a `with` block, in this thread, instead of raising errors outside a domain.

    A pole is infinite, and a value outside a domain is nan. The `with` statement returns a list of the operations that
    were outside their domain. Its method `check` raises the error of one of them if an output depends on it. The
    transformations of functions, such as `grad`, compute in this way.

    >>> from autograd import Value, log
    >>> with ieee_arithmetic() as failures:
    ...     y = log(Value(-1.0, label="x"))
    >>> failures.check(y)
    Traceback (most recent call last):
    ValueError: cannot take log of -1.0 (node 'x'): log needs a positive input
    """

    def __init__(self) -> None:
        super().__init__(domain_failures, Failures())

    def __enter__(self) -> Failures:  # type: ignore[override]  # likewise
        super().__enter__()
        found: Failures = self.value
        return found


def line_of_user() -> tuple[str, int]:
    """Return the file and the line being run: the nearest one outside this project, NumPy and the standard library."""
    frame = sys._getframe()
    while frame.f_back is not None and frame.f_globals.get("__name__", "").partition(".")[0] in NOT_OF_USERS:
        frame = frame.f_back
    return frame.f_code.co_filename, frame.f_lineno


def _note(sources: dict[Value, tuple[str, int]], node: Value) -> None:
    sources[node] = line_of_user()
