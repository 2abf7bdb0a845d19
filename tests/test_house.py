"""The house's rules: who may import whom, which names are public, what stands in the tree."""

import ast
from pathlib import Path

import pytest

import tocsin

SRC = Path(tocsin.__file__).parent

#: Each floor may import from its own row's rooms below it; rooms on one floor never import each other.
FLOORS = [
    {"terms", "errors"},
    {"engine", "kernels"},
    {"intake", "fusion", "watch", "outlook", "effect", "stix", "cap"},
    {"brief", "desk", "store", "gate"},
    {"hub"},
    {"server", "cli"},
]
#: Rooms that may see each other although they share a floor, with the reason.
NEIGHBOURS = {("terms", "errors"): "an error is part of the vocabulary", ("cli", "server"): "the command line starts the server"}
#: The only door for what comes from outside is hub; these files stand in the house itself.
DOORSTEP = {"__init__", "__main__"}


def _room(path: Path) -> str:
    return path.relative_to(SRC).parts[0].removesuffix(".py")


def _imports(path: Path) -> set[str]:
    """Rooms that a file imports, imports inside functions included."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names = [a.name for a in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: a relative import hides which room it enters"
            names = [f"{node.module}.{a.name}" if node.module == "tocsin" else str(node.module) for a in node.names]
        else:
            continue
        found |= {n.split(".")[1] for n in names if n.startswith("tocsin.")}
    return found


def _floor(room: str) -> int:
    return next(i for i, rooms in enumerate(FLOORS) if room in rooms)


@pytest.mark.parametrize("path", [p for p in sorted(SRC.rglob("*.py")) if _room(p) not in DOORSTEP], ids=lambda p: str(p.relative_to(SRC)))
def test_imports_run_downward_only(path: Path) -> None:
    room = _room(path)
    for other in _imports(path) - {room}:
        allowed = _floor(other) < _floor(room) or (room, other) in NEIGHBOURS
        assert allowed, f"{path.relative_to(SRC)} imports tocsin.{other}, which is not below {room}"


def test_every_room_has_a_floor() -> None:
    rooms = {_room(p) for p in SRC.rglob("*.py")} - DOORSTEP - {"data"}
    assert rooms <= set().union(*FLOORS)


def test_the_public_names_are_the_verbs_and_nothing_else() -> None:
    assert set(tocsin.__all__) <= {"read", "fuse", "explain", "watch", "scan", "replay", "forecast", "evaluate", "brief"}
    assert all(callable(getattr(tocsin, name)) for name in tocsin.__all__)


def test_there_are_no_cycles_between_files() -> None:
    graph = {}
    names = {".".join(("tocsin", *p.relative_to(SRC).with_suffix("").parts)).removesuffix(".__init__"): p for p in SRC.rglob("*.py")}
    for name, path in names.items():
        graph[name] = set()
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            if isinstance(node, ast.ImportFrom) and node.module and node.module.startswith("tocsin"):
                for alias in node.names:
                    target = f"{node.module}.{alias.name}"
                    graph[name].add(target if target in names else node.module)
    done: set[str] = set()

    def visit(name: str, above: tuple[str, ...]) -> None:
        assert name not in above, f"import cycle: {' -> '.join((*above, name))}"
        if name not in done:
            for other in graph.get(name, ()):
                visit(other, (*above, name))
            done.add(name)

    for name in graph:
        visit(name, ())
