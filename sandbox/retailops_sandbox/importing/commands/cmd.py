"""Commands as cmd.exe passes them to a program of Windows, as browsers there copy them. Nothing is run.

cmd.exe reads a line first: `^` escapes a character outside double quotes, or continues the line. The program
then splits what is left into words by the rules of Microsoft's C library: `\\"` and, inside quotes, `""` are
a quote.
"""

from __future__ import annotations

import re
from bisect import bisect_right

from retailops_sandbox.importing.commands.command import Command, CommandText
from retailops_sandbox.importing.found import refer

_prompt = re.compile(r"[A-Za-z]:\\[^<>|\r\n]*>")
_plain = re.compile(r'[^"^&|<>%\r\n]+')
_plain_in_quotes = re.compile(r'[^"%\r\n]+')
_line_end = re.compile(r"\r?\n")
_escaped_line_end = re.compile(r"\^\r?\n")
_variable = re.compile(r"%([A-Za-z_]\w*)%", re.ASCII)
_ends_command = re.compile(r"&&?|\|\|?|\r?\n")
_redirection = re.compile(r'[<>]+&?\s*(?:"[^"]*"|[^\s&|<>]*)')
_backslashes = re.compile(r'(\\+)("?)')
_plain_of_word = re.compile(r'[^"\\ \t\n]+')
_plain_of_quoted = re.compile(r'[^"\\]+')


def commands(source: CommandText) -> list[Command]:
    """The commands of a text; SourceError, with the place, for a quote that is never closed."""
    return _Lines(source).commands()


class _Line:
    """A command line as the program gets it, with where its parts stand in the text."""

    def __init__(self) -> None:
        self._parts: list[str] = []
        self._length = 0
        self._offsets: list[int] = []
        self._places: list[int] = []

    def add(self, part: str, at: int) -> None:
        self._parts.append(part)
        self._offsets.append(self._length)
        self._places.append(at)
        self._length += len(part)

    def text(self) -> str:
        return "".join(self._parts)

    def place(self, offset: int) -> int:
        """The position in the text of a position in the line."""
        part = bisect_right(self._offsets, offset) - 1
        return self._places[part] + offset - self._offsets[part]


class _Lines:
    """Reads a text as cmd.exe does."""

    def __init__(self, source: CommandText) -> None:
        self._source = source
        self._text = source.text
        self._at = 0
        self._line = _Line()
        self._read: list[Command] = []

    def commands(self) -> list[Command]:
        quoted = False
        self._skip_prompt()
        while self._at < len(self._text):
            plain = (_plain_in_quotes if quoted else _plain).match(self._text, self._at)
            if plain:
                self._add(plain[0], plain.end())
            elif variable := _variable.match(self._text, self._at):
                self._add(refer(variable[1]), variable.end())
            elif self._text[self._at] == '"':
                quoted = not quoted
                self._add('"', self._at + 1)
            elif self._text[self._at] == "^":
                self._escape()
            elif ended := _ends_command.match(self._text, self._at):
                quoted = False
                self._at = ended.end()
                self._end(piped=ended[0] == "|")
                self._skip_prompt()
            elif not quoted and (redirection := _redirection.match(self._text, self._at)):
                self._at = redirection.end()
            else:
                self._add(self._text[self._at], self._at + 1)
        self._end(piped=False)
        return self._read

    def _skip_prompt(self) -> None:
        if prompt := _prompt.match(self._text, self._at):
            self._at = prompt.end()

    def _add(self, part: str, end: int) -> None:
        self._line.add(part, self._at)
        self._at = end

    def _escape(self) -> None:
        """Add the character behind `^`; behind `^` and a line's end it is the next line's first one."""
        continued = _escaped_line_end.match(self._text, self._at)
        self._at = continued.end() if continued else self._at + 1
        if line_end := _line_end.match(self._text, self._at):
            self._add("\n", line_end.end())
        elif self._text[self._at : self._at + 1] == "^" and continued:
            self._escape()
        elif self._at < len(self._text):
            self._add(self._text[self._at], self._at + 1)

    def _end(self, *, piped: bool) -> None:
        words, places = _words(self._line, self._source)
        self._line = _Line()
        if words:
            self._read.append(Command(at=places[0], words=tuple(words), places=tuple(places), piped=piped))


def _words(line: _Line, source: CommandText) -> tuple[list[str], list[int]]:
    """The words of a line, and their places."""
    text = line.text()
    words: list[str] = []
    places: list[int] = []
    at = 0
    while True:
        while at < len(text) and text[at] in " \t\n":
            at += 1
        if at == len(text):
            return words, places
        start = at
        word, at = _word(text, at)
        if at < 0:
            raise source.wrong(line.place(start), 'a quote " is never closed', "close it")
        words.append(word)
        places.append(line.place(start))


def _word(text: str, at: int) -> tuple[str, int]:
    """The word at a position and the position behind it; -1 where a quote is never closed."""
    parts: list[str] = []
    quoted = False
    while at < len(text):
        if plain := (_plain_of_quoted if quoted else _plain_of_word).match(text, at):
            parts.append(plain[0])
            at = plain.end()
        elif backslashes := _backslashes.match(text, at):
            count, at = len(backslashes[1]), backslashes.end(1)
            if not backslashes[2]:
                parts.append(backslashes[1])
                continue
            # Before a quote, two backslashes are one; one that is left escapes the quote.
            parts.append("\\" * (count // 2))
            if count % 2:
                parts.append('"')
                at += 1
        elif text[at] != '"':
            break
        elif quoted and text.startswith('""', at):
            parts.append('"')
            at += 2
        else:
            quoted = not quoted
            at += 1
    return "".join(parts), -1 if quoted else at
