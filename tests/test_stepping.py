"""Steps: that they replay to what backward() does, to the last bit, and say so in order."""

import base64
import math
import re

import pytest
from hypothesis import given

import autograd
from autograd import Constant, LivePage, Step, Value, steps, topological_order
from autograd.tape import Tape
from autograd.views import drawing, rendering, stepping
from nn.examples.worked_example import build_network, forward
from tests.shared_code import examples
from tests.test_writing import graphs


def worked_example() -> Value:
    return forward(build_network(), with_input_gradients=True)


def test_the_worked_example_step_by_step() -> None:
    lines = str(steps(worked_example())).splitlines()
    assert len(lines) == 19 + 36
    assert "out_h1 = sigmoid(net_h1) = sigmoid(0.3775) = 0.593269992" in lines[:19]
    assert lines[18] == "E_total = E_o1 + E_o2 = 0.274811083 + 0.0235600256 = 0.298371109"
    assert "∂E_total/∂w5: 0 + 0.138498562 × 0.593269992 = 0.0821670406" in lines[19:]
    assert "∂E_total/∂out_h1: 0.0553994247 + (−0.0380982365) × 0.5 = 0.0363503064" in lines[19:]
    assert "∂E_total/∂w1: 0 + 0.00877135469 × 0.05 = 0.000438567734" in lines[19:]


def test_the_backward_pass_goes_as_the_article_goes() -> None:
    received = [step.parent.label for step in steps(worked_example()) if step.parent is not None and step.parent.label]
    assert received == [
        *("E_o1", "E_o2", "out_o1", "net_o1", "b2", "w5", "w6", "out_h1", "out_h2"),
        *("out_o2", "net_o2", "b2", "w7", "w8", "out_h1", "out_h2"),
        *("net_h1", "b1", "w1", "w2", "i1", "i2", "net_h2", "b1", "w3", "w4", "i1", "i2"),
    ]


@examples(200)
@given(graphs())
def test_the_node_computed_first_comes_first_of_those_that_are_ready(nodes: list[Value]) -> None:
    output = nodes[-1]
    order = topological_order(output)
    waiting = [node for node in order if node.parents]
    expected = []
    while waiting:
        node = next(node for node in waiting if not any(node in user.parents for user in waiting))
        waiting.remove(node)
        expected += [(node, parent) for parent in node.parents if not isinstance(parent, Constant)]
    assert [(step.node, step.parent) for step in steps(output) if step.parent is not None] == expected


@examples(200)
@given(graphs())
def test_steps_replay_to_the_data_and_gradients_of_backward(nodes: list[Value]) -> None:
    output = nodes[-1]
    walked = steps(output)
    last = walked[-1]
    order = topological_order(output)
    output.backward()
    for node in order:
        assert last.data_of(node) == node.data or node.data != node.data
        if isinstance(node, Constant):
            assert last.grad_of(node) is None
        else:
            assert repr(last.grad_of(node)) == repr(node.grad)
    edges = sum(not isinstance(parent, Constant) for node in order for parent in node.parents)
    assert len(walked) == len([node for node in order if node.parents]) + edges


def test_what_is_known_at_each_step() -> None:
    a, b = Value(2.0, "a"), Value(3.0, "b")
    product = a * b
    output = product + a
    walked = steps(output)
    known = [(step.data_of(product), step.data_of(output), step.grad_of(product), step.grad_of(a)) for step in walked]
    assert known == [
        *[(6.0, None, None, None), (6.0, 8.0, None, None), (6.0, 8.0, 1.0, None)],
        *[(6.0, 8.0, 1.0, 1.0), (6.0, 8.0, 1.0, 4.0), (6.0, 8.0, 1.0, 4.0)],
    ]
    assert walked[2].grad_of(output) == 1.0
    assert [step.phase for step in walked] == ["forward"] * 2 + ["backward"] * 4
    fifth = walked[4]
    assert (fifth.node, fifth.parent) == (product, a)
    assert (fifth.slope, fifth.before, fifth.after) == (3.0, 1.0, 4.0)


