"""Recording: deliveries to drafts of scenarios, one for each action and edition. Pure.

A draft is a scenario that would pass against what it was recorded from, and proposals for what should not
stay as it is: values that look volatile become rules, secrets become references to the environment. Whoever
reviews it takes or leaves each.

drafting      deliveries to drafts, and a reviewed draft to its scenario
steps         one delivery to one step
volatile      which values of an answer will differ the next time
recognising   which contract a request belongs to that was not made by us
"""

from retailops_sandbox.contracts.recognise import recognised
from retailops_sandbox.recording.drafting import Proposal, Recorded, ScenarioDraft, drafts, finished
from retailops_sandbox.recording.steps import FixtureSource, parsed

__all__ = [
    "FixtureSource",
    "Proposal",
    "Recorded",
    "ScenarioDraft",
    "drafts",
    "finished",
    "parsed",
    "recognised",
]
