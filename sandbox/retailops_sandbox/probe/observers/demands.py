"""Statuses and the response schema: what the contract demands of an answer."""

from __future__ import annotations

import re
from base64 import b64decode
from collections.abc import Collection

from msgspec import UNSET

from retailops_sandbox.errors import shortened
from retailops_sandbox.jsontext import pointer
from retailops_sandbox.probe.observers.reading import Reading
from retailops_sandbox.probe.report import Observation

NO_JSON, CUT_OFF, ERRORS = "no-json", "cut-off", "errors"
"""The prints of answers that cannot be read: errors of the receiver's program are told apart."""
_MUCH = 64 * 1024
"""The characters of a request above which it may be refused as too large."""
_SHOWN = 160
"""The most characters of a violation that are quoted."""


def refusal(reading: Reading, accepted: Collection[str]) -> Observation | None:
    """How a request with a wrong proof, or with none, was not refused as the contract demands.

    `accepted` are the prints of answers to requests with the right proof.
    """
    demand, wanted = reading.trial.demand, reading.contract.auth.status if reading.contract.auth else 0
    if demand not in ("refuse", "refuse somehow") or not wanted:
        return None
    if reading.is_done or (reading.is_2xx and reading.print in accepted):
        is_missing = reading.trial.what == "missing"
        kind = "accepts-missing-token" if is_missing else "accepts-wrong-token"
        return reading.shows(kind, f"answered {reading.status}")
    is_4xx = 400 <= reading.status < 500
    # What breaks the request's schema, too, may be refused for that.
    if reading.status == wanted or (is_4xx and (demand == "refuse somehow" or _breaks_schema(reading))):
        return None
    return reading.shows("wrong-refusal", f"answered {reading.status}, not {wanted}")


def _breaks_schema(reading: Reading) -> bool:
    judgement = reading.answered.judgement
    return judgement is not None and bool(judgement.payload_violations)


def status(reading: Reading) -> Observation | None:
    """How the status of the answer to a valid request is none of the contract's."""
    if reading.trial.demand != "accept" or reading.status in reading.contract.ok_statuses:
        return None
    if 400 <= reading.status < 500 and reading.contract.subject and not reading.subjects:
        return None  # the request keeps its schema and names nothing that anything could be done about
    if reading.status == 413 and len(reading.delivery.request.body) > _MUCH:
        return None
    said = reading.content.text if reading.content is not None and reading.content.is_json else ""
    told = f": “{shortened(said, _SHOWN)}”" if said else ""
    kind = "refuses-valid" if 400 <= reading.status < 500 else "wrong-status"
    return reading.shows(kind, f"answered {reading.status}{told}", print=reading.print)


def unreadable(reading: Reading) -> Observation | None:
    """How an answer of one of the contract's statuses is no JSON, whatever else it tells."""
    return body(reading) if reading.value is UNSET else None


def body(reading: Reading) -> Observation | None:
    """How the body of an answer breaks the contract."""
    judgement = reading.answered.judgement
    if judgement is None or reading.status not in reading.contract.ok_statuses or reading.is_elsewhere:
        return None
    broken = [each for each in judgement.violations if each.part in ("answer", "body", "headers")]
    if not broken:
        return None
    first = broken[0]
    words = f"{first.pointer}: {first.message}" if first.pointer else first.message
    if reading.value is UNSET and first.part != "headers":
        is_errors = first.keyword in ("warning", "trace")
        print = ERRORS if is_errors else CUT_OFF if _is_cut_off(reading) else NO_JSON
    else:
        print = f"{_any_item(first.pointer)} {first.keyword}".strip()
    return reading.shows("off-contract", shortened(words, _SHOWN), print=print)


def _is_cut_off(reading: Reading) -> bool:
    """Whether an answer is the beginning of a JSON object in which a character has several bytes."""
    response = reading.delivery.response
    if response is None:
        return False
    body = b64decode(response.body) if response.base64 else response.body.encode()
    return not body.isascii() and body.lstrip().startswith(b"{") and not body.rstrip().endswith(b"}")


def sources(reading: Reading) -> Observation | None:
    """Where a published source beside the contract refuses an answer that keeps the contract."""
    judgement = reading.answered.judgement
    if judgement is None or not reading.is_2xx:
        return None
    for check in judgement.sources:
        for violation in check.violations:
            kind = "null-array" if _is_null(reading, violation.pointer) else "other-source"
            return reading.shows(
                kind,
                f"{check.source}: {violation.pointer or 'the answer'} {violation.message}"[:_SHOWN],
                area="answers",
                print=f"{check.source} {_any_item(violation.pointer)}",
            )
    return None


def _any_item(place: str) -> str:
    """A pointer in which every item of an array is the same."""
    return re.sub(r"/[0-9]+(?=/|$)", "/*", place)


def _is_null(reading: Reading, place: str) -> bool:
    return reading.value is not UNSET and pointer.get(reading.value, place, "") is None
