"""Exporters: deliveries or a scenario file as a file for another tool.

exporting      the file in a format of the registry
exporter       the base class of exporters, with their input and output
repeating      scenarios that repeat deliveries
curl_spelling  what is unusual about a request as curl's options
FORMATS        the formats, each with its module

A new format is a module here that holds it as `Export`, and a line of _FORMATS: the choice on the command
line, the browser's links and its pages follow. A module is imported when its format is asked for.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from retailops_sandbox.reporting.exporters.exporter import Exporter


class Format(NamedTuple):
    """A format for another tool."""

    name: str
    words: str
    """The words of a link to an export in this format."""
    module: str
    of_runs: bool = True
    """Whether whole runs are exported in this format."""

    def exporter(self) -> Exporter:
        """The exporter that makes files in this format."""
        made: Exporter = import_module(f"{__name__}.{self.module}").Export()
        return made


_FORMATS = (
    Format("curl", "curl", "curl"),
    Format("har", "HAR", "har"),
    Format("pytest", "pytest", "pytest_file"),
    Format("scenario", "scenario", "scenario_file", of_runs=False),
)
FORMATS = {each.name: each for each in _FORMATS}
"""The formats by name, in the order of `--help`."""
