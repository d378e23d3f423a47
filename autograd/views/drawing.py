"""Pictures of graphs: the nodes with their numbers and gradients, and what depends on what.

>>> from autograd import Value
>>> a, b = Value(2.0, label="a"), Value(-3.0, label="b")
>>> error = a * b + b**2
>>> error.backward()
>>> picture = draw(error, slopes=True)
>>> picture.to_svg().startswith("<?xml")
True

`picture.save("error.svg")` writes it (or `.png`, or the `.dot` text), and a notebook shows it. The forward pass runs
from left to right. A box is a parameter, an ellipse an input, a bare number a constant, a rounded box an operation,
and a double border marks the result. The thicker an edge, the larger the gradient that flows back along it.
"""

from __future__ import annotations

import math
import os
from collections import defaultdict
from collections.abc import Mapping, Sequence
from itertools import takewhile
from typing import TYPE_CHECKING

from autograd.notation import Names, cleaned, number
from autograd.saving import save
from autograd.tape import Tape
from autograd.value import Parameter, Value, is_constant
from autograd.views.rendering import SECONDS, render

if TYPE_CHECKING:
    from pathlib import Path

    import graphviz

    from autograd.views.stepping import Step

DISPLAYED_NODES = 500  # a larger graph is not drawn unasked: its layout would take too long
DISPLAY_SECONDS = 10.0  # that a picture in a notebook may take
HIGHLIGHT = "#c00000"
WRITTEN_OPERANDS = 6  # an operation on more shows its symbol, not its formula


class Drawing:
    """A graph drawing; `source` is its text in Graphviz's DOT language."""

    def __init__(self, source: str) -> None:
        self.source = source

    def to_svg(self, timeout: float = SECONDS) -> str:
        """Return the picture as SVG text.

        Args:
            timeout: how many seconds the renderer is given.

        Raises:
            RuntimeError: if no Graphviz renderer is found, or none can draw this.
            TimeoutError: if the picture is too large to be laid out in that time.
        """
        return render(self.source, "svg", timeout).decode("utf-8")

    def save(self, path: str | os.PathLike[str], timeout: float = SECONDS) -> Path:
        """Write the picture to a file, in the format that its ending names.

        Args:
            path: ends in `.svg`, `.png` or `.dot` (the source itself, which needs no renderer).
            timeout: how many seconds the renderer is given.

        Returns:
            The path written.

        Raises:
            ValueError: for another ending.
            OSError: if the file cannot be written. Nothing half written is left.
            RuntimeError, TimeoutError: as `to_svg`.
        """
        ending = os.fspath(path)[-4:].lower()
        if ending == ".dot":
            return save(path, self.source.encode())
        if ending in (".svg", ".png"):
            return save(path, render(self.source, ending[1:], timeout))
        raise ValueError(f"cannot save a drawing as {os.fspath(path)!r}: name a file that ends in .svg, .png or .dot")

    def _repr_html_(self) -> str:
        """Return an image for a notebook. As data within `<img>` it shows in an untrusted notebook, too."""
        try:
            import base64

            encoded = base64.b64encode(self.to_svg(DISPLAY_SECONDS).encode()).decode()
        except Exception as error:  # an exception in a display would fail the whole notebook
            return _not_drawn(repr(self), str(error))
        image = f'<img alt="computation graph" src="data:image/svg+xml;base64,{encoded}" style="max-width: none">'
        return f'<div style="overflow-x: auto">{image}</div>'

    def __repr__(self) -> str:
        return f"<Drawing of {len(self.source)} characters of DOT; .save('picture.svg') writes it>"


