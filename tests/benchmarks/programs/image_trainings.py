"""Networks that read images, trained by `fit`; settings such as `compiled=True` are passed to it.

What is timed of a long training are whole rounds, after recording, the check of the cases and a first round. `fit`
shuffles the cases at the beginning of each round, with a generator that waits there until another round is asked for.
"""

import json
import queue
import random
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from typing import Any

import numpy

import nn
from nn import MLP, History, fit, softmax_cross_entropy
from tests.benchmarks.programs import images
from tests.benchmarks.programs.images import Images, Training
from tests.benchmarks.programs.serving import ROOT, Array, Task, repeated

MOST_ROUNDS = 10**9  # of a training that goes on until the process ends


def train(
    network: MLP[Any], training: Training, data: Images, rounds: int, generator: random.Random, **settings: Any
) -> History:
    """Train a network; the history."""
    optimizer = getattr(nn, training.optimizer)(network.parameters(), learning_rate=training.learning_rate)
    return fit(
        network,
        list(zip(data.pixels, data.labels.tolist(), strict=True)),
        loss=softmax_cross_entropy,
        optimizer=optimizer,
        rounds=rounds,
        batch_size=training.batch_size,
        shuffle=generator,
        progress=False,
        **settings,
    )


def small_digits(rounds: int, **settings: Any) -> Task:
    """A whole training of so many rounds: the network is made, recorded and trained."""
    data = images.small_digits()

    def trained() -> Array:
        network = images.SMALL.network(data)
        history = train(network, images.SMALL, data, rounds, random.Random(images.SEED), **settings)
        return numpy.array(history.errors)

    return Task(repeated(trained), trained)


class Gate(random.Random):
    """A generator that waits, before it shuffles, until that is asked for."""

    def __init__(self, seed: int) -> None:
        super().__init__(seed)
        self.asked: queue.SimpleQueue[None] = queue.SimpleQueue()
        self.reached: queue.SimpleQueue[BaseException | None] = queue.SimpleQueue()

    def shuffle(self, x: Any) -> None:
        """Say that a round begins, and wait."""
        self.reached.put(None)
        self.asked.get()
        super().shuffle(x)

    def wait(self) -> None:
        """Wait until a round begins."""
        failure = self.reached.get()
        if failure is not None:
            raise failure

    def pass_round(self) -> None:
        """Let a round pass, until the next one begins."""
        self.asked.put(None)
        self.wait()


def large(name: str, **settings: Any) -> Callable[[int], Task]:
    """Rounds of a training with made-up images."""

    def build(count: int) -> Task:
        training, data, gate = images.LARGE[name], images.made_up_images(count), Gate(images.SEED)

        def trained(rounds: int, generator: random.Random) -> History:
            return train(training.network(data), training, data, rounds, generator, **settings)

        def go_on() -> None:
            try:
                trained(MOST_ROUNDS, gate)
            except BaseException as failure:  # which `wait` raises
                gate.reached.put(failure)

        history = trained(images.COMPARED_ROUNDS, random.Random(images.SEED))
        threading.Thread(target=go_on, daemon=True).start()
        gate.wait()
        gate.pass_round()
        return Task(repeated(gate.pass_round), lambda: numpy.array(history.errors))

    return build


class Measured(random.Random):
    """A generator that notes the time and the memory whenever it shuffles."""

    def __init__(self, seed: int) -> None:
        super().__init__(seed)
        self.notes: list[tuple[float, int]] = []

    def shuffle(self, x: Any) -> None:
        """Note them first."""
        self.notes.append(usage())
        super().shuffle(x)


def usage() -> tuple[float, int]:
    """The seconds of the processor so far, and the most bytes of memory."""
    import resource  # which Windows has not

    unit = 1 if sys.platform == "darwin" else 1024
    return time.process_time(), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit


def record(name: str) -> dict[str, float]:
    """Record and lower a training of one batch of images, in this process, and run its first step.

    Returns:
        The seconds from the network to the end of that step; the bytes of memory above those of the imports, where the
        network counts; and the error of the step.
    """
    training = images.LARGE[name]
    data = images.made_up_images(training.batch_size)
    tiny = Images(data.pixels[:, :1], data.labels)
    train(images.SMALL.network(tiny), images.SMALL, tiny, 1, random.Random(1), compiled=True)  # imports what it needs
    _, imported = usage()
    network, generator = training.network(data), Measured(images.SEED)
    begun, _ = usage()
    history = train(network, training, data, 2, generator, compiled=True)
    ended, most = generator.notes[1]  # where the second round begins, of one step each
    return {"seconds": ended - begun, "bytes": most - imported, "error": history.errors[0]}


def recording(name: str, figure: str) -> Callable[[int], Task]:
    """A figure of what `record` gives, each time in a fresh process; the clock is the sum of these figures."""

    def build(_: int) -> Task:
        command = [sys.executable, "-m", __name__, name]
        sums = [0.0]
        found: dict[str, float] = {}

        def run(times: int) -> None:
            for _ in range(times):
                output = subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True).stdout
                found.update(json.loads(output))
                sums[0] += found[figure]

        def result() -> Array:
            run(1)
            return numpy.array([found["error"]])

        return Task(run, result, clock=lambda: sums[0])

    return build


if __name__ == "__main__":
    print(json.dumps(record(sys.argv[1])))
