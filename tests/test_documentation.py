"""The documentation: it builds without a warning, has an entry for each public name, and works as files.

The examples in its pages run as tests of their own.
"""

from __future__ import annotations

import re
import subprocess
import sys
import zlib
from html.parser import HTMLParser
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

import pytest

import autograd
import nn
from autograd.primitives import PRIMITIVES

if TYPE_CHECKING:
    from playwright.sync_api import Browser

pytest.importorskip("sphinx", reason="Sphinx, which builds the documentation, is not installed here")

ROOT = Path(__file__).parent.parent
LOADED = {"script", "link", "img", "iframe", "source", "video", "audio", "object", "embed"}


class Page(HTMLParser):
    """What a page refers to: addresses with the tags that name them, and the ids that others may refer to."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.addresses: list[tuple[str, str]] = []
        self.ids: set[str] = set()
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        for name, value in attributes:
            if name in ("href", "src", "data") and value:
                self.addresses.append((tag, value))
            elif name == "id" and value:
                self.ids.add(value)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the site, built as `make docs` builds it."""
    folder = tmp_path_factory.mktemp("site")
    command = re.search(r"-m (sphinx .*) docs build/docs$", (ROOT / "Makefile").read_text(), re.MULTILINE)
    assert command is not None
    words = [sys.executable, "-m", *command[1].split(), "docs", str(folder)]
    done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return folder


@pytest.fixture(scope="module")
def pages(site: Path) -> dict[Path, Page]:
    """Its pages, and the live pages beside them."""
    return {path: Page(path) for path in sorted(site.rglob("*.html"))}


def public_names() -> set[str]:
    modules = type(autograd)
    names = {name for name, it in vars(autograd).items() if not name.startswith("_") and not isinstance(it, modules)}
    return {f"autograd.{name}" for name in names} | {f"nn.{name}" for name in nn.__all__}


def test_every_public_name_has_an_entry(site: Path) -> None:
    entries = zlib.decompress((site / "objects.inv").read_bytes().split(b"\n", 4)[4]).decode()
    assert public_names() <= {line.split(" ")[0] for line in entries.splitlines() if " py:" in line}


def test_the_table_has_a_row_for_each_primitive_with_its_formulas(site: Path) -> None:
    text = (site / "reference" / "primitives.html").read_text(encoding="utf-8")
    table = text[text.index("<table") : text.index("</table>")]
    rows = table.split("<tr")[2:]
    assert len(rows) == len(PRIMITIVES)
    assert f"| {len(PRIMITIVES)}; no factorization" in (ROOT / "README.md").read_text(encoding="utf-8")
    for row, primitive in zip(rows, PRIMITIVES.values(), strict=True):
        assert row.count("∂") + row.count("&#x02202;") >= 2 * (primitive.arity or 2), primitive.name
    assert "\\" not in table, "LaTeX that was not converted"


def test_links_lead_to_files_and_places_that_exist(site: Path, pages: dict[Path, Page]) -> None:
    broken = []
    for path, page in pages.items():
        for _, address in page.addresses:
            parts = urlsplit(address)
            if parts.scheme or parts.netloc:
                continue
            target = (path.parent / unquote(parts.path)).resolve() if parts.path else path
            place = unquote(parts.fragment)
            if not target.is_file() or (place and target in pages and place not in pages[target].ids):
                broken.append(f"{path.relative_to(site)}: {address}")
    assert not broken


def test_no_page_loads_anything_from_another_host(site: Path, pages: dict[Path, Page]) -> None:
    loaded = [address for page in pages.values() for tag, address in page.addresses if tag in LOADED]
    assert loaded
    assert not [address for address in loaded if urlsplit(address).scheme not in ("", "data")]
    styles = [path.read_text(encoding="utf-8") for path in site.rglob("*.css")]
    assert not [text for text in styles if re.search(r"(url\(|@import)\s*[\"']?(https?:)?//", text)]


@pytest.mark.parametrize("width", [1280, 390])
def test_pages_fit_the_window_and_say_nothing_on_the_console(
    browser: Browser, site: Path, pages: dict[Path, Page], width: int
) -> None:
    heard: list[str] = []
    page = browser.new_page(viewport={"width": width, "height": 900})
    page.on("console", lambda message: heard.append(message.text))
    page.on("pageerror", lambda error: heard.append(str(error)))
    page.on("request", lambda request: heard.append(request.url) if request.url.startswith("http") else None)
    for path in pages:
        if path.parent != site / "pages":
            page.goto(path.as_uri())
            if page.evaluate("document.documentElement.scrollWidth > innerWidth"):
                heard.append(f"{path.relative_to(site)} is wider than {width} pixels")
    page.close()
    assert not heard


def test_the_search_finds_names_in_files(browser: Browser, site: Path) -> None:
    heard: list[str] = []
    page = browser.new_page()
    page.on("console", lambda message: heard.append(message.text))
    page.on("pageerror", lambda error: heard.append(str(error)))
    page.goto(f"{(site / 'search.html').as_uri()}?q=hessian")
    page.get_by_role("link", name="autograd.hessian").first.wait_for()
    page.close()
    assert not heard


def test_a_button_copies_what_is_typed(browser: Browser, site: Path) -> None:
    """An example without prompts and outputs, a command as it is. Outputs of notebooks have no button."""
    page = browser.new_page()

    def copied(of: str, file: str) -> str:
        page.goto((site / file).as_uri())
        block = page.locator("div.highlight", has_text=of).first
        block.hover()
        block.get_by_role("button").click()
        page.evaluate("document.body.append(Object.assign(document.createElement('textarea'), {id: 'field'}))")
        page.locator("#field").press("ControlOrMeta+V")
        return page.locator("#field").input_value()

    absolute = "def absolute(x):\n    return x if x > 0.0 else -x\ncompile(absolute)(2.0)"
    assert copied("def absolute", "how_to/compile_a_function.html") == absolute
    assert copied("pip install .", "index.html") == "pip install ."
    page.goto((site / "tutorial/notebooks/01_values_and_graphs.html").as_uri())
    assert page.locator(".cell_input button.copybtn").count() > 3
    assert page.locator(".cell_output pre").count() > 3
    assert page.locator(".cell_output button.copybtn").count() == 0
    page.close()
