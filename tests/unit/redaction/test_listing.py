"""What a record lists as struck out: only that is a mark, and what is judged again knows it."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import UNSET

from retailops_sandbox import comparing, jsontext, recording, redaction
from retailops_sandbox.contracts.catalogue import SHIPPED_CONTRACTS
from retailops_sandbox.contracts.contract import AnswerCheck
from retailops_sandbox.jsontext import pointer
from retailops_sandbox.model import (
    Delivery,
    Exchange,
    Expectation,
    HttpRequest,
    HttpResponse,
    Judgement,
    Mark,
    Request,
    Response,
    Timings,
    Violation,
    encoder,
)
from retailops_sandbox.recording import Recorded
from retailops_sandbox.redaction import Secrets, listing
from retailops_sandbox.runlog.files.runfile import delivery_decoder, judgement_decoder
from tests.support.records import some_delivery

SECRET = "s3cret-value"
SECRETS = Secrets({"KEY": SECRET})
DRAFT = SHIPPED_CONTRACTS.load("order_cancel", "draft")


def logged(answer: Any, *headers: tuple[str, str], sent: Any = None, secrets: Secrets = SECRETS) -> Delivery:
    """A delivery as the log has it, after it was written and read."""
    body = b"{}" if sent is None else jsontext.compact(sent)
    response = HttpResponse(200, "1.1", headers, jsontext.compact(answer))
    kept = redaction.exchange(
        HttpRequest("POST", "http://shop/", (), body), Exchange((), response, None, Timings()), secrets
    )
    made = some_delivery(request=kept.request, response=kept.response, struck_out=kept.struck_out)
    return delivery_decoder.decode(encoder.encode(made))


def verdict(sent: Delivery, expectation: Expectation) -> str:
    return comparing.Judge(DRAFT)(listing.answer(sent), expectation, at="").verdict


def test_each_place_is_listed_with_its_name_and_type():
    sent = logged(
        {"events": [], "a": [f"x {SECRET}"], SECRET: 1, "n": {"b/c": SECRET}},
        ("X-Echo", f"a {SECRET} b"),
        sent={"deep": {"key": SECRET}},
    )
    assert sent.struck_out is not None
    found = {(each.part, each.pointer, each.key, each.type) for each in sent.struck_out}
    assert found == {
        ("/request/body", "/deep/key", False, "string"),
        ("/response/headers/0/1", None, False, ""),
        ("/response/body", "/a/0", False, "string"),
        ("/response/body", "/«redacted:KEY»", True, ""),
        ("/response/body", "/n/b~1c", False, "string"),
    }
    assert {each.name for each in sent.struck_out} == {"KEY"}
    header = next(each for each in sent.struck_out if each.span)
    assert sent.response is not None
    assert sent.response.headers[0][1][slice(*header.span)] == "«redacted:KEY»"


def test_a_number_is_listed_with_its_type():
    sent = logged({"n": 1234567890, "f": 1234567890.5}, secrets=Secrets({"KEY": "1234567890"}))
    assert [each.type for each in sent.struck_out or ()] == ["integer", "number"]


@given(st.lists(st.sampled_from(["«redacted:KEY»", SECRET, "«redacted:", "»", "x", '"', "\\"]), max_size=6))
def test_only_what_was_struck_out_is_a_mark(parts: list[str]):
    text = "".join(parts)
    sent = logged({"a": text, "b": [text]}, ("X-Text", text))
    hidden = SECRET in text
    body = listing.answered(sent)
    assert isinstance(body, dict)
    leaves = [pointer.resolve(body, at) for at in ("/a", "/b/0")]
    assert [isinstance(leaf, Mark) for leaf in leaves] == [hidden, hidden]
    assert hidden or body["a"] == text
    places = listing.in_part(sent, "/response/headers/0/1")
    assert sent.response is not None
    pieces = listing.pieces(sent.response.headers[0][1], places)
    assert "".join(pieces) == sent.response.headers[0][1]
    assert sum(isinstance(each, Mark) for each in pieces) == text.count(SECRET)


# --- judged again ---


@pytest.mark.parametrize(
    ("rules", "expected"),
    [
        ({}, "recorded"),
        ({"/note": "any"}, "passed"),
        ({"/note": "ignore"}, "passed"),
        ({"/note": {"type": "string"}}, "passed"),
        ({"/note": {"type": "number"}}, "failed"),
        ({"/note": {"regex": "."}}, "recorded"),
        ({"/note": {"contains": "s3"}}, "recorded"),
        ({"/note": {"one_of": ["a", "b"]}}, "recorded"),
        ({"/note": "uuid"}, "recorded"),
    ],
)
def test_a_struck_out_place_is_decided_by_what_is_known_of_it(rules: Any, expected: str):
    sent = logged({"events": [], "note": SECRET})
    for body in ({"events": [], "note": "x"}, {"events": [], "note": "«redacted:KEY»"}):
        assert verdict(sent, Expectation(body=body, rules=rules)) == expected


def test_what_cannot_be_judged_again_is_named_and_a_difference_elsewhere_still_fails():
    sent = logged({"events": [], "note": SECRET}, ("X-Echo", SECRET))
    judge = comparing.Judge(DRAFT)
    expectation = Expectation(body={"events": [], "note": "x"}, headers={"X-Echo": "y"})
    found = judge(listing.answer(sent), expectation, at="")
    assert found.verdict == "recorded"
    assert found.reason == "struck out of the log, so it cannot be judged again: the header X-Echo, /note"
    assert found.differences == ()
    assert verdict(sent, Expectation(status=201, body={"events": [], "note": "x"})) == "failed"
    assert verdict(sent, Expectation(body={"events": [1], "note": "x"})) == "failed"
    assert verdict(sent, Expectation(headers={"X-Echo": "any"})) == "passed"


def test_what_the_expectation_does_not_compare_is_judged_as_before():
    sent = logged({"events": [], "note": SECRET})
    assert verdict(sent, Expectation()) == "passed"
    assert verdict(sent, Expectation(body={"events": []})) == "failed"
    assert verdict(sent, Expectation(body={"events": []}, rules={"": {"extra": "allow"}})) == "passed"


def test_a_contract_is_not_judged_where_a_number_was_struck_out():
    answer = {"events": [], "status": "success", "version": 1234567890}
    found = comparing.Judge(NumbersOnly())(
        listing.answer(logged(answer, secrets=Secrets({"KEY": "1234567890"}))), Expectation(), at=""
    )
    assert (found.verdict, found.violations) == ("recorded", ())
    assert "/version by the contract" in found.reason


class NumbersOnly:
    """A contract by which a version is a number."""

    ok_statuses = (200,)

    def __init__(self) -> None:
        self.arrays: dict[str, tuple[str, ...]] = {}

    def check_answer(self, value: Any) -> AnswerCheck:
        broken = (Violation("/version", "type", "is no number"),)
        return AnswerCheck(broken if isinstance(value["version"], str) else (), {})


# --- judgements ---


def kept(answer: Any, expectation: Expectation, *headers: tuple[str, str]) -> tuple[Delivery, Judgement]:
    """A pair that was judged as it was, and its judgement as the log has it."""
    text = jsontext.compact(answer)
    real = some_delivery(response=Response(status=200, headers=headers, body=text.decode()), struck_out=())
    sent = logged(answer, *headers)
    found = comparing.Judge(DRAFT)(listing.answer(real), expectation, at="")
    judgement = redaction.judgement(found, sent, SECRETS)
    return sent, judgement_decoder.decode(encoder.encode(judgement))


def test_a_judgement_lists_what_was_struck_out_of_its_expectation_and_differences():
    sent, judgement = kept(
        {"events": [], "note": f"b {SECRET}", "other": 1},
        Expectation(
            body={"events": [], "note": f"a {SECRET}", "other": 2},
            rules={"/events": {"one_of": [[SECRET], []]}},
            headers={"X-Echo": SECRET},
        ),
        ("X-Echo", f"{SECRET}!"),
    )
    assert SECRET not in encoder.encode(judgement).decode()
    assert {each.part for each in judgement.struck_out or ()} == {
        "/expectation/body/note",
        "/expectation/rules/~1events/one_of/0/0",
        "/expectation/headers/X-Echo",
        "/differences/0/expected",
        "/differences/0/actual",
        "/differences/1/expected",
        "/differences/1/actual",
    }
    again = listing.judged(judgement)
    assert isinstance(again.differences[1].actual, Mark)
    assert again.differences[2].actual == 1
    assert again.expectation is not None
    assert isinstance(again.expectation.body["note"], Mark)
    assert verdict(sent, again.expectation) == "failed"  # since /other differs


def test_a_message_does_not_show_the_beginning_of_a_secret_that_it_cuts_off():
    long = Secrets({"KEY": "a-very-long-secret-of-many-characters"})
    assert long.quoting('it is "a-very-long-sec…" here') == 'it is "«redacted:KEY»…" here'
    assert long.quoting("a-v…") == "a-v…"
    assert long.quoting("no secret at all…") == "no secret at all…"
    short = Secrets().and_also([("token", "abc")])
    assert short.quoting('it is "abc", not "abcd"') == 'it is "«redacted:token»", not "abcd"'


# --- records of before ---


def of_before(**fields: Any) -> Delivery:
    return delivery_decoder.decode(encoder.encode(some_delivery(**fields)))


def test_in_a_record_of_before_every_text_like_a_mark_counts_and_none_becomes_a_reference():
    mark = "«redacted:HOME»"
    body = jsontext.compact({"version": 1, "a": mark}).decode()
    sent = of_before(
        request=Request(
            method="POST", url=f"http://{mark}@shop/order_cancel", headers=(("X-Key", mark),), body=body
        ),
        response=Response(status=200, body=f'{{"events": [], "note": "{mark}"}}'),
    )
    assert sent.struck_out is None
    assert listing.names(sent, "/request", "/response") == ["HOME"]
    draft = recording.draft([Recorded(sent)], lambda *_: UNSET, SHIPPED_CONTRACTS)
    assert draft.proposals == ()
    assert any("was struck out: write it anew" in note for note in draft.notes)
    (step,) = recording.finished(draft).steps
    assert "${" not in repr(step)
    assert verdict(sent, Expectation(body={"events": [], "note": mark})) == "recorded"
    assert verdict(sent, Expectation(body={"events": [], "note": ""}, rules={"/note": "any"})) == "passed"


def test_a_listing_of_somebody_else_may_name_what_is_not_there():
    sent = msgspec.structs.replace(
        logged({"events": [], "a": "b"}),
        struck_out=(
            redaction.listing.StruckOut(part="/response/body", name="X", pointer="/missing/0"),
            redaction.listing.StruckOut(part="/response/body", name="X", pointer="no pointer"),
            redaction.listing.StruckOut(part="/response/headers/7/1", name="X", span=(3, 1)),
            redaction.listing.StruckOut(part="/nowhere", name="X", span=(0, 5)),
        ),
    )
    assert listing.answered(sent) == {"events": [], "a": "b"}
    assert verdict(sent, Expectation(body={"events": [], "a": "b"})) == "passed"
    assert redaction.delivery(sent, SECRETS).response == sent.response
