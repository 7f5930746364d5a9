"""The tables of the index, and their rows as values."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec
from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Index,
    Integer,
    MetaData,
    RowMapping,
    Table,
    select,
)

from retailops_sandbox.runlog.index.places import Judged, Place
from retailops_sandbox.runlog.sql.tables import Text, delivery_tables

FORMAT = 4
"""Of the tables and their values: an index of another format is made anew."""

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
    Column("identity", Text),  # another one each time the index is made anew
    Column("changes", BigInteger),  # how many times it was written
    Column("results", BigInteger),  # the number of the latest change of any result
)
runs = Table(
    "runs",
    metadata,
    Column("number", Integer, primary_key=True),
    Column("id", Text, unique=True, nullable=False),
    Column("changed", BigInteger, index=True),
    Column("record", Text),  # an `IndexedRun`
)
tables = delivery_tables(
    metadata,
    Column("position", _key, primary_key=True),
    Column("run", Integer),
    Column("judged", Text),  # JSON: a `Judged` for each judgement of its own run, in order of time
    Column("added", BigInteger),  # the number of the change that added it
    Column("changed", BigInteger, index=True),  # the number of the latest change of what a row shows
    *_place(),
)
deliveries, orders, codes = tables
Index("ix_deliveries_id", deliveries.c.id)
PLACE = tuple(deliveries.c[name] for name in _PLACE)
"""The columns of a delivery's place."""
judgements_elsewhere = Table(
    "judgements_elsewhere",  # by other runs than the delivery's, or without a delivery
    metadata,
    Column("delivery", Text, index=True),
    Column("run", Integer, index=True),  # the run that holds the judgement
    Column("at", Text),
    Column("verdict", Text),
    Column("differences", Integer),
    *_place(),
)
results = Table(
    "results",
    metadata,
    Column("position", _key, primary_key=True),
    Column("run", Integer, index=True),
    Column("scenario", Text),
    Column("sort", BigInteger),  # `sort_of` the start of its run; NULL where the run's record is damaged
    Column("verdict", Text),
    *_place(),
    Index("results_by_scenario", "scenario", "sort"),
)


elsewhere_in_order = (
    select(judgements_elsewhere)
    .join(runs, runs.c.number == judgements_elsewhere.c.run)
    .order_by(judgements_elsewhere.c.at, runs.c.id, judgements_elsewhere.c.offset)
)
"""The judgements of other runs, those of one instant in the order of the runs that hold them."""
_judged = msgspec.json.Decoder(list[Judged])


def judged_from(text: str) -> list[Judged]:
    """The judgements of a value of the column `judged`."""
    return _judged.decode(text) if text else []


def place_from(values: Mapping[str, Any] | RowMapping) -> Place:
    """The place of a record, from the values of its three columns."""
    return msgspec.convert(tuple(values[name] for name in _PLACE), Place)
