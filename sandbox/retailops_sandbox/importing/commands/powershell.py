"""The requests of PowerShell's statements: web requests, curl.exe, and the variables of both. Nothing is run.

A variable that no statement sets becomes a reference (`found.refer`), as `$env:NAME` does. Text that only
running PowerShell would give is a SourceError with its place.
"""

from __future__ import annotations

import re

import msgspec

from retailops_sandbox.errors import SourceError
from retailops_sandbox.importing.commands import curl, web_request
from retailops_sandbox.importing.commands.command import Command, CommandText
from retailops_sandbox.importing.commands.powershell_expressions import ExpressionReader
from retailops_sandbox.importing.commands.powershell_values import (
    Answer,
    JsonText,
    TooLarge,
    Value,
    as_text,
    new,
    put,
)
from retailops_sandbox.importing.commands.web_request import Argument
from retailops_sandbox.importing.found import MOST_REQUESTS, FoundRequest, too_many

_prompt = re.compile(r"(?:PS [^>\n]*>|>>)[ \t]*")
_web_request = re.compile(
    r"(?im)\bInvoke-(?:WebRequest|RestMethod)\b"
    r"|^[ \t]*(?:PS [^>\n]*>[ \t]*)?(?:\$\w+[ \t]*=[ \t]*)?"
    r"(?:(?:iwr|irm)[ \t]|(?:curl|wget)[ \t]+-(?:Uri|Method|Body|Headers|UseBasicParsing)\b)"
)
_curl = re.compile(r"(?i)\bcurl(?:\.exe)?[ \t]")
_continues_line = re.compile(r"(?m)[ \t]`[ \t]*\r?$|^[ \t]*\$\w+[ \t]*=[ \t]*\S")
_parameter_line = re.compile(r"(?:[ \t\r]*\n)+[ \t]*(?=-[A-Za-z])")
"""The end of a line before a parameter that begins the next one, with empty lines between them."""
_ignored = re.compile(r"\[[\w.]+\]::\w+[ \t]*=[^\n;]*|try[ \t\r\n]*\{|\}", re.I)
"""Statements that do not matter for what is sent: a setting of .NET's, the braces around a `try`."""
_handler = re.compile(r"(?:catch|finally)\b[^{\n]*\{", re.I)
_splat = re.compile(r"@(\w+)")
_statement_end = re.compile(r"\r?\n|;|\}")
_assigned = re.compile(r"(?:\[[\w.\[\]]+\][ \t]*)?\$(?:script:|global:|local:)?(\w+)[ \t]*=(?!=)", re.I)
_member_assigned = re.compile(r"\$(\w+)(?:\.(\w+)|\[[ \t]*(['\"])([^'\"\n]*)\3[ \t]*\])[ \t]*=(?!=)")
_begins_value = re.compile(r"['\"(]|@['\"({]|\$[\w({]")
_parameter = re.compile(r"-([A-Za-z][\w-]*):?")
_redirection = re.compile(r"\d?>>?(?:&\d|[ \t]*[^\s;|]+)?")
_PRINTING = {"write-host", "write-output", "echo", "out-null", "set-strictmode", "clear-host"}
_CURL = re.compile(r"(?:.*[/\\])?curl(?:\.exe)?", re.I)
_DEFAULT_DEPTH = 2
"""The levels that ConvertTo-Json writes when it is not told how many."""


def looks_like_powershell(text: str) -> bool:
    """Whether a text holds a request as PowerShell sends it."""
    return _web_request.search(text) is not None or (
        _continues_line.search(text) is not None and _curl.search(text) is not None
    )


def read(source: CommandText) -> list[FoundRequest]:
    """The requests of the statements, in order; SourceError at what is not understood."""
    reader = _Reader(source)
    reader.statements()
    return reader.found


