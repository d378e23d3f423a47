"""The page of a network that reads digits, in a browser: its numbers, its shades, and what it says to everyone."""

from __future__ import annotations

import functools
import math
import re

import pytest

from autograd import LivePage
from nn import digit_page
from nn.examples.digits import read_digits
from tests.driven_page import Driven, close, gates_page, worked_page
from tests.test_content import data_of, evaluated_at
from tests.test_live_page_accessibility import AXE, axe  # noqa: F401  # the second one is a fixture

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
