"""`Program`: a graph as arrays of instructions, which other engines can run.

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

It has more than 500 lines because what a program is, what makes it well formed and how it is kept stand together.
"""

from __future__ import annotations

import copy
import itertools
import json
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from autograd.floats import as_float
from autograd.hooks import hooks
from autograd.modes import ieee_arithmetic, recording
from autograd.primitives import PRIMITIVES, Primitive
from autograd.programs.groups import TABLE
from autograd.programs.scanning import analyse, columns
from autograd.saving import finite_number, parsed, shortened
from autograd.tape import Tape
from autograd.value import Value

if TYPE_CHECKING:
    from autograd.programs.c_source import CSource
    from autograd.programs.groups import Floats, Integers, Truths

__all__ = ["Program"]

FORMAT, VERSION = "stepgrad program", 1
MOST_SLOTS = 2**31  # so that an index fits into 32 bits everywhere
NOT_FINITE = {"inf": math.inf, "-inf": -math.inf, "nan": math.nan}  # as strings in JSON, which has no numbers for them


class AsCalled(NamedTuple):
    """What a call of a compiled function does with programs.

    Attributes:
        attempts: the programs that it runs, one after another until all outputs are finite: with the outputs of the
            result, then those that are checked; and for each parameter its number in `labels`.
        labels: of the leaves that the function refers to; in the order of the parameters of `Program`.
        numbers: those that the leaves hold.
        names: of the positional arguments.
    """

    attempts: list[tuple[Program, Integers]]
    labels: list[str]
    numbers: list[float]
    names: list[str]


