"""Recording: deliveries to the draft of one scenario, also where they are of several actions. Pure.

A draft is a scenario that would pass against the responses it was recorded from, and proposals for values
that should not stay as they are: volatile values become rules, secrets become references to the environment.
The reviewer of the draft takes or leaves each proposal.

drafting   deliveries to a draft, and a reviewed draft to its scenario
steps      one delivery to one step
"""

from retailops_sandbox.recording.drafting import (
    Proposal,
    Recorded,
    ScenarioDraft,
    contract_words,
    draft,
    env_variable,
    finished,
    taken_by_default,
)
from retailops_sandbox.recording.steps import (
    FixtureSource,
    first_violation,
    json_of,
    parsed,
    wrong_proof,
)

__all__ = [
    "FixtureSource",
    "Proposal",
    "Recorded",
    "ScenarioDraft",
    "contract_words",
    "draft",
    "env_variable",
    "finished",
    "first_violation",
    "json_of",
    "parsed",
    "taken_by_default",
    "wrong_proof",
]
