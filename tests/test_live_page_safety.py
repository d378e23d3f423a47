"""The live page is safe to open anywhere: from a file, in a sandbox, with any labels."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest

import autograd
from autograd import Constant, LivePage, Value, explain, live_page, steps
from autograd.notation import cleaned
from nn.examples import worked_example
from tests.driven_page import Driven, check_numbers, close, gates_page, python_numbers, worked_page

LONG = "x" * 500
HOSTILE = [
    *("</script><script>alert(1)</script>", "<img src=x onerror=alert(1)>", "<!--", '" onfocus="alert(1)" x="'),
    *("'`${alert(1)}`\\", "&lt;b&gt;&amp;", "🧠👩‍👩‍👧", "שלום עולם", "\u202eevil\u202c", "@1.2", "#3.4"),
    *("two\nlines\ttabbed", "x ** 2", "w_", "_", "__proto__", "constructor", "toString", "∂E/∂x", " "),
]


def hostile_graph(labels: list[str]) -> Value:
    """A graph with each label three times: for a variable, a constant and an operation."""
    terms = []
    for count, label in enumerate(labels, start=1):
        x, k = Value(0.5 / count, label), Constant(2.0, label)
        inner = (x * k).tanh()
        inner.label = label
        terms.append(inner * x + x / k)
    output = autograd.sum(terms)
    output.label = "E"
    return output


# Nothing leaves the page.


@pytest.mark.parametrize("page", [worked_page, gates_page])
def test_nothing_is_requested_and_nothing_is_on_the_console(page: Callable[[], LivePage], driven: Driven) -> None:
    """Whatever is done; the fixture looks at what was heard."""
    driven.open(page())
    driven.check("Every operation")
    driven.press("Last step", "Previous step", "First step", "Next step")
    driven.root.get_by_role("combobox", name="Why is", exact=True).select_option(index=3)
    driven.train(100)
    driven.check("log scale")
    driven.slide("Round", 50)
    driven.edit("i1", "nonsense")
    driven.edit("w1", 3)
    driven.check("Predict first")
    driven.press("Next step", "Show factors", "Show it")
    driven.press("Reset")
    for width in (320, 800, 1280):
        driven.page.set_viewport_size({"width": width, "height": 900})
    for summary in driven.root.locator("summary:visible").all():
        summary.click()
    assert not driven.heard


@pytest.mark.parametrize("page", [worked_page, gates_page])
def test_the_policy_allows_nothing_but_the_inline_script_and_style(page: Callable[[], LivePage]) -> None:
    text = page().html
    (policy,) = re.findall(r'http-equiv="Content-Security-Policy" content="([^"]*)"', text)
    rules = dict(rule.strip().split(" ", 1) for rule in policy.split(";"))
    assert rules["default-src"] == "'none'"
    for name in ("script-src", "style-src"):
        assert re.fullmatch(r"'sha256-[A-Za-z0-9+/=]+'", rules[name])
    assert not re.search(r"(src|href)=\"(?!#)", text)
    assert "http:" not in text.replace("http://www.w3.org/2000/svg", "")


def test_an_injected_script_does_not_run(driven: Driven) -> None:
    """The policy is at work: a script that has another text than the page's own is refused."""
    driven.open(worked_page().html.replace("</body>", "<script>window.hacked = 1</script></body>"))
    assert driven.root.evaluate("() => window.hacked") is None
    assert [line for line in driven.heard if "Content Security Policy" in line]
    driven.heard.clear()
    driven.press("Next step")
    assert driven.number("net_h1") == close(0.3775)


