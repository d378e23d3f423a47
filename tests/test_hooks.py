"""The hooks: each has its function once the package is imported."""

import subprocess
import sys

from autograd.hooks import Hooks, hooks


def test_each_hook_is_registered() -> None:
    assert [name for name in Hooks.__annotations__ if not callable(getattr(hooks, name, None))] == []


def test_registering_imports_nothing_slow() -> None:
    code = "import sys; from autograd.hooks import hooks; print(callable(hooks.listing), 'numpy' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["True", "False"]
