"""Compiled programs beside C, JAX, CasADi, PyTorch and the eager engine: `make bench`.

Each program runs in a process of its own, on one thread and on the same processor. The processes of a row are started
first; then the rounds of measurement alternate. What is printed is the median of the rounds: of the time of the
processor, or by the clock for whole processes. All peers of a row compute the same function, and their results are
compared. C is compiled when its source is new, and kept in `build`. A bar is the most that a ratio to a peer, or a
time, should be.

    python -m tests.benchmarks.programs --quick      # fewer rounds; sizes are smaller where something is slow to build
    python -m tests.benchmarks.programs 3 4          # some rows alone
"""

from __future__ import annotations

import argparse
import math
import statistics
import time
from typing import NamedTuple

import numpy

from tests.benchmarks.programs.functions import OPERATIONS
from tests.benchmarks.programs.serving import Array, Peer

OURS = "stepgrad"
NAMES = {
    "stepgrad": "stepgrad, compiled",
    "eager": "stepgrad, eager",
    "c": "C, exact",
    "fast_c": "C, -ffast-math",
    "jax": "JAX",
    "jax_export": "stepgrad, on JAX",
    "casadi": "CasADi",
    "torch": "PyTorch",
}
UNITS = {"s": 1.0, "ms": 1e-3, "µs": 1e-6, "ns": 1e-9}
TOLERANCE = 1e-9  # of a result, relative to its largest number; programs of 1,000 steps amplify roundings


class Line(NamedTuple):
    """One program of one peer.

    Attributes:
        peer: its module, without `_peer`.
        program: what it calls the program.
        size: of the program, if it is not that of the row.
        group: its result is compared with those of the same group.
        note: printed beside its name.
        factor: what its time is multiplied by.
    """

    peer: str
    program: str
    size: int | None = None
    group: str = ""
    note: str = ""
    factor: float = 1.0

    @property
    def name(self) -> str:
        """As it is printed."""
        return NAMES[self.peer] + (f", {self.note}" if self.note else "")


class Bar(NamedTuple):
    """The most that the time of a line should be, as a share of another line's time or in seconds.

    Attributes:
        line: the index of the line.
        most: the share, or the seconds.
        peer: the index of the other line; None for seconds.
    """

    line: int
    most: float
    peer: int | None = None


class Row(NamedTuple):
    """What is printed together.

    Attributes:
        title: what is computed.
        unit: of the times.
        size: what the programs are built with.
        lines: the programs.
        bars: what is asked of them.
        quick_size: the size in a quick run.
    """

    title: str
    unit: str
    size: int
    lines: list[Line]
    bars: list[Bar]
    quick_size: int | None = None


