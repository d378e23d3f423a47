"""The programs of a training: what cannot be recorded is refused, with the line and a remedy."""

import math
import random
import re
from collections.abc import Iterable
from typing import Any

import pytest

import autograd
from autograd import Value
from autograd.native import selection
from autograd.primitives import sign
from nn import SGD, Module, Optimizer, fit, half_squared_error
from nn.optimizers import Update
from tests.test_loop import XOR, small_network

IS_EXACT = selection.engine == "compiled"  # NumPy rounds exp, tanh and others in its own way


def reads_data(output: Value, target: Any) -> Any:
    return (output - target[0]) ** 2 * output.data


def decides(output: Value, target: Any) -> Value:
    return output * 2.0 if output > target[0] else output


def compares(output: Value, target: Any) -> Value:
    return (output - 1.0) ** 2 if target[0] == 1 else output * output


def takes_math(output: Value, target: Any) -> Value:
    return output * math.exp(target[0])


@pytest.mark.parametrize(
    ("loss", "message"),
    [
        (reads_data, "cannot branch on a number, compare it or read it.*'out_o1'.* or with stop_gradient"),
        (decides, "cannot branch on a number, compare it or read it.*choose with where"),
        (compares, "cannot branch on a number, compare it or read it.*choose with where"),
        (takes_math, "into a plain float"),
    ],
)
def test_a_loss_that_cannot_be_recorded_is_refused_with_its_line(loss: Any, message: str) -> None:
    network = small_network()
    before = network.state_dict()
    line = loss.__code__.co_firstlineno + 1
    place = rf"(?s)recorded as a program: .*{message}"
    with pytest.raises(TypeError, match=place) as caught:
        fit(network, XOR, loss=loss, rounds=3, compiled=True)
    assert f"at line {line} of {__file__}" in str(caught.value)
    assert str(caught.value).endswith("or leave out compiled=True to train with any Python")
    assert network.state_dict() == before
    fit(network, XOR, loss=loss, rounds=3)


class Noisy(Module):
    def __init__(self, generator: random.Random) -> None:
        self.inner, self.generator = small_network(), generator

    def __call__(self, inputs: Any) -> Any:
        return self.inner([x + self.generator.gauss(0.0, 0.1) for x in inputs])


class Embedding(Module):
    def __init__(self) -> None:
        self.table = [Value(0.1), Value(0.2)]

    def __call__(self, inputs: Any) -> Any:
        return self.table[inputs[0]] * self.table[inputs[1]]


def test_a_network_that_draws_random_numbers_is_refused() -> None:
    generator = random.Random(4)
    with pytest.raises(TypeError, match=r"give .* for cases\[0\], and the program .* random numbers, .*leave out comp"):
        fit(Noisy(generator), XOR, batch_size=2, shuffle=generator, compiled=True)
    checked = Noisy(random.Random(4))
    checked(XOR[0][0])  # which an eager training calls it for, too
    assert generator.getstate() == checked.generator.getstate()


def test_a_network_that_takes_numbers_as_indices_is_refused() -> None:
    with pytest.raises(TypeError, match=r"list indices must be integers .*, at line \d+ of .*; or leave out compiled"):
        fit(Embedding(), [([0, 1], 0.5), ([1, 1], 0.25)], compiled=True)


def test_a_loss_that_looks_at_the_kind_of_its_target_is_found_out() -> None:
    def loss(output: Value, target: Any) -> Value:
        return output * (2.0 if isinstance(target[0], Value) else 3.0)

    with pytest.raises(TypeError, match=r"the network and the loss give 1\.\d+ for cases\[0\], and the program"):
        fit(small_network(), XOR, loss=loss, compiled=True)


class Own(Optimizer):
    """An optimizer of one's own: a step of a size that the sign of the gradient does not change."""

    def __init__(self, parameters: Iterable[Value], learning_rate: float, share: float = 0.5) -> None:
        super().__init__(parameters, learning_rate, memory=1)
        self.share = share

    def _rule(self) -> Any:
        def moved(number: Any, grad: Any, mean: Any) -> tuple[Any, ...]:
            mean = self.share * mean + (1.0 - self.share) * grad
            return number - self.learning_rate * sign(mean) / (1.0 + self.steps), mean

        return moved


def test_an_optimizer_of_ones_own_runs_as_a_program() -> None:
    states = []
    for compiled in (True, False):
        network = small_network()
        optimizer = Own(network.parameters(), 0.1)
        fit(network, XOR, optimizer=optimizer, rounds=7, compiled=compiled)
        states.append((network.state_dict(), optimizer.state_dict()))
    assert states[0][0] == (states[1][0] if IS_EXACT else pytest.approx(states[1][0], rel=1e-9))


class Deciding(Own):
    def _rule(self) -> Any:
        return lambda number, grad, mean: (number - grad if grad > 0 else number, mean)


class AllAtOnce(SGD):
    def update(self) -> Update:
        return super().update()


class Forgetful(Own):
    def _rule(self) -> Any:
        return lambda number, grad, mean: (number,)


class Guessing(Own):
    def _rule(self) -> Any:
        return lambda number, grad, mean: (number - (1.0 if type(grad) is float else 2.0) * grad, mean)


@pytest.mark.parametrize(
    ("kind", "message"),
    [
        (
            Deciding,
            r"the step of Deciding cannot be recorded: .* cannot branch .*at line \d+ of .*choose with where",
        ),
        (AllAtOnce, "the step of AllAtOnce cannot be recorded as a program: it defines update; state the step of one"),
        (Forgetful, "_rule gives 1 numbers for a parameter with 1 to remember"),
        (Guessing, r"the rule of Guessing gives 0\.25 for a gradient of 0\.25, and the program recorded of it 0\.0"),
    ],
)
def test_a_step_that_cannot_be_recorded_is_refused(kind: Any, message: str) -> None:
    network = small_network()
    with pytest.raises(TypeError, match=message) as caught:
        fit(network, XOR, optimizer=kind(network.parameters(), 0.1), compiled=True)
    assert "leave out compiled=True" in str(caught.value)


def test_a_loss_may_add_up_the_parameters_of_the_network() -> None:
    """Which belong to the network while it is a function of them."""
    states = []
    for compiled in (True, False):
        network = small_network()

        def loss(output: Value, target: Any, network: Any = network) -> Any:
            return half_squared_error(output, target) + 0.01 * autograd.sum([p * p for p in network.parameters()])

        fit(network, XOR, loss=loss, rounds=5, compiled=compiled)
        states.append(network.state_dict())
    assert states[0] == pytest.approx(states[1], rel=1e-12)


def test_a_parameter_that_is_not_read_from_the_network_is_refused() -> None:
    network = small_network()
    weight = network.parameters()[0]
    weight.label = "w1"
    message = (
        "reads the parameter .*w1.* otherwise than from an attribute of the network, .*, or leave out compiled=True"
    )
    with pytest.raises(TypeError, match=message):
        fit(network, XOR, loss=lambda output, target: (output - target[0]) ** 2 + weight * weight, compiled=True)


def test_messages_name_no_class_of_this_package() -> None:
    with pytest.raises(TypeError) as caught:
        fit(small_network(), XOR, loss=reads_data, compiled=True)
    assert not re.search(r"_Case|CasePrograms|called|differentiated", str(caught.value))
