"""Reads the results of scenarios."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import NamedTuple

import msgspec
from sqlalchemy import Connection, func, select, true, tuple_

from retailops_sandbox.model import Result, RunInfo
from retailops_sandbox.runlog.entries import LoggedResult
from retailops_sandbox.runlog.postgres.evidence import decoded
from retailops_sandbox.runlog.postgres.schema import results, runs
from retailops_sandbox.runlog.postgres.stored_runs import info_of
from retailops_sandbox.runlog.rows import sort_of
from retailops_sandbox.runlog.sql.tables import chunks

Key = tuple[int, str, int]
"""The order of results: `sort_of` the start of their run, its id, and the number in the run."""
_AT_ONCE = 20


def of_run(connection: Connection, run: str) -> list[Result]:
    """The results of a run, in the order in which they were appended; none for an unknown run."""
    asked = select(results.c.record).join(runs, runs.c.number == results.c.run).where(runs.c.id == run)
    return [_result(record, run) for record in connection.scalars(asked.order_by(results.c.number))]


def of_scenario(
    connection: Connection, scenario: str, after: Key | None, most: int
) -> list[tuple[Key, LoggedResult | None]]:
    """The first results of a scenario with their keys, those of the newest run first; after a key or all.

    None stands for one whose run is damaged.
    """
    asked = select(*_KEY, results.c.record, runs.c.record)
    asked = asked.join(runs, runs.c.number == results.c.run).where(results.c.scenario == scenario)
    if after is not None:
        asked = asked.where(tuple_(*_KEY) < tuple_(*after))
    found = connection.execute(asked.order_by(*_NEWEST_FIRST).limit(most))
    return [((sort, id, number), _logged(info, record, id)) for sort, id, number, record, info in found]


def scenarios_before(connection: Connection, run: str, scenarios: Collection[str]) -> set[str]:
    """Those of these scenarios that have a result in another run that is not later than this one."""
    of = connection.execute(select(runs.c.number, runs.c.record).where(runs.c.id == run)).first()
    info = info_of(of.record) if of is not None else None
    if of is None or info is None:
        return set()
    found: set[str] = set()
    for some in chunks(scenarios):
        asked = select(results.c.scenario).where(results.c.scenario.in_(some), results.c.run != of.number)
        asked = asked.where(results.c.sort <= sort_of(info.started_at)).distinct()
        found.update(connection.scalars(asked))
    return found


class _Kept(NamedTuple):
    """What was read the last time."""

    runs: Sequence[tuple[int, str, str]] | None = None
    """The runs with results: what says whether one came or went."""
    by_position: Mapping[int, Result] = {}
    answer: Mapping[str, LoggedResult] = {}


class LatestResults:
    """The latest result of each scenario, kept in memory while no result comes or goes."""

    def __init__(self) -> None:
        self._kept = _Kept()

    def read(self, connection: Connection) -> Mapping[str, LoggedResult]:
        """The latest result of each scenario that has one in a run that is not damaged."""
        kept = self._kept
        now = [(number, record, outcomes) for number, record, outcomes in connection.execute(_RUNS)]
        if now == kept.runs:
            return kept.answer
        infos = {number: info_of(record) for number, record, _ in now}
        latest = connection.execute(_LATEST).all()
        new = [position for _, position, _ in latest if position not in kept.by_position]
        by_position = {**kept.by_position, **_records(connection, new)}
        answer: dict[str, LoggedResult] = {}
        for scenario, position, run in latest:
            info = infos[run]
            if info is not None:
                answer[scenario] = LoggedResult(info, by_position[position])
            elif (earlier := _undamaged(connection, scenario)) is not None:
                answer[scenario] = earlier
        shown = {position: by_position[position] for _, position, _ in latest}
        self._kept = _Kept(now, shown, answer)
        return answer


def _records(connection: Connection, positions: Sequence[int]) -> dict[int, Result]:
    found: dict[int, Result] = {}
    for some in chunks(positions):
        asked = select(results.c.position, results.c.scenario, results.c.record)
        for position, scenario, record in connection.execute(asked.where(results.c.position.in_(some))):
            found[position] = _result(record, scenario)
    return found


def _undamaged(connection: Connection, scenario: str) -> LoggedResult | None:
    """The latest result of a scenario in a run that is not damaged; None if there is none."""
    after: Key | None = None
    while found := of_scenario(connection, scenario, after, _AT_ONCE):
        first = next((result for _, result in found if result is not None), None)
        if first is not None:
            return first
        after = found[-1][0]
    return None


def _logged(info: str, record: str, run: str) -> LoggedResult | None:
    known: RunInfo | None = info_of(info)
    return LoggedResult(known, _result(record, run)) if known is not None else None


def _result(record: str, of: str) -> Result:
    return decoded(_decoder, record, f"a result of {of}")


_decoder = msgspec.json.Decoder(Result)
_KEY = results.c.sort, runs.c.id, results.c.number
_NEWEST_FIRST = tuple(each.desc() for each in _KEY)
_RUNS = select(runs.c.number, runs.c.record, runs.c.outcomes).where(runs.c.outcomes > "").order_by("number")
# Each scenario is found by a look into the index beyond the one before: there are few scenarios, and many
# results of each.
_first = select(func.min(results.c.scenario).label("id")).cte("scenarios", recursive=True)
_next = select(func.min(results.c.scenario)).where(results.c.scenario > _first.c.id).scalar_subquery()
_scenarios = _first.union_all(select(_next).where(_first.c.id.is_not(None)))
_newest = (
    select(results.c.position, results.c.run)
    .join(runs, runs.c.number == results.c.run)
    .where(results.c.scenario == _scenarios.c.id)
    .order_by(*_NEWEST_FIRST)
    .limit(1)
    .lateral()
)
_LATEST = select(_scenarios.c.id, _newest.c.position, _newest.c.run).join(_newest, true())
