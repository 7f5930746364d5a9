"""Contracts: what is shipped, how a breach is told, and what is refused as no contract."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from copy import deepcopy
from typing import Any

import pytest
from msgspec import UNSET

from retailops_sandbox import jsontext, resources
from retailops_sandbox.contracts import contract
from retailops_sandbox.contracts.auth import Auth
from retailops_sandbox.contracts.catalogue import SHIPPED_CONTRACTS
from retailops_sandbox.contracts.contract import Contract, Subject
from retailops_sandbox.contracts.violations import LISTED, compiled, violations
from retailops_sandbox.errors import SourceError, UsageError
from retailops_sandbox.jsontext import pointer
from retailops_sandbox.model import Json, Number, Violation

BOTH = (
    "authed available captured charged credited settled success "
    "unsettled unsettled_deferred unsettled_external"
)
ACCOUNT = "captures_are_deferred captures_are_external channel_id id voided"
PAYMENT = {
    **dict.fromkeys(BOTH.split() + ACCOUNT.split(), "integer"),
    **dict.fromkeys(("method", "module"), "string"),
}
STATUS = {**dict.fromkeys(BOTH.split(), "integer"), "by_account": "array"}
DOCUMENTED = {
    "/action": "string",
    "/version": "integer",
    "/data/channel/id": "integer",
    "/data/order/channel_refnum": "integer",
    "/data/order/from_counterparty_rate": "integer",
    "/data/order/grand_total": "number",
    "/data/order/id": "string",
    "/data/order/payment_series_id": "integer",
    "/data/order/ship_service_name": "string",
    "/data/order/shipments": "array",
    "/data/order/unshipped_items_ref": "array",
    **{f"/data/order/channel_payment/{name}": kind for name, kind in PAYMENT.items()},
    **{f"/data/order/payment_status/{name}": kind for name, kind in STATUS.items()},
}
"""The draft's documented parameters and their types."""

WRONG = {"string": 1, "integer": "1", "number": "35", "array": "[]"}


@pytest.fixture
def draft() -> Contract:
    return SHIPPED_CONTRACTS.load("order_cancel", "draft")


@pytest.fixture
def v1() -> Contract:
    return SHIPPED_CONTRACTS.load("order_cancel", "v1")


@pytest.fixture
def payload(draft: Contract) -> Any:
    return deepcopy(draft.examples.request)


def edited(**changes: Any) -> str:
    """The v1 contract's text with other members: `auth__pointer` is the member `pointer` of `auth`."""
    document: Any = jsontext.parse(resources.contract_text("order_cancel.v1"))
    for path, value in changes.items():
        pointer.set_at(document, "/" + path.replace("__", "/"), value)
    return jsontext.pretty(document)


def leaves(value: Any, place: str = "") -> Iterator[tuple[str, Any]]:
    """Every pointer of a schema that a value has a type at, with that part of the schema."""
    yield place, value
    for name, part in value.get("properties", {}).items():
        yield from leaves(part, f"{place}/{pointer.escape(name)}")
    if "items" in value:
        yield from leaves(value["items"], f"{place}/*")


# --- What is shipped ---------------------------------------------------------------------------------


def test_eleven_actions_are_available_in_v1_and_one_of_them_as_a_draft():
    editions = [edition for _, edition in SHIPPED_CONTRACTS.names]
    assert (editions.count("v1"), editions.count("draft"), len(editions)) == (11, 1, 12)
    assert ("order_cancel", "draft") in SHIPPED_CONTRACTS.names
    assert SHIPPED_CONTRACTS.default == SHIPPED_CONTRACTS.names[0] == ("order_cancel", "draft")


@pytest.mark.parametrize("name", resources.contract_names())
def test_a_shipped_contract_is_proved_and_says_what_it_is(name: str):
    proved = contract.read(resources.contract_text(name), file=name)
    assert proved == SHIPPED_CONTRACTS.load(*name.split("."))
    assert f"{proved.action}.{proved.edition}" == name
    assert proved.source


@pytest.mark.parametrize("name", resources.contract_names())
def test_every_value_of_a_shipped_schema_is_described(name: str):
    loaded = SHIPPED_CONTRACTS.load(*name.split("."))
    undescribed = [
        place
        for schema in (loaded.request_schema, loaded.response_schema)
        for place, part in leaves(schema)
        if part and not part.get("description") and not place.endswith("/*")
    ]
    assert undescribed == []


