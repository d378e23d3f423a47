"""Labels from a program: Values are called what its variables call them; and nodes by their labels.

>>> from autograd import Value, explain
>>> speed, angle = Value(20.0), Value(0.9)
>>> vy = speed * angle.sin()
>>> height = vy**2 / (2 * 9.81)
>>> name_values(locals())
>>> print(explain(height, "vy"))
∂height/∂vy = 2 · 1 / 19.62 · vy = 2 · 1 / 19.62 · 15.6665382 = 1.59699676
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from autograd.notation import Names
from autograd.tape import Tape
from autograd.trees import named_leaves
from autograd.value import Value

OF_IPYTHON = ("In", "Out")  # its variables without an underscore that hold what was computed before


def name_values(variables: Mapping[str, Any]) -> None:
    """Label Values with the names of variables: `vx`, an entry of a container `w[3]` or `p["b"]`, a field `case.x`.

    Values that have a label keep it. A Value with several names gets the first one, in the order of the variables.
    Names that begin with an underscore are skipped. Containers are lists, tuples, dicts, other mappings, dataclasses
    and NumPy arrays, also within each other. Nothing is recorded, and no number changes.

    Args:
        variables: a dict from names to Values and containers: `locals()` for the variables of the calling function or
            module, `vars(model)` for the attributes of an object, or any other.

    Raises:
        TypeError: if `variables` is not a mapping with strings as keys.
    """
    if not isinstance(variables, Mapping) or not all(isinstance(name, str) for name in variables):
        raise TypeError(
            f"expected variables by their names, as in name_values(locals()), got {variables!r:.80} of type "
            f"{type(variables).__name__}"
        )
    left_out = OF_IPYTHON if "get_ipython" in variables else ()
    for name, tree in list(variables.items()):
        if not name.startswith("_") and name not in left_out:
            for label, value in named_leaves(name, tree, Value):
                if not value.label:
                    value.label = label


def find_node(output: Value, label: Value | str) -> Value:
    """Return the node of a graph that a label names.

    Args:
        output: the node whose graph is searched.
        label: the label, or the name that a node without one has in all views of this output, such as `v3`. A Value is
            returned as it is, also if it is not in the graph.

    Raises:
        TypeError: if the output is not a Value, or the label is neither a Value nor a string.
        ValueError: if there is no such node, or there are several; the message lists the nearest names.
    """
    return label if isinstance(label, Value) else Names(output, Tape(output).nodes).find(label)
