"""The request that an HTTPie command would send, by HTTPie's manual. No file is read."""

from __future__ import annotations

import re
from collections.abc import Iterator
from urllib.parse import quote_plus

from retailops_sandbox.errors import SourceError, did_you_mean
from retailops_sandbox.importing.commands.command import Command, CommandText
from retailops_sandbox.importing.commands.httpie_items import Item, JsonItems, parse
from retailops_sandbox.importing.commands.options import options
from retailops_sandbox.importing.commands.parts import JSON, RequestParts
from retailops_sandbox.importing.found import FoundRequest, shown

_FORM = "sends a form and no JSON"
_OPTIONS = options(
    request=("raw", "default-scheme"),
    request_switches=("json",),
    secret={"auth": "the user and password of -a", "cert-key-pass": "the pass phrase of --cert-key-pass"},
    receiver_switches=("follow",),
    receiver=("proxy", "verify", "ssl", "ciphers", "cert", "cert-key", "timeout", "max-redirects"),
    idle_switches=(
        *("verbose", "headers", "meta", "body", "stream", "download", "continue", "quiet", "check-status"),
        *("all", "offline", "unsorted", "sorted", "traceback", "debug", "path-as-is", "chunked", "compress"),
        *("ignore-netrc", "ignore-stdin", "http2", "http1.1"),
    ),
    idle=(
        *("auth-type", "print", "pretty", "style", "output", "format-options", "response-charset"),
        *("response-mime", "max-headers", "http-version"),
    ),
    refused_switches={"form": _FORM, "multipart": _FORM, "curl": "prints a command and sends nothing"},
    refused={
        "boundary": _FORM,
        "session": "takes headers from a file, which is not read",
        "session-read-only": "takes headers from a file, which is not read",
    },
)
_SHORT = {
    "a": "auth",
    "A": "auth-type",
    "j": "json",
    "f": "form",
    "v": "verbose",
    "h": "headers",
    "m": "meta",
    "b": "body",
    "p": "print",
    "s": "style",
    "S": "stream",
    "o": "output",
    "d": "download",
    "c": "continue",
    "q": "quiet",
    "F": "follow",
    "x": "compress",
    "I": "ignore-stdin",
}
_method = re.compile(r"[A-Za-z]+")
_localhost = re.compile(r":(\d*)(/.*)?", re.S)


def request(source: CommandText, command: Command, stdin: str | None) -> FoundRequest:
    """The request of a command whose first word is `http` or `https`; SourceError at what is not understood.

    `stdin` is what the command reads from standard input, None where that is not known.
    """
    return _Reader(source, command).request(stdin)


class _Reader:
    def __init__(self, source: CommandText, command: Command) -> None:
        self._source = source
        self._command = command
        self._sent = RequestParts("POST")
        self._scheme = "https" if command.words[0].rstrip("/").endswith("s") else "http"
        self._query: list[str] = []
        self._items = JsonItems()

    def request(self, stdin: str | None) -> FoundRequest:
        """The request that HTTPie would send for the command's arguments."""
        sent = self._sent
        positional = list(self._positional())
        if len(positional) > 1 and _method.fullmatch(positional[0][0]):
            sent.method = positional.pop(0)[0].upper()
        for word, at in positional[1:]:
            self._take_item(parse(word), at)
        if self._items.any:
            sent.data.append(self._items.text())
        elif not sent.data and stdin is not None:
            sent.data.append(stdin)
        if not sent.has_header("Content-Type"):
            sent.headers.append(("Content-Type", JSON))
        sent.urls = [self._url(word) for word, _ in positional[:1]]
        return sent.request(self._source, self._command, "HTTPie", body_option="items, as in name=value")

    def _url(self, written: str) -> str:
        local = _localhost.fullmatch(written)
        if local:
            port = f":{local[1]}" if local[1] else ""
            written = f"localhost{port}{local[2] or ''}"
        url = written if "://" in written else f"{self._scheme}://{written}"
        query = "&".join(self._query)
        return url + (("&" if "?" in url else "?") + query if query else "")

    def _take_item(self, item: Item | None, at: int) -> None:
        """Add an item to the request."""
        if item is None:
            raise self._source.wrong(at, "is no item of HTTPie's", "for example name=value or Header:value")
        if item.separator.endswith("@"):
            what = f"'{shown(item.name)}' is in the file '{shown(item.value)}', which is not read"
            raise self._source.wrong(at, what, "put its content there")
        if item.separator == "==":
            self._query.append(f"{quote_plus(item.name)}={quote_plus(item.value)}")
        elif item.separator == ";":
            self._sent.headers.append((item.name, ""))
        elif item.separator == ":":
            self._sent.headers += [(item.name, item.value)] if item.value else []
        else:
            try:
                self._items.add(item)
            except ValueError as error:
                mend = "for example data:='{\"id\": 1}'"
                raise self._source.wrong(at, str(error), mend) from None

    # --- options ---

    def _positional(self) -> Iterator[tuple[str, int]]:
        """The words that are no options, with their places; options are taken."""
        rest = iter(zip(self._command.words[1:], self._command.places[1:], strict=True))
        for word, at in rest:
            if word == "--":
                yield from rest
            elif word.startswith("--"):
                name, equals, value = word[2:].partition("=")
                self._option(name, f"--{name}", value if equals else None, rest, at)
            elif word.startswith("-") and len(word) > 1:
                self._short_options(word, rest, at)
            else:
                yield word, at

    def _short_options(self, word: str, rest: Iterator[tuple[str, int]], at: int) -> None:
        for position, letter in enumerate(word[1:], 1):
            name = _SHORT.get(letter, "")
            attached = word[position + 1 :] or None
            has_value = name in _OPTIONS and _OPTIONS[name].has_value
            self._option(name, f"-{letter}", attached if has_value else None, rest, at)
            if has_value:
                return

    def _option(
        self, name: str, written: str, value: str | None, rest: Iterator[tuple[str, int]], at: int
    ) -> None:
        if name.startswith("no-"):
            return
        option = _OPTIONS.get(name)
        if option is None:
            raise self._unknown(written, at)
        if option.kind == "refused":
            raise self._source.wrong(at, f"{written} {option.why}", "import a request that posts JSON")
        if option.has_value and value is None:
            value, _ = next(rest, (None, at))
            if value is None:
                raise self._source.wrong(at, f"{written} has no value", "add it")
        if option.kind == "secret":
            self._sent.secrets.append((option.why, value or ""))
        elif option.kind == "receiver":
            self._sent.of_receiver.append(written)
        elif name == "raw":
            self._sent.data.append(value or "")
        elif name == "default-scheme":
            self._scheme = value or self._scheme

    def _unknown(self, option: str, at: int) -> SourceError:
        option = shown(option)
        near = did_you_mean(option, [f"--{name}" for name in _OPTIONS])
        mend = near or "leave it out if it does not matter for what is sent"
        return self._source.wrong(at, f"{option} is an option of HTTPie's that is not understood here", mend)
