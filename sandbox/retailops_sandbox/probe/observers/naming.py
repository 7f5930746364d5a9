"""Answers that name another order than the one that was asked about."""

from __future__ import annotations

import re
from collections.abc import Iterator

from retailops_sandbox.contracts.contract import Contract
from retailops_sandbox.jsontext import pointer
from retailops_sandbox.probe.observers.reading import Reading
from retailops_sandbox.probe.report import Observation

_SHORTEST = 6
"""The fewest characters of an order id by which an answer is searched: shorter ones stand there by chance."""
_MOST_ORDERS = 20_000
"""The number of orders that are remembered."""
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
        members = [pointer.parse(path)[-1] for path in subject.request] if subject else []
        self._endings = {words[-1] for words in map(_words, members) if words} - {"id"}
        """The last words of the members that are references of the receiver's own, such as `refnum`."""
        self._constant: dict[tuple[str, str], tuple[str, Observation]] = {}
        """The order and the observation by which an identifier was first named that nobody sent."""

    def asked(self, order: str) -> None:
        """Remember an order that a request is about."""
        if len(order) >= _SHORTEST and order not in self._asked:
            if len(self._asked) == _MOST_ORDERS:
                del self._asked[next(iter(self._asked))]
            self._asked[order] = None

    def observe(self, reading: Reading) -> Iterator[Observation]:
        """How an answer names an order that its request did not."""
        if not reading.names_its_order or reading.is_elsewhere or not reading.is_2xx:
            return
        sent = reading.delivery.request.body
        other = next((each for each in self._named(reading) if each not in sent), None)
        if other is not None:
            detail = f"asked about {reading.trial.order}, named {other}"
            yield reading.shows("mixed-up", detail, print="mixed-up")
            return
        for event in reading.events:
            for type, identifier in reading.shape.associations_of(event):
                if identifier and identifier not in sent and self._is_subject(type):
                    yield from self._foreign(reading, type, identifier)
                    return

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
        detail = f"asked about {reading.trial.order}, named {type} {identifier[:80]}"
        shown = reading.shows("foreign-association", detail, area="answers", print=type)
        if _words(type)[-1] in self._endings:
            yield shown
            return
        # An id may be the receiver's own, which nobody sent; but not the same one for two orders.
        first = self._constant.get((type, identifier))
        if first is None:
            if len(self._constant) < _MOST_CONSTANT:
                self._constant[type, identifier] = (reading.trial.order, shown)
        elif first[0] != reading.trial.order:
            yield shown


def _words(name: str) -> tuple[str, ...]:
    return tuple(word.lower() for word in _WORD.findall(name))
