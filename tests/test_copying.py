"""Copies and pickles of graphs."""

import copy
import io
import pickle
from collections.abc import Callable
from typing import Any

import pytest

import autograd
from autograd import Constant, Parameter, Value, topological_order
from tests.test_tape import run_in_threads

COPIERS: dict[str, Callable[[Any], Any]] = {
    "pickle in C": lambda thing: pickle.loads(pickle.dumps(thing)),
    "pickle in Python": lambda thing: pickle.loads(pickle._dumps(thing, protocol=0)),  # type: ignore[attr-defined]  # private
    "deepcopy": copy.deepcopy,
}


@pytest.mark.parametrize("copier", COPIERS.values(), ids=COPIERS)
def test_a_copied_graph_is_a_graph_of_its_own(copier: Callable[[Any], Any]) -> None:
    a, b, c = Value(2.0, "a"), Parameter(3.0, "b"), Constant(0.5)
    output = autograd.sum([a * b, a.tanh(), c**b, a]) / b
    output.backward()
    hidden = output.parents[0]
    a2, output2, hidden2, b2 = copier([a, output, hidden, b])
    assert output2.parents == (hidden2, b2)
    assert hidden2.parents[0].parents == (a2, b2)
    order, order2 = topological_order(output), topological_order(output2)
    for node, twin in zip(order, order2, strict=True):
        assert (type(twin), twin.data, twin.grad, twin.label) == (type(node), node.data, node.grad, node.label)
        assert (twin.primitive, twin.operands, twin.has_grad) == (node.primitive, node.operands, node.has_grad)
        assert twin is not node
    output2.backward()
    assert (a2.grad, b2.grad) == (2 * a.grad, 2 * b.grad)
    assert a.grad == order[order.index(a)].grad != a2.grad


@pytest.mark.parametrize("copier", COPIERS.values(), ids=COPIERS)
@pytest.mark.parametrize("count", [1, 2, 3])
def test_primitives_of_many_operands_are_copied_whatever_their_count(copier: Callable[[Any], Any], count: int) -> None:
    x = [Value(2.0) for _ in range(count)]
    for node in (autograd.sum(x), autograd.prod(x), autograd.max(x), autograd.dot(x, x)):
        twin = copier(node)
        assert (twin.data, twin.operands, len(twin.parents)) == (node.data, node.operands, len(node.parents))


@pytest.mark.parametrize("copier", COPIERS.values(), ids=COPIERS)
def test_deep_graphs_are_copied(copier: Callable[[Any], Any]) -> None:
    x = node = Value(1.0)
    for _ in range(2_000):
        node = node * 1.0 + x
    for _ in range(2):
        x2, node2 = copier((x, node))
        node2.backward()
        assert (x2.grad, x.has_grad) == (2_001.0, False)
    node2 = copier(node.parents[0])  # of a part, after the whole
    node2.backward()
    leaves = [leaf for leaf in topological_order(node2) if type(leaf) is Value and leaf.primitive is None]
    assert [leaf.grad for leaf in leaves] == [2_000.0]


def test_a_shallow_copy_shares_the_parents() -> None:
    a = Value(2.0, "a")
    product = a * a
    product.label = "product"
    twin = copy.copy(product)
    assert (twin.parents, twin.label, twin.data) == ((a, a), "product", 4.0)
    twin.backward()
    assert a.grad == 4.0


def test_what_cannot_be_pickled_says_so() -> None:
    halve = autograd.primitive(lambda out, x: 0.5, name="halve")(lambda x: x / 2)
    graph = halve(Value(1.0)) * 3
    with pytest.raises(TypeError, match="cannot pickle <primitive halve>, which is not in the table of primitives"):
        pickle.dumps(graph)
    twin = copy.deepcopy(graph)
    assert twin.parents[0].primitive is halve


def shared_graph(outputs: int) -> list[Value]:
    """Outputs that share a chain, each with two nodes of its own."""
    x = node = Value(1.0, "x")
    chain = [node := node * 1.0 + x for _ in range(outputs)]
    return [(node * 0.5).tanh() for node in chain]


