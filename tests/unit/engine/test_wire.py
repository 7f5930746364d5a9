"""Steps that say how their requests are spelled, from the file to the bytes and into the log."""

from __future__ import annotations

import gzip
import hmac
import json
import zlib
from typing import Any

import pytest

from retailops_sandbox.contracts.contract import Contract
from retailops_sandbox.errors import SourceError
from retailops_sandbox.model import Delivery, Judgement
from retailops_sandbox.model import Receiver as ReceiverModel
from tests.support.playing import Played, plan, play
from tests.support.proving import SECRET, SIGNED, proving
from tests.support.receivers import Act, answering, answering_when, receiver, response

NOTHING = response(b'{"events":[]}')
PAYLOAD = {"order": {"id": "4897", "name": "Ünal 😀"}}
COMPOSED = '{"order":{"id":"4897","name":"Ünal 😀"}}'


def sent(wire: dict[str, Any], act: Act | None = None, **more: Any) -> tuple[str, bytes, Played]:
    """One step that is spelled so: the head and the body that its receiver saw, and the run."""
    agreed, token = more.pop("agreed", None), more.pop("token", "")
    deliver = {"wire": wire, **more.pop("deliver", {})}
    step = {"payload": PAYLOAD, **more, "deliver": deliver}
    if "raw" in step:
        del step["payload"]
    with receiver(act or answering(NOTHING)) as there:
        shop = ReceiverModel(name="shop", base_url=there.url, timeout_ms=5000, token=token)
        played = play([plan(step)], there.url, receiver=shop, agreed=agreed)
        assert len(there.requests) == 1, played.steps
        head, _, body = there.requests[0].partition(b"\r\n\r\n")
    return head.decode(), body, played


def logged(played: Played) -> Delivery:
    delivery, *_ = played.log.deliveries
    return delivery


@pytest.mark.parametrize(
    ("charset", "starts"),
    [
        ("utf-8-sig", b"\xef\xbb\xbf{"),
        ("utf-16", b"\xff\xfe{\0"),
        ("utf-16-le", b"{\0"),
        ("utf-16-be", b"\0{"),
    ],
)
def test_a_charset_encodes_the_body_and_the_log_keeps_its_text(charset: str, starts: bytes):
    _, body, played = sent({"charset": charset})
    assert body.startswith(starts)
    assert body.decode(charset) == COMPOSED
    assert logged(played).request.body == COMPOSED


def test_latin_1_escapes_what_it_has_not():
    _, body, _ = sent({"charset": "latin-1"})
    assert b"\xdcnal \\ud83d\\ude00" in body
    assert json.loads(body.decode("latin-1")) == PAYLOAD


def test_raw_text_is_encoded_too():
    _, body, played = sent({"charset": "utf-16-be"}, raw="no JSON")
    assert body == "no JSON".encode("utf-16-be")
    assert logged(played).request.body == "no JSON"


@pytest.mark.parametrize("raw", ["€", "base64:/w=="])
def test_raw_bytes_that_the_charset_has_not_send_nothing(raw: str):
    with receiver(answering(NOTHING)) as there:
        played = play([plan({"raw": raw, "deliver": {"wire": {"charset": "latin-1"}}})], there.url)
        assert there.requests == []
    assert played.verdicts == ["errored"]
    assert "/deliver/wire/charset" in played.steps[0].reason


@pytest.mark.parametrize(("compressed", "undo"), [("gzip", gzip.decompress), ("deflate", zlib.decompress)])
def test_a_compressed_body_says_so(compressed: str, undo: Any):
    head, body, played = sent({"compressed": compressed})
    assert undo(body).decode() == COMPOSED
    assert f"\r\nContent-Encoding: {compressed}\r\n" in head
    assert f"\r\nContent-Length: {len(body)}" in head
    assert logged(played).request.body == COMPOSED


