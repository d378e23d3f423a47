"""What the commands share; how it is used stands in test_main."""

from argparse import ArgumentTypeError
from collections.abc import Callable
from pathlib import Path

import pytest

from nn.examples.command_options import Parser, count, obstacle_to, positive_number, whole_number


@pytest.mark.parametrize(
    ("kind", "good", "bad", "said"),
    [
        (whole_number, {"0": 0, "12": 12}, ["-1", "1.5", "x", ""], "integer of at least 0"),
        (count, {"1": 1, "12": 12}, ["0", "-1", "x"], "integer of at least 1"),
        (positive_number, {"0.5": 0.5, "1e-3": 0.001}, ["0", "nan", "inf", "-1", "x"], "a number greater than 0"),
    ],
)
def test_numbers(kind: Callable[[str], float], good: dict[str, float], bad: list[str], said: str) -> None:
    assert {text: kind(text) for text in good} == good
    for text in bad:
        with pytest.raises(ArgumentTypeError, match=f"'{text}' is not .*{said}"):
            kind(text)


def test_folders(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "file"
    file.touch()
    assert obstacle_to(tmp_path) is obstacle_to(tmp_path / "a" / "b") is None
    assert obstacle_to(file) == obstacle_to(file / "a") == f"{str(file)!r} is not a directory"
    Parser(prog="program").check_out(tmp_path / "new", "files")
    with pytest.raises(SystemExit) as end:
        Parser(prog="program").check_out(file, "files")
    assert end.value.code == 2
    assert capsys.readouterr().err.startswith(f"stepgrad: cannot write files into {str(file)!r}: ")
