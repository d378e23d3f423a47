"""Modes: `no_grad`, and whom it concerns."""

import asyncio
import gc
import inspect
import signal
import sys
import threading
from collections.abc import AsyncGenerator, AsyncIterator, Coroutine, Generator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

import autograd
from autograd import Constant, Value, modes, no_grad, record_sources


def in_a_thread(main: Coroutine[Any, Any, None]) -> None:
    """Run a coroutine in a thread of its own: in this one, Playwright's loop may run."""
    with ThreadPoolExecutor(1) as threads:
        threads.submit(asyncio.run, main).result()


def test_no_grad_and_detach() -> None:
    v = Value(2.0, label="v")
    with no_grad():
        assert isinstance(v * 3, Constant)
        assert isinstance(autograd.sum([v, v]), Constant)
        with no_grad():
            pass
        assert isinstance(v.exp(), Constant)
    assert (v * 3).parents[0] is v
    output = v.detach() * v
    output.backward()
    assert v.grad == 2.0
    assert repr(v.detach()) == "Constant(2.0, label='v')"

    @no_grad()
    def predict() -> Value:
        return v * 2

    assert isinstance(predict(), Constant)
    with pytest.raises(ZeroDivisionError), no_grad():
        v / 0
    assert (v * 3).parents


def test_no_grad_holds_for_its_own_thread() -> None:
    v, results = Value(2.0), []
    with no_grad():
        thread = threading.Thread(target=lambda: results.append(v * v))
        thread.start()
        thread.join()
    assert results[0].parents == (v, v)


@pytest.mark.no_cover  # an interrupt within the tracer of coverage would leave its lock held
@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="Windows has no interval timers")
def test_an_interrupt_leaves_no_mode_in_force() -> None:
    """Not even while the exception is at hand, whose traceback keeps frames alive."""
    v, interrupts = Value(2.0), 0

    def interrupt(number: int, frame: object) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGALRM, interrupt)
    try:
        for _ in range(300):
            error: BaseException | None = None
            try:
                signal.setitimer(signal.ITIMER_REAL, 2e-5)
                while True:
                    with no_grad(), record_sources(), modes.ieee_arithmetic():
                        pass
            except KeyboardInterrupt as caught:
                interrupts, error = interrupts + 1, caught
            assert (v * 3).parents[0] is v, error
            with pytest.raises(ValueError, match="cannot take log of"):
                Value(-1.0).log()
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0.0)
        signal.signal(signal.SIGALRM, before)
    assert interrupts == 300
    del error  # its traceback may hold a manager
    gc.collect()
    assert not modes.watchers


def test_an_interrupt_at_any_line_of_a_mode_leaves_it_off() -> None:
    v = Value(2.0)
    interrupts = 0
    gc.freeze()  # what there is already is not looked at again for each line

    def use() -> None:
        with no_grad(), record_sources():
            v * 3  # its line is one that an interrupt may come at

    for line in range(1, 60):
        count = 0

        def trace(frame: Any, event: str, argument: Any, line: int = line) -> Any:
            nonlocal count, interrupts
            if frame.f_code.co_filename != modes.__file__ and frame.f_code is not use.__code__:
                return None
            if event == "line":
                count += 1
                if count == line:
                    interrupts += 1
                    raise KeyboardInterrupt
            return trace

        before = sys.gettrace()
        sys.settrace(trace)
        try:
            use()
        except KeyboardInterrupt:
            pass
        finally:
            sys.settrace(before)
        assert (v * 3).parents[0] is v
        gc.collect()
        assert not modes.watchers
    assert interrupts > 10


def test_a_generator_that_is_closed_in_another_context_ends_its_mode() -> None:
    v = Value(2.0)

    async def suspended() -> AsyncIterator[Value]:
        with no_grad():
            yield v * 3
            yield v * 4

    async def first() -> AsyncIterator[Value]:
        generator = suspended()
        assert isinstance(await anext(generator), Constant)
        return generator

    async def main() -> None:
        generator = await asyncio.create_task(first())
        await generator.aclose()  # type: ignore[attr-defined]  # an asynchronous generator has it
        assert (v * 3).parents[0] is v

    in_a_thread(main())
    assert (v * 3).parents[0] is v
    gc.collect()
    assert not modes.watchers


