"""Uploaded run files, which are kept until the process ends."""

from __future__ import annotations

import shutil
import tempfile
from itertools import count
from pathlib import Path
from threading import Lock
from typing import BinaryIO

from retailops_sandbox.errors import FileError, disk_mend, unwritable
from retailops_sandbox.runlog.ports import LogReader

_LONGEST = 100
"""The most characters of a file's name that are shown."""


class Uploads:
    """Run files in a folder of this process, open in the log. It may be used from several threads."""

    def __init__(self, log: LogReader) -> None:
        self._log = log
        self._folder: tempfile.TemporaryDirectory[str] | None = None
        self._kept: dict[str, Path] = {}
        """The files by the id of their run."""
        self._numbers = count(1)
        self._lock = Lock()

    def take(self, file: BinaryIO, name: str) -> str:
        """Open a run file; the id of its run. FileError where it cannot be shown. Blocks.

        `name` is the file's name in the browser: it is shown, and no file is written under it.
        """
        shown = name.replace("\\", "/").rpartition("/")[2][:_LONGEST] or "a file without a name"
        # One at a time: of two files of one run, the later is kept and the other is deleted.
        with self._lock:
            path = self._written(file)
            try:
                id = self._log.open(path, shown)
            except FileError:
                path.unlink(missing_ok=True)
                raise
            # Where the workspace has the run itself, that one is shown.
            before = self._kept.pop(id, None) if self._log.opened_from(id) else path
            if before is not path:
                self._kept[id] = path
            if before is not None:
                before.unlink(missing_ok=True)
        return id

    def close(self) -> None:
        """Delete the files."""
        with self._lock:
            folder, self._folder = self._folder, None
            self._kept.clear()
        if folder is not None:
            folder.cleanup()

    def _written(self, file: BinaryIO) -> Path:
        path = None
        try:
            if self._folder is None:
                self._folder = tempfile.TemporaryDirectory(prefix="retailops-sandbox-")
            path = Path(self._folder.name, f"{next(self._numbers)}.json")
            with open(path, "wb") as target:
                shutil.copyfileobj(file, target, 1 << 20)
        except OSError as error:
            if path is not None:
                path.unlink(missing_ok=True)
            raise unwritable(tempfile.gettempdir(), error, mend=disk_mend(error)) from error
        return path
