"""Pictures of graphs: their source, what a renderer makes of it, and what they survive."""

import math
import re
import tempfile
import webbrowser
from pathlib import Path
from typing import Literal
from xml.etree import ElementTree

import pytest

import autograd
from autograd import Constant, Drawing, Parameter, Value, draw, no_grad, where
from autograd.views import drawing, rendering
from nn import MLP
from nn.examples.worked_example import build_network, draw_graph, draw_network, forward

RENDERERS = list(rendering.renderers())
SVG = "{http://www.w3.org/2000/svg}"


def texts(svg: str) -> list[str]:
    """What is written in a picture; that it is XML at all is checked on the way."""
    return ["".join(element.itertext()) for element in ElementTree.fromstring(svg).iter(f"{SVG}text")]


def boxes(svg: str) -> dict[str, list[str]]:
    """What each box of a picture says, by its id, from the upper left to the lower right."""
    found = {}
    for group in ElementTree.fromstring(svg).iter(f"{SVG}g"):
        if group.get("class") == "node":
            found[str(group.get("id"))] = ["".join(text.itertext()) for text in group.iter(f"{SVG}text")]
    return found


def edges(source: str) -> list[tuple[str, str]]:
    return re.findall(r"^\s*(n\d+) -> (n\d+)", source, re.MULTILINE)


def small_graph() -> tuple[Value, Value, Value]:
    a, b = Value(2.0, label="a"), Parameter(-3.0, label="b")
    output = a * b + b**2
    output.label = "E"
    output.backward()
    return a, b, output


def test_nodes_edges_and_numbers() -> None:
    *_, output = small_graph()
    source = draw(output).source
    assert edges(source) == [("n0", "n2"), ("n1", "n2"), ("n1", "n4"), ("n3", "n4"), ("n2", "n5"), ("n4", "n5")]
    assert boxes(draw(output).to_svg()) == {
        "n0": ["a", "2", "∂", "−3"],
        "n1": ["b", "−3", "∂", "−4"],
        "n2": ["v1", "−6", "∂", "1", "a · b"],
        "n3": ["2"],
        "n4": ["v2", "9", "∂", "1", "b ** 2"],
        "n5": ["E", "3", "∂", "1", "v1 + v2"],
    }


def test_two_edges_for_a_square_and_the_order_of_operands() -> None:
    a, b = Value(2.0), Value(3.0)
    assert edges(draw(a * a).source) == [("n0", "n1"), ("n0", "n1")]
    assert draw(a * a).to_svg().count('class="edge"') == 2
    assert edges(draw(b - a).source) == [("n0", "n2"), ("n1", "n2")]
    assert boxes(draw(b - a).to_svg())["n0"][1] == "3"


def test_a_gradient_not_computed_is_shown_as_unknown() -> None:
    a = Value(2.0)
    output = a * 3.0
    assert boxes(draw(output).to_svg()) == {
        "n0": ["v1", "2", "∂", "?"],
        "n1": ["3"],
        "n2": ["output", "6", "∂", "?", "v1 · 3"],
    }
    output.backward()
    assert boxes(draw(output).to_svg())["n0"] == ["v1", "2", "∂", "3"]
    with no_grad():
        assert texts(draw(a * 2).to_svg()) == ["4"]


def test_the_same_graph_gives_the_same_source() -> None:
    assert draw_graph(build_network()).source == draw_graph(build_network()).source


def test_numbers_have_the_digits_that_are_asked_for() -> None:
    """The article prints nine decimals; the picture five digits unless told otherwise."""
    network = build_network()
    total = forward(network)
    total.backward()
    named = {words[0]: words for words in boxes(draw(total).to_svg()).values()}
    assert named["w5"] == ["w5", "0.4", "∂", "0.082167"]
    assert named["Etotal"][1] == "0.29837"
    named = {words[0]: words for words in boxes(draw(total, digits=9).to_svg()).values()}
    assert named["w5"] == ["w5", "0.4", "∂", "0.0821670406"]
    assert named["w1"][3] == "0.000438567734"
    assert named["Etotal"][1] == "0.298371109"


