"""A cursor misses nothing and tells nothing twice as new, whatever order transactions begin and end in."""

from __future__ import annotations

import asyncio
import random
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from retailops_sandbox.model import Judgement, Record, RunInfo, Verdict, encoder
from retailops_sandbox.runlog import opening
from retailops_sandbox.runlog.place import LogPlace
from retailops_sandbox.runlog.ports import RunWriter
from retailops_sandbox.runlog.postgres import connecting
from retailops_sandbox.runlog.postgres.adding import RunRows
from retailops_sandbox.runlog.postgres.log import PostgresLog
from tests.support.logged import shipped
from tests.support.postgres import fresh_database
from tests.support.records import some_delivery

WRITERS = 3


class Writer:
    """A process that writes a run, one open transaction after the other."""

    def __init__(self, url: str, number: int) -> None:
        self._connection = connecting.adding(url)
        info = RunInfo(id=f"20240501T12000{number}Z-aaaaaa", started_at="2024-05-01T12:00:00Z")
        self._rows = RunRows(self._connection, info, shipped)
        self._rows.begin()
        self._run = info.id
        self._sent = 0
        self.told: dict[str, str] = {}
        """What it did in its open transaction: the verdict of each delivery that it sent or judged."""
        self.sent: set[str] = set()
        """The deliveries that it sent in it."""
        self._is_open = False

    def send(self) -> None:
        self._sent += 1
        delivery = some_delivery(id=f"{self._run}.{self._sent:06}", run=self._run)
        self._add(delivery)
        self.told[delivery.id] = ""
        self.sent.add(delivery.id)

    def judge(self, id: str, verdict: Verdict, second: int) -> None:
        at = f"2024-05-01T13:{second // 60:02}:{second % 60:02}.000Z"
        self._add(Judgement(delivery=id, verdict=verdict, at=at))
        self.told[id] = verdict

    def end(self, how: str) -> None:
        if self._is_open:
            self._connection.execute(how.encode())
        self._is_open, self.told, self.sent = False, {}, set()

    def close(self) -> None:
        self._connection.close()

    def _add(self, record: Record) -> None:
        if not self._is_open:
            self._connection.execute("begin")
            self._is_open = True
        self._rows.add([(record, encoder.encode(record).decode())])


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with fresh_database() as url:
        yield url


@pytest.fixture(scope="module")
def log(url: str) -> PostgresLog:
    return PostgresLog(url, shipped)


@pytest.fixture
def log_of(database: str) -> PostgresLog:
    """The log in a database that is the test's own."""
    return PostgresLog(database, shipped)


def empty(url: str) -> None:
    with psycopg.connect(url) as connection:
        connection.execute("delete from runs")


STEPS = ("send", "send", "judge", "commit", "commit, look", "rollback")
steps = st.lists(st.tuples(st.integers(0, WRITERS - 1), st.sampled_from(STEPS)), min_size=20, max_size=40)


@settings(max_examples=20)
@given(steps=steps, chance=st.randoms(use_true_random=False))
def test_each_look_tells_what_was_committed_since_the_last(
    url: str, log: PostgresLog, steps: list[tuple[int, str]], chance: random.Random
) -> None:
    empty(url)
    writers = [Writer(url, number) for number in range(WRITERS)]
    cursor = log.cursor()
    committed: dict[str, str] = {}
    pending: dict[str, bool] = {}
    """The deliveries to be told, and whether they are new."""
    second = 0

    def look() -> None:
        changes = cursor.changes()
        assert changes is not None
        found = {each.row.id: (each.row.verdict or "", each.is_new) for each in changes}
        assert found == {id: (committed[id], is_new) for id, is_new in pending.items()}
        assert len(changes) == len(found)
        pending.clear()

    try:
        for number, step in steps:
            writer = writers[number]
            if step == "send":
                writer.send()
            elif step == "judge":
                # What another one has judged and not committed would be waited for.
                free = sorted(committed.keys() - {id for each in writers for id in each.told})
                if free:
                    second += 1
                    writer.judge(chance.choice(free), chance.choice(("passed", "failed")), second)
            elif step == "rollback":
                writer.end("rollback")
            else:
                committed |= writer.told
                pending |= {id: pending.get(id, id in writer.sent) for id in writer.told}
                writer.end("commit")
                if step == "commit, look":
                    look()
        look()
    finally:
        for writer in writers:
            writer.close()


