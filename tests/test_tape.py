"""Tapes and backward passes: also while rules do whatever they like, in threads, under signals and forks."""

import gc
import os
import random
import signal
import sys
import threading
import time
from array import array
from collections.abc import Callable
from typing import Any

import pytest

import autograd
from autograd import Constant, Parameter, Value, topological_order, where
from autograd.tape import Slopes, Tape, begin, node_gradients


def is_tape_of(tape: Tape, output: Value) -> bool:
    """Whether a tape holds the graph of an output, by its definition."""
    index = {id(node): position for position, node in enumerate(tape.nodes)}
    below = all(
        [id(parent) for parent in node.parents] == [id(tape.nodes[i]) for i in tape.operands_of(position)]
        and all(i < position for i in tape.operands_of(position))
        for position, node in enumerate(tape.nodes)
    )
    return below and len(index) == len(tape) and tape.nodes[-1] is output


# Recording.


def test_a_very_long_chain() -> None:
    limit, rounds = sys.getrecursionlimit(), 500_000 if autograd.engine == "compiled" else 50_000
    x = node = Value(1.0)
    for _ in range(rounds):
        node = (node + x) * 1.0
    node.backward()
    assert (node.data, x.grad, sys.getrecursionlimit()) == (rounds + 1.0, rounds + 1.0, limit)
    order = topological_order(node)
    assert (order[0], order[-1]) == (x, node)
    del order, node


def test_topological_order() -> None:
    a, b = Value(1.0), Value(2.0)
    product = a * b
    total = product + a
    output = where(True, total, product)
    order = topological_order(output)
    assert order == [output.parents[0], a, b, product, total, output]
    assert len(set(order)) == len(order)
    assert topological_order(a) == [a]
    with pytest.raises(TypeError, match=r"output.* got .*int"):
        topological_order(3)  # type: ignore[arg-type]  # what is tested


def test_a_tape_of_several_outputs() -> None:
    a, b = Value(1.0, "a"), Value(2.0, "b")
    product = a * b
    wide = autograd.sum([product, 3.0, b, product])
    tape = Tape(product, wide, a, product)
    assert tape.nodes == [a, b, product, wide.parents[1], wide]
    assert [list(tape.operands_of(index)) for index in range(5)] == [[], [], [0, 1], [], [2, 3, 1, 2]]
    assert (list(tape.starts), list(tape.operands)) == ([0, 0, 0, 2, 2, 6], [0, 1, 2, 3, 1, 2])
    assert len(tape) == 5
    assert len(Tape()) == 0
    with pytest.raises(TypeError, match=r"expected a Value as output, got 2\.0 of type float"):
        Tape(a, 2.0)  # type: ignore[arg-type]  # what is tested


def test_dependents() -> None:
    a, b, c = Value(1.0), Value(2.0), Value(3.0)
    tape = Tape(autograd.sum([a * b, b * c, c.exp(), a]))
    assert list(tape.dependents([a])) == [1, 0, 1, 0, 0, 0, 1]
    assert list(tape.dependents([c, Value(0.0)])) == [0, 0, 0, 1, 1, 1, 1]
    assert list(tape.dependents([tape.nodes[2]])) == [0, 0, 1, 0, 0, 0, 1]
    assert not any(tape.dependents([]))


def test_older_nodes_are_recorded_without_their_operands() -> None:
    x, y = Value(2.0), Value(3.0)
    product, wide = x * y, autograd.sum([x, y, x])
    time = begin()
    z = Value(4.0)
    new = product * z
    output = autograd.sum([new, wide, z, y])
    tape = Tape(output, product, since=time)
    assert tape.nodes == [product, z, new, wide, y, output]
    assert [list(tape.operands_of(index)) for index in range(6)] == [[], [], [0, 1], [], [], [2, 3, 1, 4]]
    assert list(tape.dependents([z])) == [0, 1, 1, 0, 0, 1]
    assert is_tape_of(Tape(output), output)


def test_reached_through_older_nodes() -> None:
    time, x = begin(), Value(2.0)
    known, node = {x}, x * 3.0
    for _ in range(100):
        node = node * 1.5 + Value(1.0)
        beside = Value(1.0) * 2.0
        inner = begin()
        y = Value(1.0)
        assert Tape(y * node * beside, since=inner).reaches(known, time)
        assert node in known
        assert not Tape(y * beside, since=inner).reaches(known, time)
        assert beside not in known
    assert not Tape(Value(1.0) * node, since=begin()).reaches({x}, since=begin())


