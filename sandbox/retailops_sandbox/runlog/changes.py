"""What comes into the log while somebody watches it."""

from __future__ import annotations

from typing import NamedTuple

from retailops_sandbox.runlog.rows import DeliveryRow


class Change(NamedTuple):
    """A delivery that came, or got another judgement."""

    row: DeliveryRow
    is_new: bool
