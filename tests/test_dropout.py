"""Dropout: what it leaves out and when, and that masks are the same however a training runs, stops and goes on."""

import copy
import itertools
import json
import pickle
import random
from pathlib import Path
from typing import Any

import pytest

from autograd import Value, compile, grad, log
from nn import (
    MLP,
    SGD,
    Adam,
    Dropout,
    History,
    Layer,
    Module,
    average_error,
    fit,
    functional_call,
    load_network,
    mean_squared_error,
    save_network,
)
from nn.training import compiled_steps, masks
from tests import test_steps
from tests.test_compiled_steps import assert_same, data, same
from tests.test_loop import XOR, Interrupting
from tests.test_steps import interrupted_at


class Dropping(Module):
    """A network that drops inputs and hidden neurons."""

    def __init__(self, seed: int = 1, outputs: int = 1, **shared: Any) -> None:
        generator = random.Random(seed)
        self.hidden = Layer(2, 6, "tanh", generator=generator)
        self.output = Layer(6, outputs, None, generator=generator)
        self.first = Dropout(0.25, shared.get("generator") or random.Random(seed + 1))
        self.second = Dropout(0.5, shared.get("generator") or random.Random(seed + 2))

    def __call__(self, inputs: Any) -> list[Value]:
        return self.output(self.second(self.hidden(self.first(inputs))))


def test_outside_training_nothing_changes() -> None:
    dropout = Dropout(0.9)
    inputs: list[Any] = [Value(1.0), 2.0]
    assert dropout(inputs) == inputs
    dropout.train()
    dropout.eval()
    assert dropout(inputs) == inputs


def test_in_training_numbers_are_0_or_larger_by_1_over_1_minus_rate() -> None:
    dropout = Dropout(0.25, random.Random(1)).train()
    found = [number for _ in range(100) for number in dropout([3.0] * 100)]
    assert set(found) == {0.0, 4.0}
    # Of 10,000 numbers 2,500 are left out, with a standard deviation of √(10,000 · 0.25 · 0.75) = 43.3.
    assert abs(found.count(0.0) - 2500) < 5 * 43.3


def test_a_number_that_is_left_out_has_no_gradient() -> None:
    numbers = [Value(1.0 + place) for place in range(20)]
    out = Dropout(0.5, random.Random(1)).train()(numbers)
    total: Any = sum(out)
    total.backward()
    kept = [bool(getattr(number, "data", number)) for number in out]
    assert set(kept) == {True, False}
    assert [number.grad for number in numbers] == [2.0 if is_kept else 0.0 for is_kept in kept]


def test_each_dropout_has_a_generator_of_its_own() -> None:
    random.seed(3)
    one, other = Dropout().train(), Dropout().train()
    assert one([1.0] * 50) != other([1.0] * 50)
    random.seed(3)
    again = Dropout().train()
    state = random.getstate()
    assert again([1.0] * 50) == one_of_seed(3)
    assert random.getstate() == state


def one_of_seed(seed: int) -> list[Any]:
    random.seed(seed)
    return Dropout().train()([1.0] * 50)


@pytest.mark.parametrize("rate", [-0.1, 1.0, 2, float("nan")])
def test_a_rate_out_of_its_range_is_refused(rate: float) -> None:
    with pytest.raises(ValueError, match=r"rate of a Dropout must be .* below 1, such as Dropout\(0\.5\), got"):
        Dropout(rate)
    dropout = Dropout().train()
    dropout.rate = rate
    with pytest.raises(ValueError, match="rate of a Dropout"):
        dropout([1.0])


@pytest.mark.parametrize("rate", ["0.5", None, True, [0.5]])
def test_a_rate_that_is_no_number_is_refused(rate: Any) -> None:
    with pytest.raises(TypeError, match="rate of a Dropout must be a number"):
        Dropout(rate)


def test_what_is_no_generator_or_no_list_is_refused() -> None:
    wrong: Any = 7
    with pytest.raises(TypeError, match=r"must be a random\.Random, got 7; write Dropout\(0\.5, random\.Random\(1\)\)"):
        Dropout(0.5, wrong)
    for thing in (Value(1.0), 2.0):
        wrong = thing
        with pytest.raises(TypeError, match=r"takes a list of numbers, got .*; write dropout\(\[x\]\)"):
            Dropout()(wrong)


