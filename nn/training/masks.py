"""What the Dropouts of a network multiply by, as numbers that a program takes beside those of a case.

>>> import random
>>> from nn.dropout import Dropout
>>> masks = Masks(Dropout(0.5, random.Random(1)), [1.0, 2.0, 3.0])
>>> masks.drawn(2).tolist(), masks.neutral.tolist()
([[0.0, 0.0, 0.0], [0.0, 2.0, 2.0]], [[1.0, 1.0, 1.0]])
"""

from __future__ import annotations

import contextlib
import itertools
from collections.abc import Iterable, Iterator
from functools import partial
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from autograd import ieee_arithmetic, no_grad
from nn.dropout import Dropout, dropouts_of
from nn.parameters import modules_of, training_mode

Calls: TypeAlias = list[tuple[Dropout, int]]  # each Dropout that is called, and how many numbers it takes


class Masks:
    """The factors of the Dropouts of a network, for one case after another, in the order in which they are called.

    Args:
        network: which is called once as in training, if there are any.
        inputs: of a case.

    Attributes:
        neutral: a row of factors of 1.
    """

    def __init__(self, network: Any, inputs: Any) -> None:
        self.modules, self.dropouts = modules_of(network), dropouts_of(network)
        self.calls: Calls = []
        if self.dropouts:
            with no_grad(), ieee_arithmetic(), self.given(itertools.repeat(1.0)) as self.calls:
                network(inputs)
        self.neutral = np.ones((1, sum(count for _, count in self.calls)))

    def drawn(self, cases: int) -> NDArray[np.float64]:
        """Draw the factors of some cases: a row for each, that of the last case first, as `CaseRows` has them."""
        rows = [[factor for dropout, count in self.calls for factor in dropout.factors(count)] for _ in range(cases)]
        return np.array(rows[::-1]).reshape(cases, -1)

    @contextlib.contextmanager
    def given(self, factors: Iterable[Any]) -> Iterator[Calls]:
        """Let the network compute as in training in a block, by factors that are given; yield the list of the calls."""
        rest, calls = iter(factors), []

        def taken(dropout: Dropout, count: int) -> list[Any]:
            calls.append((dropout, count))
            return list(itertools.islice(rest, count))

        with training_mode(self.modules, True):
            try:
                for dropout in self.dropouts:
                    vars(dropout)["factors"] = partial(taken, dropout)
                yield calls
            finally:
                for dropout in self.dropouts:
                    vars(dropout).pop("factors", None)
