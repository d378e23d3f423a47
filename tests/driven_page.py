"""A live page as anyone's script drives it, for the tests of the page in a browser.

Controls are found by their accessible names, numbers by `data-name`, `data-kind` and `data-value`. What the numbers
must be comes from Python's engine: `python_numbers`.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from autograd import Constant, LivePage, Value, topological_order
from autograd.notation import Names
from autograd.value import is_constant
from nn.examples.pages import logic_gates_page, worked_example_page

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Frame, Locator, Page

# As one string, since Playwright takes its time over lists.
NUMBERS = """(within) => JSON.stringify([...document.querySelectorAll(`${within} [data-name]`)].map(
  (e) => [e.dataset.name, e.dataset.kind, e.dataset.value, e.value ?? e.textContent]))"""


class Driven:
    """A page that is driven by its fixed names.

    Attributes:
        page: the browser's page.
        root: the document of the live page: the page's own, or that of a frame in it.
        heard: what must not be: messages on the console, errors, dialogs, and requests but for the file itself.
    """

    def __init__(self, page: Page, folder: Path) -> None:
        self.page, self.folder = page, folder
        self.root: Page | Frame = page
        self.heard: list[str] = []
        page.on("console", lambda message: self.heard.append(f"console: {message.text}"))
        page.on("pageerror", lambda error: self.heard.append(f"error: {error}"))
        page.on("request", lambda request: self.heard.append(f"request: {request.url}"))
        page.on("dialog", self._refuse)
        page.set_default_timeout(4000)

    def _refuse(self, dialog: Any) -> None:
        self.heard.append(f"dialog: {dialog.message}")
        dialog.dismiss()

    def open(self, page: LivePage | str, *, is_framed: bool = False, place: str = "") -> Driven:
        """Open a page from a file, at a place such as "#step=3"; in a frame if its HTML is that of a cell."""
        path = self.folder / "page.html"
        path.write_text(page if isinstance(page, str) else page.html, encoding="utf-8")
        if place:
            self.page.goto("about:blank")  # else a place alone would not load the file
        self.page.goto(path.as_uri() + place)
        self.root = self.page.frames[1] if is_framed else self.page
        self.heard.remove(f"request: {path.as_uri()}")
        return self

    def watched(self) -> Iterator[Driven]:
        """The page for one test, at the end of which nothing may have been heard that must not be."""
        self.heard.clear()
        yield self
        assert not self.heard

    # Controls.

    def button(self, name: str) -> Locator:
        return self.root.get_by_role("button", name=name, exact=True)

    def press(self, *names: str) -> None:
        for name in names:
            self.button(name).click(force=True)  # without a wait until nothing moves

    def field(self, name: str) -> Locator:
        return self.root.get_by_role("textbox", name=name, exact=True)

    def edit(self, name: str, number: float | str) -> None:
        field = self.field(name)
        field.fill(str(number))
        field.press("Enter")

    def choose(self, name: str, value: str) -> None:
        self.root.get_by_role("combobox", name=name, exact=True).select_option(value)

    def check(self, name: str, *, checked: bool = True) -> None:
        self.root.get_by_role("checkbox", name=name, exact=True).set_checked(checked)

    def slide(self, name: str, place: int) -> None:
        self.root.get_by_role("slider", name=name, exact=True).fill(str(place))

    def train(self, *rounds: int) -> None:
        """Train so many rounds, one press after the other, and wait for the end of each."""
        for count in rounds:
            goal = self.number("round", "rounds") + count
            self.press(f"Train {count:,} round{'s' if count > 1 else ''}")
            self.root.wait_for_function(
                "goal => document.querySelector('[data-kind=rounds]').dataset.value === goal", arg=f"{goal:.0f}"
            )

    # Numbers.

    def shown(self, within: str = "body") -> list[tuple[str, str, str, str]]:
        """Every number in a part of the page: name, kind, all of its digits, and how it is written."""
        return [tuple(row) for row in json.loads(self.root.evaluate(NUMBERS, within))]

    def digits(self, kind: str) -> dict[str, str]:
        """The digits of one kind by name, "" if unknown; the elements of one name must not contradict each other."""
        found: dict[str, str] = {}
        for name, its_kind, value, _ in self.shown():
            if its_kind == kind:
                assert not value or found.get(name, value) in ("", value), (name, kind)
                found[name] = found.get(name) or value
        return found

    def numbers(self, kind: str) -> dict[str, float]:
        """The known numbers of one kind, by name."""
        return {name: float(value) for name, value in self.digits(kind).items() if value}

    def number(self, name: str, kind: str = "data") -> float:
        return self.numbers(kind)[name]

    def error(self) -> float:
        (error,) = self.numbers("error").values()
        return error

    def list_of_steps(self) -> list[tuple[str, str, str]]:
        """Of each step in the list: its name, all digits of its number, and how it is written."""
        return [(name, value, text) for name, _, value, text in self.shown("ol")]

    def known_steps(self) -> int:
        return sum(value != "" for _, value, _ in self.list_of_steps())

    def text(self) -> str:
        """What the page says of this step."""
        return self.root.get_by_role("region", name="This step").inner_text()


def opened(browser: Browser, folder: Path, **options: Any) -> Iterator[Driven]:
    """An empty page of the browser, closed at the end."""
    page = browser.new_page(**{"viewport": {"width": 1280, "height": 900}, "reduced_motion": "reduce", **options})
    yield Driven(page, folder)
    page.close()


def close(expected: object, rel: float = 1e-12) -> object:
    return pytest.approx(expected, rel=rel, abs=0, nan_ok=True)


def python_numbers(output: Value) -> tuple[dict[str, float], dict[str, float]]:
    """The data and the gradients of a graph's nodes by their names, but for constants without a label."""
    nodes = topological_order(output)
    names = Names(output, nodes)
    for node in nodes:
        node.grad = None
    output.backward()
    data = {names.of(node).plain: node.data for node in nodes if node.label or not is_constant(node)}
    return data, {names.of(node).plain: node.grad for node in nodes if not is_constant(node)}


