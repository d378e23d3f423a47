"""Trees: containers of numbers, nested at will, as a flat list of leaves and a structure, and back.

>>> leaves, structure = flatten({"w": [1.0, 2.0], "b": 3, "kind": "relu"})
>>> leaves, str(structure)
([1.0, 2.0, 3.0], "{'w': a list of 2 numbers, 'b': a number, 'kind': 'relu'}")
>>> unflatten(structure, [10.0, 20.0, 30.0])
{'w': [10.0, 20.0], 'b': 30.0, 'kind': 'relu'}

Containers are lists, tuples, dicts, other mappings, their subclasses, and dataclasses. A leaf is a number, a NumPy
array, or anything else, which is static: it belongs to the structure. NumPy is imported when the first array is met.

This module is run as plain Python, or compiled with the types of `trees.pxd`; `native/rows` holds the differences.
"""

from __future__ import annotations

import copy
import math
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from numbers import Number, Real
from typing import Any, TypeAlias

from autograd.floats import as_float
from autograd.hooks import hooks
from autograd.native import rows
from autograd.saving import shortened

Classes: TypeAlias = "type | tuple[type, ...]"

PLAIN = frozenset({float, int, str, bool, type(None)})  # classes of most leaves, which hold nothing
SHOWN = 6  # entries of a container that a message describes
NUMBER_TAG, NUMBERS_TAG, ARRAY_TAG, STATIC_TAG, CONTAINER_TAG = range(5)


class Structure:
    """What is left of a tree without its numbers. Structures can be compared and hashed.

    Attributes:
        kind: the class of a container or of a static leaf.
        size: how many numbers there are.
        shape: of an array, and () for a number; None for anything else.
        leaf: the static leaf; of an array the type of its numbers.
        keys: the keys of a mapping, or the names of the fields of a dataclass.
        parts: the structures of the entries of a container, unless it is a list or a tuple of numbers alone.
        rest: what else belongs to a container of a class of its own: of a list or a dict an empty copy, of a tuple or a
            dataclass the other attributes.
    """

    __slots__ = ("_pieces", "keys", "kind", "leaf", "parts", "rest", "shape", "size", "tag")

    def __init__(
        self,
        tag: int,
        kind: Any,
        size: int = 0,
        shape: tuple[int, ...] | None = None,
        leaf: Any = None,
        keys: tuple[Any, ...] | None = None,
        parts: tuple[Structure, ...] = (),
        rest: Any = None,
    ) -> None:
        self.tag, self.kind, self.size, self.shape, self.leaf = tag, kind, size, shape, leaf
        self.keys, self.parts, self.rest = keys, parts, rest
        self._pieces: list[Any] | None = None

    def __eq__(self, other: object) -> bool:
        if self is other:
            return True
        return isinstance(other, Structure) and self._identity() == other._identity() and self._rest() == other._rest()

    def __hash__(self) -> int:
        return hash(self._identity())

    @property
    def is_static(self) -> bool:
        """Whether this is a leaf that is not a number."""
        return bool(self.tag == STATIC_TAG)

    @property
    def entries(self) -> tuple[Structure, ...]:
        """The structures of the entries of a list or a tuple; of anything else, itself alone."""
        if self.tag == NUMBERS_TAG:
            return (NUMBER,) * self.size
        return self.parts if self.tag == CONTAINER_TAG and self.keys is None else (self,)

    @property
    def shapes(self) -> list[tuple[int, ...]]:
        """The shapes of the numbers and arrays, one after another."""
        return [shape for start, end, shape in self.pieces for _ in range(1 if shape else end - start)]

    @property
    def pieces(self) -> list[Any]:
        """The start and the end of each array and of each run of numbers in a flat row, and the shape of the array."""
        if self._pieces is None:
            pieces: list[tuple[int, int, tuple[int, ...]]] = []
            start = 0
            for leaf in self._leaves():
                shape, end = leaf.shape or (), start + leaf.size
                if pieces and not shape and not pieces[-1][2]:
                    start = pieces.pop()[0]
                pieces.append((start, end, shape))
                start = end
            self._pieces = pieces
        return self._pieces

    def __str__(self) -> str:
        if self.tag == STATIC_TAG:
            return shortened(self.leaf)
        if self.shape is not None:
            return f"an array of shape {self.shape}" if self.shape else "a number"
        if self.tag == NUMBERS_TAG:
            return f"a {self.kind.__name__} of {self.size} number{'s' if self.size != 1 else ''}"
        parts = [str(part) for part in self.parts[:SHOWN]]
        if self.keys is not None:
            parts = [f"{shortened(key)}: {part}" for key, part in zip(self.keys, parts, strict=False)]
        inside = ", ".join([*parts, *["…"] * (len(self.parts) > SHOWN)])
        if issubclass(self.kind, dict):
            return f"{{{inside}}}"
        if self.kind in (list, tuple):
            return f"[{inside}]" if self.kind is list else f"({inside}{',' * (len(self.parts) == 1)})"
        return f"{self.kind.__name__}({inside})"

    def _leaves(self) -> Iterator[Structure]:
        """Yield the structures of the numbers and arrays; a list of numbers alone is one of them."""
        if self.tag == CONTAINER_TAG:
            for part in self.parts:
                yield from part._leaves()
        elif self.tag != STATIC_TAG:
            yield self

    def _identity(self) -> tuple[Any, ...]:
        """Return what two equal structures have in common."""
        if self.tag == STATIC_TAG:
            return self.tag, identity(self.leaf)
        return self.tag, self.kind, self.size, self.shape, identity(self.keys), self.parts

    def _rest(self) -> Any:
        """Return the attributes of a container, and what a missing key of it gives."""
        if self.rest is None or type(self.rest) is dict:
            return identity(self.rest)
        return identity(getattr(self.rest, "__dict__", None)), getattr(self.rest, "default_factory", None)


