"""What it costs to look into a log of 100,000 deliveries in PostgreSQL, as a browser meets it.

    python bench/shared_pages.py

The database is a real one on this machine, as it is after a load: nothing is tuned. Exits 1 if a limit is
passed, or the database reads all deliveries for a filter.
"""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path

import psycopg
from log import (
    DELIVERIES,
    FILTERS,
    RARE_CODE,
    RARE_ORDER,
    RARE_TEXT,
    Told,
    fill,
    measured,
    pages,
    run_info,
    serving,
)
from sqlalchemy.dialects import postgresql

sys.path.insert(0, str(Path(__file__).parents[1]))

from retailops_sandbox.contracts.catalogue import SHIPPED_CONTRACTS
from retailops_sandbox.runlog.opening import open_log
from retailops_sandbox.runlog.place import LogPlace
from retailops_sandbox.runlog.postgres.schema import tables
from retailops_sandbox.runlog.query import Query
from retailops_sandbox.runlog.retention import Retention
from retailops_sandbox.runlog.sql import selecting
from tests.support.postgres import fresh_database, owned_server

PAGE_MS = 150
LOOK_MS = 10
"""The most that a look for changes may take: a page that is watched costs several of them a second."""
PRUNE_S = 30


def reads_all(connection: psycopg.Connection, query: Query, run: int | None) -> bool:
    """Whether the database reads all deliveries for the first page of a query."""
    asked = selecting.rows(tables, query, run, after=None, newest_first=True, most=250)
    plan = asked.compile(dialect=postgresql.psycopg.dialect(), compile_kwargs={"literal_binds": True})
    lines = connection.execute(f"explain {plan}").fetchall()
    return any("Seq Scan on deliveries" in line for (line,) in lines)


def main() -> int:
    told = Told()
    with tempfile.TemporaryDirectory() as name, owned_server(), fresh_database() as url:
        place = LogPlace(Path(name) / ".sandbox" / "runs", url)
        start = time.perf_counter()
        large = fill(place, DELIVERIES)
        print(f"{DELIVERIES:,} deliveries written in {time.perf_counter() - start:.0f} s")
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute("analyze")  # as the server does by itself, sooner or later
            found = connection.execute(
                "select pg_size_pretty(pg_database_size(current_database()))"
            ).fetchone()
            print(f"the database has {found[0] if found else '?'}")
            for asked in FILTERS:
                field, _, value = asked.partition("=")
                told(f"reads all for {asked}", reads_all(connection, Query(**{field: value}), None), 0, "")
        with serving(Path(name), "--log", url) as (port, _):
            pages(told, port, large, PAGE_MS)
            for text in (RARE_ORDER, RARE_CODE, RARE_TEXT):
                path = f"/deliveries?text={text.replace(' ', '+')}"
                first, whole = measured(port, path, b'<tr id="row-'), measured(port, path)
                print(f"first hit of the text {text!r}: {first:.0f} ms, all of it: {whole:.0f} ms")
        log = open_log(place, lambda: SHIPPED_CONTRACTS)
        cursor = log.cursor()
        start = time.perf_counter()
        for _ in range(100):
            cursor.changes()
        told("a look for changes", (time.perf_counter() - start) * 10, LOOK_MS, "ms")
        start = time.perf_counter()
        log.prune(Retention(runs=100), run_info(0).started_at)
        told("deleting the older half", time.perf_counter() - start, PRUNE_S, "s")
    return told.exit_code()


if __name__ == "__main__":
    sys.exit(main())
