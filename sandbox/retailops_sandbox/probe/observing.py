"""From the answers of a probe to observations. Pure: it reads deliveries and judgements as they are kept."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from retailops_sandbox.contracts.contract import Contract
from retailops_sandbox.probe.observers import demands, sameness, serving, telling
from retailops_sandbox.probe.observers.leaking import leak, page
from retailops_sandbox.probe.observers.naming import Naming
from retailops_sandbox.probe.observers.reading import Answered, Reading
from retailops_sandbox.probe.observers.repeating import Repeating
from retailops_sandbox.probe.observers.sameness import Sameness
from retailops_sandbox.probe.observers.sdk_tool import SdkTool
from retailops_sandbox.probe.observers.shape import AnswerShape
from retailops_sandbox.probe.observers.timing import Timing
from retailops_sandbox.probe.report import Observation

__all__ = ["Answered", "Observer"]

TELLS_NOTHING = (
    "No answer to a valid request tells anything, neither an outcome nor an event: whether anything was "
    "done, and whether a repetition acts again, cannot be seen."
)


class Observer:
    """Sees the answers of a probe one after the other. It keeps what they have in common, not the answers."""

    def __init__(self, contract: Contract) -> None:
        self._contract = contract
        self._shape = AnswerShape(contract)
        self._naming = Naming(contract)
        self._repeating = Repeating()
        self._sameness = Sameness()
        self._timing = Timing()
        self._sdk_tool = SdkTool(contract)
        self._tells_anything = True
        self._accepted: frozenset[str] = frozenset()
        """The prints of the baseline's answers."""

    def baseline(self, answered: Sequence[Answered]) -> None:
        """Learn from accepted requests: a first and a second about one order, and any about other orders."""
        readings = [self._read(each) for each in answered]
        self._accepted = frozenset(each.print for each in readings)
        if len(readings) > 1:
            first, second, *others = readings
            self._repeating.baseline(first, second, others)
        self._tells_anything = any(each.tells_anything for each in readings)

    def acted_on(self, orders: Iterable[str]) -> None:
        """Learn which orders the receiver may have acted on before."""
        for order in orders:
            self._repeating.acted_on(order)

    def observe(self, answered: Answered) -> list[Observation]:
        """What a delivery shows by itself, and with those before it."""
        reading = self._read(answered)
        # What is sent at once is asked about before any of it is answered.
        for trial in answered.probe.trials:
            self._naming.asked(trial.order)
        if reading.is_hung_up:
            return []
        return list(self._observed(reading))

    def finish(self) -> list[Observation]:
        """What only all answers together show."""
        found = (self._repeating.finish(), self._sameness.finish(), self._timing.finish())
        return [each for observations in found for each in observations]

    @property
    def notes(self) -> tuple[str, ...]:
        """What cannot be seen at this receiver, and why."""
        return self._repeating.notes if self._tells_anything else (TELLS_NOTHING,)

    @property
    def sdk_tool(self) -> str:
        """What the SDK's tool would say of the answers; empty where the contract has no such source."""
        return self._sdk_tool.words

    def _read(self, answered: Answered) -> Reading:
        return Reading(answered=answered, contract=self._contract, shape=self._shape)

    def _observed(self, reading: Reading) -> Iterator[Observation]:
        """The observations of one delivery: the more exact kind wins, so that a cause is told once."""
        failed = serving.observe(reading)
        if failed is not None or not reading.status:
            if failed is not None:
                yield failed
            return
        if reading.status >= 500:
            return  # where a 5xx says properly what the receiver does not know
        if limited := serving.limit(reading):
            yield limited
            return
        self._sameness.observe(reading)
        self._sdk_tool.observe(reading)
        yield from self._timing.observe(reading)
        worst = (
            page(reading)
            or demands.refusal(reading, self._accepted)
            or demands.status(reading)
            or demands.unreadable(reading)
            or leak(reading)
            or demands.body(reading)
            or sameness.unread(reading)
        )
        found = [worst] if worst is not None else list(self._told(reading))
        yield from found
        yield from self._repeating.observe(
            reading, names_other=any(each.kind == "mixed-up" for each in found)
        )

    def _told(self, reading: Reading) -> Iterator[Observation]:
        """What an answer that is right by its status and schema tells beyond that."""
        if found := telling.echo(reading):
            yield found
        if not reading.is_2xx:
            return
        if found := telling.content_type(reading):
            yield found
        if found := demands.sources(reading):
            yield found
        yield from telling.observe(reading)
        yield from self._naming.observe(reading)