@pytest.mark.parametrize("digits", [0, 18, 2.5, True, "5"])
def test_a_number_of_digits_that_is_none(digits: int) -> None:
    with pytest.raises(ValueError, match=r"digits must be a whole number from 1 to 17, got"):
        draw(Value(1.0), digits=digits)


def test_local_slopes_on_request() -> None:
    *_, output = small_graph()
    assert not [text for text in texts(draw(output).to_svg()) if text.startswith("×")]
    slopes = [text for text in texts(draw(output, slopes=True).to_svg()) if text.startswith("×")]
    assert sorted(slopes) == sorted(["× −3", "× 2", "× −6", "× 1", "× 1"])


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_kinds_of_node_differ_as_on_the_page(theme: Literal["light", "dark"]) -> None:
    """The colours are those of the brief of the live page: box, parameter, paper, ink and gradient."""
    box, parameter, paper, ink, rust = {
        "light": ("#ffffff", "#f4f1e8", "#fdfcf9", "#1f2328", "#9c3f06"),
        "dark": ("#1e2125", "#26282b", "#16181b", "#e9e6df", "#f3a873"),
    }[theme]
    svg = draw(Parameter(1.0, "p") * Value(2.0, "v") + Constant(3.0, "c"), theme=theme).to_svg()
    fills, outlines = {}, {}
    for group in ElementTree.fromstring(svg).iter(f"{SVG}g"):
        shapes = [part for part in group if part.tag in (f"{SVG}polygon", f"{SVG}path")]
        if group.get("class") == "node":
            fills[str(group.get("id"))] = shapes[0].get("fill")
            outlines[str(group.get("id"))] = shapes[0].tag.removeprefix(SVG)
            numbers = [text for text in group.iter(f"{SVG}text") if text.get("text-anchor") == "end"]
            assert [text.get("fill") for text in numbers] == [ink, rust][: len(numbers)]
        elif group.get("class") == "graph":
            assert shapes[0].get("fill") == paper
    assert {words[0]: fills[name] for name, words in boxes(svg).items()} == {
        "p": parameter, "v": paper, "v1": box, "c": paper, "output": box,
    }  # fmt: skip
    assert {words[0]: outlines[name] for name, words in boxes(svg).items()} == {
        "p": "polygon", "v": "path", "v1": "polygon", "c": "path", "output": "polygon",
    }  # fmt: skip


def test_the_thicker_an_edge_the_larger_the_gradient() -> None:
    leaves = [Value(1.0, name) for name in "abcd"]
    output = autograd.dot(leaves, [100.0, 10.0, 1.0, 0.0])
    output.backward()
    widths = dict(re.findall(r"(n\d) -> n\d+ \[penwidth=([\d.]+)", draw(output).source))
    most, middle, least = (float(widths[name]) for name in ("n0", "n1", "n2"))
    assert most - middle == pytest.approx(middle - least)  # for each power of ten as much
    assert most - middle >= 0.5  # which is seen
    assert most <= 3.0  # and in a graph of gradients alike, the picture is calm
    assert re.search(r"n3 -> n\d+ \[style=dotted", draw(output).source)


def test_an_edge_is_never_too_thin_to_see() -> None:
    a, b = Value(1.0, "a"), Value(1.0, "b")
    output = autograd.dot([a, b], [1e12, 1.0])
    output.backward()
    widths = dict(re.findall(r"(n\d) -> n\d+ \[penwidth=([\d.]+)", draw(output).source))
    assert 0.5 <= float(widths["n1"]) <= 1.0 < float(widths["n0"])


def test_neurons_and_layers_as_clusters() -> None:
    network = build_network()
    source = draw(forward(network), clusters=network.clusters).source
    titles = re.findall(r'fontsize=9 label="?([^"<\n]+?)"?$', source, re.MULTILINE)
    assert sorted(titles) == ["h1", "h2", "hidden layer", "o1", "o2", "output layer"]
    in_h1 = source[source.index("label=h1") : source.index("label=h2")]
    named = {words[0]: name for name, words in boxes(draw(forward(network)).to_svg()).items()}
    for name in ("w1", "w2", "neth1", "outh1", "v1"):
        assert f"\t{named[name]} [" in in_h1
    assert f"\t{named['b1']} [" not in in_h1
    assert texts(draw(forward(network), clusters=network.clusters).to_svg()).count("hidden layer") == 1


