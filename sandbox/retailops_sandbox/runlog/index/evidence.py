"""Reads records that the index finds: deliveries with their judgements, results, and what holds a text."""

from __future__ import annotations

from collections.abc import Collection, Container, Iterable, Mapping, Sequence
from operator import attrgetter

from sqlalchemy import ColumnElement, Connection, RowMapping, and_, bindparam, func, select

from retailops_sandbox.model import Delivery, Judgement, Result
from retailops_sandbox.runlog.entries import Entry, LoggedResult
from retailops_sandbox.runlog.index.indexed import KnownRun
from retailops_sandbox.runlog.index.places import Stale
from retailops_sandbox.runlog.index.tables import (
    chunks,
    deliveries,
    judged_from,
    judgements_elsewhere,
    place_from,
    results,
)
from retailops_sandbox.runlog.rows import sort_of


def entries(
    connection: Connection,
    run: KnownRun,
    wanted: ColumnElement[bool],
    scenarios: Container[str] | None,
    holders: Iterable[KnownRun],
) -> list[Entry]:
    """The wanted deliveries of a run, all or for these scenarios, the oldest first.

    Their judgements are also those of the other runs in `holders`.
    """
    rows = connection.execute(_DELIVERIES.where(deliveries.c.run == run.number, wanted)).mappings()
    found = [values for values in rows if scenarios is None or values["scenario"] in scenarios]
    own = [judged_from(values["judged"]) for values in found]
    files = run.files
    judgements = files.judgements([each.place for judged in own for each in judged])
    by_delivery = {
        values["id"]: [next(judgements) for _ in judged] for values, judged in zip(found, own, strict=True)
    }
    _add_elsewhere(connection, run, by_delivery, {each.number: each for each in holders})
    return [
        Entry(delivery, tuple(by_delivery[delivery.id]))
        for delivery in files.deliveries([place_from(values) for values in found])
    ]


def _add_elsewhere(
    connection: Connection,
    run: KnownRun,
    by_delivery: Mapping[str, list[Judgement]],
    holders: Mapping[int, KnownRun],
) -> None:
    """Add the judgements that other runs hold, in order of time."""
    for values in connection.execute(_ELSEWHERE, {"first": f"{run.id}.", "end": f"{run.id}/"}).mappings():
        holder, known = holders.get(values["run"]), by_delivery.get(values["delivery"])
        if holder is not None and known is not None:
            known += holder.files.judgements([place_from(values)])
            known.sort(key=attrgetter("at"))


def deliveries_of(connection: Connection, run: KnownRun, wanted: ColumnElement[bool]) -> list[Delivery]:
    """The wanted deliveries of a run, without judgements."""
    found = connection.execute(_DELIVERIES.where(deliveries.c.run == run.number, wanted)).mappings().all()
    return list(run.files.deliveries([place_from(values) for values in found]))


# --- results ---


def results_of_run(connection: Connection, run: KnownRun) -> list[Result]:
    """The results of a run, in the order in which they were appended."""
    asked = select(results).where(results.c.run == run.number).order_by(results.c.position)
    found = connection.execute(asked).mappings().all()
    return list(run.files.results([place_from(values) for values in found]))


def results_of(
    connection: Connection, runs: Mapping[str, KnownRun], scenario: str, *, start: int, most: int
) -> list[LoggedResult]:
    """The results of a scenario, those of the newest run first: so many of them from `start` on."""
    asked = _UNDAMAGED.where(results.c.scenario == scenario).order_by(
        results.c.sort.desc(), results.c.run.desc(), results.c.position.desc()
    )
    found = connection.execute(asked.offset(start).limit(most)).mappings().all()
    logged = _logged(found, runs)
    return [logged[values["position"]] for values in found]


def scenarios_before(connection: Connection, run: KnownRun, scenarios: Collection[str]) -> set[str]:
    """Those of these scenarios that have a result in another run that is not later than this one."""
    info = run.indexed.info
    if info is None:
        return set()
    found: set[str] = set()
    for some in chunks(scenarios):
        asked = select(results.c.scenario).where(results.c.scenario.in_(some), results.c.run != run.number)
        asked = asked.where(results.c.sort <= sort_of(info.started_at)).distinct()
        found.update(connection.scalars(asked))
    return found


def latest_results(
    connection: Connection, runs: Mapping[str, KnownRun], known: Mapping[str, tuple[int, LoggedResult]]
) -> dict[str, tuple[int, LoggedResult]]:
    """The latest result of each scenario with its position in the index; what is in `known` is not read."""
    # By position, so that of several in one run the last remains.
    latest = {values["scenario"]: values for values in connection.execute(_LATEST).mappings()}
    new = [each for id, each in latest.items() if id not in known or known[id][0] != each["position"]]
    logged = _logged(new, runs)
    return {
        id: (each["position"], logged[each["position"]]) if each["position"] in logged else known[id]
        for id, each in latest.items()
    }


def _logged(found: Sequence[RowMapping], runs: Mapping[str, KnownRun]) -> dict[int, LoggedResult]:
    """The results that rows of `results` stand for, by their position."""
    by_number = {run.number: run for run in runs.values()}
    by_run: dict[int, list[RowMapping]] = {}
    for values in found:
        by_run.setdefault(values["run"], []).append(values)
    logged: dict[int, LoggedResult] = {}
    for number, of_run in by_run.items():
        run = by_number.get(number)
        if run is None or run.indexed.info is None:
            raise Stale  # Another process has written the index meanwhile.
        records = run.files.results([place_from(values) for values in of_run])
        for values, record in zip(of_run, records, strict=True):
            logged[values["position"]] = LoggedResult(run.indexed.info, record)
    return logged


_DELIVERIES = select(
    deliveries.c.id,
    deliveries.c.scenario,
    deliveries.c.judged,
    deliveries.c.in_journal,
    deliveries.c.offset,
    deliveries.c.size,
).order_by(deliveries.c.sort, deliveries.c.id)
_ELSEWHERE = select(judgements_elsewhere).where(
    # "/" comes after "." in the order of texts.
    judgements_elsewhere.c.delivery >= bindparam("first"),
    judgements_elsewhere.c.delivery < bindparam("end"),
)
_UNDAMAGED = select(results).where(results.c.sort.is_not(None))
"""Those of runs whose own record is not damaged."""
_newest = (
    select(results.c.scenario, func.max(results.c.sort).label("sort")).group_by(results.c.scenario).subquery()
)
_LATEST = (
    select(results)
    .join(_newest, and_(results.c.scenario == _newest.c.scenario, results.c.sort == _newest.c.sort))
    .order_by(results.c.run, results.c.position)
)