def draw(
    output: Value | Step,
    *,
    slopes: bool = False,
    clusters: Mapping[str, Sequence[str]] | None = None,
    rankdir: str = "LR",
    size: str | None = None,
) -> Drawing:
    """Draw the computation graph of a Value.

    Args:
        output: the node whose graph is drawn, from its leaves on; or a step of `steps(…)`, to draw what is known after
            it, with the node it computes or the edge it goes back along in red.
        slopes: whether each edge carries its local slope, the factor that it contributes to the chain rule.
        clusters: frames to group nodes in, such as the neurons and layers of a network: from the label of a node to the
            titles of the frames around it, outermost first. An operation without a label, and a parameter, stands
            with the nodes that it feeds.
        rankdir: the direction of the forward pass: "LR" (left to right), "TB" (top to bottom), "RL" or "BT".
        size: the largest width and height in inches, as in "8,5"; the picture is scaled down to fit.

    Returns:
        The drawing. The same graph gives the same source, to the letter.

    Raises:
        ValueError: if `rankdir` is none of the four.
    """
    if rankdir not in ("LR", "TB", "RL", "BT"):
        raise ValueError(f"rankdir must be 'LR', 'TB', 'RL' or 'BT', got {rankdir!r}")
    if isinstance(output, Value) or not hasattr(output, "steps"):
        scene = _Scene(output)  # type: ignore[arg-type]  # which says that anything else is no Value
    else:
        scene = _Scene(output.steps.output, output)
    graph = digraph(rankdir, size)
    _add_nodes(graph, _framed(scene.nodes, clusters or {}), scene)
    flows = {node: scene.flows(node) for node in scene.nodes}
    largest = max((flow for of_node in flows.values() for flow in of_node if math.isfinite(flow)), default=0.0)
    for node in scene.nodes:
        for parent, slope, flow in zip(node.parents, node.slopes, flows[node], strict=True):
            stroke = _stroke(flow, largest)
            if slopes and not is_constant(parent) and scene.data(node) is not None:
                stroke["label"] = f"× {number(slope).plain}"
            if scene.step and scene.step.node is node and scene.step.parent in (parent, None):
                stroke["color"] = HIGHLIGHT
            graph.edge(scene.ids[parent], scene.ids[node], **stroke)
    return Drawing(graph.source)


def display(value: Value) -> str:
    """Return the picture of a Value's graph for a notebook, or why a large one is not drawn unasked."""
    seen, stack = {value}, [value]
    while stack:
        new = [parent for parent in dict.fromkeys(stack.pop().parents) if parent not in seen]
        seen.update(new)
        stack += new
        if len(seen) > DISPLAYED_NODES:
            reason = f"the graph has more than {DISPLAYED_NODES} nodes; draw(…).save('graph.svg') draws it nevertheless"
            return _not_drawn(repr(value), reason)
    return draw(value)._repr_html_()


def _not_drawn(text: str, reason: str) -> str:
    """Return what a notebook shows where there is no picture."""
    import html

    return f"<code>{html.escape(text)}</code><br><small>Not drawn: {html.escape(reason)}</small>"


def digraph(rankdir: str, size: str | None, **attributes: str) -> graphviz.Digraph:
    """Return an empty graph in the look of all pictures."""
    import graphviz

    graph = graphviz.Digraph()
    graph.attr(rankdir=rankdir, bgcolor="white", **attributes)
    if size is not None:
        graph.attr(size=size)
    graph.attr("node", fontname="Helvetica", fontsize="11", margin="0.18,0.08", penwidth="1")
    graph.attr("edge", fontname="Helvetica", fontsize="9", fontcolor="gray25", arrowsize="0.7")
    return graph


def _framed(order: list[Value], clusters: Mapping[str, Sequence[str]]) -> list[tuple[tuple[str, ...], Value]]:
    """Return the titles of the frames around each node, with the node."""
    consumers = defaultdict(list)
    for node in order:
        for parent in node.parents:
            consumers[parent].append(node)
    paths: dict[Value, tuple[str, ...]] = {}
    for node in reversed(order):
        path = tuple(clusters.get(node.label or "", ()))
        if not path and (isinstance(node, Parameter) or (node.primitive and not node.label)) and consumers[node]:
            levels = zip(*[paths[consumer] for consumer in consumers[node]], strict=False)
            path = tuple(titles[0] for titles in takewhile(lambda titles: len(set(titles)) == 1, levels))
        paths[node] = path
    return [(paths[node], node) for node in order]


