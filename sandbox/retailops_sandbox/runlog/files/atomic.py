"""Files that are replaced whole, and errors in one line."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from retailops_sandbox import errors
from retailops_sandbox.errors import FileError

_MENDS = {
    errno.ENOSPC: "free some space on that disk",
    errno.EDQUOT: "free some space on that disk",
    errno.EROFS: "choose another folder",
    errno.EACCES: "choose another folder, or make this one writable",
}


def unreadable(path: Path, error: OSError) -> FileError:
    """The error of a file or folder that cannot be read."""
    return errors.unreadable(path, error)


def unwritable(path: Path, error: OSError) -> FileError:
    """The error of a file that cannot be written, with what helps against the most common reasons."""
    return errors.unwritable(path, error, mend=_MENDS.get(error.errno or 0, ""))


@contextmanager
def replacing(target: Path, new: Path) -> Iterator[BinaryIO]:
    """A file to write, called `new`, that becomes `target` once it is whole and on disk, or not at all.

    FileError where the target cannot be written; whatever else the block raises passes through.
    """
    try:
        try:
            with open(new, "wb", buffering=1 << 20) as file:
                yield file
                file.flush()
                os.fsync(file.fileno())
            os.replace(new, target)
        except BaseException:
            new.unlink(missing_ok=True)
            raise
    except OSError as error:
        raise unwritable(target, error) from error
