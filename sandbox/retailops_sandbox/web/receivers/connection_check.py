"""The check of a connection to a receiver. Nothing is sent to it."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import datetime, timedelta

import msgspec

from retailops_sandbox import composing
from retailops_sandbox.errors import SandboxError
from retailops_sandbox.model import Fault, Receiver
from retailops_sandbox.transport.checking import Certificate, CheckedConnection, check
from retailops_sandbox.web.shell.context import AppContext

_SOON = timedelta(days=30)


class Stage(msgspec.Struct, frozen=True):
    """A stage of connecting that succeeded."""

    name: str
    what: str
    milliseconds: float
    is_doubtful: bool = False


class ConnectionCheck(msgspec.Struct, frozen=True, kw_only=True):
    """The result of a check: the stages that succeeded, and the fault that ended the attempt."""

    stages: Sequence[Stage] = ()
    fault: Fault | None = None
    problem: str = ""
    """Why no connection was tried."""
    certificate: Certificate | None = None
    expiry: str = ""
    is_expiring: bool = False
    """Whether the certificate has expired, or will soon."""
    unseen: str = ""
    """What the check cannot test, in words."""

    @property
    def is_open(self) -> bool:
        """Whether a request could be sent over the connection."""
        return not self.fault and not self.problem


class ConnectionChecks:
    """Checks connections, and cancels unfinished checks when the process ends."""

    def __init__(self, context: AppContext) -> None:
        self._context = context
        self._under_way: set[asyncio.Task[CheckedConnection]] = set()

    async def check(self, receiver: Receiver) -> ConnectionCheck:
        """Check the connection to a receiver. Nothing is sent to it."""
        # Credentials are left out: a check does not need them, and they may not be set.
        bare = msgspec.structs.replace(receiver, headers={}, auth=None, token="", paths={})
        try:
            resolved, secrets = self._context.resolved(bare)
            composing.check(resolved)
            found = await self._checked(resolved)
        except SandboxError as error:
            return ConnectionCheck(problem=str(error))
        if found is None:
            return ConnectionCheck(fault=Fault("cancelled", "cancelled: the sandbox is closing"))
        fault = found.fault and Fault(found.fault.kind, secrets.text(found.fault.message))
        return _result(resolved, msgspec.structs.replace(found, fault=fault), self._context.clock.now())

    async def stop(self) -> None:
        """Cancel the unfinished checks."""
        for checking in self._under_way:
            checking.cancel()

    async def _checked(self, receiver: Receiver) -> CheckedConnection | None:
        """The result of the check; None where it was cancelled."""
        checking = asyncio.create_task(check(receiver.base_url, composing.connection(receiver)))
        self._under_way.add(checking)
        try:
            await asyncio.wait({checking})
        finally:
            self._under_way.discard(checking)
            checking.cancel()
        return None if checking.cancelled() else checking.result()


def _result(receiver: Receiver, found: CheckedConnection, now: str) -> ConnectionCheck:
    expiry, is_expiring = _expiry(found.certificate, now)
    return ConnectionCheck(
        stages=_stages(receiver, found),
        fault=found.fault,
        certificate=found.certificate,
        expiry=expiry,
        is_expiring=is_expiring,
        unseen=_unseen(receiver, found),
    )


def _stages(receiver: Receiver, found: CheckedConnection) -> list[Stage]:
    """The stages that succeeded. The stage that failed is in the fault."""
    if not found.address:
        return []
    parts = composing.base_url(receiver)
    host, timings = parts.hostname or "", found.timings
    ip, _, port = found.address.rpartition(":")
    stages = []
    if found.by_proxy:
        took = timings.lookup + timings.connect
        stages.append(Stage("proxy", f"{found.address} accepts connections", took))
    else:
        if host.strip("[]") != ip.strip("[]"):
            stages.append(Stage("name", f"{host} is {ip}", timings.lookup))
        stages.append(Stage("TCP", f"port {port} accepts connections", timings.connect))
    if parts.scheme == "https" and not found.fault:
        if receiver.verify:
            by = f"by the authorities in {receiver.ca_file}" if receiver.ca_file else "by a known authority"
            stages.append(Stage("TLS", f"the certificate is for {host}, and signed {by}", timings.tls))
        else:
            what = "encrypted, but the certificate is not verified: the receiver's settings say so"
            stages.append(Stage("TLS", what, timings.tls, is_doubtful=True))
    return stages


def _unseen(receiver: Receiver, found: CheckedConnection) -> str:
    if found.fault:
        return ""
    if found.by_proxy and composing.base_url(receiver).scheme == "http":
        return "Nothing was sent. What lies behind the proxy is seen only by a send."
    return "Nothing was sent. Whether it answers as it should is seen only by a send."


def _expiry(certificate: Certificate | None, now: str) -> tuple[str, bool]:
    """The time until a certificate expires, in words, and whether that is soon."""
    if certificate is None or not certificate.expires:
        return "", False
    left = datetime.fromisoformat(certificate.expires) - datetime.fromisoformat(now)
    if left < timedelta():
        return f"expired {_days(-left)} ago", True
    return f"in {_days(left)}", left < _SOON


def _days(time: timedelta) -> str:
    if not time.days:
        return "less than a day"
    return "1 day" if time.days == 1 else f"{time.days:,} days"