def test_a_step_may_say_another_content_encoding_or_none():
    head, _, _ = sent({"compressed": "gzip"}, deliver={"headers": {"content-encoding": "x-gzip"}})
    assert "\r\ncontent-encoding: x-gzip" in head
    assert "Content-Encoding" not in head
    head, _, _ = sent({"compressed": "gzip"}, deliver={"headers": {"Content-Encoding": None}})
    assert "ncoding" not in head


def test_a_member_is_written_twice_with_the_token_in_it():
    _, body, played = sent({"twice": "/order/id"})
    assert body.decode() == '{"order":{"id":"4897","id":"4897","name":"Ünal 😀"}}'
    assert logged(played).request.body == COMPOSED
    token = "a-secret-token"
    _, body, played = sent({"twice": "/integration_auth_token"}, agreed=v1(), token=token)
    assert body.decode().count(f'"integration_auth_token":"{token}"') == 2
    assert token not in logged(played).request.body


def v1() -> Contract:
    return proving({"pointer": "/integration_auth_token"}, "v1")


@pytest.mark.parametrize("place", ["/order/no", "/order/id/0", "/order/items/0"])
def test_what_is_no_member_cannot_be_written_twice(place: str):
    payload = {"order": {"id": "1", "items": [1]}}
    with receiver(answering(NOTHING)) as there:
        played = play([plan({"payload": payload, "deliver": {"wire": {"twice": place}}})], there.url)
        assert there.requests == []
    assert "leads to no member" in played.steps[0].reason


def test_the_signature_is_of_the_bytes_as_they_are_sent():
    wire = {"charset": "utf-16", "compressed": "gzip", "twice": "/order/id"}
    head, body, _ = sent(wire, agreed=proving(SIGNED), token=SECRET)
    made = hmac.digest(SECRET.encode(), body, "sha256").hex()
    assert f"\r\nX-Shop-Proof: v0:{made}" in head
    assert gzip.decompress(body).decode("utf-16").count('"id":"4897"') == 2


def test_everything_at_once():
    wire = {
        "method": "PUT",
        "path": "/other?x=${n}",
        "headers": ["x-n: ${n}", "X-N: again", "user-agent: mine", "host: there"],
        "chunked": 5,
        "compressed": "gzip",
        "charset": "utf-8-sig",
    }
    step = {"payload": PAYLOAD, "deliver": {"wire": wire, "headers": {"Accept": None}}}
    with receiver(answering_when(lambda seen: seen.endswith(b"0\r\n\r\n"), NOTHING)) as there:
        played = play([plan(step, variables={"n": "7"})], there.url)
        head, _, _ = there.requests[0].partition(b"\r\n\r\n")
    assert head.decode().split("\r\n") == [
        "PUT /other?x=7 HTTP/1.1",
        "Content-Type: application/json",
        "Content-Encoding: gzip",
        "Transfer-Encoding: chunked",
        "x-n: 7",
        "X-N: again",
        "user-agent: mine",
        "host: there",
    ]
    delivery = logged(played)
    assert (delivery.request.method, delivery.request.url) == ("PUT", f"{there.url}/other?x=7")
    assert delivery.request.headers[3:5] == (("x-n", "7"), ("X-N", "again"))
    assert delivery.request.body == COMPOSED


def test_a_step_leaves_out_headers_that_every_request_has():
    head, _, played = sent({"http": "1.0"}, deliver={"headers": {"Host": None, "user-agent": None}})
    assert head.startswith("POST /order_cancel HTTP/1.0\r\nContent-Type")
    assert "ost:" not in head
    with receiver(answering(NOTHING)) as there:
        play([plan({"deliver": {"headers": {"Host": None}}})], there.url)
        assert b"Host" not in there.requests[0]
    assert logged(played).own_headers == {"Host": None, "user-agent": None}


