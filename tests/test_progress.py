"""The progress bar: on a terminal, in a notebook with widgets, and in one without."""

import base64
import sys
import threading
from typing import Any

import pytest
from tqdm import tqdm

from nn import fit
from nn.examples import worked_example
from nn.training.progress import progress_bar
from tests.test_loop import XOR, small_network

TRAINING = """
from nn import MLP, fit
history = fit(MLP(1, [1]), [([0.0], 0.0)], rounds=30)
"""


def test_the_bar_is_text(capsys: pytest.CaptureFixture[str]) -> None:
    fit(small_network(), XOR, rounds=200, progress=True)
    shown = capsys.readouterr().err
    assert "200/200" in shown
    assert "error 0." in shown


@pytest.mark.parametrize("progress", [None, False])
def test_no_terminal_no_bar(capsys: pytest.CaptureFixture[str], progress: bool | None) -> None:
    fit(small_network(), XOR, rounds=200, progress=progress)
    assert capsys.readouterr().err == ""


def test_a_bar_begins_where_the_training_does(capsys: pytest.CaptureFixture[str]) -> None:
    with progress_bar(10, 4, True) as bar:
        bar.update()
    assert "4/10" in capsys.readouterr().err


@pytest.mark.parametrize("progress", [None, False, True])
def test_a_training_leaves_no_thread_behind(progress: bool | None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tqdm, "monitor", None)  # else one that another test started would serve
    before = threading.enumerate()
    fit(small_network(), XOR, rounds=2, progress=progress)
    worked_example.train(rounds=2)
    assert threading.enumerate() == before


def outputs_of(*cells: str) -> list[Any]:
    """The outputs of the last cell of a notebook."""
    import nbformat  # which takes a second, as does the next one
    from nbclient import NotebookClient

    made: Any = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])  # type: ignore[no-untyped-call]  # nbformat has no types here
    NotebookClient(made, timeout=120).execute()
    outputs: list[Any] = made.cells[-1].outputs
    return outputs


@pytest.mark.engine_independent
@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of the packages that run notebooks
def test_a_notebook_without_widgets_has_the_bar_as_text() -> None:
    outputs = outputs_of("import sys; sys.modules['ipywidgets'] = None", TRAINING)
    assert {(output.output_type, output.name) for output in outputs} == {("stream", "stderr")}
    text = "".join(output.text for output in outputs)
    assert "30/30" in text
    assert "Warning" not in text


@pytest.mark.engine_independent
@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # likewise
def test_a_notebook_has_the_bar_as_a_widget() -> None:
    outputs = outputs_of("import warnings; warnings.simplefilter('error')", TRAINING)
    assert [output.output_type for output in outputs] == ["display_data"]
    assert "application/vnd.jupyter.widget-view+json" in outputs[0].data


@pytest.mark.engine_independent
@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # likewise
@pytest.mark.parametrize("settings", ["", "compiled=True", "metric=accuracy, validation=[([1.0], 1.0)]"])
def test_a_notebook_keeps_one_picture_of_the_curve(settings: str) -> None:
    """It is drawn anew at each round here."""
    code = f"""
from nn import MLP, accuracy, fit
from nn.training import progress
progress.SECONDS = progress.TIMES = 0
history = fit(MLP(1, [1]), [([0.0], 0.0), ([0.5], 0.25)], rounds=5, progress="curve", {settings})
"""
    (output,) = outputs_of(code)
    assert output.output_type == "display_data"
    assert output.data["text/plain"].startswith("5 of 5 rounds, error ")
    assert base64.b64decode(output.data["image/png"]).startswith(b"\x89PNG")


@pytest.mark.engine_independent
@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # likewise
def test_the_curve_of_a_training_that_ends_early_is_that_up_to_there() -> None:
    code = TRAINING.replace("rounds=30", "rounds=30, progress='curve', callback=lambda history: history.rounds == 7")
    (output,) = outputs_of(code)
    assert output.data["text/plain"].startswith("7 of 30 rounds, error ")


def test_a_curve_needs_a_notebook_and_matplotlib(monkeypatch: pytest.MonkeyPatch) -> None:
    network = small_network()
    before = network.state_dict()
    with pytest.raises(ValueError, match=r'progress="curve" draws in a notebook, .* write history\.plot\(\) after the'):
        fit(network, XOR, rounds=3, progress="curve")
    monkeypatch.setattr("nn.training.progress.in_notebook", lambda: True)
    monkeypatch.setitem(sys.modules, "matplotlib.ticker", None)
    with pytest.raises(ImportError, match=r"a curve needs matplotlib, .* pip install 'stepgrad\[plot\]'"):
        fit(network, XOR, rounds=3, progress="curve")
    wrong: Any = "curves"
    with pytest.raises(TypeError, match=r"progress must be True, False, None or \"curve\", got 'curves' of type str"):
        fit(network, XOR, rounds=3, progress=wrong)
    assert network.state_dict() == before


@pytest.mark.engine_independent
@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # likewise
def test_a_notebook_shows_no_bar_that_is_not_wanted() -> None:
    assert outputs_of(TRAINING.replace("rounds=30", "rounds=30, progress=False")) == []
