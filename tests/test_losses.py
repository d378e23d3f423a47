"""Losses against their definitions in arithmetic of many digits, values and gradients."""

import functools
import math
import operator
import random
from collections.abc import Callable
from typing import Any

import mpmath
import numpy as np
import pytest

from autograd import Value, compile, value_and_grad
from nn import binary_cross_entropy, half_squared_error, hinge, mean_squared_error, softmax_cross_entropy


def softmax_definition(z: list[Any], t: list[Any]) -> Any:
    total = sum(mpmath.exp(x) for x in z)
    return -sum(p * mpmath.log(mpmath.exp(x) / total) for x, p in zip(z, t, strict=True) if p)


def logistic(z: Any) -> Any:
    return 1 / (1 + mpmath.exp(-z))


DEFINITIONS: list[tuple[Callable[..., Value], Callable[..., Any], list[float], list[float]]] = [
    (
        half_squared_error,
        lambda y, t: sum((b - a) ** 2 for a, b in zip(y, t, strict=True)) / 2,
        [0.7, -0.2],
        [0.1, 0.9],
    ),
    (mean_squared_error, lambda y, t: sum((b - a) ** 2 for a, b in zip(y, t, strict=True)) / 3, [1, 2, 3.5], [0, 2, 4]),
    (
        binary_cross_entropy,
        lambda z, t: (
            -sum(b * mpmath.log(logistic(a)) + (1 - b) * mpmath.log(1 - logistic(a)) for a, b in zip(z, t, strict=True))
            / 4
        ),
        [0.3, -2.0, 40.0, -700.0],
        [1.0, 0.0, 0.25, 1.0],
    ),
    (softmax_cross_entropy, softmax_definition, [1.0, -2.0, 0.5], [0.2, 0.5, 0.3]),
    (softmax_cross_entropy, softmax_definition, [700.0, -700.0, 699.0], [0.0, 1.0, 0.0]),
    (hinge, lambda s, t: sum(max(0, 1 - b * a) for a, b in zip(s, t, strict=True)) / 3, [0.3, -2.0, 0.5], [1, -1, -1]),
]


def test_the_bits_of_a_choice_are_those_of_its_formula() -> None:
    """In the order of the classes, for a class and for a probability of each."""
    generator = random.Random(1)
    for count in range(1, 9):
        numbers = [generator.gauss(0.0, 3.0) for _ in range(count)]
        shifted = [number - max(numbers) for number in numbers]
        for label in range(count):
            below = shifted[label]
            powers = [math.expm1(below) if place == label else math.exp(x) for place, x in enumerate(shifted)]
            total = functools.reduce(operator.add, powers)
            one_hot = [float(place == label) for place in range(count)]
            log_sum = functools.reduce(operator.add, map(math.exp, shifted))
            of_list = [1.0 / log_sum * math.exp(x) + (-float(place == label)) for place, x in enumerate(shifted)]
            of_class = [1.0 / (1.0 + total) * power for power in powers]
            of_class[label] = 0.0
            of_class[label] = -functools.reduce(operator.add, reversed(of_class))
            for target, loss, grads in (
                (label, math.log1p(total) - below, of_class),
                (one_hot, math.log(log_sum) - below, of_list),
            ):
                logits = [Value(number) for number in numbers]
                error = softmax_cross_entropy(logits, target)
                error.backward()
                assert error.data == loss
                assert [logit.grad for logit in logits] == grads


@pytest.mark.parametrize("loss", [softmax_cross_entropy, binary_cross_entropy, hinge])
def test_a_loss_can_be_recorded(loss: Any) -> None:
    """Its targets are inputs of the program; a class becomes one-hot there."""
    program = compile(loss)
    logits = [0.5, -1.0, 2.0]
    targets = [2, 1, 0] if loss is softmax_cross_entropy else [[1, 1, 1]]
    for target in targets:
        expected = loss([Value(logit) for logit in logits], target).data
        assert program(logits, target) == pytest.approx(expected, rel=1e-15)


@pytest.mark.parametrize(("loss", "definition", "outputs", "targets"), DEFINITIONS)
def test_value_and_gradient(loss: Any, definition: Any, outputs: list[float], targets: list[float]) -> None:
    values = [Value(x) for x in outputs]
    error = loss(values, targets)
    error.backward()
    with mpmath.workdps(700):
        exact = [mpmath.mpf(x) for x in outputs]
        assert error.data == pytest.approx(float(definition(exact, targets)), rel=1e-14)
        for place, value in enumerate(values):
            step = mpmath.mpf(10) ** -300
            above, below = (
                definition([x + (offset if i == place else 0) for i, x in enumerate(exact)], targets)
                for offset in (step, -step)
            )
            assert value.grad == pytest.approx(float((above - below) / (2 * step)), rel=1e-13, abs=1e-300)


def test_logits_of_any_size() -> None:
    z = Value(1000.0)
    error = binary_cross_entropy(z, 0)
    error.backward()
    assert (error.data, z.grad) == (1000.0, 1.0)
    logits = [Value(1e5), Value(-1e5)]
    error = softmax_cross_entropy(logits, 1)
    error.backward()
    assert (error.data, [logit.grad for logit in logits]) == (2e5, [1.0, -1.0])


