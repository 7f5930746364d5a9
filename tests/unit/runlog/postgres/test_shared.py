"""A shared log while its database goes away and comes back."""

from __future__ import annotations

import asyncio
import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from retailops_sandbox.errors import UsageError
from retailops_sandbox.model import RunInfo
from retailops_sandbox.runlog import opening, reach
from retailops_sandbox.runlog.place import LogPlace
from retailops_sandbox.runlog.ports import RunWriter
from retailops_sandbox.runlog.postgres import connecting
from retailops_sandbox.runlog.postgres.connecting import DatabaseAway
from retailops_sandbox.runlog.query import EVERYTHING, Query
from retailops_sandbox.runlog.retention import Retention
from retailops_sandbox.runlog.shared import SharedLog
from tests.support import postgres
from tests.support.logged import shipped
from tests.support.postgres_proxy import PostgresProxy
from tests.support.records import LATER, RUN, judge, make_delivery, make_result, written

NOW = "2024-05-31T12:00:00.000Z"


@pytest.fixture(autouse=True)
def _trying_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reach, "_PAUSE", 0.0)
    monkeypatch.setattr(reach, "_WAITED", 60.0)


@pytest.fixture
def admin(database: str) -> Iterator[psycopg.Connection[Any]]:
    """A connection to the database itself, which nobody cuts."""
    with psycopg.connect(database, autocommit=True) as connection:
        yield connection


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
    monkeypatch.setattr(reach, "_PAUSE", 3600.0)
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
    assert sorted(each.name for each in place.spool_dir.parent.iterdir()) == ["runs", "unwritten"]
    assert len(told) == 1
    proxy.mend()
    assert [each.id for each in log.runs()] == [LATER]


def test_a_database_without_tables_is_refused(database_without_tables: str, tmp_path: Path) -> None:
    log = SharedLog(LogPlace(tmp_path / "runs", database_without_tables), shipped, lambda _: None)
    with pytest.raises(UsageError, match="log init"):
        log.runs()


def test_a_question_is_not_kept_waiting_by_a_server_that_stopped(
    log: SharedLog, proxy: PostgresProxy, run: RunWriter, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connecting.AnsweredConnection, "patience", 0.2)
    monkeypatch.setattr(reach, "_PAUSE", 3600.0)
    cursor = log.cursor()
    cursor.wait(0)
    assert ids(log) == [f"{RUN}.000001"]
    proxy.silence()
    before = proxy.connected
    # The files answer, and no other connection is tried, which would not be answered either.
    assert ids(log) == [f"{RUN}.000001"]
    assert "it has not answered for 0.2 seconds" in log.away()
    assert log.count() == 1
    assert cursor.changes() is None
    assert proxy.connected == before
    proxy.cut()


def test_questions_go_on_while_somebody_tries_a_server_that_does_not_answer(
    log: SharedLog, proxy: PostgresProxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert log.runs() == []
    proxy.cut()
    assert log.runs() == []
    monkeypatch.setattr(reach, "_WAITED", 0.0)
    proxy.silence()
    proxy.mend_connecting()
    for _ in range(3):
        assert log.runs() == []
    assert log.away()
    proxy.cut()


def test_what_cannot_be_written_is_shown_beside_what_can_be_read(
    log: SharedLog,
    place: LogPlace,
    proxy: PostgresProxy,
    run: RunWriter,
    admin: psycopg.Connection[Any],
    told: list[str],
) -> None:
    first = f"{RUN}.000001"
    cursor = log.cursor()
    admin.execute(
        "create function refuse() returns trigger language plpgsql as "
        "$$ begin raise exception 'the disk is full' using errcode = '53100'; end $$"
    )
    for table in ("deliveries", "judgements", "runs"):
        admin.execute(f"create trigger refused before insert on {table} execute function refuse()")
    second = make_delivery(run, "2024-05-01T12:00:05.000Z")
    for record in (second, judge(second)):
        run.append(record)
    asyncio.run(run.flush())
    assert log.away() == ""
    assert "the disk is full" in log.unwritten()
    assert run.is_away
    assert ids(log) == [second.id, first]
    assert ids(log, Query(run=RUN, verdict="passed")) == [second.id, first]
    assert [row.id for row in log.rows(newest_first=False)] == [first, second.id]
    assert [row.id for row in log.rows(after=next(log.rows()).key)] == [first]
    entry = log.delivery(second.id)
    assert entry is not None
    assert entry.judgement is not None
    assert [each.delivery.id for each in log.deliveries(RUN)] == [first, second.id]
    assert log.holding(Query(text='"a":35.00'), {first, second.id}) == {first, second.id}
    assert log.count() == 2
    assert [(each.id, each.state, each.deliveries) for each in log.runs()] == [(RUN, "running", 2)]
    target = io.BytesIO()
    assert log.copy(RUN, target)
    assert second.id.encode() in target.getvalue()
    # Who watches is told to look again, and from then on of what comes.
    assert cursor.changes() is None
    third = make_delivery(run, "2024-05-01T12:00:06.000Z")
    run.append(third)
    asyncio.run(run.flush())
    changes = cursor.changes()
    assert changes is not None
    assert [each.row.id for each in changes] == [third.id]
    # Another run that ended meanwhile waits, and is shown, too.
    other = opening.open_run(
        place, RunInfo(id=LATER, started_at="2024-05-01T13:00:00Z"), shipped, told.append
    )
    fourth = make_delivery(other, "2024-05-01T13:00:00.000Z")
    other.append(fourth)
    other.finish(NOW)
    assert ids(log) == [fourth.id, third.id, second.id, first]
    assert log.waiting() == [LATER]
    for table in ("deliveries", "judgements", "runs"):
        admin.execute(f"drop trigger refused on {table}")
    run.finish(NOW)
    assert log.unwritten() == ""
    assert [(each.id, each.deliveries) for each in log.runs()] == [(LATER, 1), (RUN, 3)]
    assert [each.name for each in place.spool_dir.iterdir()] == [f"{LATER}.json"]


def test_a_password_that_was_changed_meanwhile_is_a_database_that_is_away(
    place: LogPlace, proxy: PostgresProxy, admin: psycopg.Connection[Any]
) -> None:
    name = admin.info.dbname
    roles = postgres.admin()
    roles.execute(f"create role {name}_reader login password 'first' in role pg_read_all_data")
    url = f"postgresql://{name}_reader:first@127.0.0.1:{proxy.port}/{name}"
    log = SharedLog(LogPlace(place.runs_dir, url), shipped, lambda _: None)
    try:
        assert (log.runs(), log.away()) == ([], "")
        roles.execute(f"alter role {name}_reader password 'second'")
        proxy.cut()
        proxy.mend()
        assert log.runs() == []
        assert "password authentication failed" in log.away()
        assert "first" not in log.away()
        # Whoever begins has to mend it.
        with pytest.raises(UsageError, match="password authentication failed"):
            SharedLog(LogPlace(place.runs_dir, url), shipped, lambda _: None).runs()
        roles.execute(f"alter role {name}_reader password 'first'")
        assert (log.runs(), log.away()) == ([], "")
    finally:
        proxy.cut()
        roles.execute(f"drop role {name}_reader")
