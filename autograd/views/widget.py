"""The steps of a graph as a widget of a notebook, which the kernel computes for.

The scripts are those of the page, with `widget.js` for what only a widget does. This module needs anywidget, which the
extra `stepgrad[widget]` installs; `steps` imports it when a widget is first shown.
"""

from __future__ import annotations

import json
import math
from array import array
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import anywidget
import traitlets

from autograd.floats import as_float
from autograd.tape import Slopes, node_gradients
from autograd.views.live_page.page import page_data, widget_script

if TYPE_CHECKING:
    from autograd.views.stepping import Pass, Steps

LEARNING_RATE = 0.1  # that the page begins with
LONGEST = 1.0  # seconds that a training may keep the kernel from other cells


class StepsWidget(anywidget.AnyWidget):
    """The widget of some steps.

    What is synchronised: `position` and `every_operation`, in both directions; `state`, the numbers of this moment and
    the rounds of the training, from here to the page. What the page asks for comes as messages with an `id`, which is
    in the answer: `edit`, `train`, `travel` and `reset`.
    """

    position = traitlets.Int(0).tag(sync=True)
    every_operation = traitlets.Bool(False).tag(sync=True)
    page = traitlets.Unicode().tag(sync=True)
    state = traitlets.Dict().tag(sync=True)
    _esm = traitlets.Unicode().tag(sync=True)

    def __init__(self, steps: Steps) -> None:
        self._steps, self._replay = steps, steps._replay
        content = self._replay.content
        name = content.graph.names.of(content.output).plain
        settings = {"learningRate": LEARNING_RATE, "cases": [], "pick": False}
        data = page_data([content], f"{name}, step by step", settings)
        super().__init__(
            position=steps.position,
            page=json.dumps(data, ensure_ascii=False, allow_nan=False),
            state=self._state(steps._pass),
            _esm=widget_script(content.forms),
        )
        self.on_msg(self._answer)

    def show(self, shown: Pass) -> None:
        """Show the numbers of a pass."""
        self.state = self._state(shown)

    def _state(self, shown: Pass) -> dict[str, Any]:
        """Return all that the page shows of the numbers of a pass and of the training."""
        nodes, replay = shown.tape.nodes, self._replay
        round = replay.round

        def learned(numbers: array[float] | None) -> bytes | None:
            return None if numbers is None else _bytes(numbers[place] for place in replay.learning)

        return {
            "numbers": _bytes(shown.leaf_data.get(node, node.data) for node in nodes),
            "slopes": _bytes(slope for node in nodes for slope in node.slopes),
            "grads": _bytes(node_gradients(shown.tape, shown.tape.variables(), Slopes())),
            "learned": learned(round.numbers),
            "before": learned(round.before),
            "applied": learned(round.applied),
            "rate": round.rate if math.isfinite(round.rate) else None,
            "round": round.number,
            "last": replay.rounds[-1].number,
            "diverged": replay.diverged,
            "rounds": _bytes(kept.number for kept in replay.rounds),
            "errors": _bytes(kept.error for kept in replay.rounds),
        }

    def _answer(self, _: object, request: dict[str, Any], buffers: object) -> None:
        """Do what the page asks for, and say what became of it."""
        answer = {"id": request["id"], "left": 0.0, "error": ""}
        try:
            answer["left"] = self._do(request)
        except Exception as error:  # whatever a rule raises is for the reader, who sees no log
            answer["error"] = f"{type(error).__name__}: {error}"
        self.send(answer)

    def _do(self, request: dict[str, Any]) -> float | None:
        steps, replay = self._steps, self._replay
        if request["what"] == "edit":
            leaf = replay.nodes[request["slot"]]
            before, leaf.data = leaf.data, as_float(request["value"])
            try:
                steps.update()
            except BaseException:
                leaf.data = before
                raise
            return 0.0
        left = 0.0
        try:
            if request["what"] == "train":
                rounds = math.inf if request["rounds"] is None else request["rounds"]
                left = replay.train(rounds, as_float(request["rate"]), min(request["milliseconds"] / 1000, LONGEST))
            elif request["what"] == "travel":
                replay.travel(request["round"])
            else:
                replay.reset()
        finally:
            steps.update()
        return left if math.isfinite(left) else None


def _bytes(numbers: Iterable[float]) -> bytes:
    return array("d", numbers).tobytes()
