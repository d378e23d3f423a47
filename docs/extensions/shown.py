"""The directive `shown`: what an expression gives after the examples above it on the page.

    ```{shown} draw(y)
    ```

A drawing becomes a picture, an explanation a formula, and a live page a file beside the site: a link to it, and a frame
that holds it with the option `frame`. All of them are made when the site is built, by the library itself.
"""

from __future__ import annotations

import contextlib
import doctest
import io
import re
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any

from docutils import nodes
from docutils.parsers.rst import directives
from docutils.statemachine import StringList
from sections import ROOT, section
from sphinx.util.docutils import SphinxDirective

from autograd import Drawing, Explanation, LivePage
from autograd.views.live_page.page import embedding_script

if TYPE_CHECKING:
    from sphinx.application import Sphinx

SECTION = re.compile(r"^```\{section\} (\S+) (.+)$", re.MULTILINE)


def setup(app: Sphinx) -> dict[str, Any]:
    """Register the directive."""
    app.add_directive("shown", Shown)
    app.connect("doctree-read", _without_last_line)
    return {"parallel_read_safe": False, "parallel_write_safe": True}


def _without_last_line(app: Sphinx, document: nodes.document) -> None:
    """Leave out the empty line at the end of an example, which ends its output for doctest."""
    for block in document.findall(nodes.literal_block):
        block[:] = [nodes.Text(block.astext().rstrip())]
        block.rawsource = block.astext()


class Shown(SphinxDirective):
    """An expression, shown in the way of its kind."""

    required_arguments = 1
    final_argument_whitespace = True
    option_spec = {"alt": directives.unchanged, "file": directives.unchanged, "frame": directives.flag}  # noqa: RUF012  # as docutils has it

    def run(self) -> list[nodes.Node]:
        """The nodes that show it."""
        lines = Path(self.env.doc2path(self.env.docname)).read_text(encoding="utf-8").splitlines()
        text = SECTION.sub(_included, "\n".join(lines[: self.lineno - 1]) + "\n")
        result = eval(self.arguments[0], names_after(text))
        if isinstance(result, Drawing):
            html = result._repr_html_()
            if 'alt="computation graph"' in html and "alt" in self.options:
                html = html.replace('alt="computation graph"', f'alt="{escape(self.options["alt"])}"')
            return [nodes.raw("", f'<div class="drawing">{html}</div>', format="html")]
        if isinstance(result, Explanation):
            parent = nodes.Element()
            self.state.nested_parse(StringList(result._repr_markdown_().split("\n"), ""), 0, parent)
            return parent.children
        if isinstance(result, LivePage):
            return self._live_page(result)
        raise self.error(f"there is no way to show a {type(result).__name__}")

    def _live_page(self, page: LivePage) -> list[nodes.Node]:
        name = f"{self.options.get('file', 'page')}.html"
        folder = Path(self.env.app.outdir) / "pages"
        folder.mkdir(parents=True, exist_ok=True)
        page.save(folder / name)
        address = "../" * self.env.docname.count("/") + f"pages/{name}"
        title = escape(page.title)
        html = f'<p><a class="live-page" href="{address}">{title}</a></p>'
        if "frame" in self.options:
            rights = 'sandbox="allow-scripts allow-downloads"'
            html += f'<iframe class="live-page" title="{title}" src="{address}" {rights}></iframe>'
            html += f"<script>{embedding_script()}</script>"
        return [nodes.raw("", html, format="html")]


def _included(match: re.Match[str]) -> str:
    """The section of a file that stands in a page by a directive."""
    return "\n".join(section((ROOT / match[1]).read_text(encoding="utf-8"), match[2]) or [])


def names_after(text: str) -> dict[str, Any]:
    """The names that are defined after the examples of a text have run."""
    names: dict[str, Any] = {}
    with contextlib.redirect_stdout(io.StringIO()):
        for example in doctest.DocTestParser().get_examples(text):
            with contextlib.nullcontext() if example.exc_msg is None else contextlib.suppress(Exception):
                exec(compile(example.source, "<example>", "single"), names)
    return names
