"""Time workloads of this working tree beside another commit: `make compare BASE=755a554`.

The other commit is built below `build/commits` and kept there. Each row runs in two processes, one of each commit, that
take turns. A row whose median is beyond `MOST` times that of the other commit is measured once more; if it is beyond
again, the command ends with an error.

    make compare BASE=755a554 ROWS="explain start-up"     # some rows alone

Workloads use public names alone, and functions of `tests/benchmarks`, which each commit has for itself.
"""

from __future__ import annotations

import argparse
import functools
import importlib
import itertools
import math
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

import autograd
from autograd import Value, compile, grad, value_and_grad
from nn import MLP, fit
from tests.benchmarks.programs import functions
from tests.benchmarks.speed import mlp, products_summed, readme_expression

ROOT = Path(__file__).resolve().parent.parent.parent
MOST = 1.1
ROUNDS = 5
SECONDS = 0.2  # that a run takes at least
UNITS = {"s": 1.0, "ms": 1e-3, "µs": 1e-6, "ns": 1e-9}

Figure = Callable[[int], float]  # takes how often to run, and gives the seconds (or bytes) of one run


def timed(call: Callable[[], object]) -> Figure:
    """Measure a call, in time of the processor, which other programs on the machine change less."""

    def figure(times: int) -> float:
        start = time.process_time()
        for _ in range(times):
            call()
        return (time.process_time() - start) / times

    return figure


def program(name: str, size: int = 1) -> Figure:
    """Measure a program of `programs/stepgrad_peer.py`."""
    task = importlib.import_module("tests.benchmarks.programs.stepgrad_peer").PROGRAMS[name](size)
    task.result()

    def figure(times: int) -> float:
        start = task.clock()
        task.run(times)
        return float((task.clock() - start) / times / task.units)

    return figure


def fresh(code: str) -> Figure:
    """Run code in a process of its own, which prints the figure."""
    command = [sys.executable, "-c", code]
    return lambda _: float(subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout)


def eager_network() -> Figure:
    """Build a network of 16-64-64-1 neurons, and run it backward."""
    forward = mlp(Value, products_summed)
    return timed(lambda: forward().backward())


def nested_lists() -> Figure:
    """Call a compiled function with its parameters as lists in a dict."""
    function = compile(value_and_grad(functions.network_error))
    parameters = {name: array.tolist() for name, array in functions.network_parameters().items()}
    return timed(lambda: function(parameters, [0.5, -0.25], 1.0))


def recorded() -> Figure:
    """Compile a function and call it once."""
    x = functions.rosenbrock_point(5_000)
    return timed(lambda: compile(grad(functions.rosenbrock))(x))


def first_batch() -> Figure:
    """Compile a deep chain and run it once for a batch."""
    x = np.linspace(0.1, 1.0, 64)

    def chain(x: Any) -> Any:
        y = x
        for _ in range(1_000):
            y = (y * 0.9).sin() + x
        return y

    return timed(lambda: compile(chain).batch(x))


def nested() -> Figure:
    """Differentiate a loop of 400 gradient steps."""
    slope = grad(lambda x: autograd.sin(x) * x)

    def descent(x: Any) -> Any:
        for _ in range(400):
            x = x - 0.01 * slope(x)
        return x

    return timed(lambda: grad(descent)(0.5))


def trained(compiled: bool, rounds: int) -> Figure:
    """Train a small network."""
    cases = [([a, b], [a + b - 2.0 * a * b]) for a in (0.0, 1.0) for b in (0.0, 1.0)]

    def training() -> None:
        fit(MLP(2, [2, 1], "tanh", generator=random.Random(1)), cases, rounds=rounds, compiled=compiled, progress=False)

    return timed(training)


def chain(view: Callable[[Value, Value], object]) -> Figure:
    """View 10,000 nodes, one on another."""
    node = leaf = Value(0.5, "x")
    for _ in range(5_000):
        node = (node + leaf) * 0.999999
    node.backward()
    return timed(lambda: view(node, leaf))


def network(view: Callable[[Value], object]) -> Figure:
    """View a network of 17 neurons."""
    output: Any = MLP(2, [8, 8, 1], "tanh", generator=random.Random(1))([0.5, -0.25])
    output.backward()
    return timed(lambda: view(output))


IMPORT = "import time, typing; start = time.process_time(); import {}; print(time.process_time() - start)"
MEMORY = """
from autograd import Value
from tests.benchmarks.depth import resident
before, node = resident(), Value(1.0)
for _ in range(1_000_000):
    node = node + 1.0
print((resident() - before) / 1_000_000)
"""
PAGE = Path(tempfile.gettempdir()) / f"compare-{os.getpid()}.html"