def test_the_clock_of_several_threads() -> None:
    times: list[int] = []
    run_in_threads([lambda: times.extend([begin() for _ in range(1_000)]) for _ in range(8)])
    assert len(set(times)) == 8_000
    assert begin() > max(times)


def test_a_tape_keeps_its_nodes_alive_and_its_indices_right() -> None:
    node = leaf = Value(1.0)
    for _ in range(100):
        node = (node + leaf).tanh()
    tape = Tape(node)
    other = Tape(node.parents[0] * leaf, node)  # the nodes have other indices here
    assert is_tape_of(tape, node)
    assert other.nodes[-1] is node
    kept = list(tape.nodes)
    del node, leaf, other
    gc.collect()
    assert is_tape_of(tape, kept[-1])


def test_a_subclass_may_redefine_its_hash_and_equality() -> None:
    class Odd(Value):
        def __hash__(self) -> int:
            return 1

        def __eq__(self, other: object) -> bool:
            return True

    a, b = Odd(2.0), Odd(3.0)
    output = a * b + a
    tape = Tape(output)
    assert [id(node) for node in tape.nodes[:2]] == [id(a), id(b)]
    assert is_tape_of(tape, output)
    output.backward()
    assert (a.grad, b.grad) == (4.0, 2.0)


# What depends on what.


def test_a_result_of_stop_gradient_depends_on_nothing() -> None:
    x, y = Value(2.0), Value(3.0)
    stopped = x.stop_gradient()
    tape = Tape(stopped.exp() + y)
    names = [node.primitive.name if node.primitive else "" for node in tape.nodes]
    assert names == ["", "stop_gradient", "exp", "", "add"]
    assert list(tape.dependents([x])) == [1, 0, 0, 0, 0]
    assert list(tape.dependents([x, y])) == [1, 0, 0, 1, 1]
    assert list(tape.dependents([stopped])) == [0, 1, 1, 0, 1]


@pytest.mark.parametrize("is_nan", [False, True])
def test_slopes_note_that_a_product_was_guarded(is_nan: bool) -> None:
    x = Value(0.0 if is_nan else 4.0)
    tape, slopes = Tape(autograd.where(True, x, x.sqrt())), Slopes()
    assert node_gradients(tape, tape.variables(), slopes)[tape.nodes.index(x)] == 1.0
    assert slopes.guarded is (True if is_nan else None)


def rule(slope: Callable[[], float]) -> Any:
    """A primitive that returns its operand, and whose slope is what a function returns."""
    return autograd.primitive(lambda out, x: slope(), check=False)(lambda x: x)


def run_in_threads(tasks: list[Callable[[], Any]]) -> None:
    """Run tasks at once, with the interpreter switching as often as it can."""
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        threads = [threading.Thread(target=task) for task in tasks]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    finally:
        sys.setswitchinterval(interval)


# Rules that do whatever they like during a backward pass.


def test_a_rule_runs_backward_over_the_graph_of_the_pass() -> None:
    w, a = Value(3.0), Value(1.0)
    h = w * 2
    out = h + rule(lambda: (h * 5).backward() or 1.0)(a)  # type: ignore[func-returns-value]  # for its effect
    out.backward()
    assert (w.grad, a.grad, h.grad, out.grad) == (2.0 + 10.0, 1.0, 1.0, 1.0)


def test_a_rule_records_the_same_nodes_in_another_order() -> None:
    a, b = Value(2.0), Value(5.0)
    h, k = a * b, b * a

    def slope() -> float:
        assert topological_order(k * h)[:2] == [b, a]
        assert [list(Tape(k, h).operands_of(index)) for index in (2, 3)] == [[0, 1], [1, 0]]
        return 1.0

    (h * 10 + rule(slope)(h) + k).backward()
    assert (a.grad, b.grad) == (12 * 5.0, 12 * 2.0)


def test_a_gradient_is_added_to_what_the_leaf_holds_when_it_is_written() -> None:
    w, a = Value(3.0), Value(1.0)
    w.grad = 7.0

    def slope() -> float:
        w.grad, a.grad = 100.0, None
        return 1.0

    (w * 2 + rule(slope)(a)).backward()
    assert (w.grad, a.grad) == (102.0, 1.0)


