"""JSON text: strict parsing, the line and column of a pointer, edits that leave all other bytes alone.

text       a text's characters, lines and columns
spelling   values as text
parsing    text to values
explain    the first mistake of a text that is no strict JSON
pointer    JSON Pointer: resolving, changing
places     the line and column of a pointer in a text
leaves     the leaves of a text at some places, and struck-out leaves as marks
typed      values as typed structs
python     Python's own values as JSON values
misfit     why a value does not fit its type
printed    data structures as languages print them, which are no JSON
edits      changes of a text that leave every other byte alone
"""

from retailops_sandbox.jsontext.edits import (
    excerpt_at,
    insert,
    insert_before,
    remove,
    rename,
    replace,
    rewrite,
    swap,
)
from retailops_sandbox.jsontext.leaves import Leaf, holds_mark, leaves_within, with_marks
from retailops_sandbox.jsontext.parsing import has_too_many_values, parse, parse_answer
from retailops_sandbox.jsontext.places import error_in, key_span, locate, placed, places, span
from retailops_sandbox.jsontext.python import from_python
from retailops_sandbox.jsontext.spelling import compact, excerpt, flat, holds_number, pretty, quoted
from retailops_sandbox.jsontext.text import (
    MAX_DEPTH,
    MAX_DIGITS,
    MAX_EXPONENT_DIGITS,
    MAX_VALUES,
    error_at,
)
from retailops_sandbox.jsontext.typed import convert

__all__ = [
    "MAX_DEPTH",
    "MAX_DIGITS",
    "MAX_EXPONENT_DIGITS",
    "MAX_VALUES",
    "Leaf",
    "compact",
    "convert",
    "error_at",
    "error_in",
    "excerpt",
    "excerpt_at",
    "flat",
    "from_python",
    "has_too_many_values",
    "holds_mark",
    "holds_number",
    "insert",
    "insert_before",
    "key_span",
    "leaves_within",
    "locate",
    "parse",
    "parse_answer",
    "placed",
    "places",
    "pretty",
    "quoted",
    "remove",
    "rename",
    "replace",
    "rewrite",
    "span",
    "swap",
    "with_marks",
]
