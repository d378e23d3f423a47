"""Pictures of networks: what stands where, and that it can be read, with each renderer."""

import itertools
import math
import random
import re
from itertools import pairwise
from typing import Any, Literal
from xml.etree import ElementTree

import pytest

from autograd.views import rendering
from nn import MLP
from nn.examples.worked_example import build_network, draw_network
from tests.test_drawing import SVG, texts

pytestmark = pytest.mark.engine_independent
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
    circles = {"i1", "0.05", "h1", "h2", "o1", "target 0.99"}
    assert set(shown) >= circles | {"w1 0.15", "w8 0.55", "b1 0.35", "b2 0.6"}
    assert shown.count("b1 0.35") == 1
    source = draw_network(build_network()).source
    assert source.count(" -> ") == 12  # eight weights, two biases twice


@pytest.mark.parametrize(
    ("theme", "blue", "rust"), [("light", "#1a5a9e", "#9c3f06"), ("dark", "#86bbf5", "#f3a873")]
)  # of the brief of the live page
def test_signs_have_two_hues_and_dashes_and_a_line_says_so(
    theme: Literal["light", "dark"], blue: str, rust: str
) -> None:
    network = MLP(2, [1])
    for weight, number in zip(network.layers[0].neurons[0].weights, (-2.0, 0.5), strict=True):
        weight.data = number
    drawing = network.draw(theme=theme)
    negative, positive = [line for line in drawing.source.splitlines() if " -> " in line]
    assert rust in negative
    assert "dashed" in negative
    assert blue in positive
    assert "dashed" not in positive
    shown = texts(drawing.to_svg())
    assert "w1 −2" in shown
    assert any("blue: positive; rust, dashed: negative; the thickest line: 2" in text for text in shown)
    with pytest.raises(ValueError, match=r"theme must be 'light' or 'dark', got 'blue'"):
        network.draw(theme="blue")  # type: ignore[arg-type]  # what is tested


def test_large_networks_fold_by_layer() -> None:
    """64-8-10: of the 64 inputs five are drawn at each end, and the lines between circles that are drawn."""
    network = MLP(64, [8, 10])
    drawing = network.draw()
    shown = texts(drawing.to_svg())
    inputs = [text for text in shown if re.fullmatch(r"i\d+", text)]
    assert inputs == [f"i{number}" for number in (1, 2, 3, 4, 5, 60, 61, 62, 63, 64)]
    assert "54 more" in shown
    assert drawing.source.count(" -> ") == 10 * 8 + 8 * 10
    assert not [text for text in shown if re.match(r"w\d", text)]
    assert any("the thickest line" in text for text in shown)
    biases = [text for text in shown if re.match(r"b\d", text)]
    assert [text.split()[0] for text in biases] == [f"b{number}" for number in range(1, 19)]


def test_a_layer_of_twelve_is_drawn_whole() -> None:
    shown = texts(MLP(1, [12, 13]).draw().to_svg())
    assert {f"h{number}" for number in range(1, 13)} <= set(shown)
    assert "3 more" in shown
    assert "o6" not in shown


def test_a_network_of_four_hidden_neurons_shows_its_weights() -> None:
    shown = texts(MLP(2, [4, 1], generator=random.Random(1)).draw().to_svg())
    assert {text.split()[0] for text in shown if re.match(r"w\d", text)} == {f"w{count}" for count in range(1, 13)}


def test_biases_that_neurons_share_and_that_they_do_not() -> None:
    shared = MLP(2, [2, 1], bias="shared").draw().source
    assert len(re.findall(r'label="b1 ', shared)) == 1
    assert shared.count(" -> ") == 6 + 2  # from the bias of two neurons
    assert MLP(2, [2, 1], bias=None).draw().source.count(" -> ") == 6
    own = MLP(2, [2, 1], generator=random.Random(1))
    own.layers[0].biases[0].data = -0.000123456
    assert "b1 −0.00012" in texts(own.draw().to_svg())


@pytest.mark.parametrize("program", RENDERERS)
def test_columns_keep_their_order_and_nothing_stands_below_the_legend(
    program: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(rendering.RENDERER_VARIABLE, program)
    svg = MLP(3, [3, 2]).draw().to_svg()
    circles = {text.split()[0]: place for text, place in places(svg, r"c\d+_\d+").items()}
    for column in (["i1", "i2", "i3"], ["h1", "h2", "h3"], ["o1", "o2"]):
        assert all(circles[upper][1] < circles[lower][1] for upper, lower in pairwise(column))
        assert len({round(circles[name][0]) for name in column}) == 1
    height = float(str(ElementTree.fromstring(svg).get("height")).removesuffix("pt"))
    lowest = max(y for _, y in places(svg, "legend").values())
    top = min(y for _, y in circles.values())
    assert height - (lowest - top) < 72 + 40  # a circle, and margins: there is no blank foot


@pytest.mark.parametrize("program", RENDERERS)
@pytest.mark.parametrize(
    "network",
    [
        build_network(),
        *(MLP(sizes[0], sizes[1:], generator=random.Random(1)) for sizes in ([2, 4, 4], [3, 8], [12, 2])),
    ],
    ids=["article", "2-4-4", "3-8", "12-2"],
)
def test_labels_stand_clear_of_lines_circles_and_each_other(
    program: str, network: MLP[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Only the line that a label belongs to runs below it."""
    monkeypatch.setenv(rendering.RENDERER_VARIABLE, program)
    svg = network.draw().to_svg()
    areas = {}
    for group in ElementTree.fromstring(svg).iter(f"{SVG}g"):
        if re.fullmatch(r"w\d+", str(group.get("id"))):
            (outline,) = group.iter(f"{SVG}polygon")
            corners = [tuple(map(float, pair.split(","))) for pair in str(outline.get("points")).split()]
            xs, ys = zip(*corners, strict=True)
            areas[str(group.get("id"))] = min(xs), min(ys), max(xs), max(ys)
    if network.inputs < 12:  # one of the 24 labels of 12-2 finds no place and is left out
        assert len(areas) == sum(len(neuron.weights) for layer in network.layers for neuron in layer.neurons)
    lines = []
    for group in ElementTree.fromstring(svg).iter(f"{SVG}g"):
        if group.get("class") == "edge":
            (path,) = group.iter(f"{SVG}path")
            numbers = [float(text) for text in re.findall(r"-?[\d.]+", str(path.get("d")))]
            lines.append((numbers[:2], numbers[-2:]))
    for left, top, right, bottom in areas.values():
        below = 0
        for (a, b), (c, d) in lines:
            steps = [(a + (c - a) * k / 400, b + (d - b) * k / 400) for k in range(401)]
            below += any(left - 1 < x < right + 1 and top - 1 < y < bottom + 1 for x, y in steps)
        assert below == 1
    for one, other in itertools.combinations(areas.values(), 2):
        assert one[2] < other[0] or other[2] < one[0] or one[3] < other[1] or other[3] < one[1]
    for circle in ElementTree.fromstring(svg).iter(f"{SVG}ellipse"):
        x, y, radius = (float(str(circle.get(name))) for name in ("cx", "cy", "rx"))
        for left, top, right, bottom in areas.values():
            assert math.hypot(max(left - x, x - right, 0), max(top - y, y - bottom, 0)) > radius