def rows() -> dict[str, Row]:
    """The table."""
    network_lines = {
        activation: [Line(peer, f"network {activation}") for peer in ("stepgrad", "c", "fast_c", "jax", "torch")]
        for activation in ("tanh", "relu")
    }
    return {
        "1": Row(
            "a document of the scalar GPT, 16 positions: loss and 4,192 gradients",
            "µs",
            1,
            [
                Line(OURS, "gpt called", note="called with arrays"),
                Line(OURS, "gpt descend", 100, "descend", note="in repeat, a gradient step"),
                Line("c", "gpt"),
                Line("c", "gpt descend", 100, "descend", note="a gradient step"),
                Line("fast_c", "gpt"),
                Line("jax", "gpt", note="on arrays"),
                Line("eager", "gpt"),
            ],
            [Bar(0, 0.8, 2), Bar(1, 0.65, 3)],
        ),
        "2": Row(
            "64 such documents, time for each: mean of the losses and of the gradients",
            "µs",
            64,
            [
                Line(OURS, "gpt batch"),
                Line("c", "gpt"),
                Line("fast_c", "gpt"),
                Line("jax", "gpt", note="on arrays"),
            ],
            [Bar(0, 0.35, 1), Bar(0, 1.0, 3)],
        ),
        "3": Row(
            "2-16-16-1 network of tanh neurons, 1,000 rows: mean error and 337 gradients",
            "µs",
            1000,
            network_lines["tanh"],
            [Bar(0, 1.6, 1), Bar(0, 1.0, 3)],
        ),
        "3r": Row("the same with relu", "µs", 1000, network_lines["relu"], [Bar(0, 1.6, 1), Bar(0, 1.0, 3)]),
        "4": Row(
            "the worked example's network: a round of training in a loop of 10,000",
            "ns",
            10_000,
            [Line(peer, "worked example") for peer in (OURS, "c", "fast_c", "jax", "casadi")],
            [Bar(0, 3.0, 1)],
        ),
        "5": Row(
            "chained Rosenbrock function of 100,000 variables: gradient",
            "ms",
            100_000,
            [Line(peer, "rosenbrock") for peer in (OURS, "c", "casadi", "jax")],
            [Bar(0, 1 / 5, 2)],
        ),
        "6": Row(
            f"chain of {{:,}} operations, of which one in {OPERATIONS} is a sine: value and derivative",
            "ms",
            1_000_000 // OPERATIONS,
            [Line(peer, "chain") for peer in (OURS, "c", "casadi")],
            [Bar(0, 1.0, 2)],
            quick_size=100_000 // OPERATIONS,
        ),
        "7": Row(
            "1,000 training steps of the scalar GPT, as a process from start to exit, recording included",
            "s",
            1000,
            [
                Line(OURS, "gpt training"),
                Line("eager", "gpt training", 20, note="20 steps times 50, without imports", factor=1e3),
            ],
            [Bar(0, 0.6)],
        ),
        "8": Row(
            "a round of fit: 2-16-16-1 network of tanh neurons, 1,000 cases",
            "ms",
            1000,
            [Line(OURS, "fit"), Line("eager", "fit")],
            [Bar(0, 1 / 250, 1)],
        ),
        "9": Row(
            "x * y + sin(x)",
            "µs",
            1000,
            [
                Line(OURS, "two variables", note="called with floats"),
                Line(OURS, "two variables repeated", group="repeat", note="in repeat, a round"),
            ],
            [Bar(0, 1e-6), Bar(1, 0.5e-6)],
        ),
        "10": Row(
            "a document of the scalar GPT, exported to JAX: loss and 4,192 gradients",
            "µs",
            1,
            [
                Line("jax_export", "gpt", note="the program with its gradients"),
                Line("jax_export", "gpt differentiated", note="differentiated by JAX"),
                Line("jax", "gpt", note="on arrays"),
            ],
            [Bar(0, 2.0, 2), Bar(1, 2.0, 2)],
        ),
        "11": Row(
            "64 such documents, time for each",
            "µs",
            64,
            [Line("jax_export", "gpt batch", note="differentiated by JAX"), Line("jax", "gpt", note="on arrays")],
            [Bar(0, 5.0, 1)],
        ),
        "12": Row(
            "tracing and compiling the exported step by JAX",
            "s",
            1,
            [Line("jax_export", "gpt compiled"), Line("jax", "gpt compiled", note="on arrays")],
            [Bar(0, 5.0)],
        ),
    }


class Measurement(NamedTuple):
    """What was found out about a line."""

    median: float
    build: float
    skipped: str | None
    difference: float


def measure(row: Row, size: int, quick: bool) -> list[Measurement]:
    """Build the programs of a row, run them in turn, and end them."""
    rounds, seconds = (5, 0.02) if quick else (9, 0.2)
    peers = [Peer(line.peer, line.program, line.size or size) for line in row.lines]
    counts = [0 if peer.skipped else calibrated(peer, seconds) for peer in peers]
    times: list[list[float]] = [[] for _ in peers]
    for _ in range(rounds):
        for taken, peer, count in zip(times, peers, counts, strict=True):
            if count:
                taken.append(peer.seconds(count))
    for peer in peers:
        peer.end()
    references: dict[str, Array] = {}
    measurements = []
    for line, peer, taken in zip(row.lines, peers, times, strict=True):
        if peer.skipped is not None:
            measurements.append(Measurement(math.nan, math.nan, peer.skipped, 0.0))
            continue
        reference = references.setdefault(line.group, peer.result)
        median = statistics.median(taken) * line.factor
        measurements.append(Measurement(median, peer.build, None, difference(peer.result, reference)))
    return measurements


