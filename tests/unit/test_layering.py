"""A line of the layout imports only from lines above it; modules of one line may, without a circle."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

import sandbox

PACKAGE = Path(sandbox.__file__).parent

LINES = (
    ("errors", "model"),
    ("pointer",),
    ("source", "shipped"),
    ("advice", "contract", "compose", "match", "compare", "scenario", "probe", "redact", "trend"),
    ("recording", "importing", "schemas", "accept", "selection"),
    ("engine",),
    ("transport", "store", "workspace", "fixtures", "settings", "ports", "httpserver"),
    ("standin", "report", "receivers", "headless", "accepting", "relay", "web", "cli", "pytest_plugin"),
)
PURE = {name for line in LINES[:5] for name in line} - {"shipped"}
IMPURE_IMPORTS = {
    *("asyncio", "os", "pathlib", "random", "secrets", "shutil", "socket", "subprocess", "tempfile"),
    *("threading", "time", "urllib.request", "importlib.resources"),
    *("click", "jinja2", "pycurl", "starlette", "tinydb", "uvicorn"),
}


def line_of(part: str) -> int:
    """Where a part stands in the layout, from the top."""
    return next(number for number, line in enumerate(LINES) if part in line)


def files_by_part() -> dict[str, list[Path]]:
    """Each module or subpackage of `sandbox`, by name, with its files."""
    parts: dict[str, list[Path]] = {}
    for path in sorted(PACKAGE.rglob("*.py")):
        if path != PACKAGE / "__init__.py":
            parts.setdefault(path.relative_to(PACKAGE).parts[0].removesuffix(".py"), []).append(path)
    return parts


def imported_names(path: Path) -> Iterator[str]:
    """The absolute dotted name of everything that a file imports, wherever in the file."""
    package = ("sandbox", *path.relative_to(PACKAGE).parts[:-1])
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"), path)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            above = package[: len(package) - node.level + 1] if node.level else ()
            base = ".".join([*above, *([node.module] if node.module else [])])
            yield from (f"{base}.{alias.name}" for alias in node.names)


def parts_imported(files: list[Path]) -> set[str]:
    """The parts of `sandbox` that these files import."""
    names = (name.split(".") for path in files for name in imported_names(path))
    return {name[1] for name in names if name[0] == "sandbox" and len(name) > 1}


FILES = files_by_part()
IMPORTS = {part: (parts_imported(files) & FILES.keys()) - {part} for part, files in FILES.items()}


def test_every_part_has_its_line():
    assert set(FILES) - {part for line in LINES for part in line} == set()


@pytest.mark.parametrize("part", FILES)
def test_no_part_imports_from_a_line_below(part):
    below = {other for other in IMPORTS[part] if line_of(other) > line_of(part)}
    assert below == set()


def test_no_parts_import_each_other_in_a_circle():
    # static_order raises CycleError, which names the circle.
    assert set(TopologicalSorter(IMPORTS).static_order()) == set(FILES)


@pytest.mark.parametrize("part", sorted(PURE & FILES.keys()))
def test_a_pure_part_touches_neither_world_nor_clock_nor_framework(part):
    names = {name for path in FILES[part] for name in imported_names(path)}
    impure = {name for name in names for bad in IMPURE_IMPORTS if f"{name}.".startswith(f"{bad}.")}
    opens = {
        f"{path.name}:{node.lineno}"
        for path in FILES[part]
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "open"
    }
    assert impure | opens == set()