@pytest.mark.parametrize("name", resources.contract_names())
def test_every_leaf_of_a_shipped_schema_has_an_example(name: str):
    """A secret has none, and a value of any type need not have one."""
    loaded = SHIPPED_CONTRACTS.load(*name.split("."))
    bare = [
        place
        for schema in (loaded.request_schema, loaded.response_schema)
        for place, part in leaves(schema)
        if part.get("type") not in ("object", "array", ["array", "null"], None)
        and not part.get("examples")
        and not place.endswith("/*")
        and place not in loaded.secrets
    ]
    assert bare == []


@pytest.mark.parametrize("name", resources.contract_names())
def test_an_array_of_plain_values_has_an_example(name: str):
    loaded = SHIPPED_CONTRACTS.load(*name.split("."))
    for schema in (loaded.request_schema, loaded.response_schema):
        for place, part in leaves(schema):
            if "items" in part and not part["items"].get("properties"):
                assert part.get("examples"), place


@pytest.mark.parametrize("name", resources.contract_names())
def test_the_example_response_satisfies_every_source(name: str):
    loaded = SHIPPED_CONTRACTS.load(*name.split("."))
    assert set(loaded.check_answer(loaded.examples.response).by_source.values()) <= {()}


@pytest.mark.parametrize("name", resources.contract_names())
def test_the_examples_of_a_field_satisfy_its_schema(name: str):
    loaded = SHIPPED_CONTRACTS.load(*name.split("."))
    for schema in (loaded.request_schema, loaded.response_schema):
        for place, part in leaves(schema):
            for example in part.get("examples", ()):
                field = compiled({"$schema": contract.DIALECT, **part})
                assert violations(field, example) == (), place


def test_the_draft_requires_the_39_documented_parameters(draft: Contract, payload: Any):
    assert len(DOCUMENTED) == 39
    for place in DOCUMENTED:
        without = deepcopy(payload)
        pointer.remove_at(without, place)
        assert draft.check_request(without) == (Violation(place, "required", "is missing"),)


@pytest.mark.parametrize(("place", "kind"), DOCUMENTED.items())
def test_the_draft_has_the_documented_types(draft: Contract, payload: Any, place: str, kind: str):
    pointer.set_at(payload, place, WRONG[kind])
    found = draft.check_request(payload)
    assert [(violation.pointer, violation.keyword) for violation in found] == [(place, "type")]
    article = "an" if kind[0] in "ai" else "a"
    assert found[0].message.startswith(f"must be {article} {kind}, not ")


@pytest.mark.parametrize("name", PAYMENT)
def test_the_draft_types_the_accounts_but_requires_nothing_in_them(draft: Contract, payload: Any, name: str):
    place = f"/data/order/payment_status/by_account/0/{name}"
    pointer.set_at(payload, place, WRONG[PAYMENT[name]])
    assert [violation.pointer for violation in draft.check_request(payload)] == [place]
    pointer.remove_at(payload, place)
    assert draft.check_request(payload) == ()


def test_a_shipment_may_be_anything_and_an_item_reference_only_an_integer(draft: Contract, payload: Any):
    order = payload["data"]["order"]
    order["shipments"] = [None, 1, "x", {"id": [True]}, Number("1.5")]
    assert draft.check_request(payload) == ()
    order["unshipped_items_ref"] = [496, "496"]
    assert draft.check_request(payload) == (
        Violation("/data/order/unshipped_items_ref/1", "type", "must be an integer, not a string"),
    )


def test_the_draft_allows_what_it_does_not_name(draft: Contract, payload: Any):
    payload["data"]["order"]["gift_note"] = "hello"
    assert draft.check_request(payload) == ()


