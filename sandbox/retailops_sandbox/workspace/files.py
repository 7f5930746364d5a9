"""Reading, checking and writing files; every error is one line."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path

from retailops_sandbox.errors import FileError, unreadable, unwritable
from retailops_sandbox.regular_files import SHARED_FILE, regular, replacement

FileStamp = tuple[int, int, int]
"""What tells that a file or a folder has changed: its time, size and number."""

_CHUNK = 64 * 1024
_SETTLED_NS = 2_000_000_000
"""Since when a file must be unchanged for its time to tell: that of some file systems has whole seconds."""


def checked(question: Callable[[Path], bool], path: Path) -> bool:
    """The answer to a question such as `Path.exists`; FileError where the system refuses to answer."""
    try:
        return question(path)
    except OSError as error:
        raise unreadable(path, error) from error


def file_stamp(path: Path | str) -> FileStamp | None:
    """What tells that a file or a folder has changed; None where the system does not say."""
    try:
        status = os.stat(path)
    except OSError:
        # Reading it says why.
        return None
    return status.st_mtime_ns, status.st_size, status.st_ino


def is_settled(stamp: FileStamp) -> bool:
    """Whether a change since then would have another stamp."""
    return time.time_ns() - stamp[0] > _SETTLED_NS


def read_text(path: Path | str) -> str:
    """A file's text; FileError where it cannot be read or is not UTF-8."""
    try:
        # `open` would make twice as many system calls, and there may be thousands of files.
        descriptor = regular(path, os.O_RDONLY)
        try:
            return _whole(descriptor).decode()
        finally:
            os.close(descriptor)
    except OSError as error:
        raise unreadable(path, error) from error
    except UnicodeDecodeError as error:
        raise FileError(
            f"is not UTF-8 at byte {error.start}", file=str(path), mend="save it as UTF-8"
        ) from error


def _whole(descriptor: int) -> bytes:
    """All that a regular file has: of such a one, less comes than is asked for only at its end."""
    text = os.read(descriptor, _CHUNK)
    if len(text) < _CHUNK:
        return text
    return text + b"".join(iter(lambda: os.read(descriptor, _CHUNK), b""))


def check_writable(path: Path, place: Path | None = None) -> None:
    """FileError for a file that could not be written: it is a folder, or `place` is missing or read-only.

    `place` is the path that must be writable, by default the folder that the file is in.
    """
    if checked(Path.is_dir, path):
        raise FileError("is a folder", file=str(path), mend="name a file")
    place = path.absolute().parent if place is None else place
    if not checked(Path.exists, place):
        raise FileError(f"cannot be written: there is no folder {path.parent}", file=str(path))
    if not os.access(place, os.W_OK):
        raise FileError("cannot be written: permission denied", file=str(path))


def write_file(path: Path, text: str) -> None:
    """Replace a file's text as `write_atomically` does; FileError where it cannot be written."""
    try:
        write_atomically(path, text)
    except OSError as error:
        raise unwritable(path, error) from error


def write_atomically(path: Path, text: str, *, mode: int = SHARED_FILE) -> None:
    """Replace a file's text: readers see the old or the new one, never a part. Raises OSError.

    It has the mode of the file that it replaces, or else `mode`.
    """
    content = text.encode()
    with replacement(path, mode=mode, sync=False) as file:
        file.write(content)
