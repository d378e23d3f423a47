"""The widget in JupyterLab with a kernel, and what stands in for it: one server and one notebook for all tests."""

from __future__ import annotations

import importlib.util
import json
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from autograd import steps
from nn.examples import worked_example

if TYPE_CHECKING:
    from playwright.sync_api import Browser, FrameLocator, Locator, Page

pytestmark = pytest.mark.engine_independent
if importlib.util.find_spec("jupyterlab") is None:  # to import it takes a second
    pytest.skip("JupyterLab is not installed here", allow_module_level=True)
pytest.importorskip("anywidget", reason="anywidget, of the extra stepgrad[widget], is not installed here")

ROOT = Path(__file__).parent.parent
SECONDS = 120  # that the server is given to start
LIGHT, DARK = "rgb(253, 252, 249)", "rgb(22, 24, 27)"  # the ground of a page
BEGIN = """
from autograd import *
from nn.examples import worked_example
network = worked_example.build_network()
leaf = {p.label: p for p in network.parameters()}
s = steps(worked_example.forward(network))
"""
WITHOUT_EXTRA = """
import sys
hidden = {name: sys.modules.pop(name) for name in ("anywidget", "autograd.views.widget") if name in sys.modules}
sys.modules["anywidget"] = None
"""


class Lab:
    """JupyterLab in a browser, with a notebook whose first cell is run again and again."""

    def __init__(self, page: Page, address: str) -> None:
        self.page, self.address = page, address

    def open(self, name: str) -> None:
        self.page.goto(f"{self.address}/lab/tree/{name}?reset")
        self.page.wait_for_selector(".jp-Notebook .jp-Cell")
        self.page.wait_for_function("document.body.innerText.includes('| Idle')")

    def command(self, name: str, **arguments: Any) -> None:
        self.page.evaluate("([name, given]) => void jupyterapp.commands.execute(name, given)", [name, arguments])

    def run(self, code: str) -> str:
        """Run code in the first cell, and return what it printed."""
        return str(
            self.page.evaluate(
                """async (code) => {
                  const { activeCell } = jupyterapp.shell.currentWidget.content;
                  activeCell.model.sharedModel.setSource(code);
                  await jupyterapp.commands.execute("notebook:run-cell");
                  const outputs = activeCell.model.outputs.toJSON();
                  return outputs.map((o) => o.text ?? o.traceback?.join("\\n") ?? "").flat().join("");
                }""",
                code,
            )
        ).strip()

    def in_kernel(self, expression: str) -> Any:
        """Evaluate an expression in the kernel while the cell with the widget stays as it is."""
        return json.loads(
            self.page.evaluate(
                """async (code) => {
                  const { kernel } = jupyterapp.shell.currentWidget.sessionContext.session;
                  const future = kernel.requestExecute({ code });
                  let text = "";
                  future.onIOPub = ({ content }) => { text += content.text ?? content.traceback?.join("\\n") ?? ""; };
                  await future.done;
                  return text;
                }""",
                f"import json; print(json.dumps({expression}))",
            )
        )

    def theme(self, name: str) -> None:
        self.command("apputils:change-theme", theme=f"JupyterLab {name}")
        self.page.wait_for_function(
            "light => document.body.dataset.jpThemeLight === light", arg=str(name == "Light").lower()
        )

    def wait(self, expression: str, expected: Any) -> None:
        """Wait until an expression in the kernel has a value."""
        end = time.monotonic() + 5
        while (found := self.in_kernel(expression)) != expected:
            assert time.monotonic() < end, f"{expression} is {found}, not {expected}"

    def slider(self, name: str) -> Locator:
        return self.page.get_by_role("slider", name=name, exact=True)

    def value(self, name: str, kind: str = "data") -> str:
        """All digits of a number on the page."""
        return str(self.page.locator(f".box [data-name='{name}'][data-kind={kind}]").get_attribute("data-value"))

    def edit(self, name: str, text: str) -> None:
        field = self.page.get_by_role("textbox", name=name, exact=True)
        field.fill(text)
        field.press("Enter")


