"""importing/: curl commands, HAR archives, payloads and logs become steps, and no secret comes with them."""

from __future__ import annotations

import base64
import json
import shlex
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from msgspec import UNSET

from retailops_sandbox import composing, jsontext
from retailops_sandbox.contracts.catalogue import SHIPPED_CONTRACTS
from retailops_sandbox.contracts.contract import Contract
from retailops_sandbox.errors import SandboxError, UsageError
from retailops_sandbox.importing import (
    FoundRequest,
    ImportedStep,
    SeveralContracts,
    as_steps,
    assemble,
    read,
)
from retailops_sandbox.importing.found import REFERENCE
from retailops_sandbox.model import Fault, Receiver, Request, Response
from retailops_sandbox.reporting.exporters import curl, har
from retailops_sandbox.runlog.entries import Entry
from retailops_sandbox.scenarios import scenario
from tests.support.contracts import contract_document, with_own
from tests.support.proving import SIGNED
from tests.support.records import some_delivery

DRAFT = SHIPPED_CONTRACTS.load("order_cancel", "draft")
V1 = SHIPPED_CONTRACTS.load("order_cancel", "v1")
PAYLOAD: dict[str, Any] = DRAFT.examples.request
TOKEN = "tok-3141592653"
V1_PAYLOAD: dict[str, Any] = {**V1.examples.request, "integration_auth_token": TOKEN}
BODY = jsontext.compact(PAYLOAD).decode()
V1_BODY = jsontext.compact(V1_PAYLOAD).decode()

TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0\ufdd0\ufdd1"))


def only(text: str) -> FoundRequest:
    (found,) = read(text, SHIPPED_CONTRACTS, file="f")
    return found


def made(text: str, **named: str) -> ImportedStep:
    (draft,), _ = as_steps(read(text, SHIPPED_CONTRACTS, file="f"), SHIPPED_CONTRACTS, file="f", **named)
    return draft


def wrong(text: str, act: Callable[[str], object] = made) -> SandboxError:
    with pytest.raises(SandboxError) as caught:
        act(text)
    assert "\n" not in str(caught.value)
    return caught.value


def complaint(act: Callable[[], object]) -> str:
    """What is said of a mistake; nothing where there is none. Any other exception is a bug."""
    try:
        act()
    except SandboxError as error:
        return str(error)
    return ""


# --- a shell's words ---------------------------------------------------------------------------------------


@given(TEXTS)
@example("^\n")  # a caret at the end of a line is cmd's, unless a POSIX shell quotes it
def test_what_a_shell_quotes_is_read_back(text):
    assert only(f"curl http://a --data-raw {shlex.quote('x' + text)}").body.decode() == "x" + text


@given(TEXTS)
def test_double_quotes_are_read_back(text):
    escaped = "".join(f"\\{each}" if each in '"\\$`' else each for each in text)
    assert only(f'curl http://a --data-raw "x{escaped}"').body.decode() == "x" + text


def dollar_quoted(text: str) -> str:
    """As developer tools write what has an apostrophe: in the two units of UTF-16 where it needs two."""
    units = memoryview(text.encode("utf-16-le", "surrogatepass")).cast("H")
    return "$'" + "".join(f"\\u{unit:04x}" for unit in units) + "'"


@given(TEXTS)
def test_dollar_quotes_are_read_back(text):
    assert only(f"curl http://a --data-raw {dollar_quoted('x' + text)}").body.decode() == "x" + text


@given(st.text("curl -dHX'\"\\$`{}@<>|&;#\n a=:/[1]é", max_size=60))
def test_any_command_is_read_or_its_mistake_placed(text):
    said = complaint(lambda: read("curl " + text, SHIPPED_CONTRACTS, file="f"))
    assert said.startswith("f:") or not said


