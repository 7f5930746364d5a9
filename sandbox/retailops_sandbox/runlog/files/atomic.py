"""Files that are replaced whole."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from retailops_sandbox import errors
from retailops_sandbox.errors import FileError, disk_mend


def unwritable(path: Path, error: OSError) -> FileError:
    """The error of a file of the log that cannot be written."""
    return errors.unwritable(path, error, mend=disk_mend(error))


@contextmanager
def replacing(target: Path, new: Path) -> Iterator[BinaryIO]:
    """A file to write, named `new`, that replaces `target` once it is complete and on disk, or not at all.

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
