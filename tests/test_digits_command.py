"""The command `digits`, with few rounds, and with files in MNIST's format that are made here."""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path

import pytest

from nn import MLP, load_network
from nn.examples.command_line import main
from nn.examples.command_options import program
from nn.examples.digits import CANDIDATES, SETTINGS_OF_MNIST
from nn.training.steps import Training
from tests.test_command_line import check_refused, run
from tests.test_mnist_files import small_files, write

PICTURES = ["confusion.png", "error.png", "misread.png", "weights.png"]


def test_the_small_digits(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("nn.examples.digits.CANDIDATES", CANDIDATES[:1])
    monkeypatch.setattr("nn.examples.digits.SIZES", (4, 10))
    told = run(["digits", "--out", str(tmp_path / "out"), "--seeds", "2", "--rounds", "1"], capsys)
    rows = re.findall(r"^(\d|all) .*?([\d.]+)% +([\d.]+)%$", told, re.MULTILINE)
    assert [row[0] for row in rows] == ["1", "2", "3", "4", "5", "all"]
    sizes = [360, 360, 359, 359, 359]
    for column in (1, 2):  # the last row is the mean of the others
        rights = [float(row[column]) / 100 for row in rows]
        mean = sum(size * right for size, right in zip(sizes, rights, strict=False)) / 1797
        assert rights[-1] == pytest.approx(mean, abs=1e-4)
    average = re.search(r"on average over parts and seeds: ([\d.]+)%", told)
    assert average is not None
    assert float(average[1]) == pytest.approx((float(rows[-1][1]) + float(rows[-1][2])) / 2, abs=0.006)
    matrix = re.findall(r"^ +(\d)((?: +(?:\d+|·)){10})$", told, re.MULTILINE)
    counts = [[int(word) if word != "·" else 0 for word in words.split()] for _, words in matrix]
    assert [sum(row) for row in counts] == [178, 182, 177, 183, 181, 182, 181, 179, 174, 180]
    misread = 1797 - sum(row[digit] for digit, row in enumerate(counts))
    assert f"with seed 1: {misread} of 1,797 misread" in told
    assert 1.0 - misread / 1797 == pytest.approx(float(rows[-1][1]) / 100, abs=1e-4)
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == sorted([*PICTURES, "network.json"])
    assert "loaded again, and gives\nthe same numbers for 360 images" in told
    load_network(MLP(64, [4, 10], "tanh"), tmp_path / "out" / "network.json")
    assert max(map(len, told.replace(str(tmp_path), "").splitlines())) <= 80


@pytest.fixture(autouse=True)
def small_pictures(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pictures of a few digits, since matplotlib takes its time over each."""
    monkeypatch.setattr("nn.examples.digit_pictures.MOST_SHOWN", 8)


@pytest.fixture
def mnist(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of small files in MNIST's format, for a small network in place of 784-300-10."""
    monkeypatch.setattr("nn.examples.digits.SIZES_OF_MNIST", (10, 10))
    settings = SETTINGS_OF_MNIST._replace(batch_size=40, learning_rate=0.2)
    monkeypatch.setattr("nn.examples.digits.SETTINGS_OF_MNIST", settings)
    folder = tmp_path / "mnist"
    folder.mkdir()
    return write(folder, small_files(training=200, test=50))


@pytest.mark.engine_independent
def test_mnist_is_learned_with_each_seed(mnist: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "out"
    told = run(["digits", "--mnist", str(mnist), "--seeds", "2", "--rounds", "30", "--out", str(out)], capsys)
    assert "200 images to train with, 50 to test with" in told
    found = re.findall(r"seed (\d): ([\d.]+)% right after 30 rounds", told)
    assert [seed for seed, _ in found] == ["1", "2"]
    assert all(float(right) > 90.0 for _, right in found)  # a bright row at a height that tells the digit
    average = sum(float(right) for _, right in found) / 2
    assert f"right on average over seeds: {average:.2f}%" in told
    assert sorted(path.name for path in out.iterdir()) == [
        *PICTURES[:3],
        "mnist_seed_1.json",
        "mnist_seed_2.json",
        PICTURES[3],
    ]
    assert "loaded again, and gives\nthe same numbers for 50 images" in told


@pytest.mark.engine_independent
def test_a_training_that_was_stopped_goes_on_to_the_last_bit(
    mnist: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    arguments = ["digits", "--mnist", str(mnist), "--seeds", "1", "--rounds", "4", "--out"]
    monkeypatch.setattr("nn.examples.digits_command._draw", lambda *arguments: None)  # the pictures are drawn above
    run([*arguments, str(tmp_path / "whole")], capsys)
    steps, step = 0, Training.step

    def interrupted(self: Training) -> None:
        nonlocal steps
        steps += 1
        if steps == 14:  # of five in each round
            raise KeyboardInterrupt
        step(self)

    with monkeypatch.context() as patch:
        patch.setattr(Training, "step", interrupted)
        assert main([*arguments, str(tmp_path / "broken")]) == 130
    said = capsys.readouterr().err
    assert "stopped with seed 1 after 2 rounds and 3 batches of the next" in said
    words = said.splitlines()[-1].strip().removeprefix(f"{program()} ").split()
    assert words == [*arguments, str(tmp_path / "broken"), "--resume"]
    run(words, capsys)
    whole, broken = (tmp_path / name / "mnist_seed_1.json" for name in ("whole", "broken"))
    assert whole.read_bytes() == broken.read_bytes()


@pytest.mark.skipif("STEPGRAD_MNIST" not in os.environ, reason="STEPGRAD_MNIST names no folder with MNIST's files")
def test_98_of_100_images_of_mnist_are_read_right(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """This takes about a minute."""
    told = run(["digits", "--mnist", os.environ["STEPGRAD_MNIST"], "--seeds", "1", "--out", str(tmp_path)], capsys)
    assert "60,000 images to train with, 10,000 to test with" in told
    found = re.search(r"seed 1: ([\d.]+)% right", told)
    assert found is not None
    assert float(found[1]) >= 98.0


def test_a_file_of_another_training_is_refused(mnist: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["digits", "--mnist", str(mnist), "--seeds", "1", "--rounds", "1", "--out", str(tmp_path)]
    (tmp_path / "mnist_seed_1.json").write_text("{")
    with pytest.raises(SystemExit):
        main([*arguments, "--resume"])
    assert "mnist_seed_1.json: it is damaged" in capsys.readouterr().err
    assert (tmp_path / "mnist_seed_1.json").read_text() == "{"


def test_without_scikit_learn_the_extra_is_named(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "sklearn.datasets", None)
    check_refused(["digits"], "pip install 'stepgrad[digits]'", capsys)


def test_without_matplotlib_all_but_the_pictures_is_there(
    mnist: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    arguments = ["digits", "--mnist", str(mnist), "--seeds", "1", "--rounds", "1", "--out", str(tmp_path / "out")]
    assert main(arguments) == 0
    captured = capsys.readouterr()
    assert captured.err.count("\n") == 1
    assert "pip install 'stepgrad[plot]'" in captured.err
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["mnist_seed_1.json"]
