"""The two engines: the same bits, and a memory that no graph is too deep for."""

import gc
import itertools
import math
import os
import struct
import subprocess
import sys
import threading
from typing import Any

import pytest

import autograd
from autograd import Parameter, Value
from autograd.primitives import PRIMITIVES, Primitive
from autograd.value import apply, rebuild

COMPILED = pytest.mark.skipif(autograd.engine != "compiled", reason="the engine that runs is not the compiled one")
NUMBERS = [
    *(0.0, -0.0, 5e-324, -5e-324, 1e-300, -1e-17, 0.1, 0.25, -0.5, 0.7, 1.0, -1.0, math.nextafter(1.0, 2.0), 1.5, -2.0),
    *(2.5, 3.0, -3.0, math.pi, 7.0, -20.0, 36.7, 100.5, -700.0, 709.7, 1000.0, 1e9, -1e16, 1e200, -1e308),
    *(math.inf, -math.inf, math.nan),
]


def bits(number: float) -> bytes:
    return b"nan" if number != number else struct.pack("d", number)


@pytest.mark.parametrize("row", PRIMITIVES.values(), ids=PRIMITIVES)
def test_the_engine_runs_the_rules_of_the_table(row: Primitive) -> None:
    """Values and slopes to the last bit, whatever the engine runs them by."""
    counts = [row.arity] if row.arity else [2, 4]
    for count in counts:
        for operands in itertools.islice(itertools.product(NUMBERS, repeat=count), 0, None, 1 if count < 4 else 991):
            leaves = [Value(x) for x in operands]
            try:
                value = row.value(*operands)
            except OverflowError:
                value = row.limit(*operands)
            except (ValueError, ZeroDivisionError):
                with pytest.raises((ValueError, ZeroDivisionError)):
                    apply(row, *leaves)
                continue
            node = apply(row, *leaves)
            node.backward()
            slopes = row.local_slopes(value, *operands)
            assert (bits(node.data), *map(bits, node.slopes)) == (bits(value), *map(bits, slopes)), operands
            assert [bits(leaf.grad) for leaf in leaves] == [bits(0.0 + 1.0 * slope) for slope in slopes], operands


RANDOM_GRAPHS = """
import random, autograd
from autograd import Value, Constant, Parameter
from autograd.primitives import PRIMITIVES
from autograd.value import apply, rebuild
generator = random.Random(20)
for _ in range(300):
    leaves = [kind(generator.choice([generator.gauss(0, 1), generator.uniform(-50, 50), 1.0, 0.0]))
              for kind in (Value, Parameter, Constant, Value)]
    nodes = list(leaves)
    while len(nodes) < 60:
        row = generator.choice(list(PRIMITIVES.values()))
        operands = [generator.choice(nodes) for _ in range(row.arity or 2 * generator.randint(1, 4))]
        try:
            nodes.append(apply(row, *operands))
        except (ValueError, ArithmeticError):
            pass
    for node in nodes[-3:]:
        if type(node) is Value:
            node.backward()
    print(*[node.data.hex() for node in nodes], *[(node.grad.hex(), node.has_grad) for node in nodes])
"""


