"""Cases for an engine whose workspace is not under test."""

from __future__ import annotations

from retailops_sandbox.composing import Template
from retailops_sandbox.scenarios import scenario
from retailops_sandbox.scenarios.scenario import OwnExpectation


class OneCase:
    """A source of cases, in which every fixture has this text, and expects this if anything."""

    def __init__(self, payload: str, expectation: str = "") -> None:
        self._payload = payload
        self._expectation = expectation

    def payload(self, action: str, edition: str, name: str) -> Template:
        return Template.read(self._payload, file=f"{name}.json")

    def expectation(self, action: str, edition: str, name: str) -> OwnExpectation | None:
        file = f"{name}.expect.json"
        return (
            scenario.own_expectation(self._expectation, file=file, name=file) if self._expectation else None
        )