def test_a_delivery_that_was_broken_off_is_not_judged_and_not_sent_again():
    step = {"payload": PAYLOAD, "deliver": {"wire": {"break_off_after": 3}}, "expect": {"status": 200}}
    with receiver(answering_when(lambda _: False, NOTHING)) as there:
        played = play([plan(step)], there.url, retries=2)
    assert played.verdicts[0] == "recorded"
    assert played.steps[0].faults == 0
    broken = logged(played)
    assert (broken.dropped, broken.attempt) == (True, 1)
    assert broken.fault is not None
    assert broken.fault.message == f"hung up on purpose after 3 of {len(COMPOSED.encode())} bytes of the body"
    assert broken.request.body == COMPOSED
    judgements = [each for each in played.log.records if isinstance(each, Judgement)]
    assert judgements[0].reason == "hung up on purpose: not judged"


def test_a_break_that_is_expected_passes_and_one_that_did_not_happen_fails():
    step = {"payload": PAYLOAD, "deliver": {"wire": {"break_off_after": 3}}, "expect": {"fault": "cancelled"}}
    with receiver(answering_when(lambda _: False, NOTHING)) as there:
        assert play([plan(step)], there.url).verdicts == ["passed"]
    early = {**step, "deliver": {"wire": {"break_off_after": 3, "expect_continue": True}}}
    refused = response(b"no", status="413 Too Large")
    with receiver(answering_when(lambda seen: seen.endswith(b"\r\n\r\n"), refused)) as there:
        run = play([plan(early)], there.url)
    assert run.verdicts == ["failed"]
    assert not logged(run).dropped


@pytest.mark.parametrize(
    ("wire", "at", "words"),
    [
        ({"method": "G T"}, "/method", "not an HTTP method"),
        ({"path": ""}, "/path", "begins with /"),
        ({"path": "/a\r\nX: 1"}, "/path", "control characters"),
        (
            {"headers": ["A: 1", "no colon"]},
            "/headers/1",
            "begins with a name and a colon (write it as Name: value)",
        ),
        ({"headers": ["A b: 1"]}, "/headers/0", "Name: value"),
        ({"headers": ["A: 1\r\nB: 2"]}, "/headers/0", "line break"),
        ({"http": "1.0", "chunked": 1}, "/chunked", "no chunks"),
        ({"http": "1.0", "expect_continue": True}, "/expect_continue", "100-continue"),
        ({"http": "2"}, "/http", ""),
        ({"chunked": 0}, "/chunked", "at least 1"),
        ({"break_off_after": -1}, "/break_off_after", "at least 0"),
        ({"twice": "order"}, "/twice", "/"),
        ({"twice": ""}, "/twice", "no member"),
        ({"charset": "ebcdic"}, "/charset", ""),
        ({"speed": 1}, "/speed", "bytes_per_second"),
    ],
)
def test_a_spelling_that_no_request_has_is_told_with_its_place(wire: dict[str, Any], at: str, words: str):
    with pytest.raises(SourceError) as caught:
        plan({"deliver": {"wire": wire}})
    assert caught.value.pointer == f"/steps/0/deliver/wire{at}"
    assert words in caught.value.message


def test_raw_bytes_have_no_member_to_write_twice():
    with pytest.raises(SourceError, match="write the member twice in raw") as caught:
        plan({"raw": "{}", "deliver": {"wire": {"twice": "/a"}}})
    assert caught.value.pointer == "/steps/0/deliver/wire/twice"


def test_a_step_is_dropped_in_one_way():
    with pytest.raises(SourceError, match="say one of them"):
        plan({"deliver": {"drop_after_ms": 5, "wire": {"break_off_after": 3}}})


def test_a_filled_line_is_checked_too():
    step = {"deliver": {"wire": {"headers": ["X-A: ${value}"]}}}
    with receiver(answering(NOTHING)) as there:
        played = play([plan(step, variables={"value": "a\r\nX-B: b"})], there.url)
        assert there.requests == []
    assert "line break" in played.steps[0].reason
