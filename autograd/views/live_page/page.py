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
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any, get_args

from autograd.floats import as_float
from autograd.notation import Names
from autograd.primitives import Primitive
from autograd.saving import save
from autograd.tape import Tape
from autograd.value import Value
from autograd.views.appearance import Theme
from autograd.views.diagnosis import LARGE, SENTENCES, SMALL
from autograd.views.live_page.content import GraphContent
from autograd.views.live_page.neurons import NeuronNodes
from autograd.views.live_page.rules import forms_script, rules_script
from autograd.views.live_page.story import Item, story_content
from autograd.views.rounding import MOST, check_rounding

FOLDER = Path(__file__).parent
SCRIPTS = (  # each after those that it imports from
    *("notation", "program", "training", "steps", "derivation", "diagnosis"),
    *("placement", "picture", "curve", "line", "tables", "copy", "sheet", "controls", "address", "page"),
)
GRAPHS = "graph_placement"  # a script for graphs that are no networks
STYLES = ("page", "controls", "picture", "line", "columns", "print")  # a rule may override those of the files before it
ADDED: Mapping[tuple[str, ...], Callable[[Mapping[str, Any]], Any]] = {  # scripts and styles that some pages hold
    ("cases",): lambda data: data.get("cases") or data.get("gates"),
    ("map_cells", "map_neurons", "map_controls", "map"): lambda data: "plane" in data["graphs"][0],
    ("image", "sketch", "strides"): lambda data: data.get("image"),
    ("weights",): lambda data: "file" in data["graphs"][0],
    ("rounding",): lambda data: data.get("rounding"),
    ("story", "story_rows"): lambda data: data.get("story"),
    (GRAPHS,): lambda data: any("network" not in graph for graph in data["graphs"]),
}
COMPACT = "compact"  # a script and a style of the compact form
FRAME = "frame"  # a script for a page that a frame may hold
FOR_WIDGETS = ("theme", "widget")
ORDERS = ("simultaneous", "sequential")  # of update
FEW_RIGHT = 8  # digits; numbers with fewer that are right are marked where that is asked for
HEIGHT, COMPACT_HEIGHT = 900, 540  # of a page in a notebook, in pixels, until it says how high it is


class LivePage:
    """A page for a browser, which a notebook shows in a frame.

    Attributes:
        title: the heading.
        html: the text of the file.
    """

    def __init__(
        self,
        graphs: Sequence[GraphContent],
        title: str,
        settings: Mapping[str, Any],
        *,
        compact: bool = False,
        theme: Theme | None = None,
    ) -> None:
        if theme not in (*get_args(Theme), None):
            raise ValueError(f"the theme of a page must be 'light', 'dark' or None, got {theme!r:.80}")
        self.title = title.encode(errors="replace").decode()  # a lone surrogate cannot be written
        if settings.get("story"):
            find = graphs[0].graph.names.find
            story = story_content(settings["story"], find, {*ORDERS, *settings.get("biases", ())})
            settings = {**settings, "story": story}
        self.compact = compact
        forms = dict.fromkeys(form for graph in graphs for form in graph.forms)
        data = page_data(graphs, self.title, settings)
        self.html = _assembled(self.title, rules_script(forms), data, compact, theme)

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

    def frame(self, instead: str = "") -> str:
        """Return HTML that shows the page in a frame which may run scripts and save files and nothing else.

        A script beside the frame gives it the height of its page, and the page the theme of the document.

        Args:
            instead: HTML that is shown where frames are stripped.
        """
        height = COMPACT_HEIGHT if self.compact else HEIGHT
        return (
            f'<iframe title="{html.escape(self.title)}" sandbox="allow-scripts allow-downloads" loading="lazy" '
            f'style="width: 100%; height: {height}px; border: 0" srcdoc="{html.escape(self.html)}">{instead}</iframe>'
            f"<script>{embedding_script()}</script>"
        )

    def _repr_html_(self) -> str:
        return self.frame()

    def __repr__(self) -> str:
        return f"<LivePage {self.title!r} of {len(self.html):,} characters; .save('page.html') writes it>"