@given(st.text('{}[]":,\\ ax1u0\n', max_size=80) | TEXTS)
def test_any_text_is_read_or_refused_in_one_line(text):
    assert "\n" not in complaint(
        lambda: as_steps(read(text, SHIPPED_CONTRACTS, file="f"), SHIPPED_CONTRACTS, file="f")
    )


# --- curl commands -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "body"),
    [
        ("-d a -d b", "a&b"),
        ("--json '{\"a\":' --json '1}'", '{"a":1}'),
        ("-da", "a"),
        ("-sSkXPOST -da", "a"),
        ("--data-raw @x", "@x"),
        ("--data-binary @- <<< x", "x\n"),
        ("-d @- <<'E'\n{\n$a\n}\nE\n", "{$a}"),
        ("--data-binary @- <<E\n\\$a\\\\\nE\n", "$a\\\n"),
        ("--data-binary @- <<-E\n\t\ta\n\tE\n", "a\n"),
        ("-d a # a comment 'with a quote", "a"),
        ("-d a | jq . > /dev/null 2>&1", "a"),
        ("-d $'it\\'s\\x21\\041\\u00e9\\n'", "it's!!é\n"),
        ("-d a\\ b", "a b"),
        ('-d "a\\nb\\"c"', 'a\\nb"c'),
        ("-d a\\\nb", "ab"),
        ("-d ''", ""),
        ("--output x -w '%{http_code}' -d a", "a"),
    ],
)
def test_the_body_that_curl_would_send(options: str, body: str):
    assert only(f"curl http://a/b {options}").body.decode() == body


@pytest.mark.parametrize("before", ["$ ", "% ", "A=b C='d e' ", "/usr/bin/", "# first\n\n  "])
def test_what_may_stand_before_curl(before: str):
    found = only(f"{before}curl http://a/b -d x")
    assert (found.url, found.body) == ("http://a/b", b"x")


@pytest.mark.parametrize(
    ("feeding", "body"),
    [
        ("printf %s 'a b'", "a b"),
        ("echo a  b", "a b\n"),
        ("echo -n a", "a"),
        ("cat <<E\na\nE\n", None),
        ("printf %s YQBi | base64 -d", "a\0b"),
    ],
)
def test_what_is_piped_into_curl(feeding: str, body: str | None):
    command = f"{feeding} | curl http://a --data-binary @-"
    if body is None:
        # The pipe would be on the line after the document, where no shell takes it.
        command, body = "cat <<E | curl http://a --data-binary @-\na\nE\n", "a\n"
    assert only(command).body.decode() == body


def test_several_commands_are_several_requests():
    text = "curl http://a -d 1\ncurl http://b -d 2; curl http://c -d 3 && curl http://d -d 4"
    assert [(each.url, each.body, each.place) for each in read(text, SHIPPED_CONTRACTS, file="f")] == [
        ("http://a", b"1", "line 1"),
        ("http://b", b"2", "line 2"),
        ("http://c", b"3", "line 2"),
        ("http://d", b"4", "line 2"),
    ]


def test_headers_are_as_curl_reads_them():
    found = only("curl a -H 'X-A: 1' -H 'X-Empty;' -H 'Accept:' -A me -e there -d x")
    assert found.headers[:4] == (
        ("X-A", "1"),
        ("X-Empty", ""),
        ("User-Agent", "me"),
        ("Referer", "there"),
    )
    assert found.url == "http://a"


