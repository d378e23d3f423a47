"""Which engine runs."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

import autograd
from autograd.native.selection import MODULES

FOLDER = Path(autograd.__file__).parent
TYPES = [*FOLDER.rglob("*.pxd"), *FOLDER.rglob("*.h")]


def say(choice: str | None) -> subprocess.CompletedProcess[str]:
    environment = {name: value for name, value in os.environ.items() if name != "STEPGRAD_ENGINE"}
    environment["PYTHONPATH"] = os.pathsep.join(sys.path)
    if choice is not None:
        environment["STEPGRAD_ENGINE"] = choice
    return subprocess.run(
        [sys.executable, "-m", "autograd"], env=environment, capture_output=True, text=True, check=False
    )


def test_the_plain_engine_can_be_asked_for() -> None:
    result = say("plain")
    assert "runs its plain engine" in result.stdout
    assert result.stdout.splitlines()[0].endswith("value.py")


@pytest.mark.skipif(autograd.engine != "compiled", reason="the engine that runs is not the compiled one")
def test_the_compiled_engine_runs_by_itself() -> None:
    assert "runs its compiled engine" in say(None).stdout
    assert say("compiled").returncode == 0


def test_the_attribute_tells_the_truth() -> None:
    for module in MODULES:
        is_source = str(getattr(autograd, module).__file__).endswith(".py")
        assert is_source is (autograd.engine == "plain")


def test_another_choice_is_refused() -> None:
    result = say("quick")
    assert result.returncode == 1
    assert "STEPGRAD_ENGINE is 'quick': set it to 'plain' or 'compiled', or leave it out" in result.stderr


@pytest.mark.skipif(autograd.engine != "compiled", reason="the engine that runs is not the compiled one")
def test_the_compiled_engine_is_of_this_source() -> None:
    if not TYPES:
        pytest.skip("installed from a wheel, without the source of the compiled engine")
    sources = [*TYPES, FOLDER / "native" / "c_rules.py", *(FOLDER / f"{module}.py" for module in MODULES)]
    built = min(Path(str(getattr(autograd, module).__file__)).stat().st_mtime for module in MODULES)
    newer = [path.name for path in sources if path.stat().st_mtime > built]
    assert not newer, "run `make native`"
