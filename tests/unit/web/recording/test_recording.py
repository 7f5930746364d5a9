"""The relay that is started from the browser, and its run in the log."""

from __future__ import annotations

import asyncio
import socket
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from retailops_sandbox.contracts.catalogue import SHIPPED_CONTRACTS
from retailops_sandbox.errors import FileError
from retailops_sandbox.model import Receiver
from retailops_sandbox.session.ports import SystemClock
from retailops_sandbox.transport import Transport
from retailops_sandbox.web.recording.state import Recording
from retailops_sandbox.workspace.workspace import Workspace
from tests.support.logged import open_log
from tests.support.policies import secret_policy

RECEIVER = Receiver("shop", "http://127.0.0.1:9")


def recording(root: Path, transport: Transport) -> Recording:
    """A recording of a context with as much as a relay needs."""
    context: Any = SimpleNamespace(
        workspace=Workspace(root),
        transport=transport,
        clock=SystemClock(),
        environment={},
        contracts=SHIPPED_CONTRACTS,
    )
    return Recording(context)


def free_port() -> int:
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        return int(listening.getsockname()[1])


def test_a_relay_has_a_run_of_its_own_from_its_start_to_its_stop(tmp_path: Path) -> None:
    log = open_log(Workspace(tmp_path).runs_dir)

    async def body() -> None:
        async with Transport() as transport:
            state = recording(tmp_path, transport)
            await state.start_relay(RECEIVER, secret_policy(), "127.0.0.1", 0)
            (run,) = log.runs()
            assert run.info is not None
            assert (run.info.kind, run.info.receiver, run.state) == ("record", "shop", "running")
            assert await state.stop_relay() is None
            assert [run.state for run in log.runs()] == ["finished"]

    asyncio.run(body())


def test_a_relay_that_cannot_be_logged_does_not_keep_its_port(tmp_path: Path) -> None:
    runs_dir = Workspace(tmp_path).runs_dir
    runs_dir.parent.mkdir(parents=True)
    runs_dir.write_text("in the way")
    port = free_port()

    async def body() -> None:
        async with Transport() as transport:
            state = recording(tmp_path, transport)
            with pytest.raises(FileError, match="cannot be written"):
                await state.start_relay(RECEIVER, secret_policy(), "127.0.0.1", port)
            assert state.relay is None
            runs_dir.unlink()
            await state.start_relay(RECEIVER, secret_policy(), "127.0.0.1", port)
            await state.stop_relay()

    asyncio.run(body())
