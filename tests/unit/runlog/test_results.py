"""The results of a run whose files somebody deletes."""

from __future__ import annotations

from pathlib import Path

from retailops_sandbox.model import RunInfo
from tests.support.logged import open_log
from tests.support.records import LATER, begin_run, make_result, open_run


def test_a_run_that_is_deleted_while_it_goes_on_takes_its_results_with_it(tmp_path: Path) -> None:
    log = open_log(tmp_path)

    def latest() -> dict[str, str]:
        return {id: found.result.verdict for id, found in log.latest_results().items()}

    with open_run(tmp_path) as run:
        run.append(make_result("a", "passed"))
    run = begin_run(tmp_path, RunInfo(id=LATER, started_at="2024-05-01T13:00:00Z"))
    run.append(make_result("a", "failed"))
    run.append(make_result("b", "failed"))
    assert latest() == {"a": "failed", "b": "failed"}
    (tmp_path / f"{LATER}.journal").unlink()
    assert latest() == {"a": "passed"}
    run.finish("2024-05-01T11:30:00.000Z")
    assert latest() == {"a": "failed", "b": "failed"}
    (tmp_path / f"{LATER}.json").unlink()
    assert latest() == {"a": "passed"}
    assert list(log.results_of("b")) == []