@pytest.mark.parametrize("error", [KeyboardInterrupt, ValueError])
def test_a_rule_that_raises_leaves_every_gradient_but_those_it_wrote(error: type[BaseException]) -> None:
    w, a, b = Value(3.0), Value(1.0), Value(2.0)
    h = w * b
    h.backward()

    def slope() -> float:
        b.grad = 50.0
        raise error

    with pytest.raises(error):
        (h * 4 + rule(slope)(a) + h.exp()).backward()
    assert (w.grad, b.grad, h.grad, a.has_grad) == (2.0, 50.0, 1.0, False)


def test_a_rule_drops_the_graph() -> None:
    graphs: dict[str, Value] = {}
    a = Value(1.5)

    def slope() -> float:
        graphs.clear()
        gc.collect()
        [Value(9.0) * 2 for _ in range(1000)]  # other nodes take freed memory
        return 1.0

    graphs["output"] = rule(slope)(a * 2.0).tanh() * rule(slope)(a).exp()
    expected = autograd.grad(lambda x: (x * 2.0).tanh() * x.exp())(1.5)
    graphs["output"].backward()
    assert a.grad == expected


def test_rules_that_run_backward_in_turn() -> None:
    """Each slope runs the pass of the one below, down to the ninth: gradients of a product of powers of two."""
    w = Parameter(1.0)
    output = w * 1.0

    def above(below: Value, depth: int) -> Value:
        return rule(lambda: below.backward() or 1.0)(w) * 2.0**depth  # type: ignore[func-returns-value,no-any-return]  # likewise

    for depth in range(1, 10):
        output = above(output, depth)
    output.backward()
    assert w.grad == float(sum(2**depth for depth in range(10)))


def test_a_rule_waits_for_threads_that_run_backward_over_the_same_graph() -> None:
    w = Value(3.0)
    h = w * w

    def slope() -> float:
        run_in_threads([(h * 10.0).backward for _ in range(4)])
        return 1.0

    (h + rule(slope)(w)).backward()
    assert w.grad == 6.0 + 1.0 + 4 * 60.0


def test_threads_add_up_gradients_in_shared_leaves() -> None:
    """Gradients are whole numbers below 2**53, so that the sum is exact whatever the order of the threads."""
    w, rounds = [Parameter(float(i)) for i in range(20)], 100
    slow = rule(lambda: float(str(1.0)))  # by Python, so threads may switch
    results: list[float] = []

    def work(factor: float) -> None:
        for _ in range(rounds):
            x = Value(factor)
            total = autograd.sum([slow(weight * x) for weight in w])
            for weight in w:
                total = total + slow(weight) * factor
            total.backward()
            results.append(x.grad)

    run_in_threads([lambda i=i: work(float(i)) for i in range(1, 5)])  # type: ignore[misc]  # mypy 1.18 cannot infer the default
    assert results == [sum(range(20))] * (4 * rounds)
    assert [weight.grad for weight in w] == [2.0 * rounds * (1 + 2 + 3 + 4)] * 20


def test_a_constant_is_treated_alike_whatever_its_class() -> None:
    class Given(Constant):
        pass

    given, x = Given(3.0, "given"), Value(2.0, "x")
    output = given * x + autograd.sum([given, x, given])
    output.backward()
    assert (x.grad, given.has_grad) == (4.0, False)
    assert autograd.gradients(output, [x])[0].data == 4.0
    assert "∂output/∂given" not in str(autograd.steps(output))
    assert autograd.diagnose(output, given).gradient == 0.0
    with pytest.raises(RuntimeError, match="constant"):
        given.backward()


# Signals and forks. An interrupt within the tracer of coverage, or a fork meanwhile, would leave its lock held.


