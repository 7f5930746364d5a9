"""A pattern of Python's `re`, spelled for RE2, where both find it in the same strings.

RE2 searches in linear time, but has no look-around and no back references, and its `\\d`, `\\w`, `\\b` and
`(?i)` know ASCII only. A pattern that is not certain to mean the same, or is a mistake, has no spelling here.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

import msgspec

LARGEST = 2_000
"""The most instructions, about, of a pattern that RE2 is given: its time is their product with the length."""

_MOST_COUNT = 1_000
"""RE2's own bound on a count."""
_LAST = 0x10FFFF
_ANY = 10
"""About how many instructions a set of more than ASCII takes in UTF-8."""
_GLOBAL_FLAGS = re.compile(r"\(\?([ims]+)\)")
_OPENING = re.compile(r"\((?:\?(?::|([ims]+):|P<([^>]*)>))?")
_COUNT = re.compile(r"\{(?!\})([0-9]*)(?:(,)([0-9]*))?\}")
_ESCAPE = re.compile(r"(?s)\\(?:x([0-9A-Fa-f]{2})|u([0-9A-Fa-f]{4})|U([0-9A-Fa-f]{8})|0([0-7]{0,2})|(.))")
_CONTROLS = {"a": 7, "f": 12, "n": 10, "r": 13, "t": 9, "v": 11}
_Ranges = list[tuple[int, int]]
_CLASSES: dict[str, _Ranges] = {
    "d": [(48, 57)],
    "s": [(9, 13), (28, 32)],
    "w": [(48, 57), (65, 90), (95, 95), (97, 122)],
}
"""The ASCII characters of Python's character classes."""


class Spelling(msgspec.Struct, frozen=True):
    """A pattern in the syntax of RE2."""

    text: str
    ascii_only: bool
    """Whether it means the same in ASCII strings only."""


class _UnknownError(Exception):
    """The pattern has no certain spelling."""


def spelled(pattern: str) -> Spelling | None:
    """The spelling of a pattern within the bounds; None where there is none."""
    reader = _Reader(pattern)
    try:
        text = reader.whole()
    except _UnknownError:
        return None
    return Spelling(text, reader.ascii_only)


class _Part(msgspec.Struct, frozen=True):
    """A piece of a pattern, spelled."""

    text: str
    size: int
    repeats: bool = True
    """Whether it may be repeated."""
    ends: bool = False
    """Whether it holds a `$`, after which nothing may follow: it takes a last line break."""


