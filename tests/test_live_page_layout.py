"""The layout of the live page: in any width, however large the network, in several serifs, in Chromium and Firefox."""

from __future__ import annotations

import itertools
import random
import shutil
import subprocess
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from autograd import LivePage, Value, live_page
from nn import MLP, network_page
from tests import firefox
from tests.benchmarks.live_page import random_graph
from tests.driven_page import Driven, gates_page, projectile, worked_page

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


def test_firefox_steps_trains_and_copies_as_chromium_does(fox: firefox.Firefox, worked: Driven) -> None:
    numbers = """() => JSON.stringify([...document.querySelectorAll("[data-value]")].map(
      (e) => [e.dataset.name, e.dataset.kind, Number(e.dataset.value).toPrecision(9)]))"""
    worked.train(100)
    worked.slide("Step", 20)
    fox.open(worked_page(), "#step=20&round=100")
    for width in (1280, 736, 600):
        fox.resize(width, 900)
        worked.page.set_viewport_size({"width": width, "height": 900})
        assert fox.evaluate(numbers) == worked.page.evaluate(numbers)
        assert fox.evaluate("() => document.documentElement.scrollWidth") <= width
    fox.press("Next step")
    fox.press("Zoom in")
    fox.evaluate(ASK)
    fox.evaluate(
        """() => addEventListener("copy", (event) => {
          document.body.dataset.copied = event.clipboardData.getData("text/plain");
        })"""
    )
    fox.press("Copy as text")
    assert fox.evaluate("() => document.body.dataset.copied").startswith("∂E_total/∂w1 = (∂E_o1/∂out_h1 + ")
    fox.evaluate("() => new Promise((done) => setTimeout(done, 300))")  # until the address has followed
    fox.reload()
    assert fox.evaluate("() => document.querySelector('#count').textContent") == "step 21 of 43"
    assert fox.evaluate("() => document.querySelector('#rounds').dataset.value") == "100"
    assert not fox.heard()


def test_an_error_in_firefox_is_heard(fox: firefox.Firefox) -> None:
    fox.open("<!doctype html><script>nothing.at.all</script>")
    assert "nothing" in fox.heard()[0]
    assert not fox.heard()


# Width.


def network(*sizes: int) -> LivePage:
    generator = random.Random(5)
    inputs = [round(generator.uniform(-1.0, 1.0), 5) for _ in range(sizes[0])]
    return network_page(MLP(sizes[0], list(sizes[1:]), "tanh", generator=generator), [(inputs, [0.5] * sizes[-1])])


def neuron() -> LivePage:
    x, w, b = Value(0.5, "x"), Value(-1.2, "w"), Value(0.3, "b")
    net = w * x + b
    net.label = "net"
    y = net.sigmoid()
    y.label = "y"
    error = (y - Value(0.0, "target")) ** 2
    error.label = "error"
    return live_page(error, [{"x": 0.0, "target": 0.2}, {"x": 1.0, "target": 0.9}], learning=[w, b])


# How far down text and controls reach in the left and in the right half of the page, as parts of its height.
REACHED = """() => {
  const main = document.querySelector("main").getBoundingClientRect();
  const reached = [0, 0];
  for (const e of document.querySelectorAll("main *")) {
    const {left, right, bottom, height} = e.getBoundingClientRect();
    if (e.children.length || !height || !(e.textContent || e.matches("input")) || e.closest("#sheet")) continue;
    const middle = main.left + main.width / 2;
    if (left < middle) reached[0] = Math.max(reached[0], bottom);
    if (right > middle) reached[1] = Math.max(reached[1], bottom);
  }
  return reached.map((bottom) => (bottom - main.top) / main.height);
}"""


@pytest.mark.parametrize(
    "page", [worked_page, gates_page, neuron, lambda: live_page(projectile()), lambda: network(2, 8, 8, 1)]
)
def test_no_half_of_the_page_is_blank(page: Callable[[], LivePage], driven: Driven) -> None:
    for width in (600, 736, 830):
        driven.page.set_viewport_size({"width": width, "height": 900})
        driven.open(page())
        driven.press("Last step")
        assert driven.page.evaluate("() => document.documentElement.scrollWidth") <= width
        assert min(driven.page.evaluate(REACHED)) > 0.5, width


# Pictures.

