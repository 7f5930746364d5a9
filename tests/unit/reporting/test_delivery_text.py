"""What `log show` prints: all there is, and nothing that a terminal could be led astray by."""

from __future__ import annotations

from collections import Counter

import pytest

from retailops_sandbox.contracts.catalogue import SHIPPED_CONTRACTS
from retailops_sandbox.errors import FileError
from retailops_sandbox.model import (
    Delivery,
    Difference,
    Expectation,
    Fault,
    Judgement,
    Number,
    Request,
    Response,
    Result,
    ResultStep,
    RunInfo,
    Timings,
    Violation,
)
from retailops_sandbox.reporting.render import delivery_text
from retailops_sandbox.runlog.entries import Entry
from retailops_sandbox.runlog.runs import RunSummary
from tests.support.records import some_delivery

RUN = "20240501T120000Z-aaaaaa"


def make(
    body: str = '{"events": [{"n": 1.50}]}', fault: Fault | None = None, base64: bool = False
) -> Delivery:
    return some_delivery(
        id=f"{RUN}.000001",
        run=RUN,
        sent_at="2024-05-01T12:00:01.000Z",
        receiver="shop\x1b[31m",
        scenario="a.scenario.json",
        step="cancel",
        request=Request(method="POST", url="http://shop/", headers=(("A", "b"),), body='{"a":35.00}'),
        response=None if fault else Response(status=200, body=body, base64=base64),
        fault=fault,
        timings=Timings(lookup=0.01, connect=2.0, first_byte=3.0, total=6.0),
    )


def judged(verdict: str = "failed", **said: object) -> Judgement:
    return Judgement(delivery=f"{RUN}.000001", verdict=verdict, at="2024-05-01T12:00:02Z", **said)


def told(entry: Entry) -> str:
    return "\n".join(delivery_text.delivery(entry, SHIPPED_CONTRACTS, width=100, colour=False))


def test_the_verdict_says_what_was_not_compared_and_who_expected_it():
    by = judged("passed", unchecked=("contract", "events"), expected_by="fixtures/a/b/c.expect.json")
    lines = told(
        Entry(make(), (judged("recorded", unchecked=("events",), reason="nothing was expected"), by))
    )
    assert lines.splitlines()[0].endswith("  (the contract was not enforced, events were not compared)")
    assert "as expected by fixtures/a/b/c.expect.json, the contract was not enforced, events" in lines
    assert "nothing was expected, events were not compared" in lines
    assert "not compared" not in told(Entry(make(), (judged(unchecked=("events",)),)))


def test_a_delivery_is_told_with_what_differs_and_its_judgements_the_newest_first():
    difference = Difference(
        kind="changed",
        expected_pointer="/events/0/n",
        actual_pointer="/events/0/n",
        expected=Number("2.50"),
        actual=Number("1.50"),
    )
    first = judged(
        reason="1 difference",
        differences=(difference,),
        expectation=Expectation(body={"events": [{"n": Number("2.50")}]}),
    )
    text = told(Entry(make(), (first, judged("passed"))))
    assert text.startswith(f"✓ passed  200  {RUN}.000001\n")
    assert text.index("✓ passed  2024") < text.index("✗ failed  2024")
    assert "connect 2.0, first byte 3.0, total 6.0" in text
    assert "name lookup" not in text
    assert '"a": 35.00' in text
    assert "\x1b" not in text
    assert "shop\\u001b[31m" in text
    text = told(Entry(make(), (first,)))
    assert "/events/0/n: expected 2.50, got 1.50 (changed)" in text
    beside = text.partition("(changed)")[2].partition("request")[0]
    assert "2.50" in beside
    assert "1.50" in beside


def test_a_fault_and_what_was_not_judged_are_told():
    text = told(Entry(make(fault=Fault("refused", "nobody\nlistens")), ()))
    assert text.startswith(f"· not judged  refused  {RUN}.000001\n  nobody\\nlistens\n")
    assert "response" not in text
    assert "judgements" not in text


@pytest.mark.parametrize(
    ("body", "base64", "said"),
    [
        ("AP8=", True, "(no UTF-8; as base64)\n  AP8="),
        ("x" * 300_000, False, "… cut after 256 KB of 293.0 KB"),
        ("a\x1b[2Jb\r\nc", False, "  a\\u001b[2Jb\n  c"),
    ],
)
def test_bodies_are_told_harmless_and_in_bounds(body: str, base64: bool, said: str):
    assert said in told(Entry(make(body, base64=base64), ()))


def test_a_comparison_of_a_contract_that_is_not_known_any_more_is_no_end():
    old = Delivery(**{name: getattr(make(), name) for name in Delivery.__struct_fields__} | {"edition": "v9"})
    violation = Violation("/events", "type", "is no array")
    text = told(Entry(old, (judged(violations=(violation,), expectation=Expectation(body={})),)))
    assert "/events: is no array (type)" in text
    assert "not shown beside each other: there is no contract order_cancel.v9" in text


def test_a_run_is_told_with_what_spoiled_it():
    steps = (
        ResultStep(number=0, name="cancel", verdict="failed", reason="1 violation", sent=1),
        ResultStep(number=1, name="then", verdict="skipped", reason="an earlier step errored"),
    )
    at = "2024-05-01T12:00:03Z"
    bad = Result(scenario="a.scenario.json", name="A", verdict="failed", at=at, steps=steps)
    summary = RunSummary(
        id=RUN,
        info=RunInfo(id=RUN, started_at="2024-05-01T12:00:00Z", receiver="shop", unreadable=("b: broken",)),
        state="interrupted",
        deliveries=2,
        verdicts=Counter({"failed": 1, "": 1}),
        outcomes=Counter({"failed": 1}),
        problems=(FileError("damaged", file="x.json"),),
        is_pinned=True,
    )
    entry = Entry(make(), (judged(violations=(Violation("/events", "type", "is no array"),)),))
    lines = list(delivery_text.run(summary, [bad], [entry]))
    text = "\n".join(lines)
    assert lines[0] == f"run {RUN}  interrupted, ◆ pinned"
    for part in (
        "! x.json: damaged",
        "! unreadable: b: broken",
        "deliveries  2: 1 failed, 1 not judged",
        "✗ failed  A  a.scenario.json",
        "✗ failed  step 'cancel': 1 violation",
        "/events: is no array (type)",
        "- skipped  step 'then': an earlier step errored",
    ):
        assert part in text, text
