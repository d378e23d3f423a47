"""Checking that code is well formed. What runs it follows its places without looking."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from autograd.primitives import PRIMITIVES, Primitive
from autograd.programs.groups import (
    CONTIGUOUS,
    GATHERED,
    SINGLE,
    Code,
    Dots,
    Group,
    Map,
    Matrix,
    Operand,
    OuterTotals,
    Sum,
    Tape,
    Totals,
)

MOST_NUMBERS = 2**31  # that the memories hold, of one lane
MOST_LANES = 1024  # the arrays of running.h


def validate(code: Code, lanes: int) -> None:
    """Check that every place is within its memory, and that counts agree.

    Args:
        code: the lowered program.
        lanes: how many lanes the varying memory has.

    Raises:
        ValueError: if the code is not well formed; the message names the part.
    """
    if not 0 <= lanes <= MOST_LANES:
        raise ValueError(f"there are at most {MOST_LANES} lanes, not {lanes}")
    try:
        _Validation(code, lanes)
    except (AttributeError, IndexError, OverflowError, TypeError) as error:  # a part is of another type
        raise ValueError(f"this is not well-formed code: {error}") from error


class _Validation:
    def __init__(self, code: Code, lanes: int) -> None:
        self.code, self.lanes = code, lanes
        self.sizes = code.uniform_size, code.varying_size
        _demand(min(self.sizes) >= 0, f"its memories hold {self.sizes} numbers")
        if sum(self.sizes) > MOST_NUMBERS:
            raise MemoryError(f"the program needs memory for {self.sizes[0]} and {self.sizes[1]} numbers")
        for count, size in zip((code.inputs, code.varying_inputs), self.sizes, strict=True):
            _demand(0 <= count <= size, f"its inputs are {count} of {size} numbers")
        for place in code.constants:
            self._within(place, 1, False, "a constant")
        for groups, varies in ((code.groups, False), (code.varying_groups, True)):
            for group in groups:
                self._group(group, varies)
        for total in code.totals:
            self._total(total)
        _demand(len(code.outputs) == len(code.output_varies), "its outputs do not say whether they vary")
        varying = np.asarray(code.output_varies, bool)
        if code.totals:
            varying = np.zeros(len(varying), bool)
        self._places(code.outputs[~varying], False, "an output")
        self._places(code.outputs[varying], True, "an output")

    def _within(self, place: int, count: int, varies: bool, what: str) -> None:
        size = self.sizes[varies]
        fits = type(place) is int and count >= 0 and 0 <= place <= size - count
        _demand(fits, f"{what} of {count} numbers is at {place}, which is not within {size}")

    def _places(self, places: object, varies: bool, what: str) -> None:
        array, size = _integers(places, what), self.sizes[varies]
        if array.size:
            low, high = int(array.min()), int(array.max())
            _demand(low >= 0 and high < size, f"{what} is at places from {low} to {high}, which are not within {size}")

    def _group(self, group: Group, varies: bool) -> None:
        name = type(group).__name__
        _demand(group.varies is varies, f"a {name} stands among the groups of the other memory")
        _demand(not varies or self.lanes > 0, f"a {name} varies, but there are no lanes")
        _demand(type(group.count) is int and group.count > 0, f"a {name} has {group.count} members")
        self._within(group.out, group.count, varies, f"the result of a {name}")
        if isinstance(group, Map):
            self._map(group)
        elif isinstance(group, Sum):
            _demand(len(group.terms) > 0, "a Sum has no terms")
            self._operands(group.terms, group.count, varies)
        elif isinstance(group, Dots):
            _demand(len(group.lefts) == len(group.rights) > 0, "the factors of Dots are not pairs")
            self._operands([*group.lefts, *group.rights], group.count, varies)
        elif isinstance(group, Matrix):
            self._matrix(group)
        elif isinstance(group, Tape):
            self._tape(group)
        else:
            raise ValueError(f"there is no group of the type {name}")

    def _operands(self, operands: Sequence[Operand], count: int, varies: bool) -> None:
        for operand in operands:
            known = operand.mode in (CONTIGUOUS, SINGLE, GATHERED) and type(operand.varies) is bool
            _demand(known, f"an operand has the mode {operand.mode}")
            _demand(varies or not operand.varies, "an operand varies where the results do not")
            self._within(operand.place, count if operand.mode == CONTIGUOUS else 1, operand.varies, "an operand")
            gathered = operand.gathered
            if operand.mode != GATHERED:
                _demand(gathered is None, "an operand has places that are not read")
                continue
            _demand(gathered is not None and len(gathered) == count, f"an operand is not gathered for {count} members")
            self._places(gathered, operand.varies, "an operand")

    def _map(self, group: Map) -> None:
        self._operands(group.operands, group.count, group.varies)
        count = len(group.operands)
        if group.primitive is None:
            fits = count == 1 and group.code == 0 and not group.operands[0].varies
            _demand(fits, "a copy is of one operand that does not vary")
            return
        self._primitive(group.primitive, group.code, count)
        does_vary = any(operand.varies for operand in group.operands)
        _demand(does_vary is group.varies, f"the operands of {group.primitive.name} do not vary as its results do")

    def _primitive(self, primitive: Primitive | None, code: int, count: int) -> None:
        """Check that a code stands for a primitive of as many operands."""
        _demand(isinstance(primitive, Primitive), f"{primitive} is not a primitive")
        assert primitive is not None
        known = code == primitive.index if primitive.index else self.code.others.get(code) is primitive
        known &= bool(primitive.index) or code > len(PRIMITIVES)
        _demand(known, f"{primitive.name} does not have the code {code}")
        fits = count == primitive.arity if primitive.arity is not None else count > 0 and count % primitive.lists == 0
        _demand(fits, f"{primitive.name} has {count} operands")

    def _matrix(self, group: Matrix) -> None:
        rows, columns, runs = (_integers(part, "a matrix product") for part in (group.rows, group.columns, group.runs))
        fits = rows.ndim == columns.ndim == runs.ndim == 2 and runs.shape[1] == 3
        fits = fits and rows.shape[1] == columns.shape[1] > 0 and group.columns_vary is group.varies
        fits = fits and (group.rows_vary is False or (group.varies and group.rows_vary is True))
        _demand(fits, "the rows, columns and runs of a matrix product do not fit together")
        self._places(rows, group.rows_vary, "a row")
        self._places(columns, group.varies, "a column")
        row, first, length = runs.T
        within = (row >= 0) & (row < len(rows)) & (first >= 0) & (length > 0) & (length <= len(columns) - first)
        _demand(bool(within.all()), "a run of a matrix product is not within its rows and columns")
        _demand(int(length.sum()) == group.count, f"the runs of a matrix product are not for {group.count} results")

    def _tape(self, group: Tape) -> None:
        codes, starts, operands = (_integers(part, "a tape") for part in (group.codes, group.starts, group.operands))
        counts = np.diff(starts)
        fits = len(starts) == len(codes) + 1 and starts[0] == 0 and starts[-1] == len(operands) and (counts >= 0).all()
        _demand(bool(fits) and not group.varies, "the operands of a tape do not fit together")
        latest = np.repeat(group.out + np.arange(len(codes)), counts)
        _demand(bool(((operands >= 0) & (operands < latest)).all()), "a step of a tape reads what is not yet there")
        table = list(PRIMITIVES.values())
        for code, count in sorted(set(zip(codes.tolist(), counts.tolist(), strict=True))):
            known = table[code - 1] if 0 < code <= len(table) else self.code.others.get(code)
            self._primitive(known, code, count)

    def _total(self, total: Totals | OuterTotals) -> None:
        _demand(self.lanes > 0, "there are totals, but no lanes")
        for places in (total.lefts, total.rights) if isinstance(total, OuterTotals) else (total.places,):
            self._places(places, True, "the factor of a total")
            _demand(np.ndim(places) == 1 and len(places) > 0, "a total is of nothing")
        if isinstance(total, OuterTotals):
            rows, columns, step = len(total.lefts), len(total.rights), total.row_step
            _demand(type(step) is int and step >= columns, f"rows of {columns} totals are {step} places apart")
            self._within(total.out, (rows - 1) * step + columns, False, "a total")
        else:
            self._places(total.outs, False, "a total")
            _demand(np.shape(total.outs) == np.shape(total.places), "totals have not one place each")


def _integers(places: object, what: str) -> np.ndarray[tuple[int, ...], np.dtype[np.int64]]:
    array = np.asarray(places)
    if array.dtype.kind not in "iu" and array.size:
        raise ValueError(f"this is not well-formed code: {what} has places of the type {array.dtype}")
    return array.astype(np.int64, copy=False)


def _demand(is_met: bool, otherwise: str) -> None:
    if not is_met:
        raise ValueError(f"this is not well-formed code: {otherwise}")
