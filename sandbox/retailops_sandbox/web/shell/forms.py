"""Reading forms."""

from __future__ import annotations

import hashlib
import json
from http import HTTPStatus
from urllib.parse import urlsplit

from starlette.datastructures import FormData
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.types import Message

LARGEST = 32 * 1024 * 1024
_TYPED = "Go back: what you typed is still there."
_MOST_FIELDS = 20_000
"""The most fields of a form: one for each selected scenario, and a few more."""


async def read(request: Request, *, largest: int = LARGEST, hint: str = _TYPED) -> FormData:
    """The form of a request; HTTPException 413 or 400 for one that is too large or cannot be read."""
    taken = 0

    async def within_limit() -> Message:
        nonlocal taken
        message = await request.receive()
        taken += len(message.get("body", b""))
        if taken > largest:
            what = f"A form may have up to {largest // 1024 // 1024} MB. {hint}"
            raise HTTPException(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, what)
        return message

    return await Request(request.scope, within_limit).form(max_fields=_MOST_FIELDS, max_part_size=LARGEST)


def text(form: FormData, name: str) -> str:
    """A field as typed, its lines ended by LF; empty where it is absent."""
    return str(form.get(name, "")).replace("\r\n", "\n")


def key(form: FormData) -> str:
    """The key of a form and its content, for `Once`; empty for a form without an id."""
    id = text(form, "form_id")
    if not id:
        return ""
    fields = json.dumps([(name, str(value)) for name, value in form.multi_items()])
    return f"{id}:{hashlib.sha256(fields.encode()).hexdigest()}"


def came_from(request: Request) -> str:
    """The page that the request came from, or `/`; never another site."""
    try:
        parts = urlsplit(request.headers.get("referer", ""))
    except ValueError:
        return "/"
    # Browsers read a backslash as a slash, and two slashes as the start of a host.
    path = "/" + parts.path.lstrip("/\\")
    return path + (f"?{parts.query}" if parts.query else "")
