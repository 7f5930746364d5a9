"""How a request was spelled, in the log and all that is made of it: resent, recorded, told and exported."""

from __future__ import annotations

import base64
import gzip
import hmac
import json
import os
import subprocess
from pathlib import Path
from typing import Any

import msgspec
import pytest

from retailops_sandbox import recording, redaction
from retailops_sandbox.contracts.catalogue import SHIPPED_CONTRACTS
from retailops_sandbox.model import Deliver, Delivery, Expectation, Step, Wire, encoder
from retailops_sandbox.model import Receiver as ReceiverModel
from retailops_sandbox.recording import Recorded
from retailops_sandbox.recording.steps import recorded_step
from retailops_sandbox.reporting.exporters import curl, har
from retailops_sandbox.reporting.render import delivery_text, wire_words
from retailops_sandbox.runlog.entries import Entry
from retailops_sandbox.scenarios import scenario
from retailops_sandbox.web.shell import resending
from tests.support.cases import OneCase
from tests.support.playing import Played, plan, play
from tests.support.proving import SECRET, SIGNED, proving
from tests.support.receivers import Act, Peer, answering, receiver, response

NOTHING = response(b'{"events":[]}', "Content-Type: application/json")
PAYLOAD = {"order": {"id": "${order}", "name": "Ünal's 😀"}}
COMPOSED = '{"order":{"id":"4897","name":"Ünal\'s 😀"}}'
TOKEN = "tok-3141592653"

SPELLINGS: list[dict[str, Any]] = [
    {"charset": "utf-16"},
    {"charset": "utf-16-le", "compressed": "gzip"},
    {"charset": "utf-16-be"},
    {"charset": "utf-8-sig", "compressed": "deflate"},
    {"charset": "latin-1", "twice": "/order/name"},
    {"twice": "/order", "compressed": "gzip"},
    {"method": "PUT", "path": "/other?x=1", "http": "1.0"},
    {"method": "OPTIONS", "path": "*"},
    {"path": "/a b/ä"},
    {"method": "GET", "headers": ["host: one", "HOST: two", "x-A: 1", "X-a: 2", "Empty:"]},
    {"headers": ["Transfer-Encoding: identity", "content-length: 45"]},
    {"bytes_per_second": 1_000_000},
    {"lower_case": True},
]


def step_of(wire: dict[str, Any], **deliver: Any) -> dict[str, Any]:
    return {"payload": PAYLOAD, "deliver": {"wire": wire, **deliver}}


def played(there: str, *steps: dict[str, Any], **options: Any) -> Played:
    return play([plan(*steps, variables={"order": "4897", "n": 7})], there, **options)


def logged(run: Played) -> Delivery:
    return run.log.deliveries[0]


def entry(delivery: Delivery) -> Entry:
    return Entry(delivery, ())


# --- resent and recorded ---


@pytest.mark.parametrize("wire", SPELLINGS)
def test_what_is_sent_again_is_spelled_alike(wire: dict[str, Any]):
    with receiver(answering(NOTHING)) as there:
        sent = logged(played(there.url, step_of(wire)))
        headers, again = resending.headers(sent, own=True), resending.wire(sent, own=True)
        assert resending.lost_headers(sent, own=True) == []
        step = Step(
            name="again", fixture="f", deliver=Deliver(headers=headers, wire=again), off_contract=True
        )
        of_text = scenario.single(step, action=sent.action, edition=sent.edition)
        play([of_text], there.url, cases=OneCase(resending.payload(sent, own=True)))
        first, second = there.requests
    assert first == second


@pytest.mark.parametrize("wire", [*SPELLINGS, {"chunked": 7}, {"expect_continue": True}])
def test_what_is_recorded_is_spelled_alike(wire: dict[str, Any]):
    with receiver(any_request) as there:
        sent = logged(played(there.url, step_of(wire, headers={"Accept": None})))
        assert sent.wire == msgspec.convert(wire, Wire)
        draft = recording.draft([Recorded(sent, None, True)], lambda *_: msgspec.UNSET, SHIPPED_CONTRACTS)
        text = scenario.spelled(draft.scenario)
        play([scenario.read(text, id="r", file="r.scenario.json")], there.url)
        first, second = there.requests
    assert first == second
    assert b"Accept" not in first