class _Scene:
    """What a drawing shows: a graph, with the numbers that are known, now or after a step."""

    def __init__(self, output: Value, step: Step | None = None) -> None:
        self.output, self.step = output, step
        self.nodes = Tape(output).nodes
        self.ids = {node: f"n{index}" for index, node in enumerate(self.nodes)}
        self.names = step.steps.names if step else Names(output, self.nodes)

    def data(self, node: Value) -> float | None:
        return self.step.data_of(node) if self.step else node.data

    def grad(self, node: Value) -> float | None:
        if self.step:
            return self.step.grad_of(node)
        return node.grad if node.has_grad else None

    def flows(self, node: Value) -> list[float]:
        """Return the size of the gradient along each edge into a node; nan if unknown, or to a constant."""
        grad = self.grad(node)
        return [
            math.nan if grad is None or is_constant(parent) or self.grad(parent) is None else abs(grad * slope)
            for parent, slope in zip(node.parents, node.slopes, strict=True)
        ]

    def appearance(self, node: Value) -> dict[str, str]:
        data, grad = self.data(node), self.grad(node)
        if is_constant(node):
            tight = {"margin": "0.03,0.02", "width": "0", "height": "0"}  # so that arrows touch it
            return {"label": lines_of(node.label, _shown(data)), "shape": "plaintext", **tight}
        title = self.names.of(node).plain
        if node.primitive:
            is_short = len(node.parents) <= WRITTEN_OPERANDS
            title += f" = {self.names.operation(node).plain if is_short else node.primitive.symbol}"
        lines = lines_of(title, f"data {_shown(data)}", f"grad {_shown(grad)}")
        look = {"label": lines, "style": "filled"}
        if node is self.output:
            look["peripheries"] = "2"
        if self.step and node in (self.step.node, self.step.parent):
            look |= {"color": HIGHLIGHT, "penwidth": "2"}
        if isinstance(node, Parameter):
            return {**look, "shape": "box", "fillcolor": "#fbe3b5"}
        if node.primitive is None:
            return {**look, "shape": "ellipse", "fillcolor": "#cfe3f5", "margin": "0,0"}
        fill = "#d9ead3" if node is self.output else "white"
        return {**look, "shape": "box", "style": "rounded,filled", "fillcolor": fill}


def _shown(x: float | None) -> str:
    return "?" if x is None else number(x).plain


def _add_nodes(
    graph: graphviz.Digraph, nodes: list[tuple[tuple[str, ...], Value]], scene: _Scene, depth: int = 0
) -> None:
    """Add nodes that share the frames down to a depth: those that stand here, then each frame further down."""
    inner = defaultdict(list)
    for path, node in nodes:
        if len(path) > depth:
            inner[path[depth]].append((path, node))
        else:
            graph.node(scene.ids[node], id=scene.ids[node], **scene.appearance(node))
    for title, members in inner.items():
        with graph.subgraph(name=f"cluster_{depth}_{scene.ids[members[0][1]]}") as frame:
            frame.attr(label=lines_of(title), fontname="Helvetica", fontsize="11")
            frame.attr(labeljust="l", style="rounded", color="gray60")
            _add_nodes(frame, members, scene, depth + 1)


def _stroke(flow: float, largest: float) -> dict[str, str]:
    """Return the look of an edge: its thickness falls with each power of ten below the largest gradient."""
    if math.isnan(flow):
        return {"color": "gray50"}
    if flow == 0.0:
        return {"color": "gray50", "style": "dotted"}
    decades = math.log10(largest / flow) if flow < largest else 0.0
    return {"penwidth": f"{max(0.6, 2.8 - 0.8 * decades):.2f}"}


def lines_of(*texts: str | None) -> str:
    """Write a label of several lines in DOT's notation, of which nothing is read as markup."""
    import graphviz

    escaped = [graphviz.escape(cleaned(text).replace("&", "&amp;")) for text in texts if text]
    label: str = graphviz.nohtml(r"\n".join(escaped))
    return label
