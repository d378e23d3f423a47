"""fit(…, patience=…): when a training ends, whose parameters are kept, and that a resumed one ends alike."""

import json
import random
from pathlib import Path
from typing import Any

import pytest

from autograd import Value
from nn import SGD, History, Module, average_error, fit, mean_squared_error
from tests.test_compiled_steps import same
from tests.test_loop import XOR, Interrupting, small_network


class Weight(Module):
    """One weight, which a training moves to 1; the error on the validation set is lowest at 1/2."""

    def __init__(self) -> None:
        self.weight = Value(0.0)

    def __call__(self, inputs: Any) -> Value:
        return self.weight * 1.0


CASES, VALIDATION = [([0.0], 1.0)], [([0.0], 0.5)]
# From 0, steps of learning rate 1/16 for (w − 1)² lead to 1 − (7/8)ⁿ, which is nearest to 1/2 for n = 5: 0.4871.
NEAREST = 1.0 - (7 / 8) ** 5


def trained(compiled: bool = False, rounds: int = 100, cases: Any = CASES, **settings: Any) -> tuple[Weight, History]:
    network = Weight()
    optimizer = SGD(network.parameters(), 1 / 16)
    settings = {"loss": mean_squared_error, "validation": VALIDATION, "patience": 3, **settings}
    return network, fit(network, cases, optimizer=optimizer, rounds=rounds, compiled=compiled, **settings)


@pytest.mark.parametrize("compiled", [False, True])
@pytest.mark.parametrize("patience", [1, 3, 7])
def test_the_network_gets_the_parameters_with_the_lowest_validation_error(patience: int, compiled: bool) -> None:
    network, history = trained(compiled, patience=patience)
    assert network.weight.data == pytest.approx(NEAREST, rel=1e-14)
    assert (history.rounds, history.best_round) == (5 + patience, 5)
    assert min(history.validation_errors) == history.validation_errors[4] == average_error(
        network, VALIDATION, mean_squared_error
    )  # fmt: skip
    assert "best in round 5" in repr(history)


@pytest.mark.parametrize("compiled", [False, True])
@pytest.mark.parametrize("rounds", [2, 6])
def test_also_where_the_rounds_are_over_before(rounds: int, compiled: bool) -> None:
    network, history = trained(compiled, rounds)
    assert network.weight.data == pytest.approx(1.0 - (7 / 8) ** min(rounds, 5), rel=1e-14)
    assert (history.rounds, history.best_round) == (rounds, min(rounds, 5))


@pytest.mark.parametrize("compiled", [False, True])
def test_also_where_a_callback_ends_it(compiled: bool) -> None:
    seen = []

    def watch(history: History) -> bool:
        seen.append(network.weight.data)
        return history.rounds == 7

    network = Weight()
    fit(network, CASES, loss=mean_squared_error, optimizer=SGD(network.parameters(), 1 / 16), validation=VALIDATION,
        patience=3, callback=watch, compiled=compiled)  # fmt: skip
    assert seen == pytest.approx([1.0 - (7 / 8) ** n for n in range(1, 8)], rel=1e-14)  # it sees the last ones
    assert network.weight.data == seen[4]


@pytest.mark.parametrize("compiled", [False, True])
def test_without_a_validation_set_it_is_the_error_of_the_training(compiled: bool) -> None:
    """Steps of learning rate 1.125 for (w − 1)² double the distance and a quarter; the error is lowest before them."""
    network = Weight()
    network.weight.data = 1.25
    history = fit(network, CASES, loss=mean_squared_error, optimizer=SGD(network.parameters(), 1.125), patience=2,
                  compiled=compiled)  # fmt: skip
    assert history.errors == [0.25**2, 0.3125**2, 0.390625**2]
    assert (network.weight.data, history.best_round) == (1.25, 1)


@pytest.mark.parametrize("compiled", [False, True])
def test_in_batches_it_is_the_round_with_the_lowest_mean(compiled: bool) -> None:
    """As in Keras the parameters after that round."""
    cases = [([0.0], 1.0), ([0.0], 0.0)]
    network = Weight()
    numbers: list[float] = []
    history = fit(
        network, cases, loss=mean_squared_error, optimizer=SGD(network.parameters(), 0.25), patience=4, batch_size=1,
        rounds=30, compiled=compiled, schedule=lambda done: 0.25 + 0.05 * done,
        callback=lambda history: numbers.append(network.weight.data))  # fmt: skip
    best = history.best_round
    assert best is not None
    assert history.errors[best - 1] == min(history.errors)
    assert history.rounds == best + 4
    assert network.weight.data == numbers[best - 1] != numbers[-1]