def any_request(peer: Peer) -> None:
    """Reads a request with whatever body it has, and answers."""
    head = peer.read_until(lambda seen: b"\r\n\r\n" in seen)
    peer.receiver.requests.pop()
    if b"100-continue" in head:
        peer.send(b"HTTP/1.1 100 Continue\r\n\r\n")
        head += peer.read_until(lambda seen: seen.endswith(COMPOSED.encode()))
        peer.receiver.requests.pop()
    elif b"chunked" in head:
        head += (
            b"" if head.endswith(b"0\r\n\r\n") else peer.read_until(lambda seen: seen.endswith(b"0\r\n\r\n"))
        )
    peer.receiver.requests.append(head)
    peer.send(NOTHING)
    peer.hang()


def test_a_delivery_that_was_broken_off_is_recorded_as_one_that_is():
    with receiver(lambda peer: peer.hang()) as there:
        sent = logged(played(there.url, step_of({"break_off_after": 5})))
    draft = recording.draft([Recorded(sent, None, True)], lambda *_: msgspec.UNSET, SHIPPED_CONTRACTS)
    step = draft.scenario.steps[0]
    assert step.deliver.wire == Wire(break_off_after=5)
    assert step.expect == Expectation(fault="cancelled")
    assert draft.notes == ()


def test_a_wrong_proof_is_recorded_as_one_that_is_made_again():
    refused = response(b"{}", status="401 Unauthorized")
    agreed = proving(SIGNED)
    with receiver(answering(refused)) as there:
        shop = ReceiverModel(name="shop", base_url=there.url, token=SECRET)
        sent = logged(played(there.url, step_of({"proof": "altered"}), receiver=shop, agreed=agreed))
    step = recorded_step(sent, None, agreed, lambda *_: msgspec.UNSET).step
    assert step.deliver == Deliver(wire=Wire(proof="altered"))


# --- secrets ---


def secret_run(step: dict[str, Any], act: Act | None = None, **environment: str) -> tuple[Delivery, bytes]:
    """The delivery of a step, and the request that its receiver saw."""
    with receiver(act or answering(NOTHING)) as there:
        run = played(there.url, step, environment=environment)
        assert run.log.deliveries, run.steps
        return logged(run), there.requests[0]


def test_a_reference_in_a_line_or_path_stays_one_and_its_value_is_struck_out():
    wire = {
        "headers": [
            "Authorization: Bearer ${env:KEY}",
            "X-Order: ${n}",
            "X-Note: ${n} ${env:KEY}",
            "X-Dollar: $${n}",
        ],
        "path": "/in?token=${env:KEY}&order=${n}",
    }
    sent, request = secret_run(step_of(wire), KEY=TOKEN)
    assert request.count(TOKEN.encode()) == 3
    assert TOKEN not in encoder.encode(sent).decode()
    assert sent.wire is not None
    assert sent.wire.headers == [
        "Authorization: Bearer ${env:KEY}",
        "X-Order: 7",
        "X-Note: 7 ${env:KEY}",
        "X-Dollar: $${n}",
    ]
    assert sent.wire.path == "/in?token=${env:KEY}&order=7"
    assert b"\r\nX-Dollar: ${n}\r\n" in request
    assert resending.lost_headers(sent, own=True) == []


