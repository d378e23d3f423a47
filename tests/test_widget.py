"""The widget's side of the kernel, by anywidget's protocol without a browser; and its scripts in a browser without a
kernel. `test_jupyterlab` has both together.
"""

from __future__ import annotations

import json
import math
import random
import subprocess
import sys
from array import array
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from autograd import Value, maximum, steps
from autograd.views import stepping
from nn import MLP, load_network, save_network
from nn.examples import worked_example
from tests.driven_page import Driven

pytest.importorskip("anywidget", reason="anywidget, of the extra stepgrad[widget], is not installed here")


class Front:
    """The page's end of the protocol: what it sends, and what came back."""

    def __init__(self, shown: stepping.Steps) -> None:
        widget = shown._shown_widget()
        assert widget is not None
        self.widget: Any = widget
        self.answers: list[dict[str, Any]] = []
        widget.send = lambda content, buffers=None: self.answers.append(content)

    def ask(self, **request: Any) -> dict[str, Any]:
        """Send a request, and return the answer."""
        request["id"] = f"r{len(self.answers)}"
        message = {"method": "custom", "content": request}
        self.widget._handle_msg({"content": {"data": message}, "buffers": []})
        assert json.loads(json.dumps(self.answers[-1], allow_nan=False))["id"] == request["id"]
        return self.answers[-1]

    def set(self, **state: Any) -> None:
        self.widget._handle_msg({"content": {"data": {"method": "update", "state": state}}, "buffers": []})

    def numbers(self, kind: str = "numbers") -> list[float]:
        found = array("d")
        found.frombytes(self.widget.state[kind])
        return list(found)

    def by_name(self, kind: str = "numbers") -> dict[str, float]:
        (graph,) = json.loads(self.widget.page)["graphs"]
        return dict(zip(graph["names"], self.numbers(kind), strict=True))

    def slot(self, name: str) -> int:
        (graph,) = json.loads(self.widget.page)["graphs"]
        found: int = graph["names"].index(name)
        return found


def example() -> tuple[dict[str, Value], stepping.Steps]:
    network = worked_example.build_network()
    total = worked_example.forward(network)
    return {str(p.label): p for p in network.parameters()}, steps(total)


def test_an_edit_is_assigned_and_evaluated_in_python() -> None:
    leaves, shown = example()
    front = Front(shown)
    assert front.ask(what="edit", slot=front.slot("w5"), value=0.5)["error"] == ""
    assert leaves["w5"].data == 0.5
    other = worked_example.build_network()
    (w5,) = [p for p in other.parameters() if p.label == "w5"]
    w5.data = 0.5
    total = worked_example.forward(other)
    total.backward()
    assert shown.output.data == total.data == front.by_name()["E_total"]
    grads = front.by_name("grads")
    assert {p.label: p.grad for p in other.parameters()} == {name: grads[name] for name in leaves}
    assert all(not leaf.has_grad for leaf in leaves.values())  # as steps promise


def test_an_edit_outside_a_domain_is_refused_with_the_reason() -> None:
    x = Value(2.0, "x")
    shown = steps(x.log() * 3.0)
    front = Front(shown)
    before = front.widget.state
    answer = front.ask(what="edit", slot=front.slot("x"), value=-1.0)
    assert answer["error"].startswith("ValueError: ")
    assert "log" in answer["error"]
    assert "x" in answer["error"]
    assert x.data == 2.0
    assert front.widget.state == before
    assert shown.output.data == 3.0 * math.log(2.0)


