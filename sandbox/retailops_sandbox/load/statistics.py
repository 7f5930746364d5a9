"""What Locust's statistics are told of the engine's events."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable

from retailops_sandbox.engine import DeliveryFinished, ScenarioResult, StepResult
from retailops_sandbox.foreign_text import in_line
from retailops_sandbox.load.evidence import FailedDelivery, Quota
from retailops_sandbox.load.totals import Totals
from retailops_sandbox.model import Delivery, Judgement, Verdict
from retailops_sandbox.reporting.render import lines
from retailops_sandbox.scenarios.scenario import Plan

_FAILURES: tuple[Verdict, ...] = ("failed", "errored")
_DIFFERENCES = 3
"""The most differences that a failure names."""
_WIDTH = 60
"""The most characters of a value in it."""
_MOST_WORDS = 40
"""The most different failures of one step that are told by their values; of others, only their places."""


class Statistics:
    """Tells Locust's statistics of the engine's events, and keeps the totals."""

    def __init__(self, request: Callable[..., None], keep: Callable[[FailedDelivery], None]) -> None:
        """`request` tells Locust of a request; `keep` takes the first deliveries that failed or errored."""
        self._request = request
        self._keep = keep
        self._words: defaultdict[str, set[str]] = defaultdict(set)
        self.totals = Totals()
        self._quota = Quota()

    def reset(self) -> None:
        """Forget what was before: a test begins."""
        self._words.clear()
        self.totals = Totals()

    def on_event(self, event: DeliveryFinished | ScenarioResult) -> None:
        """Tell of a delivery, and of the steps of a scenario that failed for another reason than one."""
        if isinstance(event, DeliveryFinished):
            self._delivery(event)
        else:
            for step in event.steps:
                self.totals.count(step)
                if step.verdict in _FAILURES and not any(_failed(each) for each in step.judgements):
                    self._step(event.plan, step)

    def _delivery(self, event: DeliveryFinished) -> None:
        delivery, judgement = event.delivery, event.judgement
        if delivery.fault is not None and delivery.fault.kind == "cancelled" and not delivery.dropped:
            return  # the test has ended
        name = in_line(f"{event.plan.id} / {delivery.step}")
        words = None
        if judgement is not None and _failed(judgement):
            kind = failure(delivery, judgement, values=False)
            words = self._counted(name, failure(delivery, judgement)) or kind
            cause = f"{name}: {kind}"
            if self._quota.takes(cause):
                self._keep(FailedDelivery(delivery, judgement, cause))
        self._request(
            request_type=f"{delivery.action} {delivery.edition}",
            name=name,
            response_time=delivery.timings.total,
            response_length=0 if delivery.response is None else len(delivery.response.body),
            exception=words,
            context={},
        )

    def _step(self, plan: Plan, step: StepResult) -> None:
        name = in_line(f"{plan.id} / {step.name}")
        self._request(
            request_type="step",
            name=name,
            response_time=None,
            response_length=0,
            exception=self._counted(name, in_line(f"{step.verdict}: {step.reason}")) or step.verdict,
            context={},
        )

    def _counted(self, name: str, words: str) -> str:
        """The words of a failure; empty if there are too many others of the same name.

        Locust counts equal ones together, and keeps each different one.
        """
        seen = self._words[name]
        if words not in seen:
            if len(seen) >= _MOST_WORDS:
                return ""
            seen.add(words)
        return words


def _failed(judgement: Judgement) -> bool:
    return judgement.verdict in _FAILURES


def failure(delivery: Delivery, judgement: Judgement, *, values: bool = True) -> str:
    """The name of the fault, or the verdict with the first differences; their places alone without values."""
    if judgement.verdict == "errored" and delivery.fault is not None:
        return delivery.fault.kind
    found = [
        lines.violation(each) if values else f"{each.pointer or each.part} ({each.keyword})"
        for each in judgement.violations
    ]
    found += [
        lines.difference(each, width=_WIDTH) if values else f"{lines.place(each)} ({each.kind})"
        for each in judgement.differences[:_DIFFERENCES]
    ]
    del found[_DIFFERENCES:]
    more = len(judgement.violations) + len(judgement.differences) - len(found)
    if more > 0 and found:
        found.append(lines.and_more(more))
    reason = "; ".join(found) or (judgement.reason if values else "")
    return in_line(f"{judgement.verdict}: {reason}" if reason else judgement.verdict)
