"""Observations to findings: alike ones are one cause."""

from __future__ import annotations

import re
from typing import Any

import pytest

from retailops_sandbox.contracts.catalogue import SHIPPED_CONTRACTS
from retailops_sandbox.model import Step
from retailops_sandbox.probe import phrases
from retailops_sandbox.probe.findings import findings
from retailops_sandbox.probe.grouping import Case
from retailops_sandbox.probe.report import Finding, Observation

CONTRACT = SHIPPED_CONTRACTS.load("order_cancel", "v1")
FIELDS = [f"/order/{name}" for name in "abcdefgh"]
WHATS = ["missing", "null", "text", "number", "array", "empty-text"]
TRIED = [Case("contract", field, what) for field in FIELDS for what in WHATS]


def seen(kind: str = "crash", what: str = "null", field: str = FIELDS[0], **how: Any) -> Observation:
    return Observation(
        kind=kind,
        **{
            "probe": f"contract{field}",
            "step": f"{field} {what}",
            "area": "contract",
            "what": what,
            "field": field,
            "delivery": f"{field} {what}",
            "detail": "answered 500",
            **how,
        },
    )


def found(*observations: Observation) -> list[Finding]:
    return list(findings(observations, CONTRACT, tried=TRIED))


def titles(*observations: Observation) -> list[str]:
    return [each.title for each in found(*observations)]


def test_one_mutation_at_all_fields_is_one_cause():
    (one,) = found(*(seen(field=field) for field in FIELDS))
    assert one.title == "Crashes where a member is null"
    assert one.evidence == "8 requests, one cause: answered 500"
    assert (one.count, one.key, one.server) == (8, "crash null", True)
    assert one.smallest.shown == "/order/a: null"


def test_all_mutations_of_one_field_are_one_cause():
    assert titles(*(seen(what=what) for what in WHATS)) == [
        "Crashes where /order/a is of another type, null or missing"
    ]


def test_a_few_failures_beside_a_cause_are_of_that_cause():
    nulls = [seen(field=field) for field in FIELDS]
    assert titles(*nulls, seen(what="missing")) == ["Crashes where a member is null"]


def test_two_causes_are_two_findings():
    nulls = [seen(field=field) for field in FIELDS]
    arrays = [seen(field=field, what="array") for field in FIELDS]
    assert sorted(titles(*nulls, *arrays)) == [
        "Crashes where a member is an array",
        "Crashes where a member is null",
    ]


def test_what_crashes_everywhere_is_one_cause():
    crashes = [seen(field=field, what=what) for _, field, what in TRIED]
    assert titles(*crashes) == ["Crashes whatever is sent"]


def test_one_cell_is_named():
    assert titles(seen()) == ["Crashes where /order/a is null"]


def test_deliveries_of_one_trial_count_once():
    (one,) = found(seen(delivery="1"), seen(delivery="2"))
    assert (one.count, one.deliveries) == (1, ("1", "2"))


def test_a_crash_at_a_valid_request_is_of_the_contract():
    assert found(seen())[0].label == "advice"
    assert found(seen(valid=True))[0].label == "contract"


def test_the_worst_is_first_and_then_what_more_trials_show():
    several = [seen("content-type", field=field) for field in FIELDS]
    order = found(seen("no-code"), *several, seen("null-array"), seen("off-contract"), seen())
    assert [each.kind for each in order] == ["crash", "off-contract", "null-array", "content-type", "no-code"]


def test_what_follows_from_a_cause_is_no_finding():
    assert [each.kind for each in found(seen("down"), seen("hang-up"))] == ["down"]
    wrong = seen("accepts-wrong-token", area="auth", field="")
    missing = seen("accepts-missing-token", area="auth", field="")
    assert [each.kind for each in found(wrong, missing)] == ["accepts-wrong-token"]
    assert [each.kind for each in found(missing)] == ["accepts-missing-token"]
    late, valid = seen("too-late", area="speed", field=""), seen("hang", valid=True)
    assert [each.kind for each in found(late, valid)] == ["too-late"]
    assert {each.kind for each in found(late, seen("hang"))} == {"hang", "too-late"}


