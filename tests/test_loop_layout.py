"""What of a loop becomes a group."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

import autograd
from autograd import Value, compile, cos, fori_loop, grad, scan, sin, value_and_grad, while_loop
from autograd.programs.groups import Code, Loop, Map
from autograd.programs.layout import lower


def groups_of(function: Any, *arguments: Any) -> list[Loop]:
    return [group for group in lower(compile(function).program(*arguments)).groups if isinstance(group, Loop)]


def test_what_nothing_reads_is_left_out() -> None:
    """Of five numbers of the state two that depend on each other, and one result of two."""

    def step(s: Any, r: Any) -> Any:
        a, b, c, d, e = s
        return (a + b, b * r[0], c * r[1], d + c, e), (a * 2.0, d * 2.0)

    (group,) = groups_of(lambda x: scan(step, (x,) * 5, [(1.0, 2.0), (3.0, 4.0)])[0][0], 1.0)
    assert group.sizes == (2, 0, 1, 0, 0)
    (group,) = groups_of(lambda x: scan(step, (x,) * 5, [(1.0, 2.0), (3.0, 4.0)])[1][1].sum(), 1.0)
    assert group.sizes == (2, 0, 1, 0, 1)
    assert group.count == 2 + 2


def test_a_number_of_a_round_that_is_not_needed_is_not_counted() -> None:
    (group,) = groups_of(lambda x: fori_loop(0, 9, lambda i, s: sin(s), x), 1.0)
    assert group.sizes == (1, 0, 0, 0, 0)


def test_states_are_kept_once() -> None:
    """By the loop that gives the value, if there is one, and only what the other loop reads."""
    weight = Value(0.5)

    def function(x: Any) -> Any:
        return fori_loop(0, 9, lambda i, s: (sin(s[0]) * weight, s[1] + s[0]), (x, x))[1]

    for derivative in (grad, value_and_grad):
        forward, backward = groups_of(derivative(function), 1.0)
        assert (forward.store, backward.store) == (0, 0)
        assert forward.kept is not None
        assert forward.kept.tolist() == [0]
        assert not forward.is_backward
        assert backward.reads_store
        assert backward.is_backward
    assert [group.sizes[0] for group in groups_of(grad(function), 1.0)] == [1, 2]


def test_what_is_costly_is_kept_with_the_state() -> None:
    """The other loop reads the sine and the sum, and does not compute them again."""

    def step(i: Any, s: Any) -> Any:
        return [sin(s[0]) * s[1], autograd.sum([each * each for each in s]) * s[0], *s[2:]]

    forward, backward = groups_of(grad(lambda x: fori_loop(0, 9, step, [x] * 8)[1]), 1.0)
    assert forward.costly == 2
    assert forward.kept is not None
    assert backward.sizes[1] == len(forward.kept) + 2
    names = [other.primitive.name for other in backward.body.groups if isinstance(other, Map) and other.primitive]
    assert "sin" not in names


def test_a_loop_whose_slopes_do_not_depend_on_the_state_keeps_none() -> None:
    (group,) = groups_of(grad(lambda x: fori_loop(0, 9, lambda i, s: s * 0.5 + cos(1.0) * x, x)), 1.0)
    assert group.store is None
    assert group.is_backward


def test_only_what_varies_has_lanes() -> None:
    """The number of the round and a weight are the same for all examples."""

    def function(x: Any, w: Any) -> Any:
        return fori_loop(0, 3, lambda i, s: s * w + sin(i * w), x)

    program = compile(function).program(1.0, 2.0)
    code = lower(program, np.array([True, False]))
    (group,) = [group for group in code.varying_groups if isinstance(group, Loop)]
    assert sorted(group.inputs_vary.tolist()) == [False, False, True]
    assert [type(each).__name__ for each in group.body.groups]  # the sine, once for all lanes


def loops_for_lanes() -> Code:
    """Two loops, of which the second one reads what the first one keeps; in a batch, where rounds differ."""

    def function(x: Any) -> Any:
        return while_loop(lambda s: s[0] < 9.0, lambda s: (s[0] + 1.0 + abs(x), sin(s[1]) * x), (x, x))[1]

    program = compile(grad(function)).program(1.0)
    return lower(program, np.array([True]))


CHANGES: dict[str, dict[str, Any]] = {
    "sizes": {"sizes": (1, 1, 0, 0, 0)},
    "store": {"store": 7},
    "rounds": {"rounds": 3},
    "rounds vary": {"rounds_vary": False},
    "operands": {"operands": np.array([10**6])},
    "inputs": {"inputs_vary": np.zeros(1, bool)},
    "costly": {"costly": -1},
    "traced": {"traced": 2},
    "beside": {"beside": 8},
    "out": {"out": 10**6},
    "varies": {"varies": False},
    "head": {"head": (True, 10**6)},
}


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("which", [0, 1])
def test_code_that_does_not_fit_together_is_refused(change: str, which: int) -> None:
    code = loops_for_lanes()
    code.check(8)
    loops = [group for group in code.varying_groups if isinstance(group, Loop)]
    places = [code.varying_groups.index(loop) for loop in loops]
    code.varying_groups[places[which]] = replace(loops[which], **CHANGES[change])
    with pytest.raises(ValueError, match="not well-formed code"):
        code.check(8)


def test_a_loop_does_not_read_more_rounds_than_are_kept() -> None:
    code = lower(compile(grad(lambda x: fori_loop(0, 9, lambda i, s: sin(s) * x, x))).program(1.0))
    places = [place for place, group in enumerate(code.groups) if isinstance(group, Loop)]
    backward: Any = code.groups[places[1]]
    code.groups[places[1]] = replace(backward, rounds=10)
    with pytest.raises(ValueError, match="a store of 9 rounds is read for 10"):
        code.check(0)


def test_rounds_of_map_run_side_by_side_also_backward_when_they_read_a_number_twice() -> None:
    def total(weights: Any, rows: Any) -> Any:
        a, b = weights
        return autograd.sum(autograd.map(lambda row: autograd.exp(a * row) + a * b + b * row, rows))

    rows = np.linspace(-1.0, 1.0, 50)
    groups = groups_of(value_and_grad(total), (0.5, 0.25), rows)
    assert len(groups) == 2
    assert all(group.beside for group in groups)
    by_a, by_b = compile(grad(total))((0.5, 0.25), rows)
    assert by_a == pytest.approx(np.sum(rows * np.exp(0.5 * rows) + 0.25), rel=1e-14)
    assert by_b == pytest.approx(np.sum(0.5 + rows), rel=1e-14)
