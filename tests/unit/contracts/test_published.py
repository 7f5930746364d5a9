"""contracts/published.py: contracts of hyper-schema and swagger files, and what is said to be missing."""

from __future__ import annotations

import json
from typing import Any

import pytest

from retailops_sandbox.contracts import contract
from retailops_sandbox.contracts.published import MadeContract, made_of
from retailops_sandbox.errors import SandboxError
from tests.support.contracts import contract_document, with_own

COMMON = {
    "type": "object",
    "required": ["kind"],
    "properties": {
        "shop_auth_token": {"type": "string", "description": "Who calls.", "example": "abc"},
        "kind": {"type": "string", "description": "The kind.", "example": "hold"},
    },
}
HOLD = {
    "type": "object",
    "required": ["order"],
    "properties": {
        "order": {
            "type": "object",
            "description": "The order.",
            "properties": {
                "refnum": {"type": "string", "description": "Its number.", "example": "77"},
                "days": {"type": "integer", "description": "How long.", "example": "three"},
                "until": {"type": "string", "description": "Until when.", "format": "day"},
                "note": {"type": ["string", "null"], "x-shown": True},
                "gone": {"type": "string", "description": "Whether.", "enum": [True, False]},
            },
        }
    },
}
ANSWER = {
    "type": "object",
    "properties": {
        "results": {
            "type": ["array", "null"],
            "description": "What came of it.",
            "items": {"type": "object", "properties": {"code": {"type": "string", "description": "A code."}}},
        }
    },
}


def hyper_schema(**changes: Any) -> dict[str, Any]:
    """A file in the shape of the SDK's: one link, its schema an allOf of a common and an own part."""
    link = {
        "description": "Tells a shop to hold an order.",
        "href": "/order_hold_v1",
        "method": "post",
        "rel": "instances",
        "schema": {"allOf": [COMMON, HOLD]},
        "targetSchema": ANSWER,
        **changes,
    }
    return {
        "$schema": "http://json-schema.org/draft-04/hyper-schema",
        "title": "/order_hold_v1",
        "stability": "draft",
        "type": "object",
        "definitions": {},
        "links": [link],
    }


def swagger(**paths: Any) -> dict[str, Any]:
    operation = {
        "post": {
            "summary": "order_hold_v1",
            "description": "Tells a shop to hold an order.",
            "parameters": [
                {"name": "X-Any", "in": "header", "type": "string"},
                {"name": "body", "in": "body", "schema": {"$ref": "#/definitions/Hold"}},
            ],
            "responses": {
                "400": {"description": "no"},
                "201": {"schema": {"$ref": "#/definitions/Answer"}},
                "200": {"schema": {"$ref": "#/definitions/Answer"}},
            },
        }
    }
    return {
        "swagger": "2.0",
        "paths": {"/order_hold_v1": operation, **paths},
        "definitions": {
            "Base": COMMON,
            "Hold": {"allOf": [{"$ref": "#/definitions/Base"}, HOLD]},
            "Answer": ANSWER,
        },
    }


def made(document: Any, **options: Any) -> MadeContract:
    """The contract of a document, which is proved."""
    found = made_of(document, file="hold.json", **options)
    contract.read(json.dumps(found.document))
    return found


@pytest.mark.parametrize("document", [hyper_schema(), swagger()], ids=["hyper-schema", "swagger"])
def test_both_kinds_of_file_make_a_whole_contract(document: dict[str, Any]):
    found = made(document)
    said = found.document
    assert (said["action"], said["edition"], said["method"]) == ("order_hold", "v1", "POST")
    assert said["path"] == "/order_hold_v1"
    assert said["summary"] == "Tells a shop to hold an order."
    assert said["auth"] == {"pointer": "/shop_auth_token", "status": 401}
    assert said["secrets"] == ["/shop_auth_token"]
    assert said["request_schema"]["required"] == ["kind", "order"]
    assert said["examples"] == {
        "request": {"kind": "hold", "order": {"refnum": "77"}},
        "response": {},
    }


def test_statuses_are_those_that_are_good():
    assert made(swagger()).document["ok_statuses"] == [200, 201]
    assert made(hyper_schema()).document["ok_statuses"] == [200]


