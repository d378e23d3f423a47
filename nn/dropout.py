"""`Dropout`: in training each number is left out at random, so that a network does not rely on single neurons.

>>> dropout = Dropout(0.5, random.Random(1))
>>> dropout([1.0, 2.0, 3.0])
[1.0, 2.0, 3.0]
>>> dropout.train()([1.0, 2.0, 3.0])
[0.0, 4.0, 6.0]
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Sequence
from numbers import Real
from typing import Any

from autograd import Value
from autograd.saving import shortened
from nn.calls import explained
from nn.parameters import Module, modules_of


class Dropout(Module):
    """In training leave numbers out at random, and multiply the others by 1 / (1 − rate) (Srivastava et al. 2014).

    The expected value of each number is then that of the number itself, and outside training nothing is changed: this
    is inverted dropout, as in PyTorch and Keras.

    A module is in training after `train()`, until `eval()`. `fit` switches this by itself: on for the forward pass of a
    step, and off for metrics, the validation set, callbacks, and when it ends. A compiled training draws the same
    numbers as an eager one. Any other compiled function would repeat those of its recording, which is refused.

    Args:
        rate: the probability that a number is left out, from 0 to below 1.
        generator: draws a number for each number of each case, also if the rate is 0; when not given, a new one that
            the module `random` seeds. A checkpoint holds its state.

    Raises:
        ValueError: if the rate is out of its range.
        TypeError: if the rate is not a number, or the generator is not a `random.Random`.
    """

    setting_names = ("rate",)

    @explained("Dropout(0.5)")
    def __init__(self, rate: float = 0.5, generator: random.Random | None = None) -> None:
        if generator is not None and not isinstance(generator, random.Random):
            raise TypeError(
                f"the generator of a Dropout must be a random.Random, got {shortened(generator)}; write "
                f"Dropout({shortened(rate)}, random.Random(1))"
            )
        self.rate = rate
        self.generator = random.Random(random.getrandbits(64)) if generator is None else generator
        self._kept()

    def __call__(self, inputs: Sequence[Value | float]) -> list[Value | float]:
        """Return the numbers as they are; in training leave some out.

        Raises:
            TypeError: if they are not a list; or in training, while a function is compiled.
        """
        if isinstance(inputs, Value) or not isinstance(inputs, Iterable):
            raise TypeError(f"a Dropout takes a list of numbers, got {shortened(inputs)}; write dropout([x])")
        numbers = list(inputs)
        if not self.training:
            return numbers
        factors = self.factors(len(numbers))
        if factors and not isinstance(factors[0], Value):
            _check_known(numbers)
        return [number * factor for number, factor in zip(numbers, factors, strict=True)]

    def factors(self, count: int) -> list[float]:
        """Draw what each of some numbers is multiplied by: 0, or 1 / (1 − rate)."""
        rate, kept, draw = self.rate, self._kept(), self.generator.random
        return [kept if draw() >= rate else 0.0 for _ in range(count)]

    def _kept(self) -> float:
        """Return the factor of a number that is not left out."""
        rate: Any = self.rate
        is_number = isinstance(rate, Real) and not isinstance(rate, bool)
        if not is_number or not 0.0 <= rate < 1.0:
            raise (ValueError if is_number else TypeError)(
                f"the rate of a Dropout must be a number of at least 0 and below 1, such as Dropout(0.5), got "
                f"{shortened(rate)}"
            )
        return 1.0 / (1.0 - float(rate))

    def _heading(self) -> str:
        return f"Dropout: {self.rate:g} left out in training"


def dropouts_of(network: object) -> list[Dropout]:
    """Return the Dropouts within a network, each once."""
    return [module for module in modules_of(network) if isinstance(module, Dropout)]


def _check_known(numbers: Iterable[Value | float]) -> None:
    """Check that no function is being recorded, for which numbers have no data."""
    first = next((number for number in numbers if isinstance(number, Value)), None)
    try:
        _ = first is not None and first.data
    except TypeError as error:
        raise TypeError(
            "a compiled function would leave out the same numbers at each call: call network.eval() before it is "
            "recorded; to train with a Dropout, use fit(…, compiled=True)"
        ) from error