def live_page(
    output: Value,
    cases: Iterable[Mapping[Value | str, float]] | None = None,
    title: str | None = None,
    *,
    learning: Iterable[Value | str] | None = None,
    learning_rate: float | None = None,
    pick: bool = False,
    predictions: Iterable[tuple[Value | str, Value | str]] = (),
    layers: Sequence[Sequence[NeuronNodes]] = (),
    story: Iterable[Item] = (),
    file: Mapping[str, Any] | None = None,
    rounding: bool = False,
    compact: bool = False,
    theme: Theme | None = None,
) -> LivePage:
    """Make a page of a graph that can be stepped through, explained, edited and trained in a browser.

    The page offers a training if there is something to learn: `learning` or `learning_rate` is given, the graph has
    parameters, there are cases, the label of a leaf begins with "target", or the label of the output is "E", alone or
    with an index, or contains the word error, loss or cost. A graph of variables alone is not trained otherwise.

    Args:
        output: the node that the graph computes; a training makes it smaller.
        cases: rows of numbers for leaves of the graph, such as the inputs and the target. A row is a dict from leaves,
            or their labels, to numbers, with the same leaves in all rows. A training then makes the mean of the output
            over all rows smaller.
        title: the heading; by default it names the output.
        learning: the leaves that a training changes, or their labels; by default the parameters, or, if there are none,
            all variables except targets and the leaves in `cases`.
        learning_rate: the size of a step of the training, which can be changed on the page; by default 0.1.
        pick: whether a round of the training takes one case at random, instead of all.
        predictions: pairs of an output of a network and its target, or of their labels, which the table of cases
            compares.
        layers: the neurons of each layer, to draw the graph as a network; by default they are found in the graph. If
            there are two inputs and cases, the page maps the outputs over the plane of these inputs.
        story: a text beside the picture, whose paragraphs set the step: pairs (step, text), and questions (step,
            question, answer), as `autograd.views.live_page.story` describes them.
        file: what the button *Save weights* writes as JSON, in which nodes of the graph are replaced by their current
            numbers; without it there is no such button.
        rounding: whether numbers and gradients with fewer than 8 right digits are marked, as `check_rounding` counts
            them, and its sentence stands below the graph. The marks go when a number of the graph is changed.
        compact: whether the page is for a column of text of 600 pixels or more: it shows the graph, the line of a step
            and *Next*, and the rest unfolds below.
        theme: "light", "dark", or None for the theme of the reader's system, or of the notebook around the page.

    Returns:
        The page.

    Raises:
        TypeError: if `output` is not a Value, a case has something else than a number, `file` cannot be written as
            JSON, or the graph has a primitive of your own, which the message names.
        ValueError: if a case names something else than a leaf of the graph, or a leaf twice, a label names no node or
            several, rows name different leaves, a number is not finite, the learning rate is not greater than 0, the
            theme is unknown, or the story names something that the graph does not have.
        RuntimeError: if `rounding` is asked for and a leaf was assigned another number after the forward pass.
        ModuleNotFoundError: if `rounding` is asked for and mpmath is not installed.
    """
    rate = 0.1 if learning_rate is None else as_float(learning_rate)
    if not 0.0 < rate < math.inf:
        raise ValueError(f"the learning rate of a page must be a number greater than 0, such as 0.1; got {rate}")
    rows = [dict(case) for case in cases or ()]
    keys = list(rows[0]) if rows else []
    find = Names(output, Tape(output).nodes).find
    inputs = list(map(find, keys))
    if len(set(inputs)) < len(inputs):
        raise ValueError(f"a case gives two numbers for one leaf: {keys!r:.80}; name each leaf once")
    pairs = [(find(out), find(target)) for out, target in predictions]
    leaves = None if learning is None else map(find, learning)
    graph = GraphContent(output, leaves, inputs, layers, pairs, file)
    graph.can_train |= learning_rate is not None
    numbers = [_numbers(row, keys, index) for index, row in enumerate(rows)]
    name = graph.graph.names.of(output).plain
    settings: dict[str, Any] = {"learningRate": rate, "cases": numbers, "pick": pick}
    told = list(story)
    if told:
        settings["story"] = told
    if rounding:
        settings["rounding"] = _rounding(graph)
    return LivePage([graph], title or f"{name}, step by step", settings, compact=compact, theme=theme)


def page_data(graphs: Sequence[GraphContent], title: str, settings: Mapping[str, Any]) -> dict[str, Any]:
    """Return what the scripts of a page are handed, as numbers, strings, lists and dicts."""
    primitives = dict.fromkeys(primitive for graph in graphs for primitive, _ in graph.forms)
    causes = {p.name: [p.when_flat, p.when_steep, p.lists] for p in primitives if p.when_flat or p.when_steep}
    sentences = {kind: text for kind, text in SENTENCES.items() if kind != "fine"}  # which a page does not say
    diagnosis = {"small": SMALL, "large": LARGE, "sentences": sentences, "causes": causes}
    return {"title": title, **settings, "diagnosis": diagnosis, "graphs": [graph.to_dict() for graph in graphs]}


