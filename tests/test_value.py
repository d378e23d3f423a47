"""Values: operators, functions, constructor, errors and documentation."""

import copy
import decimal
import fractions
import functools
import gc
import inspect
import math
import pickle
import random
from collections.abc import Callable
from typing import Any

import mpmath
import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

import autograd
from autograd import Constant, Parameter, Value, primitive, topological_order, where
from autograd.primitives import PRIMITIVES, Primitive
from tests.test_runtime import run as run_program

# What a Value holds.


def test_a_value_is_a_float_with_a_label() -> None:
    v = Value(3, label="three")
    assert type(v.data) is float
    assert (v.data, v.grad, v.label, v.primitive, v.parents) == (3.0, 0.0, "three", None, ())


def test_parents_keep_their_order_and_repeats() -> None:
    a, b = Value(2.0), Value(3.0)
    assert (a * a).parents == (a, a)
    assert (a - b).parents == (a, b)
    assert (b - a).parents == (b, a)
    assert where(True, a, b).parents[1:] == (a, b)
    assert autograd.sum([a, b, a]).parents == (a, b, a)
    assert (a * b).operands == (2.0, 3.0)
    assert (a / b).primitive is autograd.primitives.divide


def test_the_three_kinds_of_leaf() -> None:
    parameter, variable = Parameter(0.5, "w"), Value(2.0)
    product = parameter * variable + 1
    assert [type(leaf) for leaf in topological_order(product) if leaf.primitive is None] == [Parameter, Value, Constant]
    product.backward()
    assert [parameter.grad, variable.grad] == [2.0, 0.5]
    assert not product.parents[1].has_grad  # no gradient is spent on a constant


def test_a_constant_is_left_alone() -> None:
    constant, x = Constant(0.5), Value(2.0)
    for grad in (None, 7.0):
        constant.grad = grad
        autograd.sum([constant.exp() * x, constant * x, x - constant, constant]).backward()
        assert (constant.grad, constant.has_grad) == (grad or 0.0, grad is not None)


@pytest.mark.parametrize("bad", ["2", None, 1j, True, [1.0], decimal.Decimal(1), object(), Value(1.0)])
def test_what_is_no_number_is_refused(bad: Any) -> None:
    with pytest.raises(TypeError, match=r"number|Value already"):
        Value(bad)


@pytest.mark.parametrize("bad", ["2", None, 1j, [1.0], (1.0,), {}, object()])
def test_an_operand_that_is_no_number_is_named(bad: Any) -> None:
    v = Value(2.0)
    calls: list[Callable[[], Any]] = [
        lambda: v + bad, lambda: bad + v, lambda: v - bad, lambda: bad - v, lambda: v * bad, lambda: bad * v,
        lambda: v / bad, lambda: bad / v, lambda: v**bad, lambda: bad**v, lambda: v.maximum(bad), lambda: v.hypot(bad),
    ]  # fmt: skip
    for call in calls:
        with pytest.raises(TypeError, match=f"got .* of type {type(bad).__name__}"):
            call()


def test_numbers_too_large_for_a_float_are_refused() -> None:
    with pytest.raises(OverflowError, match="does not fit into a float64"):
        Value(1.0) * 10**400


@pytest.mark.parametrize(
    "number", [3, 0.75, fractions.Fraction(3, 4), np.float64(0.75), np.float32(0.75), np.int64(3), np.uint8(3)]
)
def test_any_real_number_is_an_operand_on_either_side(number: Any) -> None:
    v, x = Value(2.5), float(number)
    results = [v + number, number + v, v - number, number - v, v * number, number * v, v / number, number / v]
    results += [v**number, number**v]
    expected = [2.5 + x, x + 2.5, 2.5 - x, x - 2.5, 2.5 * x, x * 2.5, 2.5 / x, x / 2.5, 2.5**x, x**2.5]
    assert all(type(result) is Value for result in results)
    assert [result.data for result in results] == expected
    assert (v > number, v >= number, v < number, v <= number) == (x < 2.5, x <= 2.5, x > 2.5, x >= 2.5)


