"""The look of all pictures: the colours and letters of the live page, as far as the DOT language has them.

>>> colours("light")["backward"]
'#9c3f06'
>>> box_number(0.0821670406, 5), box_number(-1.25e-300, 5), box_number(None, 5)
('0.082167', '−1.25e−300', '?')
"""

from __future__ import annotations

import html
import math
import re
import unicodedata
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Literal, get_args

from autograd.notation import base_and_index, cleaned, number

if TYPE_CHECKING:
    import graphviz

Theme = Literal["light", "dark"]

STYLE = Path(__file__).parent / "live_page" / "page.css"  # which states the colours of the project
LARGE, MIDDLE, SMALL, INDEX = 10.5, 10, 9, 9  # sizes of letters, in points; HTML-like labels have whole ones alone
LETTER = 0.64  # the width of a letter of size 1 in a wide font, such as DejaVu Sans; a digit has it, most have less
LINE = 15  # the height of a line of a box, in points
SIDE = 6.0  # the room at the sides of a box, in points
FORMULA_LENGTH = 48  # characters of a formula that a box shows
SANS = "system-ui, -apple-system, 'Segoe UI', sans-serif"
SERIF = "'Iowan Old Style', Palatino, 'Palatino Linotype', Georgia, serif"


@cache
def colours(theme: Theme) -> Mapping[str, str]:
    """Return the colours of a theme by their names on the live page, such as "ink" or "backward".

    Raises:
        ValueError: if the theme is neither "light" nor "dark".
    """
    if theme not in ("light", "dark"):
        raise ValueError(f"theme must be 'light' or 'dark', got {theme!r}")
    pairs = re.findall(r"--([\w-]+): light-dark\((#\w+), (#\w+)\)", STYLE.read_text(encoding="utf-8"))
    return {name: light if theme == "light" else dark for name, light, dark in pairs}


def digraph(rankdir: str, size: str | None, theme: Theme, **attributes: str) -> graphviz.Digraph:
    """Return an empty graph in the look of all pictures.

    Raises:
        ValueError: if `rankdir` is none of "LR", "TB", "RL" and "BT", or the theme is unknown.
    """
    import graphviz

    if rankdir not in ("LR", "TB", "RL", "BT"):
        raise ValueError(f"rankdir must be 'LR', 'TB', 'RL' or 'BT', got {rankdir!r}")
    colour = colours(theme)
    graph = graphviz.Digraph()
    graph.attr(rankdir=rankdir, bgcolor=colour["paper"], pad="0.1", **attributes)
    if size is not None:
        graph.attr(size=size)
    graph.attr(
        "node", shape="box", style="filled", fillcolor=colour["box"], color=colour["control"], penwidth="0.75",
        fontname="Helvetica", fontsize=f"{LARGE}", fontcolor=colour["ink"], margin=f"{SIDE / 72:.3f},0.03", height="0",
    )  # fmt: skip
    graph.attr(
        "edge", color=colour["edge"], arrowsize="0.5", fontname="Helvetica", fontsize=f"{SMALL}",
        fontcolor=colour["muted"],
    )  # fmt: skip
    return graph


def box_number(x: float | None, digits: int) -> str:
    """Write a number of a box with so many significant digits, and fewer where it would be longer than digits + 5.

    Zeros at the end go only where they are exact. A number that is not known is a question mark.
    """
    if x is None:
        return "?"
    if not math.isfinite(x) or x == 0.0:
        return number(x).plain
    is_whole = 10.0**digits <= abs(x) < 10.0 ** (digits + 1)  # one digit more is shorter than an exponent
    for count in range(digits + is_whole, 0, -1):
        text = f"{x:.{count}g}"
        if float(text) != x:
            text = f"{x:#.{count}g}".replace(".e", "e").removesuffix(".")
        if len(text) > digits + 5 and count == 17:  # all digits: an exponent is shorter than zeros
            text = f"{x:.{count - 1}e}"
        text = re.sub("e([+-])0*", lambda sign: "e" + sign[1].removeprefix("+"), text)
        if len(text) <= digits + 5:
            break
    return text.replace("-", "−")


def width_of(text: str, size: float) -> float:
    """Return the room that a text needs in a wide font, in points."""
    wide = sum(unicodedata.east_asian_width(letter) in "WF" for letter in text)
    return size * (LETTER * len(text) + 0.6 * wide)


def lines_of(*texts: str | None) -> str:
    """Write a label of several lines in DOT's notation, of which nothing is read as markup."""
    import graphviz

    escaped = [graphviz.escape(cleaned(text).replace("&", "&amp;")) for text in texts if text]
    label: str = graphviz.nohtml(r"\n".join(escaped))
    return label


def box_label(
    name: str,
    data: str,
    gradient: str | None,
    formula: str,
    colour: Mapping[str, str],
    characters: int,
    *,
    last: str = "",
) -> str:
    """Write what a box of a graph holds, as an HTML-like label: its size depends on the name and the formula alone.

    Args:
        name: at the left of the first line, and `last`, where there is one, after it: the names from … to.
        data: at the right of it.
        gradient: in the second line, after ∂; None for no such line.
        formula: in the last line; it may be empty.
        colour: the colours of the theme.
        characters: those that the longest number has.
        last: the last of the names that the box stands for.
    """
    parts = [base_and_index(text) or (text, "") for text in map(cleaned, (name, last)) if text]
    left = sum(width_of(base, LARGE) + width_of(index, INDEX) for base, index in parts) + LARGE * (2.5 if last else 1)
    right = characters * LETTER * LARGE
    title = _text(" … ", LARGE, colour["muted"]).join(_name(base, index) for base, index in parts)
    rows = [_row(title, _text(data, LARGE, colour["ink"]), left, right)]
    if gradient is not None:
        rows.append(_row(_text("∂", MIDDLE, colour["muted"]), _text(gradient, MIDDLE, colour["backward"]), left, right))
    if formula:
        shown = formula if len(formula) <= FORMULA_LENGTH else formula[: FORMULA_LENGTH - 1] + "…"
        room = width_of(shown, SMALL) * 0.9
        cell = f'<TD COLSPAN="2" ALIGN="LEFT" HEIGHT="{LINE - 2}" WIDTH="{room:.0f}">'
        rows.append(f"<TR>{cell}{_text(shown, SMALL, colour['muted'])}</TD></TR>")
    return f'<<TABLE BORDER="0" CELLBORDER="0" CELLSPACING="0" CELLPADDING="0">{"".join(rows)}</TABLE>>'


