"""What gradients recorded as graphs cost beside a backward pass: `make bench`."""

import random
import time
from collections.abc import Callable
from itertools import chain

import autograd
from autograd import Value, gradients, topological_order

ROWS, COLUMNS, POINTS = 150, 250, 9_000


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


if __name__ == "__main__":
    main()