@pytest.mark.parametrize(
    ("body", "pointers"),
    [
        ({"events": []}, []),
        ({"events": [{}]}, []),
        ({"events": [{"status": "whatever", "diagnostic_data": [None, 1, {}]}], "more": 1}, []),
        ({}, ["/events"]),
        ({"events": None}, ["/events"]),
        ([], [""]),
        ({"events": [None]}, ["/events/0"]),
        ({"events": [{"diagnostic_data": "text"}]}, ["/events/0/diagnostic_data"]),
        ({"events": [{"associations": None}]}, ["/events/0/associations"]),
        ({"events": [{"associations": [{"identity": 7}]}]}, ["/events/0/associations/0/identity"]),
    ],
)
def test_the_draft_response(draft: Contract, body: Any, pointers: list[str]):
    assert [violation.pointer for violation in draft.check_response(body)] == pointers


@pytest.mark.parametrize(
    ("body", "pointers"),
    [
        ({}, []),
        ({"status": "fail", "events": None, "more": 1}, []),
        ({"events": [{"associations": None, "diagnostic_data": "x"}]}, []),
        ({"status": "ok"}, ["/status"]),
        ({"status": None}, ["/status", "/status"]),
        ({"events": [{"event_type": "fatal"}]}, ["/events/0/event_type"]),
        ({"events": [{"diagnostic_data": []}]}, ["/events/0/diagnostic_data"]),
        (
            {"events": [{"associations": [{"identifier_type": "sku"}]}]},
            ["/events/0/associations/0/identifier_type"],
        ),
        (None, [""]),
    ],
)
def test_the_v1_response(v1: Contract, body: Any, pointers: list[str]):
    assert [violation.pointer for violation in v1.check_response(body)] == pointers


def test_v1_requires_five_members_and_not_the_token(v1: Contract):
    missing = [violation.pointer for violation in v1.check_request({})]
    assert missing == ["/action", "/version", "/client_id", "/channel_info", "/order"]
    payload = {"action": "order_cancel", "version": 1, "client_id": 497, "channel_info": {}, "order": {}}
    assert v1.check_request(payload) == ()
    payload["integration_auth_token"] = 7
    assert [violation.pointer for violation in v1.check_request(payload)] == ["/integration_auth_token"]


def test_only_v1_has_a_token(draft: Contract, v1: Contract):
    assert draft.auth is None
    assert draft.secrets == ()
    assert v1.auth == Auth(pointer="/integration_auth_token", status=401)
    assert v1.secrets == ("/integration_auth_token",)


def test_a_contract_says_what_a_delivery_is_about(draft: Contract, v1: Contract):
    assert draft.subject == Subject(kind="order", request=("/data/order/id", "/data/order/channel_refnum"))
    assert (v1.group, v1.events) == ("orders", "/events")


def test_an_answer_is_checked_by_each_source(v1: Contract):
    assert v1.check_response({"events": None}) == ()
    must_be = "must be an array, not null"
    assert v1.check_answer({"events": None}).by_source == {
        "SDK tool": (),
        "documentation": (Violation("/events", "type", must_be),),
    }
    assert v1.check_answer({"events": [{"associations": None}]}).by_source == {
        "SDK tool": (),
        "documentation": (Violation("/events/0/associations", "type", must_be),),
    }
    assert set(v1.check_answer({"events": []}).by_source.values()) == {()}


def test_a_source_may_demand_what_the_schema_leaves_open():
    strict = contract.read(edited(variants={"gateway": {"/required": ["events"]}}))
    assert strict.check_response({}) == ()
    assert strict.check_answer({}).by_source == {"gateway": (Violation("/events", "required", "is missing"),)}


# --- Integers and numbers ----------------------------------------------------------------------------


@pytest.mark.parametrize("spelling", ["35", "-0", "100000000000000000000000000000", "0"])
def test_a_whole_number_is_an_integer_of_any_size(draft: Contract, payload: Any, spelling: str):
    payload["data"]["order"]["payment_series_id"] = jsontext.parse(spelling)
    payload["data"]["order"]["grand_total"] = jsontext.parse(spelling)
    assert draft.check_request(payload) == ()


@pytest.mark.parametrize("spelling", ["35.0", "35.00", "3.5E1", "350e-1", "1e2", "-0.0", "0.1"])
def test_a_fraction_or_exponent_is_a_number_and_no_integer(draft: Contract, payload: Any, spelling: str):
    payload["data"]["order"]["grand_total"] = jsontext.parse(spelling)
    assert draft.check_request(payload) == ()
    payload["version"] = jsontext.parse(spelling)
    assert draft.check_request(payload) == (
        Violation("/version", "type", f"must be an integer, not {spelling}"),
    )


