"""A lowered program, described."""

from autograd import Value, compile, dot, grad, prod, tanh
from autograd.programs.groups import Map, Totals
from autograd.programs.profile import Profile, title_of
from autograd.programs.program import Program


def sums_of_products(w: list[Value], x: list[Value]) -> Value:
    first, second = dot(w[:16], x), dot(w[16:], x)
    return tanh(first) * tanh(second)


def lowered(varying: range = range(0)) -> Profile:
    return Profile(compile(grad(sums_of_products)).program([0.1] * 32, [0.2] * 16), varying)


def test_levels_follow_what_is_read() -> None:
    found = lowered()
    for entry in found.entries:
        assert entry.level == 1 + max((found.entries[source].level for source in entry.sources), default=0)
    assert {entry.level for entry in found.entries} == set(range(1, max(entry.level for entry in found.entries) + 1))


def test_what_nothing_reads_is_a_result() -> None:
    for found in (lowered(), lowered(range(32, 48))):
        read = {source for entry in found.entries for source in entry.sources}
        assert {i for i in range(len(found.entries)) if i not in read} <= set(found.results)
        assert found.results


def test_each_group_has_a_time() -> None:
    for found in (lowered(), lowered(range(32, 48))):
        assert len(found.seconds) == len(found.entries)
        assert all(seconds is not None and seconds >= 0.0 for seconds in found.seconds)
        assert found.whole() > 0.0


def test_titles_say_what_is_computed() -> None:
    x = [Value(float(i)) for i in range(40)]
    products = [prod(x[i : i + 5]) for i in range(0, 40, 5)]
    (entry,) = Profile(Program.of(products, inputs=x), ()).entries
    assert (entry.title, entry.instructions) == ("prod of 5 operands, 8", 8)
    assert entry.run_by in ("Python", "NumPy")
    totals = [entry.group for entry in lowered(range(32, 48)).entries if isinstance(entry.group, Totals)]
    assert all(title_of(total).startswith("totals of ") for total in totals)
    copy = Map(None, 0, 0, True, 3, [])
    assert title_of(copy) == "copies of 3 numbers to the lanes"


def test_what_is_read_covers_every_operand() -> None:
    for entry in lowered(range(32, 48)).entries:
        assert sum(len(places) for _, places in entry.group.reads()) > 0
        assert entry.reads