def edge_label(text: str, characters: int, colour: str) -> str:
    """Write the label of an edge, as wide as so many characters, whatever it says."""
    room = f'WIDTH="{width_of("0" * characters, SMALL):.0f}" HEIGHT="{LINE}"'
    cell = f"<TR><TD {room}>{_text(text, SMALL, colour)}</TD></TR>"
    return f'<<TABLE BORDER="0" CELLBORDER="0" CELLSPACING="0" CELLPADDING="0">{cell}</TABLE>>'


def _row(left: str, right: str, left_width: float, right_width: float) -> str:
    return (
        f'<TR><TD ALIGN="LEFT" WIDTH="{left_width:.0f}" HEIGHT="{LINE}">{left}</TD>'
        f'<TD ALIGN="RIGHT" WIDTH="{right_width:.0f}">{right}</TD></TR>'
    )


def _escaped(text: str) -> str:
    """Escape a text for an HTML-like label, in which two backslashes are one."""
    shown = html.escape(text).replace("\\", "&#92;&#92;")
    return shown if text.strip() else "&#160;" * max(len(text), 1)


def _text(text: str, size: float, colour: str) -> str:
    points = "" if size == LARGE else f' POINT-SIZE="{size}"'  # as the box has it
    return f'<FONT COLOR="{colour}"{points}>{_escaped(text)}</FONT>'


def _name(base: str, index: str) -> str:
    """Write a name in italics, with an index where it has one."""
    below = f'<SUB><FONT POINT-SIZE="{INDEX}">{_escaped(index)}</FONT></SUB>' if index else ""
    return f'<FONT FACE="Times"><I>{_escaped(base)}{below}</I></FONT>'


_NODE = re.compile(r'<g id="[^"]*" class="node">.*?\n</g>', re.DOTALL)
_OUTLINE = re.compile(r' (?:points|d)="([^"]+)"')
_ABSCISSA = re.compile(r"(-?[\d.]+),")
_TEXT = re.compile(
    r'<text (?:xml:space="preserve" )?text-anchor="start" x="(?P<x>[^"]*)" y="(?P<y>[^"]*)" (?P<style>[^>]*)>'
    r"(?P<words>[^<]*)</text>\s*"
)
_ATTRIBUTE = re.compile(r'[\w-]+="[^"]*"')
_INDEX = 'baseline-shift="sub"'


def in_any_font(svg: str) -> str:
    """Place the text of a picture so that it fits the fonts of whoever looks at it.

    Graphviz places each piece of text by the widths of letters in its own fonts, from its left end. Here numbers end at
    the right side of their box instead, the pieces of a name follow each other, and the fonts are those of the live
    page.
    """
    svg = _NODE.sub(lambda node: _placed(node[0]), svg)
    svg = svg.replace('font-family="Times"', f'font-family="{SERIF}"').replace(
        ' font-family="Helvetica,sans-Serif"', ""
    )
    return svg.replace("<svg ", f'<svg font-family="{SANS}" font-variant-numeric="tabular-nums" ', 1)


def _placed(node: str) -> str:
    """Place the text of one box: pieces of a name, a number, and perhaps ∂ with another, and a formula."""
    outline, texts = _OUTLINE.search(node), list(_TEXT.finditer(node))
    numbers = [i for i, text in enumerate(texts) if _number().match(text["style"])]
    if outline is None or not numbers or not numbers[0]:
        return node
    right = max(map(float, _ABSCISSA.findall(outline[1]))) - SIDE
    first, *others = texts[: numbers[0]]
    name, was_below = first["words"], False
    for text in others:
        is_below = _INDEX in text["style"]
        if is_below:
            style = [f'font-size="{INDEX - 0.5}"']
        else:
            style = [part for part in _ATTRIBUTE.findall(text["style"]) if part not in first["style"]]
        shift = [f'dy="{2.5 if is_below else -2.5}"'] if is_below != was_below else []
        name += f"<tspan {' '.join(shift + style)}>{text['words']}</tspan>"
        was_below = is_below
    placed = [f'<text x="{first["x"]}" y="{texts[numbers[0]]["y"]}" {first["style"]}>{name}</text>\n']
    for i, text in enumerate(texts[numbers[0] :], start=numbers[0]):
        x = f'text-anchor="end" x="{right:.2f}"' if i in numbers else f'x="{text["x"]}"'
        placed.append(f'<text {x} y="{text["y"]}" {text["style"]}>{text["words"]}</text>\n')
    return node[: texts[0].start()] + "".join(placed) + node[texts[-1].end() :]


@cache
def _number() -> re.Pattern[str]:
    """Return what the attributes of a number look like: upright, in a colour that no other text of a box has."""
    shades = "|".join(colours(theme)[name] for theme in get_args(Theme) for name in ("ink", "backward"))
    return re.compile(rf'(?!.*font-style).* fill="(?:{shades})"')