class Program:
    """A graph without its nodes, in arrays.

    A program computes numbers in *slots*, which have the indices 0, 1, … in topological order. A slot is a leaf or the
    result of an instruction. A leaf is an input, a parameter or a constant, and holds a number. A run may use other
    numbers for the inputs and parameters. An instruction applies a primitive to earlier slots. If a program
    was made from a graph, its slots are the nodes of the graph in topological order.

    A program is immutable and refers to no Value. It is the form in which graphs are run elsewhere: other engines need
    the primitives and the indices, not the nodes.

    Args:
        codes: the code of the primitive of each slot: its index in the table, or, beyond the table, its index in
            `others` plus the length of the table plus 1; 0 for a leaf.
        starts: the index in `operands` at which the operands of each slot start, followed by the length of `operands`.
        operands: the slots of the operands of all slots, in order, with repeats.
        numbers: the number of each slot that is a leaf, and any number for other slots.
        inputs: the slots of the inputs, in the order in which `run` takes them.
        parameters: the slots of the parameters. The other leaves are constants.
        outputs: the slots of the results.
        labels: the labels of slots that have one, by slot.
        others: the primitives that are not in the table.
        structures: the structures of the arguments and of the result of a function that was recorded, whose numbers are
            the inputs and the outputs; None for other graphs.

    Raises:
        ValueError: if the program is not well-formed; the message names the slot. An operand must be an earlier
            slot, and the number of operands must be that of the primitive.
    """

    __slots__ = (
        "as_called", "codes", "inputs", "labels", "numbers", "operands", "others", "outputs", "parameters", "starts",
        "structures",
    )  # fmt: skip

    def __init__(
        self,
        codes: Sequence[int] | Integers,
        starts: Sequence[int] | Integers,
        operands: Sequence[int] | Integers,
        numbers: Sequence[float] | Floats,
        inputs: Sequence[int] | Integers,
        parameters: Sequence[int] | Integers,
        outputs: Sequence[int] | Integers,
        labels: Mapping[int, str] | None = None,
        others: Sequence[Primitive] = (),
        structures: tuple[Any, Any] | None = None,
    ) -> None:
        if len(codes) > MOST_SLOTS:
            raise _malformed(f"it has {len(codes)} slots, at most {MOST_SLOTS} are possible")
        self.codes, self.starts = _slots("primitive", codes), _slots("start", starts)
        self.operands, self.inputs = _slots("operand", operands), _slots("input", inputs)
        self.parameters, self.outputs = _slots("parameter", parameters), _slots("output", outputs)
        self.numbers: Floats = np.asarray(numbers, np.float64)
        self.labels, self.others, self.structures = dict(labels or {}), tuple(others), structures
        self.as_called: Callable[[], AsCalled] | None = None  # what a call of a function that was recorded runs
        self._check()

    @classmethod
    def of(
        cls, outputs: Iterable[Value], inputs: Iterable[Value] = (), structures: tuple[Any, Any] | None = None
    ) -> Program:
        """Make the program of a graph.

        Args:
            outputs: the nodes to compute.
            inputs: the nodes whose numbers `run` takes. What they were computed from is left out.
            structures: as of a `Program`.

        Returns:
            The program. Leaves that are neither inputs nor constants are its parameters.
        """
        return cls.with_parameters(list(outputs), list(inputs), structures, of_function=False)[0]

    @classmethod
    def with_parameters(
        cls,
        outputs: list[Value],
        inputs: list[Value],
        structures: tuple[Any, Any] | None = None,
        of_function: bool = True,  # which has no labels, and each leaf that may change is a parameter
        tape: Tape | None = None,  # of the outputs, then of the inputs, if there is one already
    ) -> tuple[Program, list[Value]]:
        """Make the program of a graph or of a function, and return the nodes of its parameters too."""
        tape, least = Tape(*outputs, *inputs) if tape is None else tape, 2 if of_function else 1
        codes, numbers, constant, others = columns(tape.nodes)
        program = cls.__new__(cls)
        program.codes, program.numbers, program.others = np.asarray(codes), np.asarray(numbers), tuple(others)
        program.starts, program.operands = (np.array(part, np.int64) for part in (tape.starts, tape.operands))
        slots = np.array(tape.indices_of([*outputs, *inputs]), np.int64)
        program.outputs, program.inputs = np.split(slots, [len(outputs)])
        is_parameter = (program.codes == 0) & (np.frombuffer(constant, np.uint8) < least)
        is_parameter[program.inputs] = False
        program.parameters = np.flatnonzero(is_parameter)
        labelled = [] if of_function else tape.nodes
        program.labels = {slot: str(node.label) for slot, node in enumerate(labelled) if node.label}
        program.structures, program.as_called = structures, None
        if np.bincount(program.inputs).max(initial=0) > 1:
            raise _malformed("a slot is an input or parameter twice")
        leaves = [tape.nodes[slot] for slot in program.parameters.tolist()]
        return program.pruned() if program.codes[program.inputs].any() else program, leaves

    def replaced(self, **parts: Any) -> Program:
        """Make a program with other parts, which are not checked."""
        program = copy.copy(self)
        for name, part in parts.items():
            setattr(program, name, part)
        return program

    def pruned(self) -> Program:
        """Make a program in which the inputs are leaves, without the slots that no output needs then."""
        leaves = np.zeros(len(self), bool)
        leaves[self.inputs] = True
        program = self.with_leaves(leaves)
        is_kept = leaves | program.needed()
        program, moved = program.with_leaves(~is_kept), np.where(is_kept, np.cumsum(is_kept) - 1, -1)
        parameters = moved[self.parameters]
        return program.replaced(
            codes=program.codes[is_kept],
            starts=np.append(program.starts[:-1][is_kept], len(program.operands)),
            operands=moved[program.operands],
            numbers=self.numbers[is_kept],
            inputs=moved[self.inputs],
            parameters=parameters[parameters >= 0],
            outputs=moved[self.outputs],
            labels={int(moved[slot]): label for slot, label in self.labels.items() if is_kept[slot]},
        )

    def with_leaves(self, chosen: Truths) -> Program:
        """Make a program in which some slots are leaves."""
        if not (chosen & (self.codes > 0)).any():
            return self
        counts = np.where(chosen, 0, np.diff(self.starts))
        return self.replaced(
            codes=np.where(chosen, 0, self.codes),
            starts=np.concatenate([[0], np.cumsum(counts)]),
            operands=self.operands[~chosen[self.owners()]],
        )

    def __len__(self) -> int:
        return len(self.codes)

    @property
    def leaves(self) -> Integers:
        """The slots of the inputs, then those of the parameters."""
        return np.concatenate([self.inputs, self.parameters])

    @property
    def is_constant(self) -> Truths:
        """Of each slot whether it is a leaf that always holds its number."""
        found: Truths = self.codes == 0
        found[self.inputs] = found[self.parameters] = False
        return found

    @property
    def primitives(self) -> tuple[Primitive | None, ...]:
        """For each slot the primitive of its instruction; None for a leaf."""
        return tuple(map((None, *TABLE, *self.others).__getitem__, self.codes.tolist()))

    def primitive(self, code: int) -> Primitive:
        """Return the primitive with a code."""
        return TABLE[code - 1] if code <= len(TABLE) else self.others[code - 1 - len(TABLE)]

    def operands_of(self, slot: int) -> Integers:
        """Return the slots of an instruction's operands, in their order; none for a leaf."""
        return self.operands[self.starts[slot] : self.starts[slot + 1]]

    def owners(self) -> Integers:
        """Return for each entry of `operands` the slot that it belongs to."""
        return np.repeat(np.arange(len(self)), np.diff(self.starts))

    def uses(self) -> Integers:
        """Return how often each slot is used: as an operand, and as an output."""
        return np.bincount(self.operands, minlength=len(self)) + np.bincount(self.outputs, minlength=len(self))

    def analysed(self, varies: Truths) -> tuple[Integers, Truths, Truths]:
        """Return for each slot its level, whether it depends on one that varies, and whether outputs need it."""
        levels, vary, needed = analyse(self.starts, self.operands, self.outputs, varies)
        return np.asarray(levels), np.frombuffer(vary, bool), np.frombuffer(needed, bool)

    def needed(self) -> Truths:
        """Return for each slot whether outputs need it."""
        return self.analysed(np.zeros(len(self), bool))[2]

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
        numbers = self.forward(self._given(inputs, parameters))
        return tuple([numbers[slot] for slot in self.outputs.tolist()])

    def gradient(
        self, inputs: Sequence[float] | None = None, parameters: Sequence[float] | None = None
    ) -> tuple[tuple[float, ...], tuple[float, ...]]:
        """Compute the gradient of the one output, in reverse mode.

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
        with recording(), ieee_arithmetic():
            leaves = {slot: Value(number) for slot, number in self._given(inputs, parameters).items()}
            output = self.forward(leaves)[self.outputs[0]]
            if isinstance(output, Value):
                output.backward()
        grads = [leaf.grad for leaf in leaves.values()]
        return tuple(grads[: len(self.inputs)]), tuple(grads[len(self.inputs) :])

    def _given(self, inputs: Sequence[float] | None, parameters: Sequence[float] | None) -> dict[int, float]:
        """Return the numbers of the inputs and of the parameters, by slot."""
        found: dict[int, float] = {}
        for slots, given, name in ((self.inputs, inputs, "input"), (self.parameters, parameters, "parameter")):
            numbers = self.numbers[slots].tolist() if given is None else list(map(as_float, given))
            if len(numbers) != len(slots):
                raise ValueError(f"this program takes a number for each {name}, {len(slots)}; got {len(numbers)}")
            found.update(zip(slots.tolist(), numbers, strict=True))
        return found

    def forward(self, given: Mapping[int, Any]) -> list[Any]:
        """Return the number of each slot, of the kind of those that are given for leaves: numbers, or nodes."""
        numbers: list[Any] = self.numbers.tolist()
        for slot, number in given.items():
            numbers[slot] = number
        operands, starts = self.operands.tolist(), self.starts.tolist()
        for slot, primitive in enumerate(self.primitives):
            if primitive is not None:
                numbers[slot] = primitive(*[numbers[o] for o in operands[starts[slot] : starts[slot + 1]]])
        return numbers

    def listing(self, varying: Sequence[int] = (), *, timed: bool = True, most: int | None = None) -> str:
        """Write a table of the groups of equal instructions that the program is lowered to, and of what lowering did.

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
        """Make a function on arrays of JAX, for `jit`, `grad`, `vmap`, `shard_map` and whatever JAX runs on.

        JAX differentiates it by the slopes of the table, so its gradients are ours; but a gradient of 0 times a slope
        that is not finite is nan there, also in a branch that was not chosen. All numbers have the type of the
        arguments: float64 if JAX's setting `jax_enable_x64` is on, else float32.

        Returns:
            A function. That of `compile(f).program(…)` takes the arguments of `f` and returns its results, in the same
            trees. That of another program takes an array of the inputs, if there are any, and returns an array of the
            outputs. If the program has parameters, an array of these is the first argument.

        Raises:
            ImportError: if JAX, which the extra `stepgrad[jax]` installs, is missing.
            TypeError: if the program has a primitive that is not in the table, or a loop; the message names it.
        """
        return hooks.to_jax(self)

    def to_c(self, name: str) -> CSource:
        """Write the program as C99: a function that needs only `math.h`, allocates no memory and has no state.

        Compiled so that each operation is rounded (`-ffp-contract=off`), it has the bits of the program on a machine
        with the same C library; `hypot`, `erf` and `erfc` are those of C, which may round differently from Python. Each
        argument is a pointer to its numbers, or a number, under its name in Python. Pointers to the parts of the result
        follow, and memory to work in comes last. The header says where each number is. The function returns 0, or 1 if
        a result is not finite; Python then computes the same numbers, or raises the error of an operation outside its
        domain.

        Args:
            name: of the function, and of the header that the source includes.

        Returns:
            The source and the header, with a method `save`.

        Raises:
            TypeError: if the program has a primitive that is not in the table, or a loop; the message names it.
            ValueError: if the name cannot be that of a function in C, or is taken there.
        """
        return hooks.to_c(self, name)

    def to_json(self) -> str:
        """Write the program as JSON: arrays of numbers, without NaN, the same for the same program.

        Raises:
            TypeError: if an instruction applies a primitive that is not in the table; the message names it.
        """
        used = dict.fromkeys(code for code in self.codes.tolist() if code)
        names = [self.primitive(code) for code in used]
        for primitive in names:
            if not primitive.index:
                raise TypeError(
                    f"cannot write {primitive!r} as JSON: it is not in the table of primitives, and only Python knows "
                    f"its function"
                )
        own_code = {0: 0, **{code: i for i, code in enumerate(used, start=1)}}
        content = {
            "format": FORMAT,
            "version": VERSION,
            "primitives": [primitive.name for primitive in names],
            "instructions": [own_code[code] for code in self.codes.tolist()],
            "counts": np.diff(self.starts).tolist(),
            "operands": self.operands.tolist(),
            "numbers": list(map(_written, self.numbers[self.codes == 0].tolist())),
            "inputs": self.inputs.tolist(),
            "parameters": self.parameters.tolist(),
            "outputs": self.outputs.tolist(),
            "labels": {str(slot): label for slot, label in sorted(self.labels.items())},
        }
        return json.dumps(content, allow_nan=False, separators=(",", ":"))

    @classmethod
    def from_json(cls, text: str) -> Program:
        """Make the program that `to_json` wrote.

        Raises:
            ValueError: if the text is not such a program.
        """
        try:
            content = parsed(text)
        except ValueError as error:
            raise _malformed(f"it is not JSON ({error})") from None
        if not isinstance(content, dict) or content.get("format") != FORMAT:
            raise _malformed(f"it is not of the format {FORMAT!r}")
        if type(content.get("version")) is not int or content["version"] != VERSION:
            raise _malformed(
                f"it has version {shortened(content.get('version'))}, this stepgrad reads version {VERSION}"
            )
        index = [0]
        for name in _list_of(content, "primitives", str):
            if name not in PRIMITIVES:
                raise _malformed(f"there is no primitive {shortened(name)}")
            index.append(PRIMITIVES[name].index)
        own_codes, given = _list_of(content, "instructions", int), _list_of(content, "numbers", object)
        if not all(0 <= code < len(index) for code in own_codes):
            raise _malformed("an instruction has no primitive")
        codes = np.array([index[code] for code in own_codes], np.int64)
        numbers = np.zeros(len(codes))
        if len(given) != np.count_nonzero(codes == 0):
            raise _malformed(f"{np.count_nonzero(codes == 0)} leaves have {len(given)} numbers")
        numbers[codes == 0] = list(map(_read, given))
        labels = content.get("labels")
        if not isinstance(labels, dict) or not all(slot.isdecimal() and len(slot) < 11 for slot in labels):
            raise _malformed("its labels do not belong to slots")
        starts = list(itertools.accumulate(_list_of(content, "counts", int), initial=0))
        operands, *given = [_list_of(content, each, int) for each in ("operands", "inputs", "parameters", "outputs")]
        own_labels = {int(slot): label for slot, label in labels.items()}
        return cls(codes, starts, operands, numbers, given[0], given[1], given[2], own_labels)

    def __str__(self) -> str:
        lines = []
        kinds = {**dict.fromkeys(self.inputs.tolist(), "input"), **dict.fromkeys(self.parameters.tolist(), "parameter")}
        for slot, primitive in enumerate(self.primitives):
            label = f" {self.labels[slot]}" if slot in self.labels else ""
            if primitive is None:
                lines.append(f"{slot}: {kinds.get(slot, 'constant')}{label} = {float(self.numbers[slot])!r}")
            else:
                lines.append(
                    f"{slot}: {' '.join([primitive.name, *map(str, self.operands_of(slot))])}{label and ' ->'}{label}"
                )
        return "\n".join([*lines, f"outputs: {' '.join(map(str, self.outputs))}"])

    def __repr__(self) -> str:
        return (
            f"<Program of {np.count_nonzero(self.codes)} instructions, {len(self.inputs)} inputs, "
            f"{len(self.parameters)} parameters, {len(self.outputs)} outputs>"
        )

    def _check(self) -> None:
        size = len(self)
        counts = np.diff(self.starts)
        if len(self.starts) != size + 1 or self.starts[0] != 0 or self.starts[-1] != len(self.operands):
            raise _malformed(f"the starts of its operands do not fit {size} slots and {len(self.operands)} operands")
        if (counts < 0).any():
            raise _malformed(f"the operands of slot {np.flatnonzero(counts < 0)[0]} end before they start")
        owners = self.owners()
        wrong = np.flatnonzero((self.operands < 0) | (self.operands >= owners))
        if len(wrong):
            slot, operand = int(owners[wrong[0]]), int(self.operands[wrong[0]])
            raise _malformed(f"an operand of slot {slot} is {operand}, which is not an earlier slot")
        for other in self.others:
            if not isinstance(other, Primitive):
                raise _malformed(f"it applies {shortened(other)}, which is not a primitive")
        pairs, first = np.unique(np.stack([self.codes, counts], axis=1), axis=0, return_index=True)
        for (code, count), slot in zip(pairs.tolist(), first.tolist(), strict=True):
            if not 0 <= code <= len(TABLE) + len(self.others):
                raise _malformed(f"slot {slot} applies a primitive with the code {code}, which there is not")
            if not (self.primitive(code).takes(count) if code else count == 0):
                raise _malformed(
                    f"slot {slot} applies {self.primitive(code) if code else 'nothing'} to {count} operands"
                )
        for name, slots in (("input", self.inputs), ("parameter", self.parameters), ("output", self.outputs)):
            for slot in slots[(slots < 0) | (slots >= size)].tolist():
                raise _malformed(f"{name} {slot} is not a slot")
            for slot in slots[self.codes[slots] > 0].tolist() if name != "output" else ():
                raise _malformed(f"{name} {slot} is the result of an instruction")
        if (np.bincount(self.leaves) > 1).any():
            raise _malformed("a slot is an input or parameter twice")
        if self.numbers.shape != (size,):
            raise _malformed(f"{size} slots have {self.numbers.size} numbers")
        for labelled, label in self.labels.items():
            if type(labelled) is not int or not 0 <= labelled < size or not isinstance(label, str):
                raise _malformed(f"the label of slot {shortened(labelled)} is {shortened(label)}")