def test_train_and_eval_reach_all_modules_and_return_the_module() -> None:
    class Outer(Module):
        def __init__(self) -> None:
            self.parts = {"a": [Dropping()]}
            self.mlp = MLP(2, [2])

    outer = Outer()
    inner = outer.parts["a"][0]
    parts: list[Module] = [outer, inner, inner.first, inner.second, inner.hidden, outer.mlp.layers[0].neurons[1]]
    assert [part.training for part in parts] == [False] * 6
    assert outer.train() is outer
    assert [part.training for part in parts] == [True] * 6
    assert inner.eval() is inner
    assert [part.training for part in parts] == [True, False, False, False, False, True]
    outer.train(False)
    assert not outer.training


def test_an_attribute_training_of_another_kind_is_left_alone() -> None:
    class Own(Module):
        def __init__(self) -> None:
            self.weight = Value(0.5)
            vars(self)["training"] = XOR

        def __call__(self, inputs: Any) -> Any:
            return self.weight * inputs[0]

    own = Own()
    fit(own, [([1.0], 1.0)], rounds=1)
    assert vars(own.train())["training"] is XOR


def test_copies_and_pickles_draw_the_same() -> None:
    dropout = Dropout(0.5, random.Random(4)).train()
    others = [copy.deepcopy(dropout), pickle.loads(pickle.dumps(dropout))]
    drawn = dropout([1.0] * 30)
    assert [other([1.0] * 30) for other in others] == [drawn, drawn]


def test_a_network_within_a_function_that_is_differentiated_may_drop() -> None:
    network = Dropping().train()
    state = network.first.generator.getstate(), network.second.generator.getstate()
    numbers = [parameter.data for parameter in network.parameters()]
    slopes = grad(lambda given: functional_call(network, given, [1.0, 2.0])[0])(numbers)
    network.first.generator.setstate(state[0])
    network.second.generator.setstate(state[1])
    network([1.0, 2.0])[0].backward()
    assert slopes == [parameter.grad for parameter in network.parameters()]


def test_a_compiled_function_that_would_repeat_its_masks_is_refused() -> None:
    network = Dropping()
    compiled = compile(lambda inputs: network(inputs)[0])
    assert compiled([1.0, 2.0]) == same(network([1.0, 2.0])[0].data)
    network.train()
    compiled.clear()
    with pytest.raises(TypeError, match=r"leave out the same numbers at each call: call network\.eval\(\) before"):
        compiled([1.0, 2.0])


def test_a_network_with_dropout_is_saved_and_loaded(tmp_path: Path) -> None:
    network, other = Dropping(1), Dropping(2)
    load_network(other, save_network(network, tmp_path / "network.json"))
    assert other.state_dict() == network.state_dict()
    other.second.rate = 0.3
    with pytest.raises(ValueError, match=r"second has rate 0\.5, here it has 0\.3"):
        load_network(other, tmp_path / "network.json")


# In a training.


def trained(compiled: bool, cases: Any = None, outputs: int = 3, **settings: Any) -> Any:
    for name in ("pick", "shuffle"):
        if name in settings:
            settings[name] = random.Random(settings[name])
    shared = random.Random(8) if settings.pop("shares", False) else None
    network = Dropping(outputs=outputs, generator=shared)
    optimizer = Adam(network.parameters(), 0.02)
    cases = data(mean_squared_error, 11) if cases is None else cases
    settings = {"rounds": 6, "loss": mean_squared_error, **settings}
    history = fit(network, cases, optimizer=optimizer, compiled=compiled, **settings)
    states = [dropout.generator.getstate() for dropout in (network.first, network.second)]
    return network.state_dict(), optimizer.state_dict(), history, states


