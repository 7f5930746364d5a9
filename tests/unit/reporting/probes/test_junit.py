"""reporting/probes/junit.py: a testcase for each probe, and failures for the findings that count."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from functools import cache

import msgspec
import pytest

from retailops_sandbox.probe.report import Tried
from retailops_sandbox.reporting.probes import junit
from tests.published import schemas
from tests.support.probe_reports import CRASH, PATHS, clean_report, probe_report

published_schema = cache(schemas.junit)
PAYMENT = "contract/data/order/channel_payment"
DONE = (Tried(probe="contract/data/order/id"), Tried(probe=PAYMENT))


def cases(document: str) -> dict[str, ET.Element]:
    return {case.get("name", ""): case for case in ET.fromstring(document).iter("testcase")}


def test_each_probe_is_a_testcase_and_fails_by_its_findings():
    found = cases(junit.document(probe_report(done=DONE)))
    assert [each.tag for each in found["contract/data/order/id"]] == []
    (failure,) = found[PAYMENT].findall("failure")
    assert failure.get("message") == CRASH.title
    assert failure.get("type") == "contract"
    assert "mend: read a member that is null as one that is absent" in (failure.text or "")
    assert found[PAYMENT].get("classname") == "probe.contract"


def test_only_what_fails_the_probe_is_a_failure():
    advice = cases(junit.document(probe_report(done=DONE)))[PATHS.title]
    assert [each.tag for each in advice] == ["system-out"]
    assert cases(junit.document(probe_report(done=DONE), ["advice"]))[PATHS.title].find("failure") is not None
    assert cases(junit.document(probe_report(done=DONE), ["none"]))[PAYMENT].find("failure") is None


def test_what_was_left_out_is_skipped_and_no_baseline_is_an_error():
    found = cases(
        junit.document(probe_report(baseline="no valid request was accepted", stopped="it was stopped"))
    )
    assert found["left out: 120"].find("skipped") is not None
    errors = [error.get("message") for case in found.values() for error in case.findall("error")]
    assert errors == ["no valid request was accepted", "it was stopped"]


@pytest.mark.parametrize(
    "report",
    [
        probe_report(done=DONE),
        clean_report(done=DONE),
        probe_report(baseline="a\x00<b", stopped='"&'),
        probe_report(findings=(msgspec.structs.replace(CRASH, title="<\x1b>", evidence="\ud83d"),)),
    ],
)
def test_it_is_what_the_published_schema_says(report):
    schema = published_schema()
    from lxml import etree

    document = etree.fromstring(junit.document(report, ["any"]).encode(errors="replace"))
    assert schema.validate(document), schema.error_log
    suite = document.find("testsuite")
    for kind, element in (("failures", "failure"), ("errors", "error"), ("skipped", "skipped")):
        assert int(suite.get(kind)) == len(
            [case for case in suite.iter("testcase") if case.find(element) is not None]
        )
