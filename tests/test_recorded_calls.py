"""Calls that are recorded."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from autograd import Value, compile, grad, hessian, jacobian, jvp, value_and_grad
from autograd.calculus.recorded_calls import RecordedCall


def test_each_number_to_differentiate_by_is_a_node_of_its_own() -> None:
    x = Value(3.0)
    run = RecordedCall(lambda a, b, c: a * b * c, [x, x, 2.0], [0, -2])
    assert len(set(run.inputs)) == 2
    assert x not in run.inputs
    assert run.recorded  # since Values were given
    assert [output.data for output in run.outputs] == [18.0]
    with pytest.raises(TypeError, match="no argument 3 to differentiate with respect to: 3 were given"):
        RecordedCall(lambda a, b, c: a, [1.0, 2.0, 3.0], [3])


FIRST, SECOND = (24.0, 11.0), ((12.0, 8.0), (8.0, 0.0))  # derivatives of 2 x² y + 3 y at 2, 3


@pytest.mark.parametrize("change", [lambda function: function, compile], ids=["eager", "compiled"])
@pytest.mark.parametrize(
    ("argnums", "places"),
    [
        (np.int64(1), 1), (np.array(0), 0), (np.uint8(1), 1), (np.array([0, 1]), (0, 1)), ([np.int8(-1)], (1,)),
        ((0, 0), (0, 0)), ((0, -2), (0, 0)), ((1, 0, 1), (1, 0, 1)),
    ],
    ids=repr,
)  # fmt: skip
def test_argument_numbers_are_any_integers_and_may_be_repeated(
    argnums: Any, places: Any, change: Callable[[Any], Any]
) -> None:
    def f(x: Any, y: Any) -> Any:
        return 2.0 * x**2 * y + 3.0 * y

    def picked(table: Any) -> Any:
        return table[places] if isinstance(places, int) else tuple([table[place] for place in places])

    assert change(grad(f, argnums))(2.0, 3.0) == picked(FIRST)
    assert change(value_and_grad(f, argnums))(2.0, 3.0) == (33.0, picked(FIRST))
    assert change(jacobian(f, argnums))(2.0, 3.0) == picked(FIRST)
    assert change(jacobian(lambda x, y: [f(x, y), x, y, x * y], argnums))(2.0, 3.0) == [
        picked(FIRST), picked((1.0, 0.0)), picked((0.0, 1.0)), picked((3.0, 2.0)),
    ]  # fmt: skip
    assert change(hessian(f, argnums))(2.0, 3.0) == picked([picked(row) for row in SECOND])


@pytest.mark.parametrize("given", ["0", 1.0, None, (0, "x"), np.array([1.0])], ids=repr)
def test_what_numbers_no_argument_is_refused(given: Any) -> None:
    makers: dict[str, Callable[[], Any]] = {
        "argnums": lambda: grad(lambda x: x, given),
        "static_argnums": lambda: compile(lambda x: x, static_argnums=given),
    }
    if given is not None:
        makers["over"] = lambda: compile(lambda x: x).batch([1.0], over=given)
    for name, make in makers.items():
        with pytest.raises(TypeError, match=f"^{name} must be the position of an argument, from 0, .*got"):
            make()


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
