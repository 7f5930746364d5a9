"""What the pytest fixture `retailops` gives."""

from __future__ import annotations

import asyncio
import base64
import math
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any, TypedDict, Unpack

import pytest

from retailops_sandbox import jsontext
from retailops_sandbox.engine import Event, ScenarioResult
from retailops_sandbox.errors import SandboxError, UsageError
from retailops_sandbox.jsontext import pointer
from retailops_sandbox.model import Json, Number
from retailops_sandbox.pytest_plugin.answers import Result
from retailops_sandbox.pytest_plugin.session import Session, sending
from retailops_sandbox.scenarios import scenario

_SENDER = pytest.StashKey["RetailOPS"]()
_STEP = "/steps/0"


class Fields(TypedDict, total=False):
    """What a send can say: the fields of a scenario file and of its step."""

    action: str
    edition: str | None
    """`--retailops-edition` unless told."""
    variables: Mapping[str, Any]
    payload: Any
    raw: str | bytes
    remove: Sequence[str]
    set: Mapping[str, Any]
    headers: Mapping[str, str]
    """As in `deliver`."""
    deliver: Mapping[str, Any]
    expect: Mapping[str, Any] | Sequence[Mapping[str, Any]] | None
    off_contract: bool


class RetailOPS:
    """Sends what RetailOPS would send, to the receiver under test."""

    def __init__(self, session: Session, test: str) -> None:
        self._session = session
        self._test = test
        self.sent: list[Result] = []
        """What came of each send, in order."""

    def __repr__(self) -> str:
        return f"<RetailOPS to {self._session.receiver.name}>"

    def send(self, fixture: str | None = None, **fields: Unpack[Fields]) -> Result:
        """Send a fixture, or a payload or raw bytes, and compare the answer with what is expected.

        Waits for the end. Raises SandboxError for what cannot be sent as it is written here; whatever the
        receiver does is in the result.
        """
        __tracebackhide__ = True
        plan = self._plan(fixture, fields)
        try:
            return self._result(self._session.execute(plan))
        except SandboxError as error:
            raise error.with_traceback(None) from None  # it is the test's line that matters

    async def send_async(self, fixture: str | None = None, **fields: Unpack[Fields]) -> Result:
        """`send` for a receiver that lives in the test's own asyncio loop, which goes on meanwhile."""
        __tracebackhide__ = True
        plan = self._plan(fixture, fields)
        try:
            return self._result(await asyncio.wrap_future(self._session.start(plan)))
        except SandboxError as error:
            raise error.with_traceback(None) from None

    def _plan(self, fixture: str | None, fields: Fields) -> scenario.Plan:
        """The scenario of one step that says this, checked as a file is."""
        __tracebackhide__ = True
        step: dict[str, Any] = {"name": self._test, "fixture": fixture, **dict(fields)}
        whole = {name: step.pop(name, None) for name in ("action", "edition", "variables")}
        whole["edition"] = whole["edition"] or self._session.edition
        if (headers := step.pop("headers", None)) is not None:
            step["deliver"] = {**step.get("deliver", {}), "headers": headers}
        if isinstance(raw := step.get("raw"), bytes):
            step["raw"] = f"base64:{base64.b64encode(raw).decode()}"
        said = {name: value for name, value in step.items() if value is not None or name == "payload"}
        document = {
            "name": fixture or "send",
            **{name: value for name, value in whole.items() if value is not None},
            "steps": [said],
        }
        try:
            return scenario.read(jsontext.compact(_json(document, "")).decode(), id="", file="")
        except SandboxError as error:
            place = None if error.pointer is None else error.pointer.removeprefix(_STEP)
            raise UsageError(error.what, mend=error.mend, pointer=place) from None

    def _result(self, events: list[Event]) -> Result:
        __tracebackhide__ = True
        (step,) = next(event.steps for event in events if isinstance(event, ScenarioResult))
        if step.unreadable:
            raise UsageError(step.reason)
        result = Result(events)
        self.sent.append(result)
        return result


def for_test(test: pytest.Item) -> RetailOPS:
    """The sender of a test, which begins now."""
    session = sending(test)
    session.prepare(test)
    test.stash[_SENDER] = sender = RetailOPS(session, test.nodeid)
    return sender


def sender_of(test: pytest.Item) -> RetailOPS | None:
    """The sender that a test was given, if it was."""
    return test.stash.get(_SENDER, None)


def _json(value: Any, at: str) -> Json:
    """A value of Python's as JSON; a Decimal keeps its spelling. UsageError for what JSON has not."""
    if value is None or isinstance(value, bool | int | str | Number):
        return value
    if isinstance(value, float | Decimal) and math.isfinite(value):
        return Number(str(value))
    if isinstance(value, Mapping) and all(isinstance(key, str) for key in value):
        return {key: _json(child, f"{at}/{pointer.escape(key)}") for key, child in value.items()}
    if isinstance(value, list | tuple):
        return [_json(child, f"{at}/{position}") for position, child in enumerate(value)]
    raise UsageError(f"{value!r} is not JSON", pointer=at, mend="give text, numbers, lists or dicts")
