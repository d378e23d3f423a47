"""The address of the live page: it leads to a step, a question and a round, and follows them."""

from __future__ import annotations

import re

import pytest

from autograd import live_page
from nn.examples import worked_example
from tests.driven_page import Driven, close, gates_page, projectile, worked_page
from tests.test_live_page_explain import ask


def assert_place(driven: Driven, expected: str) -> None:
    """Assert what the address names once it has followed."""
    driven.page.wait_for_function("(place) => location.hash.slice(1) === place", arg=expected)


def position(driven: Driven) -> str:
    return str(driven.root.locator("#count").inner_text())


def asked(driven: Driven) -> str:
    return str(driven.root.locator("#why option:checked").inner_text())


def test_a_link_leads_to_a_step_a_question_and_a_round(driven: Driven) -> None:
    driven.open(worked_page(), place="#step=14&why=w5&round=100")
    assert position(driven) == "step 14 of 43"
    assert asked(driven) == "∂E_total/∂w5"
    assert driven.number("round", "rounds") == 100
    assert driven.error() == close(worked_example.forward(worked_example.train(rounds=100)).data, 1e-10)
    assert driven.known_steps() == 14


def test_the_address_follows_and_a_reload_keeps_the_place(worked: Driven) -> None:
    worked.press("Next step", "Next step")
    assert_place(worked, "step=2")
    ask(worked, "E_total", "w1")
    worked.train(10)
    worked.check("Every operation")
    worked.slide("Step", 40)
    assert_place(worked, "step=40&every=1&why=w1&round=10")
    before = worked.shown()
    worked.page.reload()
    worked.heard.clear()  # the request for the file
    assert position(worked) == "step 40 of 59"
    assert worked.shown() == before
    worked.press("Reset")
    assert_place(worked, "every=1")


def test_another_place_in_the_address_is_gone_to(worked: Driven) -> None:
    for there, expected in (
        ("step=3", "step 3 of 43"),
        ("step=20&every=1", "step 20 of 59"),
        ("round=5", "step 0 of 43"),
    ):
        worked.page.evaluate("(place) => { location.hash = place; }", there)
        worked.page.wait_for_function("(text) => document.querySelector('#count').textContent === text", arg=expected)
    assert worked.number("round", "rounds") == 5
    worked.root.get_by_role("link", name="Skip to the steps").focus()
    worked.page.keyboard.press("Enter")  # which leads to "#steps"
    assert worked.number("round", "rounds") == 5
    assert not worked.page.evaluate("() => history.length") > 10


@pytest.mark.parametrize(
    "there",
    ["#step=abc&why=nobody&round=x", "#step=-3&round=-1", "#step=1e99", "#why=%E0%A4%A", "#step", "#<b>", "#step=1.9"],
)
def test_what_names_no_place_is_forgiven(there: str, driven: Driven) -> None:
    driven.open(worked_page(), place=there)
    assert re.fullmatch("step (0|1) of 43", position(driven))
    assert driven.number("round", "rounds") == 0
    driven.press("Last step")
    assert driven.known_steps() == 43


def test_a_step_beyond_the_last_is_the_last_and_rounds_need_a_training(driven: Driven) -> None:
    driven.open(live_page(projectile()), place="#step=900&round=5")
    assert position(driven) == "step 10 of 10"
    assert_place(driven, "step=10")


def test_a_name_of_any_kind_is_asked_for(driven: Driven) -> None:
    driven.open(live_page(projectile()))
    ask(driven, "height", "α")
    driven.page.wait_for_timeout(300)
    driven.page.reload()
    driven.heard.clear()
    assert asked(driven) == "∂height/∂α"


def test_many_rounds_are_trained_in_slices_before_the_step(driven: Driven) -> None:
    driven.open(gates_page(), place="#step=7&round=30000")
    driven.page.wait_for_function(
        "() => document.querySelector('#count').textContent.startsWith('step 7 ')", timeout=20_000
    )
    assert driven.number("round", "rounds") == 30_000


def test_a_frame_without_rights_has_no_address(driven: Driven) -> None:
    """And nothing is heard of it."""
    driven.open(worked_page()._repr_html_(), is_framed=True)
    driven.slide("Step", 2)
    driven.page.wait_for_timeout(300)  # longer than the page waits before it names a place
    assert "#" not in driven.page.url
    assert driven.known_steps() == 2
