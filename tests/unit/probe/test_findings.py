"""Observations to findings: alike ones are one cause."""

from __future__ import annotations

from typing import Any

from retailops_sandbox.contracts.catalogue import SHIPPED_CONTRACTS
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
