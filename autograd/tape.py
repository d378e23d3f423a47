"""`Tape`: a computation graph as a flat list. The backward pass is in `native/recording`.

>>> from autograd import Value
>>> a, b = Value(2.0, label="a"), Value(3.0, label="b")
>>> tape = Tape(a * b + a)
>>> [node.data for node in tape.nodes]
[2.0, 3.0, 6.0, 8.0]
>>> [list(tape.operands_of(index)) for index in range(len(tape))]
[[], [], [0, 1], [2, 0]]

Steps, explanations, derivatives, drawings and copies of graphs read tapes.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable

from autograd.hooks import hooks
from autograd.native import recording, runtime
from autograd.primitives import stop_gradient
from autograd.value import Constant, Value, _WideValue

__all__ = ["topological_order"]


class Tape:
    """The nodes that some outputs depend on, parents before children, each once.

    The order is that of a depth-first search from each output in turn, which takes parents in the order of the
    operands. It is the same on every run. The depth of a graph is limited by memory alone.

    Args:
        outputs: the nodes to start from; they are recorded too.

    Attributes:
        nodes: the nodes. The tape keeps them alive.
        operands: for each operand of each node its index in `nodes`, repeats kept, node after node.
        starts: where the operands of each node start in `operands`; at the end, the length of that.

    Raises:
        TypeError: if an output is not a Value.
    """

    __slots__ = ("nodes", "operands", "starts")

    def __init__(self, *outputs: Value) -> None:
        for output in outputs:
            if not isinstance(output, Value):
                raise TypeError(f"expected a Value as output, got {output!r:.80} of type {type(output).__name__}")
        nodes, starts, operands = recording.record(outputs)
        self.nodes: list[Value] = nodes
        self.starts = array("I", starts)
        self.operands = array("I", operands)

    def __len__(self) -> int:
        return len(self.nodes)

    def operands_of(self, index: int) -> array[int]:
        """The indices of a node's operands, in their order.

        Args:
            index: the index of the node.
        """
        return self.operands[self.starts[index] : self.starts[index + 1]]

    def indices_of(self, nodes: Iterable[Value]) -> list[int]:
        """The indices of those nodes that are on the tape, in no particular order.

        Args:
            nodes: nodes, on the tape or not.
        """
        recorded = self.nodes
        indices: list[int] = []
        others: set[int] = set()
        for node in nodes:
            index = recording.last_index(node)
            if index < len(recorded) and recorded[index] is node:
                indices.append(index)
            else:
                others.add(id(node))
        if others:
            indices += [index for index, node in enumerate(recorded) if id(node) in others]
        return indices

    def dependents(self, inputs: Iterable[Value]) -> bytearray:
        """For each node 1 if it is one of some inputs or depends on one, else 0.

        A result of `stop_gradient` depends on nothing.

        Args:
            inputs: nodes, on the tape or not.
        """
        found = bytearray(len(self.nodes))
        for index in self.indices_of(inputs):
            found[index] = 1
        starts, operands = runtime.indices(self.starts), runtime.indices(self.operands)
        start = 0
        for index in range(len(found)):
            end = starts[index + 1]
            for edge in range(start, end):
                if found[operands[edge]]:
                    node = self.nodes[index]
                    if node._primitive is not stop_gradient:
                        found[index] = 1
                    break
            start = end
        return found


def topological_order(output: Value) -> list[Value]:
    """Every node that the output depends on, itself included: parents before children, each once.

    The order is that of a `Tape`.

    Raises:
        TypeError: if `output` is not a Value.
    """
    return Tape(output).nodes


def _backward(output: Value) -> None:
    recording.backward(output)


recording.prepare(Value, Constant, _WideValue)
hooks.backward = _backward
