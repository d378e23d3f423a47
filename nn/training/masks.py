"""What the Dropouts of a network multiply by, as numbers that a program takes beside those of a case.

>>> import random
>>> from nn.dropout import Dropout
>>> masks = Masks(Dropout(0.5, random.Random(1)), [1.0, 2.0, 3.0])
>>> [rows.tolist() for rows in masks.drawn(2)], masks.neutral
([[[0.0, 0.0, 0.0], [0.0, 2.0, 2.0]]], (array([1., 1., 1.]),))
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

Numbers: TypeAlias = NDArray[np.float64]
Calls: TypeAlias = list[tuple[Dropout, int]]  # each Dropout that is called, and how many numbers it takes


class Masks:
    """The factors of the Dropouts of a network, for one case after another, in the order in which they are called.

    If there are any, the network is called once as in training, with the inputs of a case.

    Attributes:
        neutral: a tuple of the row of factors of 1; empty where nothing is dropped, since an argument of a compiled
            function costs a few microseconds at each step.
    """

    def __init__(self, network: Any, inputs: Any) -> None:
        self.modules, self.dropouts = modules_of(network), dropouts_of(network)
        self.calls: Calls = []
        if self.dropouts:
            with no_grad(), ieee_arithmetic(), self.given(itertools.repeat(1.0)) as self.calls:
                network(inputs)
        count = sum(count for _, count in self.calls)
        self.neutral: tuple[Numbers, ...] = (np.ones(count),) if count else ()

    def drawn(self, cases: int) -> tuple[Numbers, ...]:
        """Draw, as `neutral`, a row of factors for each of some cases, that of the last one first as in `CaseRows`."""
        if not self.neutral:
            return ()
        rows = [[factor for dropout, count in self.calls for factor in dropout.factors(count)] for _ in range(cases)]
        return (np.array(rows[::-1]),)

    @contextlib.contextmanager
    def given(self, factors: Iterable[Any] = ()) -> Iterator[Calls]:
        """Let the network compute as in training in a block, by factors that are given; yield the list of the calls."""
        rest = iter(factors.tolist() if isinstance(factors, np.ndarray) else factors)
        calls: Calls = []

        def taken(dropout: Dropout, count: int) -> list[Any]:
            calls.append((dropout, count))
            return list(itertools.islice(rest, count))

        with training_mode(self.modules, True):
            try:
                for dropout in self.dropouts:
                    vars(dropout)["factors"] = partial(taken, dropout)
                yield calls
            finally:
                try:
                    self._release()
                finally:  # again, since an interrupt may come before the first one is done
                    self._release()

    def _release(self) -> None:
        for dropout in self.dropouts:
            vars(dropout).pop("factors", None)