@pytest.mark.parametrize("offset", [0.0, 1e8, 1e15, 1e16, 1e17, -1e300])
def test_a_shared_offset_of_the_logits_changes_nothing(offset: float) -> None:
    for target in (1, [0.25, 0.75], [0.0, 1.0]):
        assert softmax_cross_entropy([Value(offset), Value(offset)], target).data == math.log(2.0)
        assert compile(softmax_cross_entropy)([offset, offset], target) == math.log(2.0)


@pytest.mark.parametrize("z", [0.5, 10.0, 40.0, 700.0])
def test_a_prediction_that_is_all_but_certain_has_all_digits(z: float) -> None:
    """The loss is log(1 + exp(−z)), and its slope is 1 / (1 + exp(z))."""
    loss, slope = float(mpmath.log1p(mpmath.exp(-mpmath.mpf(z)))), float(logistic(-mpmath.mpf(z)))
    both: list[tuple[Any, Any, Any]] = [
        (binary_cross_entropy, z, 1),
        (lambda x, t: binary_cross_entropy(-x, t), z, 0),
        (lambda x, t: softmax_cross_entropy([Value(0.0), x], t), z, 1),
    ]
    for function, at, target in both:
        logit = Value(at)
        error = function(logit, target)
        error.backward()
        assert (error.data, logit.grad) == pytest.approx((loss, -slope), rel=1e-15)
        assert compile(value_and_grad(function))(at, target) == (error.data, logit.grad)


@pytest.mark.parametrize("probabilities", [[0.2, 0.5, 0.3], [0.0, 1.0, 0.0]])
def test_probabilities_may_be_learned(probabilities: list[float]) -> None:
    """Of the gradient by them, −log softmax(z), what all of them have in common is free, since they add up to 1."""
    targets: list[Any] = [Value(probability) for probability in probabilities]
    softmax_cross_entropy([Value(1.0), Value(-2.0), Value(0.5)], targets).backward()
    common = targets[0].grad + 1.0
    assert [target.grad - common for target in targets] == pytest.approx([-1.0, 2.0, -0.5], rel=1e-14)


def test_a_class_may_be_impossible() -> None:
    logits = [Value(1.0), Value(-math.inf), Value(2.0)]
    error = softmax_cross_entropy(logits, 2)
    error.backward()
    assert error.data == math.log1p(math.exp(-1.0))
    assert [logit.grad for logit in logits] == pytest.approx([1 / (1 + math.e), 0.0, -1 / (1 + math.e)], rel=1e-15)


def test_one_output_and_arrays_of_targets() -> None:
    assert half_squared_error(Value(3.0), 1.0).data == 2.0
    logits = [Value(0.3), Value(1.2)]
    of_numpy: Any = np.int64(1)
    assert softmax_cross_entropy(logits, of_numpy).data == softmax_cross_entropy(logits, 1).data
    assert mean_squared_error([Value(3.0), Value(1.0)], np.array([1.0, 1.0])).data == 2.0  # type: ignore[arg-type]  # an array is a sequence in all but its base class


def test_logits_and_probabilities_in_arrays() -> None:
    logits, target = [0.5, -1.0, 2.0], [0.25, 0.0, 0.75]
    eager = softmax_cross_entropy(np.array([Value(logit) for logit in logits]), np.array(target)).data
    compiled = compile(softmax_cross_entropy)(np.array(logits), np.array(target))
    assert [eager, compiled] == pytest.approx([float(softmax_definition(logits, target))] * 2, rel=1e-15)


def test_probabilities_may_miss_1_by_a_rounding() -> None:
    logits = [Value(1.0), Value(2.0)]
    assert softmax_cross_entropy(logits, [0.5, 0.5 + 9e-10]).data > 0.0
    for total in (1.0 + 2e-9, 1.0 - 2e-9):
        with pytest.raises(ValueError, match="add up to 1"):
            softmax_cross_entropy(logits, [0.5, total - 0.5])


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: half_squared_error([Value(1.0)], [1.0, 2.0]), "one target for each output, got 2 for 1"),
        (lambda: mean_squared_error([], []), "got 0 for 0"),
        (lambda: binary_cross_entropy(Value(1.0), 1.5), r"probability from 0 to 1, got 1\.5"),
        (lambda: hinge(Value(1.0), 0), "1 or -1, got 0"),
        (lambda: softmax_cross_entropy([Value(1.0)], 1), "an index of the logits, 0 to 0, got 1"),
        (lambda: softmax_cross_entropy([Value(1.0)], -1), "got -1"),
        (lambda: softmax_cross_entropy([], 0), "at least one class"),
        (lambda: softmax_cross_entropy([Value(1.0), Value(2.0)], [0.5, 0.6]), "add up to 1"),
    ],
)
def test_bad_targets_are_refused(call: Callable[[], Value], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        call()
