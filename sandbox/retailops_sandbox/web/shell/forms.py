"""Reading forms."""

from __future__ import annotations

import asyncio
import hashlib
import json
from http import HTTPStatus
from urllib.parse import unquote_to_bytes, urlsplit

from starlette.datastructures import FormData
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.types import Message

LARGEST = 8 * 1024 * 1024
"""Bytes of a form, as it is encoded, unless a page takes more."""
_SMALL = 4 * 1024
"""Bytes that are decoded at once. A thread decodes a larger form, so that nothing has to wait."""
_PIECE = 64 * 1024
_URLENCODED = "application/x-www-form-urlencoded"
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

    limited = Request(request.scope, within_limit)
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != _URLENCODED:
        return await limited.form(max_fields=_MOST_FIELDS, max_part_size=LARGEST)
    body = await limited.body()
    return await asyncio.to_thread(_decoded, body) if len(body) > _SMALL else _decoded(body)


def _decoded(body: bytes) -> FormData:
    """The form of a URL-encoded body; HTTPException 400 for one with too many fields."""
    if body.count(b"&") >= _MOST_FIELDS:
        raise HTTPException(HTTPStatus.BAD_REQUEST, f"A form may have up to {_MOST_FIELDS:,} fields.")
    pairs = (pair.partition(b"=") for pair in body.split(b"&") if pair)
    return FormData([(_unquoted(name), _unquoted(value)) for name, _, value in pairs])


def _unquoted(written: bytes) -> str:
    """A name or value of a URL-encoded form. Done in pieces, because other threads wait for each of them."""
    if len(written) <= _PIECE:
        return unquote_to_bytes(written.replace(b"+", b" ")).decode(errors="replace")
    pieces, at = [], 0
    while at < len(written):
        end = at + _PIECE
        cut = written.rfind(b"%", end - 2, end)
        end = cut if cut > at else end
        pieces.append(unquote_to_bytes(written[at:end].replace(b"+", b" ")))
        at = end
    return b"".join(pieces).decode(errors="replace")


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
