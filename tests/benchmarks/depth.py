"""A chain of ten million nodes, built, walked backward and freed: `make bench`."""

import resource
import sys
import time
from itertools import pairwise

from autograd import Value

NODES = 10_000_000


def main() -> None:
    """Build, walk, free, and print how long each takes and what the chain weighs."""
    limit = sys.getrecursionlimit()
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    times = [time.perf_counter()]
    leaf = node = Value(1.0)
    for _ in range(NODES):
        node = node + leaf
    times.append(time.perf_counter())
    built = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    node.backward()
    times.append(time.perf_counter())
    assert (node.data, leaf.grad) == (NODES + 1.0, NODES + 1.0)
    del node
    times.append(time.perf_counter())
    assert sys.getrecursionlimit() == limit
    build, backward, free = (later - earlier for earlier, later in pairwise(times))
    print(f"\na chain of {NODES:,} nodes")
    print(f"built in {build:.1f} s, walked backward in {backward:.1f} s, freed in {free:.1f} s")
    print(f"memory: {(built - before) * 1024 / NODES:.0f} bytes a node, its numbers included")


if __name__ == "__main__":
    main()
