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


def mathml(latex: str, display: str = "inline") -> str:
    """A formula as MathML.

    The converter knows neither `aligned` nor the space between its rows, and takes a digit or an underscore in the
    name of a function for a symbol of its own.
    """
    latex = re.sub(r"\\\\\[\w+\]", r"\\\\", latex).replace("{aligned}", "{split}")
    latex = re.sub(r"\\operatorname\{(.*?)\}", lambda name: r"\text{" + name[1].replace(r"\_", "_") + "}", latex)
    return str(convert(latex, display=display))


def _inline(translator: Any, node: nodes.Element) -> None:
    translator.body.append(mathml(node.astext()))
    raise nodes.SkipNode


def _block(translator: Any, node: nodes.Element) -> None:
    translator.body.append(f'<div class="formula">{mathml(node.astext(), "block")}</div>\n')
    raise nodes.SkipNode
