"""The arguments of this process as other users of the machine see them, in which a password must not stay."""

from __future__ import annotations

import ctypes
from contextlib import suppress
from pathlib import Path

from retailops_sandbox.runlog.place import database_words

_ARG_START, _ARG_END = 48, 49
"""The fields of /proc/self/stat, counted from 1, that say where the arguments are in memory."""


def hide(url: str) -> None:
    """Spell the URL of a database without its password where `ps` reads it; done on Linux alone."""
    secret, shown = url.encode(errors="surrogateescape"), database_words(url).encode()
    if not secret or secret == shown:
        return
    with suppress(OSError, ValueError, IndexError):
        # The second field is a name in parentheses, which may hold anything.
        fields = Path("/proc/self/stat").read_text().rpartition(")")[2].split()
        start, end = (int(fields[number - 3]) for number in (_ARG_START, _ARG_END))
        arguments = ctypes.string_at(start, end - start)
        at = arguments.find(secret)
        while at >= 0:
            # What is left of the longer text becomes blanks: an argument ends at the next zero byte.
            ctypes.memmove(start + at, shown[: len(secret)].ljust(len(secret)), len(secret))
            at = arguments.find(secret, at + 1)
