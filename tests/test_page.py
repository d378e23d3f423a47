"""The live page in a browser: its controls by their fixed names, its fields, and its steps."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest

from autograd import LivePage, Value, live_page, steps, topological_order
from autograd.tape import Tape
from autograd.value import is_constant
from autograd.views.stepping import FoldedPass
from nn.examples import worked_example
from tests.driven_page import Driven, close, diamond, gates_page, opened, projectile, python_numbers, worked_page
from tests.test_worked_example import AFTER_ONE_ROUND

if TYPE_CHECKING:
    from pathlib import Path

    from playwright.sync_api import Browser

BUTTONS = [
    *("First step", "Previous step", "Next step", "Last step", "Play", "Reset", "Train 1 round"),
    *(f"Train {rounds} rounds" for rounds in ("10", "100", "1,000", "10,000")),
]
SELECTS = {
    "Order of update": ["simultaneous", "sequential"],
    "Biases": ["frozen", "shared", "per-neuron"],
    "Gate": ["XOR", "OR", "NAND", "AND"],
}
NODES = [*(f"{kind}_{name}" for kind in ("net", "out") for name in ("h1", "h2", "o1", "o2")), "E_o1", "E_o2"]
ROLES = ["button", "textbox", "combobox", "slider", "checkbox", "radio", "link", "spinbutton", "DisclosureTriangle"]


# Controls.


def fixed_names(select_names: list[str], fields: list[str]) -> dict[str, str]:
    """The fixed names of a page's controls, with the role of each."""
    return {
        **dict.fromkeys(BUTTONS, "button"),
        **dict.fromkeys(select_names, "combobox"),
        **dict.fromkeys(["Learning rate", *fields], "textbox"),
        "Round": "slider",
    }


WORKED = fixed_names(
    ["Order of update", "Biases"],
    ["i1", "i2", "target_o1", "target_o2", "b1", "b2", *(f"w{count}" for count in range(1, 9))],
)
GATES = fixed_names(["Gate"], ["i1", "i2", "target", "b1", "b2", *(f"w{count}" for count in range(1, 16))])


def controls_of_names(driven: Driven, names: dict[str, str]) -> dict[str, list[str]]:
    """For each name the roles of all controls that have it, as the browser tells a screen reader."""
    session = driven.page.context.new_cdp_session(driven.page)
    nodes = session.send("Accessibility.getFullAXTree")["nodes"]
    session.detach()
    found = [(node["name"]["value"], node["role"]["value"]) for node in nodes if "name" in node]
    return {name: [role for its_name, role in found if its_name == name and role in ROLES] for name in names}


@pytest.mark.parametrize(("page", "names"), [(worked_page, WORKED), (gates_page, GATES)], ids=["worked", "gates"])
def test_each_fixed_name_is_that_of_one_control_within_reach(
    page: Callable[[], LivePage], names: dict[str, str], driven: Driven
) -> None:
    """Visible without another action: nothing of a fixed name is in a closed panel. Its label leads to it."""
    driven.open(page())
    assert controls_of_names(driven, names) == {name: [role] for name, role in names.items()}
    for name, role in names.items():
        control = driven.root.get_by_role(role, name=name, exact=True, include_hidden=True)  # type: ignore[arg-type]  # a role in a variable
        assert control.is_visible(), name
        if role in ("textbox", "combobox") or name.startswith("Train"):
            assert driven.root.get_by_label(name, exact=True).count() == 1, name
        if name in SELECTS:
            assert control.evaluate("e => [...e.options].map(option => option.value)") == SELECTS[name]


def test_every_button_acts(worked: Driven) -> None:
    length = len(worked.list_of_steps())
    for name, expected in (("Next step", 1), ("Next step", 2), ("Previous step", 1), ("Last step", length)):
        worked.button(name).click()  # where the pointer would, and only if it can
        assert worked.known_steps() == expected, name
    worked.button("First step").click()
    assert worked.known_steps() == 0
    for name in ("Train 1 round", "Train 10 rounds", "Train 100 rounds"):
        worked.button(name).click()
    worked.train(1000, 10_000)
    assert worked.number("round", "rounds") == 11_111
    worked.slide("Round", 7)
    assert worked.number("round", "rounds") == 7
    worked.button("Reset").click()
    assert worked.number("round", "rounds") == 0
    assert worked.number("w5") == 0.4


# Fields.


def test_every_field_can_be_edited(worked: Driven) -> None:
    fields = [name for name, role in WORKED.items() if role == "textbox" and name != "Learning rate"]
    for count, name in enumerate(fields, start=1):
        worked.edit(name, count / 8)
    assert {name: worked.numbers("data")[name] for name in fields} == {n: c / 8 for c, n in enumerate(fields, 1)}


