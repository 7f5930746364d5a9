"""What the pages of one run show, read from the log once for each request."""

from __future__ import annotations

import secrets
from collections import Counter
from collections.abc import Sequence
from itertools import islice
from typing import get_args

import msgspec
from starlette.datastructures import QueryParams
from starlette.requests import Request

from retailops_sandbox.model import ResultStep
from retailops_sandbox.reporting.render import causes
from retailops_sandbox.reporting.render.causes import CommonCause
from retailops_sandbox.reporting.render.lines import VERDICT_ORDER
from retailops_sandbox.runlog.query import Query
from retailops_sandbox.runlog.rows import DeliveryRow
from retailops_sandbox.runlog.runs import RunSummary
from retailops_sandbox.scenarios.trend import Trend
from retailops_sandbox.web.runs import results, shards
from retailops_sandbox.web.runs.results import ResultRow, RunRow
from retailops_sandbox.web.runs.shards import ShardRow
from retailops_sandbox.web.shell.addresses import query_string
from retailops_sandbox.web.shell.context import AppContext, Target
from retailops_sandbox.web.shell.run_target import run_target
from retailops_sandbox.web.shell.run_watch import RunWatch, Watching

_RESULTS = 500
"""The most results on one page of a run that has ended: a browser takes seconds to show ten thousand."""
_RUNNING_RESULTS = 100
"""The most results on the page of a running run."""
_DELIVERIES = 100
"""The most deliveries on the page of a run without scenarios."""
_IN_TABLE = 4
"""The most steps of a result, deliveries of a step and lines of a delivery in the table of a run."""
_IN_DETAIL = 200
"""The same on the page of one scenario."""
_SPOILED = ("failed", "errored")


class ResultFilter(msgspec.Struct, frozen=True):
    """Which of a run's results are shown; an empty field accepts all."""

    verdict: str = ""
    trend: str = ""
    tag: str = ""
    shard: str = ""

    @classmethod
    def of(cls, asked: QueryParams) -> ResultFilter:
        return cls(**{name: asked.get(name, "") for name in cls.__struct_fields__})

    def accepts(self, row: ResultRow) -> bool:
        return (
            self.verdict in ("", row.result.verdict)
            and self.trend in ("", row.trend)
            and (not self.tag or self.tag in row.result.tags)
            and self.shard in ("", str(row.result.shard))
        )


class FilterChoice(msgspec.Struct, frozen=True):
    """A value that a field of the filter can have."""

    label: str
    count: int
    """The number of results that have the value."""
    url: str
    """The address of the page with the value."""
    is_chosen: bool


class Paging(msgspec.Struct, frozen=True):
    """Which results a page shows, of more than fit on one."""

    first: int
    """The number of results before this page."""
    count: int
    """The number of all results that the filter accepts."""

    @property
    def end(self) -> int:
        return min(self.first + _RESULTS, self.count)

    @property
    def before(self) -> int:
        """The `first` of the page before."""
        return max(0, self.first - _RESULTS)


class Repeat(msgspec.Struct, frozen=True):
    """The form that runs what failed again, against the same receiver."""

    scenarios: Sequence[str]
    target: Target
    form_id: str


class WatchPanel(msgspec.Struct, frozen=True, kw_only=True):
    """Whether the run is watched, or can be."""

    watching: Watching | None
    """None where it is not the latest run of the watch."""
    version: int
    can_start: bool
    elsewhere: str
    """The id of another run that is watched, and would be no longer; empty for none."""


