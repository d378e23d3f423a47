"""While a function is recorded as a program, its numbers must not be looked at: they are others at each call.

A number that is read, and used as a plain number, would be part of the program. So would be the way that a comparison
decides.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from autograd.modes import NOT_OF_USERS, line_of_user, program_recording
from autograd.value import Value, is_constant


class Trace:
    """A recording under way.

    Attributes:
        function: what is recorded.
        inputs: the leaves that stand for the numbers of its arguments.
    """

    def __init__(self, function: Callable[..., object], inputs: Sequence[Value]) -> None:
        self.function, self.inputs = function, inputs


def refuse(node: Value, what: str) -> None:
    """Raise a TypeError if a program is being recorded in this thread, unless the node is a constant.

    Args:
        node: whose number is to be read.
        what: what is done with it, and how it begins decides on the remedy.
    """
    current = program_recording.get()
    if current is None or is_constant(node):
        return
    file, line = line_of_user()
    raise TypeError(
        f"cannot {what} while {name_of(current.function)} is recorded to be compiled: {_named(node, current)} has "
        f"another number at each call. This happened at line {line} of {file}; {_remedy(what)}"
    )


def _named(node: Value, current: Trace) -> str:
    if node.label:
        return f"the node {node.label!r}"
    for place, leaf in enumerate(current.inputs):
        if leaf is node:
            return f"number {place} of the arguments"
    if node.primitive is None:
        return "a leaf that the function refers to"
    return f"a result of {node.primitive.name}"


def _remedy(what: str) -> str:
    if what.startswith(("run backward", "read a grad", "assign a grad")):
        return "use grad, value_and_grad or gradients, which give the gradients as results"
    if what.startswith("assign"):
        return "give the new number back as a result, and pass it as an argument to the next call"
    return (
        "compute with the node itself, or with stop_gradient(v) where no gradient should flow; choose with "
        "where(greater(a, b), x, y), maximum, minimum or clip; an argument that decides on the form of the program "
        "belongs into static_argnums"
    )


def index_refusal(error: Exception, function: Callable[..., object]) -> TypeError | None:
    """The error for a Value that was used as an index, which Python itself refuses; None for any other error."""
    if not isinstance(error, TypeError | IndexError) or "integer" not in str(error):
        return None
    return TypeError(
        f"{error}: this happened while {name_of(function)} is recorded to be compiled{place_of(error)}. A Value is no "
        f"index or count, since it has another number at each call: name an argument that decides on the form of the "
        f"program in static_argnums, or choose with where(greater(a, b), x, y)"
    )


def place_of(error: Exception) -> str:
    """Where in a user's code an error came from, as the end of a sentence; nothing if it came from elsewhere."""
    place, frames = "", error.__traceback__
    while frames is not None:
        if frames.tb_frame.f_globals.get("__name__", "").partition(".")[0] not in NOT_OF_USERS:
            place = f", at line {frames.tb_lineno} of {frames.tb_frame.f_code.co_filename}"
        frames = frames.tb_next
    return place


def name_of(function: Callable[..., object]) -> str:
    """What to call a function in a message."""
    return getattr(function, "__name__", "a function")
