"""engine.py: from steps to verdicts, with the real transport and receivers on real sockets."""

from __future__ import annotations

import asyncio
import json
import threading
from typing import Any

import msgspec
import pytest

from retailops_sandbox.composing import Template
from retailops_sandbox.contracts import auth
from retailops_sandbox.contracts.catalogue import SHIPPED_CONTRACTS
from retailops_sandbox.contracts.contract import Contract
from retailops_sandbox.engine import (
    LARGE_BODY,
    DeliveryFinished,
    Event,
    Options,
    Run,
    ScenarioResult,
    Sources,
    worst,
)
from retailops_sandbox.engine.preview import Preview, preview
from retailops_sandbox.errors import UsageError
from retailops_sandbox.model import Delivery, Expectation, Judgement, Result, ResultStep
from retailops_sandbox.model import Receiver as ReceiverModel
from retailops_sandbox.reporting.render import preview as preview_text
from retailops_sandbox.scenarios import scenario
from retailops_sandbox.scenarios.scenario import Plan
from retailops_sandbox.session.ports import SystemClock
from retailops_sandbox.transport import Transport
from tests.support.cases import OneCase
from tests.support.contracts import OneContract
from tests.support.playing import SPELLED, MemoryLog, Played, body, plan, play, real_ports
from tests.support.policies import secret_policy
from tests.support.proving import BEARER, SECRET, SIGNED, proving
from tests.support.receivers import Peer, answering, closing_after, receiver, response, unused_port

NOTHING = response(b'{"events":[]}')
EVENT = response(b'{"events":[{"error_code":"ERR1"}]}')


# --- order and evidence ---


def test_the_delivery_is_logged_before_it_is_judged_and_both_before_they_are_told():
    with receiver(answering(NOTHING)) as shop:
        played = play([plan({"expect": {"status": 200}})], shop.url)
    assert [type(record).__name__ for record in played.log.records] == ["Delivery", "Judgement", "Result"]
    names = [type(event).__name__ for event in played.events]
    assert names == ["DeliveryStarted", "DeliveryFinished", "StepResult", "ScenarioResult"]
    assert played.verdicts == ["passed"]


def test_a_step_composes_once_and_all_its_deliveries_carry_the_same_bytes():
    step = {"payload": {"id": "${uuid}"}, "deliver": {"times": 4, "parallel": 2}, "expect": {}}
    with receiver(answering(NOTHING)) as shop:
        played = play([plan(step)], shop.url)
    assert len(shop.requests) == 4
    assert len({body(request)["id"] for request in shop.requests}) == 1
    assert [delivery.number for delivery in sorted(played.log.deliveries, key=lambda d: d.number)] == [
        1,
        2,
        3,
        4,
    ]
    assert played.verdicts == ["passed"]


def test_sequence_counts_steps_in_file_order_whatever_runs_first():
    step = {"payload": {"n": "${sequence}"}}
    with receiver(answering(NOTHING)) as shop:
        play([plan(step, step), plan(step), plan(step)], shop.url, jobs=3)
    assert sorted(body(request)["n"] for request in shop.requests) == [1, 2, 3, 4]


def test_the_fixture_keeps_its_spelling_and_the_composed_text_its_references():
    step = {"payload": {"id": "${order}", "n": 1}}
    with receiver(answering(NOTHING)) as shop:
        played = play([plan(step, variables={"order": "4897"})], shop.url)
        fixture = scenario.read('{"steps": [{"fixture": "f", "off_contract": true}]}', id="f", file="f")
        play([fixture], shop.url)
    assert played.log.deliveries[0].composed == '{"id":"${order}","n":1}'
    assert body(shop.requests[0])["id"] == "4897"
    assert shop.requests[1].endswith(b'{"fixture":35.00}')


# --- cases ---

EXAMPLE = json.dumps(SHIPPED_CONTRACTS.load("order_cancel", "draft").examples.request)
CASE = '{"status": 200,\n "body": {"events": [{"error_code": "${code}"}]}}'


def of_case(expectation: str, *steps: dict[str, Any], **fields: Any) -> Played:
    """A run of steps that name a fixture with this expectation, against a receiver with one answer."""
    document = {"steps": [{"fixture": "f", **step} for step in steps], **fields}
    plain = scenario.read(json.dumps(document), id="s", file="s.scenario.json")
    with receiver(answering(EVENT)) as shop:
        return play([plain], shop.url, cases=OneCase(EXAMPLE, expectation))


def test_a_step_that_says_no_expect_is_judged_by_its_fixture_also_where_it_changes_it():
    plain, changed = {"name": "a"}, {"name": "b", "set": {"/version": 1}, "deliver": {"times": 2}}
    played = of_case(CASE, plain, changed, variables={"code": "ERR1"})
    assert played.verdicts == ["passed", "passed"]
    judgements = [record for record in played.log.records if isinstance(record, Judgement)]
    assert [each.expected_by for each in judgements] == ["f.expect.json"] * 3
    assert judgements[0].expectation == Expectation(status=200, body={"events": [{"error_code": "ERR1"}]})
    assert of_case(CASE, plain, changed, variables={"code": "ERR2"}).verdicts == ["failed", "failed"]


def test_null_an_expect_of_its_own_and_off_contract_leave_the_fixtures_own_out():
    steps = [
        {"name": "null", "expect": None},
        {"name": "own", "expect": {"status": 200}},
        {"name": "off", "off_contract": True},
    ]
    played = of_case('{"status": 500}', *steps)
    assert played.verdicts == ["recorded", "passed", "recorded"]
    judgements = [record for record in played.log.records if isinstance(record, Judgement)]
    assert {each.expected_by for each in judgements} == {""}
    assert of_case("", {"name": "no expectation"}).verdicts == ["recorded"]


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ('{"status": 200,\n "body": [}', "f.expect.json:2:11 at /body/0: "),
        ('{"status": "x"}', "f.expect.json:1:12 at /status: "),
        ('{"rules": {"/a":\n "nope"}}', "f.expect.json:2:2 at /rules/~1a: "),
        (CASE, "f.expect.json:2:37 at /body/events/0/error_code: "),
    ],
)
def test_a_broken_expectation_is_named_and_hurts_only_steps_that_are_judged_by_it(text: str, place: str):
    played = of_case(text, {"name": "own", "expect": {"status": 200}}, {"name": "case's"})
    assert played.verdicts == ["passed", "errored"]
    assert played.steps[1].reason.startswith(f"s.scenario.json:1: {place}")


