"""Calls from lower modules to higher ones."""

from autograd.hooks import Hooks, hooks
from tests.test_runtime import run


def test_every_hook_finds_its_function() -> None:
    names = list(Hooks.__annotations__)
    assert len(names) >= 10
    assert [getattr(hooks, name).__name__ for name in names] == names


def test_a_hook_is_imported_when_it_is_first_called() -> None:
    code = """
import sys
from autograd import Value
print("copy" in sys.modules, "autograd.copying" in sys.modules)
import copy
print(copy.copy(Value(2.0)), "autograd.copying" in sys.modules, "numpy" in sys.modules)
"""
    assert run(code).split() == ["False", "False", "Value(2.0)", "True", "False"]