def test_true_is_not_an_integer(draft: Contract, payload: Any):
    payload["version"] = True
    assert draft.check_request(payload)[0].message == "must be an integer, not a boolean"


def test_a_number_is_seen_even_where_only_not_speaks_of_it():
    schema = {"$schema": contract.DIALECT, "description": "x", "not": {"type": "number"}}
    examples = {"request": "text", "response": {}}
    odd = contract.read(edited(request_schema=schema, examples=examples, auth=None, secrets=[], subject=None))
    assert [violation.keyword for violation in odd.check_request(Number("1.5"))] == ["not"]


# --- Messages ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("schema", "value", "violation"),
    [
        ({"type": ["array", "null"]}, {}, ("", "type", "must be an array or null, not an object")),
        ({"type": "object"}, None, ("", "type", "must be an object, not null")),
        ({"type": "string"}, Number("1.5"), ("", "type", "must be a string, not a number")),
        ({"type": "string"}, ["x"], ("", "type", "must be a string, not an array")),
        ({"enum": ["success", "fail", None, 3]}, "x", ("", "enum", "must be one of success, fail, null, 3")),
        ({"properties": {"a/b": {"enum": [1]}}}, {"a/b": 2}, ("/a~1b", "enum", "must be one of 1")),
        (
            {"properties": {"a": {}}, "additionalProperties": False},
            {"a": 1, "b": 2},
            ("", "additionalProperties", "must not have b"),
        ),
        ({"minimum": 1}, 0, ("", "minimum", "must be at least 1")),
        ({"maximum": 1}, 2, ("", "maximum", "must be at most 1")),
        ({"minLength": 1}, "", ("", "minLength", "must have at least 1 character")),
        ({"maxLength": 2}, "abc", ("", "maxLength", "must have at most 2 characters")),
        ({"minItems": 2}, [], ("", "minItems", "must have at least 2 items")),
        ({"maxItems": 1}, [1, 2], ("", "maxItems", "must have at most 1 item")),
        ({"uniqueItems": True}, [1, 1], ("", "uniqueItems", "must not have an item twice")),
        ({"pattern": "^E"}, "x", ("", "pattern", "must match ^E")),
        ({"format": "date-time"}, "x", ("", "format", "must be a valid date-time")),
    ],
)
def test_a_violation_is_told_in_plain_words(schema: Any, value: Any, violation: tuple[str, str, str]):
    examples = {"request": SHIPPED_CONTRACTS.load("order_cancel", "v1").examples.request, "response": {}}
    text = edited(
        response_schema=schema | {"$schema": contract.DIALECT}, arrays={}, codes=[], examples=examples
    )
    # Decoded without the proof: the example need not suit every schema here.
    odd = jsontext.convert(jsontext.parse(text), Contract, text, file="")
    assert odd.check_response(value) == (Violation(*violation),)


def test_a_message_never_quotes_the_value():
    schema = {"$schema": contract.DIALECT, "description": "x", "not": {"pattern": "hunter"}}
    examples = {"request": "text", "response": {}}
    odd = contract.read(edited(request_schema=schema, examples=examples, auth=None, secrets=[], subject=None))
    (violation,) = odd.check_request("hunter2-secret")
    assert "hunter2" not in violation.message


# --- Bounds ------------------------------------------------------------------------------------------


def test_a_hundred_violations_are_listed_and_the_rest_counted(draft: Contract, payload: Any):
    payload["data"]["order"]["unshipped_items_ref"] = ["x"] * 150
    found = draft.check_request(payload)
    assert len(found) == LISTED + 1
    assert found[-1] == Violation("", "more", "has at least 50 more violations")


def test_one_violation_behind_very_many_good_items_is_found(draft: Contract):
    body = {"events": [{}] * 50_000 + [3]}
    assert draft.check_response(body) == (
        Violation("/events/50000", "type", "must be an object, not an integer"),
    )


def test_checking_changes_nothing(draft: Contract, payload: Any):
    payload["data"]["order"]["grand_total"] = Number("35.00")
    payload["version"] = "1"
    before = jsontext.compact(payload)
    draft.check_request(payload)
    assert jsontext.compact(payload) == before


