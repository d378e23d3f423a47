"""The page of a network that reads digits, in a browser: its numbers, its shades, and what it says to everyone."""

from __future__ import annotations

import functools
import itertools
import math
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from autograd import LivePage, Value
from nn import MLP, digit_page, load_network
from nn.examples.digits import read_digits
from tests.driven_page import Driven, close, gates_page, worked_page
from tests.test_content import data_of, evaluated_at
from tests.test_live_page_accessibility import AXE, axe  # noqa: F401  # the second one is a fixture
from tests.test_live_page_learning import saved

if TYPE_CHECKING:
    from numpy.typing import NDArray

PIXELS = [f"i{number}" for number in range(1, 65)]
OUTPUTS = [f"net_o{digit}" for digit in range(10)]


@functools.cache
def page() -> LivePage:
    return digit_page()


def choices() -> dict[str, list[float]]:
    """The images that the page offers, with the numbers of pixels and targets, by name."""
    return {name: row for name, (row,) in data_of(page())["gates"].items()}


def style(driven: Driven, name: str, rule: str) -> str:
    box = driven.field(name).locator("..")
    text: str = box.evaluate("(box, rule) => getComputedStyle(box)[rule]", rule)
    return text


def test_the_images_are_digits_that_scikit_learn_carries() -> None:
    images = read_digits()
    known = {tuple(row): int(label) for row, label in zip(images.pixels.tolist(), images.labels, strict=True)}
    assert list(choices())[:10] == [str(digit) for digit in range(10)]
    for name, row in choices().items():
        digit = known[tuple(row[:64])]
        assert row[64:] == [float(place == digit) for place in range(10)]
        assert name == str(digit) or re.fullmatch(f"{digit}, read as [^{digit}]", name)


def test_every_number_is_what_it_must_be(driven: Driven) -> None:
    """The page computes by itself: its error by Python's engine, and its layers by hand from the numbers it shows."""
    driven.open(page())
    (content,) = data_of(page())["graphs"]
    for name, row in list(choices().items())[::4]:
        driven.choose("Image", name)
        driven.slide("Step", 1000)
        error, grads = evaluated_at(content, row)
        assert driven.error() == close(error, 1e-9)
        shown = driven.numbers("grad")
        assert (
            shown == close({key: grads.get(key, shown[key]) for key in shown}, 1e-6)
            or min(map(abs, shown.values())) == 0
        )
        data = driven.numbers("data")
        assert [data[pixel] for pixel in PIXELS] == row[:64]
        net = math.fsum(data[f"w{number}"] * row[number - 1] for number in range(1, 65)) + data["b1"]
        assert data["net_h1"] == close(net, 1e-9)
        assert data["out_h1"] == close(math.tanh(net), 1e-9)
        scores = [data[output] for output in OUTPUTS]
        largest = max(scores)
        answer = scores.index(largest)
        assert name in (str(answer), f"{row[64:].index(1.0)}, read as {answer}")
        total = math.fsum(math.exp(score - largest) for score in scores)
        assert error == close(math.log(total) + largest - scores[row[64:].index(1.0)], 1e-6)
        marked = driven.root.locator(".box.answer")
        assert marked.count() == 1
        assert marked.get_by_role("button").get_attribute("aria-label") == f"Explain net_o{answer}"


def test_a_pixel_is_as_dark_as_its_number_and_can_be_changed(driven: Driven) -> None:
    driven.open(page())
    driven.slide("Step", 1000)
    before = driven.error()
    for number, shade in ((1, 0), (0, 255), (0.25, 191)):
        driven.edit("i1", number)
        assert style(driven, "i1", "backgroundColor") == f"rgb({shade}, {shade}, {shade})"
        assert driven.number("i1") == number
    assert driven.error() != before
    driven.slide("Step", 1)  # net_h1
    assert style(driven, "w1", "backgroundColor") != style(driven, "w2", "backgroundColor")
    driven.press("Explain w2")
    said = re.sub(r"\s", "", driven.root.locator("#derivation").inner_text())
    assert said.startswith("∂E/∂w2=∂E/∂neth1·∂neth1/∂w2=")


def test_the_weights_shown_are_those_of_the_neuron_that_a_step_is_about(driven: Driven) -> None:
    driven.open(page())
    driven.slide("Step", 3)  # net_h2
    assert driven.field("w65").count() == driven.field("w128").count() == 1
    assert not driven.field("w1").locator("xpath=ancestor::*[@id='picture']").count()
    driven.train(10)
    assert driven.number("round", "rounds") == 10


