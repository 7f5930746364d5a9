"""A probe compared with an earlier one: new is what held before, gone is what holds now."""

from __future__ import annotations

from typing import Any

from retailops_sandbox.contracts.catalogue import SHIPPED_CONTRACTS
from retailops_sandbox.probe.earlier import compared
from retailops_sandbox.probe.findings import findings
from retailops_sandbox.probe.grouping import Case
from retailops_sandbox.probe.probes import Area
from retailops_sandbox.probe.report import Cell, Observation, ProbeReport, Tried

CONTRACT = SHIPPED_CONTRACTS.load("order_cancel", "v1")
FIELDS = tuple(f"/order/{name}" for name in "abcdef")
WHATS = ("null", "missing", "array", "text")
WHOLE = ("gzip", "chunked", "ten-at-once", "alternating")


def seen(kind: str = "crash", what: str = "null", field: str = FIELDS[0], **how: Any) -> Observation:
    area: Area = "contract" if field else "transport"
    return Observation(
        kind=kind,
        probe=f"contract{field}" if field else f"transport/{what}",
        step=f"{field} {what}",
        area=area,
        what=what,
        field=field,
        **how,
    )


def report(
    *observations: Observation, fields: tuple[str, ...] = FIELDS, whole: tuple[str, ...] = WHOLE
) -> ProbeReport:
    """A report of a probe that tried all mutations of some fields, and some requests as a whole."""
    tried = [Case("contract", field, what) for field in fields for what in WHATS]
    return ProbeReport(
        run="a-run",
        receiver="my-shop",
        url="",
        action="order_cancel",
        edition="v1",
        started_at="now",
        cells=tuple(Cell(field=field, what=what, outcome="held") for _, field, what in tried),
        done=tuple(Tried(probe=f"transport/{what}", steps=(f" {what}",)) for what in whole),
        observations=observations,
        findings=findings(observations, CONTRACT, tried=tried),
    )


def states(now: ProbeReport, before: ProbeReport) -> list[str | None]:
    return [each.state for each in compared(now, before).findings]


def gone(now: ProbeReport, before: ProbeReport) -> list[str]:
    return list(compared(now, before).gone)


NULLS = [seen(field=field) for field in FIELDS]


def test_findings_are_new_or_still_there_or_gone():
    before, now = report(*NULLS, seen("no-code", "text")), report(*NULLS, seen(what="gzip", field=""))
    assert states(now, before) == ["still there", "new"]
    assert gone(now, before) == ["Tells events without a code"]
    assert compared(now, before).compared_with == "a-run"


def test_a_receiver_that_gets_better_has_nothing_new():
    before, now = report(*NULLS, *(seen(what="missing", field=field) for field in FIELDS)), report(NULLS[0])
    assert {each.key for each in now.findings}.isdisjoint(each.key for each in before.findings)
    assert states(now, before) == ["still there"]


def test_what_fails_at_more_places_than_before_is_new():
    assert states(report(*NULLS), report(NULLS[0])) == ["new"]


def test_what_was_not_tried_before_is_not_new():
    before = report(fields=FIELDS[1:], whole=WHOLE[1:])
    assert states(report(NULLS[0]), before) == ["not tried before"]
    assert states(report(seen(what="gzip", field="")), before) == ["not tried before"]
    assert states(report(seen("acts-on-method", "get", "")), before) == ["not tried before"]


def test_what_was_not_tried_again_is_not_gone():
    before = report(NULLS[0], seen("content-type", "gzip", "", print="text/html"))
    assert gone(report(fields=FIELDS[1:], whole=WHOLE[1:]), before) == []
    assert len(gone(report(), before)) == 2


def test_what_a_worse_failure_hides_is_neither_new_nor_gone():
    worse, hidden = report(NULLS[0]), report(seen("no-code"))
    assert gone(worse, hidden) == []
    assert states(hidden, worse) == ["not tried before"]
    assert states(worse, hidden) == ["new"]


def test_kinds_of_one_cause_and_what_comes_at_once_are_the_same_by_another_word():
    mixed, foreign = report(seen("mixed-up")), report(seen("foreign-association", field=FIELDS[1]))
    assert (states(mixed, foreign), gone(mixed, foreign)) == (["still there"], [])
    assert (states(foreign, mixed), gone(foreign, mixed)) == (["still there"], [])
    ten, several = report(seen(what="ten-at-once", field="")), report(seen(what="alternating", field=""))
    assert (states(ten, several), gone(ten, several)) == (["still there"], [])
    twice, at_once = report(seen("repeats", "gzip", "")), report(seen("races", "ten-at-once", ""))
    assert states(at_once, twice) == ["still there"]
    assert states(twice, at_once) == ["new"]
