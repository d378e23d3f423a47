"""Histories: what they say, their curves, and their pages."""

import io
import itertools
import pickle
import random
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import matplotlib
import pytest
from matplotlib.figure import Figure

from nn import MLP, SGD, Adam, History, accuracy, average_error, binary_cross_entropy, fit
from tests.test_content import data_of, evaluated_at, program_of
from tests.test_loop import XOR, small_network


@pytest.mark.parametrize(
    ("history", "text"),
    [
        (History(), "<History: 0 rounds>"),
        (History(1, [0.25]), "<History: 1 round, error 0.25>"),
        (History(300, [0.5, 0.123456]), "<History: 300 rounds, error 0.5 -> 0.1235>"),
        (
            History(2, [1.0, 0.5], True, 3, [0.5, 0.75], [2.0, 1.5], [0.25, 1.0], _metric_name="accuracy"),
            "<History: 2 rounds and 3 batches, error 1 -> 0.5, accuracy 0.75, validation error 1.5, "
            "validation accuracy 1, interrupted>",
        ),
        (History(errors=None), "<History: 0 rounds>"),  # type: ignore[arg-type]  # a repr never raises
        (History(errors=["a"]), "<History>"),  # type: ignore[list-item]  # likewise
    ],
)
def test_a_history_is_a_short_line(history: History, text: str) -> None:
    assert repr(history) == text


def test_the_metric_has_its_name() -> None:
    history = fit(small_network(), XOR, rounds=2, metric=average_error, validation=XOR[:1])
    assert "average error" in repr(history)
    assert "validation average error" in repr(history)


# Curves.


@pytest.fixture
def no_window() -> Iterator[None]:
    """matplotlib without a window, and without figures that are left."""
    before = matplotlib.get_backend()
    matplotlib.use("agg")
    yield
    from matplotlib import pyplot

    pyplot.close("all")
    matplotlib.use(before)


def points(line: Any) -> list[tuple[float, float]]:
    return list(zip(line.get_xdata(), line.get_ydata(), strict=True))


@pytest.mark.usefixtures("no_window")
def test_the_curve_of_the_error() -> None:
    history = fit(small_network(), XOR, rounds=20)
    axes = history.plot()
    (line,) = axes.lines
    assert points(line) == list(enumerate(history.errors, start=1))
    assert (axes.get_xlabel(), axes.get_ylabel(), axes.get_yscale()) == ("round", "error", "log")
    assert axes.get_legend() is None
    assert len(axes.figure.axes) == 1


@pytest.mark.usefixtures("no_window")
def test_the_curves_of_all_that_a_history_keeps(tmp_path: Path) -> None:
    """Of a training that was resumed, the rounds are counted on."""
    path = tmp_path / "training.json"
    fit(small_network(), XOR, rounds=5, checkpoint=path)
    history = fit(
        small_network(), XOR, rounds=12, checkpoint=path, resume=True, metric=accuracy, validation=XOR[1:3]
    )  # fmt: skip
    axes = history.plot()
    left, right = axes.figure.axes
    assert left is axes
    lines = {str(line.get_label()): line for line in itertools.chain(left.lines, right.lines)}
    expected = {
        "error": history.errors,
        "validation error": history.validation_errors,
        "accuracy": history.metrics,
        "validation accuracy": history.validation_metrics,
    }
    counted = {name: list(enumerate(numbers, start=6)) for name, numbers in expected.items()}
    assert {name: points(line) for name, line in lines.items()} == counted
    legend = axes.get_legend()
    assert legend is not None
    assert [text.get_text() for text in legend.get_texts()] == list(expected)
    assert right.get_ylabel() == "accuracy"


@pytest.mark.usefixtures("no_window")
@pytest.mark.parametrize("size", [(6.4, 4.8), (3.2, 2.4)])
def test_nothing_of_a_saved_plot_is_cut(size: tuple[float, float]) -> None:
    """With numbers of many digits at both axes, and a legend above them."""
    history = History(2, [1e-7, 2e-7], metrics=[0.123456, 0.1234561], validation_errors=[3e-7, 2e-7])
    figure = history.plot().figure
    assert isinstance(figure, Figure)
    figure.set_size_inches(size)
    figure.savefig(io.BytesIO())
    width, height = figure.bbox.size
    for axes in figure.axes:
        box = axes.get_tightbbox()
        assert box is not None
        assert (box.x0, box.y0) >= (0.0, 0.0)
        assert box.x1 <= width
        assert box.y1 <= height


@pytest.mark.usefixtures("no_window")
def test_a_curve_goes_where_it_is_told() -> None:
    axes = Figure().subplots()
    assert History(2, [0.5, -0.5]).plot(axes) is axes
    assert axes.get_yscale() == "linear"  # there is no logarithm of −0.5
    assert History().plot(Figure().subplots()).get_xlabel() == "round"


def test_nothing_imports_matplotlib_unasked() -> None:
    code = "import sys, nn; print('matplotlib' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "False\n"


# The page.


@pytest.mark.parametrize("pick", [None, random.Random(3)])
def test_a_history_leads_to_a_page_of_the_trained_network(pick: random.Random | None) -> None:
    network = small_network()
    history = fit(network, XOR, optimizer=SGD(network.parameters(), 0.125), rounds=20, pick=pick)
    page = history.page(title="Trained")
    data = data_of(page)
    assert (page.title, data["learningRate"], data["pick"]) == ("Trained", 0.125, pick is not None)
    assert data["cases"] == [[*inputs, *targets] for inputs, targets in XOR]
    (content,) = data["graphs"]
    program = program_of(content)
    shown = {content["names"][slot]: program.numbers[slot] for slot in program.parameters}
    assert shown == {parameter.label: parameter.data for parameter in network.parameters()}
    errors = [evaluated_at(content, row)[0] for row in data["cases"]]
    assert sum(errors) / 4 == pytest.approx(average_error(network, XOR), rel=1e-14)
    fit(network, XOR, rounds=1)
    assert history.page(title="Trained").html != page.html  # it shows the network as it is when it is asked for


def test_the_page_of_a_history_has_its_loss() -> None:
    network = MLP(2, [4, 1], "tanh", generator=random.Random(1))
    cases = [(inputs, target) for inputs, (target,) in XOR]
    history = fit(network, cases, loss=binary_cross_entropy, optimizer=Adam(network.parameters(), 0.05), rounds=3)
    (content,) = data_of(history.page())["graphs"]
    error, _ = evaluated_at(content, [0.0, 1.0, 1.0])
    assert error == pytest.approx(binary_cross_entropy(network([0.0, 1.0]), 1.0).data, rel=1e-14)


def test_the_page_is_no_part_of_what_a_history_says() -> None:
    histories = [fit(small_network(), XOR, rounds=2) for _ in range(2)]
    assert histories[0] == histories[1] == History(2, histories[0].errors)
    assert repr(histories[0]) == repr(History(2, histories[0].errors))


def test_a_history_of_a_loss_without_a_name_can_be_pickled() -> None:
    network = MLP(1, [1])
    history = fit(network, [([1.0], 2.0)], loss=lambda output, target: (output - target) ** 2, rounds=3)
    copy = pickle.loads(pickle.dumps(history))
    assert (copy.rounds, copy.errors) == (3, history.errors)
    with pytest.raises(ValueError, match="network_page"):
        copy.page()


def test_without_matplotlib_the_plot_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib.ticker", None)
    with pytest.raises(ImportError, match=r"needs matplotlib, .* pip install 'stepgrad\[plot\]'"):
        History(1, [0.5]).plot()
