"""Reading forms."""

from __future__ import annotations

import asyncio
import codecs
import hashlib
from collections import deque
from collections.abc import Iterator, Sequence
from http import HTTPStatus
from urllib.parse import unquote_to_bytes, urlsplit

from starlette.datastructures import FormData, UploadFile
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.types import Message

LARGEST = 8 * 1024 * 1024
"""Bytes of a form, as it is encoded, unless a page takes more."""
_SMALL = 4 * 1024
"""Bytes that are decoded at once. A thread decodes a larger form, so that nothing has to wait."""
_PIECE = 16 * 1024
"""Bytes or characters that are worked on at once, because other threads wait for them."""
_URLENCODED = "application/x-www-form-urlencoded"
_TYPED = "Go back: what you typed is still there."
_MOST_FIELDS = 20_000
"""The most fields of a form: one for each selected scenario, and a few more."""


async def read(request: Request, *, largest: int = LARGEST, hint: str = _TYPED) -> FormData:
    """The form of a request; HTTPException 413 or 400 for one that is too large or cannot be read."""
    taken = 0
    rest: deque[Message] = deque()

    async def within_limit() -> Message:
        nonlocal taken
        if not rest:
            message = await request.receive()
            taken += len(message.get("body", b""))
            if taken > largest:
                what = f"A form may have up to {largest // 1024 // 1024} MB. {hint}"
                raise HTTPException(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, what)
            rest.extend(_in_pieces(message))
        # Files are taken apart in the event loop, where other requests have their turn in between.
        await asyncio.sleep(0)
        return rest.popleft()

    limited = Request(request.scope, within_limit)
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != _URLENCODED:
        return await limited.form(max_fields=_MOST_FIELDS, max_part_size=LARGEST)
    body = [piece async for piece in limited.stream()]
    return await asyncio.to_thread(_decoded, body) if taken > _SMALL else _decoded(body)


def _in_pieces(message: Message) -> Iterator[Message]:
    """A message of a request as messages with less of its body."""
    body = message.get("body", b"")
    for start in range(0, max(1, len(body)), _PIECE):
        end = start + _PIECE
        more = end < len(body) or message.get("more_body", False)
        yield {**message, "body": body[start:end], "more_body": more}


def _decoded(pieces: Sequence[bytes]) -> FormData:
    """The form of a URL-encoded body; HTTPException 400 for one with too many fields."""
    body = b"".join(pieces)
    if body.count(b"&") >= _MOST_FIELDS:
        raise HTTPException(HTTPStatus.BAD_REQUEST, f"A form may have up to {_MOST_FIELDS:,} fields.")
    fields: list[tuple[str, UploadFile | str]] = []
    start = 0
    while start < len(body):
        end = body.find(b"&", start)
        end = len(body) if end == -1 else end
        equals = body.find(b"=", start, end)
        equals = end if equals == -1 else equals
        if end > start:
            fields.append((_unquoted(body, start, equals), _unquoted(body, equals + 1, end)))
        start = end + 1
    return FormData(fields)


def _unquoted(body: bytes, start: int, end: int) -> str:
    """A name or value of a URL-encoded form. Done in pieces, because other threads wait for each of them."""
    decoder = _DECODER(errors="replace")
    pieces = []
    while start < end:
        stop = min(end, start + _PIECE)
        cut = body.rfind(b"%", stop - 2, stop)
        if cut > start and stop < end:
            stop = cut
        pieces.append(decoder.decode(unquote_to_bytes(body[start:stop].replace(b"+", b" "))))
        start = stop
    return "".join([*pieces, decoder.decode(b"", final=True)])


def text(form: FormData, name: str) -> str:
    """A field as typed, its lines ended by LF; empty where it is absent."""
    return str(form.get(name, "")).replace("\r\n", "\n")


def texts(form: FormData, name: str) -> list[str]:
    """The texts of all inputs of a form that have a name."""
    return [each for each in form.getlist(name) if isinstance(each, str)]


def key(form: FormData) -> str:
    """The key of a form and its content, for `Once`; empty for a form without an id."""
    id = text(form, "form_id")
    if not id:
        return ""
    digest = hashlib.sha256()
    for name, value in form.multi_items():
        typed = str(value)
        digest.update(f"{len(name)} {len(typed)} {name}".encode(errors="backslashreplace"))
        for start in range(0, len(typed), _PIECE):
            digest.update(typed[start : start + _PIECE].encode(errors="backslashreplace"))
    return f"{id}:{digest.hexdigest()}"


def came_from(request: Request) -> str:
    """The page that the request came from, or `/`; never another site."""
    try:
        parts = urlsplit(request.headers.get("referer", ""))
    except ValueError:
        return "/"
    # Browsers read a backslash as a slash, and two slashes as the start of a host.
    path = "/" + parts.path.lstrip("/\\")
    return path + (f"?{parts.query}" if parts.query else "")


_DECODER = codecs.getincrementaldecoder("utf-8")
