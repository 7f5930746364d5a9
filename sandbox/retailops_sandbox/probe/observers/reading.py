"""One answer, read: what it tells, and what it has in common with others."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from functools import cached_property

import msgspec
from msgspec import UNSET, UnsetType

from retailops_sandbox import jsontext
from retailops_sandbox.answers import content
from retailops_sandbox.contracts.contract import Contract
from retailops_sandbox.errors import SourceError
from retailops_sandbox.jsontext import pointer
from retailops_sandbox.model import Delivery, Json, Judgement, Number, Step
from retailops_sandbox.probe.observers.shape import AnswerShape
from retailops_sandbox.probe.probes import Area, Probe, Trial
from retailops_sandbox.probe.report import Observation

_SEARCHED = 64 * 1024
"""The most characters of an answer's text, or of a string in its JSON, that are read."""
_REPEATED = re.compile(
    r"\b(?:already|duplicate[ds]?|earlier|previous(?:ly)?|repeat(?:ed)?|again|before|idempotent|replay(?:ed)?"
    r"|no[- ]?op|nothing|unchanged|ignored|skipped|not found|unknown|no such|does not exist|no longer"
    r"|bereits|schon|d[eé]j[aà])\b|already|duplicate"
)
"""Words by which an event tells that this time nothing was done."""


class Answered(msgspec.Struct, frozen=True, kw_only=True):
    """A delivery of a probe with its judgement, as both are kept."""

    probe: Probe
    trial: Trial
    delivery: Delivery
    judgement: Judgement | None = None

    @property
    def step(self) -> Step | None:
        """The step that the trial is about."""
        return next((each for each in self.probe.scenario.steps if each.name == self.trial.step), None)


class Reading(msgspec.Struct, dict=True, kw_only=True):
    """An answered delivery, read as far as it is asked for."""

    answered: Answered
    contract: Contract
    shape: AnswerShape

    @property
    def delivery(self) -> Delivery:
        return self.answered.delivery

    @property
    def trial(self) -> Trial:
        return self.answered.trial

    def shows(self, kind: str, detail: str = "", *, area: Area | None = None, print: str = "") -> Observation:
        """The observation that this answer shows."""
        return Observation(
            kind=kind,
            probe=self.answered.probe.id,
            step=self.trial.step,
            area=area or self.answered.probe.area,
            what=self.trial.what,
            field=self.trial.field,
            delivery=self.delivery.id,
            detail=detail,
            valid=self.trial.demand == "accept",
            print=print,
        )

    @property
    def status(self) -> int:
        """The status of the answer; 0 where there is none."""
        response = self.delivery.response
        return response.status if response is not None and self.delivery.fault is None else 0

    @property
    def is_2xx(self) -> bool:
        return 200 <= self.status < 300

    @property
    def is_hung_up(self) -> bool:
        """Whether the sandbox itself ended the delivery, so that it says nothing of the receiver."""
        step, fault = self.answered.step, self.delivery.fault
        broken_off = (
            step is not None
            and step.deliver.wire is not None
            and (step.deliver.wire.break_off_after is not None)
        )
        return self.delivery.dropped or broken_off or (fault is not None and fault.kind == "cancelled")

    @cached_property
    def group(self) -> tuple[str, int]:
        """The step with which those begin that are sent at once, and how many requests that are."""
        steps, name = self.answered.probe.scenario.steps, self.trial.step
        at = next((number for number, each in enumerate(steps) if each.name == name), None)
        if at is None:
            return name, 1
        first = at
        while first and _is_together(steps[first]):
            first -= 1
        last = at
        while last + 1 < len(steps) and _is_together(steps[last + 1]):
            last += 1
        if first == last:
            return name, min(steps[at].deliver.times, steps[at].deliver.parallel)
        return steps[first].name, sum(each.deliver.times for each in steps[first : last + 1])

    @property
    def is_at_once(self) -> bool:
        """Whether other requests are in flight at the same time."""
        return self.group[1] > 1

    @cached_property
    def is_elsewhere(self) -> bool:
        """Whether the request was none that the contract knows: another method, or another path."""
        step = self.answered.step
        wire = step.deliver.wire if step is not None else None
        if wire is None:
            return False
        return wire.path is not None or self.is_other_method

    @cached_property
    def is_other_method(self) -> bool:
        """Whether the request had another HTTP method than the contract's."""
        return self.delivery.request.method.upper() != self.contract.method

    @cached_property
    def sent(self) -> Json | UnsetType:
        """The payload that was sent; UNSET where it was no strict JSON."""
        request = self.delivery.request
        if request.base64:
            return UNSET
        try:
            return jsontext.parse(request.body)
        except SourceError:
            return UNSET

    @cached_property
    def subjects(self) -> list[Json]:
        """The ids that the request was about, at each place that the contract has for them."""
        paths = self.contract.subject.request if self.contract.subject else ()
        return [value for path in paths for value in values_at(self.sent, path)]

    @cached_property
    def said(self) -> frozenset[str]:
        """Each text and number of the payload, as text."""
        return frozenset(() if self.sent is UNSET else _leaves(self.sent))

    @property
    def names_its_order(self) -> bool:
        """Whether every id of the request is that of its trial, in any type."""
        subjects = self.subjects
        return bool(self.trial.order and subjects) and all(str(each) == self.trial.order for each in subjects)

    @cached_property
    def value(self) -> Json | UnsetType:
        """The answer's JSON; UNSET where it is none."""
        response = self.delivery.response
        if response is None or response.base64 or not response.body.strip():
            return UNSET
        try:
            return jsontext.parse_answer(response.body)
        except SourceError:
            return UNSET

    @cached_property
    def content(self) -> content.Content | None:
        """What the answer's body is; None without an answer."""
        response = self.delivery.response
        return None if response is None else content.of(response)

    @cached_property
    def events(self) -> list[dict[str, Json]]:
        """The events that the answer tells."""
        return [] if self.value is UNSET else self.shape.events_in(self.value)

    @cached_property
    def is_done(self) -> bool:
        """Whether the answer tells that what was asked for is done: a 2xx without an error."""
        return self.is_2xx and isinstance(self.value, dict) and not self.tells_of_error

    @cached_property
    def tells_of_error(self) -> bool:
        """Whether the answer's JSON tells that what was asked for was not done."""
        if not isinstance(self.value, dict):
            return False
        if self.shape.outcome_of(self.value) == "failure" or any(map(self.shape.is_error, self.events)):
            return True
        return any(self.value.get(name) for name in ("error", "errors", "exception"))

    @property
    def tells_anything(self) -> bool:
        """Whether the answer has anything in it: an outcome, an event, or what was asked for."""
        return not isinstance(self.value, dict) or any(
            member not in (None, "", [], {}) for member in self.value.values()
        )

    @cached_property
    def tells_of_acting(self) -> bool:
        """Whether the answer's events tell that something was done, and not that it was done before."""
        return (
            self.is_done
            and bool(self.events)
            and not any(_REPEATED.search(self.shape.words_of(each)) for each in self.events)
        )

    @property
    def tells_of_before(self) -> bool:
        """Whether an event of the answer tells that nothing was done this time."""
        return any(_REPEATED.search(self.shape.words_of(each)) for each in self.events)

    @cached_property
    def print(self) -> str:
        """What the answer has in common with those about other orders: its text without ids and numbers."""
        if self.value is UNSET:
            body = self.delivery.response.body[:_SEARCHED] if self.delivery.response else ""
            return f"{self.status} {_without_numbers(body)[:400]}"
        return f"{self.status} {jsontext.flat(self._blanked(self.value, ()))}"

    def _blanked(self, value: Json, path: tuple[str, ...]) -> Json:
        if isinstance(value, dict):
            return {key: self._blanked(value[key], (*path, key)) for key in sorted(value)}
        if isinstance(value, list):
            return [self._blanked(item, (*path, "0")) for item in value]
        if isinstance(value, str):
            return value if self.shape.keeps_its_text(path) else _without_numbers(value[:_SEARCHED])
        if isinstance(value, (int, Number)) and not isinstance(value, bool):
            return 1 if value else 0
        return value

    @cached_property
    def numbers(self) -> frozenset[str]:
        """The words with digits in the answer's events, without the ids that were asked about."""
        found = {
            word
            for event in self.events
            for text in _texts(event, skip=self.shape.codes)
            for word in _NUMBERED.findall(_TIMES.sub("", text))
        }
        return frozenset(found - {str(each) for each in self.subjects})

    @cached_property
    def texts(self) -> tuple[str, ...]:
        """The texts of the answer: each string of its JSON, else its body."""
        response = self.delivery.response
        if response is None or response.base64:
            return ()
        if self.value is UNSET:
            return (response.body[:_SEARCHED],)
        return tuple(_texts(self.value))


