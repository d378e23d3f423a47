"""Pictures of graphs: the nodes with their numbers and gradients, and what depends on what.

>>> from autograd import Value
>>> a, b = Value(2.0, label="a"), Value(-3.0, label="b")
>>> error = a * b + b**2
>>> error.backward()
>>> picture = draw(error, slopes=True)
>>> picture.to_svg().startswith("<?xml")
True

`picture.save("error.svg")` writes it (or `.png`, `.pdf`, or the `.dot` text), and a notebook or `picture.open()` shows
it. The forward pass runs from left to right. A box says what the live page says of a node: its name and its number, ∂
and its gradient, and the formula that computed it. A beige box is a parameter, a rounded one an input, a bare number a
constant; a dark border marks the result. The thicker an edge, the larger the gradient that flows back along it.
"""

from __future__ import annotations

import math
import os
from collections import defaultdict
from collections.abc import Mapping, Sequence
from itertools import takewhile
from numbers import Integral, Real
from pathlib import Path
from typing import TYPE_CHECKING

from autograd.notation import Names
from autograd.saving import save
from autograd.tape import Tape
from autograd.value import Parameter, Value, is_constant
from autograd.views.appearance import (
    MIDDLE,
    SMALL,
    Theme,
    box_label,
    box_number,
    colours,
    digraph,
    edge_label,
    in_any_font,
    lines_of,
)
from autograd.views.folding import Folding, Link
from autograd.views.rendering import SECONDS, render

if TYPE_CHECKING:
    import graphviz

    from autograd.views.stepping import Step

DISPLAYED_NODES = 500  # boxes of a picture that is drawn unasked: the layout of more would take too long
FOLDED_NODES = 20_000  # nodes of a graph that is folded unasked for a notebook
DISPLAY_SECONDS = 10.0  # that a picture in a notebook may take
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
        return in_any_font(render(self.source, "svg", timeout).decode("utf-8"))

    def save(self, path: str | os.PathLike[str], timeout: float = SECONDS, *, dpi: float | None = None) -> Path:
        """Write the picture to a file, in the format that its ending names.

        Args:
            path: ends in `.svg`, `.png`, `.pdf` (which needs Graphviz itself: graphviz-pure writes none) or `.dot` (the
                source, which needs no renderer).
            timeout: how many seconds the renderer is given.
            dpi: the dots of an inch of a `.png`; 96, as on a screen, when not given.

        Returns:
            The path written.

        Raises:
            ValueError: for another ending, a `dpi` that is no positive number, or one for a format that has no dots.
            OSError: if the file cannot be written. Nothing half written is left.
            RuntimeError, TimeoutError: as `to_svg`.
        """
        ending = Path(path).suffix.lower()
        if ending not in (".svg", ".png", ".pdf", ".dot"):
            name = os.fspath(path)
            raise ValueError(f"cannot save a drawing as {name!r}: name a file that ends in .svg, .png, .pdf or .dot")
        if dpi is not None:
            if isinstance(dpi, bool) or not isinstance(dpi, Real) or not 0.0 < dpi < math.inf:
                raise ValueError(f"dpi must be a number greater than 0, such as 192, got {dpi!r:.80}")
            if ending != ".png":
                raise ValueError(f"dpi is for a bitmap, .png; a {ending} file has no dots: leave it out")
        if ending == ".dot":
            return save(path, self.source.encode())
        if ending == ".svg":
            return save(path, self.to_svg(timeout).encode())
        return save(path, render(self.source, ending[1:], timeout, dpi and float(dpi)))

    def open(self, timeout: float = SECONDS) -> Path:
        """Show the picture in a browser, from an SVG file in the folder for temporary files.

        Args:
            timeout: how many seconds the renderer is given.

        Returns:
            The file, for where no browser can be opened.

        Raises:
            RuntimeError, TimeoutError: as `to_svg`.
        """
        import tempfile
        import webbrowser

        path = self.save(Path(tempfile.mkdtemp(prefix="stepgrad-")) / "picture.svg", timeout)
        webbrowser.open(path.as_uri())
        return path

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
    fold: bool | None = None,
    clusters: Mapping[str, Sequence[str]] | None = None,
    rankdir: str | None = None,
    size: str | None = None,
    digits: int = 5,
    theme: Theme = "light",
) -> Drawing:
    """Draw the computation graph of a Value.

    Args:
        output: the node whose graph is drawn; or a step of `steps(…)`. A step is drawn with the numbers that are known
            after it. The node that it computes is blue; the edge along which it goes back, and the node that this edge
            leads to, are rust. Each node has the same place in all steps.
        slopes: whether each edge has its slope beside it, the factor that it contributes to the chain rule.
        fold: whether all nodes that apply one primitive to the same boxes, such as those of a layer of neurons, share a
            box, which shows the range of their numbers. By default, a graph of more than 100 nodes is folded if that
            leaves at most a quarter as many boxes.
        clusters: frames around nodes, such as the neurons and layers of a network: a dict from the label of a node to
            the titles of the frames around it, outermost first. Operations without a label, and parameters, are in
            the frames of the nodes that use them.
        rankdir: the direction of the forward pass: "LR" (left to right), "TB" (top to bottom), "RL" or "BT"; by default
            "TB" for a folded graph, whose boxes are wide, and "LR" for others.
        size: the largest width and height in inches, as in "8,5"; the picture is scaled down to fit.
        digits: the number of significant digits, 1 to 17; numbers of more than `digits` + 5 characters have fewer.
        theme: "light" or "dark".

    Returns:
        The drawing. Its source is the same, character by character, for the same graph.

    Raises:
        ValueError: if `rankdir` or `theme` is none of these, or `digits` is out of range.
        TypeError: if the output is neither.
    """
    if callable(getattr(output, "draw", None)) and not isinstance(output, Value):
        raise TypeError(
            f"expected a Value as output, got {output!r:.80} of type {type(output).__name__}; for its own picture "
            f"write network.draw(), for the graph of a result draw(network(inputs))"
        )
    if isinstance(digits, bool) or not isinstance(digits, Integral) or not 1 <= digits <= 17:
        raise ValueError(f"digits must be a whole number from 1 to 17, got {digits!r:.80}")
    colour = colours(theme)
    step = None if isinstance(output, Value) or not hasattr(output, "steps") else output
    scene = _Scene(step.steps.output if step else output, step, fold, digits, colour)
    is_folded = len(scene.folding.boxes) < len(scene.nodes)
    graph = digraph(rankdir or ("TB" if is_folded else "LR"), size, theme)
    _add_boxes(graph, _framed(scene, clusters or {}), scene)
    flows = [max(map(scene.flow, links), key=_size) for _, _, links in scene.folding.edges]
    largest = max((flow for flow in flows if math.isfinite(flow)), default=0.0)
    for (start, end, links), flow in zip(scene.folding.edges, flows, strict=True):
        stroke = _stroke(flow, largest)
        node, parent, slope = links[0]
        if slopes and len(links) == 1 and not is_constant(parent):
            known = slope if scene.data(node) is not None else None
            stroke["label"] = edge_label(f"× {box_number(known, digits)}", digits + 7, colour["muted"])
        graph.edge(f"n{start}", f"n{end}", **stroke | scene.highlight(start, end))
    return Drawing(graph.source)


