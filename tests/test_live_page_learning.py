"""Learning on the page: live numbers, the decision map and its points, how a training ends, and weights as a file."""

from __future__ import annotations

import itertools
import json
import math
import random
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from autograd import Value
from nn import MLP, binary_cross_entropy, load_network, network_page, save_network
from nn.examples.pages import GATE_INPUTS, GATES, gate_network
from tests.driven_page import Driven, close, gates_page, opened, worked_page
from tests.test_live_page_accessibility import AXE, axe  # noqa: F401  # the second one is a fixture

CELLS = 60
RUST, PAPER, BLUE = (156, 63, 6), (247, 243, 234), (26, 90, 158)
PIXELS = """(canvas) => {
  const copy = new OffscreenCanvas(canvas.width, canvas.height).getContext("2d", {willReadFrequently: true});
  copy.drawImage(canvas, 0, 0);
  return [canvas.width, canvas.height, ...copy.getImageData(0, 0, canvas.width, canvas.height).data];
}"""
FRAMES = """async ([pace, frames]) => {
  document.querySelector(`[data-pace="${pace}"]`).click();
  document.querySelector("#keep").click();
  const seen = [];
  for (let frame = 0; frame < frames; frame++) {
    seen.push(Number(document.querySelector("#rounds").dataset.value));
    await new Promise(requestAnimationFrame);
  }
  document.querySelector("#keep").click();
  return seen;
}"""


@pytest.fixture
def lively(gates: Driven) -> Iterator[Driven]:
    """The page of logic gates for a reader who does not mind motion."""
    gates.page.emulate_media(reduced_motion="no-preference")
    yield gates
    gates.page.emulate_media(reduced_motion="reduce")


def sigmoid(x: Any) -> Any:
    return 1.0 / (1.0 + np.exp(-x))


def answers(weights: dict[str, float], i1: Any, i2: Any) -> list[Any]:
    """The outputs of the hidden neurons of the 2-5-1 network, and then its own, written out."""
    hidden = [sigmoid(weights[f"w{2 * k - 1}"] * i1 + weights[f"w{2 * k}"] * i2 + weights["b1"]) for k in range(1, 6)]
    return [*hidden, sigmoid(sum(weights[f"w{10 + k}"] * out for k, out in enumerate(hidden, 1)) + weights["b2"])]


def weights_of(driven: Driven) -> dict[str, float]:
    data = driven.numbers("data")
    return {name: data[name] for name in [*(f"w{k}" for k in range(1, 16)), "b1", "b2"]}


def start(driven: Driven, pace: str) -> None:
    driven.root.get_by_role("group", name="Rounds a frame").get_by_role("button", name=pace, exact=True).click()
    driven.press("Keep training")
    driven.root.wait_for_function("() => Number(document.querySelector('#rounds').dataset.value) > 20")


# Live numbers.


@pytest.mark.parametrize(("pace", "rounds"), [("1", 1), ("10", 10), ("100", 100)])
def test_a_frame_of_training_does_as_many_rounds_as_chosen(pace: str, rounds: int, lively: Driven) -> None:
    seen = lively.root.evaluate(FRAMES, [pace, 12])
    assert {after - before for before, after in itertools.pairwise(seen)} == {rounds}


def test_as_fast_as_it_goes_is_faster(lively: Driven) -> None:
    seen = lively.root.evaluate(FRAMES, ["Infinity", 12])
    assert seen[-1] > 12 * 100


def test_where_motion_is_to_be_reduced_the_page_changes_twice_a_second(gates: Driven) -> None:
    seen = gates.root.evaluate(FRAMES, ["1", 70])
    assert 1 <= len({*seen}) <= 5  # in 70 frames, of which a slow machine shows fewer than 60 a second
    assert gates.number("round", "rounds") >= 60