def test_options() -> None:
    a = Value(1.0) + 2
    assert "rankdir=TB" in draw(a, rankdir="TB").source
    assert 'size="3,2"' in draw(a, size="3,2").source
    with pytest.raises(ValueError, match=r"rankdir must be .* got 'UP'"):
        draw(a, rankdir="UP")
    with pytest.raises(ValueError, match=r"theme must be 'light' or 'dark', got 'blue'"):
        draw(a, theme="blue")  # type: ignore[arg-type]  # what is tested


# Files.


@pytest.mark.parametrize("ending", [".svg", ".png", ".dot", ".SVG"])
def test_save(tmp_path: Path, ending: str) -> None:
    path = draw(Value(1.0) + 2).save(tmp_path / f"graph{ending}")
    content = path.read_bytes()
    assert content.startswith({".svg": b"<?xml", ".png": b"\x89PNG", ".dot": b"digraph"}[ending.lower()])
    assert list(tmp_path.iterdir()) == [path]


def test_save_refuses_what_it_cannot_do(tmp_path: Path) -> None:
    picture = draw(Value(1.0))
    with pytest.raises(ValueError, match=r"ends in \.svg, \.png, \.pdf or \.dot"):
        picture.save(tmp_path / "graph.gif")
    with pytest.raises(OSError, match="missing"):
        picture.save(tmp_path / "missing" / "graph.svg")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("program", RENDERERS)
