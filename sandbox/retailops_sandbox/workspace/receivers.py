"""The file `receivers.json`: a TinyDB database with the tables `receivers` and `settings`.

It is written by `receiver_database`, and by people: whatever it says wrong has its line and pointer.
"""

from __future__ import annotations

from pathlib import Path

import msgspec

from retailops_sandbox import jsontext
from retailops_sandbox.errors import UsageError
from retailops_sandbox.model import Json, Receiver
from retailops_sandbox.workspace.files import checked, read_text
from retailops_sandbox.workspace.names import nearest


class ReceiverBook(msgspec.Struct, frozen=True):
    """What `receivers.json` holds, as it was read."""

    file: str
    receivers: tuple[Receiver, ...] = ()
    default: str = ""

    def named(self, name: str) -> Receiver:
        """The receiver of a name; UsageError, with similar names, where there is none."""
        for receiver in self.receivers:
            if receiver.name == name:
                return receiver
        names = [receiver.name for receiver in self.receivers]
        known = nearest(name, names) if names else "name a URL, or add a receiver in the browser"
        raise UsageError(f"there is no receiver {name!r} in {self.file}", mend=known)


class _Preferences(msgspec.Struct):
    default: str = ""


class _Tables(msgspec.Struct, forbid_unknown_fields=True):
    receivers: dict[str, Receiver] = {}
    settings: dict[str, _Preferences] = {}


def read_book(path: Path) -> ReceiverBook:
    """The receivers in a file; none where there is none. SourceError for what is wrong in it."""
    _, tables = _read(path)
    default = next((row.default for row in tables.settings.values()), "")
    return ReceiverBook(str(path), tuple(tables.receivers.values()), default)


def read_tables(path: Path) -> Json:
    """The tables of the file as its JSON has them, with all that `ReceiverBook` leaves out."""
    return _read(path)[0]


def _read(path: Path) -> tuple[Json, _Tables]:
    # TinyDB makes an empty file of a path at which there is nothing.
    text = read_text(path) if checked(Path.exists, path) else ""
    if not text:
        return {}, _Tables()
    value = jsontext.parse(text, file=str(path))
    return value, jsontext.convert(value, _Tables, text, file=str(path))