def test_a_secret_in_the_headers_that_a_fixture_expects_is_struck_out():
    expected = '{"headers": {"Authorization": "Bearer ${token}"}}'
    played = of_case(expected, {}, variables={"token": "secret-word-123"})
    assert played.verdicts == ["failed"]
    assert "secret-word-123" not in repr(played.log.records)


# --- verdicts ---


def test_a_failed_step_does_not_stop_the_scenario_but_an_errored_one_does():
    failing, passing = {"expect": {"status": 500}}, {"expect": {"status": 200}}
    with receiver(answering(NOTHING)) as shop:
        assert play([plan(failing, passing)], shop.url).verdicts == ["failed", "passed"]
    played = play([plan({"name": "first"}, passing)], f"http://127.0.0.1:{unused_port()}")
    assert played.verdicts == ["errored", "skipped"]
    assert played.steps[1].reason == "step 'first' errored"
    assert "refused" in played.steps[0].reason
    assert played.results[0].verdict == "errored"


def test_a_payload_that_breaks_the_contract_sends_nothing():
    with receiver(answering(NOTHING)) as shop:
        played = play([plan({"off_contract": False, "expect": {}})], shop.url)
        assert shop.requests == []
    assert played.verdicts == ["errored"]
    assert "/version" in played.steps[0].reason or "/action" in played.steps[0].reason
    (record,) = played.log.records
    assert isinstance(record, Result)
    assert record.steps == (
        ResultStep(number=0, name="step 1", verdict="errored", reason=played.steps[0].reason, line=1),
    )


def test_how_a_scenario_came_out_is_logged_before_it_is_told_also_what_sent_nothing():
    lost = {"name": "a", "expect": {"body": {"events": []}}, "capture": {"code": "/events/0/error_code"}}
    uses = {"name": "b", "payload": {"code": "${code}"}, "expect": {}}
    with receiver(answering(NOTHING)) as shop:
        played = play([plan(lost, uses, name="Captures", tags=["x"])], shop.url)
    (kept,) = played.log.results
    assert (kept.scenario, kept.name, kept.file, kept.tags) == ("s", "Captures", "s.scenario.json", ("x",))
    assert (kept.verdict, kept.stopped) == ("failed", False)
    assert [(step.name, step.verdict, step.sent) for step in kept.steps] == [
        ("a", "failed", 1),
        ("b", "skipped", 0),
    ]
    assert "code could not be captured from /events/0/error_code" in kept.steps[0].reason
    assert kept.steps[1].reason
    assert played.log.records[-1] is kept
    assert played.results[0].record is kept


def test_a_send_by_hand_is_no_result_of_a_scenario():
    (step,) = plan({}).scenario.steps
    with receiver(answering(NOTHING)) as shop:
        played = play([scenario.single(step, action="order_cancel", edition="draft")], shop.url)
    assert len(played.log.deliveries) == 1
    assert played.log.results == []
    assert played.results[0].record is None


def test_no_secret_of_the_receiver_is_in_a_reason_that_is_kept():
    shop = ReceiverModel(
        name="shop", base_url="ftp://u:${env:PASSWORD}@h/?key=${env:KEY}", headers={"X": "${env:TOKEN}"}
    )
    environment = {"PASSWORD": "p4ssw0rd-in-url", "KEY": "k3y-in-query", "TOKEN": "t0ken-in-header"}
    played = play([plan({})], "", receiver=shop, environment=environment)
    wrong_url = played.log.results[0].steps[0].reason
    assert "no http:// or https://" in wrong_url
    for secret in environment.values():
        assert secret not in wrong_url
    shop = msgspec.structs.replace(shop, base_url="http://127.0.0.1:1")
    quoting = plan({"payload": "${t0ken-in-header}"})
    played = play([quoting], "", receiver=shop, environment=environment)
    assert "unknown placeholder ${«redacted:TOKEN»}" in played.log.results[0].steps[0].reason


def test_a_list_of_expectations_is_one_for_each_delivery_in_send_order():
    step = {"deliver": {"times": 2}, "expect": [{"body": {"events": []}}, {"body": {"events": "x"}}]}
    with receiver(answering(NOTHING)) as shop:
        played = play([plan(step)], shop.url)
    assert [each.verdict for each in played.steps[0].judgements] == ["passed", "failed"]
    assert played.verdicts == ["failed"]


def test_the_worst_counts_and_skipped_never_does():
    assert worst(["passed", "recorded", "skipped"]) == "recorded"
    assert worst(["recorded", "failed", "errored"]) == "errored"
    assert worst(["passed", "skipped"]) == "passed"
    assert worst([]) == "skipped"


# --- faults ---


def answering_after(closed: int) -> Any:
    """Closes the first connections after reading, and answers the ones after that."""
    left = [closed]

    def act(peer: Peer) -> None:
        while peer.read_request() is not None:
            if left[0]:
                left[0] -= 1
                return
            peer.send(NOTHING)

    return act


def test_retries_send_again_after_faults_and_the_last_attempt_counts():
    with receiver(answering_after(2)) as shop:
        played = play([plan({"expect": {"status": 200}})], shop.url, retries=2)
        assert len(shop.requests) == 3
    assert played.verdicts == ["passed"]
    assert played.steps[0].attempts == 3
    assert [delivery.attempt for delivery in played.log.deliveries] == [1, 2, 3]
    assert sum(isinstance(record, Judgement) for record in played.log.records) == 1


def test_a_differing_answer_is_never_sent_again():
    with receiver(answering(EVENT)) as shop:
        play([plan({"expect": {"body": {"events": []}}})], shop.url, retries=3)
        assert len(shop.requests) == 1


def test_an_expected_fault_is_not_retried():
    with receiver(closing_after(b"")) as shop:
        played = play([plan({"expect": {"fault": "closed"}})], shop.url, retries=3)
        assert len(shop.requests) == 1
    assert played.verdicts == ["passed"]


def test_a_delivery_that_is_dropped_on_purpose_is_followed_by_one_that_is_judged():
    slow = [True]

    def act(peer: Peer) -> None:
        while peer.read_request() is not None:
            if slow[0]:
                slow[0] = False
                peer.hang()
                return
            peer.send(NOTHING)

    with receiver(act) as shop:
        played = play([plan({"deliver": {"drop_after_ms": 50}, "expect": {"status": 200}})], shop.url)
        assert len(shop.requests) == 2
        assert len(set(shop.requests)) == 1
    dropped, judged = played.log.deliveries
    assert dropped.dropped
    assert dropped.fault is not None
    assert not judged.dropped
    assert played.verdicts == ["passed"]


