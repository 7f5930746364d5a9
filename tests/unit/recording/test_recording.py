"""recording/: what was delivered becomes a scenario: the same bytes, and it passes on the same answer."""

from __future__ import annotations

import base64
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from retailops_sandbox import composing, jsontext, recording, redaction
from retailops_sandbox.comparing import Judge, matchers
from retailops_sandbox.contracts.catalogue import SHIPPED_CONTRACTS
from retailops_sandbox.contracts.contract import Contract
from retailops_sandbox.model import (
    Deliver,
    Delivery,
    Expectation,
    Fault,
    Headers,
    Judgement,
    Number,
    Request,
    Response,
    Scenario,
    Step,
)
from retailops_sandbox.recording import Recorded, ScenarioDraft
from retailops_sandbox.scenarios import scenario
from tests.support.records import listed, some_delivery

DEFAULT = jsontext.parse(
    '{"version": 1, "action": "order_cancel", "total": 35.00, "list": [1, 2], "data": {"id": "4897"}}'
)
DRAFT, V1 = SHIPPED_CONTRACTS.load("order_cancel", "draft"), SHIPPED_CONTRACTS.load("order_cancel", "v1")
UUID, OTHER_UUID = "0f8fad5b-d9cb-469f-a165-70867728950e", "7c9e6679-7425-40de-944b-e07fc1f90ae7"


def fixture(action: str, edition: str, name: str) -> Any:
    return DEFAULT if name == "default" else msgspec.UNSET


def delivery(
    sent: object = DEFAULT,
    answer: object = None,
    *,
    number: int = 1,
    status: int = 200,
    method: str = "POST",
    content_type: str = "application/json",
    **fields: Any,
) -> Delivery:
    """A delivery; `sent` and `answer` are values, or texts as they went over the wire."""
    headers: Headers = (("Content-Type", content_type),)
    answer = {"events": []} if answer is None else answer
    given: dict[str, Any] = {
        "id": f"run.{number:06}",
        "run": "run",
        "sent_at": f"2026-01-01T00:00:{number:02}Z",
        "request": Request(
            method=method, url="http://shop/order_cancel", headers=headers, body=text_of(sent), base64=False
        ),
        "response": Response(status=status, body=text_of(answer)),
    }
    return listed(some_delivery(**given | fields))


def text_of(value: object) -> str:
    return value if isinstance(value, str) else jsontext.compact(value).decode()  # type: ignore[arg-type]


def draft_of(*deliveries: Delivery, judgements: dict[str, Judgement] | None = None) -> ScenarioDraft:
    known = judgements or {}
    return recording.draft(
        [Recorded(each, known.get(each.id)) for each in deliveries], fixture, SHIPPED_CONTRACTS
    )


def written(made: Scenario) -> Scenario:
    """The scenario as it is read back from its file."""
    text = scenario.spelled(made)
    again = scenario.read(text, id="x", file="x").scenario
    assert again == made
    return again


def only_step(made: Scenario) -> Step:
    [step] = made.steps
    return step


def bytes_of(step: Step, **environment: str) -> bytes:
    """What a replay of the step sends, its receiver having the token `secret`."""
    if step.raw is not None:
        return composing.raw_bytes(step.raw)
    base = None if step.fixture is None else composing.Template(fixture("", "", step.fixture), False)
    payload = composing.compose(step, base, composing.Names(environment=environment))
    head = composing.Head("POST", "http://shop/", ())
    return composing.build(head, payload, DRAFT, "")[0].body


def verdict(sent: Delivery, step: Step, agreed: Contract = DRAFT) -> str:
    """The verdict on the delivery by what the step expects, filled as the engine fills it."""
    expected = step.expect
    assert isinstance(expected, Expectation)
    filled = {"rules": composing.fill(expected.rules, composing.Names())}
    if expected.body is not msgspec.UNSET:
        filled["body"] = composing.fill(expected.body, composing.Names())
    return Judge(agreed)(
        redaction.listing.answer(sent), msgspec.structs.replace(expected, **filled), at=""
    ).verdict