def test_another_type_may_take_the_operator_over() -> None:
    class Pair:
        def __radd__(self, other: Any) -> str:
            return "the pair's own"

    result: Any = Value(1.0) + Pair()
    assert result == "the pair's own"


def test_numpy_arrays_map_element_by_element() -> None:
    v: Any = Value(2.0)  # the stubs of NumPy know nothing of arrays of objects
    for result in (
        v * np.array([1.0, 3.0]),
        np.array([1.0, 3.0]) * v,
        np.array([v, 3 * v]),
        2.0 * np.array([v / 2, v * 1.5]),
    ):
        assert result.dtype == object
        assert [element.data for element in result] == [2.0, 6.0]
    inputs = np.array([Value(0.5), Value(-1.5)])
    output = np.sum(np.exp(inputs) * np.array([2.0, 3.0])) + inputs @ inputs
    output.backward()
    assert [x.grad for x in inputs] == pytest.approx([2 * math.exp(0.5) + 1.0, 3 * math.exp(-1.5) - 3.0], rel=1e-15)


def test_what_would_drop_the_gradient_is_refused() -> None:
    v = Value(2.0, label="v")
    calls: list[Callable[[Any], Any]] = [float, math.exp, lambda v: np.array([v], dtype=float)]
    for call in calls:
        with pytest.raises(TypeError, match=r"2.0 \(node 'v'\).*use v\.data.*v\.exp\(\)"):
            call(v)


def test_values_compare_by_their_data_and_are_equal_only_if_they_are_one_node() -> None:
    a, b = Value(1.0), Value(1.0)
    assert not a < b
    assert a <= b
    assert a != b
    assert a == a
    assert len({a, b, a}) == 2
    assert ([a, b].index(b), b in [a], {a: 1, b: 2}[b]) == (1, False, 2)
    values = [a, b]
    values.remove(b)
    assert values[0] is a
    assert max(Value(1.0), top := Value(2.0), 1.5) is top


@pytest.mark.parametrize(
    "number", [2.0, 2, np.float64(2), np.float32(2), np.int8(2), np.longdouble(2), fractions.Fraction(2)]
)
def test_a_value_equals_a_number_that_its_data_equals(number: Any) -> None:
    v, other = Value(2.0), Value(3.0)
    assert (v == number, number == v, v != number, number != v) == (True, True, False, False)
    assert (other == number, number == other, other != number, number != other) == (False, False, True, True)
    assert hash(v) != hash(2.0)


def test_equality_with_what_is_no_real_number_is_that_of_floats() -> None:
    v, one = Value(2.0), Value(1.0)
    for other in ("2", None, [2.0], object(), {}):
        assert (v == other, other == v, v != other) == (False, False, True)
    assert (one == True, one == np.bool_(True), v == True) == (True, True, False)  # noqa: E712  # what is tested
    assert (v == 2 + 0j, v == decimal.Decimal(2), v == 10**400, v == decimal.Decimal(3)) == (True, True, False, False)
    nan, plain = Value(math.nan), math.nan
    assert (nan == plain, nan != plain, nan == nan) == (False, True, True)
    assert v == AlwaysEqual()


class AlwaysEqual:
    __hash__ = None  # type: ignore[assignment]

    def __eq__(self, other: object) -> bool:
        return True


def test_a_function_that_asks_for_zero_takes_the_same_branch_with_and_without_a_gradient() -> None:
    def sinc(x: Any) -> Any:
        return 1.0 - x * x / 6.0 if x == 0 else autograd.sin(x) / x

    assert (sinc(0.0), autograd.grad(sinc)(0.0), autograd.hessian(sinc)(0.0)) == (1.0, 0.0, -1.0 / 3.0)
    with pytest.raises(TypeError, match="cannot branch on a number, compare it or read it: sinc does so"):
        autograd.compile(sinc)(0.0)


def test_formats_its_data() -> None:
    v = Value(2 / 3, label="v")
    assert f"{v:.4f} {v}" == "0.6667 Value(0.6666666666666666, label='v')"
    (v * 3).backward()
    assert repr(v) == "Value(0.6666666666666666, grad=3.0, label='v')"
    assert repr(Parameter(1.0)) == "Parameter(1.0)"
    assert repr(where(True, v, v)) == "Value(0.6666666666666666)"


