"""Lowered programs described: every group stands in the listing, and what they stand for adds up."""

import random
import re

import pytest

import autograd
from autograd import Program, Value, compile, dot, exp, gradients, primitive, prod, tanh
from autograd.programs.groups import Map, Total
from autograd.programs.listing import Profile, title_of
from tests.random_programs import random_program


def program() -> Program:
    """A layer and its gradients: of weights, and of the three numbers after them."""
    weights, x = [Value(0.1 * i) for i in range(24)], [Value(1.0), Value(2.0), Value(3.0)]
    out = autograd.sum([tanh(dot(weights[i : i + 3], x)) * 1.0 for i in range(0, 24, 3)])
    return Program.of([out, *gradients(out, [*weights, *x])], inputs=[*weights, *x])


VARYING = range(24, 27)


def rows_of(text: str) -> list[list[str]]:
    """The rows of the table of groups: the first column, the instructions, and the rest."""
    lines = text.partition("run by\n")[2].splitlines()
    found = [re.fullmatch(r" *(–|[\d.]+(?: %)?) +([\d,]+)  (.*)", line) for line in lines]
    assert all(found), lines
    return [list(match.groups()) for match in found if match]


def test_every_group_is_listed_and_the_instructions_add_up() -> None:
    text = program().listing(timed=False)
    recorded, groups = map(int, re.match(r"(\d+) instructions in (\d+) groups", text).groups())  # type: ignore[union-attr]  # else the test fails
    rows = rows_of(text)
    assert len(rows) == groups
    assert stood_for(text) + removed(text) == recorded == (program().codes > 0).sum()
    assert "matrix product " in text
    assert "tanh of 8 numbers" in text
    assert max(map(len, text.splitlines())) <= 100


def removed(text: str) -> int:
    """What the passes removed that do not merge."""
    found = re.findall(r"^(without|with constants)[a-z ]+ ([\d,]+) +([\d,]+)$", text, re.MULTILINE)
    return sum(int(before.replace(",", "")) - int(after.replace(",", "")) for _, before, after in found)


def stood_for(text: str) -> int:
    """How many instructions the groups stand for."""
    return sum(int(row[1].replace(",", "")) for row in rows_of(text))


def test_the_same_program_gives_the_same_text_without_times() -> None:
    assert program().listing(timed=False) == program().listing(timed=False)


def test_shares_add_up_and_the_heaviest_is_first() -> None:
    text = program().listing()
    shares = [float(row[0].removesuffix(" %")) for row in rows_of(text)]
    assert shares == sorted(shares, reverse=True)
    assert abs(sum(shares) - 100.0) < 0.05 * len(shares) + 0.01
    assert re.search(r"^a run takes [\d.,]+ (µs|ms), its groups by themselves [\d.,]+ (µs|ms) \(\w+\)$", text, re.M)


def test_the_heaviest_alone() -> None:
    rows = rows_of(program().listing(most=2))
    every = rows_of(program().listing())
    assert rows[2][2] == f"{len(every) - 2} more groups"
    assert stood_for(program().listing(most=2)) == stood_for(program().listing())


def test_a_program_of_a_batch_has_totals() -> None:
    text = program().listing(VARYING)
    assert "totals of" in text
    assert "lanes" in text
    assert "a block of 16 examples takes" in text
    assert stood_for(text) + removed(text) == int(text.split()[0])


@pytest.mark.parametrize("varying", [[0], [1], [0, 1]])
def test_groups_are_timed_whatever_varies(varying: list[int]) -> None:
    program = compile(lambda x, y: exp(x * x) + y * y).program(1.0, 2.0)
    assert "% " in program.listing(varying)
    assert stood_for(program.listing(varying)) == stood_for(program.listing(varying, timed=False))


def test_deep_programs_are_a_chain() -> None:
    x = Value(0.5)
    y = x
    for _ in range(50):
        y = (y + 1.0).sin()
    text = Program.of([y], inputs=[x]).listing(timed=False)
    assert [row[2].split("  ")[0] for row in rows_of(text)] == ["chain of 100 instructions"]


def test_a_primitive_of_the_users_own_runs_as_python() -> None:
    @primitive(lambda out, x: 2.0 * x)
    def squared(x: float) -> float:
        if x == 0.75:
            raise ValueError("not this number")
        return x * x

    x = [Value(0.5 + i) for i in range(20)]
    text = Program.of([squared(each) * 2.0 for each in x], inputs=x).listing()
    (row,) = [row for row in rows_of(text) if row[2].startswith("squared of 20 numbers")]
    assert row[2].endswith("Python")


@pytest.mark.parametrize("seed", range(20))
def test_random_programs_add_up(seed: int) -> None:
    made = random_program(random.Random(seed))
    text = made.listing(timed=False)
    assert stood_for(text) + removed(text) == int(text.split()[0])


def test_a_program_without_instructions() -> None:
    x = Value(1.0)
    assert Program.of([x], inputs=[x]).listing().startswith("0 instructions in 0 groups: 1 input, 0 parameters")


# What the listing is made of.


@pytest.mark.parametrize("varying", [(), VARYING], ids=["one run", "a batch"])
def test_entries(varying: range) -> None:
    found = Profile(program(), varying)
    for entry in found.entries:
        assert entry.level == 1 + max((found.entries[source].level for source in entry.sources), default=0)
        assert sum(len(places) for _, places in entry.group.reads()) > 0
        assert entry.reads
    assert {entry.level for entry in found.entries} == set(range(1, max(entry.level for entry in found.entries) + 1))
    read = {source for entry in found.entries for source in entry.sources}
    assert {i for i in range(len(found.entries)) if i not in read} <= set(found.results), (
        "what nothing reads is a result"
    )
    seconds = found.seconds()
    assert len(seconds) == len(found.entries)
    assert all(each is not None and each >= 0.0 for each in seconds)
    assert found.whole() > 0.0


def test_titles_say_what_is_computed() -> None:
    x = [Value(float(i)) for i in range(40)]
    (entry,) = Profile(Program.of([prod(x[i : i + 5]) for i in range(0, 40, 5)], inputs=x), ()).entries
    assert (entry.title, entry.instructions) == ("prod of 5 operands, 8", 8)
    assert entry.run_by in ("Python", "NumPy")
    totals = [entry.group for entry in Profile(program(), VARYING).entries if isinstance(entry.group, Total)]
    assert totals
    assert all(title_of(total).startswith("totals of ") for total in totals)
    assert title_of(Map(None, 0, 0, True, 3, [])) == "copies of 3 numbers to the lanes"