@pytest.mark.parametrize(
    ("command", "place", "what", "mend"),
    [
        ("curl http://a \\\n -d x --datta y", "f:2:7", "--datta is an option", "did you mean --data?"),
        ("curl http://a -d x -sB", "f:1:20", "-B is an option of curl's", "leave it out"),
        ("curl http://a -d @/etc/passwd", "f:1:18", "'/etc/passwd', which is not read", "import that file"),
        ("curl http://a -d x -H @h", "f:1:23", "headers are in a file", "put them there"),
        ("curl http://a -d @-", "f:1:18", "comes from standard input", "--data-raw"),
        ("curl http://a -d < x", "f:1:18", "reads a file", "put what is in the file"),
        ("curl http://a -d", "f:1:15", "-d has no value", "add it"),
        ("curl http://a -d \"$(cat x)\"", "f:1:19", "a command would be run", "put what it prints"),
        ("curl http://a -d `x`", "f:1:18", "a command would be run", "put what it prints"),
        ("curl http://a -d ${x:-y}", "f:1:18", "${...} is expanded", "put its value there"),
        ("curl http://a -d 'x", "f:1:18", "' is never closed", "close it"),
        ('curl http://a -d "x', "f:1:18", '" is never closed', "close it"),
        ("curl http://a -d $'x", "f:1:18", "$' is never closed", "close it"),
        ("curl http://a -d $'\\ud800'", "f:1:20", "half a character", "correct it"),
        ("curl http://a -d $'\\xff'", "f:1:18", "not UTF-8", "base64"),
        ("curl http://a -d (x)", "f:1:18", "subshell", "quote it"),
        ("curl http://a -d @- <<E\nx", "f:2:1", "never ended", "add E"),
        ("curl -d x", "f:1:1", "names no URL", "give it one"),
        ("curl http://a http://b -d x", "f:1:1", "names 2 URLs", "give it one"),
        ("curl http://a", "f:1:1", "sends no body", "--data-raw"),
        ("curl http://a -F x=y", "f:1:15", "sends a form", "posts JSON"),
        ("curl -G http://a -d x", "f:1:6", "sends no body", "posts JSON"),
        ("curl http://a -d x -H nocolon", "f:1:23", "no colon", "X-Shop"),
        ("sed s/a/b/ x | curl http://a -d @-", "f:1:1", "'sed' prints", "put what it prints"),
        ("wget http://a; curl http://a -d x", "f:1:1", "'wget' is not curl", "leave out"),
        ('curl ^"http://a^" ^\n -d "x', "f:2:5", '" is never closed', "close it"),
        ("curl http://a -d \ufdd0", "f:1:1", "U+FDD0", ""),
    ],
)  # fmt: skip
def test_a_mistake_in_a_command_has_its_place_and_mend(command: str, place: str, what: str, mend: str):
    error = wrong(command, lambda text: read(text, SHIPPED_CONTRACTS, file="f"))
    assert str(error).startswith(f"{place}: ")
    assert what in error.what
    assert mend in error.mend


def test_variables_of_the_shell_are_variables_of_the_environment():
    body = BODY.replace('"4897"', '"\'"$ORDER"\'-x"', 1)
    draft = made(f"curl http://a/order_cancel -H \"X-Shop: ${{SHOP}}\" --json '{body}'")
    assert draft.step.payload["data"]["order"]["id"] == "${env:ORDER}-x"
    assert draft.step.deliver.headers == {"X-Shop": "${env:SHOP}"}
    assert any("${env:ORDER}" in note for note in draft.notes)
    assert any("${env:SHOP}" in note for note in draft.step_notes)


def test_variables_of_the_shell_in_raw_bytes_are_spelled_as_they_were():
    draft = made('curl http://a/order_cancel --data-raw "{$ORDER"')
    assert draft.step.raw == "{$ORDER"
    assert "raw bytes hold no variables: what stands for one is sent as it is spelled" in draft.notes


HEADERS = st.lists(
    st.tuples(
        st.sampled_from(["X-A", "X-B", "Content-Type"]), st.text("ab'\"$\\{ é", min_size=1).map(str.strip)
    ),
    unique_by=lambda pair: pair[0],
).map(lambda pairs: tuple((name, value) for name, value in pairs if value))


@given(TEXTS.filter(bool), HEADERS)
def test_our_own_curl_command_is_read_back(body, headers):
    request = Request(method="POST", url="http://a/b?c=[1]", headers=headers, body=body)
    found = only(curl.command(request))
    assert (found.body.decode(), found.url, found.method) == (body, request.url, "POST")
    assert [each for each in found.headers if each in headers] == list(headers)


