"""Which runs go, and that nothing else does: by made-up runs, and with real files."""

from __future__ import annotations

import errno
import os
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from retailops_sandbox.errors import FileError
from retailops_sandbox.model import RunInfo
from retailops_sandbox.runlog.files import pins, pruning
from retailops_sandbox.runlog.retention import Retention, choose
from retailops_sandbox.runlog.runs import RunState, RunSummary
from tests.support.logged import open_log
from tests.support.privileges import unprivileged
from tests.support.records import begin_run, judge, make_delivery

NOW = "2024-05-31T12:00:00.000Z"
OLD, YOUNG = "20240501T120000Z-aaaaaa", "20240530T120000Z-bbbbbb"


def summary(
    id: str,
    ended: str = "2024-05-01T00:00:00Z",
    *,
    state: RunState = "finished",
    deliveries: int = 1,
    is_pinned: bool = False,
    is_damaged: bool = False,
    judges: frozenset[str] = frozenset(),
    kind: str = "run",
) -> RunSummary:
    return RunSummary(
        id=id,
        info=RunInfo(id=id, kind=kind, started_at="2024-04-01T00:00:00Z", finished_at=ended),
        state=state,
        deliveries=deliveries,
        verdicts=Counter(),
        outcomes=Counter(),
        problems=(FileError("damaged"),) if is_damaged else (),
        is_pinned=is_pinned,
        judges=judges,
    )


@st.composite
def logs(draw: st.DrawFn) -> list[RunSummary]:
    """Runs, the newest first."""
    ids = [f"run-{number}" for number in range(draw(st.integers(0, 8)))]
    return [
        summary(
            id,
            f"2024-05-{draw(st.integers(1, 31)):02}T00:00:00Z",
            state=draw(st.sampled_from(["running", "finished", "stopped", "interrupted"])),
            deliveries=draw(st.integers(0, 2)),
            is_pinned=draw(st.booleans()),
            is_damaged=draw(st.booleans()),
            judges=frozenset(draw(st.sets(st.sampled_from([*ids, "gone"]), max_size=2))) - {id},
            kind=draw(st.sampled_from(["run", "serve"])),
        )
        for id in ids
    ]


LIMITS = st.one_of(st.none(), st.integers(0, 9))


@given(logs(), LIMITS, LIMITS)
def test_what_must_stay_stays_and_each_run_is_told_once(
    runs: list[RunSummary], most: int | None, days: int | None
):
    going, kept = choose(runs, Retention(most, days), NOW)
    told = [run.id for run in going] + [each.run.id for each in kept]
    assert len(told) == len(set(told))
    assert all(each.reason for each in kept)
    for run in going:
        assert not run.is_pinned
        assert not run.problems
        assert run.state != "running"
    staying = {run.id for run in runs} - {run.id for run in going}
    assert not any(run.judges & staying for run in going)


@given(logs(), st.integers(0, 9))
def test_the_newest_stay_and_the_others_are_told(runs: list[RunSummary], most: int):
    going, kept = choose(runs, Retention(runs=most), NOW)
    told = {run.id for run in going} | {each.run.id for each in kept}
    counted = [run.id for run in runs if not run.is_idle]
    assert told.isdisjoint(counted[:most])
    assert told.issuperset(counted[most:])


@given(logs(), st.integers(0, 40))
def test_age_is_counted_from_the_end(runs: list[RunSummary], days: int):
    going, kept = choose(runs, Retention(days=days), NOW)
    told = {run.id for run in going} | {each.run.id for each in kept}
    for run in runs:
        assert run.info is not None
        day = int(run.info.finished_at[8:10])
        assert (run.id in told) == (31 - day > days or (31 - day == days and days < 31)), day


def test_of_two_limits_either_is_enough_and_none_keeps_all():
    runs = [summary("c", "2024-05-31T00:00:00Z"), summary("b", "2024-05-30T00:00:00Z"), summary("a")]
    assert choose(runs, Retention(), NOW) == ([], [])
    assert not Retention().is_any
    assert [run.id for run in choose(runs, Retention(1, 10), NOW)[0]] == ["b", "a"]
    assert [run.id for run in choose(runs, Retention(9, 10), NOW)[0]] == ["a"]


