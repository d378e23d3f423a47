"""Interrupts at random moments, by a timer whose handler raises a KeyboardInterrupt, as Ctrl-C does.

A quarter of the signals each goes to

- `backward()` over a graph whose slopes run as Python: all gradients are those from before or all those from after;
- `fit` with a generator and a checkpoint, in one step a round or in batches, fresh or resumed: from the file as well as
  in memory (from the end of a round), the training goes on to the very bits of one without a break, and its history
  holds the errors of its rounds;
- blocks of `no_grad()` and `record_sources()`: afterwards operations record again, and note no more sources; how often
  that is so only after the exception is gone, whose traceback keeps frames alive, is counted;
- pickling, copying and recording a graph: the same operation gives the right result afterwards, and already while the
  exception is being handled.

No second signal arrives. An interrupt before or after the rounds of `fit` may propagate; the file must serve then too.

    python tests/campaigns/signals.py [--count 10000] [--seed 1] [--kind backward|fit|modes|copies]
    STEPGRAD_ENGINE=plain python tests/campaigns/signals.py

The command needs a system with interval timers. The totals are printed in one line: how many signals arrived inside an
operation and interrupted it, and what was seen besides. If a promise is broken, the first few cases follow, and the
exit status is 1. The moments differ from run to run; the seed fixes the graphs and the delays alone.
"""

from __future__ import annotations

import argparse
import contextvars
import copy
import gc
import pickle
import random
import signal
import sys
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import Any

import autograd
from autograd import Constant, Value, modes, no_grad, record_sources, topological_order
from nn import MLP, SGD, Adam, History, Optimizer, accuracy, fit

SHOWN = 3  # failures of a kind
ROUNDS = 12
CASES = [([0.0, 1.0], [1.0]), ([1.0, 0.0], [1.0]), ([1.0, 1.0], [0.0])]
COUNTS: Counter[str] = Counter()

doubled = autograd.primitive(lambda out, x: 2.0 + 0.0 * float(str(1.5)), check=False)(lambda x: 2.0 * x)
mixed = autograd.primitive(lambda out, x, y: y, lambda out, x, y: x, name="mixed")(lambda x, y: x * y)


def interrupt(number: int, frame: object) -> None:
    COUNTS["signals"] += 1
    raise KeyboardInterrupt


def interrupted(task: Callable[[], Any], delay: float, handle: Callable[[], object] = lambda: None) -> tuple[bool, Any]:
    """Run a task with a signal after a delay; whether it was interrupted, and else its result.

    Args:
        task: what to run.
        delay: in seconds.
        handle: is called while the exception is being handled.
    """
    before = COUNTS["signals"]
    result, is_interrupted = None, False
    try:
        signal.setitimer(signal.ITIMER_REAL, delay)
        result = task()
        signal.setitimer(signal.ITIMER_REAL, 0.0)
    except KeyboardInterrupt:
        is_interrupted = True
        signal.setitimer(signal.ITIMER_REAL, 0.0)
        handle()
    COUNTS["inside"] += is_interrupted
    COUNTS["late"] += COUNTS["signals"] == before
    return is_interrupted, result


def duration(task: Callable[[], Any]) -> float:
    """The seconds that a task takes, the least of a few."""
    times = []
    for _ in range(7):
        start = time.perf_counter()
        task()
        times.append(time.perf_counter() - start)
    return min(times)


class Trial:
    """A kind of operation to interrupt; one object serves many signals."""

    def __init__(self, generator: random.Random) -> None:
        self.generator = generator

    def delay(self, length: float) -> float:
        return self.generator.uniform(0.0, 1.1) * length + 1e-6

    def run(self) -> str | None:
        """Send one signal; what is wrong afterwards."""
        raise NotImplementedError


class Backward(Trial):
    def __init__(self, generator: random.Random) -> None:
        super().__init__(generator)
        self.leaves = [Value(generator.uniform(0.5, 1.5)) for _ in range(generator.randrange(5, 80))]
        nodes = list(self.leaves)
        for _ in range(generator.randrange(20, 200)):
            a, b = generator.choice(nodes), generator.choice(nodes)
            nodes.append(generator.choice([mixed(a, b), doubled(a), (a + b).tanh(), autograd.sum([a, b, a])]).sin())
        self.output = autograd.sum([doubled(node) for node in nodes])
        self.nodes = topological_order(self.output)
        self.length = duration(self.output.backward)
        self.forget()
        self.output.backward()
        self.after = self.state()
        self.forget()
        self.before = self.state()

    def state(self) -> list[tuple[bool, float]]:
        return [(node.has_grad, node.grad) for node in self.nodes]

    def forget(self) -> None:
        for node in self.nodes:
            node.grad = None

    def run(self) -> str | None:
        self.forget()
        is_interrupted, _ = interrupted(self.output.backward, self.delay(self.length))
        state = self.state()
        COUNTS["backward passes undone"] += state == self.before
        if state != self.after and (state != self.before or not is_interrupted):
            count = sum(has for has, _ in state)
            return f"the gradients are mixed: {count} of {len(state)} nodes have one, interrupted: {is_interrupted}"
        self.forget()
        self.output.backward()
        return None if self.state() == self.after else "the next pass gives other gradients"


