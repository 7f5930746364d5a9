"""The tables of a log in PostgreSQL, which the migrations make.

Records are JSON text as the sandbox spells it (`spelling.record_text`), so that numbers keep their spelling.
The counts of a run are written in the transaction that adds the records. Needs PostgreSQL 13 or newer.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
    Identity,
    Index,
    Integer,
    MetaData,
    Table,
    text,
)
from sqlalchemy.types import UserDefinedType

from retailops_sandbox.runlog.postgres.signals import CHANNEL as CHANNEL
from retailops_sandbox.runlog.postgres.signals import RUNS_LOCK as RUNS_LOCK
from retailops_sandbox.runlog.sql.tables import Key, Text, delivery_tables

TEXT_INDEX = "deliveries_by_text"
"""The name of the trigram index on the records of deliveries, which needs pg_trgm and is in no metadata."""


class TransactionId(UserDefinedType[str]):
    """The number of a transaction (`xid8`), which `pg_visible_in_snapshot` compares."""

    cache_ok = True

    def get_col_spec(self, **_: Any) -> str:
        return "xid8"


class Snapshot(UserDefinedType[str]):
    """Which transactions had ended (`pg_snapshot`)."""

    cache_ok = True

    def get_col_spec(self, **_: Any) -> str:
        return "pg_snapshot"


_THIS_TRANSACTION = text("pg_current_xact_id()")

metadata = MetaData()
state = Table(
    "state",  # one row
    metadata,
    Column("identity", Text, nullable=False),  # another one each time rows are made anew
    Column("lookups", BigInteger),  # `rows.lookups` of the contracts that rows were last made anew by
)
runs = Table(
    "runs",
    metadata,
    Column("number", BigInteger, Identity(always=True), primary_key=True),
    Column("id", Key, unique=True, nullable=False),
    Column("record", Text, nullable=False),  # a `RunInfo`
    Column("deliveries", Integer, nullable=False, server_default="0"),
    Column("verdicts", Text, nullable=False, server_default=""),  # JSON, as in `RunSummary`; empty for none
    Column("outcomes", Text, nullable=False, server_default=""),  # JSON, as in `RunSummary`; empty for none
    Column("judges", Text, nullable=False, server_default=""),  # JSON, an array; empty for none
    Column("size", BigInteger, nullable=False, server_default="0"),  # the bytes of its records
    Column("pinned", Boolean, nullable=False, server_default="false"),
)


def _run(*, index: bool = False) -> Column[int]:
    of = ForeignKey("runs.number", ondelete="CASCADE")
    return Column("run", BigInteger, of, nullable=False, index=index)


def _position() -> Column[int]:
    return Column("position", BigInteger, Identity(always=True), primary_key=True)


tables = delivery_tables(
    metadata,
    _position(),
    _run(),
    # The transactions that added it, and that last changed what its row shows.
    Column("added", TransactionId, nullable=False, server_default=_THIS_TRANSACTION),
    Column("changed", TransactionId, nullable=False, server_default=_THIS_TRANSACTION, index=True),
    Column("record", Text, nullable=False),  # a `Delivery`
    cascades=True,
)
deliveries, orders, codes = tables
Index("deliveries_by_id", deliveries.c.id, unique=True)
judgements = Table(
    "judgements",
    metadata,
    _position(),
    _run(),  # that holds it, which need not be the delivery's
    # From 1 in its run, in the order of appending: what is brought in again is known by it.
    Column("number", Integer, nullable=False),
    Column("delivery", Key, nullable=False, index=True),
    Column("at", Text, nullable=False),
    Column("verdict", Text, nullable=False),
    Column("differences", Integer, nullable=False),
    Column("record", Text, nullable=False),  # a `Judgement`
    Index("judgements_in_run", "run", "number", unique=True),
)
results = Table(
    "results",
    metadata,
    _position(),
    _run(),
    Column("number", Integer, nullable=False),  # as that of a judgement
    Column("scenario", Key, nullable=False),
    Column("sort", BigInteger, nullable=False),  # `sort_of` the start of its run
    Column("verdict", Text, nullable=False),
    Column("record", Text, nullable=False),  # a `Result`
    Index("results_in_run", "run", "number", unique=True),
    Index("results_by_scenario", "scenario", "sort"),
)
in_flight = Table(
    "in_flight",
    metadata,
    Column("id", Key, primary_key=True),
    _run(index=True),
    Column("row", Text, nullable=False),  # a `DeliveryRow` as JSON
    prefixes=["UNLOGGED"],
)
