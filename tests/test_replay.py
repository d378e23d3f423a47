"""A recorded graph evaluated again and trained, beside the same expression written anew."""

from __future__ import annotations

import math
import random
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings

import autograd
from autograd import Parameter, Value, stop_gradient
from autograd.tape import Tape
from autograd.views.replay import MOST_ROUNDS, Replay
from nn import MLP, SGD, fit
from nn.examples import worked_example
from tests.test_value import expressions, run


def replay_of(output: Value) -> Replay:
    return Replay(Tape(output), {})


@settings(max_examples=100, deadline=None)
@given(expressions(), expressions())
def test_another_evaluation_has_the_bits_of_a_new_one(
    expression: tuple[list[float], list[tuple[str, ...]]], other: tuple[list[float], list[tuple[str, ...]]]
) -> None:
    numbers, instructions = expression
    leaves, others = [Value(x) for x in numbers], (other[0] * len(numbers))[: len(numbers)]
    rows: dict[str, Callable[..., Any]] = {**autograd.primitives.PRIMITIVES}
    try:
        output = run(leaves, instructions, rows)
        expected = run([Value(x) for x in others], instructions, rows)
    except (ZeroDivisionError, ValueError):  # outside a domain
        return
    replay = replay_of(output)
    for leaf, number in zip(leaves, others, strict=True):
        leaf.data = number
    tape, twins = replay.evaluate()
    assert repr(tape.nodes[-1].data) == repr(expected.data)
    assert twins[output] is tape.nodes[-1]
    before, after = Tape(expected), tape
    assert (before.starts, before.operands) == (after.starts, after.operands)
    assert [repr(node.slopes) for node in before.nodes] == [repr(node.slopes) for node in after.nodes]


def test_branches_and_cut_numbers_stay_as_recorded() -> None:
    x = Value(2.0, "x")
    y = x * 3.0 if x.data > 0 else -x
    total = y + x.data + stop_gradient(x * 10.0) + (x * 0.5).relu()
    replay = replay_of(total)
    x.data = -4.0
    assert replay.evaluate()[0].nodes[-1].data == -4.0 * 3.0 + 2.0 + 20.0 + 0.0


def test_labels_are_kept_and_leaves_are_the_same() -> None:
    x = Value(2.0, "x")
    y = x * x
    y.label = "y"
    tape, _ = replay_of(y.exp()).evaluate()
    assert [node.label for node in tape.nodes] == ["x", "y", None]
    assert tape.nodes[0] is x
    assert tape.nodes[1] is not y


def test_a_training_is_that_of_fit() -> None:
    """To the last bit, with the same learning rate and one case."""
    case = ([0.05, 0.1], 0.3)
    trained, network = (MLP(2, [3, 1], "tanh", generator=random.Random(3)) for _ in range(2))
    fit(trained, [case], optimizer=SGD(trained.parameters(), learning_rate=0.25), rounds=70)
    inputs = [autograd.Constant(number) for number in case[0]]
    error = 0.5 * (network(inputs) - case[1]) ** 2
    replay = replay_of(error)
    assert replay.train(70, 0.25, 60.0) == 0
    assert [p.data for p in network.parameters()] == [p.data for p in trained.parameters()]
    assert [kept.number for kept in replay.rounds] == [*range(71)]


def test_the_article_s_error_after_a_round() -> None:
    """With the biases too, so it is that of `train_round`, not the article's own."""
    network = worked_example.build_network()
    total = worked_example.forward(network)
    replay = replay_of(total)
    before = [p.data for p in network.parameters()]
    total.backward()
    expected = [p.data - 0.5 * p.grad for p in network.parameters()]
    replay.train(1, 0.5, 10.0)
    assert [p.data for p in network.parameters()] == expected != before
    assert replay.round.error == pytest.approx(worked_example.forward(network).data, rel=1e-15)


def test_a_training_ends_before_a_round_that_is_not_finite() -> None:
    x = Value(3.0, "x")
    replay = replay_of(x**4)
    assert replay.train(math.inf, 1e3, 10.0) == 0
    assert replay.diverged
    assert math.isfinite(replay.round.error)
    assert x.data == replay.round.numbers[0]
    assert replay.round.number == len(replay.rounds) - 1 > 0
    with pytest.raises(ValueError, match="log"):  # an error of the domain names the operation
        replay_of(Value(0.5, "y").log()).train(10, 1.0, 10.0)


def test_time_ends_a_training_between_two_rounds() -> None:
    x = Value(3.0, "x")
    replay = replay_of(x * x)
    assert replay.train(math.inf, 1e-9, 0.02) == math.inf
    assert replay.round.number > 0
    left = replay.train(10**9, 1e-9, 0.02)
    assert 0 < left < 10**9


def test_an_interrupt_leaves_whole_rounds(monkeypatch: pytest.MonkeyPatch) -> None:
    x, y = Value(3.0, "x"), Value(1.0, "y")
    replay = replay_of(x * x + y * y)
    compute: Callable[[list[float]], tuple[float, list[float]]] = replay._error_and_gradients
    calls = []

    def interrupted(numbers: list[float]) -> tuple[float, list[float]]:
        calls.append(numbers)
        if len(calls) == 4:
            raise KeyboardInterrupt
        return compute(numbers)

    monkeypatch.setattr(replay, "_error_and_gradients", interrupted)
    with pytest.raises(KeyboardInterrupt):
        replay.train(100, 0.25, 10.0)
    assert replay.round.number == 2
    assert [x.data, y.data] == [3.0 / 4, 1.0 / 4]  # each round halves them


def test_only_what_learns_moves() -> None:
    w, x = Parameter(2.0, "w"), Value(3.0, "x")
    replay = replay_of(w * x)
    replay.train(5, 0.1, 10.0)
    assert x.data == 3.0
    assert w.data == pytest.approx(2.0 - 5 * 0.1 * 3.0)


def test_rounds_can_be_gone_back_to_and_are_kept_in_bounded_memory() -> None:
    x = Value(3.0, "x")
    replay = replay_of(x * x)
    replay.train(5000, 1e-4, 60.0)
    last = x.data
    assert len(replay.rounds) <= MOST_ROUNDS
    assert replay.rounds[0].number == 0
    assert replay.rounds[-1].number == 5000
    for number in (0, 1000, 4999, 5000):
        replay.travel(number)
        assert number - replay.stride < replay.round.number <= number
        assert x.data == pytest.approx(3.0 * (1 - 2e-4) ** replay.round.number, rel=1e-9)
    assert x.data == last
    replay.travel(1000)
    replay.train(1, 1e-4, 10.0)
    assert replay.rounds[-1].number == replay.round.number <= 1001  # the later ones are dropped
    replay.reset()
    assert (x.data, len(replay.rounds)) == (3.0, 1)


def test_a_number_from_elsewhere_belongs_to_the_round_shown() -> None:
    x = Value(3.0, "x")
    replay = replay_of(x * x)
    replay.train(10, 0.1, 10.0)
    replay.travel(4)
    assert not replay.is_stale
    x.data = 7.0
    assert replay.is_stale
    replay.note(49.0)
    assert (replay.round.number, replay.round.error, replay.round.before) == (4, 49.0, None)
    assert [kept.number for kept in replay.rounds] == [0, 1, 2, 3, 4]
