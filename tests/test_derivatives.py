"""Derivatives against closed forms, against arithmetic of many digits, and against each other."""

import copy
import itertools
import math
import random
from collections import OrderedDict, defaultdict
from collections.abc import Callable
from typing import Any

import mpmath
import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

import autograd
from autograd import (
    Constant,
    Value,
    dot,
    draw,
    elementwise_grad,
    explain,
    grad,
    gradients,
    hessian,
    hvp,
    jacobian,
    jvp,
    no_grad,
    sigmoid,
    sin,
    stop_gradient,
    tanh,
    topological_order,
    value_and_grad,
    vjp,
)
from autograd.calculus.checks import numerical_derivative
from autograd.calculus.reverse_and_forward import as_value, push
from autograd.tape import Tape
from nn import MLP, half_squared_error
from nn.examples.worked_example import INPUTS, TARGETS, WEIGHTS, build_network, forward
from tests.test_value import expressions, run

# Closed forms.


@pytest.mark.parametrize("x", [-3.0, -0.4, 0.0, 0.3, 2.0])
def test_the_logistic_function_to_fifth_order(x: float) -> None:
    """Its n-th derivative is a polynomial in its value s; the coefficients follow from s' = s − s²."""
    s = 1 / (1 + math.exp(-x))
    expected = [
        s - s**2,
        s - 3 * s**2 + 2 * s**3,
        s - 7 * s**2 + 12 * s**3 - 6 * s**4,
        s - 15 * s**2 + 50 * s**3 - 60 * s**4 + 24 * s**5,
        s - 31 * s**2 + 180 * s**3 - 390 * s**4 + 360 * s**5 - 120 * s**6,
    ]
    derivative: Callable[[float], float] = sigmoid
    for value in expected:
        derivative = grad(derivative)
        assert derivative(x) == pytest.approx(value, rel=1e-11, abs=1e-13)


def rosenbrock(x: Any) -> Any:
    return autograd.sum([100 * (b - a**2) ** 2 + (1 - a) ** 2 for a, b in itertools.pairwise(x)])


def test_rosenbrock() -> None:
    x, y = 1.3, -0.7
    gradient = grad(rosenbrock)([x, y])
    assert gradient == pytest.approx([-400 * x * (y - x * x) - 2 * (1 - x), 200 * (y - x * x)], rel=1e-14)
    second = hessian(rosenbrock)([x, y])
    assert np.array(second) == pytest.approx(
        np.array([[1200 * x * x - 400 * y + 2, -400 * x], [-400 * x, 200]]), rel=1e-14
    )


# Nesting.


def test_nested_perturbations_are_not_confused() -> None:
    assert grad(lambda x: x * grad(lambda y: x + y)(1.0))(1.0) == 1.0
    assert grad(lambda x: x * grad(lambda y: x + y)(x))(1.0) == 1.0
    assert grad(lambda x: x * grad(lambda y: x * y)(2.0))(3.0) == 6.0
    assert grad(lambda x: grad(lambda y: x * y * y)(x))(3.0) == 12.0  # of 2 x², 4 x
    assert jvp(lambda x: x * jvp(lambda y: x + y, [1.0], [1.0])[1], [1.0], [1.0]) == (1.0, 1.0)
    assert jvp(lambda x: x * grad(lambda y: x * y)(x), [3.0], [1.0]) == (9.0, 6.0)
    assert grad(lambda x: x * jvp(lambda y: x * y, [x], [1.0])[1])(3.0) == 6.0
    assert grad(lambda x: jvp(lambda y: y * y, [2.0], [x])[1])(5.0) == 4.0


def test_transformations_nest_in_any_order() -> None:
    def f(x: Any) -> Any:
        return sin(x) * x**2

    def second(x: float) -> float:
        return 2 * math.sin(x) + 4 * x * math.cos(x) - x * x * math.sin(x)

    x = 0.8
    ways = [
        grad(grad(f))(x),
        jvp(grad(f), [x], [1.0])[1],
        grad(lambda y: jvp(f, [y], [1.0])[1])(x),
        jvp(lambda y: jvp(f, [y], [1.0])[1], [x], [1.0])[1],
        hessian(f)(x),
        hvp(f, [x], [1.0]),
        jacobian(jacobian(f))(x),
        vjp(grad(f), x)[1](1.0)[0],
        grad(lambda y: vjp(f, y)[1](1.0)[0])(x),
    ]
    assert ways == pytest.approx([second(x)] * len(ways), rel=1e-14)
    assert grad(hessian(f))(x) == pytest.approx(6 * math.cos(x) - 6 * x * math.sin(x) - x * x * math.cos(x), rel=1e-13)


