"""What can go wrong because of something a user did, each told in one line.

SandboxError
├── UsageError        an option, argument or setting is wrong
├── SourceError       a file's text is wrong: not JSON, duplicate key, unknown field, bad pointer ...
├── FileError         a file cannot be read or written
└── ComposeError      a payload cannot be composed: unknown placeholder, pointer that does not resolve

Network trouble is not here: it is a value (`model.Fault`).
"""

from __future__ import annotations


class SandboxError(Exception):
    """An error a user can mend. `str()` is the one line shown: place, what is wrong, how to mend it."""

    def __init__(
        self,
        what: str,
        *,
        mend: str = "",
        file: str = "",
        line: int = 0,
        column: int = 0,
        pointer: str | None = None,
    ) -> None:
        super().__init__(what)
        self.what = what
        self.mend = mend
        self.file = file
        self.line = line
        self.column = column
        self.pointer = pointer

    @property
    def place(self) -> str:
        """`file:line:column at /pointer`, as far as it is known; `line 1:24` of a text without a file."""
        numbers = f"{self.line}:{self.column}" if self.line else ""
        start = ":".join(filter(None, (self.file, numbers))) if self.file else numbers and f"line {numbers}"
        if self.pointer is None:
            return start
        return f"{start} at {self.pointer or '(root)'}".lstrip()

    def __str__(self) -> str:
        line = f"{self.place}: {self.what}" if self.place else self.what
        return f"{line} ({self.mend})" if self.mend else line


class UsageError(SandboxError):
    """An option, argument or setting that cannot be used."""


class SourceError(SandboxError):
    """A text that cannot be understood, with the place in it."""


class FileError(SandboxError):
    """A file that cannot be read or written."""


class ComposeError(SandboxError):
    """A payload that cannot be composed."""
