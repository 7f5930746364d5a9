"""Accepting: the actual answer becomes the expected one, difference by difference. Pure.

deciding    what can be decided about a difference, and the regex that is proposed for one
bodies      an expected body and its rules after the decisions
files       a scenario file's text after the decisions
"""

from retailops_sandbox.accepting.bodies import holds_redacted
from retailops_sandbox.accepting.deciding import (
    ACCEPT,
    KEEP,
    Decision,
    Key,
    Ways,
    key,
    proposed_regex,
    told_regex,
    ways,
)
from retailops_sandbox.accepting.files import Accepted, Changed, JudgedExpectation, accept, place, rounded_up

__all__ = [
    "ACCEPT",
    "KEEP",
    "Accepted",
    "Changed",
    "Decision",
    "JudgedExpectation",
    "Key",
    "Ways",
    "accept",
    "holds_redacted",
    "key",
    "place",
    "proposed_regex",
    "rounded_up",
    "told_regex",
    "ways",
]
