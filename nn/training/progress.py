"""The progress of a training: a bar, as text or as a widget in a notebook, or the curve of the error."""

from __future__ import annotations

import base64
import io
import sys
import time
from importlib import import_module
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from autograd.notation import in_notebook
from nn.history import History, check_matplotlib

if TYPE_CHECKING:
    from tqdm import tqdm

SECONDS, TIMES = 0.25, 4  # between two pictures: at least these, and as many times as long as the last one took


def progress_bar(total: int, done: int, show: bool | None, unit: str = "rounds", **settings: Any) -> tqdm[Any]:
    """Make a progress bar of rounds, which is a context manager. It starts no thread, as tqdm's own do.

    Args:
        total: the number of rounds at the end.
        done: the number of rounds done.
        show: whether to show it; None shows it in a notebook, and if the standard error is a terminal. Without a
            standard error, as under pythonw, it is not shown.
        unit: what they are called, where they are something else.
        settings: of tqdm.
    """
    is_notebook = in_notebook()
    disable = not show if show is not None else False if is_notebook else None
    disable = disable or (True if sys.stderr is None else disable)
    # tqdm.auto warns where ipywidgets is missing.
    bars = import_module("tqdm.auto" if is_notebook and find_spec("ipywidgets") else "tqdm")
    # The thread looks after bars that let more and more updates pass unseen; with miniters=1 none do.
    kind: Any = type("Bar", (bars.tqdm,), {"monitor_interval": 0})
    bar: tqdm[Any] = kind(total=total, initial=done, disable=disable, unit=f" {unit}", miniters=1, **settings)
    return bar


def check_curve() -> None:
    """Raise a ValueError unless this is a notebook, which shows curves, or an ImportError if matplotlib is missing."""
    if not in_notebook():
        raise ValueError(
            'progress="curve" draws in a notebook, with IPython, and this is not one; leave it out, and write '
            "history.plot() after the training"
        )
    check_matplotlib()


class Curve:
    """The plot of a history as one output of a cell, redrawn during a training of `total` rounds; a context manager."""

    disable = True  # there is no text beside it

    def __init__(self, history: History, total: int) -> None:
        self.history, self.total = history, total
        self.output: Any = None  # the handle of it

    def __enter__(self) -> Curve:
        self._draw()
        return self

    def __exit__(self, kind: object, *exception: object) -> None:
        if kind is None:  # else a step may be half done
            self._draw()

    def update(self) -> None:
        """Draw the curve again, if that is due."""
        if time.monotonic() >= self.due:
            self._draw()

    def _draw(self) -> None:
        import IPython.display
        from matplotlib import pyplot

        begun, picture = time.monotonic(), io.BytesIO()
        text = f"{self.history.rounds} of {self.total} rounds"
        if self.history.errors:
            text += f", error {self.history.errors[-1]:.3g}"
        figure: Any = self.history.plot().figure
        try:
            figure.suptitle(text, fontsize="medium")
            figure.savefig(picture, format="png")
        finally:
            pyplot.close(figure)  # else the notebook shows it once more
        data = {"image/png": base64.b64encode(picture.getvalue()).decode(), "text/plain": text}
        if self.output is None:
            show: Any = IPython.display.display  # which has no types
            self.output = show(data, raw=True, display_id=True)
        else:
            self.output.update(data, raw=True)
        now = time.monotonic()
        self.due = now + max(SECONDS, TIMES * (now - begun))