@pytest.mark.parametrize("change", [lambda function: function, autograd.compile], ids=["eager", "compiled"])
@pytest.mark.parametrize(
    "given", [OrderedDict(b=2.0, a=3.0), defaultdict(lambda: 7.0, {"b": 2.0, "a": 3.0})], ids=["ordered", "default"]
)
def test_an_ordered_or_default_dict_keeps_its_type(change: Callable[[Any], Any], given: Any) -> None:
    kinds = set()

    def f(entries: Any) -> Any:
        kinds.add(type(entries))
        if isinstance(entries, OrderedDict):
            entries.move_to_end("b")
        else:
            entries["c"]  # which it makes by its factory
        return entries["a"] ** 2 * entries["b"]

    def scaled(entries: Any) -> Any:
        result = copy.copy(entries)
        result.update({name: number * 2.0 for name, number in entries.items()})
        return result

    def like(b: Any, a: Any) -> Any:
        result = copy.copy(given)
        result.update(b=b, a=a)
        return result

    for found, wanted in (
        (change(grad(f))(given), like(9.0, 12.0)),
        (change(hessian(f))(given), like(like(0.0, 6.0), like(6.0, 4.0))),
        (change(scaled)(given), like(4.0, 6.0)),
        (change(jacobian(scaled))(given), like(like(2.0, 0.0), like(0.0, 2.0))),
    ):
        assert found == wanted
        assert list(found) == ["b", "a"]
        assert type(found) is type(given)
        assert getattr(found, "default_factory", None) is getattr(given, "default_factory", None)
    assert kinds == {type(given)}
    assert list(given.items()) == [("b", 2.0), ("a", 3.0)]


def test_the_same_tree_comes_back() -> None:
    def f(p: Any, scale: Any) -> Any:
        (a, b), c = p["pair"], p["list"]
        return scale * (a * b + c[0] ** 2 + c[1][0])

    p = {"pair": (2.0, 3), "list": [4.0, [5.0]]}
    assert grad(f)(p, 10.0) == {"pair": (30.0, 20.0), "list": [80.0, [10.0]]}
    assert grad(f, argnums=(1, 0))(p, 10.0) == (27.0, {"pair": (30.0, 20.0), "list": [80.0, [10.0]]})
    assert grad(f, argnums=-1)(p, 10.0) == 27.0
    assert value_and_grad(f)(p, 1.0)[0] == 27.0
    assert jacobian(lambda x: {"sum": x[0] + x[1], "product": [x[0] * x[1]]})((2.0, 3.0)) == {
        "sum": (1.0, 1.0),
        "product": [(3.0, 2.0)],
    }


def test_floats_or_values() -> None:
    assert type(grad(sin)(0.5)) is float
    x = Value(0.5, "x")
    recorded = grad(sin)(x)
    recorded.backward()
    assert x.grad == pytest.approx(-math.sin(0.5), rel=1e-15)
    assert [each.data for each in grad(lambda a, b: a * b, argnums=(0, 1))(x, x)] == [0.5, 0.5]  # two inputs
    assert grad(lambda y: 3.0)(1.0) == 0.0
    assert type(grad(lambda y: y * 2)(1)) is float


def test_errors_say_what_is_wrong() -> None:
    with pytest.raises(TypeError, match="grad needs a function whose result is one number, got 2; use jacobian"):
        grad(lambda x: [x, x])(1.0)
    with pytest.raises(TypeError, match="got 'one' of type str"):
        grad(sin)("one")
    with pytest.raises(ValueError, match="one number for each input, got 1 for 2"):
        jvp(lambda x: x[0] * x[1], [[1.0, 2.0]], [1.0])
    with pytest.raises(ValueError, match="one number for each output is needed, got 2 for 1"):
        vjp(sin, 1.0)[1]([1.0, 2.0])


# gradients().


def test_gradients_are_nodes_and_leave_grad_alone() -> None:
    a, b = Value(2.0, "a"), Value(3.0, "b")
    output = a**2 * b
    a.grad = 100.0
    first, second = gradients(output, [a, b])
    assert (first.data, second.data) == (12.0, 4.0)
    assert gradients(first, [b])[0].data == 4.0
    assert gradients(second, [a])[0].data == 4.0
    assert (a.grad, b.has_grad, output.has_grad) == (100.0, False, False)
    first.label = "dE/da"
    assert "dE/da" in draw(first).source
    assert explain(first, b).gradient == 4.0
    assert gradients(output, [output])[0].data == 1.0


def test_a_pole_is_infinite_as_in_backward() -> None:
    x = Value(0.0)
    assert gradients(x.sqrt(), [x])[0].data == math.inf
    with pytest.raises(ZeroDivisionError):
        1 / Value(0.0)


def test_stop_gradient() -> None:
    assert grad(lambda x: stop_gradient(x) * x)(3.0) == 3.0
    assert grad(lambda x: x.detach() * x)(3.0) == 3.0
    assert stop_gradient(2.0) == 2.0
    assert grad(lambda v: (stop_gradient(v) * v).sum())(np.array([3.0, 4.0])).tolist() == [3.0, 4.0]
    assert grad(lambda p: stop_gradient(p)["w"] * p["w"])({"w": 3.0, "kind": None}) == {"w": 3.0, "kind": None}


# The worked example and networks.


def worked_error(w: Any) -> Any:
    i1, i2 = INPUTS.values()
    h1, h2 = sigmoid(w[0] * i1 + w[1] * i2 + 0.35), sigmoid(w[2] * i1 + w[3] * i2 + 0.35)
    o1, o2 = sigmoid(w[4] * h1 + w[5] * h2 + 0.6), sigmoid(w[6] * h1 + w[7] * h2 + 0.6)
    t1, t2 = TARGETS.values()
    return 0.5 * (t1 - o1) ** 2 + 0.5 * (t2 - o2) ** 2