def test_numbers_may_be_typed_in_several_ways(worked: Driven) -> None:
    ways = {"0.25": 0.25, "-1.5e-3": -0.0015, "−2": -2.0, "0,5": 0.5, " 7 ": 7.0, ".5": 0.5, "+3.": 3.0, "1E2": 100.0}
    for typed, number in ways.items():
        worked.edit("w5", typed)
        assert worked.number("w5") == number
        assert worked.field("w5").get_attribute("aria-invalid") is None


def test_leaving_a_field_commits(worked: Driven) -> None:
    worked.field("w5").fill("0.75")
    worked.field("w6").focus()
    assert worked.number("w5") == 0.75


def test_escape_restores_a_field(worked: Driven) -> None:
    field = worked.field("w5")
    for typed in ("0.75", "nonsense"):
        field.fill(typed)
        field.press("Escape")
        assert float(field.input_value()) == 0.4
        field.blur()
        assert worked.number("w5") == 0.4
        assert field.get_attribute("aria-invalid") is None
        assert float(field.input_value()) == 0.4


def test_text_that_is_no_number_is_marked_and_changes_nothing(worked: Driven) -> None:
    worked.press("Last step")
    before = worked.digits("data"), worked.digits("grad")
    field = worked.field("w5")
    for typed in ("abc", "", "1e999", "nan", "inf", "1 2", "0x10", "1,2,3", "--1", "<b>1</b>"):
        worked.edit("w5", typed)
        assert field.get_attribute("aria-invalid") == "true", typed
        assert field.input_value() == typed
        assert (worked.digits("data"), worked.digits("grad")) == before
        assert "not a number" in worked.text()
        field.press("Escape")
        assert "not a number" not in worked.text()
        assert field.get_attribute("aria-invalid") is None
        assert float(field.input_value()) == 0.4


def test_a_learning_rate_that_is_none_is_marked_and_changes_nothing(worked: Driven) -> None:
    for typed in ("abc", "0", "-1", "nan", "1e999"):
        worked.edit("Learning rate", typed)
        assert worked.field("Learning rate").get_attribute("aria-invalid") == "true", typed
        assert worked.number("learning rate", "rate") == 0.5
    worked.train(1)
    assert worked.error() == close(worked_example.forward(worked_example.train(rounds=1)).data)


def test_a_rejected_text_stays_while_another_field_is_edited(worked: Driven) -> None:
    worked.edit("w5", "abc")
    worked.edit("w6", 0.7)
    assert worked.number("w6") == 0.7
    assert worked.number("w5") == 0.4
    field = worked.field("w5")
    assert (field.input_value(), field.get_attribute("aria-invalid")) in (("abc", "true"), ("0.4", None))


# Steps.


def python_steps(output: Value) -> list[tuple[str, float]]:
    """Of each step the name of the node that gets a number, and the number."""
    walked = steps(output)
    return [
        (walked.names.of(step.node).plain, step.node.data)
        if step.parent is None
        else (walked.names.of(step.parent).plain, step.after)
        for step in walked
    ]


LEARNING = [  # graphs, and how many leaves of each learn, so that the steps end with their updates
    (lambda: worked_example.forward(worked_example.build_network()), 10),
    (diamond, 1),
    (projectile, 0),
]


@pytest.mark.parametrize(("make", "updates"), LEARNING)
def test_every_operation_is_a_step_as_in_python(make: Any, updates: int, driven: Driven) -> None:
    driven.open(live_page(make()))
    expected = python_steps(make())
    driven.check("Every operation")
    count = len(expected)
    assert driven.list_of_steps()[:count] == [(name, "", "?") for name, _ in expected]
    driven.press("Last step")
    listed = driven.list_of_steps()
    assert len(listed) == count + updates
    listed = listed[:count]
    assert [name for name, _, _ in listed] == [name for name, _ in expected]
    assert [float(value) for _, value, _ in listed] == close([number for _, number in expected])


@pytest.mark.parametrize(("make", "updates"), LEARNING)
def test_the_steps_of_the_page_are_those_of_a_folded_pass(make: Any, updates: int, driven: Driven) -> None:
    """Which `Steps.step` and `Steps.position` speak of."""
    driven.open(live_page(make()))
    driven.press("Last step")
    walked = FoldedPass(Tape(make()))
    names = [walked.names.of(step.parent or step.node).plain for step in walked]
    numbers = [step.after if step.parent else step.node.data for step in walked]
    listed = driven.list_of_steps()
    assert len(listed) == len(names) + updates
    assert [name for name, _, _ in listed[: len(names)]] == names
    assert [float(value) for _, value, _ in listed[: len(names)]] == close(numbers)


