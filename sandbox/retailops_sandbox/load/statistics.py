"""What Locust's statistics are told of the engine's events."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable

from retailops_sandbox.engine import DeliveryFinished, Event, StepResult
from retailops_sandbox.foreign_text import in_line
from retailops_sandbox.load.evidence import FailedDelivery
from retailops_sandbox.load.totals import Totals
from retailops_sandbox.model import Delivery, Judgement
from retailops_sandbox.reporting.render import lines

_DIFFERENCES = 3
"""The most differences that a failure names."""
_WIDTH = 60
"""The most characters of a value in it."""
_MOST_WORDS = 40
"""The most different failures of one step that are told by their values; of others, only their places."""


class Statistics:
    """Tells Locust's statistics of the engine's events, and keeps the totals."""

    def __init__(self, request: Callable[..., None], keep: Callable[[FailedDelivery], None]) -> None:
        """`request` tells Locust of a request; `keep` takes the deliveries that failed or errored."""
        self._request = request
        self._keep = keep
        self._words: defaultdict[str, set[str]] = defaultdict(set)
        self.totals = Totals()

    def reset(self) -> None:
        """Forget what was before: a test begins."""
        self._words.clear()
        self.totals = Totals()

    def on_event(self, event: Event) -> None:
        if isinstance(event, DeliveryFinished):
            self._delivery(event)
        elif isinstance(event, StepResult):
            self.totals.count(event)

    def _delivery(self, event: DeliveryFinished) -> None:
        delivery, judgement = event.delivery, event.judgement
        if delivery.fault is not None and delivery.fault.kind == "cancelled" and not delivery.dropped:
            return  # the test has ended
        name = in_line(f"{event.plan.id} / {delivery.step}")
        failed = judgement is not None and judgement.verdict in ("failed", "errored")
        self._request(
            request_type=f"{delivery.action} {delivery.edition}",
            name=name,
            response_time=delivery.timings.total,
            response_length=0 if delivery.response is None else len(delivery.response.body),
            exception=self._failure(name, delivery, judgement) if judgement is not None and failed else None,
            context={},
        )
        if judgement is not None and failed:
            self._keep(FailedDelivery(delivery, judgement))

    def _failure(self, name: str, delivery: Delivery, judgement: Judgement) -> str:
        """What failed. Locust counts equal ones together, and keeps each different one."""
        words = failure(delivery, judgement)
        seen = self._words[name]
        if words not in seen:
            if len(seen) >= _MOST_WORDS:
                return failure(delivery, judgement, values=False)
            seen.add(words)
        return words


def failure(delivery: Delivery, judgement: Judgement, *, values: bool = True) -> str:
    """The name of the fault, or the verdict with the first differences; their places alone without values."""
    if judgement.verdict == "errored" and delivery.fault is not None:
        return delivery.fault.kind
    found = [
        *(
            (lines.violation(each) if values else each.pointer)
            for each in judgement.violations[:_DIFFERENCES]
        ),
        *(
            lines.difference(each, width=_WIDTH) if values else f"{lines.place(each)} ({each.kind})"
            for each in judgement.differences[:_DIFFERENCES]
        ),
    ][:_DIFFERENCES]
    more = len(judgement.violations) + len(judgement.differences) - len(found)
    if more > 0 and found:
        found.append(lines.and_more(more))
    reason = "; ".join(found) or (judgement.reason if values else "")
    return in_line(f"{judgement.verdict}: {reason}" if reason else judgement.verdict)
