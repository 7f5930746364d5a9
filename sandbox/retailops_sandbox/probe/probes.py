"""Probes: scenarios that are made from a contract, and what each of their steps tries."""

from __future__ import annotations

from typing import Literal, TypeAlias, get_args

import msgspec

from retailops_sandbox.model import Scenario

Area: TypeAlias = Literal["contract", "repetition", "transport", "auth", "speed", "answers"]
"""What a trial is about. Nothing is sent for `answers`: it is what the answers of all others show."""
AREAS: tuple[Area, ...] = get_args(Area)
SENT_AREAS = tuple(each for each in AREAS if each != "answers")
"""The areas for which something is sent."""

Demand: TypeAlias = Literal["accept", "refuse", "refuse somehow", "either"]
"""What a receiver must do with a request.

accept   answer as the contract demands of a valid request: one of its statuses, and a body that keeps it
refuse   answer with the contract's status for a wrong proof of the sender, and do nothing
refuse somehow   answer with any 4xx, and do nothing: of a missing proof, or one of another type, no source
                 says the status
either   accept it, or refuse it with any 4xx: it must not answer 5xx, hang, hang up or answer off contract
"""


class Trial(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """What one step of a probe tries."""

    step: str
    """The name of the step in its scenario."""
    what: str
    """The key of what is tried, such as `null` or `chunked`: that of a mutation or of another trial."""
    demand: Demand
    field: str = ""
    """The pointer of the field that is tried; empty where it is the request as a whole."""
    order: str = ""
    """The id that the request is about, as text."""
    after: str = ""
    """The step to whose answer this one's is compared, as that of a second cancel to the first."""
    is_check: bool = False
    """Whether it only checks that a valid request is still answered. It counts in no area."""


class Probe(msgspec.Struct, frozen=True, kw_only=True):
    """A scenario that is made from a contract, and what its steps try."""

    id: str
    """Unique among the probes of a receiver, such as `contract/data/order/id`."""
    area: Area
    scenario: Scenario
    trials: tuple[Trial, ...]
    """One for each step, in their order."""
    alone: bool = False
    """Whether nothing else may be sent meanwhile: what is measured is time, or what happens at once."""
