"""fit(): what it learns, and that nothing is lost when it is stopped, broken off or given the wrong file."""

import json
import random
from pathlib import Path
from typing import Any

import pytest

from autograd import Constant, Value
from nn import (
    MLP,
    SGD,
    Adam,
    History,
    Module,
    Neuron,
    accuracy,
    average_error,
    binary_cross_entropy,
    fit,
    half_squared_error,
    save_network,
)

XOR = [([0, 0], [0]), ([0, 1], [1]), ([1, 0], [1]), ([1, 1], [0])]


def small_network(seed: int = 1) -> MLP:
    return MLP(2, [4, 1], "tanh", "sigmoid", generator=random.Random(seed))


def test_learns_xor() -> None:
    network = MLP(2, [8, 1], "tanh", generator=random.Random(1))
    cases = [(inputs, target) for inputs, (target,) in XOR]
    history = fit(network, cases, loss=binary_cross_entropy, optimizer=Adam(network.parameters(), 0.05), rounds=300)
    assert (history.rounds, len(history.errors), history.interrupted) == (300, 300, False)
    assert history.errors[-1] < 0.01 < history.errors[0]
    assert [network(inputs).data > 0 for inputs, _ in XOR] == [False, True, True, False]


def test_a_round_is_the_mean_over_all_cases() -> None:
    network = MLP(1, [1], bias=None)
    weight = network.parameters()[0]
    weight.data = 1.0
    history = fit(network, [([1.0], 0.0), ([2.0], 1.0)], optimizer=SGD([weight], 0.1), rounds=1)
    assert history.errors == [pytest.approx((0.5 * 1 + 0.5 * 1) / 2)]
    assert weight.data == pytest.approx(1.0 - 0.1 * (1.0 * 1.0 + 1.0 * 2.0) / 2)


def test_no_rounds_change_nothing() -> None:
    network = small_network()
    before = network.state_dict()
    assert fit(network, XOR, rounds=0) == History()
    assert network.state_dict() == before


def test_a_program_of_ones_own_trains_what_takes_no_numbers() -> None:
    class Table(Module):
        def __init__(self) -> None:
            self.rows = {"a": Value(0.0), "b": Value(0.0)}

        def __call__(self, word: str) -> Value:
            return self.rows[word]

    table = Table()
    fit(table, [("a", 1.0), ("b", -2.0)], rounds=200)
    assert [value.data for value in table.rows.values()] == pytest.approx([1.0, -2.0], abs=1e-9)


# Stopped and resumed.


class Interrupting:
    """A loss during which Ctrl-C is pressed, at its n-th call."""

    def __init__(self, at: int) -> None:
        self.calls, self.at = 0, at

    def __call__(self, outputs: Any, targets: Any) -> Value:
        self.calls += 1
        if self.calls == self.at:
            raise KeyboardInterrupt
        return half_squared_error(outputs, targets)