# --- what was sent ---


def test_a_fixture_and_what_was_changed_in_it():
    changed = jsontext.parse(
        '{"version": 1, "action": "order_cancel", "total": 35.00, "list": [1, 3], "data": {}, "new": 1.50}'
    )
    step = only_step(written(recording.finished(draft_of(delivery(changed, fixture="default (edited)")))))
    assert step.fixture == "default"
    assert step.remove == ["/data/id"]
    assert step.set == {"/list/1": 3, "/new": Number("1.50")}
    assert bytes_of(step) == jsontext.compact(changed)


def test_a_payload_of_its_own_where_a_fixture_would_not_give_the_same_bytes():
    turned = jsontext.parse(
        '{"action": "order_cancel", "version": 1, "total": 35.0, "list": [1, 2], "data": {"id": "4897"}}'
    )
    step = only_step(written(recording.finished(draft_of(delivery(turned, fixture="default")))))
    assert step.fixture is None
    assert bytes_of(step) == jsontext.compact(turned)


def test_a_fixture_that_is_gone_becomes_a_payload():
    assert only_step(recording.finished(draft_of(delivery(fixture="gone")))).payload == DEFAULT


@pytest.mark.parametrize(
    ("body", "is_binary"),
    [
        ("not JSON", False),
        ('{"a": 1, "a": 2}', False),
        ("[1, 2]", False),
        ("", False),
        ("base64:TQ==", False),
        ("1],[2", False),
        ('{"a":' * 198 + "1" + "}" * 198, False),
        (base64.b64encode(b"\xff\x00").decode(), True),
    ],
)
def test_bytes_that_are_no_json_object_stay_as_they_were(body: str, is_binary: bool):
    request = Request(
        method="POST",
        url="http://shop/order_cancel",
        headers=(("content-type", "text/xml"),),
        body=body,
        base64=is_binary,
    )
    step = only_step(written(recording.finished(draft_of(delivery(request=request)))))
    assert bytes_of(step) == (base64.b64decode(body) if is_binary else body.encode())
    assert step.deliver == Deliver(content_type="text/xml")
    assert not step.off_contract


def test_a_payload_that_breaks_the_contract_says_so():
    assert only_step(recording.finished(draft_of(delivery({"version": "one"})))).off_contract
    kept = draft_of(delivery(DRAFT.examples.request))
    assert not only_step(recording.finished(kept)).off_contract


def test_placeholders_of_a_send_stay_and_variables_become_what_was_sent():
    composed = '{"id": "${order_id}", "at": "${now}", "who": "${env:WHO}", "literal": "$${x}"}'
    sent = {"id": 4897, "at": "2026-01-01T00:00:00Z", "who": "me", "literal": "${x}"}
    step = only_step(recording.finished(draft_of(delivery(sent, composed=composed))))
    assert step.payload == {"id": 4897, "at": "${now}", "who": "${env:WHO}", "literal": "$${x}"}


def test_a_dollar_brace_that_came_over_the_wire_is_no_placeholder():
    sent = delivery({"note": "costs ${price}"}, {"events": [], "echo": "$${x"})
    step = only_step(written(recording.finished(draft_of(sent))))
    assert bytes_of(step) == sent.request.body.encode()
    assert verdict(sent, step) == "passed"


# --- names, groups, what is left out ---


def test_one_draft_in_the_order_of_sending_with_unique_names_and_the_contract_of_each_step():
    records = [
        delivery(number=3),
        delivery(number=1, fixture="default"),
        delivery(number=2, fixture="default"),
        delivery(number=4, edition="v1", scenario="scenarios/x", step="again"),
    ]
    draft = recording.draft([Recorded(each) for each in records], fixture, SHIPPED_CONTRACTS)
    made = draft.scenario
    assert [step.name for step in made.steps] == ["default", "default 2", "order_cancel", "again"]
    assert [(step.action, step.edition) for step in made.steps] == [(None, None)] * 3 + [(None, "v1")]
    assert (made.action, made.edition) == ("order_cancel", "draft")
    assert made.name == "Recorded order_cancel draft and 1 more"
    assert draft.key == "order_cancel-draft-and-more"
    assert draft.deliveries == tuple(f"run.00000{number}" for number in range(1, 5))
    again = written(recording.finished(draft))
    assert again.contracts == [("order_cancel", "draft"), ("order_cancel", "v1")]


