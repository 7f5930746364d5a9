"""The requests that the curl commands of a text would send, by curl's manual. No file is read."""

from __future__ import annotations

import re
from base64 import b64decode
from binascii import Error as Base64Error
from collections.abc import Iterator

from retailops_sandbox.errors import did_you_mean
from retailops_sandbox.importing.curl_options import OPTIONS, SHORT
from retailops_sandbox.importing.found import FoundRequest, has_noncharacters
from retailops_sandbox.importing.shell import Command, commands
from retailops_sandbox.jsontext.text import error_at, line_and_column

_PROMPTS = ("$", "%", ">")
_PROGRAM = re.compile(r"(?:.*/)?curl(?:\.exe)?")
_assignment = re.compile(r"[A-Za-z_]\w*=.*", re.S)
_looks_like_curl = re.compile(
    r"(?m)^\s*(?:[$%>]\s+)?(?:\S*/)?curl(?:\.exe)?\s|(?:^|[\s|;&/])curl\s+(?:-|https?:|['\"])"
)
_for_cmd = re.compile(r"curl(?:\.exe)?\s+\^\"|\^\s*$", re.M)


def looks_like_curl(text: str) -> bool:
    """Whether a text holds a curl command."""
    return _looks_like_curl.search(text) is not None


def read(text: str, *, file: str) -> list[FoundRequest]:
    """The requests of a text's curl commands, in order; SourceError at what is not understood."""
    if has_noncharacters(text):
        raise error_at(text, 0, "the text has characters that are none (U+FDD0)", file=file)
    if _for_cmd.search(text):
        mend = "copy it again as cURL (bash), or cURL (POSIX)"
        raise error_at(text, 0, "this command is for cmd.exe and no POSIX shell", mend=mend, file=file)
    found = []
    fed: str | None = None
    for command in commands(text, file=file):
        reader = _Reader(text, file, command)
        name, arguments, places = reader.program()
        if not name:
            continue
        stdin = command.stdin if command.stdin is not None else fed
        fed = None
        if _PROGRAM.fullmatch(name):
            found.append(reader.request(arguments, places, stdin))
        elif command.piped:
            fed = reader.output(name, arguments, stdin)
        elif not found:
            raise reader.wrong(command.at, f"{name!r} is not curl", "leave out all but the curl command")
    return found


class _RequestParts:
    """The parts of a request, as the options that were read so far give them."""

    def __init__(self) -> None:
        self.urls: list[str] = []
        self.method = "POST"
        self.headers: list[tuple[str, str]] = []
        self.data: list[str] = []
        self.json = False
        self.secrets: list[tuple[str, str]] = []
        self.of_receiver: list[str] = []