def _rounding(content: GraphContent) -> dict[str, Any]:
    """Return the right digits of numbers and gradients that have few, by slot, and the sentence of the report."""
    report = check_rounding(content.output)
    found: dict[int, list[int]] = {}
    for node, slot in content.graph.slots.items():
        counts = [numbers[node].digits if node in numbers else MOST for numbers in (report.values, report.gradients)]
        if min(counts) < FEW_RIGHT:
            found[slot] = [count if count < FEW_RIGHT else -1 for count in counts]
    key = f" Wavy lines: fewer than {FEW_RIGHT} right digits." if found else ""
    return {"digits": found, "text": report.sentence + key}


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


@cache
def _script(*names: str) -> str:
    """Return scripts as one, rewritten shorter; the notices of licenses stay."""
    from minify_html import minify

    joined = _joined("\n".join(_read(f"{name}.js") for name in names))
    return minify(f"<script>{joined}</script>", minify_js=True)[len("<script>") : -len("</script>")]


def _joined(modules: str) -> str:
    """Return modules as one script, which has none, without comments and spaces."""
    from rjsmin import jsmin

    script = re.sub("^export (?!default)|^import .*\n", "", modules, flags=re.MULTILINE)
    joined: str = jsmin(script, keep_bang_comments=True)
    return joined


@cache
def _style(*names: str) -> str:
    from minify_html import minify

    rules = "\n".join(_read(f"{name}.css") for name in names if (FOLDER / f"{name}.css").exists())
    return minify(f"<style>{rules}</style>", minify_css=True)[len("<style>") : -len("</style>")]


@cache
def _markup() -> str:
    from minify_html import minify

    return minify(_read("page.html"), keep_closing_tags=True)


def embedding_script() -> str:
    """Return the script beside a frame: it gives the frame the height of its page, and the page its theme."""
    return _script("theme", "embedding")


def widget_script(forms: Iterable[tuple[Primitive, int]]) -> str:
    """Return a page of some forms as a module for anywidget. It computes nothing: the numbers come from the kernel."""
    return f"{_joined(forms_script(forms))}\n{_widget_script()}"


@cache
def _widget_script() -> str:
    # No size and no letter of the notebook reaches the page: neither what is inherited nor what a rem is there.
    style = "\n.page{all:initial;display:block}" + _style(*STYLES, COMPACT).replace(":host", ".page")
    style = re.sub(r"([\d.]+)rem", lambda match: f"{16 * float(match[1]):g}px", style)
    constants = f"const MARKUP={json.dumps(_markup())};const STYLE={json.dumps(style)};"
    return f"{constants}\n{_script(*SCRIPTS, GRAPHS, COMPACT, *FOR_WIDGETS)}"


def _assembled(title: str, rules: str, data: Mapping[str, Any], compact: bool, theme: Theme | None) -> str:
    """Return the markup with the style and the script inline, each allowed by its hash and nothing else."""
    added = [name for names, has_use in ADDED.items() if has_use(data) for name in names]
    forms = [COMPACT] if compact else []
    start = f'new {"Compact" * compact}Page(document, JSON.parse(document.getElementById("data").textContent));'
    scripts = _script(*SCRIPTS[:-1], *added, SCRIPTS[-1], *forms, FRAME)
    script = f'"use strict";{_joined(rules)}\n{scripts}\n{start}'
    style = _style(*STYLES, *added, *forms)
    sources = f"script-src '{_hash(script)}'; style-src '{_hash(style)}'"
    policy = f"default-src 'none'; {sources}; base-uri 'none'; form-action 'none'"
    text = json.dumps(data, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    for letter in "<>&":  # which HTML would read as markup, here or in the text of an attribute
        text = text.replace(letter, f"\\u{ord(letter):04x}")
    chosen = f' data-theme="{theme}"' if theme else ""
    return (
        f'<!doctype html>\n<html lang="en"{chosen}>\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{html.escape(title)}</title>\n<style>{style}</style>\n</head>\n"
        f'<body class="page{" compact" * compact}">\n{_markup()}'
        f'<script type="application/json" id="data">{text}</script>\n<script>{script}</script>\n'
        "</body>\n</html>\n"
    )


def _hash(text: str) -> str:
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}"