def test_what_waits_for_others_is_no_hang():
    waiting = seen("hang", area="speed", what="sixteen-at-once", field="")
    serialised = seen("serialised", area="speed", what="sixteen-at-once", field="")
    assert [each.kind for each in found(waiting, serialised)] == ["serialised"]
    assert [each.kind for each in found(waiting)] == ["hang"]


def test_words_have_the_noun_of_the_contract():
    sku = SHIPPED_CONTRACTS.load("inventory_push", "v1")
    (of_order,) = found(seen("foreign-association"))
    (of_sku,) = findings([seen("foreign-association")], sku)
    assert of_order.title == "Associates events with an order that was not sent"
    assert of_sku.title == "Associates events with a sku that was not sent"


def whole(what: str, area: str = "transport", **how: Any) -> Observation:
    """A crash of a request as a whole."""
    return seen(what=what, area=area, field="", **how)


MENDS: list[tuple[list[Observation], str, str]] = [
    ([whole("gzip")], "where the body is compressed by gzip", "415"),
    ([whole("not-json"), whole("empty-body")], "where the body", "400"),
    ([whole("get"), whole("put")], "on other HTTP methods", "405"),
    ([whole("1-mb"), whole("10-mb")], "where a request is large", "413"),
    ([whole("ten-at-once", "repetition", valid=True)], "when asked twice at once", "unique key"),
    (
        [whole(each, "repetition", valid=True) for each in ("alternating", "sent-again", "afterwards")],
        "when asked twice at once",
        "unique key",
    ),
    ([whole("later", "repetition", valid=True)], "when asked again later", "an event that tells it"),
    (
        [whole(each, "auth") for each in ("spaced", "altered", "wrong")],
        "where the proof of the sender is wrong",
        "the token",
    ),
    ([whole("in-array", "auth")], "where the proof of the sender is in an array", "the token"),
    ([seen(what="astral-characters")], "has characters beyond U+FFFF", "utf8mb4"),
    ([seen(what="control-characters")], "has control characters", "U+0000"),
    ([seen(what="beyond-32-bits")], "is a number beyond 32 bits", "range"),
    ([seen(what="4096-characters")], "has 4,096 characters", "column"),
    ([seen(what="null")], "is null", "may be missing or of another type"),
]


@pytest.mark.parametrize(("observations", "where", "mend"), MENDS, ids=[each[0][0].what for each in MENDS])
def test_a_crash_is_mended_by_what_was_tried(observations: list[Observation], where: str, mend: str):
    (one,) = found(*observations)
    assert where in one.title
    assert mend in one.mend
    assert ("may be missing or of another type" in one.mend) == (where == "is null")


def test_what_a_gateway_answers_is_no_crash_by_its_title():
    busy = whole("ten-at-once", "repetition", detail="answered 503", valid=True)
    (one,) = found(busy)
    assert one.title == "Answers 503 when asked twice at once"
    assert "gateway" in one.mend
    (large,) = found(
        *(whole(each, detail="answered 502") for each in ("1-mb", "10-mb")),
        whole("large-fixture", "contract", detail="answered 502"),
    )
    assert large.title == "Answers 502 where a request is large"
    assert "gateway" in large.mend
    assert "413" in large.mend
    (mixed,) = found(busy, whole("alternating", "repetition", valid=True))
    assert mixed.title == "Crashes when asked twice at once"


def fixture(name: str, **how: Any) -> Observation:
    return seen(what="fixture", field="", step=f"fixture {name}", valid=True, **how)