_NUMBERED = re.compile(r"(?<![^\W_])[^\W\d_]*+\d[\w-]*")
"""A word with a digit. It is looked for at the beginnings of words only: texts are long."""
_TIMES = re.compile(r"\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d)?[\d.:+Z-]*)?")


def _without_numbers(text: str) -> str:
    """A text in which every word with a digit is the same."""
    return _NUMBERED.sub("#", _TIMES.sub("#", text))


def _texts(value: Json, skip: Collection[str] = ()) -> Iterator[str]:
    """The strings and numbers of a document as texts. Strings beside each other in an array are one text."""
    if isinstance(value, dict):
        for key, child in value.items():
            if key not in skip:
                yield from _texts(child)
    elif isinstance(value, list):
        if value and all(isinstance(each, str) for each in value):
            yield "\n".join(str(each) for each in value)[:_SEARCHED]
        else:
            for child in value:
                yield from _texts(child)
    elif isinstance(value, str):
        yield value[:_SEARCHED]
    elif isinstance(value, (int, Number)) and not isinstance(value, bool):
        yield str(value)


def _is_together(step: Step) -> bool:
    return step.together


def _leaves(value: Json) -> Iterator[str]:
    """The texts and numbers of a document, as texts."""
    if isinstance(value, (dict, list)):
        for child in value.values() if isinstance(value, dict) else value:
            yield from _leaves(child)
    elif isinstance(value, (str, int, Number)) and not isinstance(value, bool):
        yield str(value)


def values_at(document: Json | UnsetType, path: str) -> list[Json]:
    """The values at a path that say something; `*` is each item. Places that are not there are left out."""
    if document is UNSET:
        return []
    try:
        return [value for _, value in pointer.resolve_all(document, path) if value not in ("", None, 0)]
    except pointer.PointerError:
        return []
