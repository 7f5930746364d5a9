"""The same answer, whatever was asked; and what is no JSON told as done."""

from __future__ import annotations

import json
from collections.abc import Iterator

from msgspec import UNSET

from retailops_sandbox.probe.observers.reading import Reading
from retailops_sandbox.probe.report import Observation

_LEAST = 8
"""The fewest orders by whose answers it is judged whether all are the same."""
_LEAST_WITHOUT = 3
"""The fewest requests that name no order, and are told as done."""
_ENOUGH = 1_000
"""The number of orders that are counted."""


def unread(reading: Reading) -> Observation | None:
    """How a body that no parser could read was told as done."""
    if reading.sent is not UNSET or not reading.is_done or reading.is_elsewhere:
        return None
    request = reading.delivery.request
    if request.base64 or _is_lenient_json(request.body):
        return None
    return reading.shows("accepts-anything", f"answered {reading.status}")


def _is_lenient_json(text: str) -> bool:
    """Whether some parsers read a text as JSON, at least its beginning."""
    try:
        json.JSONDecoder(strict=False).raw_decode(text.lstrip("\ufeff \t\r\n"))
    except (ValueError, RecursionError):
        return False
    return True


class Sameness:
    """Looks whether answers depend on what is asked."""

    def __init__(self) -> None:
        self._prints: set[str] = set()
        self._orders: set[str] = set()
        self._without: list[Observation] = []
        self._has_refused = False

    def observe(self, reading: Reading) -> None:
        """Take an answer into account."""
        is_refused = reading.trial.demand in ("refuse", "refuse somehow")
        if reading.is_elsewhere or is_refused or len(self._prints) > 1:
            return
        is_nameless = reading.sent is not UNSET and not any(
            isinstance(each, (str, int)) and not isinstance(each, bool) for each in reading.subjects
        )
        if reading.is_2xx:
            self._prints.add(reading.print)
            if reading.trial.order and len(self._orders) < _ENOUGH:
                self._orders.add(reading.trial.order)
            if is_nameless and reading.is_done and len(self._without) < _ENOUGH:
                self._without.append(reading.shows("same-answer", area="answers", print="same-answer"))
        if is_nameless and not reading.is_done:
            self._has_refused = True

    def finish(self) -> Iterator[Observation]:
        """The requests that name nothing and were answered like all others."""
        is_same = len(self._prints) == 1 and len(self._orders) >= _LEAST
        if is_same and len(self._without) >= _LEAST_WITHOUT and not self._has_refused:
            yield from self._without