def from_edges(owners: Integers, operands: Integers, size: int) -> tuple[Integers, Integers]:
    """Return where the operands of each slot start, and the operands, of pairs (owner, operand) in their order.

    >>> starts, operands = from_edges(np.array([3, 2, 3]), np.array([0, 1, 2]), 4)
    >>> starts.tolist(), operands.tolist()
    ([0, 0, 0, 1, 3], [1, 0, 2])
    """
    order = np.argsort(owners, kind="stable")
    starts = np.zeros(size + 1, np.int64)
    np.cumsum(np.bincount(owners, minlength=size), out=starts[1:])
    return starts, operands[order]


def _malformed(what: str) -> ValueError:
    return ValueError(f"this is not a well-formed program: {what}; write it again with Program.to_json")


def _slots(name: str, slots: Sequence[int] | Integers) -> Integers:
    try:
        found = np.asarray(slots)
    except (ValueError, OverflowError):
        found = np.empty(1, object)
    if found.ndim != 1 or (found.size and found.dtype.kind not in "iu"):
        raise _malformed(f"its {name}s are {shortened(slots)}, which are no slots")
    return found.astype(np.int64, copy=False)


def _list_of(content: dict[str, Any], name: str, kind: type) -> list[Any]:
    items = content.get(name)
    if not isinstance(items, list) or not all(kind is object or type(item) is kind for item in items):
        raise _malformed(f"its {name} are {shortened(items)}")
    return items


def _written(number: float) -> float | str:
    return number if math.isfinite(number) else str(number)  # one of NOT_FINITE


def _read(number: object) -> float:
    if isinstance(number, str) and number in NOT_FINITE:
        return NOT_FINITE[number]
    try:
        return finite_number(number)
    except ValueError as error:
        raise _malformed(str(error)) from None
