"""Modes: `no_grad`, and whom it concerns."""

import threading

import pytest

import autograd
from autograd import Constant, Value, no_grad


def test_no_grad_and_detach() -> None:
    v = Value(2.0, label="v")
    with no_grad():
        assert isinstance(v * 3, Constant)
        assert isinstance(autograd.sum([v, v]), Constant)
        with no_grad():
            pass
        assert isinstance(v.exp(), Constant)
    assert (v * 3).parents[0] is v
    output = v.detach() * v
    output.backward()
    assert v.grad == 2.0
    assert repr(v.detach()) == "Constant(2.0, label='v')"

    @no_grad()
    def predict() -> Value:
        return v * 2

    assert isinstance(predict(), Constant)
    with pytest.raises(ZeroDivisionError), no_grad():
        v / 0
    assert (v * 3).parents


def test_no_grad_holds_for_its_own_thread() -> None:
    v, results = Value(2.0), []
    with no_grad():
        thread = threading.Thread(target=lambda: results.append(v * v))
        thread.start()
        thread.join()
    assert results[0].parents == (v, v)
