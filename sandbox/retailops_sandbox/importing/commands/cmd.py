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
        words, places, notes = _words(self._line, self._source)
        self._line = _Line()
        if words:
            self._read.append(
                Command(
                    at=places[0], words=tuple(words), places=tuple(places), piped=piped, notes=tuple(notes)
                )
            )


def _words(line: _Line, source: CommandText) -> tuple[list[str], list[int], list[str]]:
    """The words of a line, their places, and notes."""
    text = line.text()
    words: list[str] = []
    places: list[int] = []
    notes: list[str] = []
    at = 0
    while True:
        while at < len(text) and text[at] in " \t\n":
            at += 1
        if at == len(text):
            return words, places, notes
        place = line.place(at)
        word = _Word(text, at, of_browser=source.text.startswith('^"', place - 1))
        if not word.is_closed:
            raise source.wrong(place, 'a quote " is never closed', "close it")
        if word.had_doubled and not notes:
            notes.append(
                "its backslashes are doubled, as browsers on Windows copy them: they are read single"
            )
        words.append(word.text)
        places.append(place)
        at = word.end


class _Word:
    """The word at a position of a line.

    Browsers (`of_browser`) double each backslash that they copy; a program undoes that only before a quote.
    """

    def __init__(self, line: str, at: int, *, of_browser: bool) -> None:
        self._parts: list[str] = []
        self.had_doubled = False
        """Whether backslashes were doubled where no quote follows them."""
        quoted = False
        while at < len(line):
            if plain := (_plain_of_quoted if quoted else _plain_of_word).match(line, at):
                self._parts.append(plain[0])
                at = plain.end()
            elif backslashes := _backslashes.match(line, at):
                at = self._take(backslashes, of_browser)
            elif line[at] != '"':
                break
            elif quoted and line.startswith('""', at):
                self._parts.append('"')
                at += 2
            else:
                quoted = not quoted
                at += 1
        self.text = "".join(self._parts)
        self.is_closed = not quoted
        self.end = at

    def _take(self, backslashes: re.Match[str], of_browser: bool) -> int:
        """Take backslashes, and a quote that they escape; the position behind them."""
        count, is_before_quote = len(backslashes[1]), bool(backslashes[2])
        if not is_before_quote:
            doubled = of_browser and count % 2 == 0
            self.had_doubled |= doubled
            self._parts.append("\\" * (count // 2 if doubled else count))
            return backslashes.end(1)
        # Before a quote, two backslashes are one; one that is left escapes the quote.
        self._parts.append("\\" * (count // 2))
        if count % 2:
            self._parts.append('"')
        return backslashes.end() if count % 2 else backslashes.end(1)
