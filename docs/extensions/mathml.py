"""Formulas as MathML, which browsers show without a script, a font or a network."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from docutils import nodes
from latex2mathml.converter import convert

if TYPE_CHECKING:
    from sphinx.application import Sphinx


def setup(app: Sphinx) -> dict[str, Any]:
    """Register the renderer, which `html_math_renderer` names."""
    app.add_html_math_renderer("mathml", inline_renderers=(_inline, None), block_renderers=(_block, None))
    return {"parallel_read_safe": True, "parallel_write_safe": True}


def _inline(translator: Any, node: nodes.Element) -> None:
    translator.body.append(convert(node.astext()))
    raise nodes.SkipNode


def _block(translator: Any, node: nodes.Element) -> None:
    translator.body.append(translator.starttag(node, "div", CLASS="formula"))
    latex = re.sub(r"\\\\\[\w+\]", r"\\\\", node.astext())  # it knows neither the space between rows nor `aligned`
    translator.body.append(convert(latex.replace("{aligned}", "{split}"), display="block"))
    translator.body.append("</div>\n")
    raise nodes.SkipNode
