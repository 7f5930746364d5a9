"""The body of a request in a HAR archive, in all the ways in which exporters write one.

HAR 1.2 has `postData.text` or `postData.params`, and knows no encoding of either. Browsers, proxies and apps
add `encoding`, write bodies as base64 without saying so, take JSON for a form and write it as parameters, and
put what is no text into members of their own, whose names begin with an underscore.
"""

from __future__ import annotations

import re
import zlib
from base64 import b64decode
from binascii import Error as Base64Error
from collections.abc import Iterator
from typing import Any, NamedTuple
from urllib.parse import unquote, unquote_plus

import msgspec

from retailops_sandbox import jsontext
from retailops_sandbox.importing.mending import is_json

MOST_BYTES = 32 * 1024 * 1024
"""The most bytes of a body that was compressed."""

_GZIP = b"\x1f\x8b"
_base64 = re.compile(r"[A-Za-z0-9+/_-]+={0,2}")
_FORM = "application/x-www-form-urlencoded"


class Parameter(msgspec.Struct, frozen=True):
    """A parameter of a form, as HAR has it."""

    name: str = ""
    value: str | None = None
    file: str | None = msgspec.field(default=None, name="fileName")


class Written(msgspec.Struct, frozen=True):
    """A body as an archive has it: `postData`, or a member that an exporter added."""

    text: str | None = None
    encoding: str | None = None
    own_encoding: str | None = msgspec.field(default=None, name="_encoding")
    params: list[Parameter] | None = None
    type: str | None = msgspec.field(default=None, name="mimeType")
    json: Any = None
    own_json: Any = msgspec.field(default=None, name="_json")
    file: str | None = msgspec.field(default=None, name="_file")
    sha1: str | None = msgspec.field(default=None, name="_sha1")


class Body(NamedTuple):
    """A body, and notes on how it was found."""

    content: bytes
    notes: tuple[str, ...] = ()


class NotBase64(Exception):
    """A text that is said to be base64 and is not."""


def read(written: Written) -> Body | None:
    """The body; None where the archive does not have it. NotBase64 for a text that only says so."""
    if written.text:
        encoded = "base64" in (_lower(written.encoding), _lower(written.own_encoding))
        # A number such as 8100 is JSON and base64: what it is said to be decides.
        is_text = not encoded or (is_json(written.text) and not _is_base64(written.text))
        return _of_text(written.text) if is_text else Body(octets(written.text))
    if written.params:
        return _of_parameters(written.params, _lower(written.type).partition(";")[0].strip())
    for value in (written.json, written.own_json):
        if value is not None:
            return Body(value.encode() if isinstance(value, str) else jsontext.compact(value))
    return None


def octets(written: str) -> bytes:
    """The bytes of a base64 text, with the line breaks, signs and missing padding of its kinds."""
    plain = "".join(written.split()).replace("-", "+").replace("_", "/").rstrip("=")
    try:
        return b64decode(plain + "=" * (-len(plain) % 4), validate=True)
    except Base64Error as error:
        raise NotBase64(str(error)) from None


def decompressed(content: bytes, encoding: str) -> bytes | None:
    """The content without the compression of a Content-Encoding; None where it is compressed and stays so.

    Exporters that decompress a body keep the header: what does not look compressed is left as it is.
    """
    name = encoding.strip().lower()
    try:
        if name in ("gzip", "x-gzip") and content.startswith(_GZIP):
            return _inflated(content, 31)
        if name == "deflate" and not is_json(content.decode(errors="replace")):
            return _inflated(content, 15)
    except zlib.error:
        return None
    return None if name in ("br", "zstd") and not is_json(content.decode(errors="replace")) else content


def _inflated(content: bytes, window: int) -> bytes | None:
    stream = zlib.decompressobj(window)
    plain = stream.decompress(content, MOST_BYTES)
    return plain if stream.eof else None


def _is_base64(text: str) -> bool:
    return _base64.fullmatch("".join(text.split())) is not None


def _lower(text: str | None) -> str:
    return (text or "").lower()


def _of_text(text: str) -> Body:
    """The bytes of a text, also where it is base64 and does not say so."""
    if _is_base64(text):
        try:
            content = octets(text)
            decoded = content.decode()
        except (NotBase64, UnicodeDecodeError):
            return Body(text.encode())
        if decoded.lstrip()[:1] in ("{", "[") and is_json(decoded):
            return Body(content, ("its body is base64, without saying so: it is read as what it encodes",))
    return Body(text.encode())


def _of_parameters(parameters: list[Parameter], type: str) -> Body | None:
    """The body that was taken apart into parameters: JSON that was sent as a form, or a form."""
    if type.startswith("multipart/") or any(each.file for each in parameters):
        return None
    for text in _joined(parameters):
        if text.lstrip()[:1] in ("{", "[") and is_json(text):
            return Body(text.encode(), ("its JSON was taken for a form: it is put together again",))
    return Body(next(_joined(parameters)).encode())


def _joined(parameters: list[Parameter]) -> Iterator[str]:
    """The texts that may have been taken apart: exporters decode them, and add or drop empty values."""
    for empty in ("=", ""):
        raw = "&".join(
            each.name if each.value is None else f"{each.name}{'=' if each.value else empty}{each.value}"
            for each in parameters
        )
        yield raw
        yield unquote_plus(raw)
        yield unquote(raw)
