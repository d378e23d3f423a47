"""The command `gpt`: it learns, says so, and makes up names."""

import re

import pytest

from nn.__main__ import main
from nn.gpt_command import NAMES, run_gpt


def test_it_learns_to_spell(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["gpt", "--steps", "600", "--samples", "6"]) == 0
    captured = capsys.readouterr()
    assert captured.err == ""
    assert captured.out.startswith("600 steps in ")
    losses = re.findall(r"loss ([\d.]+) at first, ([\d.]+) as the mean", captured.out)
    first, last = map(float, losses[0])
    assert first == pytest.approx(3.296, abs=0.1)  # log 27, of a guess
    assert last < 2.6
    names = captured.out.split("\n\n")[1].split()
    assert len(names) <= 6  # one may be empty
    for name in names:
        assert re.fullmatch(r"[a-z]{1,16}\*?", name)
        assert name.endswith("*") == (name.rstrip("*") in NAMES)


def test_a_seed_gives_the_same_names_and_another_one_others(capsys: pytest.CaptureFixture[str]) -> None:
    told = []
    for seed in ("1", "1", "2"):
        run_gpt(["--steps", "20", "--samples", "8", "--seed", seed])
        told.append(capsys.readouterr().out.partition("\n")[2])  # without the time
    assert told[0] == told[1] != told[2]


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


def test_wrong_usage_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end:
        main(["gpt", "--steps", "0"])
    assert end.value.code == 2
    assert "give an integer of at least 1" in capsys.readouterr().err
