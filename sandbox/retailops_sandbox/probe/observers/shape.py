"""What a contract says of its answers, as far as it can be judged beyond the schema."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import Any

from retailops_sandbox.contracts.contract import Contract, schema_at
from retailops_sandbox.jsontext import pointer
from retailops_sandbox.model import Json

SUCCESS_WORDS = frozenset({"success", "successful", "succeeded", "ok"})
FAILURE_WORDS = frozenset({"fail", "failed", "failure", "error"})
ERROR_WORDS = frozenset({"error", "fatal", "critical", "fail", "failed", "failure"})
WARNING_WORDS = frozenset({"warning", "warn"})
_MESSAGE = re.compile(r"(?:^|_)(?:message|msg)$")


class AnswerShape:
    """The members of a contract's answers, by what they mean."""

    def __init__(self, contract: Contract) -> None:
        self._contract = contract
        self.events = contract.events
        """Where the events lie; empty for a contract without."""

    def events_in(self, answer: Json) -> list[dict[str, Json]]:
        """The events that an answer tells."""
        found = pointer.get(answer, self.events, "") if self.events else ""
        return [each for each in found if isinstance(each, dict)] if isinstance(found, list) else []

    def outcome_of(self, answer: Json) -> str:
        """`success` or `failure`, where the answer says so in a member that the schema has for it."""
        for name in self._outcomes:
            said = answer.get(name) if isinstance(answer, dict) else None
            if isinstance(said, str):
                word = said.strip().lower()
                if word in SUCCESS_WORDS:
                    return "success"
                if word in FAILURE_WORDS:
                    return "failure"
        return ""

    @cached_property
    def _outcomes(self) -> tuple[str, ...]:
        """The members at the top of an answer whose values are those of a success and of a failure."""
        return tuple(
            name
            for name, part in self._contract.response_schema.get("properties", {}).items()
            if _has_words(part, SUCCESS_WORDS) and _has_words(part, FAILURE_WORDS)
        )

    @cached_property
    def _event(self) -> Mapping[str, Any]:
        """The schemas of an event's members."""
        if not self.events:
            return {}
        schema = schema_at(self._contract.response_schema, f"{self.events}/*")
        members: Mapping[str, Any] = schema.get("properties", {})
        return members

    @cached_property
    def codes(self) -> tuple[str, ...]:
        """The members of an event that are its codes."""
        start = f"{self.events}/*/"
        ends = [path.removeprefix(start) for path in self._contract.codes if path.startswith(start)]
        return tuple(pointer.parse(f"/{end}")[0] for end in ends if "/" not in end)

    @cached_property
    def messages(self) -> tuple[str, ...]:
        """The members of an event that say what happened, in words."""
        return tuple(
            name
            for name, part in self._event.items()
            if part.get("type") == "string" and name not in self.codes and _MESSAGE.search(name)
        )

    @cached_property
    def _severities(self) -> tuple[str, ...]:
        """The members of an event that say how serious it is."""
        others = {*self.codes, *self.messages}
        return tuple(
            name
            for name, part in self._event.items()
            if name not in others
            and part.get("type") == "string"
            and (_has_words(part, ERROR_WORDS) or _is_example(part, ERROR_WORDS))
        )

    def severity_of(self, event: Mapping[str, Json]) -> str:
        """How serious an event is by its own word, in lower case; empty where it does not say so."""
        said = (event.get(name) for name in self._severities)
        return next((each.strip().lower() for each in said if isinstance(each, str)), "")

    def is_error(self, event: Mapping[str, Json]) -> bool:
        """Whether an event tells of an error."""
        return self.severity_of(event) in ERROR_WORDS

    def is_warning(self, event: Mapping[str, Json]) -> bool:
        """Whether an event tells of a warning."""
        return self.severity_of(event) in WARNING_WORDS

    def words_of(self, event: Mapping[str, Json]) -> str:
        """What an event says in words and codes, in lower case."""
        said = (event.get(name) for name in (*self.messages, *self.codes, *self._severities))
        return " ".join(each for each in said if isinstance(each, str)).lower()

    def associations_of(self, event: dict[str, Json]) -> Iterator[tuple[str, str]]:
        """Type and identifier of what an event is about."""
        start = f"{self.events}/*/"
        for path, identity in self._contract.arrays.items():
            if not path.startswith(start) or len(identity) != 2:
                continue
            found = pointer.get(event, f"/{path.removeprefix(start)}", "")
            for each in found if isinstance(found, list) else ():
                kind, name = (each.get(member) for member in identity) if isinstance(each, dict) else ("", "")
                if isinstance(kind, str) and isinstance(name, (str, int)) and not isinstance(name, bool):
                    yield kind, str(name)

    def keeps_its_text(self, path: tuple[str, ...]) -> bool:
        """Whether the text at a place of an answer is a word of the contract or a code, not free text."""
        plain = pointer.join(tuple("*" if token.isdecimal() else token for token in path))
        return plain in self._fixed

    @cached_property
    def _fixed(self) -> frozenset[str]:
        start = f"{self.events}/*"
        of_events = (f"{start}/{pointer.escape(name)}" for name in self._severities)
        return frozenset(
            [*self._contract.codes, *of_events, *(f"/{pointer.escape(name)}" for name in self._outcomes)]
        )


def _has_words(part: Mapping[str, Any], words: frozenset[str]) -> bool:
    return any(isinstance(each, str) and each.lower() in words for each in part.get("enum", ()))


def _is_example(part: Mapping[str, Any], words: frozenset[str]) -> bool:
    return any(isinstance(each, str) and each.lower() in words for each in part.get("examples", ()))
