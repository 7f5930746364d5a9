"""Accepting: the actual answer becomes the expected one, difference by difference. Pure.

deciding    what can be decided about a difference, and the regex that is proposed for one
bodies      an expected body and its rules after the decisions
files       a scenario file's text after the decisions
"""

from sandbox.accept.bodies import MARK
from sandbox.accept.deciding import ACCEPT, KEEP, Decision, Key, Ways, key, proposed_regex, told_regex, ways
from sandbox.accept.files import Accepted, Case, Changed, accept, place

__all__ = [
    "ACCEPT",
    "KEEP",
    "MARK",
    "Accepted",
    "Case",
    "Changed",
    "Decision",
    "Key",
    "Ways",
    "accept",
    "key",
    "place",
    "proposed_regex",
    "told_regex",
    "ways",
]
