"""Starts the processes of a load test, and ends them."""

from __future__ import annotations

import asyncio
import importlib.util
import signal
import socket
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import Callable, Coroutine, Sequence
from contextlib import closing
from typing import Any
from urllib.parse import urlsplit

import msgspec

from retailops_sandbox.contracts.catalogue import ContractSource
from retailops_sandbox.errors import UsageError
from retailops_sandbox.httpserver import is_loopback
from retailops_sandbox.load import setup
from retailops_sandbox.load.setup import LOCALHOST, UNABLE, WORKER_ENDED, LoadSetup
from retailops_sandbox.session.signals import stopping
from retailops_sandbox.session.stand_in import reachable
from retailops_sandbox.session.waiting import listening_url, wait_for_receiver
from retailops_sandbox.transport import is_listening

_INSTALL = "pip install 'retailops-sandbox[load]'"
_SLOW = 1.0
"""Seconds after which a port that neither accepts nor refuses a connection is one of a busy receiver."""
_PATIENCE = 3.0
"""Seconds that a worker may take to end once its master has ended, before it is told to, and after that."""


class Launch(msgspec.Struct, frozen=True, kw_only=True):
    """A load test, and the processes that it is to have."""

    setup: LoadSetup
    processes: int = 0
    """The number of workers on this machine, beside a master; 0 for a single process."""
    contracts: ContractSource
    environment: dict[str, str]
    wait: float = 0.0
    """Seconds to wait until the receiver's port answers; 0 for none."""


class Finished(msgspec.Struct, frozen=True):
    """A load test that has ended."""

    exit_code: int
    unreachable: bool = False
    """Whether nothing listens at the receiver's port, so that nothing was sent."""


def require_locust() -> None:
    """Raise UsageError where Locust is not installed. It is not imported."""
    if importlib.util.find_spec("locust") is None:
        raise UsageError("load needs Locust, which is not installed", mend=f"install it: {_INSTALL}")


def execute(launch: Launch, in_loop: Callable[[Coroutine[Any, Any, None]], None] = asyncio.run) -> Finished:
    """Run the processes to their end.

    Ctrl-C or SIGTERM ends the test, and it still reports; at a second one the processes are killed, and
    KeyboardInterrupt is raised. Raises UsageError for a port that is taken.
    """
    finished: list[Finished] = []

    async def main() -> None:
        finished.append(await _execute(launch))

    try:
        in_loop(main())
    except asyncio.CancelledError:
        raise KeyboardInterrupt from None
    return finished[0]


async def _execute(launch: Launch) -> Finished:
    reached = reachable(launch.setup.receiver, launch.contracts)
    async with reached as (receiver, _):
        asked = msgspec.structs.replace(launch.setup, receiver=receiver)
        if asked.web_port is not None and asked.reports:
            _check_free(asked.web_host, asked.web_port, "--web-port")
        asked = _with_port(asked, launch.processes)
        running: list[Process] = []

        def stop() -> None:
            # The first process ends the others, once they have told it all.
            for process in running[:1]:
                if process.returncode is None:
                    process.send_signal(signal.SIGTERM)

        with stopping(stop) as stopped:
            reachable_now = await _is_listening(asked, launch, stopped)
            if stopped.is_set():
                return Finished(130)
            if not reachable_now:
                return Finished(3, unreachable=True)
            try:
                for each in _setups(asked, launch.processes):
                    running.append(await _started(each))
                    if stopped.is_set():
                        stop()
                code = await _first_ended(running[0], running[1:])
                await _ended(running[1:], at_once=code == 2)
            finally:
                for process in running:
                    if process.returncode is None:
                        process.kill()
                        await process.wait()
        if code < 0:
            # One that was not ready for the signal has nothing to report.
            code = 130 if stopped.is_set() else 128 - code
    return Finished(code)


async def _is_listening(asked: LoadSetup, launch: Launch, stopped: asyncio.Event) -> bool:
    """Whether anything listens at the receiver's port, in the time to wait.

    Without one, this machine's own ports are tried alone: a proxy may lead to others, and not to these.
    A test that is started on Locust's page may have its receiver later.
    """
    receiver, variables, environment = asked.receiver, asked.variables, launch.environment
    if launch.wait:
        return await wait_for_receiver(receiver, variables, environment, launch.wait, stopped)
    url = listening_url(receiver, variables, environment)
    if asked.web_port is not None or not is_loopback(urlsplit(url).hostname or ""):
        return True
    try:
        async with asyncio.timeout(_SLOW):
            return await is_listening(url)
    except TimeoutError:
        return True


def _with_port(asked: LoadSetup, processes: int) -> LoadSetup:
    """The setup with the port of its master; UsageError where that is taken."""
    if processes:
        with closing(socket.socket()) as free:
            free.bind((LOCALHOST, 0))
            port: int = free.getsockname()[1]
        return msgspec.structs.replace(asked, master_host=LOCALHOST, master_port=port)
    if asked.role == "master":
        _check_free(asked.master_host, asked.master_port, "--master-port")
    return asked


def _check_free(host: str, port: int, option: str) -> None:
    """Raise UsageError where a port cannot be listened at."""
    with closing(socket.socket()) as trial:
        trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            trial.bind((host, port))
        except OSError as error:
            reason = error.strerror or str(error)
            raise UsageError(
                f"cannot listen at {host}:{port}: {reason}", mend=f"give another one by {option}"
            ) from error


def _setups(asked: LoadSetup, processes: int) -> Sequence[LoadSetup]:
    """The setup of each process, the one that reports first."""
    if not processes:
        return [asked]
    master = msgspec.structs.replace(asked, role="master", workers=processes, together=True)
    worker = msgspec.structs.replace(
        asked, role="worker", together=True, csv="", html="", json="", web_port=None
    )
    return [master, *[worker] * processes]


async def _started(asked: LoadSetup) -> Process:
    """A process with its setup. It ends when the pipe to it is closed, as it is when this process dies."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-P", "-m", "retailops_sandbox.load"),
        stdin=PIPE,
        start_new_session=True,  # Ctrl-C is for this process, which ends the others in order
    )
    assert process.stdin is not None
    process.stdin.write(setup.written(asked))
    await process.stdin.drain()
    return process


async def _first_ended(first: Process, workers: Sequence[Process]) -> int:
    """Wait until the first process has ended; its exit code. A worker that cannot begin ends it.

    Of one that ended otherwise it is told: the worker may never have come to it.
    """
    ending = asyncio.ensure_future(first.wait())
    living = {asyncio.ensure_future(worker.wait()) for worker in workers}
    unable = False
    while living and not ending.done() and not unable:
        ended, _ = await asyncio.wait({ending, *living}, return_when=asyncio.FIRST_COMPLETED)
        living -= ended
        unable = any(each.result() == UNABLE for each in ended)
        if ended and not ending.done() and not unable:
            assert first.stdin is not None
            first.stdin.write(WORKER_ENDED)
    if unable and not ending.done():
        first.terminate()
    code = await ending
    return 2 if unable or code == UNABLE else code


async def _ended(workers: Sequence[Process], *, at_once: bool) -> None:
    """Wait until the workers have ended, or had time enough; those of a test that never began are told to."""
    for tell in (Process.terminate,) if at_once else (lambda worker: None, Process.terminate):
        living = [worker for worker in workers if worker.returncode is None]
        for worker in living:
            tell(worker)
        if living:
            await asyncio.wait([asyncio.ensure_future(worker.wait()) for worker in living], timeout=_PATIENCE)
