"""Whatever an exporter of ours writes comes back equal, as does what other tools make of a body."""

from __future__ import annotations

import base64
import gzip
import json
import shlex
import zlib
from collections.abc import Callable
from typing import Any
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st
from msgspec import UNSET

import retailops_sandbox
from retailops_sandbox import composing, jsontext
from retailops_sandbox.contracts.catalogue import SHIPPED_CONTRACTS
from retailops_sandbox.importing import FoundRequest, read
from retailops_sandbox.model import Headers, Number, Request, Step
from retailops_sandbox.reporting.exporters import FORMATS, exporting
from retailops_sandbox.reporting.exporters.exporter import Sources
from retailops_sandbox.runlog.entries import Entry
from retailops_sandbox.scenarios import scenario
from tests.support.policies import secret_policy
from tests.support.records import some_delivery

SOURCES = Sources(
    receiver=lambda name: None,
    fixture=lambda *_: UNSET,
    shipped=lambda *_: UNSET,
    expectation=lambda *_: None,
    shipped_expectation=lambda *_: None,
    policy=secret_policy(),
    contracts=SHIPPED_CONTRACTS,
)
PIECES = st.sampled_from(
    [
        *"'\"\\\n\t${}[]&=%^`@#;:|<> é日😀\u00a0“”",
        *("\r\n", "\\\n", '""', "''", '\\"', "\\'", "^\n", "${env:A}", "$A", "%A%", "&quot;"),
        *("Invoke-RestMethod ", "\nirm ", "\n$a = 1", " `\n", "plain", "\x7f", "\u2028", "{", "\ufeff"),
    ]
)
TEXTS = st.lists(PIECES, max_size=6).map("".join)
VALUES = st.recursive(
    TEXTS | st.integers() | st.booleans() | st.none() | st.sampled_from(["35.00", "1e3", "-0"]).map(Number),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=5,
)
PAYLOADS = st.dictionaries(TEXTS, VALUES, min_size=1, max_size=3)
HEADERS = st.lists(
    st.tuples(st.sampled_from(["X-A", "X-B", "Content-Type", "x-c"]), TEXTS.map(str.strip)),
    unique_by=lambda pair: pair[0],
    max_size=3,
).map(tuple)


def only(text: str) -> FoundRequest:
    (found,) = read(text, SHIPPED_CONTRACTS, file="f")
    return found


def exported(format: str, request: Request) -> str:
    sent = some_delivery(action="order_cancel", edition="draft", request=request, struck_out=())
    return exporting.deliveries([Entry(sent, ())], FORMATS[format], SOURCES, name="run.1", own=True).text


def requested(body: str, headers: Headers = (), **fields: Any) -> Request:
    return Request(method="POST", url="http://shop/order_cancel?a=1", headers=headers, body=body, **fields)


# --- exporters -------------------------------------------------------------------------------------------


def sent_by(step: Step) -> bytes:
    if step.raw is not None:
        return composing.raw_bytes(step.raw)
    return jsontext.compact(composing.fill(step.payload, composing.Names()))


def by_import(text: str) -> bytes:
    return only(text).body


def by_scenario(text: str) -> bytes:
    (step,) = scenario.read(text, id="", file="").scenario.steps
    return sent_by(step)


class Recorder:
    """The pytest fixture `retailops`, which only keeps what it is asked to send."""

    verdict = "recorded"

    def __init__(self) -> None:
        self.sent = b""

    def send(self, *_: Any, payload: Any = UNSET, raw: str | None = None, **__: Any) -> Recorder:
        self.sent = sent_by(Step(payload=payload, raw=raw))
        return self

    def check(self) -> None:
        pass


def by_pytest(text: str) -> bytes:
    names: dict[str, Any] = {"retailops_sandbox": retailops_sandbox}
    exec(compile(text, "exported", "exec"), names)  # our own export, in a test
    (test,) = (value for name, value in names.items() if name.startswith("test_"))
    recorder = Recorder()
    test(recorder)
    return recorder.sent


WAYS_BACK: dict[str, Callable[[str], bytes]] = {
    "curl": by_import,
    "har": by_import,
    "scenario": by_scenario,
    "pytest": by_pytest,
}


def test_each_format_has_its_way_back():
    assert set(WAYS_BACK) == set(FORMATS)


@pytest.mark.parametrize("format", WAYS_BACK)
@given(PAYLOADS)
def test_a_payload_comes_back(format: str, payload: Any):
    body = jsontext.compact(payload)
    text = exported(format, requested(body.decode()))
    assert WAYS_BACK[format](text) == body


