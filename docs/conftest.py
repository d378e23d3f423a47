"""Pages whose examples need a package that may be missing."""

from __future__ import annotations

from importlib.util import find_spec

import pytest

NEEDED = {"run_on_jax.md": "jax"}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Skip their examples where it is."""
    for item in items:
        package = NEEDED.get(item.path.name)
        if package is not None and find_spec(package) is None:
            item.add_marker(pytest.mark.skip(f"{package}, which the examples of this page use, is not installed here"))
