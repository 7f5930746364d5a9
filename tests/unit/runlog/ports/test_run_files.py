"""A run leaves the log as one file, from which everything in it can be read back."""

from __future__ import annotations

import io
from functools import partial
from pathlib import Path

import msgspec
import pytest

from retailops_sandbox.errors import FileError
from retailops_sandbox.model import RunInfo
from retailops_sandbox.runlog.opening import read_run_file
from retailops_sandbox.runlog.runs import RunSummary
from tests.support.backends import Backend, begun, writing
from tests.support.records import LATER, RUN, judge, make_delivery, make_result


def test_a_run_so_far_and_a_run_that_has_ended_are_read_back(backend: Backend, tmp_path: Path) -> None:
    run, log = begun(backend), backend.open_log()
    path = tmp_path / "exported"
    path.write_text("what was there before")
    deliveries = [make_delivery(run, f"2024-05-01T12:00:0{second}.000Z") for second in range(3)]
    for delivery in deliveries:
        run.append(delivery)

    def check(target: Path) -> None:
        assert read_run_file(target) == log.deliveries(RUN)
        assert log.export(RUN, target)
        assert read_run_file(target) == log.deliveries(RUN)

    run.export(path)
    check(path)
    for delivery in deliveries[:2]:
        run.append(judge(delivery, "failed"))
    run.append(make_result())
    run.export(path)
    check(path)
    run.finish("2024-05-01T12:01:00Z")
    run.export(path)
    check(path)
    assert [len(entry.judgements) for entry in read_run_file(path)] == [1, 1, 0]
    assert [each.name for each in tmp_path.iterdir()] == ["exported"]


def test_a_copy_is_what_is_exported(backend: Backend, tmp_path: Path) -> None:
    run, log = begun(backend), backend.open_log()
    path = tmp_path / "exported"
    run.append(make_delivery(run))
    for _ in range(2):
        log.export(RUN, path)
        with io.BytesIO() as by_writer, io.BytesIO() as by_reader:
            run.copy(by_writer)
            assert log.copy(RUN, by_reader)
            assert by_writer.getvalue() == by_reader.getvalue() == path.read_bytes()
        run.finish("2024-05-01T12:01:00Z")


def test_another_log_says_of_an_exported_run_what_its_own_says(
    backend: Backend, elsewhere: Backend, tmp_path: Path
) -> None:
    log, other = backend.open_log(), elsewhere.open_log()
    with writing(backend) as run:
        delivery = make_delivery(run)
        for record in (delivery, judge(delivery, "failed"), make_result(), make_result("b", "failed")):
            run.append(record)
    for ending in ("exported", "exported again"):
        assert log.export(RUN, tmp_path / ending)
        assert other.open(tmp_path / ending, "nightly") == RUN
        assert other.deliveries(RUN) == log.deliveries(RUN)
        assert other.results(RUN) == log.results(RUN)
        mine, theirs = log.run(RUN), other.run(RUN)
        assert mine is not None
        assert theirs is not None
        assert (theirs.verdicts, theirs.outcomes) == (mine.verdicts, mine.outcomes)
        # One of them may know more of its file than what is said of a run.
        assert facts(theirs) == facts(mine)


def facts(run: RunSummary) -> RunInfo:
    return msgspec.convert(run.info, RunInfo, from_attributes=True)


def test_what_another_run_judged_is_not_in_the_file(backend: Backend, tmp_path: Path) -> None:
    log = backend.open_log()
    with writing(backend) as run, writing(backend, LATER) as later:
        delivery = make_delivery(run)
        run.append(delivery)
        later.append(judge(delivery))
    assert log.export(RUN, tmp_path / "exported")
    (entry,) = read_run_file(tmp_path / "exported")
    assert (entry.delivery, entry.judgements) == (delivery, ())


def test_of_a_run_that_is_not_there_nothing_is_written(backend: Backend, tmp_path: Path) -> None:
    log = backend.open_log()
    target = io.BytesIO()
    assert not log.copy(RUN, target)
    assert target.getvalue() == b""
    assert not log.export(RUN, tmp_path / "exported")
    assert list(tmp_path.iterdir()) == []


def test_an_export_that_cannot_be_written_leaves_nothing(backend: Backend, tmp_path: Path) -> None:
    with writing(backend) as run:
        pass
    log = backend.open_log()
    (tmp_path / "taken").mkdir()
    for export in (run.export, partial(log.export, RUN)):
        with pytest.raises(FileError, match="cannot be written: no such file or directory"):
            export(tmp_path / "absent" / "report")
        with pytest.raises(FileError, match="taken: cannot be written: is a directory"):
            export(tmp_path / "taken")
    assert [path.name for path in tmp_path.iterdir()] == ["taken"]
