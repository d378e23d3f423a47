"""A program as a user with a strict type checker writes it; `test_signatures.py` checks and runs it.

Each function states what it returns. A line that a checker must refuse says which error it expects: if the checker knew
nothing of the types, the comment would be one too many, which is an error itself.
"""

from __future__ import annotations

import math

from autograd import Value, cos, grad, hessian, hypot, primitive, sigmoid, value_and_grad
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
    text = chirp(Value(1.0))  # type: ignore[assignment]
    Value(1.0, (Value(2.0),), "+")  # type: ignore[call-arg, arg-type]
    Value()  # type: ignore[call-arg]
    MLP[list[Value]](2, [2])([1.0, 2.0]).backward()  # type: ignore[attr-defined]
    assert text
