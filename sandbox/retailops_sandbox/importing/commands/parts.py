"""The parts of a request, collected from a command's options, and the request that they make."""

from __future__ import annotations

from retailops_sandbox.importing.commands.command import Command, CommandText
from retailops_sandbox.importing.found import FoundRequest
from retailops_sandbox.importing.mending import is_json, mended

JSON = "application/json"


class RequestParts:
    """The parts of a request, as the options that were read so far give them."""

    def __init__(self, method: str) -> None:
        self.method = method
        self.urls: list[str] = []
        self.headers: list[tuple[str, str]] = []
        self.data: list[str] = []
        self.secrets: list[tuple[str, str]] = []
        """Credentials outside the headers: for each a description and the value."""
        self.of_receiver: list[str] = []
        """The options, as written, that say how the receiver is reached."""
        self.notes: list[str] = []

    def has_header(self, name: str) -> bool:
        """Whether a header of this name was given."""
        return any(each.lower() == name.lower() for each, _ in self.headers)

    def request(
        self, source: CommandText, command: Command, program: str, *, body_option: str
    ) -> FoundRequest:
        """The request; SourceError where it has no URL, several, or no body.

        `program` names the command in errors, `body_option` the option that would give it a body.
        """
        if len(self.urls) != 1:
            what = "names no URL" if not self.urls else f"names {len(self.urls)} URLs"
            raise source.wrong(command.at, f"the {program} command {what}", "give it one")
        if not self.data:
            mend = f"give it one by {body_option}"
            raise source.wrong(command.at, f"the {program} command sends no body", mend)
        (url,) = self.urls
        body, notes = self._body(source, command)
        return FoundRequest(
            place=f"line {source.line(command.at)}",
            body=body.encode("utf-8", "surrogateescape"),
            method=self.method,
            url=url if "://" in url else f"http://{url}",
            headers=tuple(self.headers),
            secrets=tuple(self.secrets),
            notes=(*command.notes, *self._receiver_notes(), *self.notes, *notes),
        )

    def _receiver_notes(self) -> list[str]:
        if not self.of_receiver:
            return []
        options = ", ".join(dict.fromkeys(self.of_receiver))
        return [f"left out: {options}; how it is reached belongs to the receiver"]

    def _body(self, source: CommandText, command: Command) -> tuple[str, list[str]]:
        """The body as it was meant, and notes on what was changed."""
        body = "".join(self.data)
        meant = mended(body)
        if meant is not None:
            return meant.text, [meant.note]
        if command.escaped_quote >= 0 and not is_json(body):
            raise source.escaped_quote(command.escaped_quote)
        return body, []
