"""Texts that are made of data and are no JSON: forms, YAML, server-sent events, source code."""

from __future__ import annotations

import re

import msgspec


class Shape(msgspec.Struct, frozen=True):
    """A kind of text, known by how it begins."""

    kind: str
    what: str
    begins: re.Pattern[str]
    mend: str = ""


_JSON = "answer with JSON"


def _shape(kind: str, what: str, begins: str, mend: str) -> Shape:
    return Shape(kind, what, re.compile(begins), mend)


SHAPES = (
    _shape(
        "source",
        "PHP source code, which nobody ran",
        r"<\?(?:php|=)",
        "let the web server run PHP for this file",
    ),
    _shape("source", "a script, which nobody ran", r"#!/", "let the web server run it"),
    _shape(
        "literal",
        "an object with keys that are not quoted, as JavaScript and Ruby write it",
        r"\[?\{\s{0,40}[A-Za-z_$][\w$]{0,100}\s{0,9}:",
        "write it with a JSON library, which quotes its keys",
    ),
    _shape(
        "events",
        "a stream of server-sent events",
        r"(?:data|event|id|retry): ?[^\n]{0,400}\n",
        "answer with one JSON document",
    ),
    _shape(
        "multipart",
        "a multipart body",
        r"--(?!-?\s)[^\s]{1,200}\r?\n(?:[A-Za-z-]{1,60}: |\r?\n)",
        "answer with the JSON alone",
    ),
    _shape(
        "headers",
        "HTTP headers, where the body should begin",
        r"HTTP/\d(?:\.\d)? \d{3}[^\n]{0,200}\n|"
        r"(?:Content-Type|Status|Set-Cookie|X-Powered-By|Location): [^\n]{0,400}\n",
        "something printed an empty line or a second head before it",
    ),
    _shape(
        "chunks",
        "the chunks of a Transfer-Encoding that no header names",
        r"[0-9a-fA-F]{1,8}\r\n\s{0,9}[\[{\"]",
        "leave the chunking to the web server",
    ),
    _shape(
        "yaml",
        "YAML",
        r"---\s{0,9}\n|events: \[\]|"
        r"[a-z_]{1,60}: ?[^\n]{0,200}\n(?:[a-z_]{1,60}:|\s{0,40}- |\s{2}\w)",
        _JSON,
    ),
    _shape(
        "form",
        "a URL-encoded form",
        r"(?=[^\s<>{}]{0,2000}\Z)"
        r"[\w.%+~-]{1,200}(?:\[[\w.%+-]{0,200}\]|%5B[\w.%+-]{0,200}%5D){0,9}=[^=\s]{0,2000}(?:&|\Z)",
        _JSON,
    ),
)
"""How a text begins that is made of data and is no JSON: the first that applies, white space aside."""


def shape_of(text: str) -> Shape | None:
    """The kind of a text by its beginning; None where it is none of these."""
    return next((shape for shape in SHAPES if shape.begins.match(text)), None)