class RunPage(msgspec.Struct, frozen=True, kw_only=True):
    """The page of a run."""

    run: RunRow
    shards: Sequence[ShardRow]
    """The shards of a merged run."""
    rows: Sequence[ResultRow]
    hidden: int
    """The number of results that are not shown while the run goes on."""
    paging: Paging | None
    """None where all results fit on the page."""
    total: int
    """The number of all results."""
    failing: int
    """The number of results that failed or errored."""
    is_running: bool
    is_shared: bool
    """Whether the log is one of many: then the process of a run may have lost touch with it."""
    is_ours: bool
    """Whether this process runs it, and so can stop it."""
    can_review: bool
    cause: CommonCause | None
    """The cause that most failures share; None where there is none."""
    repeat: Repeat | None
    """None where what failed cannot be run again from here."""
    watch: WatchPanel
    problem: str
    """Why the run ended early; empty where it did not."""
    choices: Sequence[tuple[str, Sequence[FilterChoice]]]
    """The choices by the field of the filter."""
    address: str
    """The query string of the filter; empty where it accepts everything."""
    by_hand: Sequence[DeliveryRow]
    """The newest deliveries of a run without scenarios."""
    is_started_before: bool
    """Whether the form that led to this page had been sent before."""


class RunScenarioPage(msgspec.Struct, frozen=True, kw_only=True):
    """The page of one scenario in a run."""

    run: RunRow
    row: ResultRow
    is_known: bool
    """Whether the scenario's file still exists."""


def of_run(context: AppContext, request: Request, run: RunSummary, watch: RunWatch) -> RunPage:
    """The page of a run with its results so far. Blocks."""
    filter = ResultFilter.of(request.query_params)
    first = _first(request.query_params.get("from", ""))
    rows = _rows(context, run)
    spoiled = [row for row in rows if row.result.verdict in _SPOILED]
    cause = causes.common([row.cause for row in spoiled])
    if cause is not None:
        rows = [_without(row, cause) for row in rows]
    accepted = [row for row in rows if filter.accepts(row)]
    failing = len(spoiled)
    is_running = run.state == "running" and not results.is_open(run)
    has_scenarios = run.results > 0 or (run.info is not None and run.info.scenarios > 0)
    return RunPage(
        run=results.run_row(run, context.clock.now()),
        shards=shards.rows(run.info, [row.result for row in rows]) if run.info is not None else [],
        rows=accepted[:_RUNNING_RESULTS] if is_running else accepted[first : first + _RESULTS],
        hidden=max(0, len(accepted) - _RUNNING_RESULTS) if is_running else 0,
        paging=Paging(first, len(accepted)) if len(accepted) > _RESULTS and not is_running else None,
        total=len(rows),
        failing=failing,
        is_running=is_running,
        is_shared=bool(context.workspace.database) and not run.opened_from,
        is_ours=context.running.is_live(run.id),
        can_review=_can_review(run, failing, cause) and not is_running,
        cause=cause,
        repeat=None if is_running or run.opened_from else _repeat(context, run, spoiled),
        watch=_watch(context, run, watch),
        problem=context.running.problem(run.id),
        choices=_choices(run.id, rows, filter),
        address=query_string(filter),
        by_hand=[] if has_scenarios else _deliveries(context, run.id),
        is_started_before=request.query_params.get("started") == "before",
    )


def of_scenario(context: AppContext, run: RunSummary, scenario: str) -> RunScenarioPage | None:
    """The page of one scenario in a run; None where the run has no result of it. Blocks."""
    rows = _rows(context, run, scenario)
    if not rows:
        return None
    return RunScenarioPage(
        run=results.run_row(run, context.clock.now()),
        row=rows[0],
        is_known=not run.opened_from and context.scenario_index.has(scenario),
    )


def _without(row: ResultRow, cause: CommonCause) -> ResultRow:
    """A row without its steps, where the common cause has told why it failed."""
    is_told = row.cause is not None and row.cause.key == cause.cause.key
    return msgspec.structs.replace(row, steps=[], more=0, is_common=True) if is_told else row


def _can_review(run: RunSummary, failing: int, cause: CommonCause | None) -> bool:
    """Whether something failed that a review may accept, and not only for faults."""
    only_faults = cause is not None and cause.cause.is_fault and cause.count == failing
    return failing > 0 and not run.opened_from and not only_faults


