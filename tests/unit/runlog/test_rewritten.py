"""Run files that somebody else wrote anew are read on."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

from tinydb import TinyDB

from retailops_sandbox.model import encoder
from retailops_sandbox.runlog.query import Query
from retailops_sandbox.runlog.rows import DeliveryRow
from tests.support.backends import FileBackend
from tests.support.logged import newest_deliveries, open_log
from tests.support.mixed_runs import TEXTS, mixed_runs
from tests.support.records import judge, make_delivery, open_run


def ids(rows: Iterator[DeliveryRow]) -> list[str]:
    return [row.id for row in rows]


def test_a_run_file_that_tinydb_wrote_anew_is_searched_too(tmp_path: Path) -> None:
    mixed_runs(FileBackend(tmp_path))
    before = [ids(open_log(tmp_path).rows(Query(text=text))) for text in TEXTS]
    for path in tmp_path.glob("*.json"):
        with TinyDB(path) as database:
            database.table("notes").insert({"mine": "größe"})
    assert [ids(open_log(tmp_path).rows(Query(text=text))) for text in TEXTS] == before
    assert any(before)


def test_a_run_file_that_somebody_laid_out_anew_is_searched_too(tmp_path: Path) -> None:
    mixed_runs(FileBackend(tmp_path))
    before = [ids(open_log(tmp_path).rows(Query(text=text))) for text in TEXTS]
    for path in tmp_path.glob("*.json"):
        # The first record keeps its line; those after it share one.
        first, *others = path.read_bytes().split(b',\n"')
        path.write_bytes(b',\n"'.join([first, b',"'.join(others)]) if others else first)
    assert [ids(open_log(tmp_path).rows(Query(text=text))) for text in TEXTS] == before
    assert any(before)


def test_a_log_that_changes_while_it_is_read_is_read_on(tmp_path: Path) -> None:
    log = mixed_runs(FileBackend(tmp_path))
    whole = ids(log.rows())
    reading = log.rows()
    found = [next(reading).id for _ in range(5)]
    for path in tmp_path.glob("*.json"):
        with TinyDB(path) as database:
            database.table("notes").insert({})
    found += ids(reading)
    assert found == whole


def test_a_cached_run_file_is_read_again_when_it_changes(tmp_path: Path) -> None:
    with open_run(tmp_path) as run:
        delivery = make_delivery(run)
        run.append(delivery)
    log = open_log(tmp_path)
    assert len(newest_deliveries(log, 10)) == 1
    with TinyDB(run.path) as database:
        database.table("judgements").insert(json.loads(encoder.encode(judge(delivery))))
    assert newest_deliveries(log, 10)[0].judgement == judge(delivery)
    run.path.unlink()
    assert newest_deliveries(log, 10) == []
    assert log.runs() == []
