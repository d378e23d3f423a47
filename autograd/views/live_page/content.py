"""What a page holds of a graph: its program, its names, its formulas, and where its nodes stand."""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from autograd.notation import base_and_index
from autograd.primitives import Primitive
from autograd.value import Parameter, Value, is_constant
from autograd.views.live_page.placement import place
from autograd.views.live_page.stations import StationGraph
from autograd.views.live_page.templates import MARK, Templates

ERROR = "^E($|_)|(?i:error|loss|cost)"  # in the label of an output that a training is to make smaller


class NeuronNodes(NamedTuple):
    """The nodes of a neuron, for the picture of a network.

    Attributes:
        net: its weighted sum.
        out: what its activation makes of that; the sum itself where there is none.
        weights: its parameters, one for each input, in their order.
        bias: its bias, or None.
    """

    net: Value
    out: Value
    weights: Sequence[Value]
    bias: Value | None


class GraphContent:
    """A graph as a page holds it; `live_page` explains the arguments.

    Attributes:
        program: the graph as a program.
        learning: the leaves that a training changes.
        can_train: whether there is something to learn, as `live_page` explains.
        forms: the primitives that the program applies, each with a number of operands.
    """

    def __init__(
        self,
        output: Value,
        learning: Iterable[Value] | None = None,
        inputs: Iterable[Value] = (),
        layers: Sequence[Sequence[NeuronNodes]] = (),
        predictions: Iterable[tuple[Value, Value]] = (),
    ) -> None:
        self.inputs, self.predictions, self.layers = list(inputs), list(predictions), layers
        self.graph = StationGraph(output, self.inputs)
        self.output = output
        leaves = [node for node in self.graph.nodes if node.primitive is None]
        parameters: list[Value] = [node for node in leaves if isinstance(node, Parameter)]
        targets = {leaf for leaf in leaves if (leaf.label or "").lower().startswith("target")}
        has_aim = bool(parameters or self.inputs or targets or re.search(ERROR, output.label or ""))
        self.can_train = learning is not None or has_aim
        if learning is None:
            variables = parameters or [node for node in leaves if not (is_constant(node) or node in targets)]
            learning = [node for node in variables if node not in self.inputs]
        self.learning = list(learning)
        for node in (*self.inputs, *self.learning):
            if node not in self.graph.slots or node.primitive is not None:
                raise ValueError(f"{node!r:.80} is not a leaf of this graph; name a leaf that its output depends on")
        for node in self.learning:
            if is_constant(node) or node in self.inputs:
                kind = "a constant" if is_constant(node) else "given by the cases"
                raise ValueError(f"{node!r:.80} cannot learn: it is {kind}; name variables or parameters that are not")
        for node in itertools.chain.from_iterable(self.predictions):
            if node not in self.graph.slots:
                raise ValueError(
                    f"a prediction names {node!r:.80}, which is not in this graph; give pairs of an output and a target"
                )
        inner = {*self.learning, *parameters}
        from autograd.programs import Program  # it needs NumPy

        self.program = Program.of([output], [n for n in leaves if n in self.graph.stations and n not in inner])
        self.forms: dict[tuple[Primitive, int], None] = {}
        for slot, primitive in enumerate(self.program.primitives):
            if primitive is not None:
                self.forms[primitive, len(self.program.operands_of(slot))] = None

    def to_dict(self) -> dict[str, Any]:
        """Return all of it as numbers, strings, lists and dicts."""
        graph, slots, templates = self.graph, self.graph.slots, Templates(self.graph)
        operations = [node for node in graph.nodes if node.primitive is not None]
        stations = [node for node in operations if node in graph.stations]
        names = [graph.names.of(node).plain for node in graph.nodes]
        targets = [n for n in graph.nodes if n in graph.stations and not is_constant(n) and n is not graph.output]
        program = {**json.loads(self.program.to_json()), "layers": self._layers_of_parameters()}
        content: dict[str, Any] = {
            "program": {key: it for key, it in program.items() if key not in ("format", "version", "labels")},
            "names": names,
            "bases": [len((base_and_index(name) or [""])[0]) for name in names],  # where their indices begin
            "constants": [slots[node] for node in graph.nodes if is_constant(node)],
            "learning": [slots[node] for node in self.learning],
            "canTrain": self.can_train and bool(self.learning),
            "columns": [slots[node] for node in self.inputs],
            "predictions": [[slots[out], slots[target]] for out, target in self.predictions],
            "stations": [[slots[n], [slots[parent] for parent in graph.parents(n)]] for n in stations],
            "formulas": [templates.folded_operation(node) for node in stations],
            "slopes": [templates.folded_slopes(node) for node in stations],
            "derivations": _shortened(templates.derivations(targets)),
        }
        repeats = any(len({*node.parents}) < len(node.parents) for node in operations)
        if len(stations) < len(operations) or repeats:  # with every operation unfolded, and each use of an operand
            content["operations"] = [templates.operation(node) for node in operations]
            content["operationSlopes"] = [templates.slopes(node) for node in operations]
        network = self._network()
        if network:
            content["network"] = network
        else:
            content["placement"] = place(graph, dict(zip(stations, content["formulas"], strict=True)))
        return content

    def _layers_of_parameters(self) -> list[int]:
        """Return the layer of each parameter, counted from 0; none if there are parameters outside the layers."""
        found = {
            self.graph.slots.get(leaf): depth
            for depth, layer in enumerate(self.layers)
            for neuron in layer
            for leaf in (*neuron.weights, neuron.bias)
            if leaf is not None
        }
        parameters = self.program.parameters
        return [found[slot] for slot in parameters] if found.keys() == set(parameters) else []

    def _network(self) -> dict[str, Any] | None:
        """Return the inputs and neurons by their slots; None if the graph is not what its layers say."""
        if not self.layers:
            return None
        slots = self.graph.slots
        first = self.layers[0][0]
        inputs = [node for node in self.graph.operands(first.net) if node not in (*first.weights, first.bias)]
        sources = inputs
        for layer in self.layers:
            for neuron in layer:
                own = {*neuron.weights, neuron.bias}
                operands = [node for node in self.graph.operands(neuron.net) if node not in own]
                if operands != sources or len(operands) != len(neuron.weights):
                    return None
            sources = [neuron.out for neuron in layer]
        layers = [
            [
                [slots[net], slots[out], [slots[weight] for weight in weights], None if bias is None else slots[bias]]
                for net, out, weights, bias in layer
            ]
            for layer in self.layers
        ]
        return {"inputs": [slots[node] for node in inputs], "layers": layers}


def _shortened(derivations: dict[str, list[Any]]) -> dict[str, list[Any]]:
    """Write a row as its name, its computation, and its terms or its formula.

    The name of a derivative between two nodes is left out: it says the same as the computation.
    """
    rows = []
    for name, terms, formula, computation in derivations["rows"]:
        is_plain = computation and name == f"∂{MARK}{computation[0]}/∂{MARK}{computation[-1]}"
        rows.append(["" if is_plain else name, computation, terms or formula])
    return {**derivations, "rows": rows}
