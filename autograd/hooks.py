"""Functions that `value.py` calls, of modules that import it: they register them here when they are imported."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from autograd.programs.program import Program
    from autograd.value import Value


class Hooks:
    """The functions, by what they do."""

    apply: Callable[..., Value]
    value_or_limit: Callable[..., float]
    over_array: Callable[..., Any]  # applies a primitive of two operands element by element
    array_function: Callable[..., Any]  # what NumPy calls for a function of which an argument is a Value
    backward: Callable[[Value], None]
    reduce: Callable[[Value], Any]
    shallow_copy: Callable[[Value], Value]
    deep_copy: Callable[[Value, dict[int, Any]], Value]
    plain_refusal: Callable[[Value, str], TypeError]  # the error for what would make a plain number of a node
    refuse: Callable[[Value, str], None]  # raises an error if a program is being recorded here
    listing: Callable[[Program, Any, bool, int | None], str]  # of the groups that a program is lowered to
    to_jax: Callable[[Program], Callable[..., Any]]  # a program as a function on arrays of JAX
    display: Callable[[Value], str | None]  # returns HTML for a notebook, or None to show the text


hooks = Hooks()
