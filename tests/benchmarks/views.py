"""What explanations and diagnoses of large graphs cost beside a backward pass, pages, and digits: `make bench`."""

import time
from collections.abc import Callable

import autograd
from autograd import Value, check_rounding, diagnose, explain, live_page, steps, topological_order

NODES = 1_000_000
DENSE = 240
TERMS = 4_000, 16_000


def chain() -> tuple[Value, Value]:
    """A graph of a million nodes."""
    node = leaf = Value(0.5, "x")
    for _ in range(NODES // 2):
        node = (node + leaf) * 0.999999
    return node, leaf


def dense() -> tuple[Value, Value]:
    """Labelled nodes that each use all earlier ones."""
    nodes = [Value(1.0, "x0")]
    for count in range(1, DENSE):
        nodes.append(autograd.sum(nodes) * (1.0 / count))
        nodes[-1].label = f"x{count}"
    return nodes[-1], nodes[0]


def seconds(task: Callable[[], object]) -> float:
    """The least time of three runs."""
    times = []
    for _ in range(3):
        start = time.perf_counter()
        task()
        times.append(time.perf_counter() - start)
    return min(times)


def measure(title: str, output: Value, leaf: Value) -> None:
    """Measure one graph and print."""
    tasks: dict[str, Callable[[], object]] = {
        "backward": output.backward,
        "all steps": lambda: steps(output)[-1].grad_of(leaf),
        "explain": lambda: explain(output, leaf),
        "diagnose": lambda: diagnose(output, leaf),
    }
    print(f"\n{title}, {autograd.engine} engine")
    for name, task in tasks.items():
        print(f"{name:12}{seconds(task):>9.3f} s")


def chain_of_functions() -> Value:
    """A graph of a thousand nodes, a quarter of them sines."""
    node = Value(0.3, "x")
    for _ in range(250):
        node = (node * 1.01 + 0.1).sin()
    return node


def main() -> None:
    """Measure and print."""
    output = chain_of_functions()
    count = len(topological_order(output))
    print(f"check_rounding of {count:,} nodes {seconds(lambda: check_rounding(output)):>9.3f} s")
    measure(f"chain of {NODES:,} nodes", *chain())
    measure(f"{DENSE} nodes, each of all earlier ones", *dense())
    for count in TERMS:
        output = autograd.sum([Value(0.5, f"x{i}") * 2.0 for i in range(count)])
        print(f"live page of a sum of {count:,} terms {seconds(lambda: live_page(output)):>9.3f} s")  # noqa: B023  # called here


if __name__ == "__main__":
    main()