SETTINGS: list[dict[str, Any]] = [
    {},
    {"batch_size": 4},
    {"batch_size": 4, "shuffle": 3},
    {"batch_size": 4, "shuffle": 3, "shares": True},
    {"pick": 5, "rounds": 20},
    {"metric": average_error, "validation_split": 0.3, "batch_size": 2, "patience": 2},
    {"clip_norm": 0.2, "l1": 0.01, "l2": 0.01, "batch_size": 3, "shares": True},
    {"callback": lambda history: None, "schedule": lambda rounds: 0.1 / (1 + rounds)},
    {"rounds": 40, "batch_size": 1},
]


@pytest.mark.parametrize("settings", SETTINGS)
def test_a_compiled_training_has_the_masks_and_the_bits_of_an_eager_one(settings: dict[str, Any]) -> None:
    made, expected = trained(True, **settings), trained(False, **settings)
    assert_same(made, expected)
    assert made[3] == expected[3]
    assert made[2].validation_errors == same(expected[2].validation_errors)


class Holding:
    """A network whose class is not made from Module, around one that is."""

    def __init__(self, network: Any) -> None:
        self.parts = {"all": [network]}
        self.seen = {Value(1.0), Value(2.0)}  # of which a Module would have to name the parameters

    def parameters(self) -> Any:
        return self.parts["all"][0].parameters()

    def __call__(self, inputs: Any) -> Any:
        return self.parts["all"][0](inputs)


@pytest.mark.parametrize("compiled", [False, True])
def test_a_dropout_within_any_class_with_parameters_drops(compiled: bool) -> None:
    inner, alone = Dropping(outputs=3), Dropping(outputs=3)
    holding: Any = Holding(inner)
    for network in (holding, alone):
        fit(network, data(mean_squared_error, 5), loss=mean_squared_error, rounds=3, compiled=compiled)
    assert inner.state_dict() == alone.state_dict()
    assert not inner.training


@pytest.mark.parametrize("compiled", [False, True])
def test_each_case_of_each_step_has_a_mask_of_its_own(compiled: bool) -> None:
    """Gradient descent by hand, with masks drawn in the order of steps, cases and numbers."""
    network, drawn = Dropping(outputs=3), Dropping(outputs=3)
    cases = data(mean_squared_error, 5)
    fit(network, cases, loss=mean_squared_error, optimizer=SGD(network.parameters(), 0.1), rounds=2, batch_size=2,
        compiled=compiled)  # fmt: skip
    by_hand = Dropping(outputs=3)
    optimizer = SGD(by_hand.parameters(), 0.1)
    for _ in range(2):
        for batch in (cases[:2], cases[2:4], cases[4:]):
            errors: list[Any] = []
            for inputs, target in batch:
                kept = [drawn.first.generator.random() >= 0.25 for _ in range(2)]
                hidden = by_hand.hidden(
                    [x * (4 / 3) if keep else x * 0.0 for x, keep in zip(inputs, kept, strict=True)]
                )
                kept = [drawn.second.generator.random() >= 0.5 for _ in range(6)]
                out = by_hand.output([h * 2.0 if keep else h * 0.0 for h, keep in zip(hidden, kept, strict=True)])
                errors.append(mean_squared_error(out, target))
            optimizer.zero_grad()
            (sum(errors) / len(errors)).backward()
            optimizer.step()
    assert list(network.state_dict().values()) == pytest.approx(list(by_hand.state_dict().values()), rel=1e-12)


@pytest.mark.parametrize("compiled", [False, True])
def test_only_steps_drop(compiled: bool) -> None:
    """Neither metrics nor the validation set, a callback, nor the network afterwards, whatever it was before."""
    network = Dropping().train()
    cases = [(inputs, target) for inputs, target in XOR]
    seen = []

    def measure(network: Any, cases: Any, loss: Any) -> float:
        state = network.first.generator.getstate()
        seen.append([out.data for out in network([0.5, 1.0])] == [out.data for out in network([0.5, 1.0])])
        seen.append(not network.training and network.first.generator.getstate() == state)
        return 0.0

    def watch(history: History) -> None:
        measure(network, cases, None)
        network.train()  # which is not what a callback should do

    before = network.first.generator.getstate()
    history = fit(network, cases, rounds=0)
    assert network.first.generator.getstate() == before  # the checks draw nothing
    network.train()
    history = fit(network, cases, rounds=3, metric=measure, validation=cases[:2], callback=watch, compiled=compiled)
    assert seen == [True] * 18
    assert not network.training
    assert not network.second.training
    assert history.validation_errors[-1] != average_error(network.train(), cases[:2])
    assert history.validation_errors[-1] == pytest.approx(average_error(network.eval(), cases[:2]), rel=1e-14)


