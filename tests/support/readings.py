"""The files that a Python process opens, counted by an audit hook in that process."""

from __future__ import annotations

import os
from collections import Counter
from pathlib import Path

from tests.support.serving import PACKAGE_ROOT

_HOOK = """\
import os, sys

def _count(event, arguments, journal=os.open({journal!r}, os.O_WRONLY | os.O_APPEND)):
    if event == "open" and isinstance(arguments[0], (str, os.PathLike)):
        os.write(journal, (os.path.abspath(arguments[0]) + "\\n").encode())

sys.addaudithook(_count)
"""


class Readings:
    """What the processes open that have its `environment`."""

    def __init__(self, folder: Path) -> None:
        """`folder` is an empty folder for the hook and for what it finds."""
        self._journal = folder / "opened.txt"
        self._journal.touch()
        # Python imports a module of this name at its start.
        (folder / "sitecustomize.py").write_text(_HOOK.format(journal=str(self._journal)))
        self.environment = {"PYTHONPATH": os.pathsep.join((str(folder), PACKAGE_ROOT))}

    def forget(self) -> None:
        """Begin to count anew."""
        os.truncate(self._journal, 0)

    def below(self, folder: Path) -> Counter[str]:
        """How often each file in a folder was opened, by its path in there."""
        opened = [Path(line) for line in self._journal.read_text().splitlines()]
        return Counter(str(path.relative_to(folder)) for path in opened if path.is_relative_to(folder))
