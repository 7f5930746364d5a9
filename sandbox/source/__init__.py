"""JSON text with places: strict parsing, pointer to line and column, edits that touch no other byte."""

from sandbox.source.edits import insert, remove, rename, replace, rewrite
from sandbox.source.parsing import (
    MAX_DEPTH,
    MAX_DIGITS,
    MAX_EXPONENT_DIGITS,
    compact,
    holds_number,
    parse,
    pretty,
)
from sandbox.source.places import locate, places, span
from sandbox.source.typed import convert

__all__ = [
    "MAX_DEPTH",
    "MAX_DIGITS",
    "MAX_EXPONENT_DIGITS",
    "compact",
    "convert",
    "holds_number",
    "insert",
    "locate",
    "parse",
    "places",
    "pretty",
    "remove",
    "rename",
    "replace",
    "rewrite",
    "span",
]
