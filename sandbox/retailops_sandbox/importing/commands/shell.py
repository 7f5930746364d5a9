"""Commands as a POSIX shell reads them. Nothing is run and no file is read.

Variables become references (`found.refer`). Text that only running the shell would give, such as the output
of a command, is a SourceError with its place. Commands as pages show them are read as they were meant, with a
note: a line that begins with an option continues the command before it, and blanks may follow the backslash
that ends a line.
"""

from __future__ import annotations

import re

import msgspec

from retailops_sandbox.errors import SourceError
from retailops_sandbox.importing.commands.command import Command, CommandText
from retailops_sandbox.importing.found import refer, shown

_SHORT_ESCAPES = {
    **dict(zip("abeEfnrtv", "\a\b\x1b\x1b\f\n\r\t\v", strict=True)),
    **{each: each for each in "\\'\"?"},
}
_numeric_escape = re.compile(
    r"x([0-9a-fA-F]{1,2})|u([0-9a-fA-F]{1,4})|U([0-9a-fA-F]{1,8})|([0-7]{1,3})|c(.)", re.S
)
_variable = re.compile(r"\$(?:\{([A-Za-z_]\w*)\}|([A-Za-z_]\w*))", re.ASCII)
_assigned_output = re.compile(
    r"""([A-Za-z_]\w*=)\$\((?:[^()'"\\]|'[^']*'|"(?:[^"\\]|\\.)*"|\\.)*+\)(?=[ \t\r]*(?:\n|;|\Z))""", re.S
)
"""An assignment of what a command prints, which our own export has for a signature: a credential."""
_operator = re.compile(r"\d*>>?&?|\d*<<<|\d*<<-?|\d*<|&&|\|\|?|;|&|\n")
_blanks = re.compile(r"[ \t\r]+")
_continued = re.compile(r"\\([ \t]*)\r?\n(?:[ \t]*>[ \t]+(?=--?[A-Za-z]))?")
"""The end of a continued line, with a shell's second prompt before an option on the next one."""
_plain = re.compile(r"[^ \t\r\n|&;<>()'\"\\$`]+")
_plain_in_double_quotes = re.compile(r'[^"\\$`]+')
_plain_in_ansi_quotes = re.compile(r"[^'\\]+")
_option_line = re.compile(r"(?:[ \t\r]*\n)*[ \t]*(?=--?[A-Za-z])")
"""The space before an option that begins a line, with the empty lines before it."""


def commands(source: CommandText) -> list[Command]:
    """The commands of a text; SourceError, with the place, for text that only running a shell would give."""
    return _Reader(source).commands()


class _HereDocument(msgspec.Struct):
    end: str
    tabs: bool
    """Whether leading tabs are removed, as after `<<-`."""
    expands: bool
    command: int
    """The position of its command among the commands."""


class _Begun(msgspec.Struct):
    """A command of which more may follow."""

    words: list[str] = []
    places: list[int] = []
    notes: list[str] = []
    stdin: str | None = None
    escaped_quote: int = -1

    def whole(self, *, piped: bool) -> Command:
        return Command(
            at=self.places[0],
            words=tuple(self.words),
            places=tuple(self.places),
            stdin=self.stdin,
            piped=piped,
            notes=tuple(dict.fromkeys(self.notes)),
            escaped_quote=self.escaped_quote,
        )


