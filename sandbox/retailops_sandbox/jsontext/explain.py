"""The first mistake in a text that is not strict JSON: where it is, what it is, how to fix it."""

from __future__ import annotations

import json
import re

from retailops_sandbox.errors import SourceError, shortened
from retailops_sandbox.jsontext import pointer as pointers
from retailops_sandbox.jsontext.spelling import quoted
from retailops_sandbox.jsontext.text import MAX_DEPTH, depth, error_at, line_and_column, number_problem
from retailops_sandbox.model import Json

_SHOWN = 40
"""Characters of a word or number that a message quotes."""


_EXACT = 128 * 1024
"""The characters in which a mistake of a text that is no file is named with its pointer: reading more takes
long, and whoever answers decides how much that is."""


def explain(text: str, file: str) -> SourceError:
    """The first mistake of a text that `parsing.parse` refuses."""
    try:
        _Reader(text, file).document()
    except SourceError as error:
        return error
    except _Beyond:
        return _far_mistake(text, file)
    raise AssertionError("the exact reader accepts what the fast decoders refuse")


_space = re.compile(r"[ \t\n\r]*")
_number = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?")
_numberlike = re.compile(r"[-+.0-9][-+.\w]*")
_word = re.compile(r"[^\W\d]\w*")
_unquoted = re.compile(r"[^\s,\[\]{}\"]+")
_ordinary = re.compile(r'[^"\\\x00-\x1f]*')
_escape = re.compile(r'\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})')
_high = re.compile(r"\\u[dD][89abAB]")
_low = re.compile(r"\\u[dD][c-fC-F]")

_WORD_MENDS = {
    "True": "JSON spells it true",
    "False": "JSON spells it false",
    "None": "JSON spells it null",
    "undefined": "use null",
    "NaN": "JSON has no NaN; use null or a string",
    "Infinity": "JSON has no Infinity; use null or a string",
}
_CHARACTER_MENDS = {
    "'": "text takes double quotes",
    "/": "JSON has no comments; remove it",
    "#": "JSON has no comments; remove it",
}
_CONTROL_MENDS = {"\n": r"write \n, or close the string", "\t": r"write \t", "\r": r"write \r"}


class _Reader:
    """Reads a text as strictly as `parse`. A method takes the position at which something starts, and returns
    the position behind it.

    Each level of nesting takes two frames of Python's stack; MAX_DEPTH bounds them.
    """

    def __init__(self, text: str, file: str) -> None:
        self.text = text
        self.file = file
        self.path: list[str | int] = []
        self.until = len(text) if file else _EXACT

    def document(self) -> None:
        at = self.space(0)
        if at == len(self.text):
            raise self.error(0, "the text is empty", "write a JSON value")
        at = self.space(self.value(at))
        if at < len(self.text):
            raise self.unexpected(at, "the end of the text")

    def value(self, at: int) -> int:
        if at > self.until:
            raise _Beyond
        character = self.text[at : at + 1]
        if character == '"':
            return self.string(at)
        if character in ("{", "["):
            if len(self.path) == MAX_DEPTH:
                self.path.clear()  # the message omits the pointer, which is too long to be of use
                raise self.error(at, f"nested deeper than {MAX_DEPTH} levels", "flatten it")
            return self.object(at) if character == "{" else self.array(at)
        if _numberlike.match(self.text, at):
            return self.number(at)
        word = _word.match(self.text, at)
        if word and word[0] in ("true", "false", "null"):
            return word.end()
        raise self.unexpected(at, "a value")

    def object(self, at: int) -> int:
        at = self.space(at + 1)
        if self.text[at : at + 1] == "}":
            return at + 1
        first: dict[str, int] = {}
        while True:
            if self.text[at : at + 1] != '"':
                raise self.unexpected(at, "a key in double quotes")
            end = self.string(at)
            key: str = json.loads(self.text[at:end])
            self.path.append(key)
            if key in first:
                line, _ = line_and_column(self.text, first[key])
                mend = f"remove one; the first is on line {line}"
                raise self.error(at, f"duplicate key {quoted(key)}", mend)
            first[key] = at
            at = self.space(end)
            if self.text[at : at + 1] != ":":
                raise self.unexpected(at, f"a colon after {quoted(key)}")
            at = self.space(self.value(self.space(at + 1)))
            if self.text[at : at + 1] == "}":
                self.path.pop()
                return at + 1
            at = self.comma(at, "}")
            self.path.pop()

    def array(self, at: int) -> int:
        at = self.space(at + 1)
        if self.text[at : at + 1] == "]":
            return at + 1
        position = 0
        while True:
            self.path.append(position)
            at = self.space(self.value(at))
            if self.text[at : at + 1] == "]":
                self.path.pop()
                return at + 1
            at = self.comma(at, "]")
            self.path.pop()
            position += 1

    def comma(self, at: int, closing: str) -> int:
        if self.text[at : at + 1] != ",":
            raise self.unexpected(at, f"a comma or {closing}")
        after = self.space(at + 1)
        if self.text[after : after + 1] == closing:
            raise self.error(at, f"a comma before {closing}", "remove the comma")
        return after

    def string(self, start: int) -> int:
        at = start + 1
        while True:
            at = _behind(_ordinary, self.text, at)
            character = self.text[at : at + 1]
            if character == '"':
                return at + 1
            if character == "\\":
                if at > self.until:
                    raise _Beyond
                at = self.escape(at)
            elif character:
                mend = _CONTROL_MENDS.get(character, f"write \\u{ord(character):04x}")
                raise self.error(at, f"a string cannot hold the control character {character!r}", mend)
            else:
                raise self.error(start, "the string is not closed", "add the closing quote")

    def escape(self, at: int) -> int:
        escape = _escape.match(self.text, at)
        if not escape:
            what = f"{self.text[at : at + 2]!a} starts no escape of JSON"
            raise self.error(at, what, r"write \\ for a backslash")
        if _high.match(self.text, at) and _low.match(self.text, escape.end()):
            second = _escape.match(self.text, escape.end())
            return second.end() if second else escape.end()
        if _high.match(self.text, at) or _low.match(self.text, at):
            what = f"{escape[0]} is half of a surrogate pair"
            raise self.error(at, what, "write both halves, or the character itself")
        return escape.end()

    def number(self, at: int) -> int:
        end, spelling = _behind(_number, self.text, at), self.text[at : _behind(_numberlike, self.text, at)]
        if self.text[at:end] != spelling:
            spelling = _unquoted_at(self.text, at)
            mend = _WORD_MENDS.get(spelling.lstrip("+-")) or _number_mend(spelling)
            raise self.error(at, f"{shortened(spelling, _SHOWN)} is not a number of JSON", mend)
        problem = number_problem(spelling)
        if problem:
            raise self.error(at, problem, "write it as a string")
        return end

    def space(self, at: int) -> int:
        return _behind(_space, self.text, at)

    def unexpected(self, at: int, expected: str) -> SourceError:
        if at >= len(self.text):
            return self.error(at, f"expected {expected}, found the end of the text", "is it cut off?")
        word = _word.match(self.text, at) or _numberlike.match(self.text, at)
        there = shortened(_unquoted_at(self.text, at), _SHOWN) if word else _visible(self.text[at])
        mend = _WORD_MENDS.get(there) or _CHARACTER_MENDS.get(there) or _missing_mend(expected, there)
        return self.error(at, f"expected {expected}, found {there}", mend)

    def error(self, at: int, what: str, mend: str) -> SourceError:
        return error_at(self.text, at, what, mend=mend, file=self.file, pointer=pointers.join(self.path))


