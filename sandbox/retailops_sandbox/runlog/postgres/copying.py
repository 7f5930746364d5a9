"""Makes the run file of a run in the database."""

from __future__ import annotations

from typing import BinaryIO

import msgspec
from sqlalchemy import Connection, ScalarResult, Table, select

from retailops_sandbox.model import encoder
from retailops_sandbox.runlog.files.journal import FORMAT, TABLES, Head
from retailops_sandbox.runlog.files.tables import Tables
from retailops_sandbox.runlog.files.writer import GENERATION
from retailops_sandbox.runlog.postgres import schema
from retailops_sandbox.runlog.postgres.stored_runs import StoredRun

_AT_ONCE = 500
"""Records that are in memory at once."""


def copy_run(connection: Connection, run: StoredRun, target: BinaryIO) -> None:
    """Write a run so far as a run file, as its process would have. The run is not damaged."""
    assert run.info is not None
    tables = Tables(target)
    for name in TABLES:
        tables.table(name)
        for record in _records(connection, schema.metadata.tables[name], run.number):
            tables.add(record.encode())
    tables.table("run")
    head = Head(**msgspec.structs.asdict(run.info), format=FORMAT, generation=GENERATION)
    tables.add(encoder.encode(head))
    tables.end()


def _records(connection: Connection, table: Table, run: int) -> ScalarResult[str]:
    """The records of a run in a table, in the order in which they were appended."""
    order = table.c.position if table is schema.deliveries else table.c.number
    asked = select(table.c.record).where(table.c.run == run).order_by(order)
    return connection.scalars(asked, execution_options={"yield_per": _AT_ONCE})
