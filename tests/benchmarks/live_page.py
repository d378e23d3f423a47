"""What the live page takes in headless Chromium: training, stepping, opening, and its size.

Run by `make bench`. It needs Playwright and a Chromium on the path.
"""

from __future__ import annotations

import random
import shutil
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

from autograd import Value, live_page, sum
from nn import worked_example_page

TIMES = 7
PAINTED = "new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))"


def random_graph(size: int, seed: int = 1) -> Value:
    """A graph of about this many operations, without labels between its inputs and its output."""
    generator = random.Random(seed)
    operations: list[Callable[[Value, Value], Value]] = [
        lambda a, b: a + b,
        lambda a, b: (a * b).tanh(),
        lambda a, b: a.sin() - b,
    ]
    nodes = [Value(generator.uniform(-1.0, 1.0), f"x{index}") for index in range(20)]
    while len(nodes) < size:
        nodes.append(generator.choice(operations)(*generator.choices(nodes[-200:], k=2)))
    return sum(nodes[-100:])


def milliseconds(page: Page, action: str) -> float:
    """How long an action takes, the next paint included."""
    timed = f"const start = performance.now(); {action}; await {PAINTED}; return performance.now() - start;"
    return float(page.evaluate(f"async () => {{ {timed} }}"))


def report(name: str, times: list[float], bar: str) -> None:
    print(f"{name:<58}{min(times):>8.0f} ms, median {statistics.median(times):.0f} ms   (bar {bar})")


def main() -> None:
    """Measure, and print a line for each."""
    with sync_playwright() as playwright, tempfile.TemporaryDirectory() as folder:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        print(f"Chromium {browser.version}")
        worked = worked_example_page().save(Path(folder) / "worked_example.html")
        print(f"{'the page of the worked example':<58}{worked.stat().st_size / 1000:>8.1f} kB   (bar 110 kB)")

        times, painted = [], []
        for _ in range(TIMES):
            page = browser.new_page()
            page.goto(worked.as_uri())
            click = (
                "document.querySelector('[data-rounds=\"10000\"]').click(); window.trained = performance.now() - start"
            )
            painted.append(milliseconds(page, click))
            times.append(float(page.evaluate("window.trained")))
            assert page.locator("#rounds").get_attribute("data-value") == "10000"
            page.close()
        report("10,000 rounds of the worked example, a fresh page", times, "100 ms")
        report("the same until the second frame after it", painted, "none")

        middle = live_page(random_graph(500)).save(Path(folder) / "middle.html")
        page = browser.new_page()
        page.goto(middle.as_uri())
        steps = [milliseconds(page, "document.querySelector('#next').click()") for _ in range(40)]
        page.locator("#last").click()
        steps += [milliseconds(page, "document.querySelector('#previous').click()") for _ in range(40)]
        report("a step of a graph of 500 operations, paint included", steps, "50 ms")
        print(f"{'':<58}{max(steps):>8.0f} ms at most")
        page.close()

        large = live_page(random_graph(5000)).save(Path(folder) / "large.html")
        times = []
        for _ in range(TIMES):
            page = browser.new_page()
            start = time.perf_counter()
            page.goto(large.as_uri())
            page.evaluate(PAINTED)
            times.append(1000.0 * (time.perf_counter() - start))
            page.close()
        report(f"opening a page of 5,000 operations ({large.stat().st_size / 1e6:.1f} MB)", times, "2,000 ms")
        browser.close()


if __name__ == "__main__":
    main()