def test_a_fault_before_the_drop_is_told_as_what_it_is():
    url = f"http://127.0.0.1:{unused_port()}"
    played = play([plan({"deliver": {"drop_after_ms": 4000}, "expect": {}})], url)
    (step,) = played.steps
    assert step.verdict == "errored"
    assert step.reason.startswith("refused: ")
    assert (step.sent, step.faults) == (1, 1)


def test_an_answer_before_the_drop_is_not_taken_for_a_dropped_delivery():
    with receiver(answering(NOTHING)) as shop:
        played = play([plan({"deliver": {"drop_after_ms": 4000}, "expect": {"status": 200}})], shop.url)
        assert len(shop.requests) == 1
    assert played.verdicts == ["errored"]
    assert "before it was hung up on" in played.steps[0].reason
    assert not played.log.deliveries[0].dropped


# --- captures ---


def test_a_name_that_was_lost_can_be_captured_later():
    lost, found = {"capture": {"code": "/absent"}}, {"capture": {"code": "/events/0/error_code"}}
    with receiver(answering(EVENT)) as shop:
        played = play([plan(lost, found, {"payload": {"seen": "${code}"}, "expect": {}})], shop.url)
    assert played.verdicts == ["failed", "recorded", "passed"]


def test_what_a_skipped_step_would_have_captured_is_lost_too():
    first = {"capture": {"a": "/absent"}}
    second = {"payload": {"a": "${a}"}, "capture": {"b": ""}}
    with receiver(answering(NOTHING)) as shop:
        played = play([plan(first, second, {"payload": {"b": "${b}"}})], shop.url)
    assert played.verdicts == ["failed", "skipped", "skipped"]


def test_nothing_is_captured_where_there_is_no_json():
    with receiver(answering(response(b"<html>"))) as shop:
        played = play([plan({"capture": {"all": ""}})], shop.url)
    assert played.verdicts == ["failed"]
    assert "nothing could be captured" in played.steps[0].reason


def test_a_capture_feeds_later_steps_with_its_type():
    capturing = {"capture": {"code": "/events/0/error_code"}, "expect": {}}
    with receiver(answering(EVENT)) as shop:
        played = play([plan(capturing, {"payload": {"seen": "${code}"}, "expect": {}})], shop.url)
    assert body(shop.requests[1]) == {"seen": "ERR1"}
    assert played.verdicts == ["passed", "passed"]


def test_a_capture_that_does_not_resolve_fails_its_step_and_skips_those_that_use_it():
    capturing = {"capture": {"code": "/events/0/error_code"}, "expect": {}}
    with receiver(answering(NOTHING)) as shop:
        played = play([plan(capturing, {"payload": {"seen": "${code}"}}, {"expect": {}})], shop.url)
        assert len(shop.requests) == 2
    assert played.verdicts == ["failed", "skipped", "passed"]
    assert "/events/0/error_code" in played.steps[0].reason


ORDERS = response(
    b'{"events":[],"orders":[{"refnum":"A1","id":1,"tags":["x"]},{"refnum":"B2","id":2,"tags":[]}]}'
)


def test_a_path_with_a_star_captures_a_list_also_an_empty_one():
    capturing = {"capture": {"ids": "/orders/*/id", "none": "/events/*", "tags": "/orders/*/tags/*"}}
    uses = {"payload": {"ids": "${ids}", "none": "${none}", "tags": "${tags}"}}
    with receiver(answering(ORDERS)) as shop:
        play([plan(capturing, uses)], shop.url)
    assert body(shop.requests[1]) == {"ids": [1, 2], "none": [], "tags": ["x"]}


def test_members_make_a_list_of_objects_and_of_one_place_an_object():
    wanted = {"path": "/orders/*", "members": {"ref": "/refnum", "tags": "/tags/*"}}
    one = {"path": "/orders/0", "members": {"ref": "/refnum"}}
    with receiver(answering(ORDERS)) as shop:
        play(
            [plan({"capture": {"pulled": wanted, "one": one}}, {"payload": ["${pulled}", "${one}"]})],
            shop.url,
        )
    pulled = [{"ref": "A1", "tags": ["x"]}, {"ref": "B2", "tags": []}]
    assert body(shop.requests[1]) == [pulled, {"ref": "A1"}]


@pytest.mark.parametrize(
    ("wanted", "reason"),
    [
        ("/absent/*", "seen could not be captured from /absent/*: there is no member 'absent'"),
        ("/orders/*/total", "seen could not be captured from /orders/*/total: /orders/0: there is no member"),
        ("/orders/*/id/*", "/orders/0/id: '*' leads into a number, which has no members"),
        (
            {"path": "/orders/*", "members": {"total": "/total"}},
            "from /orders/* (total): /orders/0: there is no member 'total'",
        ),
    ],
)
def test_what_no_list_can_be_made_of_fails_the_step_and_says_where(wanted: Any, reason: str):
    with receiver(answering(ORDERS)) as shop:
        played = play([plan({"capture": {"seen": wanted}, "expect": {}})], shop.url)
    assert played.verdicts == ["failed"]
    assert reason in played.steps[0].reason


def test_a_secret_in_a_captured_list_stays_one():
    answer = response(b'{"events":[],"keys":[{"k":"other-word"},{"k":"secret-word-1"}]}')
    capturing = {"capture": {"keys": {"path": "/keys/*", "members": {"key": "/k"}}}}
    uses = {"payload": {"given": "${keys}"}, "set": {"/again": "x${env:KEY}"}}
    environment = {"KEY": "secret-word-1"}
    target = ReceiverModel(name="shop", base_url="", headers={"X-Key": "${env:KEY}"}, timeout_ms=5000)
    with receiver(answering(answer)) as shop:
        target = msgspec.structs.replace(target, base_url=shop.url)
        played = play([plan(capturing, uses)], shop.url, receiver=target, environment=environment)
    assert b"secret-word-1" in shop.requests[1].partition(b"\r\n\r\n")[2]
    assert "secret-word-1" not in str(played.log.records)
    assert "other-word" in played.log.deliveries[1].request.body


