"""JSON objects inside other text: in a log's lines, and in strings of JSON that hold JSON again."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from typing import NamedTuple

from retailops_sandbox import jsontext
from retailops_sandbox.errors import SourceError
from retailops_sandbox.model import Json

_LAYERS = 5
"""The most times that a JSON object may be quoted or escaped within another text."""
_MOST_WASTED = 20_000_000
"""The most characters that are read of what begins like a JSON object and is none."""
_TRY = 100
"""How many characters of the limit each attempt uses up, however early it fails."""
_TOO_DEEP = 10_000
"""How many characters of the limit a too deeply nested text uses up: detecting it takes as long."""
_WINDOW, _MARGIN = 100_000, 1_000
"""The characters in which an object's end is looked for first. A failure within the margin at their end may
mean that the object is longer."""
_opening = re.compile(r'\{(?:(?=\s*["}])|(?=\s*(\\+(?:"|x22|u0022))))')
"""The beginning of an object with a member; group 1 is the escape of its first key's quote, if it has one."""
_hex_escape = re.compile(r"(?:\\x[0-9A-Fa-f]{2})+")
_json_escape = re.compile(
    r'\\(?:u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|["\\/bfnrt])'
)
_closing_quote = re.compile(r'[^\\](?:\\\\)*"|[\r\n]')
_closing_single_quote = re.compile(r"[^\\](?:\\\\)*'")
_single_quote_escape = re.compile(r"\\(['\\])")
_NEAR = 200
"""The characters around an object in which other text is looked for."""
_scan = json.JSONDecoder().raw_decode


class Embedded(NamedTuple):
    """A JSON object inside a text."""

    value: dict[str, Json]
    at: int
    """The position in the text at which the object begins, or the outermost text that quotes it."""
    is_alone: bool = False
    """Whether nothing else stands on its lines."""


def objects(text: str, is_wanted: Callable[[Json], bool]) -> Iterator[Embedded]:
    """The outermost objects in a text for which `is_wanted` is true; what is not strict JSON is skipped."""
    return _Search(is_wanted).in_text(text, _LAYERS)


class _Search:
    """A search through texts that ends when too much of them begins like JSON and is none."""

    def __init__(self, is_wanted: Callable[[Json], bool]) -> None:
        self._is_wanted = is_wanted
        self._left = _MOST_WASTED

    def in_text(self, text: str, layers: int) -> Iterator[Embedded]:
        at = 0
        while self._left > 0 and (opening := _opening.search(text, at)):
            start = opening.start()
            if opening[1]:
                quoted, at = _quoted(text, start)
                for found in self.in_text(quoted, layers - 1) if layers else ():
                    yield Embedded(found.value, start)
                continue
            value, end = self._object(text, start)
            if not end and text[start - 1 : start] == "'":
                value, end = self._in_single_quotes(text, start)
            at = end or start + 1
            for each in self._in_value(value, layers):
                yield Embedded(each, start, each is value and _is_alone(text, start, end))

    def _in_value(self, value: Json, layers: int) -> Iterator[dict[str, Json]]:
        if isinstance(value, dict) and self._is_wanted(value):
            yield value
        elif isinstance(value, dict | list):
            for each in value.values() if isinstance(value, dict) else value:
                yield from self._in_value(each, layers)
        elif isinstance(value, str) and layers and "{" in value:
            for found in self.in_text(value, layers - 1):
                yield found.value

    def _object(self, text: str, start: int) -> tuple[Json, int]:
        """The object at `start`, None if it is not strict JSON; and its end, 0 if it is not JSON at all."""
        end = self._end(text, start)
        try:
            return (jsontext.parse(text[start:end]) if end else None), end
        except SourceError:
            return None, end

    def _in_single_quotes(self, text: str, start: int) -> tuple[Json, int]:
        """The object at `start` in single quotes, in which PHP and Python escape quotes; and their end.

        None and 0 if it is no JSON there either.
        """
        closing = _closing_single_quote.search(text, start, start + self._left)
        end = closing.end() if closing else min(start + self._left, len(text))
        self._left -= end - start
        plain = _hex_escape.sub(lambda run: _octets(run[0]), text[start : end - 1])
        try:
            value = jsontext.parse(_single_quote_escape.sub(r"\1", plain))
        except SourceError:
            return None, 0
        return value, end

    def _end(self, text: str, start: int) -> int:
        # First in a window: each time it fails, the JSON library counts the lines of the whole text given.
        for size in (_WINDOW, len(text)):
            window = text[start : start + size]
            try:
                return start + _scan(window)[1]
            except json.JSONDecodeError as error:
                self._left -= error.pos + _TRY
                if len(window) < size or not (
                    error.pos > len(window) - _MARGIN or error.msg.startswith("Unterminated")
                ):
                    return 0
            except RecursionError:
                self._left -= _TOO_DEEP
                return 0
        return 0


def _quoted(text: str, start: int) -> tuple[str, int]:
    """The text from `start` to the end of its string or line, unescaped once; and the position after it."""
    closing = _closing_quote.search(text, start)
    end = closing.end() - 1 if closing else len(text)
    written = text[start:end]
    plain = _hex_escape.sub(lambda run: _octets(run[0]), written)
    if plain == written:
        plain = _json_escape.sub(lambda escape: str(json.loads(f'"{escape[0]}"')), written)
    return plain, end + 1


def _is_alone(text: str, start: int, end: int) -> bool:
    """Whether only blanks and commas stand near a part of a text on its lines."""
    before = text[max(start - _NEAR, 0) : start].rpartition("\n")[2]
    behind = text[end : end + _NEAR].partition("\n")[0]
    return not (before + behind).strip(" \t\r,")


def _octets(run: str) -> str:
    """The text of `\\x..` escapes, one a byte as nginx writes them; the escapes where it is not UTF-8."""
    octets = bytes.fromhex(run.replace("\\x", ""))
    try:
        return octets.decode()
    except UnicodeDecodeError:
        return run
