"""JSON objects inside other text: a log's lines, and strings of JSON that hold JSON again."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from typing import NamedTuple

from retailops_sandbox import jsontext
from retailops_sandbox.errors import SourceError
from retailops_sandbox.model import Json

_LAYERS = 5
"""How often JSON may be quoted in JSON, or escaped in a log."""
_PATIENCE = 20_000_000
"""Characters that may be read in vain."""
_TOO_DEEP = 10_000
"""What it costs to find that something is nested too deeply, in characters."""
_WINDOW, _MARGIN = 100_000, 1_000
"""How far to look for an object's end at first; what fails so near the end of that may be longer."""
_opening = re.compile(r'\{(?:(?=\s*["}])|(?=\s*(\\+(?:"|x22|u0022))))')
"""Of an object that is not empty: its first key is quoted, or the quote is escaped (group 1)."""
_hex_escape = re.compile(r"(?:\\x[0-9A-Fa-f]{2})+")
_json_escape = re.compile(
    r'\\(?:u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|["\\/bfnrt])'
)
_closing_quote = re.compile(r'[^\\](?:\\\\)*"|[\r\n]')
_scan = json.JSONDecoder().raw_decode


class Embedded(NamedTuple):
    """A JSON object, and where in the text it begins."""

    value: dict[str, Json]
    at: int


def objects(text: str, is_wanted: Callable[[Json], bool]) -> Iterator[Embedded]:
    """The outermost objects in a text that are wanted; what is no strict JSON is passed over."""
    return _Search(is_wanted).in_text(text, _LAYERS)


class _Search:
    """Looks into texts, until too much of them was begun like JSON and is none."""

    def __init__(self, is_wanted: Callable[[Json], bool]) -> None:
        self._is_wanted = is_wanted
        self._patience = _PATIENCE

    def in_text(self, text: str, layers: int) -> Iterator[Embedded]:
        at = 0
        while self._patience > 0 and (opening := _opening.search(text, at)):
            start = opening.start()
            if opening[1]:
                quoted, at = _quoted(text, start)
                for found in self.in_text(quoted, layers - 1) if layers else ():
                    yield Embedded(found.value, start)
                continue
            value, end = self._object(text, start)
            at = end or start + 1
            for each in self._in_value(value, layers):
                yield Embedded(each, start)

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
        """The object that begins there and where it ends; 0 where there is none."""
        end = self._end(text, start)
        try:
            return (jsontext.parse(text[start:end]) if end else None), end
        except SourceError:
            return None, end

    def _end(self, text: str, start: int) -> int:
        # First in a window: the library counts the lines of all that it was given, each time that it fails.
        for size in (_WINDOW, len(text)):
            window = text[start : start + size]
            try:
                return start + _scan(window)[1]
            except json.JSONDecodeError as error:
                self._patience -= error.pos
                if len(window) < size or not (
                    error.pos > len(window) - _MARGIN or error.msg.startswith("Unterminated")
                ):
                    return 0
            except RecursionError:
                self._patience -= _TOO_DEEP
                return 0
        return 0


def _quoted(text: str, start: int) -> tuple[str, int]:
    """What is quoted from there to the end of its string or line, unescaped once; and that end."""
    closing = _closing_quote.search(text, start)
    end = closing.end() - 1 if closing else len(text)
    written = text[start:end]
    plain = _hex_escape.sub(lambda run: _octets(run[0]), written)
    if plain == written:
        plain = _json_escape.sub(lambda escape: str(json.loads(f'"{escape[0]}"')), written)
    return plain, end + 1


def _octets(run: str) -> str:
    """What nginx wrote byte by byte."""
    octets = bytes.fromhex(run.replace("\\x", ""))
    try:
        return octets.decode()
    except UnicodeDecodeError:
        return run
