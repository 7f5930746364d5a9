"""The errors that a user can cause, each shown in one line, and words that such lines share.

SandboxError
├── UsageError        an option, argument or setting is wrong
├── SourceError       a file's text is wrong: not JSON, duplicate key, unknown field, bad pointer ...
├── FileError         a file cannot be read or written
└── ComposeError      a payload cannot be composed: unknown placeholder, pointer that does not resolve

A network failure is no exception but a value (`model.Fault`).
"""

from __future__ import annotations

import errno
from collections.abc import Callable, Iterable

from retailops_sandbox.foreign_text import in_line


class SandboxError(Exception):
    """An error that a user can fix. `str()` is the one line shown: place, what is wrong, how to mend it."""

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
        """`file:line:column at /pointer`, as far as these are known; `line 1:24` of a text without a file."""
        numbers = f"{self.line}:{self.column}" if self.line else ""
        start = ":".join(filter(None, (self.file, numbers))) if self.file else numbers and f"line {numbers}"
        return f"{start} at {self.pointer}".lstrip() if self.pointer else start

    @property
    def message(self) -> str:
        """What is wrong and how to fix it, without the place."""
        return f"{self.what} ({self.mend})" if self.mend else self.what

    def __str__(self) -> str:
        return in_line(f"{self.place}: {self.message}" if self.place else self.message)


class UsageError(SandboxError):
    """An option, argument or setting that cannot be used."""


class SourceError(SandboxError):
    """A file's text that is wrong, with the place in it."""


class FileError(SandboxError):
    """A file that cannot be read or written."""


class ComposeError(SandboxError):
    """A payload that cannot be composed."""


def unreadable(file: object, error: OSError) -> FileError:
    """The error of a file or folder that cannot be read, for the system's reason."""
    return FileError(f"cannot be read: {system_reason(error)}", file=str(file))


def unwritable(file: object, error: OSError, *, mend: str = "") -> FileError:
    """The error of a file or folder that cannot be written, for the system's reason."""
    return FileError(f"cannot be written: {system_reason(error)}", file=str(file), mend=mend)


# --- Words of messages ----------------------------------------------------------------------------------


_DISK_MENDS = {
    errno.ENOSPC: "free some space on that disk",
    errno.EDQUOT: "free some space on that disk",
    errno.EROFS: "choose another folder",
    errno.EACCES: "choose another folder, or make this one writable",
}


def disk_mend(error: OSError) -> str:
    """What to do about a disk that is full or cannot be written to; empty for any other error."""
    return _DISK_MENDS.get(error.errno or 0, "")


def system_reason(error: Exception) -> str:
    """The system's reason for an OSError, or the message of another error, in lower case for a sentence."""
    return (getattr(error, "strerror", None) or str(error)).lower()


def once_a_file(problems: Iterable[SandboxError]) -> list[str]:
    """The first problem of each file in a line, with the number of the others."""
    by_file: dict[str, list[SandboxError]] = {}
    for problem in problems:
        by_file.setdefault(problem.file, []).append(problem)
    return [
        f"{first} (and {len(others):,} more like this)" if others else str(first)
        for first, *others in by_file.values()
    ]


def shortened(text: str, limit: int) -> str:
    """The text, cut to the limit in characters, with an ellipsis, where it is longer."""
    return text if len(text) <= limit else f"{text[:limit]}…"


def did_you_mean(
    name: str, known: Iterable[str], *, most: int = 1, spelled: Callable[[str], str] = str
) -> str:
    """A question that names up to `most` known names like the given one; empty where none is like it.

    `spelled` makes the spelling of a name in the question.
    """
    from difflib import get_close_matches  # only errors need it

    near = get_close_matches(name, list(known), most)
    return f"did you mean {' or '.join(map(spelled, near))}?" if near else ""