class _Reader:
    def __init__(self, text: str, file: str, command: Command) -> None:
        self._text = text
        self._file = file
        self._command = command

    def program(self) -> tuple[str, tuple[str, ...], tuple[int, ...]]:
        """The command's program, its arguments and their places. A prompt and assignments are skipped."""
        words, places = self._command.words, self._command.places
        start = 0
        while start < len(words) and (words[start] in _PROMPTS or _assignment.fullmatch(words[start])):
            start += 1
        return (words[start] if start < len(words) else ""), words[start + 1 :], places[start + 1 :]

    def output(self, name: str, arguments: tuple[str, ...], stdin: str | None) -> str:
        """The text that a command pipes into curl; SourceError where only running it would show that."""
        if name == "printf" and len(arguments) == 2 and arguments[0] == "%s":
            return arguments[1]
        if name == "echo" and not any(each.startswith("-") for each in arguments):
            return " ".join(arguments) + "\n"
        if name == "echo" and arguments[:1] == ("-n",):
            return " ".join(arguments[1:])
        if name == "cat" and not arguments and stdin is not None:
            return stdin
        if name == "base64" and arguments in (("-d",), ("--decode",), ("-D",)) and stdin is not None:
            try:
                # Each byte that is not part of valid UTF-8 becomes a lone surrogate.
                return b64decode(stdin).decode("utf-8", "surrogateescape")
            except Base64Error:
                raise self.wrong(self._command.at, "what base64 is to decode is not base64", "") from None
        mend = "put what it prints there"
        raise self.wrong(
            self._command.at, f"what {name!r} prints into curl is known only by running it", mend
        )

    def request(self, arguments: tuple[str, ...], places: tuple[int, ...], stdin: str | None) -> FoundRequest:
        """The request that curl would send for these arguments."""
        line, _ = line_and_column(self._text, self._command.at)
        sent = _RequestParts()
        for name, value, at in self._options(arguments, places):
            self._take(sent, name, value, stdin, at)
        if len(sent.urls) != 1:
            what = "names no URL" if not sent.urls else f"names {len(sent.urls)} URLs"
            raise self.wrong(self._command.at, f"the curl command {what}", "give it one")
        if not sent.data:
            raise self.wrong(self._command.at, "the curl command sends no body", "give it one by --data-raw")
        notes = []
        if sent.of_receiver:
            options = ", ".join(dict.fromkeys(sent.of_receiver))
            notes.append(f"left out: {options}; how it is reached belongs to the receiver")
        if not any(name.lower() == "content-type" for name, _ in sent.headers):
            sent.headers.append(("Content-Type", "application/json"))
            if not sent.json:
                notes.append("it says no Content-Type, of which curl makes a form's: it is sent as JSON")
        (url,) = sent.urls
        return FoundRequest(
            place=f"line {line}",
            body="".join(sent.data).encode("utf-8", "surrogateescape"),
            method=sent.method,
            url=url if "://" in url else f"http://{url}",
            headers=tuple(sent.headers),
            secrets=tuple(sent.secrets),
            notes=tuple(notes),
        )

    def _take(self, sent: _RequestParts, name: str, value: str, stdin: str | None, at: int) -> None:
        """Add an option's value to the parts of the request."""
        option = OPTIONS[name]
        if option.kind == "secret":
            sent.secrets.append((option.why, value))
        elif option.kind == "receiver":
            sent.of_receiver.append(f"--{name}")
        elif name == "url":
            sent.urls.append(value)
        elif name == "request":
            sent.method = value
        elif name == "header":
            sent.headers += self._header(value, at)
        elif name in ("user-agent", "referer"):
            sent.headers.append((name.title(), value))
        else:
            if sent.data and name != "json":
                sent.data.append("&")
            sent.data.append(self._data(name, value, stdin, at))
            sent.json |= name == "json"

    def _options(self, arguments: tuple[str, ...], places: tuple[int, ...]) -> Iterator[tuple[str, str, int]]:
        """The long names, values and places of the options that matter; a URL is an option, too."""
        rest = iter(zip(arguments, places, strict=True))
        only_urls = False
        for word, at in rest:
            if only_urls or not word.startswith("-") or word == "-":
                yield "url", word, at
            elif word == "--":
                only_urls = True
            elif word.startswith("--"):
                yield from self._option(word[2:], word, "", rest, at)
            else:
                yield from self._short_options(word, rest, at)

    def _short_options(
        self, word: str, rest: Iterator[tuple[str, int]], at: int
    ) -> Iterator[tuple[str, str, int]]:
        """The options of one word: `-sXPOST` is -s, and -X with the value POST."""
        for position, letter in enumerate(word[1:], 1):
            name = SHORT.get(letter, "")
            yield from self._option(name, f"-{letter}", word[position + 1 :], rest, at)
            if OPTIONS[name].has_value:
                return

    def _option(
        self, name: str, written: str, attached: str, rest: Iterator[tuple[str, int]], at: int
    ) -> Iterator[tuple[str, str, int]]:
        option = OPTIONS.get(name)
        if option is None:
            raise self._unknown(written, at)
        if option.kind == "refused":
            raise self.wrong(at, f"{written} {option.why}", "import a request that posts JSON")
        if option.has_value and not attached:
            following = next(rest, None)
            if following is None:
                raise self.wrong(at, f"{written} has no value", "add it")
            attached, at = following
        if option.kind != "no effect":
            yield name, attached if option.has_value else "", at

    def _header(self, line: str, at: int) -> Iterator[tuple[str, str]]:
        if line.startswith("@"):
            raise self.wrong(at, "the headers are in a file, which is not read", "put them there")
        name, colon, value = line.partition(":")
        if not colon and line.endswith(";"):
            yield line[:-1].strip(), ""
        elif not colon:
            raise self.wrong(at, "a header has no colon", "for example -H 'X-Shop: 12'")
        elif value.strip():
            yield name.strip(), value.strip()

    def _data(self, option: str, value: str, stdin: str | None, at: int) -> str:
        if option == "data-raw" or not value.startswith("@"):
            return value
        if value in ("@-", "@/dev/stdin"):
            if stdin is None:
                raise self.wrong(at, "the body comes from standard input", "put it there, by --data-raw")
            content = stdin
        else:
            mend = "import that file itself, or put its content there"
            raise self.wrong(at, f"the body is in the file {value[1:]!r}, which is not read", mend)
        return content if option in ("data-binary", "json") else re.sub("[\r\n\0]", "", content)

    def _unknown(self, option: str, at: int) -> Exception:
        near = did_you_mean(option, [f"--{name}" for name in OPTIONS])
        mend = near or "leave it out if it does not matter for what is sent"
        return self.wrong(at, f"{option} is an option of curl's that is not understood here", mend)

    def wrong(self, at: int, what: str, mend: str) -> Exception:
        return error_at(self._text, at, what, mend=mend, file=self._file)
