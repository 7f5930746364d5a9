"""Trends: a scenario's result compared with that of its last finished run on the same receiver. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Literal

import msgspec

from retailops_sandbox.model import Result, RunInfo, Verdict

Trend = Literal["regressed", "still failing", "new", "fixed", "still passing"]

_FAILING: tuple[Verdict, ...] = ("failed", "errored")


class Past(msgspec.Struct, frozen=True):
    """A run that has ended, with which later runs are compared."""

    info: RunInfo
    results: Sequence[Result]


def of(result: Result, before: Result | None) -> Trend | None:
    """The trend from an earlier result to this one; None for a result that was not judged or was cut off."""
    if not _is_judged(result):
        return None
    failing = result.verdict in _FAILING
    if before is None:
        return "new"
    if before.verdict in _FAILING:
        return "still failing" if failing else "fixed"
    return "regressed" if failing else "still passing"


def rank(verdict: Verdict, trend: Trend | None) -> int:
    """The place of a result in a table, from 0: what regressed comes first, what still passes last."""
    if verdict in _FAILING:
        return {"regressed": 0, "still failing": 1, "new": 2}.get(trend or "", 3)
    return {None: 4, "fixed": 5, "new": 6}.get(trend, 7)


def before(run: RunInfo, past: Iterable[Past], wanted: Iterable[str]) -> dict[str, Result]:
    """The earlier results with which the results of a run are compared, by scenario id.

    `wanted` are the scenarios' ids. `past` has the newest run first, and is read only as far as needed.
    """
    missing = set(wanted)
    found: dict[str, Result] = {}
    for each in past if missing else ():
        if is_comparable(each.info, run):
            for result in each.results:
                if result.scenario in missing and _is_judged(result):
                    found[result.scenario] = result
            missing -= found.keys()
        if not missing:
            break
    return found


def is_comparable(earlier: RunInfo, run: RunInfo) -> bool:
    """Whether a run is earlier than another, finished, and was on the same receiver.

    The shards of a merged run are no earlier ones: they are that run.
    """
    return (
        earlier.id not in {shard.run for shard in run.shards}
        and (earlier.started_at, earlier.id) < (run.started_at, run.id)
        and bool(earlier.finished_at)
        and not earlier.stopped
        and (earlier.receiver, earlier.stand_in) == (run.receiver, run.stand_in)
    )


def _is_judged(result: Result) -> bool:
    return not result.stopped and result.verdict in ("passed", *_FAILING)
