"""What gradients recorded as graphs cost beside a backward pass, and gradients within gradients: `make bench`."""

import random
import time
from collections.abc import Callable
from itertools import chain
from typing import Any

import autograd
from autograd import Value, compile, grad, gradients, jvp, sin, topological_order

ROWS, COLUMNS, POINTS = 150, 250, 9_000
STEPS = 100, 400, 1_600


def lists() -> tuple[Value, list[Value]]:
    """A network of two layers: one of `sum(w * x)` and tanh, one of `dot` and relu; a softmax and its logarithm."""
    generator = random.Random(2)

    def leaves(count: int) -> list[Value]:
        return [Value(generator.uniform(-0.1, 0.1)) for _ in range(count)]

    x, hidden, last = leaves(COLUMNS), [leaves(COLUMNS) for _ in range(ROWS)], [leaves(ROWS) for _ in range(COLUMNS)]
    h = [sum([w * a for w, a in zip(row, x, strict=True)], Value(0.0)).tanh() for row in hidden]
    powers = [autograd.dot(row, h).relu().exp() for row in last]
    total = autograd.sum(powers)
    output = autograd.sum([(power / total).log() for power in powers])
    return output, [*x, *chain.from_iterable(hidden), *chain.from_iterable(last)]


def functions() -> tuple[Value, list[Value]]:
    """Sixteen operations at each of many numbers, with powers, quotients and logarithms."""
    x = [Value(0.5 + i / POINTS) for i in range(POINTS)]
    terms = [((a.relu() * 1.5 + a.exp()) / (a + 2.0)).log() ** 2 + (a - x[3]) ** 2 for a in x]
    return autograd.sum(terms), x


def descent(steps: int, inner: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """So many steps x ← x − 0.01 f'(x), as a function of x."""

    def function(x: Any) -> Any:
        for _ in range(steps):
            x = x - 0.01 * inner(x)
        return x

    return function


def flight(steps: int) -> Callable[[Any], Any]:
    """So many steps of two bodies that attract each other, each force a gradient, as a function of a position."""

    def function(p: Any) -> Any:
        q, speed = p * 0.5, [0.0, 0.0]
        for _ in range(steps):
            of_p = grad(lambda y, q=q: (y - q) * (y - q) * 0.5)(p)
            of_q = grad(lambda y, p=p: (y - p) * (y - p) * 0.5)(q)
            speed = [speed[0] - 0.01 * of_p, speed[1] - 0.01 * of_q]
            p, q = p + 0.01 * speed[0], q + 0.01 * speed[1]
        return p

    return function


def nested() -> None:
    """Print what a step takes that has a gradient within, of few steps and of many: the same."""
    slope = grad(lambda x: sin(x) * x)
    tasks: dict[str, Callable[[int], object]] = {
        "grad of grad": lambda steps: grad(descent(steps, slope))(0.5),
        "grad of jvp": lambda steps: grad(descent(steps, lambda x: jvp(lambda y: sin(y) * y, (x,), (1.0,))[1]))(0.5),
        "compile of grad": lambda steps: compile(descent(steps, slope))(0.5),
        "two bodies": lambda steps: grad(flight(steps))(0.5),
    }
    print(f"\nµs a step, {autograd.engine} engine" + "".join(f"{steps:8}" for steps in STEPS))
    for name, task in tasks.items():
        times = [1e6 * seconds(lambda: task(steps)) / steps for steps in STEPS]  # noqa: B023  # called here
        print(f"{name:28}" + "".join(f"{time:8.1f}" for time in times))


def seconds(task: Callable[[], object]) -> float:
    """The least time of the processor in five runs."""
    times = []
    for _ in range(5):
        start = time.process_time()
        result = task()
        times.append(time.process_time() - start)
        del result
    return min(times)


def main() -> None:
    """Measure and print."""
    for graph in (lists, functions):
        output, inputs = graph()
        print(f"\n{graph.__name__}: {len(topological_order(output)):,} nodes, {autograd.engine} engine")
        print(f"backward  {1e3 * seconds(output.backward):9.1f} ms")
        print(f"gradients {1e3 * seconds(lambda: gradients(output, inputs)):9.1f} ms")  # noqa: B023  # called here
    nested()


if __name__ == "__main__":
    main()
