"""The layout that ARCHITECTURE.md lists: a line imports only from lines above it, and nothing in a circle."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

import retailops_sandbox

PACKAGE = Path(retailops_sandbox.__file__).parent
NAME = PACKAGE.name

ROOTS = {"__init__", "__main__"}
"""The public face and the command: they stand above every layer and are imported by none."""


def layers() -> tuple[tuple[str, ...], ...]:
    """The layer list of ARCHITECTURE.md, from the top: the names of each line."""
    text = (Path(__file__).parents[2] / "ARCHITECTURE.md").read_text(encoding="utf-8")
    (block,) = re.findall(r"(?ms)^    foreign_text\b.*?(?=^\S)", text)
    lines = (line.strip().partition("  ")[0] for line in block.splitlines() if line[4:5].strip())
    return tuple(tuple(name.rstrip("/") for name in line.split()) for line in lines)


LINES = layers()
PURE = {name for line in LINES for name in line} & {
    *(
        "foreign_text",
        "errors",
        "model",
        "jsontext",
        "contracts",
        "comparing",
        "composing",
        "redaction",
        "scenarios",
    ),
    *("engine", "recording", "importing"),
}
IMPURE_IMPORTS = {
    *("asyncio", "os", "pathlib", "random", "secrets", "shutil", "socket", "subprocess", "tempfile"),
    *("threading", "time", "urllib.request", "importlib.resources"),
    *("click", "jinja2", "pycurl", "starlette", "tinydb", "uvicorn"),
}
IMPURE_OF = {"engine": {"asyncio"}}
"""The engine runs deliveries beside each other, and so needs the loop; it knows no clock and no file."""

ROOMS_OF_WEB = {path.name for path in (PACKAGE / "web").iterdir() if (path / "__init__.py").is_file()}


def module_of(path: Path) -> str:
    """The dotted name of a file below the package: `web.log.pages`."""
    parts = path.relative_to(PACKAGE).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" and len(parts) > 1 else parts)


FILES = {module_of(path): path for path in sorted(PACKAGE.rglob("*.py"))}
PARTS = {module.partition(".")[0] for module in FILES} - ROOTS


def imported_names(path: Path) -> Iterator[str]:
    """The dotted name of everything that a file imports when it is used, wherever in the file."""
    tree = ast.parse(path.read_text(encoding="utf-8"), path)
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}:{node.lineno}: imports are absolute"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def modules_imported(path: Path) -> set[str]:
    """The modules of the package that a file imports."""
    found = set()
    for name in imported_names(path):
        if name.startswith(f"{NAME}."):
            parts = name.split(".")[1:]
            known = [".".join(parts[:end]) for end in range(len(parts), 0, -1)]
            found |= {next((each for each in known if each in FILES), "__init__")}
    return found


@cache
def imports() -> dict[str, set[str]]:
    """The modules that each module imports. Not made on import, which each worker of the tests does."""
    return {module: modules_imported(path) - {module} for module, path in FILES.items()}


def line_of(module: str) -> int:
    """Where the part that a module belongs to stands in the layout, from the top."""
    part = module.partition(".")[0]
    return next(number for number, line in enumerate(LINES) if part in line)


def test_every_part_has_its_line():
    assert {name for line in LINES for name in line} == PARTS


@pytest.mark.parametrize("part", sorted(PARTS))
def test_no_part_imports_from_a_line_below(part):
    below = {
        f"{module} imports {other}"
        for module, others in imports().items()
        if module.partition(".")[0] == part
        for other in others - ROOTS
        if line_of(other) > line_of(part)
    }
    assert below == set()


def test_no_modules_import_each_other_in_a_circle():
    # A package's __init__ only names what is in it; what imports a name from there means the module. The
    # public face is the __init__ of all, and imports a name's module when the name is used.
    graph = {
        module: {other for other in others - ROOTS if not module.startswith(f"{other}.")}
        for module, others in imports().items()
    }
    # static_order raises CycleError, which names the circle.
    assert set(TopologicalSorter(graph).static_order()) >= FILES.keys()


BEHIND_THE_PORTS = {
    "runlog.log",
    "runlog.shared",
    "runlog.files",
    "runlog.index",
    "runlog.sql",
    "runlog.postgres",
}
"""What keeps the log: `runlog.opening` alone makes it."""


def test_the_log_is_known_by_its_ports_alone():
    known = {
        f"{module} imports {other}"
        for module, others in imports().items()
        if not module.startswith("runlog") or module == "runlog.ports"
        for other in others
        if ".".join(other.split(".")[:2]) in BEHIND_THE_PORTS
    }
    assert known == set()


def test_the_tests_of_the_ports_know_no_backend():
    tests = sorted((Path(__file__).parent / "runlog" / "ports").glob("*.py"))
    known = {
        f"{path.name} imports {other}"
        for path in tests
        for other in modules_imported(path)
        if ".".join(other.split(".")[:2]) in BEHIND_THE_PORTS
    }
    assert tests
    assert known == set()


@pytest.mark.parametrize("room", sorted(ROOMS_OF_WEB))
def test_a_room_of_the_web_imports_no_other_room_but_the_shell(room):
    others = {
        f"{module} imports {other}"
        for module, imported in imports().items()
        if module.startswith(f"web.{room}")
        for other in imported
        if other.startswith("web.") and other.split(".")[1] not in (room, "shell")
    }
    assert others == set()


def test_the_web_has_at_most_six_modules_outside_of_its_rooms():
    outside = [path.name for path in (PACKAGE / "web").glob("*.py")]
    assert len(outside) <= 6


@pytest.mark.parametrize("part", sorted(PURE))
def test_a_pure_part_touches_neither_world_nor_clock_nor_framework(part):
    files = {module: path for module, path in FILES.items() if module.partition(".")[0] == part}
    names = {name for path in files.values() for name in imported_names(path)}
    forbidden = IMPURE_IMPORTS - IMPURE_OF.get(part, set())
    impure = {name for name in names for bad in forbidden if f"{name}.".startswith(f"{bad}.")}
    opens = {
        f"{path.name}:{node.lineno}"
        for path in files.values()
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "open"
    }
    assert impure | opens == set()
