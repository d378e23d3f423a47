"""What Dropouts multiply by, as numbers that a program takes."""

import random
from typing import Any

import pytest

from nn import MLP, Dropout, Module
from nn.training.masks import Masks
from tests.test_dropout import Dropping


def test_masks_are_those_that_the_network_would_draw_case_after_case() -> None:
    """With a generator for each Dropout and with one for both; the last case stands first."""
    for generator in (None, random.Random(3)):
        network, other = Dropping(generator=generator), Dropping(generator=random.Random())
        other.first.generator.setstate(network.first.generator.getstate())
        if generator is None:
            other.second.generator = random.Random()
            other.second.generator.setstate(network.second.generator.getstate())
        (found,) = Masks(network, [1.0, 2.0]).drawn(4)
        expected = [[*other.first.factors(2), *other.second.factors(6)] for _ in range(4)]
        assert found.tolist() == expected[::-1]


def test_the_network_is_as_before() -> None:
    network = Dropping()
    states = network.first.generator.getstate(), network.second.generator.getstate()
    masks = Masks(network, [1.0, 2.0])
    assert [row.tolist() for row in masks.neutral] == [[1.0] * 8]
    with masks.given([2.0] * 8) as calls:
        assert network.first([1.0, 2.0]) == [2.0, 4.0]
        assert network.training
    assert calls == [(network.first, 2)]
    with pytest.raises(KeyboardInterrupt), masks.given([]):
        raise KeyboardInterrupt
    assert not network.training
    assert "factors" not in vars(network.first)
    assert (network.first.generator.getstate(), network.second.generator.getstate()) == states


def test_a_network_without_dropouts_is_not_called() -> None:
    class Silent(Module):
        def __call__(self, inputs: Any) -> Any:
            raise AssertionError

    for network in (Silent(), MLP(2, [1])):
        masks = Masks(network, [1.0, 2.0])
        assert (masks.drawn(3), masks.neutral) == ((), ())


def test_a_dropout_may_be_called_twice() -> None:
    class Twice(Module):
        def __init__(self) -> None:
            self.dropout = Dropout(0.5, random.Random(1))

        def __call__(self, inputs: Any) -> Any:
            return self.dropout(self.dropout(inputs))

    assert [rows.shape for rows in Masks(Twice(), [1.0, 2.0, 3.0]).drawn(2)] == [(2, 6)]
