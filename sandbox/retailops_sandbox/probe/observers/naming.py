"""Answers that name another order than the one that was asked about."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator

from retailops_sandbox.contracts.contract import Contract
from retailops_sandbox.jsontext import pointer
from retailops_sandbox.probe.observers.reading import Reading, values_at
from retailops_sandbox.probe.report import Observation

_SHORTEST = 6
"""The fewest characters of an order id by which an answer is searched: shorter ones stand there by chance."""
_MOST_ORDERS = 20_000
"""The number of orders that are remembered."""
_LONG, _EXACT = 16, 14
"""The digits of a number that a binary float cannot hold, and those of them that it holds."""
_AS_IT_IS = "fixture"
"""What a request tries that is a fixture as it is."""
_MOST_CONSTANT = 200
"""The number of identifiers of associations that are remembered."""
_WORD = re.compile(r"[A-Za-z]+")
_TOKEN = re.compile(r"[\w-]+")


class Naming:
    """Knows which orders were asked about, and finds answers that name others."""

    def __init__(self, contract: Contract) -> None:
        self._asked: dict[str, None] = {}
        subject = contract.subject
        self._kind = _words(subject.kind) if subject else ()
        self._places = places = subject.request if subject else ()
        named = {path: _words(pointer.parse(path)[-1]) for path in places}
        self._references = {words[-1]: path for path, words in named.items() if words and words[-1] != "id"}
        """The places of references of the receiver's own, by the last word of their names: `refnum`."""
        self._constant: dict[tuple[str, str], str] = {}
        """What was asked about when an identifier was first named that nobody sent."""

    def asked(self, order: str) -> None:
        """Remember an order that a request is about."""
        if len(order) >= _SHORTEST and order not in self._asked:
            if len(self._asked) == _MOST_ORDERS:
                del self._asked[next(iter(self._asked))]
            self._asked[order] = None

    def observe(self, reading: Reading) -> Iterator[Observation]:
        """How an answer names an order that its request did not."""
        if reading.is_elsewhere or not reading.is_2xx:
            return
        if reading.names_its_order and not self._is_mutated(reading.trial.field):
            other = next((each for each in self._named(reading) if each not in reading.said), None)
            if other is not None:
                detail = f"asked about {reading.trial.order}, named {other}"
                yield reading.shows("mixed-up", detail, print="mixed-up")
                return
        elif reading.trial.demand != "accept" and reading.trial.what != _AS_IT_IS:
            return
        for event in reading.events:
            for type, identifier in reading.shape.associations_of(event):
                if identifier not in reading.said and self._is_subject(type):
                    yield from self._foreign(reading, type, identifier)
                    return

    def _is_mutated(self, field: str) -> bool:
        """Whether a mutated field is one of the ids, by which an order may be found under another name."""
        plain = "/".join("*" if token.isdecimal() else token for token in field.split("/"))
        return plain in self._places

    def _named(self, reading: Reading) -> Iterator[str]:
        """The orders that an answer names, of those that were asked about."""
        for text in reading.texts:
            for token in _TOKEN.findall(text):
                if token in self._asked:
                    yield token

    def _is_subject(self, type: str) -> bool:
        """Whether a type of identifiers is one of what the contract's payloads are about."""
        words = _words(type)
        return (
            bool(self._kind) and words[: len(self._kind)] == self._kind and len(words) <= len(self._kind) + 1
        )

    def _foreign(self, reading: Reading, type: str, identifier: str) -> Iterator[Observation]:
        asked = reading.trial.order or " and ".join(map(str, reading.subjects))
        detail = f"asked about {asked[:80]}, named {type} {identifier[:80] or 'without an id'}"
        shown = reading.shows("foreign-association", detail, area="answers", print=type)
        place = self._references.get(_words(type)[-1])
        is_sure = place is not None and bool(values_at(reading.sent, place))
        if is_sure or not identifier or _is_rounded(identifier, reading.said):
            yield shown
            return
        # An id may be the receiver's own, which nobody sent; but not the same one for two orders.
        first = self._constant.get((type, identifier))
        if first is None:
            if len(self._constant) < _MOST_CONSTANT:
                self._constant[type, identifier] = asked
        elif first != asked:
            yield shown


def _is_rounded(identifier: str, said: Collection[str]) -> bool:
    """Whether a number is one that was sent, with other digits at its end, as a binary float has it."""
    if not identifier.isdecimal() or len(identifier) < _LONG:
        return False
    return any(len(each) == len(identifier) and each[:_EXACT] == identifier[:_EXACT] for each in said)


def _words(name: str) -> tuple[str, ...]:
    return tuple(word.lower() for word in _WORD.findall(name))