def test_assigning() -> None:
    v = Value(1.0)
    v.data, v.grad, v.label = 2, 3, "v"
    assert (type(v.data), type(v.grad)) == (float, float)
    for name, bad in (("data", "1"), ("grad", True)):
        with pytest.raises(TypeError, match="expected a real number"):
            setattr(v, name, bad)
    assert (v.data, v.grad) == (2.0, 3.0)
    with pytest.raises(AttributeError, match=r"cannot assign data to 4\.0: it was computed by multiply"):
        (v * v).data = 1.0


def test_a_label_is_a_string_or_none() -> None:
    v = Value(1.0, "v")
    product, total = v * 2.0, autograd.sum([v, v, v])
    for node in (v, product, total, Parameter(1.0), Constant(1.0)):
        before = node.label
        for bad in (3, 1.5, b"v", ("a",), ["a"], Value(1.0), True):
            with pytest.raises(TypeError) as refused:
                setattr(node, "label", bad)  # noqa: B010  # an assignment, which a type checker refuses
            assert str(refused.value) == (
                f"expected a string or None as label, got {bad!r} of type {type(bad).__name__}; use str(…)"
            )
            assert node.label == before
        node.label = "renamed"
        assert copy.copy(node).label == copy.deepcopy(node).label == pickle.loads(pickle.dumps(node)).label == "renamed"
        node.label = None
        assert node.label is None
    v.label = np.str_("text")
    assert v.label == "text"


# backward().


def test_a_gradient_is_unknown_until_it_is_computed() -> None:
    v = Value(1.0)
    assert not v.has_grad
    (v * 0.0).backward()
    assert v.has_grad
    assert v.grad == 0.0
    v.grad = None
    assert not v.has_grad


def test_leaves_accumulate_and_inner_nodes_are_made_afresh() -> None:
    a, b = Value(0.1), Value(0.7)
    product = a * b
    output = product.tanh() + product * 0.3
    output.backward()
    first = (a.grad, b.grad, product.grad)
    output.backward()
    assert (a.grad, b.grad, product.grad) == (2 * first[0], 2 * first[1], first[2])
    product.backward()
    assert (a.grad, b.grad, product.grad) == (2 * first[0] + 0.7, 2 * first[1] + 0.1, 1.0)


def test_backward_of_a_leaf_and_of_a_constant() -> None:
    v = Value(2.0)
    v.backward()
    v.backward()
    assert v.grad == 2.0
    with pytest.raises(RuntimeError, match=r"constant 2.0 \(node 'c'\).*records no operation"):
        Constant(2.0, "c").backward()


def test_the_gradient_belongs_to_the_forward_pass_that_happened() -> None:
    a, b = Value(2.0), Value(5.0)
    product = a * b
    output = product.exp() * a**2
    expected = 5 * math.exp(10) * 4 + math.exp(10) * 4
    a.data, b.data = 100.0, -100.0
    output.backward()
    assert a.grad == pytest.approx(expected, rel=1e-15)
    assert product.operands == (2.0, 5.0)


# Graphs of any depth, and programs of any origin.


def test_the_same_program_gives_the_same_bits() -> None:
    def program() -> list[float]:
        generator = random.Random(5)
        leaves = [Value(generator.uniform(-1, 1)) for _ in range(20)]
        nodes = list(leaves)
        for _ in range(300):
            a, b = generator.choice(nodes), generator.choice(nodes)
            nodes.append(generator.choice([a * b, a + b, a - b, (a * b).tanh(), a.sin(), autograd.sum([a, b, a])]))
        nodes[-1].backward()
        return [leaf.grad for leaf in leaves]

    assert program() == program()


def test_a_program_written_for_micrograd() -> None:
    """The example of its README, whose printed results are 24.7041, 138.8338 and 645.5773."""
    a = Value(-4.0)
    b = Value(2.0)
    c = a + b
    d = a * b + b**3
    c += c + 1
    c += 1 + c + (-a)
    d += d * 2 + (b + a).relu()
    d += 3 * d + (b - a).relu()
    e = c - d
    f = e**2
    g = f / 2.0
    g += 10.0 / f
    g.backward()
    assert [f"{g.data:.4f}", f"{a.grad:.4f}", f"{b.grad:.4f}"] == ["24.7041", "138.8338", "645.5773"]


