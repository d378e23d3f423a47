"""What is not chosen contributes nothing, and is no error: the same in every way to compute a function."""

import math
import random
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import autograd
from autograd import (
    Value,
    compile,
    diagnose,
    exp,
    explain,
    grad,
    gradients,
    greater,
    hessian,
    ieee_arithmetic,
    jacobian,
    jvp,
    leaky_relu,
    log,
    maximum,
    minimum,
    relu,
    sqrt,
    steps,
    stop_gradient,
    value_and_grad,
    vjp,
    where,
)

Function = Callable[[Any], Any]
inf, nan = math.inf, math.nan

# A function, a point, and by hand the first and the second derivative of the branch that is chosen there.
MASKED: list[tuple[Function, float, float, float]] = [
    (lambda x: where(greater(x, 0.0), sqrt(x), 3.0 * x), 0.0, 3.0, 0.0),
    (lambda x: where(greater(x, 0.0), sqrt(x), 3.0 * x), -1.0, 3.0, 0.0),
    (lambda x: where(greater(x, 0.0), sqrt(x), 3.0 * x), 4.0, 0.25, -1.0 / 32.0),
    (lambda x: where(greater(x, 0.0), 1.0 / x, x * x), 0.0, 0.0, 2.0),
    (lambda x: where(greater(x, 0.0), 5.0 % x, 7.0 * x), 0.0, 7.0, 0.0),
    (lambda x: where(greater(x, 0.0), abs(log(x)), 3.0 * x), -1.0, 3.0, 0.0),
    (lambda x: where(greater(x, 0.0), leaky_relu(log(x), log(x)), x), -1.0, 1.0, 0.0),
    (lambda x: where(greater(x, 1.0), log(x - 1.0) * x, x * x), 0.5, 1.0, 2.0),
    (lambda x: x * where(greater(x, 0.0), log(x), x), -2.0, -4.0, 2.0),
    (lambda x: x * where(greater(x, 0.0), sqrt(x), x), -2.0, -4.0, 2.0),
    (lambda x: maximum(sqrt(x), 1.0), 0.0, 0.0, 0.0),
    (lambda x: minimum(exp(x), 2.0) + x, 1000.0, 1.0, 0.0),
    (lambda x: sqrt(relu(x)), -10.0, 0.0, 0.0),
    (lambda x: relu(log(x)), 0.0, 0.0, 0.0),
    (lambda x: sqrt(sqrt(relu(x))) + x, -1.0, 1.0, 0.0),
    (lambda x: where(greater(x * inf, 0.5), x * x, 0.5), 1.0, 2.0, 2.0),
    (lambda x: where(greater(x, 0.0), stop_gradient(log(x)) * x, 3.0 * x), -1.0, 3.0, 0.0),
]
EACH = pytest.mark.parametrize(("function", "x", "slope", "second"), MASKED)


@EACH
def test_first_derivatives(function: Function, x: float, slope: float, second: float) -> None:
    leaf = Value(x)
    with ieee_arithmetic():
        output = function(leaf)
    output.backward()
    assert leaf.grad == slope
    assert gradients(output, [leaf])[0].data == slope
    assert grad(function)(x) == slope
    assert jvp(function, (x,), (1.0,))[1] == slope
    assert vjp(function, x)[1](1.0) == (slope,)
    assert jacobian(lambda x: [function(x), x])(x) == [slope, 1.0]


@EACH
def test_compiled_functions(function: Function, x: float, slope: float, second: float) -> None:
    compiled = compile(grad(function))
    assert compiled(x) == compiled(x) == slope
    other = grad(function)(2.5)
    xs = np.array([2.5, x, 2.5, x])
    assert compiled.batch(xs).tolist() == [other, slope, other, slope]
    assert compiled.batch(xs, reduce="sum") == pytest.approx(2.0 * (other + slope))
    assert compile(lambda x: x - grad(function)(x)).repeat(1, x) == x - slope
    values, slopes = compile(value_and_grad(function)).batch(xs)
    assert values.tolist() == [value_and_grad(function)(point)[0] for point in xs.tolist()]
    assert slopes.tolist() == [other, slope, other, slope]


