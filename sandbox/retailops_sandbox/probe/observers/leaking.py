"""What an answer gives away, and an HTML page where JSON is wanted."""

from __future__ import annotations

from msgspec import UNSET

from retailops_sandbox.answers import leaks
from retailops_sandbox.probe.observers.reading import Reading
from retailops_sandbox.probe.report import Observation


def page(reading: Reading) -> Observation | None:
    """How an answer that says that all is well is an HTML page."""
    if not reading.is_2xx or reading.is_elsewhere or reading.value is not UNSET or reading.content is None:
        return None
    if reading.content.kind != "html":
        return None
    told = next(filter(None, map(leaks.find, reading.texts)), None)
    words = f"{reading.content.words}, and tells {told.what}" if told else reading.content.words
    return reading.shows("html", words, area="answers", print="errors" if told else "page")


def leak(reading: Reading) -> Observation | None:
    """What a text of an answer gives away of its program, and that the request did not say itself."""
    sent = reading.delivery.request.body
    for text in reading.texts:
        found = leaks.find(text)
        if found is not None and found.text not in sent:
            return reading.shows(found.kind, f"{found.what}: {found.text}", area="answers", print=found.what)
    return None
