"""Loops and branches: `scan`, `map`, `fori_loop`, `while_loop` and `cond`, of which one round is compiled.

>>> from autograd import compile, grad
>>> def newton(a):                                  # the square root of a, in as many rounds as it takes
...     better = lambda x: 0.5 * (x + a / x)
...     return while_loop(lambda x: abs(x * x - a) > 1e-12 * a, better, a)
>>> newton(2.0), compile(newton)(2.0), compile(grad(newton))(2.0)
(1.414213562373095, 1.414213562373095, 0.35355339059327373)

Names, order of arguments and results are those of JAX. Outside of a compiled function these functions run a loop of
Python, and each of its operations is recorded. While a function is recorded to be compiled, one round is recorded: see
`recorded_loops`.
"""

from __future__ import annotations

import math
import operator
import sys
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from autograd.hooks import hooks
from autograd.modes import is_recording_program, program_recording, recording_program
from autograd.primitives import stop_gradient, subtract, where
from autograd.saving import shortened
from autograd.trees import Structure, flat, flatten, nested, unflatten
from autograd.value import Value, apply_wide

MOST_KEPT = 1 << 24  # numbers of the states of a loop, beyond which some are computed again when gradients go back

__all__ = ["cond", "fori_loop", "map", "scan", "while_loop"]


def scan(
    f: Callable[[Any, Any], tuple[Any, Any]],
    init: Any,
    xs: Any = None,
    length: int | None = None,
    reverse: bool = False,
) -> tuple[Any, Any]:
    """Carry a state through rows, and stack the results of the rounds.

    >>> def step(total, x):
    ...     return total + x, total * x
    >>> scan(step, 0.0, [1.0, 2.0, 3.0])
    (6.0, array([0., 2., 9.]))

    Args:
        f: takes the state and a row, and returns the next state and a result.
        init: the first state: a number, or a tree of them.
        xs: the rows: an array or a list with an entry for each round, or a tuple, a dict or a dataclass of such; None
            for rounds without rows.
        length: how many rounds there are; as many as rows when not given.
        reverse: whether the last row is the first one that is read. Results stand in the order of the rows.

    Returns:
        The last state; and the results, as a tree like one of them, with an array in place of each number and each
        array, whose first axis is that of the rounds.

    Raises:
        TypeError: if the state or the result of a round does not have the structure of the one before it.
        ValueError: if there is no round, or if there are not as many rows as rounds.
    """
    rows = _Rows(xs, length, "scan")

    def round_of(state: Any, row: Any) -> tuple[Any, Any]:
        found = f(state, row)
        if not isinstance(found, tuple | list) or len(found) != 2:
            raise TypeError(
                f"scan needs a function that returns a pair, the next state and a result, got {shortened(found)} of "
                f"type {type(found).__name__}{_line_of(f)}"
            )
        return found[0], found[1]

    if is_recording_program():
        return _recorded(f, "scan", init, round_of, rows.count, rows, reverse)
    numbers, structure = flat(init, Value)
    state, results = nested(structure, numbers), []
    for t in reversed(range(rows.count)) if reverse else range(rows.count):
        state, result = round_of(state, rows.row(t))
        _check_state(structure, state, f)
        results.append(result)
    return state, _stacked(results[::-1] if reverse else results, f)


def map(f: Callable[[Any], Any], xs: Any) -> Any:
    """Apply a function to each row, and stack the results: the loop that carries no state.

    >>> map(lambda row: row[0] * row[1], [(1.0, 2.0), (3.0, 4.0)])
    array([ 2., 12.])

    Args:
        f: takes a row.
        xs: the rows, as for `scan`.

    Returns:
        The results, stacked as by `scan`. In a compiled function the rows are computed side by side.

    Raises:
        TypeError: if the results do not have the same structure.
        ValueError: if there is no row.
    """
    rows = _Rows(xs, None, "map")
    if is_recording_program():
        return _recorded(f, "map", (), lambda state, row: ((), f(row)), rows.count, rows)[1]
    return _stacked([f(rows.row(t)) for t in range(rows.count)], f)


