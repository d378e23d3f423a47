"""Optimizers against the recurrences of their papers, worked out here in other words."""

import math
from typing import Any

import pytest

from autograd import Parameter
from nn import SGD, Adam, AdamW, Optimizer
from nn.optimizers import Update

GRADIENTS = [0.5, -0.25, 0.125, 1.0, -2.0]


def path(optimizer: Optimizer, parameter: Parameter) -> list[float]:
    numbers = []
    for gradient in GRADIENTS:
        parameter.grad = gradient
        optimizer.step()
        numbers.append(parameter.data)
    return numbers


def test_gradient_descent() -> None:
    w = Parameter(1.0)
    assert path(SGD([w], 0.5), w) == [1.0 - 0.5 * sum(GRADIENTS[: n + 1]) for n in range(5)]


def test_momentum_is_a_weighted_sum_of_all_gradients() -> None:
    w = Parameter(1.0)
    velocities = [sum(0.9 ** (n - k) * GRADIENTS[k] for k in range(n + 1)) for n in range(5)]
    expected = [1.0 - 0.1 * sum(velocities[: n + 1]) for n in range(5)]
    assert path(SGD([w], 0.1, momentum=0.9), w) == pytest.approx(expected, rel=1e-14)


def adam_path(decay: float) -> list[float]:
    """By the closed form of the running means: bias-corrected, they are weighted averages of all gradients so far."""
    number, numbers = 1.0, []
    for n in range(1, 6):
        seen = GRADIENTS[:n]
        first = sum(0.9 ** (n - 1 - k) * g for k, g in enumerate(seen)) / sum(0.9**k for k in range(n))
        second = sum(0.99 ** (n - 1 - k) * g * g for k, g in enumerate(seen)) / sum(0.99**k for k in range(n))
        number = number - 0.1 * decay * number - 0.1 * first / (math.sqrt(second) + 1e-8)
        numbers.append(number)
    return numbers


def test_adam() -> None:
    w = Parameter(1.0)
    assert path(Adam([w], 0.1, betas=(0.9, 0.99)), w) == pytest.approx(adam_path(0.0), rel=1e-12)


def test_adamw() -> None:
    w = Parameter(1.0)
    assert path(AdamW([w], 0.1, betas=(0.9, 0.99), weight_decay=0.3), w) == pytest.approx(adam_path(0.3), rel=1e-12)


def test_an_optimizer_minimizes() -> None:
    for make in (lambda p: SGD(p, 0.01, 0.9), lambda p: Adam(p, 0.05), lambda p: AdamW(p, 0.05, weight_decay=0.0)):
        x, y = Parameter(-1.2), Parameter(1.0)
        optimizer: Optimizer = make([x, y])
        for _ in range(2000):
            optimizer.zero_grad()
            ((1 - x) ** 2 + 10 * (y - x * x) ** 2).backward()
            optimizer.step()
        assert (x.data, y.data) == pytest.approx((1.0, 1.0), abs=1e-3)


@pytest.mark.parametrize("kind", [lambda p: SGD(p, 0.1, momentum=0.9), lambda p: Adam(p, 0.1), lambda p: AdamW(p, 0.1)])
def test_state_goes_there_and_back(kind: Any) -> None:
    w, v = Parameter(1.0), Parameter(1.0)
    one, other = kind([w]), kind([v])
    path(one, w)
    v.data = w.data
    other.load_state_dict(one.state_dict())
    assert path(one, w) == path(other, v)


def test_the_state_of_another_optimizer_is_refused() -> None:
    w = Parameter(1.0)
    optimizer = SGD([w], 0.1)
    with pytest.raises(ValueError, match="the state is of the optimizer 'Adam', not of SGD"):
        optimizer.load_state_dict(Adam([w, Parameter(2.0)]).state_dict())
    with pytest.raises(ValueError, match="not one of 1 parameters"):
        optimizer.load_state_dict(SGD([w, Parameter(2.0)], 0.1).state_dict())
    assert optimizer.steps == 0


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("steps", -3, "number of steps is -3"),
        ("steps", "7", "number of steps is '7'"),
        ("steps", True, "number of steps is True"),
        ("steps", 10**400, "number of steps is 1"),
        ("memory", None, "is damaged"),
        ("memory", [[0.5], [math.inf]], "inf is not a finite number"),
        ("memory", [[0.5], [10**400]], "is not a finite number"),
        ("memory", [[0.5], [-1e-9]], "-1e-09 is not the mean of a square"),
        ("memory", [[0.5], ["1"]], "'1' is not a finite number"),
        ("memory", [[0.5]], "not one of 1 parameters"),
        ("memory", [0.5, 0.5], "not one of 1 parameters"),
        ("kind", ["x" * 10_000], "the state is of the optimizer"),
    ],
)
def test_a_damaged_state_is_refused_and_changes_nothing(key: str, value: Any, message: str) -> None:
    optimizer = Adam([Parameter(1.0)])
    optimizer.parameters[0].grad = 2.0
    optimizer.step()
    before = optimizer.state_dict()
    with pytest.raises(ValueError, match=message) as error:
        optimizer.load_state_dict({**before, key: value})
    assert len(str(error.value)) < 300
    assert optimizer.state_dict() == before


def test_adam_without_epsilon_stays_where_every_gradient_was_zero() -> None:
    w, still = Parameter(1.0), Parameter(2.0)
    optimizer = Adam([w, still], 0.1, epsilon=0.0)
    for _ in range(3):
        w.grad, still.grad = 4.0, 0.0
        optimizer.step()
    assert still.data == 2.0
    assert w.data == pytest.approx(0.7, rel=1e-12)  # the mean of equal gradients is the root of their mean square


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda p: SGD([], 0.1), "at least one parameter"),
        (lambda p: SGD(p, -0.1), r"learning rate must be at least 0 and below inf, got -0\.1"),
        (lambda p: SGD(p, 0.0), "learning rate must be greater than 0"),
        (lambda p: SGD(p, math.nan), "got nan"),
        (lambda p: SGD(p, 0.1, momentum=1.0), "momentum must be at least 0 and below 1"),
        (lambda p: Adam(p, betas=(0.9, 1.0)), "second beta"),
        (lambda p: AdamW(p, weight_decay=-1.0), "weight decay"),
    ],
)
def test_bad_settings_are_refused(make: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        make([Parameter(1.0)])


def test_an_interrupt_finds_all_parameters_changed(monkeypatch: pytest.MonkeyPatch) -> None:
    parameters = [Parameter(1.0) for _ in range(3)]
    for parameter in parameters:
        parameter.grad = 1.0
    optimizer = SGD(parameters, 0.5)
    assign, calls = optimizer._assign, []

    def interrupted(update: Update) -> None:
        calls.append(update.steps)
        if len(calls) == 1:
            parameters[0].data = update.numbers[0]
            raise KeyboardInterrupt
        assign(update)

    monkeypatch.setattr(optimizer, "_assign", interrupted)
    with pytest.raises(KeyboardInterrupt):
        optimizer.step()
    assert [parameter.data for parameter in parameters] == [0.5, 0.5, 0.5]
    assert optimizer.steps == 1