ROWS: dict[str, Callable[[], Figure]] = {
    "expression": lambda: timed(lambda: readme_expression(Value).backward()),
    "network": eager_network,
    "called-floats": functools.partial(program, "two variables"),
    "called-lists": nested_lists,
    "called-arrays": functools.partial(program, "gpt called"),
    "batch-gpt": functools.partial(program, "gpt batch", 64),
    "batch-network": functools.partial(program, "network tanh", 1_000),
    "repeat": functools.partial(program, "worked example", 10_000),
    "rosenbrock": functools.partial(program, "rosenbrock", 100_000),
    "deep-chain": functools.partial(program, "chain", 20_000),
    "fit": functools.partial(trained, False, 50),
    "fit-compiled": functools.partial(trained, True, 1_000),
    "fit-1000-cases": functools.partial(program, "fit", 1_000),
    "fit-digits": functools.partial(program, "small digits", 1),
    "fit-images": functools.partial(program, "images 300", 500),
    "record-rosenbrock": recorded,
    "first-batch": first_batch,
    "nested": nested,
    "record-images": functools.partial(program, "recording time"),
    "explain": functools.partial(chain, autograd.explain),
    "diagnose": functools.partial(chain, autograd.diagnose),
    "steps": functools.partial(chain, lambda output, leaf: autograd.steps(output)[-1].grad_of(leaf)),
    "drawing": functools.partial(network, lambda output: autograd.draw(output, slopes=True).source),
    "page": functools.partial(network, lambda output: autograd.live_page(output).save(PAGE)),
    "start-up": functools.partial(fresh, IMPORT.format("autograd")),
    "start-up-nn": functools.partial(fresh, IMPORT.format("nn")),
    "memory": functools.partial(fresh, MEMORY),
}


def serve(row: str) -> None:
    """Build a workload, print how often to run it, then answer each number of runs with its figure."""
    assert Path(str(autograd.__file__)).is_relative_to(Path.cwd()), autograd.__file__
    assert autograd.engine == "compiled"
    if hasattr(os, "sched_setaffinity"):  # one processor for both: they run in turn
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    figure, taken = ROWS[row](), 0.0
    for count in map((2).__pow__, itertools.count()):
        start = time.perf_counter()
        figure(count)
        taken = time.perf_counter() - start
        if taken > SECONDS / 8:
            print(max(1, round(count * SECONDS / taken)), flush=True)
            break
    for line in sys.stdin:
        print(figure(int(line)), flush=True)
    PAGE.unlink(missing_ok=True)


class Side:
    """A process that measures a row of the commit in a folder."""

    def __init__(self, folder: Path, row: str) -> None:
        variables = {name: text for name, text in os.environ.items() if not name.startswith("PYTHON")}
        variables |= {"PYTHONPATH": str(folder), "PYTHONHASHSEED": "0", "STEPGRAD_ENGINE": "compiled"}
        self.process = subprocess.Popen(
            [sys.executable, __file__, "--serve", row],
            cwd=folder,
            env={**variables, "OMP_NUM_THREADS": "1"},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def answer(self, request: str = "") -> float:
        """Return what the process answers to a number of runs, or first of all; nan if it has ended."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(request)
        self.process.stdin.flush()
        return float(self.process.stdout.readline() or math.nan)


def measured(row: str, folders: tuple[Path, Path]) -> tuple[float, float]:
    """Return the medians of the other commit (nan if it cannot run the row) and of this tree (inf)."""
    before, now = sides = [Side(folder, row) for folder in folders]
    count, own_count = before.answer(), now.answer()
    figures: list[list[float]] = [[math.nan], [math.inf]]
    if count == count and own_count == own_count:
        figures = [[], []]
        for taken, side in [*zip(figures, sides, strict=True)] * ROUNDS:
            taken.append(side.answer(f"{count:.0f}\n"))
    elif count == count:
        figures[0] = [0.0]
    for side in sides:
        side.process.communicate()
    return statistics.median(figures[0]), statistics.median(figures[1])


def written(row: str, figure: float) -> str:
    """Write a figure with its unit."""
    if row == "memory":
        return f"{figure:.4g} B"
    unit = next((unit for unit, size in UNITS.items() if figure >= size), "ns")
    return f"{figure / UNITS[unit]:.3g} {unit}"


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description="Time workloads of this working tree beside another commit.")
    parser.add_argument("base", help="the other commit")
    parser.add_argument("rows", nargs="*", metavar="row", help=f"some rows alone, of {', '.join(ROWS)}")
    options = parser.parse_args()
    unknown = [row for row in options.rows if row not in ROWS]
    if unknown:
        parser.error(f"there is no row {', '.join(unknown)}: the rows are {', '.join(ROWS)}")
    from tests.benchmarks.speed import built  # which the other commit may lack

    folder = built(options.base)
    if folder is None:
        parser.error(f"there is no commit {options.base!r} in this clone")
    beyond = []
    print(f"medians of {ROUNDS} runs by turns\n{'':20}{options.base:>12}{'now':>12}   ratio", flush=True)
    for row in options.rows or ROWS:
        for note in ("", "again"):
            before, now = measured(row, (folder, ROOT))
            ratio = now / before if before else math.inf
            print(f"{row:20}{written(row, before):>12}{written(row, now):>12}{ratio:>8.2f}   {note}", flush=True)
            if not ratio > MOST:  # nan where the other commit cannot run the row
                break
        else:
            beyond.append(row)
    if beyond:
        raise SystemExit(f"more than {MOST} of the time at {options.base}, or not to be run: {', '.join(beyond)}")


if __name__ == "__main__":
    serve(sys.argv[2]) if sys.argv[1:2] == ["--serve"] else main()
