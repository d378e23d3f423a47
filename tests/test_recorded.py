"""Functions as programs: what they refer to, their code, and the runners of it."""

from __future__ import annotations

import threading
from typing import Any

import numpy as np
import pytest

from autograd import Constant, Parameter, Value, no_grad, sin
from autograd.modes import is_ieee, is_recording, program_recording
from autograd.programs.nesting import NUMBER, Array, CallForm, Floats
from autograd.programs.recorded import KEPT, PLACEHOLDERS, Recorded

TWO = CallForm((NUMBER, NUMBER))


def run(recorded: Recorded, *numbers: float) -> list[float]:
    code = recorded.code()
    outputs = np.empty(len(code.outputs))
    recorded.runners(code).take().call(recorded.inputs(np.array(numbers)), outputs)
    return outputs.tolist()


def test_what_is_computed_and_its_form() -> None:
    recorded = Recorded(lambda x, y: [x * y, np.array([x, 1.0], object), np.array([2.0, 3.0])], TWO)
    assert recorded.size == 2
    assert run(recorded, 3.0, 4.0) == [12.0, 3.0, 1.0, 2.0, 3.0]
    assert isinstance(recorded.form, tuple)
    assert recorded.captured == []


def test_captured_leaves_are_all_that_are_no_constants() -> None:
    w, b, unused = Parameter(2.0), Value(3.0), Value(4.0)
    recorded = Recorded(lambda x, y: (w * x + b * Constant(5.0)) * sin(w), TWO)
    assert set(recorded.captured) == {w, b}
    assert unused not in recorded.captured
    numbers = np.array([1.0, 2.0])
    assert sorted(recorded.inputs(numbers).tolist()) == [1.0, 2.0, 2.0, 3.0]
    w.data = 10.0
    assert sorted(recorded.inputs(numbers).tolist()) == [1.0, 2.0, 3.0, 10.0]
    assert (len(recorded.program.inputs), len(recorded.program.parameters)) == (2, 2)
    assert Recorded(lambda x, y: x, TWO).inputs(numbers) is numbers


def test_modes_while_recording_and_afterwards() -> None:
    seen = []

    def function(x: Value, y: Value) -> Value:
        seen.append(
            (is_recording.get(), is_ieee.get(), program_recording.get().function, program_recording.get().inputs)
        )
        return x / (y - y)

    with no_grad():
        recorded = Recorded(function, TWO)
        assert not is_recording.get()
    assert (seen[0][:3], len(seen[0][3])) == ((True, True, function), 2)
    assert (is_recording.get(), is_ieee.get(), program_recording.get()) == (True, False, None)
    assert run(recorded, 1.0, 2.0) == [np.inf]

    def fails(x: Value, y: Value) -> Value:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        Recorded(fails, TWO)
    assert (is_ieee.get(), program_recording.get()) == (False, None)


def test_numbers_of_arguments_while_recording_are_in_most_domains() -> None:
    seen: list[float] = []

    def function(v: Any) -> Any:
        seen.extend([float(repr(leaf)[6:-1]) for leaf in v])
        return sum(v)

    Recorded(function, CallForm((Floats(list, 300),)))
    assert seen == [*PLACEHOLDERS, *PLACEHOLDERS, *PLACEHOLDERS][:300]
    assert 0.0 < min(seen) < max(seen) < 1.0


def test_an_array_reaches_the_function_as_an_array_of_values() -> None:
    shapes = []

    def function(a: Any) -> Any:
        shapes.append((a.shape, a.dtype, {type(part) for part in a.ravel()}))
        return a.sum()

    Recorded(function, CallForm((Array((2, 3)),)))
    assert shapes == [((2, 3), np.dtype(object), {Value})]


def test_code_is_lowered_once_for_each_mixture_of_what_varies() -> None:
    recorded = Recorded(lambda x, y: x * y, TWO)
    assert recorded.code() is recorded.code()
    assert recorded.code((True, False)) is recorded.code((True, False))
    assert recorded.code((True, False)) is not recorded.code((False, True))
    assert recorded.code((True, False), totals=True) is not recorded.code((True, False))
    assert recorded.code((True, False)).varying_inputs == 1


def test_a_runner_is_for_one_thread_at_a_time() -> None:
    recorded = Recorded(lambda x, y: x * y, TWO)
    runners = recorded.runners(recorded.code())
    assert recorded.runners(recorded.code()) is runners
    taken = [runners.take() for _ in range(KEPT + 3)]
    assert len({id(runner) for runner in taken}) == KEPT + 3
    for runner in taken:
        runners.give_back(runner)
    assert len(runners.free) == KEPT
    assert runners.take() in taken
    batches = [recorded.runners(recorded.code((True, False)), count) for count in (1, 8, 9, 1000)]
    assert [runners.lanes for runners in batches] == [8, 8, 16, 64]
    assert batches[0] is batches[1]
    found: list[int] = []

    def work() -> None:
        for _ in range(200):
            runner = runners.take()
            assert id(runner) not in found
            found.append(id(runner))
            found.remove(id(runner))
            runners.give_back(runner)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(runners.free) <= KEPT