# --- steps that are repeated ---


def page(*refnums: str, token: Any) -> bytes:
    following = {} if token is msgspec.UNSET else {"next": token}
    document = {"events": [], "orders": [{"ref": each} for each in refnums], **following}
    return response(json.dumps(document).encode())


PULL = {
    "name": "pull",
    "payload": {"token": "${next}", "id": "${uuid}"},
    "capture": {"next": "/next", "pulled": "/orders/*/ref"},
    "repeat_while": {"captured": "next", "at_most": 5},
    "expect": {},
}
FIRST = {"variables": {"next": "start"}}


@pytest.mark.parametrize("end", [None, "", [], msgspec.UNSET])
def test_a_step_is_done_again_while_a_captured_value_is_not_empty(end: Any):
    answers = (page("A", token="p2"), page(token="p3"), page("B", "C", token=end))
    uses = {"payload": {"pulled": "${pulled}"}, "expect": {}}
    with receiver(answering(*answers, NOTHING)) as shop:
        played = play([plan(PULL, uses, **FIRST)], shop.url)
    sent = [body(each) for each in shop.requests]
    assert [each.get("token") for each in sent] == ["start", "p2", "p3", None]
    assert len({each["id"] for each in sent[:3]}) == 3  # composed anew each time
    assert sent[3] == {"pulled": ["A", "B", "C"]}
    assert played.verdicts == ["passed", "passed"]
    assert [(each.step, each.number) for each in played.log.deliveries] == [
        ("pull", 1),
        ("pull", 2),
        ("pull", 3),
        ("step 2", 1),
    ]
    (pulled, _), (kept, _) = played.steps, played.log.results[0].steps
    assert (pulled.times, pulled.sent, len(pulled.judgements), kept.times) == (3, 3, 3, 3)


def test_a_name_that_ends_a_repetition_by_its_absence_is_that_of_the_variables_again():
    with receiver(answering(page(token="p2"), page(token=msgspec.UNSET), NOTHING)) as shop:
        played = play([plan(PULL, {"payload": {"token": "${next}"}}, **FIRST)], shop.url)
    assert body(shop.requests[2]) == {"token": "start"}
    assert played.verdicts == ["passed", "recorded"]


def test_reaching_the_bound_fails_the_step():
    with receiver(answering(page("A", token="again"))) as shop:
        played = play([plan(PULL, {"payload": {"seen": "${pulled}"}}, **FIRST)], shop.url)
    assert played.steps[0].reason == (
        "it was done 5 times, as often as at_most allows, and next is still captured "
        "(raise at_most, or see why the answers do not end)"
    )
    assert (played.verdicts, played.steps[0].times) == (["failed", "recorded"], 5)
    assert body(shop.requests[5]) == {"seen": ["A"] * 5}


def test_the_worst_time_counts_and_a_failed_one_does_not_end_the_repetition():
    step = {**PULL, "expect": {"body": {"next": "any"}, "rules": {"": {"extra": "allow"}, "/next": "any"}}}
    answers = (page(token="p2"), response(b'{"events":1,"next":"p3","orders":[]}'), page(token=""))
    with receiver(answering(*answers)) as shop:
        played = play([plan(step, **FIRST)], shop.url)
    assert (played.verdicts, played.steps[0].times) == (["failed"], 3)
    assert [each.verdict for each in played.steps[0].judgements] == ["passed", "failed", "passed"]


@pytest.mark.parametrize(
    ("second", "verdict", "reason"),
    [
        (response(b"<html>"), "failed", "time 2: nothing could be captured: the answer is not JSON"),
        (response(b'{"events":[],"next":"p3"}'), "failed", "time 2: pulled could not be captured from"),
        (response(b"no gzip", "Content-Encoding: gzip"), "errored", "time 2: malformed"),
    ],
)
def test_what_cannot_be_captured_or_a_fault_ends_the_repetition(second: bytes, verdict: str, reason: str):
    step = {**PULL, "expect": {"contract": False}}
    with receiver(answering(page("A", token="p2"), second)) as shop:
        played = play([plan(step, {"payload": {"seen": "${pulled}"}}, **FIRST)], shop.url)
    assert played.verdicts == [verdict, "skipped"]
    assert played.steps[0].reason.startswith(reason)
    assert (played.steps[0].times, len(shop.requests)) == (2, 2)


def test_a_time_that_cannot_be_composed_errors_the_step_and_what_was_sent_counts():
    step = {**PULL, "payload": {}, "deliver": {"headers": {"X-Token": "${next}"}}}
    with receiver(answering(page(token="a\nb"))) as shop:
        played = play([plan(step, **FIRST)], shop.url)
    assert played.verdicts == ["errored"]
    assert "time 2: " in played.steps[0].reason
    assert (played.steps[0].sent, len(played.steps[0].judgements)) == (1, 1)


def test_stopping_ends_a_repetition_and_says_so():
    with receiver(answering(page(token="again"))) as shop:
        step = {**PULL, "deliver": {"delay_ms": 60_000}}  # the pause before the second time ends at once
        played = play([plan(step, **FIRST)], shop.url, stop_after=2)
    assert played.verdicts == ["skipped"]
    assert played.steps[0].reason == "time 2: the run was stopped"
    assert (played.steps[0].times, played.steps[0].sent) == (2, 1)


def test_deliveries_of_a_repeated_step_are_numbered_through():
    step = {**PULL, "deliver": {"times": 2}}
    with receiver(answering(page(token="p2"), page(token="p2"), page(token=""))) as shop:
        played = play([plan(step, **FIRST)], shop.url)
    assert [each.number for each in played.log.deliveries] == [1, 2, 3, 4]


def test_a_preview_says_how_often_a_step_may_be_repeated():
    from retailops_sandbox.reporting.render import preview as rendered

    found = previews(plan(PULL, **FIRST))
    said = list(rendered.text(found, (), ReceiverModel(name="shop", base_url="http://h")))
    assert said[1].endswith(", then again while next is not empty, 5 times at most")
    assert said[-1].startswith("at least 1 delivery of 1 scenario would be sent")


# --- steps of several contracts ---