def test_the_page_works_in_a_sandboxed_frame(driven: Driven) -> None:
    """As a notebook shows it: without an origin of its own, in a file on its own here."""
    frame = worked_page()._repr_html_()
    assert re.search(r'<iframe [^>]*sandbox="allow-scripts allow-downloads"[^>]* srcdoc="', frame)
    driven.open(f"<!doctype html><title>A notebook</title><h1>A cell</h1>{frame}", is_framed=True)
    driven.press("Next step")
    assert driven.number("net_h1") == close(0.3775)
    driven.edit("w5", 0.45)
    driven.train(100)
    driven.press("Last step")
    data, _ = python_numbers(worked_example.forward(worked_example.build_network()))
    assert driven.numbers("data").keys() >= {name for name in data if "_" in name}
    assert driven.root.evaluate("() => window.origin") == "null"


# Hostile labels and titles.


def test_labels_are_text(driven: Driven) -> None:
    driven.open(live_page(hostile_graph(HOSTILE)))
    check_numbers(driven, hostile_graph(HOSTILE), labelled=False)
    titles = driven.root.locator("#picture [title]").evaluate_all("all => all.map(e => e.title)")
    assert {cleaned(label) for label in HOSTILE} <= {*titles}
    texts = driven.root.locator("#picture .box i").evaluate_all("all => all.map(e => e.textContent)")
    assert {cleaned(label) for label in HOSTILE if "_" not in label} <= {*texts}
    assert driven.root.locator("script").count() == 2  # the data and the page's own
    assert driven.root.locator("main img, main script, main b b").count() == 0


def test_a_node_of_a_label_that_is_taken_has_a_name_of_its_own(driven: Driven) -> None:
    driven.open(live_page(hostile_graph(["@1.2", LONG])))
    names = [name for name, kind, _, _ in driven.shown("#picture") if kind == "data"]
    assert sorted({name for name in names if names.count(name) > 1}) == []
    assert {"@1.2", "@1.2(2)", "@1.2(3)"} <= {*names}


@pytest.mark.parametrize(
    "title", ["</script><script>alert(1)</script>", '"><img src=x onerror=alert(1)> 🧠', "שלום @1.2"]
)
def test_a_title_is_text(title: str, driven: Driven) -> None:
    page = live_page(Value(2.0, "x") * 3.0, title=title)
    driven.open(page)
    assert driven.page.title() == title
    assert driven.root.get_by_role("heading", level=1).inner_text() == title
    assert driven.root.locator("h1 *").count() == 0
    driven.open(page._repr_html_(), is_framed=True)
    assert driven.page.locator("iframe").get_attribute("title") == title
    assert driven.root.get_by_role("heading", level=1).inner_text() == title


@pytest.mark.parametrize("label", ["@1.2", "#3.4", "x ** 2"])
def test_labels_like_marks_are_explained_and_stepped(label: str, driven: Driven) -> None:
    x, y = Value(0.5, label), Value(3.0, "y")
    inner = x * y
    inner.label = f"{label} inner"
    output = inner * inner + x
    output.label = "E"
    driven.open(live_page(output))
    driven.root.get_by_role("combobox", name="Why is", exact=True).select_option(label=f"∂E/∂{label}")
    text = driven.root.locator("#derivation").evaluate(
        "e => { for (const power of e.querySelectorAll('sup')) power.prepend(' ** '); return e.textContent; }"
    )
    for line in str(explain(output, x)).splitlines():
        first = line.strip().split(" = ")[0]
        assert re.sub(r"\s", "", first.removeprefix("= ")) in re.sub(r"\s", "", text), line
    driven.check("Every operation")
    driven.press("Last step")
    assert len(driven.list_of_steps()) == len(steps(output)) + 2  # and the updates of the two leaves
    assert driven.root.get_by_role("textbox", name=label, exact=True).count() == 1


def test_cases_for_a_formula(driven: Driven) -> None:
    x, y = Value(2.0, "x"), Value(3.0, "y")
    output = x * y
    output.label = "E"
    driven.open(live_page(output, [{"x": 1.0}, {"x": 4.0}], learning_rate=0.1))
    driven.train(1)  # the mean of 1 and 4 is the gradient of y
    assert driven.number("y") == close(3.0 - 0.1 * 2.5)
    assert driven.error() == close(2.75 * 2.5)
