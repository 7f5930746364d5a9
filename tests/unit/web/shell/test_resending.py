"""web/resending.py: what is composed of a logged delivery is what it sent."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from retailops_sandbox import composing, jsontext
from retailops_sandbox.model import Delivery, Request
from retailops_sandbox.web.shell import resending
from tests.support.records import some_delivery

VALUES = {"order": "4897", "count": 7, "tricky": "${count} $${", "code": None, "list": ["${order}", 1]}
TEXT = st.sampled_from(
    ["", "plain", "${order}", "${count}", "a ${tricky} b", "${tricky}", "${code}", "$${x}", "${list}"]
)
DOCUMENTS = st.recursive(
    TEXT | st.integers() | st.booleans() | st.none(),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(TEXT | st.text(max_size=3), inner, max_size=3)
    ),
)


def filled(template: Any, **given: Any) -> Any:
    # Captured values are taken as they are; those of variables may hold placeholders themselves.
    return composing.fill(template, composing.Names(captured=dict(VALUES), given=given))


def delivery(template: Any, body: Any, **fields: Any) -> Delivery:
    return some_delivery(
        composed=jsontext.compact(template).decode(),
        request=Request(
            method="POST",
            url="http://shop/",
            headers=fields.pop("headers", ()),
            body=jsontext.compact(body).decode(),
        ),
        **fields,
    )


@given(DOCUMENTS)
def test_what_was_filled_in_is_filled_in_again_without_the_variables(template: Any):
    body = filled(template)
    again = jsontext.parse(resending.payload(delivery(template, body), own=True))
    assert composing.fill(again, composing.Names()) == body


def test_what_each_send_makes_and_secrets_stay_references():
    template = {"id": "${uuid}", "key": "${env:KEY}", "both": "${order}-${now}", "hidden": "${token}"}
    body = {"id": "b1", "key": "«redacted:KEY»", "both": "4897-then", "hidden": "«redacted:token»"}
    again = jsontext.parse(resending.payload(delivery(template, body), own=True))
    assert again == {"id": "${uuid}", "key": "${env:KEY}", "both": "4897-then", "hidden": "${token}"}


def test_a_token_that_was_put_in_is_left_to_be_put_in_again():
    assert resending.payload(delivery({"a": 1}, {"a": 1, "token": "«redacted:token»"}), own=True) == '{"a":1}'


def test_headers_are_as_they_were_and_secrets_as_they_were_written():
    sent = delivery(
        {},
        {},
        headers=(
            ("X-A", "no. ${1}"),
            ("authorization", "Bearer «redacted:KEY»"),
            ("X-Other", "not the step's"),
        ),
        own_headers={"x-a": "", "Authorization": "Bearer ${env:KEY}", "X-Gone": ""},
    )
    assert resending.headers(sent, own=True) == {
        "x-a": "no. $${1}",
        "Authorization": "Bearer ${env:KEY}",
        "X-Gone": "",
    }
