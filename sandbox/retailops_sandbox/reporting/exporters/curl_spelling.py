"""Requests that are spelled in an unusual way, as curl's options, and what curl cannot say of them."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterable, Iterator, Sequence

from retailops_sandbox.composing.wire import escaped_for_latin_1, member
from retailops_sandbox.errors import ComposeError
from retailops_sandbox.model import Mark, Request, Wire

_ICONV = {
    "utf-16": "UTF-16LE",
    "utf-16-le": "UTF-16LE",
    "utf-16-be": "UTF-16BE",
    "latin-1": "ISO-8859-1",
}
_BYTE_ORDER_MARKS = {"utf-8-sig": r"\357\273\277", "utf-16": r"\377\376"}
_PACKERS = {
    "gzip": "gzip -nc",
    "deflate": "python3 -c 'import sys, zlib; "
    "sys.stdout.buffer.write(zlib.compress(sys.stdin.buffer.read()))'",
}
_MADE_BY_CURL = ("host", "content-length", "transfer-encoding", "expect")
"""The headers that curl makes, or acts upon, unless it is shown an empty one first."""
REFERENCE = re.compile(r"(?<!\$)\$\{env:(\w+)\}")
_in_url = re.compile(r"/[!-\"$-~]*")


def lines_hidden(wire: Wire | None, left_out: Sequence[str]) -> list[str]:
    """The headers of which curl is shown an empty one first, so that it makes none and acts upon none."""
    names = {name.lower() for name in left_out}
    if wire is not None:
        names |= own_lines(wire)
    return [name.title() for name in _MADE_BY_CURL if name in names]


def own_lines(wire: Wire) -> set[str]:
    """The names, in lower case, of the headers that are sent as they are, and not as curl makes them."""
    names = {line.partition(":")[0].lower() for line in wire.headers}
    if wire.lower_case:
        names.add("host")
        if not is_piped(wire):  # another program may compress to another length
            names.add("content-length")
    return names


def address(url: str, pieces: Sequence[str], wire: Wire, path: Sequence[str]) -> tuple[list[str], list[str]]:
    """The URL for curl in pieces, and the target that it sends instead of the URL's path, where there is one.

    `pieces` are those of the URL that was asked, and `path` those of the spelling's path.
    """
    if wire.path is None or _in_url.fullmatch(wire.path):
        return [*pieces], []
    scheme, _, rest = url.partition("://")
    length = len(f"{scheme}://{re.split('[/?#]', rest, maxsplit=1)[0]}")
    origin = [*_cut(pieces, 0, length), "/"]
    if wire.path.startswith("/"):
        return origin, [*_cut(pieces, length, len(url))]
    return origin, [
        each if isinstance(each, Mark) else each.replace("$${", "${") for each in with_variables(path)
    ]


def with_variables(pieces: Iterable[str]) -> Iterator[str]:
    """The pieces, in which references to the environment are marks as well."""
    for piece in pieces:
        if isinstance(piece, Mark):
            yield piece
            continue
        # split gives text, name, text, name ... text
        for number, part in enumerate(REFERENCE.split(piece)):
            if part:
                yield Mark(part, part) if number % 2 else part


def options(wire: Wire) -> Iterator[str]:
    """The options for version and speed."""
    if wire.http == "1.0":
        yield "--http1.0"
    if wire.expect_continue:
        yield "--expect100-timeout 1"
    if wire.bytes_per_second is not None:
        yield f"--limit-rate {wire.bytes_per_second}"


def notes(request: Request, wire: Wire) -> Iterator[str]:
    """What the command does otherwise than the sandbox did."""
    if wire.break_off_after is not None:
        what = "sends the whole body and waits for the answer"
        yield f"curl {what}: it cannot hang up after {wire.break_off_after:,} bytes"
    is_one_chunk = not is_piped(wire) and not request.base64 and len(request.body) < (wire.chunked or 0)
    if wire.chunked is not None and not is_one_chunk:
        yield f"curl chooses the size of the chunks: it cannot be told to send {wire.chunked:,} bytes in each"
    if wire.expect_continue:
        yield "curl sends the request once more, without Expect, where it is answered with 417"
    if request.method == "HEAD" and request.body:
        yield "curl waits for the body that the answer to HEAD has not"


def body_pieces(pieces: Sequence[str], request: Request, wire: Wire) -> list[str]:
    """The pieces of a body's text with what the spelling does to its text, before it becomes bytes."""
    found = list(pieces)
    if wire.twice is not None:
        try:
            start, end = member(request.body, wire.twice)
        except ComposeError:
            return found  # it was struck out as a whole
        found = [*_cut(found, 0, end), ",", *_cut(found, start, end), *_cut(found, end, len(request.body))]
    if wire.charset == "latin-1":
        found = [each if isinstance(each, Mark) else escaped_for_latin_1(each) for each in found]
    return found


def _cut(pieces: Sequence[str], start: int, end: int) -> Iterator[str]:
    """The pieces of a part of their text, of which no end is within a mark."""
    at = 0
    for each in pieces:
        length = len(each)
        if isinstance(each, Mark):
            if start <= at < end:
                yield each
        elif kept := each[max(0, start - at) : max(0, end - at)]:
            yield kept
        at += length


def producer(printed: str, wire: Wire) -> str:
    """The command whose output is the body as it is sent; `printed` is the one that prints its text."""
    if wire.charset in _ICONV:
        printed += f" | iconv -f UTF-8 -t {_ICONV[wire.charset]}"
    if wire.charset in _BYTE_ORDER_MARKS:
        printed = f"{{ printf {shlex.quote(_BYTE_ORDER_MARKS[wire.charset])}; {printed}; }}"
    if wire.compressed is not None:
        printed += f" | {_PACKERS[wire.compressed]}"
    return printed


def is_piped(wire: Wire) -> bool:
    """Whether the body's bytes are not its text."""
    return wire.charset is not None or wire.compressed is not None
