"""A run gets from its file into PostgreSQL, whatever happens to the database meanwhile."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec
import psycopg
import pytest

from retailops_sandbox.model import Delivery, DeliveryInFlight, RunInfo
from retailops_sandbox.runlog import opening
from retailops_sandbox.runlog.place import LogPlace
from retailops_sandbox.runlog.ports import RunWriter
from retailops_sandbox.runlog.postgres import adding, connecting, schema, uploading
from tests.support.logged import shipped
from tests.support.postgres_proxy import PostgresProxy
from tests.support.records import LATER, RUN, judge, make_delivery, make_result

ENDED = "2024-05-01T12:01:00Z"
PATIENCE = 30.0
"""The most seconds that a test waits for what is to happen."""


class Told:
    """What users were told."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def __call__(self, line: str) -> None:
        self.lines.append(line)


class Database:
    """The rows of a database."""

    def __init__(self, url: str) -> None:
        self._connection = psycopg.connect(url, autocommit=True)

    def rows(self, sql: str, *values: object) -> list[tuple[Any, ...]]:
        return self._connection.execute(sql.encode(), values).fetchall()

    def do(self, sql: str) -> None:
        self._connection.execute(sql.encode())

    def wait_for(self, sql: str, expected: list[tuple[Any, ...]]) -> None:
        until(lambda: self.rows(sql) == expected, lambda: f"{sql} is {self.rows(sql)}")

    def close(self) -> None:
        self._connection.close()


def until(condition: Callable[[], bool], described: Callable[[], str] = str) -> None:
    end = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < end, described()
        time.sleep(0.005)


@pytest.fixture
def told() -> Told:
    return Told()


@pytest.fixture
def rows(database: str) -> Iterator[Database]:
    opened = Database(database)
    yield opened
    opened.close()


@contextmanager
def begun(folder: Path, url: str, told: Told, id: str = RUN) -> Iterator[RunWriter]:
    place = LogPlace(folder / ".sandbox" / "runs", url)
    info = RunInfo(id=id, started_at="2024-05-01T12:00:00Z", receiver="local")
    run = opening.open_run(place, info, shipped, told)
    run.begin()
    try:
        yield run
    finally:
        run.finish()


def spool(folder: Path) -> list[str]:
    return sorted(each.name for each in (folder / ".sandbox" / "shared" / "runs").iterdir())


def sent(run: RunWriter, *, is_judged: bool = True) -> Delivery:
    delivery = make_delivery(run)
    run.append(delivery)
    if is_judged:
        run.append(judge(delivery))
    return delivery


def flush(run: RunWriter) -> None:
    asyncio.run(run.flush())


# --- the rows ---


def test_the_columns_are_those_of_the_tables() -> None:
    columns = {each.name: each for each in schema.deliveries.columns}
    given = set(columns) - {"position", "run", "added", "changed"}
    assert set(adding.DELIVERY_TYPES) == given
    dialect = psycopg_dialect()
    types = {name: columns[name].type.compile(dialect).partition(" COLLATE")[0].lower() for name in given}
    assert {name: kind.replace("float", "double precision") for name, kind in types.items()} == dict(
        adding.DELIVERY_TYPES
    )
    keys = {name for name in given if isinstance(columns[name].type, schema.Key)}
    assert keys == adding.KEYS


def psycopg_dialect() -> Any:
    from sqlalchemy.dialects.postgresql import psycopg as dialects

    return dialects.dialect()


