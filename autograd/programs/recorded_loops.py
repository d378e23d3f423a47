"""Loops in recorded functions: nodes that stand for all rounds, of which one was recorded.

A loop carries numbers, its *state*, from one round to the next. Its body also reads a *row* of numbers, another one in
each round, and *constants*: nodes that were computed before the loop. It computes the next state and a row of results.
The loop is a node of the primitive `RecordedLoop`, whose operands are all numbers that it starts from. Each of its
results is a node of the primitive `PICK`, whose operands are that node and a place.

A loop has two derivatives, which are loops themselves, so there are derivatives of any order:

- its *dual* carries the state and its tangent: forward mode;
- its *pull* runs the backward pass of the body from the last round to the first: reverse mode. It reads the states that
  the loop had before each round, which are kept when the program runs (`loop_layout`). It carries the gradient of the
  state and those of the constants, to which it adds.

The derivatives of a pull follow from the dual. Let the loop compute F(x), its dual F(x) and F′(x) w, and its pull
P(x, c) = F′(x)ᵀ c. Then w · P(x, c) = c · F′(x) w, whose gradient by c is F′(x) w, and whose gradient by x is what the
dual pulls back to x from the gradient c of its tangents. The tangent of P along (w, c′) is what the dual pulls back to
x from the gradient c′ of F(x) and the gradient c of its tangents.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from itertools import chain, cycle, islice, repeat
from operator import mul
from typing import TYPE_CHECKING, Any

import numpy as np

from autograd.calculus.reverse_and_forward import Number, as_value, may_fail, pull, push
from autograd.modes import program_recording, recording_number, recording_program
from autograd.primitives import Primitive, Rule
from autograd.programs.groups import TABLE
from autograd.programs.program import Program
from autograd.tape import Tape, begin, plus, times
from autograd.value import Value, _binary, apply_wide, is_fixed, placeholder

if TYPE_CHECKING:
    from autograd.programs.groups import Truths

# The numbers of inputs while a function is recorded. They do not matter; these are in the domain of most functions.
PLACEHOLDERS = [0.5 + i / 1024.0 for i in range(101)]
LONG = 8  # operands from which on a sum is costly
# Primitives that take no longer than reading a number that was kept.
CHEAP = {
    *("add", "subtract", "multiply", "divide", "negate", "abs", "sign", "sqrt", "one_minus_square", "stop_gradient"),
    *("greater", "where", "maximum", "minimum", "strong_multiply", "select_multiply", "relu", "leaky_relu"),
    *("floor", "ceil"),
}
COUNTED, WHILE = "counted", "while"  # what ends a loop whose rounds are not known: a count, a condition


def placeholders(count: int, number: int | None = None) -> list[Value]:
    """Return leaves that stand for numbers in the recording of a number; in the one in progress when not given."""
    number = recording_number() if number is None else number
    return list(map(placeholder, islice(cycle(PLACEHOLDERS), count), repeat(number)))


class Body:
    """One round of a loop, as nodes.

    Args:
        state: the inputs that hold the state.
        kept: those that hold the state that a loop had before this round, of what pulls gradients back through it.
        row: those that hold the row of numbers of this round.
        constants: the nodes that the round refers to.
        next_state, results: what it computes.
        go_on: whether there is a next round; None if that is known beforehand.
        since: when it was recorded.
    """

    def __init__(
        self,
        state: list[Value],
        kept: list[Value],
        row: list[Value],
        constants: list[Value],
        next_state: Sequence[Number],
        results: Sequence[Number],
        go_on: Value | None,
        since: int,
    ) -> None:
        self.state, self.kept, self.row, self.constants, self.since = state, kept, row, constants, since
        self.next_state, self.results = list(map(as_value, next_state)), list(map(as_value, results))
        self.go_on = go_on

    @property
    def inputs(self) -> list[Value]:
        """All inputs: the state, what was kept, the row, the constants."""
        return [*self.state, *self.kept, *self.row, *self.constants]

    @property
    def outputs(self) -> list[Value]:
        """All outputs: the next state, the results, what may be kept, and whether there is a next round."""
        return [*self.next_state, *self.results, *self.costly, *self._end]

    @property
    def _end(self) -> list[Value]:
        return [] if self.go_on is None else [self.go_on]

    @cached_property
    def tape(self) -> Tape:
        """What the state, the results and the end are computed from within the round."""
        return Tape(*self.next_state, *self.results, *self._end, since=self.since)

    @cached_property
    def costly(self) -> list[Value]:
        """What takes longer to compute than to keep, for the loop that pulls gradients back."""
        if self.kept or not self.state:  # it pulls, and is not pulled itself; or its rounds run side by side
            return []
        starts = self.tape.starts
        return [
            node
            for index, node in enumerate(self.tape.nodes)
            if starts[index] < starts[index + 1] and is_costly(node.primitive, starts[index + 1] - starts[index])
        ]

    @cached_property
    def program(self) -> Program:
        """The round as a program."""
        tape = Tape(*self.outputs, *self.inputs, since=self.since)
        return Program.with_parameters(self.outputs, self.inputs, tape=tape)[0]

    def dual(self) -> Body:
        """Return the round that computes tangents, too: of the state, the row and the constants, each after those."""
        inputs = [self.state, self.row, self.constants]
        tangents = [placeholders(len(part)) for part in inputs]
        given = dict(zip(chain(*inputs), chain(*tangents), strict=True))
        outputs = [*self.next_state, *self.results]
        pushed = push(self.tape, outputs, given, recorded=True)
        size = len(self.state)
        state, row, constants = ([*part, *tangent] for part, tangent in zip(inputs, tangents, strict=True))
        return Body(
            state, [], row, constants, [*self.next_state, *pushed[:size]], [*self.results, *pushed[size:]], self.go_on,
            self.since,
        )  # fmt: skip

    def pulled(self, has_results: bool) -> Body:
        """Return the round that pulls gradients back: those of the next state, and of the results if there are any.

        It adds to the gradients of the constants, which are part of its state, in the order of the operations. Rounds
        without a state of their own, as of `map`, add once: so they need nothing of each other, and run side by side.
        """
        gradients, totals = placeholders(len(self.state)), placeholders(len(self.constants))
        of_results = placeholders(len(self.results) if has_results else 0)
        seeds: dict[Value, Number] = dict(zip(self.constants, totals, strict=True)) if self.state else {}
        for node, gradient in zip([*self.next_state, *self.results], [*gradients, *of_results], strict=False):
            if not is_fixed(node):
                seeds[node] = seeds[node] + gradient if node in seeds else gradient
        inputs = [*self.state, *self.row, *self.constants]
        found = pull(self.tape, inputs, seeds, recorded=True)
        grads = [found.get(node, seeds.get(node, 0.0)) for node in inputs]
        size, width = len(self.state), len(self.row)
        if not self.state:
            parts = [found.get(node, seeds.get(node)) for node in self.constants]
            grads[width:] = [t if part is None else plus(t, part) for t, part in zip(totals, parts, strict=True)]
        return Body(
            [*gradients, *totals], [*self.state, *self.costly], [*self.row, *of_results], self.constants,
            [*grads[:size], *grads[size + width :]], grads[size : size + width], None, self.since,
        )  # fmt: skip


def record_body(
    function: Callable[..., Any], size: int, width: int, run: Callable[[list[Value], list[Value]], tuple[Any, Any, Any]]
) -> Body:
    """Record one round.

    Args:
        function: what is named in errors.
        size: how many numbers the state has.
        width: likewise the row.
        run: takes the inputs of both, and returns the numbers of the next state, those of the results, and whether
            there is a next round, or None.
    """
    outer, since = program_recording.get(), begin()
    state, row = placeholders(size), placeholders(width)
    of_round = {"function": function, "arguments": {0: state, 1: row}, "checked": [], "derivatives": []}
    with recording_program(outer._replace(**of_round, is_condition=False)):
        next_state, results, go_on = run(state, row)
    body = Body(state, [], row, [], next_state, results, None if go_on is None else as_value(go_on), since)
    starts, own = body.tape.starts, set(map(id, (*state, *row)))
    body.constants += [
        node
        for index, node in enumerate(body.tape.nodes)
        if starts[index] == starts[index + 1] and id(node) not in own and not is_fixed(node)
    ]
    begin()  # so that what is computed from the loop is newer than its round
    return body


def is_costly(primitive: Primitive | None, count: int) -> bool:
    """Return whether a primitive of `count` operands takes longer than reading a number that was kept."""
    if primitive is None or isinstance(primitive, RecordedLoop | Pick):
        return False
    return primitive.name not in CHEAP if primitive.arity else count >= LONG


class RecordedLoop(Primitive):
    """The primitive of a loop, or of what pulls gradients back through one.

    The operands are: if the rounds are not known, their count, or whether there is a first one; the state; the
    constants; and the rows, one after another. Those of a loop that pulls are the operands of the other one, then the
    gradients of the last state, and of the results of each round if there are any. The results are the last state, then
    the results of each round; of a loop that pulls, the gradients of the state, the constants and the rows.

    Args:
        body: one round.
        rounds: how many there are; or `COUNTED` or `WHILE` if that is known when it runs.
        is_reversed: whether the first round reads the last row.
        pulls: the loop through which it pulls gradients back.
        title: its name.
    """

    def __init__(
        self, body: Body, rounds: int | str, is_reversed: bool, title: str, pulls: RecordedLoop | None = None
    ) -> None:
        super().__init__(
            title,
            lambda *operands: PLACEHOLDERS[0],  # while it is recorded
            all_slopes=lambda out, *operands: [],
            plain=title,
            latex=title,
            domain="other operands" if may_fail(body.tape) else "",
        )
        self.body, self.rounds, self.is_reversed, self.pulls = body, rounds, is_reversed, pulls
        self.count = rounds if isinstance(rounds, int) else None
        self.head = 0 if isinstance(rounds, int) else 1
        self._derived: dict[Any, RecordedLoop] = {}

    @property
    def has_results(self) -> bool:
        """Of a loop that pulls, whether there are gradients of the results of each round."""
        return self.pulls is not None and len(self.body.row) > len(self.pulls.body.row)

    def derived(self, key: str) -> RecordedLoop:
        """Return the dual loop, or the one that pulls back, or that does without gradients of results."""
        found = self._derived.get(key)
        if found is None:
            pulls = None if key == "dual" else self
            body = self.body.dual() if key == "dual" else self.body.pulled(key == "pull")
            found = RecordedLoop(
                body, self.rounds, self.is_reversed, f"{self.name} {'dual' if key == 'dual' else 'pull'}", pulls
            )
            self._derived[key] = found
        return found

    def local_slopes(self, out: Any, *operands: Any) -> tuple[Any, ...]:
        """Return a direction for each operand: see `Direction`."""
        return tuple([Direction(out, {place: 1.0}, of_results=False) for place in range(len(operands))])

    def guard(self, which: int) -> Any:
        """Return the product; the loop itself guards what is within it."""
        return mul

    # Where numbers are among the operands of a loop that does not pull.

    def rows_at(self) -> int:
        """Return the place of the first row among the operands."""
        return self.head + len(self.body.state) + len(self.body.constants)

    def apart(self, operands: Sequence[Any]) -> tuple[list[Any], list[Any], list[Any], list[list[Any]]]:
        """Return operands as the head, the state, the constants and the rows."""
        head, size, width = self.head, len(self.body.state), len(self.body.row)
        first = self.rows_at()
        rows = [list(operands[first + t * width : first + (t + 1) * width]) for t in range(self.count or 0)]
        return list(operands[:head]), list(operands[head : head + size]), list(operands[head + size : first]), rows

    # Derivatives.

    def dual_node(
        self, operands: Sequence[Any], tangents: Mapping[int, Number]
    ) -> tuple[RecordedLoop, list[Any], Value]:
        """Return the dual loop, its operands and its node, from the tangents of some operands by their places."""
        dual = self.derived("dual")
        head, *parts, rows = self.apart(operands)
        _, *moved, moved_rows = self.apart([tangents.get(place, 0.0) for place in range(len(operands))])
        pairs = [*zip(parts, moved, strict=True), *zip(rows, moved_rows, strict=True)]
        given = [*head, *(number for pair in pairs for part in pair for number in part)]
        return dual, given, apply_wide(dual, tuple(given))

    def pull_node(self, operands: Sequence[Any], gradients: Mapping[int, Number]) -> Value:
        """Return the node of the loop that pulls back, from the gradients of some results by their places."""
        size = len(self.body.state)
        has_results = any(place >= size for place in gradients)
        count = size + (self.count or 0) * len(self.body.results) * has_results
        given = [gradients.get(place, 0.0) for place in range(count)]
        return apply_wide(self.derived("pull" if has_results else "pull last"), (*operands, *given))

    def in_dual(self, place: int) -> tuple[int, int]:
        """Return the places of an operand and of its tangent among the operands of the dual loop."""
        head, first = self.head, self.rows_at()
        size, constants, width = len(self.body.state), len(self.body.constants), len(self.body.row)
        if place < head + size:
            return place, place + size
        if place < first:
            return place + size, place + size + constants
        row, column = divmod(place - first, width)
        start = head + 2 * (size + constants + row * width) + column
        return start, start + width

    def result_in_dual(self, place: int) -> tuple[int, int]:
        """Return the places of a result and of its tangent among the results of the dual loop."""
        size, width = len(self.body.state), len(self.body.results)
        if place < size:
            return place, place + size
        row, column = divmod(place - size, width)
        start = 2 * size + 2 * row * width + column
        return start, start + width

    # Run one round after another, on numbers or nodes: for a program that is run so.

    def __call__(self, *operands: Any) -> Any:
        """Return all results, from numbers or nodes, computed round by round."""
        if self.pulls is None:
            return tuple(self._run(operands)[0])
        loop = self.pulls
        given, own = list(operands[: loop.operand_count()]), list(operands[loop.operand_count() :])
        _, states = loop._run(given)
        size, (_, _, constants, rows) = len(loop.body.state), loop.apart(given)
        gradients, width = own[size:], len(loop.body.results) if self.has_results else 0
        state: list[Any] = [*own[:size], *repeat(0.0, len(constants))]
        found: dict[int, list[Any]] = {}
        for k in reversed(range(len(states))):
            t = len(states) - 1 - k if self.is_reversed else k
            row = [*rows[t], *gradients[t * width : (t + 1) * width]] if rows or width else []
            state, found[t] = self._round([*state, *states[k], *row, *constants])[:2]
        return (*state, *(number for t in sorted(found) for number in found[t]))

    def operand_count(self) -> int:
        """Return how many operands it has, if it does not pull."""
        return self.rows_at() + (self.count or 0) * len(self.body.row)

    def _round(self, inputs: Sequence[Any]) -> tuple[list[Any], list[Any], list[Any], Any]:
        program, body = self.body.program, self.body
        numbers = program.forward(dict(zip(program.inputs.tolist(), inputs, strict=True)))
        outputs = iter([numbers[slot] for slot in program.outputs.tolist()])
        parts = [list(islice(outputs, len(part))) for part in (body.next_state, body.results, body.costly)]
        return parts[0], parts[1], parts[2], next(outputs, None)

    def _run(self, operands: Sequence[Any]) -> tuple[list[Any], list[list[Any]]]:
        """Return the results, and for each round the state before it and what else is kept."""
        head, state, constants, rows = self.apart(operands)
        states: list[list[Any]] = []
        found: dict[int, list[Any]] = {}
        go_on = _number(head[0]) if head else float(self.count or 0)
        while go_on > len(states) if self.rounds != WHILE else go_on:
            t = len(states) if not self.is_reversed else (self.count or 0) - 1 - len(states)
            before = state
            state, found[t], costly, more = self._round([*state, *(rows[t] if rows else ()), *constants])
            states.append([*before, *costly])
            go_on = go_on if more is None else _number(more)
        return [*state, *(number for t in sorted(found) for number in found[t])], states


def slots_of(program: Program, kind: Any) -> Truths:
    """Return for each slot whether its primitive is not in the table and of a class, or of one of several."""
    codes = [code for code, other in enumerate(program.others, len(TABLE) + 1) if isinstance(other, kind)]
    return np.isin(program.codes, codes)


def has_code(program: Program, codes: Sequence[int]) -> bool:
    """Return whether a program, or a round of one of its loops, has an instruction of one of some primitives."""
    loops = [other for other in program.others if isinstance(other, RecordedLoop)]
    return bool(np.isin(program.codes, codes).any()) or any(has_code(loop.body.program, codes) for loop in loops)


def _number(number: Any) -> float:
    return number.data if isinstance(number, Value) else float(number)


class Pick(Primitive):
    """The primitive of one result of a loop: of its node and a place."""

    def __init__(self) -> None:
        zero: Rule = lambda out, results, place: 0.0  # noqa: E731  # of the place
        super().__init__("pick", lambda results, place: results, self._slope, zero)

    guard = RecordedLoop.guard

    def __call__(self, *operands: Any) -> Any:
        """Return the result at a place, of what a loop gave that was run round by round."""
        results, place = operands
        return results[int(_number(place))]

    @staticmethod
    def _slope(out: Any, results: Any, place: Any) -> Direction:
        return Direction(results, {int(_number(place)): 1.0}, of_results=True)


PICK = Pick()


def pick(node: Value, place: int) -> Value:
    """Return a result of the node of a loop."""
    return _binary(PICK, node, float(place))


class Direction:
    """Numbers for some of the results of a loop, or for some of its operands: a gradient or a tangent of its node.

    A backward pass multiplies the gradient of each result by the slope of `PICK`, adds up the products, and multiplies
    the sum by the slope of each operand. These slopes are directions, too: 1 for one result or one operand. So the sum
    is the gradients of all results, and its product with the slope of an operand is the gradient of that operand. A
    tangent is computed in the same way, from operands to results.
    """

    __slots__ = ("_derivatives", "_is_sum", "node", "numbers", "of_results")

    def __init__(self, node: Value, numbers: dict[int, Number], of_results: bool, is_sum: bool = False) -> None:
        self.node, self.numbers, self.of_results, self._is_sum = node, numbers, of_results, is_sum
        self._derivatives: Callable[[int], Number] | None = None

    def __add__(self, other: Direction) -> Direction:
        """Return the sum: this one, if it is a sum already; a slope may be kept for other passes."""
        if not self._is_sum:
            return Direction(self.node, dict(self.numbers), self.of_results, is_sum=True) + other
        for place, number in other.numbers.items():
            self.numbers[place] = self.numbers[place] + number if place in self.numbers else number
        return self

    def __radd__(self, other: object) -> Any:
        return NotImplemented  # so that a Value leaves the operator to this class

    def __mul__(self, other: Any) -> Any:
        if not isinstance(other, Direction):
            return Direction(
                self.node, {place: times(number, other) for place, number in self.numbers.items()}, self.of_results
            )
        (place,) = other.numbers
        if self._derivatives is None:
            derive = _pulled if self.of_results else _pushed
            self._derivatives = derive(self.node, self.numbers)
        return self._derivatives(place)

    __rmul__ = __mul__


def _loop_of(node: Value) -> tuple[RecordedLoop, list[Any]]:
    loop: Any = node.primitive
    return loop, [parent.data if is_fixed(parent) else parent for parent in node.parents]


def _pulled(node: Value, gradients: Mapping[int, Number]) -> Callable[[int], Number]:
    """Return a function of the place of an operand, which returns its gradient."""
    loop, operands = _loop_of(node)
    if loop.pulls is None:
        made = loop.pull_node(operands, gradients)
        return lambda place: pick(made, place - loop.head) if place >= loop.head else 0.0
    forward, count = loop.pulls, loop.pulls.operand_count()
    tangents = {place + forward.head: number for place, number in gradients.items()}
    dual, given, along = forward.dual_node(operands[:count], tangents)
    own = {forward.result_in_dual(place)[1]: gradient for place, gradient in enumerate(operands[count:])}
    back = dual.pull_node(given, own)

    def gradient(place: int) -> Number:
        if place >= count:
            return pick(along, forward.result_in_dual(place - count)[1])
        return pick(back, forward.in_dual(place)[0] - dual.head) if place >= forward.head else 0.0

    return gradient


def _pushed(node: Value, tangents: Mapping[int, Number]) -> Callable[[int], Number]:
    """Return a function of the place of a result, which returns its tangent."""
    loop, operands = _loop_of(node)
    if loop.pulls is None:
        _, _, along = loop.dual_node(operands, tangents)
        return lambda place: pick(along, loop.result_in_dual(place)[1])
    forward, count = loop.pulls, loop.pulls.operand_count()
    dual, given, _ = forward.dual_node(operands[:count], {place: t for place, t in tangents.items() if place < count})
    own = {forward.result_in_dual(place)[1]: gradient for place, gradient in enumerate(operands[count:])}
    own |= {forward.result_in_dual(place - count)[0]: t for place, t in tangents.items() if place >= count}
    back = dual.pull_node(given, own)
    return lambda place: pick(back, forward.in_dual(place + forward.head)[0] - dual.head)
