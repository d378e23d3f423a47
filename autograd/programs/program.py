"""`Program`: a graph as a list of instructions, which other engines can run.

>>> from autograd import Value
>>> x, w = Value(3.0, label="x"), Value(0.5, label="w")
>>> program = Program.of([(w * x).tanh() + w], inputs=[x])
>>> print(program)
0: parameter w = 0.5
1: input x = 3.0
2: multiply 0 1
3: tanh 2
4: add 3 0
outputs: 4
>>> program.run([0.0]), program.gradient([0.0])
((0.5,), ((0.5,), (1.0,)))
"""

from __future__ import annotations

import math
from array import array
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from autograd.floats import as_float
from autograd.hooks import hooks
from autograd.primitives import PRIMITIVES, Primitive, stop_gradient
from autograd.saving import finite_number, shortened
from autograd.tape import Tape
from autograd.value import Value, is_constant

if TYPE_CHECKING:
    from autograd.trees import Structure

__all__ = ["Program"]

FORMAT, VERSION = "stepgrad program", 1
MOST_SLOTS = 2**31  # so that an index fits into 32 bits everywhere
NOT_FINITE = {"inf": math.inf, "-inf": -math.inf, "nan": math.nan}  # as strings in JSON, which has no numbers for them


class Program:
    """A graph without its nodes.

    A program computes numbers in *slots*, which have the indices 0, 1, … in topological order. A slot is a leaf or the
    result of an instruction. A leaf is an input, a parameter or a constant, and holds a number; other numbers may be
    given for inputs and parameters when the program runs. An instruction applies a primitive to earlier slots. Slots of
    a program that was made from a graph stand for its nodes, in the order of a `Tape`.

    A program is immutable and refers to no Value. Whatever runs graphs elsewhere starts from one: other engines need
    the primitives and the indices, not the nodes.

    Args:
        primitives: for each slot the primitive of its instruction; None for a leaf.
        operands: for each slot the indices of its operands, in their order, repeats kept; none for a leaf.
        numbers: for each leaf its number, by slot.
        inputs: the slots of the inputs, in the order in which `run` takes them.
        parameters: the slots of the parameters. The other leaves are constants.
        outputs: the slots of the results.
        labels: the labels of slots that have one, by slot.
        layers: for each parameter the layer of a network that it belongs to, counted from 0; none for other graphs.
        forms: how the arguments and the results of a function are nested that was recorded, whose numbers are the
            inputs and the outputs; None for other graphs.

    Raises:
        ValueError: if these make no well-formed program; the message names the slot. An operand must be an earlier
            slot, the number of operands must be that of the primitive, and each leaf must have a number.
    """

    __slots__ = (
        "forms", "inputs", "labels", "layers", "numbers", "operands", "outputs", "parameters", "primitives", "starts",
    )  # fmt: skip

    def __init__(
        self,
        primitives: Sequence[Primitive | None],
        operands: Sequence[Sequence[int]],
        numbers: Mapping[int, float],
        inputs: Sequence[int],
        parameters: Sequence[int],
        outputs: Sequence[int],
        labels: Mapping[int, str],
        layers: Sequence[int] = (),
        forms: tuple[Structure, Structure] | None = None,
    ) -> None:
        self.primitives = tuple(primitives)
        self.numbers = dict(numbers)
        self.inputs, self.parameters, self.outputs = tuple(inputs), tuple(parameters), tuple(outputs)
        self.labels, self.layers, self.forms = dict(labels), tuple(layers), forms
        self.starts, self.operands = array("I", [0]), array("I")
        if len(primitives) > MOST_SLOTS:
            raise _malformed(f"it has {len(primitives)} slots, at most {MOST_SLOTS} are possible")
        if len(operands) != len(primitives):
            raise _malformed(f"{len(primitives)} slots have operands for {len(operands)}")
        for slot, (primitive, indices) in enumerate(zip(primitives, operands, strict=True)):
            _check_instruction(slot, primitive, indices)
            self.operands.extend(indices)
            self.starts.append(len(self.operands))
        self._check_leaves()

    @classmethod
    def of(
        cls, outputs: Iterable[Value], inputs: Iterable[Value] = (), layers: Iterable[Iterable[Value]] = ()
    ) -> Program:
        """The program of a graph.

        Args:
            outputs: the nodes to compute.
            inputs: the nodes whose numbers `run` takes. What they were computed from is left out.
            layers: the parameters of each layer of a network, if it is one; all of its parameters.

        Returns:
            The program. Leaves that are neither inputs nor constants are its parameters.
        """
        outputs, inputs = list(outputs), list(inputs)
        tape = Tape(*outputs, *inputs)
        index = {id(node): i for i, node in enumerate(tape.nodes)}
        given = {index[id(node)] for node in inputs}
        needed = bytearray(len(tape))
        for i in (*given, *(index[id(node)] for node in outputs)):
            needed[i] = 1
        for i in reversed(range(len(tape))):
            if needed[i] and i not in given:
                for operand in tape.operands_of(i):
                    needed[operand] = 1
        slots: dict[int, int] = {}
        for i in range(len(tape)):
            if needed[i]:
                slots[i] = len(slots)
        nodes = [tape.nodes[i] for i in slots]
        layer_of = {id(parameter): depth for depth, layer in enumerate(layers) for parameter in layer}
        is_leaf = [i in given or tape.nodes[i].primitive is None for i in slots]
        parameters = [
            slot
            for slot, (i, leaf) in enumerate(zip(slots, is_leaf, strict=True))
            if leaf and i not in given and not is_constant(nodes[slot])
        ]
        return cls(
            [None if leaf else node.primitive for node, leaf in zip(nodes, is_leaf, strict=True)],
            [[] if leaf else [slots[o] for o in tape.operands_of(i)] for i, leaf in zip(slots, is_leaf, strict=True)],
            {slot: node.data for slot, (node, leaf) in enumerate(zip(nodes, is_leaf, strict=True)) if leaf},
            [slots[index[id(node)]] for node in inputs],
            parameters,
            [slots[index[id(node)]] for node in outputs],
            {slot: str(node.label) for slot, node in enumerate(nodes) if node.label},
            [layer_of.get(id(nodes[slot]), -1) for slot in parameters] if layer_of else (),
        )

    def __len__(self) -> int:
        return len(self.primitives)

    def operands_of(self, slot: int) -> array[int]:
        """The slots of an instruction's operands, in their order; none for a leaf."""
        return self.operands[self.starts[slot] : self.starts[slot + 1]]

    def run(
        self, inputs: Sequence[float] | None = None, parameters: Sequence[float] | None = None
    ) -> tuple[float, ...]:
        """Compute the outputs.

        Args:
            inputs: a number for each input; those that the program holds when not given.
            parameters: likewise for each parameter.

        Returns:
            The outputs: to the last bit what the graph computes. Outside a domain a primitive is nan, as in IEEE 754.

        Raises:
            ValueError: if there is not one number for each input or parameter.
            TypeError: if one is not a real number.
        """
        numbers = self._forward(inputs, parameters)
        return tuple([numbers[slot] for slot in self.outputs])

    def gradient(
        self, inputs: Sequence[float] | None = None, parameters: Sequence[float] | None = None
    ) -> tuple[tuple[float, ...], tuple[float, ...]]:
        """Compute the gradient of the one output by reverse accumulation.

        Args:
            inputs: as for `run`.
            parameters: as for `run`.

        Returns:
            The derivatives with respect to the inputs and with respect to the parameters: to the last bit what
            `backward()` computes.

        Raises:
            ValueError: if there is more than one output; or as `run`.
            TypeError: as `run`.
        """
        if len(self.outputs) != 1:
            raise ValueError(f"a gradient needs a program with one output, this one has {len(self.outputs)}")
        numbers = self._forward(inputs, parameters)
        varies = bytearray(primitive is not None for primitive in self.primitives)
        for slot in (*self.inputs, *self.parameters):
            varies[slot] = 1
        grads = [0.0] * len(self)
        is_reached = bytearray(len(self))
        grads[self.outputs[0]], is_reached[self.outputs[0]] = 1.0, 1
        for slot in reversed(range(len(self))):
            primitive = self.primitives[slot]
            operands = self.operands_of(slot)
            wanted = [i for i, operand in enumerate(operands) if varies[operand]]
            if primitive is None or primitive is stop_gradient or not is_reached[slot] or not wanted:
                continue
            slopes = primitive.some_slopes(wanted, numbers[slot], *[numbers[operand] for operand in operands])
            for i, slope in zip(wanted, slopes, strict=True):
                grads[operands[i]] += grads[slot] * slope
                is_reached[operands[i]] = 1
        return tuple([grads[slot] for slot in self.inputs]), tuple([grads[slot] for slot in self.parameters])

    def listing(self, varying: Sequence[int] = (), *, timed: bool = True, most: int | None = None) -> str:
        """A table of the groups of equal instructions that the program is lowered to, and of what lowering did before.

        Args:
            varying: the numbers of the inputs that differ from example to example, for the program of a batch.
            timed: whether to measure each group by itself, and list the heaviest first; else in the order in which they
                run, so that the same program gives the same text.
            most: how many groups to list by themselves; all when not given.

        Returns:
            The text: for each group its share of the time (or its level), how many instructions it stands for, what it
            computes, how it reads its operands and what runs it. It takes about a second for 500 groups.
        """
        return hooks.listing(self, varying, timed, most)

    def to_jax(self) -> Callable[..., Any]:
        """The program as a function on arrays of JAX, for `jit`, `grad`, `vmap`, `shard_map` and whatever JAX runs on.

        JAX differentiates it by the slopes of the table, so its gradients are ours. All numbers have the type of the
        arguments: float64 if JAX's setting `jax_enable_x64` is on, else float32.

        Returns:
            A function. That of `compile(f).program(…)` takes the arguments of `f` and gives its results, in the same
            nesting. That of another program takes an array of the inputs, if there are any, and gives an array of the
            outputs. If the program has parameters, an array of these is the first argument.

        Raises:
            ImportError: if JAX, which the extra `stepgrad[jax]` installs, is missing.
            TypeError: if the program has a primitive that is not in the table; the message names it.
        """
        return hooks.to_jax(self)

    def to_json(self) -> str:
        """The program as JSON: arrays of numbers, without NaN, the same for the same program.

        Raises:
            TypeError: if an instruction applies a primitive that is not in the table; the message names it.
        """
        import json

        used = dict.fromkeys(primitive for primitive in self.primitives if primitive is not None)
        for primitive in used:
            if not primitive.index:
                raise TypeError(
                    f"cannot write {primitive!r} as JSON: it is not in the table of primitives, and only Python knows "
                    f"its function"
                )
        code = {primitive: i for i, primitive in enumerate(used, start=1)}
        content = {
            "format": FORMAT,
            "version": VERSION,
            "primitives": [primitive.name for primitive in used],
            "instructions": [code[primitive] if primitive else 0 for primitive in self.primitives],
            "counts": [self.starts[slot + 1] - self.starts[slot] for slot in range(len(self))],
            "operands": list(self.operands),
            "numbers": [_written(self.numbers[slot]) for slot in sorted(self.numbers)],
            "inputs": self.inputs,
            "parameters": self.parameters,
            "outputs": self.outputs,
            "labels": {str(slot): label for slot, label in sorted(self.labels.items())},
            "layers": self.layers,
        }
        return json.dumps(content, allow_nan=False, separators=(",", ":"))

    @classmethod
    def from_json(cls, text: str) -> Program:
        """The program that `to_json` wrote.

        Raises:
            ValueError: if the text is not such a program.
        """
        import json

        try:
            content = json.loads(text, parse_constant=_refuse)
        except (ValueError, RecursionError) as error:
            raise _malformed(f"it is not JSON ({str(error)[:100]})") from None
        if not isinstance(content, dict) or content.get("format") != FORMAT:
            raise _malformed(f"it is not of the format {FORMAT!r}")
        if type(content.get("version")) is not int or content["version"] != VERSION:
            raise _malformed(
                f"it has version {shortened(content.get('version'))}, this stepgrad reads version {VERSION}"
            )
        names = _list_of(content, "primitives", str)
        unknown = [name for name in names if name not in PRIMITIVES]
        if unknown:
            raise _malformed(f"there is no primitive {shortened(unknown[0])}")
        codes, counts = _list_of(content, "instructions", int), _list_of(content, "counts", int)
        flat = _list_of(content, "operands", int)
        if len(counts) != len(codes) or not all(count >= 0 for count in counts) or sum(counts) != len(flat):
            raise _malformed(
                f"{len(codes)} instructions have {len(flat)} operands, which their counts do not add up to"
            )
        if not all(0 <= code <= len(names) for code in codes):
            raise _malformed("an instruction has no primitive")
        primitives = [PRIMITIVES[names[code - 1]] if code else None for code in codes]
        rest = iter(flat)
        operands = [[next(rest) for _ in range(count)] for count in counts]
        leaves = [slot for slot, code in enumerate(codes) if not code]
        numbers = [_read(number) for number in _list_of(content, "numbers", object)]
        if len(numbers) != len(leaves):
            raise _malformed(f"{len(leaves)} leaves have {len(numbers)} numbers")
        labels = content.get("labels")
        if not isinstance(labels, dict) or not all(slot.isdecimal() and len(slot) < 11 for slot in labels):
            raise _malformed("its labels do not belong to slots")
        return cls(
            primitives,
            operands,
            dict(zip(leaves, numbers, strict=True)),
            _list_of(content, "inputs", int),
            _list_of(content, "parameters", int),
            _list_of(content, "outputs", int),
            {int(slot): label for slot, label in labels.items()},
            _list_of(content, "layers", int),
        )

    def __str__(self) -> str:
        lines = []
        kinds = {**dict.fromkeys(self.inputs, "input"), **dict.fromkeys(self.parameters, "parameter")}
        for slot, primitive in enumerate(self.primitives):
            label = f" {self.labels[slot]}" if slot in self.labels else ""
            if primitive is None:
                lines.append(f"{slot}: {kinds.get(slot, 'constant')}{label} = {self.numbers[slot]!r}")
            else:
                lines.append(
                    f"{slot}: {' '.join([primitive.name, *map(str, self.operands_of(slot))])}{label and ' ->'}{label}"
                )
        return "\n".join([*lines, f"outputs: {' '.join(map(str, self.outputs))}"])

    def __repr__(self) -> str:
        return (
            f"<Program of {len(self) - len(self.numbers)} instructions, {len(self.inputs)} inputs, "
            f"{len(self.parameters)} parameters, {len(self.outputs)} outputs>"
        )

    def _forward(self, inputs: Sequence[float] | None, parameters: Sequence[float] | None) -> list[float]:
        """The number of each slot."""
        numbers = [math.nan] * len(self)
        for slot, number in self.numbers.items():
            numbers[slot] = number
        for slots, given, name in ((self.inputs, inputs, "input"), (self.parameters, parameters, "parameter")):
            if given is not None:
                if len(given) != len(slots):
                    raise ValueError(f"this program takes a number for each {name}, {len(slots)}; got {len(given)}")
                for slot, number in zip(slots, given, strict=True):
                    numbers[slot] = as_float(number)
        for slot, primitive in enumerate(self.primitives):
            if primitive is not None:
                numbers[slot] = primitive(*[numbers[operand] for operand in self.operands_of(slot)])
        return numbers

    def _check_leaves(self) -> None:
        size = len(self)
        for name, slots in (("input", self.inputs), ("parameter", self.parameters), ("output", self.outputs)):
            for slot in slots:
                if type(slot) is not int or not 0 <= slot < size:
                    raise _malformed(f"{name} {shortened(slot)} is not a slot")
                if name != "output" and self.primitives[slot] is not None:
                    raise _malformed(f"{name} {slot} is the result of an instruction")
        if len({*self.inputs, *self.parameters}) < len(self.inputs) + len(self.parameters):
            raise _malformed("a slot is an input or parameter twice")
        for slot, primitive in enumerate(self.primitives):
            if (primitive is None) is not (slot in self.numbers):
                raise _malformed(
                    f"slot {slot} has {'no number' if primitive is None else 'a number and an instruction'}"
                )
        if self.layers and len(self.layers) != len(self.parameters):
            raise _malformed(f"{len(self.parameters)} parameters have layers for {len(self.layers)}")
        for layer in self.layers:
            if type(layer) is not int or not 0 <= layer < size:
                raise _malformed(f"a parameter belongs to the layer {shortened(layer)}")
        for slot, number in self.numbers.items():
            if type(slot) is not int or not 0 <= slot < size or type(number) is not float:
                raise _malformed(f"the number of slot {shortened(slot)} is {shortened(number)}")
        for slot, label in self.labels.items():
            if type(slot) is not int or not 0 <= slot < size or not isinstance(label, str):
                raise _malformed(f"the label of slot {shortened(slot)} is {shortened(label)}")