def lecture() -> tuple[Value, dict[str, Value]]:
    """The neuron of micrograd's lecture, "The spelled-out intro to neural networks and backpropagation"."""
    x1, x2 = Value(2.0, label="x1"), Value(0.0, label="x2")
    w1, w2 = Value(-3.0, label="w1"), Value(1.0, label="w2")
    b = Value(6.8813735870195432, label="b")
    x1w1, x2w2 = x1 * w1, x2 * w2
    n = x1w1 + x2w2 + b
    o = n.tanh()
    return o, {"x1": x1, "x2": x2, "w1": w1, "w2": w2, "b": b, "n": n}


LECTURE_GRADS = {"x1": -1.5, "x2": 0.5, "w1": 1.0, "w2": 0.0, "b": 0.5, "n": 0.5}  # as it shows them


def test_the_walk_and_the_drawing_of_micrograd() -> None:
    """`trace` and `draw_dot` of its notebook trace_graph.ipynb, unchanged."""
    from graphviz import Digraph

    def trace(root: Any) -> Any:
        nodes, edges = set(), set()

        def build(v: Any) -> None:
            if v not in nodes:
                nodes.add(v)
                for child in v._prev:
                    edges.add((child, v))
                    build(child)

        build(root)
        return nodes, edges

    def draw_dot(root: Any, format: str = "svg", rankdir: str = "LR") -> Any:
        assert rankdir in ["LR", "TB"]
        nodes, edges = trace(root)
        dot = Digraph(format=format, graph_attr={"rankdir": rankdir})
        for n in nodes:
            dot.node(name=str(id(n)), label="{ data %.4f | grad %.4f }" % (n.data, n.grad), shape="record")  # noqa: UP031  # as it is there
            if n._op:
                dot.node(name=str(id(n)) + n._op, label=n._op)
                dot.edge(str(id(n)) + n._op, str(id(n)))
        for n1, n2 in edges:
            dot.edge(str(id(n1)), str(id(n2)) + n2._op)
        return dot

    output, nodes = lecture()
    output.backward()
    source = draw_dot(output).source
    assert source.count("shape=record") == 10
    assert source.count("->") == 5 + 9  # from each operation to its result, and from each operand to its operation
    assert sorted(node._op for node in trace(output)[0]) == ["", "", "", "", "", "*", "*", "+", "+", "tanh"]
    assert f'{id(nodes["w1"])} [label="{{ data -3.0000 | grad 1.0000 }}"' in source
    assert (output._prev, nodes["x1"]._prev, nodes["x1"]._op) == ((nodes["n"],), (), "")


def test_a_backward_pass_by_hand() -> None:
    output, nodes = lecture()
    output.grad = 1.0
    for node in reversed(topological_order(output)):
        node._backward()
    assert {name: round(node.grad, 12) for name, node in nodes.items()} == LECTURE_GRADS
    output.backward()  # the leaves accumulate, the inner node starts afresh
    expected = {name: grad if name == "n" else 2 * grad for name, grad in LECTURE_GRADS.items()}
    assert {name: round(node.grad, 12) for name, node in nodes.items()} == expected


def test_by_hand_and_backward_have_the_same_bits() -> None:
    def graph() -> tuple[list[Value], Value]:
        leaves = [Value(x) for x in (0.3, -1.7, 2.9)]
        a, b, c = leaves
        inner = a * b + c.tanh() * a
        return leaves, autograd.dot([inner, a, inner], [c, 2.0, b]) + autograd.prod([a, a, c]) + inner**2 / b

    leaves, output = graph()
    output.backward()
    by_hand, again = graph()
    again.grad = 1.0
    for node in reversed(topological_order(again)):
        node.propagate()
    assert [leaf.grad for leaf in by_hand] == [leaf.grad for leaf in leaves]


