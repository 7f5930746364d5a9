"""Reports of probes in a workspace."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from retailops_sandbox.errors import FileError, UsageError
from retailops_sandbox.probe import keeping
from retailops_sandbox.probe.keeping import KeptReports
from retailops_sandbox.probe.report import ProbeReport
from retailops_sandbox.workspace.workspace import Workspace

FIRST = ProbeReport(
    run="20261129T040000Z-000001",
    receiver="mine",
    url="http://127.0.0.1:5000/order_cancel_v1",
    action="order_cancel",
    edition="v1",
    started_at="2026-11-29T04:00:00Z",
    notes=("a note",),
)


def report(minute: int, **others: object) -> ProbeReport:
    started_at = f"2026-11-29T04:{minute:02}:00Z"
    run = f"20261129T04{minute:02}00Z-000001"
    return msgspec.structs.replace(FIRST, run=run, started_at=started_at, **others)


def kept(tmp_path: Path, *reports: ProbeReport) -> tuple[KeptReports, list[str]]:
    notices: list[str] = []
    reports_of = KeptReports(Workspace(tmp_path), notices.append)
    for each in reports:
        reports_of.save(each)
    return reports_of, notices


def test_a_saved_report_is_read_again_as_it_was(tmp_path: Path) -> None:
    reports, _ = kept(tmp_path, FIRST)
    assert reports.load(FIRST.run) == FIRST


def test_a_probe_is_compared_with_the_newest_before_it_of_the_same_receiver_action_and_edition(
    tmp_path: Path,
) -> None:
    same = report(5)
    others = [
        report(6, url="http://127.0.0.1:5001/order_cancel_v1"),
        report(7, action="order_update"),
        report(8, edition="draft"),
        report(9, stand_in=True),
        report(10, baseline="nothing was accepted"),
        report(12),
    ]
    reports, _ = kept(tmp_path, FIRST, same, *others)
    assert reports.before(report(11)) == same
    assert reports.before(FIRST) is None


def test_of_two_in_one_second_the_later_one_is_the_newest(tmp_path: Path) -> None:
    second = "20261129T040000Z"
    earlier = msgspec.structs.replace(FIRST, run=f"{second}-00000f", started_at="2026-11-29T04:00:00.1Z")
    later = msgspec.structs.replace(FIRST, run=f"{second}-000002", started_at="2026-11-29T04:00:00.2Z")
    last = msgspec.structs.replace(FIRST, run=f"{second}-000005", started_at="2026-11-29T04:00:00.3Z")
    reports, _ = kept(tmp_path, earlier, later)
    assert reports.before(last) == later


def test_a_stand_in_is_the_same_receiver_on_any_port(tmp_path: Path) -> None:
    before = report(1, stand_in=True)
    reports, _ = kept(tmp_path, before)
    assert reports.before(report(2, stand_in=True, url="http://127.0.0.1:9/order_cancel_v1")) == before


def test_a_damaged_report_is_named_and_passed_over(tmp_path: Path) -> None:
    reports, notices = kept(tmp_path, FIRST, report(1))
    (tmp_path / ".sandbox/probes" / f"{report(1).run}.json").write_text('{"run": 5')
    assert [each.run for each in reports.headings()] == [FIRST.run]
    assert reports.before(report(2)) == FIRST
    assert f"{report(1).run}.json: is no report of a probe, or damaged" in notices[0]


def test_the_oldest_reports_are_deleted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keeping, "KEPT_REPORTS", 2)
    reports, _ = kept(tmp_path, FIRST, report(1), report(2))
    assert [each.run for each in reports.headings()] == [report(2).run, report(1).run]


@pytest.mark.parametrize("run", ["20261129T050000Z-000001", "../receivers", ""])
def test_a_report_that_is_not_kept_is_an_error(tmp_path: Path, run: str) -> None:
    reports, _ = kept(tmp_path, FIRST)
    with pytest.raises(UsageError, match="there is no report of a probe"):
        reports.load(run)


def test_a_link_out_of_the_workspace_is_not_followed(tmp_path: Path) -> None:
    reports, notices = kept(tmp_path, FIRST)
    outside = tmp_path.with_name(f"{tmp_path.name}-outside.json")
    outside.write_text(keeping.spelled(report(3)))
    (tmp_path / ".sandbox/probes" / f"{report(3).run}.json").symlink_to(outside)
    assert [each.run for each in reports.headings()] == [FIRST.run]
    assert "link" in notices[0]


def test_any_file_can_be_read_as_a_report(tmp_path: Path) -> None:
    path = tmp_path / "before.json"
    path.write_text(keeping.spelled(FIRST))
    assert keeping.read_report(path) == FIRST
    path.write_text("[]")
    with pytest.raises(FileError, match="is no report of a probe"):
        keeping.read_report(path)
