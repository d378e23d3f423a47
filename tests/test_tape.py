"""Tapes: the order of the nodes and the indices of the operands."""

import gc
import sys

import pytest

import autograd
from autograd import Value, topological_order, where
from autograd.tape import Tape


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
