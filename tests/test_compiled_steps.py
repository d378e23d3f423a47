"""fit(…, compiled=True): what an eager training computes, as programs, whatever interrupts, watches or resumes it."""

import contextlib
import functools
import itertools
import json
import math
import os
import random
import signal
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest

from autograd import Constant, Value, sigmoid, stop_gradient, where
from autograd.native import selection
from autograd.primitives import greater
from nn import (
    MLP,
    SGD,
    Adam,
    AdamW,
    History,
    Module,
    Neuron,
    RMSprop,
    accuracy,
    average_error,
    binary_cross_entropy,
    fit,
    functional,
    half_squared_error,
    hinge,
    load_network,
    mean_squared_error,
    softmax_cross_entropy,
)
from nn.training import compiled_steps, training_programs
from tests import test_steps
from tests.test_loop import XOR, small_network
from tests.test_steps import kept

IS_EXACT = selection.engine == "compiled"  # NumPy rounds exp, tanh and others in its own way


OPTIMIZERS: dict[str, Callable[[Any], Any]] = {
    "sgd": lambda parameters: SGD(parameters, 0.2),
    "momentum": lambda parameters: SGD(parameters, 0.1, momentum=0.9, weight_decay=0.01),
    "adam": lambda parameters: Adam(parameters, 0.02),
    "adam without epsilon": lambda parameters: Adam(parameters, 0.02, (0.8, 0.95), 0.0),
    "adamw": lambda parameters: AdamW(parameters, 0.02),
    "rmsprop": lambda parameters: RMSprop(parameters, 0.01, 0.9),
    "rmsprop with momentum": lambda parameters: RMSprop(parameters, 0.01, momentum=0.8, weight_decay=0.01),
    "rmsprop without epsilon": lambda parameters: RMSprop(parameters, 0.01, epsilon=0.0),
}


def data(loss: Any, count: int) -> list[tuple[list[float], Any]]:
    """Cases that suit a loss, for a network of two inputs and three outputs."""
    generator = random.Random(5)
    targets: dict[Any, Callable[[int], Any]] = {
        softmax_cross_entropy: lambda i: i % 3,
        hinge: lambda i: [(-1) ** i, 1, -1],
        binary_cross_entropy: lambda i: [0.0, 1, 0.25],
    }
    cases: list[tuple[list[float], Any]] = []
    for i in range(count):
        target = targets[loss](i) if loss in targets else [generator.uniform(-1, 1) for _ in range(3)]
        cases.append(([generator.uniform(-1, 1), generator.uniform(-1, 1)], target))
    return cases


def trained(compiled: bool, cases: Any, optimizer: str = "adam", activation: str = "tanh", **settings: Any) -> Any:
    """The parameters, the optimizer's state, and the history of a training."""
    network: Any = MLP(2, [4, 3], activation, generator=random.Random(1))
    used = OPTIMIZERS[optimizer](network.parameters())
    for name in ("pick", "shuffle"):
        if name in settings:
            settings[name] = random.Random(settings[name])
    history = fit(network, cases, optimizer=used, compiled=compiled, **settings)
    return network.state_dict(), used.state_dict(), history


def same(expected: Any) -> Any:
    """What has the same bits; where NumPy runs the programs, nearly."""
    return expected if IS_EXACT else pytest.approx(expected, rel=1e-9, abs=1e-15)


def check(cases: Any, **settings: Any) -> tuple[Any, Any]:
    """Compare a compiled training with an eager one."""
    made, expected = trained(True, cases, **settings), trained(False, cases, **settings)
    assert_same(made, expected)
    return made, expected


def assert_same(made: Any, expected: Any) -> None:
    """The same bits of what was learned; of sums over cases the same up to rounding."""
    assert made[0] == same(expected[0])
    for row, other_row in zip(made[1].get("memory", ()), expected[1].get("memory", ()), strict=True):
        assert row == same(other_row)
    one, other = made[2], expected[2]
    assert (one.rounds, one.batches, one.interrupted) == (other.rounds, other.batches, other.interrupted)
    for numbers, others in zip(kept(one), kept(other), strict=True):
        assert numbers == pytest.approx(others, rel=1e-12 if IS_EXACT else 1e-9, abs=1e-15)
        assert all(type(number) is float for number in numbers)


