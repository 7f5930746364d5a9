"""JSON that a page, a shell or an editor has changed on its way, read as it was meant."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Callable
from typing import NamedTuple

import msgspec

_line_end = re.compile(r"\\[ \t]*\r?\n")
_escaped_quote = re.compile(r'\\(["\\])')
_string_or_space = re.compile(
    r'"(?:[^"\\]++|\\.)*+"?|[\u00a0\u1680\u2000-\u200b\u202f\u205f\u2060\u3000\ufeff]', re.S
)
_curly = str.maketrans("“”„‟″", '"' * 5)
_decode = msgspec.json.Decoder().decode


class Mended(NamedTuple):
    """A JSON text, and what was changed to make it JSON."""

    text: str
    note: str


class _Change(NamedTuple):
    """A change that something on the way makes to JSON, undone."""

    sign: str
    """What stands in a text that was changed so."""
    undo: Callable[[str], str]
    note: str


_CHANGES = (
    _Change(
        "\\",
        lambda text: _line_end.sub("\n", text),
        "backslashes end lines of the quoted JSON, where a shell keeps them: they are left out",
    ),
    _Change(
        '\\"', lambda text: _escaped_quote.sub(r"\1", text), "its quotes are escaped: they are read without"
    ),
    _Change(
        '""', lambda text: text.replace('""', '"'), "its quotes are doubled: they are read as single ones"
    ),
    _Change(
        "\\'",
        lambda text: text.replace("\\'", "'"),
        "a backslash stands before a single quote, which JSON does not escape: it is left out",
    ),
    _Change("&", html.unescape, "its characters are written as in HTML: they are read as meant"),
    _Change(
        "", lambda text: text.translate(_curly), "its quotes are typographic: they are read as straight ones"
    ),
    _Change(
        "",
        lambda text: _string_or_space.sub(lambda found: found[0] if found[0][0] == '"' else " ", text),
        "spaces of a page stand in it that JSON does not know: they are read as ordinary ones",
    ),
)


def mended(text: str) -> Mended | None:
    """The text as JSON, by one change or two; None for a text that is JSON already, or cannot be."""
    if text.lstrip()[:1] not in ("{", "[") or is_json(text):
        return None
    tried = [Mended(change.undo(text), change.note) for change in _CHANGES if change.sign in text]
    changed = [each for each in tried if each.text != text]
    for each in changed:
        if is_json(each.text):
            return each
    for first in changed:
        for change in _CHANGES:
            again = change.undo(first.text) if change.sign in first.text else first.text
            if again != first.text and is_json(again):
                return Mended(again, f"{first.note}; {change.note}")
    return None


def is_json(text: str) -> bool:
    """Whether a text is JSON; the strict reader may still refuse it."""
    try:
        _decode(text)
    except (msgspec.DecodeError, UnicodeEncodeError, RecursionError):
        return _is_json_of_python(text)
    return True


def _is_json_of_python(text: str) -> bool:
    # msgspec refuses numbers of many digits, which JSON allows.
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return False
    return True
