"""The widget in marimo, with a kernel."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from playwright.sync_api import Browser

pytestmark = pytest.mark.engine_independent
pytest.importorskip("marimo", reason="marimo is not installed here")
pytest.importorskip("anywidget", reason="anywidget, of the extra stepgrad[widget], is not installed here")

ROOT = Path(__file__).parent.parent
NOTEBOOK = """
import marimo

app = marimo.App()


@app.cell
def _():
    from autograd import steps
    from nn.examples import worked_example
    network = worked_example.build_network()
    s = steps(worked_example.forward(network))
    s
    return network, s


@app.cell
def _(network, s):
    import json, pathlib, threading, time

    def watch(path=pathlib.Path("seen.json")):
        while path.parent.exists():
            leaves = {p.label: p.data for p in network.parameters()}
            path.with_suffix(".new").write_text(json.dumps([s.position, leaves]))
            path.with_suffix(".new").rename(path)
            time.sleep(0.05)

    threading.Thread(target=watch, daemon=True).start()
    return
"""


def test_steps_edits_and_training_reach_the_kernel(browser: Browser, tmp_path: Path) -> None:
    (tmp_path / "notebook.py").write_text(NOTEBOOK)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "marimo", "run", "--headless", "--no-token", f"--port={port}", "notebook.py"]
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    with (tmp_path / "log").open("w") as log:
        server = subprocess.Popen(command, cwd=tmp_path, env=env, stdout=log, stderr=log)
    page = browser.new_page(color_scheme="dark")
    heard: list[str] = []
    page.on("pageerror", lambda error: heard.append(str(error)[:300]))

    def wait_until(is_so: Callable[[], bool]) -> None:
        end = time.monotonic() + 60
        while not is_so():
            assert time.monotonic() < end, (heard, (tmp_path / "log").read_text()[-2000:])
            page.wait_for_timeout(50)

    def answers() -> bool:
        with socket.socket() as asking:
            return asking.connect_ex(("127.0.0.1", port)) == 0

    def seen() -> tuple[int, dict[str, float]]:
        position, leaves = json.loads((tmp_path / "seen.json").read_text())
        return position, leaves

    try:
        wait_until(answers)
        page.goto(f"http://127.0.0.1:{port}")
        page.locator(".page[data-theme=light]").wait_for(timeout=60_000)  # marimo's theme, not the system's
        page.get_by_role("slider", name="Step", exact=True).fill("28")
        wait_until(lambda: seen()[0] == 28)
        field = page.get_by_role("textbox", name="w5", exact=True)
        field.fill("0.5")
        field.press("Enter")
        page.get_by_text("✓ kernel: w5 = 0.5").wait_for()
        wait_until(lambda: seen()[1]["w5"] == 0.5)
        page.get_by_text("Train, curve, why").click()
        page.get_by_role("button", name="Train 10 rounds").click()
        page.locator("[data-kind=rounds][data-value='10']").wait_for()
        wait_until(lambda: seen()[1]["w5"] != 0.5)
        shown = page.locator(".box [data-name=w5][data-kind=data]").get_attribute("data-value")
        assert float(str(shown)) == seen()[1]["w5"]
        assert heard == []
    finally:
        page.close()
        server.terminate()
        server.wait(20)
