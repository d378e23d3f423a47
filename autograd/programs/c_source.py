"""Programs as C that anyone can compile: `Program.to_c`.

What is written are the groups that a program is lowered to, each as a loop, with the places of its numbers in tables
where they do not stand one after another. A small program is written as one statement for each instruction instead, on
variables that a compiler keeps in registers. The expressions are the rules of the table, as `native/languages` writes
them, and every sum keeps its order, so code of a compiler that rounds each operation has the bits of the program.

>>> from autograd import Value
>>> from autograd.programs.program import Program
>>> x, w = Value(3.0, label="x"), Value(0.5, label="w")
>>> code = Program.of([(w * x).tanh() + w], inputs=[x, w]).to_c("neuron")
>>> print(code.source.partition("int neuron")[2])
(const double *inputs, double *outputs, double *work) {
    const double v1 = inputs[1] * inputs[0];
    const double v2 = tanh(v1);
    const double v3 = v2 + inputs[1];
    (void)work;
    outputs[0] = v3;
    return v3 * 0.0 == 0.0 ? 0 : 1;
}
<BLANKLINE>
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from autograd.programs.c_functions import FEW_TERMS, LEAST_LOOP, STATEMENTS, Loops, Rescue, straight_body
from autograd.programs.c_text import (
    LANGUAGE,
    NUMBERED,
    OF_LIBRARY,
    OTHERWISE,
    RESERVED,
    Text,
    array_of,
    harmless,
    index_of,
    offset_by,
    wrapped,
)
from autograd.programs.layout import lower
from autograd.programs.listing import counted
from autograd.programs.passes import PASSES, with_trees
from autograd.programs.program import AsCalled
from autograd.programs.recorded_loops import RecordedLoop, slots_of
from autograd.saving import check_folder, save, shortened
from autograd.trees import Structure, named_leaves, unflatten

if TYPE_CHECKING:
    import os

    from autograd.programs.program import Program

STRAIGHT = 2_000  # operands of a program that is written without loops, at most; a compiler takes a second for them
SHOWN = 64  # lines that name the numbers of an argument or a result, at most


@dataclass(frozen=True)
class CSource:
    """A program as C: what `Program.to_c` returns.

    Attributes:
        name: of the function.
        source: the text of the source file, which includes `<name>.h`.
        header: the text of the header.
    """

    name: str
    source: str
    header: str

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write the source to a file, and the header beside it, with the same name and `.h` at its end.

        Both are written atomically, the header first.

        Args:
            path: of the source file; its name ends in `.c`.

        Returns:
            The path of the source file.

        Raises:
            ValueError: if the name does not end in `.c`, or an `#include` cannot name the header.
            OSError: if a file cannot be written; one that was there is unchanged.
        """
        path = Path(path)
        if path.suffix != ".c" or {'"', "\\"} & set(path.name) or not path.name.isprintable():
            raise ValueError(f"expected the name of a C file, such as {self.name + '.c'!r}, got {shortened(path.name)}")
        header = path.with_suffix(".h")
        check_folder(header)
        check_folder(path)
        save(header, self.header.encode())
        return save(path, self.source.replace(f'"{self.name}.h"', f'"{header.name}"', 1).encode())

    def __repr__(self) -> str:
        return f"<C of {self.name}: {len(self.source.splitlines()):,} lines>"


class Pointer(NamedTuple):
    """A parameter of the C function: numbers of the arguments, or of the result.

    Attributes:
        name: in C.
        size: how many numbers there are.
        form: what they are, in words.
        names: the name of each number or array of them, and where it begins; empty where `form` says it.
        by_value: whether it is a number itself.
    """

    name: str
    size: int
    form: str
    names: Sequence[tuple[str, int]] = ()
    by_value: bool = False

    def declared(self, kind: str) -> str:
        """Return the declaration."""
        return f"double {self.name}" if self.by_value else f"{kind} *{self.name}"

    def at(self, place: int) -> str:
        """Return the expression of a number."""
        return self.name if self.by_value else f"{self.name}[{place}]"

    def described(self) -> Iterator[str]:
        """Yield the lines that say what the numbers are."""
        yield f"  {self.name}: {self.form}"
        for path, place in self.names[:SHOWN]:
            yield f"    {self.name}[{place}] {path}"
        if len(self.names) > SHOWN:
            yield f"    ... {len(self.names):,} in all"


