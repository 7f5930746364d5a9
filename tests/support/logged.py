"""Deliveries of a log, with all their evidence."""

from __future__ import annotations

from itertools import islice

from retailops_sandbox.runlog.entries import Entry
from retailops_sandbox.runlog.ports import Log


def newest_deliveries(log: Log, limit: int, before: str | None = None) -> list[Entry]:
    """The newest deliveries of all runs, the newest first; `before` goes on after that delivery."""
    after = None
    if before is not None:
        last = log.delivery(before)
        if last is None:
            return []
        after = last.delivery.sent_at, last.delivery.id
    found = [log.delivery(row.id) for row in islice(log.rows(after=after), limit)]
    return [entry for entry in found if entry is not None]