IS_IN_VIEW = """() => {
  const frame = document.querySelector("#picture").getBoundingClientRect();
  return [...document.querySelectorAll(".box.current")].map((e) => e.getBoundingClientRect()).map((box) =>
    box.left >= frame.left - 2 && box.right <= frame.right + 2 && box.top >= frame.top - 2 &&
    box.bottom <= frame.bottom + 2);
}"""
IS_WHOLE = "() => { const e = document.querySelector('#picture'); return e.scrollWidth <= e.clientWidth; }"
TEXT = """() => Math.min(...[...document.querySelectorAll("#picture .number")].map((e) =>
  parseFloat(getComputedStyle(e).fontSize) * e.closest(".stage").getBoundingClientRect().width /
  e.closest(".stage").offsetWidth))"""


@pytest.mark.parametrize("sizes", [(2, 8, 8, 1), (2, 16, 16, 1), (4, 12, 3), (3, 2, 2, 2, 1)])
def test_a_network_is_as_wide_as_its_frame(sizes: tuple[int, ...], driven: Driven) -> None:
    driven.page.set_viewport_size({"width": 1280, "height": 900})
    driven.open(network(*sizes))
    for place in range(0, len(driven.list_of_steps()), 47):
        driven.slide("Step", place)
        assert driven.page.evaluate(IS_WHOLE)
        assert driven.page.evaluate(TEXT) >= 9
    driven.press("Last step")
    weights = {name for name in driven.digits("grad") if name[0] in "wb"}
    assert len(weights) == sum(a * b + b for a, b in itertools.pairwise(sizes))  # all can be seen somewhere


@pytest.mark.parametrize("width", [390, 736])
@pytest.mark.parametrize(
    "page", [lambda: network(2, 8, 8, 1), lambda: network(2, 40, 3), lambda: live_page(random_graph(60))]
)
def test_the_current_node_is_in_view(page: Callable[[], LivePage], width: int, driven: Driven) -> None:
    driven.page.set_viewport_size({"width": width, "height": 900})
    driven.open(page())
    count = int(driven.root.locator("#position").get_attribute("max") or 0)
    for place in range(1, count, count // 7):
        driven.slide("Step", place)
        assert driven.page.evaluate(IS_IN_VIEW) == [True], place


def test_a_picture_is_enlarged_and_reduced_in_its_frame(driven: Driven) -> None:
    driven.page.set_viewport_size({"width": 736, "height": 900})
    driven.open(network(2, 8, 8, 1))
    driven.slide("Step", 40)
    height = driven.root.locator("#picture").evaluate("e => e.offsetHeight")
    sizes = [driven.page.evaluate(TEXT)]
    for _ in range(8):
        driven.press("Zoom in")
        assert driven.page.evaluate(IS_IN_VIEW) == [True]
        sizes.append(driven.page.evaluate(TEXT))
    assert sizes == sorted(sizes)
    assert sizes[-1] > 2 * sizes[0]
    assert not driven.page.evaluate(IS_WHOLE)
    for _ in range(12):
        driven.press("Zoom out")
    assert driven.page.evaluate(IS_WHOLE)
    reduced = driven.page.evaluate(TEXT)
    assert reduced < sizes[0]
    driven.press("Zoom in")
    assert driven.page.evaluate(TEXT) > reduced  # at once, however often the other button was pressed
    assert driven.root.locator("#picture").evaluate("e => e.offsetHeight") == height


def test_of_a_large_layer_the_neurons_around_the_chosen_one_are_shown(driven: Driven) -> None:
    driven.page.set_viewport_size({"width": 1280, "height": 900})
    driven.open(network(2, 40, 3))
    assert "16 of 40 neurons" in driven.root.locator("#picture").inner_text()
    assert driven.root.locator(".box[class*=row]").count() < 2 * (16 + 3) + 60
    for name in ("h1", "h20", "h40"):
        places = [place for place, (its_name, _, _) in enumerate(driven.list_of_steps()) if its_name == f"net_{name}"]
        driven.slide("Step", places[0] + 1)
        assert driven.page.evaluate(IS_IN_VIEW) == [True]


def test_the_key_speaks_of_weights_where_there_are_any(driven: Driven) -> None:
    driven.page.set_viewport_size({"width": 1280, "height": 900})
    for page, is_network in ((worked_page(), True), (live_page(projectile()), False)):
        driven.open(page)
        key = driven.root.locator(".key")
        assert key.evaluate("e => e.offsetHeight") < 36  # one line
        text = key.inner_text()
        assert ("dashed: negative" in text) == is_network
        for part in ("Blue", "Rust", "gradient", "slope", "Outlined"):
            assert part in text


def test_a_flight_is_not_trained(driven: Driven) -> None:
    driven.open(live_page(projectile()))
    assert not driven.button("Train 1 round").is_visible()
    assert driven.button("Reset").is_visible()
    driven.open(neuron())
    assert driven.root.get_by_text("Press Train: the error of each round is plotted here.").is_visible()