def fori_loop(lower: Any, upper: Any, body_fun: Callable[[Any, Any], Any], init_val: Any) -> Any:
    """Carry a state through a number of rounds.

    >>> fori_loop(1, 5, lambda i, product: product * i, 1.0)
    24.0

    Args:
        lower: the number of the first round.
        upper: the number after that of the last one. Both may be arguments of a compiled function: then they are read
            at each call. No gradient flows to them.
        body_fun: takes the number of the round and the state, and returns the next state.
        init_val: the first state: a number, or a tree of them.

    Returns:
        The last state.

    Raises:
        TypeError: if the state of a round does not have the structure of the one before it.
    """
    numbers, structure = flat(init_val, Value)
    if is_recording_program():
        from autograd.programs.recorded_loops import COUNTED

        rounds: int | str = COUNTED
        head: tuple[Any, ...] = ()
        if isinstance(lower, Value) or isinstance(upper, Value):
            head = (stop_gradient(subtract(upper, lower)),)
        else:
            rounds = count = max(math.ceil(upper - lower), 0)
            if count * structure.size > MOST_KEPT and count > 3:
                return _in_parts(lower, count, body_fun, init_val)

        def round_of(state: Any, row: Any) -> tuple[Any, Any]:
            i, inner = state
            i = stop_gradient(i)
            found = body_fun(i, inner)
            _check_state(structure, found, body_fun)
            return (i + 1.0, found), None

        return _recorded(body_fun, "fori_loop", (lower, init_val), round_of, rounds, None, head=head)[0][1]
    state, i = nested(structure, numbers), _number(lower)
    while i < _number(upper):
        state = body_fun(i, state)
        _check_state(structure, state, body_fun)
        i += 1
    return state


