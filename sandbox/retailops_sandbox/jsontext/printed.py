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
_PERL = "print it by encode_json"
_GO = "print it by json.Marshal"
_LIBRARY = "print it by a JSON library"
_SIGNS_OF_THE_WHOLE = (
    (r"(?:a:\d+:\{|O:\d+:\"|s:\d+:\")", "PHP's serialize", _PHP),
    (r"string\(\d+\) \"", "PHP's var_dump", _PHP),
    (r"Array\s*\Z", "PHP's echo", _PHP),
    (r"<[\w.]+ object at 0x[0-9a-fA-F]+>", "Python's repr", _PYTHON),
    (r"b(?:'[\[{]|\"[\[{])|(?:defaultdict)\(", "Python's repr", _PYTHON),
    (r"[\[(]'[^'\n]*'[,\])]", "Python's repr", _PYTHON),
    (r"\$VAR1 = ", "Perl's Data::Dumper", _PERL),
    (r"(?:HASH|ARRAY)\(0x[0-9a-f]+\)", "Perl's print", _PERL),
    (r"\[object \w+\]", "JavaScript's String(object)", "print it by JSON.stringify"),
    (r"map\[|&?\{\[", "Go's fmt", _GO),
    (r"System\.[\w.]+(?:`\d|\[)", ".NET's ToString", _LIBRARY),
    (r"[a-zA-Z_$][\w.$]*@[0-9a-f]{4,8}\s*\Z", "Java's toString", _LIBRARY),
    (r"(?:[A-Z]\w*)?[\[{(]\w+=(?!>)", "Java's toString", _LIBRARY),
    (r"%\w*\{", "Elixir's inspect", _LIBRARY),
)
"""The signs of which other texts are full, too: they count where a text begins with them."""
_KINDS = tuple((re.compile(sign), Printed(name, mend)) for sign, name, mend in _SIGNS)
_KINDS_OF_THE_WHOLE = tuple(
    (re.compile(sign), Printed(name, mend)) for sign, name, mend in _SIGNS_OF_THE_WHOLE
)


def printed(text: str) -> Printed | None:
    """The kind of printed structure that a text holds; None for any other text."""
    start = text[:_LOOKED_AT]
    found = [(match.start(), kind) for pattern, kind in _KINDS if (match := pattern.search(start))]
    return min(found, key=lambda each: each[0])[1] if found else None


def wholly_printed(text: str) -> Printed | None:
    """The kind of printed structure that a text is from its beginning; None for any other text."""
    start = text[:_LOOKED_AT]
    for pattern, kind in _KINDS:
        # Behind up to two brackets, as of a list of dictionaries.
        if (
            (match := pattern.search(start))
            and match.start() <= 2
            and not start[: match.start()].strip("[{(")
        ):
            return kind
    return next((kind for pattern, kind in _KINDS_OF_THE_WHOLE if pattern.match(start)), None)