def calibrated(peer: Peer, seconds: float) -> int:
    """How many runs take about so many seconds."""
    count = 1
    while True:
        start = time.perf_counter()
        peer.seconds(count)
        taken = time.perf_counter() - start
        if taken > seconds / 4:
            return max(1, round(count * seconds / taken))
        count *= 4


def difference(result: Array, reference: Array) -> float:
    """The largest difference of two results, as a share of the largest number; of which one may have only the first."""
    count = min(len(result), len(reference))
    return float(numpy.abs(result[:count] - reference[:count]).max() / numpy.abs(reference[:count]).max())


def show(key: str, row: Row, quick: bool) -> tuple[int, int]:
    """Measure a row and print it; how many bars are met, and how many are short."""
    size = row.quick_size if quick and row.quick_size else row.size
    measurements = measure(row, size, quick)
    print(f"\n{key}. {row.title.format(size * OPERATIONS)}")
    medians = [measurement.median for measurement in measurements]
    peers = sorted({bar.peer for bar in row.bars if bar.peer is not None})
    for line, found in zip(row.lines, measurements, strict=True):
        if found.skipped is not None:
            print(f"   {line.name:52} left out: {found.skipped}")
            continue
        ratios = "".join(
            f"{found.median / medians[peer]:>10.3g} of {NAMES[row.lines[peer].peer]}"
            for peer in peers
            if row.lines[peer].group == line.group
        )
        print(
            f"   {line.name:52}{number(found.median / UNITS[row.unit]):>9} {row.unit:3}"
            f"   ready in {found.build:>5.2f} s{ratios}"
        )
        if not found.difference <= TOLERANCE:
            print(f"   {'':52} its result differs by {found.difference:.1e} of the largest number")
    met = short = 0
    for bar in row.bars:
        name = row.lines[bar.line].name
        if bar.peer is None:
            what, is_met = f"{name}: at most {bar.most / UNITS[row.unit]:g} {row.unit}", medians[bar.line] <= bar.most
        else:
            what = f"{name}: at most {bar.most:g} of the time of {row.lines[bar.peer].name}"
            is_met = medians[bar.line] <= bar.most * medians[bar.peer]
        if any(measurements[index].skipped is not None for index in (bar.line, bar.peer) if index is not None):
            print(f"   bar   not measured   {what}")
            continue
        met, short = met + is_met, short + (not is_met)
        print(f"   bar   {'ok' if is_met else 'short':14} {what}")
    return met, short


def number(x: float) -> str:
    """Three digits at least."""
    return f"{x:.0f}" if x >= 100 else f"{x:.3g}"


def main() -> None:
    """Measure and print."""
    table = rows()
    parser = argparse.ArgumentParser(description="Compiled programs beside their peers.")
    parser.add_argument("rows", nargs="*", metavar="ROW", help=f"which rows: {', '.join(table)}")
    parser.add_argument("--quick", action="store_true", help="few rounds, smaller sizes where building takes long")
    options = parser.parse_args()
    unknown = [key for key in options.rows if key not in table]
    if unknown:
        parser.error(f"there is no row {', '.join(unknown)}: the rows are {', '.join(table)}")
    start = time.perf_counter()
    print('compiled programs: median times; "ready" is the time to the first result after the imports')
    totals = [show(key, row, options.quick) for key, row in table.items() if not options.rows or key in options.rows]
    met, short = (sum(counts) for counts in zip(*totals, strict=True))
    print(f"\n{met} bars met, {short} short; {time.perf_counter() - start:.0f} s")


if __name__ == "__main__":
    main()
