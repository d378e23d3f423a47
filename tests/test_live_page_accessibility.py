"""The live page for everyone: axe-core finds nothing, the keyboard alone is enough, and a phone is wide enough."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Literal

import pytest

from autograd import LivePage
from nn import MLP, network_page
from tests.driven_page import Driven, close, gates_page, worked_page

Scheme = Literal["light", "dark"]

AXE = """async (hasColors) => {
  const values = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22a", "wcag22aa", "best-practice"];
  const rules = {"color-contrast": {enabled: hasColors}};
  const {violations} = await axe.run(document, {runOnly: {type: "tag", values}, rules, resultTypes: ["violations"]});
  return violations.map(({id, nodes}) => `${id}: ${nodes.map((node) => node.html).join("; ").slice(0, 500)}`);
}"""
NAME = """() => {
  const focused = document.activeElement;
  const texts = [...(focused.labels?.[0]?.childNodes ?? [])].filter((node) => node.nodeType === Node.TEXT_NODE);
  return focused.getAttribute("aria-label") || texts.map((node) => node.data).join("").trim() ||
    (focused.tagName === "BODY" ? "" : focused.textContent.trim());
}"""
PAGES = pytest.mark.parametrize("page", [worked_page, gates_page], ids=["worked", "gates"])


# axe-core.


def asked(driven: Driven) -> None:
    """At the last step, with everything open."""
    driven.root.get_by_role("combobox", name="Why is", exact=True).select_option(index=3)
    for summary in driven.root.locator("details:not([open]) > summary:visible").all():
        summary.click()
    driven.slide("Step", 1000)


def predicting(driven: Driven) -> None:
    driven.slide("Step", 20)
    driven.check("Predict first")
    driven.press("Next step")
    driven.edit("Your prediction", "17")


def trained(driven: Driven) -> None:
    driven.train(100)
    driven.check("log scale")


def diverged(driven: Driven) -> None:
    """And a field that holds no number."""
    target = "target" if driven.field("target").count() else "target_o1"
    if target == "target":
        driven.choose("A round takes", "all")
    driven.edit(target, "1e10")
    driven.edit("Learning rate", "1e308")
    driven.press("Train 1,000 rounds")
    assert "diverged" in driven.root.locator("#notice").inner_text()
    driven.edit("i1", "nonsense")
    assert driven.field("i1").get_attribute("aria-invalid") == "true"


STATES: dict[str, Callable[[Driven], None]] = {
    "at first": lambda driven: None,
    "stepped forward": lambda driven: driven.slide("Step", 3),
    "stepped backward": lambda driven: driven.slide("Step", 25),
    "asked": asked,
    "predicting": predicting,
    "trained": trained,
    "diverged": diverged,
}


@pytest.fixture(scope="module")
def axe() -> str:
    package = pytest.importorskip("axe_playwright_python", reason="axe-playwright-python, with axe-core, is not here")
    return (Path(package.__file__).parent / "axe.min.js").read_text(encoding="utf-8")


@PAGES
@pytest.mark.parametrize("state", STATES)
def test_axe_finds_nothing(page: Callable[[], LivePage], state: str, driven: Driven, axe: str) -> None:
    """On a wide screen, and on a narrow one, where contrast, which takes most of the time, is measured once.

    The pages share their colours: one is light where the other is dark.
    """
    schemes: tuple[Scheme, Scheme] = ("light", "dark") if page is worked_page else ("dark", "light")
    driven.page.set_viewport_size({"width": 1280, "height": 900})
    driven.page.emulate_media(color_scheme=schemes[0], reduced_motion="reduce")
    driven.open(page())
    STATES[state](driven)
    driven.page.evaluate(axe)
    found = driven.page.evaluate(AXE, True)
    driven.page.set_viewport_size({"width": 320, "height": 900})
    driven.page.emulate_media(color_scheme=schemes[1], reduced_motion="reduce")
    found += driven.page.evaluate(AXE, state == "at first")
    assert not found


# Narrow screens.


@PAGES
@pytest.mark.parametrize("state", ["at first", "asked", "predicting", "trained"])
def test_a_phone_is_wide_enough(page: Callable[[], LivePage], state: str, driven: Driven) -> None:
    driven.page.set_viewport_size({"width": 320, "height": 640})
    driven.open(page())
    STATES[state](driven)
    assert driven.root.evaluate("() => document.documentElement.scrollWidth") <= 320
    assert driven.button("Next step").is_visible() or driven.button("Check").is_visible()


def test_a_wide_page_of_a_deep_network_is_no_wider_than_the_screen(driven: Driven) -> None:
    driven.page.set_viewport_size({"width": 1280, "height": 900})
    driven.open(network_page(MLP(2, [16, 16, 1], "tanh"), [([0, 1], [1])]))
    assert driven.root.evaluate("() => document.documentElement.scrollWidth") <= 1280
    sizes = driven.root.evaluate(
        "() => [...document.querySelectorAll('#picture .number')].map(e => parseFloat(getComputedStyle(e).fontSize))"
    )
    assert min(sizes) >= 10


# Keyboard.


@pytest.fixture
def worked(driven: Driven) -> Driven:
    driven.page.set_viewport_size({"width": 1280, "height": 900})
    driven.page.emulate_media(color_scheme="light", reduced_motion="no-preference")
    return driven.open(worked_page())


def keys(driven: Driven, *names: str) -> None:
    for name in names:
        driven.page.keyboard.press(name)


def focused(driven: Driven) -> str:
    name: str = driven.root.evaluate(NAME)
    return name


def tabbed(driven: Driven) -> list[str]:
    """The names of all that Tab reaches, from the top on."""
    names: list[str] = []
    while True:
        keys(driven, "Tab")
        name = focused(driven)
        if not name or name in names:
            return names
        names.append(name)


def test_tab_reaches_every_control(worked: Driven) -> None:
    names = tabbed(worked)
    assert names[0] == "Skip to the steps"
    expected = ["i1", "i2", "w1", "w8", "b1", "b2", "target_o1", "Next step", "Last step", "Play", "Predict first"]
    expected += ["Step", "Speed", "Every operation", "Train 1 round", "Train 10,000 rounds", "Learning rate"]
    expected += ["Keep training", "log scale", "Order of update", "Biases", "Reset", "Why is", "All steps"]
    assert [name for name in expected if name not in names] == []
    assert names.index("Next step") < 20
    assert names.index("Next step") < names.index("Train 1 round") < names.index("Reset") < names.index("Why is")


def test_the_focus_is_visible_wherever_tab_goes(worked: Driven) -> None:
    worked.press("Next step")
    worked.train(1)
    worked.root.evaluate("() => document.activeElement.blur()")
    unseen = []
    for _ in range(45):
        keys(worked, "Tab")
        is_seen = worked.root.evaluate(
            """() => {
              const {outlineStyle, outlineWidth, boxShadow} = getComputedStyle(document.activeElement);
              return (outlineStyle !== "none" && parseFloat(outlineWidth) >= 1) || boxShadow !== "none";
            }"""
        )
        if not is_seen and focused(worked):
            unseen.append(focused(worked))
    assert not unseen


def test_the_first_link_skips_to_the_steps(worked: Driven) -> None:
    keys(worked, "Tab", "Enter", "Tab")
    assert focused(worked) == "Next step"


def test_stepping_and_training_by_keys(worked: Driven) -> None:
    worked.button("Next step").focus()
    keys(worked, "Enter", "Space", "ArrowRight")
    assert worked.known_steps() == 3
    keys(worked, "ArrowLeft")
    assert worked.known_steps() == 2
    keys(worked, "End")
    assert worked.known_steps() == 35 + 8
    keys(worked, "Home")
    assert worked.known_steps() == 0
    worked.button("Train 10 rounds").focus()
    keys(worked, "Enter", "Space")
    assert worked.number("round", "rounds") == 20
    worked.root.get_by_role("slider", name="Round", exact=True).focus()
    keys(worked, "ArrowLeft", "ArrowLeft")
    assert worked.number("round", "rounds") == 18
    assert worked.known_steps() == 0
    worked.root.get_by_role("slider", name="Step", exact=True).focus()
    keys(worked, "ArrowRight")
    assert worked.known_steps() == 1


def test_asking_by_keys(worked: Driven) -> None:
    worked.root.get_by_role("combobox", name="Why is", exact=True).focus()
    keys(worked, "ArrowDown", "ArrowDown")
    assert worked.root.locator("#derivation").is_visible()
    assert worked.known_steps() == 0


def test_predicting_by_keys(worked: Driven) -> None:
    worked.root.get_by_role("checkbox", name="Predict first", exact=True).focus()
    keys(worked, "Space")
    worked.button("Next step").focus()
    keys(worked, "Enter", *"0.3775", "Tab")
    assert focused(worked) in ("Previous step", "Check")
    worked.button("Check").focus()
    keys(worked, "Enter")
    assert focused(worked) == "Next step"
    assert worked.number("net_h1") == close(0.3775)


def test_the_focus_moves_off_a_button_that_becomes_disabled(worked: Driven) -> None:
    for at, name, then in (
        (3, "Last step", "Previous step"),
        (1, "Previous step", "Next step"),
        (5, "First step", "Next step"),
    ):
        worked.slide("Step", at)
        worked.button(name).focus()
        keys(worked, "Enter")
        assert focused(worked) == then, name


def test_keys_that_mean_something_where_the_focus_is_do_not_step(worked: Driven) -> None:
    worked.slide("Step", 5)
    for name in ("w5", "i1", "Learning rate"):
        worked.field(name).focus()
        keys(worked, "ArrowRight", "ArrowRight", "ArrowLeft", "End", "Home")
        assert worked.known_steps() == 5
        assert focused(worked) == name
    worked.root.get_by_role("combobox", name="Speed", exact=True).focus()
    keys(worked, "ArrowDown", "ArrowRight")
    assert worked.known_steps() == 5
    worked.button("Next step").focus()
    keys(worked, "Alt+ArrowRight", "Control+ArrowRight", "a")  # which are the browser's
    assert worked.known_steps() == 5


# Screen readers, and motion.


def test_a_screen_reader_hears_the_line_of_each_step(worked: Driven) -> None:
    spoken = worked.root.locator("[aria-live=polite]")
    assert spoken.count() == 1
    worked.press("Next step")
    assert "net_h1 is 0.3775" in spoken.inner_text().replace("neth1", "net_h1")
    worked.slide("Step", 35)
    assert "∂E_total/∂" in spoken.inner_text()
    worked.press("Last step")
    assert "w8 is 0.561370121" in spoken.inner_text()
    worked.check("Predict first")
    worked.press("First step", "Next step")
    assert "0.3775" not in spoken.inner_text()


def test_nothing_moves_where_motion_is_to_be_reduced(worked: Driven) -> None:
    worked.page.emulate_media(reduced_motion="reduce")
    durations = worked.root.evaluate(
        """() => [...document.querySelectorAll("*")].flatMap((e) => {
          const style = getComputedStyle(e);
          return [style.transitionDuration, style.animationName === "none" ? "0s" : style.animationDuration];
        })"""
    )
    assert {part.strip() for text in durations for part in text.split(",")} <= {"0s", "1e-05s", "0.01ms"}


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_light_and_dark_are_followed(scheme: Scheme, worked: Driven) -> None:
    worked.page.emulate_media(color_scheme=scheme)
    color = worked.root.evaluate("() => getComputedStyle(document.body).backgroundColor")
    brightness = sum(int(part) for part in color.removeprefix("rgb(").removesuffix(")").split(",")) / 3
    assert brightness > 240 if scheme == "light" else brightness < 40
