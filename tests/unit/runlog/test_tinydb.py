"""Run files are TinyDB databases, while the run goes on too: for stock TinyDB, and for the program's own."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tinydb import TinyDB, where
from tinydb.table import Document

from retailops_sandbox.errors import FileError
from retailops_sandbox.model import Record, Response, RunInfo, encoder
from retailops_sandbox.runlog.files import history, storage
from retailops_sandbox.runlog.files.finalize import finalize_abandoned
from retailops_sandbox.runlog.files.journal import Head
from retailops_sandbox.runlog.files.storage import RecordDocument, RunDatabase
from retailops_sandbox.runlog.opening import read_run_file
from retailops_sandbox.runlog.retention import Retention
from tests.support.logged import open_log
from tests.support.records import (
    LATER,
    RUN,
    OpenRun,
    judge,
    make_delivery,
    make_result,
    open_run,
    some_delivery,
)

Tables = dict[str, dict[int, dict[str, Any]]]

HEAD = Head(id=RUN, started_at="2024-05-01T12:00:00Z", format=2, generation=1)
ENDED = "2024-05-01T12:01:00Z"


def tables_of(database: TinyDB) -> Tables:
    """All that a database holds, by table and id."""
    return {
        name: {document.doc_id: dict(document) for document in database.table(name)}
        for name in sorted(database.tables())
    }


def by_stock_tinydb(path: Path) -> Tables:
    """What stock TinyDB finds in a file, opened as anybody opens it. It leaves the file as it is."""
    before = path.read_bytes()
    with TinyDB(path) as database:
        found = tables_of(database)
    assert path.read_bytes() == before
    return found


def fields(record: Record) -> dict[str, Any]:
    members: dict[str, Any] = json.loads(encoder.encode(record))
    return members


def logged(runs_dir: Path, id: str = RUN) -> Tables:
    """What the log says of a run, in the shape of its tables."""
    log = open_log(runs_dir)
    run = log.run(id)
    assert run is not None
    assert run.problems == ()
    entries = log.deliveries(id)
    judgements = [fields(judgement) for entry in entries for judgement in entry.judgements]
    return {
        "deliveries": dict(enumerate((fields(entry.delivery) for entry in entries), 1)),
        "judgements": dict(enumerate(judgements, 1)),
        "results": dict(enumerate(map(fields, log.results(id)), 1)),
    }


def fill(run: OpenRun, count: int = 2) -> None:
    for number in range(count):
        delivery = make_delivery(run, f"2024-05-01T12:00:0{number}.000Z")
        run.append(delivery)
        run.append(judge(delivery, "failed"))
    run.append(make_result())


# --- stock TinyDB, finished and not -------------------------------------------------------------------


@pytest.mark.parametrize("count", [0, 1, 3])
def test_it_finds_in_a_finished_run_what_the_log_says(tmp_path: Path, count: int) -> None:
    with open_run(tmp_path) as run:
        fill(run, count)
        run.finish(ENDED)
    found = by_stock_tinydb(run.path)
    (head,) = found.pop("run").values()
    assert (head["id"], head["finished_at"], head["generation"]) == (RUN, ENDED, 1)
    assert found == logged(tmp_path)
    assert len(found["deliveries"]) == count
    assert history.past_results(tmp_path)


def test_it_finds_an_unfinished_run_that_has_only_begun_and_leaves_it_unharmed(tmp_path: Path) -> None:
    run = open_run(tmp_path)
    assert by_stock_tinydb(run.path) == {
        "deliveries": {},
        "judgements": {},
        "results": {},
        "run": {1: {**fields(run.info), "format": 2, "generation": 0}},
    }
    fill(run)
    found = by_stock_tinydb(run.path)
    assert (found["deliveries"], found["run"][1]["id"]) == ({}, RUN)
    assert len(logged(tmp_path)["deliveries"]) == 2
    (summary,) = open_log(tmp_path).runs()
    assert (summary.state, summary.deliveries, summary.results) == ("running", 2, 1)
    run.finish(ENDED)
    assert by_stock_tinydb(run.path).keys() == {"deliveries", "judgements", "results", "run"}
    assert len(logged(tmp_path)["deliveries"]) == 2


def test_it_finds_a_run_so_far_in_what_was_exported(tmp_path: Path) -> None:
    run = open_run(tmp_path / "runs")
    fill(run)
    run.export(tmp_path / "live.json")
    found = by_stock_tinydb(tmp_path / "live.json")
    assert found.pop("run")[1]["generation"] == 1
    assert found == logged(tmp_path / "runs")
    log = open_log(tmp_path / "none")
    assert log.open(tmp_path / "live.json", "live.json") == RUN
    run.finish()


def test_a_file_of_before_is_read_and_finished(tmp_path: Path) -> None:
    """A journal whose run had no run file: what earlier versions left where a process died."""
    run = open_run(tmp_path)
    fill(run)
    run.close()
    run.path.unlink()
    before = logged(tmp_path)
    assert open_log(tmp_path).runs()[0].state == "interrupted"
    assert finalize_abandoned(tmp_path) == []
    assert logged(tmp_path) == before
    found = by_stock_tinydb(run.path)
    del found["run"]
    assert found == before


@pytest.mark.parametrize("ending", ["finish", "die"])
def test_what_a_person_inserts_into_an_unfinished_run_stays(tmp_path: Path, ending: str) -> None:
    run = open_run(tmp_path)
    fill(run)
    with TinyDB(run.path) as database:
        database.table("notes").insert({"note": "ä"})
        database.table("notes").insert(Document({"note": "far"}, 77))
        database.insert({"mine": True})
        database.table("judgements").insert({**fields(judge(make_delivery(run))), "verdict": "passed"})
        database.table("run").update({"ticket": "OPS-1"})
        database.table("run").insert({"second": 2})
    (summary,) = open_log(tmp_path).runs()
    assert (summary.state, summary.deliveries, summary.problems) == ("running", 2, ())
    fill(run, 1)
    run.export(tmp_path / "live.json")
    if ending == "finish":
        run.finish(ENDED)
    else:
        run.close()
        assert finalize_abandoned(tmp_path) == []
    for path in (run.path, tmp_path / "live.json"):
        found = by_stock_tinydb(path)
        assert found["notes"] == {1: {"note": "ä"}, 77: {"note": "far"}}
        assert found["_default"] == {1: {"mine": True}}
        assert found["run"][1]["ticket"] == "OPS-1"
        assert found["run"][1]["generation"] == 1
        assert found["run"][2] == {"second": 2}
        assert list(found["deliveries"]) == [1, 2, 3]
        assert [each["verdict"] for each in found["judgements"].values()] == ["failed"] * 3 + ["passed"]
    (tmp_path / "live.json").unlink()
    (summary,) = open_log(tmp_path).runs()
    assert (summary.deliveries, summary.results, summary.problems) == (3, 2, ())


def test_what_a_person_inserts_that_is_no_record_stays_and_is_named(tmp_path: Path) -> None:
    run = open_run(tmp_path)
    fill(run)
    with TinyDB(run.path) as database:
        database.table("deliveries").insert({"of": "a person"})
    run.finish(ENDED)
    assert by_stock_tinydb(run.path)["deliveries"][3] == {"of": "a person"}
    (summary,) = open_log(tmp_path).runs()
    assert summary.deliveries == 2
    assert [problem.pointer for problem in summary.problems] == ["/deliveries/3"]


def test_an_unfinished_run_that_somebody_damaged_is_kept_with_its_journal(tmp_path: Path) -> None:
    run = open_run(tmp_path)
    fill(run)
    with TinyDB(run.path) as database:
        database.drop_tables()
    with pytest.raises(FileError, match="damaged: it does not say which run it is"):
        run.finish(ENDED)
    assert run.path.read_bytes() == b"{}"
    log = open_log(tmp_path)
    assert len(log.deliveries(RUN)) == 2
    (summary,) = log.runs()
    assert "damaged" in str(summary.problems[0])


# --- an empty file, which TinyDB makes of any path ----------------------------------------------------


def test_an_empty_file_is_no_run(tmp_path: Path) -> None:
    with open_run(tmp_path) as run:
        fill(run)
    TinyDB(tmp_path / f"{LATER}.json").close()
    assert (tmp_path / f"{LATER}.json").stat().st_size == 0
    log = open_log(tmp_path)
    assert [each.id for each in log.runs()] == [RUN]
    assert log.run(LATER) is None
    assert list(history.past_results(tmp_path, before="20240502T000000Z-aaaaaa"))
    assert open_log(tmp_path).prune(Retention(runs=1), ENDED).problems == []
    with pytest.raises(FileError, match="is gone"):
        log.pin(LATER)
    assert finalize_abandoned(tmp_path) == []
    assert (tmp_path / f"{LATER}.json").read_bytes() == b""


def test_a_run_takes_the_place_of_an_empty_file(tmp_path: Path) -> None:
    TinyDB(tmp_path / f"{RUN}.json").close()
    run = open_run(tmp_path)
    fill(run)
    (summary,) = open_log(tmp_path).runs()
    assert (summary.state, summary.deliveries, summary.problems) == ("running", 2, ())
    before = logged(tmp_path)
    run.export(tmp_path / "live.json")
    assert len(by_stock_tinydb(tmp_path / "live.json")["deliveries"]) == 2
    (tmp_path / "live.json").unlink()
    run.finish(ENDED)
    assert logged(tmp_path) == before
    assert open_log(tmp_path).runs()[0].state == "finished"


# --- while the run goes on ----------------------------------------------------------------------------


def test_readers_leave_nothing_beside_a_run_that_goes_on(tmp_path: Path) -> None:
    run = open_run(tmp_path)
    fill(run)
    log = open_log(tmp_path)
    assert len(list(log.rows())) == 2
    assert sorted(each.suffix for each in tmp_path.iterdir()) == [".journal", ".json"]
    run.finish(ENDED)


def test_a_run_whose_journal_is_gone_is_shown_without_deliveries(tmp_path: Path) -> None:
    run = open_run(tmp_path)
    fill(run)
    run.close()
    run.path.with_suffix(".journal").unlink()
    (summary,) = open_log(tmp_path).runs()
    assert (summary.state, summary.deliveries, summary.problems) == ("interrupted", 0, ())
    assert list(history.past_results(tmp_path)) == []


def test_both_files_are_made_anew_where_somebody_deleted_them(tmp_path: Path) -> None:
    run = open_run(tmp_path)
    fill(run)
    before = run.path.read_bytes()
    for path in list(tmp_path.iterdir()):
        path.unlink()
    run._begun().run._checked = 0.0  # as if some time had passed
    fill(run, 1)
    assert run.path.read_bytes() == before
    assert len(open_log(tmp_path).deliveries(RUN)) == 3
    run.finish(ENDED)
    assert len(logged(tmp_path)["deliveries"]) == 3


@pytest.mark.parametrize("only", [".journal", ".json", ""], ids=["journal", "run file", "both"])
@pytest.mark.parametrize("finished_at", [ENDED, ""])
def test_a_run_ends_whole_where_somebody_deleted_its_files(
    tmp_path: Path, only: str, finished_at: str
) -> None:
    run = open_run(tmp_path / "runs")
    fill(run)
    whole = logged(tmp_path / "runs")

    def delete() -> None:
        for path in (tmp_path / "runs").iterdir():
            if only in ("", path.suffix):
                path.unlink()

    delete()
    run.export(tmp_path / "so far.json")
    delete()
    run.finish(finished_at)
    for path in (run.path, tmp_path / "so far.json"):
        found = by_stock_tinydb(path)
        del found["run"]
        assert found == whole


def test_a_run_that_has_not_begun_has_no_run_file(tmp_path: Path) -> None:
    run = OpenRun(tmp_path / "runs", RunInfo(id=RUN, started_at="2024-05-01T12:00:00Z"))
    with pytest.raises(FileError, match="the run has not begun"):
        run.export(tmp_path / "none.json")
    run.finish(ENDED)
    run.close()
    assert list(tmp_path.iterdir()) == []


def test_a_run_that_cannot_begin_leaves_no_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write = os.write

    def refuse(fd: int, text: bytes) -> int:
        if text.startswith(b'{"deliveries"'):
            raise OSError(28, "No space left on device")
        return write(fd, text)

    monkeypatch.setattr(os, "write", refuse)
    with pytest.raises(FileError, match="no space left on device"):
        open_run(tmp_path)
    assert list(tmp_path.iterdir()) == []


# --- the program's own database -----------------------------------------------------------------------


@pytest.fixture
def database(tmp_path: Path) -> RunDatabase:
    return RunDatabase(tmp_path / f"{RUN}.json", HEAD)


KINDS = ("delivery", "judgement", "result")


def records(kinds: Iterable[str]) -> list[Record]:
    delivery = some_delivery(id=f"{RUN}.000001", run=RUN)
    of: dict[str, Record] = {"delivery": delivery, "judgement": judge(delivery), "result": make_result()}
    return [of[kind] for kind in kinds]


@given(st.lists(st.sampled_from(KINDS), max_size=8))
def test_it_reads_what_the_run_file_will_be(kinds: list[str]) -> None:
    with TemporaryDirectory() as folder:
        path = Path(folder, f"{RUN}.json")
        database = RunDatabase(path, HEAD)
        for record in records(kinds):
            database.append(record)
        live = tables_of(database)
        database.run.finish()
        assert live == by_stock_tinydb(path)
        assert [len(live[name]) for name in ("deliveries", "judgements", "results")] == [
            kinds.count(kind) for kind in KINDS
        ]


def test_inserting_a_record_appends_a_line_and_nothing_else(database: RunDatabase, tmp_path: Path) -> None:
    table, (delivery,) = database.table("deliveries"), records(["delivery"])
    run_file, journal = tmp_path / f"{RUN}.json", tmp_path / f"{RUN}.journal"
    begun, before = run_file.read_bytes(), journal.read_bytes()
    assert [table.insert(RecordDocument(delivery)) for _ in range(3)] == [1, 2, 3]
    assert run_file.read_bytes() == begun
    assert journal.read_bytes() == before + 3 * (b'{"delivery":%b}\n' % encoder.encode(delivery))
    assert len(table) == 3
    assert table.get(doc_id=2) == fields(delivery)
    assert table.count(where("run") == RUN) == 3
    assert table.insert(RecordDocument(delivery)) == 4
    assert table.count(where("run") == RUN) == 4  # no answer of before


def test_a_record_as_a_document_is_the_mapping_that_its_json_is() -> None:
    (delivery,) = records(["delivery"])
    document = RecordDocument(delivery)
    assert dict(document) == fields(delivery)
    assert len(document) == len(fields(delivery))
    assert "base64" not in document


def test_an_insert_that_fails_leaves_nothing(
    database: RunDatabase, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    table, (delivery,) = database.table("deliveries"), records(["delivery"])
    journal = tmp_path / f"{RUN}.journal"
    table.insert(RecordDocument(delivery))
    before = journal.read_bytes()
    write = os.write
    with monkeypatch.context() as patched:
        # The disk takes a part, then no more.
        answers: list[Callable[[int, bytes], int]] = [lambda fd, text: write(fd, text[:100]), _full]
        patched.setattr(storage.os, "write", lambda fd, text: answers.pop(0)(fd, text))
        with pytest.raises(FileError, match="no space left"):
            table.insert(RecordDocument(delivery))
    assert journal.read_bytes() == before
    assert table.insert(RecordDocument(delivery)) == 2
    assert len(table) == 2


def call(function: Callable[..., Any], *arguments: object) -> Any:
    """A call with arguments that its types forbid."""
    return function(*arguments)


def _full(fd: int, text: bytes) -> int:
    raise OSError(28, "No space left on device")


def test_whatever_else_is_inserted_is_tinydbs(database: RunDatabase, tmp_path: Path) -> None:
    table, (delivery,) = database.table("deliveries"), records(["delivery"])
    table.insert(RecordDocument(delivery))
    with pytest.raises(ValueError, match="Document is not a Mapping"):
        call(table.insert, [delivery])
    with pytest.raises(ValueError, match="Document with ID 1 already exists"):
        table.insert(Document(fields(delivery), 1))
    assert table.insert(fields(delivery)) == 2
    # TinyDB wrote the file whole: the run has ended.
    assert [each.suffix for each in tmp_path.iterdir()] == [".json"]
    assert list(by_stock_tinydb(tmp_path / f"{RUN}.json")["deliveries"]) == [1, 2]
    assert [entry.delivery for entry in open_log(tmp_path).deliveries(RUN)] == [delivery]
    for document in (RecordDocument(delivery), {}):
        with pytest.raises(FileError, match="the run has ended"):
            table.insert(document)
    database.run.finish(ENDED)
    assert ".journal" not in {each.suffix for each in tmp_path.iterdir()}


@pytest.mark.parametrize("part", ["a", '\\"', "\n", "ü€😀", "\x00"])
def test_a_long_answer_is_written_like_any_other(tmp_path: Path, part: str) -> None:
    body = part * (3_000_000 // len(part))
    with open_run(tmp_path) as run:
        delivery = make_delivery(run)
        delivery = msgspec.structs.replace(delivery, response=Response(status=200, body=body))
        run.append(delivery)
    (entry,) = read_run_file(run.path)
    assert entry.delivery == delivery
    assert encoder.encode(delivery) in run.path.read_bytes()
