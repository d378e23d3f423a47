"""The pictures of README are those that the code makes, and so is the page that it links to.

`make pictures` makes them again.

A photograph of a page holds, within its file, the texts that the page showed when it was taken. It is stale when the
page shows others in that state today. Pixels are not compared, since letters differ from machine to machine, nor
bytes of the page: those change with each script, most of them without a trace in the picture. What has changed in
colours and places alone is left to the eye.
"""

import contextlib
import doctest
import json
import re
import shutil
import struct
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import pytest

from autograd import Drawing, LivePage, draw
from autograd.saving import save
from nn.examples.worked_example import build_network, draw_graph
from tests.driven_page import Driven, gates_page, opened, worked_page
from tests.test_drawing import boxes

if TYPE_CHECKING:
    from playwright.sync_api import Browser

pytestmark = pytest.mark.engine_independent
FOLDER = Path(__file__).parent.parent / "notebooks"
README = (FOLDER.parent / "README.md").read_text(encoding="utf-8")


def first_example() -> Drawing:
    """What the first example of README draws."""
    names: dict[str, Any] = {}
    for example in doctest.DocTestParser().get_examples(README.partition("### Where a gradient comes from")[0]):
        with contextlib.redirect_stdout(None):
            exec(compile(example.source, "<example>", "single"), names)
    return draw(names["y"])


DRAWINGS: dict[str, Callable[[], Drawing]] = {"graph.svg": first_example}
PAGES: dict[str, tuple[Callable[[], LivePage], Callable[[Driven], None]]] = {
    "page_stepping.png": (worked_page, lambda driven: driven.slide("Step", 28)),
    "page_training.png": (gates_page, lambda driven: driven.train(10_000)),
}
COLUMN = 830  # pixels that README has on a screen
VIEW: dict[str, Any] = {"viewport": {"width": 1280, "height": 800}}
PAGE = "worked_example.html"
HEADER = 33  # bytes of a PNG before its second chunk, which holds the texts
# In the order of the page, also what is scrolled out of sight: what is in sight depends on the letters.
TEXTS = """() => JSON.stringify([...document.body.querySelectorAll("*")]
  .filter((e) => e.checkVisibility() && !e.matches("script, style, option"))
  .flatMap((e) => e.matches("input") ? [e.value] : e.matches("select") ? [e.selectedOptions[0].text]
    : [...e.childNodes].filter((n) => n.nodeType === Node.TEXT_NODE).map((n) => n.data.trim()))
  .filter((text) => text))"""


@pytest.mark.parametrize("name", DRAWINGS)
def test_a_drawing_of_readme_is_up_to_date(name: str) -> None:
    """What its boxes say, the lines between them and the colours; not the places, which depend on the renderer."""
    assert name in README
    drawn, committed = DRAWINGS[name]().to_svg(), (FOLDER / name).read_text(encoding="utf-8")
    assert boxes(drawn) == boxes(committed)
    for pattern in (r"<title>n\d+&#45;&gt;n\d+</title>", r"#[0-9a-f]{6}\b"):
        assert sorted(re.findall(pattern, drawn)) == sorted(re.findall(pattern, committed))


@pytest.mark.parametrize("make", [first_example, lambda: draw_graph(build_network())], ids=["README", "demo"])
def test_a_drawing_can_be_read(make: Callable[[], Drawing]) -> None:
    """The picture is as wide as the column of a page at most, and its smallest letters have 9 pixels there."""
    svg = make().to_svg()
    (points,) = re.findall(r'<svg [^>]*width="(\d+)pt"', svg)
    scale = min(COLUMN / (int(points) * 96 / 72), 1.0)
    sizes = [float(size) * 96 / 72 for size in re.findall(r'font-size="([\d.]+)"', svg)]
    assert min(sizes) * scale >= 9.0


@pytest.mark.parametrize("name", PAGES)
def test_a_photograph_of_a_page_is_up_to_date(browser: "Browser", tmp_path: Path, name: str) -> None:
    assert name in README
    recorded = texts_in((FOLDER / name).read_bytes())
    assert len(recorded) > 50
    (driven,) = taken(browser, tmp_path, name)
    assert recorded == driven[0], f"{name} is stale: `make pictures` takes it again"


def test_the_page_that_readme_links_to_is_up_to_date() -> None:
    """Its program, names, formulas, sentences and places; not its scripts and styles, with which it works as it is."""
    assert PAGE in README
    committed, made = data_of((FOLDER / PAGE).read_text(encoding="utf-8")), data_of(worked_page().html)
    assert committed == made, f"{PAGE} is stale: `make pictures` writes it again"


def data_of(html: str) -> Any:
    """What Python hands over to a page, which its scripts read."""
    (data,) = re.findall(r'id="data">(.*?)</script>', html, re.DOTALL)
    return json.loads(data)


def taken(browser: "Browser", folder: Path, name: str) -> Iterator[tuple[list[str], bytes]]:
    """The texts of a page in the state of its photograph, and the photograph."""
    page, act = PAGES[name]
    for driven in opened(browser, folder, **VIEW):
        act(driven.open(page()))
        driven.page.evaluate("document.activeElement.blur()")
        yield json.loads(driven.page.evaluate(TEXTS)), driven.page.screenshot()


def with_texts(png: bytes, texts: list[str]) -> bytes:
    """The picture with the texts in it, compressed, as the chunk that PNG has for texts."""
    chunk = b"iTXt" + b"Description\0\1\0\0\0" + zlib.compress("\n".join(texts).encode())
    size, check = (struct.pack(">I", number) for number in (len(chunk) - 4, zlib.crc32(chunk)))
    return png[:HEADER] + size + chunk + check + png[HEADER:]


def texts_in(png: bytes) -> list[str]:
    """The texts that `with_texts` put into a picture."""
    size, kind = struct.unpack_from(">I4s", png, HEADER)
    assert kind == b"iTXt", "it holds no texts: `make pictures` takes it again"
    return zlib.decompress(png[HEADER + 8 : HEADER + 8 + size].partition(b"\0\1\0\0\0")[2]).decode().split("\n")


def photograph() -> None:
    """Take the pictures of pages, in Chromium."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright, TemporaryDirectory() as folder:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        for name in PAGES:
            for texts, png in taken(browser, Path(folder), name):
                print(save(FOLDER / name, with_texts(png, texts)))
        browser.close()


if __name__ == "__main__":
    for file_name, make in DRAWINGS.items():
        print(make().save(FOLDER / file_name))
    print(worked_page().save(FOLDER / PAGE))
    photograph()