def test_a_training_leaves_its_numbers_in_the_network(tmp_path: Path) -> None:
    network = MLP(2, [2, 1], "tanh", generator=random.Random(1))
    error = 0.5 * (network([0.2, 0.7]) - 1.0) ** 2
    front = Front(steps(error))
    answer = front.ask(what="train", rounds=25, rate=0.5, milliseconds=1e6)
    assert (answer["left"], answer["error"]) == (0, "")
    save_network(network, tmp_path / "trained.json")
    twin = MLP(2, [2, 1], "tanh", generator=random.Random(2))
    load_network(twin, tmp_path / "trained.json")
    other = MLP(2, [2, 1], "tanh", generator=random.Random(1))
    for _ in range(25):
        for p in other.parameters():
            p.grad = None
        (0.5 * (other([0.2, 0.7]) - 1.0) ** 2).backward()
        for p in other.parameters():
            p.data -= 0.5 * p.grad
    assert [p.data for p in twin.parameters()] == [p.data for p in other.parameters()]
    state = front.widget.state
    assert (state["round"], state["last"], state["rate"], state["diverged"]) == (25, 25, 0.5, False)
    learned, before, applied = (front.numbers(kind) for kind in ("learned", "before", "applied"))
    assert learned == [b - 0.5 * a for b, a in zip(before, applied, strict=True)]
    assert front.numbers("rounds") == [*range(26)]
    front.ask(what="travel", round=3)
    assert front.widget.state["round"] == 3
    assert network([0.2, 0.7]).data == pytest.approx(1.0 - math.sqrt(2 * front.numbers("errors")[3]), rel=1e-12)
    front.ask(what="reset")
    assert front.widget.state["round"] == front.widget.state["last"] == 0
    assert [p.data for p in network.parameters()] == [
        p.data for p in MLP(2, [2, 1], "tanh", generator=random.Random(1)).parameters()
    ]


def test_a_training_without_an_end_lets_other_cells_run() -> None:
    x = Value(3.0, "x")
    front = Front(steps(x * x))
    answer = front.ask(what="train", rounds=None, rate=1e-9, milliseconds=10)
    assert answer["left"] is None  # JSON has no infinity
    assert front.widget.state["round"] > 0


def test_what_a_training_cannot_do_is_said() -> None:
    x = Value(3.0, "x")
    front = Front(steps(x**4))
    assert front.ask(what="train", rounds=100, rate=1e3, milliseconds=1e6)["left"] == 0
    assert front.widget.state["diverged"]
    assert math.isfinite(x.data)
    y = Value(0.5, "y")
    front = Front(steps(y.log()))
    answer = front.ask(what="train", rounds=10, rate=1.0, milliseconds=1e6)
    assert "log" in answer["error"]
    assert front.by_name()["y"] == y.data > 0.0  # what was done until then is shown


def test_another_cell_assigns_and_updates() -> None:
    leaves, shown = example()
    front = Front(shown)
    old = shown[0]
    leaves["w1"].data = 0.9
    assert front.by_name()["w1"] == 0.15  # not yet
    shown.update()
    assert front.by_name()["w1"] == 0.9
    assert "0.9" in str(next(step for step in shown if "w1" in str(step)))
    assert old.steps.leaf_data[leaves["w1"]] == 0.15  # a step that was taken belongs to its pass
    leaves["w1"].data = 0.15
    front.ask(what="edit", slot=front.slot("w2"), value=0.2)
    assert front.by_name()["w1"] == 0.15  # an edit reads all of them


def test_a_leaf_may_have_changed_before_it_is_shown() -> None:
    x = Value(2.0, "x")
    shown = steps(x * x)
    x.data = 5.0
    front = Front(shown)
    assert front.by_name() == {"x": 2.0, "output": 4.0}  # of the pass that happened
    shown.update()
    assert front.by_name() == {"x": 5.0, "output": 25.0}


def test_the_position_is_that_of_both() -> None:
    _, shown = example()
    shown.position = 28
    front = Front(shown)
    assert front.widget.position == 28
    front.set(position=3)
    assert shown.position == 3
    assert str(shown.step).startswith("net_h2 = ")
    shown.position = 28
    assert front.widget.position == 28
    assert str(shown.step).endswith(" 0 + 0.0363503064 × 0.241300709 = 0.00877135469")  # the article's 0.008771354…
    front.set(every_operation=True, position=1)
    assert shown.step is not None
    assert str(shown.step) == str(shown[0])
    shown.position = len(shown)
    shown.position = 0
    assert shown.step is None
    with pytest.raises(ValueError, match=rf"the page has {len(shown)} steps, .* from 0 to {len(shown)}; got -1"):
        shown.position = -1
    with pytest.raises(TypeError):
        shown.position = 1.5  # what is tested


def test_what_goes_to_the_page_is_json_and_buffers() -> None:
    x, y = Value(math.inf, "x"), Value(0.0, "y")
    front = Front(steps(maximum(x * y, y) + math.nan))
    assert math.isnan(front.by_name()["output"])
    json.dumps({key: it for key, it in front.widget.state.items() if type(it) is not bytes}, allow_nan=False)
    state = front.widget.get_state()
    assert json.dumps({key: it for key, it in state.items() if key != "state"}, allow_nan=False, default=str)