def check_numbers(driven: Driven, output: Value, rel: float = 1e-12, *, labelled: bool = True) -> None:
    """Check the data and the gradients that the page shows at the last step against Python's.

    All nodes with a label must be shown if `labelled`.
    """
    driven.slide("Step", len(driven.list_of_steps()))
    data, grads = python_numbers(output)
    data |= {f"∂{name}": grad for name, grad in grads.items()}
    shown = driven.numbers("data") | {f"∂{name}": grad for name, grad in driven.numbers("grad").items()}
    due = {node.label for node in topological_order(output) if node.label and labelled}
    expected = {name: number for name, number in data.items() if name in shown or name.removeprefix("∂") in due}
    wrong = {
        name: (shown.get(name), number) for name, number in expected.items() if shown.get(name) != close(number, rel)
    }
    assert expected
    assert not wrong


@functools.cache
def worked_page() -> LivePage:
    return worked_example_page()


@functools.cache
def gates_page(seed: int = 1) -> LivePage:
    return logic_gates_page(seed)


def diamond() -> Value:
    """x → a, b → E: two paths from x to E."""
    x, k = Value(0.7, "x"), Constant(1.5, "k")
    a, b = (x * k).tanh(), x.exp()
    a.label, b.label = "a", "b"
    output = a * b + a
    output.label = "E"
    return output


def projectile() -> Value:
    """The height of a projectile some seconds after it was thrown at an angle."""
    h0, v0, angle = Value(1.5, "h0"), Value(20.0, "v_0"), Value(0.9, "α")
    t, g = Value(1.2, "t"), Constant(9.81, "g")
    speed = v0 * angle.sin()
    speed.label = "v_y"
    fall = 0.5 * g * t**2
    fall.label = "fall"
    height = h0 + speed * t - fall
    height.label = "height"
    return height
