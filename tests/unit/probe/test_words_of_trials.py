"""The words for what is tried are of what is tried: none is left of a trial that is sent no more."""

from __future__ import annotations

import pytest

from retailops_sandbox.probe import advice, grouping, phrases
from retailops_sandbox.probe.checking import WHAT as SCENARIO
from retailops_sandbox.probe.generating import baselines, generate
from retailops_sandbox.probe.mutations import MUTATIONS
from tests.support.generated import CONTRACTS, contract_of, options

AUTH = {"header": "Authorization", "scheme": "Bearer", "status": 401}
OTHER = contract_of({"type": "object", "properties": {"id": {}}}, {"id": 1}, method="PUT", auth=AUTH)
"""A contract whose method and proof no shipped one has."""


@pytest.fixture(scope="module")
def tried() -> set[str]:
    """All that a probe may try."""
    asked = [(each, options(each)) for each in CONTRACTS.values()]
    asked += [(OTHER, options(CONTRACTS["order_cancel/v1"], payload={"id": 1}, others={}))]
    asked += [(each, options(each, orders=None)) for each in CONTRACTS.values()]
    probes = [probe for each in asked for probe in [*generate(*each), *baselines(*each)]]
    return {trial.what for probe in probes for trial in probe.trials} | {SCENARIO}


def test_families_are_of_what_is_tried(tried: set[str]):
    assert {what for family in grouping.FAMILIES.values() for what in family} <= tried


def test_advice_is_of_what_is_tried(tried: set[str]):
    assert {what for whats, _ in advice._BY_MUTATION for what in whats} <= tried


def test_phrases_are_of_what_is_tried(tried: set[str]):
    assert {*phrases._PREDICATES, *phrases._PROOFS} <= tried
    assert {*phrases._REQUESTS} <= tried | {*grouping.FAMILIES}


def test_every_mutation_has_its_phrase():
    of_requests = {*phrases._REQUESTS}
    assert {mutation.key for mutation in MUTATIONS} <= {*phrases._PREDICATES} | of_requests
