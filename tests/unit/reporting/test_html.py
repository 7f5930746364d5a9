"""report/html.py and report/evidence.py: what the page says, in which order, and how much of it."""

from __future__ import annotations

import re
from collections import Counter
from html.parser import HTMLParser
from typing import Any

import pytest

from retailops_sandbox import jsontext
from retailops_sandbox.contracts.catalogue import SHIPPED_CONTRACTS
from retailops_sandbox.engine import DeliveryFinished, ScenarioResult, StepResult
from retailops_sandbox.errors import SourceError
from retailops_sandbox.model import (
    Delivery,
    Difference,
    Expectation,
    Fault,
    Judgement,
    Request,
    Response,
    Scenario,
    Step,
    Verdict,
    Violation,
)
from retailops_sandbox.reporting.render import evidence as evidence_module
from retailops_sandbox.reporting.render import sidebyside
from retailops_sandbox.reporting.render.evidence import MOST_BODIES, MOST_BODY, MOST_OF_STEP, Evidence
from retailops_sandbox.reporting.reporters import html
from retailops_sandbox.scenarios.scenario import Plan
from retailops_sandbox.scenarios.trend import Trend
from tests.support.finished import SHOP, STAND_IN, finished_run
from tests.support.records import some_delivery

ATTACK = "</pre></style><script>alert(1)</script><img src=x onerror=alert(1)>\x1b[2J"


class Ran:
    """Scenarios that ran, as a report hears of them."""

    def __init__(self) -> None:
        self.evidence = Evidence()
        self.results: list[ScenarioResult] = []

    def add(
        self,
        verdict: Verdict,
        name: str = "a",
        *,
        answer: Any = None,
        expected: Any = None,
        deliveries: int = 1,
        **judged: Any,
    ) -> None:
        step = Step(name="send", fixture="default")
        plan = Plan(f"{name}.scenario.json", "", Scenario(name=name, tags=["t"], steps=[step]), False, "")
        found = []
        for number in range(1, deliveries + 1):
            delivery = sent(number, answer, fault=judged.get("fault"))
            judgement = Judgement(
                delivery=delivery.id,
                verdict=verdict,
                at="",
                expectation=Expectation(body=expected) if expected is not None else None,
                differences=judged.get("differences", ()),
                violations=judged.get("violations", ()),
                unchecked=judged.get("unchecked", ()),
                expected_by=judged.get("expected_by", ""),
            )
            self.evidence.on_event(
                DeliveryFinished(plan, delivery, judgement, SHIPPED_CONTRACTS.load("order_cancel", "draft"))
            )
            found.append(judgement)
        result = StepResult(
            number=0, name="send", verdict=verdict, reason=judged.get("reason", ""), judgements=tuple(found)
        )
        self.results.append(ScenarioResult(plan, verdict, (result,), 0.01))

    def page(
        self,
        *unreadable: SourceError,
        stand_in: bool = False,
        interrupted: bool = False,
        trends: dict[str, Trend] | None = None,
    ) -> str:
        run = finished_run(
            *self.results,
            unreadable=unreadable,
            receiver=STAND_IN if stand_in else SHOP,
            trends=trends or {},
            seconds=1.25,
            interrupted=interrupted,
        )
        return html.document(run, self.evidence)


def sent(number: int, answer: Any, fault: Fault | None = None) -> Delivery:
    return some_delivery(
        id=f"r.{number}",
        sent_at="2026-01-02T03:04:05Z",
        step="send",
        number=number,
        request=Request(method="POST", url="http://h/order_cancel", headers=(("X", "1"),), body='{"a":1}'),
        response=None if fault else Response(status=200, body=jsontext.compact(answer).decode()),
        fault=fault,
    )


class Tags(HTMLParser):
    """The elements of a page, and that each is closed in turn."""

    VOID = frozenset(["meta", "link", "br", "img", "input"])

    def __init__(self, page: str) -> None:
        super().__init__()
        self.seen: Counter[str] = Counter()
        self.opened: list[str] = []
        self.links: list[str] = []
        self.ids: list[str] = []
        self.feed(page)
        self.close()
        assert self.opened == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen[tag] += 1
        values = dict(attrs)
        assert not [name for name in values if name.startswith("on") or name == "style"]
        self.links += [text or "" for name, text in attrs if name in ("href", "src")]
        self.ids += [values["id"] or ""] if "id" in values else []
        if tag not in self.VOID:
            self.opened.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.opened.pop() == tag