def test_steps_are_a_sequence() -> None:
    walked = steps(worked_example())
    there, back = [str(step) for step in walked], [str(step) for step in reversed(walked)]
    assert there == back[::-1]
    assert str(walked[-1]) == there[-1]
    assert [str(step) for step in walked[3:6]] == there[3:6]
    assert all(isinstance(step, Step) and step.index == place for place, step in enumerate(walked))
    with pytest.raises(IndexError, match="there is no step 55: this graph has 55 steps"):
        walked[55]
    assert repr(walked).startswith("<19 steps forward and 36 backward")
    assert repr(walked[0]).startswith("<step 0, forward: v1 = ")


def test_steps_neither_read_nor_change_gradients_and_keep_the_numbers_of_the_pass() -> None:
    a = Value(2.0, "a")
    output = a * a * 3.0
    a.grad = 100.0
    walked = steps(output)
    a.data = 50.0
    assert walked[-1].grad_of(a) == 12.0
    assert walked[0].data_of(a) == 2.0
    assert str(walked[0]) == "v1 = a · a = 2 · 2 = 4"
    assert a.grad == 100.0
    assert not output.has_grad


def test_names() -> None:
    a, b, c = Value(1.0, "x"), Value(2.0, "x"), Value(3.0)
    v1 = Value(4.0, "v2")
    lines = str(steps((a * b + c).tanh() + v1)).splitlines()
    assert lines[0] == "v1 = x · x(2) = 1 · 2 = 2"
    assert lines[1] == "v4 = v1 + v3 = 2 + 3 = 5"
    assert re.match(r"output = v5 \+ v2 = ", lines[3])


@pytest.mark.engine_independent
def test_a_large_graph_is_stepped_lazily() -> None:
    node = x = Value(1.0, "x")
    for _ in range(100_000):
        node = node * 1.0
    walked = steps(node)
    assert str(walked[5]) == "v6 = v5 · 1 = 1 · 1 = 1"
    assert "edges" not in vars(walked[5].steps)  # nothing backward was carried out
    assert walked[-1].grad_of(x) == 1.0
    assert "… 199800 more steps …" in str(walked)


def test_a_leaf_has_no_steps_but_itself() -> None:
    assert len(steps(Value(1.0))) == 0
    assert str(steps(Value(1.0))) == ""


def test_a_leaf_that_is_assigned_between_two_uses() -> None:
    """Each step shows the numbers that were computed with, and each gradient belongs to them."""
    a = Value(2.0, "a")
    product = a * 2.0
    a.data = 3.0
    output = product * a
    assert [str(step) for step in steps(output)] == [
        "v1 = a · 2 = 2 · 2 = 4",
        "output = v1 · a = 4 · 3 = 12",
        "∂output/∂v1: 0 + 1 × 3 = 3",
        "∂output/∂a: 0 + 1 × 4 = 4",
        "∂output/∂a: 4 + 3 × 2 = 10",
    ]
    output.backward()
    assert a.grad == 10.0


# Pages.


def test_the_steps_lead_to_a_page() -> None:
    walked = steps(worked_example())
    page = walked.page()
    assert isinstance(page, LivePage)
    assert "E_total" in page.title
    assert walked.page(title="Mine").title == "Mine"
    assert page.html == walked.page().html


def test_a_notebook_shows_the_page_in_a_frame_without_rights_and_a_picture_where_frames_are_stripped() -> None:
    x = Value(0.5, '<script>alert("x")</script>')
    walked = steps(x.sin() * x)
    shown = walked._repr_html_()
    assert shown is not None
    assert shown == walked.page(compact=True).frame(*re.findall(r'">(<p>.*)</iframe>', shown))
    (sentence, picture) = re.findall(
        r'<p>([^<]+)</p><div [^>]*><img [^>]*src="data:image/svg\+xml;base64,([^"]*)"[^>]*></div></iframe>', shown
    )[0]
    assert sentence == "Run this cell to step through."
    assert b"</svg>" in base64.b64decode(picture)
    assert shown.count("<script") == 1  # the one beside the frame


