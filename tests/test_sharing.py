"""Places are shared by numbers that are not needed at the same time, and by no others."""

import random
from collections.abc import Iterator

import numpy as np
import pytest

from autograd import Value, dot
from autograd.programs.groups import Chain, Code, Map, Sum
from autograd.programs.layout import lower
from autograd.programs.program import Program
from autograd.programs.sharing import with_shared_places
from tests.random_programs import random_program

Read = tuple[object, ...]


def what_is_read(code: Code) -> Iterator[Read]:
    """Of each number that is read, in order, where it came from: an input, a constant, or a member of a group.

    The code is followed with names instead of numbers. Nothing that is written may be read by the same group.
    """
    memories: list[dict[int, Read]] = [{}, {}]
    for varies, count in enumerate((code.inputs, code.varying_inputs)):
        memories[varies].update({place: ("input", place) for place in range(count)})
    memories[0].update({place: ("constant", number) for place, number in code.constants.items()})
    for order, group in enumerate(code.all_groups()):
        written = range(group.out, group.out + group.count)
        for varies, places in group.reads():
            yield from [memories[varies][place] for place in places.tolist()]
            assert isinstance(group, Chain) or varies is not group.varies or not set(written) & set(places.tolist())
        memories[group.varies].update({place: (order, member) for member, place in enumerate(written)})
    for order, total in enumerate(code.totals):
        yield from [memories[varies][place] for varies, places in total.reads() for place in places.tolist()]
        memories[0].update({out: ("total", order, member) for member, out in enumerate(total.results().tolist())})
    does_vary = code.output_varies & (not code.totals)
    for place, varies in zip(code.outputs.tolist(), does_vary.tolist(), strict=True):
        yield memories[varies][place]


@pytest.mark.engine_independent
def test_every_number_is_read_before_its_place_is_taken() -> None:
    shared = 0
    for seed in range(150):
        rng = random.Random(seed)
        program = random_program(rng)
        varies = np.array([rng.random() < 0.5 for _ in program.inputs] + [False] * len(program.parameters))
        for totals in (False, True):
            apart = lower(program, varies, totals, deep=1.0, shares_places=False)
            code = with_shared_places(apart)
            code.check(8)
            assert list(what_is_read(code)) == list(what_is_read(apart)), seed
            assert (code.uniform_size, code.varying_size) <= (apart.uniform_size, apart.varying_size)
            shared += code.uniform_size < apart.uniform_size or code.varying_size < apart.varying_size
    assert shared > 150, "most programs have numbers that can share a place"


def test_what_is_read_as_a_range_stays_one() -> None:
    for seed in range(100):
        program = random_program(random.Random(seed))
        apart = lower(program, deep=1.0, shares_places=False)
        for group, other in zip(with_shared_places(apart).all_groups(), apart.all_groups(), strict=True):
            if isinstance(group, Map | Sum) and isinstance(other, Map | Sum):
                assert [o.mode for o in group.all_operands()] == [o.mode for o in other.all_operands()]


@pytest.mark.parametrize("does_vary", [False, True])
def test_a_chain_of_functions_needs_two_numbers_for_each_at_a_time(does_vary: bool) -> None:
    x = [Value(0.5) for _ in range(8)]
    outputs = x
    for _ in range(5):
        outputs = [number.exp() for number in outputs]
        outputs = [number.sin() for number in outputs]
    code = lower(Program.of(outputs, inputs=x), np.full(8, does_vary))
    size = code.varying_size if does_vary else code.uniform_size
    assert size == 8 + 2 * 8, "the inputs, and two rows in turn"


def test_inputs_constants_and_outputs_keep_places_of_their_own() -> None:
    x = [Value(0.5) for _ in range(4)]
    first = [number.exp() for number in x]
    second = [number.sin() * 3.0 for number in first]
    code = lower(Program.of([*first, *second, dot(second, x)], inputs=x), deep=1.0)
    own = [*range(4), *code.constants, *code.outputs.tolist()]
    assert len(set(own)) == len(own)