def test_all_of_a_run_is_in_the_database_and_its_file_is_gone(
    tmp_path: Path, database: str, rows: Database, told: Told
) -> None:
    with begun(tmp_path, database, told) as run:
        first, second = sent(run), sent(run, is_judged=False)
        run.append(judge(first, "failed", "2024-05-01T12:00:03.000Z"))
        run.append(make_result(verdict="failed"))
        flush(run)
        (row,) = rows.rows("select deliveries, verdicts, outcomes, judges, size from runs")
        records = [first, second, judge(first), judge(first, "failed", "2024-05-01T12:00:03.000Z")]
        size = sum(len(msgspec.json.encode(each)) for each in (*records, make_result(verdict="failed")))
        assert (row[0], json.loads(row[1]), json.loads(row[2]), row[3], row[4]) == (
            2,
            {"": 1, "failed": 1},
            {"failed": 1},
            "",
            size,
        )
        assert spool(tmp_path) == [f"{RUN}.journal", f"{RUN}.json"]
        run.finish(ENDED, stopped=True)
    assert spool(tmp_path) == []
    assert told.lines == []
    ((record,),) = rows.rows("select record from runs")
    info = msgspec.json.decode(record, type=RunInfo)
    assert (info.finished_at, info.stopped, info.receiver) == (ENDED, True, "local")
    found = rows.rows("select id, verdict, first_verdict, record from deliveries order by position")
    assert found == [
        (first.id, "failed", "passed", msgspec.json.encode(first).decode()),
        (second.id, "", None, msgspec.json.encode(second).decode()),
    ]
    judged = rows.rows("select number, delivery, verdict from judgements order by number")
    assert judged == [(1, first.id, "passed"), (2, first.id, "failed")]
    assert rows.rows("select number, scenario, verdict from results") == [
        (1, "scenarios/a.scenario.json", "failed")
    ]


def test_a_run_that_is_interrupted_has_no_end(
    tmp_path: Path, database: str, rows: Database, told: Told
) -> None:
    with begun(tmp_path, database, told) as run:
        sent(run)
    ((record,),) = rows.rows("select record from runs")
    assert msgspec.json.decode(record, type=RunInfo).finished_at == ""
    assert spool(tmp_path) == []


def test_a_run_that_sends_nothing_is_there(tmp_path: Path, database: str, rows: Database, told: Told) -> None:
    with begun(tmp_path, database, told) as run:
        rows.wait_for("select id, deliveries from runs", [(RUN, 0)])
        run.finish(ENDED)
    assert spool(tmp_path) == []


def test_what_nobody_waits_for_comes_in_soon(
    tmp_path: Path, database: str, rows: Database, told: Told
) -> None:
    with begun(tmp_path, database, told) as run:
        sent(run)
        rows.wait_for("select count(*) from deliveries", [(1,)])
        sent(run)
        rows.wait_for("select count(*) from judgements", [(2,)])


def test_another_runs_delivery_that_is_judged_shows_the_latest_verdict(
    tmp_path: Path, database: str, rows: Database, told: Told
) -> None:
    with begun(tmp_path, database, told) as run:
        delivery = sent(run)
        flush(run)
        before = rows.rows("select changed from deliveries")
        with begun(tmp_path, database, told, LATER) as later:
            later.append(judge(delivery, "failed", "2024-05-01T13:00:02.000Z"))
            flush(later)
            assert rows.rows("select verdict, first_verdict from deliveries") == [("failed", "passed")]
            assert rows.rows("select changed from deliveries") != before
            run.append(judge(delivery, "errored", "2024-05-01T12:30:00.000Z"))
            flush(run)
            assert rows.rows("select verdict, first_verdict from deliveries") == [("failed", "passed")]
    assert rows.rows("select judges from runs order by id") == [("",), (f'["{RUN}"]',)]
    ((verdicts,),) = rows.rows("select verdicts from runs where id = %s", RUN)
    assert json.loads(verdicts) == {"errored": 1}


def test_a_run_goes_on_while_its_writer_holds_its_lock(
    tmp_path: Path, database: str, rows: Database, told: Told
) -> None:
    held = (
        "select objid::bigint from pg_locks join pg_database on pg_database.oid = database"
        " where datname = current_database() and locktype = 'advisory' and classid = 1381190727"
    )
    with begun(tmp_path, database, told) as run:
        flush(run)
        rows.wait_for("select id from runs", [(RUN,)])
        assert rows.rows(held) == rows.rows("select number from runs")
        run.finish()
        rows.wait_for(held, [])


# --- nobody waits but in flush ---


