"""Inputs of single values in a JSON text.

An input that was made for a string shows its characters, any other shows JSON; typed text that is not JSON is
taken as a string. So all typed text can be kept, and is shown as it was typed. An input's name is `text:` or
`json:` and a pointer. It says how to read the input, as the value may be of another type when the form comes
back.
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
"""Characters that an input would lose or hide; a string with one is shown as JSON, which escapes them."""


def typed(document: str, inputs: Mapping[str, str]) -> tuple[str, list[str]]:
    """The document with the values of inputs, by their names; and the inputs that could not be put into it.

    Unchanged inputs change no byte. SourceError where the document is not JSON.
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
    """The message that lists the inputs that could not be put into the document; empty where all could."""
    return f"Not taken over: {'; '.join(refused)}" if refused else ""


# --- values, and the text of inputs ---


def shown(value: Any, *, is_json: bool) -> str:
    """The text of an input for a value."""
    if is_plain_text(value) and not (is_json and _is_json(value)):
        return str(value)
    return jsontext.compact(value).decode()


def is_plain_text(value: Any) -> bool:
    """Whether a value is a string that an input shows without loss."""
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
    """The value of an input that shows JSON; text that is not JSON is taken as a string."""
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