@pytest.mark.parametrize("way", [lambda function: function, autograd.compile])
def test_arrays_of_derivatives_have_both_shapes(way: Any) -> None:
    """As of the function Σ (x y)² of two matrices, whose Hessian is 2 y² on the diagonal."""
    x, y = np.arange(1.0, 7.0).reshape(2, 3), np.linspace(-1.0, 2.0, 6).reshape(2, 3)
    second = way(hessian(lambda x, y: ((x * y) ** 2).sum()))(x, y)
    assert second.dtype == float
    assert second.shape == (2, 3, 2, 3)
    assert second.reshape(6, 6) == pytest.approx(np.diag(2.0 * y.ravel() ** 2), rel=1e-15)
    first = way(jacobian(lambda x, y: (x * y).sum(axis=0)))(x, y)
    assert first == pytest.approx(np.eye(3)[:, None, :] * y, rel=1e-15)
    mixed = way(jacobian(lambda x: [x[0] * x[1], x]))(np.array([2.0, 3.0]))
    assert [part.tolist() for part in mixed] == [[3.0, 2.0], [[1.0, 0.0], [0.0, 1.0]]]


def test_the_hessian_of_the_worked_example_by_three_ways() -> None:
    weights = list(WEIGHTS.values())
    by_reverse = np.array(hessian(worked_error)(weights))
    by_forward = np.array([hvp(worked_error, [weights], [list(row)]) for row in np.eye(8)])

    def precise(w: list[Any]) -> Any:
        def s(x: Any) -> Any:
            return 1 / (1 + mpmath.exp(-x))

        h = [s(w[0] * 0.05 + w[1] * 0.1 + 0.35), s(w[2] * 0.05 + w[3] * 0.1 + 0.35)]
        o = [s(w[4] * h[0] + w[5] * h[1] + 0.6), s(w[6] * h[0] + w[7] * h[1] + 0.6)]
        return ((0.01 - o[0]) ** 2 + (0.99 - o[1]) ** 2) / 2

    with mpmath.workdps(60):
        step = mpmath.mpf(10) ** -15

        def at(i: int, di: int, j: int, dj: int) -> Any:
            w = [mpmath.mpf(x) for x in weights]
            w[i] += di * step
            w[j] += dj * step
            return precise(w)

        def mixed(i: int, j: int) -> float:
            corners = at(i, 1, j, 1) - at(i, 1, j, -1) - at(i, -1, j, 1) + at(i, -1, j, -1)
            return float(corners / (4 * step**2))

        numerical = [[mixed(i, j) for j in range(8)] for i in range(8)]
    assert by_reverse == pytest.approx(by_forward, rel=1e-12, abs=1e-16)
    assert by_reverse == pytest.approx(np.array(numerical), rel=1e-10, abs=1e-14)


def test_newton_s_method_goes_where_gradient_descent_does_not() -> None:
    """In tens of steps below what 10,000 rounds of gradient descent reach, 3.5e-05."""
    weights = np.array(list(WEIGHTS.values()))
    damping, error = 1e-3, worked_error(list(weights))
    for _ in range(60):
        gradient = np.array(grad(worked_error)(list(weights)))
        step = np.linalg.solve(np.array(hessian(worked_error)(list(weights))) + damping * np.eye(8), gradient)
        tried = worked_error(list(weights - step))
        if tried < error:
            weights, error, damping = weights - step, tried, damping / 4
        else:
            damping *= 8
    assert error < 3.5e-05 / 1000


def test_a_network_is_differentiated_twice() -> None:
    network = MLP(2, [3, 1], "tanh", generator=random.Random(3))
    parameters = network.parameters()

    def loss(numbers: Any) -> Any:
        rest = iter(numbers)
        hidden = []
        for _ in range(3):
            w1, w2, b = next(rest), next(rest), next(rest)
            hidden.append(tanh(w1 * 0.5 + w2 * -1.0 + b))
        weights = [next(rest) for _ in range(3)]
        return half_squared_error(dot(weights, hidden) + next(rest), 1.0)

    numbers = [parameter.data for parameter in parameters]
    error = half_squared_error(network([0.5, -1.0]), 1.0)
    assert [g.data for g in gradients(error, parameters)] == pytest.approx(grad(loss)(numbers), rel=1e-13)
    second = np.array(hessian(loss)(numbers))
    assert second == pytest.approx(second.T, rel=1e-13, abs=1e-15)
    for place in (0, 5, 9):

        def component(x: float, place: int = place) -> float:
            return float(grad(loss)([x if i == place else n for i, n in enumerate(numbers)])[place])

        assert second[place][place] == pytest.approx(
            numerical_derivative(component, numbers[place])[0], rel=1e-7, abs=1e-9
        )


def test_arrays_of_values() -> None:
    weights: Any = np.array([[Value(0.1), Value(-0.4)], [Value(0.7), Value(0.2)]])
    x: Any = np.array([0.5, -1.0])
    output = np.sum(np.exp(weights @ x) * np.array([1.0, 2.0])) + np.sum(weights * 2.0) + (weights + x).mean()
    firsts = gradients(output, list(weights.flat))
    expected = np.outer(np.exp(np.array([[0.1, -0.4], [0.7, 0.2]]) @ x) * [1, 2], x) + 2 + 0.25
    assert [first.data for first in firsts] == pytest.approx(list(expected.flat), rel=1e-14)
    assert grad(lambda v: np.sum(np.array(v, dtype=object) ** 2))([1.0, 2.0]) == [2.0, 4.0]