def test_a_step_may_be_of_another_contract_than_its_scenario():
    document = {
        "steps": [
            {"fixture": "f", "off_contract": True},
            {"fixture": "f", "edition": "v1", "off_contract": True},
        ]
    }
    asked: list[tuple[str, ...]] = []

    class Cases(OneCase):
        def payload(self, *name: str) -> Template:
            asked.append(name)
            return super().payload(*name)

    whole = scenario.read(json.dumps(document), id="s", file="s.scenario.json")
    with receiver(answering(NOTHING)) as shop:
        played = play([whole], shop.url, cases=Cases("{}"))
    assert [(each.action, each.edition) for each in played.log.deliveries] == [
        ("order_cancel", "draft"),
        ("order_cancel", "v1"),
    ]
    assert [b"/order_cancel " in each or b"/order_cancel_v1 " in each for each in shop.requests] == [True] * 2
    assert dict.fromkeys(asked) == dict.fromkeys(
        [("order_cancel", "draft", "f"), ("order_cancel", "v1", "f")]
    )


def test_nothing_is_sent_of_a_scenario_with_a_step_that_cannot_be():
    steps = [{"name": "first", "fixture": "f"}, {"name": "second", "fixture": "f", "action": "order_brew"}]
    whole = scenario.read(json.dumps({"steps": steps}), id="s", file="s.scenario.json")
    with receiver(answering(NOTHING)) as shop:
        played = play([whole], shop.url, cases=OneCase("{}"))
    assert shop.requests == []
    assert played.verdicts == ["skipped", "errored"]
    assert played.steps[0].reason == "step 'second' cannot be sent"
    assert "at /action: there is no contract order_brew.draft" in played.steps[1].reason


# --- large answers ---


def test_a_large_answer_is_worked_on_beside_the_loop_and_judged_all_the_same():
    events = [{"error_code": f"ERR{number}", "error_message": "x" * 200} for number in range(1000)]
    large = response(json.dumps({"events": events}).encode())
    with receiver(answering(large)) as shop:
        played = play([plan({"expect": {"body": {"events": events[1:]}}})], shop.url)
    (judgement,) = played.steps[0].judgements
    found = [(each.kind, each.actual_pointer) for each in judgement.differences]
    assert found == [("unexpected", "/events/0")]


# --- stopping, protection ---


def hanging(peer: Peer) -> None:
    if peer.read_request() is not None:
        peer.hang()


def test_stopping_ends_what_is_in_flight_skips_the_rest_and_reports_all():
    with receiver(hanging) as shop:
        played = play(
            [plan({"expect": {}}, {"expect": {}}), plan({"expect": {}})], shop.url, stop_after=1, jobs=1
        )
        assert len(shop.requests) <= 1
    assert played.verdicts == ["errored", "skipped", "skipped"]
    assert played.log.deliveries[0].fault is not None
    assert played.log.deliveries[0].fault.kind == "cancelled"


def stopped_after_judging(count: int, step: dict[str, Any], url: str) -> Played:
    """Run one step, and stop the run when so many of its deliveries have been judged."""

    async def run() -> Played:
        log, events = MemoryLog(), []
        async with Transport() as transport:
            ports = real_ports(transport, log)
            engine = Run([plan(step)], ports, Options(receiver=ReceiverModel(name="shop", base_url=url)))

            def on_event(event: Event) -> None:
                events.append(event)
                if sum(isinstance(each, DeliveryFinished) for each in events) == count:
                    engine.stop()

            await engine.execute(on_event)
        return Played(events, log)

    return asyncio.run(run())


def test_a_large_step_is_composed_beside_the_loop_and_not_sent_after_stopping():
    async def run(url: str) -> Played:
        log, events = MemoryLog(), []
        stopped = threading.Event()
        loop = asyncio.get_running_loop()

        class Large(OneCase):
            def payload(self, action: str, edition: str, name: str) -> Template:
                if threading.current_thread() is not threading.main_thread():
                    loop.call_soon_threadsafe(stop)
                    assert stopped.wait(60), "the loop is free to stop the run meanwhile"
                return super().payload(action, edition, name)

        def stop() -> None:
            engine.stop()
            stopped.set()

        async with Transport() as transport:
            ports = msgspec.structs.replace(
                real_ports(transport, log), cases=Large(json.dumps({"a": "x" * LARGE_BODY}))
            )
            options = Options(receiver=ReceiverModel(name="shop", base_url=url))
            large = scenario.read(
                json.dumps({"steps": [{"fixture": "a", "off_contract": True}]}), id="s", file="s"
            )
            engine = Run([large], ports, options)
            await engine.execute(events.append)
        return Played(events, log)

    with receiver(NOTHING) as shop:
        played = asyncio.run(run(shop.url))
        assert shop.requests == []
    assert played.verdicts == ["skipped"]
    assert played.steps[0].reason == "the run was stopped"


def test_an_answer_of_many_headers_is_searched_and_judged_beside_the_loop():
    threads = []

    class Clock(SystemClock):
        def now(self) -> str:
            threads.append(threading.current_thread())
            return super().now()

    async def run(url: str) -> None:
        async with Transport() as transport:
            ports = msgspec.structs.replace(real_ports(transport, MemoryLog()), clock=Clock())
            options = Options(receiver=ReceiverModel(name="shop", base_url=url))
            await Run([plan({})], ports, options).execute(lambda event: None)

    def judged_beside(cookies: int) -> bool:
        threads.clear()
        headers = [f"Set-Cookie: a{number}=value-{number}" for number in range(cookies)]
        with receiver(answering(response(b'{"events":[]}', *headers))) as shop:
            asyncio.run(run(shop.url))
        return any(each is not threading.main_thread() for each in threads)

    assert judged_beside(cookies=100)
    assert not judged_beside(cookies=3)


def stopped_after(seconds: float, step: dict[str, Any], url: str) -> Played:
    """Run one step, and stop the run that long after it began."""

    async def run() -> Played:
        log, events = MemoryLog(), []
        async with Transport() as transport:
            ports = real_ports(transport, log)
            engine = Run([plan(step)], ports, Options(receiver=ReceiverModel(name="shop", base_url=url)))
            asyncio.get_running_loop().call_later(seconds, engine.stop)
            await engine.execute(events.append)
        return Played(events, log)

    return asyncio.run(run())


