"""Generated scenarios as they are saved: read from their text and run, a right receiver passes them."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec
import pytest

from retailops_sandbox.contracts.catalogue import Contracts
from retailops_sandbox.engine import Event, Options, Run, StepResult
from retailops_sandbox.model import Receiver as ReceiverModel
from retailops_sandbox.probe.generating import GenerateOptions, generate
from retailops_sandbox.probe.probes import AREAS, Area, Probe
from retailops_sandbox.scenarios import scenario
from retailops_sandbox.scenarios.scenario import Plan
from retailops_sandbox.standin import TOKEN as TOKEN_OF_STAND_IN
from retailops_sandbox.standin import StandIn
from retailops_sandbox.transport import Transport
from retailops_sandbox.workspace.cases import CaseReader
from retailops_sandbox.workspace.workspace import Workspace
from tests.support.contracts import contract_document, with_own
from tests.support.generated import CONTRACTS, IDS, options
from tests.support.playing import MemoryLog, play, real_ports
from tests.support.probed.payloads import CrashesOnNull
from tests.support.probed.receiving import TOKEN, serving
from tests.support.probed.right import RIGHT
from tests.support.proving import BEARER, SIGNED


def saved(probes: Sequence[Probe]) -> list[Plan]:
    """The probes as their files are read."""
    return [scenario.read(scenario.spelled(each.scenario), id=each.id, file="") for each in probes]


def run(url: str, edition: str, folder: Path, *areas: Area) -> list[StepResult]:
    """The probes of these areas against a receiver of order_cancel, of all if none is named."""
    contract = CONTRACTS[f"order_cancel/{edition}"]
    shop = ReceiverModel(name="shop", base_url=url, token=TOKEN if contract.auth else "")
    plans = saved(generate(contract, options(contract, areas=areas or AREAS)))
    return play(plans, url, receiver=shop, cases=CaseReader(Workspace(folder))).steps


def test_a_right_receiver_passes_every_saved_scenario(tmp_path: Path):
    with RIGHT["Picky"].start() as url:
        steps = run(url, "v1", tmp_path)
    # Also those that are broken off, which expect no answer.
    assert [(step.name, step.reason) for step in steps if step.verdict != "passed"] == []


def test_a_right_receiver_of_the_other_edition_passes_what_is_asked_of_fields(tmp_path: Path):
    with RIGHT["Draft"].start() as url:
        steps = run(url, "draft", tmp_path, "contract", "repetition")
    assert [(step.name, step.reason) for step in steps if step.verdict != "passed"] == []


def test_a_receiver_that_crashes_on_null_fails_the_steps_with_null(tmp_path: Path):
    with serving(CrashesOnNull()) as url:
        steps = run(url, "v1", tmp_path, "contract")
    failed = [step.name for step in steps if step.verdict != "passed"]
    assert failed
    assert all(name.endswith(" null") for name in failed)


PROOFS: dict[str, dict[str, Any]] = {
    "pointer": {"pointer": "/token"},
    "header": {"header": "X-Key"},
    "scheme": BEARER,
    "signature": SIGNED,
    "base64": {"header": "X-Proof", "signature": {"algorithm": "sha1", "encoding": "base64"}},
}


@pytest.mark.parametrize("kind", PROOFS)
def test_a_receiver_that_minds_the_proof_passes_whatever_the_proof_is(kind: str):
    document = contract_document(auth={**PROOFS[kind], "status": 403}, secrets=[])
    contracts = with_own(document)
    contract = contracts.load(document["action"], document["edition"])
    payload = document["examples"]["request"]
    probes = generate(contract, GenerateOptions(payload=payload, orders=IDS, token=True, areas=("auth",)))
    tried = {trial.what for probe in probes for trial in probe.trials}
    assert tried >= {"right", "wrong", "missing", "empty-text", "shortened", "lengthened", "altered"}
    steps = asyncio.run(run_stand_in(saved(probes), contracts))
    assert len(steps) == sum(len(probe.trials) for probe in probes)
    assert [(step.name, step.reason) for step in steps if step.verdict != "passed"] == []


async def run_stand_in(plans: list[Plan], contracts: Contracts) -> list[StepResult]:
    """Run plans against the stand-in, which knows these contracts."""
    events: list[Event] = []
    stand_in = StandIn(lambda: contracts)
    url = await stand_in.start()
    try:
        async with Transport() as transport:
            ports = msgspec.structs.replace(real_ports(transport, MemoryLog()), contracts=contracts)
            shop = ReceiverModel(name="shop", base_url=url, token=TOKEN_OF_STAND_IN)
            await Run(plans, ports, Options(receiver=shop)).execute(events.append)
    finally:
        await stand_in.stop()
    return [event for event in events if isinstance(event, StepResult)]
