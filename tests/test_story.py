"""The worked example as text: every line adds up."""

import itertools
import re
from pathlib import Path

import pytest

from nn.examples import worked_example
from nn.examples.story import aligned, decimal, story

ARITHMETIC = r"[\d.−+· ()]+"


def told(**settings: object) -> list[str]:
    figures = worked_example.figures(rounds=3, **settings)  # type: ignore[arg-type]  # as the tests give them
    network = worked_example.build_network(figures["biases"])
    text = "\n".join(story(network, figures, {"network": Path("network.svg"), "graph": Path("graph.svg")}))
    return text.splitlines()


def number(text: str) -> float:
    return float(text.replace("−", "-"))


def evaluated(text: str) -> float:
    """The value of numbers, signs and brackets."""
    return float(eval(text.replace("−", "-").replace("·", "*")))


@pytest.mark.parametrize("biases", ["frozen", "shared", "per-neuron"])
def test_every_sum_and_product_is_what_its_line_says(biases: str) -> None:
    """Lines of numbers, products and sums alone are computed anew from what is printed."""
    checked = 0
    lines = told(biases=biases)
    for line, following in itertools.pairwise(lines):
        left, _, right = line.partition("=")
        sides = [side.strip() for side in (right or left).split(" = ")]
        after = following.strip().removeprefix("= ")
        sides += [after] if following.strip().startswith("= ") else []
        for side, result in itertools.pairwise(sides):
            if re.fullmatch(ARITHMETIC, side) and re.fullmatch(ARITHMETIC, result):
                assert evaluated(side) == pytest.approx(evaluated(result), rel=2e-8), line
                checked += 1
    assert checked > 30


def test_every_published_figure_is_told() -> None:
    text = "\n".join(told())
    text, _, compared = text.partition("Every figure that the article prints")
    rows = [line.split() for line in compared.splitlines() if line.endswith(("✓", "≠"))][1:]
    assert [row[-2].replace("−", "-") for row in rows] == [
        text for key, text in worked_example.PUBLISHED.items() if "10000" not in key
    ]
    assert [row[0] for row in rows if row[-1] == "≠"] == ["∂E_o2/∂out_h1"]
    assert "∂E_o2/∂out_h1                −0.0190491182583     −0.019049119  ≠" in compared


def test_the_sequential_gradients_are_those_applied() -> None:
    """w1 and w5 after one round are those of the document of figures."""
    lines = [line for line in told() if line.startswith("  w1 =")]
    assert [number(line.split(" = ")[-1]) for line in lines] == pytest.approx(
        [0.149780716133, 0.149817638561], rel=1e-9
    )


def test_numbers_are_written_without_exponents_and_aligned() -> None:
    assert decimal(3.51018778298e-05) == "0.0000351018778298"
    assert decimal(-0.0226025404775) == "−0.0226025404775"
    assert decimal(0.4) == "0.4"
    points = {text.index(".") for text in aligned([0.000438567734474, -0.0226025404775, 12.5])}
    assert len(points) == 1
