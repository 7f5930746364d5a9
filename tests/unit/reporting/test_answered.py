"""What came of a delivery, in the words of a list."""

from __future__ import annotations

from typing import get_args

import msgspec
import pytest

from retailops_sandbox.contracts.catalogue import SHIPPED_CONTRACTS
from retailops_sandbox.model import Fault, FaultKind, Response
from retailops_sandbox.reporting.render.answered import FAULTS, told
from retailops_sandbox.reporting.render.contract_words import ContractWords
from retailops_sandbox.runlog.rows import row_of
from tests.support.records import some_delivery

EVENTS = ContractWords("order", "events", "event")


@pytest.mark.parametrize(
    ("status", "body", "words"),
    [
        (200, '{"events": []}', "no events"),
        (200, '{"events": [{"error_code": "ERR1409"}, {"error_code": "ERR1001"}]}', "ERR1409, ERR1001"),
        (200, '{"events": [{"error_code": "E1"}, {"error_code": "E1"}]}', "E1 (2 events)"),
        (200, '{"events": [{"error_message": "No"}]}', "1 event without a code"),
        (200, '{"events": null}', "no list of events"),
        (500, "<html>Internal error</html>", "no list of events"),
    ],
)
def test_a_list_says_the_events_of_an_answer(status: int, body: str, words: str) -> None:
    sent = msgspec.structs.replace(some_delivery(), response=Response(status=status, body=body))
    assert told(row_of(sent, SHIPPED_CONTRACTS), EVENTS) == words


def test_a_list_speaks_by_the_words_of_the_contract() -> None:
    one = msgspec.structs.replace(row_of(some_delivery(), SHIPPED_CONTRACTS), events=1, codes=())
    entries = ContractWords(events="entries", event="entry")
    assert told(one, entries) == "1 entry without a code"
    assert told(msgspec.structs.replace(one, events=None), entries) == "no list of entries"
    assert told(msgspec.structs.replace(one, events=None), ContractWords()) == ""


@pytest.mark.parametrize("kind", get_args(FaultKind))
def test_a_list_says_every_fault_in_words(kind: FaultKind) -> None:
    sent = msgspec.structs.replace(some_delivery(), response=None, fault=Fault(kind, "it broke"))
    assert (
        told(row_of(sent, SHIPPED_CONTRACTS), EVENTS)
        == told(row_of(sent, SHIPPED_CONTRACTS), ContractWords())
        == FAULTS[kind]
    )