def test_our_own_curl_command_of_bytes_and_secrets_is_read_back():
    octets = bytes(range(256))
    encoded = base64.b64encode(octets).decode()
    request = Request(method="POST", url="http://a/order_cancel", headers=(), body=encoded, base64=True)
    assert only(curl.command(request, Receiver(name="r", base_url="", verify=False))).body == octets
    secret = Request(
        method="POST",
        url="http://a/order_cancel_v1",
        headers=(("Authorization", "Bearer «redacted:KEY»"), ("X-Token", "«redacted:X_TOKEN»")),
        body=V1_BODY.replace(TOKEN, "«redacted:token»"),
    )
    draft = made(curl.command(secret))
    assert "integration_auth_token" not in draft.step.payload
    assert draft.step.deliver.headers == {"X-Token": "${env:X_TOKEN}"}


# --- secrets -----------------------------------------------------------------------------------------------


def test_what_a_request_proves_itself_with_is_left_out_and_said():
    text = (
        "curl https://ann:url-password@a/order_cancel_v1 -u ann:user-password -b 'session=cookie-secret' "
        "-H 'Authorization: Bearer bearer-secret' -H 'X-Api-Key: api-key-secret' -H 'Cookie: c=header-pie' "
        f"-H 'X-Shop: 12' -H 'Sec-Fetch-Mode: cors' --insecure --json '{V1_BODY}'"
    )
    draft = made(text)
    spelled = scenario.spelled(assemble([draft], name="x"))
    said = "\n".join([*draft.notes, *draft.step_notes])
    secrets = ["url-password", "user-password", "cookie-secret", "bearer-secret", "api-key-secret", TOKEN]
    for secret in [*secrets, "header-pie"]:
        assert secret not in spelled + draft.text + said, secret
    assert draft.step.deliver.headers == {"X-Api-Key": "${env:X_API_KEY}", "X-Shop": "12"}
    for name in ("-u", "-b", "Authorization", "Cookie", "/integration_auth_token", "--insecure"):
        assert name in said, name
    assert "X_API_KEY" in said
    assert scenario.read(spelled, id="x", file="x").scenario.steps[0].payload == V1.examples.request


def test_a_secret_that_occurs_elsewhere_is_left_out_there_too():
    body = BODY.replace('"Will Call"', '"key api-key-secret"')
    answer = json.dumps({"events": [{"error_message": f"no {TOKEN}"}]})
    assert "api-key-secret" not in made(f"curl a -H 'X-Api-Key: api-key-secret' --json '{body}'").text
    draft = made(archive(entry(V1_BODY, url="http://a/order_cancel_v1", answer=answer)))
    assert TOKEN not in scenario.spelled(assemble([draft], name="x"))
    assert draft.step.expect.rules == {"/events/0/error_message": "any"}


@given(
    st.recursive(TEXTS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3))
)
def test_a_payload_is_sent_again_as_it_was(value):
    payload = {**PAYLOAD, "data": {**PAYLOAD["data"], "extra": value}}
    draft = made(jsontext.compact(payload).decode())
    filled = composing.fill(draft.step.payload, composing.Names())
    assert jsontext.compact(filled) == jsontext.compact(payload)
    fixture = composing.Template.read(draft.text)
    assert jsontext.compact(composing.fill(fixture.payload, composing.Names())) == jsontext.compact(payload)


def test_a_token_that_was_refused_is_what_the_step_tests():
    url = "http://a/order_cancel_v1"
    draft = made(archive(entry(V1_BODY, url=url, status=401, answer="{}")))
    assert draft.step.payload == V1.examples.request
    assert draft.step.set == {"/integration_auth_token": "not the token"}
    assert "left out: /integration_auth_token" in draft.notes
    assert any("its token was refused" in note for note in draft.step_notes)
    assert TOKEN not in scenario.spelled(assemble([draft], name="x"))
    missing = jsontext.compact(V1.examples.request).decode()
    assert made(archive(entry(missing, url=url, status=401))).step.remove == ["/integration_auth_token"]
    (step,) = assemble([draft], name="x", fixture="mine").steps
    assert (step.fixture, step.set) == ("mine", draft.step.set)


