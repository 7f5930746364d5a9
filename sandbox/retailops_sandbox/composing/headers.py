"""Header names and values that can be sent. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping

from retailops_sandbox.errors import ComposeError
from retailops_sandbox.model import Headers


def laid_over(headers: Headers, over: Mapping[str, str | None]) -> Headers:
    """The headers of both; one in `over` replaces a header of the same name, whatever its case.

    None in `over` leaves the header out.
    """
    fields = {name.lower(): (name, value) for name, value in headers}
    for name, value in over.items():
        checked = _header_value(name, value or "")
        if value is None:
            fields.pop(name.lower(), None)
        else:
            fields[name.lower()] = (name, checked)
    return tuple(fields.values())


TOKEN = r"[!#$%&'*+.^_`|~0-9A-Za-z-]+"
"""The pattern of a header's name, and of a method."""


def is_header_name(name: str) -> bool:
    """Whether a text can be the name of a header, which is a token in HTTP's words, as a method is."""
    return re.fullmatch(TOKEN, name) is not None


def _header_value(name: str, value: str) -> str:
    if not is_header_name(name):
        raise ComposeError(f"{name!r} is not a header name", mend="letters, digits and hyphens only")
    if any(character in value for character in "\r\n\0"):
        raise ComposeError(f"the value of header {name} has a line break or a null")
    return value
