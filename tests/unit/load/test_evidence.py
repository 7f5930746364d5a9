"""load/evidence.py and load/totals.py: what a worker tells its master, and what goes into the log."""

from __future__ import annotations

from pathlib import Path

import msgspec

from retailops_sandbox import jsontext
from retailops_sandbox.load.evidence import Evidence, FailedDelivery
from retailops_sandbox.load.totals import Totals
from retailops_sandbox.model import Difference, Judgement, RunInfo
from retailops_sandbox.runlog.files.writer import FileRunWriter
from retailops_sandbox.session.ports import SystemClock
from tests.support.logged import newest_deliveries, open_log
from tests.support.records import some_delivery

RUN = RunInfo(id="20261129T120000Z-abcdef", kind="load", started_at="2026-11-29T12:00:00Z")


def failed(number: int = 1) -> FailedDelivery:
    """A delivery as a worker numbers it; its difference has a number whose spelling counts."""
    spelled = Difference(kind="changed", expected_pointer="/sum", expected=jsontext.parse("35.00"), actual=3)
    delivery = some_delivery(id=f"load0.{number}", run="load0", scenario="a.scenario.json", step="cancel")
    judgement = Judgement(
        delivery=delivery.id, verdict="failed", at="2026-11-29T12:00:01Z", differences=(spelled,)
    )
    return FailedDelivery(delivery, judgement, "a.scenario.json / cancel: failed")


def test_a_failed_delivery_comes_to_the_master_as_it_was():
    told = FailedDelivery.from_message(failed().to_message())
    assert told == failed()
    assert str(told.judgement.differences[0].expected) == "35.00"


def test_the_log_keeps_it_under_an_id_of_its_own_run(tmp_path: Path):
    evidence = Evidence(FileRunWriter(tmp_path, RUN), SystemClock())
    evidence.begin()
    # Each worker begins to count at one.
    for _ in range(2):
        evidence.keep(failed())
    evidence.finish(stopped=False)
    log = open_log(tmp_path)
    kept = newest_deliveries(log, 5)
    assert [each.delivery.id for each in kept] == [f"{RUN.id}.000002", f"{RUN.id}.000001"]
    assert {each.delivery.run for each in kept} == {RUN.id}
    assert all(each.judgement is not None and each.judgement.verdict == "failed" for each in kept)
    (run,) = log.runs()
    assert (run.state, run.verdicts["failed"]) == ("finished", 2)


def test_a_log_that_cannot_be_written_is_told_once_and_ends_nothing(tmp_path: Path):
    (tmp_path / "runs").write_text("a file where a folder should be")
    evidence = Evidence(FileRunWriter(tmp_path / "runs", RUN), SystemClock())
    for _ in range(2):
        evidence.keep(failed())
    evidence.finish(stopped=True)
    assert "runs" in str(evidence.unwritten)


def test_totals_of_workers_add_up():
    totals, told = Totals(), Totals(verdicts={"passed": 3, "failed": 1}, sent=5, faults=1, uncomposed=1)
    for _ in range(2):
        totals.add(Totals.from_message(msgspec.json.decode(msgspec.json.encode(told.to_message()))))
    assert totals == Totals(verdicts={"passed": 6, "failed": 2}, sent=10, faults=2, uncomposed=2)