def test_a_fixture_that_fails_is_told_first_and_by_its_name():
    first, second = found(*(seen(field=field) for field in FIELDS), fixture("no-payment"))
    assert (first.title, first.label, first.count) == ("Crashes with the fixture no-payment", "contract", 1)
    assert (second.title, second.label, second.count) == ("Crashes where a member is null", "advice", 8)
    (several,) = found(*map(fixture, "abcd"))
    assert several.title == "Crashes with the fixtures a, b, c and 1 more"


def test_a_fixture_about_an_order_that_was_asked_about_before_fails_as_repetitions_do():
    again = [whole(each, "repetition", valid=True) for each in ("same-again", "later", "longer-payload")]
    assert titles(*again, fixture("default")) == ["Crashes when asked again"]


def test_a_refused_repetition_is_mended_by_an_event():
    (one,) = found(
        *(seen("refuses-valid", what, "", area="repetition", valid=True) for what in ("later", "same-again"))
    )
    assert (one.label, one.title) == ("contract", "Refuses a valid request when asked again")
    assert "an event that tells that the order was done before" in one.mend


def test_the_contract_is_named_only_where_the_smallest_request_is_valid():
    unknown = seen(what="unknown-member", valid=True)
    (one,) = found(*(seen(field=field) for field in FIELDS), unknown)
    assert (one.title, one.label) == ("Crashes where a member is null", "advice")
    assert one.smallest.shown == "/order/a: null"


@pytest.mark.parametrize("what", ["baseline", "scenario", "in-array", "first", "right", "text"])
def test_no_title_has_a_word_of_our_own_in_parentheses(what: str):
    for area in ("contract", "repetition", "auth"):
        for title in titles(whole(what, area), whole("number", area)):
            assert not re.search(r"[()]", title)


@pytest.mark.parametrize(
    ("print", "title"),
    [
        ("cut-off", "Answers off contract: its JSON is cut off where it is not ASCII"),
        ("no-json", "Answers off contract: what is no JSON"),
        ("errors", "Answers off contract: errors of its program where JSON is wanted"),
        ("/events type", "Answers off contract at /events"),
        ("required", "Answers off contract"),
    ],
)
def test_an_answer_off_contract_is_named_by_what_is_wrong_with_it(print: str, title: str):
    assert titles(seen("off-contract", print=print), seen("off-contract", "array", print=print)) == [title]


def wrong_token(what: str, field: str = "") -> Observation:
    return seen("accepts-wrong-token", what, field, area="auth")


def test_a_wrong_token_that_is_accepted_is_named():
    assert titles(wrong_token("spaced")) == ["Accepts a wrong token: one that has blanks around it"]
    assert titles(wrong_token("spaced"), wrong_token("zero", "/token")) == [
        "Accepts a wrong token: one that is 0, one that has blanks around it"
    ]
    (one,) = found(wrong_token("spaced"), wrong_token("wrong", "/token"), wrong_token("null", "/token"))
    assert one.title == "Accepts a wrong token: any"
    assert one.whats[0] == "spaced"
    assert one.smallest.step == "/token wrong"
    assert phrases.shown("/token", "wrong", Step(name="token wrong")) == "another token"
    assert phrases.shown("", "spaced", Step(name="token spaced")) == "a token that has blanks around it"


def test_an_answer_that_is_given_for_all_orders_is_no_repetition():
    mixed, again = seen("mixed-up"), seen("repeats", "same-again", "", area="repetition")
    (one,) = found(mixed, again)
    assert one.kind == "mixed-up"
    assert "idempotency key" in one.mend


def test_a_length_is_told_as_the_smallest_request_has_it():
    (one,) = found(seen(what="256-characters"), seen(what="4096-characters"))
    assert one.title == "Crashes where /order/a has 256 characters or more"
    step = Step(name="long", set={"/order/a": "${text:1065}"})
    shown = phrases.shown("/order/a", "256-characters", step)
    assert shown == "/order/a: 1,065 characters"
    assert phrases.reduced(one.title, shown) == "Crashes where /order/a has 1,065 characters or more"
    assert phrases.reduced(one.title, "/order/a: null") == one.title
