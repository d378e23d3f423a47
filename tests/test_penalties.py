"""Penalties of weights and the limit of the norm of gradients, against the formulas that `fit` states."""

import json
import math
import random
from pathlib import Path
from typing import Any

import pytest

from autograd import Value, compile
from nn import MLP, SGD, Adam, Module, Neuron, average_error, fit, half_squared_error
from nn.training.penalties import clip_factor, penalty_slope
from tests.test_compiled_steps import check, data
from tests.test_loop import XOR, Interrupting, small_network


def error_with_penalty(network: Module, weights: list[Value], l1: float, l2: float) -> Any:
    error: Any = sum(half_squared_error(network(inputs), target) for inputs, target in XOR) / len(XOR)
    penalty: Any = l1 * sum(abs(weight) for weight in weights) + l2 * sum(weight**2 for weight in weights)
    return penalty + error


@pytest.mark.parametrize("compiled", [False, True])
def test_a_step_takes_the_gradient_of_the_error_with_the_penalty(compiled: bool) -> None:
    """Biases are left out, also a shared one; the error that is kept has no penalty."""
    network = MLP(2, [3, 1], "tanh", bias="shared", generator=random.Random(2))
    weights = [parameter for parameter in network.parameters() if str(parameter.label).startswith("w")]
    assert len(weights) == 9 < len(network.parameters())
    before = average_error(network, XOR)
    error_with_penalty(network, weights, 0.03, 0.2).backward()
    expected = [parameter.data - 0.25 * parameter.grad for parameter in network.parameters()]
    optimizer = SGD(network.parameters(), 0.25)
    history = fit(network, XOR, optimizer=optimizer, rounds=1, l1=0.03, l2=0.2, compiled=compiled)
    assert [parameter.data for parameter in network.parameters()] == pytest.approx(expected, rel=1e-12)
    assert history.errors == [pytest.approx(before, rel=1e-12)]


@pytest.mark.parametrize("weight", [-2.5, 0.0, 0.125])
def test_the_slope_of_a_penalty(weight: float) -> None:
    w = Value(weight)
    (0.5 * abs(w) + 0.75 * w**2).backward()
    assert penalty_slope(weight, 0.5, 0.75) == w.grad
    assert compile(penalty_slope)(weight, 0.5, 0.75) == w.grad


class Steep(Module):
    """A network of two weights, of which no gradient reaches the third."""

    def __init__(self) -> None:
        self.weights = [Value(2.0), Value(-1.0), Value(0.5)]

    def __call__(self, inputs: Any) -> Any:
        return self.weights[0] * inputs[0] + self.weights[1] * inputs[1]


@pytest.mark.parametrize("compiled", [False, True])
@pytest.mark.parametrize("limit", [0.5, 4.999, 5.0, 20.0])
def test_the_norm_of_the_gradients_is_limited(limit: float, compiled: bool) -> None:
    """The gradients are 3 and 4; a norm of 5 may stay as it is, but for PyTorch's 1e-6."""
    network = Steep()
    fit(network, [([3.0, 4.0], 1.0)], optimizer=SGD(network.parameters(), 1.0), rounds=1, clip_norm=limit,
        compiled=compiled)  # fmt: skip
    factor = min(1.0, limit / (5.0 + 1e-6))
    found = [weight.data for weight in network.weights]
    assert found == pytest.approx([2.0 - 3.0 * factor, -1.0 - 4.0 * factor, 0.5], rel=1e-15)


@pytest.mark.parametrize("compiled", [False, True])
def test_a_penalty_moves_a_weight_that_the_error_does_not_depend_on(compiled: bool) -> None:
    network = Steep()
    optimizer = SGD(network.parameters(), 1.0)
    fit(network, [([0.0, 0.0], 0.0)], optimizer=optimizer, rounds=3, l2=0.25, compiled=compiled)
    assert [weight.data for weight in network.weights] == [2.0 / 8, -1.0 / 8, 0.5 / 8]
    assert optimizer.missed == [0, 0, 0]


@pytest.mark.parametrize("size", [1e-200, 1e200])
def test_the_norm_of_huge_and_tiny_gradients_does_not_overflow(size: float) -> None:
    assert clip_factor([3.0 * size, 4.0 * size], size) == pytest.approx(size / (5.0 * size + 1e-6), rel=1e-15)


def test_gradients_that_are_0_or_not_finite_stay_as_they_are() -> None:
    assert [clip_factor(grads, 1.0) for grads in ([0.0, 0.0], [math.inf, 1.0], [math.nan, 1.0])] == [1.0] * 3


SETTINGS: list[dict[str, Any]] = [
    {"l1": 0.01},
    {"l2": 0.01},
    {"clip_norm": 0.1},
    {"l1": 0.01, "l2": 0.02, "clip_norm": 0.3, "batch_size": 3, "shuffle": 4, "optimizer": "momentum"},
    {"l1": 0.01, "l2": 0.02, "clip_norm": 0.3, "pick": 4, "optimizer": "rmsprop"},
]


@pytest.mark.parametrize("settings", SETTINGS)
def test_a_compiled_training_has_the_same_bits(settings: Any) -> None:
    cases = data(half_squared_error, 11)
    check(cases, rounds=6, validation=cases[:3], **settings)


@pytest.mark.parametrize("compiled", [False, True])
@pytest.mark.parametrize("goes_back_at", [9, 10, 11, 21])
def test_an_interrupted_training_goes_on_to_the_same_end(tmp_path: Path, goes_back_at: int, compiled: bool) -> None:
    path = tmp_path / "training.json"

    def train(rounds: int, interrupts_at: int = 0, **settings: Any) -> Any:
        network = small_network()
        optimizer = Adam(network.parameters(), 0.05)

        def stops(history: Any) -> None:
            if history.rounds == interrupts_at:
                raise KeyboardInterrupt

        fit(network, XOR, optimizer=optimizer, rounds=rounds, batch_size=3, l1=0.01, l2=0.02, clip_norm=0.2,
            compiled=compiled, callback=stops, **settings)  # fmt: skip
        return network.state_dict(), optimizer.state_dict()

    whole = train(30)
    train(30, goes_back_at, checkpoint=path)
    assert json.loads(path.read_text())["training"]["rounds"] == goes_back_at
    assert train(30, checkpoint=path, resume=True) == whole


def test_an_interrupt_within_a_round_is_resumed(tmp_path: Path) -> None:
    path = tmp_path / "training.json"

    def train(loss: Any = half_squared_error, **settings: Any) -> Any:
        network = small_network()
        fit(network, XOR, loss=loss, rounds=5, batch_size=1, l1=0.01, clip_norm=0.2, **settings)
        return network.state_dict()

    train(Interrupting(7), checkpoint=path)
    assert train(checkpoint=path, resume=True) == train()


@pytest.mark.parametrize("compiled", [False, True])
def test_a_gradient_that_is_not_finite_is_named(compiled: bool) -> None:
    """It is not clipped to 0 or nan."""
    neuron = Neuron(1, None, bias=False)
    neuron.weights[0].data = 1e-100
    with pytest.raises(FloatingPointError, match="a gradient is inf"):
        fit(neuron, [([1e200], 0.0)], loss=lambda out, target: out * 1e200, rounds=1, clip_norm=1.0, compiled=compiled)
    assert neuron.weights[0].data == 1e-100
