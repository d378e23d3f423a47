"""The nodes that a page shows of a graph, and how the others fold into them.

>>> from autograd import Value
>>> a, b = Value(2.0, label="a"), Value(3.0, label="b")
>>> c = a * b + 1.0
>>> c.label = "c"
>>> graph = StationGraph(c.log())
>>> [node.label for node in graph.nodes if node in graph.stations], len(graph.folded(c))
(['a', 'b', 'c', None], 1)
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from autograd.notation import Names
from autograd.tape import Tape
from autograd.value import Value, is_constant
from autograd.views.writing import FOLDED_NODES


class StationGraph:
    """A graph with its stations.

    A station is a leaf that is a variable, a parameter or a constant with a label; the output; or an operation with a
    label. If no operation but the output has a label, each operation is a station, and so are those without a label
    where more than `FOLDED_NODES` of them lie below a station. Inputs are leaves that are stations whatever they are.
    """

    def __init__(self, output: Value, inputs: Iterable[Value] = ()) -> None:
        self.output = output
        self.nodes = Tape(output).nodes
        self.slots = {node: slot for slot, node in enumerate(self.nodes)}
        self.names = Names(output, self.nodes)
        operations = [node for node in self.nodes if node.primitive is not None]
        labelled = [node for node in operations if node.label and node is not output]
        self.stations = {output, *inputs, *(labelled or operations)}
        self.stations.update(n for n in self.nodes if n.primitive is None and (n.label or not is_constant(n)))
        for node in reversed(operations):
            folded = self.folded(node) if node in self.stations else []
            if len(folded) > FOLDED_NODES:
                self.stations.update(folded)

    def _below(self, station: Value) -> Iterator[Value]:
        """Yield the nodes below a station down to the next stations, depth first in the order of the operands."""
        seen: set[Value] = set()
        waiting = [*reversed(station.parents)]
        while waiting:
            node = waiting.pop()
            if node not in seen:
                seen.add(node)
                yield node
                if node not in self.stations:
                    waiting += reversed(node.parents)

    def folded(self, station: Value) -> list[Value]:
        """Return the operations between a station and the stations below it, in topological order."""
        found = [n for n in self._below(station) if n.primitive is not None and n not in self.stations]
        return sorted(found, key=self.slots.__getitem__)

    def operands(self, station: Value) -> list[Value]:
        """Return the stations next below a station, in the order of the operands."""
        return [node for node in self._below(station) if node in self.stations]

    def parents(self, station: Value) -> list[Value]:
        """Return those of its operands that get a gradient from it: all but constants."""
        return [node for node in self.operands(station) if not is_constant(node)]
