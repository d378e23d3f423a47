"""Remedies: equal to what they replace, with many digits, and found in graphs."""

import random

import mpmath
import pytest

from autograd import Value
from autograd.calculus.precise_numbers import Precise
from autograd.notation import Names
from autograd.tape import Tape
from autograd.views.remedies import REMEDIES, SLOPES, remedy

CONTEXT = mpmath.MPContext()
CONTEXT.dps = 60


@pytest.mark.parametrize("index", range(len(REMEDIES)))
def test_a_remedy_is_equal_to_what_it_replaces_and_is_found(index: int) -> None:
    lossy, better = REMEDIES[index]
    count = lossy.__code__.co_argcount
    for seed in range(5):
        draw = random.Random(seed)
        numbers = [Precise(CONTEXT.mpf(draw.uniform(0.6, 0.9))) for _ in range(count)]
        if "q" in lossy.__code__.co_varnames:
            numbers[1] = Precise(CONTEXT.mpf(draw.uniform(0.1, 0.3)))
        assert abs(lossy(*numbers).number - better(*numbers).number) < CONTEXT.mpf("1e-50")
    leaves = [Value(number, name) for number, name in zip((0.8, 0.3), "ab"[:count], strict=False)]
    output = lossy(*leaves)
    names = Names(output, Tape(output).nodes)
    assert remedy(output, names.of) == better(*map(names.of, leaves)).plain


def test_remedies_of_slopes_are_equal_on_their_side() -> None:
    for entry, sides in SLOPES.items():
        for sign, side in zip((1, -1), sides, strict=True):
            x = Precise(CONTEXT.mpf(sign * 0.7))
            assert abs(entry(x).number - side(x).number) < CONTEXT.mpf("1e-50")


def test_squares_and_orders_of_terms_are_seen_through() -> None:
    a, b = Value(0.8, "a"), Value(0.3, "b")
    for node in ((b**2 + a * a).sqrt(), (a.exp() + 1.0).log(), a * a - b**2, 1.0 - a.tanh() ** 2):
        assert remedy(node, Names(node, Tape(node).nodes).of)
    other = 2.0 - a.cos()
    assert not remedy(other, Names(other, Tape(other).nodes).of)
