"""What the commands share; how it is used stands in test_command_line."""

from argparse import ArgumentTypeError
from collections.abc import Callable
from pathlib import Path

import pytest

from nn.examples.command_options import Parser, integer, positive_number


@pytest.mark.parametrize(
    ("kind", "good", "bad", "said"),
    [
        (integer(0), {"0": 0, "12": 12}, ["-1", "1.5", "x", ""], "integer of at least 0"),
        (integer(1), {"1": 1, "12": 12}, ["0", "-1", "x"], "integer of at least 1"),
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
    parser = Parser("program")
    for folder in (tmp_path, tmp_path / "a" / "b"):
        parser.check_out(folder, "files")
    for folder in (file, file / "a"):
        with pytest.raises(SystemExit) as end:
            parser.check_out(folder, "files")
        assert end.value.code == 2
        said = f"cannot write files into {str(folder)!r}: {str(file)!r} is not a directory; name another directory"
        assert capsys.readouterr().err.startswith(f"stepgrad: {said}")
