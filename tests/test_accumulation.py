"""Reverse and forward mode over a tape, from seeds of any nodes."""

import math

import pytest

from autograd import Constant, Value, gradients
from autograd.calculus.accumulation import pull, push
from autograd.tape import Tape


def test_seeds_of_several_nodes_add_up() -> None:
    x, y = Value(2.0), Value(3.0)
    product, root = x * y, x.exp()
    tape = Tape(product, root)
    for recorded in (False, True):
        found = pull(tape, [x, y], {product: 10.0, root: Value(1.0)}, recorded)
        numbers = [number.data if isinstance(number, Value) else number for number in (found[x], found[y])]
        assert numbers == [10.0 * 3.0 + math.exp(2.0), 20.0]
    assert push(tape, [root, product, x], {x: 1.0, y: 100.0}, recorded=False) == [math.exp(2.0), 203.0, 1.0]


def test_what_is_not_reached() -> None:
    x, y, other = Value(2.0), Value(3.0), Value(4.0)
    tape = Tape(x * y, other)
    assert pull(tape, [other], {tape.nodes[2]: 1.0}, recorded=False) == {}
    assert push(tape, [other, tape.nodes[2]], {x: 1.0}, recorded=False) == [0.0, 3.0]
    assert isinstance(gradients(x * y, [other])[0], Constant)
    with pytest.raises(ValueError, match="the output was not computed from input 1"):
        gradients(x * y, [x, other], unreached="error")


def test_inner_nodes_are_inputs_too() -> None:
    x = Value(2.0)
    square = x * x
    output = square * square
    found = pull(Tape(output), [square, x], {output: 1.0}, recorded=False)
    assert (found[square], found[x]) == (8.0, 32.0)


def test_recorded_derivatives_refuse_a_graph_whose_leaves_were_assigned() -> None:
    """In both modes: the graph of the derivatives would mix the numbers of two passes."""
    x, y = Value(2.0), Value(3.0)
    tape = Tape(x * y)
    x.data = 5.0
    with pytest.raises(RuntimeError, match=r"held 2\.0 when this graph was computed"):
        push(tape, tape.nodes[-1:], {y: 1.0}, recorded=True)
    with pytest.raises(RuntimeError, match=r"held 2\.0 when this graph was computed"):
        gradients(tape.nodes[-1], [y])
    assert push(tape, tape.nodes[-1:], {y: 1.0}, recorded=False) == [2.0]
