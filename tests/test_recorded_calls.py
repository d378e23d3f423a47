"""Calls that are recorded."""

from collections.abc import Callable
from typing import Any

import pytest

from autograd import Value, grad, jvp
from autograd.calculus.recorded_calls import RecordedCall


def test_each_number_to_differentiate_by_is_a_node_of_its_own() -> None:
    x = Value(3.0)
    run = RecordedCall(lambda a, b, c: a * b * c, [x, x, 2.0], [0, -2])
    assert len(set(run.inputs)) == 2
    assert x not in run.inputs
    assert run.recorded  # since Values were given
    assert [output.data for output in run.outputs] == [18.0]
    with pytest.raises(TypeError, match="no argument 3 to differentiate by: 3 were given"):
        RecordedCall(lambda a, b, c: a, [1.0, 2.0, 3.0], [3])


@pytest.mark.parametrize("outer", [lambda f: grad(f)(0.5), lambda f: jvp(f, [0.5], [1.0])[1]])
def test_a_call_within_another_records_as_much_at_every_step(outer: Callable[[Any], Any]) -> None:
    """Whatever came before: of x, which is an argument, and of v, which the function refers to."""
    sizes: list[tuple[int, int]] = []

    def fall(x: Any) -> Any:
        v = x * 0.0
        for _ in range(30):
            force = RecordedCall(lambda y: y * y * v, [x], [0])  # noqa: B023  # called here
            later = RecordedCall(lambda t: v * t + x, [0.0], [0])  # noqa: B023  # likewise
            sizes.append((len(force.tape), len(later.tape)))
            assert force.recorded
            assert later.recorded
            v = v + later.pull({later.outputs[0]: 1.0}, recorded=True)[0] * 0.1
            x = x + force.pull({force.outputs[0]: 1.0}, recorded=True)[0] * 0.1
        return x

    outer(fall)
    assert set(sizes) == {(6, 5)}
