"""Speed beside micrograd, plain floats, and the engine as it was before tapes: `make bench`.

Every engine runs each program in a process of its own, with the collector at its defaults. The rounds of the engines
alternate. What is printed is the time of one build and backward (for floats: of the forward pass alone), the best and
the median of several rounds, and the ratios to the others.
"""

import json
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

ROUNDS = 9
SECONDS = 0.2  # that a round takes at least, for every engine
PLAIN = "plain stepgrad"
BEFORE = "before tapes"
BEFORE_COMMIT = "da8656e"
ROOT = Path(__file__).parent.parent.parent


def readme_expression(value: Callable[[float], Any]) -> Any:
    """The example of micrograd's README."""
    a, b = value(-4.0), value(2.0)
    c = a + b
    d = a * b + b**3
    c += c + 1
    c += 1 + c + (-a)
    d += d * 2 + relu(b + a)
    d += 3 * d + relu(b - a)
    e = c - d
    f = e**2
    g = f / 2.0
    g += 10.0 / f
    return g


def relu(x: Any) -> Any:
    """For floats and for any engine's nodes."""
    return max(x, 0.0) if isinstance(x, float) else x.relu()


def mlp(value: Callable[[float], Any], dot: Callable[[list[Any], list[Any]], Any]) -> Callable[[], Any]:
    """A 16-64-64-1 perceptron of relu neurons, written with lists of scalars."""
    generator = random.Random(1)
    sizes = [16, 64, 64, 1]
    layers = [
        [([value(generator.uniform(-0.2, 0.2)) for _ in range(fan_in)], value(0.0)) for _ in range(size)]
        for fan_in, size in pairwise(sizes)
    ]
    inputs = [i / 16 for i in range(16)]

    def forward() -> Any:
        signals = [value(x) for x in inputs]
        for layer in layers:
            signals = [relu(dot(weights, signals) + bias) for weights, bias in layer]
        return signals[0]

    return forward


def products_summed(weights: list[Any], inputs: list[Any]) -> Any:
    """How a program of scalars writes a dot product."""
    return sum(w * x for w, x in zip(weights, inputs, strict=True))


def serve(engine: str) -> None:
    """In a process of its own: for each program named on standard input, print the seconds that it takes."""
    dot: Callable[[list[Any], list[Any]], Any] = products_summed
    if engine == "micrograd":
        from micrograd.engine import Value as value  # noqa: N813  # the name that the programs use

        sys.setrecursionlimit(100_000)
    elif engine == "floats":
        value = float
    else:
        import autograd

        value = autograd.Value
        assert autograd.engine == ("plain" if engine == PLAIN else "compiled")
        assert (BEFORE_COMMIT in str(autograd.__file__)) is (engine == BEFORE)
        if engine == "stepgrad, dot()":
            dot = autograd.dot
    programs: dict[str, tuple[int, Callable[[], Any]]] = {
        "expression": (200, lambda: readme_expression(value)),
        "mlp": (1, mlp(value, dot)),
    }
    for line in sys.stdin:
        batch, build = programs[line.strip()]
        count, start = 0, time.perf_counter()
        while time.perf_counter() - start < SECONDS:
            for _ in range(batch):
                output = build()
                if engine != "floats":
                    output.backward()
            count += batch
        print((time.perf_counter() - start) / count, flush=True)


def measure(engines: list[str], program: str, before: Path | None) -> dict[str, list[float]]:
    """The seconds that each engine takes for a program, round by round."""
    variables = {engine: {"STEPGRAD_ENGINE": "plain" if engine == PLAIN else "compiled"} for engine in engines}
    variables.get(BEFORE, {})["PYTHONPATH"] = str(before)
    processes = {
        engine: subprocess.Popen(
            [sys.executable, __file__, engine],
            env={**os.environ, **variables[engine]},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for engine in engines
    }
    seconds: dict[str, list[float]] = {engine: [] for engine in engines}
    for number in range(ROUNDS + 1):
        for engine, process in processes.items():
            assert process.stdin is not None
            assert process.stdout is not None
            process.stdin.write(program + "\n")
            process.stdin.flush()
            measured = json.loads(process.stdout.readline())
            if number:  # the first round warms up
                seconds[engine].append(measured)
    for process in processes.values():
        process.communicate()
    return seconds


def built(commit: str) -> Path | None:
    """Build the packages of a commit in a folder of their own below `build`, unless it is there.

    Returns:
        The folder, which also holds the commit's tests; None if the commit is not in this clone.
    """
    name = subprocess.run(
        ["git", "rev-parse", "--verify", "--quiet", "--short", commit + "^{commit}"],
        cwd=ROOT, stdout=subprocess.PIPE, text=True, check=False,
    ).stdout.strip()  # fmt: skip
    folder = ROOT / "build" / "commits" / name
    if name and not folder.exists():
        folder.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder.parent) as text:
            source, target = Path(text, "source"), Path(text, "target")
            source.mkdir()
            archive = subprocess.run(["git", "archive", name], cwd=ROOT, stdout=subprocess.PIPE, check=True)
            subprocess.run(["tar", "-x", "-C", str(source)], input=archive.stdout, check=True)
            install = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps"]
            subprocess.run([*install, "--target", str(target), str(source)], check=True)
            (source / "tests").rename(target / "tests")
            target.rename(folder)
    return folder if name else None


def main() -> None:
    """Measure and print."""
    before = built(BEFORE_COMMIT)
    if before is None:
        print(f"commit {BEFORE_COMMIT} is not in this clone: its column is left out")
    engines = ["stepgrad", *([BEFORE] if before else []), PLAIN, "micrograd", "floats"]
    for program, title, programs_engines in (
        ("expression", "micrograd's README expression", engines),
        ("mlp", "16-64-64-1 MLP of sum(w * x) lists", [*engines, "stepgrad, dot()"]),
    ):
        seconds = measure(programs_engines, program, before)
        best = {engine: min(rounds) for engine, rounds in seconds.items()}
        median = {engine: statistics.median(rounds) for engine, rounds in seconds.items()}
        print(f"\n{title}: build + backward; floats: forward alone; {ROUNDS} rounds: best, median")
        print(f"{'':18}{'time':>24}{'micrograd / it':>20}{'it / floats':>18}{'it / before':>18}")
        for engine in programs_engines:
            print(
                f"{engine:18}{best[engine] * 1e6:>10.1f}, {median[engine] * 1e6:>9.1f} µs"
                f"{best['micrograd'] / best[engine]:>11.3g}, {median['micrograd'] / median[engine]:>7.3g}"
                f"{best[engine] / best['floats']:>9.3g}, {median[engine] / median['floats']:>7.3g}"
                + (
                    f"{best[engine] / best[BEFORE]:>9.3g}, {median[engine] / median[BEFORE]:>7.3g}"
                    if BEFORE in best
                    else ""
                )
            )


if __name__ == "__main__":
    serve(sys.argv[1]) if len(sys.argv) > 1 else main()