class _Reader(ExpressionReader):
    """Reads statements, and keeps the requests that they send and the variables that they set."""

    def __init__(self, source: CommandText) -> None:
        super().__init__(source, {})
        self.found: list[FoundRequest] = []
        self._notes: list[str] = []

    # --- statements ---

    def statements(self) -> None:
        """Read all statements. Those behind the last request may be anything."""
        while self._skip_to_statement():
            start = self._at
            try:
                self._statement()
            except SourceError:
                if not self.found or self._sends_more(start):
                    raise
                return

    def _sends_more(self, at: int) -> bool:
        """Whether a request may stand behind a position."""
        return any(each.search(self._text, at) for each in (_web_request, _curl))

    def _statement(self) -> None:
        assigned = _assigned.match(self._text, self._at)
        of_member = _member_assigned.match(self._text, self._at)
        if assigned:
            self._at = assigned.end()
            self._skip_lines()
            self._variables[assigned[1].lower()] = self._pipeline()
        elif of_member:
            at, self._at = self._at, of_member.end()
            self._skip_lines()
            value = self._pipeline()
            try:
                put(self._variable(of_member[1]), of_member[2] or of_member[4], value)
            except KeyError:
                raise self._unknown(at, of_member[0].rstrip(" \t=")) from None
        else:
            self._pipeline()
        if self._at < len(self._text) and not _statement_end.match(self._text, self._at):
            raise self._unknown(self._at, self._text[self._at : self._at + 20].partition("\n")[0])

    def _skip_to_statement(self) -> bool:
        """Skip to the next statement; whether there is one."""
        while self._at < len(self._text):
            self._skip_space()
            if ended := _statement_end.match(self._text, self._at) or _ignored.match(self._text, self._at):
                self._at = ended.end()
            elif handler := _handler.match(self._text, self._at):
                self._at = self._behind_block(handler.end())
            else:
                break
        if prompt := _prompt.match(self._text, self._at):
            self._at = prompt.end()
            return self._skip_to_statement()
        return self._at < len(self._text)

    def _behind_block(self, at: int) -> int:
        """The position behind the brace that closes a block; the text's end where none does."""
        level = 1
        for brace in re.finditer(r"[{}]", self._text[at:]):
            level += 1 if brace[0] == "{" else -1
            if not level:
                return at + brace.end()
        return len(self._text)

    def _pipeline(self) -> Value:
        """The value of expressions and commands joined by `|`."""
        value = self._element(None, is_first=True)
        while True:
            self._skip_space()
            if not self._text.startswith("|", self._at) or self._text.startswith("||", self._at):
                return value
            self._at += 1
            self._skip_lines()
            value = self._element(value, is_first=False)

    def _element(self, given: Value, *, is_first: bool) -> Value:
        self._skip_space()
        at = self._at
        character = self._text[at : at + 1]
        if character == "&" and is_first:
            self._at += 1
            self._skip_space()
        elif character and (character in "$@('\"[-" or character.isdigit()):
            return self._expression()
        name = self._bareword()
        if not name:
            raise self._unknown(at, self._text[at : at + 20].partition("\n")[0])
        return self._command(name, at, given)

    # --- commands ---

    def _command(self, name: str, at: int, given: Value) -> Value:
        lower = name.lower().removeprefix("microsoft.powershell.utility\\")
        if lower == "new-object":
            return self._new_object(at)
        arguments = self._arguments()
        if lower in web_request.NAMES or (
            lower in ("curl", "wget") and web_request.has_parameters(arguments)
        ):
            request = web_request.request(self._source, at, lower, arguments, given)
            self._add(request)
        elif _CURL.fullmatch(name):
            words = [(name, at), *((_word(each), each.at) for each in arguments)]
            command = Command(
                at=at,
                words=tuple(word for word, _ in words),
                places=tuple(place for _, place in words),
            )
            self._add(curl.request(self._source, command, None if given is None else as_text(given)))
        elif lower == "convertto-json":
            return self._to_json(arguments, given)
        elif lower.startswith("get-content") or lower in ("gc", "cat", "type"):
            raise self._source.wrong(at, "reads a file", "put what is in the file there")
        elif lower not in _PRINTING and not isinstance(given, Answer):
            raise self._unknown(at, name)
        else:
            return given
        return Answer()

    def _new_object(self, at: int) -> Value:
        self._skip_space()
        if named := _parameter.match(self._text, self._at):
            self._at = named.end()
            self._skip_space()
        type = self._bareword()
        if self._text.startswith("(", self._at):
            arguments = self._call_arguments()
        else:
            arguments = [each.value for each in self._arguments()]
        try:
            return new(type, arguments)
        except KeyError:
            raise self._unknown(at, f"New-Object {type}") from None

    def _add(self, request: FoundRequest) -> None:
        notes = (*self._notes, *request.notes)
        if len(self.found) >= MOST_REQUESTS:
            raise too_many(self._source.file)
        self.found.append(msgspec.structs.replace(request, notes=notes))
        self._notes = []

    def _to_json(self, arguments: list[Argument], given: Value) -> Value:
        value, levels, named = given, _DEFAULT_DEPTH, ""
        for each in arguments:
            if each.kind == "parameter":
                named = as_text(each.value).lower()
            elif named == "depth":
                written, named = as_text(each.value), ""
                levels = int(written) if re.fullmatch("[0-9]{1,4}", written) else levels
            else:
                value, named = each.value, ""
        if isinstance(value, Answer):
            return value
        try:
            json = JsonText(value)
        except TooLarge:
            raise self._too_large(self._at) from None
        self._spend(json.text, self._at)
        if json.levels > levels + 1:
            self._notes.append(
                f"ConvertTo-Json cuts what is deeper than {levels} levels: it is read whole, as -Depth would"
            )
        return json.text

    def _arguments(self) -> list[Argument]:
        """The arguments of a command, up to the statement's end."""
        arguments: list[Argument] = []
        while True:
            self._skip_space()
            at = self._at
            character = self._text[at : at + 1]
            parameter = _parameter.match(self._text, at)
            if following := _parameter_line.match(self._text, at):
                self._at = following.end()
                line = self._source.line(self._at)
                self._notes.append(f"line {line} begins with a parameter: it is read as part of the command")
            elif not character or character in ";|)}\n" or self._text.startswith("\r\n", at):
                return arguments
            elif redirected := _redirection.match(self._text, at):
                self._at = redirected.end()
            elif parameter:
                self._at = parameter.end()
                arguments.append(Argument("parameter", parameter[1], at))
            elif splat := _splat.match(self._text, at):
                self._at = splat.end()
                arguments.append(Argument("splat", self._variable(splat[1]), at))
            else:
                arguments.append(Argument("value", self._argument(), at))

    def _argument(self) -> Value:
        """One value of a command; several parts without a space between them are one text."""
        parts: list[Value] = []
        start = self._at
        while self._at < len(self._text):
            if _begins_value.match(self._text, self._at):
                parts.append(self._primary())
            elif bare := self._bareword():
                parts.append(bare)
            else:
                break
        if not parts:
            raise self._unknown(start, self._text[start : start + 20].partition("\n")[0])
        return parts[0] if len(parts) == 1 else self._spend("".join(map(as_text, parts)), start)


def _word(argument: Argument) -> str:
    return f"-{argument.value}" if argument.kind == "parameter" else as_text(argument.value)