def test_of_an_array_the_gradient_is_an_array() -> None:
    """The function gets an array of Values, so that it is called with what it is given by `compile`."""
    given: Any = np.array([[0.1, -0.4], [0.7, 0.2]])
    x: Any = np.array([0.5, -1.0])
    assert grad(lambda x: x * x)(np.float64(3.0)) == 6.0  # one number
    gradient: Any = grad(lambda weights: np.sum(np.exp(weights @ x) * np.array([1.0, 2.0])))(given)
    assert gradient.shape == (2, 2)
    assert gradient.dtype == np.float64
    assert gradient == pytest.approx(np.outer(np.exp(given @ x) * [1, 2], x), rel=1e-14)
    second: Any = jacobian(lambda v: np.array([v[0] * v[1], v[0] ** 2, v[1]]))(np.array([2.0, 3.0]))
    assert [row.tolist() for row in second] == [[3.0, 2.0], [4.0, 0.0], [0.0, 1.0]]
    values: Any = grad(lambda v: v[0] * v[1])(np.array([Value(2.0), Value(3.0)]))
    assert values.dtype == object
    assert [value.data for value in values] == [3.0, 2.0]


# Cost, in nodes.


def descended(inner: Callable[[Any], Any], x: Any) -> Any:
    for _ in range(100):
        x = x - 0.1 * inner(x)
    return x


@pytest.mark.parametrize(
    "inner",
    [
        grad(lambda x: sin(x) * x),
        lambda x: jvp(lambda y: sin(y) * y, [x], [1.0])[1],
        lambda x: grad(lambda y: sin(x + y) * (x + y))(0.0),
        lambda x: vjp(lambda y: sin(y) * y, x)[1](1.0)[0],
        lambda x: gradients(sin(x) * x, [x])[0],
    ],
)
def test_descent_is_differentiated(inner: Callable[[Any], Any]) -> None:
    """Of x ← x − 0.1 f'(x), the product of all 1 − 0.1 f''(x)."""
    x, slope = 0.5, 1.0
    for _ in range(100):
        slope *= 1.0 - 0.1 * (2.0 * math.cos(x) - x * math.sin(x))
        x -= 0.1 * (math.cos(x) * x + math.sin(x))
    assert grad(lambda x: descended(inner, x))(0.5) == pytest.approx(slope, rel=1e-12)
    assert jvp(lambda x: descended(inner, x), [Value(0.5)], [1.0])[1].data == pytest.approx(slope, rel=1e-12)


def test_a_saddle_point_by_nested_descent() -> None:
    """The y that maximizes −y² + a x y is a x / 2, where the value has the slope a² x / 2 by x."""

    def highest(x: Any) -> Any:
        y = 0.0
        for _ in range(200):
            y = y + 0.1 * grad(lambda y: -(y * y) + 3.0 * x * y)(y)
        return -(y * y) + 3.0 * x * y

    assert grad(highest)(0.7) == pytest.approx(9.0 * 0.7 / 2.0, rel=1e-12)
    assert grad(grad(highest))(0.7) == pytest.approx(9.0 / 2.0, rel=1e-12)


AT_MOST_FIVE = [
    *("add", "subtract", "multiply", "divide", "negate", "greater", "abs", "sign", "floor", "ceil", "exp", "expm1"),
    *("log", "log1p", "sqrt", "sin", "cos", "tan", "atan", "hypot", "sinh", "cosh", "tanh", "erf", "erfc", "sigmoid"),
    *("relu", "softplus", "sum", "dot", "exp2", "log2", "log10", "asinh"),
]


def new_nodes(known: list[Value], results: list[Value]) -> int:
    return len(set(topological_order(autograd.sum(results))) - set(known)) - 1


@pytest.mark.parametrize("name", autograd.primitives.PRIMITIVES)
def test_cost_of_a_row_in_nodes(name: str) -> None:
    row = autograd.primitives.PRIMITIVES[name]
    inputs = [Value((1.3 if name == "acosh" else 0.3) + 0.1 * i) for i in range(row.arity or 4)]
    output = autograd.value.apply(row, *inputs) * Value(2.0)
    made = new_nodes(topological_order(output), gradients(output, inputs)) - 1  # one is of the product with 2
    assert made <= (5 if name in AT_MOST_FIVE else 30 if name in ("prod", "max", "min") else 20)


def test_cost_of_programs_in_nodes() -> None:
    """A gradient adds at most five nodes for each of the function's, a Hessian times a vector five for each of its."""
    network, worked = MLP(8, [16, 16, 1], "tanh", generator=random.Random(1)), build_network()
    x: list[Value] = [Value(0.3 + 0.1 * i) for i in range(50)]
    chain = x[0]
    for i in range(200):
        chain = (chain * x[i % 50] + 0.1).sigmoid()
    programs: list[tuple[Value, list[Value]]] = [
        (half_squared_error(network([0.1 * i for i in range(8)]), 1.0), [*network.parameters()]),
        (forward(worked), [*worked.parameters()]),
        (rosenbrock(x), x),
        (chain, x),
    ]
    for output, leaves in programs:
        order = topological_order(output)
        firsts = gradients(output, leaves)
        assert new_nodes(order, firsts) <= 5 * len(order)
        tape = Tape(*firsts)
        pushed = push(tape, firsts, {leaf: Value(1.0) for leaf in leaves}, recorded=True)
        seconds = [as_value(tangent) for tangent in pushed]
        assert new_nodes(tape.nodes, seconds) <= 5 * len(tape)


# Random graphs.