@pytest.mark.parametrize(
    ("deliver", "left"),
    [
        ({"times": 2, "delay_ms": 60_000}, "1 of 2"),
        ({"times": 3, "delay_ms": 60_000, "parallel": 2}, "1 of 3"),
    ],
)
def test_nothing_is_sent_after_stopping_and_the_step_says_what_is_left(deliver: dict[str, int], left: str):
    sent = deliver.get("parallel", 1)
    with receiver(answering(NOTHING)) as shop:
        played = stopped_after_judging(sent, {"deliver": deliver, "expect": {}}, shop.url)
        assert len(shop.requests) == sent
    (step,) = played.steps
    assert (step.verdict, step.sent) == ("skipped", sent)
    assert step.reason == f"the run was stopped: {left} deliveries were not sent"
    assert played.log.results[0].stopped


def test_a_step_that_failed_before_it_was_stopped_says_both():
    step = {"deliver": {"times": 3, "delay_ms": 60_000}, "expect": {"status": 500}}
    with receiver(answering(NOTHING)) as shop:
        played = stopped_after_judging(1, step, shop.url)
    assert played.steps[0].verdict == "failed"
    assert "the run was stopped: 2 of 3 deliveries were not sent" in played.steps[0].reason


def test_no_redelivery_follows_a_drop_that_stopping_cut_short():
    with receiver(hanging) as shop:
        played = stopped_after(0.3, {"deliver": {"drop_after_ms": 60_000}, "expect": {}}, shop.url)
        assert len(shop.requests) == 1
    assert played.verdicts == ["skipped"]


def test_whoever_stops_listening_stops_the_run_and_what_was_in_flight_is_logged():
    async def run() -> MemoryLog:
        log = MemoryLog()
        async with Transport() as transport:
            ports = real_ports(transport, log)
            engine = Run(
                [plan({}), plan({})], ports, Options(receiver=ReceiverModel(name="r", base_url=shop.url))
            )
            await asyncio.gather(
                executing := asyncio.create_task(engine.execute(lambda event: executing.cancel())),
                return_exceptions=True,
            )
            assert executing.cancelled()
            assert engine.stopped
        return log

    with receiver(hanging) as shop:
        log = asyncio.run(run())
    assert log.deliveries
    assert all(each.fault is not None and each.fault.kind == "cancelled" for each in log.deliveries)


def test_a_protected_receiver_gets_nothing_without_a_yes():
    with receiver(answering(NOTHING)) as shop:
        guarded = ReceiverModel(name="live", base_url=shop.url, protected=True)
        with pytest.raises(UsageError, match="protected"):
            play([plan({})], shop.url, receiver=guarded)
        assert shop.requests == []
        play([plan({})], shop.url, receiver=guarded, confirmed=True)
        assert len(shop.requests) == 1


def test_a_run_that_ends_by_itself_was_not_stopped():
    async def run() -> bool:
        async with Transport() as transport:
            ports = real_ports(transport, MemoryLog())
            engine = Run([plan({})], ports, Options(receiver=ReceiverModel(name="shop", base_url=shop.url)))
            await engine.execute(lambda event: None)
        return engine.stopped

    with receiver(answering(NOTHING)) as shop:
        assert not asyncio.run(run())


def test_no_more_scenarios_than_jobs_run_at_once():
    under_way: list[int] = []
    most: list[int] = []

    def act(peer: Peer) -> None:
        while peer.read_request() is not None:
            under_way.append(1)
            most.append(len(under_way))
            peer.receiver.left.wait(0.05)
            under_way.pop()
            peer.send(NOTHING)

    with receiver(act) as shop:
        play([plan({}) for _ in range(9)], shop.url, jobs=3)
    assert max(most) == 3


# --- secrets ---


def test_what_is_logged_is_redacted_and_the_comparison_still_agrees():
    secret = "s3cret-token-value"

    def echoing(peer: Peer) -> None:
        while (request := peer.read_request()) is not None:
            seen = body(request)["integration_auth_token"]
            peer.send(response(json.dumps({"status": seen, "events": []}).encode()))

    with receiver(echoing) as shop:
        target = ReceiverModel(name="shop", base_url=shop.url, token="${env:SHOP_TOKEN}")
        step = {"expect": {"body": {"status": "${env:SHOP_TOKEN}", "events": []}, "contract": False}}
        played = play(
            [plan(step, edition="v1")], shop.url, receiver=target, environment={"SHOP_TOKEN": secret}
        )
        assert secret.encode() in shop.requests[0]
    assert played.verdicts == ["passed"]
    assert secret not in repr(played.log.records)
    assert "«redacted:SHOP_TOKEN»" in repr(played.log.records)


def test_a_secret_typed_at_its_place_is_redacted_and_a_reference_there_is_kept():
    def composed(token: str) -> str:
        step = {"payload": {"integration_auth_token": token, "note": "${n}"}, "expect": {}}
        with receiver(answering(NOTHING)) as shop:
            played = play([plan(step, edition="v1", variables={"n": 1, "t": "typed-by-hand"})], shop.url)
            assert body(shop.requests[0])["integration_auth_token"] == "typed-by-hand"
        assert "typed-by-hand" not in repr(played.log.records)
        return played.log.deliveries[0].composed

    assert (
        composed("typed-by-hand")
        == '{"integration_auth_token":"«redacted:integration_auth_token»","note":"${n}"}'
    )
    assert composed("${t}") == '{"integration_auth_token":"${t}","note":"${n}"}'


def test_a_payload_whose_token_the_step_sets_is_logged_once():
    def deliveries(**step: Any) -> list[Delivery]:
        with receiver(answering(NOTHING)) as shop:
            target = ReceiverModel(name="shop", base_url=shop.url, token="the-right-token")
            played = play([plan({"expect": {}, **step}, edition="v1")], shop.url, receiver=target)
        return played.log.deliveries

    payload = {"action": "order_cancel"}
    (added,) = deliveries(payload=payload)
    assert added.composed == '{"action":"order_cancel"}'
    (own,) = deliveries(payload=payload, set={"/integration_auth_token": "another-token"})
    assert own.request.body.endswith('"integration_auth_token":"«redacted:integration_auth_token»"}')
    assert own.composed == ""


def judged_with(step: dict[str, Any], answer: bytes, **options: Any) -> Played:
    with receiver(answering(answer)) as shop:
        return play([plan(step, edition="v1")], shop.url, **options)


