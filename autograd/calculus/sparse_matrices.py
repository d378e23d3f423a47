"""Sparse matrices of derivatives: where their entries stand, and the entries.

>>> import numpy as np
>>> pattern = Pattern([0, 2, 2, 3], [0, 1, 1], 2)
>>> pattern.matrix(np.array([3.0, 4.0, 5.0])).toarray().tolist()
[[3.0, 4.0], [0.0, 0.0], [0.0, 5.0]]

SciPy is imported when the first pattern is made.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from autograd.hooks import hooks
from autograd.saving import shortened

REFUSAL = "expected the data or the pattern of a sparse matrix of Values, which has no arithmetic"


class Pattern:
    """Where the entries of a sparse matrix stand, row by row.

    Args:
        ends: where the entries of each row begin, and where those of the last one end.
        columns: the column of each entry, in ascending order within a row.
        width: how many columns the matrix has.

    Raises:
        ImportError: if there is no SciPy.
    """

    def __init__(self, ends: Sequence[int], columns: Sequence[int], width: int) -> None:
        import numpy as np

        try:
            from scipy.sparse import csr_array
        except ImportError as error:
            raise ImportError(
                "a sparse derivative is a csr_array of SciPy, which is not installed: pip install 'stepgrad[sparse]', "
                "or leave out sparse=True"
            ) from error
        index = np.int32 if max(len(columns), width) <= np.iinfo(np.int32).max else np.int64  # as SciPy chooses them
        places = np.array(columns, index), np.array(ends, index)
        made = csr_array((np.zeros(len(columns)), *places), shape=(len(ends) - 1, width))
        made.has_canonical_format = True  # so that SciPy does not check the order of the columns
        self.kind, self._attributes, self.shape = type(made), vars(made), made.shape
        self._places = np.concatenate([made.indptr, made.indices])  # to be copied at once
        self._known: tuple[Any, Any] = made.indptr, made.indices  # the arrays of another matrix that were found equal

    def matrix(self, entries: Any) -> Any:
        """Return a matrix around an array of entries, which shares no other memory with those made before."""
        made = object.__new__(self.kind)  # its class would look at the pattern, which takes ten times as long
        vars(made).update(self._attributes)
        places, rows = self._places.copy(), self.shape[0] + 1
        made.data, made.indptr, made.indices = entries, places[:rows], places[rows:]
        return made

    def entries_of(self, matrix: Any) -> Any:
        """Return the array of entries of a matrix; raise a TypeError if it does not have this pattern."""
        if type(matrix) is self.kind:
            known, given = self._known, (matrix.indptr, matrix.indices)
            is_known = given[0] is known[0] and given[1] is known[1]
            if matrix.shape == self.shape and (is_known or self._is_equal(*given)):
                self._known = given
                return matrix.data
        raise TypeError(
            f"expected a csr_array of shape {self.shape} with the pattern of the result, such as an earlier result, "
            f"got {shortened(matrix)}"
        )

    def _is_equal(self, *places: Any) -> bool:
        import numpy as np

        return bool(np.array_equal(np.concatenate(places), self._places))

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Pattern):
            return NotImplemented
        return bool(self.shape == other.shape and self._places.tobytes() == other._places.tobytes())

    def __hash__(self) -> int:
        return hash((self.shape, len(self._places)))


@dataclass(init=False, eq=False)
class SparseMatrix:
    """A sparse matrix whose entries are Values, as in a function that is recorded to be compiled.

    Such a function can return it, alone or within a tree, and the compiled function returns a `csr_array` in its place.
    The function can compute with its `data`.

    Args:
        pattern: where its entries stand.
        data: its entries, an array.
    """

    data: Any

    def __init__(self, pattern: Pattern, data: Any) -> None:
        self.pattern, self.data = pattern, data

    def __getattr__(self, name: str) -> Any:
        raise AttributeError(f"{REFUSAL}, got the attribute {name!r}")

    def __array_ufunc__(self, function: Any, *_: Any, **__: Any) -> Any:
        raise TypeError(f"{REFUSAL}, got numpy.{function.__name__}")

    def __unflattened__(self) -> Any:
        """Return a csr_array, or a list of them if there are rows of entries: one for each example of a batch."""
        if getattr(self.data, "dtype", "O") == "O":  # Values, or what stands in the place of an array
            return self
        if not hasattr(self.data, "ctypes"):  # which arrays of NumPy have, and no others
            raise TypeError(
                f"a csr_array holds an array of NumPy, not one of type {type(self.data).__name__}: let the function "
                f"that is exported return the matrix's data"
            )
        if self.data.ndim == 2:
            return list(map(self.pattern.matrix, self.data))
        return self.pattern.matrix(self.data)

    @staticmethod
    def __flattened__(given: Any, attributes: dict[str, Pattern]) -> list[Any]:
        """Return the entries of a csr_array of the same pattern, or of a matrix of Values, as one array."""
        return [given.data] if type(given) is SparseMatrix else [attributes["pattern"].entries_of(given)]


def sparse_matrix(pattern: Pattern, entries: Sequence[Any], recorded: bool) -> Any:
    """Return a csr_array with these entries; or a `SparseMatrix`, if they are recorded, and so Values."""
    matrix = SparseMatrix(pattern, hooks.array_of(entries, (len(entries),)))
    return matrix if recorded else matrix.__unflattened__()
