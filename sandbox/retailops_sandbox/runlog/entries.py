"""A delivery of the log with all its evidence, and a result with its run."""

from __future__ import annotations

import msgspec

from retailops_sandbox.contracts.catalogue import Contracts
from retailops_sandbox.model import Delivery, Judgement, Result, RunInfo
from retailops_sandbox.runlog.rows import DeliveryRow, judged_row, row_of


class Entry(msgspec.Struct, frozen=True):
    """A delivery and all its judgements, the oldest first: judging again adds one."""

    delivery: Delivery
    judgements: tuple[Judgement, ...]

    @property
    def judgement(self) -> Judgement | None:
        """The latest judgement; None where the delivery was not judged."""
        return self.judgements[-1] if self.judgements else None

    def row(self, contracts: Contracts) -> DeliveryRow:
        """The delivery's row in a list; its contract, if it is one of these, tells ids and codes."""
        row = row_of(self.delivery, contracts)
        for judgement in self.judgements:
            row = judged_row(row, judgement)
        return row


class LoggedResult(msgspec.Struct, frozen=True):
    """The result of a scenario, and the run that it is of."""

    run: RunInfo
    result: Result
