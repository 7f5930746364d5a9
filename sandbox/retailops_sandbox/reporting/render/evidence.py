"""The deliveries of a run that a report shows, within limits of number and size."""

from __future__ import annotations

import msgspec

from retailops_sandbox.contracts.contract import Contract
from retailops_sandbox.engine import LARGE_BODY, DeliveryFinished, Event
from retailops_sandbox.model import Delivery, Judgement
from retailops_sandbox.scenarios.scenario import Plan

MOST_OF_STEP = 10
"""The most deliveries of one step that are kept: so many that failed, and so many others."""
MOST_DELIVERIES = 2_000
"""The most deliveries that are kept: so many that failed, and so many others."""
MOST_BODY = LARGE_BODY
"""The most characters that are kept of a body."""
MOST_BODIES = 8 * 1024 * 1024
"""The most characters of bodies: so many of failed deliveries, and so many of others."""


class Kept(msgspec.Struct, frozen=True):
    """A delivery with its judgement; long bodies are cut."""

    delivery: Delivery
    judgement: Judgement | None
    contract: Contract
    request_size: int
    """Characters of the whole body."""
    response_size: int


class StepEvidence(msgspec.Struct):
    """The kept deliveries of a step, in the order in which they ended."""

    kept: list[Kept] = []
    spoiled: int = 0
    """The number of failed deliveries, including those that are not kept."""
    others: int = 0

    @property
    def left_out(self) -> int:
        return self.spoiled + self.others - len(self.kept)


class Evidence:
    """Keeps the deliveries of a run that a report shows."""

    def __init__(self) -> None:
        self._steps: dict[tuple[int, str], StepEvidence] = {}
        self._room = {True: MOST_BODIES, False: MOST_BODIES}
        self._places = {True: MOST_DELIVERIES, False: MOST_DELIVERIES}

    def on_event(self, event: Event) -> None:
        """Take one event of the run."""
        if not isinstance(event, DeliveryFinished):
            return
        step = self._steps.setdefault((id(event.plan), event.delivery.step), StepEvidence())
        failed = event.judgement is not None and event.judgement.verdict in ("failed", "errored")
        if failed:
            step.spoiled += 1
        else:
            step.others += 1
        if (step.spoiled if failed else step.others) <= MOST_OF_STEP and self._places[failed]:
            self._places[failed] -= 1
            step.kept.append(self._cut(event, failed))

    def of(self, plan: Plan, step: str) -> StepEvidence:
        """The evidence of a step; empty where nothing was sent."""
        return self._steps.get((id(plan), step), StepEvidence())

    def _cut(self, event: DeliveryFinished, failed: bool) -> Kept:
        delivery = event.delivery
        request, response = delivery.request, delivery.response
        sizes = len(request.body), len(response.body) if response else 0
        room = min(MOST_BODY, self._room[failed])
        if max(sizes) > room:
            request = msgspec.structs.replace(request, body=request.body[:room])
            if response is not None:
                response = msgspec.structs.replace(response, body=response.body[:room])
            delivery = msgspec.structs.replace(delivery, request=request, response=response)
        self._room[failed] -= min(self._room[failed], sum(min(size, room) for size in sizes))
        return Kept(delivery, event.judgement, event.contract, *sizes)