# --- What is no contract -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "place", "what"),
    [
        ({"auth__pointer": "/token"}, "/auth/pointer", "the schema has no 'token'"),
        ({"secrets": ["/order/pin"]}, "/secrets/0", "the schema has no 'pin'"),
        ({"subject__request": ["/order/name"]}, "/subject/request/0", "the schema has no 'name'"),
        ({"subject__response": ["/events/*/id"]}, "/subject/response/0", "the schema has no 'id'"),
        ({"subject__kind": " "}, "/subject/kind", "must not be empty"),
        ({"subject": ["/order/retailops_order_id"]}, "/subject", "object"),
        ({"group": ""}, "/group", "must not be empty"),
        ({"summary": ""}, "/summary", "must not be empty"),
        ({"events": "/event"}, "/events", "the schema has no 'event'"),
        ({"events": "/status"}, "/events", "the schema has no '*'"),
        (
            {"variants": {"gateway": {"/properties/event/type": "array"}}},
            "/variants/gateway/~1properties~1event~1type",
            "there is no member 'event'",
        ),
        (
            {"variants": {"gateway": {"/properties/events/typ": "array"}}},
            "/variants/gateway/~1properties~1events~1typ",
            "has no 'typ'",
        ),
        (
            {"variants": {"gateway": {"/properties/events/type": "list"}}},
            "/variants/gateway/~1properties~1events~1type",
            "no JSON Schema",
        ),
        ({"codes": ["/events/*/cod"]}, "/codes/0", "the schema has no 'cod'"),
        ({"arrays": {"/event": ["code"]}}, "/arrays/~1event", "the schema has no 'event'"),
        ({"arrays": {"/events": ["cod"]}}, "/arrays/~1events", "the schema has no 'cod'"),
        ({"arrays": {"/status": ["code"]}}, "/arrays/~1status", "the schema has no '*'"),
        ({"arrays": {"/status": []}}, "/arrays/~1status", "the schema has no '*'"),
        (
            {"examples__request__version": "1"},
            "/examples/request",
            "/version must be an integer, not a string",
        ),
        ({"examples__response__status": "ok"}, "/examples/response", "/status must be one of success, fail"),
        ({"request_schema__type": "objekt"}, "/request_schema/type", "no JSON Schema"),
        ({"response_schema__$schema": "http://json-schema.org/draft-07/schema#"}, "/response_schema", "35.0"),
        ({"request_schema": {}}, "/request_schema", "$schema"),
        (
            {"advice": [{"kind": "decimals", "amounts": ["/order/total"], "most": 2, "ground": "so"}]},
            "/advice/0",
            "the schema has no 'total'",
        ),
        (
            {
                "advice": [
                    {"kind": "sum", "total": "/order", "items": "/order", "fields": ["x"], "ground": "so"}
                ]
            },
            "/advice/0",
            "the schema has no 'x'",
        ),
        (
            {
                "advice": [
                    {"kind": "not both", "objects": [""], "fields": ["version", "client_id"], "ground": "so"}
                ]
            },
            "/advice/0",
            "advises against the example: /version is set, and so is client_id",
        ),
        (
            {"advice": [{"kind": "decimals", "amounts": ["/version"], "most": 2, "ground": " "}]},
            "/advice/0/ground",
            "no advice without a ground",
        ),
        ({"advice": [{"kind": "guess", "ground": "so"}]}, "/advice/0/kind", "guess"),
        ({"colour": "red"}, "/colour", "colour"),
        ({"ok_statuses": "200"}, "/ok_statuses", "array"),
        ({"ok_statuses": []}, "/ok_statuses", "no status would be right"),
        ({"ok_statuses": [200, 20]}, "/ok_statuses/1", "from 100 to 599"),
        ({"method": "post"}, "/method", "such as POST"),
        ({"method": "POST /evil"}, "/method", "such as POST"),
        ({"path": ""}, "/path", "no path of a URL"),
        ({"path": "/a b"}, "/path", "no path of a URL"),
        ({"path": "/a?b=c"}, "/path", "no path of a URL"),
        ({"path": "http://elsewhere.example/a"}, "/path", "no path of a URL"),
        ({"auth__status": 200}, "/auth/status", "from 400 to 499"),
    ],
)
def test_a_contract_that_cannot_be_kept_is_refused_with_its_place(
    changes: dict[str, Any], place: str, what: str
):
    text = edited(**changes)
    with pytest.raises(SourceError) as caught:
        contract.read(text, file="mine.json")
    assert caught.value.pointer == place
    assert what in str(caught.value)
    assert (caught.value.file, caught.value.line) == ("mine.json", jsontext.locate(text, place)[0])


