"""The story of an order, made of deliveries about it."""

from __future__ import annotations

import msgspec
import pytest

from retailops_sandbox.contracts.catalogue import SHIPPED_CONTRACTS
from retailops_sandbox.model import Fault, Judgement, Response, Timings, Verdict
from retailops_sandbox.reporting.render.contract_words import ContractWords
from retailops_sandbox.runlog.entries import Entry
from retailops_sandbox.web.log import story as pages
from retailops_sandbox.web.log.story import Chapter
from tests.support.records import some_delivery

EVENTS = ContractWords("order", "events", "event")


def entry(
    second: int,
    *,
    payload: str = '{"data":{"order":{"id":"4897"}}}',
    codes: tuple[str, ...] = (),
    verdict: Verdict = "passed",
    fault: Fault | None = None,
    receiver: str = "local",
) -> Entry:
    events = ", ".join(f'{{"error_code": "{code}"}}' for code in codes)
    sent = some_delivery(
        id=f"20240501T120000Z-aaaaaa.{second:06}",
        receiver=receiver,
        sent_at=f"2024-05-01T{12 + second // 3600}:{second // 60 % 60:02}:{second % 60:02}.000Z",
        response=None if fault else Response(status=200, body=f'{{"events": [{events}]}}'),
        fault=fault,
    )
    request = msgspec.structs.replace(sent.request, body=payload)
    sent = msgspec.structs.replace(sent, request=request)
    return Entry(sent, (Judgement(delivery=sent.id, verdict=verdict, at=sent.sent_at),))


def story(sent: list[Entry], words: ContractWords = EVENTS) -> list[Chapter]:
    return pages.story(sent, lambda action, edition: words, SHIPPED_CONTRACTS)


def test_a_payload_that_was_sent_before_is_a_duplicate() -> None:
    first, other, again, third = story(
        [entry(0), entry(1, payload='{"data":{"order":{"id":"4897","x":1}}}'), entry(2), entry(3)],
    )
    assert first.repeats is other.repeats is None
    assert again.repeats is not None
    assert again.repeats.id == first.row.id
    assert third.repeats is not None
    assert third.repeats.id == again.row.id
    assert not again.became


def test_another_outcome_of_the_same_payload_is_a_change() -> None:
    chapters = story(
        [
            entry(0),
            entry(1, codes=("ERR1409",), verdict="failed"),
            entry(2, fault=Fault("refused", "no"), verdict="errored"),
            entry(3, verdict="errored", receiver="other"),
            entry(4, verdict="errored", receiver="local"),
        ],
    )
    assert [list(each.became) for each in chapters] == [
        [],
        ["verdict passed → failed", "no events → ERR1409"],
        ["verdict failed → errored", "ERR1409 → refused: nothing listens"],
        ["refused: nothing listens → no events", "receiver local → other"],
        [],
    ]


def test_a_chapter_says_what_changed_in_the_payload() -> None:
    members = ", ".join(f'"m{number}": {number}' for number in range(6))
    _, second, third = story(
        [
            entry(0),
            entry(1, payload='{"data":{"order":{"id":"4898"}}}'),
            entry(2, payload=f'{{"data":{{"order":{{"id":"4898"}}}}, {members}}}'),
        ],
    )
    assert list(second.changes) == ['/data/order/id: "4897" → "4898"']
    assert second.before == "20240501T120000Z-aaaaaa.000000"
    assert third.changes[0] == "/m0: nothing → 0"
    assert (len(third.changes), third.more_changes) == (4, 2)


@pytest.mark.parametrize("payload", ["no JSON", '{"a": 1, "a": 2}'])
def test_a_payload_that_is_no_json_has_no_changes(payload: str) -> None:
    _, second = story([entry(0), entry(1, payload=payload)])
    assert list(second.changes) == []


@pytest.mark.parametrize(
    ("seconds", "words", "is_long"),
    [
        (2, "2 s", False),
        (125, "2 min 5 s", False),
        (600, "10 min 0 s", True),
        (4 * 3600 + 60, "4 h 1 min", True),
    ],
)
def test_gaps_are_told_in_words(seconds: int, words: str, is_long: bool) -> None:
    first, second = story([entry(0), entry(seconds)])
    assert first.gap == ""
    assert (second.gap, second.is_long) == (words, is_long)
    assert (first.at, second.at) == (1, 99)


def test_deliveries_that_were_under_way_at_the_same_time_are_told() -> None:
    sent = entry(0)
    long = msgspec.structs.replace(sent.delivery, timings=Timings(total=1500))
    short = msgspec.structs.replace(sent.delivery, timings=Timings(total=900))
    later = entry(1)
    assert [each.overlaps for each in story([Entry(long, sent.judgements), later])] == [False, True]
    assert [each.overlaps for each in story([Entry(short, sent.judgements), later])] == [False, False]


def test_a_delivery_whose_time_is_none_has_its_place() -> None:
    odd = entry(0)
    odd = Entry(msgspec.structs.replace(odd.delivery, sent_at="never"), odd.judgements)
    assert [each.gap for each in story([odd, entry(5)])] == ["", ""]


def test_where_a_contract_tells_no_events_only_verdict_and_answer_change() -> None:
    chapters = story([entry(0), entry(1, codes=("ERR1409",), verdict="failed")], ContractWords("sku"))
    assert list(chapters[1].became) == ["verdict passed → failed"]