@pytest.mark.parametrize(
    "loss", [half_squared_error, mean_squared_error, binary_cross_entropy, softmax_cross_entropy, hinge]
)
@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_every_loss_and_optimizer_gives_the_bits_of_eager_training(loss: Any, optimizer: str) -> None:
    check(data(loss, 11), loss=loss, rounds=6, optimizer=optimizer)


class Extrapolating(SGD):
    """Remembers the last gradient, and reads it."""

    def _rule(self) -> Any:
        return lambda number, grad, last: (number - self.learning_rate * (grad + 0.5 * (grad - last)), grad)


class Returning(SGD):
    """Remembers the last number, and goes back to it in part."""

    def _rule(self) -> Any:
        return lambda number, grad, last: (number - self.learning_rate * grad - 0.25 * (number - last), number)


class Exchanging(Adam):
    """What it remembers changes places."""

    def _rule(self) -> Any:
        return lambda number, grad, one, two: (number - self.learning_rate * (grad + 0.5 * one), two, grad + 0.25 * one)


@pytest.mark.parametrize("optimizer", [Extrapolating, Returning, Exchanging])
def test_a_rule_may_remember_what_it_was_given(optimizer: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(OPTIMIZERS, "own", lambda parameters: optimizer(parameters, 0.05))
    check(data(half_squared_error, 11), rounds=5, optimizer="own", batch_size=3)


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
@pytest.mark.parametrize("steps", [1, 15, 16, 17, 40])
def test_a_step_that_is_not_finite_leaves_the_state_before_it(optimizer: str, steps: int) -> None:
    """The last case of a round has so large an input that the error overflows."""
    cases = data(half_squared_error, steps)
    found = []
    for compiled in (False, True):
        network: Any = MLP(2, [4, 3], None, generator=random.Random(1))
        used = OPTIMIZERS[optimizer](network.parameters())
        with pytest.raises(FloatingPointError, match="the training diverged at round 1: the error is inf"):
            fit(network, [*cases, ([1e200, 0.0], [0.0] * 3)], optimizer=used, batch_size=1, rounds=1, compiled=compiled)
        assert used.steps == steps
        found.append([list(network.state_dict().values()), *used.state_dict()["memory"]])
    for expected, made in zip(*found, strict=True):
        assert made == same(expected)


@pytest.mark.parametrize("activation", ["relu", "leaky_relu", "sigmoid", "gelu", "softplus", "sin"])
def test_activation_functions(activation: str) -> None:
    check(data(half_squared_error, 9), activation=activation, rounds=5)


@pytest.mark.parametrize("size", range(1, 12))
@pytest.mark.parametrize("shuffle", [{}, {"shuffle": 3}])
def test_batches_of_any_size(size: int, shuffle: dict[str, int]) -> None:
    """Also with a remainder."""
    check(data(half_squared_error, 11), batch_size=size, rounds=3, schedule=lambda done: 0.1 / (1 + done), **shuffle)


def test_more_cases_than_run_side_by_side() -> None:
    loss = softmax_cross_entropy
    check(data(loss, 421), loss=loss, rounds=2, batch_size=300, activation="relu")


def test_a_case_picked_at_random() -> None:
    check(data(half_squared_error, 7), pick=3, rounds=20)


@pytest.mark.parametrize("threshold", [None, 0.3])
def test_metric_and_validation(threshold: float | None) -> None:
    loss = softmax_cross_entropy
    metric = accuracy if threshold is None else functools.partial(accuracy, threshold=threshold)
    made, expected = check(data(loss, 10), loss=loss, metric=metric, validation=data(loss, 13)[10:], rounds=5)
    assert made[2].validation_errors == same(expected[2].validation_errors)
    assert made[2].metrics == expected[2].metrics


@pytest.mark.parametrize(("share", "count"), [(0.2, 2), (0.25, 3), (0.9, 10)])
def test_the_last_cases_are_held_out(share: float, count: int) -> None:
    """As with the rest to train and these to validate with: 20, 25 and 90 % of 11 cases are 2.2, 2.75 and 9.9."""
    cases = data(half_squared_error, 11)
    some: list[dict[str, Any]] = [{}, {"batch_size": 2, "shuffle": 3}]
    for settings in some:
        made, expected = check(cases, validation_split=share, rounds=4, **settings)
        whole = trained(False, cases[:-count], validation=cases[-count:], rounds=4, **settings)
        assert_same(expected, whole)
        assert made[2].validation_errors == same(expected[2].validation_errors)


@pytest.mark.parametrize("sizes", [[3, 1], [3, 2]])
def test_accuracy_of_one_output_and_of_several(sizes: list[int]) -> None:
    cases = [([i / 9.0, 1.0 - i / 7.0], [float(i % 2)] * sizes[-1]) for i in range(9)]

    def train(compiled: bool) -> list[float]:
        network: Any = MLP(2, sizes, "tanh", generator=random.Random(1))
        return fit(network, cases, rounds=5, metric=accuracy, loss=binary_cross_entropy, compiled=compiled).metrics

    assert train(True) == train(False)


def test_a_metric_of_ones_own_finds_the_network_after_the_round() -> None:
    def length(network: Module, cases: Any, loss: Any) -> float:
        return sum(number**2 for number in network.state_dict().values())

    cases = data(half_squared_error, 5)
    check(cases, metric=length, validation=cases[:2], rounds=4)


def test_a_callback_may_change_everything() -> None:
    def train(compiled: bool) -> Any:
        network = small_network()
        optimizer = SGD(network.parameters(), 0.3, momentum=0.5)
        seen = []

        def watch(history: History) -> bool:
            seen.append((network.state_dict(), optimizer.state_dict(), list(history.errors)[:-1]))
            network.parameters()[3].data += 0.25
            optimizer.learning_rate *= 0.9
            optimizer.momentum = 0.5 + 0.05 * history.rounds
            optimizer.memory[0][2] = 0.125
            return history.rounds == 5

        history = fit(network, XOR, optimizer=optimizer, callback=watch, rounds=9, compiled=compiled)
        return network.state_dict(), optimizer.state_dict(), history, [entry[:2] for entry in seen]

    made, expected = train(True), train(False)
    assert_same(made[:3], expected[:3])
    assert [entry[0] for entry in made[3]] == [same(entry[0]) for entry in expected[3]]
    assert made[2].rounds == 5


def test_leaves_that_are_not_trained_are_read_anew_after_a_callback() -> None:
    def train(compiled: bool) -> Any:
        network, scale = small_network(), Value(1.0)

        def loss(output: Value, target: Any) -> Any:
            return scale * half_squared_error(output, target)

        def watch(history: History) -> None:
            scale.data += 1.0
            frozen.data -= 0.5

        frozen, *learning = network.parameters()
        fit(network, XOR, loss=loss, optimizer=SGD(learning, 0.1), callback=watch, rounds=4, compiled=compiled)
        return network.state_dict()

    assert train(True) == same(train(False))


class Partly(Module):
    """A network that does not use all of its parameters."""

    def __init__(self) -> None:
        self.weights = [Value(0.5 + 0.1 * place) for place in range(6)]

    def __call__(self, x: Any) -> Any:
        used, late, detached, zero, _, self_made = self.weights
        return used * x[0] + late * x[1] * detached.detach() + zero * 0.0 + self_made


@pytest.mark.parametrize("goes_back", [False, True])
@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_parameters_that_no_gradient_reaches_take_no_step(
    optimizer: str, goes_back: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also after steps that reached others, and where a state is computed again from an earlier one."""
    if goes_back:
        monkeypatch.setattr(compiled_steps.CompiledTraining, "_change", lambda self, update: self._go_back())
    found = []
    for compiled in (True, False):
        network = Partly()
        before = [weight.data for weight in network.weights]
        used = OPTIMIZERS[optimizer](network.parameters())
        for place in (0, 2, 0):
            used.zero_grad()
            (network.weights[place] ** 2).backward()
            used.step()
        fit(network, XOR, optimizer=used, rounds=20, batch_size=2, compiled=compiled)
        (network(XOR[0][0]) ** 2).backward()
        found.append((network.state_dict(), used.state_dict()))
        assert network.weights[4].data == before[4]
        assert used.missed == [1, 3, 42, 3, 43, 3]
    assert found[0][0] == same(found[1][0])
    for row, other in zip(found[0][1].pop("memory"), found[1][1].pop("memory"), strict=True):
        assert row == same(other)
    assert found[0][1] == found[1][1]


class Scaled(Module):
    """A network that computes with everything that a callback may change."""

    def __init__(self) -> None:
        self.weights = [Value(0.5, "w1"), Value(-0.3, "w2")]
        self.constant, self.scale, self.is_cubed, self.stops, self.table = Constant(0.75), 1.5, False, False, {"a": 0.5}

    def __call__(self, x: Any) -> Any:
        first, second = self.weights
        hidden = first * x[0] * self.constant + self.table["a"] * first
        if self.stops:
            hidden = stop_gradient(hidden)
        if self.is_cubed:
            hidden = hidden**3
        return (hidden * self.scale + second * x[1]) * Value(1.0) + Constant(0.125)


class Own(SGD):
    """Gradient descent by a factor that is no setting of the optimizer."""

    factor: ClassVar = [1.0]

    def _rule(self) -> Callable[..., Any]:
        rate, factor = self.learning_rate, self.factor[0]
        return lambda number, grad, velocity: (number - rate * factor * grad, velocity)


def froze(network: Any, weight: list[float]) -> None:
    network.weights[1] = Constant(network.weights[1].data)


def replaced(network: Any, weight: list[float]) -> None:
    network.weights[0] = Value(network.weights[0].data)


def replaced_constant(network: Any, weight: list[float]) -> None:
    network.constant = Constant(network.constant.data * 0.5)


def stopped(network: Any, weight: list[float]) -> None:
    network.stops = not network.stops


def cubed(network: Any, weight: list[float]) -> None:
    network.is_cubed = not network.is_cubed


def other_class_weight(network: Any, weight: list[float]) -> None:
    weight[1] *= 2.0


CHANGES: dict[str, Callable[[Any, list[float]], object]] = {
    "nothing": lambda network, weight: None,
    "a constant": lambda network, weight: setattr(network.constant, "data", network.constant.data * 0.8),
    "an attribute": lambda network, weight: setattr(network, "scale", network.scale * 0.8),
    "an attribute by its last bit": lambda network, weight: setattr(network, "scale", math.nextafter(network.scale, 2)),
    "an entry": lambda network, weight: network.table.update(a=network.table["a"] * 0.8),
    "the weight of the loss": lambda network, weight: weight.__setitem__(0, weight[0] * 0.8),
    "the weight of some cases": other_class_weight,
    "a flag": cubed,
    "a flag of gradients": stopped,
    "another constant": replaced_constant,
    "another parameter": replaced,
    "a constant instead of a parameter": froze,
    "the rule of the optimizer": lambda network, weight: Own.factor.__setitem__(0, Own.factor[0] * 0.8),
}  # fmt: skip


@pytest.mark.parametrize("kind", ["callback", "schedule", "metric"])
@pytest.mark.parametrize("name", CHANGES)
def test_what_network_loss_and_optimizer_compute_may_change_between_rounds(name: str, kind: str) -> None:
    cases = [([0.5, -1.0], 0.25), ([1.5, 0.5], -1.0), ([-0.5, 0.25], 1.0)]

    def train(compiled: bool) -> Any:
        network, weight, rounds = Scaled(), [1.0, 1.0], [0]
        Own.factor[:] = [1.0]

        def loss(output: Value, target: Any) -> Any:
            factor = where(greater(target, 0.5), weight[1], weight[0])  # the last case has a weight of its own
            return factor * half_squared_error(output, target)

        def change(*_: Any) -> float:
            rounds[0] += 1
            if rounds[0] in (2, 3, 5):
                CHANGES[name](network, weight)
            return 0.0 if kind != "schedule" else 0.1 / rounds[0]

        settings: dict[str, Any] = {kind: change}
        optimizer = Own(parameters := network.parameters(), 0.1)
        history = fit(network, cases, loss=loss, optimizer=optimizer, rounds=7, compiled=compiled, **settings)
        return [parameter.data for parameter in parameters], network.state_dict(), history.errors

    made, expected = train(True), train(False)
    assert made[0] == pytest.approx(expected[0], rel=1e-13)
    assert made[1] == pytest.approx(expected[1], rel=1e-13)
    assert made[2] == pytest.approx(expected[2], rel=1e-13)


@pytest.mark.parametrize("stopped_at", range(1, 12))
def test_a_step_that_is_undone_is_computed_by_what_was_recorded_for_it(stopped_at: int) -> None:
    """Each round annealed, and a step is interrupted: the parameters are those of the rounds before."""

    def train(compiled: bool, rounds: int, fails: int) -> Any:
        network = Scaled()

        def loss(output: Value, target: Any) -> Any:
            return half_squared_error(output, target)

        def schedule(done: int) -> float:
            if done == fails:
                raise KeyboardInterrupt
            network.scale *= 0.9
            network.constant.data *= 0.95
            return 0.1

        optimizer = SGD(network.parameters(), 0.1, momentum=0.5)
        fit(network, XOR, loss=loss, optimizer=optimizer, rounds=rounds, schedule=schedule, compiled=compiled)
        return [*network.state_dict().values(), *optimizer.memory[0]]

    assert train(True, 20, stopped_at) == pytest.approx(train(False, stopped_at, -1))


@pytest.mark.parametrize(
    ("function", "may"),
    [
        (None, False),
        (lambda history: history.errors[-1] < 0.05, False),
        (lambda rounds: 0.5 * math.cos(rounds) / (1 + rounds), False),
        (lambda rounds: OPTIMIZERS, True),
        (lambda rounds, kept=[]: kept, True),
        (lambda rounds: (lambda: OPTIMIZERS)(), True),  # noqa: PLC3002  # that is what is tried
        (functools.partial(math.pow, 2.0), True),
        (Scaled(), True),
    ],
)
def test_which_functions_may_change_something(function: Any, may: bool) -> None:
    assert compiled_steps._refers_to_objects(function) is may


def test_what_is_the_same_is_not_recorded_again(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[object] = []
    record = training_programs.CasePrograms._record

    def counted(self: Any) -> None:
        made.append(self)
        record(self)

    monkeypatch.setattr(training_programs.CasePrograms, "_record", counted)
    network: Any = Scaled()

    def anneal(history: History) -> None:
        network.constant.data *= 0.9
        network.weights[0].data += 0.01

    fit(network, XOR, rounds=9, callback=anneal, compiled=True)
    assert len(made) == 1
    seen: list[object] = []
    monkeypatch.setattr(training_programs.CasePrograms, "_graph", seen.append)
    rate = 0.5
    for settings in ({"callback": lambda history: False}, {"schedule": lambda rounds: rate / (1 + rounds)}):
        fit(network, XOR, rounds=9, compiled=True, metric=accuracy, **settings)
    assert seen == []


@pytest.mark.parametrize(
    ("change", "what"),
    [
        (lambda network: 1.0 if network.weights[0].data > -9.0 else 2.0, "compare it or read it"),
        (lambda network: random.random(), "depends on something that a program does not record"),
    ],
)
def test_a_change_that_cannot_be_recorded_is_refused_by_the_name_of_the_callback(change: Any, what: str) -> None:
    class Network(Scaled):
        factor: Callable[[Any], float] = staticmethod(lambda network: 1.0)

        def __call__(self, x: Any) -> Any:
            return super().__call__(x) * self.factor(self)

    network = Network()

    def hardens(history: History) -> None:
        if history.rounds == 3:
            network.factor = change

    with pytest.raises(TypeError, match=rf"after the call of the callback hardens, .*{what}"):
        fit(network, XOR, rounds=9, callback=hardens, compiled=True)
    expected = Network()
    fit(expected, XOR, rounds=3, compiled=True)
    assert network.state_dict() == expected.state_dict()


def test_shared_parameters_differ_by_rounding_alone() -> None:
    def train(compiled: bool) -> Any:
        network: Any = MLP(2, [3, 3], "tanh", bias="shared", generator=random.Random(1))
        fit(network, data(half_squared_error, 8), rounds=20, compiled=compiled)
        return network.state_dict()

    assert train(True) == pytest.approx(train(False), rel=1e-12 if IS_EXACT else 1e-9)


@pytest.mark.parametrize(
    "change",
    [
        lambda inputs, target: (tuple(inputs), target),
        lambda inputs, target: (np.array(inputs), np.array(target)),
        lambda inputs, target: (np.array(inputs, np.float32).astype(int), tuple(target)),
        lambda inputs, target: ([Constant(inputs[0], "a"), inputs[1]], [Constant(target[0], "t")]),
    ],
)
def test_inputs_and_targets_of_any_kind(change: Any) -> None:
    cases = [change(*case) for case in XOR]

    def train(compiled: bool) -> dict[str, float]:
        network = small_network()
        fit(network, cases, rounds=5, compiled=compiled)
        return network.state_dict()

    assert train(True) == same(train(False))


def test_a_network_of_ones_own() -> None:
    class Table(Module):
        """Takes a dict, and gives numbers in a nesting of its own."""

        def __init__(self) -> None:
            self.weights = {"a": Value(0.5), "b": Value(-0.25)}

        def __call__(self, inputs: Any) -> Any:
            terms = [self.weights[name] * inputs[name] for name in inputs]
            return {"sum": terms[0] + terms[1], "sign": where(greater(terms[0], 0.0), 1.0, -1.0)}

    def loss(output: Any, target: Any) -> Any:
        return (sigmoid(output["sum"]) - target) ** 2 * output["sign"]

    cases = [({"a": 1.0, "b": 2.0}, 0.5), ({"a": -1.0, "b": 0.5}, 0.25)]

    def train(compiled: bool) -> Any:
        network = Table()
        history = fit(network, cases, loss=loss, rounds=5, validation=cases[:1], compiled=compiled)
        return network.state_dict(), {}, history

    assert_same(train(True), train(False))


def test_a_class_among_one_and_targets_of_wrapped_losses() -> None:
    for cases in ([([0.5], 0), ([1.0], 0)], [([0.5], 1.0), ([1.0], 1.0)]):
        networks = [MLP(1, [1, 1], "tanh", generator=random.Random(1)) for _ in range(2)]
        for network, compiled in zip(networks, (True, False), strict=True):
            fit(network, cases, loss=lambda o, t: softmax_cross_entropy([o], t), rounds=3, compiled=compiled)
        assert networks[0].state_dict() == same(networks[1].state_dict())
    choice: Any = MLP(1, [3])
    with pytest.raises(ValueError, match=r"cases\[1\] does not fit: the target class must be an index of the logits"):
        fit(choice, [([0.5], 0), ([1.0], 3)], loss=lambda o, t: 1.0 * softmax_cross_entropy(o, t), compiled=True)


# Interrupts, files and errors.


@pytest.mark.engine_independent
@pytest.mark.parametrize("way", ["whole", "picked", "batches"])
def test_an_interrupt_at_any_line(tmp_path: Path, way: str, monkeypatch: pytest.MonkeyPatch) -> None:
    files = (*test_steps.INTERRUPTED, compiled_steps.__file__, training_programs.__file__, functional.__file__)
    monkeypatch.setattr(test_steps, "INTERRUPTED", files)
    # What traces lines can raise an error between the end of a `with` block and the release of its lock.
    monkeypatch.setattr(functional, "_replacing", threading.RLock())
    monkeypatch.setattr(compiled_steps, "MOST_STEPS", 2)  # so that a step may be undone after one or after several
    test_steps.check_interrupts(tmp_path, way, every=5, compiled=True)


@pytest.mark.parametrize("interrupts", [[40], [40, 42], [40, 42, 43, 44], [16, 17, 18]])
def test_further_interrupts_do_not_lose_a_step(interrupts: list[int], monkeypatch: pytest.MonkeyPatch) -> None:
    """They come in the 40th step or the 16th, and while the state before it is computed again."""
    step, calls = training_programs.UpdateProgram.run, itertools.count(1)

    def interrupted(self: Any, *arguments: Any) -> Any:
        result = step(self, *arguments)
        if next(calls) in interrupts:
            raise KeyboardInterrupt
        return result

    monkeypatch.setattr(training_programs.UpdateProgram, "run", interrupted)
    network, other = small_network(), small_network()
    optimizer = SGD(network.parameters(), 0.1, momentum=0.9)
    try:
        fit(network, XOR, optimizer=optimizer, rounds=100, compiled=True)
    except KeyboardInterrupt:
        assert len(interrupts) > 1
    done = interrupts[0] - 1
    assert optimizer.steps == done
    fit(other, XOR, optimizer=SGD(other.parameters(), 0.1, momentum=0.9), rounds=done)
    assert network.state_dict() == same(other.state_dict())


@pytest.mark.parametrize("error", [KeyboardInterrupt, LookupError])
def test_what_a_callback_changed_before_an_error_is_undone(error: Any) -> None:
    found = []
    for compiled in (False, True):
        network = small_network()
        optimizer = SGD(network.parameters(), 0.1, momentum=0.9)

        def change(history: History, network: Any = network, optimizer: Any = optimizer) -> None:
            if history.rounds == 3:
                network.parameters()[0].data = 99.0
                optimizer.memory = [[1.0] * len(optimizer.parameters)]
                raise error

        with contextlib.suppress(LookupError):
            fit(network, XOR, optimizer=optimizer, rounds=9, callback=change, compiled=compiled)
        assert optimizer.steps == 3
        found.append([*optimizer.memory, list(network.state_dict().values())])
    for expected, made in zip(*found, strict=True):
        assert made == same(expected)


@pytest.mark.parametrize("count", [1, 3, 7, 10, 49])
def test_gradients_that_cases_have_in_common_are_added_one_by_one(count: int) -> None:
    generator = random.Random(5)
    cases = [([generator.uniform(-1, 1), generator.uniform(-1, 1)], 1.0) for _ in range(count)]
    found = []
    for compiled in (False, True):
        network: Any = MLP(2, [1], None, generator=random.Random(1))
        optimizer = SGD(network.parameters(), 0.1)
        fit(network, cases, optimizer=optimizer, loss=lambda out, t: out - t, rounds=2, compiled=compiled)
        found.append([*optimizer.memory, list(network.state_dict().values())])
    for expected, made in zip(*found, strict=True):
        assert made == same(expected)


def test_files_are_the_same_as_those_of_an_eager_training(tmp_path: Path) -> None:
    """A training may go on either way, to the same bits."""
    cases = data(half_squared_error, 7)
    settings: dict[str, Any] = {"batch_size": 2, "shuffle": 3}
    expected = trained(False, cases, rounds=9, **settings)
    for first, second in itertools.product((False, True), repeat=2):
        path = tmp_path / f"{first}{second}.json"
        trained(first, cases, rounds=4, checkpoint=path, **settings)
        made = trained(second, cases, rounds=9, checkpoint=path, resume=True, **settings)
        assert made[0] == same(expected[0])
        assert made[2].errors == pytest.approx(expected[2].errors[4:], rel=1e-12 if IS_EXACT else 1e-9)


def test_a_file_is_written_in_the_middle(tmp_path: Path) -> None:
    path = tmp_path / "training.json"
    network, found = small_network(), []

    def watch(history: History) -> None:
        if history.rounds == 4:
            other = small_network(2)
            load_network(other, path)
            found.append(json.loads(path.read_text())["training"]["rounds"])
            found.append(other.state_dict())

    fit(network, XOR, rounds=5, checkpoint=path, checkpoint_every=3, callback=watch, compiled=True)
    third = small_network()
    fit(third, XOR, rounds=3)
    assert found == [3, same(third.state_dict())]


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such signals")
@pytest.mark.parametrize("batch_size", [None, 50])
@pytest.mark.usefixtures("interruptible")
def test_ctrl_c_ends_a_long_training_soon(batch_size: int | None) -> None:
    """After whole steps, within a fifth of a second of the processor, which other programs do not change."""
    network = MLP(2, [16, 16, 1], generator=random.Random(1))
    cases = [(inputs, target[0]) for inputs, target in data(half_squared_error, 20000)]
    optimizer = Adam(network.parameters(), 1e-4)
    sent = []

    def send() -> None:
        sent.append(time.process_time())
        os.kill(os.getpid(), signal.SIGINT)

    def watch(history: History) -> None:
        if history.rounds == 1:
            threading.Timer(0.05, send).start()

    history = fit(
        network, cases, optimizer=optimizer, rounds=10**6, batch_size=batch_size, callback=watch, compiled=True
    )
    assert time.process_time() - sent[0] < 0.2
    assert history.interrupted
    batches = 1 if batch_size is None else 400
    assert optimizer.steps == history.rounds * batches + history.batches
    again = MLP(2, [16, 16, 1], generator=random.Random(1))
    if batch_size is None:
        fit(again, cases, optimizer=Adam(again.parameters(), 1e-4), rounds=history.rounds, compiled=True)
        assert again.state_dict() == network.state_dict()


@pytest.mark.parametrize("compiled", [False, True])
def test_divergence_is_told_in_the_same_words(compiled: bool) -> None:
    network = MLP(1, [1], generator=random.Random(1))
    optimizer = SGD(network.parameters(), 1e30)
    with pytest.raises(FloatingPointError) as caught:
        fit(network, [([1.0], 5.0), ([2.0], 1.0)], optimizer=optimizer, rounds=1000, compiled=compiled)
    words = "the training diverged at round 7: the error is inf; lower the learning rate (now 1e+30) and train again"
    assert str(caught.value) == words
    assert optimizer.steps == 6
    weight = MLP(1, [1], bias=None).parameters()[0]
    weight.data = 1e10
    with pytest.raises(FloatingPointError, match="diverged at round 1: a parameter after the step is -inf"):
        fit(_of(weight), [([1.0], 0.0)], optimizer=SGD([weight], 1e300), rounds=1, compiled=compiled)
    assert weight.data == 1e10


def _of(weight: Value) -> Module:
    network = Neuron(1, None, bias=False)
    network.weights = [weight]  # type: ignore[list-item]  # a leaf as good as a Parameter
    return network


def test_outside_a_domain_the_engine_says_what_happened() -> None:
    def loss(output: Value, target: Any) -> Any:
        return (output - 0.4).log() * target[0] + output

    states = []
    for compiled in (False, True):
        network = small_network()
        with pytest.raises(ValueError, match=r"cannot take log of -0\.\d+: log needs a positive input"):
            fit(network, XOR, loss=loss, rounds=500, compiled=compiled)
        states.append(network.state_dict())
    assert states[1] == same(states[0])


def test_average_error_after_training_is_that_of_the_history() -> None:
    network = small_network()
    history = fit(network, XOR, rounds=3, validation=XOR[:3], compiled=True)
    assert history.validation_errors[-1] == same(average_error(network, XOR[:3]))


def test_the_history_makes_a_page() -> None:
    assert fit(small_network(), XOR, rounds=3, compiled=True).page() is not None


def test_a_training_that_need_not_be_exact() -> None:
    """Its products are added up in another order, where they are large."""
    pytest.importorskip("scipy", reason="there is no SciPy")
    generator = random.Random(1)
    cases = [([generator.uniform(-1, 1) for _ in range(64)], [generator.uniform(-1, 1)]) for _ in range(150)]
    found = []
    for exact in (True, False):
        network: Any = MLP(64, [80, 1], "tanh", generator=random.Random(1))
        history = fit(network, cases, rounds=5, batch_size=100, compiled=True, exact=exact)
        found.append(history.errors)
    assert found[1] == pytest.approx(found[0], rel=1e-12)
    with pytest.raises(TypeError, match="exact=False is of a compiled training: add compiled=True"):
        fit(small_network(), XOR, rounds=1, exact=False)