def display(value: Value) -> str:
    """Return the picture of a Value's graph for a notebook, or why a large one is not drawn unasked."""
    seen, stack = {value}, [value]
    while stack and len(seen) <= FOLDED_NODES:
        new = [parent for parent in dict.fromkeys(stack.pop().parents) if parent not in seen]
        seen.update(new)
        stack += new
    is_small = len(seen) <= DISPLAYED_NODES
    if is_small or (not stack and len(Folding.of(Tape(value).nodes, None).boxes) <= DISPLAYED_NODES):
        return draw(value)._repr_html_()
    reason = f"the graph has more than {DISPLAYED_NODES} nodes; draw(…).save('graph.svg') draws it nevertheless"
    return _not_drawn(repr(value), reason)


def _not_drawn(text: str, reason: str) -> str:
    """Return what a notebook shows where there is no picture."""
    import html

    return f"<code>{html.escape(text)}</code><br><small>Not drawn: {html.escape(reason)}</small>"


def _framed(scene: _Scene, clusters: Mapping[str, Sequence[str]]) -> list[tuple[tuple[str, ...], int]]:
    """Return the titles of the frames around each box, with its index."""
    consumers = defaultdict(list)
    for node in scene.nodes:
        for parent in node.parents:
            consumers[parent].append(node)
    paths: dict[Value, tuple[str, ...]] = {}
    for node in reversed(scene.nodes):
        path = tuple(clusters.get(node.label or "", ()))
        if not path and (isinstance(node, Parameter) or (node.primitive and not node.label)) and consumers[node]:
            path = _shared([paths[consumer] for consumer in consumers[node]])
        paths[node] = path
    return [(_shared([paths[node] for node in box]), index) for index, box in enumerate(scene.folding.boxes)]


def _shared(paths: Sequence[tuple[str, ...]]) -> tuple[str, ...]:
    """Return the frames that several nodes stand in together."""
    levels = zip(*paths, strict=False)
    return tuple(titles[0] for titles in takewhile(lambda titles: len(set(titles)) == 1, levels))


