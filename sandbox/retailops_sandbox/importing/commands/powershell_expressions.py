"""Expressions of PowerShell: texts, here-strings, tables, variables, a few of .NET's methods."""

from __future__ import annotations

import re

from retailops_sandbox.errors import SourceError
from retailops_sandbox.importing.commands.command import CommandText
from retailops_sandbox.importing.commands.powershell_values import (
    MOST_CHARACTERS,
    Value,
    as_text,
    call,
    cast,
    member,
    static,
)
from retailops_sandbox.importing.found import refer, shown
from retailops_sandbox.jsontext.text import number_problem
from retailops_sandbox.model import Number

_space = re.compile(r"(?:[ \t]|`[ \t]*\r?\n)+")
_prompt = re.compile(r"(?:PS [^>\n]*>|>>)[ \t]*")
_comment = re.compile(r"<#.*?#>|#[^\n]*", re.S)
_variable = re.compile(r"\$(?:\{([^}\n]+)\}|((?:env|script|global|local|private):\w+|\w+))", re.I)
_type = re.compile(r"\[([A-Za-z][\w.]*(?:\[\])?)\]")
_number = re.compile(r"-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?")
_identifier = re.compile(r"[A-Za-z_]\w*")
_key = re.compile(r"[A-Za-z_][\w-]*|\d+")
_bare = re.compile(r"[^\s`'\"$;|(){},&<>]+")
_here_start = re.compile(r"@(['\"])[ \t]*\r?\n")
_plain_in_quotes = re.compile(r'[^"`$]+')
_unicode_escape = re.compile(r"`u\{([0-9a-fA-F]{1,6})\}")
_MOST_LEVELS = 50
_escapes = {
    "n": "\n",
    "t": "\t",
    "r": "\r",
    "0": "\0",
    "a": "\a",
    "b": "\b",
    "f": "\f",
    "v": "\v",
    "e": "\x1b",
}
_constants: dict[str, Value] = {"true": True, "false": False, "null": None}