def test_a_manager_in_use_in_another_thread_is_refused() -> None:
    manager, errors = no_grad(), []

    def work() -> None:
        try:
            with manager:
                pass
        except RuntimeError as error:
            errors.append(str(error))
        errors.append(str((Value(2.0) * 3).parents[0].data))

    with manager:
        thread = threading.Thread(target=work)
        thread.start()
        thread.join(20)
    assert errors == ["this context manager is in use in another thread; make a new one for each block", "2.0"]


def test_modes_nest_and_managers_can_be_used_again() -> None:
    v = Value(2.0)
    manager = no_grad()
    for _ in range(2):
        with manager:
            with manager:
                assert isinstance(v * 3, Constant)
            assert isinstance(v * 3, Constant)
            with modes.recording():
                assert (v * 3).parents[0] is v
        assert (v * 3).parents[0] is v


# Decorated functions that are not run at once.


def test_a_decorated_generator_records_nothing_and_its_caller_does() -> None:
    v, seen = Value(2.0), []

    @no_grad()
    def walk() -> Generator[Value, float, Value]:
        """Walk."""
        try:
            factor = yield v * 3
            try:
                yield v * factor
            except KeyError:
                yield v * 5
        finally:
            seen.append(v * 6)
        return v * 7

    for ends_by in ("return", "close", "error"):
        generator = walk()
        found = [next(generator), generator.send(4.0)]
        assert (v * 3).parents[0] is v
        found.append(generator.throw(KeyError()))
        assert [value.data for value in found] == [6.0, 8.0, 10.0]
        assert (v * 3).parents[0] is v
        if ends_by == "return":
            with pytest.raises(StopIteration) as end:
                next(generator)
            found.append(end.value.value)
            assert found[-1].data == 14.0
        elif ends_by == "close":
            generator.close()
        else:
            with pytest.raises(OSError, match="at the end"):
                generator.throw(OSError("at the end"))
        found.append(seen.pop())
        assert all(isinstance(value, Constant) for value in found)
        assert (v * 3).parents[0] is v
    assert inspect.isgeneratorfunction(walk)
    assert walk.__doc__ == "Walk."
    gc.collect()
    assert not modes.watchers


def test_a_decorated_coroutine_records_nothing_and_others_do() -> None:
    v = Value(2.0)

    @no_grad()
    async def ours() -> list[Value]:
        found = [v * 3]
        await asyncio.sleep(0.0)
        return [*found, v * 4]

    @no_grad()
    async def items() -> AsyncGenerator[Value, float | None]:
        try:
            factor = yield v * 3
            await asyncio.sleep(0.0)
            try:
                yield v * (factor or 1.0)
            except KeyError:
                yield v * 5
        finally:
            ended.append(v * 6)

    async def theirs() -> list[Value]:
        found = []
        for _ in range(8):
            found.append(v * 3)
            await asyncio.sleep(0.0)
        return found

    async def use() -> list[Value]:
        found = [value async for value in items()]
        generator = items()
        found += [await anext(generator), await generator.asend(4.0), await generator.athrow(KeyError())]
        assert (v * 3).parents[0] is v
        with pytest.raises(StopAsyncIteration):
            await anext(generator)
        generator = items()
        await anext(generator)
        await generator.aclose()
        return found

    async def main() -> None:
        recorded_not, recorded, of_items = await asyncio.gather(ours(), theirs(), use())
        assert [value.data for value in recorded_not] == [6.0, 8.0]
        assert [value.data for value in of_items] == [6.0, 2.0, 6.0, 8.0, 10.0]
        assert all(isinstance(value, Constant) for value in [*recorded_not, *of_items, *ended])
        assert all(value.parents[0] is v for value in recorded)

    ended: list[Value] = []
    in_a_thread(main())
    assert len(ended) == 3
    assert inspect.iscoroutinefunction(ours)
    assert inspect.isasyncgenfunction(items)
    assert (v * 3).parents[0] is v
    gc.collect()
    assert not modes.watchers
