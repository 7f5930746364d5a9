"""Reads records that the index finds: deliveries with their judgements, results, and what holds a text."""

from __future__ import annotations

from collections.abc import Collection, Container, Iterable, Mapping, Sequence
from operator import attrgetter

from sqlalchemy import ColumnElement, Connection, RowMapping, and_, bindparam, func, select, tuple_

from retailops_sandbox.model import Delivery, Judgement, Result
from retailops_sandbox.runlog.entries import Entry, LoggedResult
from retailops_sandbox.runlog.index.indexed import KnownRun
from retailops_sandbox.runlog.index.places import Stale
from retailops_sandbox.runlog.index.tables import (
    PLACE,
    deliveries,
    elsewhere_in_order,
    judged_from,
    judgements_elsewhere,
    place_from,
    results,
    runs,
)
from retailops_sandbox.runlog.rows import sort_of
from retailops_sandbox.runlog.sql.tables import chunks

ResultKey = tuple[int, str, int]
"""The order of results: `sort_of` the start of their run, its id, and the position in the index."""
RunRecord = tuple[str, int, int]
"""Where a record is in the index: the run's id, the change that last wrote that run, and the position."""


def check(connection: Connection, run: KnownRun) -> None:
    """Raise Stale where a run is no longer in the index as it is known."""
    if connection.execute(_AS_KNOWN, {"number": run.number}).first() != (run.id, run.in_index.changed):
        raise Stale


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
    records = list(files.deliveries([place_from(values) for values in found]))
    if [record.id for record in records] != [values["id"] for values in found]:
        raise Stale
    return [Entry(record, tuple(by_delivery[record.id])) for record in records]


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
            check(connection, holder)
            known += holder.files.judgements([place_from(values)])
            known.sort(key=attrgetter("at"))  # At one instant those of the run itself come first.


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
    connection: Connection, known: Mapping[str, KnownRun], scenario: str, after: ResultKey | None, most: int
) -> list[tuple[ResultKey, LoggedResult]]:
    """The first results of a scenario with their keys, those of the newest run first; after a key or all."""
    asked = _UNDAMAGED.where(results.c.scenario == scenario)
    if after is not None:
        asked = asked.where(tuple_(*_RESULT_KEY) < tuple_(*after))
    asked = asked.order_by(*(column.desc() for column in _RESULT_KEY))
    found = connection.execute(asked.limit(most)).mappings().all()
    logged = _logged(connection, found, known)
    return [
        ((values["sort"], values["run_id"], values["position"]), logged[values["position"]])
        for values in found
    ]


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
    connection: Connection,
    known: Mapping[str, KnownRun],
    earlier: Mapping[str, tuple[RunRecord, LoggedResult]],
) -> dict[str, tuple[RunRecord, LoggedResult]]:
    """The latest result of each scenario and where it is; what is where it was in `earlier` is not read."""
    # In order, so that of several in the newest runs the last remains.
    latest = {values["scenario"]: values for values in connection.execute(_LATEST).mappings()}
    places = {id: (each["run_id"], each["changed"], each["position"]) for id, each in latest.items()}
    new = [each for id, each in latest.items() if id not in earlier or earlier[id][0] != places[id]]
    logged = _logged(connection, new, known)
    return {
        id: (places[id], logged[each["position"]]) if each["position"] in logged else earlier[id]
        for id, each in latest.items()
    }


def _logged(
    connection: Connection, found: Sequence[RowMapping], known: Mapping[str, KnownRun]
) -> dict[int, LoggedResult]:
    """The results that rows of `results` stand for, by their position."""
    by_run: dict[str, list[RowMapping]] = {}
    for values in found:
        by_run.setdefault(values["run_id"], []).append(values)
    logged: dict[int, LoggedResult] = {}
    for id, of_run in by_run.items():
        run = known.get(id)
        if run is None or run.indexed.info is None:
            raise Stale  # Another process has written the index meanwhile.
        check(connection, run)
        records = run.files.results([place_from(values) for values in of_run])
        for values, record in zip(of_run, records, strict=True):
            logged[values["position"]] = LoggedResult(run.indexed.info, record)
    return logged


_AS_KNOWN = select(runs.c.id, runs.c.changed).where(runs.c.number == bindparam("number"))
_RESULT_KEY = (results.c.sort, runs.c.id, results.c.position)
_DELIVERIES = select(
    deliveries.c.id,
    deliveries.c.scenario,
    deliveries.c.judged,
    *PLACE,
).order_by(deliveries.c.sort, deliveries.c.id)
_ELSEWHERE = elsewhere_in_order.where(
    # "/" comes after "." in the order of texts.
    judgements_elsewhere.c.delivery >= bindparam("first"),
    judgements_elsewhere.c.delivery < bindparam("end"),
)
_RESULTS = select(results, runs.c.id.label("run_id"), runs.c.changed).join(
    runs, runs.c.number == results.c.run
)
_UNDAMAGED = _RESULTS.where(results.c.sort.is_not(None))
"""Those of runs whose own record is not damaged."""
_newest = (
    select(results.c.scenario, func.max(results.c.sort).label("sort")).group_by(results.c.scenario).subquery()
)
_LATEST = _RESULTS.join(
    _newest, and_(results.c.scenario == _newest.c.scenario, results.c.sort == _newest.c.sort)
).order_by(runs.c.id, results.c.position)