@pytest.mark.parametrize("copier", COPIERS.values(), ids=COPIERS)
def test_many_outputs_over_a_shared_graph_are_copied_once(copier: Callable[[Any], Any]) -> None:
    outputs = shared_graph(300)
    for nodes in (outputs, outputs[::-1], topological_order(autograd.sum(outputs))):
        twins = copier(nodes)
        assert [twin.data for twin in twins] == [node.data for node in nodes]
        assert len(topological_order(autograd.sum(twins))) == len(topological_order(autograd.sum(nodes)))


def test_what_is_pickled_grows_with_the_graph_alone() -> None:
    sizes = [len(pickle.dumps(shared_graph(count))) for count in (500, 1000, 2000)]
    assert sizes[2] < 2.2 * sizes[1] < 2.2 * 2.2 * sizes[0]


def test_a_deep_copy_after_a_shallow_one() -> None:
    node = Value(1.0)
    nodes = [node := node * 1.0 for _ in range(5_000)]
    copy.copy(nodes[-1])
    assert copy.deepcopy(nodes[-2]).data == 1.0
    pickle.dumps(nodes[-1])
    assert pickle.loads(pickle.dumps(nodes[-3])).data == 1.0


def test_two_picklers_at_once() -> None:
    node = Value(1.0)
    nodes = [node := node * 1.0 for _ in range(5_000)]
    files = [io.BytesIO(), io.BytesIO()]
    picklers = [pickle.Pickler(file) for file in files]
    for node in (nodes[2_000], nodes[-1]):
        for pickler in picklers:
            pickler.dump(node)
    for file in files:
        file.seek(0)
        unpickler = pickle.Unpickler(file)
        lengths = [len(topological_order(unpickler.load())) for _ in range(2)]
        assert lengths == [2 * 2_001 + 1, 2 * 5_000 + 1]  # with the constants


def test_a_pickle_that_failed_leaves_nothing_behind() -> None:
    node = Value(1.0)
    nodes = [node := node * 1.0 for _ in range(3_000)]
    halve = autograd.primitive(lambda out, x: 0.5, name="halve")(lambda x: x / 2)
    with pytest.raises(TypeError, match="cannot pickle"):
        pickle.dumps([nodes[100], halve(nodes[-1])])
    assert len(topological_order(pickle.loads(pickle.dumps(nodes[-1])))) == 2 * 3_000 + 1


def test_threads_pickle_a_shared_graph() -> None:
    outputs = shared_graph(1_000)
    lengths: list[int] = []

    def work() -> None:
        for _ in range(5):
            twins = pickle.loads(pickle.dumps(outputs))
            lengths.append(len(topological_order(twins[-1])))

    run_in_threads([work] * 4)
    assert lengths == [len(topological_order(outputs[-1]))] * 20


class Slotted(Value):
    """A subclass with attributes of both kinds."""

    __slots__ = ("__dict__", "__secret", "note")

    def __init__(self, data: float, note: object) -> None:
        super().__init__(data)
        self.note, self.__secret = note, note
        self.free = [data]

    def secret(self) -> object:
        return self.__secret


@pytest.mark.parametrize("copier", [*COPIERS.values(), copy.copy], ids=[*COPIERS, "copy"])
def test_attributes_of_a_subclass_are_copied(copier: Callable[[Any], Any]) -> None:
    twin = copier(Slotted(2.0, ["n"]))
    assert (type(twin), twin.data, twin.note, twin.secret(), twin.free) == (Slotted, 2.0, ["n"], ["n"], [2.0])
    bare = Slotted.__new__(Slotted)
    Value.__init__(bare, 3.0)
    assert not hasattr(copier(bare), "note")


def test_a_primitive_is_not_copied() -> None:
    assert copy.deepcopy([autograd.sin])[0] is copy.copy(autograd.sin) is autograd.sin
