"""Instructions as arrays of NumPy: what the passes of the lowering read and give.

>>> from autograd import Value
>>> from autograd.programs.program import Program
>>> x, y = Value(2.0, label="x"), Value(3.0, label="y")
>>> instructions = Instructions.of(Program.of([x * y + x], inputs=[x, y]))
>>> instructions.names(), instructions.operands_of(3).tolist()
(['', '', 'multiply', 'add'], [2, 0])
"""

from __future__ import annotations

import operator
from collections.abc import Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from autograd.native import selection
from autograd.primitives import PRIMITIVES, Primitive
from autograd.programs.program import Program
from autograd.tape import Tape
from autograd.value import Value

if TYPE_CHECKING:
    from autograd.programs.groups import Floats, Integers, Truths
    from autograd.trees import Structure

TABLE: tuple[Primitive, ...] = tuple(PRIMITIVES.values())
ADD, MULTIPLY = PRIMITIVES["add"].index, PRIMITIVES["multiply"].index
SUM, DOT = PRIMITIVES["sum"].index, PRIMITIVES["dot"].index


class Instructions:
    """The instructions of a program: for each slot the primitive that is applied, and the slots of its operands.

    A pass keeps the numbering of the slots; what it makes unnecessary is left behind, and not reached from the outputs.

    Args:
        codes: for each slot the code of its primitive, 0 for a leaf.
        starts: where the operands of each slot start in `operands`; at the end, the length of that.
        operands: the slots of the operands, slot after slot.
        outputs: the slots of the results.
        is_constant: for each slot whether it is a constant.
        numbers: for each slot its number, if it is a constant.
        inputs: the slots of the inputs, then those of the parameters.
        others: the primitives that are not in the table; their codes follow those of the table.
    """

    def __init__(
        self,
        codes: Integers,
        starts: Integers,
        operands: Integers,
        outputs: Integers,
        is_constant: Truths,
        numbers: Floats,
        inputs: Integers,
        others: Sequence[Primitive] = (),
    ) -> None:
        self.codes, self.starts, self.operands, self.outputs = codes, starts, operands, outputs
        self.is_constant, self.numbers, self.inputs, self.others = is_constant, numbers, inputs, tuple(others)

    @classmethod
    def of(cls, program: Program) -> Instructions:
        """The instructions of a program."""
        codes, others = _codes(program.primitives)
        given = np.array([*program.inputs, *program.parameters], np.int64)
        numbers = np.zeros(len(program))
        numbers[list(program.numbers)] = list(program.numbers.values())
        is_constant = codes == 0
        is_constant[given] = False
        starts, operands = (np.array(part, np.int64) for part in (program.starts, program.operands))
        outputs = np.array(program.outputs, np.int64)
        return cls(codes, starts, operands, outputs, is_constant, numbers, given, others)

    @classmethod
    def of_graph(cls, outputs: Sequence[Value], inputs: Sequence[Value]) -> tuple[Instructions, list[Value]]:
        """The instructions of a graph, and the leaves besides the inputs that are no constants: its parameters.

        Args:
            outputs: the nodes to compute.
            inputs: leaves, each once.
        """
        tape = Tape(*outputs, *inputs)
        codes, numbers, is_constant, others = selection.running().columns(tape.nodes)
        wanted = [*outputs, *inputs]
        slots = tape.indices_of(wanted)
        if len(slots) < len(wanted) or not all(map(operator.is_, map(tape.nodes.__getitem__, slots), wanted)):
            slot_of = {id(tape.nodes[slot]): slot for slot in slots}  # they came in another order
            slots = [slot_of[id(node)] for node in wanted]
        given = np.array(slots[len(outputs) :], np.int64)
        is_parameter = (codes == 0) & ~is_constant
        is_parameter[given] = False
        is_constant[given] = False
        parameters = np.flatnonzero(is_parameter)
        instructions = cls(
            codes,
            np.frombuffer(tape.starts, np.uint32).astype(np.int64),
            np.frombuffer(tape.operands, np.uint32).astype(np.int64) if len(tape.operands) else np.zeros(0, np.int64),
            np.array(slots[: len(outputs)], np.int64),
            is_constant,
            numbers,
            np.concatenate([given, parameters]),
            others,
        )
        return instructions, [tape.nodes[slot] for slot in parameters.tolist()]

    def program(self, parameters: int, forms: tuple[Structure, Structure] | None = None) -> Program:
        """The program of these instructions, of which so many inputs at the end are parameters.

        Args:
            parameters: how many.
            forms: as of a `Program`.
        """
        count = len(self.inputs) - parameters
        starts = self.starts.tolist()
        return Program(
            [self.primitive(code) if code else None for code in self.codes.tolist()],
            [self.operands[start:end].tolist() for start, end in pairwise(starts)],
            {slot: float(self.numbers[slot]) for slot in np.flatnonzero(self.codes == 0).tolist()},
            self.inputs[:count].tolist(),
            self.inputs[count:].tolist(),
            self.outputs.tolist(),
            {},
            forms=forms,
        )

    @property
    def constants(self) -> dict[int, float]:
        """The number of each constant, by its slot."""
        slots = np.flatnonzero(self.is_constant)
        return dict(zip(slots.tolist(), self.numbers[slots].tolist(), strict=True))

    def __len__(self) -> int:
        return len(self.codes)

    def primitive(self, code: int) -> Primitive:
        """The primitive with a code."""
        return TABLE[code - 1] if code <= len(TABLE) else self.others[code - 1 - len(TABLE)]

    def names(self) -> list[str]:
        """The name of each slot's primitive; that of a leaf is empty."""
        return [self.primitive(code).name if code else "" for code in self.codes.tolist()]

    def operands_of(self, slot: int) -> Integers:
        """The slots of an instruction's operands."""
        return self.operands[self.starts[slot] : self.starts[slot + 1]]

    def counts(self) -> Integers:
        """The number of operands of each slot."""
        return np.diff(self.starts)

    def owners(self) -> Integers:
        """For each entry of `operands` the slot that it belongs to."""
        return np.repeat(np.arange(len(self)), self.counts())

    def uses(self) -> Integers:
        """How often each slot is used: as an operand, and as an output."""
        return np.bincount(self.operands, minlength=len(self)) + np.bincount(self.outputs, minlength=len(self))

    def needed(self) -> Truths:
        """For each slot whether outputs need it."""
        none = np.zeros(len(self), bool)
        needed: Truths = selection.running().analyse(self.codes, self.starts, self.operands, self.outputs, none)[2]
        return needed

    def replaced(self, **parts: Any) -> Instructions:
        """The same instructions with other parts."""
        names = ("codes", "starts", "operands", "outputs", "is_constant", "numbers", "inputs", "others")
        return Instructions(**{name: parts.get(name, getattr(self, name)) for name in names})


def _codes(primitives: Sequence[Primitive | None]) -> tuple[Integers, list[Primitive]]:
    """The code of each slot's primitive, and the primitives that are not in the table."""
    others = [primitive for primitive in set(primitives) if primitive is not None and not primitive.index]
    code_of: dict[Primitive | None, int] = {primitive: primitive.index for primitive in TABLE}
    code_of[None] = 0
    code_of.update({primitive: len(TABLE) + 1 + i for i, primitive in enumerate(others)})
    return np.fromiter(map(code_of.__getitem__, primitives), np.int64, len(primitives)), others


def from_edges(owners: Integers, operands: Integers, size: int) -> tuple[Integers, Integers]:
    """Where the operands of each slot start, and the operands, of pairs (owner, operand) in the order of evaluation.

    >>> starts, operands = from_edges(np.array([3, 2, 3]), np.array([0, 1, 2]), 4)
    >>> starts.tolist(), operands.tolist()
    ([0, 0, 0, 1, 3], [1, 0, 2])
    """
    order = np.argsort(owners, kind="stable")
    starts = np.zeros(size + 1, np.int64)
    np.cumsum(np.bincount(owners, minlength=size), out=starts[1:])
    return starts, operands[order]
