"""The rules of the house: who may import whom."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
ROOMS = {  # from the ground up: a room may import those that stand before it
    "autograd": [
        *("saving", "primitives", "c_rules", "native", "value", "compilation", "derivatives", "notation", "checks"),
        *("custom_primitives", "stepping", "explanation", "diagnosis", "drawing", "__init__", "__main__"),
    ],
    "nn": ["modules", "losses", "optimizers", "training", "worked_example", "__init__", "__main__"],
}
ORDER = [f"{package}.{room}" for package, rooms in ROOMS.items() for room in rooms]


def imported(package: str, room: str) -> set[str]:
    """The rooms that a room imports, anywhere in its code."""
    names: list[str] = []
    for node in ast.walk(ast.parse((ROOT / package / f"{room}.py").read_text())):
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "a relative import"
            names += [f"{node.module}.{alias.name}" for alias in node.names]
    paths = [name.split(".") for name in names]
    return {
        f"{path[0]}.{path[1] if len(path) > 1 and path[1] in ROOMS[path[0]] else '__init__'}"
        for path in paths
        if path[0] in ROOMS
    }


@pytest.mark.parametrize("name", ORDER)
def test_imports_point_upward(name: str) -> None:
    package, room = name.split(".")
    allowed = ORDER[: ORDER.index(name)]
    assert imported(package, room) <= set(allowed)


def test_every_room_is_on_the_list() -> None:
    for package, rooms in ROOMS.items():
        assert sorted(path.stem for path in (ROOT / package).glob("*.py")) == sorted(rooms)


def test_every_room_has_its_test() -> None:
    tests = {path.stem for path in (ROOT / "tests").glob("test_*.py")}
    for rooms in ROOMS.values():
        assert {f"test_{room.strip('_')}" for room in rooms if room != "__init__"} <= tests