def test_a_run_without_an_end_is_as_old_as_its_start():
    assert [run.id for run in choose([summary("a", "")], Retention(days=40), NOW)[0]] == ["a"]
    assert choose([summary("a", "")], Retention(days=70), NOW) == ([], [])


def test_a_judgement_stays_as_long_as_its_delivery():
    runs = [
        summary("third", judges=frozenset({"second"})),
        summary("second", judges=frozenset({"first"})),
        summary("first", is_pinned=True),
    ]
    going, kept = choose(runs, Retention(runs=0), NOW)
    assert going == []
    assert {each.run.id: each.reason for each in kept} == {
        "first": "it is pinned",
        "second": "it judged deliveries of first again, which stays",
        "third": "it judged deliveries of second again, which stays",
    }


# --- with files ---


def write(runs_dir: Path, id: str) -> None:
    """A run that has ended, with a delivery."""
    with begin_run(runs_dir, RunInfo(id=id, started_at="2024-05-01T12:00:00Z")) as run:
        delivery = make_delivery(run)
        run.append(delivery)
        run.append(judge(delivery))
        run.finish("2024-05-01T12:01:00Z")


def names(runs_dir: Path) -> list[str]:
    return sorted(path.name for path in runs_dir.iterdir())


def test_a_run_file_goes_with_its_size_and_a_dry_run_only_tells_it(tmp_path: Path):
    write(tmp_path, OLD)
    write(tmp_path, YOUNG)
    size = (tmp_path / f"{OLD}.json").stat().st_size
    would = open_log(tmp_path).prune(Retention(runs=1), NOW, dry_run=True)
    assert names(tmp_path) == [f"{OLD}.json", f"{YOUNG}.json"]
    done = open_log(tmp_path).prune(Retention(runs=1), NOW)
    assert (would.size, done.size) == (size, size)
    assert names(tmp_path) == [f"{YOUNG}.json"]


def test_files_of_a_run_that_goes_on_stay_and_those_of_a_dead_process_go(tmp_path: Path):
    running = begin_run(tmp_path, RunInfo(id=YOUNG, started_at="2024-05-01T12:00:00Z"))
    running.append(make_delivery(running))
    begin_run(tmp_path, RunInfo(id=OLD, started_at="2024-05-01T12:00:00Z")).close()
    assert len(names(tmp_path)) == 4
    assert len(open_log(tmp_path).prune(Retention(runs=0), NOW).removed) == 1
    assert names(tmp_path) == [f"{YOUNG}.journal", f"{YOUNG}.json"]
    running.finish()


def test_what_is_damaged_or_pinned_stays_byte_for_byte(tmp_path: Path):
    write(tmp_path, OLD)
    write(tmp_path, YOUNG)
    damaged = tmp_path / f"{OLD}.json"
    damaged.write_bytes(damaged.read_bytes()[:200])
    pins.pin(tmp_path, YOUNG)
    before = {path.name: path.read_bytes() for path in tmp_path.glob("*.json")}
    assert len(open_log(tmp_path).prune(Retention(runs=0, days=0), NOW).kept) == 2
    assert {path.name: path.read_bytes() for path in tmp_path.glob("*.json")} == before


@pytest.mark.parametrize("is_pinned", [True, False])
def test_who_died_while_deleting_a_run_leaves_nothing_wrong(tmp_path: Path, is_pinned: bool):
    write(tmp_path, OLD)
    assert open_log(tmp_path).run(OLD) is not None
    (tmp_path / f"{OLD}.json").rename(tmp_path / f"{OLD}.going")
    if is_pinned:
        (tmp_path / f"{OLD}.pinned").touch()
    assert open_log(tmp_path).run(OLD) is None
    pruning.sweep(tmp_path, 0)
    assert (open_log(tmp_path).run(OLD) is not None) == is_pinned
    assert (names(tmp_path) == []) == (not is_pinned)


