"""The files of a run while it goes on and once it has ended, as the log and TinyDB read them."""

from __future__ import annotations

import json
import os
import stat
from pathlib import Path

import pytest
from tinydb import TinyDB, where

from retailops_sandbox import regular_files
from retailops_sandbox.errors import FileError
from retailops_sandbox.model import encoder
from retailops_sandbox.runlog.entries import Entry
from retailops_sandbox.runlog.files import folder, history, lock
from retailops_sandbox.runlog.files.finalize import finalize_abandoned
from retailops_sandbox.runlog.files.history import past_results
from retailops_sandbox.runlog.files.journal import Line
from retailops_sandbox.runlog.runs import run_id
from tests.support.logged import newest_deliveries, open_log
from tests.support.privileges import unprivileged
from tests.support.records import LATER, RUN, judge, make_delivery, make_result, open_run


def ids(entries: list[Entry]) -> list[str]:
    return [entry.delivery.id for entry in entries]


def test_run_ids_sort_by_time_and_differ_within_a_second() -> None:
    first = run_id("2024-05-01T12:34:56.789Z", "ffffff")
    assert first == "20240501T123456Z-ffffff"
    assert first < run_id("2024-05-01T12:34:57Z", "000000")
    assert first != run_id("2024-05-01T12:34:56.789Z", "000000")


# --- While a run lasts -----------------------------------------------------------------------------


def test_a_reader_ignores_a_line_that_is_being_written(tmp_path: Path) -> None:
    run, log = open_run(tmp_path), open_log(tmp_path)
    delivery = make_delivery(run)
    line = b'{"delivery":%b}\n' % encoder.encode(delivery)
    journal = tmp_path / f"{RUN}.journal"
    with journal.open("ab", buffering=0) as file:
        file.write(line[:100])
        assert newest_deliveries(log, 10) == []
        assert log.runs()[0].problems == ()
        file.write(line[100:])
        assert ids(newest_deliveries(log, 10)) == [delivery.id]
    run.close()


def test_an_unfinished_line_is_torn_once_nobody_holds_the_run(tmp_path: Path) -> None:
    run, log = open_run(tmp_path), open_log(tmp_path)
    delivery = make_delivery(run)
    run.append(delivery)
    journal = tmp_path / f"{RUN}.journal"
    with journal.open("ab") as file:
        file.write(b'{"delivery":{"id":"x')
    assert log.runs()[0].problems == ()
    run.close()
    (problem,) = log.runs()[0].problems
    assert str(problem).startswith(f"{journal}:3:1: torn")
    assert finalize_abandoned(tmp_path) == []
    assert ids(newest_deliveries(log, 10)) == [delivery.id]
    with TinyDB(run.path) as database:
        (head,) = database.table("run").all()
    assert head["torn"] == '{"delivery":{"id":"x'


def test_polling_a_live_run_reads_only_its_new_lines(tmp_path: Path) -> None:
    run, log = open_run(tmp_path), open_log(tmp_path)
    first, second = make_delivery(run), make_delivery(run)
    run.append(first)
    assert len(list(log.rows())) == 1
    journal = tmp_path / f"{RUN}.journal"
    # What was read before is no longer there to be read: only its length still counts.
    with journal.open("r+b") as file:
        file.write(b"#" * (journal.stat().st_size - 1))
    run.append(second)
    assert [row.id for row in log.rows()] == [second.id, first.id]
    assert log.runs()[0].problems == ()
    run.close()


# --- The run file --------------------------------------------------------------------------------------


def test_folding_leaves_the_run_file_alone_in_the_folder(tmp_path: Path) -> None:
    with open_run(tmp_path) as run:
        run.append(make_delivery(run))
    assert [path.name for path in tmp_path.iterdir()] == [f"{RUN}.json"]
    assert run.path == tmp_path / f"{RUN}.json"


def test_a_run_that_was_stopped_says_so_before_it_is_folded(tmp_path: Path) -> None:
    run = open_run(tmp_path)
    run.close()
    with run.path.with_suffix(".journal").open("ab") as journal:
        journal.write(encoder.encode(Line(finished_at="2024-05-01T12:01:00Z", stopped=True)) + b"\n")
    assert open_log(tmp_path).runs()[0].state == "stopped"


