"""reporting/probes/html.py: what the page of a probe shows."""

from __future__ import annotations

import re

import msgspec

from retailops_sandbox.model import Request, Response, Wire
from retailops_sandbox.reporting.probes import html
from retailops_sandbox.reporting.render.evidence import MOST_BODY
from tests.support.probe_reports import CRASH, clean_report, probe_report
from tests.support.records import some_delivery

ATTACK = "</pre></style><script>alert(1)</script>\x1b[2J"


def sent(body: str = '{"a":null}', answer: str = "oops"):
    request = Request(method="POST", url="http://shop/order_cancel", headers=(("X-A", "b"),), body=body)
    return some_delivery(id="d-crash", request=request, response=Response(status=500, body=answer))


def test_it_shows_verdict_scorecard_findings_and_what_was_not_seen():
    page = html.document(probe_report(), {"d-crash": sent()})
    for said in (
        "not yet fit",
        "1 cause breaks the contract, 1 cause does harm; mending",
        "Crashes where a member is null",
        "read a member that is null as one that is absent",
        "Hangs up where the body is empty",
        "Repetition cannot be judged by differences",
        "Side effects are judged by the answers alone",
        "left out: 120 of Contract, 4 of Speed",
        "passes /events: null",
        "2 new, 1 gone, 1 still there",
    ):
        assert said in page, said
    assert page.index("Crashes where") < page.index("Answers null where") < page.index("Tells its own")


def test_the_smallest_request_stands_with_its_answer_and_its_scenario():
    page = html.document(probe_report(), {"d-crash": sent()})
    assert page.count("<b>Request</b>") == page.count("<b>Response</b>") == page.count("<b>Scenario</b>") == 1
    assert "&#34;a&#34;: null" in page
    assert "oops" in page
    assert "<b>Request</b>" not in html.document(probe_report(), {})


def test_an_unusual_request_target_is_told_in_its_request_line():
    wire = Wire(path="/a%2Fb", http="1.0", method="PUT")
    asked = Request(method="PUT", url="http://shop/a%2Fb", headers=())
    page = html.document(
        probe_report(), {"d-crash": msgspec.structs.replace(sent(), request=asked, wire=wire)}
    )
    assert page.count("PUT http://shop/a%2Fb HTTP/1.0") == 2
    star = msgspec.structs.replace(wire, method="OPTIONS", path="*")
    asked = msgspec.structs.replace(asked, method="OPTIONS", url="http://shop/order_cancel")
    page = html.document(
        probe_report(), {"d-crash": msgspec.structs.replace(sent(), request=asked, wire=star)}
    )
    assert "OPTIONS * at http://shop/order_cancel HTTP/1.0" in page


def test_the_heat_map_is_a_table_that_can_be_read_without_its_colours():
    page = html.document(probe_report(), {})
    table = page[page.index("<table>") : page.index("</table>")]
    assert table.count('scope="col"') == 4
    assert table.count('scope="row"') == 2
    cells = re.findall(r"<td.*?</td>", table)
    assert re.sub("<.*?>", "", cells[3]) == "5xxdid not, 5xx"
    assert re.sub("<.*?>", "", cells[5]) == "not tried"


def test_a_clean_probe_has_no_findings_and_no_map():
    page = html.document(clean_report(), {})
    assert "Nothing was found." in page
    assert "<table>" not in page


def test_nothing_that_others_wrote_is_markup():
    finding = msgspec.structs.replace(CRASH, evidence=ATTACK, title=ATTACK)
    report = probe_report(findings=(finding,), notes=(ATTACK,), receiver=ATTACK, gone=(ATTACK,))
    page = html.document(report, {"d-crash": sent(answer=ATTACK)})
    assert "<script" not in page
    assert "\x1b" not in page


def test_long_bodies_are_cut():
    page = html.document(probe_report(), {"d-crash": sent(answer="x" * (MOST_BODY + 1_000))})
    assert "x" * MOST_BODY in page
    assert "x" * (MOST_BODY + 1) not in page
    assert "Only the beginning, if anything, is kept here" in page
