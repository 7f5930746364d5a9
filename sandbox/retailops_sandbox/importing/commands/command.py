"""A command as a shell passes it to a program, and the text that it stands in."""

from __future__ import annotations

import msgspec

from retailops_sandbox.errors import SourceError
from retailops_sandbox.jsontext.text import error_at


class Command(msgspec.Struct, frozen=True, kw_only=True):
    """A simple command, without its redirections."""

    at: int
    """The position in the text at which the command begins."""
    words: tuple[str, ...]
    places: tuple[int, ...]
    """The position in the text at which each word begins."""
    stdin: str | None = None
    """The text of its here-document or here-string."""
    piped: bool = False
    """Whether its output is the next command's input."""
    notes: tuple[str, ...] = ()
    """What was read otherwise than the shell would read it."""
    escaped_quote: int = -1
    """The position of a backslash that was probably meant to escape a quote, and does not; -1 for none."""


class CommandText:
    """A text with commands: the line of each position, and errors with their place."""

    def __init__(self, text: str, file: str) -> None:
        self.text = text
        self.file = file
        self._line, self._counted = 1, 0

    def line(self, at: int) -> int:
        """The line of a position, from 1. Positions that ascend are counted once."""
        if at < self._counted:
            self._line, self._counted = 1, 0
        self._line += self.text.count("\n", self._counted, at)
        self._counted = at
        return self._line

    def wrong(self, at: int, what: str, mend: str) -> SourceError:
        """The error at a position."""
        return error_at(self.text, at, what, mend=mend, file=self.file)

    def escaped_quote(self, at: int) -> SourceError:
        """The error of a backslash at a position inside single quotes, meant to escape a quote."""
        return self.wrong(
            at,
            "a backslash escapes nothing inside single quotes, so the text ends here",
            r"write '\'' for a single quote inside them",
        )
