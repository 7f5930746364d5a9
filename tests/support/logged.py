"""Deliveries of a log, with all their evidence."""

from __future__ import annotations

from collections.abc import Callable
from itertools import islice
from pathlib import Path

from retailops_sandbox.contracts.catalogue import SHIPPED_CONTRACTS, Contracts
from retailops_sandbox.runlog import opening
from retailops_sandbox.runlog.entries import Entry
from retailops_sandbox.runlog.place import LogPlace
from retailops_sandbox.runlog.ports import Log


def shipped() -> Contracts:
    """The contracts that ship, for what asks for those of the moment."""
    return SHIPPED_CONTRACTS


def open_log(runs_dir: Path, notice: Callable[[str], None] = lambda _: None) -> Log:
    """The log in a folder whose workspace has no contracts of its own."""
    return opening.open_log(LogPlace(runs_dir), shipped, notice)


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
