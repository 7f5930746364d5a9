"""What came from an answer never becomes a reference: every way from the log back into something composed.

Each way takes a delivery whose request and answer hold texts that look like placeholders, marks and pointers,
and gives what would be composed. Filled in an environment that counts its readers, it is what came, and
nobody asked for a variable.
"""

from __future__ import annotations

import json
import shlex
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import UNSET

from retailops_sandbox import accepting, comparing, composing, importing, jsontext, recording, redaction
from retailops_sandbox.accepting import ACCEPT, JudgedExpectation
from retailops_sandbox.accepting.answers import expected_again
from retailops_sandbox.contracts.catalogue import SHIPPED_CONTRACTS
from retailops_sandbox.model import Delivery, Expectation, Json, Request, Response, Step
from retailops_sandbox.recording import Recorded
from retailops_sandbox.reporting.exporters import FORMATS, exporting
from retailops_sandbox.reporting.exporters.exporter import Sources
from retailops_sandbox.runlog.entries import Entry
from retailops_sandbox.scenarios import scenario
from retailops_sandbox.web.compose import expectation_cards
from retailops_sandbox.web.shell import resending
from retailops_sandbox.web.shell.send_form import resend_form
from tests.support.policies import secret_policy
from tests.support.records import some_delivery

DRAFT = SHIPPED_CONTRACTS.load("order_cancel", "draft")
SOURCES = Sources(
    receiver=lambda name: None,
    fixture=lambda *_: UNSET,
    shipped=lambda *_: UNSET,
    expectation=lambda *_: None,
    shipped_expectation=lambda *_: None,
    policy=secret_policy(),
    contracts=SHIPPED_CONTRACTS,
)

