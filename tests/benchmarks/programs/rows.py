"""The rows of the table: which programs are measured side by side, and what is asked of them."""

from __future__ import annotations

from typing import NamedTuple

from tests.benchmarks.programs.functions import OPERATIONS

OURS = "stepgrad"
NAMES = {
    "stepgrad": "stepgrad, compiled",
    "eager": "stepgrad, eager",
    "exported": "stepgrad, as C",
    "c": "C, exact",
    "fast_c": "C, -ffast-math",
    "jax": "JAX",
    "jax_export": "stepgrad, on JAX",
    "casadi": "CasADi",
    "torch": "PyTorch",
    "hips": "HIPS autograd",
}
DIGITS = 10  # in which the errors of a training agree, epoch by epoch
UNITS = {"s": 1.0, "ms": 1e-3, "µs": 1e-6, "ns": 1e-9, "MB": 1e6}


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
    """The most that the time of a line should be, as a share of another line's time or in seconds (or bytes).

    Attributes:
        line: the index of the line.
        most: the share, or the seconds.
        peer: the index of the other line; None for seconds.
        is_aim: whether it is only aimed at, and not counted.
    """

    line: int
    most: float
    peer: int | None = None
    is_aim: bool = False


class Row(NamedTuple):
    """What is printed together.

    Attributes:
        title: what is computed.
        unit: of the times.
        size: what the programs are built with.
        lines: the programs.
        bars: what is asked of them.
        quick_size: the size in a quick run.
        digits: in how many digits each number of a result agrees with that of the first line, which is a bar too; when
            not given, results are compared by their largest number.
        rounds: of measurement, if a row takes long.
        tolerance: how far results may differ, as a share of their largest number; by default as much as programs of
            1,000 steps amplify roundings.
    """

    title: str
    unit: str
    size: int
    lines: list[Line]
    bars: list[Bar]
    quick_size: int | None = None
    digits: int | None = None
    rounds: int = 9
    tolerance: float = 1e-9


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
                Line("exported", "gpt"),
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
            [*network_lines["tanh"], Line(OURS, "network tanh, not exact", note="exact=False")],
            [Bar(0, 1.6, 1), Bar(0, 1.0, 3), Bar(5, 1.0, 3)],
        ),
        "3r": Row("the same with relu", "µs", 1000, network_lines["relu"], [Bar(0, 1.6, 1), Bar(0, 1.0, 3)]),
        "4": Row(
            "the worked example's network: a round of training in a loop of 10,000",
            "ns",
            10_000,
            [Line(peer, "worked example") for peer in (OURS, "c", "fast_c", "jax", "casadi", "exported")],
            [Bar(0, 3.0, 1), Bar(5, 1.2, 1)],
        ),
        "5": Row(
            "chained Rosenbrock function of 100,000 variables: gradient",
            "ms",
            100_000,
            [Line(peer, "rosenbrock") for peer in (OURS, "c", "casadi", "jax")],
            [Bar(0, 1 / 5, 2)],
        ),
        "6": Row(
            f"chain of {{operations:,}} operations, of which one in {OPERATIONS} is a sine: value and derivative",
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
        "20": Row(
            "bundle adjustment, {size:,} observations: the Jacobian of each, 2 × 15 numbers",
            "ns",
            31_843,
            [Line(peer, "bundle adjustment") for peer in ("exported", "c", "fast_c", OURS)],
            [Bar(0, 1.3, 1)],
        ),
        **sparse_rows(),
        **loop_rows(),
        **image_rows(),
    }


def sparse_rows() -> dict[str, Row]:
    """The rows of sparse derivatives."""

    def row(title: str, program: str, size: int) -> Row:
        lines = [
            Line(OURS, f"{program} filled", note="into an earlier result"),
            Line("casadi", f"{program} filled", note="into a buffer"),
            Line(OURS, f"{program} new", note="a new matrix"),
            Line("casadi", f"{program} new", note="a new matrix"),
        ]
        return Row(title, "µs", size, lines, [Bar(0, 0.3, 1)])

    def recorded(program: str, size: int, is_aim: bool) -> Row:
        lines = [Line(peer, f"{program} recorded") for peer in (OURS, "casadi")]
        title = "the same: from the function to the first result, imports apart"
        return Row(title, "ms", size, lines, [Bar(0, 1.0, 1, is_aim)])

    return {
        "18": row("sparse Jacobian of the Brusselator with {size:,} states", "brusselator", 2_000),
        "18r": recorded("brusselator", 2_000, is_aim=False),
        "19": row(
            "sparse Hessian of the chained Rosenbrock function of {size:,} variables", "rosenbrock hessian", 5_000
        ),
        "19r": recorded("rosenbrock hessian", 5_000, is_aim=True),
    }


def adbench_rows() -> dict[str, Row]:
    """The objectives of ADBench, each beside C whose derivatives are written by hand."""
    others = "c", "fast_c", "jax", "casadi", "torch", "hips"

    def row(title: str, unit: str, size: int, program: str, ours: list[Line], peer: str, most: list[float]) -> Row:
        """Our lines, with the most that each should be of a peer's time, then the others; C's time is an aim."""
        lines = [*ours, *(Line(other, program) for other in others)]
        bars = [Bar(line, share, len(ours) + others.index(peer)) for line, share in enumerate(most)]
        return Row(title, unit, size, lines, [*bars, Bar(0, 1.0, len(ours), is_aim=True)], tolerance=1e-10)

    return {
        "mixture": row(
            "Gaussian mixture, {size:,} points of 10 numbers, 5 components: likelihood, prior and 330 gradients",
            "µs",
            1_000,
            "mixture",
            [
                Line(OURS, "mixture batch", note="batch"),
                Line(OURS, "mixture", note="points by map"),
                Line(OURS, "mixture recorded", note="every point recorded"),
            ],
            "jax",
            [0.5, 1.0, 1.0],
        ),
        "bundle": row(
            "bundle adjustment, {size:,} observations: the 31 entries of each in the sparse Jacobian",
            "ns",
            31_843,
            "sparse bundle adjustment",
            [Line(OURS, "sparse bundle adjustment", note="batch")],
            "c",
            [1.2],
        ),
        "text": row(
            "long short-term memory, 2 layers of 14, {size:,} characters: loss and 266 gradients",
            "ms",
            1_024,
            "text",
            [Line(OURS, "text"), Line(OURS, "text, not exact", note="exact=False")],
            "jax",
            [0.6, 0.6],
        ),
        "hand": row(
            "hand tracking, 22 bones, {size} points: the Jacobian by 26 angles and two coordinates of each point",
            "µs",
            100,
            "hand",
            [Line(OURS, "hand", note="sparse")],
            "casadi",
            [0.8],
        ),
    }


