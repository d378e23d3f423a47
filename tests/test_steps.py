"""The steps of a training: nothing is lost and nothing done twice, whatever interrupts it."""

import itertools
import json
import random
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from autograd import Value
from nn import MLP, SGD, Adam, History, Module, average_error, checkpoints, fit, half_squared_error, optimizers
from nn.training import loop, options, steps
from tests.test_loop import XOR, Interrupting, small_network

INTERRUPTED = loop.__file__, options.__file__, steps.__file__, checkpoints.__file__, optimizers.__file__


def interrupted_at(line: int, task: Callable[[], Any]) -> tuple[bool, Any]:
    """Run a task and raise a KeyboardInterrupt at its n-th line in the modules of training; whether it came so far."""
    count = 0

    def trace(frame: Any, event: str, argument: Any) -> Any:
        nonlocal count
        if frame.f_code.co_filename not in INTERRUPTED:
            return None
        if event == "line":
            count += 1
            if count == line:
                sys.settrace(None)  # it takes most of the time
                raise KeyboardInterrupt
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        result = task()
    except KeyboardInterrupt:
        result = None
    finally:
        sys.settrace(before)
    return count >= line, result


class Run:
    """A training in one of three ways: with all cases a step, one picked at random, or in shuffled batches of one."""

    def __init__(self, way: str, **watched: Any) -> None:
        self.network = MLP(2, [1], generator=random.Random(1))
        self.optimizer = Adam(self.network.parameters(), 0.03)
        self.pick = random.Random(7) if way == "picked" else None
        self.shuffle = random.Random(7) if way == "batches" else None
        self.rounds = 2 if way == "batches" else 3
        self.watched = watched
        if way == "batches":
            self.watched |= {
                "batch_size": 1, "shuffle": self.shuffle, "metric": average_error, "validation": XOR[:1],
                "schedule": lambda rounds: 0.05 / (1 + rounds), "callback": lambda history: None,
            }  # fmt: skip

    def fit(self, number: int, path: Path | None, resume: bool = False, **others: Any) -> History:
        return fit(
            self.network, XOR[1:3], optimizer=self.optimizer, rounds=number, pick=self.pick, checkpoint=path,
            checkpoint_every=self.rounds - 1, resume=resume, **{**self.watched, **others},
        )  # fmt: skip

    def state(self) -> tuple[Any, ...]:
        generator = self.pick or self.shuffle
        return self.network.state_dict(), self.optimizer.state_dict(), generator and generator.getstate()


def kept(history: History) -> list[list[float]]:
    """What a history keeps of each round."""
    validation = history.validation_errors, history.validation_metrics
    return [history.errors, history.metrics, *validation, history.learning_rates]


def check_interrupts(folder: Path, way: str, every: int = 1, **watched: Any) -> None:
    """Check that an interrupt at any line neither loses a step nor does one twice.

    From the file as well as in memory, the training goes on to the very numbers of one without a break; eagerly, which
    gives the bits of a compiled one.
    """
    whole = Run(way, **watched)
    full = kept(whole.fit(whole.rounds, None))
    stopped_at = set()
    for line in itertools.count(1, every):
        path = folder / f"{line}.json"
        run = Run(way, **watched)
        came, history = interrupted_at(line, lambda run=run, path=path: run.fit(whole.rounds, path))  # type: ignore[misc]  # mypy cannot infer the defaults
        if not came:
            break
        resumed = Run(way, **watched)
        again = resumed.fit(whole.rounds, path, resume=True, compiled=False)
        assert resumed.state() == whole.state(), line
        assert again.rounds == whole.rounds
        if history is not None:
            stopped_at.add((history.rounds, history.batches))
            done = history.rounds
            assert history.interrupted
            assert kept(history) == [numbers[:done] for numbers in full], line
            assert kept(again) == [numbers[done:] for numbers in full], line
            assert run.optimizer.steps == done * (2 if way == "batches" else 1) + history.batches
            if not history.batches:
                run.fit(whole.rounds - done, None, compiled=False)
                assert run.optimizer.steps == whole.optimizer.steps
                if way != "batches":  # whose schedule begins anew
                    assert run.state() == whole.state(), line
    batches = (0, 1) if way == "batches" else (0,)
    assert stopped_at == {(done, batch) for done in range(whole.rounds) for batch in batches} | {(whole.rounds, 0)}


