"""axe-core: what of a page keeps people from using it, as far as a program can tell."""

from __future__ import annotations

from functools import cache
from typing import Any

from playwright.sync_api import Page

from tests.published import packages


def violations(page: Page, *only: str) -> list[str]:
    """One line for each element that breaks a rule: of all rules, or of these."""
    if not page.evaluate("'axe' in window"):
        page.evaluate(_source())
    options: dict[str, Any] = {"resultTypes": ["violations"], "rules": {"target-size": {"enabled": True}}}
    if only:
        options = {"resultTypes": ["violations"], "runOnly": list(only)}
    found = page.evaluate("(options) => axe.run(document, options)", options)
    return [
        f"{rule['id']}: {' '.join(node['target'])}: {' '.join(node['failureSummary'].split())}"
        for rule in found["violations"]
        for node in rule["nodes"]
    ]


@cache
def _source() -> str:
    return (packages.folder("axe-core") / "axe.min.js").read_text(encoding="utf-8")