class Interface:
    """The parameters of the function that is written.

    Args:
        name: of the function.
        program: the program.
        names: of its positional arguments, if it was recorded from a function.
        parameters: the labels of its parameters.
    """

    def __init__(self, name: str, program: Program, names: Sequence[str], parameters: Sequence[str]) -> None:
        own = {f"{name}_guarded", f"{name}_parameters", f"{name.upper()}_WORK", f"{name.upper()}_H"}
        self.taken = {name, *own, *(["parameters"] if parameters else [])}
        labels = [program.labels.get(slot, "") for slot in (*program.inputs.tolist(), *program.outputs.tolist())]
        if program.structures is None:
            count = len(program.inputs)
            self.arguments = self._of_labels("inputs", labels[:count])
            self.results = self._of_labels("outputs", labels[count:])
        else:
            call, result = program.structures
            positional, named = call.parts
            given = [*zip(names, positional.entries, strict=True), *zip(named.keys or (), named.parts, strict=True)]
            self.arguments = self._of_structures([(given_name, given_name, part) for given_name, part in given], True)
            entries = [("result", "result", result)]
            if issubclass(result.kind, tuple) or result.keys is not None:
                parts = result.entries if result.keys is None else result.parts
                indices = range(len(parts))
                keys = result.keys or getattr(result.kind, "_fields", indices)
                template = "result[{!r}]" if issubclass(result.kind, dict) or keys is indices else "result.{}"
                entries = [(f"result_{key}", template.format(key), part) for key, part in zip(keys, parts, strict=True)]
            self.results = self._of_structures(entries, False)
        self.parameters = self._of_labels("parameters", parameters)

    def _name(self, wanted: str) -> str:
        """Return a name in C that nothing else has."""
        name = re.sub(r"\W", "_", wanted, flags=re.ASCII).strip("_") or "argument"
        if name[0].isdigit():
            name = f"argument_{name}"
        while name in self.taken or name in RESERVED or NUMBERED.fullmatch(name):
            name += "_"
        self.taken.add(name)
        return name

    def _of_labels(self, name: str, labels: Sequence[str]) -> list[Pointer]:
        if not labels:
            return []
        names = [(label, place) for place, label in enumerate(labels) if label]
        return [Pointer(name, len(labels), counted(len(labels), "number"), names)]

    def _of_structures(self, parts: Iterable[tuple[str, str, Structure]], are_arguments: bool) -> list[Pointer]:
        """Return a pointer for each part that has numbers, from its name in C, its name in Python and its structure."""
        found = []
        for name, path, part in parts:
            if part.size:
                names = _paths(path, part) if part.parts else []  # not of a number, an array or a list of numbers
                is_number = are_arguments and part.shape == ()
                found.append(Pointer(self._name(name), part.size, _form(part), names, is_number))
        return found

    @property
    def inputs(self) -> list[str]:
        """The expressions of the numbers of the arguments."""
        return [pointer.at(place) for pointer in self.arguments for place in range(pointer.size)]

    @property
    def outputs(self) -> list[str]:
        """The expressions of the numbers of the results."""
        return [pointer.at(place) for pointer in self.results for place in range(pointer.size)]

    def declaration(self, name: str) -> str:
        """Return the declaration of a function with these parameters."""
        given = [pointer.declared("const double") for pointer in (*self.arguments, *self.parameters)]
        return f"int {name}({', '.join([*given, *[each.declared('double') for each in self.results], 'double *work'])})"

    def call(self, name: str, place: int | None = None) -> str:
        """Return the call of a function with the same parameters; if there is a place, with their copies there."""
        given = []
        for pointer in (*self.arguments, *self.parameters):
            given.append(pointer.name if pointer.by_value or place is None else f"work{offset_by(place)}")
            if place is not None and not pointer.by_value:
                place += pointer.size
        return f"{name}({', '.join([*given, *[pointer.name for pointer in self.results], 'work'])})"

    def copies(self, place: int) -> list[str]:
        """Return statements that copy the numbers of all pointers to memory, from a place on."""
        statements = []
        for pointer in (*self.arguments, *self.parameters):
            if not pointer.by_value:
                copy = f"work[{index_of(place)}] = {pointer.name}[item];"
                statements.append(f"for (item = 0; item < {pointer.size}; ++item) {copy}")
                place += pointer.size
        return statements


