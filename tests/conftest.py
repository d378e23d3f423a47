"""Settings of the tests."""

from __future__ import annotations

import gc
import os
import shutil
import signal
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest
from hypothesis import settings

if TYPE_CHECKING:
    from playwright.sync_api import Browser

    from tests.driven_page import Driven

# Where a change is judged the random graphs are the same each time; elsewhere each run tries new ones.
settings.register_profile("judged", derandomize=True)
if os.environ.get("CI"):
    settings.load_profile("judged")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what runs in a browser: a page is the same with each engine."""
    for item in items:
        if not {"browser", "fox"}.isdisjoint(getattr(item, "fixturenames", ())):
            item.add_marker("engine_independent")


def pytest_collection_finish() -> None:
    """Keep the collector from looking at the tests themselves, again and again."""
    gc.freeze()


@pytest.fixture
def interruptible() -> Iterator[None]:
    """Restore Python's handler of SIGINT, which a job in the background of a script starts without."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.fixture(scope="session")  # while Playwright runs, asyncio.run() fails in this thread
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


@pytest.fixture(scope="module")
def tab(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Driven]:
    """A tab of the browser, for all tests of a module."""
    from tests.driven_page import opened

    yield from opened(browser, tmp_path_factory.mktemp("page"))


@pytest.fixture
def driven(tab: Driven) -> Iterator[Driven]:
    """A tab in which nothing may be heard during a test."""
    yield from tab.watched()


@pytest.fixture
def worked(driven: Driven) -> Driven:
    """The page of the worked example."""
    from tests.driven_page import worked_page

    return driven.open(worked_page())


@pytest.fixture
def gates(driven: Driven) -> Driven:
    """The page of logic gates."""
    from tests.driven_page import gates_page

    return driven.open(gates_page())
