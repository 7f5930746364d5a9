"""The files that ship with the sandbox, found in a checkout and in an installed wheel."""

from __future__ import annotations

from pathlib import Path

_PACKAGE = Path(__file__).parent


def fixtures_dir() -> Path:
    """The folder with `<action>/<edition>/<name>.json` and `scenarios/`."""
    return _top_level("fixtures")


def templates_dir() -> Path:
    """The folder with the templates of pages and reports."""
    return _top_level("templates")


def contract_names() -> list[str]:
    """The shipped contracts, each as `<action>.<edition>`."""
    return sorted(path.stem for path in (_PACKAGE / "contracts" / "data").glob("*.*.json"))


def contract_text(name: str) -> bytes:
    """The text of a contract that `contract_names` lists."""
    return (_PACKAGE / "contracts" / "data" / f"{name}.json").read_bytes()


def contract_headings() -> bytes:
    """The JSON text with the headings of the shipped contracts."""
    return (_PACKAGE / "contracts" / "data" / "headings.json").read_bytes()


def default_contract() -> bytes:
    """The JSON text with the action and the edition that are meant where none is named."""
    return (_PACKAGE / "contracts" / "data" / "default.json").read_bytes()


def contract_to_start_from() -> bytes:
    """The text of a small contract, in which ACTION and EDITION stand for its names."""
    return (_PACKAGE / "contracts" / "data" / "new.json").read_bytes()


def _top_level(name: str) -> Path:
    """A top-level folder of the checkout; a wheel has it inside the package."""
    inside = _PACKAGE / "_data" / name
    return inside if inside.is_dir() else _PACKAGE.parents[1] / name
