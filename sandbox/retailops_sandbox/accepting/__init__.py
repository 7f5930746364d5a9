"""Accepting: the actual answer becomes the expected one, difference by difference.

deciding    the decisions that a difference allows, and the regex that is proposed for it
bodies      an expected body and its rules after the decisions
objections  why an answer cannot be accepted
proposing   the rules that are proposed for accepted values that will differ the next time
files       a scenario file's text after the decisions
answers     an answer as a new expectation
saving      the files that accepting writes, for one expectation or a whole run
"""

from retailops_sandbox.accepting.deciding import (
    ACCEPT,
    KEEP,
    Decision,
    DecisionOptions,
    Key,
    decision_options,
    key,
    preview_regex,
    proposed_regex,
)
from retailops_sandbox.accepting.files import (
    Accepted,
    ExpectationChanged,
    JudgedExpectation,
    accept,
    expects,
    place,
    rounded_up,
)
from retailops_sandbox.accepting.objections import objections
from retailops_sandbox.accepting.proposing import ProposedRule

__all__ = [
    "ACCEPT",
    "KEEP",
    "Accepted",
    "Decision",
    "DecisionOptions",
    "ExpectationChanged",
    "JudgedExpectation",
    "Key",
    "ProposedRule",
    "accept",
    "decision_options",
    "expects",
    "key",
    "objections",
    "place",
    "preview_regex",
    "proposed_regex",
    "rounded_up",
]
