"""Reporters listen to a run, and write their report when it has ended.

console   what a terminal or a job's log shows
progress  how far the run is
github    annotations and the summary of GitHub Actions
FILES     those that write a file, each where its option asks for it

A new report of a file is a module here that holds it as `Report`, and a line of FILES: its option, the
option's help and the check of its file follow. A module is imported when its report is asked for.
"""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from retailops_sandbox.reporting.reporters.reporter import Reporter


class FileReport(msgspec.Struct, frozen=True):
    """A report that is written to a file."""

    option: str
    help: str
    module: str

    @property
    def parameter(self) -> str:
        """The option as the name of a parameter."""
        return self.option.removeprefix("--").replace("-", "_")

    def reporter(self, file: Path) -> Reporter:
        """The reporter that writes this file."""
        made: Reporter = import_module(f"{__name__}.{self.module}").Report(file)
        return made


RUN_FILE = FileReport("--report-json", "Write the run file.", "run_file")
FILES = (
    FileReport("--junit-xml", "Write JUnit XML.", "junit"),
    RUN_FILE,
    FileReport("--report-html", "Write a page that opens offline.", "html"),
)
"""In the order of `--help`."""
