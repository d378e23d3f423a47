"""The command `gpt`: it learns, says so, and makes up names."""

import re

import pytest

from nn.examples.command_line import main
from nn.examples.gpt_command import NAMES
from tests.test_command_line import run


def told(capsys: pytest.CaptureFixture[str], seed: int) -> str:
    text = run(["gpt", "--steps", "120", "--samples", "6", "--seed", str(seed)], capsys)
    assert text.startswith("120 steps in ")
    return text.partition("\n")[2]  # without the time


@pytest.mark.engine_independent
def test_it_learns_to_spell_and_is_the_same_with_the_same_seed(capsys: pytest.CaptureFixture[str]) -> None:
    text = told(capsys, 1)
    losses = re.findall(r"loss ([\d.]+) at first, ([\d.]+) as the mean of the last 100", text)
    first, last = map(float, losses[0])
    assert first == pytest.approx(3.296, abs=0.1)  # log 27, of a guess
    assert last < 3.0
    names = text.split("\n\n")[1].split()
    assert 0 < len(names) <= 6  # one may be empty
    for name in names:
        assert re.fullmatch(r"[a-z]{1,16}\*?", name)
        assert name.endswith("*") == (name.rstrip("*") in NAMES)
    assert told(capsys, 1) == text != told(capsys, 2)


def test_the_names_can_be_spelled_by_the_model() -> None:
    assert len(NAMES) == len(set(NAMES)) > 250
    assert all(re.fullmatch("[a-z]{2,15}", name) for name in NAMES)


def test_an_interrupt_ends_it(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """`repeat` returns the steps that were done; they are not taken for all."""

    class Interrupted:
        def repeat(self, times: int, *state: object, each: object) -> tuple[object, ...]:
            import numpy

            return (*state, numpy.zeros(times - 1))

    monkeypatch.setattr("autograd.compile", lambda function: Interrupted())
    assert main(["gpt", "--steps", "20"]) == 130
    assert "stopped" in capsys.readouterr().err
