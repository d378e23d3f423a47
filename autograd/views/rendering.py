"""The Graphviz programs of this machine, which lay out and render graphs in the DOT language."""

from __future__ import annotations

import os
from collections.abc import Iterator

SECONDS = 60.0  # that a renderer is given; dot 2.43 lays out some 3,000 nodes in 2 s, and past that slows down
RENDERER_VARIABLE = "STEPGRAD_DOT"  # names a Graphviz program to use before all others


def render(source: str, file_format: str, timeout: float = SECONDS, dpi: float | None = None) -> bytes:
    """Lay a graph in the DOT language out as "svg", "png", "pdf", or "plain" (coordinates as text).

    Args:
        source: the graph.
        file_format: one of these.
        timeout: how many seconds a program is given.
        dpi: the dots of an inch of a bitmap; 96 when not given.

    Raises:
        RuntimeError: if no Graphviz renderer is found, or none can draw this.
        TimeoutError: if the graph is too large to be laid out in that time.
    """
    import subprocess

    options = [f"-T{file_format}", *([] if dpi is None else [f"-Gdpi={dpi:g}"])]
    complaints = []
    for program in renderers():
        try:
            result = subprocess.run(
                [program, *options], input=source.encode(), capture_output=True, timeout=timeout, check=False
            )
        except subprocess.TimeoutExpired:
            raise TimeoutError(
                f"{program} did not lay the graph out within {timeout:g} seconds: draw a smaller part of it, give a "
                f"longer timeout, or save the .dot and lay it out elsewhere"
            ) from None
        except OSError as error:
            complaints.append(f"{program}: {error}")
            continue
        # Either program may exit 1 and have drawn the picture, or exit 0 with a warning: what counts is the picture.
        picture = result.stdout
        if b"</svg>" in picture[-20:] or picture.startswith((b"\x89PNG", b"%PDF")) or picture.endswith(b"stop\n"):
            return picture
        complaints.append(f"{program}: {result.stderr.decode(errors='replace').strip()[:500] or 'it drew nothing'}")
    if file_format == "pdf":
        found = "; ".join(complaints) or "no Graphviz program was found"
        raise RuntimeError(
            f"a PDF needs Graphviz itself, since graphviz-pure writes none: install Graphviz, name its program in the "
            f"environment variable {RENDERER_VARIABLE}, or save the picture as .svg or .png. {found}"
        )
    if complaints:
        raise RuntimeError("no Graphviz program could draw this graph. " + "; ".join(complaints))
    raise RuntimeError(
        f"no Graphviz program was found: run 'pip install graphviz-pure', install Graphviz, or name a program in the "
        f"environment variable {RENDERER_VARIABLE}"
    )


def renderers() -> Iterator[str]:
    """Yield the Graphviz programs of this machine: the one in the environment, the system's, the one pip brings."""
    import shutil
    import sysconfig
    from pathlib import Path

    named = os.environ.get(RENDERER_VARIABLE)
    beside_python = str(Path(sysconfig.get_path("scripts")) / "graphviz-pure")
    for program in (named, "dot", "graphviz-pure", beside_python):
        found = program and shutil.which(program)
        if found:
            yield found