NUMBER = Structure(NUMBER_TAG, float, 1, ())  # the structure of each number


def static(leaf: Any) -> Structure:
    """Return the structure of a leaf that is static, whatever it is."""
    return Structure(STATIC_TAG, type(leaf), leaf=leaf)


def array_structure(shape: tuple[int, ...]) -> Structure:
    """Return the structure of an array."""
    import numpy

    return Structure(ARRAY_TAG, numpy.ndarray, math.prod(shape), shape, numpy.dtype(numpy.float64))


def container(
    kind: type, parts: Sequence[Structure], keys: tuple[Any, ...] | None = None, rest: Any = None
) -> Structure:
    """Return the structure of a container with entries of these structures."""
    if keys is None and kind in (list, tuple) and parts and all(part.tag == NUMBER_TAG for part in parts):
        return Structure(NUMBERS_TAG, kind, len(parts))
    return Structure(CONTAINER_TAG, kind, sum([part.size for part in parts]), None, None, keys, tuple(parts), rest)


def identity(leaf: Any) -> Any:
    """Return what tells a static leaf from others: equal for the same type, sign and value, and for nan and nan."""
    kind = type(leaf)
    if isinstance(leaf, tuple):
        return kind, tuple([identity(part) for part in leaf])
    if isinstance(leaf, frozenset):
        return kind, frozenset([identity(part) for part in leaf])
    if kind is dict:
        return kind, tuple([(identity(key), identity(part)) for key, part in leaf.items()])
    if isinstance(leaf, Number) and not isinstance(leaf, int):
        return kind, repr(leaf)
    return kind, leaf


def flatten(tree: Any, number: Classes = (), static_leaves: Classes = object) -> tuple[list[Any], Structure]:
    """Return the leaves of a tree that are numbers or arrays, and its structure.

    Instances of `number` count as numbers, besides those of Python and NumPy. An array becomes a row of float64, or of
    such instances. A leaf that is neither a number nor one of `static_leaves` is a TypeError.
    """
    leaves: list[Any] = []
    return leaves, _flatten(tree, number, static_leaves, leaves)


