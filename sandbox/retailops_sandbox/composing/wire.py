"""How a request is spelled on the wire: what of it is made before the request is signed. Pure."""

from __future__ import annotations

import re
import zlib
from collections.abc import Mapping

import msgspec

from retailops_sandbox import jsontext
from retailops_sandbox.composing.headers import is_header_name
from retailops_sandbox.composing.placeholders import (
    Names,
    escaped,
    fill_but_environment,
    fill_text,
    references,
)
from retailops_sandbox.errors import ComposeError
from retailops_sandbox.jsontext import pointer
from retailops_sandbox.model import Headers, Wire

_AT = "/deliver/wire"
_OF_EVERY_REQUEST = ("host", "content-length", "transfer-encoding", "expect")
"""The headers that HTTP itself needs, and which a step may leave out all the same."""
TARGET = r"(/|https?://|\$\{)[^\x00-\x1f\x7f]*|\*"
"""The pattern of what a request line asks for; it may begin with a placeholder."""
_WBITS = {"gzip": zlib.MAX_WBITS | 16, "deflate": zlib.MAX_WBITS}


def check(wire: Wire, *, is_raw: bool) -> None:
    """ComposeError, with the pointer in the step, for a spelling that no request can have.

    `is_raw` says whether the step sends raw bytes.
    """
    if wire.method is not None and not is_header_name(wire.method):
        raise _mistake(f"{wire.method!r} is not an HTTP method", "method", "letters, digits and hyphens only")
    if wire.path is not None and not re.fullmatch(TARGET, wire.path):
        what = "a path begins with /, or is *, and has no control characters"
        raise _mistake(what, "path", "write / for the root")
    for number, line in enumerate(wire.headers):
        _check_line(line, f"headers/{number}")
    if wire.chunked is not None and wire.http == "1.0":
        raise _mistake("HTTP/1.0 has no chunks", "chunked", "leave out http or chunked")
    if wire.expect_continue and wire.http == "1.0":
        raise _mistake("HTTP/1.0 has no Expect: 100-continue", "expect_continue", "leave out one of them")
    if wire.twice is not None:
        if is_raw:
            raise _mistake("raw bytes have no members", "twice", "write the member twice in raw")
        try:
            tokens = pointer.parse(wire.twice)
        except pointer.PointerError as error:
            raise _mistake(str(error), "twice") from error
        if not tokens:
            raise _mistake("the payload as a whole is no member", "twice", "name a member of an object")


def _check_line(line: str, field: str) -> None:
    name, colon, value = line.partition(":")
    if not colon or not is_header_name(name):
        what = "a header line begins with a name and a colon"  # without the line, which may hold a secret
        raise _mistake(what, field, "write it as Name: value")
    if re.search(r"[\r\n\0]", value):
        raise _mistake(f"the header line {name} has a line break or a null", field)


def filled(wire: Wire, names: Names, *, is_raw: bool) -> Wire:
    """The spelling with the placeholders of path and header lines filled, and checked."""
    lines = [fill_text(line, names, f"{_AT}/headers/{number}") for number, line in enumerate(wire.headers)]
    path = wire.path and fill_text(wire.path, names, f"{_AT}/path")
    made = msgspec.structs.replace(wire, headers=lines, path=path)
    check(made, is_raw=is_raw)
    return made


def unfilled(wire: Wire) -> Wire:
    """The spelling in which what would be a placeholder is ordinary text."""
    path = wire.path and _unfilled(wire.path)
    return msgspec.structs.replace(wire, headers=[_unfilled(line) for line in wire.headers], path=path)


def _unfilled(text: str) -> str:
    return str(escaped(text)) if references(text) else text


def but_environment(wire: Wire, names: Names) -> Wire:
    """The spelling as it may be kept: filled but for what refers to the environment, as a step writes it."""
    lines = [fill_but_environment(line, names) for line in wire.headers]
    return msgspec.structs.replace(
        wire, headers=lines, path=wire.path and fill_but_environment(wire.path, names)
    )


