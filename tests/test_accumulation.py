"""Reverse and forward mode over a tape, from seeds of any nodes."""

import math

import pytest

from autograd import Constant, Value, gradients
from autograd.calculus.reverse_and_forward import pull, push
from autograd.primitives import Primitive
from autograd.programs.program import Program
from autograd.tape import Tape
from autograd.value import is_constant
from autograd.views.tracing import edges, trace


def number_of(number: Value | float) -> float:
    return number.data if isinstance(number, Value) else number


def test_seeds_of_several_nodes_add_up() -> None:
    x, y = Value(2.0), Value(3.0)
    product, root = x * y, x.exp()
    tape = Tape(product, root)
    for recorded in (False, True):
        found = pull(tape, [x, y], {product: 10.0, root: Value(1.0)}, recorded)
        assert [number_of(found[x]), number_of(found[y])] == [10.0 * 3.0 + math.exp(2.0), 20.0]
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


# Nothing passes through stop_gradient: not even inf · 0, which is nan.


def test_gradients_and_tangents_stop() -> None:
    x, y = Value(0.0), Value(2.0)
    stopped = x.stop_gradient()
    root = (stopped + x).sqrt()
    (slope,) = gradients(root, [x])
    assert slope.data == math.inf
    (slope,) = gradients(stopped.sqrt() + y, [x])
    assert (slope.data, is_constant(slope)) == (0.0, True)
    for recorded in (False, True):
        tape = Tape(stopped.sqrt() * y)
        pulled = pull(tape, [x, y], {tape.nodes[-1]: 1.0}, recorded)
        assert [number_of(grad) for grad in pulled.values()] == [0.0]
        assert [number_of(tangent) for tangent in push(tape, [tape.nodes[-1]], {x: math.inf, y: 1.0}, recorded)] == [
            0.0
        ]
        tape = Tape(stopped)
        assert pull(tape, [x], {stopped: math.inf}, recorded) == {}
        assert push(tape, [stopped], {x: math.inf}, recorded) == [0.0]
        assert pull(tape, [x, stopped], {stopped: math.inf}, recorded) == {stopped: math.inf}


def test_second_derivatives_stop_too() -> None:
    x = Value(3.0)
    (first,) = gradients(x.stop_gradient() ** 2 * x**2, [x])
    (second,) = gradients(first, [x])
    assert (first.data, second.data) == (54.0, 0.0 + 2.0 * 9.0)


def test_all_engines_pass_nothing() -> None:
    x = Value(0.0)
    output = (x.stop_gradient()).sqrt() + 2.0 * x
    output.backward()
    assert x.grad == 2.0
    assert Program.of([output], inputs=[x]).gradient() == ((2.0,), ())
    stopped = output.parents[0].parents[0]
    stopped.grad = math.inf
    stopped.propagate()
    assert x.grad == 2.0
    edges_of = [(edge.slope, edge.after) for edge in trace(output, edges(Tape(output))) if edge.node is stopped]
    assert edges_of == [(0.0, 2.0)]


def test_one_s_own_primitive_of_slope_0_is_multiplied_by_it() -> None:
    """The rule of stop_gradient is of that primitive alone."""
    zero = Primitive("zero", lambda x: x, lambda out, x: 0.0)
    x = Value(0.0)
    zero(x).sqrt().backward()
    assert math.isnan(x.grad)