class Run:
    """A network in training."""

    def __init__(self, kind: int) -> None:
        self.network = MLP(2, [2, 1], "tanh", generator=random.Random(kind))
        parameters = self.network.parameters()
        optimizers: list[Callable[[], Optimizer]] = [lambda: SGD(parameters, 0.1, 0.9), lambda: Adam(parameters, 0.03)]
        self.optimizer = optimizers[kind % 2]()
        self.pick = random.Random(kind) if kind % 4 < 2 else None
        self.shuffle = random.Random(kind) if kind % 8 >= 6 else None
        self.settings: dict[str, Any] = {}
        if self.shuffle:
            self.settings = {"batch_size": 2, "shuffle": self.shuffle, "metric": accuracy, "validation": CASES[:1]}

    def fit(self, rounds: int, path: Path | None = None, resume: bool = False) -> History:
        return fit(
            self.network, CASES, optimizer=self.optimizer, rounds=rounds, pick=self.pick, checkpoint=path,
            checkpoint_every=2, resume=resume, progress=False, **self.settings,
        )  # fmt: skip

    def state(self) -> tuple[Any, ...]:
        generator = self.pick or self.shuffle
        return self.network.state_dict(), self.optimizer.state_dict(), generator and generator.getstate()


class Fit(Trial):
    def __init__(self, generator: random.Random) -> None:
        super().__init__(generator)
        self.kind = generator.randrange(1000)
        whole = Run(self.kind)
        self.errors = whole.fit(ROUNDS).errors
        self.whole = whole.state()
        with tempfile.TemporaryDirectory() as name:
            self.length = duration(lambda: Run(self.kind).fit(ROUNDS, Path(name, "training.json")))

    def run(self) -> str | None:
        with tempfile.TemporaryDirectory() as name:
            path = Path(name, "training.json")
            first = self.generator.choice([0, 0, 3, 6])
            if first:
                Run(self.kind).fit(first, path)
            run = Run(self.kind)
            share = 1.0 - 0.7 * first / ROUNDS
            propagated, history = interrupted(
                lambda: run.fit(ROUNDS, path, bool(first)), self.delay(self.length * share)
            )
            COUNTS["left temporary files"] += sum(file.suffix == ".part" for file in Path(name).iterdir())
            COUNTS["propagated from fit"] += propagated
            problem = self.check_history(history, run, first) if not propagated else None
            if problem:
                return problem
            resumed = Run(self.kind)
            again = resumed.fit(ROUNDS, path, resume=True)
            if resumed.state() != self.whole or again.rounds != ROUNDS:
                return "from the file the training goes on to other numbers"
            if again.errors != self.errors[ROUNDS - len(again.errors) :]:
                return "from the file the training goes on with other errors"
            if not propagated and len(again.errors) != ROUNDS - history.rounds:
                return f"the file goes on after {ROUNDS - len(again.errors)} rounds, the history has {history.rounds}"
        return None

    def check_history(self, history: History, run: Run, first: int) -> str | None:
        COUNTS["inside"] += history.interrupted
        if not history.interrupted and history.rounds != ROUNDS:
            return f"fit ended after {history.rounds} rounds, not interrupted"
        if history.errors != self.errors[first : history.rounds]:
            return f"{len(history.errors)} errors after rounds {first} to {history.rounds}, or other ones"
        if run.optimizer.steps != history.rounds * (2 if run.shuffle else 1) + history.batches:
            return f"{run.optimizer.steps} steps in {history.rounds} rounds and {history.batches} batches"
        if run.shuffle and not len(history.errors) == len(history.metrics) == len(history.validation_metrics):
            return "the lists of the history are not of the same length"
        if history.batches:  # in memory a new round begins
            return None
        rest = run.fit(ROUNDS - history.rounds)
        if run.state() != self.whole:
            return f"in memory the training goes on from round {history.rounds} to other numbers"
        return None if rest.errors == self.errors[history.rounds :] else "in memory it goes on with other errors"


