"""Settings of the tests."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest
from hypothesis import settings

if TYPE_CHECKING:
    from playwright.sync_api import Browser

# Where a change is judged the random graphs are the same each time; elsewhere each run tries new ones.
settings.register_profile("judged", derandomize=True)
if os.environ.get("CI"):
    settings.load_profile("judged")


@pytest.fixture(scope="module")  # while Playwright runs, asyncio.run() fails in the tests of other modules
def browser() -> Iterator[Browser]:
    """A headless Chromium."""
    pytest.importorskip("playwright.sync_api", reason="Playwright, which drives the browser, is not installed here")
    from playwright.sync_api import sync_playwright

    path = shutil.which("chromium")
    if path is None:
        pytest.skip("the browser that runs the JavaScript, `chromium`, is not on PATH")
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield running
        running.close()
