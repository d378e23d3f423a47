"""Pictures of programs: the groups that they are lowered to, and which reads which.

>>> from autograd import Value, dot, exp
>>> from autograd.programs.program import Program
>>> w, x = [Value(0.5) for _ in range(24)], [Value(2.0) for _ in range(3)]
>>> outputs = [exp(dot(w[i : i + 3], x)) for i in range(0, 24, 3)]
>>> picture = draw_program(Program.of(outputs, inputs=w + x))
>>> "exp of 8 numbers" in picture.source
True
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from autograd.views.appearance import Theme, colours, digraph, lines_of
from autograd.views.drawing import Drawing

if TYPE_CHECKING:
    from autograd.programs.listing import Entry
    from autograd.programs.program import Program

FILLS = {"matrix product": "parameter", "dot product": "parameter", "sum": "forward-fill", "total": "forward-fill"}
DETAILED = 60  # groups up to which only those of one title that read the same share a box


def draw_program(
    program: Program, varying: Sequence[int] = (), *, rankdir: str = "TB", theme: Theme = "light"
) -> Drawing:
    """Draw the groups of equal instructions that a program is lowered to.

    A box is a group, or several groups of one kind and one level that read the same groups. It shows its number of
    instructions, and is larger the more there are. If there are more than 60 groups, all groups of one kind and one
    level share a box. Boxes of one level are side by side. An edge leads from a group to one that reads its results.
    Matrix products, dot products, sums and totals are coloured. Groups that Python runs have a red border.

    Args:
        program: a program of at most some hundreds of groups, such as `compile(…).program(…)` returns.
        varying: the positions of the inputs that differ from example to example, for the program of a batch.
        rankdir: the direction of the computation, "TB", "LR", "BT" or "RL".
        theme: "light" or "dark".

    Returns:
        The drawing. Its source is the same for the same program.

    Raises:
        ValueError: if `rankdir` or `theme` is none of these.
    """
    from autograd.programs.listing import Profile  # it needs NumPy

    colour = colours(theme)
    leaves = {"style": "rounded,filled", "fillcolor": colour["paper"]}
    profile = Profile(program, varying)
    graph = digraph(rankdir, None, theme, ranksep="0.35", nodesep="0.15")
    boxes: dict[tuple[object, ...], list[int]] = defaultdict(list)
    few = len(profile.entries) <= DETAILED
    for i, entry in enumerate(profile.entries):
        key = (entry.level, entry.run_by, *((entry.title, *entry.sources) if few else (_kind(entry),)))
        boxes[key].append(i)
    box_of = {i: number for number, members in enumerate(boxes.values()) for i in members}
    inputs, parameters = profile.leaves
    given = [f"{count:,} {noun}{'s' * (count != 1)}" for count, noun in ((inputs, "input"), (parameters, "parameter"))]
    graph.node("leaves", lines_of(*[text for text in given if not text.startswith("0 ")] or ["constants"]), **leaves)
    levels: dict[int, list[str]] = defaultdict(list)
    edges: dict[tuple[str, str], None] = {}
    for number, members in enumerate(boxes.values()):
        entries = [profile.entries[i] for i in members]
        name = f"g{number}"
        levels[entries[0].level].append(name)
        graph.node(name, id=name, **_appearance(entries, colour))
        for entry in entries:
            sources = [f"g{box_of[source]}" for source in entry.sources] or ["leaves"]
            edges.update(dict.fromkeys((source, name) for source in sources))
    noun = "output" if len(program.outputs) == 1 else "outputs"
    graph.node("outputs", lines_of(f"{len(program.outputs):,} {noun}"), **leaves, color=colour["ink"])
    edges.update(dict.fromkeys((f"g{box_of[i]}", "outputs") for i in profile.results))
    for names in levels.values():
        with graph.subgraph() as level:
            level.attr(rank="same")
            for name in names:
                level.node(name)
    for start, end in edges:
        graph.edge(start, end)
    return Drawing(graph.source)


def _kind(entry: Entry) -> str:
    """Return what a group computes, without its size."""
    return next((kind for kind in FILLS if entry.title.startswith(kind)), entry.title.partition(" ")[0])


def _appearance(entries: list[Entry], colour: Mapping[str, str]) -> dict[str, str]:
    """Return the look of the box of some groups of one kind."""
    instructions = sum(entry.instructions for entry in entries)
    kind, title = _kind(entries[0]), entries[0].title
    if len(entries) > 1:
        is_same = all(entry.title == title for entry in entries)
        title = f"{len(entries)} groups: {title if is_same else kind}"
    size = 8.0 + 2.0 * math.log10(max(instructions, 1))
    look = {"label": lines_of(title, f"{instructions:,} instruction{'s' * (instructions != 1)}")}
    look |= {"fillcolor": colour[FILLS.get(kind, "box")], "fontsize": f"{size:.1f}"}
    if entries[0].run_by == "Python":
        look |= {"color": colour["warning"], "penwidth": "2"}
    return look
