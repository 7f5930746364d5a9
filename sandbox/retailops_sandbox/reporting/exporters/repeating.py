"""Scenarios that repeat deliveries, and notes on them."""

from __future__ import annotations

from collections.abc import Iterable

from retailops_sandbox import recording
from retailops_sandbox.recording import FixtureSource, Recorded, ScenarioDraft
from retailops_sandbox.reporting.exporters.exporter import SentDeliveries


def drafts(sent: SentDeliveries, fixture: FixtureSource) -> list[ScenarioDraft]:
    """The drafts of scenarios that repeat the deliveries: one for each contract, if it has a step."""
    recorded = (Recorded(each.delivery, each.judgement, sent.own) for each in sent.entries)
    return [each for each in recording.drafts(recorded, fixture) if each.scenario.steps]


def notes(drafts: Iterable[ScenarioDraft]) -> list[str]:
    """Notes on deliveries that cannot be repeated, and on rules and references that replace values."""
    of_drafts = list(drafts)
    taken = [each for draft in of_drafts for each in draft.proposals if each.taken]
    rules = [f"a rule for {each.pointer}: it {each.reason}" for each in taken if each.kind == "rule"]
    secrets = [f"set {each.reference[6:-1]} in the environment" for each in taken if each.kind == "secret"]
    return [*(note for draft in of_drafts for note in draft.notes), *rules, *secrets]
