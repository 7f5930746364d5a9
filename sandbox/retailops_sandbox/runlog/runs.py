"""The runs of the log: the record of a run that starts, and the summary of a run for readers."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Sequence
from typing import Literal

import msgspec

from retailops_sandbox import __version__
from retailops_sandbox.errors import FileError, SandboxError
from retailops_sandbox.model import Receiver, RunInfo, RunKind, Shard, Verdict

RunState = Literal["running", "finished", "stopped", "interrupted"]


class RunSummary(msgspec.Struct, frozen=True):
    """A run of the log, and what in it cannot be read."""

    id: str
    info: RunInfo | None
    """None where it is damaged."""
    state: RunState
    deliveries: int
    verdicts: Counter[str]
    """The number of deliveries of each verdict, as this run judged them; the empty one for not judged."""
    outcomes: Counter[Verdict]
    """The number of scenarios of each verdict."""
    problems: tuple[FileError, ...]
    is_pinned: bool = False
    """Retention does not delete it."""
    opened_from: str = ""
    """The name of the file that it was opened from; empty for the log's own runs."""
    judges: frozenset[str] = frozenset()
    """The other runs whose deliveries this one judged again."""

    @property
    def is_idle(self) -> bool:
        """Whether it is the run of a `serve` process, and nothing was sent by hand."""
        serves = self.info is not None and self.info.kind == "serve"
        return serves and not self.deliveries and not self.problems

    @property
    def results(self) -> int:
        """The number of scenarios that have a result."""
        return self.outcomes.total()


class Reindexed(msgspec.Struct, frozen=True):
    """What `LogKeeper.reindex` did."""

    made: int
    """How many runs were looked through anew."""
    swept: int
    """How many files of dead processes were deleted."""
    problems: list[FileError]
    """Why other runs could not be looked through."""


class PushedRun(msgspec.Struct, frozen=True):
    """A run whose file was brought into a shared log."""

    id: str
    added: int
    """The number of its records that the log lacked."""
    is_new: bool
    """Whether the log had nothing of the run."""
    different: int = 0
    """The number of its records that the log has otherwise, which were left as they are there."""


def run_id(now: str, random: str) -> str:
    """The id of a run that starts now (UTC, RFC 3339); `random` tells apart those of the same second."""
    return f"{now[:19].replace('-', '').replace(':', '')}Z-{random}"


def new_run(
    kind: RunKind,
    started_at: str,
    receiver: Receiver | None = None,
    *,
    scenarios: int = 0,
    unreadable: Sequence[SandboxError] = (),
    max_failures: int | None = None,
    shard: Shard | None = None,
) -> RunInfo:
    """A run that starts at this instant (UTC, RFC 3339), with an id of its own.

    `receiver` is None where each delivery has its own; `scenarios` is how many are to be run. `max_failures`
    is the number after which nothing more is sent.
    """
    return RunInfo(
        id=run_id(started_at, os.urandom(3).hex()),
        kind=kind,
        started_at=started_at,
        receiver=receiver.name if receiver else "",
        stand_in=bool(receiver and receiver.stand_in),
        tool=f"retailops-sandbox {__version__}",
        scenarios=scenarios,
        # The name of a file need not be UTF-8.
        unreadable=tuple(str(each).encode(errors="backslashreplace").decode() for each in unreadable),
        max_failures=max_failures or 0,
        shard=shard,
    )