@pytest.mark.parametrize(
    ("step", "answer"),
    [
        (
            {
                "set": {"/integration_auth_token": "wrong-token-123"},
                "expect": {"body": {"events": [{"code": "wrong-token-123"}]}},
            },
            response(b'{"events":[{"code":"wrong-token-123"}]}'),
        ),
        (
            {
                "deliver": {"headers": {"Authorization": "Bearer other-token-9"}},
                "expect": {"body": {"events": [{"code": "other-token-9"}]}},
            },
            response(b'{"events":[{"code":"other-token-9"}]}'),
        ),
        (
            {"expect": {"body": {"events": [{"code": "cancelled"}]}}},
            response(b'{"events":[{"code":"cancelled"}]}', "Set-Cookie: state=cancelled"),
        ),
        ({"expect": {"headers": {"Set-Cookie": "a=b"}}}, response(b'{"events":[]}', "Set-Cookie: a=b")),
    ],
    ids=["token at its place", "header of the step", "cookie of the answer", "expected cookie"],
)
def test_the_expectation_is_redacted_as_the_answer_is(step: dict[str, Any], answer: bytes):
    played = judged_with(step, answer)
    assert played.verdicts == ["passed"], played.steps[0]
    assert "wrong-token-123" not in repr(played.log.records)
    assert "other-token-9" not in repr(played.log.records)


class Proved(Played):
    """What was sent by a contract that proves its sender by a header, and what was kept of it."""

    def __init__(self, written: dict[str, Any], step: dict[str, Any], answer: bytes = NOTHING) -> None:
        self.agreed = proving(written)
        with receiver(answering(answer)) as shop:
            target = ReceiverModel(name="shop", base_url=shop.url, token="${env:SHOP}")
            played = play(
                [plan(step)], shop.url, receiver=target, environment={"SHOP": SECRET}, agreed=self.agreed
            )
            (self.request,) = shop.requests
        super().__init__(played.events, played.log)

    @property
    def sent(self) -> str | None:
        """The proof as it went out."""
        head, _, _ = self.request.partition(b"\r\n\r\n")
        lines = [line.partition(": ") for line in head.decode().split("\r\n")]
        assert self.agreed.auth is not None
        return next((value for name, _, value in lines if name == self.agreed.auth.header), None)

    @property
    def right(self) -> str:
        """The proof as it must be for the bytes that went out."""
        assert self.agreed.auth is not None
        return auth.header_value(self.agreed.auth, SECRET, self.request.partition(b"\r\n\r\n")[2])

    @property
    def kept(self) -> str:
        """The proof as the log has it."""
        assert self.agreed.auth is not None
        return dict(self.log.deliveries[0].request.headers)[self.agreed.auth.header]


@pytest.mark.parametrize(
    "step", [{"payload": {"note": "é 35.00"}}, {"raw": "{no json"}, {"raw": "base64:AP8="}]
)
@pytest.mark.parametrize(
    ("written", "kept"),
    [(BEARER, "Bearer «redacted:SHOP»"), (SIGNED, "v0:«redacted:signature»")],
    ids=["bearer", "signature"],
)
def test_a_header_proves_the_sender_of_the_exact_bytes_and_is_not_kept(
    written: dict[str, Any], kept: str, step: dict[str, Any]
):
    proved = Proved(written, step)
    assert proved.sent == proved.right
    assert proved.kept == kept
    assert proved.right.split(":")[-1] not in repr(proved.log.records)
    assert SECRET not in repr(proved.log.records)


@pytest.mark.parametrize("written", [BEARER, SIGNED], ids=["bearer", "signature"])
def test_a_step_sends_a_wrong_proof_or_none(written: dict[str, Any]):
    name = written["header"].lower()
    wrong = Proved(written, {"deliver": {"headers": {name: "wrong-proof-123"}}})
    assert wrong.sent is None
    assert f"{name}: wrong-proof-123".encode() in wrong.request
    assert "wrong-proof-123" not in repr(wrong.log.records)
    without = Proved(written, {"deliver": {"headers": {name: None}}})
    assert name.encode() not in without.request.lower()
    assert without.log.deliveries[0].own_headers == {name: None}


def test_a_signature_that_a_receiver_quotes_is_not_kept():
    digest = Proved(SIGNED, {}).right.removeprefix("v0:")
    quoting = response(json.dumps({"events": [], "expected": digest}).encode())
    step = {"deliver": {"headers": {"X-Shop-Proof": "v0:wrong"}}, "expect": {"body": {"expected": "other"}}}
    proved = Proved(SIGNED, step, quoting)
    assert proved.verdicts == ["failed"]
    assert digest not in repr(proved.log.records)
    assert digest not in repr(proved.events)


def test_named_variables_and_those_in_headers_are_secret():
    target = ReceiverModel(name="shop", base_url="", headers={"X-Shop": "${env:SHOP_KEY}"})
    environment = {"SHOP_KEY": "key-12345678", "OTHER": "other-12345678"}
    with receiver(answering(NOTHING)) as shop:
        target = ReceiverModel(name="shop", base_url=shop.url, headers={"X-Shop": "${env:SHOP_KEY}"})
        step = {"payload": {"note": "${env:OTHER}"}}
        played = play(
            [plan(step)], shop.url, receiver=target, environment=environment, secret={"named": ["OTHER"]}
        )
        assert b"key-12345678" in shop.requests[0]
        assert b"other-12345678" in shop.requests[0]
    assert "12345678" not in repr(played.log.records)


def test_a_variable_in_a_header_of_a_step_is_secret():
    environment = {"KEY": "key-12345678", "PLAIN": "plain-12345678"}
    headers = {"X-Api-Key": "Key ${key}", "X-Note": "${env:PLAIN}"}
    answer = response(b'{"events":[],"echo":"key-12345678"}')
    with receiver(answering(answer)) as shop:
        one = plan({"deliver": {"headers": headers}}, variables={"key": "${env:KEY}"})
        played = play([one], shop.url, environment=environment)
        assert b"X-Api-Key: Key key-12345678" in shop.requests[0]
    (delivery,) = played.log.deliveries
    kept = dict(delivery.request.headers)
    assert (kept["X-Api-Key"], kept["X-Note"]) == ("«redacted:KEY»", "«redacted:PLAIN»")
    assert "12345678" not in repr(played.log.records)