def test_axe_finds_nothing(driven: Driven, axe: str) -> None:  # noqa: F811  # the fixture
    """In the picture, since the rest is as on other pages: letters have enough contrast on each shade and scheme."""
    driven.page.set_viewport_size({"width": 1280, "height": 900})
    driven.page.emulate_media(color_scheme="light", reduced_motion="reduce")
    driven.open(page())
    driven.slide("Step", 1000)
    driven.page.evaluate(axe)
    of_picture = AXE.replace("axe.run(document", "axe.run('#picture'")
    assert of_picture != AXE
    found = driven.page.evaluate(of_picture, True)
    driven.page.emulate_media(color_scheme="dark")
    contrast = of_picture.replace('type: "tag", values', 'type: "rule", values: ["color-contrast"]')
    assert contrast != of_picture  # nothing else depends on the colours
    found += driven.page.evaluate(contrast, True)
    assert not found


@pytest.mark.parametrize("width", [320, 1280])
def test_it_is_no_wider_than_the_screen(driven: Driven, width: int) -> None:
    driven.page.set_viewport_size({"width": width, "height": 900})
    driven.open(page())
    assert driven.root.evaluate("() => document.documentElement.scrollWidth") <= width
    if width == 1280:  # nor is the picture
        assert (
            driven.root.evaluate(
                "() => { const p = document.getElementById('picture'); return p.scrollWidth - p.clientWidth; }"
            )
            <= 0
        )
    sizes = driven.root.evaluate(
        "() => [...document.querySelectorAll('#picture input')].map(e => parseFloat(getComputedStyle(e).fontSize))"
    )
    assert min(sizes) >= 10


def test_other_pages_do_not_hold_what_only_this_one_needs() -> None:
    for other in (worked_page(), gates_page()):
        for part in ("prototype.square", ".box.pixel", "class Sketch", ".sketch"):
            assert part in page().html
            assert part not in other.html


# Drawing, probabilities, and strides.

STROKES: dict[
    int, list[tuple[Any, ...]]
] = {  # of each digit, in a square from the upper left; an arc is given by its centre, radii and angles
    0: [("arc", 0.5, 0.5, 0.25, 0.38, -90, 270)],
    1: [("line", (0.4, 0.25), (0.55, 0.1), (0.55, 0.9))],
    2: [("arc", 0.5, 0.3, 0.22, 0.2, -170, 40), ("line", (0.67, 0.43), (0.28, 0.88), (0.78, 0.88))],
    3: [("arc", 0.48, 0.3, 0.2, 0.19, -150, 90), ("arc", 0.48, 0.69, 0.23, 0.2, -90, 150)],
    4: [("line", (0.6, 0.9), (0.6, 0.1), (0.25, 0.65), (0.8, 0.65))],
    5: [("line", (0.72, 0.12), (0.36, 0.12), (0.33, 0.48)), ("arc", 0.48, 0.66, 0.24, 0.23, -130, 140)],
    6: [("arc", 0.75, 0.6, 0.45, 0.5, -110, -180), ("arc", 0.5, 0.68, 0.2, 0.2, -180, 180)],
    7: [("line", (0.27, 0.12), (0.75, 0.12), (0.45, 0.9)), ("line", (0.35, 0.5), (0.72, 0.5))],
    8: [("arc", 0.5, 0.3, 0.18, 0.19, -90, 270), ("arc", 0.5, 0.69, 0.21, 0.2, -90, 270)],
    9: [("arc", 0.48, 0.32, 0.19, 0.2, 0, 360), ("line", (0.67, 0.32), (0.64, 0.6), (0.5, 0.9))],
}


def points_of(stroke: tuple[Any, ...]) -> list[tuple[float, float]]:
    kind, *given = stroke
    if kind == "line":
        corners = [*itertools.pairwise(given)]
        return [(x + (u - x) * part / 6, y + (v - y) * part / 6) for (x, y), (u, v) in corners for part in range(7)]
    x, y, across, down, first, last = given
    angles = [math.radians(first + (last - first) * part / 20) for part in range(21)]
    return [(x + across * math.cos(angle), y + down * math.sin(angle)) for angle in angles]


def draw(driven: Driven, digit: int) -> list[list[tuple[float, float]]]:
    """Draw a digit with the mouse; returns the strokes where they were, as shares of the canvas."""
    driven.press("Clear")
    canvas = driven.root.locator(".sketch canvas")
    canvas.scroll_into_view_if_needed()
    box = canvas.evaluate(
        "(it) => { const {left, top, width} = it.getBoundingClientRect(); return [left, top, width]; }"
    )
    left, top, width = box
    strokes = []
    for stroke in STROKES[digit]:
        places = [(round(left + x * width), round(top + y * width)) for x, y in points_of(stroke)]
        driven.page.mouse.move(*places[0])
        driven.page.mouse.down()
        for place in places[1:]:
            driven.page.mouse.move(*place)
        driven.page.mouse.up()
        strokes.append([((x - left) / width, (y - top) / width) for x, y in places])
    return strokes