class Modes(Trial):
    def __init__(self, generator: random.Random) -> None:
        super().__init__(generator)
        self.value = Value(2.0)
        self.task = generator.choice([self.unrecorded, self.noted, self.nested])
        self.length = duration(self.task)

    def unrecorded(self) -> None:
        for _ in range(30):
            with no_grad():
                self.value * 3.0

    def noted(self) -> None:
        for _ in range(30):
            with record_sources():
                self.value * 3.0

    def nested(self) -> None:
        for _ in range(15):
            with record_sources(), no_grad():
                self.value * 3.0
                with record_sources():
                    self.value + 1.0

    def run(self) -> str | None:
        problem = contextvars.copy_context().run(self.run_here)  # so that one signal cannot spoil the next
        COUNTS["modes still watched afterwards"] += bool(modes.watchers)
        modes.watchers.clear()
        return problem

    def run_here(self) -> str | None:
        kept: list[str] = []
        interrupted(self.task, self.delay(self.length), lambda: kept.extend(self.problems()))
        COUNTS["modes in force while the exception lives"] += bool(kept)
        return next(iter(self.problems()), None)

    def problems(self) -> list[str]:
        node = self.value * 2.0
        if isinstance(node, Constant) or not node.parents:
            return [f"operations record no more after {self.task.__name__}"]
        if modes.note_source.get() is not None:
            return [f"sources are still noted after {self.task.__name__}"]
        return []


class Copies(Trial):
    def __init__(self, generator: random.Random) -> None:
        super().__init__(generator)
        leaves = [Value(generator.random(), f"x{i}") for i in range(20)]
        nodes = list(leaves)
        for _ in range(generator.choice([30, 300, 3000])):
            a, b = nodes[-1], generator.choice(nodes)
            nodes.append(generator.choice([a * b, a + b, autograd.sum([a, b, b]), a.tanh() - b]))
        self.output, self.inner = nodes[-1], generator.choice(nodes)
        self.expected = {node: shape(node) for node in (self.output, self.inner)}
        self.task = generator.choice([self.pickled, self.copied, self.recorded, self.listed])
        self.length = duration(lambda: self.task(self.output))
        self.problem: str | None = None

    def pickled(self, node: Value) -> Value:
        result: Value = pickle.loads(pickle.dumps(node))
        return result

    def copied(self, node: Value) -> Value:
        return copy.deepcopy(node)

    def recorded(self, node: Value) -> Value:
        return topological_order(node)[-1]

    def listed(self, node: Value) -> Value:
        result: list[Value] = pickle.loads(pickle.dumps([*topological_order(node)[::-1], node]))
        return result[-1]

    def check(self) -> None:
        for node in (self.output, self.inner):
            self.problem = self.problem or self.problem_with(node)

    def problem_with(self, node: Value) -> str | None:
        try:
            is_right = shape(self.task(node)) == self.expected[node]
        except Exception as error:
            return f"{self.task.__name__} raises {error!r:.100} afterwards"
        return None if is_right else f"{self.task.__name__} gives another graph afterwards"

    def run(self) -> str | None:
        self.problem = None
        handle = self.generator.choice([self.check, lambda: None])
        is_interrupted, result = interrupted(lambda: self.task(self.output), self.delay(self.length), handle)
        if not is_interrupted and shape(result) != self.expected[self.output]:
            return f"{self.task.__name__} gave another graph"
        if self.problem is not None:
            return f"{self.problem}, while the interrupt is handled"
        self.check()
        return self.problem


def shape(node: Value) -> list[Any]:
    """What a graph is made of, without the identity of its nodes."""
    nodes = topological_order(node)
    places = {one: place for place, one in enumerate(nodes)}
    parts = [f"{type(one)} {one.data} {one.label} {one.primitive} {one.operands}" for one in nodes]  # nan is nan
    return [parts, [[places[parent] for parent in one.parents] for one in nodes]]


KINDS: dict[str, type[Trial]] = {"backward": Backward, "fit": Fit, "modes": Modes, "copies": Copies}


def main() -> int:
    assert __doc__ is not None
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--count", type=int, default=10_000, help="how many signals")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--kind", choices=KINDS, help="only this kind of operation")
    arguments = parser.parse_args()
    start = time.perf_counter()
    kinds = [arguments.kind] if arguments.kind else list(KINDS)
    failures: dict[str, list[str]] = defaultdict(list)
    parts = []
    signal.signal(signal.SIGALRM, interrupt)
    sys.unraisablehook = lambda unraisable: COUNTS.update(["lost in a finalizer"])
    total = 0
    for name in kinds:
        generator = random.Random(f"{arguments.seed} {name}")
        COUNTS.clear()
        sent = 0
        while COUNTS["signals"] < arguments.count // len(kinds):
            if sent % 50 == 0:
                trial = KINDS[name](generator)
                gc.collect()
            sent += 1
            problem = trial.run()
            if problem is not None:
                COUNTS["failed"] += 1
                failures[f"{name}: {problem:.80}"].append(f"{name}, trial {sent}: {problem}")
        total += COUNTS["signals"]
        seen = ", ".join(
            f"{count} {what}" for what, count in COUNTS.items() if what not in ("signals", "late") and count
        )
        parts.append(f"{name} {COUNTS['signals']} signals ({seen})")
    print(
        f"{total} signals ({autograd.engine} engine, seed {arguments.seed}): {'; '.join(parts)}; "
        f"{sum(map(len, failures.values()))} failures, {time.perf_counter() - start:.0f} s"
    )
    for some in failures.values():
        print(f"{len(some)} alike, the first ones:", *some[:SHOWN], sep="\n    ")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
