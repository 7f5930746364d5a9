"""The runs in the tables, and which of them go on."""

from __future__ import annotations

from collections import Counter
from collections.abc import Container

import msgspec
from sqlalchemy import Connection, RowMapping, column, func, select, table

from retailops_sandbox.errors import FileError
from retailops_sandbox.model import RunInfo, Verdict
from retailops_sandbox.runlog.postgres.schema import RUNS_LOCK, runs
from retailops_sandbox.runlog.runs import RunState, RunSummary


class StoredRun(msgspec.Struct, frozen=True, kw_only=True):
    """A run as it is in the table."""

    number: int
    id: str
    info: RunInfo | None
    """None where it is damaged."""
    problem: FileError | None
    is_held: bool
    """Whether a process writes it."""
    deliveries: int
    verdicts: Counter[str]
    outcomes: Counter[Verdict]
    judges: frozenset[str]
    size: int
    is_pinned: bool

    @property
    def state(self) -> RunState:
        ended = self.info is not None and bool(self.info.finished_at)
        if self.is_held and not ended:
            return "running"
        if self.info is None or not ended:
            return "interrupted"
        return "stopped" if self.info.stopped else "finished"

    @property
    def order(self) -> tuple[str, str, str]:
        """The order of runs: by the second that the id begins with, then by the exact time."""
        return self.id.partition("-")[0], self.info.started_at if self.info else "", self.id

    @property
    def summary(self) -> RunSummary:
        return RunSummary(
            id=self.id,
            info=self.info,
            state=self.state,
            deliveries=self.deliveries,
            verdicts=self.verdicts,
            outcomes=self.outcomes,
            problems=(self.problem,) if self.problem is not None else (),
            is_pinned=self.is_pinned,
            judges=self.judges,
        )


def all_runs(connection: Connection, place: str) -> list[StoredRun]:
    """All runs, the newest first; `place` is the database for people."""
    held = held_numbers(connection)
    found = [_stored(each, held, place) for each in connection.execute(select(runs)).mappings()]
    return sorted(found, key=lambda run: run.order, reverse=True)


def one_run(connection: Connection, id: str, place: str) -> StoredRun | None:
    """The run of this id; None if there is none."""
    found = connection.execute(select(runs).where(runs.c.id == id)).mappings().first()
    return _stored(found, held_numbers(connection), place) if found is not None else None


def held_numbers(connection: Connection) -> set[int]:
    """The numbers of the runs that a process writes: its session holds their locks, while it lives."""
    return set(connection.scalars(_HELD))


def info_of(record: str) -> RunInfo | None:
    """A run's own record; None where it is damaged."""
    found = _info(record)
    return found if isinstance(found, RunInfo) else None


def _stored(values: RowMapping, held: Container[int], place: str) -> StoredRun:
    info = _info(values["record"])
    problem = None
    if not isinstance(info, RunInfo):
        file = f"run {values['id']} in {place}"
        problem = FileError(f"damaged: {info}", mend="it is kept as it is", file=file)
    return StoredRun(
        number=values["number"],
        id=values["id"],
        info=info if isinstance(info, RunInfo) else None,
        problem=problem,
        is_held=values["number"] in held,
        deliveries=values["deliveries"],
        verdicts=Counter(_counts.decode(values["verdicts"]) if values["verdicts"] else {}),
        outcomes=Counter(_outcomes.decode(values["outcomes"]) if values["outcomes"] else {}),
        judges=_ids.decode(values["judges"]) if values["judges"] else frozenset(),
        size=values["size"],
        is_pinned=values["pinned"],
    )


def _info(record: str) -> RunInfo | str:
    """The run's own record, or why it cannot be read."""
    try:
        return _infos.decode(record)
    except (msgspec.DecodeError, RecursionError) as error:
        return str(error)


_infos = msgspec.json.Decoder(RunInfo)
_counts = msgspec.json.Decoder(dict[str, int])
_outcomes = msgspec.json.Decoder(dict[Verdict, int])
_ids = msgspec.json.Decoder(frozenset[str])
_locks = table("pg_locks", *map(column, ("locktype", "classid", "objid", "objsubid", "database", "granted")))
_databases = table("pg_database", column("oid"), column("datname"))
_HELD = select(_locks.c.objid.cast(runs.c.number.type)).where(
    _locks.c.locktype == "advisory",
    _locks.c.classid == RUNS_LOCK,
    _locks.c.objsubid == 2,  # of a lock with two numbers
    _locks.c.granted,
    _locks.c.database
    == select(_databases.c.oid).where(_databases.c.datname == func.current_database()).scalar_subquery(),
)
