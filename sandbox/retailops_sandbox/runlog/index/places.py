"""Reads records at their places in files of the log."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from io import FileIO
from pathlib import Path

from retailops_sandbox.errors import unreadable
from retailops_sandbox.regular_files import regular
from retailops_sandbox.runlog.rows import Span

Stamp = tuple[int, int]
"""When a file was changed, in nanoseconds, and its size: a file whose stamp differs has changed."""


class Stale(Exception):
    """A file has changed, or is gone, since its index was made: refresh and ask again."""


@contextmanager
def opened(path: Path, stamp: Stamp | None = None) -> Iterator[FileIO]:
    """A file to read from; Stale where it is gone, or its stamp is another one than that given."""
    try:
        with open(path, "rb", buffering=0, opener=regular) as file:
            if stamp not in (None, stamp_of(os.fstat(file.fileno()))):
                raise Stale
            yield file
    except FileNotFoundError as error:
        raise Stale from error
    except OSError as error:
        raise unreadable(path, error) from error


def stamp_of(status: os.stat_result) -> Stamp:
    """The stamp of a file, from its status."""
    return status.st_mtime_ns, status.st_size


def read(file: FileIO, spans: Sequence[Span]) -> Iterator[bytes]:
    """The bytes at these places."""
    for offset, size in spans:
        file.seek(offset)
        yield file.read(size)