class ExpressionReader:
    """Reads the expressions of a text. A method reads what begins at `_at`, and goes behind it."""

    def __init__(self, source: CommandText, variables: dict[str, Value]) -> None:
        self._source = source
        self._text = source.text
        self._at = 0
        self._level = 0
        self._variables = variables
        """The values of variables, by their names in lower case."""
        self._left = MOST_CHARACTERS

    def _pipeline(self) -> Value:
        """The value of an expression or of the commands that stand in its place."""
        return self._expression()

    def _expression(self) -> Value:
        """A value, or texts joined by `+`, or values with commas between them as an array."""
        value = self._sum()
        self._skip_space()
        if not self._text.startswith(",", self._at):
            return value
        items = [value]
        while self._text.startswith(",", self._at):
            self._at += 1
            self._skip_lines()
            items.append(self._sum())
            self._skip_space()
        return list(items)

    def _sum(self) -> Value:
        value = self._primary()
        parts: list[str] = []
        while True:
            self._skip_space()
            at = self._at
            if not self._text.startswith("+", at):
                return self._spend("".join([as_text(value), *parts]), at) if parts else value
            if not isinstance(value, str):
                raise self._source.wrong(
                    at, "is a sum that only running it would give", "put the value there"
                )
            self._at += 1
            self._skip_lines()
            parts.append(self._spend(as_text(self._primary()), at))

    def _primary(self) -> Value:
        self._level += 1
        if self._level > _MOST_LEVELS:
            raise self._source.wrong(self._at, f"nested deeper than {_MOST_LEVELS} levels", "flatten it")
        value = self._with_members(self._atom())
        self._level -= 1
        return value

    def _atom(self) -> Value:
        text, at = self._text, self._at
        if here := _here_start.match(text, at):
            return self._here_string(here)
        if text.startswith("'", at):
            return self._single_quoted()
        if text.startswith('"', at):
            return self._double_quoted()
        if text.startswith("@{", at):
            return self._table()
        if text.startswith("@(", at):
            return self._array()
        if text.startswith(("$(", "("), at):
            return self._in_parentheses()
        if type := _type.match(text, at):
            return self._typed(type)
        if variable := _variable.match(text, at):
            self._at = variable.end()
            return self._variable(variable[1] or variable[2])
        if number := _number.match(text, at):
            self._at = number.end()
            if problem := number_problem(number[0]):
                raise self._source.wrong(at, problem, "shorten it")
            return int(number[0]) if number[0].lstrip("-").isdigit() else Number(number[0])
        raise self._unknown(at, text[at : at + 20].partition("\n")[0])

    def _variable(self, name: str) -> Value:
        lower = name.lower()
        scope, colon, short = lower.rpartition(":")
        if colon and scope != "env":
            lower = short
        if lower in _constants:
            return _constants[lower]
        if colon and scope == "env":
            return refer(name[4:])
        return self._variables.get(lower, refer(re.sub(r"\W", "_", name)))

    def _typed(self, type: re.Match[str]) -> Value:
        """A cast, or the result of a static method."""
        at, self._at = self._at, type.end()
        if not self._text.startswith("::", self._at):
            self._skip_space()
            return cast(type[1], self._primary())
        names = [type[1]]
        while self._text.startswith(("::", "."), self._at):
            self._at += 2 if self._text[self._at] == ":" else 1
            name = _identifier.match(self._text, self._at)
            if not name:
                raise self._unknown(at, self._text[at : self._at])
            self._at = name.end()
            names.append(name[0])
            if self._text.startswith("(", self._at):
                arguments = self._call_arguments()
                try:
                    return static(".".join(names[:-1]), name[0], arguments)
                except KeyError:
                    break
        raise self._unknown(at, self._text[at : self._at])

    def _with_members(self, value: Value) -> Value:
        """The value behind `.Name`, `.Name(…)` and `[…]`."""
        while True:
            at = self._at
            if self._text.startswith(".", at) and (name := _identifier.match(self._text, at + 1)):
                self._at = name.end()
                is_call = self._text.startswith("(", self._at)
                try:
                    value = (
                        call(value, name[0], self._call_arguments()) if is_call else member(value, name[0])
                    )
                except KeyError:
                    raise self._unknown(at, self._text[at : self._at]) from None
            else:
                return value

    def _call_arguments(self) -> list[Value]:
        self._at += 1
        arguments: list[Value] = []
        while True:
            self._skip_lines()
            if self._text.startswith(")", self._at):
                self._at += 1
                return arguments
            if self._text.startswith(",", self._at):
                self._at += 1
                self._skip_lines()
            if self._at >= len(self._text):
                raise self._source.wrong(self._at, "a parenthesis is never closed", "close it")
            arguments.append(self._sum())

    def _in_parentheses(self) -> Value:
        start = self._at
        self._at = self._text.index("(", start) + 1
        self._skip_lines()
        value = self._pipeline()
        self._close(start, ")")
        return value

    def _array(self) -> Value:
        start = self._at
        self._at += 2
        items: list[Value] = []
        while True:
            self._skip_lines()
            if self._text.startswith(")", self._at):
                self._at += 1
                return items
            self._check_open(start)
            value = self._item()
            items += value if isinstance(value, list) else [value]
            self._skip_space()
            if self._text.startswith((",", ";"), self._at):
                self._at += 1

    def _item(self) -> Value:
        """An item of an array, which may be an array itself."""
        return self._expression()

    def _table(self) -> Value:
        start = self._at
        self._at += 2
        table: dict[str, Value] = {}
        while True:
            self._skip_lines()
            while self._text.startswith(";", self._at):
                self._at += 1
                self._skip_lines()
            if self._text.startswith("}", self._at):
                self._at += 1
                return table
            self._check_open(start)
            key = _key.match(self._text, self._at)
            name = key[0] if key else as_text(self._primary())
            self._at = key.end() if key else self._at
            self._skip_lines()
            if not self._text.startswith("=", self._at):
                what = f"no = follows the name '{shown(name)}'"
                raise self._source.wrong(self._at, what, "write name = value")
            self._at += 1
            self._skip_lines()
            table[name] = self._pipeline()

    def _close(self, start: int, sign: str) -> None:
        self._skip_lines()
        if not self._text.startswith(sign, self._at):
            self._check_open(start)
            raise self._unknown(self._at, self._text[self._at : self._at + 20].partition("\n")[0])
        self._at += 1

    def _check_open(self, start: int) -> None:
        if self._at >= len(self._text):
            raise self._source.wrong(start, "is never closed", "close it")

    # --- texts ---

    def _single_quoted(self) -> str:
        start = self._at
        parts: list[str] = []
        at = start + 1
        while True:
            end = self._text.find("'", at)
            if end < 0:
                raise self._source.wrong(start, "the quote ' is never closed", "close it")
            parts.append(self._text[at:end])
            if not self._text.startswith("''", end):
                self._at = end + 1
                return "'".join(parts)
            at = end + 2

    def _double_quoted(self) -> str:
        start = self._at
        self._at += 1
        parts: list[str] = []
        while self._at < len(self._text):
            if self._text.startswith('""', self._at):
                parts.append('"')
                self._at += 2
            elif self._text[self._at] == '"':
                self._at += 1
                return "".join(parts)
            else:
                parts.append(self._within_quotes())
        raise self._source.wrong(start, 'the quote " is never closed', "close it")

    def _within_quotes(self) -> str:
        """The next text, variable or escape inside double quotes."""
        plain = _plain_in_quotes.match(self._text, self._at)
        if plain:
            self._at = plain.end()
            return plain[0]
        if self._text[self._at] == "$":
            if self._text.startswith("$(", self._at):
                return as_text(self._in_parentheses())
            variable = _variable.match(self._text, self._at)
            self._at = variable.end() if variable else self._at + 1
            if variable is None:
                return "$"
            return self._spend(as_text(self._variable(variable[1] or variable[2])), self._at)
        if code := _unicode_escape.match(self._text, self._at):
            self._at = code.end()
            return as_text(cast("char", int(code[1], 16)))
        escaped = self._text[self._at + 1 : self._at + 2]
        self._at += 2
        return _escapes.get(escaped, escaped)

    def _here_string(self, begun: re.Match[str]) -> str:
        end = re.compile(rf"\r?\n{begun[1]}@").search(self._text, begun.end() - 1)
        if end is None:
            raise self._source.wrong(
                self._at, f"the here-string @{begun[1]} is never closed", f"close it by {begun[1]}@"
            )
        start, self._at = begun.end(), end.end()
        content = self._text[start : max(start, end.start())]
        if begun[1] == "'":
            return content
        inner = ExpressionReader(CommandText(content, ""), self._variables)
        inner._left = self._left
        parts: list[str] = []
        try:
            while inner._at < len(content):
                parts.append('"' if inner._take_quote() else inner._within_quotes())
        except SourceError as error:
            raise self._source.wrong(start + inner._at, error.what, error.mend) from None
        self._left = inner._left
        return "".join(parts)

    def _take_quote(self) -> bool:
        taken = self._text.startswith('"', self._at)
        self._at += taken
        return taken

    # --- spaces and errors ---

    def _spend(self, text: str, at: int) -> str:
        """The text, where all texts together are not too large."""
        self._left -= len(text)
        if self._left < 0:
            raise self._too_large(at)
        return text

    def _too_large(self, at: int) -> SourceError:
        return self._source.wrong(at, "makes a value that is too large", "put a smaller one there")

    def _skip_space(self) -> None:
        while found := _space.match(self._text, self._at) or _comment.match(self._text, self._at):
            self._at = found.end()

    def _skip_lines(self) -> None:
        """Skip spaces and the ends of lines."""
        while True:
            self._skip_space()
            if not self._text.startswith(("\n", "\r\n"), self._at):
                return
            self._at = self._text.index("\n", self._at) + 1
            if prompt := _prompt.match(self._text, self._at):
                self._at = prompt.end()

    def _unknown(self, at: int, what: str) -> SourceError:
        what = f"what '{shown(what.strip())}' gives is known only by running it"
        return self._source.wrong(at, what, "put the value there, or leave it out")

    def _bareword(self) -> str:
        parts: list[str] = []
        while self._at < len(self._text):
            if bare := _bare.match(self._text, self._at):
                parts.append(bare[0])
                self._at = bare.end()
            elif self._text[self._at] == "`" and not _space.match(self._text, self._at):
                parts.append(self._text[self._at + 1 : self._at + 2])
                self._at += 2
            else:
                break
        return "".join(parts)
