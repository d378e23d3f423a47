"""fit(): what it learns, and that nothing is lost when it is stopped, broken off or given the wrong file."""

import itertools
import json
import random
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from autograd import Value
from nn import (
    MLP,
    SGD,
    Adam,
    History,
    average_error,
    binary_cross_entropy,
    checkpoints,
    fit,
    optimizers,
    save_network,
    training,
)
from nn.losses import half_squared_error
from tests.test_content import data_of, evaluated_at, program_of

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


def test_average_error_records_nothing() -> None:
    network = small_network()
    expected = sum(half_squared_error([network(inputs)], target).data for inputs, target in XOR) / 4
    assert average_error(network, XOR) == pytest.approx(expected, rel=1e-15)


def test_no_rounds_change_nothing() -> None:
    network = small_network()
    before = network.state_dict()
    assert fit(network, XOR, rounds=0) == History()
    assert network.state_dict() == before


def test_progress_bar(capsys: pytest.CaptureFixture[str]) -> None:
    fit(small_network(), XOR, rounds=200)
    assert capsys.readouterr().err == ""  # no terminal, no bar
    fit(small_network(), XOR, rounds=200, progress=True)
    assert "200/200" in capsys.readouterr().err


def test_divergence_names_the_round() -> None:
    network = MLP(1, [1])
    with pytest.raises(FloatingPointError, match=r"diverged at round \d+: .*lower the learning rate \(now 1e\+30\)"):
        fit(network, [([1.0], 5.0)], optimizer=SGD(network.parameters(), 1e30), rounds=1000)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"cases": []}, "at least one case"),
        ({"rounds": -1}, "rounds must be at least 0"),
        ({"checkpoint_every": 0}, "checkpoint_every at least 1"),
        ({"resume": True}, "no file to resume from"),
    ],
)
def test_bad_arguments_are_refused(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        fit(small_network(), **{"cases": XOR, **arguments})


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


def test_an_interrupt_keeps_what_was_learned() -> None:
    stopped, whole = small_network(), small_network()
    history = fit(stopped, XOR, loss=Interrupting(at=10 * 4 + 2), rounds=50)
    assert (history.rounds, history.interrupted, len(history.errors)) == (10, True, 10)
    fit(whole, XOR, rounds=10)
    assert stopped.state_dict() == whole.state_dict()


@pytest.mark.parametrize("at", [None, 57])
def test_resuming_is_as_if_there_had_been_no_break(tmp_path: Path, at: int | None) -> None:
    path = tmp_path / "training.json"

    def train(rounds: int, at: int | None = None, resume: bool = True) -> tuple[MLP, History]:
        network = small_network()
        loss = half_squared_error if at is None else Interrupting(at)
        optimizer = Adam(network.parameters(), 0.03)
        history = fit(
            network, XOR, loss=loss, optimizer=optimizer, rounds=rounds, pick=random.Random(7), checkpoint=path,
            resume=resume,
        )  # fmt: skip
        return network, history

    whole, _ = train(200, resume=False)
    path.unlink()
    train(60, at)
    rest, history = train(200)
    assert history.rounds == 200
    assert len(history.errors) == 200 - (56 if at else 60)
    assert rest.state_dict() == whole.state_dict()
    assert list(tmp_path.iterdir()) == [path]


INTERRUPTED = training.__file__, checkpoints.__file__, optimizers.__file__
ROUNDS = 3


def interrupted_at(line: int, task: Callable[[], Any]) -> tuple[bool, Any]:
    """Run a task and raise a KeyboardInterrupt at its n-th line in the modules of training; whether it came so far."""
    count = 0

    def trace(frame: Any, event: str, argument: Any) -> Any:
        nonlocal count
        if frame.f_code.co_filename not in INTERRUPTED:
            return None
        if event == "line":
            count += 1
            if count == line:
                raise KeyboardInterrupt
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        result = task()
    except KeyboardInterrupt:
        result = None
    finally:
        sys.settrace(before)
    return count >= line, result


@pytest.mark.parametrize("is_picked", [True, False])
def test_an_interrupt_at_any_line_neither_loses_a_round_nor_does_one_twice(tmp_path: Path, is_picked: bool) -> None:
    """From the file as well as in memory, the training goes on to the very numbers of one without a break."""

    class Run:
        def __init__(self) -> None:
            self.network = MLP(2, [1], generator=random.Random(1))
            self.optimizer = Adam(self.network.parameters(), 0.03)
            self.pick = random.Random(7) if is_picked else None

        def fit(self, rounds: int, path: Path | None, resume: bool = False) -> History:
            return fit(
                self.network, XOR[1:3], optimizer=self.optimizer, rounds=rounds, pick=self.pick, checkpoint=path,
                checkpoint_every=2, resume=resume,
            )  # fmt: skip

    whole = Run()
    errors = whole.fit(ROUNDS, None).errors
    stopped_at = set()
    for line in itertools.count(1):
        path = tmp_path / f"{line}.json"
        run = Run()
        came, history = interrupted_at(line, lambda run=run, path=path: run.fit(ROUNDS, path))  # type: ignore[misc]  # mypy cannot infer the defaults
        if not came:
            break
        resumed = Run()
        again = resumed.fit(ROUNDS, path, resume=True)
        assert resumed.network.state_dict() == whole.network.state_dict(), line
        assert again.rounds == ROUNDS
        if history is not None:
            stopped_at.add(history.rounds)
            assert (history.interrupted, history.errors) == (True, errors[: history.rounds]), line
            assert again.errors == errors[history.rounds :], line
            run.fit(ROUNDS - history.rounds, None)
            assert run.network.state_dict() == whole.network.state_dict(), line
            assert run.optimizer.state_dict() == whole.optimizer.state_dict(), line
    assert stopped_at == set(range(ROUNDS + 1))


def test_a_loss_that_raises_leaves_the_state_of_the_last_round() -> None:
    calls = 0

    def fail(outputs: Any, targets: Any) -> Value:
        nonlocal calls
        calls += 1
        if calls == 6:
            raise LookupError
        return half_squared_error(outputs, targets)

    network, whole, pick, other = small_network(), small_network(), random.Random(3), random.Random(3)
    with pytest.raises(LookupError):
        fit(network, XOR, loss=fail, rounds=10, pick=pick)
    fit(whole, XOR, rounds=5, pick=other)
    assert network.state_dict() == whole.state_dict()
    assert pick.getstate() == other.getstate()


def test_a_step_that_overflows_is_a_divergence_too() -> None:
    network = MLP(1, [1], bias=None)
    weight = network.parameters()[0]
    weight.data = 1e10
    with pytest.raises(FloatingPointError, match="diverged at round 1: a parameter after the step is -inf"):
        fit(network, [([1.0], 0.0)], optimizer=SGD([weight], 1e300), rounds=1)
    assert weight.data == 1e10


def test_a_checkpoint_that_cannot_be_written_is_refused_before_the_training(tmp_path: Path) -> None:
    network = small_network()
    before = network.state_dict()
    with pytest.raises(FileNotFoundError, match="missing"):
        fit(network, XOR, rounds=3, checkpoint=tmp_path / "missing" / "training.json")
    assert network.state_dict() == before


def test_checkpoints_are_written_on_the_way(tmp_path: Path) -> None:
    path = tmp_path / "training.json"
    seen = []

    def look(outputs: Any, targets: Any) -> Value:
        seen.append(json.loads(path.read_text())["training"]["rounds"] if path.exists() else None)
        return half_squared_error(outputs, targets)

    fit(small_network(), XOR[:1], loss=look, rounds=25, checkpoint=path, checkpoint_every=10)
    assert seen == [None] * 10 + [10] * 10 + [20] * 5
    assert json.loads(path.read_text())["training"]["rounds"] == 25


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
    content = json.loads(trained.read_text())
    content["training"]["optimizer"]["memory"] = "none"
    trained.write_text(json.dumps(content))
    with pytest.raises(ValueError, match="cannot resume"):
        fit(network, XOR, checkpoint=trained, resume=True, optimizer=Adam(network.parameters()))
    assert network.state_dict() == before


def test_what_fit_does_unless_told_otherwise() -> None:
    """A thousand rounds of gradient descent with a learning rate of 0.5, and a checkpoint each thousand."""
    network = MLP(1, [1], bias=None)
    weight = network.parameters()[0]
    weight.data = 1.0
    fit(network, [([1.0], 0.0)], rounds=1)
    assert weight.data == 0.5
    assert fit(network, [([1.0], 0.0)]).rounds == 1000


def test_a_checkpoint_after_every_round(tmp_path: Path) -> None:
    path, seen = tmp_path / "training.json", []

    def look(outputs: Any, targets: Any) -> Value:
        seen.append(json.loads(path.read_text())["training"]["rounds"] if path.exists() else 0)
        return half_squared_error(outputs, targets)

    fit(small_network(), XOR[:1], loss=look, rounds=4, checkpoint=path, checkpoint_every=1)
    assert seen == [0, 1, 2, 3]


def test_a_gradient_that_is_not_finite_is_named_as_such() -> None:
    network = MLP(1, [1], bias=None)
    weight = network.parameters()[0]
    weight.data = 0.0
    with pytest.raises(FloatingPointError, match="diverged at round 1: a gradient is inf"):
        fit(network, [([1.0], 0.0)], loss=lambda output, target: output.sqrt(), rounds=1)
    assert weight.data == 0.0


# The page of a history.


@pytest.mark.parametrize("pick", [None, random.Random(3)])
def test_a_history_leads_to_a_page_of_the_trained_network(pick: random.Random | None) -> None:
    network = small_network()
    history = fit(network, XOR, optimizer=SGD(network.parameters(), 0.125), rounds=20, pick=pick)
    page = history.page(title="Trained")
    data = data_of(page)
    assert (page.title, data["learningRate"], data["pick"]) == ("Trained", 0.125, pick is not None)
    assert data["cases"] == [[*inputs, *targets] for inputs, targets in XOR]
    (content,) = data["graphs"]
    program = program_of(content)
    shown = {content["names"][slot]: program.numbers[slot] for slot in program.parameters}
    assert shown == {parameter.label: parameter.data for parameter in network.parameters()}
    errors = [evaluated_at(content, row)[0] for row in data["cases"]]
    assert sum(errors) / 4 == pytest.approx(average_error(network, XOR), rel=1e-14)
    fit(network, XOR, rounds=1)
    assert history.page(title="Trained").html != page.html  # it shows the network as it is when it is asked for


def test_the_page_of_a_history_has_its_loss() -> None:
    network = small_network()
    cases = [(inputs, target) for inputs, (target,) in XOR]
    history = fit(network, cases, loss=binary_cross_entropy, optimizer=Adam(network.parameters(), 0.05), rounds=3)
    (content,) = data_of(history.page())["graphs"]
    error, _ = evaluated_at(content, [0.0, 1.0, 1.0])
    assert error == pytest.approx(binary_cross_entropy(network([0.0, 1.0]), 1.0).data, rel=1e-14)


def test_only_fit_makes_a_history_that_has_a_page() -> None:
    with pytest.raises(ValueError, match=r"network_page\(network, cases\)"):
        History(3, [0.5, 0.25, 0.125]).page()


def test_the_page_is_no_part_of_what_a_history_says() -> None:
    histories = [fit(small_network(), XOR, rounds=2) for _ in range(2)]
    assert histories[0] == histories[1] == History(2, histories[0].errors)
    assert repr(histories[0]) == repr(History(2, histories[0].errors))
