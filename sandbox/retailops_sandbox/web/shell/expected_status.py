"""The status of an expectation as an input shows it: `404`, `4xx`, or several such as `200, 4xx`."""

from __future__ import annotations

import re
from typing import Any

from msgspec import UNSET

from retailops_sandbox import jsontext
from retailops_sandbox.errors import SourceError
from retailops_sandbox.model import Json

_SEVERAL = re.compile("[0-9A-Za-z]+(?:[ ,]+[0-9A-Za-z]+)+")
_WORD = re.compile("[0-9]*[A-Za-z][0-9A-Za-z]*")


def shown(value: Any) -> str:
    """The text of an input for a status; JSON for what is none, empty for UNSET and null."""
    if value is UNSET or value is None:
        return ""
    if isinstance(value, list) and value and all(map(_is_plain, value)):
        return ", ".join(map(str, value))
    return str(value) if _is_plain(value) else jsontext.compact(value).decode()


def read(typed: str) -> Json:
    """The status of an input's text. A word is one also where it is no class: checking tells so."""
    text = typed.strip()
    if _SEVERAL.fullmatch(text):
        return [int(each) if each.isdecimal() else each for each in re.split("[ ,]+", text)]
    try:
        return jsontext.parse(text)
    except SourceError:
        return text


def _is_plain(value: Any) -> bool:
    """Whether a status is shown without quotes, and read as it is."""
    return type(value) is int or (isinstance(value, str) and bool(_WORD.fullmatch(value)))
