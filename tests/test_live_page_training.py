"""The live page's training: logic gates, time travel in bounded memory, and training that diverges."""

from __future__ import annotations

import math
import random
from collections.abc import Callable

import pytest

from autograd import Value, live_page, no_grad
from nn.examples import worked_example
from nn.examples.pages import GATE_INPUTS, GATES, gate_network
from tests.driven_page import Driven, close, gates_page

Shown = dict[tuple[str, str], str]


def predictions(driven: Driven) -> list[float]:
    data = driven.numbers("data")
    return [data[f"out_o1[{case}]"] for case in range(4)]


def is_learned(driven: Driven, gate: str) -> bool:
    return all(abs(out - target) < 0.5 for out, target in zip(predictions(driven), GATES[gate], strict=True))


# Logic gates.


@pytest.mark.parametrize("seed", [1, 2, 3, 4])
def test_xor_is_learned(seed: int, driven: Driven) -> None:
    """Each round takes one case at random, as the companion script does."""
    driven.open(gates_page(seed))
    assert driven.root.get_by_role("combobox", name="A round takes", exact=True).input_value() == "one"
    assert not is_learned(driven, "XOR")
    driven.train(10_000, 10_000)
    assert is_learned(driven, "XOR")
    assert driven.error() < 0.02
    rights = driven.root.locator("#casesPlace tbody tr", has_text="✓")
    assert rights.count() == 4


@pytest.mark.parametrize("gate", ["OR", "NAND", "AND"])
def test_the_other_gates_are_learned(gate: str, gates: Driven) -> None:
    gates.choose("Gate", gate)
    gates.train(10_000)
    assert is_learned(gates, gate)
    assert gates.error() < 0.02


def test_another_gate_in_mid_training_is_learned_anew(gates: Driven) -> None:
    gates.train(10_000)
    before = gates.error()
    gates.choose("Gate", "NAND")
    assert gates.number("round", "rounds") == 10_000
    assert gates.error() > 10 * before
    assert not is_learned(gates, "NAND")
    gates.train(10_000)
    assert is_learned(gates, "NAND")
    assert gates.error() < 0.02
    assert gates.number("round", "rounds") == 20_000


def test_the_table_of_cases(gates: Driven) -> None:
    """Inputs, targets and predictions; and the average error, as Python computes them."""
    network = gate_network(random.Random(1))
    for gate, targets in GATES.items():
        gates.choose("Gate", gate)
        with no_grad():
            outs = [network.forward([*map(float, row)])[0].data for row in GATE_INPUTS]
        data = gates.numbers("data")
        for case, ((i1, i2), target) in enumerate(zip(GATE_INPUTS, targets, strict=True)):
            assert (data[f"i1[{case}]"], data[f"i2[{case}]"], data[f"target[{case}]"]) == (i1, i2, target)
        assert predictions(gates) == close(outs)
        errors = [0.5 * (target - out) ** 2 for out, target in zip(outs, targets, strict=True)]
        assert gates.error() == close(sum(errors) / 4)


def test_the_chosen_case_is_that_of_the_graph(gates: Driven) -> None:
    gates.press("Last step")
    for case, (i1, i2) in enumerate(GATE_INPUTS):
        gates.root.get_by_role("radio", name=f"Case {case + 1}", exact=True).check()
        data = gates.numbers("data")
        assert (data["i1"], data["i2"], data["target"]) == (i1, i2, GATES["XOR"][case])
        assert data["out_o1"] == data[f"out_o1[{case}]"]


def test_an_edited_case_is_trained_with(gates: Driven) -> None:
    gates.root.get_by_role("radio", name="Case 4", exact=True).check()
    gates.edit("target", 1)
    assert gates.number("target[3]") == 1.0
    gates.train(10_000)
    assert [out > 0.5 for out in predictions(gates)] == [False, True, True, True]


# Time travel.


def snapshot(driven: Driven) -> Shown:
    """All digits of all numbers at the last step, but for those of the round and the line."""
    driven.slide("Step", 1000)
    kinds = ("data", "grad", "error", "rounds", "rate")
    return {(name, kind): value for name, kind, value, _ in driven.shown() if kind in kinds}


def test_time_travel_returns_the_very_numbers(worked: Driven) -> None:
    """Over more than 10,000 rounds, and across changes of the learning rate and the order."""
    seen = {0: snapshot(worked)}

    def train(*counts: int) -> None:
        for count in counts:
            worked.train(count)
            seen[int(worked.number("round", "rounds"))] = snapshot(worked)

    train(1, 1, 10, 100, 1000)
    worked.edit("Learning rate", 1.75)
    seen[1112] = snapshot(worked)
    train(1, 10, 10_000)
    worked.choose("Order of update", "sequential")
    train(1, 100, 10_000, 1)
    assert max(seen) == 1112 + 10_011 + 10_102
    for at in (*sorted(seen, reverse=True), 1112, max(seen)):
        worked.slide("Round", at)
        assert snapshot(worked) == seen[at], at
    assert worked.number("round", "rounds") == max(seen)


def test_time_travel_across_a_change_of_the_gate(gates: Driven) -> None:
    seen: dict[int, Shown] = {}

    def train(gate: str, *counts: int) -> None:
        gates.choose("Gate", gate)
        for count in (0, *counts):
            if count:
                gates.train(count)
            seen[int(gates.number("round", "rounds"))] = snapshot(gates)

    train("XOR", 10, 1000, 1)
    train("AND", 10, 1)
    train("OR", 100)
    for at in (*sorted(seen, reverse=True), 1010, max(seen)):
        gates.slide("Round", at)
        assert snapshot(gates) == seen[at], at