def test_propagate_accumulates_at_each_call() -> None:
    a, b = Value(2.0), Value(-3.0)
    product, twice = a * b, a + a
    product.grad, twice.grad = 10.0, 1.0
    product.propagate()
    assert (a.grad, b.grad) == (-30.0, 20.0)
    product.propagate()
    assert (a.grad, b.grad, product.grad) == (-60.0, 40.0, 10.0)
    twice.propagate()
    assert a.grad == -58.0  # both operands are a


def test_propagate_leaves_constants_and_what_is_unknown_alone() -> None:
    x, constant = Value(2.0), Constant(5.0)
    constant.grad = 7.0
    output = x * constant
    output.propagate()
    assert (x.has_grad, output.has_grad) == (False, False)
    output.grad = 1.0
    output.propagate()
    x.propagate()  # a leaf has no parents
    assert (x.grad, constant.grad, output.grad) == (5.0, 7.0, 1.0)


def test_propagate_hands_on_nothing_if_a_rule_raises() -> None:
    def slope(out: float, x: float, y: float) -> float:
        raise KeyboardInterrupt

    broken = autograd.primitive(lambda out, x, y: 1.0, slope, check=False)(lambda x, y: x + y)
    a, b = Value(1.0), Value(2.0)
    output = broken(a, b)
    output.grad = 1.0
    with pytest.raises(KeyboardInterrupt):
        output.propagate()
    assert (a.has_grad, b.has_grad) == (False, False)


@pytest.mark.parametrize("name", ["_prev", "_op", "_backward"])
def test_the_names_of_micrograd_are_read_only(name: str) -> None:
    for node in (Value(1.0), Value(1.0) + 1):
        with pytest.raises(AttributeError):
            setattr(node, name, None)


# Operators and methods beyond those of micrograd.


