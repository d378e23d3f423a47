"""Calls from lower modules to higher ones, which cannot be imported there: each is imported when it is first called."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from autograd.primitives import Primitive
    from autograd.programs.c_source import CSource
    from autograd.programs.program import Program
    from autograd.value import Value


class _Home:
    """An attribute that is a function of a module, under the same name."""

    def __init__(self, module: str) -> None:
        self.module = module

    def __set_name__(self, owner: type, name: str) -> None:
        self.name = name

    def __get__(self, instance: Hooks, owner: type) -> Any:
        function = vars(instance)[self.name] = getattr(import_module(self.module), self.name)
        return function


def _of(module: str) -> Any:
    return _Home(module)


class Hooks:
    """The functions, each with the module that defines it."""

    array_ufunc: Callable[..., Any] = _of("autograd.arrays")
    array_function: Callable[..., Any] = _of("autograd.arrays")
    over_arrays: Callable[..., Any] = _of("autograd.arrays")
    array_of: Callable[..., Any] = _of("autograd.arrays")
    plain_array: Callable[..., Any] = _of("autograd.arrays")
    constructor_arguments: Callable[..., Any] = _of("autograd.given_slopes")
    reduce: Callable[[Value], Any] = _of("autograd.copying")
    shallow_copy: Callable[[Value], Value] = _of("autograd.copying")
    deep_copy: Callable[[Value, dict[int, Any]], Value] = _of("autograd.copying")
    described: Callable[[Primitive], str] = _of("autograd.notation")
    backward: Callable[[Value], None] = _of("autograd.tape")
    check_domains: Callable[[Any, tuple[Value, ...]], None] = _of("autograd.tape")
    compared: Callable[[str, Value, Any], Any] = _of("autograd.programs.recording")
    refuse: Callable[[Value, str], None] = _of("autograd.programs.recording")
    listing: Callable[[Program, Any, bool, int | None], str] = _of("autograd.programs.listing")
    to_jax: Callable[[Program], Callable[..., Any]] = _of("autograd.programs.exports")
    to_c: Callable[[Program, str], CSource] = _of("autograd.programs.c_source")
    display: Callable[[Value], str | None] = _of("autograd.views.drawing")


hooks = Hooks()