def _repeat(context: AppContext, run: RunSummary, spoiled: Sequence[ResultRow]) -> Repeat | None:
    """The form that runs what failed again; None where its receiver or all of its files are gone."""
    known = [row.result.scenario for row in spoiled if context.scenario_index.has(row.result.scenario)]
    receivers = context.read_receivers()
    receiver = receivers.find(run.info.receiver) if run.info is not None else None
    if not known or receiver is None:
        return None
    plans = [context.scenario_index.plan(id) for id in known]
    target = run_target(context, receivers, receiver.name, plans)
    return None if target.problem else Repeat(known, target, secrets.token_hex(16))


def _watch(context: AppContext, run: RunSummary, watch: RunWatch) -> WatchPanel:
    now = watch.current
    is_this = now is not None and now.run == run.id
    receiver = context.read_receivers().find(run.info.receiver) if run.info is not None else None
    is_sendable = receiver is not None and not receiver.protected and not run.opened_from
    return WatchPanel(
        watching=now if is_this else None,
        version=watch.version,
        can_start=not is_this and is_sendable and run.state != "running" and run.results > 0,
        elsewhere=now.run if now is not None and not is_this else "",
    )


def _first(asked: str) -> int:
    """The number of results before the page, from the address; 0 for text that is no number."""
    return int(asked) if asked.isascii() and asked.isdecimal() and len(asked) < 8 else 0


def _rows(context: AppContext, run: RunSummary, scenario: str | None = None) -> list[ResultRow]:
    """The results of a run, with deliveries of those that did not pass; for one scenario with all."""
    only_one = scenario is not None
    wanted = [result for result in context.log.results(run.id) if scenario in (None, result.scenario)]
    in_detail = {result.scenario for result in wanted if only_one or result.verdict in _SPOILED}
    return results.result_rows(
        wanted,
        {} if run.opened_from else results.trends(context.log, run, wanted),
        context.log.deliveries(run.id, in_detail),
        is_shown=(lambda step: True) if only_one else _stands_out,
        most=_IN_DETAIL if only_one else _IN_TABLE,
    )


def _stands_out(step: ResultStep) -> bool:
    """Whether the table of a run shows a step."""
    return step.verdict in ("failed", "errored", "skipped") or step.attempts > 1 or step.times > 1


def _deliveries(context: AppContext, id: str) -> list[DeliveryRow]:
    return list(islice(context.log.rows(Query(run=id)), _DELIVERIES))


def _choices(
    id: str, rows: Sequence[ResultRow], chosen: ResultFilter
) -> list[tuple[str, Sequence[FilterChoice]]]:
    """The values of each field of the filter, where there are several to choose from."""
    verdicts = Counter(row.result.verdict for row in rows)
    trends = Counter(row.trend for row in rows if row.trend)
    tags = Counter(tag for row in rows for tag in set(row.result.tags))
    of_shard = sum(str(row.result.shard) == chosen.shard for row in rows)
    fields: tuple[tuple[str, list[tuple[str, int]]], ...] = (
        ("verdict", [(each, verdicts[each]) for each in VERDICT_ORDER if verdicts[each]]),
        ("trend", [(each, trends[each]) for each in get_args(Trend) if trends[each]]),
        ("tag", sorted(tags.items())),
        # The table of shards leads there: a run may have many.
        ("shard", [(chosen.shard, of_shard)] if chosen.shard else []),
    )
    choices: list[tuple[str, Sequence[FilterChoice]]] = []
    for name, counts in fields:
        current = getattr(chosen, name)
        if current and current not in dict(counts):
            counts = [*counts, (current, 0)]
        if len(counts) > 1 or current:
            offered = [("", len(rows)), *counts]
            choices.append((name, [_choice(id, chosen, name, value, count) for value, count in offered]))
    return choices


def _choice(id: str, chosen: ResultFilter, name: str, value: str, count: int) -> FilterChoice:
    changed = msgspec.structs.replace(chosen, **{name: value})
    return FilterChoice(value or "all", count, f"/runs/{id}{query_string(changed)}", changed == chosen)
