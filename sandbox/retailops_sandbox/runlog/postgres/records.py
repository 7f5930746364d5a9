"""Records as the values of columns."""

from __future__ import annotations

import re
from typing import Any

import msgspec
from sqlalchemy import Column

from retailops_sandbox.runlog.postgres.schema import deliveries
from retailops_sandbox.runlog.rows import DeliveryRow
from retailops_sandbox.runlog.sql.tables import Text, row_values

_OTHER_SPELLING = re.compile(rb"\\(?:/|u(?!00[01]))|\\u00[01][A-F]|[\r\n\t]")
"""What the sandbox does not write, but other programs may: needless escapes, and layout."""
_STRING = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*"')


_GIVEN = tuple(each for each in deliveries.columns if each.name not in ("position", "added", "changed"))
DELIVERY_COLUMNS = tuple(each.name for each in _GIVEN)
"""The columns of a delivery that its writer gives; the database gives the others."""


def delivery_values(run: int, record: str, row: DeliveryRow) -> tuple[Any, ...]:
    """The values of `DELIVERY_COLUMNS`, to be given to the driver as they are.

    `run` is the run's number, `record` what `record_text` makes of the delivery.
    """
    own = run, record, row.sort[0], row.status_class, row.unedited_fixture
    return tuple(map(stored, _GIVEN, (*own, *row_values(row))))


def stored(column: Column[Any], value: Any) -> Any:
    """A value as it is given to the driver for a column."""
    kind = column.type
    return kind.in_postgres(value) if isinstance(kind, Text) and isinstance(value, str) else value


def record_text(document: bytes) -> str:
    """A record as its column has it: JSON text as the sandbox spells it, numbers as they were.

    `document` is a record that was decoded, and so is JSON.
    """
    if _OTHER_SPELLING.search(document):
        document = _STRING.sub(_respelled, msgspec.json.format(document, indent=-1))
    return document.decode()


def _respelled(found: re.Match[bytes]) -> bytes:
    literal = found[0]
    return msgspec.json.encode(msgspec.json.decode(literal)) if b"\\" in literal else literal
