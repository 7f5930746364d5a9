"""Runs that are opened from elsewhere are found by their ids alone."""

from __future__ import annotations

from pathlib import Path

import pytest

from retailops_sandbox.errors import FileError
from retailops_sandbox.model import Judgement
from retailops_sandbox.runlog.opening import read_run_file
from retailops_sandbox.runlog.ports import RunWriter
from retailops_sandbox.runlog.query import Query
from retailops_sandbox.runlog.retention import Retention
from tests.support.backends import Backend, begun, writing
from tests.support.logged import newest_deliveries
from tests.support.records import LATER, RUN, judge, make_delivery, make_result

NAME = "nightly"
DELIVERY = f"{RUN}.000001"


@pytest.fixture
def path(elsewhere: Backend, tmp_path: Path) -> Path:
    """A run of one failed delivery, as another log exported it."""
    with writing(elsewhere, RUN) as run:
        delivery = make_delivery(run)
        assert delivery.id == DELIVERY
        run.append(delivery)
        run.append(judge(delivery, "failed"))
        run.append(make_result(verdict="failed"))
        run.export(tmp_path / "exported")
    return tmp_path / "exported"


def own_run(backend: Backend) -> RunWriter:
    run = begun(backend, LATER)
    run.append(make_delivery(run))
    return run


def test_it_is_found_by_its_ids_and_nothing_else_tells_of_it(backend: Backend, path: Path) -> None:
    own_run(backend).finish()
    log = backend.open_log()
    assert log.open(path, NAME) == RUN
    found = log.run(RUN)
    assert found is not None
    assert (found.opened_from, found.deliveries, found.outcomes) == (NAME, 1, {"failed": 1})
    entry = log.delivery(DELIVERY)
    assert entry is not None
    assert [each.verdict for each in entry.judgements] == ["failed"]
    assert log.deliveries(RUN) == [entry]
    assert [each.name for each in log.results(RUN)] == ["A"]
    assert [row.id for row in log.rows(Query(run=RUN))] == [DELIVERY]
    assert (log.opened_from(RUN), log.opened_from(DELIVERY), log.opened_from(LATER)) == (NAME, NAME, "")
    assert [each.id for each in log.opened()] == [RUN]
    copy = path.with_name("copy")
    assert log.export(RUN, copy)
    assert read_run_file(copy) == [entry]
    # All that is about the workspace is about its own.
    assert [each.id for each in log.runs()] == [LATER]
    assert [row.run for row in log.rows()] == [LATER]
    assert [row.run for row in log.rows(Query(verdict="failed"))] == []
    assert [each.delivery.run for each in newest_deliveries(log, 9)] == [LATER]
    pruned = backend.open_log().prune(Retention(runs=0), "2030-01-01T00:00:00Z")
    assert [each.run.id for each in pruned.removed] == [LATER]
    assert backend.open_log().run(RUN) is None


def test_a_run_of_the_workspace_comes_first_whenever_it_comes(backend: Backend, path: Path) -> None:
    log = backend.open_log()
    log.open(path, NAME)
    with writing(backend, RUN) as run:
        assert log.opened_from(DELIVERY) == NAME
        run.append(make_delivery(run))
        run.append(make_delivery(run))
        found = log.run(RUN)
        assert found is not None
        assert (found.opened_from, found.deliveries, found.state) == ("", 2, "running")
        assert log.opened() == []
        assert log.open(path, NAME) == RUN
        assert log.opened_from(DELIVERY) == ""
        assert len(list(log.rows(Query(run=RUN)))) == 2


def test_what_the_workspace_judged_is_not_held_against_it(backend: Backend, path: Path) -> None:
    log = backend.open_log()
    log.open(path, NAME)
    run = own_run(backend)
    run.append(Judgement(delivery=DELIVERY, verdict="passed", at="2030-05-01T12:00:02.000Z"))
    entry = log.delivery(DELIVERY)
    assert entry is not None
    assert [each.verdict for each in entry.judgements] == ["failed"]
    assert [row.verdict for row in log.rows(Query(run=RUN))] == ["failed"]


def test_a_file_that_changes_is_not_shown_unseen(backend: Backend, path: Path) -> None:
    log = backend.open_log()
    log.open(path, NAME)
    path.write_text(path.read_text().replace("2024-05-01T12:00:01.000Z", "some time or other"))
    assert log.run(RUN) is None
    assert log.delivery(DELIVERY) is None
    with pytest.raises(FileError, match="is no time in UTC"):
        log.open(path, NAME)
    path.unlink()
    with pytest.raises(FileError, match="cannot be read: no such file"):
        log.open(path, NAME)
