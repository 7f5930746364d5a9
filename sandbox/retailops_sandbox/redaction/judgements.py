"""Judgements as they may be kept and shown: made of what was really answered, then redacted as a whole."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import msgspec
from msgspec import UNSET

from retailops_sandbox.comparing import NOT_JSON
from retailops_sandbox.comparing.matchers import MATCHERS
from retailops_sandbox.jsontext import holds_mark, pointer
from retailops_sandbox.model import (
    Delivery,
    Difference,
    Expectation,
    Json,
    Judgement,
    Mark,
    SourceCheck,
    Violation,
)
from retailops_sandbox.redaction import listing, marks
from retailops_sandbox.redaction.credentials import secret_header
from retailops_sandbox.redaction.secrets import Secrets, json_type


def judgement(
    found: Judgement, kept: Delivery, secrets: Secrets, secret_pointers: tuple[str, ...] = ()
) -> Judgement:
    """A judgement as it may be kept. `kept` is its delivery as it is kept."""
    expected = found.expectation
    if (
        not secrets
        and not kept.struck_out
        and kept.struck_out is not None
        and not _has_credentials(expected, secrets)
    ):
        return msgspec.structs.replace(found, struck_out=())
    expected = None if expected is None else expectation(expected, secrets, secret_pointers)
    if expected is found.expectation and not _says_more(found):
        return msgspec.structs.replace(found, struck_out=tuple(_listed(expected, ())))
    of_answer = [each.pointer for each in listing.in_part(kept, "/response/body") if each.pointer is not None]
    differences = [
        _difference(each, secrets, expected_at=secret_pointers, actual_at=of_answer)
        for each in found.differences
    ]
    return msgspec.structs.replace(
        found,
        reason=secrets.quoting(found.reason),
        payload_violations=violations(found.payload_violations, secrets),
        violations=violations(found.violations, secrets),
        differences=tuple(differences),
        notes=tuple(map(secrets.quoting, found.notes)),
        sources=tuple(
            SourceCheck(each.source, violations(each.violations, secrets)) for each in found.sources
        ),
        expectation=expected,
        struck_out=tuple(_listed(expected, differences)),
    )


def violations(found: Iterable[Violation], secrets: Secrets) -> tuple[Violation, ...]:
    """Violations as they may be kept: their pointers and messages redacted."""
    return tuple(
        msgspec.structs.replace(
            each,
            pointer=secrets.plain(each.pointer),
            message=secrets.quoting(each.message),
            hints=tuple(map(secrets.quoting, each.hints)),
        )
        for each in found
    )


def expectation(
    expected: Expectation, secrets: Secrets, secret_pointers: tuple[str, ...] = ()
) -> Expectation:
    """An expectation as it may be kept, with marks in the place of its secrets."""
    body = expected.body
    if body is not UNSET:
        body = secrets.json(_struck_at(body, "", secret_pointers, secrets))
    if body is expected.body and not expected.rules and not expected.headers:
        return expected
    return msgspec.structs.replace(
        expected,
        body=body,
        rules={secrets.plain(path): _rule(rule, secrets) for path, rule in expected.rules.items()},
        headers={name: _header(name, rule, secrets) for name, rule in expected.headers.items()},
    )


def _says_more(found: Judgement) -> bool:
    """Whether a judgement quotes anything of an answer or payload."""
    return bool(
        found.reason
        or found.payload_violations
        or found.violations
        or found.differences
        or found.notes
        or found.sources
    )


def _has_credentials(expected: Expectation | None, secrets: Secrets) -> bool:
    return expected is not None and any(secret_header(name, secrets.proofs) for name in expected.headers)


def _listed(expected: Expectation | None, differences: Sequence[Difference]) -> Iterable[Any]:
    if expected is not None:
        for field in ("body", "rules", "headers"):
            value = getattr(expected, field)
            if value and holds_mark(value):
                yield from listing.listed(value, f"/expectation/{field}")
    for number, each in enumerate(differences):
        for field in ("expected", "actual", "rule"):
            yield from listing.listed(getattr(each, field), f"/differences/{number}/{field}")


def _difference(
    found: Difference,
    secrets: Secrets,
    *,
    expected_at: Sequence[str],
    actual_at: Sequence[str],
) -> Difference:
    expected, actual = found.expected, found.actual
    if found.part == "headers":
        name = pointer.parse(found.expected_pointer or "/")[0]
        expected, actual = (_header(name, value, secrets) for value in (expected, actual))
    elif found.part == "body":
        expected = _value(expected, found.expected_pointer, expected_at, secrets)
        if found.hint != NOT_JSON:  # else it is an excerpt of the body as it is kept
            actual = _value(actual, found.actual_pointer, actual_at, secrets)
    return msgspec.structs.replace(
        found,
        expected=expected,
        actual=actual,
        rule=None if found.rule is None else _rule(found.rule, secrets),
        expected_pointer=found.expected_pointer and secrets.plain(found.expected_pointer),
        actual_pointer=found.actual_pointer and secrets.plain(found.actual_pointer),
        rule_path=secrets.plain(found.rule_path),
        within=secrets.plain(found.within),
        hint=secrets.quoting(found.hint),
    )


def _value(value: Any, at: str | None, places: Sequence[str], secrets: Secrets) -> Any:
    """A value at a pointer of a body, of which some places are struck out."""
    return value if value is UNSET else secrets.json(_struck_at(value, at or "", places, secrets))


def _struck_at(value: Json, at: str, places: Sequence[str], secrets: Secrets) -> Json:
    for place in places:
        if at == place or at.startswith(f"{place}/"):
            return _mark(value, place, secrets)
        if place.startswith(f"{at}/"):
            beneath = place[len(at) :]
            inner = pointer.get(value, beneath, None)
            if inner is not None and inner != "":
                value = pointer.set_at(pointer.copied(value), beneath, _mark(inner, place, secrets))
    return value


def _mark(value: Json, place: str, secrets: Secrets) -> Json:
    """The mark of a value that is secret because of its place; null, "" and marks stay."""
    if value is None or value == "" or isinstance(value, Mark):
        return value
    name = secrets.name_at(value if isinstance(value, str) else "", pointer.parse(place)[-1])
    return Mark(marks.mark(name), name, json_type(value))


def _rule(rule: Any, secrets: Secrets) -> Any:
    return rule if isinstance(rule, str) else secrets.json(rule)


def _header(name: str, value: Any, secrets: Secrets) -> Any:
    """The value that is expected or came for a header, or the rule for it."""
    if not isinstance(value, str):
        return value if value is UNSET else secrets.json(value)
    if value in MATCHERS or isinstance(value, Mark):
        return value
    ((_, text),), found = secrets.struck_headers(((name, value),))
    return Mark(text, found[0][2].name, "string") if found else value
