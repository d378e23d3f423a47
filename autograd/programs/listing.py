"""`Program.listing`: the groups that a program is lowered to as a table.

>>> from autograd import Value, dot, exp
>>> w, x = [Value(0.5) for _ in range(24)], [Value(2.0) for _ in range(3)]
>>> outputs = [exp(dot(w[i : i + 3], x)) for i in range(0, 24, 3)]
>>> print(Program.of(outputs, inputs=w + x).listing(timed=False).splitlines()[0])
16 instructions in 2 groups: 27 inputs, 0 parameters, 8 outputs
"""

from __future__ import annotations

from collections.abc import Sequence

from autograd.native import selection
from autograd.programs.profile import LANES, Profile, counted
from autograd.programs.program import Program

COLUMNS = {"group": 44, "reads": 22, "run by": 13}  # and how wide they may be


def listing(program: Program, varying: Sequence[int], timed: bool, most: int | None) -> str:
    """The text of `Program.listing`."""
    profile = Profile(program, varying)
    entries = profile.entries
    lines = [_summary(profile, timed), ""]
    before = profile.recorded
    lines.append(f"{'pass':<28}{'instructions':>14}{'after it':>12}")
    for name, after in profile.passes:
        lines.append(f"{name:<28}{before:>14,}{after:>12,}")
        before = after
    lines += [f"{'in groups':<28}{before:>14,}{len(entries):>12,}", ""]
    shares: list[float | None] = [None] * len(entries)
    order = list(range(len(entries)))
    if timed:
        total = sum(seconds or 0.0 for seconds in profile.seconds) or 1.0
        shares = [None if seconds is None else seconds / total for seconds in profile.seconds]
        order.sort(key=lambda i: -(shares[i] or 0.0))
    rows = [(entries[i].title, entries[i].reads, entries[i].run_by) for i in order[:most]]
    widths = [
        min(limit, max(len(name), *[len(row[place]) for row in rows])) if rows else len(name)
        for place, (name, limit) in enumerate(COLUMNS.items())
    ]
    start = "  share" if timed else "  level"
    lines.append(f"{start}  instructions  {_row(list(COLUMNS), widths)}".rstrip())
    for i, row in zip(order, rows, strict=False):
        first = _percent(shares[i]) if timed else str(entries[i].level)
        lines.append(f"{first:>7}{entries[i].instructions:>14,}  {_row(row, widths)}")
    rest = order[len(rows) :]
    if rest:
        instructions = sum(entries[i].instructions for i in rest)
        share = _percent(sum(shares[i] or 0.0 for i in rest)) if timed else ""
        lines.append(f"{share:>7}{instructions:>14,}  {len(rest):,} more groups")
    return "\n".join(line.rstrip() for line in lines)


def _summary(profile: Profile, timed: bool) -> str:
    inputs, parameters = profile.leaves
    text = (
        f"{counted(profile.recorded, 'instruction')} in {counted(len(profile.entries), 'group')}: "
        f"{counted(inputs, 'input')}, {counted(parameters, 'parameter')}, "
        f"{counted(len(profile.code.outputs), 'output')}"
    )
    if timed:
        what = f"a block of {LANES} examples" if profile.code.varying_inputs else "a run"
        name = selection.running().instruction_set()
        total = sum(seconds or 0.0 for seconds in profile.seconds)
        text += f"\n{what} takes {_time(profile.whole())}, its groups by themselves {_time(total)} ({name})"
    return text


def _row(texts: Sequence[str], widths: Sequence[int]) -> str:
    shown = [text if len(text) <= width else f"{text[: width - 1]}…" for text, width in zip(texts, widths, strict=True)]
    return "  ".join(f"{text:<{width}}" for text, width in zip(shown, widths, strict=True))


def _percent(share: float | None) -> str:
    return "–" if share is None else f"{share:.1%}".replace("%", " %")


def _time(seconds: float) -> str:
    return f"{seconds * 1e6:,.1f} µs" if seconds < 1e-3 else f"{seconds * 1e3:,.1f} ms"
