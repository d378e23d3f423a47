"""Nodes whose slopes a program gives as numbers: `Value(data, parents, slopes)`."""

from __future__ import annotations

import copy
import math
import pickle
import random
from collections.abc import Callable
from typing import Any

import pytest

import autograd
from autograd import (
    Constant,
    Parameter,
    Value,
    compile,
    diagnose,
    draw,
    explain,
    grad,
    gradients,
    hessian,
    hvp,
    jvp,
    no_grad,
    record_sources,
    steps,
    topological_order,
)


def fused(*factors: Value) -> Value:
    """The product of some numbers, as one node."""
    numbers = [factor.data for factor in factors]
    others = [math.prod(numbers[:place] + numbers[place + 1 :]) for place in range(len(numbers))]
    return Value(math.prod(numbers), factors, others)


@pytest.mark.parametrize("count", [1, 2, 3, 7])
def test_gradients_are_those_of_the_operators(count: int) -> None:
    def build(product: Callable[..., Value]) -> tuple[list[Value], Value]:
        leaves = [Value(0.5 + place, f"x{place}") for place in range(count)]
        inner = product(*leaves)
        return leaves, (inner.tanh() * leaves[0] + product(inner, *leaves)) / 3.0

    leaves, output = build(fused)
    others, other = build(lambda *factors: math.prod(factors[1:], start=factors[0]))
    output.backward()
    other.backward()
    assert output.data == pytest.approx(other.data, rel=1e-14)
    assert [leaf.grad for leaf in leaves] == pytest.approx([leaf.grad for leaf in others], rel=1e-13)
    by_hand = copy.deepcopy(output)
    for node in topological_order(by_hand):
        node.grad = None  # which forgets it
    by_hand.grad = 1.0
    for node in reversed(topological_order(by_hand)):
        node.propagate()
    found = {node.label: node.grad for node in topological_order(by_hand) if node.label}
    assert found == {leaf.label: leaf.grad for leaf in leaves}
    assert steps(output)[-1].grad_of(leaves[0]) is not None
    assert jvp(fused, [1.5] * count, [1.0] * count)[1] == pytest.approx(count * 1.5 ** (count - 1))
    of_each = grad(fused, argnums=range(count))(*[1.5] * count)
    assert of_each == pytest.approx([1.5 ** (count - 1)] * count)


def test_its_parts() -> None:
    a, b, c = (Value(x, label) for x, label in ((2.0, "a"), (3.0, "b"), (5.0, "c")))
    node = Value(30.0, children=(a, b, c), local_grads=(15.0, 10.0, 6.0), label="y")
    assert (node.parents, node.operands, node.slopes) == ((a, b, c), (2.0, 3.0, 5.0), (15.0, 10.0, 6.0))
    assert (node._prev, node._children, node._local_grads) == (node.parents, node.parents, node.slopes)
    assert (node._op, node.label, str(node)) == ("given slopes", "y", "Value(30.0, label='y')")
    assert Value(4.0, [a], [1]).slopes == (1.0,)
    assert Value(4.0, {a}, [1]).parents == (a,)
    repeated = Value(4.0, (a, a), (2.0, 2.0))
    repeated.backward()
    assert a.grad == 4.0


def test_it_is_drawn_stepped_and_explained() -> None:
    x = Value(0.5, "x")
    output = Value(math.sin(x.data), (x,), (math.cos(x.data),)) * 2.0
    output.backward()
    assert "given slopes(x)" in draw(output).source
    assert str(steps(output)[0]) == "v1 = given slopes(x) = given slopes(0.5) = 0.479425539"
    text = str(explain(output, x))
    assert "given slope" in text
    assert f"{2 * math.cos(0.5):.9g}" in text
    assert r"\text{given slope}" in explain(output, x).latex
    assert "Nothing is wrong" in str(diagnose(output, x))
    flat = Value(1.0, (x,), (0.0,))
    assert "given slopes" in str(diagnose(flat, x))
    with record_sources() as sources:
        made = Value(1.0, (x,), (1.0,))
    assert sources[made][0] == __file__


@pytest.mark.parametrize("count", [1, 2, 3])
def test_it_is_copied_and_pickled(count: int) -> None:
    leaves = [Value(2.0 + place, f"x{place}") for place in range(count)]
    output = fused(*leaves) + 1.0
    for twin in (pickle.loads(pickle.dumps(output)), copy.deepcopy(output), copy.copy(output)):
        node = twin.parents[0]
        assert (node.data, node.slopes) == (output.parents[0].data, output.parents[0].slopes)
        assert [parent.label for parent in node.parents] == [leaf.label for leaf in leaves]
        twin.backward()
        assert node.parents[0].grad == output.parents[0].slopes[0]