def run(program: str, engine: str = autograd.engine) -> str:
    """What a program prints in a process of its own."""
    environment = {**os.environ, "STEPGRAD_ENGINE": engine, "PYTHONPATH": os.pathsep.join(sys.path)}
    result = subprocess.run(
        [sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=False
    )
    assert (result.returncode, result.stderr) == (0, "")
    return result.stdout


@COMPILED
def test_both_engines_compute_the_same_bits() -> None:
    plain, compiled = run(RANDOM_GRAPHS, "plain"), run(RANDOM_GRAPHS, "compiled")
    assert len(compiled.splitlines()) == 300
    assert compiled == plain


@COMPILED
def test_nodes_are_small_and_unknown_to_the_collector() -> None:
    a = Value(2.0)
    for node in (a, Parameter(1.0), a * 3, (a * 3).parents[1], autograd.sum([a, a, a])):
        assert not gc.is_tracked(node)
    assert sys.getsizeof(a * a) <= 100


def test_a_subclass_behaves_like_a_leaf() -> None:
    class Weight(Value):
        def __init__(self, data: float) -> None:
            super().__init__(data, "w")
            self.history = [data]

    for _ in range(3):
        weight = Weight(2.0)
        weight.history.append(weight)  # type: ignore[arg-type]  # a cycle, which the collector must find
        (weight * weight + 1).backward()
        assert (weight.grad, weight.history[0]) == (4.0, 2.0)
    del weight
    before = len([thing for thing in gc.get_objects() if type(thing).__name__ == "Weight"])
    gc.collect()
    assert before >= 1
    assert not [thing for thing in gc.get_objects() if type(thing).__name__ == "Weight"]


# What the interpreter frees by itself, as the nodes of the plain engine, takes a few hundred kilobytes of stack.
GRAPHS = f"""
from autograd import Value, sum
stack = {65_536 if autograd.engine == "compiled" else 1_048_576}
def chain(count):
    node = leaf = Value(1.0)
    for _ in range(count):
        node = node + leaf
    return node
def diamonds(count):
    node = Value(1.0)
    for _ in range(count // 3):
        node = (node + 1.0) * 0.25 + (node - 1.0) * 0.25
    return node
def wide(count):
    leaf = Value(1.0)
    return sum([leaf * 2.0 for _ in range(count)])
def nested(count):
    node = leaf = Value(1.0)
    for _ in range(count // 4):
        node = sum([node, leaf, leaf]).tanh()
    return node
graphs = [chain, diamonds, wide, nested]
"""


@pytest.mark.parametrize(
    "program",
    [
        "for graph in graphs:\n    graph(100_000).backward()",
        "kept = [graph(100_000) for graph in graphs]  # freed when the interpreter exits",
        """
for graph in graphs:
    try:
        node = graph(100_000)
        raise LookupError
    except LookupError:
        del node
""",
        """
import threading
threading.stack_size(stack)
for graph in graphs:
    nodes = [graph(100_000)]
    thread = threading.Thread(target=lambda: (nodes[0].backward(), nodes.clear()))
    thread.start()
    thread.join()
    assert not nodes
""",
        """
import resource
resource.setrlimit(resource.RLIMIT_STACK, (4 * stack, 4 * stack))
import os, sys
if "again" not in os.environ:
    os.environ["again"] = ""
    os.execv(sys.executable, [sys.executable, "-c", sys.orig_argv[2]])
for graph in graphs:
    graph(100_000).backward()
""",
    ],
    ids=["at once", "at exit", "in an exception", "in a thread of little stack", "in a process of little stack"],
)
def test_deep_graphs_are_freed(program: str) -> None:
    if "resource" in program and sys.platform == "win32":
        pytest.skip("Windows has no limits of this kind")
    assert run(GRAPHS + program) == ""


def test_what_a_node_of_many_operands_is_made_of_by_hand() -> None:
    wide = type(autograd.sum([Value(1.0), Value(2.0)]))
    leaf = wide(2.0)
    assert (leaf.parents, leaf.operands, leaf.data) == ((), (), 2.0)
    (leaf * leaf).backward()
    assert leaf.grad == 4.0


PARTS = Value, 6.0, None, None, PRIMITIVES["multiply"], (Value(2.0), Value(3.0)), (2.0, 3.0)


@pytest.mark.parametrize(
    "changes",
    [
        {5: (None, Value(3.0))}, {5: (Value(2.0),)}, {5: (2.0, 3.0)}, {6: (2.0,)}, {4: None}, {4: PRIMITIVES["exp"]},
        {4: PRIMITIVES["sum"]}, {0: type(autograd.sum([1.0, 2.0]))},
        {0: type(autograd.sum([1.0, 2.0])), 4: PRIMITIVES["sum"], 5: (), 6: ()},
        {0: type(autograd.sum([1.0, 2.0])), 4: PRIMITIVES["sum"], 5: (None, None)},
    ],
)  # fmt: skip
def test_damaged_parts_of_a_node_are_refused(changes: dict[int, Any]) -> None:
    parts: list[Any] = list(PARTS)
    assert rebuild(*parts).data == 6.0
    for index, part in changes.items():
        parts[index] = part
    with pytest.raises(ValueError, match="damaged copy of a node"):
        rebuild(*parts)


def test_a_finalizer_that_waits_does_not_stop_other_threads_from_freeing() -> None:
    """The label of a node is the last thing that a thread frees; it waits for another thread meanwhile."""
    started, finished = threading.Event(), threading.Event()

    class Slow(str):
        __slots__ = ()

        def __del__(self) -> None:
            started.set()
            assert finished.wait(20)

    class Counted(str):
        __slots__ = ()
        freed = 0

        def __del__(self) -> None:
            type(self).freed += 1

    def slow() -> None:
        node = Value(1.0)
        node.label = Slow("slow")

    thread = threading.Thread(target=slow)
    thread.start()
    assert started.wait(20)
    node = Value(1.0)
    for _ in range(10_000):
        node = node * 1.0
        node.label = Counted("counted")
    del node
    assert Counted.freed == 10_000
    finished.set()
    thread.join()
