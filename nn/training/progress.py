"""The progress bar of a training: as text, or as a widget in a notebook that has widgets."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from autograd.notation import in_notebook

if TYPE_CHECKING:
    from tqdm import tqdm


def progress_bar(total: int, done: int, show: bool | None, unit: str = "rounds", **settings: Any) -> tqdm[Any]:
    """Make a progress bar of rounds, which is a context manager. It starts no thread, as tqdm's own do.

    Args:
        total: the number of rounds at the end.
        done: the number of rounds done.
        show: whether to show it; None shows it in a notebook, and if the standard error is a terminal. Without a
            standard error, as under pythonw, it is not shown.
        unit: what they are called, where they are something else.
        settings: of tqdm.
    """
    is_notebook = in_notebook()
    disable = not show if show is not None else False if is_notebook else None
    disable = disable or (True if sys.stderr is None else disable)
    # The thread looks after bars that let more and more updates pass unseen; with miniters=1 none do.
    kind: Any = type("Bar", (_widget_bar() if is_notebook else _text_bar(),), {"monitor_interval": 0})
    bar: tqdm[Any] = kind(total=total, initial=done, disable=disable, unit=f" {unit}", miniters=1, **settings)
    return bar


def _widget_bar() -> type[tqdm[Any]]:
    try:
        import ipywidgets  # noqa: F401  # tqdm.auto warns where it is missing
    except ImportError:
        return _text_bar()
    from tqdm.auto import tqdm

    return tqdm


def _text_bar() -> type[tqdm[Any]]:
    from tqdm import tqdm

    return tqdm
