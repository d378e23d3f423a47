"""Drawings of lowered programs: boxes, sizes and edges, not their layout."""

import re

import pytest

import autograd
from autograd import Program, Value, compile, dot, draw_program, grad, primitive, tanh
from autograd.programs.listing import Profile


def loss(w: list[Value], x: list[Value]) -> Value:
    return autograd.sum([tanh(dot(w[i : i + 3], x)) for i in range(0, 24, 3)])


def program() -> Program:
    return compile(grad(loss)).program([0.1] * 24, [0.2] * 3)


def test_each_group_is_a_box_and_what_it_reads_an_edge() -> None:
    source = draw_program(program()).source
    profile = Profile(program(), ())
    boxes = re.findall(r"^\s*g(\d+) \[label=\"(.*?)\\n", source, re.MULTILINE)
    assert [title for _, title in boxes] == [entry.title for entry in profile.entries]
    edges = set(re.findall(r"g(\d+) -> g(\d+)", source))
    assert edges == {(str(i), str(k)) for k, entry in enumerate(profile.entries) for i in entry.sources}


def test_what_is_around_the_groups() -> None:
    source = draw_program(program()).source
    assert "27 inputs" in source
    assert "24 outputs" in source
    assert source == draw_program(program()).source
    assert "</svg>" in draw_program(program()).to_svg()


def test_groups_of_one_title_that_read_the_same_share_a_box() -> None:
    x, y = [Value(0.1 * i) for i in range(32)], [Value(0.1 * i) for i in range(16)]
    sines, cosines = [each.sin() for each in x], [each.cos() for each in y]
    source = draw_program(Program.of([a * b for a in sines for b in cosines], inputs=x + y)).source
    assert "32 groups: multiply of 16 pairs" in source


def test_many_groups_of_one_kind_share_a_box() -> None:
    x = [Value(0.01 * i) for i in range(80)]
    outputs = [dot(x[:i], x[-i:]).exp() for i in range(2, 72)]
    source = draw_program(Program.of([each.sin() * 2.0 + each for each in outputs * 4], inputs=x)).source
    assert "groups: " in source
    assert source.count(" instructions") < 70


def test_what_python_runs_has_a_red_border() -> None:
    @primitive(lambda out, x: 2.0 * x)
    def squared(x: float) -> float:
        return x * x

    x = [Value(0.5 + i) for i in range(20)]
    source = draw_program(Program.of([squared(each) * 2.0 for each in x], inputs=x)).source
    warning = "#a3123a"  # of the brief of the live page
    assert f'color="{warning}"' in source
    assert warning not in draw_program(program()).source
    dark = draw_program(Program.of([squared(each) * 2.0 for each in x], inputs=x), theme="dark").source
    assert 'color="#ff8fa8"' in dark
    assert 'bgcolor="#16181b"' in dark


def test_the_program_of_a_batch_and_directions() -> None:
    assert "totals of" in draw_program(program(), range(24, 27), rankdir="LR").source
    with pytest.raises(ValueError, match="rankdir must be"):
        draw_program(program(), rankdir="up")


def test_a_program_without_inputs() -> None:
    x = Value(1.0)
    assert "1 parameter" in draw_program(Program.of([x])).source
