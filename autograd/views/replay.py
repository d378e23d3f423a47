"""A recorded graph with other numbers: evaluated again, and trained.

>>> from autograd import Value
>>> w, x = Value(2.0, label="w"), Value(3.0, label="x")
>>> replay = Replay(Tape(w * x), {})
>>> w.data = 5.0
>>> tape, twins = replay.evaluate()
>>> tape.nodes[-1]
Value(15.0)
>>> replay.train(1, rate=0.1, seconds=1.0), w.data
(0, 4.7)

Nothing is decided anew: the primitives are those of the tape, whatever Python's `if` would choose now.
"""

from __future__ import annotations

import math
import time
from array import array
from collections import deque
from collections.abc import Callable, Mapping
from functools import cached_property
from typing import Any, NamedTuple

from autograd.calculus import value_and_grad
from autograd.modes import recording
from autograd.programs import compile
from autograd.tape import Tape
from autograd.value import Value
from autograd.views.live_page.content import GraphContent

MOST_ROUNDS = 1024  # that are kept: all, then every second one, every fourth, …


class Round(NamedTuple):
    """What is known of a round of a training."""

    number: int  # how many rounds are done
    numbers: array[float]  # of the leaves
    error: float  # the number of the output
    rate: float = math.nan  # the learning rate that led here
    before: array[float] | None = None  # the numbers of the round before; None at the start and after other changes
    applied: array[float] | None = None  # the gradients that led here; likewise


class Replay:
    """A recorded graph whose leaves get other numbers.

    Args:
        recorded: the tape.
        leaf_data: the numbers that its leaves had when it was recorded, of those that have other ones now.

    Attributes:
        content: what a page holds of the graph.
        leaves: the leaves whose numbers may change.
        learning: the places among them of those that a training changes.
        rounds: those that are kept, in their order.
        round: the one whose numbers the leaves have.
        diverged: whether the training ended since the next round has numbers that are not finite.
    """

    def __init__(self, recorded: Tape, leaf_data: Mapping[Value, float]) -> None:
        self.nodes = recorded.nodes
        self.content = GraphContent(recorded.nodes[-1])
        self.slots = self.content.program.leaves.tolist()
        self.leaves = [self.nodes[slot] for slot in self.slots]
        places = {leaf: place for place, leaf in enumerate(self.leaves)}
        self.learning = [places[leaf] for leaf in self.content.learning]
        first = array("d", [leaf_data.get(leaf, leaf.data) for leaf in self.leaves])
        self.round = self.start = Round(0, first, self.nodes[-1].data)
        self.rounds, self.stride, self.diverged = [self.start], 1, False

    def evaluate(self) -> tuple[Tape, dict[Value, Value]]:
        """Evaluate the tape with the numbers that its leaves hold now.

        Returns:
            The tape of the new graph, of the same leaves and labels, and its node for each recorded one.

        Raises:
            ValueError, ZeroDivisionError: if an operation is outside its domain.
        """
        with recording():
            nodes = self.content.program.forward({i: node for i, node in enumerate(self.nodes) if not node.primitive})
        twins = dict(zip(self.nodes, nodes, strict=True))
        for node, twin in twins.items():
            if twin is not node and node.label:
                twin.label = node.label
        return Tape(nodes[-1]), twins

    @property
    def is_stale(self) -> bool:
        """Whether a leaf holds another number than in this round."""
        return array("d", [leaf.data for leaf in self.leaves]).tobytes() != self.round.numbers.tobytes()

    def note(self, error: float) -> None:
        """Take the numbers of the leaves and the error for those of this round; if they are others, drop later ones."""
        if self.is_stale:
            self._keep(Round(self.round.number, array("d", [leaf.data for leaf in self.leaves]), error))

    def train(self, rounds: float, rate: float, seconds: float) -> float:
        """Move the leaves that learn against their gradients, round by round, and assign them at the end.

        Each round is done as a whole or not at all. One whose numbers, error or gradients are not finite is not done,
        and ends the training.

        Args:
            rounds: how many.
            rate: the learning rate.
            seconds: after which to stop in between.

        Returns:
            How many rounds are left.

        Raises:
            ValueError, ZeroDivisionError: if the next round leads out of the domain of an operation.
        """
        end = time.monotonic() + seconds
        self.diverged = False
        try:
            error, grads = self._error_and_gradients([leaf.data for leaf in self.leaves])
            self.note(error)
            while rounds > 0:
                numbers = self.round.numbers.tolist()
                for place in self.learning:
                    numbers[place] -= rate * grads[place]
                error, next_grads = self._error_and_gradients(numbers)
                if not all(map(math.isfinite, [error, *numbers, *next_grads])):
                    self.diverged = True
                    return 0
                before, applied = self.round.numbers, array("d", grads)
                self._keep(Round(self.round.number + 1, array("d", numbers), error, rate, before, applied))
                grads = next_grads
                rounds -= 1
                if time.monotonic() > end:
                    break
        finally:
            self._assign()
        return rounds

    def travel(self, number: int) -> None:
        """Assign the numbers of a round, or of the last one before it that is kept."""
        self.round = next((kept for kept in reversed(self.rounds) if kept.number <= number), self.rounds[0])
        self.diverged = False
        self._assign()

    def reset(self) -> None:
        """Assign the numbers of the recorded pass, and forget all rounds."""
        self.round, self.rounds, self.stride, self.diverged = self.start, [self.start], 1, False
        self._assign()

    def _assign(self) -> None:
        """Assign the numbers of this round to the leaves. An interrupt is raised afterwards."""
        assign = vars(Value)["data"].__set__
        try:
            deque(map(assign, self.leaves, self.round.numbers), maxlen=0)
        except KeyboardInterrupt:
            deque(map(assign, self.leaves, self.round.numbers), maxlen=0)
            raise

    def _keep(self, made: Round) -> None:
        """Go on from this round to another one, after which there is none yet."""
        while self.rounds and self.rounds[-1].number >= made.number:
            self.rounds.pop()
        if self.rounds and not self._is_kept(self.rounds[-1]):
            self.rounds.pop()
        if len(self.rounds) >= MOST_ROUNDS:
            self.stride *= 2
            self.rounds = list(filter(self._is_kept, self.rounds))
        self.rounds.append(made)
        self.round = made

    def _is_kept(self, kept: Round) -> bool:
        return kept.number % self.stride == 0 or kept.before is None

    @cached_property
    def _error_and_gradients(self) -> Callable[[list[float]], tuple[float, list[float]]]:
        """Return the recorded graph as a compiled function of the numbers of its leaves, and its gradient."""
        program, output = self.content.program, len(self.nodes) - 1

        def error(numbers: list[Any]) -> Any:
            return program.forward(dict(zip(self.slots, numbers, strict=True)))[output]

        return compile(value_and_grad(error))
