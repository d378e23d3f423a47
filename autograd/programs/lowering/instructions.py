"""Instructions as arrays of NumPy: what the passes of the lowering read and give.

>>> from autograd import Value
>>> from autograd.programs.program import Program
>>> x, y = Value(2.0, label="x"), Value(3.0, label="y")
>>> instructions = Instructions.of(Program.of([x * y + x], inputs=[x, y]))
>>> instructions.names(), instructions.operands_of(3).tolist()
(['', '', 'multiply', 'add'], [2, 0])
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from autograd.primitives import PRIMITIVES, Primitive
from autograd.programs.program import Program

if TYPE_CHECKING:
    from autograd.programs.groups import Integers

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
        constants: for each constant its number, by slot.
        inputs: the slots of the inputs, then those of the parameters.
        others: the primitives that are not in the table; their codes follow those of the table.
    """

    def __init__(
        self,
        codes: Integers,
        starts: Integers,
        operands: Integers,
        outputs: Integers,
        constants: dict[int, float],
        inputs: Integers,
        others: Sequence[Primitive] = (),
    ) -> None:
        self.codes, self.starts, self.operands = codes, starts, operands
        self.outputs, self.constants, self.inputs, self.others = outputs, constants, inputs, tuple(others)

    @classmethod
    def of(cls, program: Program) -> Instructions:
        """The instructions of a program."""
        others = list(dict.fromkeys(p for p in set(program.primitives) if p is not None and not p.index))
        code_of: dict[Primitive | None, int] = {primitive: primitive.index for primitive in TABLE}
        code_of[None] = 0
        code_of.update({primitive: len(TABLE) + 1 + i for i, primitive in enumerate(others)})
        codes = np.fromiter(map(code_of.__getitem__, program.primitives), np.int64, len(program))
        given = np.array([*program.inputs, *program.parameters], np.int64)
        is_given = np.zeros(len(program), bool)
        is_given[given] = True
        constants = {slot: number for slot, number in program.numbers.items() if not is_given[slot]}
        starts, operands = (np.array(numbers, np.int64) for numbers in (program.starts, program.operands))
        return cls(codes, starts, operands, np.array(program.outputs, np.int64), constants, given, others)

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

    def replaced(self, **parts: Any) -> Instructions:
        """The same instructions with other parts."""
        names = ("codes", "starts", "operands", "outputs", "constants", "inputs", "others")
        return Instructions(**{name: parts.get(name, getattr(self, name)) for name in names})


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
