"""The sender that the pytest fixture `retailops` gives to a test."""

from __future__ import annotations

import asyncio
import base64
import sys
from collections.abc import Mapping, Sequence
from concurrent.futures import Future
from typing import TYPE_CHECKING, Any, TypedDict, Unpack

import pytest

from retailops_sandbox import jsontext
from retailops_sandbox.engine import Event, ScenarioResult
from retailops_sandbox.errors import SandboxError, UsageError
from retailops_sandbox.model import DEFAULT_ACTION
from retailops_sandbox.pytest_plugin.answers import Result
from retailops_sandbox.pytest_plugin.session import Session, sending
from retailops_sandbox.scenarios import scenario

if TYPE_CHECKING:
    from retailops_sandbox.pytest_plugin.probing import ProbeResult, Probing

_SENDER = pytest.StashKey["RetailOPS"]()
_STEP = "/steps/0"
_MAY_BE_NULL = ("payload", "expect")
"""The fields of a step in which None is a value: a payload of null, and nothing that is expected."""


class Fields(TypedDict, total=False):
    """The keyword arguments of a send: fields of a scenario file and of its step."""

    action: str
    edition: str | None
    """By default that of `--retailops-edition`, else one that the receiver speaks."""
    variables: Mapping[str, Any]
    payload: Any
    raw: str | bytes
    remove: Sequence[str]
    set: Mapping[str, Any]
    headers: Mapping[str, str | None]
    """The request headers that `deliver` has in a scenario file; None leaves one out."""
    deliver: Mapping[str, Any]
    expect: Mapping[str, Any] | Sequence[Mapping[str, Any]] | None
    """None expects nothing; without it, a fixture's own expectation judges."""
    capture: Mapping[str, Any]
    """Its values are in the result's `captured`."""
    repeat_while: Mapping[str, Any]
    off_contract: bool


class RetailOPS:
    """Sends what RetailOPS would send, to the receiver under test."""

    def __init__(self, session: Session, test: str) -> None:
        self._session = session
        self._test = test
        self.sent: list[Result] = []
        """The result of each send, in order."""

    def __repr__(self) -> str:
        return f"<RetailOPS to {self._session.receiver.name}>"

    def send(self, fixture: str | None = None, **fields: Unpack[Fields]) -> Result:
        """Send a fixture, or a payload or raw bytes, and compare the answer with what is expected.

        Waits for the end. Raises SandboxError for arguments that cannot be sent; all that the receiver does
        is in the result.
        """
        __tracebackhide__ = True
        plan = self._plan(fixture, fields)
        try:
            return self._result(self._session.execute(plan))
        except SandboxError as error:
            raise error.with_traceback(None) from None  # it is the test's line that matters

    async def send_async(self, fixture: str | None = None, **fields: Unpack[Fields]) -> Result:
        """Send as `send` does, while the test's own loop goes on, so that a receiver in it can answer.

        The loop is asyncio's or trio's.
        """
        __tracebackhide__ = True
        plan = self._plan(fixture, fields)
        try:
            return self._result(await _ended(self._session.start(plan)))
        except SandboxError as error:
            raise error.with_traceback(None) from None

    def probe(self, fixture: str = "", **options: Unpack[Probing]) -> ProbeResult:
        """Find out what the receiver does with what it may be sent, beginning with a valid request.

        Waits for the end. Raises SandboxError for arguments that cannot be used; all that the receiver does
        is in the result.
        """
        __tracebackhide__ = True
        from retailops_sandbox.pytest_plugin import probing

        try:
            return probing.probe(self._session, fixture, options)
        except SandboxError as error:
            raise error.with_traceback(None) from None

    def _plan(self, fixture: str | None, fields: Fields) -> scenario.Plan:
        """The scenario of one step with these fields, checked like a scenario file."""
        __tracebackhide__ = True
        step: dict[str, Any] = {"name": self._test, "fixture": fixture, **dict(fields)}
        whole = {name: step.pop(name, None) for name in ("action", "edition", "variables")}
        whole["edition"] = whole["edition"] or self._session.edition_of(whole["action"] or DEFAULT_ACTION)
        if (headers := step.pop("headers", None)) is not None:
            step["deliver"] = {**step.get("deliver", {}), "headers": headers}
        if isinstance(raw := step.get("raw"), bytes):
            step["raw"] = f"base64:{base64.b64encode(raw).decode()}"
        said = {name: value for name, value in step.items() if value is not None or name in _MAY_BE_NULL}
        document = {
            "name": fixture or "send",
            **{name: value for name, value in whole.items() if value is not None},
            "steps": [said],
        }
        try:
            return scenario.read(
                jsontext.compact(jsontext.from_python(document, "")).decode(), id="", file=""
            )
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


async def _ended(going: Future[list[Event]]) -> list[Event]:
    """The events of a send when it has ended. Cancelled, it cancels the send."""
    trio = sys.modules.get("trio")
    if trio is None or not trio.lowlevel.in_trio_task():
        return await asyncio.wrap_future(going)
    ended = trio.Event()
    token = trio.lowlevel.current_trio_token()
    going.add_done_callback(lambda _: token.run_sync_soon(ended.set))
    try:
        await ended.wait()
    except BaseException:
        going.cancel()
        raise
    return going.result()


def for_test(test: pytest.Item) -> RetailOPS:
    """Make the sender of a test, at its start."""
    session = sending(test)
    session.refresh()
    test.stash[_SENDER] = sender = RetailOPS(session, test.nodeid)
    return sender


def sender_of(test: pytest.Item) -> RetailOPS | None:
    """The sender of a test; None where it uses none."""
    return test.stash.get(_SENDER, None)