def test_resuming_is_as_if_there_had_been_no_break(tmp_path: Path) -> None:
    path = tmp_path / "training.json"

    def train(rounds: int) -> tuple[MLP, History]:
        network = small_network()
        settings: dict[str, Any] = {"optimizer": Adam(network.parameters(), 0.03), "pick": random.Random(7)}
        return network, fit(network, XOR, rounds=rounds, checkpoint=path, resume=True, **settings)

    whole, _ = train(200)
    path.unlink()
    train(60)
    rest, history = train(200)
    assert (history.rounds, len(history.errors)) == (200, 140)
    assert rest.state_dict() == whole.state_dict()
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize(("rounds", "every"), [(25, 10), (4, 1)])
def test_checkpoints_are_written_on_the_way(tmp_path: Path, rounds: int, every: int) -> None:
    path = tmp_path / "training.json"
    seen = []

    def look(outputs: Any, targets: Any) -> Value:
        seen.append(json.loads(path.read_text())["training"]["rounds"] if path.exists() else None)
        return half_squared_error(outputs, targets)

    fit(small_network(), XOR[:1], loss=look, rounds=rounds, checkpoint=path, checkpoint_every=every)
    assert seen == [done // every * every or None for done in range(rounds)]
    assert json.loads(path.read_text())["training"]["rounds"] == rounds


def test_resuming_from_the_wrong_file_changes_nothing(tmp_path: Path) -> None:
    network = small_network()
    before = network.state_dict()
    plain = save_network(network, tmp_path / "plain.json")
    with pytest.raises(ValueError, match=r"cannot resume from .*plain\.json: .*no training.*remove the file"):
        fit(network, XOR, checkpoint=plain, resume=True)
    trained = tmp_path / "trained.json"
    other = small_network(2)
    fit(other, XOR, rounds=3, checkpoint=trained, optimizer=Adam(other.parameters()))
    with pytest.raises(ValueError, match="the state is of the optimizer 'Adam', not of SGD"):
        fit(network, XOR, checkpoint=trained, resume=True)
    assert network.state_dict() == before


def test_what_fit_does_unless_told_otherwise() -> None:
    """A thousand rounds of gradient descent with a learning rate of 0.5, and a checkpoint each thousand."""
    network = MLP(1, [1], bias=None)
    weight = network.parameters()[0]
    weight.data = 1.0
    fit(network, [([1.0], 0.0)], rounds=1)
    assert weight.data == 0.5
    assert fit(network, [([1.0], 0.0)]).rounds == 1000


# Batches, schedules, metrics and callbacks.


def one_weight(number: float = 1.0) -> tuple[Neuron, Value]:
    neuron = Neuron(1, None, bias=False, generator=random.Random(1))
    neuron.weights[0].data = number
    return neuron, neuron.weights[0]


def test_a_step_for_each_batch() -> None:
    """By hand: (1·1 − 0)·1 = 1 and (2·1 − 1)·2 = 2 give w = 1 − 0.1·1.5; then (3·0.85 − 2)·3 = 1.65."""
    neuron, weight = one_weight()
    cases = [([1.0], 0.0), ([2.0], 1.0), ([3.0], 2.0)]
    history = fit(neuron, cases, optimizer=SGD([weight], 0.1), rounds=1, batch_size=2)
    assert weight.data == pytest.approx(0.85 - 0.165, rel=1e-15)
    assert history.errors == [pytest.approx((0.5 + 0.5 + 0.5 * 0.55**2) / 3, rel=1e-14)]
    assert (history.rounds, history.batches) == (1, 0)


def test_one_batch_of_all_cases_is_a_round_without_batches() -> None:
    plain, batched, large = (small_network() for _ in range(3))
    expected = fit(plain, XOR, rounds=20)
    assert fit(batched, XOR, rounds=20, batch_size=4) == fit(large, XOR, rounds=20, batch_size=1000) == expected
    assert batched.state_dict() == large.state_dict() == plain.state_dict()


class Noting:
    """A loss that notes the inputs which the network is the identity of."""

    def __init__(self) -> None:
        self.seen: list[float] = []

    def __call__(self, output: Value, target: float) -> Value:
        self.seen.append(target)
        return output * 0.0


def test_shuffled_batches_take_every_case_once_a_round() -> None:
    def order(seed: int | None) -> list[list[float]]:
        neuron, _ = one_weight()
        loss = Noting()
        shuffle = None if seed is None else random.Random(seed)
        fit(neuron, [([1.0], float(i)) for i in range(7)], loss=loss, rounds=4, batch_size=3, shuffle=shuffle)
        return [loss.seen[start : start + 7] for start in range(0, 28, 7)]

    in_order = [float(i) for i in range(7)]
    assert order(None) == [in_order] * 4
    state = random.getstate()
    rounds = order(5)
    assert random.getstate() == state
    assert all(sorted(one) == in_order for one in rounds)
    assert len({tuple(one) for one in rounds}) == 4
    assert order(5) == rounds != order(6)


def test_a_schedule_gives_the_learning_rate_of_each_round() -> None:
    """The gradient of ½ w² is w, so a step is a factor of 1 − η."""
    neuron, weight = one_weight()
    asked = []

    def schedule(rounds: int) -> float:
        asked.append(rounds)
        return [0.5, 0.25, 0.125][rounds]

    optimizer = SGD([weight], 1.0)
    history = fit(neuron, [([1.0], 0.0)], optimizer=optimizer, rounds=3, schedule=schedule)
    assert weight.data == 0.5 * 0.75 * 0.875
    assert history.learning_rates == [0.5, 0.25, 0.125]
    assert asked == [0, 1, 2]
    assert optimizer.learning_rate == 0.125
    with pytest.raises(ValueError, match=r"learning rate must be at least 0 .* got -1\.0"):
        fit(neuron, [([1.0], 0.0)], rounds=1, schedule=lambda rounds: -1.0)
    assert weight.data == 0.5 * 0.75 * 0.875


def test_a_metric_is_kept_for_the_cases_and_the_validation_set() -> None:
    network = MLP(2, [8, 1], "tanh", generator=random.Random(1))
    cases = [(inputs, target) for inputs, (target,) in XOR]
    validation = [([0.1, 0.9], 1), ([0.9, 0.9], 0)]
    seen: list[tuple[float, ...]] = []

    def look(history: History) -> None:
        seen.append(
            (
                accuracy(network, cases, binary_cross_entropy),
                average_error(network, validation, binary_cross_entropy),
                accuracy(network, validation, binary_cross_entropy),
            )
        )

    history = fit(
        network, cases, loss=binary_cross_entropy, optimizer=Adam(network.parameters(), 0.05), rounds=100,
        metric=accuracy, validation=validation, callback=look, batch_size=3,
    )  # fmt: skip
    kept = zip(history.metrics, history.validation_errors, history.validation_metrics, strict=True)
    assert list(kept) == seen
    assert len(seen) == history.rounds == 100
    assert seen[0][0] < 1.0 == seen[-1][0]
    assert history.validation_errors[-1] < history.validation_errors[0]


def test_without_a_metric_the_validation_set_has_its_error() -> None:
    network = small_network()
    history = fit(network, XOR[:3], rounds=3, validation=iter(XOR[3:]))
    assert history.validation_errors[-1] == average_error(network, XOR[3:])
    assert (len(history.validation_errors), history.metrics, history.validation_metrics) == (3, [], [])


def test_a_metric_of_ones_own_records_nothing() -> None:
    kinds: set[type] = set()

    def largest(network: Module, cases: Any, loss: Any) -> Any:
        outputs = [network(inputs) for inputs, _ in cases]
        kinds.update(map(type, outputs))
        return max(outputs)

    history = fit(small_network(), XOR, rounds=2, metric=largest)
    assert kinds == {Constant}
    assert all(isinstance(number, float) and 0.0 < number < 1.0 for number in history.metrics)
    assert len(history.metrics) == 2


def test_a_callback_after_each_round_may_end_the_training(tmp_path: Path) -> None:
    network, whole, path = small_network(), small_network(), tmp_path / "training.json"
    rounds = []

    def stop(history: History) -> bool:
        rounds.append((history.rounds, len(history.errors)))
        return history.rounds == 4

    history = fit(network, XOR, rounds=10, callback=stop, checkpoint=path, batch_size=3)
    assert rounds == [(1, 1), (2, 2), (3, 3), (4, 4)]
    assert (history.rounds, history.interrupted) == (4, False)
    fit(whole, XOR, rounds=4, batch_size=3)
    assert network.state_dict() == whole.state_dict()
    assert json.loads(path.read_text())["training"]["rounds"] == 4


def test_what_a_callback_changes_stays_changed() -> None:
    neuron, weight = one_weight()
    optimizer = SGD([weight], 0.5)

    def change(history: History) -> None:
        weight.data = 8.0
        optimizer.learning_rate = 0.25

    loss = Interrupting(at=2)
    history = fit(neuron, [([1.0], 0.0)], loss=loss, optimizer=optimizer, rounds=5, callback=change)
    assert (history.rounds, history.interrupted) == (1, True)
    assert (weight.data, optimizer.learning_rate) == (8.0, 0.25)
    fit(neuron, [([1.0], 0.0)], optimizer=optimizer, rounds=1)
    assert weight.data == 6.0


def test_the_data_are_looked_at_before_the_learning_rate() -> None:
    """Where no step was taken yet, the learning rate cannot be what made an error infinite."""
    with pytest.raises(
        FloatingPointError, match=r"at round 1: the error is inf; no step was taken yet, so look at the"
    ):
        fit(one_weight()[0], [([1e200], 0.0)], rounds=1)


def test_a_gradient_that_is_not_finite_is_named_as_such() -> None:
    network = MLP(1, [1], bias=None)
    weight = network.parameters()[0]
    weight.data = 0.0
    with pytest.raises(FloatingPointError, match="diverged at round 1: a gradient is inf"):
        fit(network, [([1.0], 0.0)], loss=lambda output, target: output.sqrt(), rounds=1)
    assert weight.data == 0.0
