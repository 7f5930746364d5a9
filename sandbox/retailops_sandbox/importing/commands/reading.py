"""The requests that the commands of a text would send, whichever shell they are for."""

from __future__ import annotations

import re
from base64 import b64decode
from binascii import Error as Base64Error
from collections.abc import Callable

import msgspec

from retailops_sandbox.errors import SourceError
from retailops_sandbox.importing.commands import cmd, curl, httpie, powershell, shell
from retailops_sandbox.importing.commands.command import Command, CommandText
from retailops_sandbox.importing.found import (
    MOST_REQUESTS,
    FoundRequest,
    has_noncharacters,
    shown,
    too_many,
)
from retailops_sandbox.importing.mending import is_json

_curl = re.compile(r"(?:.*[/\\])?curl(?:\.exe)?", re.I | re.S)
_httpie = re.compile(r"(?:.*/)?(?:https?|xhs?)", re.S)
_prompt = re.compile(r"[$%>]|\S+@\S*[$#%]")
_assignment = re.compile(r"[A-Za-z_]\w*=.*", re.S)
_looks_like_curl = re.compile(
    r"(?m)^[ \t]*(?:[$%>][ \t]+)?(?:\S*/)?curl(?:\.exe)?\s"
    r"|(?:^|[\s|;&/>])curl(?:\.exe)?\s+(?:-|https?:|\^?['\"])"
)
_looks_like_httpie = re.compile(
    r"(?m)(?:^|[|;&])[ \t]*(?:[$%>][ \t]+)?(?:https?|xhs?)[ \t]+(?:[A-Z]{3,7}[ \t]+)?"
    r"(?:--?[A-Za-z]|['\"]?(?:https?://|:[\d/]|localhost\b|[\w-]+\.[\w.-]*[a-z\d](?:[:/ \t]|$)))"
)
_begins_posix = re.compile(
    r"\s*(?:#[^\n]*\n\s*)*(?:[$%>][ \t]+)?(?:curl|https?)[ \t](?:[^\n]*[^`\s]|)[ \t]*\r?(?:\n|\Z)"
)
"""A first line that is a POSIX shell's: none of PowerShell's that goes on ends without a backtick."""
_for_cmd = re.compile(r"^[A-Za-z]:\\[^<>|\r\n]*>|curl(?:\.exe)?[ \t]+\^\"|\^[ \t]*\r?$", re.M)
_posix_quoted = re.compile(r"'[^']*'")


def looks_like_commands(text: str) -> bool:
    """Whether a text holds a command that sends a request."""
    return (
        _looks_like_curl.search(text) is not None
        or _looks_like_httpie.search(text) is not None
        or powershell.looks_like_powershell(text)
    )


def read(text: str, *, file: str) -> list[FoundRequest]:
    """The requests of a text's commands, in order; SourceError at what is not understood."""
    source = CommandText(text, file)
    if has_noncharacters(text):
        raise source.wrong(0, "the text has characters that are none (U+FDD0)", "")
    return _read_as_meant(source)


def _read_as_meant(source: CommandText) -> list[FoundRequest]:
    """The requests as the first shell reads them by which all bodies are JSON, else as the first that can."""
    fallback: list[FoundRequest] | None = None
    refusal: SourceError | None = None
    for reads in _shells(source.text):
        try:
            found = reads(source)
        except SourceError as error:
            refusal = refusal or error
            continue
        if all(map(_sends_json, found)):
            return found
        fallback = found if fallback is None else fallback
    if fallback is None:
        assert refusal is not None
        raise refusal
    return fallback


def _shells(text: str) -> list[Callable[[CommandText], list[FoundRequest]]]:
    """The readers of the shells that a text may be for, the likeliest first."""
    shells: list[Callable[[CommandText], list[FoundRequest]]] = [_of_posix]
    if _for_cmd.search(text):
        # A caret inside of POSIX quotes is rarely cmd's.
        is_quoted = not _for_cmd.search(_posix_quoted.sub("", text))
        shells.insert(1 if is_quoted else 0, _of_cmd)
    elif '""' in text:
        shells.append(_of_windows)
    if powershell.looks_like_powershell(text):
        shells.insert(1 if _begins_posix.match(text) else 0, powershell.read)
    return shells


def _of_posix(source: CommandText) -> list[FoundRequest]:
    return _requests(source, shell.commands(source))


def _of_cmd(source: CommandText) -> list[FoundRequest]:
    return _requests(source, cmd.commands(source))


def _sends_json(found: FoundRequest) -> bool:
    return is_json(found.body.decode(errors="replace"))


def _of_windows(source: CommandText) -> list[FoundRequest]:
    """The requests of a text whose doubled quotes say that it is for Windows."""
    note = "its quotes are doubled, as Windows escapes them: it is read as there"
    return [msgspec.structs.replace(each, notes=(*each.notes, note)) for each in _of_cmd(source)]


def _requests(source: CommandText, commands: list[Command]) -> list[FoundRequest]:
    found: list[FoundRequest] = []
    fed: str | None = None
    for each in commands:
        command = _program(each)
        if command is None:
            continue
        stdin = command.stdin if command.stdin is not None else fed
        fed = None
        name = command.words[0]
        if len(found) > MOST_REQUESTS:
            raise too_many(source.file)
        if _curl.fullmatch(name):
            found.append(curl.request(source, command, stdin))
        elif _httpie.fullmatch(name):
            found.append(httpie.request(source, command, stdin))
        elif command.piped:
            fed = _output(source, command, stdin)
        elif not found:
            mend = "leave out all but the command that sends the request"
            raise source.wrong(command.at, f"'{shown(name)}' is not curl or HTTPie", mend)
    return found


def _program(command: Command) -> Command | None:
    """The command without a prompt and assignments before it; None where nothing follows these."""
    start = 0
    words = command.words
    while start < len(words) and (_prompt.fullmatch(words[start]) or _assignment.fullmatch(words[start])):
        start += 1
    if start == len(words):
        return None
    return msgspec.structs.replace(command, words=words[start:], places=command.places[start:])


def _output(source: CommandText, command: Command, stdin: str | None) -> str:
    """The text that a command pipes into the next; SourceError where only running it would show that."""
    name, *arguments = command.words
    if name == "printf" and len(arguments) == 2 and arguments[0] == "%s":
        return arguments[1]
    if name == "echo" and not any(each.startswith("-") for each in arguments):
        return " ".join(arguments) + "\n"
    if name == "echo" and arguments[:1] == ["-n"]:
        return " ".join(arguments[1:])
    if name == "cat" and not arguments and stdin is not None:
        return stdin
    if name == "base64" and arguments in (["-d"], ["--decode"], ["-D"]) and stdin is not None:
        try:
            # Each byte that is not part of valid UTF-8 becomes a lone surrogate.
            return b64decode(stdin).decode("utf-8", "surrogateescape")
        except Base64Error:
            raise source.wrong(command.at, "what base64 is to decode is not base64", "") from None
    what = f"what '{shown(name)}' prints into the next command is known only by running it"
    raise source.wrong(command.at, what, "put what it prints there")