def test_who_watches_while_many_write_misses_nothing_and_is_told_nothing_twice(
    database: str, tmp_path: Path
) -> None:
    log = PostgresLog(database, shipped)
    cursor = log.cursor()
    told: dict[str, str] = {}
    new: list[str] = []
    place = LogPlace(tmp_path / "runs", database)
    has_ended = threading.Event()

    def write(number: int) -> None:
        info = RunInfo(id=f"20240501T12000{number}Z-aaaaaa", started_at="2024-05-01T12:00:00Z")
        run = opening.open_run(place, info, shipped)
        for _ in range(60):
            delivery = some_delivery(id=run.next_id(), run=info.id)
            run.append(delivery)
            run.append(Judgement(delivery=delivery.id, verdict="passed", at="2024-05-01T12:00:02.000Z"))
        run.finish("2024-05-01T12:01:00Z")

    def watch() -> None:
        is_last = False
        while not is_last:
            is_last = has_ended.is_set()
            changes = cursor.changes()
            assert changes is not None
            new.extend(each.row.id for each in changes if each.is_new)
            told.update((each.row.id, each.row.verdict or "") for each in changes)
            cursor.wait(0 if is_last else 0.02)

    watching = threading.Thread(target=watch)
    writing = [threading.Thread(target=write, args=(number,)) for number in range(4)]
    watching.start()
    for each in writing:
        each.start()
    for each in writing:
        each.join()
    has_ended.set()
    watching.join()
    there = {row.id: row.verdict for row in log.rows()}
    assert len(there) == 240
    assert told == there
    assert sorted(new) == sorted(there)


def test_of_many_who_judge_at_once_the_latest_verdict_is_shown(
    database: str, log_of: PostgresLog, tmp_path: Path
) -> None:
    place = LogPlace(tmp_path / "runs", database)

    def opened(number: int) -> RunWriter:
        info = RunInfo(id=f"20240501T12000{number}Z-aaaaaa", started_at="2024-05-01T12:00:00Z")
        return opening.open_run(place, info, shipped)

    sender = opened(0)
    ids = [sender.next_id() for _ in range(5)]
    for id in ids:
        sender.append(some_delivery(id=id, run=sender.info.id))
    sender.finish("2024-05-01T12:01:00Z")
    verdicts: list[Verdict] = ["passed", "failed", "errored"]

    def judge(number: int) -> None:
        run, chance = opened(number), random.Random(number)
        for _ in range(40):
            at = f"2024-05-01T13:00:{chance.randrange(60):02}.000Z"
            run.append(Judgement(delivery=chance.choice(ids), verdict=chance.choice(verdicts), at=at))
            if chance.random() < 0.3:
                asyncio.run(run.flush())
        run.finish("2024-05-01T14:00:00Z")

    judging = [threading.Thread(target=judge, args=(number,)) for number in range(1, 5)]
    for each in judging:
        each.start()
    for each in judging:
        each.join()
    rows = {row.id: row for row in log_of.rows()}
    entries = [log_of.delivery(id) for id in ids]
    assert sum(len(each.judgements) for each in entries if each is not None) == 160
    for each in entries:
        assert each is not None
        assert each.judgement is not None
        row = rows[each.delivery.id]
        assert (row.verdict, row.first_verdict) == (each.judgement.verdict, each.judgements[0].verdict)


def test_more_than_a_page_can_show_is_not_told_one_by_one(database: str, tmp_path: Path) -> None:
    cursor = PostgresLog(database, shipped).cursor()
    info = RunInfo(id="20240501T120000Z-aaaaaa", started_at="2024-05-01T12:00:00Z")
    run = opening.open_run(LogPlace(tmp_path / "runs", database), info, shipped)
    for _ in range(1001):
        run.append(some_delivery(id=run.next_id(), run=info.id))
    run.finish("2024-05-01T12:01:00Z")
    assert cursor.changes() is None
    assert cursor.changes() == []


def test_a_log_that_was_brought_to_another_server_is_read_anew(database: str) -> None:
    cursor = PostgresLog(database, shipped).cursor()
    with psycopg.connect(database) as connection:
        connection.execute("update state set identity = 'another'")
    assert cursor.changes() is None
    assert cursor.changes() == []


# --- waiting ---


def notified(url: str) -> None:
    with psycopg.connect(url) as connection:
        connection.execute("select pg_notify('retailops_log', '')")


def test_who_waits_is_woken_by_what_any_process_writes(database: str) -> None:
    cursor = PostgresLog(database, shipped).cursor()
    # What was written before it listened may have been missed.
    assert cursor.wait(0)
    assert not cursor.wait(0)
    notified(database)
    assert cursor.wait(60)
    assert not cursor.wait(0)
    waiting = threading.Thread(target=cursor.wait, args=(60,))
    waiting.start()
    notified(database)
    waiting.join()


def test_a_connection_that_is_lost_while_it_waits_is_made_anew(database: str) -> None:
    cursor = PostgresLog(database, shipped).cursor()
    cursor.wait(0)
    with psycopg.connect(database, autocommit=True) as connection:
        ended: Any = connection.execute(
            "select pg_terminate_backend(pid) from pg_stat_activity"
            " where datname = current_database() and query ilike 'listen%'"
        ).fetchall()
    assert len(ended) == 1
    # Something may have been missed, and again until it listens anew.
    assert cursor.wait(60)
    assert cursor.wait(60)
    assert not cursor.wait(0)
    notified(database)
    assert cursor.wait(60)
