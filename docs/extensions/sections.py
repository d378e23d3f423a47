"""The directive `section`: a section of a file in the root of the repository, as part of a page.

    ```{section} CONTRIBUTING.md Design
    ```

The heading itself is left out. A link to a file that has a page here leads to that page; of other links to files of the
repository the text remains.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from docutils import nodes
from docutils.statemachine import StringList
from sphinx.util.docutils import SphinxDirective

if TYPE_CHECKING:
    from sphinx.application import Sphinx

ROOT = Path(__file__).parents[2]
PAGES = {
    "docs/": "/",
    "notebooks/": "/tutorial/notebooks/",
    "BENCHMARKS.md": "/explanation/measurements.md",
    "CHANGELOG.md": "/explanation/changes.md",
    "CONTRIBUTING.md": "/how_to/contribute.md",
    "README.md": "/index.md",
}
LINK = re.compile(r"(?<!!)\[([^]]+)\]\(([^)\s]+)\)")
FENCE = re.compile(r"\s*(```|~~~)")


def setup(app: Sphinx) -> dict[str, Any]:
    """Register the directive."""
    app.add_directive("section", Section)
    return {"parallel_read_safe": True, "parallel_write_safe": True}


class Section(SphinxDirective):
    """A section of a file: its path, and its heading."""

    required_arguments = 2
    final_argument_whitespace = True

    def run(self) -> list[nodes.Node]:
        """The nodes of the section."""
        name, heading = self.arguments
        path = ROOT / name
        self.env.note_dependency(str(path))
        lines = section(path.read_text(encoding="utf-8"), heading)
        if lines is None:
            raise self.error(f"{name} has no section {heading!r}")
        parent = nodes.Element()
        self.state.nested_parse(StringList(linked("\n".join(lines)).split("\n"), str(path)), 0, parent, True)
        return parent.children


def section(text: str, heading: str) -> list[str] | None:
    """The lines of a section without its heading, up to the next one of its level; None if there is none."""
    found: list[str] = []
    level, in_code = 0, False
    for line in text.splitlines():
        in_code ^= bool(FENCE.match(line))
        marks, _, title = ("", "", "") if in_code else line.partition(" ")
        if level and marks and set(marks) == {"#"} and len(marks) <= level:
            break
        if level:
            found.append(line)
        elif marks and set(marks) == {"#"} and title == heading:
            level = len(marks)
    return found if level else None


def linked(text: str) -> str:
    """The text with its links to files of the repository turned to pages here, or left out."""

    def replaced(match: re.Match[str]) -> str:
        words, target = match[1], match[2]
        if "://" in target or target.startswith("#"):
            return match[0]
        for start, page in PAGES.items():
            if target.startswith(start) and target.endswith((".md", ".ipynb")):
                return f"[{words}]({page if start == target else page + target.removeprefix(start)})"
        if not (ROOT / target).exists():
            raise FileNotFoundError(f"a link to {target}, which does not exist")
        return words

    return LINK.sub(replaced, text)
