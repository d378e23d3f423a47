"""Programs that are measured, each in a process of its own.

The process builds a program, then reads how often to run it and prints the time, again and again. The peers are the
modules called `<peer>_peer`. Each has a dict `PROGRAMS` of functions that take a size and give a Task.
"""

from __future__ import annotations

import importlib
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import numpy

Array = numpy.ndarray[Any, Any]

ROOT = Path(__file__).parent.parent.parent.parent
COMPARED = 5000  # numbers of a result at most


class Task(NamedTuple):
    """A program that is ready to run.

    Attributes:
        run: runs it a number of times.
        result: its numbers, to be compared with those of the other peers.
        units: how many of what is counted (calls, rounds, documents) one run does.
        clock: what measures. All run on one thread, so it is the time of the processor, which other programs on the
            machine change less.
    """

    run: Callable[[int], object]
    result: Callable[[], Array]
    units: int = 1
    clock: Callable[[], float] = time.process_time


class Skipped(Exception):  # noqa: N818  # no error
    """A peer cannot run here; the message says why."""


class Peer:
    """A process that measures one program."""

    def __init__(self, name: str, program: str, size: int) -> None:
        self.name = name
        variables = {**os.environ, "OMP_NUM_THREADS": "1", "JAX_ENABLE_X64": "1", "JAX_PLATFORMS": "cpu"}
        self.process = subprocess.Popen(
            [sys.executable, "-c", f"from {__name__} import serve; serve({name!r}, {program!r}, {size})"],
            cwd=ROOT,
            env=variables,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        answer = self._read()
        self.skipped: str | None = answer.get("skipped")
        self.build: float = answer.get("build", 0.0)
        self.result: Array = numpy.array(answer.get("result", []))

    def seconds(self, times: int) -> float:
        """How long so many runs take, for each unit."""
        assert self.process.stdin is not None
        self.process.stdin.write(f"{times}\n")
        self.process.stdin.flush()
        return float(self._read()["seconds"])

    def end(self) -> None:
        """End the process."""
        self.process.communicate()

    def _read(self) -> dict[str, Any]:
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        if not line:
            self.process.wait()
            return {"skipped": f"it ended with status {self.process.returncode}", "seconds": float("nan")}
        answer: dict[str, Any] = json.loads(line)
        return answer


def serve(peer: str, program: str, size: int) -> None:
    """In the process: build, then answer each number of runs with their time."""
    if hasattr(os, "sched_setaffinity"):  # one thread, on the same processor for all; they run in turn
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    with _quiet() as answer:
        try:
            module = importlib.import_module(f"tests.benchmarks.programs.{peer}_peer")
            start = time.perf_counter()
            task: Task = module.PROGRAMS[program](size)
            result = task.result()
            build = time.perf_counter() - start
        except (ImportError, Skipped) as reason:
            answer({"skipped": str(reason)})
            return
        stride = -(-len(result) // COMPARED)
        answer({"build": build, "result": result[::stride].tolist()})
        for line in sys.stdin:
            times = int(line)
            start = task.clock()
            task.run(times)
            answer({"seconds": (task.clock() - start) / times / task.units})


@contextmanager
def _quiet() -> Iterator[Callable[[dict[str, Any]], None]]:
    """What answers on standard output, which nothing else can write to meanwhile."""
    with os.fdopen(os.dup(1), "w") as output:
        os.dup2(2, 1)

        def answer(message: dict[str, Any]) -> None:
            output.write(json.dumps(message) + "\n")
            output.flush()

        yield answer


def repeated(call: Callable[[], object]) -> Callable[[int], None]:
    """What calls a function a number of times."""

    def run(times: int) -> None:
        for _ in range(times):
            call()

    return run
