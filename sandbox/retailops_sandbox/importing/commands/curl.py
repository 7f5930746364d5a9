"""The request that a curl command would send, by curl's manual. No file is read."""

from __future__ import annotations

import re
from collections.abc import Iterator

from retailops_sandbox.errors import SourceError, did_you_mean
from retailops_sandbox.importing.commands.command import Command, CommandText
from retailops_sandbox.importing.commands.curl_options import OPTIONS, SHORT
from retailops_sandbox.importing.commands.parts import JSON, RequestParts
from retailops_sandbox.importing.found import FoundRequest, shown


def request(source: CommandText, command: Command, stdin: str | None) -> FoundRequest:
    """The request of a command whose first word is curl; SourceError at what is not understood.

    `stdin` is what curl reads from standard input, None where that is not known.
    """
    return _Reader(source, command).request(stdin)


class _Reader:
    def __init__(self, source: CommandText, command: Command) -> None:
        self._source = source
        self._command = command

    def request(self, stdin: str | None) -> FoundRequest:
        """The request that curl would send for the command's arguments."""
        sent = RequestParts("POST")
        is_json = False
        for name, value, at in self._options():
            self._take(sent, name, value, stdin, at)
            is_json |= name == "json"
        if not sent.has_header("Content-Type"):
            sent.headers.append(("Content-Type", JSON))
            if not is_json:
                sent.notes.append("it says no Content-Type, of which curl makes a form's: it is sent as JSON")
        return sent.request(self._source, self._command, "curl", body_option="--data-raw")

    def _take(self, sent: RequestParts, name: str, value: str, stdin: str | None, at: int) -> None:
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

    def _options(self) -> Iterator[tuple[str, str, int]]:
        """The long names, values and places of the options that matter; a URL is an option, too."""
        rest = iter(zip(self._command.words[1:], self._command.places[1:], strict=True))
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
            raise self._source.wrong(at, f"{written} {option.why}", "import a request that posts JSON")
        if option.has_value and not attached:
            following = next(rest, None)
            if following is None:
                raise self._source.wrong(at, f"{written} has no value", "add it")
            attached, at = following
        if option.kind != "no effect":
            yield name, attached if option.has_value else "", at

    def _header(self, line: str, at: int) -> Iterator[tuple[str, str]]:
        if line.startswith("@"):
            raise self._source.wrong(at, "the headers are in a file, which is not read", "put them there")
        name, colon, value = line.partition(":")
        if not colon and line.endswith(";"):
            yield line[:-1].strip(), ""
        elif not colon:
            raise self._source.wrong(at, "a header has no colon", "for example -H 'X-Shop: 12'")
        elif value.strip():
            yield name.strip(), value.strip()

    def _data(self, option: str, value: str, stdin: str | None, at: int) -> str:
        if option == "data-raw" or not value.startswith("@"):
            return value
        if value in ("@-", "@/dev/stdin"):
            if stdin is None:
                raise self._source.wrong(
                    at, "the body comes from standard input", "put it there, by --data-raw"
                )
            content = stdin
        else:
            mend = "import that file itself, or put its content there"
            what = f"the body is in the file '{shown(value[1:])}', which is not read"
            raise self._source.wrong(at, what, mend)
        return content if option in ("data-binary", "json") else re.sub("[\r\n\0]", "", content)

    def _unknown(self, option: str, at: int) -> SourceError:
        option = shown(option)
        near = did_you_mean(option, [f"--{name}" for name in OPTIONS])
        mend = near or "leave it out if it does not matter for what is sent"
        return self._source.wrong(at, f"{option} is an option of curl's that is not understood here", mend)