@pytest.mark.parametrize("compiled", [False, True])
@pytest.mark.parametrize("first", [1, 4, 6, 8])
def test_a_resumed_training_ends_alike(tmp_path: Path, first: int, compiled: bool) -> None:
    path = tmp_path / "training.json"
    whole, history = trained(compiled)
    trained(compiled, first, checkpoint=path)
    file = json.loads(path.read_text())
    assert file["parameters"]["weight"] == pytest.approx(1.0 - (7 / 8) ** first, rel=1e-14)  # to go on from
    rest, later = trained(compiled, checkpoint=path, resume=True)
    assert rest.state_dict() == whole.state_dict()
    assert (later.rounds, later.best_round) == (history.rounds, history.best_round) == (8, 5)
    again, last = trained(compiled, checkpoint=path, resume=True)  # of a training that has ended
    assert again.state_dict() == whole.state_dict()
    assert (last.rounds, last.best_round, last.errors) == (8, 5, [])


@pytest.mark.parametrize("call", [1, 3, 4, 5, 10, 16])
def test_an_interrupted_training_has_the_best_parameters_and_goes_on(tmp_path: Path, call: int) -> None:
    """Each round calls the loss for three cases, and for one that is held out."""
    path = tmp_path / "training.json"

    def train(loss: Any = mean_squared_error, **settings: Any) -> Any:
        network = small_network()
        history = fit(network, XOR, loss=loss, optimizer=SGD(network.parameters(), 2.0), rounds=12, batch_size=2,
                      shuffle=random.Random(2), validation_split=0.25, patience=3, **settings)  # fmt: skip
        return network.state_dict(), history.best_round, history.rounds

    class Interrupted(Interrupting):
        def __call__(self, outputs: Any, targets: Any) -> Value:
            super().__call__(outputs, targets)
            return mean_squared_error(outputs, targets)

    stopped = Interrupted(call)
    _, best, _ = train(stopped, checkpoint=path)
    assert stopped.calls == call
    saved = json.loads(path.read_text())["training"]["best"]
    assert saved["rounds"] == (best or 0)
    assert train(checkpoint=path, resume=True) == train()


def test_an_error_that_is_never_finite_ends_the_training(tmp_path: Path) -> None:
    path = tmp_path / "training.json"
    huge = [([0.0], 1e200)]  # the square overflows
    network, history = trained(validation=huge, checkpoint=path)
    assert (network.weight.data, history.rounds, history.best_round) == (0.0, 3, None)
    assert json.loads(path.read_text())["training"]["best"] == {"error": None, "rounds": 0, "numbers": [0.0]}
    assert trained(validation=huge, checkpoint=path, resume=True)[1].rounds == 3


@pytest.mark.parametrize(
    ("best", "message"),
    [
        (3, "its best round: 3"),
        ({"error": 0.5}, "its best round: {'error': 0.5}"),
        ({"error": 0.5, "rounds": 9, "numbers": [0.0]}, "9 of 4 rounds"),
        ({"error": "x", "rounds": 1, "numbers": [0.0]}, "'x' is not a finite number"),
        ({"error": 0.5, "rounds": 1, "numbers": [0.0, 1.0]}, "is not a list of 1 numbers"),
        ({"error": 0.5, "rounds": 1, "numbers": [None]}, "None is not a finite number"),
    ],
)
def test_a_damaged_file_is_refused_and_changes_nothing(tmp_path: Path, best: Any, message: str) -> None:
    path = tmp_path / "training.json"
    trained(rounds=4, checkpoint=path)
    content = json.loads(path.read_text())
    content["training"]["best"] = best
    path.write_text(json.dumps(content))
    network = Weight()
    with pytest.raises(ValueError, match="is damaged: its best round") as error:
        fit(network, CASES, optimizer=SGD(network.parameters(), 0.1), checkpoint=path, resume=True, patience=3)
    assert message in str(error.value)
    assert network.weight.data == 0.0


def test_a_training_without_patience_resumes_one_with_it(tmp_path: Path) -> None:
    path = tmp_path / "training.json"
    trained(rounds=4, checkpoint=path)
    network, history = trained(rounds=10, checkpoint=path, resume=True, patience=None)
    assert network.weight.data == pytest.approx(1.0 - (7 / 8) ** 10, rel=1e-14)
    assert (history.rounds, history.best_round) == (10, None)
    network, history = trained(rounds=20, checkpoint=path, resume=True)
    assert (history.rounds, history.best_round) == (14, 11)  # of those from then on, whose errors grow


def test_compiled_has_the_bits_of_eager() -> None:
    def train(compiled: bool) -> Any:
        network = small_network()
        history = fit(network, XOR, optimizer=SGD(network.parameters(), 3.0, momentum=0.95), rounds=300, patience=5,
                      compiled=compiled)  # fmt: skip
        return network.state_dict(), history.rounds, history.best_round

    made, expected = train(True), train(False)
    assert made[0] == same(expected[0])
    assert made[1:] == expected[1:]
