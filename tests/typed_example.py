"""A program as a user with a strict type checker writes it; `test_signatures.py` checks and runs it.

Each function states what it returns. A line that a checker must refuse says which error it expects: if the checker knew
nothing of the types, the comment would be one too many, which is an error itself.
"""

from __future__ import annotations

import math

from autograd import (
    Value,
    compile,
    cos,
    grad,
    hessian,
    hvp,
    hypot,
    jacobian,
    jvp,
    primitive,
    sigmoid,
    value_and_grad,
    vjp,
)
from nn import MLP


def score() -> Value:
    network = MLP(2, [3, 1], "tanh")
    return network([1.0, Value(-2.0)])


def scores() -> list[Value]:
    network: MLP[list[Value]] = MLP(2, [3, 2])
    return network([1.0, -2.0])


def first_score() -> Value:
    return MLP[list[Value]](2, [3, 2])([1.0, -2.0])[0]


def activation(y: Value) -> Value:
    return sigmoid(y)


def length() -> Value:
    return hypot(Value(3.0), 4.0)


def number() -> float:
    return sigmoid(0.0)


def square(x: Value) -> Value:
    return x * x


def norm(v: list[Value]) -> Value:
    return v[0] * v[0] + v[1] * v[1]


def slope() -> float:
    return grad(square)(2.0)


def scaled(x: Value, by: float = 1.0) -> Value:
    return x * by


def slope_by_a_keyword() -> float:
    return grad(scaled)(2.0, by=3.0)


def slope_of_a_value() -> Value:
    return grad(square)(Value(2.0))


def third_derivative() -> float:
    return grad(grad(grad(sigmoid)))(0)


def slopes() -> list[float]:
    return grad(norm)([1.0, 2.0])


def slope_by_the_second() -> float:
    return grad(hypot, 1)(3.0, 4.0)


def slopes_by_both() -> tuple[float, ...]:
    return grad(hypot, (0, 1))(3.0, 4.0)


def value_and_slope() -> tuple[float, float]:
    return value_and_grad(square)(2.0)


def curvature() -> float:
    return hessian(square)(2.0)


def curvatures() -> list[list[float]]:
    return hessian(norm)([1.0, 2.0])


def polar(v: list[Value]) -> list[Value]:
    return [v[0] * cos(v[1]), v[0] * cos(v[1] - 1.0), v[0] + v[1]]


def powers(x: Value) -> list[Value]:
    return [x, x * x]


def compiled_number() -> float:
    return compile(square)(2.0)


def compiled_list() -> list[float]:
    return compile(polar)([1.0, 2.0])


def compiled_value() -> Value:
    result: Value = compile(square)(Value(2.0))
    return result


def compiled_slopes() -> list[float]:
    slopes: list[float] = compile(grad(norm))([1.0, 2.0])
    return slopes


def jacobian_of_a_number() -> float:
    return jacobian(square)(2.0)


def jacobian_of_a_number_by_a_list() -> list[float]:
    return jacobian(norm)([1.0, 2.0])


def jacobian_by_the_second() -> float:
    return jacobian(hypot, 1)(3.0, 4.0)


def jacobian_by_both() -> tuple[float, ...]:
    return jacobian(hypot, (0, 1))(3.0, 4.0)


def jacobian_of_a_list_by_a_number() -> list[float]:
    return jacobian(powers)(3.0)


def jacobian_of_a_list() -> list[list[float]]:
    return jacobian(polar)([1.0, 2.0])


def jacobian_of_values() -> list[list[Value]]:
    return jacobian(polar)([Value(1.0), Value(2.0)])


def pushed() -> tuple[float, float]:
    return jvp(square, [3.0], [1.0])


def pushed_by_several() -> tuple[float, float]:
    return jvp(hypot, (3.0, 4.0), (1.0, 0.0))


def pushed_through_a_list() -> tuple[list[float], list[float]]:
    return jvp(polar, [[1.0, 2.0]], [[1.0, 0.0]])


def pushed_values() -> tuple[Value, Value]:
    return jvp(square, [Value(3.0)], [1.0])


def pulled() -> tuple[float, ...]:
    return vjp(hypot, 3.0, 4.0)[1](1.0)


def pulled_to_a_list() -> tuple[list[float], ...]:
    return vjp(norm, [1.0, 2.0])[1](1.0)


def pulled_from_a_list() -> tuple[list[float], ...]:
    return vjp(polar, [1.0, 2.0])[1]([1.0, 0.0, 0.0])


def pulled_values() -> tuple[Value, ...]:
    return vjp(square, Value(3.0))[1](1.0)


def value_before_pulling() -> list[float]:
    return vjp(polar, [1.0, 2.0])[0]


def curvature_times() -> float:
    return hvp(square, (3.0,), (1.0,))


def curvatures_times() -> list[float]:
    return hvp(norm, ([1.0, 2.0],), ([1.0, 0.0],))


def curvatures_times_by_several() -> tuple[float, float]:
    return hvp(hypot, (3.0, 4.0), (1.0, 0.0))


def curvature_times_a_value() -> Value:
    return hvp(square, (Value(3.0),), (1.0,))


@primitive(lambda out, x: 2.0 * x * cos(x * x))
def chirp(x: float) -> float:
    return math.sin(x * x)


def chirped() -> Value:
    return chirp(Value(0.5))


def chirped_number() -> float:
    return chirp(0.5)


def refused() -> None:
    text: str = MLP(2, [1])([1.0, 2.0])  # type: ignore[assignment]
    text = sigmoid(Value(1.0))  # type: ignore[assignment]
    text = sigmoid(1.0)  # type: ignore[assignment]
    text = grad(square)(2.0)  # type: ignore[assignment]
    text = hessian(norm)([1.0, 2.0])  # type: ignore[assignment]
    text = jacobian(square)(2.0)  # type: ignore[assignment]
    text = jacobian(polar)([1.0, 2.0])  # type: ignore[assignment]
    text = jvp(polar, [[1.0, 2.0]], [[1.0, 0.0]])  # type: ignore[assignment]
    text = vjp(norm, [1.0, 2.0])[1](1.0)  # type: ignore[assignment]
    text = hvp(square, (3.0,), (1.0,))  # type: ignore[assignment]
    text = compile(square)(2.0)  # type: ignore[assignment]
    text = chirp(Value(1.0))  # type: ignore[assignment]
    Value(1.0, (Value(2.0),), "+")  # type: ignore[arg-type]
    Value()  # type: ignore[call-overload]
    MLP[list[Value]](2, [2])([1.0, 2.0]).backward()  # type: ignore[attr-defined]
    assert text
