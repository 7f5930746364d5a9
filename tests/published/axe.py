"""axe-core: what of a page keeps people from using it, as far as a program can tell."""

from __future__ import annotations

from functools import cache
from typing import Any

from playwright.sync_api import Page

from tests.published import packages

OF_THE_COLOURS = ("color-contrast", "link-in-text-block")
"""The rules whose outcome can differ between light and dark."""

OF_THE_LAYOUT = (
    *("target-size", "scrollable-region-focusable", "aria-hidden-focus", "region"),
    *("landmark-one-main", "page-has-heading-one", "heading-order", "empty-heading", "label", "link-name"),
    *("button-name", "select-name", "skip-link", "nested-interactive"),
)
"""The rules whose outcome can differ in a window of another size, which hides and moves what it shows."""


_ALIKE = "tbody > tr:nth-child(n + 31), li:nth-child(n + 31)"
"""The items of long lists behind the first thirty, which look like those."""


def violations(page: Page, *only: str) -> list[str]:
    """One line for each element that breaks a rule, of all or of these; of a long list, its first items."""
    if not page.evaluate("'axe' in window"):
        page.evaluate(_source())
    options: dict[str, Any] = {"resultTypes": ["violations"], "rules": {"target-size": {"enabled": True}}}
    if only:
        options = {"resultTypes": ["violations"], "runOnly": list(only)}
    context = {"include": ["html"], "exclude": [_ALIKE]}
    found = page.evaluate("([context, options]) => axe.run(context, options)", [context, options])
    return [
        f"{rule['id']}: {' '.join(node['target'])}: {' '.join(node['failureSummary'].split())}"
        for rule in found["violations"]
        for node in rule["nodes"]
    ]


@cache
def _source() -> str:
    return (packages.folder("axe-core") / "axe.min.js").read_text(encoding="utf-8")
