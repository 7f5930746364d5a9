"""Inputs of single values in a JSON text, which stays the truth.

An input shows a string as its characters where it is made for a string, and JSON everywhere else; text that
is no JSON stands for the string of it. So whatever is typed can be kept, and is shown as it was typed. Its
name, `text:` or `json:` and a pointer, says which of the two it was made for: the value may be of another
kind by the time it comes back.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, TypeVar

from msgspec import UNSET
from starlette.datastructures import FormData

from retailops_sandbox import jsontext
from retailops_sandbox.errors import SourceError
from retailops_sandbox.jsontext import pointer as pointers
from retailops_sandbox.model import Json
from retailops_sandbox.web.shell.forms import text

_CONTROL = re.compile("[\\x00-\\x09\\x0b-\\x1f\\x7f-\\x9f\\u2028\\u2029]")
"""What an input would lose or hide, and JSON escapes; a line feed is shown over several lines."""


def typed(document: str, inputs: Mapping[str, str]) -> tuple[str, list[str]]:
    """The document with what was typed into the inputs, by their names, and what could not be put there.

    Inputs that show what the document has touch no byte of it. SourceError where it is not JSON.
    """
    value = jsontext.parse(document)
    refused = []
    for name, written in inputs.items():
        kind, _, pointer = name.partition(":")
        is_json = kind == "json"
        present = value_at(value, pointer)
        if written == ("" if present is UNSET else shown(present, is_json=is_json)):
            continue
        new = _read(written) if is_json else written
        try:
            change = jsontext.insert if present is UNSET else jsontext.replace
            document = change(document, pointer, new)
        except pointers.PointerError as error:
            refused.append(f"{pointer}: {error}")
        else:
            value = jsontext.parse(document)
    return document, refused


def of(form: FormData, prefix: str = "") -> dict[str, str]:
    """The inputs in a form whose names begin with a prefix, which is taken off."""
    names = (f"{prefix}text:", f"{prefix}json:")
    return {name.removeprefix(prefix): text(form, name) for name in form if name.startswith(names)}


def untaken(refused: Sequence[str]) -> str:
    """The line that says which inputs could not be put into the document; empty where all could."""
    return f"Not taken over: {'; '.join(refused)}" if refused else ""


# --- values, and the text of inputs ---


def shown(value: Any, *, is_json: bool) -> str:
    """The text of an input for a value."""
    if is_plain_text(value) and not (is_json and _is_json(value)):
        return str(value)
    return jsontext.compact(value).decode()


def is_plain_text(value: Any) -> bool:
    """Whether it is a string of which an input would lose nothing."""
    return isinstance(value, str) and not _CONTROL.search(value)


def value_at(document: Any, pointer: str) -> Any:
    """The value at a pointer; UNSET where there is none, or no document."""
    return UNSET if document is UNSET else pointers.get(document, pointer, UNSET)


def count(value: Json) -> int:
    """How many values there are in a value, itself included."""
    if isinstance(value, dict):
        return 1 + sum(map(count, value.values()))
    return 1 + sum(map(count, value)) if isinstance(value, list) else 1


def _read(written: str) -> Json:
    """The value that the text of an input that shows JSON stands for."""
    try:
        return jsontext.parse(written)
    except SourceError:
        return written


def _is_json(written: str) -> bool:
    try:
        jsontext.parse(written)
    except SourceError:
        return False
    return True


# --- parts of a page, each for a value ---


Part = TypeVar("Part")


def with_inner(part: Part) -> Iterator[Part]:
    """A part and all parts within it."""
    yield part
    for each in getattr(part, "parts", ()):
        yield from with_inner(each)