@pytest.mark.parametrize("format", WAYS_BACK)
@given(st.binary(min_size=1, max_size=40))
@example(b"\xf3]4")  # in base64 a number, which is JSON too
def test_bytes_come_back(format: str, octets: bytes):
    body = requested(base64.b64encode(octets).decode(), base64=True)
    assert WAYS_BACK[format](exported(format, body)) == octets


@pytest.mark.parametrize("format", ["curl", "har"])
@given(HEADERS, TEXTS.filter(bool))
def test_a_request_comes_back(format: str, headers: Headers, body: str):
    found = only(exported(format, requested(body, headers)))
    assert (found.method, found.url, found.body.decode()) == ("POST", "http://shop/order_cancel?a=1", body)
    given = {name.lower() for name, _ in headers}
    # curl's own Content-Type is that of a form, which no receiver of ours wants.
    assert tuple(each for each in found.headers if each[0].lower() in given) == headers


# --- shells ------------------------------------------------------------------------------------------------


def posix(body: str) -> str:
    return "curl http://a/order_cancel --data-raw '" + body.replace("'", "'\\''") + "'"


def chrome_on_windows(body: str) -> str:
    escaped = body.replace("\\", "\\\\").replace('"', '\\"')
    careted = "".join(each if each.isalnum() or each in " \n" else f"^{each}" for each in escaped)
    return 'curl ^"http://a/order_cancel^" ^\n --data-raw ^"' + careted.replace("\n", "^\n\n") + '^"'


def firefox_on_windows(body: str) -> str:
    return 'curl "http://a/order_cancel" --data-raw "' + body.replace('"', '""') + '"'


def powershell_single(body: str) -> str:
    return "irm http://a/order_cancel -Method Post -Body '" + body.replace("'", "''") + "'"


def powershell_double(body: str) -> str:
    escaped = "".join(f"`{each}" if each in '`"$' else each for each in body)
    return f'Invoke-WebRequest -Uri "http://a/order_cancel" -Method "POST" `\n-Body "{escaped}"'


def powershell_here(body: str) -> str:
    return f"$body = @'\n{body}\n'@\nirm http://a/order_cancel -Method Post -Body $body"


def httpie_raw(body: str) -> str:
    return "http POST http://a/order_cancel --raw='" + body.replace("'", "'\\''") + "'"


def httpie_items(body: str) -> str:
    members = json.loads(body)
    items = []
    for name, value in members.items():
        escaped = "".join(f"\\{each}" if each in ":;=@[]\\" else each for each in name)
        items.append(f"{escaped}:={json.dumps(value)}")
    return " ".join(["http POST http://a/order_cancel", *map(shlex.quote, items)])


SHELLS = {
    each.__name__: each
    for each in (posix, chrome_on_windows, powershell_single, powershell_double, powershell_here, httpie_raw)
}


@pytest.mark.parametrize("shell", SHELLS)
@given(PAYLOADS)
def test_a_body_comes_through_a_shell(shell: str, payload: Any):
    body = jsontext.compact(payload)
    assert only(SHELLS[shell](body.decode())).body == body


@given(st.dictionaries(st.text("ab{}:,'é&|^$", max_size=4), st.text("ab {}:,'é&|^$", max_size=6), min_size=1))
def test_doubled_quotes_of_windows_are_read_as_single_ones(payload: Any):
    body = jsontext.compact(payload).decode()
    assert only(firefox_on_windows(body)).body.decode() == body


@given(st.dictionaries(st.text("ab:=@;é ", min_size=1, max_size=4), VALUES, min_size=1, max_size=3))
def test_items_of_httpie_are_the_members_of_an_object(payload: Any):
    body = json.loads(jsontext.compact(payload))
    assert jsontext.parse(only(httpie_items(json.dumps(body))).body) == jsontext.parse(json.dumps(body))


@given(PAYLOADS, st.sampled_from(["\\\n", "\\ \n", "\\\r\n"]))
def test_backslashes_at_the_ends_of_lines_of_quoted_json_are_left_out(payload: Any, line_end: str):
    pretty = jsontext.pretty(payload)
    assume("'" not in pretty)
    found = only(f"curl http://a/order_cancel --data-raw '{pretty.replace(chr(10), line_end)}'")
    assert jsontext.parse(found.body) == payload
    assert any("backslashes end lines" in note for note in found.notes) == ("\n" in pretty)