def as_function(numbers: list[float], instructions: list[tuple[Any, ...]]) -> Callable[[list[Any]], Any]:
    rows: dict[str, Callable[..., Any]] = {**autograd.primitives.PRIMITIVES}
    return lambda inputs: run(list(inputs), instructions, rows)


@settings(max_examples=150, deadline=None)
@given(
    expressions(),
    st.lists(st.floats(-2, 2), min_size=4, max_size=4),
    st.lists(st.floats(-2, 2), min_size=4, max_size=4),
)
def test_laws(expression: tuple[list[float], list[tuple[Any, ...]]], u: list[float], v: list[float]) -> None:
    """Forward equals reverse, the jvp is linear, hvp is the Hessian times a vector, and the Hessian is symmetric."""
    numbers, instructions = expression
    f = as_function(numbers, instructions)
    u, v = u[: len(numbers)], v[: len(numbers)]
    try:
        order = topological_order(f([Value(x) for x in numbers]))
        assume(all(abs(slope) < 1e3 for node in order for slope in node.slopes))  # larger ones cancel with what is left
        value, gradient = value_and_grad(f)(numbers)
        second = np.array(hessian(f)(numbers))
    except (ZeroDivisionError, ValueError):  # outside a domain
        assume(False)
    assume(np.all(np.isfinite(second)) and np.all(np.abs(second) < 1e8) and abs(value) < 1e8)
    scale = 1.0 + float(np.max(np.abs(second))) + max(map(abs, gradient))

    def close(x: Any) -> Any:
        return pytest.approx(x, rel=1e-9, abs=1e-9 * scale)

    along_u, along_v = jvp(f, [numbers], [u])[1], jvp(f, [numbers], [v])[1]
    assert along_u == close(float(np.dot(gradient, u)))
    assert jvp(f, [numbers], [[2 * a - 3 * b for a, b in zip(u, v, strict=True)]])[1] == close(
        2 * along_u - 3 * along_v
    )
    assert jacobian(lambda x: [f(x)])(numbers)[0] == close(gradient)
    assert jacobian(lambda x: [f(x)] * 9)(numbers)[4] == close(gradient)
    assert second == close(second.T)
    assert np.array(hvp(f, [numbers], [u])) == close(second @ np.array(u))
    assert np.array(jvp(grad(f), [numbers], [u])[1]) == close(second @ np.array(u))
    assert grad(lambda x: tanh(f(x) * 0.5))(numbers) == close(
        [0.5 * (1 - math.tanh(value / 2) ** 2) * g for g in gradient]
    )


# What is recorded, and what is not.


def test_a_transformation_that_is_over_has_no_effect_on_later_ones() -> None:
    leaked: list[Any] = []

    def square(x: Any) -> Any:
        leaked.append(x)
        return x * x

    assert grad(square)(2.0) == 4.0
    with pytest.raises(ZeroDivisionError):
        grad(lambda x: square(x) / 0.0)(2.0)
    for outer in leaked:
        result = grad(lambda y, outer=outer: y * outer)(3.0)
        assert (type(result), result) == (float, 2.0)


def test_an_inner_derivative_is_recorded_only_if_it_depends_on_the_outer_input() -> None:
    kinds: list[type] = []

    def outer(x: Any) -> Any:
        inner = [grad(lambda y: y * y)(3.0), grad(lambda y: y * x)(3.0)]
        kinds.extend(map(type, inner))
        return inner[0] * inner[1] * x

    assert grad(outer)(5.0) == 6.0 * 2.0 * 5.0
    assert kinds == [float, Value]


def test_arguments_counted_from_the_end() -> None:
    assert grad(lambda x, y: x * y, argnums=(-2, -1))(3.0, 4.0) == (4.0, 3.0)
    for argnums in (-2, 1):
        with pytest.raises(TypeError, match=f"no argument {argnums} to differentiate with respect to: 1 were given"):
            grad(lambda x: x * x, argnums=argnums)(3.0)


def test_cotangents_of_the_same_result_add_up_and_may_be_values() -> None:
    def twice(x: Any) -> Any:
        y = x * x
        return [y, y]

    _, pull_back = vjp(twice, 3.0)
    assert pull_back([1.0, 10.0]) == (66.0,)
    weight = Value(10.0)
    (pulled,) = pull_back([1.0, weight])
    assert gradients(pulled, [weight])[0].data == 6.0


@pytest.mark.parametrize("transformation", [jvp, hvp])
def test_directions_may_be_values(transformation: Any) -> None:
    along = Value(2.0)
    result = transformation(lambda x: x**3, [5.0], [along])
    derivative = result[1] if transformation is jvp else result
    assert derivative.data == (75.0 if transformation is jvp else 30.0) * 2.0
    assert gradients(derivative, [along])[0].data == (75.0 if transformation is jvp else 30.0)


# Kinks, masks and poles: higher derivatives at and beside them.


def powers(x: Any, y: Any) -> Any:
    return x**y