@pytest.mark.parametrize(
    ("came", "status", "sent"),
    [
        ("v0:0123456789abcdef", 200, {}),
        ("v0:0123456789abcdef", 401, {"X-Shop-Proof": "v0:not the token"}),
        (None, 401, {"X-Shop-Proof": None}),
        (None, 200, {}),
    ],
)
def test_a_foreign_signature_is_left_out_and_tested_where_it_was_refused(
    came: str | None, status: int, sent: dict[str, str | None]
):
    contracts = with_own(contract_document(auth={**SIGNED, "status": 401}, secrets=None))
    headers = [{"name": "x-shop-proof", "value": came}] if came else []
    found = entry(
        '{"hold":{"refnum":"H-1"}}',
        url="http://a/order_hold_v1",
        request={"headers": headers},
        status=status,
        answer='{"results":[],"expected":"0123456789abcdef"}',
    )
    text = archive(found)
    (draft,), _ = as_steps(read(text, contracts, file="f"), contracts, file="f")
    assert draft.step.deliver.headers == sent
    assert ("left out: x-shop-proof; credentials belong to the receiver" in draft.notes) == bool(came)
    assert not came or came[3:] not in repr(draft)


@pytest.mark.parametrize("token", ["", None])
def test_a_token_that_somebody_emptied_is_the_receivers(token: str | None):
    body = jsontext.compact({**V1_PAYLOAD, "integration_auth_token": token}).decode()
    draft = made(archive(entry(body, url="http://a/order_cancel_v1", answer="{}")))
    assert (draft.step.payload, draft.step.set) == (V1.examples.request, {})
    assert "left out: /integration_auth_token; the receiver's token takes its place" in draft.notes


# --- HAR ---------------------------------------------------------------------------------------------------


def entry(body: str = BODY, url: str = "http://a/order_cancel", **fields: Any) -> dict[str, Any]:
    answer = fields.pop("answer", None)
    request = {"method": "POST", "url": url, "headers": [], "postData": {"mimeType": "x", "text": body}}
    response = {"status": 200, "headers": [], "content": {"text": answer} if answer is not None else {}}
    return {"request": request | fields.pop("request", {}), "response": response | fields}


def archive(*entries: dict[str, Any]) -> str:
    return json.dumps({"log": {"version": "1.2", "entries": entries}}, indent=1)


def test_the_entries_of_a_har_that_a_contract_knows_become_steps():
    answer = json.dumps({"events": []})
    text = archive(
        {"request": {"method": "GET", "url": "http://a/style.css"}},
        entry(answer=answer),
        entry('{"query":"x"}', url="http://a/graphql"),
        entry(answer=base64.b64encode(answer.encode()).decode(), content={"text": base64.b64encode(
            answer.encode()).decode(), "encoding": "base64"}),
        entry(request={"method": "PUT"}),
    )  # fmt: skip
    found, left_out = as_steps(read(text, SHIPPED_CONTRACTS, file="f"), SHIPPED_CONTRACTS, file="f")
    assert [each.place for each in found] == ["entry 2", "entry 4"]
    assert left_out == ["2 other requests that no contract knows"]
    for each in found:
        assert each.step.expect.status == 200
        assert each.step.expect.body == {"events": []}


def test_what_differs_each_time_in_an_answer_gets_a_rule():
    event = {"error_code": "ERR1", "diagnostic_data": ["2026-01-01T00:00:00Z"]}
    draft = made(archive(entry(answer=json.dumps({"events": [event]}))))
    assert draft.step.expect.rules == {"/events/0/diagnostic_data/0": "datetime"}
    assert any("/events/0/diagnostic_data/0" in note for note in draft.step_notes)


