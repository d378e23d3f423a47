"""What type checkers know: a typed program, checked and run."""

import subprocess
import sys
from collections.abc import Callable
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import Any, get_args, get_origin, get_type_hints

import pytest

from autograd import Value

ROOT = Path(__file__).parent.parent
EXAMPLE = ROOT / "tests" / "typed_example.py"
spec = spec_from_file_location("typed_example", EXAMPLE)
assert spec is not None
assert spec.loader is not None
example = module_from_spec(spec)
spec.loader.exec_module(example)
CALLS: list[Callable[[], Any]] = [
    function
    for function in vars(example).values()
    if getattr(function, "__module__", "") == "typed_example"
    and list(get_type_hints(function)) == ["return"]
    and function.__name__ != "refused"
]


@pytest.mark.engine_independent
def test_the_typed_example_passes_a_strict_checker() -> None:
    pytest.importorskip("mypy", reason="mypy, which checks the types, is not installed here")
    result = subprocess.run(
        [sys.executable, "-m", "mypy", "--strict", str(EXAMPLE)], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert (result.returncode, result.stderr) == (0, ""), result.stdout


def is_of(value: object, hint: Any) -> bool:
    if get_origin(hint) is None:
        return type(value) is hint or (hint is Value and isinstance(value, Value))  # a Constant too
    assert isinstance(value, get_origin(hint))
    return all(is_of(member, get_args(hint)[0]) for member in value)


@pytest.mark.parametrize("call", CALLS, ids=lambda call: call.__name__)
def test_what_the_checker_knows_is_true_when_it_runs(call: Callable[[], Any]) -> None:
    assert is_of(call(), get_type_hints(call)["return"])


def test_there_is_a_call_of_each_kind() -> None:
    assert {call.__name__ for call in CALLS} >= {"score", "slope", "number", "chirped", "curvatures", "pulled"}
