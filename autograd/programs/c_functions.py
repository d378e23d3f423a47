"""The bodies of functions in C: a program as one statement for each instruction, or its groups as loops over memory."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from autograd.programs.c_text import LANGUAGE, WIDE, Text, array_of, bare, comment_of, index_of, offset_by, wrapped
from autograd.programs.groups import (
    CONTIGUOUS,
    DOT,
    GATHERED,
    SINGLE,
    SUM,
    TABLE,
    Chain,
    Code,
    Map,
    Matrix,
    Operand,
    Sum,
    blocks_of,
    step_of,
)
from autograd.programs.listing import counted, title_of

if TYPE_CHECKING:
    from autograd.programs.c_source import Interface
    from autograd.programs.groups import Group, Integers
    from autograd.programs.program import Program

LEAST_LOOP = 4  # members of a group that is written as a loop, at least
STATEMENTS = 1_000  # for the groups without a loop, at most; else they become rows of a table
FEW_TERMS = 16  # of sums, which are written out
LEAST_ALIKE = 3  # groups that are written as one loop, at least


class Rescue(NamedTuple):
    """What is called where a result is not finite.

    Attributes:
        name: of the function.
        place: where the memory behind its own begins, in which its arguments may be kept.
    """

    name: str
    place: int


def straight_body(
    program: Program, interface: Interface, parameters: Sequence[str], text: Text, rescue: Rescue | None
) -> str:
    """Write a program as one statement for each instruction, and return the body of the function.

    Results are checked after they are written, which compilers do side by side. They may be written over the arguments,
    so these are copied first for a function that is called then.
    """
    leaves = dict(zip(program.leaves.tolist(), [*interface.inputs, *parameters], strict=True))
    constants = np.flatnonzero(program.is_constant)  # one that a pass added stands behind what reads it
    texts = map(LANGUAGE.number, program.numbers[constants].tolist())
    names = {**leaves, **dict(zip(constants.tolist(), texts, strict=True))}
    lines: list[str] = []
    known: dict[str, str] = {}  # what has been computed, by its expression
    for slot in np.flatnonzero(program.needed() & (program.codes > 0)).tolist():
        operands = [names[operand] for operand in program.operands_of(slot).tolist()]
        expression = bare(text.expression(program.primitive(int(program.codes[slot])), operands))
        if expression not in known:
            known[expression] = f"v{len(known) + 1}"
            lines.append(f"const double {known[expression]} = {expression};" + comment_of(program.labels.get(slot)))
        names[slot] = known[expression]
    for slot in dict.fromkeys(program.outputs.tolist()):
        if slot in leaves:  # it is read before a result is written, perhaps over it
            if leaves[slot] not in known:
                known[leaves[slot]] = f"v{len(known) + 1}"
                lines.append(f"const double {known[leaves[slot]]} = {leaves[slot]};")
            names[slot] = known[leaves[slot]]
    lines += ["(void)work;", *_ignored(interface, lines)]
    if rescue is not None:
        copies = interface.copies(rescue.place)
        lines = [*(["long item;", *copies] if copies else []), *lines]
    outputs = [names[slot] for slot in program.outputs.tolist()]
    for place, output, slot in zip(interface.outputs, outputs, program.outputs.tolist(), strict=False):
        lines.append(f"{place} = {output};" + comment_of(program.labels.get(slot)))
    zeros, first = [], 0
    for pointer in interface.results:
        if pointer.size >= LEAST_LOOP:
            zeros.append(f"{text.helper('zero_of')}({pointer.name}, {pointer.size})")
        else:
            zeros += [f"{output} * 0.0" for output in outputs[first : first + pointer.size]]
        first += pointer.size
    zeros += [f"{output} * 0.0" for output in outputs[first:]]  # those that are checked alone
    is_finite = f"{' + '.join(dict.fromkeys(zeros)) or '0.0'} == 0.0"
    otherwise = "1" if rescue is None else interface.call(rescue.name, rescue.place)
    lines.append(f"return {is_finite} ? 0 : {otherwise};")
    return "".join(f"{wrapped('    ' + line, '        ')}\n" for line in lines)


def _ignored(interface: Interface, lines: Sequence[str]) -> list[str]:
    """Return statements for the parameters that no line reads, so that compilers do not warn."""
    text = re.sub(r"/\*.*?\*/", "", "\n".join(lines))
    names = [pointer.name for pointer in (*interface.arguments, *interface.parameters)]
    return [f"(void){name};" for name in names if not re.search(rf"\b{name}\b", text)]


class Instruction(NamedTuple):
    """A primitive, and the places of its result and of its operands."""

    code: int
    out: int
    operands: list[int]


class Loops:
    """A lowered program as loops over memory.

    Args:
        code: the lowered program.
        interface: the parameters of the function.
        places: where each parameter of the program stands in the array of them.
        text: where tables and helpers are put.
        least_loop, statements: as for `to_c`.

    Attributes:
        size: how many numbers the memory holds.
    """

    def __init__(
        self, code: Code, interface: Interface, places: Integers, text: Text, least_loop: int, statements: int
    ) -> None:
        self.code, self.interface, self.places, self.text = code, interface, places, text
        self.least_loop, self.size = least_loop, code.uniform_size
        self.lines: list[str] = []
        alone = sum([group.count for group in code.groups if self._is_alone(group)])
        self.has_statements = alone <= statements

    def body(self, rescue: Rescue | None) -> str:
        """Return the body of the function."""
        self._read_inputs()
        for form, alike in groupby(self.code.groups, self._form):
            groups = list(alike)
            if form == "alone":
                self._one_by_one([instruction for group in groups for instruction in _instructions(group)])
            elif form is not None and len(groups) >= LEAST_ALIKE:
                self._alike(groups)
            else:
                for group in groups:
                    self._group(group)
        self._write_outputs(rescue)
        text = "\n".join(self.lines)
        counters = ", ".join(name for name in ("item", "row") if f"for ({name} " in text)
        lines = [*([f"long {counters};"] if counters else []), *_ignored(self.interface, self.lines), *self.lines]
        return "".join(f"{wrapped('    ' + line, '        ')}\n" for line in lines)

    def _is_alone(self, group: Group) -> bool:
        """Return whether the members of a group are written one by one."""
        return isinstance(group, Chain) or (isinstance(group, Map | Sum) and group.count < self.least_loop)

    def _form(self, group: Group) -> Any:
        """Return what groups that are written as one loop have in common; None for one that is written by itself."""
        if self._is_alone(group):
            return "alone"
        if not isinstance(group, Map) and not (isinstance(group, Sum) and len(group.terms) <= FEW_TERMS):
            return None
        kind = group.primitive if isinstance(group, Map) else bool(group.factors)
        return kind, group.count, [operand.mode for operand in group.all_operands()]

    def _group(self, group: Group) -> None:
        """Write a group."""
        if not isinstance(group, Map | Sum | Matrix):
            raise TypeError(f"cannot write a group of the kind {type(group).__name__} as C")
        self.lines.append(f"/* {title_of(group)} */")
        if isinstance(group, Matrix):
            self._matrix(group)
        elif isinstance(group, Sum) and len(group.terms) > FEW_TERMS:
            self._long_sum(group)
        else:
            operands = [self._read(operand) for operand in group.all_operands()]
            self._each(group.count, f"work[{index_of(group.out)}] = {self._expression(group, operands)};")

    def _expression(self, group: Map | Sum, operands: Sequence[str]) -> str:
        """Return the expression of a member of a group."""
        primitive = group.primitive if isinstance(group, Map) else TABLE[(DOT if group.factors else SUM) - 1]
        assert primitive is not None, "no number varies over examples"
        return bare(self.text.expression(primitive, operands))

    def _alike(self, groups: Sequence[Any]) -> None:
        """Write groups that differ only in their places as a loop over rows of places."""
        columns = [[group.out for group in groups]]
        numbers: list[str] = []
        operands: list[str] = []
        for same in zip(*[group.all_operands() for group in groups], strict=True):
            places = [operand.place for operand in same]
            if same[0].mode == GATHERED:
                table = self.text.table(np.concatenate([operand.gathered for operand in same]))
                operands.append(f"work[{table}[row * {groups[0].count} + item]]")
            elif same[0].mode == SINGLE and len(set(places)) == 1:
                operands.append(self._at(places[0]))
            else:
                at = f"places[{len(columns)}]"
                columns.append(places)
                if same[0].mode == SINGLE:
                    numbers.append(f"s{len(numbers)} = work[{at}]")
                operands.append(f"work[{at} + item]" if same[0].mode == CONTIGUOUS else f"s{len(numbers) - 1}")
        table, count = self.text.table(np.array(columns).T), groups[0].count
        statement = f"work[places[0] + item] = {self._expression(groups[0], operands)};"
        self.lines += [
            f"/* {len(groups):,} times: {title_of(groups[0])} */",
            f"for (row = 0; row < {len(groups)}; ++row) {{",
            f"    const Place *places = {table} + {len(columns)} * row;",
            *([f"    const double {', '.join(numbers)};"] if numbers else []),
            f"    for (item = 0; item < {count}; ++item) {statement}",
            "}",
        ]

    def _read_inputs(self) -> None:
        place = 0
        for pointer in self.interface.arguments:
            if pointer.by_value:
                self.lines.append(f"work[{place}] = {pointer.name};")
            else:
                self._each(pointer.size, f"work[{index_of(place)}] = {pointer.name}[item];")
            place += pointer.size
        count = self.code.inputs - place
        if count and np.array_equal(self.places, np.arange(count)):
            self._each(count, f"work[{index_of(place)}] = parameters[item];")
        elif count:
            table = self.text.table(self.places)
            self._each(count, f"work[{index_of(place)}] = parameters[{table}[item]];")
        constants = sorted(self.code.constants.items())
        if constants:
            name, numbers = f"constants{len(self.text.arrays)}", [LANGUAGE.number(number) for _, number in constants]
            self.text.arrays.append(array_of(f"static const double {name}", numbers))
            at = np.array([place for place, _ in constants])
            is_run = np.array_equal(at, at[0] + np.arange(len(at)))
            target = index_of(int(at[0])) if is_run else f"{self.text.table(at)}[item]"
            self._each(len(at), f"work[{target}] = {name}[item];")

    def _write_outputs(self, rescue: Rescue | None) -> None:
        """Write the check of all outputs, and copy those of the results."""
        outputs = np.asarray(self.code.outputs)
        places = np.unique(outputs)
        check = (
            f"{self.text.helper('all_finite')}(work, {self.text.table(places)}, {len(places)})" if len(places) else "1"
        )
        if rescue is None:
            self.lines.append(f"const int is_finite = {check};")
        else:
            self.lines.append(f"if (!{check}) return {self.interface.call(rescue.name)};")
        place = 0
        for pointer in self.interface.results:
            own = outputs[place : place + pointer.size]
            place += pointer.size
            if pointer.size == 1:
                self.lines.append(f"{pointer.name}[0] = work[{own[0]}];")
            elif np.array_equal(own, own[0] + np.arange(len(own))):
                self._each(len(own), f"{pointer.name}[item] = work[{index_of(int(own[0]))}];")
            else:
                self._each(len(own), f"{pointer.name}[item] = work[{self.text.table(own)}[item]];")
        self.lines.append("return !is_finite;" if rescue is None else "return 0;")

    def _each(self, count: int, statement: str) -> None:
        """Add a loop; a declaration of C99 may follow a statement."""
        self.lines.append(f"for (item = 0; item < {count}; ++item) {statement}")

    def _read(self, operand: Operand) -> str:
        """Return the expression that reads an operand of a member."""
        if operand.mode == SINGLE:
            return self._at(operand.place)
        if operand.mode == CONTIGUOUS:
            return f"work[{index_of(operand.place)}]"
        assert operand.gathered is not None
        return f"work[{self.text.table(operand.gathered)}[item]]"

    def _at(self, place: int) -> str:
        """Return the number at a place: itself, if it is constant."""
        number = self.code.constants.get(place)
        return f"work[{place}]" if number is None else LANGUAGE.number(number)

    def _long_sum(self, group: Sum) -> None:
        count, terms = group.count, len(group.terms)
        sides = group.sides()
        modes = [{operand.mode for operand in side} for side in sides]
        if all(len(mode) == 1 and GATHERED not in mode for mode in modes):  # side by side
            starts = [self.text.table([operand.place for operand in side]) for side in sides]
            tables = [f"{table}, {int(CONTIGUOUS in mode)}" for table, mode in zip(starts, modes, strict=True)]
            helper = self.text.helper("add_products" if group.factors else "add_up")
            self.lines.append(f"{helper}(work{offset_by(group.out)}, work, {', '.join(tables)}, {terms}, {count});")
            return
        tables = [self.text.table(places.T) for places in group.places()]
        helper = self.text.helper("dot_of" if group.factors else "sum_of")
        rows = ", ".join(f"{table} + item * {terms}" for table in tables)
        self._each(count, f"work[{index_of(group.out)}] = {helper}(work, {rows}, {terms});")

    def _matrix(self, group: Matrix) -> None:
        terms, done = int(group.rows.shape[1]), 0
        blocks, steps, in_place = list(blocks_of(group.runs)), group.row_steps(), group.columns_in_place()
        numbers = group.runs[:, 0]
        rows = group.rows[numbers, 0]
        panel = self.code.uniform_size
        to_pack = [
            np.arange(start, start + count)
            for (start, count, _, _), step in zip(blocks, steps, strict=True)
            if step is None
        ]
        if to_pack:
            runs = np.concatenate(to_pack)
            packed = np.unique(numbers[runs])
            self._gather(panel, group.rows[packed])
            rows[runs] = panel + np.searchsorted(packed, numbers[runs]) * terms
            panel += len(packed) * terms
        by_term = np.ascontiguousarray(group.columns.T)
        packed_columns = ""
        if not all(in_place):
            width = by_term.shape[1]
            across = step_of(group.columns)
            if across is None:
                self._gather(panel, by_term)
            else:
                helper, table = self.text.helper("transpose"), self.text.table(by_term[0])
                self.lines.append(f"{helper}(work + {panel}, {width}, work, {table}, {width}, {across}, {terms});")
            packed_columns = self.text.table(panel + np.arange(terms) * width)
            panel += width * terms
        self.size = max(self.size, panel)
        helper = self.text.helper("matrix")
        for (start, count, first, length), step, is_in_place in zip(blocks, steps, in_place, strict=True):
            columns, offset = (self.text.table(by_term[:, first]), 0) if is_in_place else (packed_columns, first)
            own = self.text.table(rows[start : start + count])
            self.lines.append(
                f"{helper}(work{offset_by(group.out + done)}, work, {own}, {1 if step is None else step}, {count}, "
                f"{columns}, {offset}, {length}, {terms});"
            )
            done += count * length

    def _gather(self, panel: int, places: Integers) -> None:
        table = self.text.table(places)
        self.lines.append(f"{self.text.helper('gather')}(work + {panel}, work, {table}, {places.size});")

    def _one_by_one(self, instructions: list[Instruction]) -> None:
        """Write instructions as statements, or as a table."""
        if self.has_statements:
            for code, out, operands in instructions:
                self.lines.append(f"work[{out}] = {self._one(code, operands)};")
        else:
            self._table_of(instructions)

    def _one(self, code: int, operands: list[int]) -> str:
        """Return the expression of one instruction."""
        primitive = TABLE[code - 1]
        if primitive.arity is not None or len(operands) <= 2 * FEW_TERMS:
            return bare(self.text.expression(primitive, [self._at(place) for place in operands]))
        if code == DOT:
            half = len(operands) // 2
            tables = f"{self.text.table(operands[:half])}, {self.text.table(operands[half:])}"
            return f"{self.text.helper(WIDE[code])}(work, {tables}, {half})"
        return f"{self.text.helper(WIDE[code])}(work, {self.text.table(operands)}, {len(operands)})"

    def _table_of(self, waiting: list[Instruction]) -> None:
        """Write instructions as rows of a table, and a loop that runs them."""
        codes = {code: case for case, code in enumerate(sorted({instruction.code for instruction in waiting}))}
        rows: list[int] = []
        wide: list[int] = []
        for code, out, operands in waiting:
            read = operands
            if TABLE[code - 1].arity is None:
                read = [len(wide), len(operands) // (2 if code == DOT else 1)]
                wide += operands
            rows += [codes[code], out, *read, *[0] * (3 - len(read))]
        table = self.text.table(rows)
        all_wide = self.text.table(wide) if wide else ""
        self.lines.append(f"/* {counted(len(waiting), 'instruction')} by a table: case, place, operands */")
        self.lines.append(f"for (item = 0; item < {len(waiting)}; ++item) {{")
        self.lines += [f"    const Place *instruction = {table} + 5 * item;", "    switch (instruction[0]) {"]
        for code, case in codes.items():
            primitive = TABLE[code - 1]
            if primitive.arity is None:
                places = f"{all_wide} + instruction[2]" + (
                    f", {all_wide} + instruction[2] + instruction[3]" if code == DOT else ""
                )
                expression = f"{self.text.helper(WIDE[code])}(work, {places}, instruction[3])"
            else:
                operands_of = [f"work[instruction[{2 + k}]]" for k in range(primitive.arity)]
                expression = bare(self.text.expression(primitive, operands_of))
            self.lines.append(f"    case {case}: work[instruction[1]] = {expression}; break; /* {primitive.name} */")
        self.lines += ["    }", "}"]


def _instructions(group: Group) -> Iterator[Instruction]:
    """Yield the members of a group one by one."""
    if isinstance(group, Chain):
        starts = group.starts.tolist()
        operands = group.operands.tolist()
        for code, out, start, end in zip(group.codes.tolist(), group.outs.tolist(), starts, starts[1:], strict=False):
            yield Instruction(code, out, operands[start:end])
    elif isinstance(group, Map | Sum):
        table = np.stack([operand.places(group.count) for operand in group.all_operands()], axis=1)
        code = group.code if isinstance(group, Map) else DOT if group.factors else SUM
        for i, row in enumerate(table.tolist()):
            yield Instruction(code, group.out + i, row)
