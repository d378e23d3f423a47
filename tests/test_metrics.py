"""Metrics against figures that are counted by hand."""

import math
from typing import Any

import pytest

from autograd import Value
from nn import (
    MLP,
    Module,
    accuracy,
    average_error,
    binary_cross_entropy,
    half_squared_error,
    hinge,
    mean_squared_error,
    softmax_cross_entropy,
)
from tests.test_loop import XOR, small_network


class Given(Module):
    """A network that gives its inputs as outputs: one alone as itself."""

    def __call__(self, inputs: Any) -> Any:
        outputs = [Value(x) for x in inputs]
        return outputs[0] if len(outputs) == 1 else outputs


@pytest.mark.parametrize(
    ("cases", "loss", "right"),
    [
        ([([0.9], 1), ([0.4], 0), ([0.6], 0), ([0.1], [1])], half_squared_error, 2),
        ([([0.9], 1), ([0.4], 0), ([0.6], 0), ([0.1], [1])], binary_cross_entropy, 2),
        ([([0.3], 1), ([-0.4], 0), ([-0.6], 1)], binary_cross_entropy, 2),
        ([([0.3], 1), ([-0.4], 0), ([-0.6], 1)], half_squared_error, 1),
        ([([0.3], 1), ([-0.4], -1), ([0.6], -1), ([-2.0], 1)], hinge, 2),
        ([([0.1, 0.3, 0.2], 1), ([5.0, -1.0, 2.0], 0), ([1.0, 2.0, 3.0], 0)], softmax_cross_entropy, 2),
        ([([0.1, 0.3, 0.2], [0.2, 0.5, 0.3]), ([5.0, -1.0, 2.0], [0.0, 0.0, 1.0])], softmax_cross_entropy, 1),
        ([([0.2, 0.4, 0.1], [0, 1, 0]), ([0.9, 0.8, 0.7], [0, 0, 1])], mean_squared_error, 1),  # one of three
        ([([0.9, 0.8], [1, 1]), ([0.2, 0.4], [0, 1])], mean_squared_error, 1),  # each for itself
        ([([math.nan], 0), ([0.2], 0)], half_squared_error, 1),
        ([([math.nan, 0.0], 1), ([0.0, 1.0], 1)], softmax_cross_entropy, 1),
        ([([0.016], 0.01), ([0.984], 0.99), ([0.5], 0.51)], half_squared_error, 2),
    ],
)
def test_accuracy_is_the_share_of_right_answers(cases: Any, loss: Any, right: int) -> None:
    assert accuracy(Given(), iter(cases), loss) == right / len(cases)


def test_a_threshold_of_ones_own() -> None:
    cases = [([0.3], 1), ([-0.4], -1), ([0.6], -1)]
    assert accuracy(Given(), cases, threshold=0.0) == 2 / 3
    assert accuracy(Given(), cases, threshold=0.5) == 1 / 3
    one_of_two = [([0.9, 0.8], [1, 0])]
    assert accuracy(Given(), one_of_two) == 1.0
    assert accuracy(Given(), one_of_two, threshold=0.5) == 0.0


@pytest.mark.parametrize(
    ("cases", "message"),
    [
        ([], "no accuracy of no cases"),
        ([([0.3], -1)], r"compares outputs with 0\.5, which does not suit a target of -1; .*threshold=…"),
        ([([0.3], 2.5)], "does not suit a target of 2.5"),
        ([([0.3, 0.2], 1)], "one target for each output, got 1 for 2"),
    ],
)
def test_what_has_no_accuracy_is_refused(cases: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        accuracy(Given(), cases)


def test_average_error_is_the_mean_of_the_loss() -> None:
    cases = [([1.0], 0.0), ([2.0], 0.0), ([4.0], 3.0)]
    assert average_error(Given(), iter(cases)) == (0.5 + 2.0 + 0.5) / 3
    assert average_error(Given(), cases, mean_squared_error) == 2.0
    with pytest.raises(ValueError, match="no average of no cases"):
        average_error(Given(), [])


def test_metrics_leave_gradients_alone() -> None:
    network = small_network()
    accuracy(network, XOR)
    average_error(network, XOR)
    assert not any(parameter.has_grad for parameter in network.parameters())
    assert isinstance(accuracy(MLP(2, [3]), [([0.0, 1.0], 2)], softmax_cross_entropy), float)
