"""Labels from a program's variables, as Python itself reads them; and nodes by their labels."""

from __future__ import annotations

import subprocess
import sys
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

import numpy as np
import pytest
from hypothesis import given, settings

import autograd
from autograd import (
    Constant,
    Parameter,
    Value,
    array,
    diagnose,
    draw,
    explain,
    find_node,
    live_page,
    name_values,
    steps,
    topological_order,
)
from autograd.notation import Names
from nn import MLP
from tests.test_content import data_of
from tests.test_writing import graphs


class Point(NamedTuple):
    x: Any
    y: Any


@dataclass
class Layer:
    weights: list[Value]
    bias: Value
    _cache: list[Value] = field(default_factory=list)


def values(count: int) -> list[Value]:
    return [Value(float(place)) for place in range(count)]


def labels(tree: Any) -> list[str | None]:
    return [value.label for value in tree]


def test_each_label_is_what_python_calls_the_value() -> None:
    """Evaluated with the variables that were given, a label is that very Value."""
    a, b, c, d, e, f, g, h, i, j, k = values(11)
    variables: dict[str, Any] = {
        "speed": a,
        "w": [b, [c, 2.0]],
        "p": {"b": d, 3: (e,), 'say "b"\n': f, (0, 1): MappingProxyType({"k": g})},
        "point": Point(h, None),
        "layer": Layer([i], j, _cache=[k]),
        "m": np.array([[Value(1.0), 2.0], [3.0, Value(4.0)]], object),
        "v": array([[1.0, 2.0]]),
        "own": OrderedDict(z=Value(5.0)),
    }
    name_values(variables)
    named = [a, b, c, d, e, f, g, h, i, j, variables["m"][0, 0], variables["m"][1, 1], *variables["v"].ravel()]
    named.append(variables["own"]["z"])
    for value in named:
        assert value.label
        assert eval(value.label, {}, variables) is value
    assert labels([a, b, c, d, e, h, i, j]) == [
        *("speed", "w[0]", "w[1][0]", 'p["b"]', "p[3][0]", "point.x", "layer.weights[0]", "layer.bias"),
    ]
    assert labels(variables["v"].ravel()) == ["v[0, 0]", "v[0, 1]"]
    assert k.label is None


def test_variables_of_the_caller() -> None:
    vx = Value(12.0)
    tau = vx * 2.0
    name_values(locals())
    assert (vx.label, tau.label) == ("vx", "tau")


def test_the_first_name_counts_and_a_label_stays() -> None:
    shared, own, empty = Value(1.0), Value(2.0, "mine"), Value(3.0, "")
    weights = [shared, own]
    name_values({"a": shared, "b": shared, "weights": weights, "w": shared, "empty": empty})
    assert labels([shared, own, empty]) == ["a", "mine", "empty"]
    last = values(2)
    for w in last:  # a variable of a loop comes after what it goes through
        assert w.label is None
    name_values(locals())
    assert labels(last) == ["last[0]", "last[1]"]
    name_values({"other": last})
    assert labels(last) == ["last[0]", "last[1]"]


def test_kinds_of_nodes() -> None:
    constant, parameter, operation = Constant(9.81), Parameter(1.0), Value(1.0) * 2.0
    name_values({"g": constant, "p": parameter, "y": operation})
    assert labels([constant, parameter, operation]) == ["g", "p", "y"]


def test_what_is_no_variable_of_a_program_is_left_alone() -> None:
    hidden, shown, output = values(3)

    class Holder:
        value = hidden

    name_values({"_h": hidden, "C": Holder, "o": Holder(), "f": lambda: hidden, "s": {hidden}, "m": sys})
    assert hidden.label is None
    name_values({"Out": {1: output}, "In": [shown], "get_ipython": print, "x": shown})
    assert labels([output, shown]) == [None, "x"]
    name_values({"Out": output})
    assert output.label == "Out"
    name_values(vars(MLP(2, [2])))  # whose parameters are labelled
    network = MLP(2, [1])
    before = labels(network.parameters())
    name_values({"network": network, "parameters": network.parameters()})
    assert labels(network.parameters()) == before


def test_containers_within_themselves() -> None:
    inner, deep = values(2)
    ring: list[Any] = [inner]
    ring.append(ring)
    variables: dict[str, Any] = {"ring": ring}
    variables["everything"] = variables
    nested: Any = deep
    for _ in range(2_000):
        nested = [nested]
    name_values({**variables, "nested": nested, "shared": [ring] * 3})
    assert inner.label == "ring[0]"
    assert str(deep.label).startswith("nested[0][0][0]")


def test_other_arrays_and_objects_are_left_alone() -> None:
    masked = np.ma.array([1.0, 2.0], mask=[False, True])
    row = np.arange(3.0)
    name_values({"masked": masked, "row": row, "none": None, "text": "abc", "nothing": []})
    assert row.tolist() == [0.0, 1.0, 2.0]