def test_an_answer_off_contract_is_expected_as_it_was_and_said():
    draft = made(archive(entry(answer="{}")))
    assert draft.step.expect.contract is False
    assert any("breaks the contract (/events is missing)" in note for note in draft.step_notes)


def test_an_answer_off_contract_that_repeats_a_secret_may_be_anything_there():
    answer = json.dumps({"events": None, "echo": f"no {TOKEN}"})
    draft = made(archive(entry(BODY, headers=[], request={"headers": [
        {"name": "X-Api-Key", "value": TOKEN}]}, answer=answer)))  # fmt: skip
    assert draft.step.expect.contract is False
    assert draft.step.expect.rules == {"/echo": "any"}
    assert "its answer gets a rule for /echo, which repeats a secret" in draft.step_notes


def test_an_answer_that_is_not_json_is_expected_by_its_status():
    draft = made(archive(entry(answer="<html>", status=502)))
    assert (draft.step.expect.status, "not JSON" in draft.step_notes[0]) == (502, True)


@pytest.mark.parametrize("fault", [{"status": 0}, {"_error": "net::ERR_FAILED"}])
def test_of_a_fault_nothing_is_expected(fault: dict[str, Any]):
    draft = made(archive(entry(**fault)))
    assert draft.step.expect is UNSET
    assert any("no whole answer" in note for note in draft.notes)


@pytest.mark.parametrize(
    ("text", "place", "what"),
    [
        (
            '{"log": {"entries": [\n{"request": {"url": 1}}]}}',
            "f:2:21 at /log/entries/0/request/url",
            "expected a string",
        ),
        ('{"log": {"entries": {}}}', "f:1:21 at /log/entries", "expected an array"),
        (archive(entry(content={"text": "?", "encoding": "base64"})), "f:", "is not base64"),
        (archive(), "f", "no request with a body"),
        (archive(entry('{"a": 1}', url="http://a/b")), "f", "no contract knows the request (entry 1)"),
        (archive(entry(request={"method": "PUT"})), "f", "entry 1 is a PUT"),
    ],
)
def test_a_mistake_in_a_har_has_its_place(text: str, place: str, what: str):
    error = wrong(text)
    assert str(error).startswith(place)
    assert what in error.what


@given(st.binary(max_size=20), st.sampled_from([None, Fault("closed", "x")]))
def test_our_own_har_is_read_back(answer, fault):
    sent = some_delivery(
        id="r.1", run="r", sent_at="2026-01-01T00:00:00Z", action="order_cancel", edition="draft",
        receiver="r",
        request=Request(method="POST", url="http://a/order_cancel", headers=(("X-A", "1"),), body=BODY),
        response=Response(status=200, headers=(), body=base64.b64encode(answer).decode(), base64=True),
        fault=fault,
    )  # fmt: skip
    found = only(har.document([Entry(sent, ())]))
    assert (found.body.decode(), found.url, found.headers) == (BODY, sent.request.url, (("X-A", "1"),))
    assert (found.response.body if found.response else None) == (None if fault else answer)


# --- payloads and logs -------------------------------------------------------------------------------------


def test_a_payload_keeps_its_spelling():
    text = jsontext.pretty(PAYLOAD).replace('"grand_total": 35', '"grand_total":   35.00')
    assert made(text).text == text
    assert made("\ufeff" + text).text == text
    compact = BODY.replace('"grand_total":35', '"grand_total":35.00')
    assert '"grand_total": 35.00' in made(compact).text


def escaped_by_nginx(text: str) -> str:
    return "".join(
        f"\\x{octet:02X}" if octet in b'"\\' or octet > 126 else chr(octet) for octet in text.encode()
    )


