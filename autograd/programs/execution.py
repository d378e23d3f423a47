"""Today's runners by the interface of schedules, until these are there."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from autograd.native import selection


def lanes_for(code: Any, count: int) -> int:
    """Return how many examples are run side by side."""
    return int(selection.running().lanes_for(code, count))


class Schedule:
    """A lowered program that is run for calls, for examples, or again and again."""

    def __init__(self, code: Any, lanes: int = 0, exact: bool = True) -> None:
        self.code, self.lanes, self.exact = code, lanes, exact
        self._free = [self._runner()]

    def _runner(self) -> Any:
        return selection.running().Runner(self.code, self.lanes, self.exact)

    def _take(self) -> Any:
        try:
            return self._free.pop()
        except IndexError:
            return self._runner()

    def call_floats(self, arguments: tuple[float, ...]) -> float:
        """Return the first output."""
        runner = self._take()
        result: float = runner.call_floats(arguments)
        self._free.append(runner)
        return result

    def run(
        self, count: int, inputs: Any, tables: Sequence[Any], results: Sequence[Any], state: int = 0
    ) -> tuple[int, bool]:
        """Run it for so many examples, or so many times."""
        if not len(self.code.outputs):
            return count, True
        runner = self._take()
        size = len(self.code.outputs) - state
        outputs = results[0] if len(results) == 1 else np.empty((1 if self.code.totals else count, size))
        done = count
        if self.lanes:
            is_finite = runner.batch(inputs, [table[:count] for table in tables], None, outputs)
        elif count == 1 and not state and not tables:
            is_finite = runner.call(inputs, outputs[0])
        else:
            table = np.concatenate([np.empty((count, 0)), *[each[:count] for each in tables]], axis=1)
            done, _ = runner.repeat(count, inputs, state, table, outputs)
            is_finite = bool(np.isfinite(outputs[:done]).all() and np.isfinite(inputs[:state]).all())
        if not results or outputs is not results[0]:
            at = 0
            for result in results:
                result[:] = outputs[:, at : at + result.shape[1]]
                at += result.shape[1]
        self._free.append(runner)
        return done, is_finite
