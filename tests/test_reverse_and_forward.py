"""Reverse and forward mode over a tape: from seeds of any nodes, as numbers and as graphs."""

import math
import random
import sys
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import pytest

import autograd
from autograd import Constant, Parameter, Program, Value, gradients
from autograd.calculus.reverse_and_forward import Number, pull, push
from autograd.modes import ieee_arithmetic
from autograd.primitives import PRIMITIVES, Primitive
from autograd.tape import Tape
from autograd.value import apply, is_constant, is_fixed
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
    zero = gradients(x * y, [other])[0]
    assert (type(zero), zero.data) == (Constant, 0.0)
    with pytest.raises(ValueError, match=r"the output was not computed from input 1, Value\(4.0"):
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


def test_what_is_older_than_the_inputs_may_have_been_assigned() -> None:
    """Only what depends on the inputs is recorded."""
    x = Value(2.0)
    old = x * 3.0
    assert gradients(old, [x])[0].data == 3.0
    y = Value(1.5)
    output = y * y * old
    x.data = 5.0
    (first,) = gradients(output, [y])
    assert first.data == 2 * 1.5 * 6.0
    first.backward()
    assert (y.grad, x.grad) == (2 * 6.0, 2 * 1.5 * 3.0)
    with pytest.raises(RuntimeError, match=r"held 2\.0 when this graph was computed"):
        gradients(output, [x, y])


def test_gradients_by_something_else_than_values() -> None:
    with pytest.raises(TypeError, match=r"expected a Value as input, got 2\.0 of type float"):
        gradients(Value(2.0) * 3.0, [2.0])  # type: ignore[list-item]  # what is tested


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
    assert math.isnan(x.grad)  # inf · 0, and it is not said that it selects


# The reference: what the two modes are, with nothing done to make them fast.


def plain_pull(
    tape: Tape, inputs: Iterable[Value], seeds: Mapping[Value, Number], recorded: bool
) -> dict[Value, Number]:
    guards_all = [False]
    found = pull_once(tape, set(inputs), seeds, recorded, guards_all)
    return pull_once(tape, set(inputs), seeds, recorded, guards_all) if guards_all[0] else found


def pull_once(
    tape: Tape, inputs: set[Value], seeds: Mapping[Value, Number], recorded: bool, guards_all: list[bool]
) -> dict[Value, Number]:
    grads: dict[Value, Any] = dict(seeds)
    found = {}
    with ieee_arithmetic():
        for index in reversed(range(len(tape))):
            node = tape.nodes[index]
            if node not in grads:
                continue
            if node in inputs:
                found[node] = grads[node]
            for operand, slope in plain_slopes(tape, index, depends_on(tape, inputs), recorded):
                product = part_of(node, grads[node], operand, slope, guards_all)
                grads[operand] = product if operand not in grads else grads[operand] + product
    return found


def plain_push(tape: Tape, outputs: Iterable[Value], tangents: Mapping[Value, Number], recorded: bool) -> list[Number]:
    guards_all = [False]
    found = push_once(tape, outputs, tangents, recorded, guards_all)
    return push_once(tape, outputs, tangents, recorded, guards_all) if guards_all[0] else found


def push_once(
    tape: Tape, outputs: Iterable[Value], tangents: Mapping[Value, Number], recorded: bool, guards_all: list[bool]
) -> list[Number]:
    pushed: dict[Value, Any] = dict(tangents)
    with ieee_arithmetic():
        for index, node in enumerate(tape.nodes):
            if node not in tangents:
                for operand, slope in plain_slopes(tape, index, depends_on(tape, tangents), recorded):
                    product = part_of(node, pushed[operand], operand, slope, guards_all)
                    pushed[node] = product if node not in pushed else pushed[node] + product
    return [pushed.get(output, 0.0) for output in outputs]