def _flatten(tree: Any, number: Classes, static_leaves: Classes, leaves: list[Any]) -> Structure:
    kind = type(tree)
    if kind is float or isinstance(tree, number):
        leaves.append(tree)
        return NUMBER
    if kind is list or kind is tuple:
        if tree and all(part is float or issubclass(part, number) for part in set(map(type, tree))):
            leaves.extend(tree)
            return Structure(NUMBERS_TAG, kind, len(tree))
        return container(kind, [_flatten(part, number, static_leaves, leaves) for part in tree])
    if kind is int or (isinstance(tree, Real) and kind is not bool):
        leaves.append(as_float(tree))
        return NUMBER
    contents = _contents(tree)
    if contents is not None:
        keys, entries = contents
        parts = [_flatten(entry, number, static_leaves, leaves) for entry in entries]
        if kind is dict:
            return container(dict, parts, keys)
        if isinstance(tree, list | dict):
            return container(kind, parts, keys, _emptied(tree))
        if isinstance(tree, Mapping):
            return container(dict, parts, keys)
        return container(kind, parts, keys, _attributes(tree, keys or ()))
    if hasattr(tree, "tolist") and hasattr(tree, "shape"):
        found = _flatten_array(tree, number, static_leaves, leaves)
        if found is not None:
            return found
    if not isinstance(tree, static_leaves):
        raise TypeError(
            f"expected numbers, or lists, tuples, dicts, dataclasses and arrays of them, got {shortened(tree)} of type "
            f"{kind.__name__}"
        )
    return static(tree)


def _contents(tree: Any) -> tuple[tuple[Any, ...] | None, Iterable[Any]] | None:
    """Return the keys of a mapping or the names of the fields of a dataclass, and the entries; None for no container.

    Lists and tuples have no keys.
    """
    if isinstance(tree, list | tuple):
        return None, tree
    if isinstance(tree, Mapping):
        keys = tuple(tree)
        return keys, tree.values() if type(tree) is dict else [tree[key] for key in keys]
    if hasattr(type(tree), "__dataclass_fields__"):
        from dataclasses import fields

        names = tuple([field.name for field in fields(tree) if hasattr(tree, field.name)])
        return names, [getattr(tree, name) for name in names]
    return None


def named_leaves(name: str, tree: Any, kind: Classes) -> Iterator[tuple[str, Any]]:
    """Yield the instances of a class in a tree, each with what Python calls it: `w[3]`, `p["b"]`, `m[0, 1]`, `case.x`.

    Nothing of the tree is copied or computed with. Fields whose names begin with an underscore are left out, and a
    container that stands in several places, or within itself, is entered once.
    """
    entered: dict[int, Any] = {}  # by id; they are kept, so that no other object gets the id
    waiting = [iter([(name, tree)])]
    while waiting:
        for path, part in waiting[-1]:
            if isinstance(part, kind):
                yield path, part
            elif type(part) not in PLAIN and id(part) not in entered:
                entered[id(part)] = part
                waiting.append(_named_entries(path, part))
                break
        else:
            waiting.pop()


def _named_entries(path: str, tree: Any) -> Iterator[tuple[str, Any]]:
    """Yield the entries of a container or of an array of objects, each with what Python calls it."""
    numpy = sys.modules.get("numpy")
    if numpy is not None and isinstance(tree, numpy.ndarray):
        if tree.dtype.kind == "O":
            for index, entry in numpy.ndenumerate(tree):
                yield f"{path}[{', '.join(map(str, index)) or '()'}]", entry
        return
    keys, entries = _contents(tree) or (None, ())
    if isinstance(tree, tuple):
        keys = getattr(tree, "_fields", None)
    for place, entry in enumerate(entries):
        if keys is None:
            yield f"{path}[{place}]", entry
        elif isinstance(tree, Mapping):
            key = keys[place]
            is_simple = isinstance(key, str) and key.isprintable() and not {'"', "\\"} & set(key)
            yield f'{path}["{key}"]' if is_simple else f"{path}[{shortened(key)}]", entry
        elif not keys[place].startswith("_"):
            yield f"{path}.{keys[place]}", entry


