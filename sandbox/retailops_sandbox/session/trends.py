"""How the scenarios of a run compare with their last finished run on the same receiver."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from retailops_sandbox import diagnostics
from retailops_sandbox.engine import ScenarioResult
from retailops_sandbox.model import RunInfo

if TYPE_CHECKING:
    from retailops_sandbox.runlog.place import LogPlace
    from retailops_sandbox.scenarios.trend import Trend

_logger = diagnostics.logger(__name__)

_MOST_HISTORY = 4 * 1024 * 1024
"""The most bytes of earlier run files that are read for trends, which takes about 10 ms."""


def trends(
    place: LogPlace,
    info: RunInfo,
    results: Sequence[ScenarioResult],
    notice: Callable[[str], None] = _logger.warning,
) -> dict[str, Trend]:
    """The trend of each scenario that has one; `notice` takes a line about a log that cannot be read."""
    records = [result.record for result in results if result.record is not None]
    if info.kind != "run" or not records:
        return {}
    from retailops_sandbox.runlog.opening import earlier_results
    from retailops_sandbox.scenarios import trend

    past = earlier_results(place, before=info.id, most=_MOST_HISTORY, notice=notice)
    before = trend.before(info, past, [record.scenario for record in records])
    found = {record.scenario: trend.of(record, before.get(record.scenario)) for record in records}
    return {scenario: each for scenario, each in found.items() if each is not None}
