"""What `--format json` writes of runs and of one delivery. Its fields are documented and stay."""

from __future__ import annotations

import msgspec

from retailops_sandbox.model import Delivery, Judgement, Result, RunKind, Verdict
from retailops_sandbox.runlog.rows import COLUMNS, DeliveryRow
from retailops_sandbox.runlog.runs import RunState, RunSummary


class ListedRun(msgspec.Struct, frozen=True, kw_only=True):
    """A run of `log list --runs`."""

    id: str
    kind: RunKind | None
    state: RunState
    started_at: str
    finished_at: str
    receiver: str
    stand_in: bool
    tool: str
    host: str
    pinned: bool
    scenarios: int
    results: dict[Verdict, int]
    deliveries: int
    verdicts: dict[str, int]
    unreadable: tuple[str, ...]
    problems: tuple[str, ...]


class ShownDelivery(msgspec.Struct, frozen=True, kw_only=True):
    """A delivery of `log show`: its records as the log keeps them, the oldest judgement first."""

    delivery: Delivery
    judgements: tuple[Judgement, ...]


class ShownRun(msgspec.Struct, frozen=True, kw_only=True):
    """A run of `log show`: as `log list` has it, and its results as the log keeps them."""

    run: ListedRun
    results: list[Result]


class PrunedRun(msgspec.Struct, frozen=True, kw_only=True):
    """A run that `log prune` deleted, or would delete."""

    id: str
    started_at: str
    deliveries: int
    bytes: int


class KeptRun(msgspec.Struct, frozen=True, kw_only=True):
    """A run over a limit of `log prune`, and why it is kept."""

    id: str
    reason: str


class PrunedRuns(msgspec.Struct, frozen=True, kw_only=True):
    """What `log prune` did, or would do."""

    dry_run: bool
    removed: list[PrunedRun]
    kept: list[KeptRun]
    deliveries: int
    bytes: int
    problems: list[str]


class ReindexedRuns(msgspec.Struct, frozen=True, kw_only=True):
    """What `log reindex` did."""

    runs: int
    swept: int
    problems: list[str]


def delivery(row: DeliveryRow) -> dict[str, object]:
    """A delivery as `log list` writes it."""
    return {name: getattr(row, name) for name in COLUMNS}


def run(found: RunSummary) -> ListedRun:
    """A run as `log list --runs` writes it."""
    info = found.info
    return ListedRun(
        id=found.id,
        kind=info.kind if info else None,
        state=found.state,
        started_at=info.started_at if info else "",
        finished_at=info.finished_at if info else "",
        receiver=info.receiver if info else "",
        stand_in=bool(info and info.stand_in),
        tool=info.tool if info else "",
        host=info.host if info else "",
        pinned=found.is_pinned,
        scenarios=info.scenarios if info else 0,
        results=dict(found.outcomes),
        deliveries=found.deliveries,
        verdicts={word or "not judged": count for word, count in found.verdicts.items()},
        unreadable=info.unreadable if info else (),
        problems=tuple(str(problem) for problem in found.problems),
    )
