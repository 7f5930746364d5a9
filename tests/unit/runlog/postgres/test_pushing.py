"""Run files are brought into PostgreSQL, whoever wrote them, as often as one likes and once all the same."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from retailops_sandbox.errors import FileError
from retailops_sandbox.model import RunInfo
from retailops_sandbox.runlog import opening
from retailops_sandbox.runlog.place import LogPlace
from retailops_sandbox.runlog.runs import PushedRun
from tests.support.logged import shipped
from tests.support.postgres_proxy import PostgresProxy
from tests.support.records import LATER, RUN, begin_run, judge, make_delivery, make_result, open_run, written


class Rows:
    """What a database has of deliveries, judgements, results and runs."""

    def __init__(self, url: str) -> None:
        self._connection = psycopg.connect(url, autocommit=True)

    def all(self) -> dict[str, list[tuple[Any, ...]]]:
        asked = {
            "deliveries": "id, verdict, first_verdict, record, orders, codes",
            "judgements": "run, number, delivery, verdict, record",
            "results": "run, number, scenario, record",
            "runs": "id, record, deliveries, verdicts, outcomes, judges, size",
        }
        return {
            table: self._connection.execute(
                f"select {columns} from {table} order by 1, 2".encode()
            ).fetchall()
            for table, columns in asked.items()
        }

    def verdicts(self) -> list[tuple[Any, ...]]:
        return self._connection.execute(
            "select verdict, first_verdict from deliveries order by id"
        ).fetchall()

    def close(self) -> None:
        self._connection.close()


@pytest.fixture
def rows(database: str) -> Iterator[Rows]:
    opened = Rows(database)
    yield opened
    opened.close()


@pytest.fixture
def place(tmp_path: Path, database: str) -> LogPlace:
    return LogPlace(tmp_path / ".sandbox" / "runs", database)


def push(place: LogPlace, path: Path) -> PushedRun:
    return opening.push_run_file(place, path, shipped)


def test_a_run_file_is_brought_in_once_and_stays(tmp_path: Path, place: LogPlace, rows: Rows) -> None:
    path, delivery = written(tmp_path)
    assert push(place, path) == PushedRun(RUN, 3, is_new=True)
    found = rows.all()
    assert [len(found[table]) for table in ("deliveries", "judgements", "results", "runs")] == [1, 1, 1, 1]
    assert found["deliveries"][0][:3] == (delivery, "failed", "failed")
    (run,) = found["runs"]
    assert (run[2], json.loads(run[3]), json.loads(run[4])) == (1, {"failed": 1}, {"failed": 1})
    assert push(place, path) == PushedRun(RUN, 0, is_new=False)
    assert rows.all() == found
    assert path.exists()


def test_what_the_log_has_otherwise_is_told_and_left(tmp_path: Path, place: LogPlace, rows: Rows) -> None:
    path, _ = written(tmp_path)
    push(place, path)
    found = rows.all()
    place.spool_dir.mkdir(parents=True)
    other = place.spool_dir / path.name
    other.write_text(path.read_text().replace('"verdict":"failed"', '"verdict":"passed"'))
    # The judgement and the result.
    assert push(place, other) == PushedRun(RUN, 0, is_new=False, different=2)
    assert rows.all() == found
    assert other.exists()


def test_what_waits_is_deleted_once_it_is_in(place: LogPlace, rows: Rows) -> None:
    with open_run(place.spool_dir) as run:
        delivery = make_delivery(run)
        run.append(delivery)
        run.append(judge(delivery))
    dead = begin_run(place.spool_dir, RunInfo(id=LATER, started_at="2024-05-01T13:00:00Z"))
    dead.append(judge(delivery, "failed", "2024-05-01T13:00:02.000Z"))
    living = begin_run(
        place.spool_dir, RunInfo(id="20240501T140000Z-cccccc", started_at="2024-05-01T14:00:00Z")
    )
    dead.close()
    paths, problems = opening.waiting_run_files(place)
    assert ([path.stem for path in paths], problems) == ([RUN, LATER], [])
    # In any order: what was judged may come after its judgement.
    for path in reversed(paths):
        assert push(place, path).is_new
    assert rows.verdicts() == [("failed", "passed")]
    assert opening.waiting_run_files(place) == ([], [])
    assert {path.stem for path in place.spool_dir.iterdir()} == {living.info.id}
    living.close()


def test_a_part_of_a_run_does_not_take_back_what_is_there(
    tmp_path: Path, place: LogPlace, rows: Rows
) -> None:
    with open_run(tmp_path / "runs") as run:
        for number in range(3):
            delivery = make_delivery(run)
            run.append(delivery)
            run.append(judge(delivery))
            run.append(make_result(f"scenarios/{number}.scenario.json"))
            if number == 0:
                run.export(tmp_path / "part.json")
        run.finish("2024-05-01T12:01:00Z")
    part, whole = tmp_path / "part.json", tmp_path / "runs" / f"{RUN}.json"
    assert push(place, part).added == 3
    assert push(place, whole).added == 6
    found = rows.all()
    assert json.loads(found["runs"][0][1])["finished_at"] == "2024-05-01T12:01:00Z"
    assert push(place, part).added == 0
    assert rows.all() == found


def test_many_records_are_brought_in_in_pieces(
    tmp_path: Path, place: LogPlace, rows: Rows, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("retailops_sandbox.runlog.postgres.pushing._AT_ONCE", 500)
    with open_run(tmp_path / "runs") as run:
        for _ in range(5):
            delivery = make_delivery(run)
            run.append(delivery)
            run.append(judge(delivery))
    assert push(place, tmp_path / "runs" / f"{RUN}.json").added == 10
    assert rows.verdicts() == [("passed", "passed")] * 5
    assert json.loads(rows.all()["runs"][0][3]) == {"passed": 5}


def test_a_journal_of_a_dead_process_can_be_named(tmp_path: Path, place: LogPlace, rows: Rows) -> None:
    run = open_run(tmp_path / "runs")
    run.append(make_delivery(run))
    run.close()
    assert push(place, run.path.with_suffix(".journal")).added == 1
    assert rows.verdicts() == [("", None)]


def test_a_run_that_goes_on_is_left_alone(tmp_path: Path, place: LogPlace, rows: Rows) -> None:
    with open_run(tmp_path / "runs") as run, pytest.raises(FileError) as raised:
        push(place, run.path)
    assert str(raised.value) == f"{run.path}: goes on (push it when its run has ended)"
    assert rows.all()["runs"] == []


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda text: text[:-20], "is no run file, or a damaged one"),
        (lambda text: text.replace(f'"id":"{RUN}.000001"', '"id":"x.000001"'), "no id of a delivery of run"),
        (lambda text: text.replace("2024-05-01T12:00:02.000Z", "yesterday"), "is no time in UTC"),
    ],
)
def test_a_file_that_the_sandbox_did_not_write_changes_nothing(
    tmp_path: Path, place: LogPlace, rows: Rows, change: Any, said: str
) -> None:
    path, _ = written(tmp_path)
    path.write_text(change(path.read_text()))
    with pytest.raises(FileError) as raised:
        push(place, path)
    assert said in str(raised.value)
    assert raised.value.file == str(path)
    assert rows.all() == {"deliveries": [], "judgements": [], "results": [], "runs": []}


def test_a_database_that_is_away_leaves_what_waits(
    tmp_path: Path, cut_database: tuple[str, PostgresProxy]
) -> None:
    url, proxy = cut_database
    proxy.cut()
    place = LogPlace(tmp_path / ".sandbox" / "runs", url)
    with open_run(place.spool_dir) as run:
        run.append(make_delivery(run))
    with pytest.raises(FileError) as raised:
        push(place, run.path)
    assert "cannot be reached" in str(raised.value)
    assert run.path.exists()


def test_the_results_of_earlier_runs_are_read_as_from_files(tmp_path: Path, place: LogPlace) -> None:
    ids = [RUN, LATER, "20240501T140000Z-cccccc", "20240501T140000Z-aaaaaa"]
    for number, id in enumerate(ids):
        with begin_run(tmp_path, RunInfo(id=id, started_at="2024-05-01T12:00:00Z")) as run:
            run.append(make_result(f"scenarios/{number}.scenario.json"))
            run.append(make_result("scenarios/b.scenario.json", "failed"))
        push(place, tmp_path / f"{id}.json")
    with begin_run(tmp_path, RunInfo(id="20240501T130001Z-eeeeee", started_at="2024-05-01T12:00:00Z")) as run:
        run.append(make_delivery(run))
    push(place, run.path)
    files = LogPlace(tmp_path)

    def read(of: LogPlace, before: str, most: int = 1 << 20) -> list[Any]:
        found = opening.earlier_results(of, before=before, most=most)
        return [(each.info.id, list(each.results)) for each in found]

    for before in (*ids, "20240501T150000Z-dddddd"):
        assert read(place, before) == read(files, before)
    assert [id for id, _ in read(place, ids[2])] == [ids[3], ids[1], ids[0]]
    assert [id for id, _ in read(place, LATER, most=1)] == [RUN]
    assert read(place, LATER, most=0) == []


def test_a_database_that_is_away_has_no_earlier_results(
    tmp_path: Path, cut_database: tuple[str, PostgresProxy]
) -> None:
    url, proxy = cut_database
    proxy.cut()
    assert list(opening.earlier_results(LogPlace(tmp_path, url), before=LATER, most=100)) == []
