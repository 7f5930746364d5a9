"""What every page says of a log that many share: that it cannot be reached, or that runs wait for it."""

from __future__ import annotations

import msgspec

from retailops_sandbox.errors import FileError
from retailops_sandbox.runlog.ports import LogReader


class LogNotice(msgspec.Struct, frozen=True):
    """What a page says of the log; nothing where all is well."""

    away: str = ""
    """Why the database cannot be reached; empty where it can."""
    unwritten: str = ""
    """Why it can be read and lacks something that was sent here; empty where it lacks nothing."""
    waiting: int = 0
    """The number of runs that are in files of this workspace, and not in the database."""


def log_notice(log: LogReader) -> LogNotice:
    """What a page says of the log, as of the last question. Blocks shortly."""
    try:
        return LogNotice(log.away(), log.unwritten(), len(log.waiting()))
    except FileError as error:
        return LogNotice(str(error))  # of the files in which runs wait