@pytest.mark.parametrize("name", [("order_cancel", "v9"), ("nothing", "draft"), ("../model", "py"), ("", "")])
def test_an_unknown_contract_is_refused_and_the_known_ones_named(name: tuple[str, str]):
    with pytest.raises(UsageError, match=r"order_cancel has draft and v1|there are order_cancel, catalog"):
        SHIPPED_CONTRACTS.load(*name)


@pytest.mark.parametrize(
    ("place", "found"), [("/events", "array"), ("/events/*/code", "string"), ("/events/3/code", "string")]
)
def test_a_schema_is_asked_by_pointer(v1: Contract, place: str, found: str):
    assert found in contract.schema_at(v1.response_schema, place)["type"]


@pytest.mark.parametrize("place", ["/events/code", "/events/*/nothing", "/status/*", "events"])
def test_a_pointer_that_a_schema_does_not_know_is_refused(v1: Contract, place: str):
    with pytest.raises(pointer.PointerError):
        contract.schema_at(v1.response_schema, place)


# --- Start-up and finding files ----------------------------------------------------------------------


def test_loading_a_contract_does_not_load_the_validator():
    code = (
        "import sys; from retailops_sandbox.contracts.catalogue import SHIPPED_CONTRACTS;"
        "SHIPPED_CONTRACTS.load('order_cancel', 'draft'); print('jsonschema_rs' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


def test_a_wheel_carries_the_top_level_folders_inside_the_package(tmp_path: Any, monkeypatch: Any):
    assert (resources.fixtures_dir() / "order_cancel" / "draft" / "default.json").is_file()
    package = tmp_path / "site-packages" / "sandbox"
    (package / "_data" / "fixtures").mkdir(parents=True)
    (package / "_data" / "templates").mkdir()
    monkeypatch.setattr(resources, "_PACKAGE", package)
    assert resources.fixtures_dir() == package / "_data" / "fixtures"
    assert resources.templates_dir() == package / "_data" / "templates"


@pytest.mark.parametrize(
    ("place", "value"),
    [
        ("/name", "whole"),
        ("/items/7/code", "E1"),
        ("/items/0/note", "of the schema"),
        ("/tags/3", "red"),
        ("/empty", []),
        ("/nullable", True),
        ("/anything", "otherwise"),
        ("/nothing", UNSET),
        ("/name/inside", UNSET),
    ],
)
def test_a_value_is_documented_by_the_example_the_schema_or_its_type(place: str, value: object):
    schema = {
        "properties": {
            "name": {"type": "string", "examples": ["of the schema"]},
            "items": {
                "items": {
                    "properties": {"code": {}, "note": {"type": "string", "examples": ["of the schema"]}}
                }
            },
            "tags": {"type": "array", "items": {"type": "string"}, "examples": [["red", "blue"]]},
            "empty": {"type": "array"},
            "nullable": {"type": ["null", "boolean"]},
            "anything": {},
        }
    }
    example: Json = {"name": "whole", "items": [{"code": "E1"}]}
    assert contract.documented(schema, example, place, otherwise="otherwise") == value


def test_a_documented_value_is_a_copy():
    example: Json = {"tags": []}
    found = contract.documented({}, example, "/tags")
    found.append("red")
    assert example == {"tags": []}


@pytest.mark.parametrize("changed", [{}, {"version": Number("35.0")}, {"order": None}])
def test_a_payload_keeps_the_schema_where_it_has_no_violation(changed: dict[str, Any]) -> None:
    agreed = SHIPPED_CONTRACTS.load("order_cancel", "v1")
    payload = {**agreed.examples.request, **changed}
    assert agreed.keeps_request_schema(payload) == (not agreed.check_request(payload))
