"""Events that contradict the answer's outcome, say nothing, or are read by nobody for their Content-Type."""

from __future__ import annotations

from collections.abc import Iterator

from msgspec import UNSET

from retailops_sandbox.model import Json
from retailops_sandbox.probe.observers.reading import Reading
from retailops_sandbox.probe.report import Observation


def observe(reading: Reading) -> Iterator[Observation]:
    """What an answer that keeps the contract tells in a way that cannot be right."""
    if reading.value is UNSET or reading.is_elsewhere:
        return
    if not isinstance(reading.value, dict):
        return
    outcome = reading.shape.outcome_of(reading.value)
    errors = [each for each in reading.events if reading.shape.is_error(each)]
    informs = [each for each in reading.events if reading.shape.severity_of(each) == "info"]
    if outcome == "success" and errors:
        yield reading.shows(
            "contradiction", "says success, and tells of an error", area="answers", print="success"
        )
    elif outcome == "failure" and len(informs) == len(reading.events) > 0 and not reading.tells_of_before:
        yield reading.shows(
            "contradiction", "says failure, and its events only inform", area="answers", print="failure"
        )
    if (
        outcome == "failure"
        and not reading.events
        and reading.shape.events
        and reading.trial.demand == "accept"
    ):
        yield reading.shows(
            "no-reason", "says failure, and no event says why", area="answers", print="failure"
        )
    yield from _empty(reading, reading.shape.codes, "no-code")
    yield from _empty(reading, reading.shape.messages, "no-message")


def _empty(reading: Reading, members: tuple[str, ...], kind: str) -> Iterator[Observation]:
    """The observation of an event in which a member says nothing."""
    for member in members:
        for event in reading.events:
            if _is_empty(event.get(member)):
                how = "is missing" if member not in event else "is empty"
                yield reading.shows(kind, f"{member} of an event {how}", area="answers", print=member)
                return


def _is_empty(value: Json) -> bool:
    return value is None or (isinstance(value, str) and not value.strip())


def content_type(reading: Reading) -> Observation | None:
    """How JSON was sent as something else."""
    response = reading.delivery.response
    if response is None or reading.value is UNSET or reading.is_elsewhere:
        return None
    named = [value for name, value in response.headers if name.lower() == "content-type"]
    types = [each.partition(";")[0].strip().lower() for each in named]
    if any("json" in each for each in types):
        return None
    how = f"sent as {types[0][:80]}" if types else "sent without a Content-Type"
    return reading.shows("content-type", how, area="answers", print=types[0] if types else "none")


def echo(reading: Reading) -> Observation | None:
    """How a secret of the request came back in the answer."""
    places = reading.delivery.struck_out or ()
    sent = {place.name for place in places if place.part.startswith("/request/")}
    for place in places:
        is_header = place.part.startswith("/response/headers/") and place.name in sent
        if place.part == "/response/body" or is_header:
            at = f" at {place.pointer}" if place.pointer else ""
            return reading.shows("secret-echoed", f"{place.name}{at}", area="answers", print=place.name)
    return None