def test_a_draft_of_one_contract_is_named_after_it():
    draft = draft_of(delivery(edition="v1"))
    assert (draft.scenario.name, draft.key) == ("Recorded order_cancel v1", "order_cancel-v1")
    assert draft.scenario.steps[0].edition is None
    assert recording.draft([], fixture, SHIPPED_CONTRACTS).scenario.steps == []


def test_a_name_has_the_first_contract_only():
    contracts = [(f"action_{number}", "v1") for number in range(5)]
    assert recording.contract_words(contracts) == "action_0 v1 and 4 more"


def test_what_no_step_can_repeat_is_left_out_and_said():
    draft = draft_of(delivery(), delivery(number=2, method="GET"), delivery(number=3, dropped=True))
    assert len(draft.scenario.steps) == 1
    assert draft.notes[0] == "GET http://shop/order_cancel is left out: a step sends POST only"
    assert "hung up" in draft.notes[1]


@pytest.mark.parametrize(
    "sent",
    [
        {"action": "order_refund", "version": 1, "order": {"channel_order_refnum": "496"}},
        {"ping": 1},
        "user=a&password=b",
    ],
    ids=["another action", "no payload", "no JSON"],
)
def test_what_no_contract_knows_is_left_out_and_said(sent: object):
    url = "http://shop/elsewhere"
    foreign = delivery(
        number=2, request=Request(method="POST", url=url, headers=(), body=text_of(sent), base64=False)
    )
    draft = draft_of(delivery(), foreign)
    assert len(draft.scenario.steps) == 1
    assert draft.notes[0].startswith(f"POST {url} is left out: no contract knows it")
    # Who sends from here says the action.
    assert len(draft_of(msgspec.structs.replace(foreign, step="step 1")).scenario.steps) == 1


def test_a_reviewed_draft_has_the_names_and_steps_that_were_chosen():
    draft = draft_of(delivery(number=1), delivery(number=2), delivery(number=3))
    made = recording.finished(draft, name="Mine", tags=["a", "b"], step_names={2: "last"}, left_out={0})
    assert (made.name, made.tags) == ("Mine", ["a", "b"])
    assert [step.name for step in made.steps] == ["order_cancel 2", "last"]


# --- what is expected ---


def test_a_fault_is_expected_and_a_cancel_is_not():
    refused = delivery(response=None, fault=Fault("refused", "nothing listens"))
    assert only_step(recording.finished(draft_of(refused))).expect == Expectation(fault="refused")
    cancelled = delivery(response=None, fault=Fault("cancelled", "cancelled"))
    draft = draft_of(cancelled)
    assert only_step(recording.finished(draft)).expect is msgspec.UNSET
    assert "cancelled" in draft.notes[0]


@pytest.mark.parametrize(
    ("answer", "status", "keeps_contract"),
    [
        ({"events": []}, 200, True),
        ({"events": None}, 200, False),
        ("OK", 200, False),
        ("OK", 500, True),
        ("", 204, True),
    ],
)
def test_the_answer_that_came_passes(answer: object, status: int, keeps_contract: bool):
    sent = delivery(answer=answer, status=status)
    step = only_step(written(recording.finished(draft_of(sent))))
    assert verdict(sent, step) == "passed"
    assert isinstance(step.expect, Expectation)
    assert step.expect.contract is keeps_contract


