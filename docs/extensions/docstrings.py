"""Docstrings of the project for Sphinx: single backticks are code, and link to the public name that they hold."""

from __future__ import annotations

import inspect
import itertools
import re
from collections.abc import Iterator
from types import ModuleType
from typing import TYPE_CHECKING, Any

from sphinx.domains.python._object import PyObject

import autograd
import nn

if TYPE_CHECKING:
    from docutils import nodes
    from sphinx.addnodes import pending_xref
    from sphinx.application import Sphinx
    from sphinx.environment import BuildEnvironment

CODE = re.compile(r"(?<![`:\w])`([^`]+)`(?![`_\w])")
FIELD = re.compile(r"^(\s*):(param|ivar|raises|returns|rtype)(?: ([^:]+))?:(.*)$")

# Every public name with the package that it is imported from.
PUBLIC = dict.fromkeys(nn.__all__, "nn") | {
    name: "autograd"
    for name in dir(autograd)
    if not name.startswith("_") and not isinstance(getattr(autograd, name), ModuleType)
}


def setup(app: Sphinx) -> dict[str, Any]:
    """Register what is done with a docstring and with the name of a type."""
    for field in PyObject.doc_field_types:
        if field.name == "variable":
            field.label = "Attributes"
    app.connect("autodoc-process-docstring", _process)
    app.connect("missing-reference", _resolve)
    return {"parallel_read_safe": True, "parallel_write_safe": True}


def _process(app: Sphinx, what: str, name: str, it: object, options: object, lines: list[str]) -> None:
    if what == "property":  # napoleon takes what stands before a colon in it for a type
        lines[:] = inspect.cleandoc(it.__doc__ or "").splitlines()
    lines[:] = [line if line.lstrip().startswith((">>>", "...")) else CODE.sub(_role, line) for line in _fields(lines)]


def _fields(lines: list[str]) -> Iterator[str]:
    """The lines, with an entry for each name of `low, high: the bounds`, and `The outputs: …` as a text, not a type."""
    starts = [*[place for place, line in enumerate(lines) if FIELD.match(line)], len(lines)]
    yield from lines[: starts[0]]
    blocks = [lines[start:end] for start, end in itertools.pairwise(starts)]
    for block, following in zip(blocks, [*blocks[1:], [""]], strict=False):
        field = FIELD.match(block[0])
        assert field is not None
        indent, kind, names, text = field.groups()
        after = FIELD.match(following[0])
        if kind == "rtype":
            yield from block[1:]
        elif kind == "returns" and after is not None and after[2] == "rtype":
            yield from [f"{indent}:returns: {after[4].strip()}: {text.strip()}", *block[1:]]
        elif kind in ("param", "ivar") and names and ", " in names:
            while block and not block[-1].strip():
                block.pop()
            for name in names.split(", "):
                yield from [f"{indent}:{kind} {name}:{text}", *block[1:]]
            yield ""
        else:
            yield from block


def _role(match: re.Match[str]) -> str:
    code = match[1]
    name = code.removesuffix("()")
    if name in PUBLIC and not hasattr(autograd.Value, name):  # `grad` is what a node holds more often than the function
        return f":py:obj:`{code} <{PUBLIC[name]}.{name}>`"
    return f"``{code}``"


def _resolve(app: Sphinx, env: BuildEnvironment, node: pending_xref, content: nodes.Element) -> nodes.Node | None:
    """Resolve `autograd.value.Value`, where a type was defined, as `autograd.Value`, where it is documented."""
    name = node.get("reftarget", "").rpartition(".")[2]
    if node.get("refdomain") != "py" or name not in PUBLIC:
        return None
    domain = env.domains.python_domain
    return domain.resolve_xref(env, node["refdoc"], app.builder, "obj", f"{PUBLIC[name]}.{name}", node, content)
