"""The look of pictures: colours, numbers and names of boxes."""

import math
import struct
from typing import Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autograd import Value, draw
from autograd.views.appearance import Theme, box_label, box_number, colours, width_of

BRIEF: dict[Theme, dict[str, str]] = {  # the table of colours in the design brief of the live page
    "light": {
        "paper": "#fdfcf9", "box": "#ffffff", "parameter": "#f4f1e8", "ink": "#1f2328", "muted": "#57606a",
        "control": "#7a7f87", "edge": "#8a8f96", "hairline": "#dcd8cd", "forward": "#1a5a9e", "backward": "#9c3f06",
        "forward-fill": "#e2edf9", "backward-fill": "#fce8da", "warning": "#a3123a",
    },
    "dark": {
        "paper": "#16181b", "box": "#1e2125", "parameter": "#26282b", "ink": "#e9e6df", "muted": "#a7aeb7",
        "control": "#858c95", "edge": "#7c838c", "hairline": "#363b42", "forward": "#86bbf5", "backward": "#f3a873",
        "forward-fill": "#1b324b", "backward-fill": "#452a17", "warning": "#ff8fa8",
    },
}  # fmt: skip


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_colours_are_those_of_the_page(theme: Theme) -> None:
    assert BRIEF[theme].items() <= colours(theme).items()


def test_a_theme_that_is_none() -> None:
    with pytest.raises(ValueError, match="theme must be 'light' or 'dark', got 'auto'"):
        colours("auto")


def luminance(colour: str) -> float:
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("text", ["ink", "muted", "backward"])
@pytest.mark.parametrize("ground", ["paper", "box", "parameter", "forward-fill", "backward-fill"])
def test_what_a_box_says_can_be_read(theme: Theme, text: str, ground: str) -> None:
    """Text of WCAG's level AA has a contrast of 4.5 with what it stands on."""
    dark, light = sorted(luminance(colours(theme)[name]) for name in (text, ground))
    assert (light + 0.05) / (dark + 0.05) >= 4.5


@pytest.mark.parametrize(
    ("x", "text"),
    [
        (0.0821670406, "0.082167"),
        (0.1 + 0.2, "0.30000"),
        (0.3, "0.3"),
        (1.0, "1"),
        (-0.0, "−0"),
        (12345.6, "12346"),
        (123456.0, "123456"),
        (1234567.0, "1.2346e6"),
        (1e5, "100000"),
        (1e22, "1e22"),
        (-0.0000855123, "−8.5512e−5"),
        (-0.000855123, "−0.0008551"),
        (-1.7976931348623157e308, "−1.798e308"),
        (5e-324, "4.941e−324"),
        (math.inf, "inf"),
        (-math.inf, "−inf"),
        (math.nan, "nan"),
        (None, "?"),
    ],
)
def test_a_number_of_a_box(x: float | None, text: str) -> None:
    assert box_number(x, 5) == text


@given(st.floats(allow_nan=False, allow_infinity=False), st.integers(2, 17))
def test_a_number_of_a_box_is_short_and_the_nearest_of_its_length(x: float, digits: int) -> None:
    text = box_number(x, digits)
    assert len(text) <= digits + 5
    mantissa = text.replace("−", "-").split("e")[0].lstrip("-").replace(".", "").lstrip("0")
    read = float(text.replace("−", "-"))
    if math.isfinite(read):
        shown = max(len(mantissa), 1)
        assert abs(read - x) <= 0.5000001 * 10.0 ** (math.floor(math.log10(abs(x))) + 2 - shown) if x else read == 0.0


@given(st.binary(min_size=8, max_size=8))
def test_all_seventeen_digits_read_back(content: bytes) -> None:
    (x,) = struct.unpack("d", content)
    if math.isfinite(x) and 1e-5 < abs(x) < 1e15:
        assert float(box_number(x, 17).replace("−", "-")) == x


def test_a_wide_letter_takes_the_room_of_two() -> None:
    assert width_of("漢字", 10.0) >= 20.0
    assert width_of("ab", 10.0) < 15.0


def test_the_size_of_a_box_does_not_depend_on_its_numbers() -> None:
    def widths(data: str, gradient: str) -> list[str]:
        label = box_label("net_h1", data, gradient, "v1 + b1", colours("light"), 10)
        return [part.split(">")[0] for part in label.split("<TD ")[1:]]

    assert widths("?", "?") == widths("−0.0008551", "4.941e−324")


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_a_name_has_its_index_below(theme: Literal["light", "dark"]) -> None:
    svg = draw(Value(1.0, "net_h1"), theme=theme).to_svg()
    assert '>net<tspan dy="2.5"' in svg
    assert ">h1</tspan></text>" in svg