@pytest.mark.parametrize("moment", ["running", "paused"])
def test_all_numbers_of_the_chosen_case_are_live(moment: str, lively: Driven) -> None:
    """What is shown at one moment fits together: each result and gradient is that of the weights shown."""
    lively.root.get_by_role("radio", name="Case 3", exact=True).check()
    start(lively, "10")
    if moment == "paused":
        lively.press("Pause training")
    shown = lively.shown()
    data = {name: float(value) for name, kind, value, _ in shown if kind == "data" and value}
    grads = {name: float(value) for name, kind, value, _ in shown if kind == "grad" and value}
    expected = answers(data, 1.0, 0.0)
    assert [data[f"out_h{k}"] for k in range(1, 6)] + [data["out_o1"]] == close(expected, 1e-9)
    assert data["E"] == close(0.5 * (1.0 - expected[-1]) ** 2, 1e-9)
    slope = (expected[-1] - 1.0) * expected[-1] * (1.0 - expected[-1])
    for k in range(1, 6):
        assert grads[f"w{10 + k}"] == close(slope * expected[k - 1], 1e-9)
        through = slope * data[f"w{10 + k}"] * expected[k - 1] * (1.0 - expected[k - 1])
        assert [grads[f"w{2 * k - 1}"], grads[f"w{2 * k}"]] == close([through, 0.0], 1e-9)
    texts = {
        text for name, kind, _, text in lively.shown("#picture") if kind == "grad" or re.match("w|net|out|E", name)
    }
    are_fixed = [re.fullmatch(r"−?\d+\.\d{4}", text) is not None for text in texts]
    assert all(are_fixed) if moment == "running" else not all(are_fixed)
    lively.press("Pause training" if moment == "running" else "Next step")
    if moment == "paused":  # and the steps begin
        assert lively.known_steps() == 1
        assert "out_o1" not in {name for name, kind, value, _ in lively.shown("#picture") if kind == "data" and value}


def test_while_it_runs_to_pause_is_the_filled_button(lively: Driven) -> None:
    filled = lively.root.locator("button.main:visible")
    assert filled.all_inner_texts() == ["Next"]
    start(lively, "1")
    assert filled.all_inner_texts() == ["Pause training"]
    assert lively.root.locator("#notice").inner_text().startswith("training, round ")
    lively.edit("w11", 0.5)  # which pauses first
    assert filled.all_inner_texts() == ["Next"]
    assert lively.number("w11") == 0.5


def test_one_round_back(worked: Driven) -> None:
    assert worked.button("Back one round").is_disabled()
    worked.train(1)
    error = worked.error()
    worked.train(1)
    worked.press("Back one round")
    assert (worked.number("round", "rounds"), worked.error()) == (1.0, error)


def test_the_curve_takes_a_logarithmic_scale_by_itself(worked: Driven) -> None:
    """From the article's 0.298 to its 3.5e-05 after 10,000 rounds; unless the reader chose."""
    box = worked.root.get_by_role("checkbox", name="log scale", exact=True)
    worked.train(100)
    assert not box.is_checked()
    worked.train(10_000)
    assert box.is_checked()
    assert worked.root.locator("#curve text").all_text_contents() == ["", "0.001", "0.01", ""]  # in 80 pixels
    worked.check("log scale", checked=False)
    worked.train(100)
    assert not box.is_checked()


def test_a_screen_reader_hears_of_a_training_every_five_seconds(lively: Driven) -> None:
    start(lively, "1")
    spoken = lively.root.locator("#spoken").inner_text()
    assert re.fullmatch(r"Round [\d,]+, error 0\.\d+\.", spoken)
    lively.page.wait_for_timeout(300)
    assert lively.root.locator("#spoken").inner_text() == spoken
    assert lively.root.locator("#notice").get_attribute("aria-live") == "off"
    lively.press("Pause training")
    assert lively.root.locator("#notice").get_attribute("aria-live") is None


# The map.


def cells_of(driven: Driven, selector: str) -> np.ndarray[Any, Any]:
    width, height, *data = driven.root.locator(selector).evaluate(PIXELS)
    assert (width, height) == (CELLS, CELLS)
    return np.reshape(data, (CELLS, CELLS, 4))


def plane(low: float = -0.25, high: float = 1.25) -> tuple[Any, Any]:
    """The two inputs in the middle of each cell, from the upper left."""
    centres = low + (high - low) * (np.arange(CELLS) + 0.5) / CELLS
    return np.meshgrid(centres, centres[::-1])