@pytest.mark.parametrize("x", [0.5, 1.0, 2.0, 3.5])
@pytest.mark.parametrize("y", [-1.0, 0.0, 1e-9, 0.5, 1.0, 1.0 + 1e-9, 2.0, 3.0])
def test_derivatives_of_powers_up_to_the_third(x: float, y: float) -> None:
    """The exponent is a variable, also where it is 0, 1 or 2."""
    with mpmath.workdps(60):

        def true(i: int, j: int) -> float:
            return float(mpmath.diff(mpmath.power, (mpmath.mpf(x), mpmath.mpf(y)), (i, j), h=mpmath.mpf(10) ** -12))

        second = hessian(powers, argnums=(0, 1))(x, y)
        assert second[0][0] == pytest.approx(true(2, 0), rel=1e-9, abs=1e-9)
        assert second[1][1] == pytest.approx(true(0, 2), rel=1e-9, abs=1e-9)
        assert second[0][1] == pytest.approx(true(1, 1), rel=1e-9, abs=1e-9)
        assert second[1][0] == pytest.approx(second[0][1], rel=1e-14)
        thirds = {(3, 0): (0, 0, 0), (2, 1): (0, 0, 1), (1, 2): (1, 0, 1), (0, 3): (1, 1, 1)}
        for order, variables in thirds.items():
            derivative: Any = powers
            for variable in variables:
                derivative = grad(derivative, argnums=variable)
            assert derivative(x, y) == pytest.approx(true(*order), rel=1e-8, abs=1e-8), order


def test_powers_of_zero() -> None:
    """At a base of 0 the constant exponents 0, 1, 2 and 3 have the derivatives of polynomials."""
    for exponent, expected in {0: [0, 0, 0], 1: [1, 0, 0], 2: [0, 2, 0], 3: [0, 0, 6]}.items():
        derivative: Any = powers
        for true in expected:
            derivative = grad(derivative)
            assert derivative(0.0, exponent) == true


KINKS: dict[str, tuple[Callable[..., Any], tuple[float, ...], list[float]]] = {
    "relu at 0": (lambda x: x.relu() * x, (0.0,), [0.0, 0.0, 0.0]),
    "relu beside 0": (lambda x: x.relu() * x, (1e-300,), [2e-300, 2.0, 0.0]),
    "abs at 0": (lambda x: abs(x) * x, (0.0,), [0.0, 0.0, 0.0]),
    "leaky relu at 0": (lambda x: x.leaky_relu(0.25) ** 2, (0.0,), [0.0, 2 * 0.25**2, 0.0]),
    "leaky relu below 0": (lambda x: x.leaky_relu(0.25) ** 3, (-1.0,), [3 / 64, -6 / 64, 6 / 64]),
    "maximum beside a tie": (lambda x: x.maximum(1.0) ** 3, (1.0 + 1e-12,), [3.0, 6.0, 6.0]),
    "minimum beside a tie": (lambda x: x.minimum(1.0) ** 3, (1.0 - 1e-12,), [3.0, 6.0, 6.0]),
    "where at the other branch": (lambda x: autograd.where(x > 0, x**3, -(x**2)), (-2.0,), [4.0, -2.0, 0.0]),
    "product with a zero": (lambda x: autograd.prod([x, x, x, 2.0]), (0.0,), [0.0, 0.0, 12.0]),
    "hypot beside 0": (lambda x: x.hypot(1.0), (0.0,), [0.0, 1.0, 0.0]),
}


@pytest.mark.parametrize(("function", "at", "expected"), KINKS.values(), ids=KINKS)
def test_higher_derivatives_at_and_beside_kinks(
    function: Callable[..., Any], at: tuple[float, ...], expected: list[float]
) -> None:
    for true in expected:
        function = grad(function)
        assert function(*at) == pytest.approx(true, rel=1e-9, abs=1e-290)


@pytest.mark.parametrize(
    ("y", "second"), [(1.25, math.inf), (1.5, math.inf), (1.75, math.inf), (2.0, 2.0), (2.5, 0.0), (3.0, 0.0)]
)
def test_the_hessian_of_a_power_is_symmetric_at_0(y: float, second: float) -> None:
    function = hessian(lambda x, y: x**y, argnums=(0, 1))
    assert function(0.0, y) == autograd.compile(function)(0.0, y) == ((second, 0.0), (0.0, 0.0))


def test_poles_are_infinite_in_higher_derivatives_too() -> None:
    assert grad(grad(autograd.sqrt))(0.0) == -math.inf
    assert grad(grad(lambda x: x**0.5))(0.0) == -math.inf
    for function, at, true in [
        *((autograd.asin, 1.0, math.inf), (autograd.asin, -1.0, -math.inf)),
        *((autograd.acos, 1.0, -math.inf), (autograd.acos, -1.0, math.inf), (autograd.acosh, 1.0, -math.inf)),
    ]:
        assert grad(grad(function))(at) == true
    assert hvp(lambda v: v[0].sqrt() + v[1] ** 2, [[0.0, 1.0]], [[1.0, 1.0]]) == [-math.inf, 2.0]
    assert hessian(lambda v: v[0].sqrt() + v[1] ** 2)([0.0, 1.0])[1][1] == 2.0


def test_derivatives_under_no_grad() -> None:
    """A transformation records for itself; its results are cut from any graph."""
    w = Value(3.0)
    with no_grad():
        assert grad(autograd.sin)(0.0) == 1.0
        assert value_and_grad(lambda x: x * x)(3.0) == (9.0, 6.0)
        assert grad(grad(lambda x: x**3))(2.0) == 12.0
        assert jvp(lambda x: x * x, [3.0], [1.0]) == (9.0, 6.0)
        assert vjp(lambda x: x * x, 3.0)[1](1.0) == (6.0,)
        assert jacobian(lambda v: [v[0] * v[1]])([2.0, 3.0]) == [[3.0, 2.0]]
        assert hessian(lambda v: v[0] ** 2 * v[1])([2.0, 3.0]) == [[6.0, 4.0], [4.0, 0.0]]
        assert hvp(lambda x: x**3, [2.0], [1.0]) == 12.0
        result = grad(lambda x: x * x * w)(w)
        assert (type(result), result.data) == (Constant, 18.0)
        assert isinstance(w * 2.0, Constant)
    assert (w * 2.0).parents[0] is w