@pytest.mark.parametrize(
    "line",
    [
        f"Authorization: Bearer {TOKEN}",
        f"x-api-key:{TOKEN}",
        f"Cookie: a={TOKEN}",
        f"AUTHORIZATION:  Basic {TOKEN}",
    ],
)
def test_a_credential_in_a_line_is_struck_out_by_its_name_and_known_to_be_lost(line: str):
    sent, request = secret_run(step_of({"headers": [line, "X-A: 1"]}))
    assert line.encode() in request
    assert TOKEN not in encoder.encode(sent).decode()
    assert sent.wire is not None
    assert sent.wire.headers[0].startswith(line.partition(":")[0])
    assert sent.wire.headers[1] == "X-A: 1"
    (place,) = redaction.listing.in_part(sent, "/wire/headers/0")
    assert redaction.listing.text_of(sent, place).startswith("«redacted:")
    assert resending.lost_headers(sent, own=True)
    again = redaction.delivery(sent, redaction.Secrets({"other": "another-secret"}))
    assert again.wire == sent.wire
    assert redaction.listing.in_part(again, "/wire/headers/0") == [place]


def test_a_credential_beside_a_reference_does_not_stay():
    sent, _ = secret_run(step_of({"headers": ["Authorization: Bearer half${env:KEY}"]}), KEY=TOKEN)
    assert "half" not in encoder.encode(sent).decode()


def test_what_becomes_a_secret_later_is_struck_out_of_lines_and_path():
    sent, _ = secret_run(step_of({"headers": ["X-A: later-a-secret"], "path": "/later-a-secret"}))
    kept = redaction.delivery(sent, redaction.Secrets({"late": "later-a-secret"}))
    assert "later-a-secret" not in encoder.encode(kept).decode()
    assert "struck out" in delivery_said(kept) or "«redacted:late»" in delivery_said(kept)


def delivery_said(sent: Delivery) -> str:
    return "\n".join(delivery_text.delivery(entry(sent), SHIPPED_CONTRACTS, width=100, colour=False))


@pytest.mark.parametrize("charset", ["utf-16", "utf-16-le", "utf-16-be", "utf-8-sig", "latin-1"])
def test_a_token_that_is_sent_and_echoed_in_another_encoding_is_not_kept(charset: str):
    def echo(peer: Peer) -> None:
        request = peer.read_request() or b""
        peer.send(response(request.partition(b"\r\n\r\n")[2]))
        peer.hang()

    agreed = SHIPPED_CONTRACTS.load("order_cancel", "v1")
    with receiver(echo) as there:
        shop = ReceiverModel(name="shop", base_url=there.url, token=TOKEN)
        wire = {"charset": charset, "twice": "/integration_auth_token"}
        run = played(there.url, step_of(wire), receiver=shop, agreed=agreed)
        assert there.requests[0].decode("latin-1").replace("\0", "").count(TOKEN) == 2
    kept = b"".join(map(encoder.encode, run.log.records)).decode()
    assert TOKEN not in kept
    assert TOKEN not in kept.replace("\\u0000", "")
    sent = logged(run)
    assert sent.response is not None
    if sent.response.base64:
        assert TOKEN not in base64.b64decode(sent.response.body).decode("latin-1").replace("\0", "")


def test_nothing_of_somebody_elses_record_becomes_a_reference():
    sent, _ = secret_run(step_of({"headers": ["X-A: ${env:KEY}"], "path": "/${env:KEY}"}), KEY="some-value")
    made = resending.wire(sent, own=False)
    assert made is not None
    assert (made.headers, made.path) == (["X-A: $${env:KEY}"], "/$${env:KEY}")
    draft = recording.draft([Recorded(sent, None, False)], lambda *_: msgspec.UNSET, SHIPPED_CONTRACTS)
    assert draft.scenario.steps[0].deliver.wire == made


# --- told ---


