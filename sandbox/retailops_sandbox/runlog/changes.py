"""What comes into the log while somebody watches it."""

from __future__ import annotations

from typing import NamedTuple

from retailops_sandbox.runlog.rows import DeliverySummary


class Change(NamedTuple):
    """A delivery that came, or got another judgement."""

    row: DeliverySummary
    is_new: bool