def test_rules_that_the_answer_keeps_survive():
    sent = delivery(answer={"events": [{"error_code": "ERR1234"}]})
    for pattern, survives in {"^ERR": True, "^WARN": False}.items():
        rules: Any = {"/events/*/error_code": {"regex": pattern}}
        judgement = Judgement(delivery=sent.id, verdict="failed", at="", expectation=Expectation(rules=rules))
        step = only_step(recording.finished(draft_of(sent, judgements={sent.id: judgement})))
        assert isinstance(step.expect, Expectation)
        assert step.expect.rules == (rules if survives else {})
        assert verdict(sent, step) == "passed"


def test_rules_of_the_fixtures_own_expectation_do_not_replace_what_was_answered():
    sent = delivery(answer={"events": []})
    own = Expectation(body={"events": []}, rules={"/events": {"none": {"status": "error"}}})
    judgement = Judgement(
        delivery=sent.id, verdict="passed", at="", expectation=own, expected_by="fixtures/a/b/c.expect.json"
    )
    step = only_step(recording.finished(draft_of(sent, judgements={sent.id: judgement})))
    assert isinstance(step.expect, Expectation)
    assert (step.expect.body, step.expect.rules) == ({"events": []}, {})


def test_rules_about_the_items_of_an_array_do_not_replace_what_was_answered():
    sent = delivery(answer={"events": [{"error_code": "ERR1234"}], "at": 1})
    rules: Any = {"/events": {"none": {"status": "error"}}, "/at": "ignore"}
    judgement = Judgement(delivery=sent.id, verdict="passed", at="", expectation=Expectation(rules=rules))
    step = only_step(recording.finished(draft_of(sent, judgements={sent.id: judgement})))
    assert isinstance(step.expect, Expectation)
    assert step.expect.rules == {"/at": "ignore"}


def test_rules_that_the_answer_keeps_survive_where_it_breaks_the_contract():
    sent = delivery(answer={"events": None, "at": "now"})
    written = Expectation(rules={"/at": "any"})
    judgement = Judgement(delivery=sent.id, verdict="failed", at="", expectation=written)
    draft = draft_of(sent, judgements={sent.id: judgement})
    step = only_step(recording.finished(draft))
    assert isinstance(step.expect, Expectation)
    assert (step.expect.rules, step.expect.contract) == ({"/at": "any"}, False)
    assert verdict(sent, step) == "passed"


def test_an_answer_that_is_not_json_is_expected_by_its_status_and_that_is_said():
    draft = draft_of(delivery(answer="<html>", status=502), delivery(answer="", status=204, number=2))
    assert draft.step_notes == (("its answer is not JSON: only the status is expected",), ())


# --- volatile values ---


def proposals(*answers: object, sent: object = None) -> dict[str, tuple[Any, bool]]:
    """The rules proposed for the first of some answers to the same request."""
    payload = {"version": 1} if sent is None else sent
    draft = draft_of(*(delivery(payload, each, number=number) for number, each in enumerate(answers, 1)))
    return {each.pointer: (each.rule, each.taken) for each in draft.proposals if each.step == 0}


@pytest.mark.parametrize(
    ("value", "rule"),
    [
        (UUID, "uuid"),
        ("2026-01-01T00:00:00.5+01:00", "datetime"),
        (1_767_225_600_000, {"type": "integer"}),
        ("1767225600000", {"regex": "^[0-9]{13}$"}),
    ],
)
def test_what_looks_made_anew_is_proposed(value: object, rule: object):
    assert proposals({"events": [], "x": value}) == {"/x": (rule, True)}


@pytest.mark.parametrize(
    "value", ["4897", "2026-01-01", 35, 17, True, None, "ERR1234", 9_999_999_999_999, ""]
)
def test_what_looks_lasting_is_not_proposed(value: object):
    assert proposals({"events": [], "x": value}) == {}


def test_a_text_with_a_uuid_in_it_becomes_a_regex_that_accepts_the_next_one():
    text = f"cancelled ($1) as {UUID}."
    [(rule, taken)] = proposals({"events": [], "x": text}).values()
    accepts = matchers.matcher(rule).accepts
    assert taken
    assert accepts is not None
    assert accepts(text)
    assert accepts(text.replace(UUID, OTHER_UUID))
    assert not accepts(text.replace("(", "["))


