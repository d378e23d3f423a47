"""The layout of the live page: derivations in the serifs that systems have, in Chromium and in Firefox."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests import firefox
from tests.driven_page import Driven, worked_page

# The serif that a system without the page's first choices takes, and the Debian package that it comes in.
SERIFS = {
    "DejaVu Serif": "fonts-dejavu",
    "Liberation Serif": "fonts-liberation",
    "STIX": "fonts-stix",
    "TeX Gyre Pagella": "fonts-texgyre",
}
WIDTHS = (1280, 736, 390)
EQUATIONS = 11  # that explain writes of w1

# Of each equation, the pieces of text that are not raised or lowered must be read from left to right, line by line.
MISPLACED = """(serif) => {
  document.documentElement.style.setProperty("--serif", `"${serif}"`);
  const wrong = [];
  const derivation = document.querySelector("#derivation");
  for (const equation of derivation.querySelectorAll(".equation")) {
    let last = {top: -Infinity, left: -Infinity, text: ""};
    const walker = document.createTreeWalker(equation, NodeFilter.SHOW_TEXT);
    while (walker.nextNode()) {
      if (walker.currentNode.parentElement.closest("sub, sup")) continue;
      const range = document.createRange();
      range.selectNodeContents(walker.currentNode);
      for (const {top, left} of range.getClientRects()) {
        const text = walker.currentNode.data;
        const isBefore = Math.abs(top - last.top) < 3 ? left < last.left : top < last.top;
        if (isBefore) wrong.push(`${last.text}|${text}`);
        last = {top, left, text};
      }
    }
    const [name, ...pieces] = [...equation.querySelectorAll(":scope > .formula, .equals")].map((e) => {
      const range = document.createRange();
      range.selectNodeContents(e);
      return range.getClientRects()[0].top;
    });
    if (Math.abs(name - pieces[0]) >= 3) wrong.push(`the first line of ${equation.textContent}`);
  }
  if (derivation.scrollWidth > derivation.clientWidth) wrong.push("wider than its column");
  return [derivation.querySelectorAll(".equation").length, wrong];
}"""
ASK = """() => {
  const why = document.querySelector("#why");
  why.value = [...why.options].find((option) => option.text.endsWith("/∂w1")).value;
  why.dispatchEvent(new Event("change"));
}"""


def has_font(family: str) -> bool:
    if shutil.which("fc-match") is None:
        return False
    return family in subprocess.check_output(["fc-match", "-f", "%{family}", family], text=True)


@pytest.fixture(scope="module")
def fox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[firefox.Firefox]:
    """A headless Firefox."""
    path = firefox.program()
    if path is None:
        pytest.skip("the second browser, `firefox-esr` or `firefox`, is not on PATH")
    running = firefox.Firefox(path, tmp_path_factory.mktemp("firefox"))
    yield running
    running.close()


def check_derivation(resize: Callable[[int, int], object], evaluate: Callable[..., Any], serif: str) -> None:
    evaluate(ASK)
    for width in WIDTHS:
        resize(width, 900)
        count, wrong = evaluate(MISPLACED, serif)
        assert count == EQUATIONS
        assert not wrong, width


@pytest.mark.parametrize("serif", SERIFS)
def test_derivations_are_whole_in_every_serif(serif: str, worked: Driven) -> None:
    if not has_font(serif):
        pytest.skip(f"the font {serif} is not installed here; Debian has it in {SERIFS[serif]}")

    def resize(width: int, height: int) -> None:
        worked.page.set_viewport_size({"width": width, "height": height})

    check_derivation(resize, worked.page.evaluate, serif)


@pytest.mark.parametrize("serif", SERIFS)
def test_derivations_are_whole_in_firefox(serif: str, fox: firefox.Firefox) -> None:
    if not has_font(serif):
        pytest.skip(f"the font {serif} is not installed here; Debian has it in {SERIFS[serif]}")
    fox.open(worked_page())
    check_derivation(fox.resize, fox.evaluate, serif)
    assert not fox.heard()
