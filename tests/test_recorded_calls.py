"""Calls that are recorded."""

import pytest

from autograd import Value
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
