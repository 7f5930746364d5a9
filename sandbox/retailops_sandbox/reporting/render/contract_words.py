"""The words of a contract for what its payloads are about, and for what its answers tell."""

from __future__ import annotations

import msgspec

from retailops_sandbox.comparing.matchers import item_noun
from retailops_sandbox.contracts.contract import Contract


class ContractWords(msgspec.Struct, frozen=True):
    """The words by which pages speak of an action; all empty for a contract that is not known."""

    subject: str = ""
    """The noun for what a delivery is about, such as `order`; empty where that has no id."""
    events: str = ""
    """The name of the array in which an answer tells what happened, such as `events`; empty for none."""
    event: str = ""
    """The noun for one of its items."""


def words_of(agreed: Contract) -> ContractWords:
    """The words of a contract."""
    subject = agreed.subject.kind if agreed.subject is not None else ""
    if not agreed.events:
        return ContractWords(subject)
    return ContractWords(subject, agreed.events.rpartition("/")[2], item_noun(agreed.events))