def test_what_is_known_at_each_step_of_every_operation(worked: Driven) -> None:
    output = worked_example.forward(worked_example.build_network())
    walked = steps(output)
    nodes = [node for node in topological_order(output) if node.label]
    worked.check("Every operation")
    worked.root.locator("#steps").focus()
    for position in range(len(walked) + 1):
        if position:
            worked.page.keyboard.press("ArrowRight")
        step = walked[position - 1] if position else None
        found = {(name, kind): (value, text) for name, kind, value, text in worked.shown("#picture")}
        for node in nodes:
            data = step.data_of(node) if step else (None if node.primitive else node.data)
            value, text = found[str(node.label), "data"]
            assert (float(value) if value else None) == (None if data is None else close(data)), node
            assert (text == "?") is (data is None)
            if is_constant(node):
                assert (str(node.label), "grad") not in found
                continue
            grad = step.grad_of(node) if step else None
            value, text = found[str(node.label), "grad"]
            assert (float(value) if value else None) == (None if grad is None else close(grad)), node
            assert (text in ("", "?")) is (grad is None)
            if step and step.phase == "forward":
                assert text == ""


def test_a_step_of_the_folded_graph_is_a_line_of_the_article(worked: Driven) -> None:
    """Forward from one labelled node to the next; backward each adds a product to a gradient."""
    worked.press("Last step")
    listed = [(name, float(value)) for name, value, _ in worked.list_of_steps()]
    assert len(listed) == 35 + 8
    assert dict(listed[35:]) == close(AFTER_ONE_ROUND, 1e-11)
    listed = listed[:35]
    data, grads = python_numbers(worked_example.forward(worked_example.build_network()))
    forward = {*NODES, "E_total"}
    assert {name for name, _ in listed[:11]} == forward
    assert dict(listed[:11]) == close({name: data[name] for name in forward})
    backward = {*NODES, *(name for name in WORKED if name[0] in "wb")}
    assert dict(listed[11:]) == close({name: grads[name] for name in backward})
    sums = [number for name, number in listed[11:] if name == "out_h1"]
    assert sums == close([0.0553994246514, 0.0363503063931], 1e-11)  # the article's two branches, the second added


def test_the_line_of_a_step_has_its_numbers(worked: Driven) -> None:
    worked.press("Next step")
    line = worked.root.locator("#line").inner_text().replace("\n", "")
    for part in ("0.15", "0.05", "0.2", "0.1", "0.35", "0.3775"):
        assert part in line
    assert "net" in worked.text()


def test_the_slider_goes_to_any_step(worked: Driven) -> None:
    for position in (35, 1, 20, 0):
        worked.slide("Step", position)
        assert worked.known_steps() == position
        assert worked.root.locator("[aria-current=step]").count() == min(position, 1)


def test_first_and_last_are_disabled_at_the_ends(worked: Driven) -> None:
    def disabled() -> list[str]:
        return [name for name in BUTTONS[:4] if worked.button(name).is_disabled()]

    assert disabled() == ["First step", "Previous step"]
    worked.press("Next step")
    assert disabled() == []
    worked.press("Last step")
    assert disabled() == ["Last step"]
    worked.press("Next step")  # on to the next round
    assert worked.number("round", "rounds") == 1
    assert disabled() == ["First step", "Previous step"]


def test_play_steps_once_a_second_until_it_is_paused(browser: Browser, tmp_path: Path) -> None:
    for driven in opened(browser, tmp_path):
        driven.page.clock.install()
        driven.open(live_page(diamond()))
        driven.press("Play")
        assert driven.known_steps() == 1
        driven.page.clock.run_for(2100)
        assert driven.known_steps() == 3
        driven.press("Pause")
        driven.page.clock.run_for(5000)
        assert driven.known_steps() == 3
        driven.choose("Speed", "fast")
        driven.press("Play")
        driven.page.clock.run_for(20_000)
        assert driven.known_steps() == len(driven.list_of_steps())
        driven.press("Play")  # from the start again
        assert driven.known_steps() == 1


def test_data_value_has_all_digits(worked: Driven) -> None:
    worked.press("Last step")
    data, _ = python_numbers(worked_example.forward(worked_example.build_network()))
    for name in ("i1", "w1", "net_h1"):  # of sums and products alone, so to the last bit
        assert worked.number(name) == data[name]
