"""How a secret may be written: its forms in base64, and the readings of a text in which others are undone."""

from __future__ import annotations

import json
import re
from base64 import b64encode
from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache

import msgspec

_MAX_READINGS = 12


class Encoding(msgspec.Struct, frozen=True):
    """A way to write characters: `sign` occurs in all that `pattern` matches."""

    sign: str
    pattern: str
    decode: Callable[[re.Match[str]], str]


@lru_cache(maxsize=64)
def forms(value: str) -> tuple[str, ...]:
    """A value as it is, and in base64 the characters that do not depend on those before and after it."""
    found = [value]
    octets = value.encode("utf-8", "surrogateescape")
    for before in range(3):
        encoded = b64encode(bytes(before) + octets).decode()
        form = encoded[(before * 8 + 5) // 6 : (before + len(octets)) * 8 // 6]
        found += form, form.replace("+", "-").replace("/", "_")
    return tuple(dict.fromkeys(found))


def encodings_for(needles: Sequence[str]) -> tuple[Encoding, ...]:
    """The encodings to undo where these are looked for: `+` is a blank only where one of them has a blank."""
    return _ENCODINGS if any(" " in needle for needle in needles) else _ENCODINGS[:2]


def readings(text: str, encodings: Sequence[Encoding]) -> Iterator[tuple[str, tuple[Encoding, ...]]]:
    """The text as it is, and each text that decodings of it give; with the encodings that were undone."""
    found: list[tuple[str, tuple[Encoding, ...]]] = [(text, ())]
    for reading, undone in found:
        yield reading, undone
        for encoding in encodings:
            if encoding.sign in reading and len(found) < _MAX_READINGS:
                decoded = re.sub(encoding.pattern, encoding.decode, reading)
                if all(decoded != other for other, _ in found):
                    found.append((decoded, (*undone, encoding)))


def origins(text: str, undone: Sequence[Encoding]) -> tuple[Sequence[int], Sequence[int]]:
    """Where in the text each character of its reading starts and ends."""
    starts: Sequence[int] = range(len(text))
    ends: Sequence[int] = range(1, len(text) + 1)
    for encoding in undone:
        new_starts: list[int] = []
        new_ends: list[int] = []
        read: list[str] = []
        done = 0
        for match in re.finditer(encoding.pattern, text):
            decoded = encoding.decode(match)
            new_starts += (*starts[done : match.start()], *[starts[match.start()]] * len(decoded))
            new_ends += (*ends[done : match.start()], *[ends[match.end() - 1]] * len(decoded))
            read += text[done : match.start()], decoded
            done = match.end()
        starts, ends = [*new_starts, *starts[done:]], [*new_ends, *ends[done:]]
        text = "".join(read) + text[done:]
    return starts, ends


def percent_decoded(text: str) -> str:
    """A text with its percent-encoded UTF-8 undone."""
    return re.sub(_PERCENT, _unquote, text)


_SHORT_ESCAPES = dict(zip('"\\/bfnrt', '"\\/\b\f\n\r\t', strict=True))


def _unescape(escape: re.Match[str]) -> str:
    return _SHORT_ESCAPES.get(escape[0][1:]) or str(json.loads(f'"{escape[0]}"'))


def _unquote(sequence: re.Match[str]) -> str:
    try:
        return bytes.fromhex(sequence[0].replace("%", "")).decode()
    except UnicodeDecodeError:
        return sequence[0]


# Patterns that few runs need are texts: `re` compiles and keeps them when they are first used.
_PERCENT = (
    "(?i)%[0-7][0-9a-f]|%[cd][0-9a-f]%[89ab][0-9a-f]|%e[0-9a-f](?:%[89ab][0-9a-f]){2}|"
    "%f[0-4](?:%[89ab][0-9a-f]){3}"
)
_ESCAPE = (
    r"\\(?:u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|"
    r'["\\/bfnrt])'
)
_ENCODINGS = (
    Encoding("\\", _ESCAPE, _unescape),
    Encoding("%", _PERCENT, _unquote),
    Encoding("+", r"\+", lambda _: " "),
)
