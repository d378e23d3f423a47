"""Large and many graphs: the time to build, to run backward and to free them, and their memory: `make bench`."""

import resource
import sys
import time
from collections.abc import Callable
from itertools import pairwise

import autograd
from autograd import Value

NODES = 10_000_000


def chain() -> Value:
    """One node on another."""
    node = leaf = Value(1.0)
    for _ in range(NODES):
        node = node + leaf
    return node


def diamonds() -> Value:
    """Where the paths part and meet again, so that their number doubles at every third node."""
    node, leaf = Value(1.0), Value(0.5)
    for _ in range(NODES // 3):
        node = (node + leaf) - (node - leaf)
    return node


def wide() -> Value:
    """One node on top of all the others."""
    leaf = Value(1.0)
    return autograd.sum([leaf * leaf for _ in range(NODES)])


def resident() -> int:
    """The bytes of memory that this process has now."""
    with open("/proc/self/statm") as statistics:  # noqa: PTH123  # no file that a Path would help with
        return int(statistics.read().split()[1]) * resource.getpagesize()


def measure(build: Callable[[], Value]) -> None:
    """Build, run backward, free, and print how long each takes and the memory of a node."""
    limit = sys.getrecursionlimit()
    before = resident()
    times = [time.perf_counter()]
    output = build()
    times.append(time.perf_counter())
    weight = resident() - before
    output.backward()
    times.append(time.perf_counter())
    del output
    times.append(time.perf_counter())
    assert sys.getrecursionlimit() == limit
    building, backward, freeing = (later - earlier for earlier, later in pairwise(times))
    print(
        f"{build.__name__:10} built in {building:.2f} s, backward in {backward:.2f} s, freed in {freeing:.2f} s, "
        f"{weight / NODES:.0f} bytes of memory a node"
    )


def soak() -> None:
    """Ten million small graphs, one after another; the memory must stay what it was after the first of them."""
    leaf = Value(0.5)
    start = time.perf_counter()
    sizes = []
    for number in range(NODES):
        (leaf * 3.0 + leaf.tanh()).backward()
        if number % (NODES // 10) == NODES // 10 - 1:
            sizes.append(resident())
    print(
        f"{NODES:,} small graphs: {(time.perf_counter() - start) / NODES * 1e9:.0f} ns each; memory grew by "
        f"{(sizes[-1] - sizes[0]) / 1024:.0f} KiB between the first tenth and the last"
    )


def main() -> None:
    """Measure and print."""
    size = sys.getsizeof(Value(1.0) * Value(1.0))
    print(f"\ngraphs of {NODES:,} nodes, {autograd.engine} engine; a node has {size} bytes (the allocator: 96)")
    for build in (chain, diamonds, wide):
        measure(build)
    soak()


if __name__ == "__main__":
    main()
