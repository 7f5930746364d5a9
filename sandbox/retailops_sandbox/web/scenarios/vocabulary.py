"""The words that a scenario's file knows for each of its places, for the editor to offer."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import msgspec

from retailops_sandbox import jsontext
from retailops_sandbox.contracts.catalogue import Contracts
from retailops_sandbox.contracts.contract import Contract
from retailops_sandbox.web.shell.expectation_vocabulary import expectation_vocabulary
from retailops_sandbox.web.shell.vocabulary import Word, vocabulary
from retailops_sandbox.workspace import schemas

_STEP = "/steps/*"
_OBJECTS = {
    "/variables",
    f"{_STEP}/set",
    f"{_STEP}/capture",
    f"{_STEP}/deliver",
    f"{_STEP}/deliver/headers",
    f"{_STEP}/deliver/wire",
    f"{_STEP}/repeat_while",
}
"""The places of objects, which a file that names them has."""


def scenario_vocabulary(
    of_steps: Sequence[Contract], contracts: Contracts, fixtures: Sequence[str]
) -> list[Word]:
    """The words of a scenario whose steps are of some contracts, which have these fixtures.

    The words of outer objects come first. What several contracts have at a place is that of the first.
    """
    definitions = schemas.scenario(contracts)["definitions"]
    words = [
        *_fields("", definitions["Scenario"]),
        *(_with_fixtures(each, fixtures) for each in _fields(_STEP, definitions["Step"])),
        *_fields(f"{_STEP}/deliver", definitions["Deliver"]),
        *_fields(f"{_STEP}/deliver/wire", definitions["Wire"]),
        *_fields(f"{_STEP}/repeat_while", definitions["Repetition"]),
    ]
    for agreed in of_steps:
        expectation = expectation_vocabulary(agreed)
        words += _beneath(f"{_STEP}/expect", expectation)
        words += _beneath(f"{_STEP}/expect/*", expectation)
        words += vocabulary(agreed.request_schema, f"{_STEP}/payload")
    first: dict[tuple[str, str], Word] = {}
    for word in words:
        first.setdefault((word.at, word.key), word)
    return [*first.values()]


def _with_fixtures(word: Word, fixtures: Sequence[str]) -> Word:
    if word.key != "fixture":
        return word
    return msgspec.structs.replace(
        word, values=tuple(jsontext.compact(each).decode() for each in sorted(set(fixtures)))
    )


def _fields(at: str, schema: Mapping[str, Any]) -> Iterator[Word]:
    required = schema.get("required", ())
    for name, field in schema["properties"].items():
        options = [field, *field.get("anyOf", ()), *field.get("allOf", ())]
        types = [str(each["type"]) for each in options if each.get("type", "null") != "null"]
        values = [value for each in options for value in each.get("enum", ())]
        if f"{at}/{name}" in _OBJECTS:
            values = [{}]
        elif types == ["boolean"]:
            values = [not field.get("default", False)]
        yield Word(
            at=at,
            key=name,
            types=" or ".join(dict.fromkeys(types)) or "anything",
            is_required=name in required,
            description=field.get("description", ""),
            values=tuple(jsontext.compact(each).decode() for each in values),
        )


def _beneath(at: str, words: Sequence[Word]) -> Iterator[Word]:
    return (msgspec.structs.replace(word, at=at + word.at) for word in words)