class _Leaf:
    """Where a number or an array begins."""

    def __init__(self, place: int) -> None:
        self.place = place


def _paths(name: str, structure: Structure) -> list[tuple[str, int]]:
    """Return the name in Python of each number and each array of a tree, and where its numbers begin."""
    leaves: list[_Leaf] = []
    for start, end, shape in structure.pieces:
        leaves += [_Leaf(start)] if shape else map(_Leaf, range(start, end))
    return [(path, leaf.place) for path, leaf in named_leaves(name, unflatten(structure, leaves), _Leaf)]


def _form(structure: Structure) -> str:
    """Return what a part of the arguments or of the result is, in words."""
    if structure.parts:
        return f"{counted(structure.size, 'number')}, one after another: {structure}"
    return f"{structure}, row after row" if len(structure.shape or ()) > 1 else str(structure)


def to_c(
    program: Program,
    name: str,
    straight: int = STRAIGHT,
    least_loop: int = LEAST_LOOP,
    statements: int = STATEMENTS,
) -> CSource:
    """Write a program as C, as `Program.to_c` says.

    Args:
        program: the program.
        name: of the function.
        straight: how many operands it may have to be written without loops.
        least_loop: how many members a group has at least that is written as a loop.
        statements: how many instructions may be written one by one beside loops.
    """
    if not isinstance(name, str) or not re.fullmatch(r"[A-Za-z][A-Za-z0-9_]*", name):
        raise ValueError(f"a function of C needs a name of letters, digits and _, got {shortened(name)}")
    if name in RESERVED or name in OF_LIBRARY or NUMBERED.fullmatch(name):
        raise ValueError(f"{name!r} has a meaning of its own in C, or in what is written; choose another name")
    if slots_of(program, RecordedLoop).any():
        raise TypeError(
            "a program with loops is not written as C: write what a round computes, and call it in a loop of C"
        )
    attempts, labels, numbers, names = _itself(program) if program.as_called is None else program.as_called()
    for attempt, _ in attempts:
        for other in attempt.others:
            raise TypeError(
                f"cannot write {other!r} as C: it is not in the table of primitives, and only Python knows its "
                f"function; compose it of primitives of the table"
            )
    interface = Interface(name, program, names, labels)
    text = Text()
    functions: list[str] = []
    size, rescue = 0, None
    for number, (attempt, places) in reversed(list(enumerate(attempts))):
        own = name if number == 0 else f"{name}_guarded"
        changed = with_trees(attempt)
        for change in PASSES:
            changed = change(changed)
        counts = np.diff(changed.starts)[changed.needed()]
        if counts.sum() <= straight and counts.max(initial=0) <= max(FEW_TERMS, straight // 16):
            parameters = [f"parameters[{place}]" for place in places.tolist()]
            body = straight_body(changed, interface, parameters, text, rescue)
            size += 0 if rescue is None else len(program.inputs) + len(labels)
        else:
            loops = Loops(lower(attempt), interface, places, text, least_loop, statements)
            body = loops.body(rescue)
            size = max(size, loops.size)
        rescue = Rescue(own, size)
        head = wrapped(interface.declaration(own) + " {", "    ")
        functions.append(f"{'APART static ' * (number > 0)}{head}\n{body}}}\n")
    definitions = text.definitions("\n".join(functions))
    is_rounded_otherwise = sorted(set(OTHERWISE.findall("\n".join([definitions, *functions]))))
    recorded = int((program.codes > 0).sum())
    source = [
        f"/* {name}: a program of {counted(recorded, 'instruction')}, written by stepgrad. The header says how it is "
        f"called. */\n",
        f'#include "{name}.h"\n\n#include <math.h>\n',
        "#if defined(__clang__)\n#pragma STDC FP_CONTRACT OFF\n#endif\n",
        definitions,
        *([array_of(f"const double {name}_parameters", map(LANGUAGE.number, numbers))] if numbers else []),
        *functions,
    ]
    header = _header(name, interface, recorded, max(size, 1), len(attempts) > 1, is_rounded_otherwise, len(numbers))
    return CSource(name, "\n".join(filter(None, source)), header)


def _itself(program: Program) -> AsCalled:
    """Return what a call runs of a program that was not recorded from a function: the program itself."""
    slots = program.parameters
    labels = [program.labels.get(slot, "") for slot in slots.tolist()]
    count = 0 if program.structures is None else len(program.structures[0].parts[0].entries)
    names = [f"argument_{place}" for place in range(count)]
    return AsCalled([(program, np.arange(len(slots)))], labels, program.numbers[slots].tolist(), names)


def _header(
    name: str, interface: Interface, recorded: int, size: int, is_guarded: bool, otherwise: list[str], parameters: int
) -> str:
    upper = name.upper()
    lines = [f"{name}: a program of {counted(recorded, 'instruction')}, written by stepgrad.", ""]
    if interface.arguments:
        lines += ["Arguments:", *[line for pointer in interface.arguments for line in pointer.described()], ""]
    for pointer in interface.parameters:
        lines += [
            "Parameters, which the function refers to besides its arguments:",
            *pointer.described(),
            f"  {name}_parameters has the numbers that they had when this was written.",
            "",
        ]
    if interface.results:
        lines += ["Results:", *[line for pointer in interface.results for line in pointer.described()], ""]
    lines += [
        f"work: memory for {upper}_WORK numbers, whatever they hold; not that of anything else. Results may be",
        "written over arguments: all of these are read before. Nothing else is changed, so threads may call it at the",
        "same time, each with work of its own.",
        "",
        "Returns 0 if every result is finite, and so is what a derivative is of. Else it returns 1, and the results",
        "are what IEEE 754 gives: infinite or nan. There Python raises a ValueError or a ZeroDivisionError if an",
        "operation outside its domain is the reason, and names it: call it with the same arguments to learn which one.",
    ]
    if is_guarded:
        lines.append("What comes out nan is computed again, so that a gradient of 0 times an infinite slope is 0.")
    lines += [
        "",
        "Compile it as C99 with -ffp-contract=off, and without -ffast-math: then it has the bits of Python on a",
        "machine with the same C library, from which exp, tanh and others come.",
    ]
    if otherwise:
        lines.append(f"But {', '.join(otherwise)} of C may differ from Python's in the last digits.")
    comment = "\n".join(f" * {harmless(line)}".rstrip() for line in lines)
    declarations = [f"#define {upper}_WORK {size}\n"]
    if parameters:
        declarations.append(f"extern const double {name}_parameters[{parameters}];\n")
    declarations.append(wrapped(interface.declaration(name) + ";", "    ") + "\n")
    return (
        f"/*\n{comment}\n */\n\n#ifndef {upper}_H\n#define {upper}_H\n\n"
        f'#ifdef __cplusplus\nextern "C" {{\n#endif\n\n' + "\n".join(declarations) + "\n"
        "#ifdef __cplusplus\n}\n#endif\n\n#endif\n"
    )
