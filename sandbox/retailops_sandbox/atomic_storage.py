"""TinyDB databases in files that are replaced whole."""

from __future__ import annotations

from abc import abstractmethod
from pathlib import Path
from typing import Any, BinaryIO

from tinydb.storages import Storage

from retailops_sandbox.regular_files import replacement

DocumentsByTable = dict[str, dict[str, Any]]
"""What TinyDB keeps: documents by table and id."""


class AtomicStorage(Storage):
    """A storage in a file: whoever reads that sees the tables as they were before or after a change.

    TinyDB's own storage writes into the file, where a process that dies leaves half of it.
    """

    def __init__(self, path: Path, *, mode: int) -> None:
        """`mode` is that of a file that is new."""
        self.path = path
        self._mode = mode

    def write(self, data: DocumentsByTable) -> None:
        """Replace the file; it is on disk then. Raises OSError."""
        with replacement(self.path, mode=self._mode, sync=True) as file:
            self.spell(data, file)

    @abstractmethod
    def spell(self, data: DocumentsByTable, file: BinaryIO) -> None:
        """Write the tables as text."""
