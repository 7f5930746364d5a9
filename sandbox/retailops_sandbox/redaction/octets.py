"""Bytes that are not UTF-8, as text and back.

Done in pieces: each takes the interpreter for itself, and meanwhile nothing else is served.
"""

from __future__ import annotations

import codecs

_PIECE = 256 * 1024


def text_of(octets: bytes) -> str:
    """The text of bytes, in which each byte that is not UTF-8 is a lone surrogate."""
    decoder = codecs.getincrementaldecoder("utf-8")("surrogateescape")
    pieces = [decoder.decode(octets[at : at + _PIECE]) for at in range(0, len(octets), _PIECE)]
    return "".join([*pieces, decoder.decode(b"", final=True)])


def bytes_of(text: str) -> bytes:
    """The bytes that a text was made of by `text_of`."""
    pieces = (text[at : at + _PIECE] for at in range(0, len(text), _PIECE))
    return b"".join([piece.encode("utf-8", "surrogateescape") for piece in pieces])
