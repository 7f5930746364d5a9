"""The title and the first visible text of an HTML page."""

from __future__ import annotations

import contextlib
from html.parser import HTMLParser

import msgspec

_MOST_READ = 256 * 1024
"""The most characters of a page that are read: its styles may come long before its text."""
_TITLE = 120
"""The most characters of a title."""
_TEXT = 300
"""The most characters of visible text that are gathered."""
_INVISIBLE = frozenset(
    ["head", "script", "style", "template", "noscript", "svg", "iframe", "object", "textarea", "select"]
)
_APART = frozenset(["br", "p", "div", "li", "tr", "td", "th", "h1", "h2", "h3", "h4", "section", "header"])
"""Elements that part words."""


class Page(msgspec.Struct, frozen=True):
    """What a person would read first."""

    title: str
    text: str
    """The first visible text, in one line, without the title where it repeats that."""
    asks_for_password: bool

    @property
    def words(self) -> str:
        """Title and text in one line."""
        return ": ".join(filter(None, (f"“{self.title}”" if self.title else "", self.text)))


def read(markup: str) -> Page:
    """The beginning of a page."""
    reader = _Reader()
    with contextlib.suppress(_Enough):
        # Without `close`, whose time is not linear for tags that are not closed.
        reader.feed(markup[:_MOST_READ])
    title = _line(reader.title)[:_TITLE]
    text = _line(reader.text)[:_TEXT]
    if title and text.startswith(title):
        text = text[len(title) :].lstrip(" :-|.")
    return Page(title, text, reader.asks_for_password)


class _Enough(Exception):
    """All that is shown has been read."""


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.title: list[str] = []
        self.text: list[str] = []
        self.asks_for_password = False
        self._size = 0
        self._in_title = False
        self._hidden = ""
        """The invisible element that is open."""

    def parse_marked_section(self, i: int, report: int = 1) -> int:
        # As browsers do. The library raises an AssertionError at what it does not know.
        return self.parse_bogus_comment(i, False)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "title":
            self._in_title = not self._hidden or self._hidden == "head"
        elif tag == "body":
            self._hidden = ""  # a head that nobody closed
        elif tag in _INVISIBLE and not self._hidden:
            self._hidden = tag
        elif tag == "input" and ("type", "password") in attrs:
            self.asks_for_password = True
        elif tag in _APART:
            self.text.append(" ")

    def handle_endtag(self, tag: str) -> None:
        if tag == "title":
            self._in_title = False
        if tag == self._hidden:
            self._hidden = ""
        if tag in _APART:
            self.text.append(" ")

    def handle_data(self, data: str) -> None:
        if self._in_title:
            self.title.append(data[:_TITLE])
        elif not self._hidden and not data.isspace():
            self.text.append(data[:_TEXT])
            self._size += len(data)
            if self._size > _TEXT:
                raise _Enough


def _line(parts: list[str]) -> str:
    return " ".join("".join(parts).split())
