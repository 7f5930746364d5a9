"""Header names and values: which can be sent, and which hold credentials as far as names tell. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping

from retailops_sandbox.errors import ComposeError
from retailops_sandbox.model import Headers

_CREDENTIAL = re.compile(r"api[-_]?key|access[-_]?key|auth|token|secret|password|signature|hmac|cookie", re.I)


def is_credential(name: str) -> bool:
    """Whether a header or query parameter of this name holds a secret, as far as names tell."""
    return _CREDENTIAL.search(name) is not None


def laid_over(headers: Headers, over: Mapping[str, str]) -> Headers:
    """The headers with others laid over them: a name of both, in any case, as the latter spell it."""
    fields = {name.lower(): (name, value) for name, value in headers}
    fields.update({name.lower(): (name, _header_value(name, value)) for name, value in over.items()})
    return tuple(fields.values())


def _header_value(name: str, value: str) -> str:
    if not re.fullmatch(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+", name):
        raise ComposeError(f"{name!r} is not a header name", mend="letters, digits and hyphens only")
    if any(character in value for character in "\r\n\0"):
        raise ComposeError(f"the value of header {name} has a line break or a null")
    return value