QUOTINGS: dict[str, Callable[[str], str]] = {
    "plain": lambda body: f"2026-01-01 INFO {{x}} sent {body} in 3 ms",
    "in brackets": lambda body: f"[{{]] {body}}}",
    "quoted": lambda body: f"body={json.dumps(body)} status=200",
    "quoted twice": lambda body: f"log={json.dumps(json.dumps(body))}",
    "nginx": lambda body: f'1.2.3.4 - "POST / HTTP/1.1" "{escaped_by_nginx(body)}" 200',
    "in JSON": lambda body: json.dumps({"level": "info", "body": body}),
    "in JSON, parsed": lambda body: f'{{"level": "info", "request": {{"body": {body}}}}}',
    "in JSON, in words": lambda body: json.dumps([{"msg": f"got {body}."}]),
    "a JSON line of several": lambda body: f'{{"level": "info"}}\n{json.dumps({"body": body})}\n{{"a": 1',
}  # fmt: skip


@pytest.mark.parametrize("quoting", QUOTINGS.values(), ids=QUOTINGS)
@pytest.mark.parametrize("name", ["ascii", 'é "quoted" \\ 日本 \U0001f600'])
def test_a_payload_is_found_in_a_log_however_it_is_quoted(quoting, name: str):
    payload = {**PAYLOAD, "data": {**PAYLOAD["data"], "name": name}}
    found = made(quoting(jsontext.compact(payload).decode()))
    assert found.step.payload == payload
    assert found.contract is DRAFT


def test_each_line_of_a_log_is_a_request_with_its_line():
    found = read(f"start\n{BODY}\nmore\nx {V1_BODY}\n", SHIPPED_CONTRACTS, file="f")
    assert [each.place for each in found] == ["line 2", "line 4"]
    made, _ = as_steps(found, SHIPPED_CONTRACTS, file="f")
    whole = assemble(made, name="x")
    assert whole.contracts == [("order_cancel", "draft"), ("order_cancel", "v1")]
    assert [(each.name, each.edition) for each in whole.steps] == [
        ("order_cancel 1", None),
        ("order_cancel 2", "v1"),
    ]
    (one,), left_out = as_steps(found, SHIPPED_CONTRACTS, file="f", edition="v1")
    assert (one.place, left_out) == ("line 4", ["1 other request that no contract knows"])


def test_a_payload_is_found_in_an_object_however_large():
    outer = {"a": "b{" * 100_000, "numbers": [1234] * 100_000, "body": BODY}
    assert made(f"x {json.dumps(outer)} y").step.payload == PAYLOAD


def test_a_very_deep_or_endless_text_is_passed_over():
    for text in ('{"a":' * 5_000, "{" * 50_000, '{"a":[' * 3_000 + "1" + "]}" * 3_000, '{\\"' * 20_000):
        assert "no payload" in wrong("log " + text).what


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("", "nothing to import"),
        ("hello", "no payload of a known contract"),
        ('{"a": 1}', "no contract knows the request"),
        ('{\n"a": 1,}', "comma"),
        ("[1]", "no payload of a known contract"),
        ('{"a": 1}\n{"b": 2}\n', "no payload of a known contract"),
    ],
)
def test_a_text_with_nothing_in_it_is_refused(text: str, what: str):
    assert what in wrong(text).what


# --- which contract ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("known", [DRAFT, V1], ids=["draft", "v1"])
def test_each_contract_is_told_by_its_example(known: Contract):
    assert made(jsontext.compact(known.examples.request).decode()).contract is known


@pytest.mark.parametrize("path", ["/order_cancel", "/a/b/order_cancel/?x=1"])
def test_a_path_tells_the_contract_of_a_payload_that_breaks_all(path: str):
    draft = made(f"curl 'http://a{path}' --json '{{\"version\": 1}}'")
    assert draft.contract is DRAFT
    assert draft.step.off_contract
    assert "is missing" in draft.violation


def test_a_contract_may_be_named():
    assert made('{"x": 1}', action="order_cancel", edition="v1").contract is V1
    with pytest.raises(UsageError) as caught:
        made(BODY, edition="v9")
    assert "there is no contract v9" in caught.value.what
    assert "order_cancel v1" in caught.value.mend


