"""Marks of the pages whose examples are tests."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

import pytest

NEEDED = {"run_on_jax.md": ("jax",), "use_with_scipy.md": ("scipy", "sympy")}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark pages as the same with each engine, and skip those that need a package which is not installed."""
    for item in items:
        if item.path.is_relative_to(Path(__file__).parent):
            item.add_marker("engine_independent")
        for package in NEEDED.get(item.path.name, ()):
            if find_spec(package) is None:
                why = f"{package}, which the examples of this page use, is not installed here"
                item.add_marker(pytest.mark.skip(why))
