"""Which contract a request belongs to, judged by its path and its payload."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from urllib.parse import urlsplit

from retailops_sandbox.contracts.catalogue import Contracts, Heading
from retailops_sandbox.contracts.contract import Contract
from retailops_sandbox.model import Json

_LIKENESS = 0.5
"""The least `likeness` by which a payload that breaks a contract's schema still counts as one of it."""


def fitting(url: str, payload: Json, candidates: Sequence[Contract]) -> list[Contract]:
    """The contracts that a request which went anywhere fits: one where it is told, several where it is not.

    A payload that keeps a contract decides before the URL does, as the receiver's own paths are not known.
    One that breaks all of them fits the contract that it is most like, if that is one. `payload` is None for
    a body that is not JSON.
    """
    is_of_another = _names_another(payload, candidates)
    candidates = _of_action(payload, candidates)
    keeping = _kept_by(payload, candidates)
    at_path = [each for each in candidates if url and _ends_in(_path(url), each.path)]
    if is_of_another and not at_path:
        # Schemas take any name of an action: a payload of another one may keep the one that demands least.
        return _naming_all(payload, keeping) if len(keeping) > 1 else []
    for matches in ([each for each in keeping if each in at_path], keeping, at_path):
        if matches:
            return _naming_all(payload, matches)
    most = max((likeness(payload, each) for each in candidates), default=0.0)
    alike = [each for each in candidates if likeness(payload, each) == most > _LIKENESS]
    return alike if len(alike) == 1 else []


def recognise_at_receiver(
    path: str, payload: Json, paths: Mapping[str, str], contracts: Contracts
) -> Contract:
    """The contract of a request to the path of a receiver's URL. Its own paths, by action, are known.

    The path decides before the payload, as a step of that contract is sent to the same path. Where neither
    distinguishes the contracts, it is the default edition. `payload` is None for a body that is not JSON.
    """
    known = contracts.of()
    at_path = [each for each in known if _ends_in(path, paths.get(each.action, each.path))]
    candidates = _of_action(payload, at_path or known)
    if len(candidates) > 1:
        candidates = _kept_by(payload, candidates) or candidates
    # Of equals, max takes the first.
    return max(candidates, key=lambda each: likeness(payload, each))


def is_foreign(url: str, payload: Json, contracts: Contracts) -> bool:
    """Whether neither path nor payload of a request speak for a contract."""
    if at_end(_path(url), contracts):
        return False
    known = contracts.of()
    return _names_another(payload, known) or not is_payload(payload, known)


def at_end(path: str, contracts: Contracts) -> Heading | None:
    """The heading of the contract whose path is the end of a URL's path; None where none is."""
    ending = [each for each in contracts.headings if _ends_in(path, each.path)]
    return max(ending, key=lambda each: len(each.path), default=None)


def is_payload(value: Json, candidates: Sequence[Contract]) -> bool:
    """Whether a JSON value is a payload of one of these contracts, also one that breaks it."""
    return any(likeness(value, each) > _LIKENESS for each in candidates)


def likeness(payload: Json, agreed: Contract) -> float:
    """The share of members that a payload and a contract's request have in common, from 0 to 1."""
    if not isinstance(payload, dict):
        return 0.0
    required = set(agreed.request_schema.get("required", ()))
    members = set(agreed.request_schema.get("properties", ()))
    everything = required | set(payload)
    return len(members & set(payload)) / len(everything) if everything else 0.0


def _of_action(payload: Json, candidates: Sequence[Contract]) -> Sequence[Contract]:
    """The candidates of the action that the payload names; all of them where it names none of theirs."""
    action = payload.get("action") if isinstance(payload, dict) else None
    return [each for each in candidates if each.action == action] or candidates


def _names_another(payload: Json, candidates: Sequence[Contract]) -> bool:
    """Whether a payload names an action that is none of the candidates'."""
    action = payload.get("action") if isinstance(payload, dict) else None
    return isinstance(action, str) and action not in {each.action for each in candidates}


def _naming_all(payload: Json, candidates: list[Contract]) -> list[Contract]:
    """The candidates that describe every member of a payload; all of them where none does."""
    members = set(payload) if isinstance(payload, dict) else set()
    return [
        each for each in candidates if members <= set(each.request_schema.get("properties", ()))
    ] or candidates


def _kept_by(payload: Json, candidates: Sequence[Contract]) -> list[Contract]:
    return [each for each in candidates if not each.check_request(payload)]


def _path(url: str) -> str:
    try:
        return urlsplit(url).path
    except ValueError:
        return ""


def _ends_in(path: str, wanted: str) -> bool:
    wanted = "/" + wanted.strip("/")
    return wanted != "/" and path.rstrip("/").endswith(wanted)
