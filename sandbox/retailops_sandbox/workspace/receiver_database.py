"""Changes `receivers.json` through TinyDB, which keeps all that a change is not about.

A change reads the file anew, right before it writes: what others wrote meanwhile stays.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, BinaryIO

from tinydb import TinyDB, where
from tinydb.middlewares import CachingMiddleware
from tinydb.table import Table

from retailops_sandbox import jsontext
from retailops_sandbox.atomic_storage import AtomicStorage, DocumentsByTable
from retailops_sandbox.errors import UsageError
from retailops_sandbox.model import Receiver, encoder
from retailops_sandbox.regular_files import SHARED_FILE
from retailops_sandbox.workspace.receivers import ReceiverBook, read_tables

Writing = Callable[[Path], AbstractContextManager[None]]
"""Makes what a file needs before a block that writes it, and names the file in the block's errors."""


class ReceiverStorage(AtomicStorage):
    """The storage of receivers, in a layout for people: one member a line, numbers as they were spelled."""

    def __init__(self, path: Path, writing: Writing) -> None:
        super().__init__(path, mode=SHARED_FILE)
        self._writing = writing

    def read(self) -> DocumentsByTable | None:
        """The tables; SourceError, with line and pointer, where the file is wrong."""
        tables: Any = read_tables(self.path)
        return tables or None

    def write(self, data: DocumentsByTable) -> None:
        with self._writing(self.path):
            super().write(data)

    def spell(self, data: DocumentsByTable, file: BinaryIO) -> None:
        document: Any = data
        file.write(jsontext.pretty(document).encode() + b"\n")


def save(
    path: Path, writing: Writing, receiver: Receiver, *, replaces: str = "", is_default: bool | None = None
) -> None:
    """Add a receiver, or replace the one named `replaces`; UsageError where its name is taken.

    `is_default` says whether it is the one that is used where none is named; None leaves that as it was.
    """
    with _opened(path, writing) as database:
        receivers, settings = database.table("receivers"), database.table("settings")
        if receiver.name != replaces and receivers.contains(where("name") == receiver.name):
            raise UsageError(
                f"there is a receiver named {receiver.name!r} already", mend="choose another name"
            )
        fields: Any = jsontext.parse(encoder.encode(receiver))
        replaced = receivers.get(where("name") == replaces)
        if replaced is None:
            receivers.insert(fields)
        else:
            receivers.update(_replaced_by(fields), doc_ids=[replaced.doc_id])
        default = _default(settings)
        was_default = bool(default) and default in (replaces, receiver.name)
        if was_default if is_default is None else is_default:
            _set_default(settings, receiver.name)
        else:
            _set_default(settings, "" if was_default else default)


def delete(path: Path, writing: Writing, name: str) -> ReceiverBook:
    """Remove a receiver from the file, and return what it held before; UsageError for an unknown name."""
    with _opened(path, writing) as database:
        receivers, settings = database.table("receivers"), database.table("settings")
        book = ReceiverBook(str(path), tuple(map(_receiver, receivers)), _default(settings))
        book.named(name)
        receivers.remove(where("name") == name)
        _set_default(settings, "" if book.default == name else book.default)
    return book


def _opened(path: Path, writing: Writing) -> TinyDB:
    """The database, which reads the file once, and writes it once when it is closed, if it was changed."""
    return TinyDB(path, writing, storage=_cached(ReceiverStorage))


def _receiver(document: Any) -> Receiver:
    """A receiver from a file that was found right when it was read."""
    fields = dict(document)
    return jsontext.convert(fields, Receiver, jsontext.compact(fields), file="")


def _replaced_by(fields: dict[str, Any]) -> Callable[[Any], None]:
    def replace(document: Any) -> None:
        document.clear()
        document.update(fields)

    return replace


def _default(settings: Table) -> str:
    return next((str(each.get("default", "")) for each in settings), "")


def _set_default(settings: Table, name: str) -> None:
    first = next(iter(settings), None)
    if first is None:
        settings.insert({"default": name})
    else:
        settings.update({"default": name}, doc_ids=[first.doc_id])


_cached: Callable[[type[ReceiverStorage]], Any] = CachingMiddleware
"""TinyDB's own middleware, which has no types."""