def test_a_run_file_from_before_there_were_results_is_read(tmp_path: Path) -> None:
    with open_run(tmp_path) as run:
        run.append(make_delivery(run))
        run.append(make_result())
    tables = json.loads(run.path.read_text())
    del tables["results"]
    run.path.write_text(json.dumps(tables))
    (summary,) = open_log(tmp_path).runs()
    assert (summary.deliveries, summary.results, summary.problems) == (1, 0, ())
    assert list(past_results(tmp_path)) == []


def test_the_past_is_read_newest_first_and_a_damaged_file_is_passed_over(tmp_path: Path) -> None:
    for id, verdict in ((RUN, "failed"), (LATER, "passed")):
        with open_run(tmp_path, id) as run:
            run.append(make_delivery(run))
            run.append(make_result(verdict=verdict))
    (tmp_path / "20240501T140000Z-cccccc.json").write_text("{")
    found = [(each.info.id, each.info.receiver, each.results[0].verdict) for each in past_results(tmp_path)]
    assert found == [(LATER, "local", "passed"), (RUN, "local", "failed")]
    assert list(past_results(tmp_path / "none")) == []


def test_the_past_of_a_run_is_what_was_before_it_as_far_as_anybody_looks(tmp_path: Path) -> None:
    # Of those that began in one second, the one that was written last is the newest.
    ids = ["20240501T120000Z-bbbbbb", "20240501T120001Z-ffffff", "20240501T120001Z-aaaaaa", LATER]
    for number, id in enumerate(ids):
        with open_run(tmp_path, id) as run:
            run.append(make_result())
        os.utime(tmp_path / f"{id}.json", ns=(number, number))
    assert [each.info.id for each in past_results(tmp_path)] == ids[::-1]
    assert [each.info.id for each in past_results(tmp_path, before=ids[2])] == ids[1::-1]
    assert [each.info.id for each in past_results(tmp_path, before=LATER, most=1)] == [ids[2]]
    assert list(past_results(tmp_path, most=0)) == []


