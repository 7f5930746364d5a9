"""JSON objects inside other text: a log's lines, and strings of JSON that hold JSON again."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from typing import NamedTuple

from sandbox import source
from sandbox.errors import SourceError
from sandbox.model import Json

_LAYERS = 5
"""How often JSON may be quoted in JSON, or escaped in a log."""
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
    return _in_text(text, is_wanted, _LAYERS)


def _in_text(text: str, is_wanted: Callable[[Json], bool], layers: int) -> Iterator[Embedded]:
    at = 0
    while opening := _opening.search(text, at):
        start = opening.start()
        if opening[1]:
            quoted, at = _quoted(text, start)
            if layers:
                for found in _in_text(quoted, is_wanted, layers - 1):
                    yield Embedded(found.value, start)
            continue
        value, end = _object(text, start)
        at = end or start + 1
        for each in _in_value(value, is_wanted, layers):
            yield Embedded(each, start)


def _in_value(value: Json, is_wanted: Callable[[Json], bool], layers: int) -> Iterator[dict[str, Json]]:
    if isinstance(value, dict) and is_wanted(value):
        yield value
    elif isinstance(value, dict | list):
        for each in value.values() if isinstance(value, dict) else value:
            yield from _in_value(each, is_wanted, layers)
    elif isinstance(value, str) and layers and "{" in value:
        for found in _in_text(value, is_wanted, layers - 1):
            yield found.value


def _object(text: str, start: int) -> tuple[Json, int]:
    """The object that begins there and where it ends; 0 where there is none."""
    try:
        _, end = _scan(text, start)
    except (json.JSONDecodeError, RecursionError):
        return None, 0
    try:
        return source.parse(text[start:end]), end
    except SourceError:
        return None, end


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