@pytest.mark.parametrize(
    ("step", "pointer"),
    [
        ({"expect": {"rules": {"/events": {"regex": "${p}"}}}}, "/expect/rules/~1events"),
        ({"expect": {"headers": {"X-A": {"regex": "${p}"}}}}, "/expect/headers/X-A"),
        ({"deliver": {"headers": {"X-A": "${absent}"}}}, "/deliver/headers/X-A"),
        ({"payload": {"a": {"b": "${absent}"}}}, "/a/b"),
    ],
)
def test_what_placeholders_make_unusable_is_told_before_anything_is_sent(step: dict[str, Any], pointer: str):
    with receiver(answering(NOTHING)) as shop:
        played = play([plan(step, variables={"p": "("})], shop.url)
        assert shop.requests == []
    assert played.verdicts == ["errored"]
    assert played.steps[0].unreadable
    assert f"at {pointer}" in played.steps[0].reason


def test_a_fixture_has_placeholders_though_its_scenario_has_none():
    async def run() -> str:
        log = MemoryLog()
        async with Transport() as transport:
            ports = real_ports(transport, log, OneCase('{"id": "${uuid}"}'))
            steps = '{"steps": [{"fixture": "f", "off_contract": true}]}'
            plans = [scenario.read(steps, id="s", file="s")]
            engine = Run(plans, ports, Options(receiver=ReceiverModel(name="r", base_url=shop.url)))
            await engine.execute(lambda event: None)
        return log.deliveries[0].request.body

    with receiver(answering(NOTHING)) as shop:
        assert len(json.loads(asyncio.run(run()))["id"]) == 36


def test_a_missing_token_can_be_tested():
    with receiver(answering(response(b"{}", status="401 Unauthorized"))) as shop:
        target = ReceiverModel(name="shop", base_url=shop.url, token="the-right-token")
        step = {"remove": ["/integration_auth_token"], "expect": {"status": 401}}
        played = play([plan(step, edition="v1")], shop.url, receiver=target)
    assert body(shop.requests[0]) == {}
    assert played.verdicts == ["passed"]


def test_an_unset_variable_is_an_error_of_the_step_that_needs_it():
    with receiver(answering(NOTHING)) as shop:
        played = play([plan({"payload": {"k": "${env:ABSENT}"}})], shop.url)
        assert shop.requests == []
    assert played.verdicts == ["errored"]
    assert "ABSENT" in played.steps[0].reason
    assert "s.scenario.json:" in played.steps[0].reason


# --- ending early, and not beginning ---


def test_after_so_many_failures_nothing_more_is_sent():
    failing = {"expect": {"status": 500}}
    with receiver(answering(NOTHING)) as shop:
        played = play([plan(failing, failing) for _ in range(5)], shop.url, jobs=1, max_failures=2)
    assert len(shop.requests) == 4
    assert [result.verdict for result in played.results] == ["failed"] * 2 + ["skipped"] * 3
    assert {step.reason for step in played.steps[4:]} == {"the run ended after 2 failures"}


def test_what_is_in_flight_at_the_last_failure_is_judged_as_ever():
    """Two at once: the one that fails ends the run while the other waits for its answer."""

    def act(peer: Peer) -> None:
        while (request := peer.read_request()) is not None:
            if body(request)["slow"]:
                assert failed.wait(60)
            peer.send(NOTHING)

    failed = threading.Event()
    plans = [
        plan({"payload": {"slow": True}, "expect": {"status": 200}}),
        plan({"payload": {"slow": False}, "expect": {"status": 500}}),
        plan({"payload": {"slow": False}, "expect": {"status": 200}}),
    ]

    def tell(event: Event) -> None:
        if isinstance(event, ScenarioResult):
            failed.set()

    with receiver(act) as shop:
        played = play(plans, shop.url, jobs=2, max_failures=1, listen=tell)
    assert sorted(result.verdict for result in played.results) == ["failed", "passed", "skipped"]
    assert len(played.log.deliveries) == 2
    assert all(delivery.fault is None for delivery in played.log.deliveries)


def previews(
    *plans: Plan,
    url: str = "http://me:secret-word@h/base",
    agreed: Contract | None = None,
    **options: Any,
) -> list[Preview]:
    sources = Sources(
        clock=SystemClock(),
        cases=SPELLED,
        contracts=SHIPPED_CONTRACTS if agreed is None else OneContract(agreed),
        environment={},
        policy=secret_policy(),
    )
    target = ReceiverModel(name="shop", base_url=url, token="token-0123456789")
    return list(preview(plans, sources, Options(receiver=target, **options)))


def test_a_preview_says_how_the_proof_of_the_sender_is_made():
    steps = ({}, {"deliver": {"headers": {"x-shop-proof": "v0:wrong"}}})
    made, own = previews(plan(*steps), agreed=proving(SIGNED))
    assert (made.proof, own.proof) == (proving(SIGNED).auth, None)
    for each in (made, own):
        assert each.request is not None
        assert "«redacted:" in {name.lower(): value for name, value in each.request.headers}["x-shop-proof"]
    said = "X-Shop-Proof: v0: and the HMAC-SHA256 of the body in hex, by the receiver's secret"
    assert f"      {said}" in list(preview_text.text([made], (), ReceiverModel("shop", "")))


def test_a_preview_composes_checks_and_sends_nothing():
    refused = {"payload": {"a": 1}, "off_contract": False}
    unknown = {"payload": "${nobody}"}
    fine, bad, wrong = previews(plan({"deliver": {"times": 3}}, refused, unknown))
    assert fine.request is not None
    assert fine.request.url == "http://«redacted:base_url-password»@h/base/order_cancel"
    assert (fine.deliveries, fine.size, fine.would_send) == (3, 2, True)
    assert (bad.is_refused, bad.deliveries) == (True, 0)
    assert bad.violations
    assert wrong.mistake.startswith("s.scenario.json:1: ")
    assert "nobody" in wrong.mistake
    assert wrong.request is None


def test_a_preview_knows_what_only_an_answer_tells():
    captures = {"capture": {"code": "/events/0/error_code"}}
    uses = {"payload": {"code": "${code}"}}
    first, second = previews(plan(captures, uses))
    assert first.would_send
    assert second.would_send
    assert "${code}" in second.waits
    assert second.request is None


def test_a_preview_hides_the_token():
    document = {"edition": "v1", "steps": [{"fixture": "f", "off_contract": True}]}
    (shown,) = previews(scenario.read(json.dumps(document), id="s", file="s"), url="http://h")
    assert shown.request is not None
    assert "token-0123456789" not in shown.request.body
    assert "redacted" in shown.request.body