def test_arguments_with_a_keyword_are_passed_on() -> None:
    def curve(x: Any, y: Any = 1.0, *, power: int = 2, name: str | None = None) -> Any:
        return x**power * y if name is None else x

    w = Value(5.0)
    assert grad(curve)(3.0, power=3) == autograd.compile(grad(curve))(3.0, power=3) == 27.0
    assert grad(curve)(3.0, y=5.0) == autograd.compile(grad(curve))(3.0, y=5.0) == 30.0
    assert grad(curve)(3.0, name="x") == autograd.compile(grad(curve))(3.0, name="x") == 1.0
    assert value_and_grad(curve, argnums=(0, 1))(3.0, 2.0, power=1) == (6.0, (2.0, 3.0))
    assert jacobian(lambda v, k: [k * v[0], v[1]])([1.0, 2.0], k=4.0) == [[4.0, 0.0], [0.0, 1.0]]
    assert hessian(curve)(3.0, y=5.0) == grad(grad(curve))(3.0, y=5.0) == 10.0
    assert grad(lambda y: grad(curve)(3.0, y=y))(5.0) == 6.0
    assert grad(curve)(3.0, y=w) == 30.0
    with pytest.raises(TypeError, match="no argument 0 to differentiate with respect to: 0 were given by position"):
        grad(curve)(x=3.0)


# Trees of arrays, as JAX has them.


def decay(times: Any, height: Any, rate: Any) -> Any:
    return height * np.exp(-rate * times)


TIMES = np.linspace(0.0, 2.0, 5)


@pytest.mark.parametrize("argnums", [(1, 2), np.array([1, 2]), [np.int64(-2), -1], (-2, np.uint8(2))])
def test_a_jacobian_of_an_array_by_several_numbers_is_a_tuple_of_arrays(argnums: Any) -> None:
    by_height, by_rate = jacobian(decay, argnums)(TIMES, 2.0, 0.5)
    assert by_height.dtype == by_rate.dtype == float
    np.testing.assert_allclose(by_height, np.exp(-0.5 * TIMES), rtol=1e-15)
    np.testing.assert_allclose(by_rate, -2.0 * TIMES * np.exp(-0.5 * TIMES), rtol=1e-15)


def test_a_jacobian_by_a_dict_has_arrays_of_the_shape_of_the_result_and_of_what_stands_there() -> None:
    a, b = np.array([0.5, 1.0]), np.array([0.25, 2.0])
    point = {"height": 2.0, "rates": np.array([a, b])}
    found = jacobian(lambda p: p["height"] * p["rates"][0] * p["rates"][1])(point)
    np.testing.assert_array_equal(found["height"], a * b)
    expected = np.zeros((2, 2, 2))
    for place in range(2):
        expected[place, 0, place], expected[place, 1, place] = 2 * b[place], 2 * a[place]
    np.testing.assert_array_equal(found["rates"], expected)


def test_a_tree_of_results_by_several_arguments() -> None:
    def function(a: Any, b: Any) -> Any:
        return {"products": a * b, "total": (a * b).sum(), "pair": [a[0], b]}

    a, b = np.array([2.0, 3.0]), 5.0
    found = jacobian(function, (1, 0))(a, b)
    np.testing.assert_array_equal(found["products"][0], a)
    np.testing.assert_array_equal(found["products"][1], [[5.0, 0.0], [0.0, 5.0]])
    assert found["total"][0] == 5.0
    np.testing.assert_array_equal(found["total"][1], [5.0, 5.0])
    assert found["pair"][1] == (1.0, pytest.approx([0.0, 0.0]))
    assert found["pair"][0][0] == 0.0
    np.testing.assert_array_equal(found["pair"][0][1], [1.0, 0.0])


def test_a_hessian_by_several_arguments_of_arrays_has_blocks() -> None:
    def function(a: Any, p: Any) -> Any:
        return (a**2).sum() * p["scale"] + (a * p["w"]).sum() ** 2

    a, w, scale = np.array([1.0, 2.0]), np.array([0.5, -1.0]), 3.0
    (aa, ap), of_p = hessian(function, (0, 1))(a, {"scale": scale, "w": w})
    dot = a @ w
    np.testing.assert_allclose(aa, 2 * scale * np.eye(2) + 2 * np.outer(w, w), rtol=1e-15)
    np.testing.assert_allclose(ap["scale"], 2 * a, rtol=1e-15)
    np.testing.assert_allclose(ap["w"], 2 * np.outer(w, a) + 2 * dot * np.eye(2), rtol=1e-15)
    np.testing.assert_allclose(of_p["w"][0], 2 * np.outer(a, w) + 2 * dot * np.eye(2), rtol=1e-15)
    np.testing.assert_allclose(of_p["scale"][0], 2 * a, rtol=1e-15)
    np.testing.assert_allclose(of_p["w"][1]["w"], 2 * np.outer(a, a), rtol=1e-15)
    assert list(of_p["w"][1]["scale"]) == list(of_p["scale"][1]["w"]) == [0.0, 0.0]
    assert of_p["scale"][1]["scale"] == 0.0