def _check_instruction(slot: int, primitive: Primitive | None, operands: Sequence[int]) -> None:
    if primitive is not None and not isinstance(primitive, Primitive):
        raise _malformed(f"slot {slot} applies {shortened(primitive)}, which is not a primitive")
    for operand in operands:
        if type(operand) is not int or not 0 <= operand < slot:
            raise _malformed(f"an operand of slot {slot} is {shortened(operand)}, which is not an earlier slot")
    count = len(operands)
    if primitive is None:
        fits = count == 0
    elif primitive.arity is None:
        fits = count > 0 and count % primitive.lists == 0
    else:
        fits = count == primitive.arity
    if not fits:
        raise _malformed(f"slot {slot} applies {primitive or 'nothing'} to {count} operands")


def _malformed(what: str) -> ValueError:
    return ValueError(f"this is not a well-formed program: {what}; write it again with Program.to_json")


def _list_of(content: dict[str, Any], name: str, kind: type) -> list[Any]:
    items = content.get(name)
    if not isinstance(items, list) or not all(kind is object or type(item) is kind for item in items):
        raise _malformed(f"its {name} are {shortened(items)}")
    return items


def _written(number: float) -> float | str:
    if math.isfinite(number):
        return number
    return "nan" if math.isnan(number) else "inf" if number > 0.0 else "-inf"


def _read(number: object) -> float:
    if isinstance(number, str) and number in NOT_FINITE:
        return NOT_FINITE[number]
    try:
        return finite_number(number)
    except ValueError as error:
        raise _malformed(str(error)) from None


def _refuse(constant: str) -> None:
    raise ValueError(f"it holds {constant}")
