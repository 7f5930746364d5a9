"""Deletes runs, and makes rows anew."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, Integer, cast, delete, func, insert, select, update

from retailops_sandbox.contracts.catalogue import Contracts
from retailops_sandbox.errors import FileError
from retailops_sandbox.runlog.entries import Entry
from retailops_sandbox.runlog.postgres import evidence
from retailops_sandbox.runlog.postgres.database import Database
from retailops_sandbox.runlog.postgres.schema import (
    CHANNEL,
    RUNS_LOCK,
    codes,
    deliveries,
    judgements,
    orders,
    runs,
    state,
    tables,
)
from retailops_sandbox.runlog.postgres.stored_runs import StoredRun, all_runs
from retailops_sandbox.runlog.retention import KeptRun, Pruned, Removed, Retention, choose
from retailops_sandbox.runlog.rows import DeliveryRow, lookups
from retailops_sandbox.runlog.runs import Reindexed
from retailops_sandbox.runlog.sql.tables import row_from, row_values

_AT_ONCE = 500
"""The most deliveries whose rows are made anew in one transaction, for which others may have to wait."""
_GONE = "it was deleted just now"


def prune(database: Database, retention: Retention, now: str, *, dry_run: bool) -> Pruned:
    """Delete the runs over the limits of `retention`; a dry run only returns which ones."""
    with database.reading() as connection:
        stored = {run.id: run for run in all_runs(connection, database.place)}
    going, kept = choose([run.summary for run in stored.values()], retention, now)
    removed: list[Removed] = []
    for run in going:
        reason = "" if dry_run else _delete(database, stored[run.id])
        if not reason:
            removed.append(Removed(run, stored[run.id].size))
        elif reason != _GONE:
            kept.append(KeptRun(run, reason))
    return Pruned(removed, kept, [])


def _delete(database: Database, run: StoredRun) -> str:
    """Delete a run; why it was not deleted, empty where it was."""
    with database.writing() as connection:
        # From here on whoever pins it waits, and then finds it gone.
        is_pinned = connection.scalar(
            select(runs.c.pinned).where(runs.c.number == run.number).with_for_update()
        )
        if is_pinned is None:
            return _GONE
        if is_pinned:
            return "it was pinned just now"
        lock = func.pg_try_advisory_xact_lock(cast(RUNS_LOCK, Integer), cast(run.number, Integer))
        if not connection.scalar(select(lock)):
            return "it is running"
        about = select(judgements.c.delivery).where(judgements.c.run == run.number).distinct()
        judged = set(connection.scalars(about))
        connection.execute(delete(runs).where(runs.c.number == run.number))
        _judge_anew(connection, judged)
        _notify(connection)
    return ""


def _judge_anew(connection: Connection, ids: set[str]) -> None:
    """Set the verdicts of deliveries, some of whose judgements are deleted, to those that are left."""
    if not ids:
        return
    # In the order in which everybody locks deliveries.
    left = select(deliveries.c.id).where(deliveries.c.id.in_(ids)).order_by(deliveries.c.id)
    for id in connection.scalars(left.with_for_update()).all():
        found = evidence.entry(connection, id)
        if found is not None:
            first, last = (found.judgements or (None,))[0], found.judgement
            values = {
                "verdict": last.verdict if last is not None else "",
                "first_verdict": first.verdict if first is not None else None,
                "differences": len(last.differences) if last is not None else 0,
                "changed": func.pg_current_xact_id(),
            }
            connection.execute(update(deliveries).where(deliveries.c.id == id).values(values))


# --- rows made anew ---


def reindex(database: Database, contracts: Contracts) -> Reindexed:
    """Make the rows of all deliveries anew."""
    with database.reading() as connection:
        stored = all_runs(connection, database.place)
    problems = [run.problem for run in stored if run.problem is not None]
    made = 0
    for run in stored:
        found = _remake(database, run, contracts) if run.problem is None else []
        problems += found
        made += run.problem is None and not found
    with database.writing() as connection:
        connection.execute(update(state).values(lookups=lookups(contracts)))
        _notify(connection)
    return Reindexed(made, 0, problems)


def _remake(database: Database, run: StoredRun, contracts: Contracts) -> list[FileError]:
    """Make the rows of a run's deliveries anew; what is wrong with those whose records are damaged."""
    problems: list[FileError] = []
    last = ""
    while True:
        with database.writing() as connection:
            asked = select(*tables.row, deliveries.c.position, deliveries.c.record)
            asked = asked.where(deliveries.c.run == run.number, deliveries.c.id > last)
            asked = asked.order_by(deliveries.c.id).limit(_AT_ONCE).with_for_update()
            found = connection.execute(asked).mappings().all()
            if not found:
                return problems
            last = found[-1]["id"]
            of_these = judgements.c.delivery.in_([each["id"] for each in found])
            known = evidence.judgements_about(connection, run.id, of_these)
            for each in found:
                try:
                    delivery = evidence.delivery(each["id"], each["record"])
                except FileError as error:
                    problems.append(error)
                    continue
                row = Entry(delivery, tuple(known.get(delivery.id, ()))).row(contracts)
                if row != row_from(each):
                    _replace(connection, each["position"], row)


def _replace(connection: Connection, position: int, row: DeliveryRow) -> None:
    values: dict[str, Any] = dict(zip((each.name for each in tables.row), row_values(row), strict=True))
    values |= {"changed": func.pg_current_xact_id()}
    connection.execute(update(deliveries).where(deliveries.c.position == position).values(values))
    for table, found in ((orders, row.orders), (codes, row.codes)):
        connection.execute(delete(table).where(table.c.delivery == position))
        if found:
            new = [{"value": each, "sort": row.sort[0], "delivery": position} for each in found]
            connection.execute(insert(table), new)


def _notify(connection: Connection) -> None:
    """Wake who listens, once this is committed."""
    connection.execute(select(func.pg_notify(CHANNEL, "")))