def test_a_jacobian_of_arrays_nests() -> None:
    second = jacobian(jacobian(lambda a, b: a**2 * b, (0, 1)), (0, 1))
    (aa, ab), (ba, bb) = second(np.array([2.0, 3.0]), 5.0)
    np.testing.assert_array_equal(aa[0, 0], [10.0, 0.0])
    np.testing.assert_array_equal(aa[1, 1], [0.0, 10.0])
    np.testing.assert_array_equal(ab, [[4.0, 0.0], [0.0, 6.0]])
    np.testing.assert_array_equal(ba, [[4.0, 0.0], [0.0, 6.0]])
    np.testing.assert_array_equal(bb, [0.0, 0.0])


def test_an_auxiliary_result() -> None:
    def function(x: Any) -> Any:
        return (x**2).sum(), {"count": 3, "twice": 2.0 * x, "name": "f", "plain": np.array([1, 2])}

    x = np.array([1.0, 2.0])
    gradient, aux = grad(function, has_aux=True)(x)
    np.testing.assert_array_equal(gradient, 2 * x)
    assert (aux["count"], type(aux["count"]), aux["name"], aux["plain"].dtype.kind) == (3, int, "f", "i")
    assert aux["twice"].dtype == float
    np.testing.assert_array_equal(aux["twice"], 2 * x)
    (number, aux), _ = value_and_grad(function, has_aux=True)(x)
    assert (number, aux["count"]) == (5.0, 3)
    found, aux = jacobian(lambda x: (x**2, "aux"), has_aux=True)(x)
    np.testing.assert_array_equal(found, np.diag(2 * x))
    assert aux == "aux"
    assert hessian(lambda x: (x**3, x), has_aux=True)(2.0) == (12.0, 2.0)
    with pytest.raises(TypeError, match=r"returns a pair \(result, aux\), got Value\(1\.0\)"):
        grad(lambda x: x, has_aux=True)(1.0)


def test_an_auxiliary_result_is_differentiated_by_what_is_around_it() -> None:
    inner = grad(lambda b, a: (b * 1.0, a * b), has_aux=True)
    assert grad(lambda a: inner(2.0, a)[1])(5.0) == 2.0
    assert grad(lambda a: grad(lambda b: (b * 1.0, [a * b]), has_aux=True)(2.0)[1][0])(5.0) == 2.0


def test_the_names_of_hips_autograd() -> None:
    assert grad(lambda x, y: x * y**2, argnum=1)(2.0, 3.0) == 12.0
    assert value_and_grad(lambda x, y: x * y, argnum=-1)(2.0, 3.0) == (6.0, 2.0)
    assert jacobian(lambda x, y: [x * y, y], argnum=1)(2.0, 3.0) == [2.0, 1.0]
    assert hessian(lambda x, y: x * y**2, argnum=1)(2.0, 3.0) == 4.0
    with pytest.raises(TypeError, match="argnums and argnum mean the same, got 1 and 0; give one of them"):
        grad(lambda x, y: x * y, 1, argnum=0)
    with pytest.raises(TypeError, match="argnum must be the position of an argument"):
        grad(lambda x: x, argnum="x")  # type: ignore[arg-type]


def test_elementwise_gradients() -> None:
    np.testing.assert_allclose(elementwise_grad(np.tanh)(TIMES), 1 - np.tanh(TIMES) ** 2, rtol=1e-14)
    second = elementwise_grad(elementwise_grad(np.tanh))(TIMES)
    np.testing.assert_allclose(second, -2 * np.tanh(TIMES) * (1 - np.tanh(TIMES) ** 2), rtol=1e-13, atol=1e-15)
    np.testing.assert_allclose(elementwise_grad(decay, argnum=0)(TIMES, 2.0, 0.5), -np.exp(-0.5 * TIMES), rtol=1e-15)
    by_both = elementwise_grad(decay, (1, 2))(TIMES, 2.0, 0.5)
    assert by_both == pytest.approx((np.exp(-0.5 * TIMES).sum(), (-2 * TIMES * np.exp(-0.5 * TIMES)).sum()))
    assert elementwise_grad(lambda x: [x, x * x, x])(3.0) == 1.0 + 6.0 + 1.0
    assert elementwise_grad(lambda x: [x * x] * 2)(3.0) == 12.0  # one node twice


def test_a_series_of_pandas_is_an_array() -> None:
    pandas = pytest.importorskip("pandas", reason="pandas is not installed here")
    series = pandas.Series([1.0, 2.0, 3.0], index=["a", "b", "c"])
    np.testing.assert_array_equal(grad(lambda x: (x**2).sum())(series), [2.0, 4.0, 6.0])
    np.testing.assert_array_equal(hessian(lambda x: (x**3).sum())(series), np.diag([6.0, 12.0, 18.0]))
    by_height, by_rate = jacobian(decay, (1, 2))(series, 2.0, 0.5)
    np.testing.assert_allclose(by_height, np.exp(-0.5 * series), rtol=1e-15)
    np.testing.assert_allclose(by_rate, -2.0 * series * np.exp(-0.5 * series), rtol=1e-15)
    assert grad(lambda scale: ((scale * series) ** 2).sum())(2.0) == 2 * 2.0 * 14.0
    assert autograd.compile(lambda x: (x**2).sum())(series) == 14.0
