"""Data structures as languages print them for people, which look like JSON from afar."""

from __future__ import annotations

import re
from typing import NamedTuple

_LOOKED_AT = 4_000
"""The characters in which a structure must show itself."""


class Printed(NamedTuple):
    """A kind of printed structure."""

    name: str
    """What printed it, with its language."""
    mend: str
    """How to print JSON there."""


_PHP = "print it by json_encode"
_PYTHON = "print it by json.dumps"
_RUBY = "print it by .to_json"
_TEXT = r"(?:'(?:[^'\\]|\\.)*'|\"(?:[^\"\\]|\\.)*\")"
_SIGNS = (
    (r"\b(?:Array|[\w\\]+ Object)\s*\(\s*(?:\[[^\]\n]*\] =>|\))", "PHP's print_r", _PHP),
    (r"\b(?:array\(\d+\)|object\([\w\\]+\)#\d+ \(\d+\)) \{", "PHP's var_dump", _PHP),
    (rf"(?:\barray\s*\(|\[)\s*(?:{_TEXT}|\d+) => ", "PHP's var_export", _PHP),
    (r"#<[A-Z][\w:]*(?::0x[0-9a-f]+)?\s+@?\w+=", "Ruby's inspect", _RUBY),
    (r"\{\s*(?:\"(?:[^\"\\]|\\.)*\"\s?=>|:\w+\s?=>)", "Ruby's inspect", _RUBY),
    (r"\{\s*[a-z_]\w*: (?:\"|\d|\{|\[|nil\b|true\b|false\b)", "Ruby's inspect", _RUBY),
    (r"\{\s*'(?:[^'\\]|\\.)*': |\bOrderedDict\(|\bDecimal\('", "Python's repr", _PYTHON),
)
_KINDS = tuple((re.compile(sign), Printed(name, mend)) for sign, name, mend in _SIGNS)


def printed(text: str) -> Printed | None:
    """The kind of printed structure that a text holds; None for any other text."""
    start = text[:_LOOKED_AT]
    found = [(match.start(), kind) for pattern, kind in _KINDS if (match := pattern.search(start))]
    return min(found, key=lambda each: each[0])[1] if found else None
