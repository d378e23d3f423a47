"""What is said where HIPS autograd, a distribution whose package has the same name, is meant or stands in the way."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
HIPS = {  # the first lines of its files, of version 1.9.1
    "__init__.py": "from autograd.core import primitive_with_deprecation_warnings as primitive\n",
    "core.py": "from .tracer import primitive\nprimitive_with_deprecation_warnings = primitive\n",
    "tracer.py": "def primitive(function):\n    return function\n",
    "numpy/__init__.py": "from autograd.tracer import primitive\n",
}
pytestmark = pytest.mark.engine_independent


@pytest.fixture
def site(tmp_path: Path) -> Path:
    """A folder in which both packages of this project are installed, by links."""
    (tmp_path / "autograd").mkdir()
    for path in (ROOT / "autograd").iterdir():
        (tmp_path / "autograd" / path.name).symlink_to(path)
    (tmp_path / "nn").symlink_to(ROOT / "nn")
    return tmp_path


def install_hips(folder: Path) -> None:
    for name, text in HIPS.items():
        path = folder / "autograd" / name
        path.parent.mkdir(exist_ok=True, parents=True)
        path.unlink(missing_ok=True)
        path.write_text(text)


def last_line(folder: Path, *arguments: str) -> str:
    command = [sys.executable, "-P", *arguments] if sys.version_info >= (3, 11) else [sys.executable, *arguments]
    environment = {"PYTHONPATH": str(folder), "PYTHONDONTWRITEBYTECODE": "1"}
    run = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    assert run.returncode == 1, run.stdout
    return run.stderr.splitlines()[-1]


@pytest.mark.parametrize(
    "program", ["import autograd.numpy as np", "from autograd import numpy", "from autograd.core import vspace"]
)
def test_the_modules_of_hips_autograd_say_which_package_this_is(site: Path, program: str) -> None:
    said = last_line(site, "-c", program)
    assert said.startswith("ImportError: this autograd is the one of stepgrad, not HIPS autograd")
    assert "`import numpy as np`" in said


@pytest.mark.parametrize(
    "program", ["import autograd", "from autograd import Value", "import nn", "import autograd.numpy"]
)
def test_overwritten_files_are_named_as_such(site: Path, program: str) -> None:
    install_hips(site)
    said = last_line(site, "-c", program)
    assert said.startswith(
        "ImportError: another distribution, HIPS autograd (pip install autograd), has overwritten files"
    )
    assert str(site / "autograd") in said
    assert "pip install --force-reinstall --no-deps stepgrad" in said


def test_the_command_names_them_too(site: Path) -> None:
    install_hips(site)
    assert "has overwritten files of stepgrad" in last_line(site, "-m", "nn", "--version")


def test_nn_says_that_files_were_removed_or_are_another_s(site: Path, tmp_path: Path) -> None:
    (site / "autograd" / "__init__.py").unlink()  # as by pip uninstall autograd
    assert "nn is a part of stepgrad, and the package autograd in" in last_line(site, "-c", "import nn")
    for path in (site / "autograd").iterdir():
        path.unlink()
    install_hips(site)
    said = last_line(site, "-c", "import nn")
    assert "ImportError: nn is a part of stepgrad" in said
    assert "pip uninstall autograd" in said
