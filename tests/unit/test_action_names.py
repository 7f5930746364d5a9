"""No code is for one action: what is of an action is said by data files, contracts above all."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import retailops_sandbox
from retailops_sandbox import resources
from retailops_sandbox.contracts.catalogue import SHIPPED_CONTRACTS

PACKAGE = Path(retailops_sandbox.__file__).parent
ROOT = Path(__file__).parents[2]
CODE = [
    *PACKAGE.rglob("*.py"),
    *resources.templates_dir().rglob("*"),
    *(ROOT / "assets" / "src").rglob("*"),
]
ACTIONS = sorted({action for action, _ in SHIPPED_CONTRACTS.names})

ORDINARY = {"ip_address", "item_type"}
"""Members whose names are also ordinary names of code."""


def members(schema: dict[str, Any]) -> Iterator[str]:
    """The names of all members that a schema describes."""
    for name, part in schema.get("properties", {}).items():
        yield name
        yield from members(part)
    if isinstance(schema.get("items"), dict):
        yield from members(schema["items"])


def words_of(action: str) -> set[str]:
    return {
        word
        for each in SHIPPED_CONTRACTS.of(action)
        for schema in (each.request_schema, each.response_schema)
        for word in members(schema)
    }


def own_words() -> set[str]:
    """The members of several words that the contracts of one action alone have."""
    known = {action: words_of(action) for action in ACTIONS}
    return {
        word
        for action, words in known.items()
        for word in words
        if "_" in word and not any(word in others for other, others in known.items() if other != action)
    }


def found(words: set[str]) -> list[str]:
    """Where code says one of these words."""
    one_of = re.compile(rf"(?<![A-Za-z_])(?:{'|'.join(map(re.escape, sorted(words)))})(?![A-Za-z])")
    return [
        f"{path.relative_to(ROOT)}:{number}: {match[0]}"
        for path in CODE
        if path.is_file()
        for number, line in enumerate(path.read_text(encoding="utf-8", errors="replace").splitlines(), 1)
        if (match := one_of.search(line))
    ]


def test_no_code_names_an_action():
    assert "order_cancel" in ACTIONS
    assert found(set(ACTIONS)) == []


def test_no_code_names_a_member_that_only_one_action_has():
    words = own_words() - ORDINARY
    assert len(words) > 40
    assert found(words) == []
