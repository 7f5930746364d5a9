"""compose.py: changes, placeholders, building the exact request."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from retailops_sandbox import composing, jsontext
from retailops_sandbox.composing.editions import spoken
from retailops_sandbox.composing.placeholders import DEEPEST_REFERENCE, LONGEST_TEXT, MOST_FILLED
from retailops_sandbox.contracts.catalogue import SHIPPED_CONTRACTS
from retailops_sandbox.contracts.contract import Contract
from retailops_sandbox.errors import ComposeError, UsageError
from retailops_sandbox.model import Basic, Bearer, HttpRequest, Number, Receiver, Step

DRAFT = SHIPPED_CONTRACTS.load("order_cancel", "draft")
V1 = SHIPPED_CONTRACTS.load("order_cancel", "v1")
RECEIVER = Receiver(name="shop", base_url="http://127.0.0.1:8000")


def names(**values: object) -> composing.Names:
    return composing.Names(
        given=values, built_in={"uuid": "u-1", "now": "2026-01-01T00:00:00Z", "sequence": 7}
    )


def payload(value: object, step: Step | None = None) -> composing.Payload:
    step = step or Step(name="s", payload=value)
    return composing.compose(step, None, names())


def built(
    payload: composing.Payload,
    contract: Contract = DRAFT,
    receiver: Receiver = RECEIVER,
    headers: dict[str, str] | None = None,
) -> HttpRequest:
    return composing.build(
        composing.head(contract, receiver, SHIPPED_CONTRACTS), payload, contract, receiver.token, headers
    )[0]


# --- placeholders ---


def test_a_whole_placeholder_keeps_the_type_and_one_inside_a_string_is_text():
    filled = composing.fill(
        {"whole": "${n}", "inside": "no ${n}!", "list": ["${l}"]}, names(n=5, l=[1, None])
    )
    assert filled == {"whole": 5, "inside": "no 5!", "list": [[1, None]]}


def test_the_built_in_names():
    assert composing.fill("${uuid} ${now} ${sequence}", names()) == "u-1 2026-01-01T00:00:00Z 7"
    assert composing.fill("${sequence}", names()) == 7


def test_a_literal_is_spelled_with_two_dollars():
    assert composing.fill("$${order_id} costs $5 or ${n}", names(n=1)) == "${order_id} costs $5 or 1"


def test_an_unknown_name_is_an_error_with_its_pointer_and_what_is_known():
    with pytest.raises(ComposeError) as caught:
        composing.fill({"a": [{"b/c": "${order_idd}"}]}, names(order_id="1"))
    assert caught.value.pointer == "/a/0/b~1c"
    assert "order_idd" in str(caught.value)
    assert "order_id," in caught.value.mend


def test_a_placeholder_that_is_not_closed_is_an_error():
    with pytest.raises(ComposeError, match="not closed"):
        composing.fill("${order_id", names(order_id="1"))


def variables(**values: object) -> composing.Names:
    return composing.Names(scenario=values)


def chain(length: int, refer: Callable[[str], object] = str) -> composing.Names:
    """Variables v1, v2, ... of which each refers to the next, the last of them to none."""
    values = {f"v{number}": refer(f"${{v{number + 1}}}") for number in range(1, length)}
    return variables(**values, **{f"v{length}": "end"})


def nested(value: object, levels: int) -> object:
    for _ in range(levels):
        value = [value]
    return value


def test_a_chain_of_variables_is_bounded_and_the_error_names_its_ends():
    assert composing.fill("${v1}", chain(DEEPEST_REFERENCE)) == "end"
    for length in (DEEPEST_REFERENCE + 1, 300, 5_000):
        with pytest.raises(ComposeError) as caught:
            composing.fill({"a": "${v1}"}, chain(length))
        assert caught.value.what == "the variable v1 refers to v2, and so on to v31: more than 30 variables"
        assert caught.value.pointer == "/a"


@pytest.mark.parametrize(
    "refer",
    [lambda next: next + next, lambda next: [next, next], lambda next: {"a": next, "b": next}],
    ids=["text", "array", "object"],
)
def test_variables_that_double_are_bounded_by_what_they_fill(refer: Callable[[str], object]):
    with pytest.raises(ComposeError, match="more than 2,000,000 characters would be filled in"):
        composing.fill("${v1}${v1}", chain(25, refer))


def test_all_that_a_step_fills_in_counts_and_the_next_step_begins_anew():
    known = names(large="x" * (MOST_FILLED // 2))
    composing.fill(["${large}", "${large}"], known)
    with pytest.raises(ComposeError, match=r"with \$\{sequence\}, more than"):
        composing.fill({"a": "${sequence}"}, known)
    known.begin_step({"sequence": 8})
    assert composing.fill({"a": "${sequence}"}, known) == {"a": 8}


def test_what_a_chain_passes_on_counts_once():
    large = "x" * (MOST_FILLED - 100)
    known = variables(a="${b}", b="${c}", c="${d}", d=large)
    assert composing.fill("${a}", known) == large


def test_a_long_text_is_said_by_its_length():
    assert composing.fill({"a": "${text:300}", "b": "${text:2}y$${text:9}"}, names()) == {
        "a": "x" * 300,
        "b": "xxy${text:9}",
    }


def test_long_texts_of_a_step_are_bounded_and_the_next_step_begins_anew():
    known = names()
    assert len(composing.fill("${text:10485760}", known)) == 10_485_760
    with pytest.raises(ComposeError, match="texts of more than 16,777,216 characters") as caught:
        composing.fill({"a": "${text:6291457}"}, known)
    assert caught.value.pointer == "/a"
    known.begin_step({})
    assert len(composing.fill("${text:16777216}", known)) == LONGEST_TEXT


@pytest.mark.parametrize("name", ["text:", "text:-1", "text:1.5", "text:many", "text:9999999999"])
def test_a_long_text_without_a_usable_length_is_an_error(name: str):
    with pytest.raises(ComposeError, match="says no length"):
        composing.fill(f"${{{name}}}", names())


def test_a_variable_holds_no_long_text_which_others_could_multiply():
    with pytest.raises(ComposeError, match="is in a variable"):
        composing.fill("${a}", variables(a="${text:100}"))


def test_nesting_is_bounded_whatever_it_comes_from():
    assert composing.fill(nested("${a}", 100), variables(a=nested("${b}", 60), b=nested(1, 40)))
    what = "nested deeper than 200 levels"
    for document, known in (
        (nested("${a}", 100), variables(a=nested("${b}", 60), b=nested(1, 41))),
        (nested("${a}", 101), names(a=nested(1, 100))),
        ("${v1}", chain(DEEPEST_REFERENCE, lambda next: nested(next, 200))),
    ):
        with pytest.raises(ComposeError, match=what):
            composing.fill(document, known)


def test_each_variable_is_filled_once_and_sees_what_is_captured_later():
    known = variables(a="${b} and ${b}", b="${c}")
    known.captured["c"] = 1
    assert composing.fill("${a}", known) == "1 and 1"
    known.captured["c"] = 2
    known.begin_step({})
    assert composing.fill("${a}", known) == "2 and 2"


def test_env_takes_from_the_environment_and_names_a_variable_that_is_not_set():
    from_environment = composing.Names(environment={"TOKEN": "t"})
    assert composing.fill("${env:TOKEN}", from_environment) == "t"
    with pytest.raises(ComposeError, match="environment variable ABSENT is not set"):
        composing.fill("${env:ABSENT}", from_environment)


def test_captures_then_command_line_environment_receiver_and_scenario_give_the_values():
    layers = composing.Names(
        captured={},
        given={"a": 1},
        environment={"RETAILOPS_SANDBOX_VAR_a": "2", "RETAILOPS_SANDBOX_VAR_b": "2"},
        receiver={"a": 3, "b": 3, "c": 3},
        scenario={"a": 4, "b": 4, "c": 4, "d": 4},
    )
    assert composing.fill(["${a}", "${b}", "${c}", "${d}"], layers) == [1, 2, 3, 4]
    layers.captured["a"] = 0
    assert composing.fill("${a}", layers) == 0


def test_a_variable_of_the_environment_that_is_not_text_is_an_error():
    with pytest.raises(ComposeError, match="NAME is not UTF-8"):
        composing.fill("${env:NAME}", composing.Names(environment={"NAME": "caf\udce9"}))


def test_a_lost_capture_is_told_apart_from_an_unknown_name():
    with pytest.raises(composing.MissingCapture):
        composing.fill("${code}", composing.Names(lost=frozenset({"code"})))


@given(st.text().filter(lambda text: "${" not in text))
def test_text_without_placeholders_stays(text: str):
    assert composing.fill(text, names()) == text


@given(st.text())
def test_any_text_survives_as_a_value(text: str):
    assert composing.fill({"k": "${v}"}, names(v=text)) == {"k": text}


# --- changes ---


def test_each_object_is_copied_once_however_many_values_are_set():
    copied = []

    class Counted(dict[str, object]):
        def copy(self) -> Counted:
            copied.append(self)
            return Counted(self)

    inner = Counted(a=1)
    base = composing.Template(Counted(inner=inner, other=Counted()), placeholders=False)
    step = Step(name="s", fixture="f", set={f"/inner/{number}": number for number in range(100)})
    made = composing.compose(step, base, names())
    assert len(made.value["inner"]) == 101
    assert copied == [base.payload, inner]
    assert inner == {"a": 1}


def test_remove_happens_before_set_and_the_fixture_is_left_alone():
    base = composing.Template.read('{"a": {"b": 1, "c": [1, 2]}, "d": 4}')
    step = Step(name="s", fixture="f", remove=["/a", "/d"], set={"/a/x/y": 1, "/list": [], "/list/-": 5})
    assert composing.compose(step, base, names()).value == {"a": {"x": {"y": 1}}, "list": [5]}
    assert base.payload == {"a": {"b": 1, "c": [1, 2]}, "d": 4}


def test_a_value_that_is_set_is_filled():
    step = Step(name="s", payload={"id": 1}, set={"/id": "${id}"})
    assert composing.compose(step, None, names(id="4897")).value == {"id": "4897"}


@pytest.mark.parametrize(
    ("remove", "change"),
    [(["/absent"], {}), ([""], {}), ([], {"/list/9": 1}), ([], {"/text/x": 1}), ([], {"/list/01": 1})],
)
def test_a_pointer_that_leads_nowhere_is_an_error(remove: list[str], change: dict[str, object]):
    step = Step(name="s", payload={"list": [1], "text": "t"}, remove=remove, set=change)
    with pytest.raises(ComposeError) as caught:
        composing.compose(step, None, names())
    assert caught.value.pointer == [*remove, *change][0]


# --- build ---


def test_numbers_keep_their_spelling_and_keys_their_order_on_the_way_to_the_bytes():
    text = '{"z": 35.00, "a": 1e5, "big": 123456789012345678901234567890, "s": "Schlüssel", "n": -0}'
    base = composing.Template.read(text)
    request = built(composing.compose(Step(name="s", fixture="f"), base, names()))
    assert request.body == text.replace(": ", ":").replace(", ", ",").encode()


@pytest.mark.parametrize(
    ("fixture", "change"),
    [
        ('{"a": 35.00}', {}),
        ('{"a": 35}', {"/a": Number("35.00")}),
        ('{"a": 35}', {"/a": [{"b": Number("35.00")}]}),
        ('{"a": "${given}"}', {}),
        ('{"a": 35}', {"/a": "${given}"}),
    ],
)
def test_a_number_that_is_no_integer_is_kept_wherever_it_comes_from(fixture: str, change: dict[str, object]):
    names = composing.Names(given={"given": Number("35.00")})
    step = Step(set=change)
    base = composing.Template.read(fixture)
    composed = composing.compose(step, base, names, placeholders="${" in str(change))
    assert jsontext.holds_number(composed.value)
    assert composed.numbers


def test_a_payload_of_integers_and_text_needs_no_search_for_other_numbers():
    base = composing.Template.read('{"a": 35}')
    composed = composing.compose(Step(set={"/b": "text"}), base, composing.Names(), placeholders=False)
    assert not composed.numbers


def test_the_url_is_the_base_with_the_contract_path_or_the_receivers_own():
    def url(base: str, **paths: str) -> str:
        return composing.url(Receiver(name="r", base_url=base, paths=paths), V1, SHIPPED_CONTRACTS)

    assert url("http://h:1") == "http://h:1/order_cancel_v1"
    assert url("https://h/base/") == "https://h/base/order_cancel_v1"
    assert url("http://h/hook?key=1") == "http://h/hook/order_cancel_v1?key=1"
    assert url("http://h/hook", order_cancel="") == "http://h/hook"
    assert url("http://h/hook/", order_cancel="x/y") == "http://h/hook/x/y"


@pytest.mark.parametrize(
    ("base", "draft", "v1"),
    [
        ("http://h/order_cancel", "http://h/order_cancel", "http://h/order_cancel_v1"),
        ("http://h/order_cancel_v1", "http://h/order_cancel", "http://h/order_cancel_v1"),
        ("http://h/order_cancel_v1/", "http://h/order_cancel", "http://h/order_cancel_v1/"),
        ("http://h/a/order_cancel?k=1", "http://h/a/order_cancel?k=1", "http://h/a/order_cancel_v1?k=1"),
        ("http://h/order_cancel_v1/a", "http://h/order_cancel_v1/a/order_cancel", "http://h/order_cancel_v1/a/order_cancel_v1"),
        ("http://h/my_order_cancel", "http://h/my_order_cancel/order_cancel", "http://h/my_order_cancel/order_cancel_v1"),
        ("http://order_cancel", "http://order_cancel/order_cancel", "http://order_cancel/order_cancel_v1"),
        ("http://h//", "http://h/order_cancel", "http://h/order_cancel_v1"),
    ],
)  # fmt: skip
def test_a_base_url_that_ends_in_an_actions_path_has_it_once(base: str, draft: str, v1: str):
    receiver = Receiver(name="r", base_url=base)
    assert [composing.url(receiver, each, SHIPPED_CONTRACTS) for each in (DRAFT, V1)] == [draft, v1]


@pytest.mark.parametrize("own", ["order_cancel_v1", "/order_cancel_v1", "hook", ""])
def test_a_path_that_the_receiver_states_is_appended_whatever_its_url_ends_in(own: str):
    receiver = Receiver(name="r", base_url="http://h/order_cancel_v1", paths={"order_cancel": own})
    assert composing.url(receiver, V1, SHIPPED_CONTRACTS) == f"http://h/order_cancel_v1/{own}".replace(
        "//o", "/o"
    ).rstrip("/")


@pytest.mark.parametrize(
    ("fields", "editions", "default", "reason"),
    [
        ({}, (), "draft", ""),
        ({"base_url": "http://h/order_cancel"}, ("draft",), "draft", "its URL ends in /order_cancel"),
        ({"base_url": "http://h/order_cancel_v1/?k=_draft"}, ("v1",), "v1", "ends in /order_cancel_v1"),
        ({"base_url": "http://h/retailops_v1"}, ("v1",), "v1", "its URL ends in _v1"),
        ({"base_url": "http://h/api/v1"}, (), "draft", ""),
        ({"paths": {"order_cancel": "/hooks/cancel_v1"}}, ("v1",), "v1", "its URL ends in _v1"),
        ({"token": "t"}, ("v1",), "v1", "it has a token"),
        ({"token": "t", "base_url": "http://h/order_cancel"}, ("draft",), "draft", "its URL"),
        ({"token": "t", "editions": ("draft", "v1")}, ("draft", "v1"), "draft", "it says so"),
        ({"base_url": "http://h/order_cancel", "editions": ("v1",)}, ("v1",), "v1", "it says so"),
        ({"token": "t", "stand_in": True}, (), "draft", ""),
    ],
)
def test_the_editions_that_a_receiver_speaks(
    fields: dict[str, Any], editions: tuple[str, ...], default: str, reason: str
):
    found = spoken(Receiver(**{"name": "r", "base_url": "http://h", **fields}), SHIPPED_CONTRACTS)
    assert (found.editions, found.default) == (editions, default)
    assert reason in found.reason
    assert found.includes("draft") == (not editions or "draft" in editions)


@pytest.mark.parametrize(
    ("fields", "action"),
    [
        ({}, ""),
        ({"base_url": "http://h/order_cancel_v1?store=1"}, "order_cancel"),
        ({"base_url": "http://h/retailops/order_pull_v1/"}, "order_pull"),
        ({"base_url": "http://h/order_cancel", "editions": ("v1",)}, "order_cancel"),
        ({"base_url": "http://h/order_cancel", "paths": {"order_pull": "/pull"}}, ""),
        ({"base_url": "http://h/retailops_v1"}, ""),
    ],
)
def test_a_url_that_ends_in_the_path_of_an_action_is_for_that_action(fields: dict[str, Any], action: str):
    assert (
        spoken(Receiver(**{"name": "r", "base_url": "http://h", **fields}), SHIPPED_CONTRACTS).action
        == action
    )


@pytest.mark.parametrize(
    "base", ["localhost:8000", "ftp://h", "http://", "h", "http://h:99999", "http://a b"]
)
def test_a_url_that_cannot_be_called_is_a_usage_error(base: str):
    with pytest.raises(UsageError):
        composing.url(Receiver(name="r", base_url=base), DRAFT, SHIPPED_CONTRACTS)


def test_the_token_goes_to_the_auth_pointer_unless_the_step_minded_it():
    receiver = msgspec.structs.replace(RECEIVER, token="secret-token")

    def sent(step: Step) -> object:
        return json.loads(built(payload(None, step), V1, receiver).body).get("integration_auth_token", "none")

    assert sent(Step(name="s", payload={"a": 1})) == "secret-token"
    assert sent(Step(name="s", payload={"a": 1}, set={"/integration_auth_token": "wrong"})) == "wrong"
    removed = Step(name="s", payload={"integration_auth_token": 1}, remove=["/integration_auth_token"])
    assert sent(removed) == "none"
    draft = built(payload({"a": 1}), DRAFT, receiver)
    assert b"secret" not in draft.body


@pytest.mark.parametrize("value", [None, [], [1], "text", 4, True])
def test_a_payload_that_has_no_place_for_the_token_is_sent_without(value: object):
    receiver = msgspec.structs.replace(RECEIVER, token="secret-token")
    assert json.loads(built(payload(value), V1, receiver).body) == value


def test_headers_replace_earlier_ones_whatever_their_case_and_auth_becomes_a_header():
    basic = msgspec.structs.replace(
        RECEIVER, auth=Basic(username="u", password="p"), headers={"accept": "text/x"}
    )
    fields = dict(built(payload({}), DRAFT, basic, {"X-A": "1"}).headers)
    assert fields["Authorization"] == "Basic dTpw"
    assert fields["accept"] == "text/x"
    assert "Accept" not in fields
    assert fields["X-A"] == "1"
    assert fields["Content-Type"] == "application/json"
    bearer = msgspec.structs.replace(RECEIVER, auth=Bearer(token="t"))
    assert dict(built(payload({}), DRAFT, bearer).headers)["Authorization"] == "Bearer t"


@pytest.mark.parametrize(("name", "value"), [("X A", "1"), ("", "1"), ("X-A", "1\r\nEvil: 2")])
def test_a_header_cannot_smuggle(name: str, value: str):
    with pytest.raises(ComposeError):
        built(payload({}), DRAFT, RECEIVER, {name: value})


def test_raw_bytes_are_sent_as_they_are():
    assert (
        composing.build_raw(
            composing.head(DRAFT, RECEIVER, SHIPPED_CONTRACTS), composing.raw_bytes("{broken"), DRAFT, ""
        ).body
        == b"{broken"
    )
    assert composing.raw_bytes("base64:AP8=") == b"\x00\xff"
    with pytest.raises(ComposeError, match="base64"):
        composing.raw_bytes("base64:!!")


# --- the receiver ---


def test_a_receiver_is_resolved():
    written = Receiver(
        name="shop",
        base_url="http://u:${env:PASS}@h",
        token="${env:TOKEN}",
        headers={"X-Shop": "${shop}", "Authorization": "Bearer ${env:KEY}"},
    )
    environment = {"PASS": "pw-123456", "TOKEN": "tok-123456", "KEY": "key-123456"}
    resolved = composing.resolve(written, composing.Names(given={"shop": 12}, environment=environment))
    assert resolved.base_url == "http://u:pw-123456@h"
    assert resolved.token == "tok-123456"
    assert resolved.headers == {"X-Shop": "12", "Authorization": "Bearer key-123456"}


def test_variables_may_hold_placeholders_but_not_themselves():
    layered = composing.Names(
        scenario={"a": "${b}!", "b": "${env:X}", "loop": "${pool}", "pool": "${loop}"}, environment={"X": "x"}
    )
    assert composing.fill("${a}", layered) == "x!"
    with pytest.raises(ComposeError, match="needs itself"):
        composing.fill("${loop}", layered)


@pytest.mark.parametrize("url", ["http://u:hun ter2@h", "http://u:hunter2/x@h", "ftp://u:hunter2@h"])
def test_an_error_about_a_url_never_shows_its_password(url: str):
    with pytest.raises(UsageError) as caught:
        composing.base_url(Receiver(name="r", base_url=url))
    assert "hun" not in str(caught.value)


@pytest.mark.parametrize(
    ("field", "value"), [("timeout_ms", 0), ("timeout_ms", 10**20), ("connect_timeout_ms", 0)]
)
def test_a_receiver_always_has_a_deadline(field: str, value: int):
    with pytest.raises(UsageError, match=field):
        composing.check(msgspec.structs.replace(RECEIVER, **{field: value}))


def test_a_variable_is_json_where_it_is_json():
    assert composing.variable_value("35.00") == Number("35.00")
    assert composing.variable_value('"4897"') == "4897"
    assert composing.variable_value("plain") == "plain"
    assert jsontext.compact(composing.variable_value("35.00")) == b"35.00"
