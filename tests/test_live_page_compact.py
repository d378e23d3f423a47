"""The compact form of a page, its themes, and its frame."""

from __future__ import annotations

from typing import Any

import pytest

from autograd import LivePage, Value, live_page
from nn import worked_example_page
from nn.examples import worked_example
from tests.driven_page import Driven, check_numbers, diamond, projectile
from tests.test_live_page_accessibility import AXE, STATES, axe  # noqa: F401  # the last one is a fixture

GROUNDS = {"light": "rgb(253, 252, 249)", "dark": "rgb(22, 24, 27)"}
PAGE_LIMIT = 110_000  # bytes of the worked example's page
AROUND = """<!doctype html><title>A document</title><style>body {{ margin: 0; color: {colour} }}
div {{ width: {width}px }}</style><h1>A document</h1><div>{frame}</div>"""


def compact(**settings: Any) -> LivePage:
    return live_page(worked_example.forward(worked_example.build_network()), compact=True, **settings)


def test_other_pages_do_not_hold_it() -> None:
    page = worked_example_page()
    assert "CompactPage" not in page.html
    assert "attachShadow" not in compact().html
    assert len(page.html.encode()) <= PAGE_LIMIT


@pytest.mark.parametrize("width", [600, 736, 830])
def test_a_step_moves_nothing_and_the_graph_fits(width: int, driven: Driven) -> None:
    driven.page.set_viewport_size({"width": width, "height": 700})
    driven.open(compact())
    where = """() => {
      const at = (id) => document.getElementById(id);
      const ids = ["next", "previous", "play", "position", "picture"];
      const places = ids.map((id) => at(id).getBoundingClientRect().top);
      const picture = at("picture");
      return JSON.stringify([...places, document.body.scrollHeight, document.body.scrollWidth <= innerWidth,
        picture.scrollHeight <= picture.clientHeight, picture.scrollWidth <= picture.clientWidth]);
    }"""
    found = set()
    for position in range(36):
        driven.slide("Step", position)
        found.add(driven.root.evaluate(where))
    (only,) = found
    assert only.endswith("true,true,true]")


def test_at_736_pixels_neither_half_is_blank(driven: Driven) -> None:
    """The picture and what stands beside it are equally high, folded and unfolded."""
    driven.page.set_viewport_size({"width": 736, "height": 900})
    driven.open(compact())
    box = "e => (({ top, bottom }) => [top, bottom])(e.getBoundingClientRect())"
    beside = [driven.root.locator(part).evaluate(box) for part in ("section.picture", ".side")]
    assert beside[0] == beside[1]
    driven.root.get_by_text("Train, curve, why").click()
    top = driven.root.locator(".more .columns").evaluate("e => e.getBoundingClientRect().top")
    assert top > beside[0][1]


@pytest.mark.parametrize("make", [diamond, projectile])
def test_its_numbers_are_those_of_the_page(make: Any, driven: Driven) -> None:
    driven.open(live_page(make(), compact=True, learning_rate=0.1))
    driven.root.get_by_text("Train, curve, why").click()
    check_numbers(driven, make())
    driven.train(10)


def test_a_sum_of_products_is_stacked_and_other_formulas_are_not(driven: Driven) -> None:
    driven.open(compact())
    lefts = (
        "() => [...document.querySelectorAll('#line .number')].map((e) => Math.round(e.getBoundingClientRect().right))"
    )
    driven.slide("Step", 28)
    assert len(set(driven.root.evaluate(lefts))) == 1
    assert driven.root.locator("#line .sign").all_inner_texts() == ["×", "="]
    driven.slide("Step", 2)
    assert driven.root.locator("#line").inner_text().startswith("sigmoid(")


@pytest.mark.parametrize("state", STATES)
def test_axe_finds_nothing(state: str, driven: Driven, axe: str) -> None:  # noqa: F811  # the fixture
    driven.page.set_viewport_size({"width": 736, "height": 900})
    driven.page.emulate_media(color_scheme="light", reduced_motion="reduce")
    driven.open(compact(theme="dark"))
    driven.root.get_by_text("Train, curve, why").click()
    STATES[state](driven)
    driven.page.evaluate(axe)
    assert not driven.page.evaluate(AXE, True)


# Themes.


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_theme_that_was_chosen_stays(theme: Any, scheme: Any, driven: Driven) -> None:
    driven.page.emulate_media(color_scheme=scheme)
    driven.open(live_page(Value(2.0, "x") * 3.0, theme=theme))
    assert driven.root.locator("body").evaluate("e => getComputedStyle(e).backgroundColor") == GROUNDS[theme]


def test_another_theme_is_refused() -> None:
    with pytest.raises(ValueError, match="the theme of a page must be 'light', 'dark' or None, got 'blue'"):
        live_page(Value(2.0, "x") * 3.0, theme="blue")  # type: ignore[arg-type]  # what is tested


# In a frame.


def framed(driven: Driven, page: LivePage, colour: str, width: int = 736) -> None:
    driven.page.emulate_media(color_scheme="light" if colour == "white" else "dark")  # the other one
    driven.open(AROUND.format(frame=page.frame("instead"), colour=colour, width=width), is_framed=True)


@pytest.mark.parametrize("colour", ["white", "black", "oklch(0.9 0.02 200)"])
def test_a_frame_has_the_theme_of_the_document(colour: str, driven: Driven) -> None:
    framed(driven, compact(), colour)
    theme = "light" if colour == "black" else "dark"
    driven.root.locator(f"html[data-theme={theme}]").wait_for()
    assert driven.root.locator("main").evaluate("e => getComputedStyle(e).backgroundColor") == GROUNDS[theme]
    driven.page.evaluate("(colour) => { document.body.style.color = colour; }", "black" if theme == "dark" else "white")
    driven.root.locator(f"html:not([data-theme={theme}])").wait_for()


def test_a_chosen_theme_is_kept_in_a_frame(driven: Driven) -> None:
    framed(driven, compact(theme="dark"), "black")
    driven.page.wait_for_function("document.querySelector('iframe').style.height !== '540px'")
    assert driven.root.locator("html").get_attribute("data-theme") == "dark"


@pytest.mark.parametrize("make", [compact, lambda: live_page(diamond())])
def test_a_frame_is_as_high_as_its_page(make: Any, driven: Driven) -> None:
    framed(driven, make(), "black")
    fits = """() => innerHeight === Math.ceil(document.body.getBoundingClientRect().height)
      && document.documentElement.scrollHeight <= innerHeight"""
    driven.root.wait_for_function(fits)
    before = driven.root.evaluate("innerHeight")
    driven.root.locator("summary:visible").last.click()
    driven.root.wait_for_function(f"() => innerHeight !== {before}")
    driven.root.wait_for_function(fits)


def test_a_message_from_elsewhere_changes_nothing(driven: Driven) -> None:
    framed(driven, compact(), "black")
    driven.root.locator("html[data-theme=light]").wait_for()
    driven.page.evaluate("postMessage({ height: 10 }, '*')")
    driven.root.evaluate("postMessage({ theme: 'dark' }, '*')")
    for message in ("null", "'text'", "{ theme: 'blue' }", "{ height: -1 }"):
        driven.page.evaluate(f"document.querySelector('iframe').contentWindow.postMessage({message}, '*')")
        driven.root.evaluate(f"parent.postMessage({message}, '*')")
    driven.page.wait_for_timeout(100)
    assert driven.root.locator("html").get_attribute("data-theme") == "light"
    assert driven.root.evaluate("innerHeight") > 400