def test_what_was_sent_comes_back_and_is_not_volatile():
    assert proposals({"events": [], "x": UUID}, sent={"version": 1, "id": UUID}) == {}


@pytest.mark.parametrize(
    ("one", "other", "rule", "taken"),
    [
        (17, 18, {"type": "integer"}, True),
        (Number("1.5"), 2, {"type": "number"}, True),
        ("job-17", "job-9", {"regex": "^job-[0-9]+$"}, True),
        ("a1b2c3d4e5f6", "aaaaaaaabbbb", {"regex": "^[0-9a-fA-F]{12}$"}, True),
        ("cancelled", "cancelled before", {"type": "string"}, False),
        (True, False, {"type": "boolean"}, False),
        ("none", 1, "any", False),
        (UUID, OTHER_UUID, "uuid", True),
        (UUID, "gone", {"type": "string"}, False),
    ],
)
def test_what_differed_between_repeats_is_proposed(one: object, other: object, rule: object, taken: bool):
    assert proposals({"events": [], "x": one}, {"events": [], "x": other}) == {"/x": (rule, taken)}


def test_answers_to_other_requests_are_no_repeats():
    draft = draft_of(
        delivery({"id": 1}, {"events": [], "x": 1}), delivery({"id": 2}, {"events": [], "x": 2}, number=2)
    )
    assert draft.proposals == ()


def test_items_that_are_all_alike_share_one_rule():
    first = {"events": [{"error_code": "A", "id": UUID}, {"error_code": "B", "id": OTHER_UUID}]}
    assert proposals(first) == {"/events/*/id": ("uuid", True)}
    first["events"][1]["id"] = "fixed"
    assert proposals(first) == {"/events/0/id": ("uuid", True)}


def test_sets_that_came_in_another_order_did_not_differ():
    events = [{"error_code": "A", "error_message": "one"}, {"error_code": "B", "error_message": "two"}]
    assert proposals({"events": events}, {"events": events[::-1]}) == {}


def test_a_taken_rule_stands_in_the_file_and_a_left_one_does_not():
    draft = draft_of(delivery(answer={"events": [], "at": "2026-01-01T00:00:00Z", "id": UUID}))
    by_default = only_step(written(recording.finished(draft))).expect
    assert isinstance(by_default, Expectation)
    assert by_default.rules == {"/at": "datetime", "/id": "uuid"}
    chosen = only_step(recording.finished(draft, {"run.000001/id"})).expect
    assert isinstance(chosen, Expectation)
    assert chosen.rules == {"/id": "uuid"}


# --- secrets ---


def test_a_secret_that_was_struck_out_is_asked_of_the_environment():
    sent = {"version": 1, "key": "«redacted:SHOP_KEY»", "pin": "«redacted:pin code»"}
    answer = {"events": [], "echo": "«redacted:SHOP_KEY»", "session": "«redacted:Set-Cookie»"}
    draft = draft_of(delivery(sent, answer))
    assert {each.id: each.becomes for each in draft.proposals} == {
        "secret:SHOP_KEY": '"${env:SHOP_KEY}"',
        "secret:pin code": '"${env:PIN_CODE}"',
    }
    step = only_step(written(recording.finished(draft)))
    assert step.payload == {"version": 1, "key": "${env:SHOP_KEY}", "pin": "${env:PIN_CODE}"}
    assert isinstance(step.expect, Expectation)
    assert step.expect.body == {"events": [], "echo": None, "session": None}
    assert step.expect.rules == {"/echo": "any", "/session": "any"}
    left = only_step(recording.finished(draft, set()))
    assert left.payload == sent


def test_a_secret_in_raw_bytes_is_pointed_out():
    draft = draft_of(delivery("key=«redacted:SHOP_KEY»"))
    assert draft.proposals == ()
    assert "a secret that was struck out" in draft.notes[0]


