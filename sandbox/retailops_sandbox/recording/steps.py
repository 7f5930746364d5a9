"""One delivery as one step, which sends the same and expects the response that came."""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Literal, NamedTuple

import msgspec
from msgspec import UNSET

from retailops_sandbox import composing, jsontext, redaction
from retailops_sandbox.comparing import Judge, volatile
from retailops_sandbox.comparing.rules import without_quantifiers
from retailops_sandbox.contracts.auth import Auth
from retailops_sandbox.contracts.contract import Contract
from retailops_sandbox.errors import ComposeError, SourceError
from retailops_sandbox.foreign_text import WHOLE
from retailops_sandbox.jsontext import pointer
from retailops_sandbox.model import (
    Deliver,
    Delivery,
    Expectation,
    Json,
    Judgement,
    Mark,
    Request,
    Response,
    Step,
    Violation,
    Wire,
)
from retailops_sandbox.runlog.rows import EDITED

FixtureSource = Callable[[str, str, str], Any]
"""The payload of a fixture, by action, edition and name; UNSET where there is no such fixture."""

WRONG_TOKEN = "not the token"
"""The token of a step whose delivery was refused for its token: the log does not keep the real one."""

_FEW = 8
"""The most changes of a fixture by which a payload is described; with more, the step has its own payload."""
_LEVELS = 4
"""How many levels deeper a value is nested in a scenario file than in a body."""
_JSON_TYPE = "application/json"


class RecordedStep(NamedTuple):
    """A step made of a delivery. Its name need not be unique."""

    step: Step
    answer: Any
    """The body of the delivery's response; UNSET where it is not JSON."""
    notes: tuple[str, ...]


def recorded_step(
    delivery: Delivery,
    judgement: Judgement | None,
    contract: Contract,
    fixture: FixtureSource,
    *,
    own: bool = True,
) -> RecordedStep:
    """The step that sends what a delivery sent, and expects the response that it got.

    Struck-out values of its payload are marks. `own` says whether this workspace sent the delivery:
    references to the environment in somebody else's record are not kept.
    """
    notes: list[str] = []
    fields = _payload(delivery, judgement, contract, fixture, notes, own=own) or _raw(delivery, notes)
    content_type = _content_type(delivery)
    if content_type == _JSON_TYPE:
        content_type = ""
    wire = _wire(delivery, notes, own=own)
    headers = _left_out(delivery)
    if not _has_wrong_proof(delivery):
        headers |= _proof(delivery, contract, notes)
    said = {line.partition(":")[0].lower() for line in wire.headers} if wire is not None else set()
    if "content-type" in said:
        content_type = ""
    headers = {name: value for name, value in headers.items() if name.lower() not in said}
    if content_type or headers or wire is not None:
        fields["deliver"] = Deliver(headers=headers, content_type=content_type or None, wire=wire)
    answer = _answer(delivery)
    expected = _expectation(delivery, judgement, contract, answer, notes)
    if expected is not None or "fixture" in fields:
        # Null, since without `expect` the fixture's own expectation would judge.
        fields["expect"] = expected
    return RecordedStep(Step(name=_name(delivery), **fields), answer, tuple(notes))


def _name(delivery: Delivery) -> str:
    if delivery.scenario and delivery.step:
        return delivery.step
    return delivery.fixture.removesuffix(EDITED) or delivery.action


def parsed(text: str) -> Any:
    """The value of a JSON text that a scenario's file can hold; UNSET for any other text."""
    try:
        value = jsontext.parse(text)
        if text.count("[") + text.count("{") > jsontext.MAX_DEPTH - _LEVELS:
            jsontext.parse("[" * _LEVELS + text + "]" * _LEVELS)
    except SourceError:
        return UNSET
    return value


def json_of(kept: Request | Response) -> Any:
    """The JSON value of a body in the log, as `parsed` reads it; UNSET for any other body."""
    return UNSET if kept.base64 else parsed(kept.body)


def sent_again(delivery: Delivery) -> set[Json]:
    """The strings and numbers of a delivery's payload that each send of its step sends again."""
    try:
        sent = redaction.listing.payload(delivery)
        if delivery.composed:
            sent = _settled(redaction.listing.composed(delivery), sent)
    except SourceError:
        return set()  # it is not JSON
    return set(volatile.leaves(sent))


# --- what was sent ---------------------------------------------------------------------------------------


def _payload(
    delivery: Delivery,
    judgement: Judgement | None,
    contract: Contract,
    fixture: FixtureSource,
    notes: list[str],
    *,
    own: bool,
) -> dict[str, Any] | None:
    """The fields of a step that sends a JSON object; None where the body is not one."""
    if not isinstance(json_of(delivery.request), dict):
        return None
    sent = redaction.listing.payload(delivery)
    if not isinstance(sent, dict):
        return None
    if own and delivery.composed and parsed(delivery.composed) is not UNSET:
        payload = _settled(redaction.listing.composed(delivery), sent)
    else:
        payload = composing.escaped(sent)
    payload, remove, changes = _without_token(payload, sent, delivery, contract, notes)
    fields = _by_fixture(payload, delivery, fixture) or {"payload": payload, "remove": [], "set": {}}
    fields["remove"] += remove
    fields["set"] |= changes
    violations = (
        contract.check_request(jsontext.parse(delivery.request.body))
        if judgement is None
        else judgement.payload_violations
    )
    fields["off_contract"] = delivery.off_contract or bool(violations)
    return fields


