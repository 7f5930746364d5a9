"""Files that are replaced whole."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import BinaryIO

from retailops_sandbox import errors
from retailops_sandbox.errors import FileError, disk_mend
from retailops_sandbox.regular_files import PRIVATE_FILE, keep_mode, temporary


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
        new = temporary(target)
        try:
            with open(new, "xb", buffering=1 << 20, opener=partial(os.open, mode=mode)) as file:
                keep_mode(target, file.fileno())
                yield file
                file.flush()
                os.fsync(file.fileno())
            os.replace(new, target)
        except BaseException:
            new.unlink(missing_ok=True)
            raise
    except OSError as error:
        raise unwritable(target, error) from error
