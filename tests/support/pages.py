"""What a page's markup says, without a browser."""

from __future__ import annotations

import html
import re

BROWSER = "sandbox_browser"
"""The cookie by which a browser is known again; without it, nothing that was typed before is shown."""


def words(page: str) -> str:
    """A page's words, its title left out, with one blank between them."""
    shown = re.sub(r"(?s)<head>.*?</head>", "", page)
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", shown)).split())


def main_words(page: str) -> str:
    """The words of a page between its header and its dialogs, or of a part of a page."""
    return words(page.partition("<main")[2].partition("</main>")[0] or page)


def hidden(page: str) -> dict[str, str]:
    """The hidden fields of a page, each name once."""
    fields = re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', page)
    return {name: html.unescape(value) for name, value in fields}


def text_areas(page: str) -> dict[str, str]:
    """What is typed in the text areas of a page, by their names."""
    areas = re.findall(r'<textarea[^>]*? name="(\w+)".*?>\n(.*?)</textarea>', page, re.DOTALL)
    return {name: html.unescape(value) for name, value in areas}