@EACH
def test_second_derivatives(function: Function, x: float, slope: float, second: float) -> None:
    assert grad(grad(function))(x) == second
    assert hessian(function)(x) == second
    assert compile(hessian(function))(x) == second
    assert compile(grad(grad(function))).batch(np.array([x, x])).tolist() == [second, second]


def test_a_zero_slope_of_what_does_not_select_multiplies_plainly() -> None:
    cube_root = lambda x: (x**3) ** (1.0 / 3.0)  # noqa: E731  # a table of functions
    assert math.isnan(grad(cube_root)(0.0))  # 1 is right; 0 would be wrong
    assert math.isnan(compile(grad(cube_root))(0.0))


def test_a_gradient_of_zero_contributes_nothing_through_any_product() -> None:
    x = Value(1000.0)
    (x.exp() * 0.0).backward()  # inf · 0 is nan, and its derivative 0
    assert x.grad == 0.0
    x = Value(0.0)
    (x.sqrt().stop_gradient() + 2.0 * x).backward()
    assert x.grad == 2.0
    assert grad(lambda x: sqrt(stop_gradient(x)) + 2.0 * x)(0.0) == 2.0


def test_zeros_keep_their_derivatives() -> None:
    """A factor that happens to be 0 is no mask: ∂²(x·y)/∂x∂y is 1 where both are 0, also with guarded products."""

    def function(x: Any, y: Any) -> Any:
        return x * y + where(greater(x, 0.0), sqrt(x), 0.0)

    assert hessian(function, argnums=(0, 1))(0.0, 0.0) == ((0.0, 1.0), (1.0, 0.0))
    assert compile(hessian(function, argnums=(0, 1)))(0.0, 0.0) == ((0.0, 1.0), (1.0, 0.0))

    def third(x: Any, a: Any) -> Any:  # the slope of leaky_relu by x is a, which is 0 here
        return leaky_relu(x, a) + where(greater(a, 0.0), sqrt(a), 0.0)

    assert grad(grad(third), argnums=1)(-1.0, 0.0) == 1.0
    assert compile(grad(grad(third), argnums=1))(-1.0, 0.0) == 1.0


def test_programs_multiply_plainly_until_a_result_is_nan() -> None:
    compiled = compile(grad(MASKED[0][0]))
    assert compiled(4.0) == 0.25
    assert "strong" not in str(compiled.program(4.0))
    assert "select" not in str(compiled.program(4.0))
    assert math.isnan(compiled.program(0.0).run([0.0])[0])  # what JAX gives, too


DECISIONS: list[tuple[Function, float]] = [  # of a derivative that is 3
    (lambda slope: where(greater(slope, 0.0), 1.0, 2.0), 1.0),
    (lambda slope: where(greater(7.0, stop_gradient(slope) * 2.0), 1.0, 2.0), 1.0),
    (lambda slope: where(slope - 3.0, 1.0, 2.0), 2.0),
    (lambda slope: greater(maximum(slope, 1.0), 2.0) + 0.0, 1.0),
]


@pytest.mark.parametrize(("decide", "expected"), DECISIONS)
def test_what_derivatives_decide(decide: Function, expected: float) -> None:
    """The result is no nan where a plain product is."""
    masked = MASKED[0][0]
    for derivative in (
        grad(masked),
        lambda x: value_and_grad(masked)(x)[1],
        lambda x: jacobian(lambda x: [masked(x), x])(x)[0],
        lambda x: jvp(masked, (x,), (1.0,))[1],
        lambda x: vjp(masked, x)[1](1.0)[0],
        lambda x: gradients(masked(x * 1.0), [x])[0] if isinstance(x, Value) else 3.0,
    ):

        def function(x: Any, derivative: Function = derivative) -> Any:
            return decide(derivative(x))

        assert compile(function)(0.0) == expected
        assert compile(function).batch(np.array([0.0, 0.0])).tolist() == [expected, expected]
        assert compile(function).batch(np.array([0.0, 0.0]), reduce="sum") == 2.0 * expected