def test_what_several_scenarios_wait_for_is_one_transaction(
    tmp_path: Path, database: str, rows: Database, told: Told, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(uploading, "_GATHER", 3600.0)

    async def scenario(run: RunWriter) -> None:
        for _ in range(3):
            sent(run)
            await run.flush()

    async def all_at_once(run: RunWriter) -> None:
        await asyncio.gather(*(scenario(run) for _ in range(8)))

    with begun(tmp_path, database, told) as run:
        flush(run)
        asyncio.run(all_at_once(run))
    assert rows.rows("select count(*), count(distinct added) from deliveries") == [(24, 3)]


def test_the_loop_goes_on_while_the_database_keeps_a_run_waiting(
    tmp_path: Path, database: str, rows: Database, told: Told
) -> None:
    async def logged(run: RunWriter) -> None:
        sent(run)
        flushing = asyncio.create_task(run.flush())
        for _ in range(100):
            sent(run)
            await asyncio.sleep(0)
        assert not flushing.done()
        rows.do("rollback")
        await flushing

    with begun(tmp_path, database, told) as run:
        flush(run)
        sent(run)
        flush(run)
        rows.do("begin; lock table deliveries")
        asyncio.run(logged(run))
        until(lambda: rows.rows("select count(*) from deliveries") == [(102,)])


def test_threads_with_loops_of_their_own_wait_for_what_they_appended(
    tmp_path: Path, database: str, rows: Database, told: Told
) -> None:
    def send() -> None:
        for _ in range(5):
            id = sent(run).id
            flush(run)
            mine = psycopg.connect(database)
            found.append((id, mine.execute("select count(*) from deliveries where id = %s", [id]).fetchone()))
            mine.close()

    found: list[tuple[str, Any]] = []
    with begun(tmp_path, database, told) as run:
        threads = [threading.Thread(target=send) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert len(found) == 20
    assert {count for _, count in found} == {(1,)}


def test_nothing_is_waited_for_before_the_run_begins(tmp_path: Path, database: str, told: Told) -> None:
    place = LogPlace(tmp_path / ".sandbox" / "runs", database)
    run = opening.open_run(place, RunInfo(id=RUN, started_at="2024-05-01T12:00:00Z"), shipped, told)
    assert run.is_flushed
    flush(run)
    run.finish(ENDED)
    assert not place.spool_dir.exists()


# --- deliveries in flight ---


def flight(id: str) -> DeliveryInFlight:
    return DeliveryInFlight(
        id=id, sent_at="2024-05-01T12:00:01.000Z", action="order_cancel", edition="draft", receiver="local"
    )


def test_a_delivery_that_takes_long_is_shown_until_it_is_logged(
    tmp_path: Path, database: str, rows: Database, told: Told
) -> None:
    with begun(tmp_path, database, told) as run:
        flush(run)
        delivery = make_delivery(run)
        with run.sending(flight(delivery.id)):
            rows.wait_for("select id from in_flight", [(delivery.id,)])
            ((row,),) = rows.rows("select row from in_flight")
            assert json.loads(row)["receiver"] == "local"
            run.append(delivery)
            # It is taken away by the transaction that adds the delivery.
            flush(run)
            assert rows.rows("select id from in_flight") == []
        with run.sending(flight("r.7")):
            rows.wait_for("select id from in_flight", [("r.7",)])
        rows.wait_for("select id from in_flight", [])
        with run.sending(flight("r.8")):
            rows.wait_for("select id from in_flight", [("r.8",)])
            run.finish()
            assert rows.rows("select id from in_flight") == []


def test_a_delivery_that_ends_soon_is_not_shown(
    tmp_path: Path, database: str, rows: Database, told: Told, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(uploading, "_SHOWN_AFTER", 3600.0)
    with begun(tmp_path, database, told) as run:
        delivery = make_delivery(run)
        with run.sending(flight(delivery.id)):
            sent(run)
            flush(run)
            assert rows.rows("select id from in_flight") == []
            run.append(delivery)


# --- the database is away ---


def test_a_database_that_is_away_holds_nothing_up_and_is_said_once(
    tmp_path: Path, cut_database: tuple[str, PostgresProxy], rows: Database, told: Told
) -> None:
    url, proxy = cut_database
    with begun(tmp_path, url, told) as run:
        sent(run)
        flush(run)
        proxy.cut()
        for _ in range(5):
            sent(run)
            flush(run)
        until(lambda: len(told.lines) == 1)
        run.append(make_result())
        run.finish(ENDED)
    path = tmp_path / ".sandbox" / "shared" / "runs" / f"{RUN}.json"
    assert spool(tmp_path) == [path.name]
    (line,) = told.lines
    assert "127.0.0.1" in line
    assert line.endswith(f": retailops-sandbox log push {path}")
    assert url not in line
    assert len(msgspec.json.decode(path.read_bytes())["deliveries"]) == 6
    assert rows.rows("select count(*) from deliveries") == [(1,)]


def test_what_was_logged_meanwhile_comes_in_when_the_database_is_back(
    tmp_path: Path, cut_database: tuple[str, PostgresProxy], rows: Database, told: Told
) -> None:
    url, proxy = cut_database
    with begun(tmp_path, url, told) as run:
        first = sent(run)
        flush(run)
        proxy.cut()
        second = sent(run, is_judged=False)
        flush(run)
        run.append(judge(second))
        run.append(judge(first, "failed", "2024-05-01T12:00:09.000Z"))
        proxy.mend()
        rows.wait_for("select count(*) from judgements", [(3,)])
        third = sent(run)
        flush(run)
        rows.wait_for(
            "select id, verdict from deliveries order by id",
            [(first.id, "failed"), (second.id, "passed"), (third.id, "passed")],
        )
        ((count, verdicts),) = rows.rows("select deliveries, verdicts from runs")
        assert (count, json.loads(verdicts)) == (3, {"failed": 1, "passed": 2})
        run.finish(ENDED)
    assert spool(tmp_path) == []
    away, back = told.lines
    assert "log push" in away
    assert back.endswith(f"could be reached again, and has all of run {RUN}")


def test_a_connection_that_was_lost_meanwhile_is_made_anew(
    tmp_path: Path, database: str, rows: Database, told: Told
) -> None:
    with begun(tmp_path, database, told) as run:
        for number in range(1, 4):
            sent(run)
            flush(run)
            assert rows.rows("select count(*) from judgements") == [(number,)]
            ended = rows.rows(
                "select pg_terminate_backend(pid) from pg_stat_activity "
                "where datname = current_database() and pid <> pg_backend_pid()"
            )
            assert ended == [(True,)]
        run.finish(ENDED)
    assert told.lines == []
    assert spool(tmp_path) == []


def test_a_database_that_is_away_from_the_start_gets_the_run_later(
    tmp_path: Path, cut_database: tuple[str, PostgresProxy], rows: Database, told: Told
) -> None:
    url, proxy = cut_database
    proxy.cut()
    with begun(tmp_path, url, told) as run:
        sent(run)
        flush(run)
        until(lambda: len(told.lines) == 1)
        proxy.mend()
        run.finish(ENDED)
    assert rows.rows("select id, deliveries from runs") == [(RUN, 1)]
    assert spool(tmp_path) == []


def test_an_idle_run_is_held_again_when_its_connection_was_lost(
    tmp_path: Path, cut_database: tuple[str, PostgresProxy], rows: Database, told: Told
) -> None:
    url, proxy = cut_database
    held = "select count(*) from pg_locks where locktype = 'advisory' and objsubid = 2 and database = "
    held += "(select oid from pg_database where datname = current_database())"
    with begun(tmp_path, url, told) as run:
        sent(run)
        flush(run)
        assert rows.rows(held) == [(1,)]
        before = proxy.connected
        proxy.cut()
        until(lambda: len(told.lines) == 1)
        proxy.mend()
        until(lambda: len(told.lines) == 2)
        assert proxy.connected > before
        rows.wait_for(held, [(1,)])
        assert spool(tmp_path) == [f"{RUN}.journal", f"{RUN}.json"]
        run.finish(ENDED)
    assert "comes in by itself" in told.lines[0]
    assert told.lines[1].endswith(f"could be reached again, and has all of run {RUN}")
    assert len(told.lines) == 2


def test_what_the_driver_says_of_a_lost_connection_is_not_printed() -> None:
    module = connecting.__name__
    code = f"import logging, {module}; logging.getLogger('psycopg').warning('error ignored')"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout + done.stderr == ""


def test_the_end_of_a_run_does_not_wait_for_a_database_that_is_known_not_to_answer(
    tmp_path: Path,
    cut_database: tuple[str, PostgresProxy],
    told: Told,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    url, proxy = cut_database
    with begun(tmp_path, url, told) as run:
        sent(run)
        flush(run)
        proxy.silence()
        monkeypatch.setattr(uploading, "_LONGEST", 0.2)
        sent(run)
        flush(run)
        assert run.is_away
        # It would be waited for until the test times out.
        monkeypatch.setattr(uploading, "_LONGEST", 3600.0)
        run.finish(ENDED)
        proxy.cut()
    assert len(told.lines) == 1
    assert spool(tmp_path) == [f"{RUN}.json"]


def test_a_database_that_does_not_answer_is_waited_for_a_while(
    tmp_path: Path,
    cut_database: tuple[str, PostgresProxy],
    rows: Database,
    told: Told,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    url, proxy = cut_database
    with begun(tmp_path, url, told) as run:
        sent(run)
        flush(run)
        proxy.silence()
        monkeypatch.setattr(uploading, "_LONGEST", 0.3)
        sent(run)
        flush(run)
        until(lambda: len(told.lines) == 1)
        proxy.cut()
        run.finish(ENDED)
    assert "it has not answered for" in told.lines[0]
    assert spool(tmp_path) == [f"{RUN}.json"]


def test_what_came_in_before_the_database_went_is_not_brought_in_again(
    tmp_path: Path,
    cut_database: tuple[str, PostgresProxy],
    rows: Database,
    told: Told,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    url, proxy = cut_database
    monkeypatch.setattr(uploading, "_AT_ONCE", 3_000)
    added: list[int] = []
    add_missing = adding.RunRows.add_missing

    def counted(self: adding.RunRows, records: list[adding.Stored]) -> tuple[int, int]:
        done = add_missing(self, records)
        added.append(done[0])
        return done

    monkeypatch.setattr(adding.RunRows, "add_missing", counted)
    with begun(tmp_path, url, told) as run:
        for _ in range(20):
            sent(run)
        flush(run)
        proxy.cut()
        sent(run)
        flush(run)
        run.append(make_result())
        proxy.mend()
        rows.wait_for("select count(*) from results", [(1,)])
    assert sum(added) == 3
    assert len(added) <= 2
    ((count, verdicts),) = rows.rows("select deliveries, verdicts from runs")
    assert (count, json.loads(verdicts)) == (21, {"passed": 21})


def test_a_bug_is_told_and_the_run_stays_in_its_file(
    tmp_path: Path, database: str, told: Told, monkeypatch: pytest.MonkeyPatch
) -> None:
    failures: list[str] = []
    monkeypatch.setattr(threading, "excepthook", lambda args: failures.append(args.exc_type.__name__))

    def broken(*_: object, **__: object) -> None:
        raise ZeroDivisionError

    with begun(tmp_path, database, told) as run:
        monkeypatch.setattr(adding.RunRows, "add", broken)
        sent(run)
        flush(run)
        sent(run)
        flush(run)
        run.finish(ENDED)
    assert failures == ["ZeroDivisionError"]
    (line,) = told.lines
    assert line.startswith(
        "something is wrong with the sandbox itself: ZeroDivisionError; the run goes on in"
    )
    assert spool(tmp_path) == [f"{RUN}.json"]
