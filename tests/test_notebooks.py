"""Every notebook runs, and says what it said when it was committed.

Kept of a widget is what stands in for it, since its kernel ends with the run.

The outputs of a cell with the tag "measured" hold times, and are not compared.

`make notebooks` runs them again and keeps the outputs.
"""

from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.engine_independent
NOTEBOOKS = sorted((Path(__file__).parent.parent / "notebooks").glob("*.ipynb"))


def run(path: Path) -> Any:
    """The notebook with fresh outputs; the rest of it unchanged."""
    import nbformat  # which takes a second, as does the next one
    from nbclient import NotebookClient

    notebook: Any = nbformat.read(path, as_version=4)  # type: ignore[no-untyped-call]  # nbformat has no types here
    metadata = dict(notebook.metadata)
    NotebookClient(notebook, timeout=300, record_timing=False, resources={"metadata": {"path": path.parent}}).execute()
    notebook.metadata = metadata
    for cell in notebook.cells:
        joined: list[Any] = []
        for output in cell.get("outputs", []):  # a stream arrives in as many pieces as the machine's pace makes of it
            if joined and output.output_type == "stream" == joined[-1].output_type and output.name == joined[-1].name:
                joined[-1].text += output.text
            else:
                output.get("data", {}).pop("application/vnd.jupyter.widget-view+json", None)
                joined.append(output)
        if "outputs" in cell:
            cell.outputs = joined
    return notebook


def texts(notebook: Any) -> list[str]:
    """What each cell prints, and the text of its result; pictures depend on the renderer."""
    cells = [cell for cell in notebook.cells if "measured" not in cell.metadata.get("tags", ())]
    outputs = [output for cell in cells for output in cell.get("outputs", [])]
    return [str(output.get("text") or output.get("data", {}).get("text/plain")) for output in outputs]


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of the packages that run notebooks
@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_notebook(path: Path) -> None:
    import nbformat

    committed: Any = nbformat.read(path, as_version=4)  # type: ignore[no-untyped-call]  # as above
    assert texts(run(path)) == texts(committed)
    assert any("image/svg+xml" in str(output) for cell in committed.cells for output in cell.get("outputs", []))


if __name__ == "__main__":
    import nbformat

    for notebook_path in NOTEBOOKS:
        nbformat.write(run(notebook_path), notebook_path)  # type: ignore[no-untyped-call]  # as above
