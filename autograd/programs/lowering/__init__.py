"""Lowering: from the instructions of a program to groups that are run as one."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from autograd.programs.groups import Code
from autograd.programs.lowering.instructions import Instructions
from autograd.programs.lowering.layout import DEEP, Layout
from autograd.programs.lowering.sharing import with_shared_places
from autograd.programs.lowering.simplification import with_constants_folded, without_dead_code, without_identities
from autograd.programs.lowering.sums import with_dot_products, with_sums
from autograd.programs.program import Program

if TYPE_CHECKING:
    from autograd.programs.groups import Truths

Pass: TypeAlias = Callable[[Instructions], Instructions]
PASSES: tuple[Pass, ...] = (without_identities, with_constants_folded, without_dead_code, with_sums, with_dot_products)


def lower(
    program: Program | Instructions,
    varies: Truths | None = None,
    totals: bool = False,
    passes: Sequence[Pass] = PASSES,
    deep: float = DEEP,
    shares_places: bool = True,
) -> Code:
    """Lower a program.

    Args:
        program: the program, or its instructions.
        varies: for each input and each parameter whether it varies over the examples of a batch.
        totals: whether to sum outputs up over the examples.
        passes: what is done before instructions are grouped; each pass may be left out.
        deep: how many groups for each instruction make the program a tape; 1 for none.
        shares_places: whether numbers that are not needed at the same time may have the same place.
    """
    instructions = Instructions.of(program) if isinstance(program, Program) else program
    for change in passes:
        instructions = change(instructions)
    leaves = np.zeros(len(instructions), bool)
    if varies is not None:
        leaves[instructions.inputs] = varies
    code = Layout(instructions, leaves, totals, deep).code()
    return with_shared_places(code) if shares_places else code
