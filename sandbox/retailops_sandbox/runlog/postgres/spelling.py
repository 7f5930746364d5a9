"""Records as the text of columns."""

from __future__ import annotations

import re

import msgspec

_OTHER_SPELLING = re.compile(rb"\\(?:/|u(?!00[01]))|\\u00[01][A-F]|[\r\n\t]")
"""What the sandbox does not write, but other programs may: needless escapes, and layout."""
_STRING = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*"')


def record_text(document: bytes) -> str:
    """A record as its column has it: JSON text as the sandbox spells it, numbers as they were.

    `document` is a record that was decoded, and so is JSON.
    """
    if _OTHER_SPELLING.search(document):
        document = _STRING.sub(_respelled, msgspec.json.format(document, indent=-1))
    return document.decode()


def _respelled(found: re.Match[bytes]) -> bytes:
    literal = found[0]
    return msgspec.json.encode(msgspec.json.decode(literal)) if b"\\" in literal else literal