def part_of(node: Value, grad: Any, operand: Value, slope: Any, guards_all: list[bool]) -> Any:
    """A gradient times a slope; where a product of nodes is nan, all are recorded again by the rule of zeros."""
    part = times(grad, slope)
    is_guarded = math.isnan(part.data if isinstance(part, Value) else part)
    which = next(place for place, parent in enumerate(node.parents) if parent is operand)
    assert node.primitive is not None
    if isinstance(part, Value):
        guards_all[0] |= is_guarded
        is_harmless = any(isinstance(factor, float) and factor and math.isfinite(factor) for factor in (grad, slope))
        is_guarded = guards_all[0] and not is_harmless
    return node.primitive.guard(which)(grad, slope) if is_guarded else part


def plain_slopes(tape: Tape, index: int, wanted: set[Value], recorded: bool) -> list[tuple[Value, Any]]:
    """The operands of a node that are wanted, each with its slope."""
    node = tape.nodes[index]
    if node.primitive in (None, PRIMITIVES["stop_gradient"]) or wanted.isdisjoint(node.parents):
        return []
    arguments: list[Any] = [node.data, *node.operands]
    if recorded:
        arguments = [node, *[parent.data if is_fixed(parent) else parent for parent in node.parents]]
    if node.primitive.all_slopes is not None:
        slopes = list(node.primitive.all_slopes(*arguments))
        return [(parent, slope) for parent, slope in zip(node.parents, slopes, strict=True) if parent in wanted]
    pairs = zip(node.parents, node.primitive.slopes, strict=True)
    return [(parent, rule(*arguments)) for parent, rule in pairs if parent in wanted]


def depends_on(tape: Tape, nodes: Iterable[Value]) -> set[Value]:
    found = set(nodes)
    for node in tape.nodes:
        if node.primitive is not PRIMITIVES["stop_gradient"] and not found.isdisjoint(node.parents):
            found.add(node)
    return found


def times(a: Any, b: Any) -> Any:
    if isinstance(a, float) and a == 1.0:
        return b
    return a if isinstance(b, float) and b == 1.0 else a * b


# Random graphs.


class Loud(Value):
    """A leaf with an operator of its own, which leaves its mark in the graph."""

    def __mul__(self, other: Any) -> Value:
        return super().__mul__(other) + 0.0

    def __rmul__(self, other: Any) -> Value:
        return super().__rmul__(other) + 0.0


class Given(Constant):
    """A constant of a class of its own."""


own = autograd.primitive(lambda out, x, y: y * out, lambda out, x, y: 1, check=False, name="own")(
    lambda x, y: x * y - x  # the second slope is an int: it is multiplied, though it is 1
)
SMALL = [primitive for primitive in PRIMITIVES.values() if primitive.arity is not None]
WIDE = [primitive for primitive in PRIMITIVES.values() if primitive.arity is None]


def random_graph(generator: random.Random, size: int) -> tuple[list[Value], list[Value]]:
    """Leaves of every kind, and nodes of every primitive over them, with operands in common."""
    kinds = (Value, Parameter, Value, Loud, Constant, Given)
    leaves: list[Value] = [
        generator.choice(kinds)(generator.choice((generator.uniform(-2.0, 2.0), 0.0, 1.0, 0.5)), f"leaf {i}")
        for i in range(generator.randint(2, 6))
    ]
    nodes, inner = list(leaves), [leaves[0] * leaves[1]]
    while len(inner) < size:
        primitive = generator.choice([*SMALL, own, *WIDE, *WIDE])
        count = primitive.arity or generator.randint(1, 6) * primitive.lists
        operands: list[Value | float] = [generator.choice(nodes[-12:] + leaves) for _ in range(count)]
        if generator.random() < 0.3:
            operands[generator.randrange(count)] = generator.choice((1.0, -1.0, 2.0, -0.5, 3.0, 0.0))
        if not any(isinstance(operand, Value) for operand in operands):
            continue
        try:
            node = apply(primitive, *operands)
        except (ValueError, ZeroDivisionError):  # outside the domain
            continue
        if abs(node.data) < 1e6:
            inner.append(node)
            nodes.append(node)
    return leaves, inner


def written(numbers: Sequence[Number]) -> list[str]:
    """Numbers that were recorded: the graph of those that are nodes, with its order; the bits of the others."""
    nodes = [number for number in numbers if isinstance(number, Value)]
    program = Program.of(nodes)
    shared = [str(nodes.index(node)) for node in nodes]
    others = [repr(number) for number in numbers if not isinstance(number, Value)]
    kinds = [type(node).__name__ for node in Tape(*nodes).nodes]
    return [str(program), repr(sorted(program.labels.items())), *others, *shared, *kinds]


