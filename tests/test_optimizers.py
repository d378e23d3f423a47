"""Optimizers against the recurrences of their papers, worked out here in other words."""

import copy
import json
import math
import pickle
import random
from collections.abc import Iterable
from typing import Any

import pytest

from autograd import Constant, Parameter, Value
from nn import MLP, SGD, Adam, AdamW, Optimizer, RMSprop
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


@pytest.mark.parametrize("momentum", [0.0, 0.7])
def test_rmsprop(momentum: float) -> None:
    """By the sums that its recurrences unroll to; the mean of squares began at 0 and is not corrected for it."""
    w = Parameter(1.0)
    means = [sum(0.1 * 0.9 ** (n - k) * GRADIENTS[k] ** 2 for k in range(n + 1)) for n in range(5)]
    ratios = [g / (math.sqrt(mean) + 1e-3) for g, mean in zip(GRADIENTS, means, strict=True)]
    velocities = [sum(momentum ** (n - k) * ratios[k] for k in range(n + 1)) for n in range(5)]
    expected = [1.0 - 0.05 * sum(velocities[: n + 1]) for n in range(5)]
    optimizer = RMSprop([w], 0.05, alpha=0.9, epsilon=1e-3, momentum=momentum)
    assert path(optimizer, w) == pytest.approx(expected, rel=1e-13)


def test_rmsprop_adds_the_weight_decay_to_the_gradient() -> None:
    """The first step from a mean of 0 is η g / (√(1 − α) |g| + ε) with g = gradient + λ w = 0.5 + 0.25 · 2."""
    w = Parameter(2.0)
    w.grad = 0.5
    RMSprop([w], 0.1, alpha=0.75, epsilon=0.5, weight_decay=0.25).step()
    assert w.data == 2.0 - 0.1 * 1.0 / (0.5 + 0.5)


def test_rmsprop_without_epsilon_stays_where_every_gradient_was_zero() -> None:
    w, still = Parameter(1.0), Parameter(2.0)
    optimizer = RMSprop([w, still], 0.1, alpha=0.75, epsilon=0.0)
    w.grad, still.grad = 4.0, 0.0
    optimizer.step()
    assert (w.data, still.data) == (1.0 - 0.1 * 2.0, 2.0)  # √(1 − α) is 1/2


KINDS: list[Any] = [
    lambda p: SGD(p, 0.1, momentum=0.9),
    lambda p: Adam(p, 0.1),
    lambda p: AdamW(p, 0.1),
    lambda p: RMSprop(p, 0.1, momentum=0.5),
]


@pytest.mark.parametrize("kind", KINDS)
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
        (lambda p: SGD([], 0.1), "SGD needs at least one parameter .*Parameters or Values in its attributes"),
        (lambda p: SGD(p, -0.1), r"learning rate must be at least 0 and below inf, got -0\.1"),
        (lambda p: SGD(p, 0.1, momentum=1.0), "momentum must be at least 0 and below 1"),
        (lambda p: Adam(p, betas=(0.9, 1.0)), "second beta"),
        (lambda p: RMSprop(p, alpha=1.0), r"the alpha must be at least 0 and below 1, got 1\.0"),
        (lambda p: RMSprop(p, epsilon=-1.0), "the epsilon must be at least 0"),
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


def test_weight_decay_is_the_gradient_of_half_the_square() -> None:
    decayed, penalized = Value(0.7), Value(0.7)
    one, other = SGD([decayed], 0.1, 0.9, weight_decay=0.3), SGD([penalized], 0.1, 0.9)
    for _ in range(20):
        one.zero_grad()
        decayed.sin().backward()
        one.step()
        other.zero_grad()
        (penalized.sin() + 0.5 * 0.3 * penalized**2).backward()
        other.step()
    assert decayed.data == pytest.approx(penalized.data, rel=1e-12)


class Halving(Optimizer):
    """An optimizer of one's own, with settings of its own."""

    def __init__(self, parameters: Iterable[Value], learning_rate: float, share: float) -> None:
        self.before = "super().__init__"
        super().__init__(parameters, learning_rate, memory=0)
        self.share = share

    def _moves(self, grads: list[float]) -> tuple[list[float], list[list[float]]]:
        return [self.share * parameter.data for parameter in self.parameters], []