@pytest.mark.no_cover
@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="Windows has no interval timers")
def test_an_interrupt_at_any_moment_leaves_all_gradients_or_none() -> None:
    generator = random.Random(4)
    leaves = [Value(0.5, f"x{i}") for i in range(200)]
    same = rule(lambda: 1.0)
    output = autograd.sum([same(leaf * 2.0).tanh() for leaf in leaves])
    output.backward()
    duration = min(timed(output.backward) for _ in range(5))
    reference = leaves[0].grad / 6
    passes, interrupts = 6, 0

    def interrupt(number: int, frame: object) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGALRM, interrupt)
    try:
        for _ in range(400):
            try:
                signal.setitimer(signal.ITIMER_REAL, generator.uniform(0.0, 1.2) * duration + 1e-6)
                output.backward()
                signal.setitimer(signal.ITIMER_REAL, 0.0)
            except KeyboardInterrupt:
                interrupts += 1
            grads = {leaf.grad for leaf in leaves}
            assert len(grads) == 1
            assert round(grads.pop() / reference) in (passes, passes + 1)
            passes = round(leaves[0].grad / reference)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0.0)
        signal.signal(signal.SIGALRM, before)
    assert interrupts > 50
    output.backward()  # no lock was left taken


def timed(task: Callable[[], Any]) -> float:
    start = time.perf_counter()
    task()
    return time.perf_counter() - start


@pytest.mark.no_cover
@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork on Windows")
@pytest.mark.filterwarnings("ignore:.*multi-threaded, use of fork:DeprecationWarning")
@pytest.mark.filterwarnings("ignore:os.fork.. was called:RuntimeWarning")  # by JAX, if other tests loaded it
def test_a_child_process_runs_backward_while_a_thread_of_the_parent_did() -> None:
    stop = threading.Event()
    leaf = Value(0.5)
    output = autograd.sum([rule(lambda: 1.0)(leaf * 2.0) for _ in range(300)])

    def work() -> None:
        while not stop.is_set():
            output.backward()

    thread = threading.Thread(target=work)
    thread.start()
    try:
        for _ in range(20):
            child = os.fork()
            if not child:
                signal.alarm(20)
                x = Value(3.0)
                (x * x).backward()
                output.backward()
                os._exit(0 if x.grad == 6.0 else 1)
            assert os.waitpid(child, 0)[1] == 0
    finally:
        stop.set()
        thread.join()


# Threads.


def test_threads_record_a_shared_graph() -> None:
    generator = random.Random(3)
    nodes: list[Value] = [Value(generator.random()) for _ in range(20)]
    for _ in range(60):
        if generator.random() < 0.3:
            nodes.append(autograd.sum(generator.sample(nodes, 3)))
        else:
            nodes.append(generator.choice(nodes) * generator.choice(nodes))
    outputs = nodes[-8:]
    expected = [Tape(output).operands for output in outputs]
    recorded: list[tuple[int, array[int]]] = []

    def work(which: int) -> None:
        recorded.extend((which, Tape(outputs[which]).operands) for _ in range(100))

    run_in_threads([lambda which=which: work(which) for which in range(8)])  # type: ignore[misc]  # mypy 1.18 cannot infer the default
    assert len(recorded) == 800
    assert all(operands == expected[which] for which, operands in recorded)


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="the system has no interval timers")
def test_a_signal_during_a_recording_may_record_the_same_nodes() -> None:
    nodes = [Value(1.0)]
    while len(nodes) < 300_000:
        nodes.append(nodes[-1] * nodes[len(nodes) // 2])
    expected, seen = Tape(nodes[-1]), []

    def record(number: int, frame: object) -> None:
        seen.append(len(Tape(nodes[150_000])) + len(Tape(nodes[-1])))

    before = signal.signal(signal.SIGALRM, record)
    try:
        while len(seen) < 3:
            signal.setitimer(signal.ITIMER_REAL, 0.002)
            tape = Tape(nodes[-1])
            signal.setitimer(signal.ITIMER_REAL, 0.0)
            assert tape.nodes == expected.nodes
            assert tape.operands == expected.operands
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0.0)
        signal.signal(signal.SIGALRM, before)


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="the system has no interval timers")
def test_ctrl_c_ends_a_recording() -> None:
    node = Value(1.0)
    for _ in range(300_000):
        node = node * 1.0000001 + 0.1
    count = len(Tape(node))

    def interrupt(number: int, frame: object) -> None:
        raise KeyboardInterrupt

    def record_again_and_again() -> None:
        while True:
            signal.setitimer(signal.ITIMER_REAL, 0.002)
            Tape(node)

    before = signal.signal(signal.SIGALRM, interrupt)
    try:
        with pytest.raises(KeyboardInterrupt):
            record_again_and_again()
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0.0)
        signal.signal(signal.SIGALRM, before)
    assert len(Tape(node)) == count
