"""Scenarios that repeat deliveries, and notes on them."""

from __future__ import annotations

from retailops_sandbox import recording
from retailops_sandbox.contracts.catalogue import Contracts
from retailops_sandbox.recording import FixtureSource, Recorded, ScenarioDraft
from retailops_sandbox.reporting.exporters.exporter import SentDeliveries


def draft(sent: SentDeliveries, fixture: FixtureSource, contracts: Contracts) -> ScenarioDraft | None:
    """The draft of a scenario that repeats the deliveries; None where none of them can be repeated."""
    recorded = (Recorded(each.delivery, each.judgement, sent.own) for each in sent.entries)
    made = recording.draft(recorded, fixture, contracts)
    return made if made.scenario.steps else None


def notes(draft: ScenarioDraft) -> list[str]:
    """Notes on deliveries that cannot be repeated, and on rules and references that replace values."""
    taken = [each for each in draft.proposals if each.taken]
    rules = [f"a rule for {each.pointer}: it {each.reason}" for each in taken if each.kind == "rule"]
    secrets = [f"set {each.reference[6:-1]} in the environment" for each in taken if each.kind == "secret"]
    return [*draft.notes, *rules, *secrets]
