"""JSON text with places: strict parsing, pointer to line and column, edits that touch no other byte."""

from retailops_sandbox.jsontext.edits import insert, remove, rename, replace, rewrite
from retailops_sandbox.jsontext.parsing import (
    MAX_DEPTH,
    MAX_DIGITS,
    MAX_EXPONENT_DIGITS,
    compact,
    holds_number,
    parse,
    pretty,
)
from retailops_sandbox.jsontext.places import locate, places, span
from retailops_sandbox.jsontext.typed import convert

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