@pytest.fixture(scope="module")
def lab(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    import nbformat  # which takes a second

    folder = tmp_path_factory.mktemp("lab")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    places = {f"JUPYTER_{name}_DIR": str(folder / name) for name in ("CONFIG", "DATA", "RUNTIME")}
    settings = {"PYTHONPATH": str(ROOT), "IPYTHONDIR": str(folder / "ipython"), **places}
    (folder / "notebooks").mkdir()
    for name, cell in (("new", nbformat.v4.new_code_cell("")), ("untrusted", saved_cell())):  # type: ignore[no-untyped-call]  # nbformat has no types here
        notebook = nbformat.v4.new_notebook(cells=[cell])  # type: ignore[no-untyped-call]  # as above
        notebook.metadata.kernelspec = {"name": "python3", "display_name": "Python 3"}
        nbformat.write(notebook, folder / "notebooks" / f"{name}.ipynb")  # type: ignore[no-untyped-call]  # as above
    news = folder / "LAB_SETTINGS" / "@jupyterlab" / "apputils-extension" / "notification.jupyterlab-settings"
    news.parent.mkdir(parents=True)
    news.write_text('{"fetchNews": "false", "checkForUpdates": false}')
    settings["JUPYTERLAB_SETTINGS_DIR"] = str(folder / "LAB_SETTINGS")
    options = [
        *("--no-browser", "--allow-root", f"--port={port}", "--IdentityProvider.token="),
        *(f"--ServerApp.root_dir={folder / 'notebooks'}", "--LabApp.expose_app_in_browser=True"),
    ]
    with (folder / "log").open("w") as log:
        server = subprocess.Popen(
            [sys.executable, "-m", "jupyterlab", *options], env={**os.environ, **settings}, stdout=log, stderr=log
        )
    try:
        address = f"http://127.0.0.1:{port}"
        wait_for(address, folder / "log")
        page = browser.new_page(viewport={"width": 1000, "height": 900}, color_scheme="dark", reduced_motion="reduce")
        page.set_default_timeout(20_000)
        shown = Lab(page, address)
        shown.open("new.ipynb")
        yield shown
        page.close()
    finally:
        server.terminate()
        server.wait(20)
        shutil.rmtree(folder, ignore_errors=True)


def wait_for(address: str, log: Path) -> None:
    end = time.monotonic() + SECONDS
    while not answers(address):
        assert time.monotonic() < end, log.read_text()[-2000:]
        time.sleep(0.1)


def answers(address: str) -> bool:
    try:
        urllib.request.urlopen(f"{address}/api", timeout=5).close()
    except OSError:
        return False
    return True


def saved_cell() -> Any:
    """A cell with the output that a notebook with the widget holds when it is saved."""
    import nbformat

    shown = steps(worked_example.forward(worked_example.build_network()))
    view = {"version_major": 2, "version_minor": 1, "model_id": "of another kernel"}
    data = {
        "application/vnd.jupyter.widget-view+json": view,
        "text/html": shown._repr_html_(),
        "text/plain": repr(shown),
    }
    cell: Any = nbformat.v4.new_code_cell("s", execution_count=1)  # type: ignore[no-untyped-call]  # as above
    cell.outputs = [nbformat.v4.new_output("execute_result", data=data, execution_count=1)]  # type: ignore[no-untyped-call]  # as above
    return cell


@pytest.fixture
def widget(lab: Lab) -> Lab:
    """The widget of the worked example, with its first numbers."""
    assert lab.run(f"{BEGIN}s") == ""
    lab.page.locator(".page.compact").wait_for()
    return lab


def test_stepping_is_seen_in_python_and_the_other_way_round(widget: Lab) -> None:
    widget.page.get_by_role("button", name="Next step").click()
    widget.wait("s.position", 1)
    widget.slider("Step").fill("28")
    widget.wait("s.position", 28)
    assert widget.in_kernel("str(s.step)").endswith("0 + 0.0363503064 × 0.241300709 = 0.00877135469")
    assert widget.in_kernel("setattr(s, 'position', 12)") is None
    widget.page.wait_for_function("document.querySelector('.jp-OutputArea').innerText !== ''")
    widget.page.get_by_text("12 of 35").wait_for()
    assert widget.page.locator(".sentence").inner_text().startswith("↑ Backward")


def test_an_edit_is_seen_in_python_and_the_other_way_round(widget: Lab) -> None:
    widget.slider("Step").fill("35")
    widget.edit("w5", "0.5")
    widget.page.get_by_text("✓ kernel: w5 = 0.5").wait_for()
    assert widget.in_kernel("leaf['w5'].data") == 0.5
    assert float(widget.value("E_total")) == widget.in_kernel("s.output.data")
    grads = (
        "(lambda total: (total.backward(), {n: p.grad for n, p in leaf.items()})[1])(worked_example.forward(network))"
    )
    expected = widget.in_kernel(grads)
    assert {name: float(widget.value(name, "grad")) for name in expected} == expected  # to the last bit
    widget.in_kernel("[setattr(leaf['w5'], 'data', 0.4), s.update()]")
    widget.page.locator(".box [data-name=w5][data-kind=data][data-value='0.4']").wait_for()


def test_keys_typed_in_a_field_are_no_commands_of_the_notebook(widget: Lab) -> None:
    cells = widget.page.locator(".jp-Notebook .jp-Cell").count()
    field = widget.page.get_by_role("textbox", name="w5", exact=True)
    field.click()
    for key in "bab":
        field.press(key)
    assert widget.page.locator(".jp-Notebook .jp-Cell").count() == cells
    assert field.input_value() == "bab"
    field.press("Escape")


def test_a_training_runs_in_the_kernel(widget: Lab) -> None:
    widget.page.get_by_text("Train, curve, why").click()
    widget.page.get_by_role("button", name="Train 100 rounds").click()
    widget.page.locator("[data-kind=rounds][data-value='100']").wait_for()
    trained = widget.in_kernel("{n: p.data for n, p in leaf.items()}")
    assert {name: float(widget.value(name)) for name in trained} == trained
    by_hand = """
twin = worked_example.build_network()
for _ in range(100):
    for p in twin.parameters(): p.grad = None
    worked_example.forward(twin).backward()
    for p in twin.parameters(): p.data -= 0.1 * p.grad
"""
    assert (
        widget.in_kernel(f"(exec({by_hand!r}, globals()), {{p.label: p.data for p in twin.parameters()}})[1]")
        == trained
    )
    assert widget.page.locator("#error").get_attribute("data-value") == repr(widget.in_kernel("s.output.data"))
    widget.slider("Round").fill("40")
    widget.page.locator("[data-kind=rounds][data-value='40']").wait_for()
    assert float(widget.value("w5")) == widget.in_kernel("leaf['w5'].data") != trained["w5"]
    widget.page.get_by_role("button", name="Keep training").click()
    widget.page.get_by_role("button", name="Pause training").click()
    widget.page.get_by_role("button", name="Keep training").wait_for()
    widget.page.get_by_role("button", name="Reset").click()
    widget.page.locator("[data-kind=rounds][data-value='0']").wait_for()
    assert widget.in_kernel("leaf['w5'].data") == 0.4


def test_what_python_refuses_is_said(lab: Lab) -> None:
    lab.run("x = Value(2.0, 'x')\ns = steps(x.log() if x.data > 0 else x)\ns")
    lab.edit("x", "−1")
    lab.page.get_by_text("Python refused: ValueError").wait_for()
    assert lab.in_kernel("x.data") == 2.0
    assert lab.page.get_by_role("textbox", name="x", exact=True).input_value() == "2"


def test_the_widget_has_the_theme_of_the_notebook_and_its_height(widget: Lab) -> None:
    """The system's theme is dark here, whatever the notebook's is."""
    ground = "e => getComputedStyle(e).backgroundColor"
    for name, colour in (("Light", LIGHT), ("Dark", DARK), ("Light", LIGHT)):
        widget.theme(name)
        widget.page.locator(f".page[data-theme={name.lower()}]").wait_for()
        assert widget.page.locator(".page.compact main").evaluate(ground) == colour
    around = "e.getRootNode().host.closest('.jp-OutputArea-output')"
    scrolls = f"e => [e, {around}].some((e) => e.scrollHeight > e.clientHeight + 1)"
    for _ in ("folded", "unfolded"):
        assert not widget.page.locator(".page.compact").evaluate(scrolls)
        widget.page.get_by_text("Train, curve, why").click()


def test_without_the_extra_a_frame_has_theme_and_height_of_its_notebook(lab: Lab) -> None:
    lab.run(f"{WITHOUT_EXTRA}{BEGIN}s")
    lab.theme("Light")
    page: FrameLocator = lab.page.frame_locator("iframe[srcdoc]")
    page.locator("html[data-theme=light]").wait_for()
    height = "e => [e.ownerDocument.defaultView.innerHeight, Math.ceil(e.getBoundingClientRect().height)]"
    for _ in range(2):
        end = time.monotonic() + 5
        while (found := page.locator("body").evaluate(height))[0] != found[1]:
            assert time.monotonic() < end, found
        page.get_by_text("Train, curve, why").click()
    lab.theme("Dark")
    page.locator("html[data-theme=dark]").wait_for()
    lab.theme("Light")
    page.get_by_role("button", name="Next step").click()
    assert page.locator(".box [data-name=net_h1][data-kind=data]").get_attribute("data-value") == "0.3775"
    lab.run("del sys.modules['anywidget']\nsys.modules.update(hidden)")


def test_an_untrusted_notebook_shows_the_picture(lab: Lab) -> None:
    lab.open("untrusted.ipynb")
    output = lab.page.locator(".jp-OutputArea-output")
    assert output.inner_text().strip() == "Run this cell to step through."
    picture = output.locator("img")
    assert picture.is_visible()
    assert picture.evaluate("e => e.naturalWidth") > 300
    assert output.locator("iframe, details").count() == 0
