"""Which contract a request belongs to that was not made by us."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from retailops_sandbox.contracts import contract
from retailops_sandbox.contracts.contract import Contract
from retailops_sandbox.model import Json

_DEFAULT_EDITION = "draft"


def recognised(path: str, sent: Any, paths: Mapping[str, str]) -> Contract:
    """The contract of a request: by its path, then by the action it names, then by what it looks like.

    `sent` is the body's value, UNSET where it is not JSON; `paths` are those that the receiver has of its
    own, by action. What nothing tells apart counts as the default edition.
    """
    known = [contract.load(*name) for name in contract.available()]
    known.sort(key=lambda each: each.edition != _DEFAULT_EDITION)
    by_path = [each for each in known if _ends_in(path, paths.get(each.action, each.path))]
    candidates = by_path or known
    if isinstance(sent, dict) and len(candidates) > 1:
        by_action = [each for each in candidates if each.action == sent.get("action")]
        return min(by_action or candidates, key=lambda each: _strangeness(sent, each))
    return candidates[0]


def _strangeness(sent: dict[str, Json], agreed: Contract) -> tuple[int, int]:
    """How little a payload looks like one of this contract: members it does not know, then violations."""
    unknown = sent.keys() - agreed.request_schema.get("properties", {}).keys()
    return len(unknown), len(agreed.check_request(sent))


def _ends_in(path: str, wanted: str) -> bool:
    wanted = "/" + wanted.strip("/")
    return wanted != "/" and path.rstrip("/").endswith(wanted)