def test_the_choices_are_those_of_the_round_shown(gates: Driven) -> None:
    def choice(name: str) -> str:
        return gates.root.get_by_role("combobox", name=name, exact=True).input_value()

    gates.train(10)
    gates.choose("Gate", "AND")
    gates.choose("A round takes", "all")
    gates.choose("Order of update", "sequential")
    gates.edit("Learning rate", 2)
    gates.train(10)
    gates.slide("Round", 5)
    assert gates.number("target[1]") == 1.0  # XOR's
    assert gates.number("learning rate", "rate") == 0.5
    assert choice("Order of update") == "simultaneous"
    assert choice("Gate") == "XOR"
    assert choice("A round takes") == "one"
    gates.slide("Round", 20)
    assert gates.number("target[1]") == 0.0
    assert (choice("Gate"), choice("A round takes"), choice("Order of update")) == ("AND", "all", "sequential")


def test_the_gate_can_be_chosen_again_at_an_earlier_round(gates: Driven) -> None:
    gates.train(10)
    gates.choose("Gate", "AND")
    gates.train(10)
    gates.slide("Round", 5)
    gates.choose("Gate", "OR")
    gates.choose("Gate", "AND")
    assert [gates.number(f"target[{case}]") for case in range(4)] == [*map(float, GATES["AND"])]


def test_time_travel_and_an_edit_keep_the_step(worked: Driven) -> None:
    worked.train(10)
    worked.slide("Step", 20)
    worked.slide("Round", 4)
    assert worked.known_steps() == 20
    worked.edit("w5", 0.5)
    assert worked.known_steps() == 20


def test_rounds_are_kept_in_bounded_memory(worked: Driven) -> None:
    worked.train(10_000, 10_000, 10_000)
    curve = worked.root.locator("#curve path.curve").get_attribute("d")
    assert curve is not None
    assert 300 < curve.count("L") < 1100  # the samples that are kept are those that are drawn


ACTIONS: dict[str, Callable[[Driven], object]] = {
    "edit of a weight": lambda page: page.edit("w5", 0.5),
    "edit of an input": lambda page: page.edit("i1", 0.5),
    "learning rate": lambda page: page.edit("Learning rate", 0.1),
    "order": lambda page: page.choose("Order of update", "sequential"),
    "training": lambda page: page.train(1),
}


@pytest.mark.parametrize("action", ACTIONS.values(), ids=ACTIONS.keys())
def test_a_change_at_an_earlier_round_drops_the_later_ones(action: Callable[[Driven], object], worked: Driven) -> None:
    def rounds() -> str | None:
        return worked.root.get_by_role("slider", name="Round", exact=True).get_attribute("max")

    worked.train(100)
    worked.slide("Round", 30)
    assert rounds() == "100"
    early = snapshot(worked)
    action(worked)
    assert rounds() == f"{worked.number('round', 'rounds'):.0f}"
    assert rounds() in ("30", "31")
    worked.slide("Round", 12)
    worked.train(1)
    assert worked.number("round", "rounds") == 13
    assert worked.error() == close(worked_example.forward(worked_example.train(rounds=13)).data)
    assert snapshot(worked) != early


def test_a_training_can_be_kept_up_and_paused(worked: Driven) -> None:
    worked.press("Keep training")
    worked.root.wait_for_function("() => Number(document.querySelector('[data-kind=rounds]').dataset.value) > 500")
    worked.press("Pause training")
    rounds = int(worked.number("round", "rounds"))
    worked.page.wait_for_timeout(100)
    assert worked.number("round", "rounds") == rounds
    worked.slide("Round", 500)
    assert worked.error() == close(worked_example.forward(worked_example.train(rounds=500)).data, 1e-10)


def test_the_curve_is_drawn_on_either_scale(worked: Driven) -> None:
    def curve() -> str | None:
        return worked.root.locator("#curve path.curve").get_attribute("d")

    assert worked.root.locator("#curve path").count() == 0
    worked.train(100)
    linear = curve()
    worked.check("log scale")
    assert linear
    assert curve() not in (None, "", linear)


# Divergence and dead gradients.


def test_a_training_that_diverges_stops_with_finite_numbers(driven: Driven) -> None:
    x = Value(1.0, "x")
    output = (x * 3.0 - 2.0) ** 2
    output.label = "E"
    driven.open(live_page(output, learning_rate=100.0))
    driven.press("Train 1,000 rounds")
    notice = driven.root.locator("#notice")
    assert notice.inner_text() == "⚠ The training diverged. Choose a smaller learning rate."
    rounds = driven.number("round", "rounds")
    assert 0 < rounds < 1000
    assert math.isfinite(driven.number("x"))
    assert math.isfinite(driven.error())
    driven.slide("Round", 0)
    driven.edit("Learning rate", 0.01)
    assert "diverged" not in notice.inner_text()
    driven.train(100)
    assert driven.number("x") == close(2 / 3, 1e-6)


def test_an_absurd_learning_rate_leaves_the_worked_example_with_finite_numbers(worked: Driven) -> None:
    worked.edit("Learning rate", "1e308")
    worked.press("Train 1,000 rounds")
    assert worked.root.locator("#notice").inner_text().startswith("⚠")
    worked.press("Last step")
    numbers = worked.digits("data") | worked.digits("grad") | worked.digits("error")
    assert not {name: value for name, value in numbers.items() if not math.isfinite(float(value))}


def test_a_dead_gradient_is_pointed_out(worked: Driven) -> None:
    worked.edit("b2", 800)
    worked.press("Last step")
    notice = worked.root.locator("#notice").inner_text()
    assert "The gradient dies at out_o" in notice
    assert "sigmoid is saturated" in notice
    worked.press("Reset", "Last step")
    assert worked.root.locator("#notice").inner_text() == ""
