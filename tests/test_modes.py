"""Modes: `no_grad`, and whom it concerns."""

import asyncio
import gc
import signal
import sys
import threading
from collections.abc import AsyncIterator
from typing import Any

import pytest

import autograd
from autograd import Constant, Value, modes, no_grad, record_sources


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

    asyncio.run(main())
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