class _Reader:
    """Reads a pattern by recursive descent, which the bound on its nesting makes safe."""

    def __init__(self, pattern: str) -> None:
        self._pattern = pattern
        self._at = 0
        self._flags = ""
        self._names: set[str] = set()
        self.ascii_only = False

    def whole(self) -> str:
        flags = _GLOBAL_FLAGS.match(self._pattern)
        if flags is not None:
            self._at = flags.end()
            self._set_flags(flags[1])
        part = self._either()
        if self._at < len(self._pattern):
            raise _UnknownError
        return f"(?i:{part.text})" if "i" in self._flags else part.text

    def _either(self) -> _Part:
        parts = [self._sequence()]
        while self._takes("|"):
            parts.append(self._sequence())
        size = sum(part.size + 1 for part in parts)
        return _Part("|".join(part.text for part in parts), size, ends=any(part.ends for part in parts))

    def _sequence(self) -> _Part:
        texts, size, ends = [], 0, False
        while self._at < len(self._pattern) and self._pattern[self._at] not in "|)":
            if ends:
                raise _UnknownError
            part = self._repeated(self._item())
            texts.append(part.text)
            size, ends = size + part.size, part.ends
            if size > LARGEST:
                raise _UnknownError
        return _Part("".join(texts), size, ends=ends)

    def _repeated(self, part: _Part) -> _Part:
        count = self._count()
        if count is None:
            return part
        if not part.repeats or part.ends:
            raise _UnknownError
        self._takes("?")  # what is found first does not matter
        if self._takes("+") or self._count() is not None:
            raise _UnknownError
        spelling, most = count
        return _Part(f"(?:{part.text}){spelling}", part.size * most + 1)

    def _count(self) -> tuple[str, int] | None:
        """The quantifier that comes next, and how often it makes RE2 copy what it repeats."""
        for mark in "*+?":
            if self._takes(mark):
                return mark, 1
        found = _COUNT.match(self._pattern, self._at)
        if found is None:
            return None
        self._at = found.end()
        least, most = int(found[1] or 0), found[3] if found[2] else found[1]
        if max(least, int(most or 0)) > _MOST_COUNT or (most and least > int(most)):
            raise _UnknownError
        return f"{{{least},{most}}}", max(least, int(most or 0), 1)

    def _item(self) -> _Part:
        character = self._pattern[self._at]
        if character == "(":
            return self._group()
        if character == "[":
            return self._set()
        if character == "\\":
            return self._escape()
        if self._count() is not None:
            raise _UnknownError
        self._at += 1
        if character == ".":
            return _Part("(?s:.)" if "s" in self._flags else ".", _ANY)
        if character == "^":
            return _Part("(?m:^)" if "m" in self._flags else r"\A", 1, repeats=False)
        if character == "$" and "m" in self._flags:
            return _Part("(?m:$)", 1, repeats=False)
        if character == "$":
            return _Part(r"\n?\z", 2, repeats=False, ends=True)
        return self._literal(ord(character))

    def _group(self) -> _Part:
        opening = _OPENING.match(self._pattern, self._at)
        assert opening is not None
        self._at = opening.end()
        if self._pattern.startswith("?", self._at):
            raise _UnknownError
        if opening[2] is not None:
            if not opening[2].isidentifier() or opening[2] in self._names:
                raise _UnknownError
            self._names.add(opening[2])
        before = self._flags
        self._set_flags(opening[1] or "")
        part = self._either()
        fold = "i" if "i" in self._flags and "i" not in before else ""
        self._flags = before
        if not self._takes(")"):
            raise _UnknownError
        return _Part(f"(?{fold}:{part.text})", part.size, ends=part.ends)

    def _set_flags(self, flags: str) -> None:
        self._flags += flags
        if "i" in flags:
            self.ascii_only = True

    def _escape(self) -> _Part:
        found, value = self._escaped()
        if value is not None:
            return self._literal(value)
        if found in ("A", "Z", "b"):
            self.ascii_only |= found == "b"
            return _Part({"A": r"\A", "Z": r"\z", "b": r"\b"}[found], 1, repeats=False)
        return _Part(f"[{_set_text(self._class(found))}]", _ANY)

    def _escaped(self) -> tuple[str, int | None]:
        """The escape that comes next: its letter, and the character that it stands for, if it does."""
        found = _ESCAPE.match(self._pattern, self._at)
        if found is None:
            raise _UnknownError
        self._at = found.end()
        for group in (1, 2, 3):
            if found[group]:
                return "", int(found[group], 16)
        if found[4] is not None:
            return "", int(found[4] or "0", 8)
        letter = found[5]
        if letter in _CONTROLS:
            return letter, _CONTROLS[letter]
        if letter.isascii() and letter.isalnum():
            return letter, None
        return letter, ord(letter)

    def _class(self, letter: str) -> _Ranges:
        """The characters of a class such as `\\d`, of which only those in ASCII are certain."""
        if letter.lower() not in _CLASSES:
            raise _UnknownError
        self.ascii_only = True
        ranges = _CLASSES[letter.lower()]
        return ranges if letter.islower() else _complement(ranges)

    def _set(self) -> _Part:
        self._at += 1
        negated = "^" if self._takes("^") else ""
        ranges: _Ranges = []
        first = True
        while first or not self._takes("]"):
            first = False
            ranges += self._member()
        wide = negated or any(last > 127 for _, last in ranges)
        return _Part(f"[{negated}{_set_text(ranges)}]", len(ranges) * (_ANY if wide else 1))

    def _member(self) -> _Ranges:
        """One character, range or class of a set."""
        start = self._set_character()
        if not self._pattern.startswith("-", self._at) or self._pattern.startswith("-]", self._at):
            return start if isinstance(start, list) else [(start, start)]
        self._at += 1
        end = self._set_character()
        if isinstance(start, list) or isinstance(end, list) or start > end:
            raise _UnknownError
        return [(start, end)]

    def _set_character(self) -> int | _Ranges:
        if self._at == len(self._pattern):
            raise _UnknownError
        if self._pattern[self._at] != "\\":
            self._at += 1
            return self._checked(ord(self._pattern[self._at - 1]))
        letter, value = self._escaped()
        if letter == "b":
            return 8
        return self._class(letter) if value is None else self._checked(value)

    def _literal(self, character: int) -> _Part:
        return _Part(_character(self._checked(character)), 1 if character < 128 else 4)

    def _checked(self, character: int) -> int:
        """The character, unless RE2 cannot hold it, or folds its case in another way than Python."""
        if 0xD800 <= character <= 0xDFFF or character > _LAST or ("i" in self._flags and character > 127):
            raise _UnknownError
        return character

    def _takes(self, mark: str) -> bool:
        taken = self._pattern.startswith(mark, self._at)
        self._at += taken
        return taken


def _complement(ranges: _Ranges) -> _Ranges:
    starts = [0, *(last + 1 for _, last in ranges)]
    ends = [*(first - 1 for first, _ in ranges), _LAST]
    return list(zip(starts, ends, strict=True))


def _set_text(ranges: Iterable[tuple[int, int]]) -> str:
    return "".join(f"{_character(first)}-{_character(last)}" for first, last in ranges)


def _character(character: int) -> str:
    spelled = chr(character)
    return spelled if spelled.isascii() and spelled.isalnum() else f"\\x{{{character:x}}}"