class _Reader:
    def __init__(self, source: CommandText) -> None:
        self.source = source
        self.text = source.text
        self.at = 0
        self._read: list[Command] = []
        self._begun = _Begun()
        self._waiting: list[_HereDocument] = []

    def commands(self) -> list[Command]:
        while True:
            self._skip_blanks()
            operator = _operator.match(self.text, self.at)
            if operator is not None:
                self._take_operator(operator)
            elif not self._begun.words and (output := _assigned_output.match(self.text, self.at)):
                self._begun.places.append(self.at)
                self._begun.words.append(output[1])
                self.at = output.end()
            elif self.at < len(self.text):
                self._begun.places.append(self.at)
                self._begun.words.append(self._word())
            else:
                self._end_command(piped=False)
                if self._waiting:
                    end = shown(self._waiting[0].end)
                    raise self._wrong(self.at, f"the here-document '{end}' is missing", "add it")
                return self._read

    def _take_operator(self, operator: re.Match[str]) -> None:
        sign = operator[0].lstrip("0123456789")
        start, self.at = self.at, operator.end()
        if sign == "<<<":
            self._skip_blanks()
            self._begun.stdin = self._word() + "\n"
        elif sign in ("<<", "<<-"):
            self._skip_blanks()
            begins = self.at
            end = self._word()
            expands = not any(quote in self.text[begins : self.at] for quote in "'\"\\")
            self._waiting.append(_HereDocument(end, sign == "<<-", expands, len(self._read)))
        elif sign == "<":
            raise self._wrong(start, "reads a file", "put what is in the file there")
        elif sign.startswith(">"):
            self._skip_blanks()
            self._word()
        elif sign == "\n":
            self._end_line()
        else:
            self._end_command(piped=sign == "|")

    def _end_line(self) -> None:
        continues = self._begun.words and not self._waiting
        if continues and (following := _option_line.match(self.text, self.at)):
            self.at = following.end()
            line = self.source.line(self.at)
            self._begun.notes.append(f"line {line} begins with an option: it is read as part of the command")
            return
        self._end_command(piped=False)
        for document in self._waiting:
            content = self._here_document(document)
            if document.command < len(self._read):
                command = self._read[document.command]
                self._read[document.command] = msgspec.structs.replace(command, stdin=content)
        self._waiting = []

    def _end_command(self, *, piped: bool) -> None:
        if self._begun.words:
            self._read.append(self._begun.whole(piped=piped))
        self._begun = _Begun()

    def _skip_blanks(self) -> None:
        while self.at < len(self.text):
            if blanks := _blanks.match(self.text, self.at):
                self.at = blanks.end()
            elif self.text[self.at] == "#":
                end = self.text.find("\n", self.at)
                self.at = len(self.text) if end < 0 else end
            elif not self._skip_continuation():
                return

    def _skip_continuation(self) -> bool:
        """Skip a backslash that ends a line, also with blanks behind it; whether there is one."""
        continued = _continued.match(self.text, self.at)
        if continued is None:
            return False
        if continued[1]:
            line = self.source.line(self.at)
            note = f"blanks follow the backslash that ends line {line}: they are left out"
            self._begun.notes.append(note)
        self.at = continued.end()
        return True

    def _word(self) -> str:
        """The word at the current position, without its quotes."""
        parts: list[str] = []
        while self.at < len(self.text):
            if plain := _plain.match(self.text, self.at):
                parts.append(plain[0])
                self.at = plain.end()
                continue
            character = self.text[self.at]
            if character in "()":
                raise self._wrong(self.at, "is for a subshell", "quote it, or leave it out")
            if character == "'":
                parts.append(self._single_quoted())
            elif character == '"':
                parts.append(self._double_quoted())
            elif self.text.startswith("$'", self.at):
                parts.append(self._ansi_quoted())
            elif character == "\\":
                parts.append(self._escaped())
            elif character in "$`":
                parts.append(self._expansion())
            else:
                break
        return "".join(parts)

    def _escaped(self) -> str:
        if self._skip_continuation():
            return ""
        escaped = self.text[self.at + 1 : self.at + 2]
        self.at += 2
        return escaped

    def _single_quoted(self) -> str:
        end = self.text.find("'", self.at + 1)
        if end < 0:
            raise self._unclosed(self.at, "'")
        quoted = self.text[self.at + 1 : end]
        following = self.text[end + 1 : end + 2]
        # A backslash before the last quote is ordinary where a blank or another quote follows it.
        if quoted.endswith("\\") and following and following not in " \t\r\n;|&\"'\\":
            self._begun.escaped_quote = end - 1
        self.at = end + 1
        return quoted

    def _double_quoted(self) -> str:
        start = self.at
        self.at += 1
        parts: list[str] = []
        while self.at < len(self.text):
            if self.text[self.at] == '"':
                self.at += 1
                return "".join(parts)
            parts.append(self._within_double_quotes())
        raise self._unclosed(start, '"')

    def _within_double_quotes(self, escapes: str = '"\\$`') -> str:
        """The next text, variable or escape; only characters of `escapes` can be escaped."""
        plain = _plain_in_double_quotes.match(self.text, self.at)
        if plain:
            self.at = plain.end()
            return plain[0]
        character = self.text[self.at]
        if character == "\\":
            continued = _continued.match(self.text, self.at)
            if continued and not continued[1]:
                self.at = continued.end()
                return ""
            following = self.text[self.at + 1 : self.at + 2]
            if following and following in escapes:
                self.at += 2
                return following
        elif character in "$`":
            return self._expansion()
        self.at += 1
        return character

    def _unclosed(self, start: int, quote: str) -> SourceError:
        """The error of a quote that is never closed, or of the escaped quote that it is probably due to."""
        if self._begun.escaped_quote >= 0:
            return self.source.escaped_quote(self._begun.escaped_quote)
        return self._wrong(start, f"the quote {quote} is never closed", "close it")

    def _ansi_quoted(self) -> str:
        """The text of `$'...'`, which browsers' developer tools write for a text with an apostrophe."""
        start = self.at
        self.at += 2
        # Escapes of bytes may be parts of one character.
        octets = bytearray()
        while self.at < len(self.text):
            if plain := _plain_in_ansi_quotes.match(self.text, self.at):
                octets += plain[0].encode()
                self.at = plain.end()
                continue
            character = self.text[self.at]
            self.at += 1
            if character == "'":
                return self._decoded(start, bytes(octets))
            numeric = _numeric_escape.match(self.text, self.at)
            if numeric:
                self.at = numeric.end()
                octets += self._numeric(numeric)
                continue
            escaped = self.text[self.at : self.at + 1]
            self.at += 1
            octets += _SHORT_ESCAPES.get(escaped, "\\" + escaped).encode()
        raise self._unclosed(start, "$'")

    def _numeric(self, escape: re.Match[str]) -> bytes:
        octet, short, long, octal, control = escape.groups()
        if octet or octal:
            return bytes([int(octet, 16) if octet else int(octal, 8) & 0xFF])
        if control:
            return bytes([ord(control) & 0x1F])
        code = int(short or long, 16)
        if code > 0x10FFFF or 0xDC00 <= code < 0xE000:
            raise self._wrong(escape.start() - 1, f"{escape[0]} is no character", "correct it")
        if 0xD800 <= code < 0xDC00:
            # Developer tools write a character beyond the first 65,536 as the two that UTF-16 has for it.
            second = re.compile(r"\\u([dD][c-fC-F][0-9a-fA-F]{2})").match(self.text, self.at)
            if second is None:
                raise self._wrong(escape.start() - 1, f"{escape[0]} is half a character", "correct it")
            self.at = second.end()
            code = 0x10000 + ((code - 0xD800) << 10) + (int(second[1], 16) - 0xDC00)
        return chr(code).encode()

    def _decoded(self, start: int, octets: bytes) -> str:
        try:
            return octets.decode()
        except UnicodeDecodeError:
            raise self._wrong(start, "what is quoted is not UTF-8", "give it as base64, or as text") from None

    def _expansion(self) -> str:
        """The reference for a variable; `$` itself where it begins none."""
        variable = _variable.match(self.text, self.at)
        if variable:
            self.at = variable.end()
            return refer(variable[1] or variable[2])
        if self.text.startswith(("$(", "`"), self.at):
            raise self._wrong(self.at, "a command would be run here", "put what it prints there")
        if self.text.startswith("${", self.at):
            raise self._wrong(
                self.at, "a shell's ${...} is expanded here", "put its value there, or quote it"
            )
        self.at += 1
        return "$"

    def _here_document(self, document: _HereDocument) -> str:
        lines: list[str] = []
        start = self.at
        while self.at < len(self.text):
            end = self.text.find("\n", self.at)
            end = len(self.text) if end < 0 else end
            line = self.text[self.at : end].removesuffix("\r")
            line = line.lstrip("\t") if document.tabs else line
            self.at = min(end + 1, len(self.text))
            if line == document.end:
                content = "".join(f"{each}\n" for each in lines)
                return self._expanded(content, start) if document.expands else content
            lines.append(line)
        name = shown(document.end)
        raise self._wrong(start, f"the here-document '{name}' is never ended", f"add {name}")

    def _expanded(self, content: str, start: int) -> str:
        inner = _Reader(_HereText(content, self.source, start))
        parts = []
        while inner.at < len(content):
            parts.append(inner._within_double_quotes("\\$`"))
        return "".join(parts)

    def _wrong(self, at: int, what: str, mend: str) -> SourceError:
        return self.source.wrong(at, what, mend)


class _HereText(CommandText):
    """The content of a here-document, whose errors name the line in the text around it."""

    def __init__(self, content: str, around: CommandText, start: int) -> None:
        super().__init__(content, "")
        self._around = around
        self._start = start

    def wrong(self, at: int, what: str, mend: str) -> SourceError:
        place = self._start
        for _ in range(self.text.count("\n", 0, at)):
            place = self._around.text.index("\n", place) + 1
        return self._around.wrong(place, what, mend)