def _raw(delivery: Delivery, notes: list[str]) -> dict[str, Any]:
    """The fields of a step that sends a body as raw bytes."""
    raw = delivery.request.body
    if redaction.listing.in_part(delivery, "/request/body"):
        notes.append("its bytes hold a secret that was struck out: write it anew")
    if delivery.request.base64:
        raw = f"base64:{raw}"
    elif raw.startswith("base64:"):
        raw = f"base64:{base64.b64encode(raw.encode()).decode()}"
    return {"raw": raw, "off_contract": delivery.off_contract}


def _content_type(delivery: Delivery) -> str:
    return next((value for name, value in delivery.request.headers if name.lower() == "content-type"), "")


def _left_out(delivery: Delivery) -> dict[str, str | None]:
    """The headers that the delivery's step left out."""
    return {name: None for name, written in delivery.own_headers.items() if written is None}


def _wire(delivery: Delivery, notes: list[str], *, own: bool) -> Wire | None:
    """How the delivery was spelled on the wire; None for the usual way."""
    if delivery.wire is None:
        return None
    from retailops_sandbox.composing.wire import unfilled

    if any(place.part.startswith("/wire/") for place in redaction.listing.of(delivery)):
        notes.append("its path or header lines hold a secret that was struck out: write it anew")
    return delivery.wire if own else unfilled(delivery.wire)


def _settled(template: Json, sent: Json) -> Json:
    """The payload's template, in which sent values replace the placeholders that a scenario cannot fill."""
    if isinstance(template, dict):
        beside = sent if isinstance(sent, dict) else {}
        return {key: _settled(child, beside.get(key)) for key, child in template.items()}
    if isinstance(template, list):
        items = sent if isinstance(sent, list) and len(sent) == len(template) else [None] * len(template)
        return [_settled(child, item) for child, item in zip(template, items, strict=True)]
    if isinstance(template, str) and not all(map(_is_always_known, composing.references(template))):
        return composing.escaped(sent)
    return template


def _is_always_known(name: str) -> bool:
    return name in composing.BUILT_IN or name.startswith(("env:", "text:"))


def _without_token(
    payload: Json, sent: Json, delivery: Delivery, contract: Contract, notes: list[str]
) -> tuple[Json, list[str], dict[str, Json]]:
    """The payload without the token, which *build* puts in, and the step's `remove` and `set`.

    A step removes or sets the token only where it tests that: a wrong, an empty or a missing token.
    """
    if contract.auth is None or not contract.auth.pointer:
        return payload, [], {}
    at = contract.auth.pointer
    refused = _is_refused(delivery, contract.auth)
    value = pointer.get(payload, at, UNSET)
    if value is UNSET:
        was_missing = pointer.get(sent, at, UNSET) is UNSET
        return payload, [at] if was_missing and refused else [], {}
    rest = jsontext.parse(jsontext.compact(payload))
    pointer.remove_at(rest, at)
    if not isinstance(value, Mark):
        return rest, [], {at: value}
    # Redaction names a token by its place in the payload, unless it is the receiver's configured token.
    if refused and not _has_wrong_proof(delivery) and value.name == pointer.parse(at)[-1]:
        notes.append(f"its token was refused, and is not kept: {WRONG_TOKEN!r} stands for it")
        return rest, [], {at: WRONG_TOKEN}
    return rest, [], {}


def _has_wrong_proof(delivery: Delivery) -> bool:
    """Whether the step made the receiver's own token or signature wrong, and does so again."""
    return delivery.wire is not None and delivery.wire.proof is not None


def _is_refused(delivery: Delivery, agreed: Auth) -> bool:
    """Whether the answer refused the request's proof of its sender."""
    return delivery.response is not None and delivery.response.status == agreed.status


def _proof(delivery: Delivery, contract: Contract, notes: list[str]) -> dict[str, str | None]:
    """The step's own header in the place of the one that *build* makes, where the delivery tests that.

    It was refused, and was wrong or missing.
    """
    agreed = contract.auth
    headers = delivery.request.headers
    if agreed is None or not agreed.header or not headers or not _is_refused(delivery, agreed):
        return {}
    position = next((at for at, (name, _) in enumerate(headers) if name.lower() == agreed.header.lower()), -1)
    value = headers[position][1] if position >= 0 else None
    if not value:
        return {agreed.header: value}
    struck_out = redaction.listing.in_part(delivery, f"/request/headers/{position}/1")
    # Redaction names a token by its header, unless the receiver's token is in it, or was signed with.
    by_place = redaction.secret_header(headers[position][0], redaction.proofs(contract))
    if all(place.name != by_place for place in struck_out):
        return {}
    notes.append(f"its {agreed.header} was refused, and is not kept: {WRONG_TOKEN!r} stands for it")
    return {agreed.header: wrong_proof(agreed)}


