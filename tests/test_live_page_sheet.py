"""The live page on paper, and its derivations on the clipboard."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

import pytest

from autograd import Value, explain, live_page, topological_order
from autograd.notation import number
from tests.driven_page import Driven, diamond, projectile, worked_page
from tests.test_live_page_explain import ask, example
from tests.test_page import python_steps

SHEET = (688, 1017)  # pixels of a sheet of A4 within its margins
PASTED = """() => {
  const area = document.createElement("textarea");
  area.id = "pasted";
  document.body.append(area);
  area.focus();
}"""


# Print.


@pytest.fixture
def screen(driven: Driven) -> Iterator[Driven]:
    driven.page.set_viewport_size({"width": 1280, "height": 900})
    yield driven
    driven.page.emulate_media(media="screen")
    driven.page.set_viewport_size({"width": 1280, "height": 900})


def print_it(driven: Driven) -> None:
    """Show the page as it is printed, and check that it is as wide as the sheet."""
    driven.page.evaluate("() => dispatchEvent(new Event('beforeprint'))")
    driven.page.emulate_media(media="print")
    driven.page.set_viewport_size({"width": SHEET[0], "height": SHEET[1]})
    assert driven.page.evaluate("() => document.documentElement.scrollWidth") == SHEET[0]
    ends = driven.page.evaluate(
        "() => [...document.querySelectorAll('#picture .box, #sheet li *')].map((e) => e.getBoundingClientRect().right)"
    )
    assert max(ends) <= SHEET[0]


def sheet(driven: Driven) -> list[str]:
    lines: list[str] = driven.root.evaluate(
        """() => [...document.querySelectorAll("#sheet li")].map((line) =>
          line.lastChild.className === "blank" ? "" : line.lastChild.data)"""
    )
    return lines


@pytest.mark.parametrize("known", [0, 14, 35])
def test_what_is_known_is_printed_and_the_rest_is_blank(known: int, screen: Driven) -> None:
    screen.open(worked_page())
    screen.slide("Step", known)
    listed = [text for _, _, text in screen.list_of_steps()]
    print_it(screen)
    assert sheet(screen) == [text if place < known else "" for place, text in enumerate(listed)]
    assert screen.root.locator("button:visible:not(#picture button)").count() == 0
    unknown = screen.root.locator("#picture .number[data-value='']")
    assert (unknown.count() == 0) == (known == 35)
    if known < 35:
        assert unknown.first.evaluate("e => parseFloat(getComputedStyle(e).borderBottomWidth)") >= 1


@pytest.mark.parametrize("make", [diamond, projectile])
def test_a_sheet_has_the_steps_of_python(make: Callable[[], Value], screen: Driven) -> None:
    screen.open(live_page(make()))
    screen.check("Every operation")
    screen.press("Last step")
    print_it(screen)
    walked = [number(value).plain for _, value in python_steps(make())]
    assert sheet(screen)[: len(walked)] == walked  # what follows are updates


def test_the_worked_example_is_one_sheet_and_the_page_is_as_it_was(screen: Driven) -> None:
    screen.open(worked_page())
    screen.slide("Step", 20)
    places = "() => [...document.querySelectorAll('.box')].map((e) => JSON.stringify(e.getBoundingClientRect()))"
    before = screen.page.evaluate(places), screen.shown()
    paper = screen.page.pdf(format="A4", print_background=True)
    assert len(re.findall(rb"/Type\s*/Page\b", paper)) == 1
    screen.page.wait_for_timeout(200)  # until what follows a print is done
    assert (screen.page.evaluate(places), screen.shown()) == before


def test_paper_is_white_where_the_page_is_dark(screen: Driven) -> None:
    screen.page.emulate_media(color_scheme="dark", media="screen")
    screen.open(worked_page())
    screen.page.emulate_media(media="print", color_scheme="dark")
    assert screen.page.evaluate("() => getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    screen.page.emulate_media(color_scheme="light")


def test_a_frame_that_cannot_print_does_not_offer_it(screen: Driven) -> None:
    screen.open(worked_page())
    assert screen.button("Print").is_visible()
    screen.open(worked_page()._repr_html_(), is_framed=True)
    assert not screen.button("Print").is_visible()


# Copy.


def copied(driven: Driven, form: str) -> str:
    """What is on the clipboard after a press of the button."""
    driven.button(f"Copy as {form}").click()
    driven.page.evaluate(PASTED)
    driven.page.keyboard.press("Control+v")
    text: str = driven.page.evaluate(
        "() => { const area = document.querySelector('#pasted'); area.remove(); return area.value; }"
    )
    return text


@pytest.mark.parametrize(
    ("make", "names"),
    [(example, ["w1", "w5", "out_h1"]), (diamond, ["x", "b"]), (projectile, ["α", "t"])],
    ids=["worked", "diamond", "projectile"],
)
def test_a_derivation_is_copied_as_explain_writes_it(
    make: Callable[[], Value], names: list[str], driven: Driven
) -> None:
    output = make()
    driven.open(worked_page() if make is example else live_page(output))
    for name in names:
        (node,) = [node for node in topological_order(output) if node.label == name]
        explanation = explain(output, node)
        ask(driven, str(output.label), name)
        assert copied(driven, "text") == str(explanation)
        plain = re.sub(r"\\operatorname\{(\w+)\}", r"\\\1", copied(driven, "LaTeX"))
        if "by v3" in str(explanation):  # which LaTeX in Python writes as an index
            continue
        assert plain == explanation.latex


def test_what_is_copied_of_any_label_is_latex(driven: Driven) -> None:
    convert = pytest.importorskip(
        "latex2mathml.converter", reason="latex2mathml, which reads LaTeX, is not here"
    ).convert
    for label in ("50%", "a_b_c", "x y", "δ'", "{", "m^2", "\\frac", "a&b", "#1", "$5$", "~"):
        x = Value(1e-7, label)
        middle = (x * 3e9).exp() ** 2
        middle.label = "middle"
        output = middle.log() / x
        output.label = "y"
        driven.open(live_page(output))
        ask(driven, "y", label)
        latex = copied(driven, "LaTeX")
        assert latex.count("{") - latex.count(r"\{") == latex.count("}") - latex.count(r"\}")
        assert re.search(r"\d \\cdot 10\^\{-\d+\}", latex)
        assert "<merror" not in convert(latex)


def test_there_is_nothing_to_copy_before_a_question(driven: Driven) -> None:
    driven.open(worked_page())
    assert not driven.root.get_by_text("Copy as").first.is_visible()
    driven.check("Predict first")
    ask(driven, "E_total", "w1")  # whose numbers are to be predicted
    assert not driven.root.get_by_text("Copy as").first.is_visible()


def test_a_derivation_is_copied_in_a_frame_without_rights(driven: Driven) -> None:
    driven.open(worked_page()._repr_html_(), is_framed=True)
    ask(driven, "E_total", "w5")
    output = example()
    (node,) = [node for node in topological_order(output) if node.label == "w5"]
    assert copied(driven, "text") == str(explain(output, node))
