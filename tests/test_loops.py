"""The loops of the compiled programs as C."""

import itertools
import re

from autograd.native.languages import C
from autograd.native.loops import source
from autograd.primitives import PRIMITIVES

SOURCE = source()


def has_c(name: str) -> bool:
    row = PRIMITIVES[name]
    try:
        C.write([row(*map(C.variable, "xyz"[: row.arity]))])
    except TypeError:
        return False
    return True


def test_each_primitive_with_c_has_a_loop_for_each_mixture_of_arrays() -> None:
    loops = re.findall(r"^static void (\w+)_([vs]+)\(", SOURCE, re.MULTILINE)
    wanted = {
        (name, "".join("v" if mask >> i & 1 else "s" for i in range(row.arity)))
        for name, row in PRIMITIVES.items()
        if row.arity and has_c(name)
        for mask in range(1, 2**row.arity)
    }
    assert {loop for loop in loops if not loop[0].startswith("fast_")} == wanted
    assert len(set(loops)) == len(loops)


def test_loops_that_need_not_be_exact_call_functions_of_our_own() -> None:
    bodies = dict(re.findall(r"^static void (\w+)_v\(.*\n(?:.*\n)*?.*(out\[i\] = .*) \}$", SOURCE, re.MULTILINE))
    fast = {name: body for name, body in bodies.items() if name.startswith("fast_")}
    assert {"fast_exp", "fast_tanh", "fast_sigmoid"} <= fast.keys()
    assert fast["fast_tanh"] == bodies["tanh"].replace("tanh(", "fast_tanh(")
    entries = dict(re.findall(r"^    \[(\d+)\] = (fast_\w+)_v,$", SOURCE, re.MULTILINE))
    assert entries == {str(PRIMITIVES[name.removeprefix("fast_")].index): name for name in fast}


def test_a_step_of_a_tape_for_each_of_them() -> None:
    """One for each choice of operands that are the result of the step before."""
    steps = re.findall(r"STEP\((\d+), (\d)\) \{ (.*) NEXT\((\d)\) \}", SOURCE)
    assert [(index, mask) for index, mask, _, _ in steps] == re.findall(r"LABEL\((\d+), (\d)\)", SOURCE)
    found = {
        (int(index), int(mask)): [*re.findall(r"const double \w = (last|memory\[words\[\d\]\]);", body), int(size)]
        for index, mask, body, size in steps
    }
    wanted = {}
    for name, row in PRIMITIVES.items():
        if row.arity and has_c(name):
            for mask in range(2**row.arity):
                places = itertools.count(1)
                operands = ["last" if mask >> i & 1 else f"memory[words[{next(places)}]]" for i in range(row.arity)]
                wanted[row.index, mask] = [*operands, next(places)]
    assert found == wanted