pieces = st.sampled_from(
    [
        *("${env:TRAP}", "${env:TRAP", "${TRAP}", "$${", "${", "$", "{", "}", "$TRAP", '"$TRAP"', "`TRAP`"),
        *("«redacted:TRAP»", "«redacted:", "»", "«", "/a~1b", "~0", "'", '"', "\\", "\n", "%24%7B", "é", " "),
    ]
)
texts = st.lists(pieces | st.text(st.characters(codec="utf-8"), max_size=3), max_size=6).map("".join)
values = st.recursive(
    texts | st.integers(-5, 5) | st.none(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=8,
)


class Trap(Mapping[str, str]):
    """An environment that remembers which variables were asked for, and has all of them."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    def __getitem__(self, name: str) -> str:
        self.asked.append(name)
        return "the real value"

    def __contains__(self, name: object) -> bool:
        self.asked.append(str(name))
        return True

    def get(self, name: str, default: Any = None) -> Any:
        # So is a variable given a value; a reference asks whether there is one.
        assert name.startswith("RETAILOPS_SANDBOX_VAR_")
        return default

    def __iter__(self) -> Iterator[str]:
        return iter(())

    def __len__(self) -> int:
        return 0


def filled(value: Any) -> Any:
    """What composing makes of a value; nothing may be asked of the environment."""
    trap = Trap()
    made = composing.fill(value, composing.Names(environment=trap))
    assert trap.asked == []
    return made


def delivery(sent: Json, answer: Json, *, composed: bool = False) -> Delivery:
    body = jsontext.compact(sent).decode()
    return some_delivery(
        action="order_cancel",
        edition="draft",
        request=Request(
            method="POST",
            url="http://shop/order_cancel",
            headers=(("Content-Type", "application/json"),),
            body=body,
        ),
        response=Response(status=200, body=jsontext.compact(answer).decode()),
        composed=jsontext.compact(composing.escaped(sent)).decode() if composed else "",
        struck_out=(),
    )


# --- the ways ---


def of_step(step: Step) -> Iterator[tuple[str, Json]]:
    if step.raw is not None:
        yield "sent", jsontext.parse(composing.raw_bytes(step.raw))
    else:
        assert step.fixture is None
        base: Any = {} if step.payload is UNSET else step.payload
        trap = Trap()
        made = composing.compose(
            msgspec.structs.replace(step, payload=base), None, composing.Names(environment=trap)
        )
        assert trap.asked == []
        yield "sent", made.value
    assert isinstance(step.expect, Expectation)
    yield from of_expectation(step.expect)


def of_expectation(found: Expectation) -> Iterator[tuple[str, Json]]:
    if found.body is not UNSET:
        yield "answer", filled(found.body)
    filled(found.rules)
    filled(found.headers)


def by_record(sent: Delivery) -> Iterator[tuple[str, Json]]:
    draft = recording.draft([Recorded(sent)], lambda *_: UNSET, SHIPPED_CONTRACTS)
    # Without the rules for volatile values, which are not about placeholders.
    (step,) = recording.finished(draft, taken=()).steps
    yield from of_step(step)


def by_record_of_another(sent: Delivery) -> Iterator[tuple[str, Json]]:
    draft = recording.draft([Recorded(sent, own=False)], lambda *_: UNSET, SHIPPED_CONTRACTS)
    yield from of_step(recording.finished(draft, taken=()).steps[0])


def by_accept(sent: Delivery) -> Iterator[tuple[str, Json]]:
    text = '{"steps": [{"name": "cancel", "fixture": "default", "expect": {"body": {"other": 1}}}]}'
    expectation = Expectation(body={"other": 1})
    judgement = msgspec.structs.replace(
        comparing.Judge(DRAFT)(redaction.listing.answer(sent), expectation, at=""), struck_out=()
    )
    case = JudgedExpectation(place="/steps/0/expect", delivery=sent, judgement=judgement, sets={})
    made = accepting.accept(text, case, {}, ACCEPT).text
    found = scenario.read(made, id="", file="").scenario.steps[0].expect
    assert isinstance(found, Expectation)
    yield from of_expectation(found)


def accepted_by_hand(sent: Delivery) -> Entry:
    answer = expected_again(sent)
    assert answer is not None
    judge = comparing.Judge(DRAFT)
    judgement = judge(redaction.listing.answer(sent), redaction.without_marks(answer), at="")
    return Entry(sent, (msgspec.structs.replace(judgement, struck_out=()),))


def by_send_again(sent: Delivery) -> Iterator[tuple[str, Json]]:
    """Accept on the page of a delivery, then *Send again*, or *Edit and send*."""
    form = resend_form(accepted_by_hand(sent), own=True)
    yield "sent", filled(jsontext.parse(form.payload))
    yield from of_expectation(scenario.expectation(form.expectation))


def by_last_answer(sent: Delivery) -> Iterator[tuple[str, Json]]:
    answer = expected_again(sent)
    assert answer is not None
    yield from of_expectation(scenario.expectation(expectation_cards.answered("", answer)))


def by_export(sent: Delivery) -> Iterator[tuple[str, Json]]:
    text = exported(sent, "scenario")
    (step,) = scenario.read(text, id="", file="").scenario.steps
    if step.raw is not None or isinstance(step.payload, dict):
        yield from of_step(step)


def exported(sent: Delivery, format: str) -> str:
    return exporting.deliveries([Entry(sent, ())], FORMATS[format], SOURCES, name="run.1", own=True).text


def by_curl(sent: Delivery) -> Iterator[tuple[str, Json]]:
    words = shlex.split(exported(sent, "curl"), comments=True)
    yield "sent", jsontext.parse(words[words.index("--data-binary") + 1])
    yield from by_import(exported(sent, "curl"))


def by_har(sent: Delivery) -> Iterator[tuple[str, Json]]:
    yield from by_import(exported(sent, "har"))


def by_import(text: str) -> Iterator[tuple[str, Json]]:
    found = importing.read(text, SHIPPED_CONTRACTS, file="x")
    (imported,), _ = importing.as_steps(
        found, SHIPPED_CONTRACTS, file="x", action="order_cancel", edition="draft"
    )
    step = msgspec.structs.replace(imported.step, expect=Expectation())
    yield from of_step(step)


WAYS: dict[str, Callable[[Delivery], Iterator[tuple[str, Json]]]] = {
    "record": by_record,
    "record of another": by_record_of_another,
    "accept": by_accept,
    "send again": by_send_again,
    "last answer": by_last_answer,
    "export": by_export,
    "curl": by_curl,
    "har": by_har,
}


@pytest.mark.parametrize("way", WAYS)
@given(
    sent=st.dictionaries(texts, values, min_size=1, max_size=3),
    answer=st.dictionaries(texts, values, max_size=3),
    composed=st.booleans(),
)
def test_what_came_is_composed_as_it_came(way: str, sent: Any, answer: Any, composed: bool):
    came = {"sent": sent, "answer": answer}
    for which, value in WAYS[way](delivery(sent, answer, composed=composed)):
        assert jsontext.compact(value) == jsontext.compact(came[which])


@given(texts)
def test_a_captured_value_is_filled_in_as_it_came(text: str):
    trap = Trap()
    names = composing.Names(captured={"it": text}, environment=trap)
    assert composing.fill({"a": "${it}", "b": "x ${it}"}, names) == {"a": text, "b": f"x {text}"}
    assert trap.asked == []


@given(texts)
def test_a_header_that_was_sent_is_sent_again_as_it_was(text: str):
    request = Request(method="POST", url="http://shop/", headers=(("X-Note", text),), body="{}")
    sent = some_delivery(request=request, own_headers={"X-Note": ""}, struck_out=())
    assert filled(resending.headers(sent, own=True)) == {"X-Note": text}


@pytest.mark.parametrize("own", [True, False])
def test_a_reference_of_our_own_payload_stays_one_and_that_of_another_does_not(own: bool):
    request = Request(method="POST", url="http://shop/order_cancel", headers=(), body='{"a":"filled"}')
    sent = some_delivery(request=request, composed='{"a":"${env:NAME}"}', struck_out=())
    draft = recording.draft([Recorded(sent, own=own)], lambda *_: UNSET, SHIPPED_CONTRACTS)
    (step,) = recording.finished(draft).steps
    assert step.payload == {"a": "${env:NAME}" if own else "filled"}
    assert json.loads(resending.payload(sent, own=own)) == step.payload
