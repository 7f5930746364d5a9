"""Reports of probes, as a workspace keeps them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from itertools import groupby
from pathlib import Path
from typing import TypeVar

import msgspec

from retailops_sandbox import diagnostics
from retailops_sandbox.errors import FileError, UsageError, unreadable
from retailops_sandbox.probe.report import ProbeReport
from retailops_sandbox.workspace.files import checked, read_text
from retailops_sandbox.workspace.workspace import Workspace

KEPT_REPORTS = 100
"""The number of newest reports that a workspace keeps."""
_ID = re.compile(r"[0-9]{8}T[0-9]{6}Z-[0-9a-f]+")
"""The id of a run, which is the name of its report and sorts by time."""

_Decoded = TypeVar("_Decoded")

_logger = diagnostics.logger(__name__)


class ReportHeading(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of a kept report without reading its findings."""

    run: str
    receiver: str
    url: str
    stand_in: bool = False
    action: str
    edition: str
    started_at: str
    stopped: str = ""
    baseline: str = ""

    def is_like(self, report: ProbeReport) -> bool:
        """Whether it is of the same receiver, action and edition.

        A stand-in has another port whenever it starts.
        """
        is_same = (self.action, self.edition) == (report.action, report.edition)
        if self.stand_in or report.stand_in:
            return is_same and self.stand_in == report.stand_in
        return is_same and self.url == report.url


class KeptReports:
    """The reports in `.sandbox/probes` of a workspace, one file for each run."""

    def __init__(self, workspace: Workspace, notice: Callable[[str], None] = _logger.warning) -> None:
        """`notice` takes a line for users about a file that cannot be read and is passed over."""
        self._workspace = workspace
        self._folder = workspace.root / ".sandbox" / "probes"
        self._notice = notice

    def save(self, report: ProbeReport) -> Path:
        """Keep a report, and delete the oldest ones beyond `KEPT_REPORTS`; FileError if it cannot be kept."""
        path = self._folder / f"{report.run}.json"
        self._workspace.write(path, spelled(report))
        for old in self._files()[KEPT_REPORTS:]:
            self._workspace.delete(old)
        return path

    def load(self, run: str) -> ProbeReport:
        """The report of a run; UsageError where there is none, FileError where it is damaged."""
        path = self._folder / f"{run}.json"
        if not _ID.fullmatch(run) or not checked(Path.exists, path):
            raise UsageError(
                f"there is no report of a probe {run!r}", mend=f"the newest {KEPT_REPORTS} are kept"
            )
        self._workspace.check_inside(path)
        return read_report(path)

    def headings(self) -> Iterator[ReportHeading]:
        """What is kept, the newest first, each read when it is taken. A damaged file is passed over."""
        for path in self._files():
            try:
                self._workspace.check_inside(path)
                yield _decoded(path, ReportHeading)
            except FileError as error:
                self._notice(str(error))

    def before(self, report: ProbeReport) -> ProbeReport | None:
        """The newest report of an earlier probe of the same receiver, action and edition.

        One without an accepted baseline is passed over: it compares with nothing.
        """
        # Ids tell the second; those of one second are not in the order of time.
        for _, of_second in groupby(self.headings(), key=lambda heading: heading.run.partition("-")[0]):
            like = [each for each in of_second if _is_before(each, report)]
            for heading in sorted(like, key=lambda heading: heading.started_at, reverse=True):
                try:
                    return self.load(heading.run)
                except FileError as error:
                    self._notice(str(error))
        return None

    def _files(self) -> list[Path]:
        """The files of reports, the newest first."""
        if not checked(Path.is_dir, self._folder):
            return []
        self._workspace.check_inside(self._folder)
        try:
            files = [path for path in self._folder.iterdir() if path.suffix == ".json"]
        except OSError as error:
            raise unreadable(self._folder, error) from error
        known = [path for path in files if _ID.fullmatch(path.stem)]
        return sorted(known, key=lambda path: path.name, reverse=True)


def _is_before(heading: ReportHeading, report: ProbeReport) -> bool:
    """Whether a report is of an earlier probe that another one can be compared with."""
    is_earlier = heading.run != report.run and heading.started_at < report.started_at
    return is_earlier and heading.is_like(report) and not heading.baseline


def spelled(report: ProbeReport) -> str:
    """The text of a report's file."""
    return msgspec.json.format(msgspec.json.encode(report), indent=1).decode() + "\n"


def read_report(path: Path) -> ProbeReport:
    """The report in a file at any path; FileError where it is none, or damaged."""
    return _decoded(path, ProbeReport)


def _decoded(path: Path, type: type[_Decoded]) -> _Decoded:
    try:
        return msgspec.json.decode(read_text(path), type=type)
    except msgspec.MsgspecError as error:
        raise FileError(
            f"is no report of a probe, or damaged: {error}",
            file=str(path),
            mend="write one with probe --report-json",
        ) from error