NODE: Value = fused(Value(2.0), Value(3.0))
RECORDED: list[Callable[[], object]] = [
    lambda: grad(grad(fused))(2.0),
    lambda: grad(grad(lambda x: fused(x, x)))(2.0),
    lambda: hessian(lambda x: fused(x, x, x))(2.0),
    lambda: hvp(lambda x: fused(x, x, x), [2.0], [1.0]),
    lambda: gradients(fused(x := Value(2.0), x), [x]),
    lambda: compile(lambda x: Value(1.0, (x,), (2.0,)))(1.0),
    lambda: compile(lambda x: x * NODE)(1.0),
    lambda: compile(grad(lambda x: x * NODE))(1.0),
    lambda: NODE.primitive and NODE.primitive(1.0),
]


@pytest.mark.parametrize("derive", RECORDED)
def test_recorded_derivatives_are_refused(derive: Callable[[], object]) -> None:
    with pytest.raises(TypeError, match="@primitive"):
        derive()


def test_what_does_not_fit_is_refused() -> None:
    a, b = Value(2.0), Value(3.0)
    untyped: Any = Value
    with pytest.raises(ValueError, match="a slope for each parent, got 1 for 2 parents"):
        Value(6.0, (a, b), (3.0,))
    with pytest.raises(TypeError, match=r"expected Values as parents, got 2\.0 of type float"):
        untyped(6.0, (2.0, b), (3.0, 2.0))
    with pytest.raises(TypeError, match="expected a real number"):
        untyped(6.0, (a, b), (b, a))
    for kind in (Constant, Parameter):
        with pytest.raises(TypeError, match=f"a {kind.__name__} is a leaf and has no parents"):
            kind(6.0, (a, b), (3.0, 2.0))


def test_no_grad_records_no_parents() -> None:
    x = Value(2.0)
    with no_grad():
        assert Value(4.0, (x,), (4.0,)).parents == ()


def test_the_gradient_of_an_outer_node_is_not_asked_for() -> None:
    """A recorded derivative that does not go through the node needs no derivative of its slope."""
    node = fused(Value(2.0), Value(3.0))
    assert grad(grad(lambda x: x**3 * node))(2.0) == 12.0 * 6.0


@pytest.mark.parametrize("count", [1, 3])
def test_deep_graphs(count: int) -> None:
    x = Value(1.0)
    node = x
    for _ in range(50_000):
        node = Value(node.data, (node,) * count, (1.0,) + (0.0,) * (count - 1))
    node.backward()
    assert x.grad == 1.0
    del node  # no recursion when it is freed


class Node(Value):
    """An engine that subclasses Value and makes its nodes itself, as the scalar GPTs in 200 lines do."""

    def __init__(self, data: float, children: Any = (), local_grads: Any = ()) -> None:
        super().__init__(data, children, local_grads)
        self.visits = 0

    def __add__(self, other: Any) -> Node:
        other = other if isinstance(other, Value) else Node(other)
        return Node(self.data + other.data, (self, other), (1, 1))

    def __mul__(self, other: Any) -> Node:
        other = other if isinstance(other, Value) else Node(other)
        return Node(self.data * other.data, (self, other), (other.data, self.data))

    def fused_dot(self, *others: Value) -> Node:
        nodes = (self, *others)
        return Node(sum(node.data**2 for node in nodes), nodes, [2 * node.data for node in nodes])


def test_an_engine_that_subclasses_value() -> None:
    generator = random.Random(3)
    a, b, c = (Node(generator.uniform(-1, 1)) for _ in range(3))
    output = (a * b + c).fused_dot(a, b, c) * 3.0
    output.backward()
    x, y, z = (Value(node.data) for node in (a, b, c))
    expected = ((x * y + z) ** 2 + x**2 + y**2 + z**2) * 3.0
    expected.backward()
    assert output.data == pytest.approx(expected.data, rel=1e-14)
    assert [n.grad for n in (a, b, c)] == pytest.approx([n.grad for n in (x, y, z)], rel=1e-14)
    assert type(output) is Node
    assert output.visits == 0
    twin = pickle.loads(pickle.dumps(output))
    assert type(twin.parents[0]) is Node
    assert autograd.topological_order(twin)[-1] is twin
    chain = a
    for _ in range(20_000):
        chain = chain + b
    chain.backward()
    del chain
