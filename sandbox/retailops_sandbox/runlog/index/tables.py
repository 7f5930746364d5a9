"""The tables of the index, and their rows as values.

Only what SQLite and PostgreSQL both have is used. Indexes end in `sort`, so that what they find is in order.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any

import msgspec
from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Connection,
    Dialect,
    Float,
    Index,
    Integer,
    MetaData,
    RowMapping,
    SmallInteger,
    String,
    Table,
    TypeDecorator,
    insert,
    select,
)

from retailops_sandbox.runlog.index.places import Judged, Place
from retailops_sandbox.runlog.rows import DeliveryRow

FORMAT = 4
"""Of the tables and their values: an index of another format is made anew."""

_AT_ONCE = 500
"""The most values in a list of one statement; databases bound them."""


class _Text(TypeDecorator[str]):
    """Text. What is no text, as a name that is not UTF-8, can be asked for, and equals nothing."""

    impl = String
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        return value if value is None or value.encode(errors="ignore").decode() == value else None


metadata = MetaData()
_key = BigInteger().with_variant(Integer, "sqlite")
_PLACE = ("in_journal", "offset", "size")


def _place() -> tuple[Column[Any], ...]:
    return Column("in_journal", Boolean), Column("offset", BigInteger), Column("size", BigInteger)


state = Table(
    "state",
    metadata,
    Column("format", Integer),
    Column("lookups", BigInteger),  # `rows.lookups`
    Column("identity", _Text),  # another one each time the index is made anew
    Column("changes", BigInteger),  # how many times it was written
    Column("results", BigInteger),  # the number of the latest change of any result
)
runs = Table(
    "runs",
    metadata,
    Column("number", Integer, primary_key=True),
    Column("id", _Text, unique=True, nullable=False),
    Column("changed", BigInteger, index=True),
    Column("record", _Text),  # an `IndexedRun`
)
deliveries = Table(
    "deliveries",
    metadata,
    Column("position", _key, primary_key=True),
    Column("run", Integer),
    Column("sort", BigInteger),  # `sort_of` the instant of sending
    Column("status_class", _Text),
    Column("unedited_fixture", _Text),
    Column("judged", _Text),  # JSON: a `Judged` for each judgement of its own run, in order of time
    Column("added", BigInteger),  # the number of the change that added it
    Column("changed", BigInteger, index=True),  # the number of the latest change of what a row shows
    *_place(),
    # From here on the fields of a row, in their order.
    Column("sent_at", _Text),
    Column("id", _Text, index=True),
    Column("action", _Text),
    Column("edition", _Text),
    Column("receiver", _Text),
    Column("stand_in", Boolean),
    Column("scenario", _Text),
    Column("step", _Text),
    Column("fixture", _Text),
    Column("number", Integer),
    Column("attempt", Integer),
    Column("parent", _Text),
    Column("dropped", Boolean),
    Column("status", SmallInteger),
    Column("fault", _Text),
    Column("total_ms", Float),
    Column("orders", _Text),  # JSON, empty for none
    Column("subjects", Integer),
    Column("codes", _Text),  # JSON, empty for none
    Column("events", Integer),
    Column("off_contract", Boolean),
    Column("breaks_contract", Boolean),
    Column("verdict", _Text),  # the latest, by whatever run; empty where it was not judged
    Column("first_verdict", _Text),
    Column("differences", Integer),
    Index("deliveries_in_order", "sort"),
    Index("deliveries_by_case", "receiver", "action", "edition", "scenario", "unedited_fixture", "sort"),
)
_has_fault = deliveries.c.fault > ""
Index("deliveries_with_fault", deliveries.c.sort, sqlite_where=_has_fault, postgresql_where=_has_fault)
_FOUND_BY = ("run", "action", "edition", "receiver", "scenario", "unedited_fixture")
for name in (*_FOUND_BY, "verdict", "status", "status_class"):
    Index(f"deliveries_by_{name}", deliveries.c[name], deliveries.c.sort)
for name in ("fault", "parent"):
    Index(
        f"deliveries_by_{name}",
        deliveries.c[name],
        deliveries.c.sort,
        sqlite_where=deliveries.c[name] > "",
        postgresql_where=deliveries.c[name] > "",
    )


def _lookup(name: str) -> Table:
    """A table by which the deliveries are found that have a value in a column of several."""
    return Table(
        name,
        metadata,
        Column("value", _Text, primary_key=True),
        Column("sort", BigInteger, primary_key=True),
        Column("delivery", BigInteger, primary_key=True),
        sqlite_with_rowid=False,
    )


orders = _lookup("orders")
codes = _lookup("codes")
judgements_elsewhere = Table(
    "judgements_elsewhere",  # by other runs than the delivery's, or without a delivery
    metadata,
    Column("delivery", _Text, index=True),
    Column("run", Integer, index=True),  # the run that holds the judgement
    Column("at", _Text),
    Column("verdict", _Text),
    Column("differences", Integer),
    *_place(),
)
results = Table(
    "results",
    metadata,
    Column("position", _key, primary_key=True),
    Column("run", Integer, index=True),
    Column("scenario", _Text),
    Column("sort", BigInteger),  # `sort_of` the start of its run; NULL where the run's record is damaged
    Column("verdict", _Text),
    *_place(),
    Index("results_by_scenario", "scenario", "sort"),
)


elsewhere_in_order = (
    select(judgements_elsewhere)
    .join(runs, runs.c.number == judgements_elsewhere.c.run)
    .order_by(judgements_elsewhere.c.at, runs.c.id, judgements_elsewhere.c.offset)
)
"""The judgements of other runs, those of one instant in the order of the runs that hold them."""
ROW = tuple(deliveries.c[name] for name in DeliveryRow.__struct_fields__)
"""The columns of a row, in the order of its fields."""
_FIELDS = DeliveryRow.__struct_fields__
_ORDERS, _CODES, _VERDICT = (_FIELDS.index(name) for name in ("orders", "codes", "verdict"))
_texts = msgspec.json.Decoder(tuple[str, ...])
_judged = msgspec.json.Decoder(list[Judged])


def row_values(row: DeliveryRow) -> tuple[Any, ...]:
    """The values of the columns in `ROW`."""
    values = list(msgspec.structs.astuple(row))
    values[_ORDERS], values[_CODES] = json_text(row.orders), json_text(row.codes)
    values[_VERDICT] = row.verdict or ""
    return tuple(values)


def row_from(values: Mapping[str, Any] | RowMapping) -> DeliveryRow:
    """The row of the values that `ROW` selects."""
    fields = {name: values[name] for name in _FIELDS}
    fields["orders"] = _texts.decode(fields["orders"]) if fields["orders"] else ()
    fields["codes"] = _texts.decode(fields["codes"]) if fields["codes"] else ()
    fields["verdict"] = fields["verdict"] or None
    return msgspec.convert(fields, DeliveryRow)


def judged_from(text: str) -> list[Judged]:
    """The judgements of a value of the column `judged`."""
    return _judged.decode(text) if text else []


def place_from(values: Mapping[str, Any] | RowMapping) -> Place:
    """The place of a record, from the values of its three columns."""
    return msgspec.convert(tuple(values[name] for name in _PLACE), Place)


def json_text(value: Any) -> str:
    """The value of a column with JSON, which is empty for nothing."""
    return msgspec.json.encode(value).decode() if value else ""


def chunks(values: Iterable[str]) -> Iterator[list[str]]:
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
