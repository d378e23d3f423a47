"""What is done to the gradients of a step: penalties of large weights are added, then the norm is limited.

A compiled training compiles the slope of a penalty, so that it has the bits of an eager one.

>>> penalty_slope(-3.0, l1=0.5, l2=0.25)
-2.0
>>> clip_factor([3.0, 4.0], 10.0), round(clip_factor([3.0, 4.0], 1.0), 6)
(1.0, 0.2)
"""

from __future__ import annotations

import math
from typing import Any

from autograd.primitives import absolute, multiply

((OF_SIZE,), (OF_LEFT, OF_RIGHT)) = absolute.slopes, multiply.slopes


def penalty_slope(weight: Any, l1: float, l2: float) -> Any:
    """Return the derivative of l1 |w| + l2 w w by w, a number or a Value, from the slopes of the table."""
    return l1 * OF_SIZE(None, weight) + l2 * (OF_LEFT(None, weight, weight) + OF_RIGHT(None, weight, weight))


def clip_factor(gradients: Any, clip_norm: float) -> float:
    """Return what gradients, a list or an array, are multiplied by so that their norm is at most a limit.

    It is min(1, limit / (norm + 1e-6)), as in PyTorch's `clip_grad_norm_`. Of gradients that are not finite it is 1, so
    that they are found.
    """
    import numpy as np

    sizes = np.abs(gradients)
    largest = float(sizes.max())
    if not 0.0 < largest < math.inf:
        return 1.0
    sizes /= largest  # so that no square overflows
    norm = largest * math.sqrt(np.cumsum(sizes * sizes)[-1])  # added from left to right
    return min(1.0, clip_norm / (norm + 1e-6))
