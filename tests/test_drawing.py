"""Pictures of graphs: their source, what a renderer makes of it, and what they survive."""

import re
from pathlib import Path
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
    assert sorted(texts(draw(output).to_svg())) == sorted(
        [
            *("a", "data 2", "grad −3", "b", "data −3", "grad −4", "v1 = a · b", "data −6", "grad 1", "2"),
            *("v2 = b ** 2", "data 9", "grad 1", "E = v1 + v2", "data 3", "grad 1"),
        ]
    )


def test_two_edges_for_a_square_and_the_order_of_operands() -> None:
    a, b = Value(2.0), Value(3.0)
    assert edges(draw(a * a).source) == [("n0", "n1"), ("n0", "n1")]
    assert draw(a * a).to_svg().count('class="edge"') == 2
    assert edges(draw(b - a).source) == [("n0", "n2"), ("n1", "n2")]
    assert "data 3" in draw(b - a).source.split("n1 ")[0]


def test_a_gradient_not_computed_is_shown_as_unknown() -> None:
    a = Value(2.0)
    output = a * 3.0
    assert texts(draw(output).to_svg()).count("grad ?") == 2
    output.backward()
    assert "grad 3" in texts(draw(output).to_svg())
    with no_grad():
        assert texts(draw(a * 2).to_svg()) == ["4"]


def test_the_same_graph_gives_the_same_source_with_nine_significant_digits() -> None:
    drawn = draw_graph(build_network())
    assert drawn.source == draw_graph(build_network()).source
    shown = texts(drawn.to_svg())
    for figure in ("grad 0.000438567734", "grad 0.0821670406", "data 0.751365070", "data 0.298371109"):
        assert figure.removesuffix("0") in shown


def test_local_slopes_on_request() -> None:
    *_, output = small_graph()
    assert not [text for text in texts(draw(output).to_svg()) if text.startswith("×")]
    slopes = [text for text in texts(draw(output, slopes=True).to_svg()) if text.startswith("×")]
    assert sorted(slopes) == sorted(["× −3", "× 2", "× −6", "× 1", "× 1"])


def test_kinds_of_node_differ_in_shape() -> None:
    source = draw(Parameter(1.0, "p") * Value(2.0, "v") + Constant(3.0, "c")).source
    looks = dict(re.findall(r'^\s*(n\d) \[label="?([^"\n]*)"?.*', source, re.MULTILINE))
    shapes = dict(re.findall(r"^\s*(n\d) \[.*shape=(\w+)", source, re.MULTILINE))
    assert {looks[name].split(r"\n")[0]: shape for name, shape in shapes.items()} == {
        "p": "box", "v": "ellipse", "v1 = p · v": "box", "c": "plaintext", "output = v1 + c": "box",
    }  # fmt: skip
    assert source.count("rounded,filled") == 2
    assert source.count("peripheries=2") == 1


def test_the_thicker_an_edge_the_larger_the_gradient() -> None:
    leaves = [Value(1.0, name) for name in "abcd"]
    output = autograd.dot(leaves, [100.0, 10.0, 1.0, 0.0])
    output.backward()
    widths = dict(re.findall(r"(n\d) -> n\d+ \[penwidth=([\d.]+)", draw(output).source))
    most, middle, least = (float(widths[name]) for name in ("n0", "n1", "n2"))
    assert most - middle == pytest.approx(middle - least)  # for each power of ten as much
    assert most - middle >= 0.5  # which is seen
    assert most <= 3.0  # and in a graph of gradients alike, the picture is calm
    assert re.search(r"n3 -> n\d+ \[color=gray50 style=dotted", draw(output).source)


def test_an_edge_is_never_too_thin_to_see() -> None:
    a, b = Value(1.0, "a"), Value(1.0, "b")
    output = autograd.dot([a, b], [1e12, 1.0])
    output.backward()
    widths = dict(re.findall(r"(n\d) -> n\d+ \[penwidth=([\d.]+)", draw(output).source))
    assert 0.5 <= float(widths["n1"]) <= 1.0 < float(widths["n0"])


def test_neurons_and_layers_as_clusters() -> None:
    network = build_network()
    source = draw(forward(network), clusters=network.clusters).source
    titles = re.findall(r'fontsize=11 label="?([^"\n]+?)"?$', source, re.MULTILINE)
    assert sorted(titles) == ["h1", "h2", "hidden layer", "o1", "o2", "output layer"]
    in_h1 = source[source.index("label=h1") : source.index("label=h2")]
    for name in ("w1", "w2", "net_h1", "out_h1", "v1 = w1 · i1 + w2 · i2"):
        assert re.search(rf'label="?{re.escape(name)}(\\n| = )', in_h1)
    assert "label=b1" not in in_h1
    assert texts(draw(forward(network), clusters=network.clusters).to_svg()).count("hidden layer") == 1