@pytest.mark.engine_independent
def test_a_very_large_graph_is_a_page_without_a_picture(monkeypatch: pytest.MonkeyPatch) -> None:
    node = Value(1.0)
    while len(topological_order(node)) < drawing.DISPLAYED_NODES:
        node = node.sin()
    drawn: list[object] = []

    def draw(output: Value) -> drawing.Drawing:
        drawn.append(output)
        return drawing.Drawing("")

    monkeypatch.setattr(stepping, "draw", draw)
    monkeypatch.setattr(rendering, "renderers", lambda: iter(()))  # which would take their time
    for output in (node, node.sin()):
        shown = str(steps(output)._repr_html_())
        assert "Run this cell to step through." in shown.removeprefix("<iframe")
    assert drawn == [node]


def test_a_graph_with_a_primitive_of_ones_own_stays_text() -> None:
    cube = autograd.primitive(lambda out, y: 3.0 * y**2, name="cube")(lambda y: y**3)
    walked = steps(cube(Value(2.0)) + 1.0)
    assert walked._repr_html_() is None
    with pytest.raises(TypeError, match="<primitive cube>"):
        walked.page()


def test_a_display_never_raises(monkeypatch: pytest.MonkeyPatch) -> None:
    walked = steps(Value(1.0) + 1.0)
    monkeypatch.setattr(rendering, "renderers", lambda: iter(()))
    shown = str(walked._repr_html_())
    assert shown.startswith("<iframe")
    assert "<img" not in shown

    def fail(self: object, **settings: object) -> LivePage:
        raise RecursionError("too deep")

    monkeypatch.setattr(autograd.Steps, "page", fail)
    assert walked._repr_html_() is None
    monkeypatch.undo()
    for leaf in (Value(1.0), Constant(2.0)):
        assert "<iframe" in str(steps(leaf)._repr_html_())


# The steps that a page counts.


@given(graphs())
def test_steps_between_labels_end_with_the_gradients_of_backward(nodes: list[Value]) -> None:
    for place, node in enumerate(nodes):
        if node.primitive is not None and place % 3 == 0:
            node.label = f"n{place}"
    walked = stepping.FoldedPass(Tape(nodes[-1]))
    nodes[-1].backward()
    if not len(walked):
        return
    last = walked[-1]
    for node in {*walked.operations, *(step.parent for step in walked if step.parent is not None)}:
        assert repr(last.data_of(node)) == repr(node.data)
        known = last.grad_of(node)
        assert known is None or repr(known) == repr(node.grad)


def test_an_update_evaluates_the_tape_again() -> None:
    x = Value(2.0, "x")
    y = x * 3.0 if x.data > 0 else -x
    y.label = "y"
    walked = steps(y.exp())
    before = walked[0]
    x.data = -1.0
    walked.update()
    assert str(walked[0]) == "y = x · 3 = −1 · 3 = −3"  # the branch of then
    assert walked[-1].grad_of(x) == 3.0 * walked.output.data
    assert walked[0].data_of(y) == -3.0  # by the node that was recorded, too
    assert walked[0].data_of(walked.operations[0]) == -3.0
    assert str(before) == "y = x · 3 = 2 · 3 = 6"
    assert y.data == 6.0


def test_an_update_outside_a_domain_changes_nothing() -> None:
    x = Value(2.0, "x")
    walked = steps(x.log())
    x.data = -1.0
    with pytest.raises(ValueError, match="log"):
        walked.update()
    assert walked.output.data == math.log(2.0)


def test_the_steps_of_one_node() -> None:
    output = worked_example()
    walked = steps(output)
    found = walked.of("out_h1")
    assert [str(step) for step in found] == [
        "out_h1 = sigmoid(net_h1) = sigmoid(0.3775) = 0.593269992",
        "∂E_total/∂out_h1: 0 + 0.138498562 × 0.4 = 0.0553994247",
        "∂E_total/∂out_h1: 0.0553994247 + (−0.0380982365) × 0.5 = 0.0363503064",
    ]
    for node in topological_order(output):
        about = [step for step in walked if (step.node if step.parent is None else step.parent) is node]
        assert [step.index for step in walked.of(node)] == [step.index for step in about]
    assert [step.phase for step in walked.of("E_total")] == ["forward"]
    assert walked.of(Value(1.0)) == []
    with pytest.raises(ValueError, match="no node of this graph is called 'out_h3'; the nearest names are out_h"):
        walked.of("out_h3")