@pytest.mark.parametrize("compiled", [False, True])
def test_a_rate_of_0_changes_nothing(compiled: bool) -> None:
    def train(rate: float | None) -> Any:
        network = Dropping(outputs=3)
        network.first.rate = network.second.rate = rate or 0.0
        if rate is None:
            network.first = network.second = lambda numbers: numbers  # type: ignore[assignment]  # without any
        fit(network, data(mean_squared_error, 5), rounds=5, compiled=compiled)
        return network.state_dict()

    assert train(0.0) == train(None)


@pytest.mark.parametrize("compiled", [False, True])
@pytest.mark.parametrize("batches", [{}, {"batch_size": 3, "shuffle": 4}])
def test_a_resumed_training_equals_one_without_a_break(tmp_path: Path, batches: Any, compiled: bool) -> None:
    path = tmp_path / "training.json"
    whole = trained(compiled, rounds=9, **batches)
    trained(compiled, rounds=4, checkpoint=path, **batches)
    assert len(json.loads(path.read_text())["training"]["dropout"]) == 2
    rest = trained(not compiled, rounds=9, checkpoint=path, resume=True, **batches)
    assert rest[0] == same(whole[0])
    assert rest[3] == whole[3]


@pytest.mark.parametrize("call", [1, 4, 6, 12])
def test_a_training_interrupted_within_a_round_is_resumed(tmp_path: Path, call: int) -> None:
    path = tmp_path / "training.json"

    class Interrupted(Interrupting):
        def __call__(self, outputs: Any, targets: Any) -> Value:
            super().__call__(outputs, targets)
            return mean_squared_error(outputs, targets)

    settings: dict[str, Any] = {"cases": XOR, "outputs": 1, "batch_size": 1, "rounds": 5}
    trained(False, loss=Interrupted(call), checkpoint=path, **settings)
    assert trained(False, checkpoint=path, resume=True, **settings)[::3] == trained(False, **settings)[::3]


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        (None, "state of a generator for each Dropout, of which here are 2"),
        ([], "for each Dropout, of which here are 2"),
        (3, "for each Dropout"),
        ([1, 2], "the state of its generator is 1"),
    ],
)
def test_a_damaged_file_is_refused_and_changes_nothing(tmp_path: Path, changed: Any, message: str) -> None:
    path = tmp_path / "training.json"
    trained(False, rounds=2, checkpoint=path)
    content = json.loads(path.read_text())
    content["training"]["dropout"] = changed
    path.write_text(json.dumps(content))
    network = Dropping(5, 3)
    before = network.state_dict(), network.first.generator.getstate()
    with pytest.raises(ValueError, match=message):
        fit(network, data(mean_squared_error, 5), optimizer=Adam(network.parameters()), checkpoint=path, resume=True)
    assert (network.state_dict(), network.first.generator.getstate()) == before


@pytest.mark.parametrize("compiled", [False, True])
def test_a_callback_may_change_rates_generators_and_modules(compiled: bool) -> None:
    network = Dropping(outputs=3)

    def watch(history: History) -> None:
        if history.rounds == 2:
            network.first.rate = 0.75
        if history.rounds == 4:
            network.second = Dropout(0.1, random.Random(9))
        if history.rounds == 6:
            network.first = lambda numbers: numbers  # type: ignore[assignment]  # nothing is dropped there

    fit(network, data(mean_squared_error, 7), rounds=9, batch_size=3, callback=watch, compiled=compiled)
    results.setdefault("numbers", []).append(network.state_dict())
    assert results["numbers"][-1] == same(results["numbers"][0])


results: dict[str, Any] = {}