def test_options() -> None:
    a = Value(1.0) + 2
    assert "rankdir=TB" in draw(a, rankdir="TB").source
    assert 'size="3,2"' in draw(a, size="3,2").source
    with pytest.raises(ValueError, match=r"rankdir must be .* got 'UP'"):
        draw(a, rankdir="UP")


# Files.


@pytest.mark.parametrize("ending", [".svg", ".png", ".dot", ".SVG"])
def test_save(tmp_path: Path, ending: str) -> None:
    path = draw(Value(1.0) + 2).save(tmp_path / f"graph{ending}")
    content = path.read_bytes()
    assert content.startswith({".svg": b"<?xml", ".png": b"\x89PNG", ".dot": b"digraph"}[ending.lower()])
    assert list(tmp_path.iterdir()) == [path]


def test_save_refuses_what_it_cannot_do(tmp_path: Path) -> None:
    picture = draw(Value(1.0))
    with pytest.raises(ValueError, match=r"ends in \.svg, \.png or \.dot"):
        picture.save(tmp_path / "graph.gif")
    with pytest.raises(OSError, match="missing"):
        picture.save(tmp_path / "missing" / "graph.svg")
    assert list(tmp_path.iterdir()) == []


# Renderers.


@pytest.mark.parametrize("program", RENDERERS)
def test_each_renderer_draws_the_same_things(program: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(rendering.RENDERER_VARIABLE, program)
    svg = draw_graph(build_network()).to_svg()
    assert {"E_total = E_o1 + E_o2", "v4 = target_o1 − out_o1", "hidden layer", "w5"} <= set(texts(svg))
    assert svg.count('class="node"') == len(autograd.topological_order(forward(build_network())))
    assert 'id="n0"' in svg
    assert "w1 0.15" in texts(draw_network(build_network()).to_svg())


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
    assert "output = where(x0, x1, 2)" in texts(draw(where(xs[0], xs[1], 2.0)).to_svg())
    assert "output = x0 · x2 + x1 · x3" in texts(draw(autograd.dot(xs[:2], xs[2:4])).to_svg())
    assert "output = Σ" in texts(draw(autograd.sum(xs)).to_svg())
    assert "output = v1 · v2" in texts(draw(Value(1.0) * Value(2.0)).to_svg())


def test_a_node_has_one_name_in_all_that_is_said_of_a_graph() -> None:
    """The text of each view, on a graph in which x, its logarithm, their product and the output have no label."""
    x, k = Value(-2.0), Value(3.0, "k")
    output = (x * k).tanh() * abs(x).log()
    expected = {"v1": "", "v2": "v1 · k", "v3": "tanh(v2)", "v4": "abs(v1)", "v5": "log(v4)", "output": "v3 · v5"}
    lines = str(autograd.steps(output)).splitlines()
    for name, formula in list(expected.items())[1:]:
        assert [line for line in lines if line.startswith(f"{name} = {formula} = ")]
        drawn = f"{name} = {formula}"
        assert drawn in texts(draw(output).to_svg())
    assert "v1" in texts(draw(output).to_svg())
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


def test_the_picture_of_the_readme_is_up_to_date() -> None:
    committed = (Path(__file__).parent.parent / "notebooks" / "graph.svg").read_text()
    assert sorted(texts(committed)) == sorted(texts(draw_graph(build_network()).to_svg()))


# Steps.


def test_a_step_shows_what_is_known_after_it() -> None:
    *_, output = small_graph()
    steps = autograd.steps(output)
    first = texts(draw(steps[0]).to_svg())
    assert {"a", "data 2", "v1 = a · b", "data −6", "data ?"} <= set(first)
    assert not [text for text in first if text.startswith("grad") and text != "grad ?"]
    last = draw(steps[-1])
    assert sorted(texts(last.to_svg())) == sorted(texts(draw(output).to_svg()))
    for step in steps:
        source = draw(step, slopes=True).source
        edges_in_red = len(re.findall(rf"-> n\d+ \[.*{drawing.HIGHLIGHT}", source))
        assert edges_in_red == (2 if step.phase == "forward" else 1)
        assert len(re.findall(rf"^\s*n\d+ \[.*{drawing.HIGHLIGHT}", source, re.MULTILINE)) in (1, 2)
