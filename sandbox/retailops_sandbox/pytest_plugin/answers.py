"""The result of a send, as a test looks at it."""

from __future__ import annotations

import base64
import json
import shutil
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from retailops_sandbox.engine import DeliveryFinished, Event, StepResult
from retailops_sandbox.engine import ScenarioResult as Outcome
from retailops_sandbox.foreign_text import without_commands
from retailops_sandbox.model import Delivery, Difference, Fault, Judgement, SourceCheck, Verdict, Violation
from retailops_sandbox.model import Response as Kept
from retailops_sandbox.reporting.render import lines
from retailops_sandbox.reporting.reporters.console import Console

_REPR = 200
"""How many characters of a failure the `repr` of a result shows: pytest cuts at 240."""


def told(events: Sequence[Event]) -> list[str]:
    """The text that the command line prints for these events: verdict, steps, differences, both sides."""
    said: list[str] = []
    console = Console(
        lambda line: said.append(without_commands(line)),
        colour=False,
        width=shutil.get_terminal_size((120, 24)).columns,
        verbose=False,
    )
    for event in events:
        console.on_event(event)
    return said


class Headers(Mapping[str, str]):
    """The headers of a response, by name in any case; the values of a repeated one joined by commas."""

    def __init__(self, pairs: Sequence[tuple[str, str]]) -> None:
        self._names: dict[str, str] = {}
        self._values: dict[str, str] = {}
        for name, value in pairs:
            key = name.lower()
            self._names.setdefault(key, name)
            self._values[key] = f"{self._values[key]}, {value}" if key in self._values else value

    def __getitem__(self, name: str) -> str:
        return self._values[name.lower()]

    def __iter__(self) -> Iterator[str]:
        return iter(self._names.values())

    def __len__(self) -> int:
        return len(self._names)

    def __repr__(self) -> str:
        return repr(dict(self))


class Errored(Exception):
    """A send could not be judged: nothing was sent, or there is no answer.

    It is no AssertionError, because reports of tests take that for a failure of what is tested.
    """

    __module__ = "retailops_sandbox"  # where it is public: pytest prints the whole name


class Response:
    """The receiver's response as the log keeps it: secrets are struck out."""

    def __init__(self, kept: Kept) -> None:
        self._kept = kept
        self.status: int = kept.status
        self.headers = Headers(kept.headers)
        self.content: bytes = base64.b64decode(kept.body) if kept.base64 else kept.body.encode()

    @property
    def text(self) -> str:
        return self.content.decode(errors="replace")

    def json(self, **options: Any) -> Any:
        """The body parsed as JSON; options such as `parse_float=Decimal` are those of `json.loads`.

        Raises AssertionError where the body is not JSON.
        """
        __tracebackhide__ = True
        try:
            return json.loads(self.content, **options)
        except ValueError:
            from retailops_sandbox.answers import content  # only an answer that is no JSON needs it

            raise AssertionError(lines.in_line(content.of(self._kept).words)) from None

    def __repr__(self) -> str:
        return f"<Response {self.status}: {lines.in_line(self.text[:_REPR])}>"


class Result:
    """The result of a send: its deliveries, and how the answers compare with what is expected."""

    def __init__(self, events: Sequence[Event]) -> None:
        outcome = next(event for event in events if isinstance(event, Outcome))
        self._step: StepResult = outcome.steps[0]
        self._events = events
        self._told = False
        self.verdict: Verdict = self._step.verdict
        self.reason: str = self._step.reason
        self.deliveries: tuple[Delivery, ...] = tuple(
            event.delivery for event in events if isinstance(event, DeliveryFinished)
        )
        """Every delivery, also each attempt that was sent again."""
        self.comparisons: tuple[Judgement, ...] = self._step.judgements
        """One judgement for each delivery that was judged."""
        self.captured: dict[str, Any] = dict(self._step.captured)
        """What `capture` took from the answers, by name."""

    @property
    def passed(self) -> bool:
        return self.verdict == "passed"

    @property
    def delivery(self) -> Delivery:
        """The last delivery. Errored where nothing was sent."""
        __tracebackhide__ = True
        if not self.deliveries:
            raise Errored(lines.in_line(self.reason) or "nothing was sent")
        return self.deliveries[-1]

    @property
    def comparison(self) -> Judgement:
        """The last delivery's comparison. Errored where nothing was judged."""
        __tracebackhide__ = True
        if not self.comparisons:
            raise Errored(lines.in_line(self.reason) or "nothing was judged")
        return self.comparisons[-1]

    @property
    def differences(self) -> list[Difference]:
        """The differences of all answers from what is expected."""
        return [each for comparison in self.comparisons for each in comparison.differences]

    @property
    def violations(self) -> list[Violation]:
        """The violations of the contract in all answers."""
        return [each for comparison in self.comparisons for each in comparison.violations]

    @property
    def unchecked(self) -> tuple[str, ...]:
        """The parts of the answers that were not compared, such as `events`."""
        return self._step.unchecked

    @property
    def sources(self) -> tuple[SourceCheck, ...]:
        """What the sources of the contract say of an answer, where they part; empty where they agree."""
        return self._step.sources

    @property
    def fault(self) -> Fault | None:
        """Why the last delivery had no usable answer."""
        return self.deliveries[-1].fault if self.deliveries else None

    @property
    def response(self) -> Response:
        """The response to the last delivery. Errored where there is none."""
        __tracebackhide__ = True
        delivery = self.delivery
        if delivery.fault is not None:
            raise Errored(
                lines.in_line(f"there is no answer: {delivery.fault.kind}: {delivery.fault.message}")
            )
        assert delivery.response is not None
        return Response(delivery.response)

    def check(self) -> Result:
        """Return this result if it passed.

        Raises AssertionError if it failed, also if nothing was expected; Errored if it could not be judged.
        """
        __tracebackhide__ = True
        if self.verdict == "recorded":
            said = lines.remarks(self._step)
            what = f"nothing was expected: {said}" if said else "nothing was expected"
            raise AssertionError(f"{what} (give send an expect)")
        if not self.passed:
            self._told = True
            kind = AssertionError if self.verdict == "failed" else Errored
            raise kind(f"{self._headline()}\n{self}")
        return self

    def _headline(self) -> str:
        return lines.in_line(f"{self.verdict}: {lines.headline(self._step)}")

    def __str__(self) -> str:
        return "\n".join(told(self._events))

    def __repr__(self) -> str:
        if self.verdict in ("failed", "errored", "skipped"):
            words = self._headline()
            return f"<Result {words if len(words) <= _REPR else words[: _REPR - 1] + '…'}>"
        status = f": {self.response.status}" if self.deliveries and self.fault is None else ""
        said = lines.remarks(self._step)
        return f"<Result {self.verdict}{status}{f'; {said}' if said else ''}>"


def sections(results: Sequence[Result]) -> list[tuple[str, str]]:
    """The sections of a failed test's report: one for each send that `check` has not reported already."""
    numbered = enumerate(results, 1)
    return [(f"retailops send {number}", str(result)) for number, result in numbered if not result._told]