def test_what_failed_comes_first_and_open():
    ran = Ran()
    for verdict in ("passed", "recorded", "skipped", "errored", "failed", "passed"):
        ran.add(verdict, f"one that {verdict}", answer={})
    page = ran.page(SourceError("is not JSON", file="b.scenario.json", line=2, column=3, mend="mend it"))
    places = [
        page.index(f"one that {word}") for word in ("failed", "errored", "skipped", "recorded", "passed")
    ]
    assert places == sorted(places)
    found = re.findall(r'<details class="scenario (\w+)" id="[\w-]+"( open)?>', page)
    assert found == [
        ("failed", " open"),
        ("errored", " open"),
        ("skipped", ""),
        ("recorded", ""),
        ("passed", ""),
        ("passed", ""),
    ]
    assert page.index("b.scenario.json:2:3") < places[0]
    assert "mend it" in page
    assert '<h1 class="failed"><span aria-hidden="true">✗</span> 2 of 6 did not pass</h1>' in page
    tags = Tags(page)
    assert {link[1:] for link in tags.links if link.startswith("#")} <= set(tags.ids)
    assert len(tags.ids) == len(set(tags.ids))


@pytest.mark.parametrize(
    ("verdicts", "says"),
    [
        (["passed"], "All passed"),
        (["passed", "recorded"], "Nothing failed"),
        (["recorded", "skipped"], "Nothing was judged"),
        ([], "Nothing was judged"),
        (["passed", "failed"], "1 of 2 did not pass"),
    ],
)
def test_the_whole_in_one_line(verdicts: list[Verdict], says: str):
    ran = Ran()
    for verdict in verdicts:
        ran.add(verdict, answer={})
    assert f"</span> {says}</h1>" in ran.page()
    assert "</span> Interrupted" in ran.page(interrupted=True)


def test_what_was_not_compared_is_beside_the_verdict_and_who_expected_the_rest():
    ran = Ran()
    by = "fixtures/a/b/<c>.expect.json"
    ran.add("passed", answer={}, expected={}, unchecked=("events",), expected_by=by)
    page = ran.page()
    assert page.count('<span class="muted">events were not compared</span>') == 2
    assert "by fixtures/a/b/&lt;c&gt;.expect.json" in page
    failed = Ran()
    failed.add("failed", answer={}, unchecked=("events",))
    assert "not compared" not in failed.page()


def test_it_names_the_receiver_and_says_loudly_when_it_was_the_stand_in():
    ran = Ran()
    ran.add("passed", answer={})
    assert "<dd>shop</dd>" in ran.page()
    assert "POST http://h/order_cancel" in ran.page()
    assert "Against the stand-in" not in ran.page()
    assert "<b>Against the stand-in.</b>" in ran.page(stand_in=True)
    assert "proves nothing about a real receiver" in ran.page(stand_in=True)


DIFFERENCE = Difference(
    kind="changed", expected_pointer="/a", actual_pointer="/a", expected="the old", actual="the new"
)


def test_differences_stand_side_by_side_and_violations_under_their_own_heading():
    ran = Ran()
    status = Difference(kind="changed", part="status", expected=201, actual=200)
    violation = Violation("/events", "required", "is missing")
    ran.add(
        "failed",
        answer={"a": "the new"},
        expected={"a": "the old"},
        differences=(status, DIFFERENCE),
        violations=(violation,),
    )
    page = ran.page()
    assert "<mark>old</mark>" in page
    assert "<mark>new</mark>" in page
    assert "status 200 instead of 201" in page
    assert "/a: expected" not in page, "it is in the view"
    assert page.index("The response breaks the contract") < page.index("It differs from what was expected")
    assert "is missing" in page


def test_a_fault_and_a_reason_are_told():
    ran = Ran()
    ran.add("errored", fault=Fault("refused", "nothing listens"), reason="refused: nothing listens")
    page = ran.page()
    assert '<b class="mono errored">refused</b>' in page
    assert "nothing listens" in page
    assert "Response</b>" not in page


