"""Recording a graph, and the backward pass, in plain Python; `recording.h` does the same for the compiled engine.

Recorded nodes are known by their identity, in a dict that belongs to the call. An index stored in the node would not be
safe here, where another thread may run between any two instructions.
"""

from __future__ import annotations

import os
import sys
from _thread import RLock
from array import array
from collections import deque
from collections.abc import Iterable, Iterator
from itertools import chain, repeat
from operator import add
from typing import Any

from autograd.primitives import stop_gradient
from autograd.value import Constant, Value

_get_grad: Any
_set_grad: Any
_set_has_grad: Any
_writing = RLock()  # held while gradients are written: a gradient is read, added to, and written


def _renew_lock() -> None:
    global _writing  # noqa: PLW0603  # the lock belongs to the process
    _writing = RLock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_renew_lock)  # no thread is left there that could release it


def prepare(value: type, constant: type, wide: type) -> None:
    """Look up once what a backward pass needs of the classes of nodes: here, how to read and write a gradient."""
    global _get_grad, _set_grad, _set_has_grad  # noqa: PLW0603  # set once, by the module tape
    _get_grad, _set_grad = vars(value)["_grad"].__get__, vars(value)["_grad"].__set__
    _set_has_grad = vars(value)["_has_grad"].__set__


def record(outputs: tuple[Value, ...]) -> tuple[list[Value], array[int], array[int]]:
    """Record what outputs depend on.

    Args:
        outputs: the nodes to start from.

    Returns:
        The nodes, parents before children; where the operands of each node start, and the end; each operand's index.
    """
    nodes, _ = _search(outputs, with_constants=True)
    index = {id(node): i for i, node in enumerate(nodes)}
    starts, operands = array("I", [0]), array("I")
    for node in nodes:
        operands.extend([index[id(parent)] for parent in node.parents])
        starts.append(len(operands))
    return nodes, starts, operands


def last_index(node: Value) -> int:
    """The index that a node may have in what recorded it last; here nodes do not keep it, and this is no such index."""
    return sys.maxsize


def backward(output: Value) -> None:
    """Add the gradients of an output to its leaves, and set those of the other nodes: all of them, or none."""
    nodes, grads = _search((output,), with_constants=False)
    grads[id(output)] = 1.0
    inner, to_set = [], []
    for node in reversed(nodes):
        primitive = node._primitive
        if primitive is None:
            continue
        grad = grads[id(node)]
        inner.append(node)
        to_set.append(grad)
        if primitive.arity == 2:
            left, right = id(node._left), id(node._right)
            if left in grads:
                grads[left] += grad * primitive.slopes[0](node._data, node._x, node._y)
            if right in grads:
                grads[right] += grad * primitive.slopes[1](node._data, node._x, node._y)
        elif primitive.arity == 1:
            left = id(node._left)
            if left in grads and primitive is not stop_gradient:
                grads[left] += grad * primitive.slopes[0](node._data, node._x)
        else:
            for parent, slope in zip(node.parents, node.slopes, strict=True):
                if id(parent) in grads:
                    grads[id(parent)] += grad * slope
    leaves = [node for node in nodes if node._primitive is None]
    sums = map(add, map(_get_grad, leaves), [grads[id(leaf)] for leaf in leaves])
    flags = map(_set_has_grad, nodes, repeat(True))
    with _writing:  # one call that runs no Python code, so that an interrupt comes before it or after it
        deque(chain(map(_set_grad, leaves, sums), map(_set_grad, inner, to_set), flags), maxlen=0)


def _search(outputs: Iterable[Value], with_constants: bool) -> tuple[list[Value], dict[int, float]]:
    """The nodes in the order of a depth-first search that takes parents in the order of the operands.

    Returns:
        The nodes; and for each of them 0.0, by its identity, since a subclass may redefine its hash.
    """
    nodes: list[Value] = []
    found: dict[int, float] = {}
    rest: dict[int, Iterator[Value]] = {}  # of the wide nodes on the path, the parents to look at next
    for output in outputs:
        path = [output] if id(output) not in found else []
        while path:
            node = path[-1]
            primitive = node._primitive
            parents: Iterable[Value]
            if primitive is None:
                parents = ()
            elif primitive.arity == 2:
                parents = node._left, node._right  # type: ignore[assignment]  # neither is None
            elif primitive.arity == 1:
                parents = (node._left,)
            else:
                parents = rest.setdefault(id(node), iter(node.parents))
            for parent in parents:
                if id(parent) not in found:
                    if parent._primitive is not None:
                        path.append(parent)
                        break
                    if with_constants or not isinstance(parent, Constant):
                        found[id(parent)] = 0.0
                        nodes.append(parent)
            else:
                path.pop()
                found[id(node)] = 0.0
                nodes.append(node)
    return nodes, found