def _in_parts(lower: Any, rounds: int, body_fun: Callable[[Any, Any], Any], init_val: Any) -> Any:
    """Carry a state through √n loops of √n rounds, so that the states between them and within one of them are kept."""

    def one(_: Any, state: Any) -> Any:
        i, inner = state
        return i + 1.0, body_fun(stop_gradient(i), inner)

    length = math.isqrt(rounds)
    state = fori_loop(0, rounds // length, lambda _, state: fori_loop(0, length, one, state), (lower, init_val))
    return fori_loop(0, rounds % length, one, state)[1]


def while_loop(cond_fun: Callable[[Any], Any], body_fun: Callable[[Any], Any], init_val: Any) -> Any:
    """Carry a state through rounds while a condition on it is true.

    The gradient goes back through all rounds that were made.

    Args:
        cond_fun: takes the state, and returns whether there is another round. While it is recorded, comparisons in it
            return nodes of 1 or 0. `and`, `or` and `not` need a truth value, which such a node does not have; the error
            says what to write instead.
        body_fun: takes the state, and returns the next one.
        init_val: the first state: a number, or a tree of them.

    Returns:
        The first state for which the condition is false.

    Raises:
        TypeError: if the state of a round does not have the structure of the one before it.
    """
    if is_recording_program():
        from autograd.programs.recorded_loops import WHILE

        def round_of(state: Any, row: Any) -> tuple[Any, Any]:
            return body_fun(state), None

        return _recorded(
            body_fun, "while_loop", init_val, round_of, WHILE, None, goes_on=lambda state: _condition(cond_fun, state)
        )[0]
    numbers, structure = flat(init_val, Value)
    state = nested(structure, numbers)
    while _number(cond_fun(state)):
        state = body_fun(state)
        _check_state(structure, state, body_fun)
    return state


def cond(pred: Any, true_fun: Callable[..., Any], false_fun: Callable[..., Any], *operands: Any) -> Any:
    """Run one of two functions. The other one is not run, in a compiled function either.

    >>> from autograd import log
    >>> cond(lambda: 0.0 > 1.0, log, lambda x: x, 0.0)
    0.0

    Args:
        pred: a number, which is true unless it is 0; or a function without arguments that returns one, in which
            comparisons are recorded, as in the condition of `while_loop`.
        true_fun: what is run if it is true.
        false_fun: what is run if it is false. Both return results of the same structure.
        operands: the arguments of either.

    Returns:
        The result of the function that was run.

    Raises:
        TypeError: if the results do not have the same structure.
    """
    if not is_recording_program():
        return (true_fun if _number(pred() if callable(pred) else pred) else false_fun)(*operands)
    # Two loops, of which one makes one round and the other one none. Their state is the result.
    is_true = stop_gradient(_condition(pred) if callable(pred) else where(pred, 1.0, 0.0))
    result, structure = _branch(true_fun, is_true, operands, None)
    result, found = _branch(false_fun, 1.0 - is_true, operands, result)
    if found != structure:
        raise TypeError(
            f"the functions of cond return results of different structures: {structure}{_line_of(true_fun)}, and "
            f"{found}{_line_of(false_fun)}"
        )
    return nested(structure, result)


def _condition(function: Callable[..., Any], *arguments: Any) -> Any:
    """Return the result of a condition, in which comparisons are recorded, as 1 or 0."""
    with recording_program(program_recording.get()._replace(is_condition=True)):
        return where(function(*arguments), 1.0, 0.0)


def _number(number: Any) -> Any:
    return number.data if isinstance(number, Value) else number


class _Rows:
    """The rows that the rounds of a loop read.

    Args:
        xs: an array or a list with an entry for each round, or a container of such; None for nothing.
        length: how many rounds there are; None for as many as entries.
        name: of the loop.
    """

    def __init__(self, xs: Any, length: int | None, name: str) -> None:
        numpy = sys.modules.get("numpy")
        kinds = (list, Value) if numpy is None else (list, numpy.ndarray, Value)
        self.holders: list[Any] = []
        self.structure: Structure | None = None
        if xs is not None:
            self.holders, self.structure = flatten(xs, kinds, ())
        if any(isinstance(holder, Value) or not hasattr(holder, "__len__") for holder in self.holders):
            raise TypeError(
                f"the rows of {name} are an array or a list with an entry for each round, got a number: {xs!r:.80}"
            )
        self.holders = [_entries(holder) for holder in self.holders]
        counts = {len(holder) for holder in self.holders} | ({operator.index(length)} if length is not None else set())
        if len(counts) != 1:
            raise ValueError(
                f"{name} needs rows, or a length, got neither" if not counts
                else f"{name} needs as many rows in each part, and as its length says, got {sorted(counts)}"
            )  # fmt: skip
        (self.count,) = counts
        if self.count < 1:
            raise ValueError(f"{name} needs at least one round, got {self.count}: the form of a result is not known")

    def row(self, t: int) -> Any:
        """Return the row of a round."""
        return None if self.structure is None else unflatten(self.structure, [holder[t] for holder in self.holders])


def _entries(holder: Any) -> Any:
    """Return the entries of a list or of an array, of which one of one dimension is a list of its numbers.

    While a function is recorded, truth values of an array are numbers, 1 and 0.
    """
    if getattr(getattr(holder, "dtype", None), "kind", "") == "b" and is_recording_program():
        holder = holder.astype(float)
    return holder.tolist() if getattr(holder, "ndim", 0) == 1 else holder


def _stacked(results: Sequence[Any], function: Callable[..., Any]) -> Any:
    """Return a tree like one result, with an array of the entries of all of them for each number and each array.

    Of sparse matrices there is a list, as where a function is compiled.
    """
    columns: list[list[Any]] = []
    sparse = sys.modules.get("scipy.sparse")
    kinds = Value if sparse is None else (Value, sparse.csr_array)  # a matrix stands where numbers do
    first = None
    for result in results:
        numbers, structure = flat(result, kinds)
        if first is None:
            first = structure
        elif structure != first:
            raise TypeError(f"the result of a round changed from {first} to {structure}{_line_of(function)}")
        columns.append(numbers)
    assert first is not None
    return _stack(first, [number for column in columns for number in column], len(columns))


def _stack(structure: Structure, numbers: list[Any], count: int) -> Any:
    """Return such a tree from the numbers of `count` results, one after another."""
    leaves, size = [], structure.size
    for start, end, shape in structure.pieces:
        for place in [start] if shape else range(start, end):
            stop = end if shape else place + 1
            part = [number for t in range(count) for number in numbers[t * size + place : t * size + stop]]
            leaves.append(part if part and hasattr(part[0], "indptr") else hooks.array_of(part, (count, *shape)))
    return unflatten(structure, leaves)


def _check_state(structure: Structure, state: Any, function: Callable[..., Any]) -> None:
    found = flatten(state, Value)[1]
    if found != structure:
        raise TypeError(
            f"the state of a loop keeps its structure from round to round: it was {structure}, and became {found}"
            f"{_line_of(function)}; return a state like the one that it takes"
        )


def _line_of(function: Callable[..., Any]) -> str:
    """Return where a function stands, as the end of a sentence."""
    code = getattr(function, "__code__", None)
    return "" if code is None else f", by {function.__name__} at line {code.co_firstlineno} of {code.co_filename}"


def _recorded(
    function: Callable[..., Any],
    title: str,
    init: Any,
    round_of: Callable[[Any, Any], tuple[Any, Any]],
    rounds: int | str,
    rows: _Rows | None,
    is_reversed: bool = False,
    head: Iterable[Any] = (),
    goes_on: Callable[[Any], Any] | None = None,
) -> tuple[Any, Any]:
    """Return the last state and the results of a loop of which one round is recorded."""
    from autograd.programs.recorded_loops import RecordedLoop, pick, record_body

    state, structure = flat(init, Value)
    numbers, row_structure = [], None
    for t in range(rows.count if rows is not None and rows.structure is not None else 0):
        row, found = flat(rows.row(t), Value)  # type: ignore[union-attr]  # there are rows
        row_structure = row_structure or found
        if found != row_structure:
            raise TypeError(f"the rows of {title} do not have the same structure: {row_structure}, and then {found}")
        numbers += row
    of_result: list[Structure] = []

    def run(inputs: list[Value], row: list[Value]) -> tuple[Any, Any, Any]:
        given = None if row_structure is None else nested(row_structure, row)
        next_state, result = round_of(nested(structure, inputs), given)
        _check_state(structure, next_state, function)
        results, found = flat(result, Value)
        of_result.append(found)
        return flat(next_state, Value)[0], results, None if goes_on is None else goes_on(next_state)

    body = record_body(function, len(state), 0 if row_structure is None else row_structure.size, run)
    if goes_on is not None:
        head = (goes_on(nested(structure, state)),)
    operands = (*head, *state, *body.constants, *numbers)
    if not operands:
        raise ValueError(f"{title} carries no state and reads nothing: call the function once")
    node = apply_wide(RecordedLoop(body, rounds, is_reversed, title), operands)
    count, width = rounds if isinstance(rounds, int) else 0, of_result[0].size
    ends = [pick(node, place) for place in range(len(state))]
    results = [pick(node, len(state) + place) for place in range(count * width)]
    return nested(structure, ends), _stack(of_result[0], results, count)


def _branch(
    function: Callable[..., Any], holds: Any, operands: Sequence[Any], before: list[Value] | None
) -> tuple[list[Value], Structure]:
    """Return the numbers of the result of a function if it is run, else those from before, and its structure."""
    from autograd.programs.recorded_loops import COUNTED, RecordedLoop, pick, placeholders, record_body

    found: list[Structure] = []

    def run(inputs: list[Value], row: list[Value]) -> tuple[Any, Any, Any]:
        numbers, structure = flat(function(*operands), Value)
        found.append(structure)
        return numbers, (), None

    body = record_body(function, 0, 0, run)
    body.state += placeholders(found[0].size)
    start = [0.0] * found[0].size if before is None else before
    if len(start) != found[0].size:
        return [], found[0]
    node = apply_wide(RecordedLoop(body, COUNTED, False, "cond"), (holds, *start, *body.constants))
    return [pick(node, place) for place in range(found[0].size)], found[0]