@pytest.mark.parametrize("seed", range(60))
def test_the_graph_of_gradients_is_that_of_the_reference(seed: int) -> None:
    generator = random.Random(seed)
    leaves, inner = random_graph(generator, generator.choice((3, 10, 40)))
    outputs = generator.sample(inner, min(2, len(inner)))
    inputs = [*generator.sample(leaves, 2), generator.choice(inner), Value(7.0)]
    tape = Tape(*outputs)
    seeds: Mapping[Value, Number] = {outputs[0]: 1.0, outputs[-1]: generator.choice((1.0, 2.0, Value(3.0, "seed")))}
    tangents: Mapping[Value, Number] = {
        inputs[0]: generator.choice((1.0, -2.0, Value(3.0, "tangent"))), inputs[1]: 1.0, inputs[2]: 0.5,
    }  # fmt: skip
    for recorded in (True, False):
        if not recorded:
            seeds, tangents = [{n: number_of(x) for n, x in of.items()} for of in (seeds, tangents)]
        found, expected = pull(tape, inputs, seeds, recorded), plain_pull(tape, inputs, seeds, recorded)
        assert set(found) == set(expected)
        assert written([found[node] for node in expected]) == written(list(expected.values()))
        pushed = push(tape, outputs, tangents, recorded)
        assert written(pushed) == written(plain_push(tape, outputs, tangents, recorded))
        firsts = [number for number in (*found.values(), *pushed) if isinstance(number, Value)]
        if recorded and firsts and len(second := Tape(*firsts)) < 3_000:
            ones: dict[Value, Number] = dict.fromkeys(firsts, 1.0)
            again, expected = pull(second, inputs, ones, True), plain_pull(second, inputs, ones, True)
            assert written([again[node] for node in expected]) == written(list(expected.values()))


def test_every_primitive_is_met() -> None:
    met = {node.primitive for seed in range(60) for node in random_graph(random.Random(seed), 40)[1]}
    assert met >= {own, *PRIMITIVES.values()}


def test_a_deep_graph() -> None:
    limit = sys.getrecursionlimit()
    x = Value(1.0)
    node = x
    for _ in range(20_000):
        node = node * 1.0 + x
    (first,) = autograd.gradients(node, [x])
    assert (first.data, sys.getrecursionlimit()) == (20_001.0, limit)
    assert push(Tape(node), [node], {x: 1.0}, recorded=True) == [20_001.0]


def test_a_node_that_was_recorded_elsewhere_since_is_found() -> None:
    x, y = Value(2.0), Value(3.0)
    output = x * y
    tape = Tape(output)
    Tape(Value(1.0) * 2.0 + 1.0, y, x, output)  # the nodes have other indices now
    assert pull(tape, [y, x], {output: 1.0}, recorded=False) == {x: 3.0, y: 2.0}
    assert tape.indices_of([output, x, Value(5.0)]) == [2, 0, -1]
    with pytest.raises(KeyError):
        push(tape, [Value(1.0)], {x: 1.0}, recorded=False)


def test_a_rule_may_run_other_passes_meanwhile() -> None:
    x = Value(2.0)
    h = x * x

    def slope(out: Any, operand: Any) -> float:
        h.backward()
        autograd.gradients(h * h, [x])
        return 1.0

    same = autograd.primitive(slope, check=False)(lambda operand: operand)
    assert autograd.gradients(same(h) * h + same(x), [x])[0].data == 4 * 8.0 + 1.0


def test_a_wrong_number_of_slopes_is_refused() -> None:
    wrong = autograd.primitives.Primitive(
        "wrong", lambda *xs: xs[0], all_slopes=lambda out, *xs: (1.0,) * (len(xs) + 1)
    )
    x = Value(2.0)
    with pytest.raises(ValueError, match="<primitive wrong> gives 4 slopes for 3 operands"):
        autograd.gradients(apply(wrong, x, x, x), [x])