def test_an_infinite_result_leaves_other_rows_as_they_are() -> None:
    function = compile(lambda x: (where(greater(x, 0.0), sqrt(x), 3.0 * x), exp(x)))
    roots, exponentials = function.batch(np.array([-1.0, 1000.0, 4.0]))
    assert roots.tolist() == [-3.0, math.sqrt(1000.0), 2.0]
    assert exponentials.tolist() == [math.exp(-1.0), inf, math.exp(4.0)]


# Errors.


def outcome(function: Function, x: Any) -> Any:
    """What a function gives, in a form that nan equals nan in; or the type of its error."""
    try:
        return repr(np.asarray(function(x), float).tolist())
    except (ValueError, ZeroDivisionError) as error:
        return type(error)


WRONG: list[tuple[Function, float, type[Exception]]] = [
    (log, -1.0, ValueError),
    (lambda x: 1.0 / x, 0.0, ZeroDivisionError),
    (lambda x: where(greater(x, 0.0), x, log(x) * x), -1.0, ValueError),
    (lambda x: maximum(log(x), 1.0), -1.0, ValueError),  # nan is chosen
    (lambda x: sqrt(x) * 0.0, -1.0, ValueError),
    (lambda x: x % 0.0, 1.0, ZeroDivisionError),
    (lambda x: log(x) - log(x), -1.0, ValueError),
    (lambda x: stop_gradient(log(x)) * x, -1.0, ValueError),
]


@pytest.mark.parametrize(("function", "x", "error"), WRONG)
def test_a_result_that_depends_on_an_operation_outside_its_domain_is_an_error(
    function: Function, x: float, error: type[Exception]
) -> None:
    calls: list[Callable[[], Any]] = [
        lambda: function(Value(x)),
        lambda: grad(function)(x),
        lambda: value_and_grad(function)(x),
        lambda: hessian(function)(x),
        lambda: jvp(function, (x,), (1.0,)),
        lambda: vjp(function, x),
        lambda: jacobian(lambda x: [x, function(x)])(x),
        lambda: compile(function)(x),
        lambda: compile(grad(function))(x),
        lambda: compile(value_and_grad(function))(x),
        lambda: compile(hessian(function))(x),
    ]
    for call in calls:
        with pytest.raises(error, match="needs a"):
            call()
    xs = np.array([2.5, x])
    for reduce in ("each", "mean", "sum"):
        for made in (compile(function), compile(grad(function))):
            with pytest.raises(error, match=r"needs a.* \(in example \d\)"):
                made.batch(xs, reduce=reduce)
    with pytest.raises(error, match=r"needs a.* \(in round \d\)"):
        compile(function).repeat(2, x)


def test_a_primitive_of_one_s_own_with_a_domain() -> None:
    @autograd.primitive(
        *[lambda out, a, b, c: 1.0] * 3, samples=[(1.0, 2.0, 3.0)], domain="a positive number in third place"
    )
    def added(a: float, b: float, c: float) -> float:
        if c <= 0.0:
            raise ValueError
        return a + b + c

    assert compile(grad(lambda x: added(x, x, x)))(2.0) == 3.0
    for function in (grad(lambda x: added(x, x, x)), compile(grad(lambda x: added(x, x, x)))):
        with pytest.raises(ValueError, match="added needs a positive number in third place"):
            function(-2.0)
    assert compile(grad(lambda x: where(greater(x, 0.0), added(x, x, x), 5.0 * x)))(-2.0) == 5.0


def test_an_infinite_derivative_is_no_error() -> None:
    assert grad(sqrt)(0.0) == compile(grad(sqrt))(0.0) == inf
    assert compile(lambda x: grad(sqrt)(x) + x)(0.0) == inf
    assert compile(grad(sqrt)).batch(np.array([0.0, 4.0])).tolist() == [inf, 0.25]
    assert compile(exp)(1000.0) == inf


