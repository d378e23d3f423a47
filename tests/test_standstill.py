"""What is said of a training that does not move, and that nothing is said of one that has converged."""

import random
import warnings
from collections.abc import Callable
from typing import Any

import pytest

from autograd import Parameter, Value
from nn import MLP, SGD, Adam, Module, binary_cross_entropy, fit, half_squared_error

XOR = [([0, 0], 0), ([0, 1], 1), ([1, 0], 1), ([1, 1], 0)]
NOISE = random.Random(1)
LINE = [([x / 10], x / 20 + NOISE.gauss(0.0, 0.2)) for x in range(-10, 11)]
RAMP = [([x / 10], max(0.0, x / 10) + NOISE.gauss(0.0, 0.2)) for x in range(-10, 11)]
CONTRADICTIONS = [([0], 0), ([0], 1), ([1], 1), ([1], 1), ([1], 0)]  # whose best answers are 1/2 and 2/3

compiled_or_not = pytest.mark.parametrize("compiled", [False, True])


def relus(seed: int, inputs: int = 2) -> MLP:
    return MLP(inputs, [4, 1], "relu", generator=random.Random(seed))


def said(train: Callable[[], object]) -> list[str]:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        train()
    assert all(warning.filename == __file__ for warning in caught)  # they name the line of the user's program
    return [str(warning.message) for warning in caught]


@compiled_or_not
@pytest.mark.parametrize(("seed", "error"), [(1, 0.0625), (4, 0.125)])
def test_relus_that_do_not_learn_xor(seed: int, error: float, compiled: bool) -> None:
    """The answers of the first network are right for two cases and 1/2 for two; those of the second are all 1/2."""
    network = relus(seed)
    (text,) = said(lambda: fit(network, XOR, rounds=1000, compiled=compiled))
    assert f"the error is {error} and has hardly changed for 250 rounds" in text
    assert "12 of 17 parameters get a gradient of 0 from each of the 4 cases" in text  # three of four relus are dead
    assert "autograd.diagnose(error, parameter)" in text
    assert "\n" not in text


@compiled_or_not
@pytest.mark.parametrize("settings", [{"batch_size": 2, "shuffle": random.Random(1)}, {"pick": random.Random(1)}])
def test_of_a_training_whose_errors_still_change_all_answers_are_the_same(
    settings: dict[str, Any], compiled: bool
) -> None:
    network = relus(1)
    for bias in network.layers[0].biases:
        bias.data = -10.0
    (text,) = said(lambda: fit(network, XOR, rounds=50, compiled=compiled, **settings))
    assert "the network gives the same answer to cases 0 and 1, whose targets differ" in text
    assert "hardly" not in text


@compiled_or_not
@pytest.mark.parametrize(
    "train",
    [
        lambda compiled: fit(relus(2), XOR, rounds=1000, compiled=compiled),  # learned, with one dead relu of four
        lambda compiled: fit(MLP(1, [1]), LINE, rounds=300, compiled=compiled),  # to the last bit
        lambda compiled: fit(MLP(2, [1]), XOR, rounds=300, compiled=compiled),  # the best that a line can do is 1/2
        lambda compiled: fit(relus(1, 1), CONTRADICTIONS, rounds=1000, compiled=compiled),
        lambda compiled: fit(relus(4, 1), CONTRADICTIONS, rounds=1000, compiled=compiled),  # with three dead relus
        lambda compiled: fit(relus(4, 1), CONTRADICTIONS, rounds=1000, loss=binary_cross_entropy, compiled=compiled),
        lambda compiled: fit(relus(3, 1), RAMP, rounds=1000, compiled=compiled),
        lambda compiled: fit(relus(4), [([0, 0], 1), ([1, 1], 1)], rounds=300, compiled=compiled),  # one target
        lambda compiled: fit(relus(4), XOR, rounds=19, compiled=compiled),  # too few rounds to say
    ],
    ids=range(9),
)
def test_nothing_is_said_of_a_training_that_has_converged(train: Any, compiled: bool) -> None:
    assert said(lambda: train(compiled)) == []


@pytest.mark.engine_independent
@pytest.mark.parametrize("seed", range(1, 9))
@pytest.mark.parametrize("activation", ["relu", "tanh"])
@pytest.mark.parametrize("cases", [XOR, LINE, RAMP, CONTRADICTIONS], ids=["xor", "line", "ramp", "contradictions"])
def test_what_is_said_is_true(cases: Any, activation: str, seed: int) -> None:
    """A network that is named answers worse than one whose units live, by a hundredth of the error at least."""
    inputs = len(cases[0][0])
    network, other = (MLP(inputs, [4, 1], kind, generator=random.Random(seed)) for kind in (activation, "tanh"))
    histories = []

    def train(one: MLP, rounds: int) -> None:
        histories.append(fit(one, cases, optimizer=Adam(one.parameters(), 0.05), rounds=rounds, compiled=True))

    if said(lambda: train(network, 1000)):
        train(other, 5000)
        assert histories[0].errors[-1] > 1.01 * histories[1].errors[-1]


def test_a_network_of_one_s_own_is_looked_at_and_left_as_it_is() -> None:
    class Flat(Module):
        def __init__(self) -> None:
            self.weight, self.offset = Parameter(-1.0), Parameter(0.25)

        def __call__(self, inputs: Any) -> Value:
            out: Value = (self.weight * inputs[0]).relu() * self.weight + self.offset.stop_gradient()
            return out

    network = Flat()
    optimizer = SGD(network.parameters(), 0.1)
    (text,) = said(lambda: fit(network, [([1.0], 0.0), ([2.0], 1.0)], optimizer=optimizer, rounds=20))
    assert "2 of 2 parameters" in text
    assert (network.weight.data, network.offset.data) == (-1.0, 0.25)


@compiled_or_not
def test_the_gradients_stay_those_of_the_last_round(compiled: bool) -> None:
    network = relus(1)
    network.layers[0].neurons[0].weights[0].grad = 3.0
    said(lambda: fit(network, XOR, rounds=1000, compiled=compiled))
    grads = [parameter.grad for parameter in network.parameters()]
    if compiled:  # which touches none
        assert grads == [3.0] + [0.0] * 16
    else:
        mean: Any = sum(half_squared_error(network(inputs), target) for inputs, target in XOR) / 4
        network.zero_grad()
        mean.backward()
        assert grads == pytest.approx([parameter.grad for parameter in network.parameters()], abs=1e-15)


def test_also_one_whose_slopes_are_given_as_numbers() -> None:
    """There are no second derivatives of it."""

    class Given(Module):
        def __init__(self) -> None:
            self.weight = Parameter(1.0)

        def __call__(self, inputs: Any) -> Value:
            return Value(0.5, (self.weight,), (0.0,))

    network = Given()
    (text,) = said(lambda: fit(network, [([1.0], 0.0), ([2.0], 1.0)], optimizer=SGD([network.weight], 0.1), rounds=20))
    assert "1 of 1 parameters" in text


def test_what_is_left_of_a_long_list_is_named_by_its_place() -> None:
    cases = [([0.0], 0.0)] * 250 + [([x], 1.0) for x in range(1, 51)]
    network = relus(1, 1)
    for bias in network.layers[0].biases:
        bias.data = -1e3
    (text,) = said(lambda: fit(network, cases, loss=half_squared_error, rounds=25, compiled=True))
    assert "to cases 0 and 252, whose targets differ" in text
    assert "each of the 100 cases that were tried" in text
