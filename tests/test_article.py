"""Pages that tell a story, and the article's: its order, its figures, its questions, in a browser."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from autograd import live_page, topological_order
from autograd.notation import Names
from autograd.views.live_page.story import story_content
from nn import article_page
from nn.examples.worked_example import PUBLISHED
from tests.driven_page import Driven, close, diamond, opened
from tests.test_live_page_accessibility import AXE

if TYPE_CHECKING:
    from playwright.sync_api import Browser

FIGURES = """() => [...document.querySelectorAll("#story .figure")].map((figure) =>
  [figure.querySelector(".number").dataset.value, figure.querySelector(".number").title,
   figure.querySelector(".mark").textContent.trim()])"""
DIAMOND = diamond()
FIND = Names(DIAMOND, topological_order(DIAMOND)).find


# How a story is written.


def test_a_text_has_numbers_and_formulas() -> None:
    (heading, paragraph) = story_content(
        [("a", "# On a\n\nIt is {a = 1.5}, from $x_1$.\n\n> {dE/dx} = {x.grad}")], FIND
    )
    assert heading == {"heading": "On a"}
    assert paragraph["step"] == {"of": "a"}
    first, second = paragraph["text"]
    assert first == ["It is ", {"of": "a", "printed": "1.5"}, ", from ", [("x", "1")], "."]
    assert second == ["> ", {"of": "E", "by": "x"}, " = ", {"of": "x", "kind": "grad"}]


def test_a_line_of_numbers_needs_no_empty_line_before_it() -> None:
    story = story_content([("a", "It is\n  {a}.\n> {a}\n  > {x}\n≠ Not {E}.\n\nOn.")], FIND)
    assert [paragraph[0] for paragraph in story[0]["text"]] == ["It is ", "> ", "> ", "≠ Not ", "On."]


def test_a_step_is_named_by_the_number_that_it_computes() -> None:
    steps: list[int | str] = [3, "start", "end", "x.grad", "x.grad from a", "x.next", "after 1,000 rounds"]
    found = [entry["step"] for entry in story_content([(step, "…") for step in steps], FIND)]
    assert found[:3] == [3, "start", "end"]
    assert found[3:] == [
        {"of": "x", "kind": "grad"},
        {"of": "x", "kind": "grad", "from": "a"},
        {"of": "x", "kind": "next"},
        {"rounds": 1000},
    ]


@pytest.mark.parametrize(
    ("item", "message"),
    [
        (("aa", "…"), "no node of this graph is called 'aa'; the nearest names are a"),
        (("a", "{E.slope}"), "a number has .grad and .next, not .slope"),
        (("a", "{q}"), "no node of this graph is called 'q'"),
        (("a", "{E after 10 rounds, backwards}"), "'backwards' is not offered by this page; it has sequential"),
        (("a", "{}"), "names no number"),
        (("a",), r"item 0 of the story is \('a',\); expected a paragraph \(step, text\)"),
        (("a", "{x.grad from b}"), "has .grad and .next, not .grad from b"),
    ],
)
def test_what_a_story_does_not_have_is_refused(item: tuple[str, str], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        story_content([item], FIND, {"sequential"})


def test_a_story_of_any_graph_is_refused_with_its_page() -> None:
    with pytest.raises(ValueError, match="no node of this graph is called 'y'"):
        live_page(diamond(), story=[("y", "…")])


# The article's page.


@pytest.fixture(scope="module")
def told(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Driven]:
    for driven in opened(browser, tmp_path_factory.mktemp("article")):
        yield driven.open(article_page())


@pytest.fixture
def article(told: Driven) -> Iterator[Driven]:
    told.open(article_page())
    yield from told.watched()


def current(driven: Driven) -> str:
    return driven.root.locator(".told[aria-current=step]").inner_text()


def position(driven: Driven) -> int:
    return int(driven.root.locator("#position").input_value())


def test_every_figure_of_the_article_stands_in_the_story_and_is_compared(article: Driven) -> None:
    article.root.wait_for_function(
        "() => [...document.querySelectorAll('.mark')].every((mark) => mark.textContent || !mark.previousSibling.title)"
    )
    rows = article.root.evaluate(FIGURES)
    printed = {title.split(",")[0].removeprefix("printed ").replace("−", "-"): sign for _, title, sign in rows if title}
    assert set(printed) == set(PUBLISHED.values())
    assert {text for text, sign in printed.items() if sign == "≠"} == {"-0.019049119"}
    for value, title, sign in rows:
        if sign == "✓":
            text = title.split(",")[0].removeprefix("printed ")
            assert f"{float(value):.{len(text.partition('.')[2])}f}" == text


def test_the_story_goes_in_the_articles_order(article: Driven) -> None:
    """Next shows every step once on the way to the last update, and then the rounds of training."""
    seen = [position(article)]
    for _ in range(80):
        article.press("Next step")
        seen.append(position(article))
        if article.number("round", "rounds") == 1:
            break
    assert [after - before for before, after in itertools.pairwise(seen) if after > before] == [1] * 43
    assert sorted(set(seen)) == list(range(44))
    assert "One round takes the error" in current(article)


def test_a_paragraph_lights_its_step_while_numbers_stay_known(article: Driven) -> None:
    for text, gradient in (
        ("Over o1: its share of the blame", 0.0553994246514),
        ("Over o2 the sign turns", 0.0363503063931),
        ("Over o1: its share of the blame", 0.0363503063931),
    ):
        article.root.get_by_text(text).click()
        (shown,) = (float(row[2]) for row in article.shown("#picture") if row[:2] == ("out_h1", "grad"))
        assert shown == close(gradient, 1e-11)
    assert "0.055399" in article.root.locator("#line").inner_text()


def test_scrolling_sets_the_step_and_previous_undoes_it(article: Driven) -> None:
    article.root.get_by_role("combobox", name="Section", exact=True).select_option(label="One weight, three factors")
    assert position(article) == 11 + 3  # E_o1 and E_o2 come before out_o1
    article.page.mouse.wheel(0, -5000)
    article.root.wait_for_function("() => document.querySelector('.told').ariaCurrent === 'step'")
    assert "Here is the whole machine" in current(article)
    article.press("Next step", "Next step")
    assert position(article) == 1
    article.press("Previous step")
    assert "How many weights" in current(article)


def test_the_tab_key_reads_on(article: Driven) -> None:
    article.root.locator(".told").nth(3).focus()
    assert "The logistic function does the squeezing" in current(article)
    assert position(article) == 2


def test_an_edit_changes_every_number_and_takes_the_marks_away(article: Driven) -> None:
    article.edit("w5", 0.9)
    text = article.root.locator("#story").inner_text()
    assert "✓" not in text.replace("✓ means", "")
    network_error = article.number("E_total") if position(article) else None
    assert network_error is None or network_error != close(0.298371109, 1e-8)
    article.root.get_by_role("button", name="Your numbers").click()
    assert "0.75136507 ✓" in article.root.locator("#story").inner_text()


@pytest.mark.parametrize(
    ("question", "answers"),
    [
        ("How many weights lead", {"3": "The sign is right", "2": "✓ Right: 2"}),
        ("What does o1 put out", {"1.105905967": "That is net_o1; out_o1 is computed from it", "0,7514": "✓ Right"}),
        (
            "Where will it stand",
            {
                "0.4410835": "The step goes against the gradient",
                "0.317833": "The learning rate is missing",
                "0.082167": "That is the gradient",
                "abc": "Type a number",
                "0.35891648": "✓ Right: 0.4 − 0.5 × 0.0821670406 = 0.35891648",
            },
        ),
        ("with its sign", {"0.0226": "The size is right, the sign is not.", "-0.0226025": "✓ Right"}),
        (
            "How steep is its curve",
            {"0.593269992": "That is out_h1 itself, not its slope", "0.2413": "= 0.241300709"},
        ),
    ],
)
def test_a_question_says_what_was_missed(article: Driven, question: str, answers: dict[str, str]) -> None:
    asked = article.root.locator(".asks", has_text=question)
    for typed, said in answers.items():
        asked.get_by_role("textbox").fill(typed)
        asked.get_by_role("textbox").press("Enter")
        assert said in asked.inner_text()
    assert "1 of 7 right so far" in asked.inner_text()


def test_only_one_way_is_named(browser: Browser, tmp_path: Path) -> None:
    for driven in opened(browser, tmp_path):
        driven.open(live_page(diamond(), story=[("start", "The slope of x?", "x.grad")]))
        output = diamond()
        nodes = {node.label: node for node in topological_order(output)}
        x, a, b = nodes["x"], nodes["a"], nodes["b"]
        output.backward()
        over_a = a.grad * 1.5 * (1 - a.data**2)
        field = driven.root.get_by_role("textbox", name="Your answer")
        field.fill(str(over_a))
        field.press("Enter")
        assert "Only one way. Add the one over b." in driven.root.locator(".asks").inner_text()
        field.fill(str(over_a + b.grad * b.data))
        field.press("Enter")
        assert f"{x.grad:.9g}" in driven.root.locator(".asks").inner_text()


def test_the_score_and_what_is_shown_on_request(article: Driven) -> None:
    asked = article.root.locator(".asks").first
    asked.get_by_role("button", name="Show it").click()
    assert asked.get_by_role("textbox").input_value() == "2"
    assert "0 of 7 right so far" in asked.inner_text()


@pytest.mark.parametrize("width", [390, 820, 1280, 1920])
def test_the_text_never_scrolls_sideways_and_axe_finds_nothing(browser: Browser, tmp_path: Path, width: int) -> None:
    package = pytest.importorskip("axe_playwright_python", reason="axe-playwright-python, with axe-core, is not here")
    axe = (Path(package.__file__).parent / "axe.min.js").read_text(encoding="utf-8")
    scheme = "dark" if width == 390 else "light"
    for driven in opened(browser, tmp_path, viewport={"width": width, "height": 800}, color_scheme=scheme):
        driven.open(article_page())
        driven.press(*["Next step"] * 4)
        assert driven.root.locator("#story").evaluate("e => e.clientWidth") >= 340
        assert driven.button("Next step").evaluate("e => e.getBoundingClientRect().bottom") <= 800
        assert driven.root.evaluate("() => document.documentElement.scrollWidth") <= width
        driven.page.evaluate(axe)
        assert not driven.page.evaluate(AXE, True)


def test_the_sheet_has_blanks_and_then_the_answers(article: Driven) -> None:
    article.root.evaluate("() => dispatchEvent(new Event('beforeprint'))")
    article.page.emulate_media(media="print")
    sheet = article.root.locator("#sheet")
    blanks, answers = sheet.locator("ol:not(.solutions ol) li"), sheet.locator(".solutions li")
    assert blanks.count() == answers.count() > 30
    assert blanks.first.inner_text() == "neth1 = 0.15 × 0.05 + 0.2 × 0.1 + 0.35 = "
    assert blanks.first.locator(".blank").evaluate("e => getComputedStyle(e).borderBottomWidth") == "1px"
    assert answers.first.inner_text() == "neth1 = 0.15 × 0.05 + 0.2 × 0.1 + 0.35 = 0.3775"
    assert "10,000" not in sheet.inner_text()  # no pencil trains so long
    assert "Check yourself: Etotal begins with 0.2984" in sheet.inner_text()
    for name in ("Next step", "Print"):
        assert not article.root.get_by_role("button", name=name).is_visible()
    assert not article.root.get_by_role("combobox", name="Section").is_visible()
    assert article.root.locator("#picture .box").count() == 2 + 8 + 2 + 4 + 4 + 2 + 3  # all stand in wide rows
    article.page.emulate_media(media="screen")


def test_a_story_in_a_frame_scrolls_within_it(browser: Browser, tmp_path: Path) -> None:
    for driven in opened(browser, tmp_path, viewport={"width": 1000, "height": 1000}):
        driven.open(f"<!doctype html>{article_page()._repr_html_()}", is_framed=True)
        assert driven.page.locator("iframe").evaluate("e => e.clientHeight") == 900
        driven.root.evaluate("() => scrollTo(0, 2500)")
        driven.root.wait_for_function("() => Number(document.querySelector('#position').value) > 3")


def test_a_tap_on_a_paragraph_shows_its_step(browser: Browser, tmp_path: Path) -> None:
    for driven in opened(browser, tmp_path, viewport={"width": 390, "height": 844}, has_touch=True):
        driven.open(article_page())
        paragraph = driven.root.locator(".told", has_text="The logistic function does the squeezing")
        paragraph.evaluate("e => e.scrollIntoView()")
        paragraph.tap()
        assert position(driven) == 2
