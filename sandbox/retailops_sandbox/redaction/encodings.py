"""How a secret may be written: in base64 or hex, and the readings of a text in which others are undone."""

from __future__ import annotations

import json
import re
from base64 import b64encode
from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache

import msgspec

_MAX_READINGS = 12
LONG = 1024 * 1024
"""Characters; of a longer text there are fewer readings."""
_MOST_OF_LONG = 3
"""The most readings of a long text; of one that is not ASCII, which takes longer, it is one less."""
_MOST_OUTER = 3
"""The most readings in which what is undone once is undone."""


class Encoding(msgspec.Struct, frozen=True):
    """A way to write characters: `sign` occurs in all that `pattern` matches."""

    sign: str
    pattern: str
    decode: Callable[[re.Match[str]], str]
    is_outer: bool = False
    """Whether it is undone once, after the others."""
    run: str = ""
    """The pattern of a run of such characters, which `decode_run` decodes at once."""
    decode_run: Callable[[re.Match[str]], str] | None = None

    def undone(self, text: str) -> str:
        """The text without this encoding."""
        if self.decode_run is None:
            return re.sub(self.pattern, self.decode, text)
        return re.sub(self.run, self.decode_run, text)


def folded(text: str) -> str:
    """The text with small letters in ASCII: those of other alphabets depend on their neighbours."""
    if text.isascii():
        return text.lower()
    for errors in ("surrogateescape", "surrogatepass"):  # the first, for bytes that are no text, is fast
        try:
            return text.encode("utf-8", errors).lower().decode("utf-8", errors)
        except UnicodeEncodeError:
            continue
    return text


@lru_cache(maxsize=64)
def forms(value: str) -> tuple[str, ...]:
    """A value as it is, in hex, and in base64 the characters that do not depend on those around it."""
    octets = value.encode("utf-8", "surrogateescape")
    found = [value, octets.hex()]
    for before in range(3):
        encoded = b64encode(bytes(before) + octets).decode()
        form = encoded[(before * 8 + 5) // 6 : (before + len(octets)) * 8 // 6]
        found += form, form.replace("+", "-").replace("/", "_")
    return tuple(dict.fromkeys(found))


def encodings_for(needles: Sequence[str]) -> tuple[Encoding, ...]:
    """The encodings to undo where these are looked for, without those that would change none of them."""
    text = "".join(needles)
    form = (_FORM,) if " " in text else ()
    entities = (_ENTITIES,) if re.search("[&<>\"']", text) else ()
    return (*_ENCODINGS, *form, *_OUTER, *entities)


def readings(
    text: str, encodings: Sequence[Encoding], *, is_of_long: bool = False
) -> Iterator[tuple[str, tuple[Encoding, ...]]]:
    """The text as it is, and each text that decodings of it give; with the encodings that were undone.

    Of a piece of a long text there are as few as of the whole.
    """
    is_long = is_of_long or len(text) > LONG
    found: list[tuple[str, tuple[Encoding, ...]]] = [(text, ())]
    most = _most_readings(text, is_long)
    for reading, undone in found:
        yield reading, undone
        for encoding in encodings:
            if not encoding.is_outer and encoding.sign in reading and len(found) < most:
                decoded = encoding.undone(reading)
                if all(decoded != other for other, _ in found):
                    found.append((decoded, (*undone, encoding)))
    if is_long:
        return
    outer = [encoding for encoding in encodings if encoding.is_outer]
    for reading, undone in found[:_MOST_OUTER]:
        decoded = reading
        for encoding in outer:
            if encoding.sign in decoded:
                decoded = re.sub(encoding.pattern, encoding.decode, decoded)
        if decoded != reading:
            yield decoded, (*undone, *outer)


def _most_readings(text: str, is_long: bool) -> int:
    if not is_long:
        return _MAX_READINGS
    return _MOST_OF_LONG if text.isascii() else _MOST_OF_LONG - 1


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


_loosely = json.JSONDecoder(strict=False).decode


def _unescape_run(run: re.Match[str]) -> str:
    """Valid escapes and what is between them, decoded at once."""
    without_quotes = run[0].replace("\\\\", "\\u005c").replace('\\"', "\\u0022").replace('"', "\\u0022")
    return str(_loosely(f'"{without_quotes}"'))


def _unquote_run(run: re.Match[str]) -> str:
    try:
        return bytes.fromhex(run[0].replace("%", "")).decode()
    except UnicodeDecodeError:
        return re.sub(_PERCENT, _unquote, run[0])


def _unquote(sequence: re.Match[str]) -> str:
    try:
        return bytes.fromhex(sequence[0].replace("%", "")).decode()
    except UnicodeDecodeError:
        return sequence[0]


def _entity(entity: re.Match[str]) -> str:
    import html  # few texts need it

    return html.unescape(entity[0])


# Patterns that few runs need are texts: `re` compiles and keeps them when they are first used.
_PERCENT = (
    "(?i)%[0-7][0-9a-f]|%[cd][0-9a-f]%[89ab][0-9a-f]|%e[0-9a-f](?:%[89ab][0-9a-f]){2}|"
    "%f[0-4](?:%[89ab][0-9a-f]){3}"
)
_ESCAPE = (
    r"\\(?:u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|"
    r'["\\/bfnrt])'
)
_BASE64 = "[A-Za-z0-9+/_-]"
_LINE_BREAK = rf"\r?\n(?:(?<={_BASE64}{{20}}\n)|(?<={_BASE64}{{20}}\r\n))[ \t]*(?=[A-Za-z0-9+/=_-])"
"""A line break within base64, as MIME has one after 76 characters."""
_NULLS = r"\0"
"""What UTF-16 has before or behind each character of ASCII."""
_ENCODINGS = (
    Encoding("\\", _ESCAPE, _unescape, run=rf"{_ESCAPE}(?:[^\\]*+{_ESCAPE})*+", decode_run=_unescape_run),
    Encoding("%", _PERCENT, _unquote, run=r"(?:%[0-9a-fA-F]{2})++", decode_run=_unquote_run),
    Encoding("\0", _NULLS, lambda _: ""),
)
_OUTER = (
    Encoding("&#", r"(?i)&#(?:[0-9]{1,7}|x[0-9a-f]{1,6});", _entity, is_outer=True),
    Encoding("\n", _LINE_BREAK, lambda _: "", is_outer=True),
)
_FORM = Encoding("+", r"\+", lambda _: " ")
_ENTITIES = Encoding("&", r"(?i)&(?:amp|lt|gt|quot|apos);", _entity, is_outer=True)