def _flatten_array(tree: Any, number: Classes, static_leaves: Classes, leaves: list[Any]) -> Structure | None:
    """Append an array as a row; return None if it holds anything else than numbers.

    Where an array is not a static leaf itself, those of truth values are numbers, 0 and 1, and one of them is static.
    """
    import numpy

    array = hooks.plain_array(tree)
    if not array.shape:  # it holds one number
        leaf = array.item()
        if type(leaf) is bool and isinstance(leaf, static_leaves) and not isinstance(tree, static_leaves):
            return static(leaf)
        if not isinstance(leaf, number) and (type(leaf) is bool or not isinstance(leaf, Real)):
            return None
        leaves.append(leaf if isinstance(leaf, number) else as_float(leaf))
        return NUMBER
    if array.dtype.kind not in ("fiuO" if isinstance(tree, static_leaves) else "fiuOb"):
        return None
    row = array.reshape(-1)
    if array.dtype.kind == "O":
        parts = [part if isinstance(part, number) else as_float(part) for part in row.tolist()]
        row = hooks.array_of(parts, row.shape)
    else:
        row = numpy.ascontiguousarray(row, numpy.float64)
    leaves.append(row)
    return array_structure(array.shape)


def _emptied(tree: Any) -> Any:
    """Return an empty copy of a list or a dict of a class of its own, which keeps its attributes."""
    empty = copy.copy(tree)
    empty.clear()
    return empty


def _attributes(tree: Any, but: Sequence[str]) -> dict[str, Any] | None:
    """Return the attributes of an object besides some."""
    return {name: value for name, value in getattr(tree, "__dict__", {}).items() if name not in but} or None


def unflatten(structure: Structure, leaves: Iterable[Any]) -> Any:
    """Return a tree of this structure with these leaves: one for each number and each array.

    Containers are filled without calling `__init__`: tuples are made by `tuple.__new__`, lists and dicts of a class of
    their own are copies. What the method `__unflattened__` of a container returns, if it has one, takes its place; from
    that and the container's attributes, `__flattened__` of its class returns the entries.
    """
    return _unflatten(structure, iter(leaves))


def _unflatten(structure: Structure, leaves: Iterator[Any]) -> Any:
    tag, kind = structure.tag, structure.kind
    if structure.shape is not None:
        return next(leaves)
    if tag == STATIC_TAG:
        return structure.leaf
    if tag == NUMBERS_TAG:
        numbers = list(islice(leaves, structure.size))
        return numbers if kind is list else tuple(numbers)
    parts = [_unflatten(part, leaves) for part in structure.parts]
    if kind is list:
        return parts
    if kind is dict:
        return dict(zip(structure.keys or (), parts, strict=True))
    if issubclass(kind, tuple):
        made: Any = tuple.__new__(kind, parts)
    elif issubclass(kind, list | dict):
        made = copy.copy(structure.rest)
        if structure.keys is None:
            list.extend(made, parts)
        for key, part in zip(structure.keys or (), parts, strict=False):
            made[key] = part
        return made
    else:
        made = object.__new__(kind)
        for name, part in zip(structure.keys or (), parts, strict=True):
            object.__setattr__(made, name, part)
    if structure.rest:
        made.__dict__.update(structure.rest)
    return made.__unflattened__() if hasattr(kind, "__unflattened__") else made


def nested(structure: Structure, numbers: Any) -> Any:
    """Return a tree of this structure around a list or row of numbers, or of anything else."""
    return unflatten(structure, cut(structure, numbers))


def cut(structure: Structure, numbers: Any) -> list[Any]:
    """Return the leaves for `unflatten` that a flat list or row of numbers holds; arrays of a row share its memory."""
    leaves: list[Any] = []
    is_list = isinstance(numbers, list)
    for start, end, shape in structure.pieces:
        part = numbers[start:end]
        if shape:
            leaves.append(hooks.array_of(part, shape) if is_list else part.reshape(shape))
        else:
            leaves += part if is_list else part.tolist()
    return leaves


