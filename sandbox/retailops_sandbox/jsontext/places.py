"""The place in a JSON text that a pointer leads to, and errors with both."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from types import TracebackType

import msgspec

from retailops_sandbox.errors import SourceError
from retailops_sandbox.jsontext import pointer as pointers
from retailops_sandbox.jsontext.parsing import parse
from retailops_sandbox.jsontext.text import decoded, line_and_column
from retailops_sandbox.model import Json


def locate(text: bytes | str, pointer: str) -> tuple[int, int]:
    """Line and column, from 1, of the value at a pointer, or of its nearest ancestor that exists."""
    return places(text, (pointer,))[0]


def places(text: bytes | str, all_pointers: Iterable[str]) -> list[tuple[int, int]]:
    """The results of `locate` for many pointers into one text."""
    text = decoded(text)
    parse(text)
    return [line_and_column(text, find(text, pointers.parse(pointer))[0]) for pointer in all_pointers]


def error_in(text: bytes | str, pointer: str, what: str, *, mend: str = "", file: str = "") -> SourceError:
    """The error at a pointer into a text, with its line and column."""
    line, column = locate(text, pointer)
    return SourceError(what, mend=mend, file=file, line=line, column=column, pointer=pointer)


class placed:
    """A context that adds file, line and column to a SourceError with a pointer into a text."""

    # Not made of a generator, which takes longer than most checks in it, for each scenario file.
    def __init__(self, text: str, file: str) -> None:
        self._text = text
        self._file = file

    def __enter__(self) -> None:
        return None

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if isinstance(error, SourceError):
            error.file = self._file
            error.line, error.column = locate(self._text, error.pointer or "")


def span(text: str, pointer: str, document: Json = None) -> tuple[int, int] | None:
    """Where the value at a pointer starts and ends; None if there is none. `parse` must accept the text.

    `document` is the text's value. With it, a member whose name is nowhere else in the text is found at once.
    """
    tokens = pointers.parse(pointer)
    parent = document
    for token in tokens[:-1]:
        parent = parent.get(token) if isinstance(parent, dict) else None
    if isinstance(parent, dict) and tokens:
        if tokens[-1] not in parent:
            return None
        start = _only_member(text, tokens[-1])
        if start:
            return start, _read(text, start)[1]
    start, end, missing = find(text, tokens)
    return None if missing else (start, end)


def _only_member(text: str, name: str) -> int:
    """Where the value of a member starts whose name is spelled once in the text; 0 where it cannot be told.

    The text has a member of this name.
    """
    quoted = f'"{name}"'
    at = text.find(quoted)
    # With a backslash, the name may be spelled otherwise, and what looks like it be part of a string.
    if at < 0 or "\\" in text or text.find(quoted, at + 1) >= 0:
        return 0
    colon = _behind_space(text, at + len(quoted))
    return _behind_space(text, colon + 1)


def key_span(text: str, pointer: str) -> tuple[int, int] | None:
    """Where the key of the member at a pointer starts and ends; None if there is none. As for `span`."""
    *above, token = pointers.parse(pointer) or ("",)
    start, _, missing = find(text, tuple(above))
    found = (each for each in children(text, start) if each.key == token)
    child = None if missing else next(found, None)
    return None if child is None else (child.key_start, child.key_end)


class Child(msgspec.Struct, frozen=True):
    """A member or item, with the positions of its key and its value in the text.

    The key of an item is its position in the array, and has no extent in the text.
    """

    key: str | int
    key_start: int
    key_end: int
    start: int
    end: int


def find(text: str, tokens: tuple[str, ...]) -> tuple[int, int, int]:
    """Start and end of the value at the tokens, or of its nearest ancestor; the number of tokens below."""
    start = _behind_space(text, 0)
    end = len(text.rstrip(" \t\n\r"))
    for depth, token in enumerate(tokens):
        child = next((child for child in children(text, start) if str(child.key) == token), None)
        if child is None:
            return start, end, len(tokens) - depth
        start, end = child.start, child.end
    return start, end, 0


def children(text: str, start: int) -> Iterator[Child]:
    """The members or items of the container that starts at a position; none for any other value."""
    opening = text[start]
    at = _behind_space(text, start + 1)
    if opening not in "{[" or text[at] in "}]":
        return
    position = 0
    while True:
        key: str | int = position
        key_start = key_end = at
        if opening == "{":
            key, key_end = _read(text, at)
            at = _behind_space(text, _behind_space(text, key_end) + 1)
        _, end = _read(text, at)
        yield Child(key, key_start, key_end, at, end)
        at = _behind_space(text, end)
        if text[at] != ",":
            return
        at = _behind_space(text, at + 1)
        position += 1


_read = json.JSONDecoder().raw_decode
_space = re.compile(r"[ \t\n\r]*")


def _behind_space(text: str, at: int) -> int:
    if text[at : at + 1] > " ":  # as in compact texts, where a search would take longer
        return at
    space = _space.match(text, at)
    return space.end() if space else at
