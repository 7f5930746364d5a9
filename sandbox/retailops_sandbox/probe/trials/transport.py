"""Trials of transport: bodies that are no JSON, and requests that are spelled in unusual ways."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from retailops_sandbox.model import Deliver, ExpectedStatus, Json, Wire
from retailops_sandbox.probe.mutations import UNKNOWN_MEMBER
from retailops_sandbox.probe.probes import Demand, Probe
from retailops_sandbox.probe.trials.making import AFTERWARDS, NOTHING, Attempt, Making

_MEMBER = f"/{UNKNOWN_MEMBER}"
_SLOW_SECONDS = 4.5
"""The seconds for which a slow upload is planned: libcurl sends the bytes of the first two at once."""
_HEAD = 250
"""The bytes of a request before its body, about."""
METHODS = ("GET", "POST", "HEAD", "PUT", "PATCH", "DELETE", "OPTIONS")
SIZES = {"64-kb": 64 * 1024, "1-mb": 1024 * 1024, "10-mb": 10 * 1024 * 1024}
OTHER_PATH = "/a-path-that-nobody-has"
FUTURE_VERSION = 9_999
_ANY_BUT_5XX: tuple[ExpectedStatus, ...] = ("2xx", "3xx", "4xx")


def probes(making: Making) -> Iterator[Probe]:
    """A probe for each part of a request."""
    for id, name, attempts in (
        ("body", "A receiver copes with a body that is no JSON", _bodies(making)),
        ("encoding", "A receiver copes with other encodings of JSON", _spelled(making, _encodings(making))),
        ("content-type", "A receiver copes with other content types", _spelled(making, _content_types())),
        ("framing", "A receiver copes with every way to send a body", _spelled(making, _framings(making))),
        ("size", "A receiver copes with a large body", _sizes(making)),
        ("headers", "A receiver copes with every spelling of headers", _spelled(making, _headers())),
        ("connection", "A receiver copes with every kind of connection", _spelled(making, _connections())),
        ("address", "A receiver copes with what is meant for another one", _addresses(making)),
    ):
        yield making.probe(f"transport/{id}", "transport", name, [*attempts, making.check()])
    yield from _methods(making)
    title = "A request to another path does nothing"
    yield _elsewhere(making, "other-path", "another path", title, Wire(path=OTHER_PATH))


class _Spelling(NamedTuple):
    """A valid request that is spelled in another way."""

    what: str
    name: str
    deliver: Deliver
    demand: Demand = "either"
    also: tuple[ExpectedStatus, ...] = ()
    """The statuses beside those of the demand that are right."""
    set: Mapping[str, Json] = NOTHING


def _spelled(making: Making, spellings: Iterator[_Spelling]) -> Iterator[Attempt]:
    """A request of each spelling, about an order of its own."""
    for each in spellings:
        yield making.attempt(
            each.name,
            each.what,
            each.demand,
            order=making.orders.next(),
            set=each.set,
            deliver=each.deliver,
            also=each.also,
        )


def _bodies(making: Making) -> Iterator[Attempt]:
    text = making.text(making.orders.next(again=True))
    for what, name, raw in (
        ("not-json", "a body that is no JSON", "this is no JSON"),
        ("empty-body", "an empty body", ""),
        ("truncated", "a body that is cut off", text[: len(text) * 2 // 3]),
        ("form", "a body that is a form", "action=cancel&order=1"),
    ):
        yield making.attempt(name, what, "either", raw=raw, off_contract=True)


def _encodings(making: Making) -> Iterator[_Spelling]:
    accented = NOTHING if making.breaks_contract({_MEMBER: "x"}) else {_MEMBER: "Zoë Ångström"}
    for what, charset, name in (
        ("byte-order-mark", "utf-8-sig", "UTF-8 with a byte order mark"),
        ("utf-16", "utf-16", "UTF-16"),
        ("latin-1", "latin-1", "Latin-1"),
    ):
        yield _Spelling(what, name, _wire(charset=charset), set=accented)
    said = Deliver(content_type="application/json; charset=utf-16", wire=Wire(charset="utf-16"))
    yield _Spelling("utf-16-said", "UTF-16, as its content type says", said, set=accented)


def _content_types() -> Iterator[_Spelling]:
    usual = Deliver(content_type="application/json; charset=utf-8")
    yield _Spelling("charset", "with charset=utf-8", usual, "accept")
    yield _Spelling("no-content-type", "without a content type", Deliver(headers={"Content-Type": None}))
    for what, content_type in (
        ("charset-upper-case", 'application/json;charset="UTF-8"'),
        ("charset-latin-1", "application/json; charset=iso-8859-1"),
        ("charset-unknown", "application/json; charset=no-such-charset"),
        ("text-plain", "text/plain"),
        ("form-type", "application/x-www-form-urlencoded"),
        ("multipart", "multipart/form-data"),
        ("xml", "application/xml"),
        ("vendor-json", "application/vnd.api+json"),
        ("no-type", "json"),
    ):
        yield _Spelling(what, f"as {content_type}", Deliver(content_type=content_type))


def _framings(making: Making) -> Iterator[_Spelling]:
    size = len(making.text(making.orders.next(again=True)).encode())
    # A receiver may say properly that it does not speak a part of HTTP.
    yield _Spelling("chunked", "in chunks", _wire(chunked=16), also=(501,))
    yield _Spelling("expect-continue", "Expect: 100-continue", _wire(expect_continue=True))
    yield _Spelling("gzip", "compressed by gzip", _wire(compressed="gzip"), also=(501,))
    rate = max(1, int((_HEAD + size) / _SLOW_SECONDS))
    yield _Spelling("slow-upload", "slowly", _wire(bytes_per_second=rate), "accept")
    yield _Spelling("broken-off", "broken off", _wire(break_off_after=size // 2))


def _sizes(making: Making) -> Iterator[Attempt]:
    if making.breaks_contract({_MEMBER: "x"}):
        return
    for what, size in SIZES.items():
        sent: dict[str, Json] = {_MEMBER: f"${{text:{size}}}"}
        name = what.replace("-", " ").upper()
        yield making.attempt(name, what, "either", order=making.orders.next(), set=sent)


def _headers() -> Iterator[_Spelling]:
    yield _Spelling("lower-case", "header names in lower case", _wire(lower_case=True), "accept")
    type = "Content-Type: application/json"
    yield _Spelling("doubled-header", "Content-Type twice", _wire(headers=[type, type]))
    two_types = [type, "Content-Type: text/plain"]
    yield _Spelling("doubled-otherwise", "two content types", _wire(headers=two_types))
    accepts = ["Accept: application/json", "Accept: text/html"]
    yield _Spelling("doubled-accept", "Accept twice", _wire(headers=accepts))
    long = Deliver(headers={"X-Request-Id": "${text:4096}"})
    yield _Spelling("long-header", "a header of 4,096 characters", long)


def _connections() -> Iterator[_Spelling]:
    stays = Deliver(headers={"Connection": "keep-alive"})
    yield _Spelling("keep-alive", "Connection: keep-alive", stays, "accept")
    yield _Spelling("keep-alive-again", "another one on it", stays, "accept")
    yield _Spelling("close", "Connection: close", Deliver(headers={"Connection": "close"}), "accept")
    yield _Spelling("http-1-0", "HTTP/1.0", _wire(http="1.0"), also=(505,))


def _methods(making: Making) -> Iterator[Probe]:
    """Other methods, none of which may act."""
    for method in METHODS:
        if method != making.contract.method:
            yield _elsewhere(making, method.lower(), method, f"{method} does nothing", Wire(method=method))


def _elsewhere(making: Making, what: str, name: str, title: str, wire: Wire) -> Probe:
    """A request that the contract does not know, then a valid one about its order, which shows an effect."""
    order = making.orders.next()
    other = making.attempt(
        name, what, "either", order=order, wire=wire, statuses=(*_ANY_BUT_5XX, 501), any_body=True
    )
    after = making.attempt("a valid request", AFTERWARDS, "accept", order=order, after=name)
    # Where all requests are about one order, which was acted on before, an effect would not show.
    attempts = [other, after] if making.orders.are_own else [other]
    return making.probe(f"transport/{what}", "transport", title, attempts)


def _addresses(making: Making) -> Iterator[Attempt]:
    for what, name, sent in _meant_for_others(making):
        breaks = making.breaks_contract(sent)
        order = making.orders.next()
        yield making.attempt(name, what, "either", order=order, set=sent, off_contract=breaks)


def _meant_for_others(making: Making) -> Iterator[tuple[str, str, dict[str, Json]]]:
    """What names another action, and another version, where the contract has such fields."""
    action = next((each for each in making.fields if each.value == making.contract.action), None)
    if action is None:
        return
    yield "unknown-action", "an unknown action", {action.pointer: "no_such_action"}
    parent = action.pointer.rpartition("/")[0]
    for field in making.fields:
        at, _, name = field.pointer.rpartition("/")
        if at == parent and re.search("version", name, re.IGNORECASE) and "number" in field.types:
            yield "future-version", "a version of the future", {field.pointer: FUTURE_VERSION}


def _wire(**spelling: Any) -> Deliver:
    return Deliver(wire=Wire(**spelling))