def flat(tree: Any, number: Classes = (), static_leaves: Classes = object) -> tuple[list[Any], Structure]:
    """Return the same as `flatten`, but a list with an entry for each number, also for those of arrays."""
    leaves, structure = flatten(tree, number, static_leaves)
    return numbers_of(leaves), structure


def numbers_of(leaves: Sequence[Any]) -> list[Any]:
    """Return the leaves that `flatten` found as a list with an entry for each number."""
    if not any(hasattr(kind, "tolist") for kind in set(map(type, leaves))):
        return list(leaves)
    numbers: list[Any] = []
    for leaf in leaves:
        numbers += leaf.tolist() if hasattr(leaf, "tolist") else [leaf]
    return numbers


def leaves_of(structure: Structure, tree: Any) -> list[Any]:
    """Return what stands in a tree where a structure has numbers and arrays, whatever it is.

    Dicts may have another order. None in place of a part gives None for each of its leaves. A tree that does not have
    the structure is a TypeError.
    """
    if structure.shape is not None:
        return [tree]
    if tree is None:
        return [None] * len(structure.shapes)
    keys, entries = structure.keys, tree
    if structure.tag == STATIC_TAG:
        fits, entries = identity(tree) == identity(structure.leaf), ()
    elif keys is None:
        fits = isinstance(tree, list | tuple) and len(tree) == len(structure.entries)
    elif issubclass(structure.kind, dict):
        fits = isinstance(tree, Mapping) and set(tree) == set(keys)
        entries = fits and [tree[key] for key in keys]
    elif hasattr(structure.kind, "__flattened__"):
        fits, entries = True, structure.kind.__flattened__(tree, structure.rest)
    else:
        fits = type(tree) is structure.kind
        entries = fits and [getattr(tree, name) for name in keys]
    if not fits:
        raise misfit(structure, tree)
    if structure.tag == NUMBERS_TAG:
        return list(entries)
    return [leaf for part, entry in zip(structure.parts, entries, strict=True) for leaf in leaves_of(part, entry)]


def misfit(structure: object, tree: Any) -> TypeError:
    """Return the error for a tree that does not have a structure."""
    shape = getattr(tree, "shape", None)
    given = f"an array of shape {shape}" if shape else f"{shortened(tree)} of type {type(tree).__name__}"
    return TypeError(f"expected {structure}, as when the function was recorded, got {given}")


def fill(structure: Structure, tree: Any, row: Any) -> bool:
    """Copy the numbers of a tree into a row of float64, and return whether it is seen at once to have this structure.

    Only `flatten` can tell for numbers of other classes than float and float64, and for containers other than lists,
    tuples, named tuples and dicts whose keys are strings.
    """
    return structure.size == len(row) and _fill(structure, tree, rows.memory(row), 0) >= 0


def _fill(structure: Structure, tree: Any, row: Any, place: int) -> int:
    """Copy the numbers from a place on; return the place after them, or -1."""
    tag, kind = structure.tag, structure.kind
    if tag == NUMBER_TAG:
        if type(tree) is not float:
            return -1
        row[place] = tree
        return place + 1
    if type(tree) is not kind:
        return -1
    if tag == ARRAY_TAG:
        if tree.dtype is not structure.leaf or tree.shape != structure.shape:
            return -1
        return rows.copy_array(tree, row, place)
    if tag == NUMBERS_TAG:
        if len(tree) != structure.size:
            return -1
        for number in tree:
            if type(number) is not float:
                return -1
            row[place] = number
            place += 1
        return place
    if tag == STATIC_TAG:
        return place if tree == structure.leaf else -1
    entries = tree
    if kind is dict:
        if tuple(tree) != structure.keys or not all(type(key) is str for key in tree):
            return -1
        entries = tree.values()
    elif structure.rest is not None or structure.keys is not None or len(tree) != len(structure.parts):
        return -1
    for part, entry in zip(structure.parts, entries, strict=True):
        place = _fill(part, entry, row, place)
        if place < 0:
            return -1
    return place