def test_what_cannot_be_carried_over_is_said():
    at = "/request_schema/allOf/1/properties/order/properties"
    assert set(made(hyper_schema()).notes) == {
        f"{at}/days: the example breaks the schema (must be an integer, not a string), and is left out",
        f"{at}/until: the format 'day' is checked by nobody, and is left out",
        f"{at}/note: the keyword 'x-shown' is not known, and is left out",
        f"{at}/gone: none of the values of enum has the type string: enum is left out",
        "/auth: /shop_auth_token is taken for the token, which must be answered with 401 where it is wrong",
        "/subject: the ids that a payload is about are not known: the log cannot find deliveries by them",
        "/events: it is not known which array of the answer tells what happened",
        "/codes: the codes of an answer are not known: the log cannot find deliveries by them",
        "/arrays: the items of /results have no identity: they are compared in their order",
        "1 member without a description",
    }


def test_what_one_is_like_fills_in_what_the_file_does_not_say():
    like = with_own(
        contract_document(
            auth={"pointer": "/token", "status": 403},
            subject={"kind": "order", "request": ["/hold/refnum"]},
        )
    ).load("order_hold", "v1")
    found = made(hyper_schema(description="order_hold_v1"), like=like)
    said = found.document
    assert said["summary"] == "Tells the receiver to hold an order."
    assert (said["events"], said["codes"], said["arrays"]) == (
        "/results",
        ["/results/*/code"],
        {"/results": ["code"]},
    )
    assert said["group"] == "orders"
    # Its ids and its token stand elsewhere.
    assert "subject" not in said
    assert said["auth"]["pointer"] == "/shop_auth_token"
    assert "as in order_hold v1: group, ok_statuses, events, codes, arrays" in found.notes


def test_an_example_of_ones_own_is_taken():
    example = {"kind": "x", "order": {}}
    assert made(hyper_schema(), example=example).document["examples"]["request"] == example


def test_parts_that_disagree_and_references_to_nowhere_are_said():
    other = {"type": "object", "properties": {"kind": {"type": "integer"}}}
    notes = made(hyper_schema(schema={"allOf": [COMMON, other]})).notes
    assert "/request_schema/properties/kind: parts of allOf disagree about it: the last one is taken" in notes
    document = swagger()
    document["definitions"]["Answer"] = {
        "type": "object",
        "properties": {"again": {"$ref": "#/definitions/Answer"}, "gone": {"$ref": "#/definitions/None"}},
    }
    notes = made(document).notes
    at = "/response_schema/properties"
    assert f"{at}/again: #/definitions/Answer refers to itself: what is in it is not described" in notes
    assert f"{at}/gone: #/definitions/None leads nowhere: what is there is not described" in notes


def test_nullable_and_required_of_a_member_are_read_as_they_are_meant():
    document = hyper_schema(
        schema={
            "type": "object",
            "properties": {
                "a": {"type": "string", "x-nullable": True, "description": "A."},
                "b": {"type": "string", "required": True, "description": "B."},
            },
        }
    )
    found = made(document)
    assert found.document["request_schema"]["properties"]["a"]["type"] == ["string", "null"]
    assert "/request_schema/properties/b: required is no list of members, and is left out" in found.notes


@pytest.mark.parametrize(
    ("document", "options", "said"),
    [
        ({}, {}, "neither a hyper-schema with links nor a swagger file"),
        ([], {}, "neither a hyper-schema with links nor a swagger file"),
        ({"openapi": "3.1.0", "paths": {}}, {}, "saved as swagger 2"),
        ({"links": []}, {}, "it describes no call"),
        (swagger(**{"/other_v1": {"post": {}}}), {}, "choose one by --path: /order_hold_v1, /other_v1"),
        (swagger(), {"path": "/nothing"}, "it describes /order_hold_v1"),
        (hyper_schema(href="/hold"), {}, "give --action and --edition"),
    ],
)
def test_what_is_no_such_file_is_refused_in_one_line(document: Any, options: dict[str, Any], said: str):
    with pytest.raises(SandboxError) as caught:
        made_of(document, file="f.json", **options)
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


def test_the_call_and_its_names_are_chosen():
    document = swagger(**{"/other_v1": {"post": {}}})
    assert made(document, path="order_hold_v1").name == "order_hold.v1"
    assert made(hyper_schema(href="/hold"), action="pause", edition="2").name == "pause.2"
