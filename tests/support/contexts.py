"""Contexts of the browser that tests use one after another, each as if it were new.

A new one begins with a renderer of its own and an empty cache, which takes longer than to load a page.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

from playwright.sync_api import Browser, BrowserContext, Page

_MOST = 3
_kept: dict[tuple[Browser, str], _Kept] = {}
"""The contexts that were used last, the latest at the end."""


class _Kept:
    def __init__(self, context: BrowserContext) -> None:
        self.context = context
        self.open: Page | None = None
        """A page that stays open, and the renderer with it."""


@contextlib.contextmanager
def fresh(browser: Browser, **options: Any) -> Iterator[BrowserContext]:
    """A context with these options that has no page, cookie or permission: nothing else of it is used.

    Its pages are closed at the end.
    """
    kept = _taken(browser, options)
    try:
        yield kept.context
    finally:
        for page in kept.context.pages:
            if page is not kept.open:
                page.close()


def _taken(browser: Browser, options: dict[str, Any]) -> _Kept:
    key = browser, repr(sorted(options.items()))
    kept = _kept.pop(key, None)
    if kept is None:
        while len(_kept) >= _MOST:
            _kept.pop(next(iter(_kept))).context.close()
        kept = _Kept(browser.new_context(**options))
    else:
        kept.context.clear_cookies()
        kept.context.clear_permissions()
        if kept.open is None:
            kept.open = kept.context.new_page()
            kept.open.goto("/nothing")
    _kept[key] = kept
    return kept
