"""A shared log while its database goes away and comes back."""

from __future__ import annotations

import asyncio
import io
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from retailops_sandbox.errors import UsageError
from retailops_sandbox.model import RunInfo
from retailops_sandbox.runlog import opening, shared
from retailops_sandbox.runlog.place import LogPlace
from retailops_sandbox.runlog.ports import RunWriter
from retailops_sandbox.runlog.postgres import connecting
from retailops_sandbox.runlog.postgres.connecting import DatabaseAway
from retailops_sandbox.runlog.query import EVERYTHING, Query
from retailops_sandbox.runlog.retention import Retention
from retailops_sandbox.runlog.shared import SharedLog
from tests.support.logged import shipped
from tests.support.postgres_proxy import PostgresProxy
from tests.support.records import LATER, RUN, judge, make_delivery, make_result, written

NOW = "2024-05-31T12:00:00.000Z"


@pytest.fixture(autouse=True)
def _trying_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shared, "_PAUSE", 0.0)


@pytest.fixture
def place(cut_database: tuple[str, PostgresProxy], tmp_path: Path) -> LogPlace:
    return LogPlace(tmp_path / ".sandbox" / "runs", cut_database[0])


@pytest.fixture
def proxy(cut_database: tuple[str, PostgresProxy]) -> PostgresProxy:
    return cut_database[1]


@pytest.fixture
def told() -> list[str]:
    return []


@pytest.fixture
def log(place: LogPlace) -> SharedLog:
    return SharedLog(place, shipped, lambda _: None)


@pytest.fixture
def run(place: LogPlace, told: list[str]) -> Iterator[RunWriter]:
    """A run with a delivery and a result, which are in the database."""
    info = RunInfo(id=RUN, started_at="2024-05-01T12:00:00Z", receiver="local")
    run = opening.open_run(place, info, shipped, told.append)
    delivery = make_delivery(run)
    for record in (delivery, judge(delivery), make_result()):
        run.append(record)
    asyncio.run(run.flush())
    yield run
    run.finish(NOW)


def ids(log: SharedLog, query: Query = EVERYTHING) -> list[str]:
    return [row.id for row in log.rows(query)]


def test_while_the_database_is_away_its_run_files_answer(
    log: SharedLog, proxy: PostgresProxy, run: RunWriter
) -> None:
    first = f"{RUN}.000001"
    assert (ids(log), log.away()) == ([first], "")
    proxy.cut()
    second = make_delivery(run, "2024-05-01T12:00:05.000Z")
    run.append(second)
    asyncio.run(run.flush())
    # The run's own file has all of it.
    assert ids(log) == [second.id, first]
    assert "cannot be reached" in log.away()
    assert "p@ss" not in log.away()
    assert ids(log, Query(text='"a":35.00')) == [second.id, first]
    assert log.delivery(second.id) is not None
    assert len(log.deliveries(RUN)) == 2
    assert [each.scenario for each in log.results(RUN)] == list(log.latest_results())
    assert [each.result.name for each in log.results_of("scenarios/a.scenario.json")] == ["A"]
    assert log.holding(Query(text='"a":35.00'), {first, second.id}) == {first, second.id}
    assert log.count() == 2
    target = io.BytesIO()
    assert log.copy(RUN, target)
    assert second.id.encode() in target.getvalue()
    for keep in (
        lambda: log.pin(RUN),
        lambda: log.unpin(RUN),
        lambda: log.prune(Retention(runs=0), NOW),
        log.reindex,
    ):
        with pytest.raises(DatabaseAway):
            keep()
    proxy.mend()
    assert (ids(log)[-1:], log.away()) == ([first], "")


def test_a_server_that_does_not_answer_counts_as_away(place: LogPlace, proxy: PostgresProxy) -> None:
    connection = connecting.asking(place.database)
    connection.patience = 0.1
    assert connection.execute("select 1").fetchone() == (1,)
    proxy.silence()
    with pytest.raises(psycopg.OperationalError) as raised:
        connection.execute("select 1")
    assert connection.closed
    reason = connecting.problem(raised.value, place.database)
    assert isinstance(reason, DatabaseAway)
    assert "cannot be reached: it has not answered for 0.1 seconds" in str(reason)


