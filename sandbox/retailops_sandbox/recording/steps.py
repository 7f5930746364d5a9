"""One delivery to one step: what it sent, and what came back as what is expected."""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterator
from typing import Any, Literal, NamedTuple

import msgspec
from msgspec import UNSET

from retailops_sandbox import composing, jsontext, redaction
from retailops_sandbox.comparing import Judge
from retailops_sandbox.contracts.contract import Contract
from retailops_sandbox.errors import ComposeError, SourceError
from retailops_sandbox.jsontext import pointer
from retailops_sandbox.jsontext.pointer import PointerError
from retailops_sandbox.model import Deliver, Delivery, Expectation, Json, Judgement, Step

FixtureSource = Callable[[str, str, str], Any]
"""Action, edition and name to the fixture's payload; UNSET where there is none."""

EDITED = " (edited)"
"""What follows the name of a fixture that was changed before it was sent."""
WRONG_TOKEN = "not the token"
"""What a step sends where a token was refused: the real one is not known, and must not be."""

_FEW = 8
"""Changes up to which a payload is told as a fixture and what differs from it."""
_LEVELS = 4
"""How much deeper a value may stand in a scenario's file than on the wire."""
_JSON_TYPE = "application/json"
_MADE_BY_A_SEND = ("uuid", "now", "sequence")


class Taken(NamedTuple):
    """What a delivery is as a step, whose name is still to be made unique."""

    step: Step
    answer: Any
    """The body that came back; UNSET where it is not JSON."""
    notes: tuple[str, ...]


def of(delivery: Delivery, judgement: Judgement | None, contract: Contract, fixture: FixtureSource) -> Taken:
    """The step that sends what the delivery sent, and expects what came."""
    notes: list[str] = []
    fields = _payload(delivery, judgement, contract, fixture, notes) or _raw(delivery, notes)
    content_type = _content_type(delivery)
    if content_type and content_type != _JSON_TYPE:
        fields["deliver"] = Deliver(content_type=content_type)
    answer = _answer(delivery)
    fields["expect"] = _expectation(delivery, judgement, contract, answer)
    if fields["expect"] is None:
        notes.append("it was cancelled, so nothing is expected")
    elif not fields["expect"].contract:
        notes.append('its answer breaks the contract, and is expected all the same ("contract": false)')
    return Taken(Step(name=_name(delivery), **fields), answer, tuple(notes))


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


# --- what was sent ---------------------------------------------------------------------------------------


def _payload(
    delivery: Delivery,
    judgement: Judgement | None,
    contract: Contract,
    fixture: FixtureSource,
    notes: list[str],
) -> dict[str, Any] | None:
    """The fields of a step that sends a JSON object; None where the body is no such thing."""
    sent = UNSET if delivery.request.base64 else parsed(delivery.request.body)
    if not isinstance(sent, dict):
        return None
    template = parsed(delivery.composed) if delivery.composed else UNSET
    payload = composing.escaped(sent) if template is UNSET else _settled(template, sent)
    payload, remove, changes = _without_token(payload, sent, delivery, contract, notes)
    fields = _by_fixture(payload, delivery, fixture) or {"payload": payload, "remove": [], "set": {}}
    fields["remove"] += remove
    fields["set"] |= changes
    violations = contract.check_request(sent) if judgement is None else judgement.payload_violations
    fields["off_contract"] = delivery.off_contract or bool(violations)
    return fields


def _raw(delivery: Delivery, notes: list[str]) -> dict[str, Any]:
    """The fields of a step that sends bytes as they are."""
    body = delivery.request.body
    if redaction.holds_mark(body):
        notes.append("its bytes hold a secret that was struck out of the log: write it anew")
    if delivery.request.base64:
        return {"raw": f"base64:{body}"}
    if body.startswith("base64:"):
        return {"raw": f"base64:{base64.b64encode(body.encode()).decode()}"}
    return {"raw": body}


def _content_type(delivery: Delivery) -> str:
    return next((value for name, value in delivery.request.headers if name.lower() == "content-type"), "")


def _settled(template: Json, sent: Json) -> Json:
    """A payload before its placeholders were filled, those that a scenario cannot fill by what was sent."""
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
    return name in _MADE_BY_A_SEND or name.startswith("env:")


def _without_token(
    payload: Json, sent: Json, delivery: Delivery, contract: Contract, notes: list[str]
) -> tuple[Json, list[str], dict[str, Json]]:
    """The payload without the token, which *build* puts in; and what is to be removed or set instead.

    A step says something of the token only where that is what it tested: a wrong, an empty, a missing one.
    """
    if contract.auth is None:
        return payload, [], {}
    at = contract.auth.pointer
    refused = delivery.response is not None and delivery.response.status == contract.auth.status
    value = _at(payload, at)
    if value is UNSET:
        was_missing = _at(sent, at) is UNSET
        return payload, [at] if was_missing and refused else [], {}
    rest = jsontext.parse(jsontext.compact(payload))
    pointer.remove_at(rest, at)
    mark = redaction.MARK.fullmatch(value) if isinstance(value, str) else None
    if mark is None:
        return rest, [], {at: value}
    # A receiver's own token is known by another name than that of its place.
    if refused and mark[1] == pointer.parse(at)[-1]:
        notes.append(f"its token was refused, and is not in the log: {WRONG_TOKEN!r} stands for it")
        return rest, [], {at: WRONG_TOKEN}
    return rest, [], {}


def _at(document: Json, path: str) -> Any:
    try:
        return pointer.resolve(document, path)
    except PointerError:
        return UNSET


# --- as a fixture and what differs from it ------------------------------------------------------------------


class _Change(NamedTuple):
    kind: Literal["remove", "set"]
    pointer: str
    value: Json = None


def _by_fixture(payload: Json, delivery: Delivery, fixture: FixtureSource) -> dict[str, Any] | None:
    """The payload as the fixture that the delivery names and few changes; None where that says it worse."""
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
    # To the byte: the order of keys counts, and the spelling of numbers.
    if jsontext.compact(again.template) != jsontext.compact(payload):
        return None
    return {"fixture": name, "remove": remove, "set": values}


def _changes(old: Json, new: Json, at: str) -> Iterator[_Change]:
    """What makes one document the other."""
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
    if response is None or response.base64 or delivery.fault is not None:
        return UNSET
    return parsed(response.body)


def _expectation(
    delivery: Delivery, judgement: Judgement | None, contract: Contract, answer: Any
) -> Expectation | None:
    """What the delivery passes by; None where there is nothing to be expected."""
    if delivery.fault is not None:
        return None if delivery.fault.kind == "cancelled" else Expectation(fault=delivery.fault.kind)
    if delivery.response is None:
        return None
    plain = Expectation(status=delivery.response.status, body=answer)
    tries = [plain]
    if judgement is not None and judgement.expectation is not None and answer is not UNSET:
        # Rules that somebody wrote hold for the answer to come as well, if this one keeps them.
        tries.insert(0, msgspec.structs.replace(plain, rules=judgement.expectation.rules))
    judge = Judge(contract)
    chosen = next((each for each in tries if judge(delivery, each, at="").verdict == "passed"), None)
    if chosen is None:
        chosen = msgspec.structs.replace(plain, contract=False)
    return msgspec.structs.replace(
        chosen,
        body=chosen.body if chosen.body is UNSET else composing.escaped(chosen.body),
        rules={path: composing.escaped(rule) for path, rule in chosen.rules.items()},
    )