def test_who_pins_a_run_that_is_being_deleted_keeps_it_or_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    write(tmp_path, OLD)
    finish = pruning._finish
    told: list[FileError] = []

    def pinned_between(going: Path) -> bool:
        try:
            pins.pin(tmp_path, OLD)
        except FileError as error:
            told.append(error)
        return finish(going)

    monkeypatch.setattr(pruning, "_finish", pinned_between)
    done = open_log(tmp_path).prune(Retention(runs=0), NOW)
    assert [str(error).endswith("somebody has just deleted it") for error in told] == [True]
    assert len(done.removed) == 1
    assert names(tmp_path) == []


def test_a_pin_that_comes_before_the_look_for_it_wins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    write(tmp_path, OLD)
    replace = os.replace

    def pinned_before(source: Path, target: Path) -> None:
        if target.suffix == ".going":
            pins.pin(tmp_path, OLD)
        replace(source, target)

    with monkeypatch.context() as patched:
        patched.setattr(os, "replace", pinned_before)
        done = open_log(tmp_path).prune(Retention(runs=0), NOW)
    assert done.removed == []
    assert [each.reason for each in done.kept] == ["it was pinned just now"]
    run = open_log(tmp_path).run(OLD)
    assert run is not None
    assert run.is_pinned


def test_what_cannot_be_deleted_is_said_and_the_others_go(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    write(tmp_path, OLD)
    write(tmp_path, YOUNG)
    replace = os.replace

    def kept_by_somebody(source: Path, target: Path) -> None:
        if target.name == f"{OLD}.going":
            raise PermissionError(errno.EACCES, "Permission denied")
        replace(source, target)

    with monkeypatch.context() as patched:
        patched.setattr(os, "replace", kept_by_somebody)
        done = open_log(tmp_path).prune(Retention(runs=0), NOW)
    assert [each.run.id for each in done.removed] == [YOUNG]
    assert [problem.what for problem in done.problems] == ["cannot be deleted: permission denied"]


def test_a_folder_that_cannot_be_read_or_written_is_one_clear_line(tmp_path: Path):
    runs_dir = tmp_path / "runs"
    runs_dir.mkdir()
    write(runs_dir, OLD)
    runs_dir.chmod(0)
    try:
        with unprivileged():
            with pytest.raises(FileError, match="cannot be written"):
                pins.pin(runs_dir, OLD)
            with pytest.raises(FileError, match="cannot be read"):
                open_log(runs_dir).prune(Retention(runs=1), NOW)
            with pytest.raises(FileError, match="cannot be read"):
                pruning.sweep(runs_dir, 0)
    finally:
        runs_dir.chmod(0o755)


def test_where_there_is_no_folder_nothing_goes(tmp_path: Path):
    assert open_log(tmp_path / "absent").prune(Retention(runs=0), NOW).removed == []
    assert pruning.sweep(tmp_path / "absent", 0) == 0


def test_sweeping_takes_what_is_left_over_and_nothing_else(tmp_path: Path):
    write(tmp_path, OLD)
    assert open_log(tmp_path).reindex().made == 1
    # An earlier version kept summaries beside the run files.
    for name in (f"{OLD}.json.new", f"{OLD}.json.77.new", f"{OLD}.summary", f"{YOUNG}.json.1.new"):
        (tmp_path / name).write_text("left over")
    now = (tmp_path / f"{OLD}.json.new").stat().st_mtime
    for name in (f"{OLD}.json.new", f"{OLD}.json.77.new"):
        os.utime(tmp_path / name, (now - 3601, now - 3601))
    assert pruning.sweep(tmp_path, now) == 3
    assert names(tmp_path) == [f"{OLD}.json", f"{YOUNG}.json.1.new"]


def test_reindexing_names_the_file_that_it_could_not_read(tmp_path: Path):
    write(tmp_path, OLD)
    (tmp_path / f"{OLD}.json").write_text("{")
    done = open_log(tmp_path).reindex()
    assert [problem.file for problem in done.problems] == [str(tmp_path / f"{OLD}.json")]
