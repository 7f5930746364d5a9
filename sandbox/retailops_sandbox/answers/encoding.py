"""What bytes are that are not UTF-8 text: another encoding, compressed, or a file of some format."""

from __future__ import annotations

import re
from typing import NamedTuple

from retailops_sandbox.model import Headers

_EXAMINED = 1024
"""The bytes by which text is told from anything else."""
_SHOWN = 160
"""The most bytes that are decoded to be shown."""

_COMPRESSED = (
    (b"\x1f\x8b", "gzip"),
    (b"\x28\xb5\x2f\xfd", "zstd"),
    (b"BZh", "bzip2"),
    (b"\xfd7zXZ\0", "xz"),
    (b"\x04\x22\x4d\x18", "lz4"),
)
_FORMATS = (
    (b"PK\x03\x04", "a ZIP archive"),
    (b"%PDF-", "a PDF document"),
    (b"\x89PNG", "a PNG image"),
    (b"\xff\xd8\xff", "a JPEG image"),
    (b"GIF8", "a GIF image"),
    (b"RIFF", "a RIFF file, such as a WebP image"),
    (b"\xac\xed\0\x05", "a serialized Java object"),
    (b"\0\x01\0\0\0\xff\xff\xff\xff", "a serialized .NET object"),
    (b"bplist", "a binary property list"),
    (b"SQLite format 3", "an SQLite database"),
    (b"\x7fELF", "a program"),
)
_MARKS = (
    (b"\xff\xfe\0\0", "UTF-32"),
    (b"\0\0\xfe\xff", "UTF-32"),
    (b"\xff\xfe", "UTF-16"),
    (b"\xfe\xff", "UTF-16"),
)
_UNDONE = ("identity", "gzip", "x-gzip", "deflate")
"""The codings that the transport has undone."""
_NAME = 40
"""The most characters of a coding's name that are quoted."""
_AS_UTF8 = "encode it as UTF-8"
_CONTROL = frozenset(range(32)) - frozenset(b"\t\n\r\f\x1b")

charset_of = re.compile(r";\s*charset\s*=\s*\"?([\w.:-]{1,40})", re.IGNORECASE).search


class Bytes(NamedTuple):
    """What some bytes are."""

    kind: str
    words: str
    """The rest of the sentence that begins with `the answer is`."""
    shows: str = ""
    mend: str = ""


def describe(body: bytes, headers: Headers) -> Bytes:
    """What a body is that is not UTF-8 text."""
    coding = next((value for name, value in headers if name.lower() == "content-encoding"), "")
    for magic, name in _COMPRESSED:
        if body.startswith(magic):
            return _compressed(name, coding)
    if body[:1] == b"\x78" and body[1:2] in (b"\x01", b"\x5e", b"\x9c", b"\xda") and len(body) > 6:
        return _compressed("deflate", coding)
    for magic, what in _FORMATS:
        if body.startswith(magic):
            return Bytes("binary", f"{what}, not JSON")
    if coding and coding.strip().lower() not in _UNDONE:
        return Bytes("compressed", f"bytes in the coding {coding[:_NAME]}, as its Content-Encoding says")
    return _text(body, headers)


def _compressed(name: str, coding: str) -> Bytes:
    if not coding:
        mend = f"send Content-Encoding: {name}, or a body that is not compressed"
        return Bytes("compressed", f"{name}-compressed bytes, and no Content-Encoding says so", mend=mend)
    if name in coding.lower():
        return Bytes("compressed", f"{name}-compressed bytes, as its Content-Encoding says")
    what = f"{name}-compressed bytes, where its Content-Encoding says {coding[:_NAME]}"
    return Bytes("compressed", what, mend="compress it once, and as the header says")


def _text(body: bytes, headers: Headers) -> Bytes:
    encoding = next((name for mark, name in _MARKS if body.startswith(mark)), "") or _by_zeros(body)
    if encoding:
        return Bytes("encoding", f"text in {encoding}, not UTF-8", _decoded(body, encoding), _AS_UTF8)
    try:
        body.decode()
    except UnicodeDecodeError as error:
        return _not_utf8(body, headers, error)
    return Bytes("binary", "bytes that are no text")


def _not_utf8(body: bytes, headers: Headers, error: UnicodeDecodeError) -> Bytes:
    place = f"byte {error.start + 1}, 0x{body[error.start]:02X}, is not UTF-8"
    head = body[:_EXAMINED]
    if sum(byte in _CONTROL for byte in head) * 20 > len(head):
        return Bytes("binary", f"bytes that are no text: {place}")
    if error.reason == "unexpected end of data":
        mend = "is it cut off? A Content-Length counts bytes, not characters"
        return Bytes("encoding", f"text that ends within a character: {place}", mend=mend)
    named = next((value for name, value in headers if name.lower() == "content-type"), "")
    found = charset_of(named)
    charset = found[1] if found else ""
    said = f"Content-Type says {charset}" if charset else "Content-Type names no charset"
    guess = charset if charset.lower() not in ("", "utf-8", "utf8") else "windows-1252"
    shows = _decoded(body[max(0, error.start - 20) :], guess)
    return Bytes("encoding", f"text in another encoding: {place}; {said}", shows, _AS_UTF8)


def _by_zeros(body: bytes) -> str:
    """UTF-16 or UTF-32 without a mark, known by the zero bytes of its ASCII characters."""
    head = body[:8]
    zeros = [at for at, byte in enumerate(head) if not byte]
    if zeros == [1, 2, 3, 5, 6, 7] or zeros == [0, 1, 2, 4, 5, 6]:
        return "UTF-32LE" if zeros[0] else "UTF-32BE"
    if len(head) >= 4 and zeros in (list(range(1, len(head), 2)), list(range(0, len(head), 2))):
        return "UTF-16LE" if zeros[0] else "UTF-16BE"
    return ""


def _decoded(body: bytes, charset: str) -> str:
    """The beginning as text; empty where the charset is not known."""
    try:
        return " ".join(body[:_SHOWN].decode(charset, "replace").split())
    except (LookupError, UnicodeError):
        return ""