@given(st.lists(st.sampled_from(["\n", "  \n", "\t\n"]), min_size=1, max_size=3).map("".join))
def test_empty_lines_between_continued_lines_do_not_end_a_command(empty: str):
    text = f"curl http://a/order_cancel \\\n{empty}  -H 'X-A: 1' \\\n{empty}  -d '{{}}'"
    found = only(text)
    assert (found.body, found.headers[0]) == (b"{}", ("X-A", "1"))


# --- archives ----------------------------------------------------------------------------------------------


def archived(posted: Any, *headers: tuple[str, str], **members: Any) -> str:
    written = [{"name": name, "value": value} for name, value in headers]
    request = {"method": "POST", "url": "http://a/order_cancel", "headers": written, **members}
    return json.dumps({"log": {"entries": [{"request": {**request, "postData": posted}}]}})


def in_base64(octets: bytes) -> str:
    return base64.b64encode(octets).decode()


def cut(text: str, encoded: Callable[[str], str]) -> list[dict[str, str]]:
    """The parameters that an exporter makes of a body that it takes for a form."""
    parameters = []
    for part in text.split("&"):
        name, equals, value = part.partition("=")
        parameters.append({"name": encoded(name)} | ({"value": encoded(value)} if equals else {}))
    return parameters


ENCODED: dict[str, Callable[[str], str]] = {
    "text": lambda body: archived({"mimeType": "x", "text": body}),
    "a string": archived,
    "base64": lambda body: archived({"text": in_base64(body.encode()), "encoding": "base64"}),
    "base64 by us": lambda body: archived({"text": in_base64(body.encode()), "_encoding": "base64"}),
    "base64 of the web": lambda body: archived(
        {"text": base64.urlsafe_b64encode(body.encode()).decode().rstrip("="), "encoding": "BASE64"}
    ),
    "base64 of mail": lambda body: archived(
        {"text": base64.encodebytes(body.encode()).decode(), "encoding": "base64"}
    ),
    "base64, unsaid": lambda body: archived({"text": in_base64(body.encode())}),
    "text that is said to be base64": lambda body: archived({"text": body, "encoding": "base64"}),
    "gzip": lambda body: archived(
        {"text": in_base64(gzip.compress(body.encode())), "encoding": "base64"}, ("Content-Encoding", "gzip")
    ),
    "deflate": lambda body: archived(
        {"text": in_base64(zlib.compress(body.encode())), "encoding": "base64"},
        ("content-encoding", "deflate"),
    ),
    "decompressed gzip": lambda body: archived({"text": body}, ("Content-Encoding", "gzip")),
    "decompressed br": lambda body: archived({"text": body}, ("Content-Encoding", "br")),
    "parameters": lambda body: archived({"mimeType": "x", "params": cut(body, str)}),
    "parameters, encoded": lambda body: archived({"params": cut(body, lambda text: quote(text, safe=""))}),
    "parameters, as a form": lambda body: archived({"params": cut(body, quote_plus)}),
    "text beside parameters": lambda body: archived({"text": body, "params": cut("a=b", str)}),
    "a member of its own": lambda body: archived(
        None, _content={"text": in_base64(body.encode()), "encoding": "base64"}
    ),
    "JSON": lambda body: archived({"json": json.loads(body)}),
}


@pytest.mark.parametrize("encoding", ENCODED)
@given(PAYLOADS)
def test_a_body_comes_out_of_an_archive(encoding: str, payload: Any):
    body = jsontext.compact(payload).decode()
    # Numbers are spelled anew by `json`, of which the last way is made.
    body = json.dumps(json.loads(body)) if encoding == "JSON" else body
    assert jsontext.parse(only(ENCODED[encoding](body)).body) == jsontext.parse(body)


def test_a_body_that_grows_without_end_is_not_unpacked():
    bomb = in_base64(gzip.compress(b"0" * (40 * 1024 * 1024)))
    found = only(archived({"text": bomb, "encoding": "base64"}, ("Content-Encoding", "gzip")))
    assert found.lacks == "its body is compressed (gzip) in a way that is not read here"


@given(st.lists(st.integers(0, 59), min_size=1, max_size=6))
def test_entries_come_in_the_order_of_their_times(seconds: list[int]):
    entries = [
        {
            "startedDateTime": f"2026-11-03T1{second % 3}:12:{second:02}.000+0{second % 3}:00",
            "request": {"method": "POST", "url": "http://a", "postData": {"text": f'{{"s": {second}}}'}},
        }
        for second in seconds
    ]
    found = read(json.dumps({"log": {"pages": [{}, {}], "entries": entries}}), SHIPPED_CONTRACTS, file="f")
    assert [json.loads(each.body)["s"] for each in found] == sorted(seconds)