def test_a_notebook_gets_the_widget_and_what_stands_in_for_it(monkeypatch: pytest.MonkeyPatch) -> None:
    _, shown = example()
    assert shown._repr_mimebundle_() == {}  # no notebook, no widget
    monkeypatch.setattr(stepping, "in_notebook", lambda: True)
    bundle = shown._repr_mimebundle_(include=None, exclude=None)
    assert list(bundle) == ["application/vnd.jupyter.widget-view+json"]
    widget = shown._shown_widget()
    assert bundle["application/vnd.jupyter.widget-view+json"]["model_id"] == getattr(widget, "model_id", None)
    assert shown._display_() is widget  # for marimo
    assert shown._shown_widget() is widget


def test_without_the_extra_there_is_the_frame(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stepping, "in_notebook", lambda: True)
    monkeypatch.delitem(sys.modules, "autograd.views.widget", raising=False)
    monkeypatch.setitem(sys.modules, "anywidget", None)
    _, shown = example()
    assert shown._repr_mimebundle_() == {}
    assert str(shown._repr_html_()).startswith("<iframe")
    assert shown._display_()._repr_html_().startswith("<iframe")


def test_a_display_never_raises(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stepping, "in_notebook", lambda: True)

    def fail(self: object) -> None:
        raise RecursionError("too deep")

    monkeypatch.setattr(stepping.Steps, "_shown_widget", fail)
    _, shown = example()
    assert shown._repr_mimebundle_() == {}
    assert shown._display_() == repr(shown)


