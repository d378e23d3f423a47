"""Graphs as HTML files that step, explain, train and can be edited, in any browser.

>>> from autograd import Value
>>> a, b = Value(2.0, label="a"), Value(-3.0, label="b")
>>> page = live_page(a * b + a, title="A small graph")
>>> page.html.startswith("<!doctype html>")
True

The file needs no server, no network and no Python. Its style and its scripts are the files beside this one, put into
it; the primitives that its graph applies are written in JavaScript by `rules`.
"""

from __future__ import annotations

import base64
import hashlib
import html
import json
import math
import os
import re
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from autograd.floats import as_float
from autograd.saving import save
from autograd.tape import Tape
from autograd.value import Value
from autograd.views.diagnosis import LARGE, SENTENCES, SMALL
from autograd.views.live_page.content import GraphContent, NeuronNodes
from autograd.views.live_page.rules import rules_script

FOLDER = Path(__file__).parent
SCRIPTS = (  # each after those that it imports from
    *("notation", "program", "training", "steps", "derivation", "diagnosis"),
    *("placement", "picture", "curve", "line", "tables", "copy", "sheet", "controls", "address", "page"),
)
STYLES = ("page", "controls", "picture", "line", "columns", "print")  # a rule may override those of the files before it
FOR_IMAGES = "image"  # a script and a style that only pages of networks which read an image hold
SHORTER_SCRIPT = {  # how a script without spaces is also written, where each statement has its semicolon or is a block
    r"\bconst\b": "let",
    r"\bundefined\b": "void 0",
    r"(?<![\w$])\((\w+)\)=>": r"\1=>",
    r",\)": ")",
    r"(?<![\w.])(\d+)\.0(?!\d)": r"\1",
    r";?\}\n?": "}",
}
SHORTER_MARKUP = {r"\n\s*": "", r'="([\w-]+)"(?=[ >])': r"=\1"}  # no line ends within a text
SHORTER_STYLE = {r"(?<=[ :,(])0(?=\.)| (?=/)|(?<=/) ": ""}
FRAME_HEIGHT = 900  # of a page in a notebook, in pixels