def test_ieee_arithmetic_notes_what_failed() -> None:
    x = Value(-1.0, label="x")
    with ieee_arithmetic() as failures:
        masked = where(x > 0, log(x), 3.0 * x)
        wrong = where(x > 0, 3.0 * x, log(x))
    failures.check(masked)
    assert masked.data == -3.0
    with pytest.raises(ValueError, match=r"cannot take log of -1.0 \(node 'x'\)"):
        failures.check(wrong)
    with pytest.raises(ValueError, match="cannot take log"):
        log(x)


def test_views_say_where_a_zero_counted() -> None:
    x = Value(0.0, label="x")
    root = x.sqrt()
    root.label = "r"
    output = where(x > 0, root, 3.0 * x)
    output.label = "y"
    last = steps(output)[-1]
    assert {step.parent: step.after for step in steps(output) if step.parent}[x] == 3.0
    assert last.phase == "backward"
    assert any(str(step).endswith(": 0 + 0 × inf = 0 (what was not chosen contributes 0)") for step in steps(output))
    for detail in ("stations", "full"):
        explanation = explain(output, x, detail=detail)
        assert explanation.gradient == 3.0
        assert "what was not chosen contributes 0" in explanation.note
        assert " = 3\n" in str(explanation)
    assert explain(output, x, form="delta").gradient == 3.0
    said = str(diagnose(output, x))
    assert said.endswith("At r = sqrt(x) 0 · inf contributes 0: what was not chosen counts nothing.")
    assert diagnose(output, x).gradient == 3.0


# Random functions with masked branches.

OPERATIONS: list[Callable[[Any, Any, float], Any]] = [
    lambda a, b, number: log(a),
    lambda a, b, number: sqrt(a),
    lambda a, b, number: a / b,
    lambda a, b, number: a * b + number,
    lambda a, b, number: where(greater(a, number), a, b),
    lambda a, b, number: where(greater(a, number), b, a * a),
    lambda a, b, number: maximum(a, b),
    lambda a, b, number: relu(a),
    lambda a, b, number: a - b * number,
]


def random_function(rng: random.Random) -> Function:
    """A function of one number with branches outside their domain."""
    plan = [(rng.choice(OPERATIONS), rng.random(), rng.random(), rng.choice([0.0, 0.5, -1.0, 2.0])) for _ in range(6)]

    def function(x: Any) -> Any:
        nodes = [x, x * 0.5]
        for operation, first, second, number in plan:
            nodes.append(operation(nodes[int(first * len(nodes))], nodes[int(second * len(nodes))], number))
        return where(greater(nodes[-1], nodes[-2]), nodes[-1], nodes[-3] * x)

    return function


def twice(function: Function) -> Function:
    return lambda x: function(x) * 2.0


def test_random_functions_have_one_outcome_eagerly_and_compiled() -> None:
    rng, kinds = random.Random(8), set()
    for _ in range(75):
        function = random_function(rng)
        points = [0.0, -1.0, 2.0, rng.uniform(-2.0, 2.0)]
        for made in (value_and_grad(function), grad(function), twice(grad(function))):
            outcomes = [outcome(made, x) for x in points]
            compiled = compile(made)
            assert outcomes == [outcome(compiled, x) for x in points]
            errors = [one for one in outcomes if not isinstance(one, str)]
            kinds.update(errors)
            batch = outcome(compiled.batch, np.array(points))
            if errors:
                assert batch in errors
            else:
                assert batch == repr(np.transpose([np.asarray(made(x), float) for x in points]).tolist())
    assert kinds == {ValueError, ZeroDivisionError}


@pytest.mark.engine_independent
def test_pages_follow_the_rule() -> None:
    from autograd.views.live_page.rules import rules_script

    script = rules_script([(autograd.primitives.where, 3), (autograd.primitives.sqrt, 1)])
    assert "export const SELECTS = [[0, 1, 2], []];" in script