def loop_rows() -> dict[str, Row]:
    """The rows of loops, of which a round is recorded once."""
    lorenz = "{size:,} steps of Runge and Kutta's method for the Lorenz system: gradient of the end by the parameters"
    return {
        "21": Row(lorenz, "ms", 100_000, [Line(OURS, "lorenz"), Line("jax", "lorenz")], [Bar(0, 0.2, 1)]),
        "21m": Row(
            "the same: memory above a run of ten steps, recording included",
            "MB",
            100_000,
            [Line(OURS, "lorenz memory")],
            [Bar(0, 2 * 8.0 * 3 * 100_000)],
            rounds=3,
        ),
        "22": Row(
            "a root by Newton's method in a while_loop, and its derivative, in repeat",
            "ns",
            10_000,
            [Line(OURS, "newton")],
            [Bar(0, 1e-6)],
        ),
        "23": Row(
            "an LSTM of 128 units over {size} inputs of 32 numbers, by scan: loss and 82,432 gradients",
            "ms",
            64,
            [Line(OURS, "lstm"), Line("jax", "lstm"), Line(OURS, "lstm, not exact", note="exact=False")],
            [Bar(0, 1.0, 1), Bar(2, 1.0, 1)],
        ),
        "24": Row(
            "log-sum-exp of {size:,} numbers: value and gradient",
            "ms",
            160_000,
            [Line(peer, "log-sum-exp") for peer in (OURS, "c", "fast_c", "jax")],
            [Bar(0, 1.2, 1)],
            quick_size=16_000,
        ),
        "24r": Row(
            "the same: from the function to the first result, imports apart",
            "s",
            160_000,
            [Line(OURS, "log-sum-exp recorded")],
            [Bar(0, 0.3)],
            quick_size=16_000,
            rounds=3,
        ),
        "25": Row(
            "k-means, {size:,} points of 8 numbers, 100 centroids: gradient and the diagonal of the second derivatives",
            "ms",
            10_000,
            [Line(peer, "clusters") for peer in (OURS, "c", "fast_c", "jax")],
            [Bar(0, 5.0, 1)],
        ),
        "26": Row(
            "100 steps of Runge and Kutta's method for {size:,} numbers: gradient of their sum",
            "ms",
            100_000,
            [Line(peer, "ode") for peer in (OURS, "jax")],
            [Bar(0, 0.8, 1)],
            quick_size=10_000,
        ),
    }


def image_rows() -> dict[str, Row]:
    """The rows of networks that read images."""
    epoch = "{}, an epoch of {} over {{size:,}} images of 784 pixels in batches of 100"

    def large(
        network: str, optimizer: str, program: str, bars: tuple[float, float], size: int, quick: int, rounds: int
    ) -> Row:
        """Beside PyTorch: the share of its time that is asked for, and the one that is aimed at."""
        lines = [Line(OURS, program), Line("torch", program)]
        most, aim = bars
        return Row(
            epoch.format(network, optimizer), "s", size, lines, [Bar(0, most, 1), Bar(0, aim, 1, is_aim=True)], quick,
            DIGITS, rounds,
        )  # fmt: skip

    sgd = large("784-300-10 relu network", "SGD", "images 300", (1.15, 1.0), 60_000, 6_000, 7)
    blas = Line(OURS, "images 300 by BLAS", note="products by BLAS")

    return {
        "13": Row(
            "64-32-10 relu network, {size} epochs of SGD over 1,437 digits in batches of 32, recording included",
            "s",
            30,
            [
                Line(OURS, "small digits"),
                Line("eager", "small digits", 2, note="2 epochs times 15", factor=15.0),
                Line("torch", "small digits"),
            ],
            [Bar(0, 1 / 200, 1), Bar(0, 0.5), Bar(0, 1.0, 2, is_aim=True)],
            digits=DIGITS,
        ),
        "14": sgd._replace(lines=[*sgd.lines, blas], bars=[*sgd.bars, Bar(2, 1.0, 1), Bar(2, 0.85, 1, is_aim=True)]),
        "15": large("the same network", "Adam", "images 300 adam", (1.1, 0.95), 60_000, 6_000, 7),
        "16": Row(
            "from the 784-300-10 network to its first step of SGD, in a fresh process: recording and lowering",
            "s",
            1,
            [Line(OURS, "recording time")],
            [Bar(0, 1.0), Bar(0, 0.5, is_aim=True)],
            rounds=5,
        ),
        "16m": Row(
            "the same: memory above the imports, the network included",
            "MB",
            1,
            [Line(OURS, "recording memory")],
            [Bar(0, 200e6)],
            rounds=5,
        ),
        "17": large("784-1000-1000-10 relu network", "SGD", "images 1000 1000", (1.2, 1.05), 10_000, 1_000, 5),
    }