class _Scene:
    """What a drawing shows: a graph in boxes, with the numbers that are known, now or after a step."""

    def __init__(
        self, output: Value, step: Step | None, fold: bool | None, digits: int, colour: Mapping[str, str]
    ) -> None:
        self.output, self.step, self.digits, self.colour = output, step, digits, colour
        self.nodes = Tape(output).nodes
        self.names = step.steps.names if step else Names(output, self.nodes)
        self.folding = Folding.of(self.nodes, fold)

    def data(self, node: Value) -> float | None:
        return self.step.data_of(node) if self.step else node.data

    def grad(self, node: Value) -> float | None:
        if self.step:
            return self.step.grad_of(node)
        return node.grad if node.has_grad else None

    def flow(self, link: Link) -> float:
        """Return the size of the gradient along an edge; nan if unknown, or to a constant."""
        node, parent, slope = link
        grad = self.grad(node)
        return math.nan if grad is None or is_constant(parent) or self.grad(parent) is None else abs(grad * slope)

    def highlight(self, start: int, end: int) -> dict[str, str]:
        """Return the look of an edge that the step goes along: forward into the node, or back to one operand."""
        home = self.folding.home
        if self.step is None or home[self.step.node] != end:
            return {}
        if self.step.parent is None:
            return {"color": self.colour["forward"], "penwidth": "1.5"}
        return (
            {"color": self.colour["backward"], "penwidth": "1.5", "dir": "back"}
            if home.get(self.step.parent) == start
            else {}
        )

    def appearance(self, index: int) -> dict[str, str]:
        nodes = self.folding.boxes[index]
        node, colour = nodes[0], self.colour
        if is_constant(node) and not node.label:
            tight = {"margin": "0.03,0.02", "width": "0", "style": "", "fontsize": f"{MIDDLE}"}
            return {"label": lines_of(self.shown(list(map(self.data, nodes)))), "shape": "plaintext", **tight}
        gradient = None if is_constant(node) else self.shown(list(map(self.grad, nodes)))
        formula, last, characters = "", "", self.digits + 5
        if node.primitive:
            is_short = len(node.parents) <= WRITTEN_OPERANDS
            formula = self.names.operation(node).plain if is_short else node.primitive.symbol
        if len(nodes) > 1:
            characters, last = 2 * characters + 3, self.names.of(nodes[-1]).plain
            formula = f"{len(nodes):,} nodes such as {formula}" if formula else f"{len(nodes):,} {_noun(node)}s"
        name = self.names.of(node).plain
        data = self.shown(list(map(self.data, nodes)))
        look = {"label": box_label(name, data, gradient, formula, colour, characters, last=last)}
        if isinstance(node, Parameter):
            look["fillcolor"] = colour["parameter"]
        elif node.primitive is None:
            look |= {"style": "rounded,filled", "fillcolor": colour["paper"]}
        elif node is self.output:
            look |= {"color": colour["ink"], "penwidth": "1.5"}
        if self.step:
            phase = self.step.phase
            if index == self.folding.home[self.step.node]:
                look |= {"color": colour[phase], "penwidth": "2"}
            if index == self.folding.home.get(self.step.parent or self.step.node):
                look |= {"color": colour[phase], "penwidth": "2", "fillcolor": colour[f"{phase}-fill"]}
        return look

    def shown(self, numbers: list[float | None]) -> str:
        """Write a number, or the range of several."""
        known = [x for x in numbers if x is not None]
        if len(numbers) == 1 or not known:
            return box_number(numbers[0], self.digits)
        ends = [math.nan] if any(map(math.isnan, known)) else [min(known), max(known)]
        return " … ".join(dict.fromkeys(box_number(x, self.digits) for x in ends))


def _noun(leaf: Value) -> str:
    return "parameter" if isinstance(leaf, Parameter) else "constant" if is_constant(leaf) else "variable"


def _size(flow: float) -> float:
    return -1.0 if math.isnan(flow) else flow


def _add_boxes(
    graph: graphviz.Digraph, boxes: list[tuple[tuple[str, ...], int]], scene: _Scene, depth: int = 0
) -> None:
    """Add boxes that share the frames down to a depth: those that stand here, then each frame further down."""
    inner = defaultdict(list)
    for path, index in boxes:
        if len(path) > depth:
            inner[path[depth]].append((path, index))
        else:
            graph.node(f"n{index}", id=f"n{index}", **scene.appearance(index))
    for title, members in inner.items():
        with graph.subgraph(name=f"cluster_{depth}_n{members[0][1]}") as frame:
            frame.attr(
                label=lines_of(title), fontname="Helvetica", fontsize=f"{SMALL}", fontcolor=scene.colour["muted"]
            )
            frame.attr(labeljust="l", style="rounded", color=scene.colour["hairline"])
            _add_boxes(frame, members, scene, depth + 1)


def _stroke(flow: float, largest: float) -> dict[str, str]:
    """Return the look of an edge: its thickness falls with each power of ten below the largest gradient."""
    if math.isnan(flow):
        return {}
    if flow == 0.0:
        return {"style": "dotted"}
    decades = math.log10(largest / flow) if flow < largest else 0.0
    return {"penwidth": f"{max(0.5, 2.2 - 0.5 * decades):.2f}"}
