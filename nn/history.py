"""What happened in a training: its numbers round by round, as a line, as curves and as a page.

>>> History(3, [0.5, 0.25, 0.125])
<History: 3 rounds, error 0.5 -> 0.125>
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING, Any

from autograd import LivePage
from autograd.saving import shortened
from nn.calls import Instead
from nn.parameters import counted

if TYPE_CHECKING:
    from matplotlib.axes import Axes

OTHER_NAMES = {"accuracy": "metrics", "val_loss": "validation_errors", "val_accuracy": "validation_metrics"}


def check_matplotlib() -> None:
    """Raise an ImportError that says what to install if there is no matplotlib."""
    try:
        import matplotlib.ticker  # noqa: F401  # only tried
    except ImportError as error:
        raise ImportError(
            "a curve needs matplotlib, which is not installed here; get it with pip install 'stepgrad[plot]'"
        ) from error


@dataclass(repr=False)
class History:
    """What happened in a training.

    Attributes:
        rounds: the number of rounds done, including those before a resume.
        errors: the error of each round of this training: the mean over its cases, each before the step that it led to.
        interrupted: whether it was stopped by Ctrl-C.
        batches: how many batches of one more round are done, after an interrupt; a checkpoint goes on behind them, and
            another `fit` with the same network begins a new round.
        metrics: the metric on the cases after each round, if there is one.
        validation_errors: the mean error on the validation set after each round, if there is one.
        validation_metrics: the metric on the validation set after each round, if there are both.
        learning_rates: the learning rate of each round, if there is a schedule.
        best_round: of a training with patience, the round with the lowest error, whose parameters the network has.
    """

    rounds: int = 0
    errors: list[float] = field(default_factory=list)
    interrupted: bool = False
    batches: int = 0
    metrics: list[float] = field(default_factory=list)
    validation_errors: list[float] = field(default_factory=list)
    validation_metrics: list[float] = field(default_factory=list)
    learning_rates: list[float] = field(default_factory=list)
    best_round: int | None = None
    _metric_name: str = field(default="metric", compare=False)
    _page: Callable[..., LivePage] | None = field(default=None, compare=False)

    if not TYPE_CHECKING:  # a type checker says so, too
        history = Instead("history.errors for the error of each round, history.metrics for the metric")

        def __len__(self):
            raise TypeError("a History has no length; write history.rounds, or len(history.errors)")

        def __bool__(self):
            return True  # which is else asked of the length

        def __getitem__(self, name):
            names = [field.name for field in fields(self) if not field.name.startswith("_")]
            meant = OTHER_NAMES.get(name, name if name in names else "errors")
            raise TypeError(
                f"a History is no dict, got [{shortened(name)}]; write history.{meant}. It has {', '.join(names)}"
            )

    def __getstate__(self) -> dict[str, Any]:
        """Return what is pickled: all but the network and the loss, which may be a function without a name."""
        return {**vars(self), "_page": None}

    def page(self, title: str | None = None) -> LivePage:
        """Make a live page of the trained network, with its cases and its loss, to step through it and to train on.

        Args:
            title: the heading.

        Raises:
            ValueError: if this history is not one that `fit` returned.
            TypeError: as `network_page`.
        """
        if self._page is None:
            raise ValueError("only a history that fit returned knows its network; use network_page(network, cases)")
        return self._page(title=title)

    def plot(self, axes: Axes | None = None) -> Axes:
        """Draw the error over the rounds with matplotlib, and the metric, if there is one, on an axis at the right.

        A notebook shows the figure; elsewhere `matplotlib.pyplot.show()` does, and `axes.figure.savefig(…)` saves it.
        The axis of the errors is logarithmic if all of them are greater than 0.

        Args:
            axes: where to draw; a new figure when not given.

        Returns:
            The axes of the errors.

        Raises:
            ImportError: if matplotlib, which the extra `stepgrad[plot]` installs, is missing.
        """
        check_matplotlib()
        from matplotlib.ticker import MaxNLocator

        if axes is None:
            from matplotlib import pyplot

            axes = pyplot.subplots(layout="constrained")[1]  # so that labels and legend are within the figure
        first = self.rounds - len(self.errors) + 1
        numbers = range(first, self.rounds + 1)
        lines = axes.plot(numbers, self.errors, label="error")
        if self.validation_errors:
            lines += axes.plot(numbers, self.validation_errors, label="validation error")
        shown = [*self.errors, *self.validation_errors]
        if shown and min(shown) > 0.0:
            axes.set_yscale("log")
        axes.set_xlabel("round")
        axes.set_ylabel("error")
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        if self.metrics:
            right = axes.twinx()
            right.set_ylabel(self._metric_name)
            lines += right.plot(numbers, self.metrics, "C2--", label=self._metric_name)
            if self.validation_metrics:
                lines += right.plot(numbers, self.validation_metrics, "C3--", label=f"validation {self._metric_name}")
        if len(lines) > 1:
            axes.legend(handles=lines, loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=2)  # above the curves
        return axes

    def __repr__(self) -> str:
        try:
            parts = [counted(self.rounds, "round")]
            if self.batches:
                parts[0] += f" and {self.batches} batch{'es' if self.batches > 1 else ''}"
            if self.errors:
                first, last = f"{self.errors[0]:.4g}", f"{self.errors[-1]:.4g}"
                parts.append(f"error {first} -> {last}" if len(self.errors) > 1 else f"error {last}")
            for name, numbers in (
                (self._metric_name, self.metrics),
                ("validation error", self.validation_errors),
                (f"validation {self._metric_name}", self.validation_metrics),
            ):
                parts += [f"{name} {numbers[-1]:.4g}"] if numbers else []
            parts += [] if self.best_round is None else [f"best in round {self.best_round}"]
            return f"<History: {', '.join(parts)}{', interrupted' if self.interrupted else ''}>"
        except Exception:  # a history whose attributes are something else is shown too
            return "<History>"