@pytest.mark.parametrize(("a", "b"), [(7.5, 2.0), (-7.5, 2.0), (7.5, -2.0), (-7.5, -2.0), (6.0, 2.0)])
def test_remainder_is_that_of_python(a: float, b: float) -> None:
    for remainder in (Value(a) % Value(b), Value(a) % b, a % Value(b)):
        assert remainder.data == a % b
        remainder.backward()
        x, y = remainder.parents
        assert x.grad == (0.0 if isinstance(x, Constant) else 1.0)
        assert y.grad == (0.0 if isinstance(y, Constant) else -(a // b))


@pytest.mark.parametrize(
    ("x", "clipped", "grads"),
    [
        (-3.0, -1.0, (0.0, 1.0, 0.0)),
        (-1.0, -1.0, (1.0, 0.0, 0.0)),  # at a bound the gradient goes to the number, as in PyTorch
        (0.5, 0.5, (1.0, 0.0, 0.0)),
        (2.0, 2.0, (1.0, 0.0, 0.0)),
        (9.0, 2.0, (0.0, 0.0, 1.0)),
    ],
)
def test_clip(x: float, clipped: float, grads: tuple[float, ...]) -> None:
    leaves = [Value(x), Value(-1.0), Value(2.0)]
    result = leaves[0].clip(leaves[1], leaves[2])
    result.backward()
    assert result.data == clipped
    assert tuple(leaf.grad for leaf in leaves) == grads
    assert Value(x).clip(-1.0, 2.0).data == clipped


def test_clip_at_the_edges() -> None:
    assert math.isnan(Value(math.nan).clip(0.0, 1.0).data)
    assert Value(5.0).clip(0.0, math.inf).data == 5.0
    assert Value(5.0).clip(3.0, 3.0).data == 3.0
    with pytest.raises(ValueError, match=r"clip needs a low bound that is not above the high one, got 2\.0 and 1\.0"):
        Value(5.0).clip(2.0, 1.0)


def test_importing_and_using_it_changes_nothing_of_the_process() -> None:
    program = """
import sys, gc, random
before = sys.getrecursionlimit(), gc.isenabled(), gc.get_threshold(), random.getstate()
import autograd
v = autograd.Value(2.0); (v * v).backward()
assert before == (sys.getrecursionlimit(), gc.isenabled(), gc.get_threshold(), random.getstate())
"""
    assert run_program(program) == ""


def test_nodes_are_freed_without_the_collector() -> None:
    gc.collect()
    gc.disable()
    try:
        before = len(gc.get_objects())
        for _ in range(100):
            x = Value(0.5)
            autograd.sum([x.tanh() * 2, x]).backward()
        del x
        assert len(gc.get_objects()) - before < 50
    finally:
        gc.enable()


def test_apply_checks_the_number_of_operands() -> None:
    with pytest.raises(TypeError, match="add takes 2 operand"):
        autograd.value.apply(autograd.primitives.add, Value(1.0))


# Random expressions, against arithmetic of many digits and central differences in it.

Build = Callable[[list[Any], Any], Any]
UNARY_NAMES = [
    *("exp", "sin", "cos", "tanh", "atan", "sigmoid", "softplus", "erf", "sinh", "expm1", "abs", "relu", "gelu"),
]


@st.composite
def expressions(draw: st.DrawFn) -> tuple[list[float], list[tuple[Any, ...]]]:
    """The inputs and the instructions of a random program: what to apply, and to which earlier results."""
    inputs = draw(st.lists(st.floats(-3, 3), min_size=1, max_size=4))
    instructions: list[tuple[Any, ...]] = []
    for position in range(len(inputs), len(inputs) + draw(st.integers(1, 12))):
        earlier = st.integers(0, position - 1)
        name = draw(st.sampled_from([*UNARY_NAMES, "add", "subtract", "multiply", "divide", "maximum", "dot"]))
        count = 1 if name in UNARY_NAMES else 4 if name == "dot" else 2
        instructions.append((name, *[draw(earlier) for _ in range(count)]))
    return inputs, instructions


def run(inputs: list[Any], instructions: list[tuple[Any, ...]], functions: dict[str, Callable[..., Any]]) -> Any:
    return results_of(inputs, instructions, functions)[-1]


def results_of(
    inputs: list[Any], instructions: list[tuple[Any, ...]], functions: dict[str, Callable[..., Any]]
) -> list[Any]:
    results = list(inputs)
    for name, *places in instructions:
        results.append(functions[name](*[results[place] for place in places]))
    return results


def precise_functions() -> dict[str, Callable[..., Any]]:
    return {
        "add": lambda a, b: a + b, "subtract": lambda a, b: a - b, "multiply": lambda a, b: a * b,
        "divide": lambda a, b: a / b, "maximum": max, "dot": lambda a, b, c, d: a * c + b * d, "abs": abs,
        "relu": lambda x: max(x, mpmath.mpf(0)), "sigmoid": lambda x: 1 / (1 + mpmath.exp(-x)),
        "softplus": lambda x: mpmath.log1p(mpmath.exp(x)), "gelu": lambda x: x * mpmath.ncdf(x),
        **{name: getattr(mpmath, name) for name in ("exp", "sin", "cos", "tanh", "atan", "erf", "sinh", "expm1")},
    }  # fmt: skip


@settings(max_examples=300, deadline=None)
@given(expressions())
def test_random_expressions(expression: tuple[list[float], list[tuple[Any, ...]]]) -> None:
    numbers, instructions = expression
    rows: dict[str, Callable[..., Any]] = {
        name: functools.partial(autograd.value.apply, row) for name, row in autograd.primitives.PRIMITIVES.items()
    }
    inputs = [Value(x) for x in numbers]
    try:
        nodes = results_of(inputs, instructions, rows)
    except (ZeroDivisionError, ValueError):  # outside a domain
        assume(False)
    assume(all(abs(node.data) < 1e3 for node in nodes))  # past that, the error of one rounding is large itself
    output = nodes[-1]
    order = topological_order(output)
    assume(all(abs(node.operands[1]) > 1e-2 for node in nodes if node.primitive and node.primitive.name == "divide"))
    for node in order:  # stay away from kinks
        if node.primitive and node.primitive.name in ("abs", "relu"):
            assume(abs(node.operands[0]) > 1e-6)
        if node.primitive and node.primitive.name == "maximum":
            assume(node.parents[0] is node.parents[1] or abs(node.operands[0] - node.operands[1]) > 1e-6)
    output.backward()
    functions = precise_functions()
    with mpmath.workdps(60):
        exact = [mpmath.mpf(x) for x in numbers]
        step = mpmath.mpf(10) ** -20
        assert output.data == pytest.approx(float(run(exact, instructions, functions)), rel=1e-9, abs=1e-9)
        for place, leaf in enumerate(inputs):
            above, below = [
                run([x + (offset if i == place else 0) for i, x in enumerate(exact)], instructions, functions)
                for offset in (step, -step)
            ]
            difference = float((above - below) / (2 * step))
            if leaf in order:
                assert leaf.grad == pytest.approx(difference, rel=1e-8, abs=1e-8)
            else:
                assert difference == 0.0
                assert not leaf.has_grad


# The constructor.

value: Any = Value  # type checkers refuse these calls, too
constant: Any = Constant
parameter: Any = Parameter
REFUSED: list[Callable[[Any, Any], Any]] = [
    lambda a, b: value(3.0, (a, b), "+"),
    lambda a, b: value(3.0, (a, b)),
    lambda a, b: value(3.0, {a}),
    lambda a, b: value(3.0, [a, b]),
    lambda a, b: value(3.0, (a, b), "+", "c"),
    lambda a, b: value(3.0, _children=(a, b), _op="+"),
    lambda a, b: value(data=3.0, children=(a, b), op="+", label="c"),
    lambda a, b: value(3.0, children=(a, b)),
    lambda a, b: value(3.0, (a, b), ()),
    lambda a, b: value(3.0, {a, b}, (1.0, 2.0)),  # which slope belongs to which parent?
    lambda a, b: value(3.0, 5, "+"),
    lambda a, b: value(3.0, (), 5.0),
    lambda a, b: constant(),
    lambda a, b: value(),
]


@pytest.mark.parametrize("construct", REFUSED)
def test_the_constructor_says_what_to_do_instead_of_giving_parents(construct: Callable[[Any, Any], Any]) -> None:
    with pytest.raises(TypeError) as refused:
        construct(Value(1.0, "a"), Value(2.0, "b"))
    for advice in ("expected Value(data, label)", "@primitive", "super().__init__(data)"):
        assert advice in str(refused.value)


def test_the_constructor_says_what_was_given() -> None:
    with pytest.raises(TypeError, match=r"got Value\(data=3.0, parents=\(Value\(1.0\),\), slopes='exp'\)\."):
        value(3.0, (value(1.0),), "exp")
    with pytest.raises(TypeError, match=r"got Parameter\(data=3.0, parents=\[Value\(1.0\)\], operation='\+'\)\."):
        parameter(3.0, _op="+", children=[value(1.0)])
    with pytest.raises(TypeError, match=r"expected a string or None as label, got 5 of type int; use str"):
        value(3.0, label=5)


NO_PARENTS: list[Callable[[], Value]] = [
    lambda: value(3.0, (), ""),
    lambda: value(3.0, [], "", None),
    lambda: value(3.0, set(), "+"),
    lambda: value(3.0, (), ()),
    lambda: value(3.0, (), (), label=None),
    lambda: value(3.0, None, "+"),
    lambda: value(3.0, _op="input"),
    lambda: value(3.0, op="input", children=()),
    lambda: value(data=3.0, _children=(), local_grads=[]),
]


@pytest.mark.parametrize("construct", NO_PARENTS)
def test_an_operation_without_parents_means_nothing(construct: Callable[[], Value]) -> None:
    leaf = construct()
    assert (leaf.data, leaf.label, leaf.primitive, leaf.parents, leaf._op) == (3.0, None, None, (), "")
    (leaf * leaf).backward()
    assert leaf.grad == 6.0


def test_a_label_beside_an_operation_without_parents() -> None:
    made = [
        *(value(3.0, (), "", "w"), value(3.0, (), "", label="w"), value(3.0, "w", "+"), value(3.0, label="w", _op="+")),
        *(parameter(3.0, (), (), label="w"), value(3.0, "w"), value(3.0, _children=(), label="w")),
    ]
    assert [leaf.label for leaf in made] == ["w"] * 7


def test_both_engines_refuse_in_the_same_words() -> None:
    program = """
from autograd import Value
a, b = Value(1.0, "a"), Value(2.0)
for arguments, names in [
    ((3.0, (a, b), "+"), {}), ((3.0, (a, b)), {}), ((3.0,), dict(_children=(a, b), _op="+")), ((), {}),
    ((3.0,), dict(label=5)), (("3",), {}), ((None,), {}), ((a,), {}), ((3.0,), dict(foo=1)), ((True, "x"), {}),
]:
    try:
        Value(*arguments, **names)
    except TypeError as error:
        print(error)
for call in (lambda: a + "2", lambda: a.hypot(None), lambda: a % [1], lambda: float(a), lambda: a.clip("0", 1.0),
             lambda: setattr(a, "label", 3)):
    try:
        call()
    except TypeError as error:
        print(error)
"""
    plain, own = [run_program(program, engine) for engine in ("plain", autograd.engine)]
    assert plain.count("\n") == 16
    assert plain == own


def test_a_subclass_hangs_attributes_on_a_value() -> None:
    class Named(Value):
        def __init__(self, data: float, unit: str) -> None:
            super().__init__(data)
            self.unit = unit

    length = Named(2.0, unit="m")
    (length * length).backward()
    assert (length.unit, length.grad) == ("m", 4.0)
    assert str(inspect.signature(Named)) == "(data: float, unit: str) -> None"


def test_the_signature_is_that_of_the_documentation() -> None:
    class Same(Value):
        pass

    for kind in (Value, Constant, Parameter, Same):
        parameters = inspect.signature(kind).parameters
        assert list(parameters) == ["data", "label"]
        assert parameters["data"].default is inspect.Parameter.empty
        assert parameters["label"].default is None
    assert list(inspect.signature(Value.hypot).parameters) == ["self", "other"]
    assert list(inspect.signature(Value(1.0).clip).parameters) == ["low", "high", "out"]


# Completion and documentation.


def test_completion_offers_every_primitive_and_what_a_value_has() -> None:
    names = dir(Value(1.0))
    assert set(names) >= {"data", "grad", "label", "parents", "slopes", "backward", "propagate", "exp", "clip"}
    methods = {name for name, row in PRIMITIVES.items() if row.arity == 1 and name not in ("negate", "abs")}
    assert set(names) >= methods
    for name in [*methods, "backward", "propagate", "clip", "data", "grad", "label", "parents"]:
        assert getattr(Value, name).__doc__, name


def test_a_primitive_says_what_it_computes() -> None:
    assert str(autograd.sigmoid.__doc__).splitlines() == [
        "sigmoid(x): Return the logistic 1 / (1 + exp(-x)).",
        "",
        "A Value among the operands gives a node of the graph; plain numbers give a float.",
        "The slope with respect to x is out · (1 − out), where out is the result.",
    ]
    assert "log(x): Return the natural logarithm." in str(inspect.getdoc(autograd.log))
    assert str(autograd.log.__doc__).endswith("The slope with respect to x is 1 / x.\nlog needs a positive input.")
    assert "atan2(y, x): Return the angle in radians" in str(autograd.atan2.__doc__)
    assert "The slope with respect to a is b." in str(autograd.multiply.__doc__)
    for name, row in PRIMITIVES.items():
        assert str(row.__doc__).startswith(f"{name}(")


def test_a_primitive_of_one_s_own_keeps_its_docstring() -> None:
    @primitive(lambda out, x: 2.0 * x)
    def square(x: float) -> float:
        """The square of a number."""
        return x * x

    @primitive(lambda out, x: float(3.0 * x * x), name="cube")  # a rule for floats alone
    def unnamed(x: float) -> float:
        return x * x * x

    assert str(square.__doc__).startswith("square(x): The square of a number.\n")
    assert "The slope with respect to x is 2 · x." in str(square.__doc__)
    assert str(unnamed.__doc__).startswith("cube(x)\n")
    assert "slope" not in str(unnamed.__doc__)


def test_the_class_of_primitives_keeps_its_own_documentation() -> None:
    assert str(Primitive.__doc__).startswith("One entry of the table: a function, its slopes,")
