"""The run file as a report."""

from __future__ import annotations

import io
import os
from pathlib import Path

from retailops_sandbox.errors import unwritable
from retailops_sandbox.regular_files import special
from retailops_sandbox.reporting.reporters import files
from retailops_sandbox.reporting.reporters.reporter import FinishedRun, Reporter


class Report(Reporter):
    """Writes the run as a run file at the end."""

    def __init__(self, file: Path) -> None:
        self._file = file

    def finish(self, run: FinishedRun) -> None:
        if not files.is_special(self._file):
            run.log.export(Path(os.path.realpath(self._file)))
            return
        content = io.BytesIO()
        run.log.copy(content)
        try:
            with open(self._file, "wb", opener=special) as written:
                written.write(content.getvalue())
        except OSError as error:
            raise unwritable(self._file, error) from error
