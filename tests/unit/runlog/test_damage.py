"""A damaged file is named and kept, nothing is written over it, and the rest goes on."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from retailops_sandbox.errors import FileError
from retailops_sandbox.model import Judgement, Request, RunInfo
from retailops_sandbox.runlog.files.finalize import finalize_abandoned
from retailops_sandbox.runlog.ports import Log
from retailops_sandbox.runlog.runs import RunSummary
from tests.support.logged import newest_deliveries, open_log
from tests.support.records import begin_run, some_delivery

GOOD = "20240501T120000Z-aaaaaa"
BAD = "20240501T130000Z-bbbbbb"


def write_run(runs_dir: Path, id: str, *, fold: bool) -> list[str]:
    """A run of three judged deliveries; returns their ids, the newest first."""
    run = begin_run(runs_dir, RunInfo(id=id, started_at="2024-05-01T12:00:00Z"))
    made = []
    for second in range(3):
        delivery = some_delivery(
            id=run.next_id(),
            run=id,
            sent_at=f"2024-05-01T{id[9:11]}:00:0{second}Z",
            receiver="local",
            request=Request(method="POST", url="http://127.0.0.1:1/", headers=()),
        )
        run.append(delivery)
        run.append(Judgement(delivery=delivery.id, verdict="passed", at="2024-05-01T12:00:02Z"))
        made.append(delivery.id)
    run.finish() if fold else run.close()
    return made[::-1]


def seen(log: Log) -> list[str]:
    return [entry.delivery.id for entry in newest_deliveries(log, 100)]


def summary(log: Log, id: str) -> RunSummary:
    (found,) = [run for run in log.runs() if run.id == id]
    return found


@pytest.fixture
def runs_dir(tmp_path: Path) -> Path:
    write_run(tmp_path, GOOD, fold=True)
    return tmp_path


@pytest.mark.parametrize(
    "text",
    [
        b'{"run": {"1": {"id"',
        b"\x00\xff\xfe",
        b"[]",
        b"[" * 100_000,
        b'{"run": {"1": ' + b"[" * 100_000,
        b"{}",
        b'{"run": {}}',
        b'{"run": {"1": {}}}',
    ],
    ids=range(8),
)
def test_a_run_file_that_is_none_is_named_and_kept(runs_dir: Path, text: bytes) -> None:
    path = runs_dir / f"{BAD}.json"
    path.write_bytes(text)
    log = open_log(runs_dir)
    assert len(seen(log)) == 3
    (problem,) = summary(log, BAD).problems
    assert str(problem).startswith(f"{path}")
    assert "damaged" in str(problem)
    assert "\n" not in str(problem)
    assert summary(log, GOOD).problems == ()
    assert finalize_abandoned(runs_dir) == []
    assert path.read_bytes() == text


def test_one_damaged_record_of_a_run_file_does_not_hide_the_others(runs_dir: Path) -> None:
    made = write_run(runs_dir, BAD, fold=True)
    path = runs_dir / f"{BAD}.json"
    path.write_text(path.read_text().replace(f'"id":"{made[1]}"', '"id":17'))
    log = open_log(runs_dir)
    assert [id for id in seen(log) if id.startswith(BAD)] == [made[0], made[2]]
    (problem,) = summary(log, BAD).problems
    assert problem.pointer == "/deliveries/2"
    assert str(problem) == f"{path} at /deliveries/2: {problem.what} (it is kept as it is)"


HUGE = "99999999999999999999"


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ('"action":', f'"number":{HUGE},"action":'),
        ('"action":', '"number":4000000000,"action":'),
        ('"action":', f'"attempt":-{HUGE},"action":'),
        ('"action":', '"attempt":-1,"action":'),
        ('"status":200', f'"status":{HUGE}'),
        ('"status":200', '"status":-200'),
        ('"response":', f'"redirects":[{{"status":{HUGE},"location":""}}],"response":'),
    ],
)
@pytest.mark.parametrize("fold", [True, False], ids=["run file", "journal"])
def test_a_number_that_no_sandbox_writes_damages_its_record_alone(
    runs_dir: Path, before: str, after: str, fold: bool
) -> None:
    made = write_run(runs_dir, BAD, fold=fold)
    path = runs_dir / f"{BAD}.{'json' if fold else 'journal'}"
    start, id, rest = path.read_text().partition(f'"id":"{made[1]}"')
    assert before in rest
    path.write_text(start + id + rest.replace(before, after, 1))
    log = open_log(runs_dir)
    assert [id for id in seen(log) if id.startswith(BAD)] == [made[0], made[2]]
    (problem,) = summary(log, BAD).problems
    assert problem.place == (f"{path} at /deliveries/2" if fold else f"{path}:4:1")
    if fold:
        with pytest.raises(FileError, match="Expected `int`"):
            open_log(runs_dir.parent / "others").open(path, "nightly.json")


@pytest.mark.parametrize(
    "garbage",
    [b"#### not JSON", b'{"delivery":{"id":"\xff"}}', b'{"delivery":[]}', b"[" * 100_000, b"{}", b""],
    ids=range(6),
)
def test_garbage_in_a_journal_is_named_and_the_rest_of_it_is_read(runs_dir: Path, garbage: bytes) -> None:
    made = write_run(runs_dir, BAD, fold=False)
    path = runs_dir / f"{BAD}.journal"
    lines = path.read_bytes().split(b"\n")
    lines[3] = garbage  # Where the second delivery was.
    path.write_bytes(b"\n".join(lines))
    log = open_log(runs_dir)
    assert [id for id in seen(log) if id.startswith(BAD)] == [made[0], made[2]]
    (problem,) = summary(log, BAD).problems
    assert problem.place == f"{path}:4:1"


@pytest.mark.parametrize(
    "garbage",
    [b"#### not JSON", b'{"delivery":{"id":"\xff"}}', b'{"delivery":{"x":' + b"[" * 100_000, b"{}"],
    ids=range(4),
)
def test_a_journal_with_garbage_is_not_folded(runs_dir: Path, garbage: bytes) -> None:
    write_run(runs_dir, BAD, fold=False)
    path = runs_dir / f"{BAD}.journal"
    text = path.read_bytes() + garbage + b"\n"
    path.write_bytes(text)
    (problem,) = finalize_abandoned(runs_dir)
    assert problem.place == f"{path}:8:1"
    assert path.read_bytes() == text
    assert sorted(file.name for file in runs_dir.iterdir()) == [
        f"{GOOD}.json",
        f"{BAD}.journal",
        f"{BAD}.json",
    ]


def test_a_journal_without_its_head_is_read_and_kept(runs_dir: Path) -> None:
    made = write_run(runs_dir, BAD, fold=False)
    path = runs_dir / f"{BAD}.journal"
    path.write_bytes(path.read_bytes().partition(b"\n")[2])
    log = open_log(runs_dir)
    assert seen(log)[:3] == made
    assert summary(log, BAD).info is None
    assert [str(problem) for problem in finalize_abandoned(runs_dir)] == [
        f"{path}:1:1: damaged: it does not say which run this is (it is kept as it is)"
    ]
    assert path.exists()


def test_a_damaged_run_file_keeps_its_journal_from_being_folded(runs_dir: Path) -> None:
    made = write_run(runs_dir, BAD, fold=False)
    path = runs_dir / f"{BAD}.json"
    path.write_bytes(b'{"run": ')
    log = open_log(runs_dir)
    assert seen(log)[:3] == made
    (problem,) = finalize_abandoned(runs_dir)
    assert problem.file == str(path)
    assert path.read_bytes() == b'{"run": '
    assert (runs_dir / f"{BAD}.journal").exists()


def test_a_journal_of_a_generation_that_was_folded_is_not_read_again(runs_dir: Path) -> None:
    made = write_run(runs_dir, BAD, fold=False)
    journal = (runs_dir / f"{BAD}.journal").read_bytes()
    finalize_abandoned(runs_dir)
    (runs_dir / f"{BAD}.journal").write_bytes(journal)
    log = open_log(runs_dir)
    assert seen(log)[:3] == made
    assert all(len(entry.judgements) == 1 for entry in newest_deliveries(log, 100))
    assert finalize_abandoned(runs_dir) == []
    assert not (runs_dir / f"{BAD}.journal").exists()
    assert seen(log)[:3] == made


def test_a_journal_of_a_later_generation_is_read_with_its_run_file_and_kept(runs_dir: Path) -> None:
    write_run(runs_dir, BAD, fold=False)
    path = runs_dir / f"{BAD}.journal"
    later = path.read_bytes().replace(b'"generation":1', b'"generation":2')
    finalize_abandoned(runs_dir)
    path.write_bytes(later)
    log = open_log(runs_dir)
    assert len(seen(log)) == 6
    assert [len(entry.judgements) for entry in newest_deliveries(log, 3)] == [2, 2, 2]
    (problem,) = finalize_abandoned(runs_dir)
    assert "older than its journal" in str(problem)
    assert path.read_bytes() == later


@pytest.mark.parametrize("fold", [True, False], ids=["run file", "journal"])
def test_a_run_under_another_name_is_not_shown_as_another_run(runs_dir: Path, fold: bool) -> None:
    made = write_run(runs_dir, BAD, fold=fold)
    suffix = "json" if fold else "journal"
    (runs_dir / f"copy of it.{suffix}").write_bytes((runs_dir / f"{BAD}.{suffix}").read_bytes())
    log = open_log(runs_dir)
    assert seen(log)[:3] == made
    assert len(seen(log)) == 6
    (problem,) = summary(log, "copy of it").problems
    assert problem.what == f"holds run {BAD}"


def test_a_process_that_died_at_birth_leaves_nothing_to_tell(runs_dir: Path) -> None:
    journal = runs_dir / f"{BAD}.journal"
    journal.write_bytes(b"")
    log = open_log(runs_dir)
    assert [run.id for run in log.runs()] == [GOOD]
    assert finalize_abandoned(runs_dir) == []


def test_a_folder_in_a_run_file_s_place_does_not_stop_the_others(runs_dir: Path) -> None:
    (runs_dir / f"{BAD}.json").mkdir()
    log = open_log(runs_dir)
    assert len(seen(log)) == 3
    assert "cannot be read: is a directory" in str(summary(log, BAD).problems[0])


def test_a_run_folder_that_is_a_file_is_one_clear_line(tmp_path: Path) -> None:
    path = tmp_path / "runs"
    path.write_text("")
    with pytest.raises(FileError, match=r"runs: cannot be read: not a directory"):
        open_log(path).runs()
    with pytest.raises(FileError, match=r"cannot be written: file exists"):
        begin_run(path, RunInfo(id=GOOD, started_at="2024-05-01T12:00:00Z"))


@pytest.mark.parametrize("table", ["deliveries", "judgements"])
def test_a_record_whose_name_stands_twice_is_named_as_damage(runs_dir: Path, table: str) -> None:
    write_run(runs_dir, BAD, fold=True)
    path = runs_dir / f"{BAD}.json"
    before, start, after = path.read_bytes().partition(b'"%b": {\n' % table.encode())
    lines = after.split(b"\n")
    # The first record again after the last, under the name of the first.
    lines[2] = lines[2].replace(b"}},", b"},\n" + lines[0].rstrip(b",").replace(b"Z", b"Y") + b"},")
    path.write_bytes(before + start + b"\n".join(lines))

    log = open_log(runs_dir)

    assert "damaged" in str(summary(log, BAD).problems[0])
    assert len(seen(log)) == 3


@pytest.mark.parametrize("suffix", ["json", "journal"])
def test_a_file_whose_name_is_not_utf_8_is_named_and_does_not_stop_the_others(
    runs_dir: Path, suffix: str
) -> None:
    made = write_run(runs_dir, BAD, fold=suffix == "json")
    (runs_dir / f"{BAD}.{suffix}").rename(runs_dir / os.fsdecode(b"caf\xe9." + suffix.encode()))
    log = open_log(runs_dir)
    for _ in range(2):
        assert [id for id in seen(log) if id in made] == []
        assert [run.deliveries for run in log.runs() if run.id == GOOD] == [3]
        assert [str(each) for each in summary(log, "caf\\udce9").problems] == [
            f"{runs_dir}/caf\\udce9.{suffix}: cannot be shown: its name is not UTF-8 (rename it)"
        ]