def test_a_body_that_is_not_json_is_raw_where_the_path_is_known():
    draft = made("curl http://a/order_cancel -H 'Content-Type: text/plain' --data-raw '{\"version\": 1,'")
    assert draft.step.raw == '{"version": 1,'
    assert draft.step.off_contract
    assert draft.step.deliver.content_type == "text/plain"
    assert draft.text == ""
    assert any("kept as raw bytes" in note for note in draft.notes)
    octets = made("printf %s /wA= | base64 -d | curl http://a/order_cancel --data-binary @-")
    assert composing.raw_bytes(octets.step.raw or "") == b"\xff\x00"
    array = made("curl http://a/order_cancel --data-raw '[1, 2]'")
    assert (array.step.raw, array.step.off_contract, array.text) == ("[1, 2]", True, "")
    assert "the body is not a JSON object: it is kept as raw bytes" in array.notes
    spelled = made("curl http://a/order_cancel --data-raw 'base64:x'")
    assert composing.raw_bytes(spelled.step.raw or "") == b"base64:x"


def test_a_scenario_of_what_was_found_reads_back():
    body = jsontext.compact(PAYLOAD).decode()
    made, _ = as_steps(read(f"{body}\n{body}", SHIPPED_CONTRACTS, file="f"), SHIPPED_CONTRACTS, file="f")
    plan = scenario.read(scenario.spelled(assemble(made, name="two")), id="x", file="x")
    assert [step.name for step in plan.scenario.steps] == ["order_cancel 1", "order_cancel 2"]
    (step,) = assemble(made[:1], name="one", fixture="it").steps
    assert (step.fixture, step.name) == ("it", "order_cancel")


def test_references_are_found_nowhere_else():
    assert REFERENCE.search(BODY) is None


@pytest.mark.parametrize("quoted", ["'a)\"'", '"b\\")"', "c\\)"])
def test_what_a_command_prints_into_a_variable_is_not_looked_at(quoted: str):
    sign = f"signature=$(printf %s {quoted} | openssl dgst -r)"
    found = only(f"{sign}\ncurl http://a/order_cancel -H \"X-S: $signature\" -d '{BODY}'")
    assert found.body.decode() == BODY
    assert "X-S" in [name for name, _ in found.headers]


def test_a_command_in_a_word_would_have_to_be_run():
    for text in (f"curl http://a/$(whoami) -d '{BODY}'", f"a=$(b $(c)) curl http://a/ -d '{BODY}'"):
        assert "a command would be run here" in str(wrong(text))


def test_a_payload_that_fits_several_contracts_is_asked_about():
    contracts = with_own(contract_document(), contract_document(action="order_pause", path="/pause"))
    found = read('{"hold": {"refnum": "H-1"}}', contracts, file="f.json")
    with pytest.raises(SeveralContracts) as caught:
        as_steps(found, contracts, file="f.json")
    assert str(caught.value) == (
        "f.json: the request (line 1) fits order_hold v1 and order_pause v1 "
        "(import it alone, and name one by --action and --edition)"
    )
    (step,), _ = as_steps(found, contracts, file="f.json", action="order_pause")
    assert step.contract.action == "order_pause"
    # A path tells it, and among others it is left out and named.
    command = "curl http://h{}/pause -d '{}'".format("", '{"hold": {"refnum": "H-1"}}')
    (step,), _ = as_steps(read(command, contracts, file="f"), contracts, file="f")
    assert step.contract.action == "order_pause"
    both = read(f'{BODY}\n{{"hold": {{"refnum": "H-1"}}}}\n', contracts, file="f")
    (known,), left_out = as_steps(both, contracts, file="f")
    assert known.contract.action == "order_cancel"
    assert "the request (line 2) fits order_hold v1 and order_pause v1" in left_out[0]
