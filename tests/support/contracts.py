"""A contract of an invented action, as a workspace's file holds it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from retailops_sandbox.contracts.catalogue import Contracts, OwnContract
from retailops_sandbox.contracts.contract import DIALECT, Contract

ACTION, EDITION = "order_hold", "v1"


class OneContract(Contracts):
    """Contracts of which each is the same, whatever name is asked for."""

    def __init__(self, agreed: Contract) -> None:
        super().__init__()
        self._agreed = agreed

    def load(self, action: str, edition: str) -> Contract:
        return self._agreed


def contract_document(**changes: Any) -> dict[str, Any]:
    """The JSON of a whole contract of an invented action, with these fields in place of its own."""
    document: dict[str, Any] = {
        "action": ACTION,
        "edition": EDITION,
        "stability": "agreed",
        "method": "POST",
        "path": "/order_hold_v1",
        "source": "An agreement with one client.",
        "group": "orders",
        "summary": "Tells the receiver to hold an order.",
        "ok_statuses": [200],
        "arrays": {"/results": ["code"]},
        "subject": {"kind": "order", "request": ["/hold/refnum"]},
        "events": "/results",
        "codes": ["/results/*/code"],
        "auth": {"pointer": "/token", "status": 401},
        "secrets": ["/token"],
        "request_schema": {
            "$schema": DIALECT,
            "type": "object",
            "description": "Tells the receiver to hold an order.",
            "required": ["hold"],
            "properties": {
                "token": {"type": "string", "description": "The shared secret."},
                "hold": {
                    "type": "object",
                    "description": "What to hold.",
                    "required": ["refnum"],
                    "properties": {
                        "refnum": {"type": "string", "description": "The order.", "examples": ["H-77"]},
                        "days": {"type": "integer", "description": "For how long.", "examples": [3]},
                    },
                },
            },
        },
        "response_schema": {
            "$schema": DIALECT,
            "type": "object",
            "description": "What came of it.",
            "required": ["results"],
            "properties": {
                "results": {
                    "type": "array",
                    "description": "What there is to tell.",
                    "items": {
                        "type": "object",
                        "description": "One thing to tell.",
                        "properties": {"code": {"type": "string", "description": "Its code."}},
                    },
                }
            },
        },
        "examples": {
            "request": {"hold": {"refnum": "H-77", "days": 3}},
            "response": {"results": [{"code": "HELD"}]},
        },
    }
    return {name: value for name, value in {**document, **changes}.items() if value is not None}


def contract_text(**changes: Any) -> str:
    """The text of `contract_document`."""
    return json.dumps(contract_document(**changes), indent=2) + "\n"


def with_own(*documents: dict[str, Any]) -> Contracts:
    """The contracts of a workspace that has these in files of their names."""
    own = [
        OwnContract(each["action"], each["edition"], json.dumps(each), f"{each['action']}.json")
        for each in documents
    ]
    return Contracts({each.name: each for each in own})


def write_contract(folder: Path, **changes: Any) -> Path:
    """Write a contract into a workspace's folder, in a file of its name."""
    document = contract_document(**changes)
    path = folder / "contracts" / f"{document['action']}.{document['edition']}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(document, indent=2) + "\n")
    return path
