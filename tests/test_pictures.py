"""The drawings of README are those that the code makes.

`make pictures` draws them again, and takes the pictures of pages.
"""

import re
import shutil
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from autograd import Drawing, LivePage
from nn.examples.worked_example import build_network, draw_graph
from tests.driven_page import Driven, gates_page, opened, worked_page
from tests.test_drawing import boxes

pytestmark = pytest.mark.engine_independent
FOLDER = Path(__file__).parent.parent / "notebooks"
DRAWINGS: dict[str, Callable[[], Drawing]] = {"graph.svg": lambda: draw_graph(build_network())}
PAGES: dict[str, tuple[Callable[[], LivePage], Callable[[Driven], None]]] = {
    "page_stepping.png": (worked_page, lambda driven: driven.slide("Step", 28)),
    "page_training.png": (gates_page, lambda driven: driven.train(10_000)),
}
COLUMN = 830  # pixels that README has on a screen


@pytest.mark.parametrize("name", DRAWINGS)
def test_a_drawing_of_readme_is_up_to_date(name: str) -> None:
    """What its boxes say, the lines between them and the colours; not the places, which depend on the renderer."""
    assert name in (FOLDER.parent / "README.md").read_text(encoding="utf-8")
    drawn, committed = DRAWINGS[name]().to_svg(), (FOLDER / name).read_text(encoding="utf-8")
    assert boxes(drawn) == boxes(committed)
    for pattern in (r"<title>n\d+&#45;&gt;n\d+</title>", r"#[0-9a-f]{6}\b"):
        assert sorted(re.findall(pattern, drawn)) == sorted(re.findall(pattern, committed))


@pytest.mark.parametrize("name", DRAWINGS)
def test_a_drawing_of_readme_can_be_read(name: str) -> None:
    """The picture is as wide as the column at most, and its smallest letters have 9 pixels there."""
    svg = (FOLDER / name).read_text(encoding="utf-8")
    (points,) = re.findall(r'<svg [^>]*width="(\d+)pt"', svg)
    scale = min(COLUMN / (int(points) * 96 / 72), 1.0)
    sizes = [float(size) * 96 / 72 for size in re.findall(r'font-size="([\d.]+)"', svg)]
    assert min(sizes) * scale >= 9.0


def photograph() -> None:
    """Take the pictures of pages, in Chromium. They are not compared, since letters differ from machine to machine."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright, TemporaryDirectory() as folder:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        for name, (page, act) in PAGES.items():
            for driven in opened(browser, Path(folder), viewport={"width": 1280, "height": 800}):
                act(driven.open(page()))
                print(driven.page.screenshot(path=FOLDER / name) and FOLDER / name)
        browser.close()


if __name__ == "__main__":
    for file_name, make in DRAWINGS.items():
        print(make().save(FOLDER / file_name))
    photograph()