@pytest.mark.parametrize(
    ("wire", "words"),
    [
        (
            Wire(chunked=7, compressed="gzip", http="1.0"),
            "in chunks of 7 bytes, gzip, HTTP/1.0",
        ),
        (
            Wire(method="PUT", path="/x", twice="/order/id", charset="utf-16", headers=["A: 1", "B: 2"]),
            "by PUT, to /x, with /order/id twice, in UTF-16 with a byte order mark, "
            "with 2 header lines as written",
        ),
        (
            Wire(expect_continue=True, headers=["A: 1"], bytes_per_second=1, break_off_after=2_000),
            "with Expect: 100-continue, with a header line as written, at 1 byte a second, "
            "broken off after 2,000 bytes of the body",
        ),
        (Wire(proof="spaced"), "with a proof of the sender that is between blanks"),
        (Wire(), "in the usual way"),
    ],
)
def test_the_words(wire: Wire, words: str):
    assert wire_words.spelled(wire) == words


def test_the_text_of_a_delivery_says_how_it_was_spelled_and_that_its_body_was_other_bytes():
    with receiver(answering(NOTHING)) as there:
        sent = logged(played(there.url, step_of({"method": "PUT", "compressed": "gzip", "http": "1.0"})))
    said = delivery_said(sent)
    assert "\n  spelled   sent by PUT, gzip, HTTP/1.0\n" in said
    assert f"\n  PUT {sent.request.url} HTTP/1.0\n" in said
    assert "(The body as it was composed. It was sent gzip.)" in said
    assert '"id": "4897"' in said


def test_a_delivery_that_is_not_unusual_says_nothing_of_it():
    with receiver(answering(NOTHING)) as there:
        sent = logged(played(there.url, {"payload": {}}))
    assert sent.wire is None
    assert b'"wire"' not in encoder.encode(sent)
    assert "spelled" not in delivery_said(sent)


# --- exported ---


@pytest.mark.parametrize("wire", SPELLINGS)
def test_the_curl_command_sends_the_same_bytes(wire: dict[str, Any], tmp_path: Path):
    with receiver(answering(NOTHING)) as there:
        sent = logged(played(there.url, step_of(wire)))
        body = there.requests[0].partition(b"\r\n\r\n")[2]
    arguments, posted = by_shell(command(sent), tmp_path)
    if wire.get("compressed") == "gzip":
        body, posted = gzip.decompress(body), gzip.decompress(posted)
    assert posted == body
    said = dict.fromkeys(arguments)
    assert ("--http1.0" in said) == (wire.get("http") == "1.0")
    assert ("--limit-rate" in said) == ("bytes_per_second" in wire)
    target = arguments[arguments.index("--request-target") + 1] if "--request-target" in said else ""
    assert target == (wire["path"] if wire.get("path") in ("*", "/a b/ä") else "")
    if "headers" in wire:
        named = [arguments[at + 1] for at, each in enumerate(arguments) if each == "-H"]
        written = [each for each in named if each not in ("Host:", "Content-Length:", "Transfer-Encoding:")]
        assert written[-len(wire["headers"]) :] == [
            each.replace("Empty:", "Empty;") for each in wire["headers"]
        ]


def command(sent: Delivery) -> str:
    return curl.command(
        sent.request,
        struck_out=redaction.listing.of(sent),
        wire=sent.wire,
        left_out=curl.names_left_out(sent.own_headers),
    )


def by_shell(command: str, folder: Path, **environment: str) -> tuple[list[str], bytes]:
    """The arguments that a shell gives to curl, and the body that curl would send."""
    stub = folder / "curl"
    stub.write_text(
        '#!/bin/sh\nfor each in "$@"; do printf "%s\\0" "$each"; done > arguments\n'
        'case "$*" in *"@-"*) cat > body;; esac\n'
    )
    stub.chmod(0o755)
    path = f"{folder}:{os.environ['PATH']}"
    subprocess.run(["sh", "-c", command], check=True, cwd=folder, env={"PATH": path, **environment})
    arguments = (folder / "arguments").read_bytes().decode().split("\0")[:-1]
    piped = folder / "body"
    if piped.exists():
        return arguments, piped.read_bytes()
    return arguments, arguments[arguments.index("--data-binary") + 1].encode()


