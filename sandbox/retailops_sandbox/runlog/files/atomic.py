"""Files that are replaced whole."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from retailops_sandbox import errors
from retailops_sandbox.errors import FileError, disk_mend
from retailops_sandbox.regular_files import PRIVATE_FILE, replacement


def unwritable(path: Path, error: OSError) -> FileError:
    """The error of a file of the log that cannot be written."""
    return errors.unwritable(path, error, mend=disk_mend(error))


@contextmanager
def replacing(target: Path, *, mode: int = PRIVATE_FILE) -> Iterator[BinaryIO]:
    """A file to write that replaces `target` once it is complete and on disk, or not at all.

    It has the mode of the file that it replaces, or else `mode`. FileError where the target cannot be
    written; whatever else the block raises passes through.
    """
    try:
        with replacement(target, mode=mode, sync=True) as file:
            yield file
    except OSError as error:
        raise unwritable(target, error) from error
