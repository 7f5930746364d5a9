"""Commands as a POSIX shell reads them. Nothing is run and no file is read.

Variables become references (`found.refer`). Text that only running the shell
would give, such as the output of a command, is a SourceError with its place.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import msgspec

from retailops_sandbox.importing.found import refer
from retailops_sandbox.jsontext.text import error_at

_BLANKS = " \t\r"
_SHORT_ESCAPES = {
    **dict(zip("abeEfnrtv", "\a\b\x1b\x1b\f\n\r\t\v", strict=True)),
    **{each: each for each in "\\'\"?"},
}
_numeric_escape = re.compile(
    r"x([0-9a-fA-F]{1,2})|u([0-9a-fA-F]{1,4})|U([0-9a-fA-F]{1,8})|([0-7]{1,3})|c(.)", re.S
)
_variable = re.compile(r"\$(?:\{([A-Za-z_]\w*)\}|([A-Za-z_]\w*))", re.ASCII)
_operator = re.compile(r"\d*>>?&?|\d*<<<|\d*<<-?|\d*<|&&|\|\|?|;|&|\n")


class Command(msgspec.Struct, frozen=True):
    """A simple command, without its redirections."""

    at: int
    """The position in the text at which the command begins."""
    words: tuple[str, ...]
    places: tuple[int, ...]
    """The position in the text at which each word begins."""
    stdin: str | None
    """The text of its here-document or here-string."""
    piped: bool
    """Whether its output is the next command's input."""


def commands(text: str, *, file: str = "") -> list[Command]:
    """The commands of a text; SourceError, with the place, for text that only running a shell would give."""
    return list(_Reader(text, file).commands())


class _HereDocument(msgspec.Struct):
    end: str
    tabs: bool
    """Whether leading tabs are removed, as after `<<-`."""
    expands: bool
    command: int


class _Reader:
    def __init__(self, text: str, file: str) -> None:
        self.text = text
        self.file = file
        self.at = 0

    def commands(self) -> Iterator[Command]:
        words: list[str] = []
        places: list[int] = []
        stdin: str | None = None
        waiting: list[_HereDocument] = []
        read: list[Command] = []
        while True:
            self._skip_blanks()
            operator = _operator.match(self.text, self.at)
            if operator is None and self.at < len(self.text):
                places.append(self.at)
                words.append(self._word())
                continue
            sign = operator[0].lstrip("0123456789") if operator else ""
            start = self.at
            self.at = operator.end() if operator else self.at
            if sign == "<<<":
                self._skip_blanks()
                stdin = self._word() + "\n"
                continue
            if sign in ("<<", "<<-"):
                self._skip_blanks()
                begins = self.at
                end = self._word()
                expands = not any(quote in self.text[begins : self.at] for quote in "'\"\\")
                waiting.append(_HereDocument(end, sign == "<<-", expands, len(read)))
                continue
            if sign == "<":
                raise self._wrong(start, "reads a file", "put what is in the file there")
            if sign.startswith(">"):
                self._skip_blanks()
                self._word()
                continue
            if words:
                read.append(Command(places[0], tuple(words), tuple(places), stdin, sign == "|"))
            words, places, stdin = [], [], None
            if sign == "\n":
                for document in waiting:
                    content = self._here_document(document)
                    if document.command < len(read):
                        read[document.command] = msgspec.structs.replace(
                            read[document.command], stdin=content
                        )
                waiting = []
            if operator is None:
                if waiting:
                    raise self._wrong(start, f"the here-document {waiting[0].end!r} is missing", "add it")
                yield from read
                return

    def _skip_blanks(self) -> None:
        while self.at < len(self.text):
            if self.text[self.at] in _BLANKS:
                self.at += 1
            elif self.text.startswith(("\\\n", "\\\r\n"), self.at):
                self.at = self.text.index("\n", self.at) + 1
            elif self.text[self.at] == "#":
                end = self.text.find("\n", self.at)
                self.at = len(self.text) if end < 0 else end
            else:
                return

    def _word(self) -> str:
        """The word at the current position, without its quotes."""
        parts: list[str] = []
        while self.at < len(self.text):
            character = self.text[self.at]
            if character in _BLANKS or character in "\n|&;<>()":
                if character in "()":
                    raise self._wrong(self.at, "is for a subshell", "quote it, or leave it out")
                break
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
                parts.append(character)
                self.at += 1
        return "".join(parts)

    def _escaped(self) -> str:
        if self.text.startswith(("\\\n", "\\\r\n"), self.at):
            self.at = self.text.index("\n", self.at) + 1
            return ""
        escaped = self.text[self.at + 1 : self.at + 2]
        self.at += 2
        return escaped

    def _single_quoted(self) -> str:
        end = self.text.find("'", self.at + 1)
        if end < 0:
            raise self._wrong(self.at, "the quote ' is never closed", "close it")
        quoted = self.text[self.at + 1 : end]
        self.at = end + 1
        return quoted

    def _double_quoted(self) -> str:
        start = self.at
        self.at += 1
        parts: list[str] = []
        while self.at < len(self.text):
            character = self.text[self.at]
            if character == '"':
                self.at += 1
                return "".join(parts)
            parts.append(self._within_double_quotes(character))
        raise self._wrong(start, 'the quote " is never closed', "close it")

    def _within_double_quotes(self, character: str, escapes: str = '"\\$`') -> str:
        """The text of one character, variable or escape; only characters of `escapes` can be escaped."""
        if character == "\\":
            following = self.text[self.at + 1 : self.at + 2]
            if following == "\n" or (following and following in escapes):
                self.at += 2
                return following.replace("\n", "")
        elif character in "$`":
            return self._expansion()
        self.at += 1
        return character

    def _ansi_quoted(self) -> str:
        """The text of `$'...'`, which browsers' developer tools write for a text with an apostrophe."""
        start = self.at
        self.at += 2
        # Escapes of bytes may be parts of one character.
        octets = bytearray()
        while self.at < len(self.text):
            character = self.text[self.at]
            self.at += 1
            if character == "'":
                return self._decoded(start, bytes(octets))
            if character != "\\":
                octets += character.encode()
                continue
            numeric = _numeric_escape.match(self.text, self.at)
            if numeric:
                self.at = numeric.end()
                octets += self._numeric(numeric)
                continue
            escaped = self.text[self.at : self.at + 1]
            self.at += 1
            octets += _SHORT_ESCAPES.get(escaped, "\\" + escaped).encode()
        raise self._wrong(start, "the quote $' is never closed", "close it")

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
        raise self._wrong(start, f"the here-document {document.end!r} is never ended", f"add {document.end}")

    def _expanded(self, content: str, start: int) -> str:
        # Preceded by as many line breaks as in the whole text, so that errors name its line there.
        inner = _Reader("\n" * self.text.count("\n", 0, start) + content, self.file)
        inner.at = len(inner.text) - len(content)
        parts = []
        while inner.at < len(inner.text):
            parts.append(inner._within_double_quotes(inner.text[inner.at], "\\$`"))
        return "".join(parts)

    def _wrong(self, at: int, what: str, mend: str) -> Exception:
        return error_at(self.text, at, what, mend=mend, file=self.file)