def test_a_signature_is_made_of_the_bytes_that_are_sent(tmp_path: Path):
    with receiver(answering(NOTHING)) as there:
        shop = ReceiverModel(name="shop", base_url=there.url, token=SECRET)
        wire = {"charset": "utf-16", "twice": "/order/id"}
        agreed = proving(SIGNED)
        sent = logged(played(there.url, step_of(wire), receiver=shop, agreed=agreed))
    made = curl.command(
        sent.request, struck_out=redaction.listing.of(sent), wire=sent.wire, proof=agreed.auth
    )
    arguments, body = by_shell(made, tmp_path, token=SECRET)
    assert f"X-Shop-Proof: v0:{hmac.digest(SECRET.encode(), body, 'sha256').hex()}" in arguments


def test_a_token_in_a_member_that_is_written_twice_is_a_variable_twice(tmp_path: Path):
    agreed = SHIPPED_CONTRACTS.load("order_cancel", "v1")
    with receiver(answering(NOTHING)) as there:
        shop = ReceiverModel(name="shop", base_url=there.url, token=TOKEN)
        wire = {"twice": "/integration_auth_token"}
        sent = logged(played(there.url, step_of(wire), receiver=shop, agreed=agreed))
        body = there.requests[0].partition(b"\r\n\r\n")[2]
    assert TOKEN not in command(sent)
    assert by_shell(command(sent), tmp_path, token=TOKEN)[1] == body


@pytest.mark.parametrize(
    ("wire", "note"),
    [
        ({"break_off_after": 3}, "it cannot hang up after 3 bytes"),
        ({"chunked": 3}, "curl chooses the size of the chunks"),
        ({"expect_continue": True}, "where it is answered with 417"),
        ({"method": "HEAD"}, "the body that the answer to HEAD has not"),
        ({"chunked": 5_000}, ""),
    ],
)
def test_what_curl_cannot_say_is_said_before_the_command(wire: dict[str, Any], note: str):
    with receiver(any_request) as there:
        sent = logged(played(there.url, step_of(wire)))
    made = command(sent)
    assert ("# " in made.partition("curl http")[0]) == bool(note)
    assert note in made


@pytest.mark.parametrize(
    ("path", "target"),
    [
        ("http://else/?token=${env:KEY}&a=${n}", f"http://else/?token={TOKEN}&a=7"),
        ("/a b?x=${env:KEY}", f"/a b?x={TOKEN}"),
    ],
)
def test_a_secret_in_a_target_is_a_variable(path: str, target: str, tmp_path: Path):
    sent, request = secret_run(step_of({"path": path}), KEY=TOKEN)
    assert request.startswith(f"POST {target} HTTP/1.1".encode())
    assert TOKEN not in command(sent)
    arguments, _ = by_shell(command(sent), tmp_path, KEY=TOKEN)
    assert arguments[arguments.index("--request-target") + 1] == target


def test_names_in_lower_case_are_curls_too(tmp_path: Path):
    with receiver(answering(NOTHING)) as there:
        sent = logged(played(there.url, step_of({"lower_case": True})))
    arguments, _ = by_shell(command(sent), tmp_path)
    named = [arguments[at + 1] for at, each in enumerate(arguments) if each == "-H"]
    assert named[:2] == ["Host:", "Content-Length:"]
    assert f"host: 127.0.0.1:{there.port}" in named
    assert f"content-length: {len(COMPOSED.encode())}" in named


def test_a_har_has_the_version_and_how_the_request_was_spelled():
    with receiver(answering(NOTHING)) as there:
        sent = logged(played(there.url, step_of({"http": "1.0", "compressed": "gzip"})))
    (archived,) = json.loads(har.document([entry(sent)]))["log"]["entries"]
    assert archived["request"]["httpVersion"] == "HTTP/1.0"
    assert archived["request"]["bodySize"] == -1
    assert archived["request"]["postData"]["text"] == COMPOSED
    assert archived["request"]["postData"]["comment"] == "The body as it was composed. It was sent gzip."
    assert archived["_retailops"]["wire"] == {"http": "1.0", "compressed": "gzip"}
