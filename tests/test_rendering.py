"""The Graphviz programs: which are used, in which order, and which of their answers count."""

import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from autograd.views import rendering
from autograd.views.rendering import render, renderers

SMALL = "digraph { a -> b; a -> c }"
RENDERERS = list(renderers())
Install = Callable[[str], str]


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Install:
    """Makes a shell script the one renderer of this machine."""

    def program(script: str) -> str:
        path = tmp_path / "dot"
        path.write_text(f"#!/bin/sh\n{script}\n")
        path.chmod(0o755)
        monkeypatch.setattr(rendering, "renderers", lambda: iter([str(path)]))
        return str(path)

    return program


@pytest.mark.parametrize("program", RENDERERS)
def test_each_renderer_knows_each_format(program: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rendering, "renderers", lambda: iter([program]))
    svg = render(SMALL, "svg")
    assert svg.rstrip().endswith(b"</svg>")
    assert svg.count(b'class="node"') == 3
    assert render(SMALL, "png").startswith(b"\x89PNG\r\n\x1a\n")
    wider = render(SMALL, "png", dpi=192)
    assert int.from_bytes(wider[16:20], "big") > int.from_bytes(render(SMALL, "png")[16:20], "big")
    lines = [line.split() for line in render(SMALL, "plain").decode().splitlines()]
    assert sorted(words[1] for words in lines if words[0] == "node") == ["a", "b", "c"]
    assert sorted(words[1:3] for words in lines if words[0] == "edge") == [["a", "b"], ["a", "c"]]
    assert lines[0][0] == "graph"
    assert lines[-1] == ["stop"]


@pytest.mark.skipif(shutil.which("dot") is None, reason="Graphviz itself, which writes PDF, is not installed")
def test_a_pdf() -> None:
    pdf = render(SMALL, "pdf")
    assert pdf.startswith(b"%PDF-")
    assert pdf.rstrip().endswith(b"%%EOF")


def test_without_graphviz_itself_there_is_no_pdf(monkeypatch: pytest.MonkeyPatch) -> None:
    pure = [program for program in RENDERERS if Path(program).name == "graphviz-pure"]
    for programs in (pure, []):
        monkeypatch.setattr(rendering, "renderers", lambda programs=programs: iter(programs))
        with pytest.raises(RuntimeError, match=r"a PDF needs Graphviz itself.*install Graphviz, .* as \.svg or \.png"):
            render(SMALL, "pdf")


def test_the_program_that_the_environment_names_comes_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "own-dot"
    path.write_text("#!/bin/sh\necho '<svg>mine</svg>'\n")
    path.chmod(0o755)
    monkeypatch.setenv(rendering.RENDERER_VARIABLE, str(path))
    assert list(renderers()) == [str(path), *RENDERERS]
    assert render(SMALL, "svg") == b"<svg>mine</svg>\n"
    monkeypatch.setenv(rendering.RENDERER_VARIABLE, str(tmp_path / "missing"))
    assert list(renderers()) == RENDERERS
    monkeypatch.delenv(rendering.RENDERER_VARIABLE)
    assert any(Path(program).name == "graphviz-pure" for program in renderers())  # which pip brings


@pytest.mark.parametrize(("answer", "file_format"), [("<svg></svg>", "svg"), ("graph 1 0 0\nstop", "plain")])
def test_what_counts_is_the_picture_not_the_exit_status(install: Install, answer: str, file_format: str) -> None:
    install(f"cat >/dev/null; echo '{answer}'; echo a warning >&2; exit 1")
    assert render(SMALL, file_format) == answer.encode() + b"\n"


@pytest.mark.parametrize(
    ("script", "complaint"),
    [
        ("cat >/dev/null; echo '<svg><g>'", "it drew nothing"),
        ("cat >/dev/null; echo '<svg><g>'; echo out of memory >&2", "out of memory"),
        ("exit 0", "it drew nothing"),
        ("cat >/dev/null; echo 'graph 1 1 1'; kill -9 $$", "it drew nothing"),
        ("cat >/dev/null; printf 'x%.0s' $(seq 2000) >&2", "x" * 500),
    ],
    ids=["half a picture", "with a reason", "silent", "killed", "talkative"],
)
def test_a_program_that_does_not_finish_its_picture_is_named(install: Install, script: str, complaint: str) -> None:
    path = install(script)
    with pytest.raises(RuntimeError, match="no Graphviz program could draw this graph") as error:
        render(SMALL, "plain")
    assert str(error.value).endswith(f"{path}: {complaint}")


def test_a_broken_program_is_passed_over(install: Install, monkeypatch: pytest.MonkeyPatch) -> None:
    broken = install("echo out of order >&2; exit 1")
    no_program = broken.replace("dot", "missing")
    monkeypatch.setattr(rendering, "renderers", lambda: iter([broken, no_program, *RENDERERS]))
    assert b'class="node"' in render(SMALL, "svg")
    monkeypatch.setattr(rendering, "renderers", lambda: iter([broken, no_program]))
    with pytest.raises(RuntimeError, match=f"{re.escape(broken)}: out of order; {re.escape(no_program)}: "):
        render(SMALL, "svg")


def test_without_a_program_the_message_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rendering, "renderers", lambda: iter(()))
    with pytest.raises(RuntimeError, match=r"pip install graphviz-pure.*STEPGRAD_DOT"):
        render(SMALL, "svg")


def test_a_program_is_given_so_much_time(install: Install) -> None:
    path = install("exec sleep 30")
    with pytest.raises(TimeoutError, match=rf"{re.escape(path)} did not lay the graph out within 0\.2 seconds"):
        render(SMALL, "svg", timeout=0.2)
