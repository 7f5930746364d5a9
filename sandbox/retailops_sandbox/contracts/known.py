"""Which contract knows a request: told by its path and its payload, from the contracts' own data."""

from __future__ import annotations

from urllib.parse import urlsplit

from retailops_sandbox.contracts import contract
from retailops_sandbox.contracts.contract import Contract
from retailops_sandbox.model import Json

_LIKENESS = 0.5
"""How much of a payload's and a schema's members must be the same ones for a payload that breaks it."""


def contracts(action: str = "", edition: str = "") -> list[Contract]:
    """All contracts of this action and edition, where these are said."""
    return [
        contract.load(*each)
        for each in contract.available()
        if (not action or each[0] == action) and (not edition or each[1] == edition)
    ]


def of(url: str, payload: Json, candidates: list[Contract]) -> Contract | None:
    """The one contract that a request is of; None where none knows it, or several might."""
    keeping = [each for each in candidates if not each.check_request(payload)]
    called = [each for each in candidates if url and _is_at(url, each)]
    both = [each for each in keeping if each in called]
    most = max((likeness(payload, each) for each in candidates), default=0.0)
    alike = [each for each in candidates if likeness(payload, each) == most > _LIKENESS]
    for matches in (both, keeping, called, alike):
        if matches:
            return matches[0] if len(matches) == 1 else None
    return None


def is_payload(value: Json, candidates: list[Contract]) -> bool:
    """Whether an object found in a text is what one of these contracts sends, if perhaps a broken one."""
    return any(likeness(value, each) > _LIKENESS for each in candidates)


def likeness(payload: Json, known: Contract) -> float:
    """How much of the members of a payload and of a contract's request are the same, from 0 to 1."""
    if not isinstance(payload, dict):
        return 0.0
    required = set(known.request_schema.get("required", ()))
    members = set(known.request_schema.get("properties", ()))
    everything = required | set(payload)
    return len(members & set(payload)) / len(everything) if everything else 0.0


def _is_at(url: str, known: Contract) -> bool:
    try:
        path = urlsplit(url).path
    except ValueError:
        return False
    return path.rstrip("/").endswith(known.path)
