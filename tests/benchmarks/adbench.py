"""The objectives of ADBench beside C by hand, JAX, CasADi, PyTorch and HIPS autograd.

    python -m tests.benchmarks.adbench
    python -m tests.benchmarks.adbench --picture docs/explanation/adbench.svg

The objectives and their data stand in `programs/objectives.py`, and the C, whose derivatives are written by hand, in
`programs/*.c`. It measures as `make bench` does, with the same options. Results agree to 1e-10 before anything is
measured.

The C is plain scalar code, as ADBench's own is, of which gcc vectorizes what it can. Programs of this package compute
several points, or several numbers of an array, in the lanes of a processor. CasADi computes one number after another.
JAX compiles what is written on arrays. PyTorch and HIPS autograd call a routine for each operation on arrays, however
small these are.
"""

import argparse
from pathlib import Path

from tests.benchmarks.programs.__main__ import Measurement, main
from tests.benchmarks.programs.rows import NAMES, OURS, Row, adbench_rows

TITLES = {
    "mixture": "Gaussian mixture",
    "bundle": "bundle adjustment",
    "text": "long short-term memory",
    "hand": "hand tracking",
}
MARKERS = {OURS: "o", "c": "|", "jax": "s", "casadi": "D", "torch": "^", "hips": "v"}
COLOURS = {OURS: "#1f5f99", "c": "#000000"}


def draw(table: dict[str, Row], found: dict[str, list[Measurement]], path: Path) -> None:
    """Draw the times of each peer's first program as multiples of C's, on a logarithmic scale."""
    import matplotlib

    matplotlib.use("svg")
    from matplotlib import pyplot

    pyplot.rcParams.update({"svg.fonttype": "none", "svg.hashsalt": "adbench", "font.family": "sans-serif"})
    figure, axes = pyplot.subplots(figsize=(7.2, 3.6), layout="constrained")
    medians: dict[str, dict[str, float]] = {}
    for key, measurements in found.items():
        medians[key] = {}
        for line, measurement in zip(table[key].lines, measurements, strict=True):
            medians[key].setdefault(line.peer, measurement.median)
    for lower, (peer, marker) in enumerate(MARKERS.items()):
        ratios = [times[peer] / times["c"] for times in medians.values()]
        places = [0.3 - 0.12 * lower - place for place in range(len(ratios))]
        axes.plot(ratios, places, marker, color=COLOURS.get(peer, "#8a8378"), label=NAMES[peer], markersize=6)
    axes.set_xscale("log")
    axes.xaxis.set_major_formatter("{x:,.0f}")
    axes.set_yticks([-place for place in range(len(found))], [TITLES[key] for key in found])
    axes.set_xlabel("time, as a multiple of C with derivatives by hand")
    axes.grid(axis="x", color="#dddddd")
    axes.spines[["top", "right", "left"]].set_visible(False)
    axes.tick_params(left=False)
    figure.legend(loc="outside upper center", ncols=len(MARKERS) // 2, frameon=False)
    figure.savefig(path, metadata={"Date": None})


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="The objectives of ADBench beside their peers.")
    parser.add_argument("--picture", type=Path, metavar="FILE", help="also draw the times, as SVG")
    rows = adbench_rows()
    measured = main(rows, parser)
    if (file := parser.parse_args().picture) is not None:
        draw(rows, measured, file)