def test_a_log_that_was_never_reached_shows_what_it_can(log: SharedLog, proxy: PostgresProxy) -> None:
    proxy.cut()
    assert (log.runs(), ids(log), log.count(), log.in_flight()) == ([], [], 0, [])
    assert "cannot be reached" in log.away()
    cursor = log.cursor()
    assert cursor.changes() == []
    assert cursor.wait(0)
    proxy.mend()
    # What came before the first look into the database is not known.
    assert cursor.changes() is None
    assert cursor.changes() == []


def test_who_watches_is_told_where_something_may_have_been_missed(
    log: SharedLog, proxy: PostgresProxy, run: RunWriter
) -> None:
    cursor = log.cursor()
    assert cursor.changes() == []
    proxy.cut()
    # The other log has other deliveries.
    assert cursor.changes() is None
    second = make_delivery(run, "2024-05-01T12:00:05.000Z")
    run.append(second)
    changes = cursor.changes()
    assert changes is not None
    assert [(each.row.id, each.is_new) for each in changes] == [(second.id, True)]
    proxy.mend()
    assert cursor.changes() is None
    run.finish(NOW)
    assert set(ids(log)) == {f"{RUN}.000001", second.id}


def test_a_list_that_was_begun_ends_with_an_error_where_the_database_goes(
    log: SharedLog, proxy: PostgresProxy, place: LogPlace, told: list[str]
) -> None:
    info = RunInfo(id=RUN, started_at="2024-05-01T12:00:00Z", receiver="local")
    run = opening.open_run(place, info, shipped, told.append)
    for number in range(300):
        run.append(make_delivery(run, f"2024-05-01T12:{number // 60:02}:{number % 60:02}.000Z"))
    run.finish(NOW)
    rows = log.rows()
    next(rows)
    proxy.cut()
    with pytest.raises(DatabaseAway):
        list(rows)
    assert ids(log) == []
    assert log.waiting() == []


def test_a_database_that_was_away_is_not_asked_by_everybody_at_once(
    log: SharedLog, proxy: PostgresProxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shared, "_PAUSE", 3600.0)
    assert log.runs() == []
    proxy.cut()
    assert log.runs() == []
    proxy.mend()
    before = proxy.connected
    assert log.runs() == []
    assert proxy.connected == before
    assert log.away()


def test_an_opened_file_is_shown_whether_the_database_is_there_or_not(
    log: SharedLog, proxy: PostgresProxy, tmp_path: Path
) -> None:
    path, id = written(tmp_path, LATER)
    assert log.open(path, "nightly.json") == LATER
    for act in (lambda: None, proxy.cut, proxy.mend):
        act()
        assert log.opened_from(id) == "nightly.json"
        assert [each.id for each in log.opened()] == [LATER]
        assert ids(log, Query(run=LATER)) == [id]
        entry = log.delivery(id)
        assert entry is not None
        assert ids(log) == []


def test_runs_that_nobody_will_bring_in_are_counted(
    log: SharedLog, place: LogPlace, proxy: PostgresProxy, told: list[str]
) -> None:
    proxy.cut()
    info = RunInfo(id=LATER, started_at="2024-05-01T13:00:00Z", receiver="local")
    run = opening.open_run(place, info, shipped, told.append)
    run.append(make_delivery(run))
    assert log.waiting() == []
    run.finish(NOW)
    assert log.waiting() == [LATER]
    assert [each.name for each in place.spool_dir.parent.iterdir()] == ["runs"]
    assert len(told) == 1
    proxy.mend()
    assert log.runs() == []


def test_a_database_without_tables_is_refused(database_without_tables: str, tmp_path: Path) -> None:
    log = SharedLog(LogPlace(tmp_path / "runs", database_without_tables), shipped, lambda _: None)
    with pytest.raises(UsageError, match="log init"):
        log.runs()