@pytest.mark.engine_independent
def test_the_package_is_imported_when_a_widget_is_shown() -> None:
    code = """
import sys
from autograd import Value, steps
shown = steps(Value(1.0, "x") * 2.0)
print(shown[0], shown.step, shown._repr_html_() is None, "anywidget" in sys.modules)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "output = x · 2 = 1 · 2 = 2 None False False\n"


def test_large_graphs_are_shown_too() -> None:
    node = Value(0.5, "x")
    for _ in range(1000):
        node = (node * 1.01).sin()
    front = Front(steps(node))
    assert len(front.numbers()) > 2000
    front.ask(what="edit", slot=0, value=0.25)
    assert front.by_name()["x"] == 0.25


# The scripts of the widget, with a model that records what they send.

MODEL = """async ([script, state, page]) => {
  const listeners = {};
  const numbers = (values) => new DataView(Float64Array.from(values).buffer);
  for (const key of ["numbers", "slopes", "grads", "learned", "rounds", "errors"]) state[key] = numbers(state[key]);
  const values = { state, page, position: 0, every_operation: false };
  window.sent = [];
  window.model = {
    get: (key) => values[key],
    set: (key, value) => { values[key] = value; model.fire(`change:${key}`); }, // at once, as marimo does
    save_changes: () => {},
    send: (content) => sent.push(content),
    on: (name, action) => { (listeners[name] ??= []).push(action); },
    off: (name, action) => { listeners[name] = listeners[name].filter((other) => other !== action); },
    fire: (name, content) => (listeners[name] ?? []).forEach((action) => action(content)),
    count: () => Object.values(listeners).flat().length,
  };
  const module = await import(URL.createObjectURL(new Blob([script], { type: "text/javascript" })));
  window.leave = module.default.render({ model, el: document.getElementById("cell") });
}"""
NOTEBOOK = """<!doctype html><title>A notebook</title><style>
html { font-size: 30px } body { color: rgb(240, 240, 240); background: black; line-height: 3; text-align: right }
* { letter-spacing: 5px } button, input, .page { display: none !important } .box { border: 9px solid red !important }
</style><h1>A notebook</h1><div id="cell"></div>"""


@pytest.fixture
def alone(driven: Driven) -> Iterator[Driven]:
    """The widget in a document with styles of its own and a dark theme, without a kernel."""
    _, shown = example()
    widget: Any = Front(shown).widget
    state = {key: array("d", it).tolist() if type(it) is bytes else it for key, it in widget.state.items()}
    driven.open(NOTEBOOK)
    driven.root.evaluate(MODEL, [widget._esm, state, widget.page])
    driven.heard = [line for line in driven.heard if "blob:" not in line]
    yield driven
    driven.heard = [line for line in driven.heard if "blob:" not in line]


def test_no_style_of_the_notebook_reaches_it(alone: Driven) -> None:
    button = alone.button("Next step")
    style = button.evaluate(
        "e => { const s = getComputedStyle(e); return [s.display, s.fontSize, s.letterSpacing, s.color] }"
    )
    assert style[:3] == ["block", "15px", "normal"]
    box = alone.root.locator(".box").first.evaluate("e => getComputedStyle(e).borderTopWidth")
    assert box == "1px"
    assert alone.root.locator(".page").evaluate("e => getComputedStyle(e).lineHeight") == "22.4px"


def test_it_has_the_theme_of_the_notebook_and_follows_it(alone: Driven) -> None:
    page = alone.root.locator(".page")
    assert page.get_attribute("data-theme") == "dark"
    assert alone.root.locator("main").evaluate("e => getComputedStyle(e).backgroundColor") == "rgb(22, 24, 27)"
    alone.root.evaluate("document.body.style.color = 'oklch(0.2 0 0)'")
    page.and_(alone.root.locator("[data-theme=light]")).wait_for()
    assert alone.root.locator("main").evaluate("e => getComputedStyle(e).backgroundColor") == "rgb(253, 252, 249)"


def test_nothing_jumps_and_all_fits(alone: Driven) -> None:
    """At the widths of notebooks, at each step: the whole graph is in view, and the buttons are where they were."""
    where = """() => {
      const root = document.querySelector("#cell > div").shadowRoot;
      const box = (id) => root.getElementById(id).getBoundingClientRect();
      const picture = root.getElementById("picture");
      const boxes = [...root.querySelectorAll(".box")].map((e) => e.getBoundingClientRect());
      const outside = boxes.filter((b) => b.left < box("picture").left || b.bottom > box("picture").bottom + 1).length;
      return JSON.stringify([["next", "position", "picture"].map((id) => Math.round(box(id).top)),
        Math.round(root.host.getBoundingClientRect().height), picture.scrollWidth > picture.clientWidth, outside]);
    }"""
    for width in (600, 736, 830):
        alone.page.set_viewport_size({"width": width + 16, "height": 900})
        found = set()
        for position in range(36):
            alone.slide("Step", position)
            found.add(alone.root.evaluate(where))
        (only,) = found
        _, height, scrolls, outside = json.loads(only)
        assert (scrolls, outside) == (False, 0)
        assert 480 < height < 540


def test_an_edit_waits_for_its_confirmation(alone: Driven) -> None:
    alone.edit("w5", "0,75")
    (sent,) = alone.root.evaluate("sent")
    assert (sent["what"], sent["value"]) == ("edit", 0.75)
    assert alone.root.locator(".box.pending").count() == 1
    status = alone.root.locator(".status")
    assert "w5 = 0,75 edited → kernel" in status.inner_text()
    alone.press("Next step")
    assert alone.field("w5").input_value() == "0,75"
    alone.root.evaluate("([id]) => model.fire('msg:custom', { id: 'of another view', left: 0, error: 'no' })", ["x"])
    assert "edited" in status.inner_text()
    alone.root.evaluate("(id) => model.fire('msg:custom', { id, left: 0, error: 'ValueError: not this' })", sent["id"])
    assert status.inner_text().startswith("Python refused: ValueError: not this")
    assert alone.root.locator(".box.pending").count() == 0
    assert alone.field("w5").input_value() == "0.4"


def test_a_computed_number_says_why_it_cannot_be_edited(alone: Driven) -> None:
    assert alone.field("net_h1").count() == 0
    status = alone.root.locator(".status")
    assert status.inner_text().strip() == "Branches stay as Python recorded them."
    alone.root.locator(".box .number[data-name=net_h1][data-kind=data]").click()
    assert "net_h1 is computed: edit a number with a dotted line." in status.inner_text()


def test_text_that_is_no_number_is_not_sent(alone: Driven) -> None:
    alone.edit("w5", "half")
    assert alone.root.evaluate("sent.length") == 0
    assert alone.field("w5").get_attribute("aria-invalid") == "true"


def test_it_leaves_nothing_behind(alone: Driven) -> None:
    assert alone.root.evaluate("model.count()") == 4
    alone.root.evaluate("leave()")
    assert alone.root.evaluate("model.count()") == 0
