"""One process: the browser application and the stand-in in one event loop."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import sys
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path

import uvicorn

from retailops_sandbox import resources
from retailops_sandbox.errors import FileError, UsageError, system_reason
from retailops_sandbox.httpserver import is_loopback
from retailops_sandbox.runlog.opening import logged_run, open_run
from retailops_sandbox.runlog.ports import Log
from retailops_sandbox.runlog.retention import Pruned, Retention
from retailops_sandbox.runlog.runs import new_run
from retailops_sandbox.session.ports import SystemClock
from retailops_sandbox.session.stand_in import started_stand_in
from retailops_sandbox.transport import Transport
from retailops_sandbox.web.app import Application, create_app
from retailops_sandbox.web.connections import TimedConnection
from retailops_sandbox.web.log.maintenance import LogMaintenance
from retailops_sandbox.web.shell.context import AppContext
from retailops_sandbox.web.shell.pages import Pages
from retailops_sandbox.web.shell.token import SHORTEST_TOKEN
from retailops_sandbox.workspace.workspace import Workspace

_SWITCH_S = 0.001
"""The seconds for which a thread that works on something large keeps the interpreter. A page needs it several
times, as reading and writing give it away, and would wait five times as long each."""


async def serve(
    workspace: Workspace,
    log: Log,
    *,
    host: str,
    port: int,
    token: str,
    environment: Mapping[str, str],
    secret_env: Sequence[str],
    diagnosing: Callable[[Callable[[str], str]], AbstractContextManager[None]],
    on_ready: Callable[[str, str], None],
    on_unwritable: Callable[[FileError], None],
    notice: Callable[[str], None],
    retention: Retention,
    on_pruned: Callable[[Pruned], None],
) -> None:
    """Serve a workspace and its log until Ctrl-C or SIGTERM.

    `diagnosing` makes a context in which diagnostics are shown, from a function that redacts secrets.
    `on_ready` gets the addresses of the page and of the stand-in. `on_unwritable` gets the reason why the log
    can be read but not written. `notice` takes a line for users about a log that cannot be reached.
    `on_pruned` gets the runs that retention deleted and those that it could not, unless there are none.

    Raises UsageError for an address that cannot be bound, and for one other than loopback without a token.
    """
    _check_token(host, token)
    sys.setswitchinterval(_SWITCH_S)
    pages = Pages(resources.templates_dir(), Path(__file__).with_name("static"))
    clock = SystemClock()
    with _bound(host, port) as listening:
        run = open_run(
            workspace.log_place, new_run("serve", clock.now()), lambda: workspace.contracts, notice
        )
        started = started_stand_in(lambda: workspace.contracts)
        async with started as (stand_in, stand_in_url), Transport() as transport:
            context = AppContext(
                workspace,
                transport=transport,
                writer=run,
                environment=environment,
                secret_env=secret_env,
                stand_in=stand_in,
                stand_in_url=stand_in_url,
                log=log,
            )
            application = create_app(context, pages, token=token)
            maintenance = LogMaintenance(log, retention, on_pruned)

            def on_startup() -> None:
                on_ready(_address(host, listening.getsockname()[1]), stand_in_url)
                maintenance.start()

            with diagnosing(lambda text: _redacted(text, context)):
                async with logged_run(run, clock.now):
                    try:
                        run.begin()
                    except FileError as error:
                        on_unwritable(error)
                    try:
                        await _Server(application, on_startup).serve(sockets=[listening])
                    finally:
                        await application.stop()
                        await application.close()
                        await maintenance.wait()


def _check_token(host: str, token: str) -> None:
    """UsageError for a token that is too short, and for none where other hosts can reach the address."""
    if not token and is_loopback(host):
        return
    if not token:
        raise UsageError(
            f"{host} can be reached by others, so serving on it needs a token",
            mend="give --token or RETAILOPS_SANDBOX_TOKEN, or serve on 127.0.0.1",
        )
    if len(token) < SHORTEST_TOKEN:
        raise UsageError(f"the token has fewer than {SHORTEST_TOKEN} characters", mend="give a longer one")


def _redacted(text: str, context: AppContext) -> str:
    """The text without the secrets of any receiver; SandboxError where the receivers cannot be read."""
    receivers = context.read_receivers()
    policy = context.policy(receivers)
    for receiver in receivers.all:
        text = policy.secrets(receiver).plain(text)
    return text


def _bound(host: str, port: int) -> socket.socket:
    """A socket that listens at an address; UsageError where that cannot be bound."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    except (OSError, UnicodeError) as error:
        raise UsageError(f"{host} is not an address of this machine", mend="serve on 127.0.0.1") from error
    listening = socket.socket(family, kind, protocol)
    try:
        if os.name == "posix":
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind(address)
        listening.listen(128)
    except (OSError, OverflowError) as error:
        listening.close()
        what = f"cannot serve on {host}:{port}: {system_reason(error)}"
        raise UsageError(
            what, mend="choose another with --port or RETAILOPS_SANDBOX_PORT; 0 takes any free one"
        ) from error
    return listening


def _address(host: str, port: int) -> str:
    return f"http://[{host}]:{port}/" if ":" in host else f"http://{host}:{port}/"


class _Server(uvicorn.Server):
    """A uvicorn server that stops the application before it waits for open connections."""

    def __init__(self, application: Application, on_startup: Callable[[], None]) -> None:
        super().__init__(
            uvicorn.Config(
                application.asgi,
                http=TimedConnection,
                log_level="warning",
                access_log=False,
                server_header=False,
                timeout_graceful_shutdown=2,
                # A proxy's headers about a client do not prove where a request came from.
                proxy_headers=False,
            )
        )
        self._application = application
        self._on_startup = on_startup

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self._on_startup()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        try:
            await self._application.stop()
        finally:
            await super().shutdown(sockets)

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """As uvicorn's, without raising the signal again at the end: that would cut the clean-up short."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        numbers = (signal.SIGINT, signal.SIGTERM)
        before = {number: signal.signal(number, self.handle_exit) for number in numbers}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)