@pytest.mark.engine_independent
@pytest.mark.parametrize("way", ["whole", "picked", "batches"])
def test_an_interrupt_at_any_line(tmp_path: Path, way: str) -> None:
    check_interrupts(tmp_path, way)


@pytest.mark.parametrize("at", range(1, 16))
def test_a_training_goes_on_from_the_middle_of_a_round(tmp_path: Path, at: int) -> None:
    """Also where the network draws from the generator that shuffles."""

    class Noisy(Module):
        def __init__(self, generator: random.Random) -> None:
            self.inner, self.generator = MLP(2, [2, 1], "tanh", generator=random.Random(1)), generator

        def __call__(self, inputs: Any) -> Any:
            return self.inner([x + self.generator.gauss(0.0, 0.1) for x in inputs])

    def train(loss: Any, resume: bool, path: Path | None) -> tuple[Any, History]:
        generator = random.Random(5)
        network = Noisy(generator)
        optimizer = SGD(network.parameters(), 0.1, momentum=0.9, weight_decay=0.01)
        history = fit(
            network, [*XOR, ([0.5, 0.5], [0.5])], loss=loss, optimizer=optimizer, rounds=3, batch_size=2,
            shuffle=generator, checkpoint=path, resume=resume, schedule=lambda done: 0.1 / (1 + done),
        )  # fmt: skip
        return (network.state_dict(), optimizer.state_dict(), generator.getstate(), optimizer.learning_rate), history

    path = tmp_path / "training.json"
    expected, whole = train(half_squared_error, False, None)
    _, stopped = train(Interrupting(at), False, path)
    batches = {1: 0, 2: 0, 3: 1, 4: 1, 0: 2}[at % 5]  # the batches of a round end after cases 2, 4 and 5
    assert (stopped.rounds, stopped.batches) == ((at - 1) // 5, batches)
    position = json.loads(path.read_text())["training"].get("position", {"batches": 0})
    assert position["batches"] == batches
    state, again = train(half_squared_error, True, path)
    assert state == expected
    assert again.errors == whole.errors[stopped.rounds :]
    assert repr(stopped).endswith(", interrupted>")


def test_a_metric_that_raises_leaves_the_state_before_the_step(tmp_path: Path) -> None:
    def fail(network: Module, cases: Any, loss: Any) -> float:
        if len(calls) == 2:
            raise LookupError
        calls.append(network.state_dict())
        return 0.0

    calls: list[Any] = []
    network, whole = small_network(), small_network()
    optimizer = Adam(network.parameters(), 0.1)
    with pytest.raises(LookupError):
        fit(network, XOR, optimizer=optimizer, rounds=5, batch_size=4, metric=fail)
    fit(whole, XOR, optimizer=Adam(whole.parameters(), 0.1), rounds=2)
    assert network.state_dict() == whole.state_dict() == calls[1]
    assert optimizer.steps == 2


def test_between_rounds_other_batches_may_follow(tmp_path: Path) -> None:
    path = tmp_path / "training.json"
    fit(small_network(), XOR, rounds=2, batch_size=2, checkpoint=path)
    assert fit(small_network(), XOR[:3], rounds=4, batch_size=1, checkpoint=path, resume=True).rounds == 4


def test_a_loss_that_raises_leaves_the_state_of_the_last_round() -> None:
    calls = 0

    def fail(outputs: Any, targets: Any) -> Value:
        nonlocal calls
        calls += 1
        if calls == 6:
            raise LookupError
        return half_squared_error(outputs, targets)

    network, whole, pick, other = small_network(), small_network(), random.Random(3), random.Random(3)
    with pytest.raises(LookupError):
        fit(network, XOR, loss=fail, rounds=10, pick=pick)
    fit(whole, XOR, rounds=5, pick=other)
    assert network.state_dict() == whole.state_dict()
    assert pick.getstate() == other.getstate()
