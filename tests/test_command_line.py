"""The command line, as a user types it."""

import contextlib
import fcntl
import json
import math
import os
import pty
import re
import struct
import subprocess
import sys
import termios
from pathlib import Path
from typing import Any

import pytest

import autograd
from nn import article_page, digit_page, logic_gates_page, worked_example_page
from nn.examples import worked_example
from nn.examples.command_line import main
from nn.examples.command_options import program


def run(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> str:
    assert main(arguments) == 0
    captured = capsys.readouterr()
    assert captured.err == ""
    return captured.out


def check_refused(arguments: list[str], remedy: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end:
        main(arguments)
    captured = capsys.readouterr()
    assert (end.value.code, captured.out, captured.err.count("\n")) == (2, "", 1)
    assert captured.err.startswith("stepgrad: ")
    assert remedy in captured.err


@pytest.mark.engine_independent
def test_the_worked_example_with_every_published_figure(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    story = run(["--out", str(tmp_path)], capsys)
    for figure in (
        "0.3775", "0.593269992107", "0.751365069552", "0.29837110876", "0.0821670405642", "0.000438567734474",
        "0.138498561629", "0.358916479718", "0.149780716133",
    ):  # fmt: skip
        assert figure in story
    line = next(line for line in story.splitlines() if line.startswith("10,000: E_total"))
    assert line.split()[-2:] == ["0.0000351018778298", "0.0000350847862963"]
    line = next(line for line in story.splitlines() if line.startswith("10,000: out_o1"))
    assert line.split()[-2:] == ["0.0159136204436", "0.015912196326"]
    assert re.search(r"^E_total, round 10,000 +0\.0000350847862963 +0\.000035085 +✓$", story, re.MULTILINE)
    headings = [
        "The network", "The forward pass", "The total error", "The backward pass, an output weight: w5",
        "The other output weights", "The backward pass, a hidden weight: w1", "The other hidden weights",
        "One round", "After one round", "Every figure that the article prints", "Where to go on",
    ]  # fmt: skip
    places = [story.index(heading) for heading in headings]
    assert places == sorted(places)
    assert max(len(line) for line in story.splitlines() if str(tmp_path) not in line) <= 80
    assert sorted(path.name for path in tmp_path.iterdir()) == ["graph.svg", "network.svg"]
    assert all(str(path) in story for path in tmp_path.iterdir())
    assert ">0.082167<" in (tmp_path / "graph.svg").read_text()


def test_one_order_alone(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    story = run(["--out", str(tmp_path), "--update", "sequential", "--rounds", "1"], capsys)
    line = next(line for line in story.splitlines() if line.startswith("1: E_total"))
    assert line.split()[-1] == "0.291027923905"
    line = next(line for line in story.splitlines() if line.startswith("E_total, round 1 "))
    assert line.split()[-3:] == ["0.291027923905", "0.291027924", "✓"]


def test_json_holds_the_same_figures(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    figures = json.loads(run(["--json", "--out", str(tmp_path), "--rounds", "20", "--biases", "shared"], capsys))
    assert figures["forward"]["E_total"] == pytest.approx(0.29837110876, rel=1e-9)
    assert figures["training"]["simultaneous"]["1"]["E_total"] == pytest.approx(0.285750886699, rel=1e-9)
    assert set(figures["training"]) == {"simultaneous", "sequential"}
    assert figures["learning"] == ["b1", "w1", "w2", "w3", "w4", "b2", "w5", "w6", "w7", "w8"]
    assert Path(figures["pictures"]["graph"]).exists()


@pytest.mark.engine_independent
@pytest.mark.parametrize("gate", ["xor", "or", "nand", "and"])
def test_gates_are_learned(gate: str, capsys: pytest.CaptureFixture[str]) -> None:
    table = run([gate], capsys)
    rows = re.findall(r"^([01]) +([01]) +([01]) +([\d.]+)$", table, re.MULTILINE)
    functions = {
        "xor": lambda a, b: a ^ b,
        "or": lambda a, b: a | b,
        "nand": lambda a, b: 1 - (a & b),
        "and": lambda a, b: a & b,
    }
    assert [(int(a), int(b)) for a, b, *_ in rows] == [(0, 0), (0, 1), (1, 0), (1, 1)]
    for a, b, target, prediction in rows:
        assert int(target) == functions[gate](int(a), int(b))
        assert abs(float(prediction) - int(target)) < 0.2


def test_a_gate_is_trained_from_a_seed_and_saved(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "xor.json"
    arguments = ["xor", "--rounds", "50", "--seed", "3"]
    assert run(arguments, capsys) == run(arguments, capsys) != run([*arguments[:-1], "4"], capsys)
    assert f"saved: {path}" in run([*arguments, "--save", str(path)], capsys)
    assert json.loads(path.read_text())["format"] == "stepgrad network"


@pytest.mark.engine_independent
@pytest.mark.parametrize(
    ("arguments", "remedy"),
    [
        (["--rounds", "-5"], "give an integer of at least 0"),
        (["--rounds", "many"], "give an integer of at least 0"),
        (["--learning-rate", "fast"], "give a number greater than 0"),
        (["--learning-rate", "nan"], "give a number greater than 0"),
        (["--learning-rate", "-1"], "give a number greater than 0"),
        (["--update", "both"], "choose from"),
        (["--biases", "none"], "choose from"),
        (["--colour"], "--help"),
        (["xorr"], "there is no example 'xorr'; did you mean 'xor'? ("),
        (["Digit", "--rounds", "1"], "did you mean 'digits'?"),
        (["boolean"], "choose from xor, or, nand, and, page, digits, gpt, list ("),
        (["xor", "--biases", "shared"], "--help"),
        (["xor", "--seed", "one"], "invalid int value"),
        (["--out", "/dev/null/pictures"], "name another directory with --out"),
        (["--out", "/proc/pictures"], "name another directory with --out"),
        (["xor", "--save", "/nowhere/at/all.json"], "name another file"),
        (["page", "--out", "/dev/null/pages"], "name another directory with --out"),
        (["page", "--out", "/proc/pages"], "name another directory with --out"),
        (["page", "--out"], "expected one argument"),
        (["page", "--rounds", "5"], "--help"),
        (["page", "xor"], "--help"),
        (["pages"], "did you mean 'page'?"),
        (["list", "digits"], "--help"),
        (["digits", "--resume"], "leave it out"),
        (["digits", "--seeds", "0"], "give an integer of at least 1"),
        (["digits", "--mnist", "/nowhere"], "there is no train-images-idx3-ubyte"),
        (["digits", "--out", "/dev/null/digits"], "name another directory with --out"),
        (["digits", "--rounds", "0"], "give an integer of at least 1"),
        (["digits", "--colour"], "--help"),
        (["gpt", "--steps", "0"], "give an integer of at least 1"),
        (["gpt", "--seed", "-5"], "give an integer of at least 0"),
    ],
)
def test_wrong_usage_is_one_line_and_code_2(
    arguments: list[str], remedy: str, capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: Any
) -> None:
    monkeypatch.chdir(tmp_path)
    check_refused(arguments, remedy, capsys)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.engine_independent
def test_the_pages_are_written_and_their_addresses_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "pages").mkdir()
    (tmp_path / "pages" / "digits.html").write_text("of the last time")  # it is written over
    pages = {
        "article": article_page(),
        "worked_example": worked_example_page(),
        "logic_gates": logic_gates_page(),
        "digits": digit_page(),
    }
    for arguments, folder in ((["page"], tmp_path / "pages"), (["page", "--out", "a b/ü"], tmp_path / "a b" / "ü")):
        told = run(arguments, capsys)
        assert sorted(path.name for path in folder.iterdir()) == [f"{name}.html" for name in sorted(pages)]
        for name, page in pages.items():
            path = folder / f"{name}.html"
            assert path.read_text(encoding="utf-8") == page.html
            assert path.as_uri() in told
        assert "browser" in told
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a b", "pages"]


def test_without_scikit_learn_the_other_pages_are_written(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("nn.examples.command_line.find_spec", lambda name: None)
    told = run(["page", "--out", str(tmp_path)], capsys)
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "article.html",
        "logic_gates.html",
        "worked_example.html",
    ]
    assert "A page of digits needs scikit-learn" in told
    assert "pip install 'stepgrad[digits]'" in told


def test_a_page_that_cannot_be_written(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "article.html").mkdir()  # a folder of the page's name
    check_refused(["page", "--out", str(tmp_path)], "--out", capsys)
    assert [path.name for path in tmp_path.iterdir()] == ["article.html"]


def test_the_list_names_commands_that_there_are(capsys: pytest.CaptureFixture[str]) -> None:
    lines = run(["list"], capsys).splitlines()
    assert max(len(line) for line in lines if not line.startswith(program())) <= 80
    assert all(line.startswith("  ") for line in lines[1::2])
    commands = [line.removeprefix(program()).split() for line in lines[::2]]
    assert commands == [[], ["xor"], ["digits"], ["digits", "--mnist", "FOLDER"], ["gpt"], ["page"]]
    for words in commands:
        with pytest.raises(SystemExit) as end:
            main([*words[:1], "--help"])
        assert end.value.code == 0
        said = capsys.readouterr().out
        assert said.startswith(" ".join([f"usage: {program()}", *words[:1]]))
        assert all(word in said for word in words[1:])


def test_divergence_is_one_line_and_code_1(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(worked_example.INPUTS, "i1", math.inf)
    monkeypatch.setitem(worked_example.INPUTS, "i2", -math.inf)
    assert main(["--out", str(tmp_path / "pictures")]) == 1
    captured = capsys.readouterr()
    assert (captured.out, captured.err.count("\n")) == ("", 1)
    assert "diverged at round 1" in captured.err
    assert list(tmp_path.iterdir()) == []


def test_without_a_renderer_the_source_is_saved(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("autograd.views.rendering.renderers", lambda: iter(()))
    assert main(["--out", str(tmp_path), "--rounds", "1"]) == 0
    captured = capsys.readouterr()
    assert str(tmp_path / "graph.dot") in captured.out
    assert "pip install graphviz-pure" in captured.err


@pytest.mark.engine_independent
def test_as_a_process(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "nn", "--rounds", "1"]
    for encoding, line in (
        ("utf-8", "  w7 = 0.5  − 0.5 ·  −0.0226025404775   = 0.511301270239"),
        ("cp1252", "  w7 = 0.5  - 0.5 ·  -0.0226025404775   = 0.511301270239"),
        ("ascii", "  w7 = 0.5  - 0.5 *  -0.0226025404775   = 0.511301270239"),
    ):
        environment = {**os.environ, "PYTHONIOENCODING": encoding}
        result = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, check=True)
        assert line in result.stdout.decode(encoding).splitlines()
    assert (tmp_path / "worked_example" / "network.svg").exists()
    first_letter = f"{sys.executable} -m nn --json | head -c 1"
    piped = subprocess.run(first_letter, shell=True, cwd=tmp_path, capture_output=True, text=True, check=True)
    assert (piped.stdout, piped.stderr) == ("{", "")


@pytest.mark.engine_independent
@pytest.mark.skipif(not Path("/dev/full").is_char_device(), reason="there is no /dev/full here")
@pytest.mark.parametrize("words", ["", "list", "xor --rounds 1", "gpt --steps 1", "--help"])
def test_an_output_that_takes_nothing_is_one_line_and_code_2(words: str, tmp_path: Path) -> None:
    command = f"{sys.executable} -m nn {words}"
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"}
    for redirection, said in (
        (">/dev/full", "cannot read or write the standard output: No space left on device"),
        (">&-", "the standard output is closed; redirect it to a file, or to /dev/null"),
    ):
        result = subprocess.run(
            f"{command} {redirection}", shell=True, cwd=tmp_path, env=environment, capture_output=True, text=True,
            check=False,
        )  # fmt: skip
        assert (result.returncode, result.stdout, result.stderr) == (2, "", f"stepgrad: {said}\n")


@pytest.mark.engine_independent
def test_without_a_standard_error_there_is_no_progress(tmp_path: Path) -> None:
    command = f"{sys.executable} -m nn xor --rounds 1 2>&-"
    result = subprocess.run(command, shell=True, cwd=tmp_path, stdout=subprocess.PIPE, text=True, check=True)
    assert result.stdout.startswith("xor after 1 rounds")


def test_a_file_that_cannot_be_written_is_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(path: Path, content: bytes) -> None:
        raise OSError(28, "No space left on device", str(path))

    monkeypatch.setattr("nn.checkpoints.save", full)
    path = tmp_path / "xor.json"
    assert main(["xor", "--rounds", "1", "--save", str(path)]) == 2
    assert capsys.readouterr().err == f"stepgrad: cannot read or write {path}: No space left on device\n"


def test_a_terminal_shows_progress() -> None:
    ours, theirs = pty.openpty()
    fcntl.ioctl(ours, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
    command = [sys.executable, "-m", "nn", "xor", "--rounds", "500"]
    result = subprocess.run(command, stderr=theirs, stdout=subprocess.PIPE, text=True, check=True)
    os.close(theirs)
    shown = b""
    with contextlib.suppress(OSError):  # the other end is closed: all is read
        while chunk := os.read(ours, 100_000):
            shown += chunk
    os.close(ours)
    assert b"500/500" in shown
    assert result.stdout.startswith("xor after 500 rounds")


def test_the_command_calls_itself_by_what_runs_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "a b" / "stepgrad"
    path.parent.mkdir()
    path.touch(mode=0o755)
    python = Path(sys.executable)
    for argument, folder, search, said in (
        (path, tmp_path, path.parent, "stepgrad"),
        (path, tmp_path, tmp_path, '"a b/stepgrad"'),
        ("stepgrad", path.parent, tmp_path, "stepgrad"),
        (path, path.parent, tmp_path, "stepgrad"),
        ("/usr/lib/nn/__main__.py", tmp_path, python.parent, f"{python.stem} -m nn"),
        ("/usr/lib/nn/__main__.py", tmp_path, tmp_path, f"{python} -m nn"),
        ("/usr/lib/nn/__main__.py", python.parent.parent, tmp_path, f"{python.parent.name}/{python.name} -m nn"),
    ):
        monkeypatch.setattr(sys, "argv", [str(argument)])
        monkeypatch.setenv("PATH", str(search))
        monkeypatch.chdir(folder)
        for words, hint in (
            (["--rounds", "x"], f"'{said} --help'"),
            (["xor", "--rounds", "x"], f"'{said} xor --help'"),
        ):
            with pytest.raises(SystemExit):
                main(words)
            assert hint in capsys.readouterr().err
        with pytest.raises(SystemExit) as end:
            main(["--version"])
        assert end.value.code == 0
        assert capsys.readouterr().out == f"stepgrad {autograd.__version__}, {autograd.engine} engine\n"
