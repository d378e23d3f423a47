"""The digits, the networks that read them, and that nothing is chosen by what they are tested with."""

from __future__ import annotations

import random
import sys
from typing import Any

import numpy as np
import pytest

import autograd
import nn.examples.digits
from nn import MLP, SGD, accuracy, fit, softmax_cross_entropy
from nn.examples.digits import (
    CANDIDATES,
    SIZES,
    LabelledImages,
    confusion,
    cross_validate,
    digit_network,
    finished,
    read_digits,
    scores,
    surest_mistakes,
    train,
)
from nn.history import History


@pytest.fixture(scope="module")
def images() -> LabelledImages:
    return read_digits()


def test_the_digits_are_those_of_scikit_learn(images: LabelledImages) -> None:
    assert images.pixels.shape == (1797, 64)
    assert np.bincount(images.labels).tolist() == [178, 182, 177, 183, 181, 182, 181, 179, 174, 180]
    assert images.pixels[0, :8].tolist() == [0, 0, 5 / 16, 13 / 16, 9 / 16, 1 / 16, 0, 0]  # a 0, in its documentation
    assert images.labels[:3].tolist() == [0, 1, 2]
    inputs, target = images.cases()[5]
    assert (inputs.tolist(), target) == (images.pixels[5].tolist(), 5)
    assert len(digit_network(images, SIZES, "tanh", 1).parameters()) == 64 * 32 + 32 + 32 * 10 + 10


@pytest.mark.skipif(autograd.engine == "plain", reason="NumPy takes 20 s for what the compiled engine does in 3")
def test_97_of_100_digits_are_read_right(images: LabelledImages) -> None:
    rights = []
    for part in cross_validate(images, CANDIDATES[:1], [1], lambda: None):
        held_out = images.part(part.places)
        rights += (part.scores[0].argmax(axis=1) == held_out.labels).tolist()
        (history,) = part.histories
        assert history.rounds == 40
        assert history.errors[-1] < 0.02 < 1.0 < history.errors[0]
    assert len(rights) == 1797
    assert sum(rights) >= 0.97 * 1797


def test_settings_are_chosen_without_the_part_that_is_tested_with(
    images: LabelledImages, monkeypatch: pytest.MonkeyPatch
) -> None:
    numbered = LabelledImages(np.arange(1797.0).reshape(-1, 1), images.labels)
    looked_at: list[set[float]] = []
    errors = iter([0.5, 0.25, 0.75, 0.6, 0.8, 0.9, 0.1, 0.2, 0.3, 0.3, 0.3, 0.3, 0.4, 0.3, 0.2, 0.1])

    def noted(network: Any, training: LabelledImages, settings: Any, seed: int, **others: Any) -> History:
        validation = others.get("validation")
        pixels = [*training.pixels.ravel(), *([] if validation is None else validation.pixels.ravel())]
        assert len(pixels) == len(set(pixels)) in (1437, 1438)  # nothing is both trained and validated with
        looked_at.append(set(pixels))
        return History(40, validation_errors=[0.0, next(errors)] if validation is not None else [])

    monkeypatch.setattr(nn.examples.digits, "train", noted)
    parts = []
    for part in cross_validate(numbered, CANDIDATES, [1, 2], lambda: None):
        places = {float(place) for place in part.places}
        assert len(looked_at) == 4 + 2
        assert not places.intersection(*looked_at)
        assert not places & set().union(*looked_at)
        assert np.bincount(images.labels[part.places]).min() >= 34
        looked_at.clear()
        parts.append(part)
        if len(parts) == 4:
            break
    assert [part.settings for part in parts] == [CANDIDATES[1], CANDIDATES[2], CANDIDATES[0], CANDIDATES[3]]
    assert len(set().union(*(part.places.tolist() for part in parts))) == sum(len(part.places) for part in parts)


def test_scores_are_the_outputs_of_the_network(images: LabelledImages) -> None:
    some = images.part(np.arange(0, 1797, 60))
    network = digit_network(some, [5, 10], "tanh", 3)
    train(network, some, CANDIDATES[0]._replace(rounds=5), 3)
    rows = scores(network, some)
    for row, inputs in zip(rows, some.pixels, strict=True):
        assert row == pytest.approx([output.data for output in network(inputs)], rel=1e-12, abs=1e-14)
    right = (rows.argmax(axis=1) == some.labels).mean()
    assert right == accuracy(network, some.cases(), softmax_cross_entropy)


def test_a_training_is_the_same_at_each_run_and_its_rate_goes_to_0(images: LabelledImages) -> None:
    some = images.part(np.arange(100))
    networks = [digit_network(some, [4, 10], "relu", 1) for _ in range(2)]
    histories = [train(network, some, CANDIDATES[0]._replace(rounds=4), 1) for network in networks]
    assert networks[0].state_dict() == networks[1].state_dict()
    assert histories[0].learning_rates == pytest.approx([0.01, 0.0075, 0.005, 0.0025])
    assert MLP(64, [4, 10], "relu", generator=random.Random(2)).state_dict() != networks[0].state_dict()


def test_an_interrupted_training_does_not_pass_for_a_finished_one() -> None:
    assert finished(History(3)).rounds == 3
    with pytest.raises(KeyboardInterrupt):
        finished(History(3, interrupted=True))


def test_mistakes_and_confusion() -> None:
    rows = np.zeros((4, 10))
    rows[0, 3], rows[1, 7], rows[2, 1], rows[3, 3] = 2.0, 5.0, 1.0, 9.0
    labels = np.array([4, 0, 1, 4])
    assert surest_mistakes(rows, labels) == [3, 1, 0]
    counts = confusion(rows, labels)
    expected = np.zeros((10, 10), int)
    expected[4, 3], expected[0, 7], expected[1, 1] = 2, 1, 1
    assert counts.tolist() == expected.tolist()


def test_without_scikit_learn_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "sklearn.datasets", None)
    with pytest.raises(ImportError, match=r"come with scikit-learn, .* pip install 'stepgrad\[digits\]'"):
        read_digits()


@pytest.mark.skipif(autograd.engine == "plain", reason="NumPy rounds exp in its own way")
def test_a_compiled_training_has_the_bits_of_an_eager_one(images: LabelledImages) -> None:
    """Which adds the gradients of a batch one image after another, the last one first."""
    cases = images.part(np.arange(96)).cases()
    made = []
    for compiled in (False, True):
        network = digit_network(images, SIZES, "relu", 1)
        optimizer = SGD(network.parameters(), 0.1)
        fit(
            network, cases, loss=softmax_cross_entropy, optimizer=optimizer, rounds=2, batch_size=32,
            shuffle=random.Random(1), compiled=compiled,
        )  # fmt: skip
        made.append(network.state_dict())
    assert made[0] == made[1]
