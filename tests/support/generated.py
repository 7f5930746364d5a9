"""Contracts, their fixtures and the probes that are made of them."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

from retailops_sandbox import jsontext, resources
from retailops_sandbox.contracts.catalogue import SHIPPED_CONTRACTS
from retailops_sandbox.contracts.contract import Contract
from retailops_sandbox.model import Json
from retailops_sandbox.probe.generating import GenerateOptions, generate
from retailops_sandbox.probe.orders import OrderIds
from retailops_sandbox.probe.probes import Probe
from tests.support.contracts import contract_document, with_own

IDS = OrderIds(900_000_000, 900_009_999)
CONTRACTS = {"/".join(name): SHIPPED_CONTRACTS.load(*name) for name in SHIPPED_CONTRACTS.names}
"""The shipped contracts by action and edition."""


def fixtures(contract: Contract) -> dict[str, Json]:
    """The shipped payloads of a contract by their names, the default one first."""
    folder = resources.fixtures_dir() / contract.action / contract.edition
    paths = [path for path in folder.glob("*.json") if not path.name.endswith(".expect.json")]
    return {path.stem: _read(path) for path in sorted(paths, key=lambda path: (path.stem != "default", path))}


def _read(path: Path) -> Json:
    return jsontext.parse(path.read_text(encoding="utf-8"))


FIXTURES = {
    f"{name}/{fixture}": (contract, payload)
    for name, contract in CONTRACTS.items()
    for fixture, payload in fixtures(contract).items()
}
"""The contract and the payload of every shipped fixture, by action, edition and name."""


def options(contract: Contract, **changes: Any) -> GenerateOptions:
    """What is usually generated from: the default fixture, with ids of its own and a token."""
    known = fixtures(contract)
    own = known.pop("default")
    usual = {"fixture": "default", "payload": own, "others": known}
    return GenerateOptions(**{**usual, "orders": IDS, "token": True, **changes})


@cache
def generated(name: str) -> list[Probe]:
    """All that is usually generated for a shipped contract, by action and edition."""
    return generate(CONTRACTS[name], options(CONTRACTS[name]))


def contract_of(schema: dict[str, Any], example: Json, **changes: Any) -> Contract:
    """A contract of an invented action with this request schema."""
    document = contract_document()
    schema = {"$schema": document["request_schema"]["$schema"], **schema}
    own = {"subject": {"kind": "order", "request": []}, "auth": None, "secrets": [], **changes}
    examples = {"request": example, "response": document["examples"]["response"]}
    document = contract_document(request_schema=schema, examples=examples, **own)
    return with_own(document).load(document["action"], document["edition"])