class LivePage:
    """A page. `save` writes it, `html` is its text, and a notebook shows it in a frame of its own.

    Attributes:
        title: the heading.
        html: the whole file.
    """

    def __init__(self, graphs: Sequence[GraphContent], title: str, settings: Mapping[str, Any]) -> None:
        self.title = title.encode(errors="replace").decode()  # a lone surrogate cannot be written
        forms = dict.fromkeys(form for graph in graphs for form in graph.forms)
        causes = {p.name: [p.when_flat, p.when_steep] for p, _ in forms if p.when_flat or p.when_steep}
        sentences = {kind: text for kind, text in SENTENCES.items() if kind != "fine"}  # which a page does not say
        diagnosis = {"small": SMALL, "large": LARGE, "sentences": sentences, "causes": causes}
        content = [graph.to_dict() for graph in graphs]
        data = {"title": self.title, **settings, "diagnosis": diagnosis, "graphs": content}
        self.html = _assembled(self.title, rules_script(forms), data)

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write the page to a file.

        Args:
            path: the file; it should end in `.html`.

        Returns:
            The path written.

        Raises:
            OSError: if the file cannot be written. Nothing half written is left.
        """
        return save(path, self.html.encode())

    def _repr_html_(self) -> str:
        """Return the page in a frame without rights, for a notebook."""
        return (
            f'<iframe title="{html.escape(self.title)}" sandbox="allow-scripts" loading="lazy" '
            f'style="width: 100%; height: {FRAME_HEIGHT}px; border: 0" srcdoc="{html.escape(self.html)}"></iframe>'
        )

    def __repr__(self) -> str:
        return f"<LivePage {self.title!r} of {len(self.html):,} characters; .save('page.html') writes it>"


def live_page(
    output: Value,
    cases: Iterable[Mapping[Value | str, float]] | None = None,
    title: str | None = None,
    *,
    learning: Iterable[Value] | None = None,
    learning_rate: float | None = None,
    pick: bool = False,
    predictions: Iterable[tuple[Value, Value]] = (),
    layers: Sequence[Sequence[NeuronNodes]] = (),
) -> LivePage:
    """Make a page of a graph that can be stepped through, explained, edited and trained in a browser.

    It offers a training where there is something to learn: `learning` or `learning_rate` is given, the graph has
    parameters, there are cases, the label of a leaf begins with "target", or that of the output is "E", alone or with
    an index, or speaks of an error, a loss or a cost. The flight of a ball, a graph of variables alone, is not trained.

    Args:
        output: the node that the graph leads to; a training makes it smaller.
        cases: rows of numbers for leaves of the graph, such as the inputs and the target: for each row a number by leaf
            or by label, the same leaves in all rows. A training then takes the mean of the output over all rows.
        title: the heading; by default it names the output.
        learning: the leaves that a training changes; by default the parameters, or, where there are none, all variables
            but targets and those that the cases give numbers for.
        learning_rate: the size of a step of the training, which can be changed on the page; by default 0.1.
        pick: whether a round of the training takes one case, picked at random, instead of all.
        predictions: pairs of an output of a network and its target, which the table of cases compares.
        layers: the neurons of each layer, to draw the graph as a network.

    Returns:
        The page.

    Raises:
        TypeError: if `output` is no Value, a number of a case is no number, or the graph holds a primitive that is not
            in the table, whose function only Python knows; the message names it.
        ValueError: if a case names no leaf of the graph, rows differ in the leaves that they name, a number is not
            finite, or the learning rate is not greater than 0.
    """
    rate = 0.1 if learning_rate is None else as_float(learning_rate)
    if not 0.0 < rate < math.inf:
        raise ValueError(f"the learning rate of a page must be a number greater than 0, such as 0.1; got {rate}")
    rows = [dict(case) for case in cases or ()]
    keys = list(rows[0]) if rows else []
    graph = GraphContent(output, learning, _columns(output, keys), layers, predictions)
    graph.can_train |= learning_rate is not None
    numbers = [_numbers(row, keys, index) for index, row in enumerate(rows)]
    name = graph.graph.names.of(output).plain
    return LivePage([graph], title or f"{name}, step by step", {"learningRate": rate, "cases": numbers, "pick": pick})


def _columns(output: Value, keys: Sequence[Value | str]) -> list[Value]:
    """Return the leaves that the keys of the cases name."""
    leaves = [node for node in Tape(output).nodes if node.primitive is None] if keys else []
    found: list[Value] = []
    for key in keys:
        matching = [leaf for leaf in leaves if leaf is key or (isinstance(key, str) and leaf.label == key)]
        if len(matching) != 1 or matching[0] in found:
            raise ValueError(
                f"a case gives a number for {key!r:.80}, which names {len(matching)} leaves of this graph; name each "
                f"leaf once, by itself or by its label"
            )
        found += matching
    return found


def _numbers(row: Mapping[Value | str, float], keys: Sequence[Value | str], index: int) -> list[float]:
    if row.keys() != set(keys):
        raise ValueError(f"case {index} gives numbers for {list(row)!r:.80}, the first one for other leaves")
    numbers = [as_float(row[key]) for key in keys]
    for key, number in zip(keys, numbers, strict=True):
        if not math.isfinite(number):
            raise ValueError(f"case {index} gives {number} for {key!r:.80}; a page takes finite numbers")
    return numbers


@cache
def _read(name: str) -> str:
    return (FOLDER / name).read_text(encoding="utf-8")


def _assembled(title: str, rules: str, data: Mapping[str, Any]) -> str:
    """Return the markup with the style and the script inline, each allowed by its hash and nothing else."""
    from rcssmin import cssmin
    from rjsmin import jsmin

    added = [FOR_IMAGES] if data.get("image") else []
    modules = "\n".join([rules, *(_read(f"{name}.js") for name in (*SCRIPTS[:-1], *added, SCRIPTS[-1]))])
    joined = re.sub("^export |^import .*\n", "", modules, flags=re.MULTILINE)  # one script has no modules
    script = jsmin('"use strict";\n' + joined, keep_bang_comments=True)
    markup = _shorter(_read("page.html"), SHORTER_MARKUP)
    style = cssmin("\n".join(_read(f"{name}.css") for name in (*STYLES, *added)))
    script, style = _shorter(script, SHORTER_SCRIPT), _shorter(style, SHORTER_STYLE)
    sources = f"script-src '{_hash(script)}'; style-src '{_hash(style)}'"
    policy = f"default-src 'none'; {sources}; base-uri 'none'; form-action 'none'"
    text = json.dumps(data, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    for letter in "<>&":  # which HTML would read as markup, here or in the text of an attribute
        text = text.replace(letter, f"\\u{ord(letter):04x}")
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{html.escape(title)}</title>\n<style>{style}</style>\n</head>\n"
        f'<body class="page">\n{markup}'
        f'<script type="application/json" id="data">{text}</script>\n<script>{script}</script>\n'
        "</body>\n</html>\n"
    )


def _shorter(text: str, forms: Mapping[str, str]) -> str:
    for long, short in forms.items():
        text = re.sub(long, short, text)
    return text


def _hash(text: str) -> str:
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}"