def test_nothing_that_anybody_said_is_markup_and_nothing_is_loaded():
    ran = Ran()
    difference = Difference(kind="unexpected", actual_pointer=f"/{ATTACK}", actual=ATTACK, hint=ATTACK)
    ran.add(
        "failed",
        ATTACK,
        answer={ATTACK: ATTACK},
        expected={"a": ATTACK},
        differences=(difference,),
        violations=(Violation(ATTACK, ATTACK, ATTACK),),
        reason=ATTACK,
    )
    page = ran.page(SourceError(ATTACK, file=ATTACK, mend=ATTACK))
    tags = Tags(page)
    assert not {"script", "img", "iframe", "object"} & set(tags.seen)
    assert tags.seen["style"] == 1
    assert all(link.startswith("#") or link == "data:," for link in tags.links)
    assert "\x1b" not in page
    assert "default-src &#39;none&#39;" in page or "default-src 'none'" in page
    assert not re.search(r"@import|url\(", page)


# --- how much ---


def test_a_huge_body_is_cut_and_says_so():
    ran = Ran()
    ran.add("failed", answer={"a": "x" * 3 * MOST_BODY}, expected={"a": "y"}, differences=(DIFFERENCE,))
    page = ran.page()
    assert len(page) < 2 * MOST_BODY
    assert "the whole body is in the run file" in page
    assert "characters" in page
    assert "/a: expected" in page, "listed, as there is no view of it"


def test_of_a_step_of_many_deliveries_the_failed_ones_are_kept():
    ran = Ran()
    ran.add("passed", answer={}, deliveries=50)
    ran.add("failed", answer={}, deliveries=50)
    for result in ran.results:
        assert len(ran.evidence.of(result.plan, "send").kept) == MOST_OF_STEP
    assert ran.page().count("40 more deliveries are in the run file") == 2


def test_all_bodies_together_are_bounded_and_the_failed_ones_have_room_of_their_own(
    monkeypatch: pytest.MonkeyPatch,
):
    assert MOST_BODIES > 100 * MOST_BODY
    monkeypatch.setattr(evidence_module, "MOST_BODIES", 1_000)
    ran = Ran()
    for number in range(20):
        ran.add("passed", f"p{number}", answer="x" * 300)
    ran.add("failed", "f", answer="failed")
    kept = [ran.evidence.of(result.plan, "send").kept[0] for result in ran.results]
    sizes = [len(each.delivery.response.body) for each in kept if each.delivery.response]
    assert sum(sizes[:-1]) <= 1_000
    assert sizes[0] == 302
    assert sizes[-2] == 0
    assert sizes[-1] == len('"failed"')
    assert kept[-2].response_size == 302
    assert "Only the beginning" in ran.page()


def test_when_there_is_no_room_side_by_side_the_differences_are_listed(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(html, "MOST_ROWS", 1)
    ran = Ran()
    for name in "ab":
        ran.add("failed", name, answer={"a": 1}, expected={"a": 2}, differences=(DIFFERENCE,))
    page = ran.page()
    assert page.count('class="comparison"') == 1
    assert page.count("/a: expected") == 1


def test_rows_within_rows_count():
    view = sidebyside.view(
        {"events": [{"a": 1}, {"b": 2}]}, {"events": [{"a": 3}, {"b": 2}]}, sets={"/events": ("a",)}
    )
    assert html._count(view.rows) >= 4


def test_of_very_many_scenarios_the_last_come_without_their_deliveries(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(evidence_module, "MOST_DELIVERIES", 2)
    ran = Ran()
    for number in range(4):
        ran.add("passed", f"p{number}", answer={})
    ran.add("failed", "f", answer={})
    assert [len(ran.evidence.of(result.plan, "send").kept) for result in ran.results] == [1, 1, 0, 0, 1]
    assert ran.page().count("1 more delivery is in the run file") == 2


def test_what_regressed_comes_first_of_what_failed():
    ran = Ran()
    for name in ("still", "worse", "fine"):
        ran.add("passed" if name == "fine" else "failed", name, answer={})
    trends: dict[str, Trend] = {
        "still.scenario.json": "still failing",
        "worse.scenario.json": "regressed",
        "fine.scenario.json": "fixed",
    }
    page = ran.page(trends=trends)
    assert "1 regressed (worse), 1 fixed since the last finished run on this receiver" in page
    assert page.index('<span class="name">worse') < page.index('<span class="name">still')
    assert page.count('<span class="trend regressed">') == page.count('<span class="trend fixed">') == 1