def wrong_proof(agreed: Auth) -> str:
    """The value of a header that proves a sender wrongly: the log does not keep the real one."""
    return agreed.before_secret + WRONG_TOKEN


# --- as a fixture and what differs from it ------------------------------------------------------------------


class _Change(NamedTuple):
    kind: Literal["remove", "set"]
    pointer: str
    value: Json = None


def _by_fixture(payload: Json, delivery: Delivery, fixture: FixtureSource) -> dict[str, Any] | None:
    """The delivery's fixture and a few changes; None where they would be many, or without a fixture."""
    name = delivery.fixture.removesuffix(EDITED)
    base = fixture(delivery.action, delivery.edition, name) if name else UNSET
    if base is UNSET:
        return None
    changes = list(_changes(base, payload, ""))
    if len(changes) > _FEW:
        return None
    remove = [change.pointer for change in changes if change.kind == "remove"]
    values = {change.pointer: change.value for change in changes if change.kind == "set"}
    step = Step(fixture=name, remove=remove, set=values)
    try:
        again = composing.compose(
            step, composing.Template(base, False), composing.Names(), placeholders=False
        )
    except ComposeError:
        return None
    # Compared as bytes: the order of keys counts, and the spelling of numbers.
    if jsontext.compact(again.template) != jsontext.compact(payload):
        return None
    return {"fixture": name, "remove": remove, "set": values}


def _changes(old: Json, new: Json, at: str) -> Iterator[_Change]:
    """The changes that turn one document into another."""
    if jsontext.compact(old) == jsontext.compact(new):
        return
    if isinstance(old, dict) and isinstance(new, dict):
        for key in old:
            if key not in new:
                yield _Change("remove", f"{at}/{pointer.escape(key)}")
        for key, value in new.items():
            path = f"{at}/{pointer.escape(key)}"
            if key in old:
                yield from _changes(old[key], value, path)
            else:
                yield _Change("set", path, value)
    elif isinstance(old, list) and isinstance(new, list) and len(old) == len(new):
        for position, (one, other) in enumerate(zip(old, new, strict=True)):
            yield from _changes(one, other, f"{at}/{position}")
    else:
        yield _Change("set", at, new)


# --- what came back ----------------------------------------------------------------------------------------


def _answer(delivery: Delivery) -> Any:
    response = delivery.response
    if response is None or delivery.fault is not None or json_of(response) is UNSET:
        return UNSET
    try:
        return redaction.listing.answered(delivery)
    except SourceError:
        return UNSET  # it has more values than are judged


def _expectation(
    delivery: Delivery, judgement: Judgement | None, contract: Contract, answer: Any, notes: list[str]
) -> Expectation | None:
    """The expectation that the delivery passes; None where nothing can be expected."""
    if delivery.fault is not None:
        if delivery.fault.kind == "cancelled":
            if delivery.dropped:
                return Expectation(fault="cancelled")  # its step hangs up each time
            notes.append("it was cancelled, so nothing is expected")
            return None
        return Expectation(fault=delivery.fault.kind)
    if delivery.response is None:
        return None
    if answer is UNSET and delivery.response.body:
        notes.append("its answer is not JSON: only the status is expected")
    tries = [redaction.without_marks(Expectation(status=delivery.response.status, body=answer))]
    before = redaction.listing.expectation(judgement)
    is_own = judgement is not None and not judgement.expected_by
    if before is not None and is_own and answer is not UNSET:
        # The rules of the delivery's own expectation are kept if its answer passes with them. Those of its
        # fixture, and those about the items of an array, are about any answer, and would leave out what this
        # one said.
        rules = {**tries[0].rules, **without_quantifiers(before.rules)}
        tries.insert(0, msgspec.structs.replace(tries[0], rules=rules))
    judge, came = Judge(contract), redaction.listing.answer(delivery)
    for expected in (*tries, *(msgspec.structs.replace(each, contract=False) for each in tries)):
        judged = judge(came, expected, at="")
        if judged.verdict == "passed":
            break
    if not expected.contract:
        broken = first_violation(judged.violations)
        notes.append(
            f'its answer breaks the contract ({broken}), which the step lets pass ("contract": false)'
        )
    return redaction.expected_again(expected)


def first_violation(violations: Sequence[Violation]) -> str:
    """The first violation, and how many more there are; empty where there is none."""
    if not violations:
        return ""
    more = f" (and {len(violations) - 1} more)" if len(violations) > 1 else ""
    return f"{violations[0].pointer or WHOLE} {violations[0].message}{more}"