class _Beyond(Exception):
    """There is no mistake within the characters that are read exactly."""


def _far_mistake(text: str, file: str) -> SourceError:
    """The first mistake of a long text by the decoder of the standard library, without a pointer."""
    if depth(text) > MAX_DEPTH:
        return SourceError(f"nested deeper than {MAX_DEPTH} levels", mend="flatten it", file=file)
    try:
        json.loads(text, object_pairs_hook=_refuse_duplicates, parse_constant=_refuse_constant)
    except json.JSONDecodeError as error:
        at = error.pos
        if error.msg == "Extra data":
            return _Reader(text, file).unexpected(at, "the end of the text")
        what = _FAR_WORDS.get(error.msg, "")
        if error.msg.startswith("Unterminated string"):
            return error_at(text, at, "the string is not closed", mend="add the closing quote", file=file)
        before = text[:at].rstrip()
        if what == "a value" and before.endswith(",") and text[at : at + 1] in ("]", "}"):
            what = f"a comma before {text[at]}"
            return error_at(text, len(before) - 1, what, mend="remove the comma", file=file)
        if what:
            return _without_pointer(_Reader(text, file).unexpected(at, what))
        return error_at(text, at, error.msg[0].lower() + error.msg[1:].removesuffix(" at"), file=file)
    except _FarMistake as mistake:
        return SourceError(mistake.what, mend=mistake.mend, file=file)
    what = "a number, or half of a surrogate pair, is not allowed"
    return SourceError(what, mend="write it as a string, or write both halves", file=file)


def _without_pointer(error: SourceError) -> SourceError:
    error.pointer = None
    return error


_FAR_WORDS = {
    "Expecting value": "a value",
    "Expecting ',' delimiter": "a comma or the end of the array or object",
    "Expecting ':' delimiter": "a colon after the key",
    "Expecting property name enclosed in double quotes": "a key in double quotes",
}
"""What was expected, by the message of the standard library's decoder."""


class _FarMistake(Exception):
    """A mistake that the standard library's decoder does not mind."""

    def __init__(self, what: str, mend: str) -> None:
        super().__init__(what)
        self.what = what
        self.mend = mend


def _refuse_duplicates(pairs: list[tuple[str, Json]]) -> None:
    seen: set[str] = set()
    for key, _ in pairs:
        if key in seen:
            raise _FarMistake(f"duplicate key {quoted(key)}", "remove one")
        seen.add(key)


def _refuse_constant(word: str) -> None:
    raise _FarMistake(f"expected a value, found {word}", _WORD_MENDS.get(word.lstrip("-"), ""))


def _unquoted_at(text: str, at: int) -> str:
    """The text without quotes that stands at a position, as far as what may follow a value."""
    return text[at : _behind(_unquoted, text, at)]


def _behind(pattern: re.Pattern[str], text: str, at: int) -> int:
    """Where a match that starts at a position ends; the position itself if nothing matches."""
    match = pattern.match(text, at)
    return match.end() if match else at


def _visible(character: str) -> str:
    return character if character.isprintable() and character != " " else ascii(character)


def _missing_mend(expected: str, there: str) -> str:
    if there in ("}", "]", ",", ":"):
        return ""
    if expected.startswith("a comma"):
        return "add the comma"
    return "text takes double quotes" if there[0].isalpha() else ""


def _number_mend(spelling: str) -> str:
    digits = spelling.lstrip("-")
    if digits.startswith("+"):
        return "remove the +"
    if digits.startswith("."):
        return "write a 0 before the point"
    if len(digits) > 1 and digits.startswith("0") and digits.isdigit():
        return "remove the leading zero, or write it as a string"
    return "write it as a string"
