"""The rule at one expected value, as it is being made."""

from __future__ import annotations

from typing import Any

import pytest
from starlette.datastructures import FormData

from retailops_sandbox.contracts.catalogue import SHIPPED_CONTRACTS
from retailops_sandbox.model import Number
from retailops_sandbox.web.compose import rule_editor
from retailops_sandbox.web.compose.rule_editor import RuleEditor
from retailops_sandbox.web.shell.send_form import Refused

DRAFT = SHIPPED_CONTRACTS.load("order_cancel", "draft")
DOCUMENT: dict[str, Any] = {
    "headers": {"Content-Type": "text/html", "X-Id": {"one_of": ["a", "b"]}},
    "body": {
        "events": [
            {"error_code": "ERR12", "associations": [{"type": "sku"}, {"type": "order"}], "count": 5},
        ],
        "status": None,
        "deep": [[[1]]],
    },
    "rules": {"/events/*/error_code": {"regex": "^ERR"}, "/events/0/count": {"range": [None, 9]}},
}


def editor_at(at: str) -> RuleEditor:
    made = rule_editor.of(DOCUMENT, DRAFT, at)
    assert made is not None
    return made


def typed(at: str, **fields: str) -> RuleEditor:
    made = editor_at(at)
    rule_editor.fill(
        made, FormData({"rule_for": at, **{f"rule_{name}": value for name, value in fields.items()}})
    )
    return made


@pytest.mark.parametrize(
    ("at", "offered", "others"),
    [
        ("/body/events/0/error_code", "any type regex contains one_of datetime uuid", "range ordered extra"),
        ("/body/events/0/count", "ignore any type range one_of", "regex contains datetime unordered"),
        ("/body/status", "ignore any type one_of", "regex range uuid ordered extra"),
        ("/body/deep", "ignore any type unordered ordered", "extra regex range one_of"),
        ("/body", "ignore any type extra", "ordered unordered regex one_of"),
        (
            "/headers/Content-Type",
            "ignore any regex contains one_of datetime uuid",
            "type range ordered extra",
        ),
    ],
)
def test_a_value_is_offered_the_matchers_of_its_type(at: str, offered: str, others: str):
    names = [kind.name for kind in editor_at(at).kinds]
    assert [name for name in names if name in offered.split()] == offered.split()
    assert set(names).isdisjoint(others.split())


def test_the_schema_of_an_argument_says_how_it_is_typed():
    expected = {
        "type": "choice", "regex": "text", "contains": "text", "range": "bounds", "one_of": "values",
        "ignore": "", "uuid": "", "ordered": "", "extra": "",
    }  # fmt: skip
    assert {name: typed("/body/status", word=name).input for name in expected} == expected
    assert typed("/body/status", word="type").choices == [
        "string", "number", "integer", "boolean", "null", "array", "object",
    ]  # fmt: skip
    names = ("type", "regex", "contains", "one_of")
    labels = [typed("/body/status", word=name).input_label for name in names]
    assert labels == ["Type", "Pattern", "Text", "Values"]


def test_the_places_for_which_a_rule_may_stand():
    paths = [each.path for each in editor_at("/body/events/0/associations/1/type").scopes]
    assert paths == [
        "/events/0/associations/1/type",
        "/events/0/associations/*/type",
        "/events/*/associations/1/type",
        "/events/*/associations/*/type",
    ]
    assert [each.path for each in editor_at("/body/status").scopes] == ["/status"]
    assert [each.path for each in editor_at("/body/deep/0/0/0").scopes] == ["/deep/0/0/0", "/deep/*/*/*"]
    says = [each.says for each in editor_at("/body/events/0/associations/1/type").scopes]
    assert says[-1] == "every item of events and associations"


def test_it_begins_with_the_rule_that_is_there():
    made = editor_at("/body/events/0/error_code")
    assert (made.word, made.pattern, made.path, made.before) == (
        "regex", "^ERR", "/events/*/error_code", "/events/*/error_code",
    )  # fmt: skip
    made = editor_at("/body/events/0/count")
    assert (made.word, made.least, made.most) == ("range", "", "9")
    made = editor_at("/headers/X-Id")
    assert (made.word, made.values) == ("one_of", '"a"\n"b"')


def test_it_suggests_from_the_value_where_there_is_none():
    made = editor_at("/body/events/0/associations/0/type")
    assert (made.word, made.type, made.pattern, made.values) == ("", "string", "^sku$", '"sku"')
    assert editor_at("/headers/Content-Type").value == "text/html"
    assert rule_editor.of(DOCUMENT, DRAFT, "/body/nothing") is None


@pytest.mark.parametrize(
    ("at", "fields", "rule"),
    [
        ("/body/status", {"word": "ignore"}, "ignore"),
        ("/body/status", {"word": "type", "type": "null"}, {"type": "null"}),
        ("/body/events/0/error_code", {"word": "regex", "pattern": "^E"}, {"regex": "^E"}),
        ("/body/events/0/error_code", {"word": "contains", "pattern": "R1"}, {"contains": "R1"}),
        ("/body/events/0/count", {"word": "range", "least": "1", "most": ""}, {"range": [1, None]}),
        ("/body/events/0/count", {"word": "one_of", "values": '5\n\n"five"'}, {"one_of": [5, "five"]}),
        ("/body", {"word": "extra"}, {"extra": "allow"}),
        ("/body/events", {"word": "some"}, {"some": {"status": "error"}}),
        ("/body/events", {"word": "none", "pattern": '{"a": 1.50}'}, {"none": {"a": Number("1.50")}}),
    ],
)
def test_a_rule_as_it_is_spelled(at: str, fields: dict[str, str], rule: Any):
    assert typed(at, **fields).proved() == rule


@pytest.mark.parametrize(
    ("at", "fields", "why"),
    [
        ("/body/status", {"word": ""}, "Choose what"),
        ("/body/status", {"word": "type", "type": "text"}, "not a type of JSON"),
        ("/body/events/0/error_code", {"word": "regex", "pattern": "("}, "not a regular expression"),
        ("/body/events/0/count", {"word": "range", "least": "x"}, "x is not a number"),
        ("/body/events/0/count", {"word": "range", "least": "9", "most": "1"}, "nothing is in between"),
        ("/body/events/0/count", {"word": "range", "least": "", "most": ""}, "at most one of them null"),
        ("/body/events/0/count", {"word": "one_of", "values": "five"}, 'a text is written "five"'),
        ("/body/events/0/count", {"word": "one_of", "values": " "}, "at least one value"),
        ("/body/events", {"word": "each", "pattern": "{}"}, "at least one member"),
        ("/body/events", {"word": "each", "pattern": "error"}, 'a text is written "error"'),
    ],
)
def test_what_cannot_be_a_rule_says_why(at: str, fields: dict[str, str], why: str):
    made = typed(at, **fields)
    with pytest.raises(Refused, match=why):
        made.proved()
    assert not made.word or made.preview.problem


def test_it_is_tested_against_the_value():
    at = "/body/events/0/error_code"
    assert typed(at, word="regex", pattern="^ERR[0-9]+$").preview.accepts is True
    assert typed(at, word="regex", pattern="^OK").preview.accepts is False
    assert typed(at, word="ignore").preview.accepts is None
    assert typed("/headers/Content-Type", word="contains", pattern="html").preview.accepts is True


def test_what_was_typed_for_another_value_is_not_taken():
    made = editor_at("/body/status")
    rule_editor.fill(made, FormData({"rule_for": "/body/other", "rule_word": "ignore"}))
    assert made.word == ""
    made = typed("/body/status", word="ignore", path="/elsewhere")
    assert made.path == "/status"