def url(wire: Wire, address: str) -> str:
    """The URL that is asked: that of the receiver, with the path of the spelling where it has one.

    A path that does not begin with a slash, such as `*`, is no part of a URL: the receiver's stays.
    """
    if wire.path is None or not wire.path.startswith("/"):
        return address
    scheme, _, rest = address.partition("://")
    return f"{scheme}://{re.split('[/?#]', rest, maxsplit=1)[0]}{wire.path}"


def spelled(composed: bytes, wire: Wire, *, is_raw: bool) -> bytes:
    """A composed body as it is signed and sent: a member twice, in its charset, compressed."""
    body = composed
    if wire.twice is not None:
        text = body.decode()
        body = written_twice(text, *member(text, wire.twice)).encode()
    if wire.charset is not None:
        body = _in_charset(body, wire.charset, is_raw=is_raw)
    if wire.compressed is not None:
        packer = zlib.compressobj(wbits=_WBITS[wire.compressed])
        body = packer.compress(body) + packer.flush()
    return body


def member(text: str, place: str) -> tuple[int, int]:
    """Where a member is in the text of a payload, its name and its value; ComposeError where none is."""
    value, key = jsontext.span(text, place), jsontext.key_span(text, place)
    if value is None or key is None or key[0] == key[1]:
        what = f"{place} leads to no member of an object in the payload"
        raise _mistake(what, "twice", "name a member that the payload has")
    return key[0], value[1]


def written_twice(text: str, start: int, end: int) -> str:
    """The text with the member at a place in it once more behind it."""
    return f"{text[:end]},{text[start:end]}{text[end:]}"


def _in_charset(text: bytes, charset: str, *, is_raw: bool) -> bytes:
    try:
        written = text.decode()
    except UnicodeDecodeError as error:
        what = "raw bytes that are not UTF-8 cannot be written in another encoding"
        raise _mistake(what, "charset", "leave it out, and give the bytes as they are to be") from error
    if charset == "latin-1" and not is_raw:
        written = escaped_for_latin_1(written)
    try:
        return written.encode(charset)
    except UnicodeEncodeError as error:
        what = f"latin-1 has no {written[error.start]!r}, which the raw text holds"
        raise _mistake(what, "charset", "escape it, or choose another encoding") from error


def escaped_for_latin_1(text: str) -> str:
    """A JSON text in which all characters that Latin-1 has not are escaped."""
    return re.sub(r"[^\0-\xff]", _escaped, text)


def _escaped(found: re.Match[str]) -> str:
    """A character as JSON escapes it: beyond 16 bits, as two surrogates."""
    units = found[0].encode("utf-16-be")
    return "".join(f"\\u{units[at : at + 2].hex()}" for at in range(0, len(units), 2))


def fields(headers: Headers, wire: Wire, own: Mapping[str, str | None] | None) -> Headers:
    """The headers with those of the spelling: those that it implies, and its own lines.

    `own` are the headers that the step adds, replaces or leaves out, which are among `headers` already.
    """
    said = {name.lower() for name in own or ()}
    lines = tuple(pair(line) for line in wire.headers)
    replaced = {name.lower() for name, _ in lines}
    implied = {
        "Content-Encoding": wire.compressed,
        "Transfer-Encoding": "chunked" if wire.chunked is not None else None,
        "Expect": "100-continue" if wire.expect_continue else None,
    }
    added = tuple((name, value) for name, value in implied.items() if value and name.lower() not in said)
    return (*(each for each in headers + added if each[0].lower() not in replaced), *lines)


def pair(line: str) -> tuple[str, str]:
    """Name and value of a header line."""
    name, _, value = line.partition(":")
    return name, value.strip(" \t")


def left_out(own: Mapping[str, str | None] | None) -> tuple[str, ...]:
    """Those of the headers that a step leaves out which every request has, in lower case."""
    if not own:
        return ()
    return tuple(name.lower() for name, value in own.items() if value is None and _is_needed(name))


def _is_needed(name: str) -> bool:
    return name.lower() in _OF_EVERY_REQUEST


def _mistake(what: str, field: str, mend: str = "") -> ComposeError:
    return ComposeError(what, pointer=f"{_AT}/{field}", mend=mend)
