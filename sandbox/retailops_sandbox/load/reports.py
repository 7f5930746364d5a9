"""Locust's statistics of a load test: printed, as CSV, as a page and as JSON."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import gevent
from locust import stats
from locust.env import Environment
from locust.html import get_html_report

from retailops_sandbox.errors import FileError, SandboxError, unwritable
from retailops_sandbox.load.found import Found
from retailops_sandbox.load.setup import LoadSetup
from retailops_sandbox.reporting.reporters import files
from retailops_sandbox.session.streams import write_out

# The terminal's width would leave no room for names.
stats.STATS_AUTORESIZE = False
_WIDEST = 80
"""The most characters of a name in a printed table."""


class Reports:
    """The reports of one load test."""

    def __init__(self, environment: Environment, setup: LoadSetup) -> None:
        self._environment = environment
        self._setup = setup
        self._greenlets: list[gevent.Greenlet] = []
        self._csv: stats.StatsCSVFileWriter | None = None

    def begin(self) -> None:
        """Keep the history of the statistics, and begin the CSV files; FileError where that fails."""
        self._greenlets.append(gevent.spawn(stats.stats_history, self._environment.runner))
        if self._setup.csv:
            try:
                self._csv = stats.StatsCSVFileWriter(
                    self._environment, stats.PERCENTILES_TO_REPORT, self._setup.csv
                )
            except OSError as error:
                raise unwritable(Path(str(error.filename)), error) from error
            self._greenlets.append(gevent.spawn(self._csv.stats_writer))

    def finish(self, found: Found) -> list[SandboxError]:
        """Print the statistics and write the files; returns why some could not be written."""
        for greenlet in self._greenlets:
            greenlet.kill()
        write_out("\n".join(self._lines()) + "\n", flush=True)
        unwritten: list[SandboxError] = []
        for write in (self._write_csv, self._write_html, self._write_json):
            try:
                write(found)
            except FileError as error:
                unwritten.append(error)
            except OSError as error:
                unwritten.append(unwritable(Path(str(error.filename)), error))
        return unwritten

    def _lines(self) -> list[str]:
        found = self._environment.stats
        _fit_columns(found)
        lines = stats.get_stats_summary(found, current=False)
        lines += ["", *stats.get_percentile_stats_summary(found)]
        return [*lines, "", *stats.get_error_report_summary(found)] if found.errors else lines

    def _write_csv(self, found: Found) -> None:
        """Write the files once more: Locust's writer writes them every few seconds."""
        if self._csv is None:
            return
        self._csv.close_files()
        for name, rows in (
            ("stats", self._csv.requests_csv),
            ("failures", self._csv.failures_csv),
            ("exceptions", self._csv.exceptions_csv),
        ):
            with open(f"{self._setup.csv}_{name}.csv", "w", encoding="utf-8", newline="") as file:
                rows(csv.writer(file))

        with open(f"{self._setup.csv}_verdict.csv", "w", encoding="utf-8", newline="") as file:
            csv.writer(file).writerows([found.fields().keys(), found.fields().values()])

    def _write_html(self, found: Found) -> None:
        if self._setup.html:
            page = get_html_report(self._environment, show_download_link=False)
            before, body, after = page.partition("<body>")
            files.write(Path(self._setup.html), before + body + found.to_html() + after)

    def _write_json(self, found: Found) -> None:
        """Comes last, since it empties the statistics."""
        if self._setup.json:
            document = {**found.to_json(), "statistics": self._environment.stats.serialize_stats()}
            files.write(Path(self._setup.json), json.dumps(document, indent=4) + "\n")


def _fit_columns(found: stats.RequestStats) -> None:
    """Make the columns of types and names as wide as what they hold."""
    kinds, names = [4], [len("Aggregated")]
    for name, kind in found.entries:
        kinds.append(len(kind))
        names.append(min(len(name), _WIDEST))
    stats.STATS_TYPE_WIDTH = max(kinds)
    # Locust makes the names' column of the first table narrower by this difference.
    stats.STATS_NAME_WIDTH = max(names) + max(kinds) - 4