class Doubling(Module):
    """Computes otherwise in training, without chance."""

    def __init__(self) -> None:
        self.weight = Value(0.25)

    def __call__(self, inputs: Any) -> Any:
        return self.weight * inputs[0] * (2.0 if self.training else 1.0)


@pytest.mark.parametrize("compiled", [False, True])
def test_a_module_of_ones_own_may_ask_whether_it_is_in_training(compiled: bool) -> None:
    """The error (2 w − 1)² / 2 has the slope 2 (2 w − 1) = −1; outside training the error is (w − 1)² / 2."""
    network = Doubling()
    history = fit(network, [([1.0], 1.0)], optimizer=SGD([network.weight], 0.25), rounds=1, compiled=compiled,
                  validation=[([1.0], 1.0)])  # fmt: skip
    assert network.weight.data == 0.5
    assert (history.errors, history.validation_errors) == ([0.125], [0.125])


class Logarithm(Module):
    """The logarithm of a number, of which there is none when the number is left out."""

    def __init__(self) -> None:
        self.weight, self.dropout = Value(2.0, "w"), Dropout(0.9, random.Random(1))

    def __call__(self, inputs: Any) -> Value:
        (number,) = self.dropout([self.weight * inputs[0]])
        return log(number)


@pytest.mark.parametrize("compiled", [False, True])
def test_an_operation_outside_its_domain_because_of_a_mask_is_named(compiled: bool) -> None:
    network = Logarithm()
    state = network.dropout.generator.getstate()
    with pytest.raises(ValueError, match="log"):
        fit(network, [([1.0], 0.0)], rounds=1, compiled=compiled)
    assert (network.weight.data, network.training) == (2.0, False)
    assert network.dropout.generator.getstate() == state  # the step was undone


class Random(Module):
    """Draws by itself, which cannot be recorded."""

    def __init__(self) -> None:
        self.weight, self.generator = Value(0.25), random.Random(1)

    def __call__(self, inputs: Any) -> Any:
        return self.weight * inputs[0] * (self.generator.random() if self.training else 1.0)


def test_masks_of_ones_own_are_found_out() -> None:
    with pytest.raises(TypeError, match="depends on something that a program does not record, such as random numbers"):
        fit(Random(), [([1.0], 1.0)], compiled=True)


class Halves(Dropout):
    """Leaves out every second number."""

    def factors(self, count: int) -> list[float]:
        return [self.generator.choice([0.5, 1.0]) if place % 2 else 0.0 for place in range(count)]


def test_a_dropout_of_ones_own_draws_its_own_factors() -> None:
    def train(compiled: bool) -> Any:
        network = Dropping(outputs=3)
        network.second = Halves(0.5, random.Random(3))
        fit(network, data(mean_squared_error, 7), rounds=5, batch_size=3, compiled=compiled)
        return network.state_dict(), network.second.generator.getstate()

    made, expected = train(True), train(False)
    assert made[0] == same(expected[0])
    assert made[1] == expected[1]


# Interrupted.


@pytest.mark.engine_independent
@pytest.mark.parametrize("compiled", [False, True])
def test_an_interrupt_at_any_line_leaves_a_whole_step(
    tmp_path: Path, compiled: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The training then goes on from its file to the end of one that was not interrupted. A sample of the lines."""
    files = (*test_steps.INTERRUPTED, compiled_steps.__file__, masks.__file__)
    monkeypatch.setattr(test_steps, "INTERRUPTED", files)

    def train(path: Path | None, **settings: Any) -> Any:
        network = Dropping()
        optimizer = Adam(network.parameters(), 0.05)
        fit(network, XOR, optimizer=optimizer, rounds=3, batch_size=3, patience=2, l2=0.01, checkpoint=path,
            compiled=compiled, **settings)  # fmt: skip
        assert not network.training
        return network.state_dict(), network.second.generator.getstate()

    whole = train(None)
    stride = 41 if compiled else 19
    for count in itertools.count():
        path = tmp_path / f"{count}.json"
        was_interrupted, _ = interrupted_at(1 + stride * count, lambda path=path: train(path))  # type: ignore[misc]
        assert train(path, resume=True) == whole
        if not was_interrupted:
            break
    assert count > 20
