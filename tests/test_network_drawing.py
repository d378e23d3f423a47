"""Pictures of networks: what stands where, and that it can be read, with each renderer."""

import random
import re
from itertools import pairwise
from xml.etree import ElementTree

import pytest

from autograd.views import rendering
from nn import MLP
from nn.examples.worked_example import build_network, draw_network
from tests.test_drawing import SVG, texts

RENDERERS = list(rendering.renderers())


def places(svg: str, kind: str) -> dict[str, tuple[float, float]]:
    """The centre of each node of a kind, by its text."""
    found = {}
    for group in ElementTree.fromstring(svg).iter(f"{SVG}g"):
        words = [text.text for text in group.iter(f"{SVG}text")]
        if group.get("class") == "node" and re.fullmatch(kind, str(group.get("id"))) and words:
            (first, *_) = group.iter(f"{SVG}text")
            found[" ".join(map(str, words))] = float(str(first.get("x"))), float(str(first.get("y")))
    return found


def test_network_as_the_article_draws_it() -> None:
    shown = texts(draw_network(build_network()).to_svg())
    circles = {"i1", "0.05", "h1", "h2", "b1", "b2", "o1", "target 0.99"}
    assert set(shown) >= circles | {"w1 0.15", "w8 0.55", "b1 0.35", "b2 0.6"}
    source = draw_network(build_network()).source
    assert source.count(" -> ") == 12  # eight weights, two biases twice


def test_negative_weights_are_grey_and_a_line_says_so() -> None:
    negative = MLP(1, [1])
    negative.layers[0].neurons[0].weights[0].data = -2.0
    assert "color=gray60" in negative.draw().source
    shown = texts(negative.draw().to_svg())
    assert "w1 −2" in shown
    assert any("grey: negative" in text for text in shown)


def test_large_networks_have_no_labels_but_the_legend() -> None:
    wide = texts(MLP(20, [16, 1]).draw().to_svg())
    assert wide.count("h16") == 1
    assert not [text for text in wide if re.match(r"w\d", text)]
    assert any("the thickest line" in text for text in wide)


def test_a_network_of_four_hidden_neurons_shows_its_weights() -> None:
    shown = texts(MLP(2, [4, 1], generator=random.Random(1)).draw().to_svg())
    assert {text.split()[0] for text in shown if re.match(r"w\d", text)} == {f"w{count}" for count in range(1, 13)}


@pytest.mark.parametrize("program", RENDERERS)
def test_columns_keep_their_order_and_nothing_stands_below_the_legend(
    program: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(rendering.RENDERER_VARIABLE, program)
    svg = MLP(3, [3, 2]).draw().to_svg()
    circles = places(svg, r"c\d+_\d+")
    for column in (["i1", "i2", "i3"], ["h1", "h2", "h3"], ["o1", "o2"]):
        assert all(circles[upper][1] < circles[lower][1] for upper, lower in pairwise(column))
        assert len({round(circles[name][0]) for name in column}) == 1
    height = float(str(ElementTree.fromstring(svg).get("height")).removesuffix("pt"))
    lowest = max(y for _, y in places(svg, "legend").values())
    top = min(y for _, y in circles.values())
    assert height - (lowest - top) < 72 + 40  # a circle, and margins: there is no blank foot


@pytest.mark.parametrize("program", RENDERERS)
def test_the_labels_of_the_article_s_network_stand_clear_of_other_lines(
    program: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Only the line that a label belongs to runs below it."""
    monkeypatch.setenv(rendering.RENDERER_VARIABLE, program)
    svg = draw_network(build_network()).to_svg()
    labels = places(svg, r"w\d+")
    lines = []
    for group in ElementTree.fromstring(svg).iter(f"{SVG}g"):
        if group.get("class") == "edge":
            (path,) = group.iter(f"{SVG}path")
            numbers = [float(text) for text in re.findall(r"-?[\d.]+", str(path.get("d")))]
            lines.append((numbers[:2], numbers[-2:]))
    assert len(lines) == 12
    for text, (x, y) in labels.items():
        below = 0
        for (a, b), (c, d) in lines:
            steps = [(a + (c - a) * k / 400, b + (d - b) * k / 400) for k in range(401)]
            below += any(abs(u - x) < 2.4 * len(text) and abs(v - (y - 3)) < 5 for u, v in steps)
        assert below <= 1, text
