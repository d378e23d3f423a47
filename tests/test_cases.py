"""Cases: listed once from whatever they come in, and checked as a whole."""

import math
from fractions import Fraction
from typing import Any

import numpy as np
import pytest

from autograd import Value
from nn import MLP, Layer, Module, Neuron, binary_cross_entropy, half_squared_error, hinge, softmax_cross_entropy
from nn.training.cases import check, listed


@pytest.mark.parametrize(
    "cases",
    [
        [([0.0, 1.0], 2.0), ([3.0, 4.0], 5.0)],
        (([0.0, 1.0], 2.0), [[3.0, 4.0], 5.0]),
        iter([([0.0, 1.0], 2.0), ([3.0, 4.0], 5.0)]),
        zip([[0.0, 1.0], [3.0, 4.0]], [2.0, 5.0], strict=True),
        [(map(float, [0, 1]), 2.0), (iter([3.0, 4.0]), 5.0)],
        {1: ([0.0, 1.0], 2.0), 2: ([3.0, 4.0], 5.0)}.values(),
    ],
)
def test_cases_are_listed(cases: Any) -> None:
    assert listed(cases, "cases") == [([0.0, 1.0], 2.0), ([3.0, 4.0], 5.0)]


def test_arrays_of_pairs_are_listed() -> None:
    cases = np.empty((2, 2), object)
    cases[0, 0], cases[0, 1], cases[1, 0], cases[1, 1] = [0.0], 1.0, [2.0], 3.0
    assert listed(cases, "cases") == [([0.0], 1.0), ([2.0], 3.0)]


@pytest.mark.parametrize(
    ("cases", "message"),
    [
        ("text", "cases must be a list of pairs .*got 'text' of type str"),
        ({1: 2}, "cases must be a list of pairs .*of type dict"),
        (None, "cases must be a list of pairs .*got None"),
        (np.array(3.0), r"cases must be a list of pairs .*got an array of shape \(\)"),
        (["ab"], r"cases\[0\] must be a pair .*got 'ab' of type str"),
        ([([1.0], 2.0), 3.0], r"cases\[1\] must be a pair .*got 3\.0 of type float"),
        (([[1.0], [2.0], [3.0]], [1.0, 2.0, 3.0]), r"cases\[0\] must be a pair .*list\(zip\(X, y\)\)"),
        (np.zeros((3, 2)), r"cases\[0\] must be a pair .*an array of shape \(2,\)"),
    ],
)
def test_what_is_no_list_of_pairs_is_refused(cases: Any, message: str) -> None:
    with pytest.raises(TypeError, match=message):
        listed(cases, "cases")


@pytest.mark.parametrize(
    ("case", "message"),
    [
        (([1.0, math.nan], 1.0), r"the data hold nan in the inputs of cases\[1\]"),
        (([1.0, np.float32(np.inf)], 1.0), "hold inf in the inputs"),
        ((np.array([1.0, -np.inf]), 1.0), "hold -inf in the inputs"),
        (([1.0, Value(math.nan)], 1.0), "hold nan in the inputs"),
        (([1.0, Fraction(10**400)], 1.0), "hold inf in the inputs"),
        (([1.0, 2.0], [math.nan]), r"hold nan in the target of cases\[1\]"),
        (([1.0, 2.0], {"deep": [[np.nan]]}), "hold nan in the target"),
        (([1.0, 2.0], np.array(np.nan)), "hold nan in the target"),
        (([0.0, 10**400], 0.0), "hold inf in the inputs"),
        (((0.0, math.inf), 0.0), "hold inf in the inputs"),
    ],
)
def test_numbers_that_are_not_finite_are_found(case: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message) as error:
        check(MLP(2, [1]), [([0.0, 0.0], 0.0), case], half_squared_error, "cases")
    assert "learning rate" not in str(error.value)


@pytest.mark.parametrize(
    ("network", "case", "loss", "message"),
    [
        (MLP(2, [1]), ([1.0], 1.0), half_squared_error, "this network takes 2 inputs, got 1"),
        (Neuron(2), ([1.0], 1.0), half_squared_error, "same length, got 2 and 1"),
        (Layer(2, 2), ([1.0, 2.0], [1.0]), half_squared_error, "got 1 for 2"),
        (MLP(2, [1]), ([1.0, 2.0], -0.5), binary_cross_entropy, "a probability from 0 to 1"),
        (MLP(2, [1]), ([1.0, 2.0], 0), hinge, "is 1 or -1"),
        (MLP(2, [3]), ([1.0, 2.0], 3), softmax_cross_entropy, "0 to 2, got 3"),
    ],
)
def test_every_case_is_tried(network: Module, case: Any, loss: Any, message: str) -> None:
    good = ([0.0, 0.0], [0.0] * 2 if isinstance(network, Layer) else 1)
    check(network, [good], loss, "cases")
    with pytest.raises(ValueError, match=rf"^cases\[2\] does not fit: .*{message}"):
        check(network, [good, good, case], loss, "cases")


@pytest.mark.parametrize("wrong", [None, "1", True, 1j])
def test_inputs_that_are_no_numbers_are_refused(wrong: Any) -> None:
    with pytest.raises(TypeError, match=r"^cases\[1\] does not fit: expected a real number"):
        check(MLP(2, [1]), [([0.0, 0.0], 0.0), ([0.0, wrong], 0.0)], half_squared_error, "cases")


def test_a_network_is_called_once_for_each_length_and_a_loss_of_ones_own_never() -> None:
    lengths = []

    class Total(Module):
        def __call__(self, inputs: Any) -> Any:
            lengths.append(len(inputs))
            return sum(inputs, Value(0.0))

    def loss(output: Any, target: Any) -> Any:
        raise AssertionError

    check(Total(), [([0.0] * length, "any") for length in (1, 2, 1, 3, 2)], loss, "cases")
    assert lengths == [1, 2, 3]


def test_any_loss_is_tried_with_every_target_where_that_is_asked_for() -> None:
    def loss(output: Any, target: Any) -> Any:
        return half_squared_error(output, target) if target else None

    cases = [([0.0, 1.0], 1.0), ([1.0, 1.0], 0.0)]
    check(MLP(2, [1]), cases, loss, "cases")
    with pytest.raises(TypeError, match=r"cases\[1\] does not fit: a loss must return a Value"):
        check(MLP(2, [1]), cases, loss, "cases", tries_any_loss=True)