def v1(token: object, status: int = 200, composed: str = "", **fields: Any) -> tuple[Step, ScenarioDraft]:
    sent = dict(V1.examples.request)
    sent.pop("integration_auth_token", None)
    if token is not msgspec.UNSET:
        sent["integration_auth_token"] = token
    draft = draft_of(
        delivery(
            sent,
            {"status": "success", "events": []},
            status=status,
            edition="v1",
            composed=composed,
            **fields,
        )
    )
    return only_step(recording.finished(draft)), draft


def test_the_right_token_is_left_to_the_receiver():
    for mark in ("integration_auth_token", "SHOP_TOKEN"):
        step, draft = v1(f"«redacted:{mark}»")
        assert "integration_auth_token" not in step.payload
        assert not step.set
        assert not step.remove
        assert not draft.proposals
    refused, _ = v1("«redacted:SHOP_TOKEN»", 401)
    assert not refused.set


def test_a_wrong_an_empty_and_a_missing_token_are_what_a_step_tests():
    wrong, draft = v1("«redacted:integration_auth_token»", 401)
    assert wrong.set == {"/integration_auth_token": "not the token"}
    assert "its token was refused" in draft.notes[0]
    assert v1("", 401)[0].set == {"/integration_auth_token": ""}
    assert v1(msgspec.UNSET, 401)[0].remove == ["/integration_auth_token"]
    assert v1(msgspec.UNSET, 200)[0].remove == []


# --- anything ---

names = st.text(st.characters(exclude_categories=["Cs"]), max_size=6) | st.sampled_from(
    ["${", "$${x}", "*", "events"]
)
scalars = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.decimals(allow_nan=False, allow_infinity=False, places=2).map(lambda each: Number(f"{each:f}")),
    names,
    st.sampled_from([UUID, OTHER_UUID, "2026-01-01T00:00:00Z", 1_767_225_600_000, f"as {UUID}"]),
)
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(names, inner, max_size=4),
    max_leaves=15,
)
payloads = st.dictionaries(names, values, max_size=4) | st.dictionaries(names, values, max_size=2).map(
    lambda more: {**DEFAULT, **more}  # type: ignore[dict-item]
)


@given(
    st.lists(
        st.tuples(payloads | st.text(max_size=20), values, st.sampled_from([200, 401, 500])),
        min_size=1,
        max_size=4,
    )
)
def test_whatever_was_recorded_sends_the_same_bytes_and_passes(exchanges: list[tuple[Any, Any, int]]):
    sent = [
        delivery(payload, answer, number=number, status=status, fixture="default")
        for number, (payload, answer, status) in enumerate(exchanges, 1)
    ]
    draft = draft_of(*sent)
    everything = {each.id for each in draft.proposals}
    for taken in (None, set(), everything):
        made = written(recording.finished(draft, taken))
        for one, step in zip(sent, made.steps, strict=True):
            assert bytes_of(step) == one.request.body.encode()
            assert verdict(one, step) == "passed"


@given(values, values)
def test_a_rule_that_is_proposed_accepts_all_the_repeats_it_came_from(one: Any, other: Any):
    answers = [{"events": [], "x": one}, {"events": [], "x": other}]
    sent = [delivery({"version": 1}, each, number=number) for number, each in enumerate(answers, 1)]
    draft = draft_of(*sent)
    if isinstance(one, (dict, list)) or isinstance(other, (dict, list)):
        return
    step = recording.finished(draft, {each.id for each in draft.proposals}).steps[0]
    assert verdict(sent[1], step) == "passed"


def test_an_answer_that_breaks_the_contract_is_expected_and_said_to():
    draft = recording.draft([Recorded(delivery(answer={"events": None}), None)], fixture, SHIPPED_CONTRACTS)
    (step,) = draft.scenario.steps
    assert isinstance(step.expect, Expectation)
    assert not step.expect.contract
    assert "its answer breaks the contract (/events must be an array, not null)" in draft.notes[0]
    assert draft.notes[0] == f"step 'order_cancel': {draft.step_notes[0][0]}"
    draft = recording.draft([Recorded(delivery(), None)], fixture, SHIPPED_CONTRACTS)
    assert draft.notes == ()
