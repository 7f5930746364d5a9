"""The tables of deliveries that SQLite and PostgreSQL both have, and their rows as values.

Only what both of them have is used. Indexes end in `sort`, so that what they find is in order.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any, NamedTuple, TypeVar

import msgspec
from sqlalchemy import (
    TEXT,
    BigInteger,
    Boolean,
    Column,
    Connection,
    Dialect,
    Float,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    RowMapping,
    SmallInteger,
    String,
    Table,
    TypeDecorator,
    insert,
)
from sqlalchemy.types import TypeEngine

from retailops_sandbox.runlog.rows import DeliveryRow
from retailops_sandbox.runlog.sql import texts

_T = TypeVar("_T")
_AT_ONCE = 500
"""The most values in a list of one statement; databases bound them."""


class Text(TypeDecorator[str]):
    """Text, in order of its characters' numbers. What is no text can be asked for, and equals nothing.

    Such as a name that is not UTF-8.
    """

    impl = String
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[str]:
        return TEXT(collation="C") if dialect.name == "postgresql" else String()

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        if value is None or value.encode(errors="ignore").decode() != value:
            return None
        return self.in_postgres(value) if dialect.name == "postgresql" else value

    def in_postgres(self, value: str) -> str:
        """A text as a column of PostgreSQL has it."""
        return texts.as_text(value)


class Key(Text):
    """Text that rows are found by. PostgreSQL has no more than its beginning, since its indexes bound it."""

    cache_ok = True

    def in_postgres(self, value: str) -> str:
        return texts.as_key(value)


class DeliveryTables(NamedTuple):
    """The deliveries of a log, and the tables by which those are found that have one of several values."""

    deliveries: Table
    orders: Table
    codes: Table

    @property
    def row(self) -> tuple[Column[Any], ...]:
        """The columns of a row, in the order of its fields."""
        return tuple(self.deliveries.c[name] for name in _FIELDS)


def delivery_tables(metadata: MetaData, *own: Column[Any], cascades: bool = False) -> DeliveryTables:
    """The tables of deliveries, added to a database's metadata.

    `own` are the columns that only this database has, among them `position`, which is the key, and `run`.
    `cascades` says that what is deleted of the deliveries goes from the other two tables, too.
    """
    deliveries = Table(
        "deliveries",
        metadata,
        *own,
        Column("sort", BigInteger),  # `sort_of` the instant of sending
        Column("status_class", Key),
        Column("unedited_fixture", Key),
        # From here on the fields of a row, in their order.
        Column("sent_at", Text),
        Column("id", Key),
        Column("action", Key),
        Column("edition", Key),
        Column("receiver", Key),
        Column("stand_in", Boolean),
        Column("scenario", Key),
        Column("step", Text),
        Column("fixture", Text),
        Column("number", Integer),
        Column("attempt", Integer),
        Column("parent", Key),
        Column("dropped", Boolean),
        Column("status", SmallInteger),
        Column("fault", Key),
        Column("total_ms", Float),
        Column("orders", Text),  # JSON, empty for none
        Column("subjects", Integer),
        Column("codes", Text),  # JSON, empty for none
        Column("events", Integer),
        Column("off_contract", Boolean),
        Column("breaks_contract", Boolean),
        Column("verdict", Key),  # the latest, by whatever run; empty where it was not judged
        Column("first_verdict", Text),
        Column("differences", Integer),
        Index("deliveries_in_order", "sort"),
        Index("deliveries_by_case", "receiver", "action", "edition", "scenario", "unedited_fixture", "sort"),
    )
    has_fault = deliveries.c.fault > ""
    Index("deliveries_with_fault", deliveries.c.sort, sqlite_where=has_fault, postgresql_where=has_fault)
    for name in (*_FOUND_BY, "verdict", "status", "status_class"):
        Index(f"deliveries_by_{name}", deliveries.c[name], deliveries.c.sort)
    for name in ("fault", "parent"):
        has_one = deliveries.c[name] > ""
        Index(
            f"deliveries_by_{name}",
            deliveries.c[name],
            deliveries.c.sort,
            sqlite_where=has_one,
            postgresql_where=has_one,
        )
    orders, codes = (_lookup(metadata, name, cascades=cascades) for name in ("orders", "codes"))
    return DeliveryTables(deliveries, orders, codes)


def _lookup(metadata: MetaData, name: str, *, cascades: bool) -> Table:
    """A table by which the deliveries are found that have a value in a column of several."""
    follows = [ForeignKey("deliveries.position", ondelete="CASCADE")] if cascades else []
    return Table(
        name,
        metadata,
        Column("value", Key, primary_key=True),
        Column("sort", BigInteger, primary_key=True),
        # What is deleted is looked for by it.
        Column("delivery", BigInteger, *follows, primary_key=True, index=cascades),
        sqlite_with_rowid=False,
    )


_FIELDS = DeliveryRow.__struct_fields__
_FOUND_BY = ("run", "action", "edition", "receiver", "scenario", "unedited_fixture")
_ORDERS, _CODES, _VERDICT = (_FIELDS.index(name) for name in ("orders", "codes", "verdict"))
_texts = msgspec.json.Decoder(tuple[str, ...])


def row_values(row: DeliveryRow) -> tuple[Any, ...]:
    """The values of the columns in `DeliveryTables.row`."""
    values = list(msgspec.structs.astuple(row))
    values[_ORDERS], values[_CODES] = json_text(row.orders), json_text(row.codes)
    values[_VERDICT] = row.verdict or ""
    return tuple(values)


def row_from(values: Mapping[str, Any] | RowMapping) -> DeliveryRow:
    """The row of the values that `DeliveryTables.row` selects."""
    fields = {name: values[name] for name in _FIELDS}
    fields["orders"] = _texts.decode(fields["orders"]) if fields["orders"] else ()
    fields["codes"] = _texts.decode(fields["codes"]) if fields["codes"] else ()
    fields["verdict"] = fields["verdict"] or None
    return msgspec.convert(fields, DeliveryRow)


def json_text(value: Any) -> str:
    """The value of a column with JSON, which is empty for nothing."""
    return msgspec.json.encode(value).decode() if value else ""


def chunks(values: Iterable[_T]) -> Iterator[list[_T]]:
    """Values in lists that are short enough for one statement."""
    rest = iter(values)
    while some := list(islice(rest, _AT_ONCE)):
        yield some


class Insert:
    """Inserts rows into a table, faster than by values with names."""

    def __init__(self, table: Table, *, without: str = "") -> None:
        """`without` names a column whose values the database chooses."""
        self._table = table
        self._columns = [column.name for column in table.columns if column.name != without]
        self._statements: dict[str, str] = {}
        """By the name of the database's dialect."""

    def rows(self, connection: Connection, rows: Sequence[tuple[Any, ...]]) -> None:
        """Insert rows of values, in the order of the table's columns."""
        if not rows:
            return
        dialect = connection.dialect
        if dialect.name not in self._statements:
            made = insert(self._table).compile(dialect=dialect, column_keys=self._columns)
            self._statements[dialect.name] = str(made)
        connection.exec_driver_sql(self._statements[dialect.name], list(rows))