def test_nothing_is_recorded_and_no_number_changes() -> None:
    w, x = Value(2.0), Value(3.0)
    y = w * x
    y.backward()
    before = [(id(node), node.data, node.grad) for node in topological_order(y)]
    name_values({"w": w, "x": x, "y": y})
    assert [(id(node), node.data, node.grad) for node in topological_order(y)] == before


@pytest.mark.parametrize("wrong", [Value(1.0), [Value(1.0)], None, {1: Value(1.0)}])
def test_what_has_no_names_is_refused(wrong: Any) -> None:
    with pytest.raises(TypeError, match=r"expected variables by their names, as in name_values\(locals\(\)\)"):
        name_values(wrong)


def test_a_script_names_its_own_variables(tmp_path: Path) -> None:
    script = tmp_path / "flight.py"
    lines = "from autograd import *", "v = Value(2.0)", "h = v * v", "name_values(locals())", "print(h.label, v.label)"
    script.write_text("\n".join(lines))
    done = subprocess.run([sys.executable, script], capture_output=True, text=True, check=True, cwd=Path.cwd())
    assert done.stdout == "h v\n"


# The labels in what is shown.


def program() -> Value:
    w, x = values(2), {"in": Value(3.0), "o_1": Value(-1.0)}
    net = w[0] * x["in"] + w[1] * x["o_1"]
    out = net.tanh()
    name_values(locals())
    return out


def test_labels_of_entries_are_shown_as_they_are() -> None:
    out = program()
    assert str(steps(out)).splitlines()[0] == 'v1 = w[0] · x["in"] = 0 · 3 = 0'
    assert "dout/dw[1] = dout/dnet * dnet/dw[1]" in explain(out, "w[1]").ascii
    source = draw(out).source
    assert ">w[0]<" in source
    assert ">x[&quot;in&quot;]<" in source
    assert "<svg" in draw(out).to_svg()
    assert 'x[\\"o_1\\"]' in live_page(out).html


def test_pages_fold_into_the_variables_of_the_program() -> None:
    (content,) = data_of(live_page(program()))["graphs"]
    names = content["names"]
    assert [names[slot] for slot, _ in content["stations"]] == ["net", "out"]
    assert all(content["bases"][names.index(name)] == 0 for name in ("w[0]", 'x["o_1"]'))


# Nodes by their labels.


@settings(max_examples=100, deadline=None)
@given(graphs(labelled=True))
def test_every_name_leads_to_its_node(nodes: list[Value]) -> None:
    output = nodes[-1]
    names = Names(output, topological_order(output))
    used = [node.label for node in topological_order(output)]
    for node in topological_order(output):
        if node.label and used.count(node.label) > 1:
            with pytest.raises(ValueError, match=r"is the label of \d nodes of this graph"):
                find_node(output, node.label)
        elif node.label or not isinstance(node, Constant):
            assert find_node(output, node.label or names.of(node).plain) is node
        assert find_node(output, node) is node


def test_a_label_is_as_good_as_its_node() -> None:
    w, x = Value(2.0, "w1"), Value(0.5, "x")
    net = w * x
    net.label = "net"
    y = net.tanh() + w
    for function in (explain, diagnose):
        for label, node in (("w1", w), ("net", net), ("output", y), ("v1", y.parents[0])):
            assert str(function(y, label)) == str(function(y, node))


def test_the_nearest_names_are_given() -> None:
    w1, w2, bias = Value(1.0, "w1"), Value(2.0, "w2"), Value(3.0, "bias")
    y = w1 * w2 + bias
    for function in (explain, diagnose, find_node, lambda y, label: steps(y).of(label)):
        for label, hint in (
            ("w", "nearest names are w2, w1"),
            ("bais", "nearest names are bias"),
            ("q", "it has w1, "),
        ):
            with pytest.raises(ValueError, match=f"no node of this graph is called '{label}'; .*{hint}"):
                function(y, label)
    with pytest.raises(ValueError, match=r"name_values\(locals\(\)\) labels its nodes"):
        find_node(Value(1.0) * 2.0, "w")
    twins = Value(1.0, "w") * Value(2.0, "w")
    with pytest.raises(ValueError, match=r"'w' is the label of 2 nodes of this graph, which are called w, w\(2\) here"):
        find_node(twins, "w")
    assert find_node(twins, "w(2)") is twins.parents[1]


@pytest.mark.parametrize("function", [explain, diagnose, find_node, lambda y, x: steps(y).of(x)])
def test_what_is_no_node_is_refused(function: Callable[..., Any]) -> None:
    x = Value(1.0, "x")
    for wrong, text in ((3, "3 of type int"), (None, "None of type NoneType")):
        with pytest.raises(TypeError, match=f"expected a node, got {text}"):
            function(x * 2.0, wrong)
    with pytest.raises(TypeError, match="expected a Value as output, got 3 of type int"):
        function(3, "x")


def test_name_values_is_public() -> None:
    assert {"name_values", "find_node"} <= set(dir(autograd))
