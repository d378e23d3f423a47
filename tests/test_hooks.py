"""What modules above `value.py` register for it."""

import subprocess
import sys
from typing import get_type_hints

import autograd
from autograd.hooks import Hooks, hooks


def test_every_hook_is_registered_when_the_package_is_imported() -> None:
    names = [name for name in Hooks.__annotations__ if not name.startswith("_")]
    assert len(names) >= 10
    assert all(callable(getattr(hooks, name)) for name in names)


def test_hooks_are_registered_by_modules_above_the_engine() -> None:
    homes = {name: getattr(hooks, name).__module__ for name in Hooks.__annotations__}
    assert homes["apply"] == homes["plain_refusal"] == "autograd.value"
    assert homes["refuse"] == "autograd.programs.refusals"
    assert homes["backward"].startswith("autograd.")
    assert "autograd.value" not in homes.values()


def test_the_types_of_the_hooks_can_be_read() -> None:
    assert set(get_type_hints(Hooks, localns=vars(autograd))) == set(Hooks.__annotations__)


def test_registering_imports_nothing_slow() -> None:
    code = "import sys; from autograd.hooks import hooks; print(callable(hooks.listing), 'numpy' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["True", "False"]
