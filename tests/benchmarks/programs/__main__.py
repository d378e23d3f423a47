"""Compiled programs beside C, JAX, CasADi, PyTorch and the eager engine: `make bench`.

Each program runs in a process of its own, on one thread and on the same processor. The processes of a row are started
first; then the rounds of measurement alternate. What is printed is the median of the rounds: of the time of the
processor, or by the clock for whole processes. All peers of a row compute the same function. Their results are compared
before that: one that differs is not measured. C is compiled when its source is new, and kept in `build`. A bar is the
most that a ratio to a peer, a time or a memory should be; an aim is printed like one, and not counted.

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
from tests.benchmarks.programs.rows import NAMES, UNITS, Bar, Row, rows
from tests.benchmarks.programs.serving import Array, Peer


class Measurement(NamedTuple):
    """What was found out about a line."""

    median: float
    build: float
    skipped: str | None
    difference: float


def measure(row: Row, size: int, quick: bool) -> list[Measurement]:
    """Build the programs of a row, run them in turn, and end them."""
    rounds, seconds = (min(row.rounds, 5), 0.02) if quick else (row.rounds, 0.2)
    peers = [Peer(line.peer, line.program, line.size or size) for line in row.lines]
    differences = compare(row, peers)
    counts = [0 if peer.skipped else calibrated(peer, seconds) for peer in peers]
    times: list[list[float]] = [[] for _ in peers]
    for _ in range(rounds):
        for taken, peer, count in zip(times, peers, counts, strict=True):
            if count:
                taken.append(peer.seconds(count))
    for peer in peers:
        peer.end()
    measurements = []
    for line, peer, taken, differs in zip(row.lines, peers, times, differences, strict=True):
        median = statistics.median(taken) * line.factor if taken else math.nan
        measurements.append(Measurement(median, peer.build, peer.skipped, differs))
    return measurements


def compare(row: Row, peers: list[Peer]) -> list[float]:
    """How far the result of each peer is from the first one of its group. One that is too far is skipped."""
    references: dict[str, Array] = {}
    differences = []
    for line, peer in zip(row.lines, peers, strict=True):
        if peer.skipped is not None:
            differences.append(0.0)
            continue
        reference = references.setdefault(line.group, peer.result)
        differences.append((difference if row.digits is None else largest_share)(peer.result, reference))
        if row.digits is None and not differences[-1] <= row.tolerance:
            peer.skipped = f"its result differs by {differences[-1]:.1e} of the largest number"
    return differences


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


def largest_share(result: Array, reference: Array) -> float:
    """The largest difference of two results, number by number, as a share of that number."""
    count = min(len(result), len(reference))
    return float((numpy.abs(result[:count] - reference[:count]) / numpy.abs(reference[:count])).max())


def show(key: str, row: Row, size: int, measurements: list[Measurement]) -> tuple[int, int]:
    """Print a row; how many bars are met, and how many are short."""
    print(f"\n{key}. {row.title.format(size=size, operations=size * OPERATIONS)}")
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
    outcomes = [outcome(row, bar, measurements) for bar in row.bars]
    if row.digits is not None:
        outcomes.append(agreement(row.digits, measurements))
    return outcomes.count(True), outcomes.count(False)


def outcome(row: Row, bar: Bar, measurements: list[Measurement]) -> bool | None:
    """Print a bar; whether it is met, None if it does not count."""
    name, median = row.lines[bar.line].name, measurements[bar.line].median
    if bar.peer is None:
        what, is_met = f"{name}: at most {bar.most / UNITS[row.unit]:g} {row.unit}", median <= bar.most
    else:
        what = f"{name}: at most {bar.most:g} of the time of {row.lines[bar.peer].name}"
        is_met = median <= bar.most * measurements[bar.peer].median
    kind = "aim" if bar.is_aim else "bar"
    if any(measurements[index].skipped is not None for index in (bar.line, bar.peer) if index is not None):
        print(f"   {kind}   not measured   {what}")
        return None
    print(f"   {kind}   {'ok' if is_met else 'short':14} {what}")
    return None if bar.is_aim else is_met


def agreement(digits: int, measurements: list[Measurement]) -> bool | None:
    """Print whether the results agree number by number; None if there are no two of them."""
    what = f"the errors agree in {digits} digits, epoch by epoch"
    differences = [found.difference for found in measurements if found.skipped is None]
    if len(differences) < 2:
        print(f"   bar   not measured   {what}")
        return None
    largest = max(differences)
    is_met = largest <= 10.0**-digits
    print(f"   bar   {'ok' if is_met else 'short':14} {what}: they differ by at most {largest:.1e}")
    return is_met


def number(x: float) -> str:
    """Three digits at least."""
    return f"{x:.0f}" if x >= 100 else f"{x:.3g}"


def main(table: dict[str, Row], parser: argparse.ArgumentParser) -> dict[str, list[Measurement]]:
    """Measure the rows of a table that are chosen, print them and return what was measured."""
    parser.add_argument("rows", nargs="*", metavar="ROW", help=f"which rows: {', '.join(table)}")
    parser.add_argument("--quick", action="store_true", help="few rounds, smaller sizes where building takes long")
    options = parser.parse_args()
    unknown = [key for key in options.rows if key not in table]
    if unknown:
        parser.error(f"there is no row {', '.join(unknown)}: the rows are {', '.join(table)}")
    start = time.perf_counter()
    print('median times; "ready" is the time to the first result after the imports')
    met, short, found = 0, 0, {}
    for key, row in table.items():
        if not options.rows or key in options.rows:
            size = row.quick_size if options.quick and row.quick_size else row.size
            found[key] = measure(row, size, options.quick)
            counts = show(key, row, size, found[key])
            met, short = met + counts[0], short + counts[1]
    print(f"\n{met} bars met, {short} short; {time.perf_counter() - start:.0f} s")
    return found


if __name__ == "__main__":
    main(rows(), argparse.ArgumentParser(description="Compiled programs beside their peers."))
