"""What only a log in PostgreSQL has to get right: how it searches and deletes, and what its columns hold."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec
import psycopg
import pytest

from retailops_sandbox.contracts.catalogue import SHIPPED_CONTRACTS
from retailops_sandbox.errors import FileError
from retailops_sandbox.model import Delivery, Response, RunInfo
from retailops_sandbox.runlog import opening
from retailops_sandbox.runlog.place import LogPlace
from retailops_sandbox.runlog.ports import RunWriter
from retailops_sandbox.runlog.postgres import text_search
from retailops_sandbox.runlog.postgres.log import PostgresLog
from retailops_sandbox.runlog.postgres.schema import RUNS_LOCK, TEXT_INDEX
from retailops_sandbox.runlog.postgres.spelling import record_text
from retailops_sandbox.runlog.query import Query
from retailops_sandbox.runlog.retention import Retention
from retailops_sandbox.runlog.rows import DeliveryRow
from tests.support.logged import shipped
from tests.support.records import LATER, RUN, judge, make_delivery

NOW = "2024-05-31T12:00:00.000Z"


@pytest.fixture
def log(database: str) -> PostgresLog:
    return PostgresLog(database, shipped)


@contextmanager
def writing(folder: Path, url: str, id: str = RUN) -> Iterator[RunWriter]:
    info = RunInfo(id=id, started_at="2024-05-01T12:00:00Z", receiver="local")
    run = opening.open_run(LogPlace(folder / "runs", url), info, shipped)
    run.begin()
    yield run
    run.finish("2024-05-01T12:30:00Z")


def do(url: str, sql: str, *values: object) -> list[tuple[Any, ...]]:
    with psycopg.connect(url) as connection:
        done = connection.execute(sql.encode(), values)
        return done.fetchall() if done.description is not None else []


def answered(run: RunWriter, body: str, number: int = 0) -> Delivery:
    made = make_delivery(run, f"2024-05-01T12:{number // 60:02}:{number % 60:02}.000Z")
    return msgspec.structs.replace(made, response=Response(status=200, body=body))


# --- text ---


@pytest.fixture
def texts(database: str, tmp_path: Path) -> list[str]:
    """Deliveries, of which every 70th holds `needle 100%`, and one `Straw\\_`; their ids in order."""
    ids = []
    with writing(tmp_path, database) as run:
        for number in range(1400):
            text = "needle 100%" if number % 70 == 0 else "Straw\\_" if number == 1 else "hay"
            delivery = answered(run, f"some {text} or other", number)
            run.append(delivery)
            ids.append(delivery.id)
    return ids


@pytest.mark.parametrize("has_index", [False, True])
@pytest.mark.parametrize("newest_first", [True, False])
def test_a_text_is_found_by_a_look_or_by_an_index(
    database: str, log: PostgresLog, texts: list[str], has_index: bool, newest_first: bool
) -> None:
    if has_index:
        # Not a trigram index, which not every server has: it is there, and the condition is the same.
        do(database, f"create index if not exists {TEXT_INDEX} on deliveries (id)")

    def found(text: str, **more: str) -> list[str]:
        return [row.id for row in log.rows(Query(text=text, **more), newest_first=newest_first)]

    needles = texts[::70]
    expected = needles[::-1] if newest_first else needles
    for text in ("needle", "needle 100%", "100%", "le"):
        assert found(text) == expected
    assert found("Needle") == []
    for text in ("straw\\_", "Straw\\_", "w\\_ or"):
        assert found(text) == texts[1:2]
    assert found("needle 1000") == found("n_edle") == found("needle%100") == []
    assert len(found("other")) == len(texts)
    assert found("needle", until="2024-05-01T12:10:00Z") == [id for id in expected if id in texts[:600]]
    assert found("needle", run=RUN) == expected
    assert found("needle", run="none") == []


def test_an_index_is_asked_for_rare_texts_alone(
    database: str, log: PostgresLog, texts: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    do(database, f"create index if not exists {TEXT_INDEX} on deliveries (id)")
    asked: list[str] = []
    in_index = text_search.in_index

    def noted(query: Query, *others: Any, **named: Any) -> Any:
        asked.append(query.text)
        return in_index(query, *others, **named)

    monkeypatch.setattr(text_search, "in_index", noted)
    for text in ("needle", "hay", "or", "zz"):
        list(log.rows(Query(text=text)))
    assert asked == ["needle"]


def test_a_record_that_others_spelled_is_found_by_its_text(
    database: str, log: PostgresLog, tmp_path: Path
) -> None:
    with writing(tmp_path, database) as run:
        delivery = answered(run, "Grüße <a/b> & 😀\n\0")
        run.append(delivery)
    # Escapes and layout of another program, and its spelling of numbers.
    document = (
        json.dumps(msgspec.to_builtins(delivery), indent=1).replace("/", "\\/").replace("1.25", "1.250")
    )
    do(database, "update deliveries set record = %s", record_text(document.encode()))
    for text in ("Grüße", "<a/b>", "& 😀\n", "\0", "http://127"):
        assert len(list(log.rows(Query(text=text)))) == 1
    # Another case than of A to Z counts.
    assert list(log.rows(Query(text="grÜße"))) == []
    entry = log.delivery(delivery.id)
    assert entry is not None
    assert entry.delivery == delivery
    ((record,),) = do(database, "select record from deliveries")
    assert '"total":1.250' in record


# --- what runs go on ---


def test_a_run_goes_on_while_its_lock_is_held(database: str, log: PostgresLog, tmp_path: Path) -> None:
    with writing(tmp_path, database) as run:
        run.append(make_delivery(run))
        asyncio.run(run.flush())
        states = {each.id: each.state for each in log.runs()}
        assert states == {RUN: "running"}
        pruned = log.prune(Retention(runs=0), NOW)
        assert [each.reason for each in pruned.kept] == ["it is running"]
    assert [each.state for each in log.runs()] == ["finished"]


def test_a_lock_of_another_database_holds_nothing(database: str, log: PostgresLog, tmp_path: Path) -> None:
    with writing(tmp_path, database):
        pass
    ((number,),) = do(
        database, "update runs set record = replace(record, 'finished_at', 'x') returning number"
    )
    with psycopg.connect(database.rpartition("/")[0] + "/postgres") as elsewhere:
        elsewhere.execute("select pg_advisory_lock(%s, %s::int)", [RUNS_LOCK, number])
        assert [each.state for each in log.runs()] == ["interrupted"]


def test_a_run_that_begins_to_go_on_is_not_deleted(database: str, log: PostgresLog, tmp_path: Path) -> None:
    with writing(tmp_path, database):
        pass
    ((number,),) = do(database, "select number from runs")
    with psycopg.connect(database) as writer:
        # Its process was cut off, and comes back.
        writer.execute("select pg_advisory_lock(%s, %s::int)", [RUNS_LOCK, number])
        pruned = log.prune(Retention(runs=0), NOW)
        assert (pruned.removed, [each.reason for each in pruned.kept]) == ([], ["it is running"])
        # The server takes a moment to notice that a connection is closed.
        writer.execute("select pg_advisory_unlock_all()")
    assert len(log.prune(Retention(runs=0), NOW).removed) == 1


# --- in flight ---


def test_a_delivery_in_flight_is_shown_while_its_process_lives(
    database: str, log: PostgresLog, tmp_path: Path
) -> None:
    with writing(tmp_path, database):
        pass
    ((number,),) = do(database, "select number from runs")
    ids = [f"{RUN}.000001", f"{RUN}.000002"]
    for id in ids:
        row = DeliveryRow(
            sent_at="2024-05-01T12:00:01Z",
            id=id,
            action="order_cancel",
            edition="draft",
            receiver="local",
            stand_in=False,
        )
        written = msgspec.json.encode(row).decode()
        do(database, "insert into in_flight values (%s, %s, %s)", id, number, written)
    assert log.in_flight() == []
    with psycopg.connect(database) as process:
        process.execute("select pg_advisory_lock(%s, %s::int)", [RUNS_LOCK, number])
        assert [each.id for each in log.in_flight()] == ids[::-1]
        process.execute("select pg_advisory_unlock(%s, %s::int)", [RUNS_LOCK, number])
        assert log.in_flight() == []


# --- keeping ---


def test_the_verdict_goes_back_where_the_run_that_changed_it_is_deleted_alone(
    database: str, log: PostgresLog, tmp_path: Path
) -> None:
    with writing(tmp_path, database) as run:
        delivery = make_delivery(run)
        run.append(delivery)
        run.append(judge(delivery, "failed"))
    with writing(tmp_path, database, LATER) as later:
        later.append(judge(delivery, "passed", "2024-05-01T13:00:00.000Z"))
    cursor = log.cursor()
    # Somebody pins the other run once it is chosen.
    do(
        database,
        "create function pin() returns trigger language plpgsql as $$ begin"
        " update runs set pinned = true where id = '" + RUN + "'; return old; end $$",
    )
    do(
        database,
        f"create trigger pin before delete on runs for each row when (old.id = '{LATER}')"
        " execute function pin()",
    )
    pruned = log.prune(Retention(runs=0), NOW)
    assert [each.run.id for each in pruned.removed] == [LATER]
    assert [(each.run.id, each.reason) for each in pruned.kept] == [(RUN, "it was pinned just now")]
    (row,) = log.rows()
    assert row.verdict == "failed"
    changes = cursor.changes()
    assert changes is not None
    assert [(each.row.verdict, each.is_new) for each in changes] == [("failed", False)]


def test_rows_are_made_anew_from_the_records(database: str, log: PostgresLog, tmp_path: Path) -> None:
    with writing(tmp_path, database) as run:
        first, second = make_delivery(run), make_delivery(run)
        for record in (first, judge(first, "failed"), second):
            run.append(record)
    before = list(log.rows())
    cursor = log.cursor()
    do(
        database,
        "update deliveries set verdict = 'passed', receiver = '?' where id = %s returning id",
        first.id,
    )
    cursor.changes()
    assert log.reindex().made == 1
    assert list(log.rows()) == before
    # Only what was wrong is told.
    changes = cursor.changes()
    assert changes is not None
    assert [each.row.id for each in changes] == [first.id]


def test_a_damaged_record_is_named_and_hides_no_other(
    database: str, log: PostgresLog, tmp_path: Path
) -> None:
    with writing(tmp_path, database) as run:
        first, second = make_delivery(run), make_delivery(run)
        run.append(first)
        run.append(second)
    do(database, "update deliveries set record = '{' where id = %s", first.id)
    assert len(list(log.rows())) == 2
    assert log.delivery(second.id) is not None
    with pytest.raises(FileError, match=f"delivery {first.id} in the database is damaged"):
        log.delivery(first.id)
    done = log.reindex()
    assert (done.made, len(done.problems)) == (0, 1)


def test_what_no_column_can_hold_is_found_all_the_same(
    database: str, log: PostgresLog, tmp_path: Path
) -> None:
    long = "scenarios/" + "ü" * 3000 + ".scenario.json"
    with writing(tmp_path, database) as run:
        made = make_delivery(run)
        run.append(msgspec.structs.replace(made, receiver="a\0b", scenario=long))
    assert len(list(log.rows(Query(receiver="a\0b")))) == 1
    assert len(list(log.rows(Query(scenario=long)))) == 1
    entry = log.delivery(made.id)
    assert entry is not None
    assert (entry.delivery.receiver, entry.delivery.scenario) == ("a\0b", long)
    assert entry.row(SHIPPED_CONTRACTS).id == made.id
