"""Copies and pickles of graphs, however deep, by what `copy` and `pickle` ask of a Value.

Left to themselves, `pickle` and `deepcopy` go from a node to its parents by recursion. Here a deep copy is made in
topological order, and a pickled node comes with a list of the nodes below it, parents first, so that `pickle` meets no
node before its parents.
"""

from __future__ import annotations

import copy
from collections.abc import Container
from contextvars import ContextVar
from typing import Any
from weakref import ref

from autograd.tape import Tape
from autograd.value import Value, rebuild


def _parts(node: Value, parents: tuple[Value, ...]) -> tuple[Any, ...]:
    """Return what `rebuild` makes a node from."""
    grad = node.grad if node.has_grad else None
    return type(node), node.data, grad, node.label, node.primitive, parents, node.operands


def _state(node: Value) -> tuple[dict[str, Any] | None, dict[str, Any]] | None:
    """Return the attributes that a subclass added: those in its dict, and those in slots; None if there are none."""
    slots = {}
    for kind in type(node).__mro__:
        if kind.__module__ == Value.__module__:
            break
        names = vars(kind).get("__slots__", ())
        for name in [names] if isinstance(names, str) else names:
            if name not in ("__dict__", "__weakref__"):
                mangled = f"_{kind.__name__.lstrip('_')}{name}" if name.startswith("__") else name
                if hasattr(node, mangled):
                    slots[mangled] = getattr(node, mangled)
    attributes = getattr(node, "__dict__", None)
    return (attributes, slots) if attributes or slots else None


def _set_state(node: Value, state: tuple[dict[str, Any] | None, dict[str, Any]] | None) -> None:
    for attributes in state or ():
        for name, value in (attributes or {}).items():
            setattr(node, name, value)


def shallow_copy(node: Value) -> Value:
    """Return a node of the same parts, which shares the parents, for `copy.copy`."""
    twin = rebuild(*_parts(node, node.parents))
    _set_state(twin, _state(node))
    return twin


def deep_copy(output: Value, memo: dict[int, Any]) -> Value:
    """Return a copy of a node and of all nodes below it that are not in the memo of `copy.deepcopy` yet."""
    for node in _new_nodes(output, memo):
        parents = tuple([memo[id(parent)] for parent in node.parents])
        memo[id(node)] = twin = rebuild(*_parts(node, parents))
        _set_state(twin, copy.deepcopy(_state(node), memo))
    return memo[id(output)]  # type: ignore[no-any-return]  # a Value


def _new_nodes(output: Value, known: Container[int]) -> list[Value]:
    """Return the nodes of a tape of the output, without those whose identity is known and what only those depend on."""
    if not known:
        return Tape(output).nodes
    nodes, seen = [], set()
    path = [(output, iter(output.parents))]
    while path:
        node, parents = path[-1]
        for parent in parents:
            if id(parent) not in seen and id(parent) not in known:
                path.append((parent, iter(parent.parents)))
                break
        else:
            path.pop()
            seen.add(id(node))
            nodes.append(node)
    return nodes


class _Dump:
    """The nodes that were listed in one run of a pickler, which holds the only lasting reference."""

    def __init__(self) -> None:
        self.listed: set[int] = set()  # the identities of all of them
        self.waiting: set[int] = set()  # those that the pickler has not asked for yet

    def __reduce__(self) -> Any:
        return type(None), ()


_dump: ContextVar[ref[_Dump] | None] = ContextVar("dump", default=None)  # the last one in this thread, if it still runs


def reduce(node: Value) -> Any:
    """Return the parts of a node for `pickle`, which calls this once for each node of a run."""
    last = _dump.get()
    dump = last() if last is not None else None
    below = None
    if dump is not None and id(node) in dump.waiting:
        dump.waiting.remove(id(node))
    else:
        if dump is None or id(node) in dump.listed:  # a node that was asked for before: this is another run
            dump = _Dump()
            _dump.set(ref(dump))
        below = _new_nodes(node, dump.listed)[:-1]
        dump.waiting.update(map(id, below))
        dump.listed.update(map(id, below), [id(node)])
    held = dump if below is not None else None
    return _rebuilt, (held, below, *_parts(node, node.parents)), _state(node)


def _rebuilt(dump: None, below: list[Value] | None, *parts: Any) -> Value:
    """Rebuild the node that `reduce` took apart; what it depends on was rebuilt before it."""
    return rebuild(*parts)
