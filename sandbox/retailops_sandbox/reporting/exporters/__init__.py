"""Exporters make files for other tools of what was sent, or of a scenario file.

exporting  makes a file in a format of the registry
exporter   what an exporter is, is given and makes
repeating  from deliveries to scenarios that repeat them
FORMATS    the formats, each with its module

A new format is a module here that holds it as `Export`, and a line of _FORMATS: the choice on the command
line, the browser's links and its pages follow. A module is imported when its format is asked for.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from retailops_sandbox.reporting.exporters.exporter import Exporter


class Format(NamedTuple):
    """A format of another tool."""

    name: str
    words: str
    """What a link to it says."""
    module: str
    of_runs: bool = True
    """Whether a whole run is offered in it."""

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
