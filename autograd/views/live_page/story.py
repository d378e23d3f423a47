"""Stories: texts whose paragraphs set the step of a page and whose numbers follow it.

>>> words("{out_h1 = 0.593269992} is the output of $h1$", find=str)
[{'of': 'out_h1', 'printed': '0.593269992'}, ' is the output of ', [('h', '1')]]

A story is a list of paragraphs and questions, in the order in which they are read:

- `(step, text)` is a paragraph. A text that begins with `# ` has a heading as its first line, which begins a section.
- `(step, question, answer)` is a question, whose answer is a number in the notation below, without the braces.

A step is the count of steps that are done, "start", "end", or named by the number that it computes: `out_h1` is the
step forward that computes the node, `w5.grad` the last one backward that adds to its gradient, `w5.next` the update,
and `out_h1.grad from net_o2` the one that adds what one node passes back. "after 100 rounds" trains, and shows the last
update.

In a text, `$…$` is a formula, whose names get their indices, and `{…}` a number that follows what is edited:
`{out_h1}`, `{w5.grad}`, `{w5.next}` and the derivative `{dE_o1/dout_h1}` are those of the round that the page begins
with, and `{E_total after 10000 rounds}` is that of a training of its own. A comma may be followed by an order of update
or a kind of biases that the page offers: `{E_total after 1 round, sequential}`. `{E_total = 0.298371109}` compares with
what an article prints. A line that begins with `>` begins a line of numbers, one with `≠` a note.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Set
from typing import Any

from autograd.notation import base_and_index

Find = Callable[[str], Any]
Item = tuple["int | str", str] | tuple["int | str", str, str]

PARAGRAPH = re.compile(r"\n\s*\n|\n\s*(?=[>≠])")  # what is between two
PIECE = re.compile(r"\{([^{}]*)\}|\$([^$]*)\$")
NAME = re.compile(r"([^\W\d]\w*)")
NUMBER = re.compile(
    r"(?P<of>.+?)(?: after (?P<rounds>[\d,]+) rounds?(?:, (?P<with>[\w, -]+))?)?(?: = (?P<printed>[−-]?[\d.]+))?$"
)
KINDS = ("grad", "next")


def story_content(items: Iterable[Item], find: Find, choices: Set[str] = frozenset()) -> list[dict[str, Any]]:
    """Return a story as a page reads it.

    Args:
        items: the paragraphs and questions, in the order in which they are read.
        find: returns the node of a name, or raises ValueError if there is none.
        choices: the orders of update and kinds of biases that the page offers.

    Raises:
        ValueError: if an item is not of two or three parts, or a step or a number is unknown; the message shows which.
    """
    content: list[dict[str, Any]] = []
    for place, item in enumerate(items):
        if not isinstance(item, tuple) or len(item) not in (2, 3):
            raise ValueError(
                f"item {place} of the story is {item!r:.80}; expected a paragraph (step, text), or a question (step, "
                f"question, answer)"
            )
        step, text, *answer = item
        entry: dict[str, Any] = {"step": step_named(step, find)}
        heading, _, rest = text.partition("\n")
        if heading.startswith("# "):
            content.append({"heading": heading[2:].strip()})
            text = rest.strip()
        entry["text"] = [words(paragraph, find, choices) for paragraph in PARAGRAPH.split(text)]
        if answer:
            entry["answer"] = answer[0] if re.fullmatch(r"[−-]?[\d.]+", answer[0]) else number_named(answer[0], find)
        content.append(entry)
    return content


def step_named(step: int | str, find: Find) -> Any:
    """Return what names a step: an index, "start", "end", rounds, or the number it computes and where that is from."""
    if isinstance(step, int) or step in ("start", "end"):
        return step
    trained = re.fullmatch(r"after ([\d,]+) rounds?", step)
    if trained:
        return {"rounds": int(trained[1].replace(",", ""))}
    quantity, _, source = step.partition(" from ")
    found = number_named(quantity, find)
    if source:
        found["from"] = _known(source, find)
    return found


def number_named(text: str, find: Find, choices: Set[str] = frozenset()) -> dict[str, Any]:
    """Return what a number is of, as a page reads it."""
    match = NUMBER.match(text.strip())
    if not match:
        raise ValueError(f"{text!r} names no number; write such as {{w5}}, {{w5.grad}} or {{dE/dw5 = 0.082167041}}")
    of, _, kind = match["of"].partition(".")
    derivative = re.fullmatch(r"[d∂](.+)/[d∂](.+)", of)
    found: dict[str, Any] = {"of": _known(derivative[1] if derivative else of, find)}
    if derivative:
        found["by"] = _known(derivative[2], find)
    if kind:
        if kind not in KINDS:
            raise ValueError(f"{text!r}: a number has .grad and .next, not .{kind}")
        found["kind"] = kind
    if match["rounds"]:
        found["rounds"] = int(match["rounds"].replace(",", ""))
        for choice in (match["with"] or "").split(", ") if match["with"] else ():
            if choice not in choices:
                raise ValueError(
                    f"{text!r}: {choice!r} is not offered by this page; it has {', '.join(sorted(choices))}"
                )
            found.setdefault("with", []).append(choice)
    if match["printed"]:
        found["printed"] = match["printed"].replace("−", "-")
    return found


def words(text: str, find: Find, choices: Set[str] = frozenset()) -> list[Any]:
    """Return the pieces of a text: strings, numbers as dicts, and formulas as lists of strings and names."""
    pieces: list[Any] = []
    end = 0
    text = re.sub(r"\s+", " ", text.strip())
    for match in PIECE.finditer(text):
        pieces.append(text[end : match.start()])
        pieces.append(formula(match[2]) if match[1] is None else number_named(match[1], find, choices))
        end = match.end()
    pieces.append(text[end:])
    return [piece for piece in pieces if piece]


def formula(text: str) -> list[Any]:
    """Return a formula as strings and, as [base, index], names."""
    return [
        (base_and_index(piece) or [piece, ""]) if NAME.fullmatch(piece) else piece
        for piece in NAME.split(text)
        if piece
    ]


def _known(name: str, find: Find) -> str:
    find(name)
    return name