def reduced(strokes: list[list[tuple[float, float]]]) -> NDArray[Any]:
    """A drawing as scikit-learn's images were made: 32×32 bits, counted in blocks of 4×4, here from 0 to 1.

    The strokes are 27 bits tall and at most 19 wide in the middle; the 313 bits nearest to them are set.
    """
    points = np.array([point for stroke in strokes for point in stroke])
    low, high = points.min(axis=0), points.max(axis=0)
    down = 27 / (high - low)[1]
    scale = np.array([min(down, 19 / (high - low)[0]), down])
    centres = np.stack(np.meshgrid(np.arange(32) + 0.5, np.arange(32) + 0.5), axis=-1)[..., None, :]
    lines = [pair for stroke in strokes for pair in itertools.pairwise(stroke)]
    start, end = (16 + scale * (np.array([line[k] for line in lines]) - (low + high) / 2) for k in (0, 1))
    length = np.maximum(((end - start) ** 2).sum(axis=-1), 1e-300)
    part = (((centres - start) * (end - start)).sum(axis=-1) / length).clip(0, 1)[..., None]
    distances = (((start + part * (end - start)) - centres) ** 2).sum(axis=-1).min(axis=-1)
    bits = distances <= np.sort(distances, axis=None)[312] * (1 + 1e-9)
    counts: NDArray[Any] = bits.reshape(8, 4, 8, 4).sum(axis=(1, 3))
    return counts.ravel() / 16


def test_drawn_digits_are_read_as_python_reads_them(driven: Driven, tmp_path: Path) -> None:
    driven.page.set_viewport_size({"width": 1280, "height": 900})
    driven.open(page())
    network: MLP[list[Value]] = MLP(64, [8, 10], "tanh")
    load_network(network, saved(driven, tmp_path / "network.json"))
    read = []
    for digit in range(10):
        pixels = reduced(draw(driven, digit))
        data = driven.numbers("data")
        assert [data[pixel] for pixel in PIXELS] == pytest.approx(pixels.tolist(), abs=1e-12)
        scores = np.array([output.data for output in network(pixels.tolist())])
        powers = np.exp(scores - scores.max())
        shown = driven.numbers("probability")
        assert [shown[f"p{answer}"] for answer in range(10)] == close((powers / powers.sum()).tolist(), 1e-9)
        assert driven.root.locator(".answer b").inner_text() == str(scores.argmax())
        read.append(int(scores.argmax()))
    assert sum(answer == digit for digit, answer in enumerate(read)) >= 8
    assert driven.root.get_by_role("combobox", name="Image", exact=True).input_value() == "drawn"


def test_a_drawn_digit_is_learned(driven: Driven) -> None:
    driven.open(page())
    draw(driven, 7)
    driven.root.get_by_role("radio", name="It is a 3", exact=True).check()
    assert driven.number("target_3") == 1.0
    driven.train(1000)
    assert driven.root.locator(".answer b").inner_text() == "3"
    assert driven.numbers("probability")["p3"] > 0.9


def test_strides_of_a_neuron_and_of_a_layer(driven: Driven) -> None:
    """8 hidden neurons of two steps each, 10 outputs with what the loss makes of them, and as many layers backward."""
    driven.page.set_viewport_size({"width": 1280, "height": 900})
    driven.open(page())
    position = driven.root.get_by_role("slider", name="Step", exact=True)

    def after(*names: str) -> int:
        driven.press(*names)
        return int(position.input_value())

    assert after("Next neuron") == 2
    assert after("Next neuron") == 4
    assert after("Next layer") == 16
    names = [name for name, kind, _, _ in driven.shown("ol") if kind == "data"]
    assert after("Next neuron") == names.index("net_o1")
    assert after("Next layer") == len(names)
    assert driven.root.locator("#phase").inner_text() == "Forward →"
    last = int(position.get_attribute("max") or 0)
    updates = 64 * 8 + 8 + 8 * 10 + 10
    after("Next layer", "Next layer")  # the error, the outputs
    assert after("Next layer") == last - updates  # the hidden neurons
    assert driven.root.locator("#phase").inner_text() == "← Backward"
    driven.press("Last step")
    assert driven.button("Next layer").is_disabled()


def test_on_a_phone_the_formula_does_not_push_next_away(driven: Driven) -> None:
    driven.page.set_viewport_size({"width": 390, "height": 844})
    driven.open(page())
    tops = []
    for step in (0, 1, 2, 17, 30, 400):
        driven.slide("Step", step)
        driven.root.evaluate("() => scrollTo(0, 0)")
        box = driven.button("Next step").bounding_box()
        assert box is not None
        tops.append(box["y"])
    assert len({*tops}) == 1
    assert tops[0] + 44 <= 844


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_beside_the_picture(scheme: Any, driven: Driven, axe: str) -> None:  # noqa: F811  # the fixture
    driven.page.set_viewport_size({"width": 1280, "height": 900})
    driven.page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
    driven.open(page())
    draw(driven, 3)
    driven.page.evaluate(axe)
    beside = AXE.replace("axe.run(document", "axe.run('#cases, #steps, #training'")
    assert beside != AXE
    assert not driven.page.evaluate(beside, True)