def test_the_past_is_found_wherever_the_pieces_end_that_its_file_is_read_in(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    beginning = b'\n"results": {'
    results = [make_result("first"), make_result("second", "failed")]
    with open_run(tmp_path) as run:
        for _ in range(10):
            run.append(make_delivery(run))
        for result in results:
            run.append(result)
    text = run.path.read_bytes()
    distance = len(text) - text.index(beginning)
    for piece in (1, *range(distance - len(beginning) - 1, distance + 2), len(text), len(text) + 1):
        monkeypatch.setattr(history, "_FIRST_PIECE", piece)
        with open(run.path, "rb", buffering=0) as file:
            assert history.results_on(file) == b"{" + text[-distance:]
        assert [each.results for each in past_results(tmp_path)] == [results]


def test_the_past_is_read_without_the_deliveries_that_are_most_of_its_file(tmp_path: Path) -> None:
    with open_run(tmp_path) as run:
        for _ in range(300):
            run.append(make_delivery(run))
        run.append(make_result())
    assert run.path.stat().st_size > 100_000
    with open(run.path, "rb", buffering=0) as file:
        assert len(history.results_on(file)) < 50_000


def test_stock_tinydb_queries_and_extends_a_run_file(tmp_path: Path) -> None:
    with open_run(tmp_path) as run:
        deliveries = [make_delivery(run) for _ in range(3)]
        for delivery in deliveries:
            run.append(delivery)
        run.append(judge(deliveries[1], "failed"))
        run.append(make_result())
    with TinyDB(run.path) as database:
        assert database.tables() == {"run", "deliveries", "judgements", "results"}
        assert database.table("run").all()[0]["receiver"] == "local"
        table = database.table("deliveries")
        assert [document.doc_id for document in table] == [1, 2, 3]
        assert table.get(where("id") == deliveries[1].id) == json.loads(encoder.encode(deliveries[1]))
        assert len(database.table("judgements").search(where("verdict") == "failed")) == 1
        extra = {**json.loads(encoder.encode(deliveries[0])), "id": f"{RUN}.000009"}
        assert table.insert(extra) == 4
        database.table("notes").insert({"mine": True})
    # TinyDB wrote the file anew, on one line; the log still reads it.
    log = open_log(tmp_path)
    assert ids(newest_deliveries(log, 10)) == [
        f"{RUN}.000009",
        *(delivery.id for delivery in reversed(deliveries)),
    ]
    assert log.runs()[0].problems == ()


def test_an_empty_run_is_a_database_too(tmp_path: Path) -> None:
    with open_run(tmp_path) as run:
        pass
    with TinyDB(run.path) as database:
        assert len(database.table("deliveries")) == 0
        assert database.table("deliveries").insert({}) == 1


def test_export_is_the_run_file_under_another_name(tmp_path: Path) -> None:
    runs_dir, live, folded = tmp_path / "runs", tmp_path / "live.json", tmp_path / "folded.json"
    run = open_run(runs_dir)
    delivery = make_delivery(run)
    run.append(delivery)
    run.export(live)
    folded.write_text("what was there before")
    run.append(judge(delivery))
    run.finish("2024-05-01T12:01:00Z")
    run.export(folded)
    assert folded.read_bytes() == run.path.read_bytes()
    with TinyDB(live) as database:
        assert [document["id"] for document in database.table("deliveries")] == [delivery.id]
        assert len(database.table("judgements")) == 0
    assert sorted(path.name for path in tmp_path.iterdir()) == ["folded.json", "live.json", "runs"]


# --- Many runs ----------------------------------------------------------------------------------------


def test_a_run_that_is_folded_while_it_is_read_is_not_missed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = open_run(tmp_path)
    delivery = make_delivery(run)
    run.append(delivery)
    look = folder._stamp

    def look_then_fold(path: Path) -> tuple[int, int] | None:
        stamp = look(path)
        if stamp is None:
            run.finish()
        return stamp

    monkeypatch.setattr(folder, "_stamp", look_then_fold)
    assert ids(newest_deliveries(open_log(tmp_path), 10)) == [delivery.id]
    assert run.path.exists()


# --- What cannot be written --------------------------------------------------------------------------


def test_a_folder_that_cannot_be_written_is_one_clear_line(tmp_path: Path) -> None:
    runs_dir = tmp_path / "runs"
    runs_dir.mkdir()
    runs_dir.chmod(stat.S_IRUSR | stat.S_IXUSR)
    with unprivileged(), pytest.raises(FileError) as caught:
        open_run(runs_dir)
    runs_dir.chmod(stat.S_IRWXU)
    assert str(caught.value).startswith(f"{runs_dir / RUN}.journal: cannot be written: permission denied (")
    assert "\n" not in str(caught.value)
    assert list(runs_dir.iterdir()) == []


def test_who_opens_a_run_again_is_told_that_its_file_exists(tmp_path: Path) -> None:
    with open_run(tmp_path), pytest.raises(FileError, match="file exists"):
        open_run(tmp_path)


def test_a_journal_has_one_holder(tmp_path: Path) -> None:
    path = tmp_path / "a.journal"
    assert lock.take(path) is None
    fd = lock.create(path)
    assert lock.take(path) is None
    os.close(fd)
    taken = lock.take(path)
    assert taken is not None
    assert lock.take(path) is None
    assert lock.is_held(path)
    os.close(taken)
    assert not lock.is_held(path)


def test_a_fold_that_cannot_be_written_keeps_the_journal(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = open_run(tmp_path)
    delivery = make_delivery(run)
    run.append(delivery)
    with monkeypatch.context() as patch:
        patch.setattr(regular_files, "temporary", lambda _: tmp_path / "absent" / "new")
        with pytest.raises(FileError, match=r"json: cannot be written: no such file or directory"):
            run.finish("2024-05-01T12:01:00Z")
    (summary,) = open_log(tmp_path).runs()
    assert (summary.state, summary.deliveries) == ("finished", 1)
    assert finalize_abandoned(tmp_path) == []
    assert [path.name for path in tmp_path.iterdir()] == [f"{RUN}.json"]