def colours(outputs: Any, low: float = 0.0, high: float = 1.0) -> Any:
    share = np.clip((np.asarray(outputs)[..., None] - low) / (high - low), 0.0, 1.0)
    rust, paper, blue = map(np.array, (RUST, PAPER, BLUE))
    return np.where(share < 0.5, rust + (paper - rust) * 2 * share, paper + (blue - paper) * (2 * share - 1))


@pytest.mark.parametrize("rounds", [0, 3000])
def test_each_cell_has_the_colour_of_the_prediction_there(rounds: int, gates: Driven) -> None:
    """On the output and on each hidden neuron, beside NumPy."""
    if rounds:
        gates.train(*[1000] * (rounds // 1000))
    *hidden, output = answers(weights_of(gates), *plane())
    seen = cells_of(gates, ".map canvas")
    assert np.all(seen[..., 3] == 255)
    assert np.abs(seen[..., :3] - colours(output)).max() <= 0.5 + 1e-6
    assert gates.root.locator("#picture canvas").count() == 5
    for index, outs in enumerate(hidden):
        small = cells_of(gates, f"#picture canvas >> nth={index}")
        assert np.abs(small[..., :3] - colours(outs)).max() <= 0.5 + 1e-6


def test_small_maps_are_drawn_again_when_the_window_changes(lively: Driven) -> None:
    before = cells_of(lively, "#picture canvas >> nth=0")
    lively.page.set_viewport_size({"width": 1150, "height": 900})
    lively.root.wait_for_function("() => document.querySelector('.page').clientWidth === 1150")
    lively.root.evaluate("() => new Promise((done) => setTimeout(done, 100))")  # until the picture has followed
    after = cells_of(lively, "#picture canvas >> nth=0")
    lively.page.set_viewport_size({"width": 1280, "height": 900})
    assert np.array_equal(after, before)


def test_the_map_follows_a_training(lively: Driven) -> None:
    before = cells_of(lively, ".map canvas")
    start(lively, "100")
    lively.root.wait_for_function("() => Number(document.querySelector('#rounds').dataset.value) > 500")
    assert np.any(cells_of(lively, ".map canvas") != before)
    lively.press("Pause training")
    output = answers(weights_of(lively), *plane())[-1]
    assert np.abs(cells_of(lively, ".map canvas")[..., :3] - colours(output)).max() <= 0.5 + 1e-6


def test_the_line_runs_where_the_prediction_is_one_half(gates: Driven) -> None:
    gates.train(10_000)
    path = gates.root.locator(".map .boundary").get_attribute("d")
    assert path is not None
    numbers = np.array([float(number) for number in re.findall(r"[\d.]+", path)]).reshape(-1, 2)
    assert len(numbers) > 50
    outs = answers(weights_of(gates), -0.25 + 1.5 * numbers[:, 0] / 300, 1.25 - 1.5 * numbers[:, 1] / 300)[-1]
    assert np.abs(outs - 0.5).max() < 0.02


def test_cases_on_the_wrong_side_have_a_ring(gates: Driven) -> None:
    """As many as Python counts, in the table too; and the points stand where their inputs are."""
    for rounds in (0, 1000, 10_000):
        if rounds:
            gates.train(rounds)
        weights = weights_of(gates)
        outs = [answers(weights, *row)[-1] for row in GATE_INPUTS]
        wrong = sum((out > 0.5) != bool(target) for out, target in zip(outs, GATES["XOR"], strict=True))
        assert gates.root.locator(".map .wrong").count() == wrong
        assert gates.root.locator("#casesPlace tbody tr", has_text="✗").count() == wrong
    discs = gates.root.locator(".map .disc").evaluate_all(
        "all => all.map(e => [e.cx, e.cy].map(it => it.baseVal.value))"
    )
    assert discs == [[300 * (x + 0.25) / 1.5, 300 * (1.25 - y) / 1.5] for x, y in GATE_INPUTS]
    assert gates.root.locator(".map .point text").all_text_contents() == ["0", "1", "1", "0"]


def position(driven: Driven, i1: float, i2: float) -> tuple[float, float]:
    """Where two inputs are on the screen."""
    driven.root.locator(".map .plane").scroll_into_view_if_needed()
    box = driven.root.locator(".map canvas").bounding_box()
    assert box is not None
    return box["x"] + box["width"] * (i1 + 0.25) / 1.5, box["y"] + box["height"] * (1.25 - i2) / 1.5


def reading(driven: Driven) -> str:
    return driven.root.locator(".map .reading").inner_text()


def check_reading(driven: Driven) -> tuple[float, float]:
    """Check the value read against Python's, and return the inputs it is at."""
    found = re.fullmatch(r"i1 (−?[\d.]+), i2 (−?[\d.]+): (\d\.\d{3})", reading(driven).replace("-", "−"))
    assert found is not None
    i1, i2, value = (float(text.replace("−", "-")) for text in found.groups())
    assert f"{answers(weights_of(driven), i1, i2)[-1]:.3f}" == f"{value:.3f}"
    return i1, i2


def test_a_value_is_read_where_the_pointer_is(gates: Driven) -> None:
    gates.train(1000)
    gates.page.mouse.move(*position(gates, 0.62, 0.31))
    assert check_reading(gates) == pytest.approx((0.62, 0.31), abs=0.011)
    gates.page.mouse.move(5, 5)
    assert reading(gates) == "Point at the map to read a value."


def test_a_click_puts_the_inputs_there_and_the_numbers_follow(gates: Driven) -> None:
    gates.train(1000)
    gates.page.mouse.click(*position(gates, 0.5, 0.25))
    data = gates.numbers("data")
    assert (data["i1"], data["i2"]) == pytest.approx((0.5, 0.25), abs=0.011)
    expected = answers(weights_of(gates), data["i1"], data["i2"])
    assert [data[f"out_h{k}"] for k in range(1, 6)] + [data["out_o1"]] == close(expected, 1e-9)
    assert "the network answers" in gates.root.locator("#sentence").inner_text()
    assert gates.root.locator("#casesPlace :checked").count() == 0
    assert gates.number("round", "rounds") == 1000
    gates.edit("i1", 0.75)  # the case is left as it is
    assert gates.number("out_o1") == close(answers(weights_of(gates), 0.75, data["i2"])[-1], 1e-9)
    assert [gates.number(f"i1[{case}]") for case in range(4)] == [row[0] for row in GATE_INPUTS]
    gates.root.get_by_role("radio", name="Case 1", exact=True).check()
    assert gates.number("i1") == 0.0


def test_a_point_is_dragged(gates: Driven) -> None:
    gates.train(10)
    gates.page.mouse.move(*position(gates, 1, 0))
    gates.page.mouse.down()
    gates.page.mouse.move(*position(gates, 0.8, 0.3))
    gates.page.mouse.move(*position(gates, 0.75, 0.5))
    gates.page.mouse.up()
    data = gates.numbers("data")
    assert (data["i1[2]"], data["i2[2]"]) == pytest.approx((0.75, 0.5), abs=0.011)
    assert (data["i1"], data["i2"]) == (data["i1[2]"], data["i2[2]"])
    assert data["out_o1[2]"] == close(answers(weights_of(gates), data["i1"], data["i2"])[-1], 1e-9)
    outs = [answers(weights_of(gates), data[f"i1[{case}]"], data[f"i2[{case}]"])[-1] for case in range(4)]
    errors = [0.5 * (out - target) ** 2 for out, target in zip(outs, GATES["XOR"], strict=True)]
    assert gates.error() == close(sum(errors) / 4, 1e-9)
    gates.slide("Round", 5)  # before it was dragged
    assert gates.number("i1[2]") == 1.0


def test_points_are_added_and_deleted(gates: Driven) -> None:
    gates.press("Add a point")
    gates.root.get_by_role("group", name="Target of the point").get_by_role("button", name="0").click()
    gates.page.mouse.click(*position(gates, 0.5, 1.0))
    data = gates.numbers("data")
    assert (data["i1[4]"], data["i2[4]"], data["target[4]"]) == pytest.approx((0.5, 1.0, 0.0), abs=0.011)
    assert (data["i1"], data["target"]) == (data["i1[4]"], 0.0)
    gates.page.keyboard.press("1")
    assert gates.number("target[4]") == 1.0
    gates.page.keyboard.press("Delete")
    assert "target[4]" not in gates.numbers("data")
    for left in (3, 2, 1, 1):
        gates.press("Delete")
        assert gates.root.locator(".map .disc").count() == left
    gates.press("Reset")
    assert gates.root.locator(".map .disc").count() == 4


def test_an_added_point_is_learned(gates: Driven) -> None:
    gates.choose("Gate", "OR")
    gates.press("Add a point")
    gates.page.mouse.click(*position(gates, 0.5, 0.1))
    gates.page.keyboard.press("0")
    assert gates.number("target[4]") == 0.0
    gates.train(10_000)
    weights, data = weights_of(gates), gates.numbers("data")
    out = answers(weights, data["i1[4]"], data["i2[4]"])[-1]
    assert data["out_o1[4]"] == close(out, 1e-9)
    assert (out > 0.5) == ("✗" in gates.root.locator("#casesPlace tbody tr >> nth=4").inner_text())


def test_the_map_by_keys(gates: Driven) -> None:
    plane_of_map = gates.root.locator(".map .plane")
    assert plane_of_map.get_attribute("role") == "img"
    plane_of_map.focus()
    assert plane_of_map.get_attribute("role") == "application"
    press = gates.page.keyboard.press
    for key in ("ArrowRight", "ArrowRight", "ArrowUp"):
        press(key)
    assert check_reading(gates) == pytest.approx((0.05, 0.03), abs=0.011)
    assert gates.root.locator("#spoken").inner_text() == reading(gates)
    assert gates.known_steps() == 0  # arrows on the map do not step
    press("Enter")
    assert (gates.number("i1"), gates.number("i2")) == check_reading(gates)
    gates.root.get_by_role("radio", name="Case 2", exact=True).check()
    plane_of_map.focus()
    press("Shift+ArrowRight")
    assert gates.number("i1[1]") == pytest.approx(0.025, abs=0.011)
    press("0")
    assert gates.number("target[1]") == 0.0
    press("Backspace")
    assert gates.root.locator(".map .disc").count() == 3
    press("Tab")
    assert plane_of_map.get_attribute("role") == "img"


def test_the_label_says_which_regions_there_are(gates: Driven) -> None:
    """As many as SciPy finds, and for XOR one of a kind between two of the other."""
    ndimage = pytest.importorskip("scipy.ndimage", reason="SciPy, which counts regions, is not installed here")
    label = gates.root.locator(".map .plane").get_attribute("aria-label")
    assert label == "Decision map, 60 by 60; one region: 1 everywhere"
    gates.train(10_000, 10_000)
    outs = answers(weights_of(gates), *plane())[-1]
    regions = ndimage.label(outs > 0.5)[1] + ndimage.label(outs <= 0.5)[1]
    label = gates.root.locator(".map .plane").get_attribute("aria-label") or ""
    assert regions == 3
    assert re.fullmatch(r"Decision map, 60 by 60; three regions: 1 at [a-z ]+ and [a-z ]+, 0 between", label) or (
        re.fullmatch(r"Decision map, 60 by 60; three regions: 1 between, 0 at [a-z ]+ and [a-z ]+", label)
    )


def test_by_touch_the_first_tap_reads_and_the_second_one_sets(browser: Any, tmp_path: Path) -> None:
    for touched in opened(browser, tmp_path, has_touch=True, viewport={"width": 390, "height": 844}):
        touched.open(gates_page())
        touched.root.locator(".map").scroll_into_view_if_needed()
        at = position(touched, 0.5, 0.5)
        touched.page.touchscreen.tap(*at)
        assert check_reading(touched) == pytest.approx((0.5, 0.5), abs=0.011)
        assert touched.number("i1") == 0.0
        touched.page.touchscreen.tap(*at)
        assert touched.number("i1") == pytest.approx(0.5, abs=0.011)
        x, y = position(touched, 1, 1)
        touched.page.touchscreen.tap(x + 15, y + 15)  # within 44 pixels of a point
        assert touched.root.get_by_role("radio", name="Case 4", exact=True).is_checked()
        assert not touched.heard


def test_a_network_with_other_outputs_has_a_symmetric_scale(driven: Driven) -> None:
    network = MLP(2, [3, 1], "tanh", generator=random.Random(3))
    cases = [([-2.0, 0.0], -1.0), ([2.0, 1.0], 1.0), ([0.0, 4.0], 1.0)]
    driven.open(network_page(network, cases))
    assert driven.root.locator(".scale").inner_text().split() == ["−1", "0", "1"]
    across, _ = plane(-3.0, 3.0)
    _, up = plane(-1.0, 5.0)
    outs = [[network([x, y]).data for x, y in zip(*rows, strict=True)] for rows in zip(across, up, strict=True)]
    assert np.abs(cells_of(driven, ".map canvas")[..., :3] - colours(outs, -1.0, 1.0)).max() <= 0.5 + 1e-6


def test_logits_are_mapped_about_zero(driven: Driven) -> None:
    network = MLP(2, [3, 1], "tanh", generator=random.Random(3))
    cases = [([*map(float, row)], target) for row, target in zip(GATE_INPUTS, GATES["XOR"], strict=True)]
    driven.open(network_page(network, cases, binary_cross_entropy))
    low, middle, high = driven.root.locator(".scale").inner_text().replace("−", "-").split()
    assert (float(low), float(middle)) == (-float(high), 0.0)
    wrong = sum((network(row).data > 0) != bool(target) for row, target in cases)
    assert driven.root.locator(".map .wrong").count() == wrong


def test_several_outputs_are_mapped_one_at_a_time(driven: Driven) -> None:
    network: MLP[list[Value]] = MLP(2, [3, 2], "tanh", "sigmoid", generator=random.Random(3))
    driven.open(network_page(network, [([0.0, 1.0], [0.0, 1.0]), ([1.0, 0.0], [1.0, 0.0])]))
    for index, name in enumerate(("out_o1", "out_o2")):
        driven.choose("Output of the map", str(index))
        outs = [
            [network([x, y])[index].data for x, y in zip(*rows, strict=True)] for rows in zip(*plane(), strict=True)
        ]
        assert (
            np.abs(cells_of(driven, ".map canvas")[..., :3] - colours(np.reshape(outs, (CELLS, CELLS)))).max() < 0.501
        ), name
    assert driven.root.locator("#picture canvas").count() == 5


def test_pages_without_a_plane_hold_nothing_of_it() -> None:
    one_input = network_page(MLP(1, [2, 1], "tanh"), [([0.5], 1.0), ([1.0], 0.0)])
    for part in ("class DecisionMap", ".plane", "laidOut"):
        assert part in gates_page().html
        assert part not in worked_page().html
        assert part not in one_input.html
    assert "class Cases" in one_input.html
    assert "class Cases" not in worked_page().html


# How a training ends.


def test_a_training_that_gets_every_case_right_ends(lively: Driven) -> None:
    lively.press("as fast as it goes", "Keep training")
    lively.button("Keep training").wait_for(timeout=30_000)
    rounds = lively.number("round", "rounds")
    assert lively.root.locator("#notice").inner_text() == f"All four cases right after {rounds:,.0f} rounds."
    assert lively.error() < 0.001
    assert lively.root.locator("#casesPlace tbody tr", has_text="✓").count() == 4
    lively.press("Keep training")  # asked to go on, it does
    more = "(before) => Number(document.querySelector('#rounds').dataset.value) > before + 5000"
    lively.root.wait_for_function(more, arg=rounds, timeout=30_000)
    lively.press("Pause training")
    lively.slide("Round", 10)
    assert "right after" not in lively.root.locator("#notice").inner_text()


def test_a_training_that_settles_on_a_wrong_answer_is_told_and_starts_anew(lively: Driven) -> None:
    lively.choose("A round takes", "all")
    lively.edit("Learning rate", 500)
    lively.train(10_000)
    assert lively.root.locator("#notice").inner_text() == "⚠ It has settled on a wrong answer. Reset draws new weights."
    assert lively.root.locator("#casesPlace tbody tr", has_text="✗").count() > 0
    first = gate_network(random.Random(1)).state_dict()
    lively.press("Reset")
    weights = weights_of(lively)
    assert lively.number("round", "rounds") == 0
    drawn = [weights[f"w{k}"] for k in range(1, 16)]
    assert all(0.0 <= number < 1.0 for number in drawn)
    assert not {*drawn} & {*first.values()}
    assert weights["b1"] == first["layers.0.bias"]  # frozen
    lively.press("Reset")
    assert weights_of(lively)["w1"] == first["layers.0.neurons.0.weights.0"]


# Weights as a file.


def saved(driven: Driven, path: Path) -> Path:
    with driven.page.expect_download() as download:
        driven.press("Save weights")
    assert download.value.suggested_filename == "network.json"
    download.value.save_as(path)
    driven.heard.clear()  # of the request for the file
    return path


def test_weights_that_the_page_saves_are_loaded_by_python(gates: Driven, tmp_path: Path) -> None:
    untrained = gate_network(random.Random(1))
    expected = json.loads(save_network(untrained, tmp_path / "python.json").read_text())
    assert json.loads(saved(gates, tmp_path / "page.json").read_text()) == expected
    gates.train(1000)
    network = gate_network(random.Random(2))
    load_network(network, saved(gates, tmp_path / "page.json"))
    data = gates.numbers("data")
    assert {str(parameter.label): parameter.data for parameter in network.parameters()} == weights_of(gates)
    outs = [network.forward([*map(float, row)])[0].data for row in GATE_INPUTS]
    assert [data[f"out_o1[{case}]"] for case in range(4)] == close(outs, 1e-9)


def test_weights_that_python_saves_come_to_a_page_and_back(driven: Driven, tmp_path: Path) -> None:
    network = MLP(2, [3, 2], "tanh", generator=random.Random(3))
    path = save_network(network, tmp_path / "python.json")
    other = MLP(2, [3, 2], "tanh", generator=random.Random(4))
    load_network(other, path)
    driven.open(network_page(other, [([0.5, 1.0], [0.0, 1.0])]))
    driven.edit("w1", 0.1 + 0.2)
    load_network(other, saved(driven, tmp_path / "page.json"))
    built = load_network(tmp_path / "page.json")
    assert (built.state_dict(), built.settings()) == (other.state_dict(), other.settings())
    changed = {name: number for name, number in other.state_dict().items() if number != network.state_dict()[name]}
    assert changed == {"layers.0.neurons.0.weights.0": 0.1 + 0.2}


def test_a_page_in_a_notebook_saves_weights_too(driven: Driven, tmp_path: Path) -> None:
    driven.open(f"<!doctype html><title>A notebook</title><h1>A cell</h1>{gates_page()._repr_html_()}", is_framed=True)
    network = gate_network(random.Random(2))
    driven.page.wait_for_function("() => document.querySelector('iframe').clientHeight !== 900")  # that of its page
    driven.page.wait_for_timeout(300)  # until no button moves
    load_network(network, saved(driven, tmp_path / "page.json"))
    assert network.state_dict() == gate_network(random.Random(1)).state_dict()


# For everyone.


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing(scheme: Any, driven: Driven, axe: str) -> None:  # noqa: F811  # the fixture
    """While a point is added, with the map in focus and a value read."""
    driven.page.set_viewport_size({"width": 1280, "height": 900})
    driven.page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
    driven.open(gates_page())
    driven.train(1000)
    driven.press("Keep training", "Pause training", "Add a point")
    driven.page.keyboard.press("ArrowRight")
    driven.page.evaluate(axe)
    assert not driven.page.evaluate(AXE, True)


@pytest.mark.parametrize("width", [320, 390, 800, 1280, 1920])
def test_no_page_with_a_map_is_wider_than_the_screen(width: int, driven: Driven) -> None:
    driven.page.set_viewport_size({"width": width, "height": 900})
    driven.open(gates_page())
    driven.train(1000)
    assert driven.root.evaluate("() => document.documentElement.scrollWidth") <= width
    box = driven.root.locator(".map canvas").bounding_box()
    assert box is not None
    assert box["width"] >= min(width - 80, 290)
    assert math.isclose(box["width"], box["height"], abs_tol=1.0)