def test_the_bits_are_those_of_the_formulas() -> None:
    """Whatever order would round otherwise."""
    generator = random.Random(2)
    start = [generator.gauss(0.0, 1.0) for _ in range(20)]
    plain, momentum, adam = ([Parameter(number) for number in start] for _ in range(3))
    optimizers = [SGD(plain, 0.3), SGD(momentum, 0.3, 0.9, 0.01), AdamW(adam, 0.03, (0.8, 0.9), 1e-8, 0.1)]
    numbers = [list(start) for _ in range(3)]
    velocities, firsts, seconds = ([0.0] * 20 for _ in range(3))
    for step in range(1, 6):
        for place in range(20):
            grad = generator.gauss(0.0, 1.0)
            for parameters in (plain, momentum, adam):
                parameters[place].grad = grad
            one, two, three = numbers
            one[place] = one[place] - 0.3 * grad
            velocities[place] = 0.9 * velocities[place] + (grad + 0.01 * two[place])
            two[place] = two[place] - 0.3 * velocities[place]
            firsts[place] = 0.8 * firsts[place] + (1.0 - 0.8) * grad
            seconds[place] = 0.9 * seconds[place] + (1.0 - 0.9) * (grad * grad)
            root = math.sqrt(1.0 - 0.9**step)
            ratio = firsts[place] / (math.sqrt(seconds[place]) + 1e-8 * root)
            three[place] = three[place] * (1.0 - 0.03 * 0.1) - 0.03 * root / (1.0 - 0.8**step) * ratio
        for optimizer in optimizers:
            optimizer.step()
    for parameters, expected in zip((plain, momentum, adam), numbers, strict=True):
        assert [parameter.data for parameter in parameters] == expected
    assert optimizers[2].memory == [firsts, seconds]


def test_an_optimizer_of_ones_own_has_attributes_of_its_own() -> None:
    w = Value(4.0)
    w.grad = 1.0
    optimizer = Halving([w], 0.1, 0.5)
    optimizer.step()
    optimizer.share = 0.25
    optimizer.step()
    assert (w.data, optimizer.before) == (0.5, "super().__init__")
    with pytest.raises(
        AttributeError, match="Halving has no attribute 'shares'; its settings are learning_rate, share"
    ):
        optimizer.shares = 0.5  # type: ignore[attr-defined]  # what is tested


@pytest.mark.parametrize("make", [SGD, Adam, AdamW, lambda p, rate: Halving(p, rate, 0.5)])
def test_an_unknown_attribute_is_refused(make: Any) -> None:
    optimizer = make([Value(1.0)], 0.5)
    with pytest.raises(AttributeError, match=r"has no attribute 'lr'; .*learning_rate is the size of a step"):
        optimizer.lr = 0.1
    with pytest.raises(AttributeError, match=r"has no attribute 'lr'; .*learning_rate is the size of a step"):
        optimizer.lr *= 0.1
    optimizer.learning_rate *= 0.5
    assert optimizer.learning_rate == 0.25
    for twin in (copy.deepcopy(optimizer), pickle.loads(pickle.dumps(optimizer))):
        assert twin.learning_rate == 0.25
        with pytest.raises(AttributeError, match="learning_rate"):
            twin.lr = 0.1


def test_adam_has_no_weight_decay_which_is_adamw() -> None:
    with pytest.raises(AttributeError, match="Adam has no attribute 'weight_decay'"):
        Adam([Value(1.0)]).weight_decay = 0.1  # type: ignore[attr-defined]  # what is tested


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("learning_rate", -1.0, r"learning rate must be at least 0 and below inf, got -1\.0"),
        ("learning_rate", 0.0, "learning rate must be greater than 0"),
        ("learning_rate", math.nan, "got nan"),
        ("weight_decay", -0.1, "weight decay must be at least 0"),
        ("epsilon", -1.0, "epsilon must be at least 0"),
        ("betas", (1.0, 0.9), "first beta must be at least 0 and below 1"),
    ],
)
def test_a_bad_setting_is_refused_when_it_is_assigned(name: str, value: Any, message: str) -> None:
    optimizer = AdamW([Value(1.0)])
    before = getattr(optimizer, name)
    with pytest.raises(ValueError, match=message):
        setattr(optimizer, name, value)
    assert getattr(optimizer, name) == before


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: SGD(MLP(1, [1]), 0.1), r"got a network, <MLP 1-1: 2 parameters>; .*SGD\(network\.parameters\(\), …\)"),  # type: ignore[arg-type]  # what is tested
        (lambda: Adam(MLP(1, [1]).parameters), r"needs a list .*Adam\(network\.parameters\(\), …\)"),  # type: ignore[arg-type]  # likewise
        (lambda: SGD(Value(1.0), 0.1), r"needs a list of parameters to change, got Value\(1\.0\)"),  # type: ignore[arg-type]  # likewise
        (lambda: SGD([Value(1.0) + 1], 0.1), r"got the result of an operation, Value\(2\.0\)"),
        (lambda: SGD([Constant(1.0)], 0.1), r"got Constant\(1\.0\) of type Constant"),
        (lambda: SGD([1.0], 0.1), r"got 1\.0 of type float"),  # type: ignore[list-item]  # likewise
        (lambda: Adam([Value(1.0)], 0.1, 0.9), r"the betas are a pair of numbers, such as \(0\.9, 0\.999\), got 0\.9"),  # type: ignore[arg-type]  # likewise
    ],
)
def test_what_cannot_be_changed_is_refused(make: Any, message: str) -> None:
    with pytest.raises(TypeError, match=message):
        make()


