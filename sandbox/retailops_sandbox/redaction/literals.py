"""What came from an answer or the log, spelled for a step: as a literal, and without a mark as a value.

Nothing of it is filled when the step is composed. Where something was struck out, the rule `any` decides.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec
from msgspec import UNSET

from retailops_sandbox import composing
from retailops_sandbox.comparing.matchers import MATCHERS
from retailops_sandbox.jsontext import holds_mark, pointer
from retailops_sandbox.model import Expectation, Json, Mark


def as_literal(value: Json) -> Json:
    """The value, spelled so that composing leaves it as it is; a mark in it is ordinary text."""
    if isinstance(value, dict):
        return {name: as_literal(child) for name, child in value.items()}
    if isinstance(value, list):
        return [as_literal(item) for item in value]
    return composing.escaped(str(value)) if isinstance(value, str) else value


def expected_again(expectation: Expectation) -> Expectation:
    """An expectation of the log or made of an answer, as a step spells it."""
    plain = without_marks(expectation)
    return msgspec.structs.replace(
        plain,
        body=plain.body if plain.body is UNSET else composing.escaped(plain.body),
        rules={path: composing.escaped(rule) for path, rule in plain.rules.items()},
        headers={name: composing.escaped(rule) for name, rule in plain.headers.items()},
    )


def without_marks(expectation: Expectation) -> Expectation:
    """An expectation in which the rule `any` decides at each struck-out place, and null is expected."""
    body, rules, headers = expectation.body, expectation.rules, expectation.headers
    if body is not UNSET and holds_mark(body):
        own = {path: "any" for path in marked(body) if path not in rules}
        body, rules = without_values(body), {**rules, **own}
    if any(map(holds_mark, (*rules.values(), *headers.values()))):
        rules, headers = _decided(rules), _decided(headers)
    return msgspec.structs.replace(expectation, body=body, rules=rules, headers=headers)


def _decided(rules: dict[str, Any]) -> dict[str, Any]:
    return {path: "any" if holds_mark(rule) else rule for path, rule in rules.items()}


def marked(value: Json, at: str = "") -> Iterator[str]:
    """The pointers of the marks in a value."""
    if isinstance(value, Mark):
        yield at
    elif isinstance(value, dict):
        for name, child in value.items():
            yield from marked(child, f"{at}/{pointer.escape(name)}")
    elif isinstance(value, list):
        for position, child in enumerate(value):
            yield from marked(child, f"{at}/{position}")


def without_values(value: Json) -> Json:
    """A value with null for each mark in it, at whose place a rule decides."""
    if isinstance(value, dict):
        return {name: without_values(member) for name, member in value.items()}
    if isinstance(value, list):
        return [without_values(item) for item in value]
    return None if isinstance(value, Mark) else value


def expected_header(value: str) -> Json:
    """What is expected of a header that came with this value: a text that names a matcher needs a rule."""
    if isinstance(value, Mark):
        return "any"
    return {"one_of": [value]} if value in MATCHERS else value