def test_the_dots_of_a_bitmap(program: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(rendering.RENDERER_VARIABLE, program)
    picture = draw(Value(1.0) + 2)

    def size(dpi: float | None) -> tuple[int, int]:
        header = picture.save(tmp_path / "graph.png", dpi=dpi).read_bytes()[16:24]
        return int.from_bytes(header[:4], "big"), int.from_bytes(header[4:], "big")

    width, height = size(None)
    assert size(96) == pytest.approx((width, height), abs=1)
    assert size(288) == pytest.approx((3 * width, 3 * height), abs=4)


@pytest.mark.parametrize("dpi", [0, -96, math.nan, math.inf, "192", True])
def test_dots_that_are_no_number(dpi: float, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="dpi must be a number greater than 0, such as 192, got"):
        draw(Value(1.0)).save(tmp_path / "graph.png", dpi=dpi)
    with pytest.raises(ValueError, match=r"dpi is for a bitmap, \.png; a \.svg file has no dots"):
        draw(Value(1.0)).save(tmp_path / "graph.svg", dpi=192)
    assert list(tmp_path.iterdir()) == []


def test_a_picture_is_shown_in_a_browser(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    opened: list[str] = []
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setattr(webbrowser, "open", opened.append)
    path = draw(Value(1.0) + 2).open()
    assert opened == [path.as_uri()]
    assert path.read_text().startswith("<?xml")


# Renderers.


@pytest.mark.parametrize("program", RENDERERS)
def test_each_renderer_draws_the_same_things(program: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(rendering.RENDERER_VARIABLE, program)
    words = boxes(draw_graph(build_network()).to_svg())
    assert ["Etotal", "0.29837", "∂", "1", "E_o1 + E_o2"] in words.values()
    assert ["w5", "0.4", "∂", "0.082167"] in words.values()
    assert len(words) == len(autograd.topological_order(forward(build_network())))
    assert "w1 0.15" in texts(draw_network(build_network()).to_svg())


@pytest.mark.parametrize("program", RENDERERS)
def test_text_stands_right_in_any_font(program: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Numbers end at the right side of their box, an index follows its name; whatever the widths of letters are."""
    monkeypatch.setenv(rendering.RENDERER_VARIABLE, program)
    svg = draw_graph(build_network()).to_svg()
    seen = 0
    for group in ElementTree.fromstring(svg).iter(f"{SVG}g"):
        numbers = [text for text in group.iter(f"{SVG}text") if text.get("text-anchor") == "end"]
        if group.get("class") == "node" and numbers:
            outline = next(part for part in group if part.tag in (f"{SVG}polygon", f"{SVG}path"))
            right = max(float(x) for x in re.findall(r"(-?[\d.]+),", outline.get("points") or str(outline.get("d"))))
            assert {float(str(text.get("x"))) for text in numbers} == {round(right - 6, 2)}
            name = next(iter(group.iter(f"{SVG}text")))
            assert name.get("y") == numbers[0].get("y")
            seen += len(name) == 1  # its index is a part of it
    assert seen == len(autograd.topological_order(forward(build_network()))) - 4  # but 2, 2, ½ and ½
    assert "baseline-shift" not in svg


@pytest.mark.parametrize("program", RENDERERS)
def test_steps_keep_each_node_at_its_place(program: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(rendering.RENDERER_VARIABLE, program)
    a, b = Value(1e-300, label="a"), Parameter(-3.0, label="b")
    output = (a * b).tanh() + b**2 - 1e5
    steps = autograd.steps(output)

    def places(step: autograd.Step) -> list[tuple[str, str]]:
        source = draw(step, slopes=True).source
        lines = rendering.render(source, "plain").decode().splitlines()
        return [(words[1], " ".join(words[2:6])) for line in lines if (words := line.split())[0] == "node"]

    assert len({str(places(step)) for step in steps}) == 1


def test_without_a_renderer(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(rendering, "renderers", lambda: iter(()))
    picture = draw(Value(1.0) + 1)
    with pytest.raises(RuntimeError, match="pip install graphviz-pure"):
        picture.to_svg()
    for shown in (picture._repr_html_(), (Value(1.0) + 1)._repr_html_()):
        assert "Not drawn: no Graphviz program" in str(shown)
    assert picture.save(tmp_path / "graph.dot").exists()


def test_a_picture_is_given_so_much_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(drawing, "render", lambda source, file_format, timeout: f"{timeout:g}".encode())
    assert draw(Value(1.0)).to_svg(timeout=0.25) == "0.25"


# Notebooks.


def test_a_value_shows_its_graph_as_an_image() -> None:
    html = (Value(1.0, label="x") * 2)._repr_html_()
    assert html is not None
    image = '<img alt="computation graph" src="data:image/svg+xml;base64,'
    assert html.startswith(f'<div style="overflow-x: auto">{image}')  # a wide one scrolls


def test_a_large_graph_is_not_drawn_unasked_and_says_so() -> None:
    node = Value(1.0)
    for _ in range(drawing.DISPLAYED_NODES):
        node = node.sin()
    shown = str(node._repr_html_())
    assert "<img" not in shown
    assert f"more than {drawing.DISPLAYED_NODES} nodes" in shown


def test_a_display_never_raises(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(value: Value) -> str:
        raise OSError("no picture today")

    monkeypatch.setattr(autograd.hooks.hooks, "display", fail)
    assert Value(1.0)._repr_html_() is None


# Hostile labels.


@pytest.mark.engine_independent
@pytest.mark.parametrize("program", RENDERERS)
@pytest.mark.parametrize(
    ("label", "shown"),
    [
        ('say "hi"', 'say "hi"'),
        ("<script>alert(1)</script>", "<script>alert(1)</script>"),
        ("<b>", "<b>"),
        ("a\\nb\\", "a\\nb\\"),
        ('\\"', '\\"'),
        ("&lt;b&gt; &amp; &", "&lt;b&gt; &amp; &"),
        ("\\N \\G \\l", "\\N \\G \\l"),
        ("tab\tand\nnewline", "tab and newline"),
        ("a\x00b\x1bc\x7fd\u200be\ud800f\ufffeg", "a b c d e f g"),
        ("naïve σ 🚀 漢字", "naïve σ 🚀 漢字"),
        ("{record|<port>}", "{record|<port>}"),
        ("]]><!--", "]]><!--"),
        ("x" * 1_000_000, "x" * 60 + "…"),
        ("javascript:alert(1)", "javascript:alert(1)"),
        ("", None),
    ],
    ids=[
        *("quotes", "script", "tag", "backslashes", "escaped quote", "entities", "DOT escapes", "white space"),
        *("controls", "non-ASCII", "record", "CDATA", "long", "link", "empty"),
    ],
)
def test_hostile_labels(program: str, label: str, shown: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(rendering.RENDERER_VARIABLE, program)
    for leaf in (Value(1.0, label=label), Parameter(1.0, label=label), Constant(1.0, label=label)):
        svg = draw(leaf).to_svg()
        lines = [text.replace("\N{NO-BREAK SPACE}", " ") for text in texts(svg)]
        assert lines[:1] == [shown] if shown is not None else lines[0] in ("output", "1")
        assert "<script" not in svg
        assert len(svg) < 5000
    output = Value(1.0, label=label) * 2
    output.label = label
    drawn = draw(output, clusters={label: [label, label]}).to_svg()
    ElementTree.fromstring(drawn)
    assert "<script" not in drawn
    network = MLP(1, [1])
    network.layers[0].neurons[0].weights[0].label = label
    ElementTree.fromstring(network.draw({"i1": label}).to_svg())


def test_operations_are_written_in_the_names_of_their_operands() -> None:
    xs = [Value(1.0, f"x{i}") for i in range(10)]
    assert "where(x0, x1, 2)" in texts(draw(where(xs[0], xs[1], 2.0)).to_svg())
    assert "x0 · x2 + x1 · x3" in texts(draw(autograd.dot(xs[:2], xs[2:4])).to_svg())
    assert "Σ" in texts(draw(autograd.sum(xs)).to_svg())
    assert "v1 · v2" in texts(draw(Value(1.0) * Value(2.0)).to_svg())


def test_a_formula_is_cut_where_its_box_would_be_wide() -> None:
    long = Value(1.0, "a" * 40)
    (formula,) = [text for text in texts(draw(long * long).to_svg()) if "·" in text]
    assert formula == "a" * 40 + " · aaaa…"


def test_a_node_has_one_name_in_all_that_is_said_of_a_graph() -> None:
    """The text of each view, on a graph in which x, its logarithm, their product and the output have no label."""
    x, k = Value(-2.0), Value(3.0, "k")
    output = (x * k).tanh() * abs(x).log()
    expected = {"v1": "", "v2": "v1 · k", "v3": "tanh(v2)", "v4": "abs(v1)", "v5": "log(v4)", "output": "v3 · v5"}
    lines = str(autograd.steps(output)).splitlines()
    drawn = {words[0]: words[-1] for words in boxes(draw(output).to_svg()).values()}
    for name, formula in list(expected.items())[1:]:
        assert [line for line in lines if line.startswith(f"{name} = {formula} = ")]
        assert drawn[name] == formula
    assert "v1" in drawn
    explanation = str(autograd.explain(output, x, detail="full"))
    assert "∂output/∂v1 = " in explanation
    for name, formula in list(expected.items())[1:-1]:
        assert re.search(rf"^{name} = {re.escape(formula)} = ", explanation, re.MULTILINE)
    assert "∂output/∂v1 is " in autograd.diagnose(output, x).text
    wrong = autograd.primitive(lambda out, y: 2.0, check=False)(lambda y: y)
    with pytest.raises(AssertionError, match=r"first wrong slope is at v3 = .*\(v2\)"):
        autograd.check_gradients(lambda y: wrong(y * 3.0).sin(), 0.5, order=1)


def test_repr() -> None:
    assert repr(Drawing("digraph {}")) == "<Drawing of 10 characters of DOT; .save('picture.svg') writes it>"


# Steps.


def test_a_step_shows_what_is_known_after_it() -> None:
    *_, output = small_graph()
    steps = autograd.steps(output)
    first = boxes(draw(steps[0]).to_svg())
    assert first["n0"] == ["a", "2", "∂", "?"]
    assert first["n2"] == ["v1", "−6", "∂", "?", "a · b"]
    assert first["n4"] == ["v2", "?", "∂", "?", "b ** 2"]
    assert boxes(draw(steps[-1]).to_svg()) == boxes(draw(output).to_svg())
    colours = {"forward": "#1a5a9e", "backward": "#9c3f06"}  # of the brief of the live page
    for step in steps:
        source = draw(step).source
        along = re.findall(rf' -> n\d+ \[.*color="{colours[step.phase]}".*', source)
        assert len(along) == (2 if step.phase == "forward" else 1)
        assert len([edge for edge in along if "dir=back" in edge]) == (step.phase == "backward")
        marked = re.findall(rf'^\s*n\d+ \[.* color="{colours[step.phase]}"', source, re.MULTILINE)
        assert len(marked) == (1 if step.phase == "forward" else 2)
