"""Changes to the log's deliveries, for pages and programs that watch the log."""

from __future__ import annotations

from typing import NamedTuple

from retailops_sandbox.runlog.rows import DeliveryRow


class Change(NamedTuple):
    """A delivery that was logged, or judged again."""

    row: DeliveryRow
    is_new: bool