MAKERS: dict[str, Any] = {
    "sgd": lambda p: SGD(p, 0.1, weight_decay=0.1),
    "momentum": lambda p: SGD(p, 0.1, 0.9, weight_decay=0.1),
    "adam": lambda p: Adam(p, 0.1),
    "adamw": lambda p: AdamW(p, 0.1, weight_decay=0.1),
}


@pytest.mark.parametrize("make", MAKERS.values(), ids=MAKERS)
def test_a_parameter_that_no_gradient_reached_takes_no_step(make: Any) -> None:
    """It is as if the steps that reached another parameter alone had not been."""
    sometimes, always = Value(1.0), Value(2.0)
    alone = Value(1.0)
    both, one = make([sometimes, always]), make([alone])
    for round_ in range(12):
        both.zero_grad()
        (always * always).backward()
        if round_ % 4 == 1 or round_ > 8:
            (sometimes * sometimes).backward()
            one.zero_grad()
            (alone * alone).backward()
            one.step()
        before = sometimes.data
        both.step()
        assert sometimes.has_grad or sometimes.data == before
        assert sometimes.data == alone.data
        if round_ == 7:
            state = both.state_dict()
            both = make([sometimes, always])
            both.load_state_dict(state)
    assert [row[0] for row in both.memory] == [row[0] for row in one.memory]
    assert (both.steps, both.missed) == (12, [7, 0])


def test_a_gradient_of_0_is_one() -> None:
    w = Value(1.0)
    optimizer = AdamW([w], 0.1, weight_decay=0.1)
    (w * 0.0).backward()
    optimizer.step()
    assert (w.data, optimizer.missed) == (0.99, [0])


def test_every_setting_is_part_of_the_state() -> None:
    w = Value(1.0)
    one, other = AdamW([w], 0.1, (0.8, 0.9), 1e-7, 0.3), AdamW([w])
    other.load_state_dict(json.loads(json.dumps(one.state_dict())))
    assert other.settings() == one.settings()
    assert other.betas == (0.8, 0.9)
    sgd = SGD([w], 0.1, 0.9, 0.3)
    sgd.momentum, sgd.learning_rate = 0.5, 0.01
    other_sgd = SGD([w], 0.2)
    other_sgd.load_state_dict(sgd.state_dict())
    assert other_sgd.settings() == {"learning_rate": 0.01, "momentum": 0.5, "weight_decay": 0.3}


class Clipped(Halving):
    """An optimizer with settings of many kinds."""

    def __init__(self, parameters: Iterable[Value], share: float = 0.5) -> None:
        super().__init__(parameters, 0.1, share)
        self.bound, self.name, self.layers, self.is_on, self.function = math.inf, "clipped", (1, 2.5), True, math.sin


def test_settings_of_ones_own_are_part_of_the_state() -> None:
    one, other = Clipped([Value(1.0)], 0.25), Clipped([Value(1.0)])
    one.layers, one.is_on, other.bound = (3, 4.5), False, 2.0
    state = json.loads(json.dumps(one.state_dict(), allow_nan=False))
    other.load_state_dict(state)
    assert other.settings() == one.settings()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"settings": 3}, "its settings are 3"),
        ({"settings": {"share": "x"}}, r"its setting share: it is 'x', here 0\.5"),
        ({"settings": {"is_on": 3}}, "its setting is_on: it is 3, here True"),
        ({"settings": {"learning_rate": -1.0}}, r"learning rate must be at least 0 and below inf, got -1\.0"),
        ({"settings": {"learning_rate": "fast"}}, "its setting learning_rate: expected a real number"),
        ({"settings": {"learning_rate": 10**400}}, "does not fit into a float64"),
        ({"settings": {"function": 3}}, "its setting function: it is 3"),
        ({"settings": {"rate" * 99: 3}}, r"Clipped has no setting 'rate.*\.\.\."),
        ({"missed": [1, 2]}, r"its steps without a gradient are \[1, 2\]"),
        ({"missed": [1]}, "a parameter has 1 of 0 steps without a gradient"),
        ({"missed": [True]}, "a parameter has True of 0 steps"),
        ({"junk": "x" * 10_000}, r"it holds \['junk'\], which no optimizer has"),
    ],
)
def test_a_state_with_other_settings_is_refused_and_changes_nothing(changes: dict[str, Any], message: str) -> None:
    optimizer = Clipped([Value(1.0)])
    before = optimizer.state_dict()
    with pytest.raises(ValueError, match=message) as error:
        optimizer.load_state_dict({**before, **changes})
    assert len(str(error.value)) < 300
    assert optimizer.state_dict() == before
