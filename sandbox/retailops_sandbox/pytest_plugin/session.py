"""The workspace, receiver, log and engine of one pytest process."""

from __future__ import annotations

import os
import threading
from collections.abc import Mapping
from concurrent.futures import Future
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
import pytest

from retailops_sandbox import composing
from retailops_sandbox.engine import Event, Options, Run, require_yes
from retailops_sandbox.errors import SandboxError, UsageError
from retailops_sandbox.model import DEFAULT_ACTION, Receiver
from retailops_sandbox.pytest_plugin.engine_thread import EngineThread
from retailops_sandbox.redaction import SecretPolicy
from retailops_sandbox.reporting.render.lines import in_line
from retailops_sandbox.runlog.opening import open_run
from retailops_sandbox.runlog.runs import new_run
from retailops_sandbox.scenarios.scenario import Plan
from retailops_sandbox.session import ports, receivers
from retailops_sandbox.session.fitting import editions_of
from retailops_sandbox.workspace import settings
from retailops_sandbox.workspace.receivers import ReceiverBook
from retailops_sandbox.workspace.workspace import Workspace

if TYPE_CHECKING:
    from retailops_sandbox.contracts.contract import Contract
    from retailops_sandbox.probe.probing import ProbeOptions
    from retailops_sandbox.probe.report import ProbeReport

_OPTIONS = "--retailops-receiver and --retailops-stand-in"
_INI = "retailops_receiver and retailops_stand_in"
_SESSION = pytest.StashKey["Session"]()
_UNREADABLE = pytest.StashKey[list[SandboxError]]()


class Session:
    """What a pytest process sends with. Its run in the log begins with the first send."""

    def __init__(self, config: pytest.Config, *, scenarios: int) -> None:
        """SandboxError where nothing could be sent."""
        start = start_folder(config)
        environment = settings.readable(os.environ)
        chosen = settings.read(environment, start)
        self.workspace = Workspace.find(None, environment, start, _database(config, chosen, environment))
        self.workspace.is_log_named = bool(config.getoption("--retailops-log"))
        edition = config.getoption("--retailops-edition") or config.getini("retailops_edition")
        if edition and edition not in {each for _, each in self.workspace.contracts.names}:
            self.workspace.contracts.load(DEFAULT_ACTION, edition)  # It raises, and names the known ones.
        book = self.workspace.receivers()
        self.receiver = _receiver(config, chosen, environment, book)
        self._speaks = editions_of(self.receiver, {}, environment, self.workspace.contracts)
        self._edition: str = edition
        if config.getoption("--retailops-follow-redirects"):
            self.receiver = msgspec.structs.replace(self.receiver, follow_redirects=True)
        confirmed = bool(config.getoption("--retailops-yes"))
        require_yes(self.receiver, confirmed=confirmed, mend="give --retailops-yes if you mean it")
        if not (self.receiver.stand_in or composing.varies(self.receiver)):
            composing.check(self.receiver)
        self._options = Options(
            receiver=self.receiver,
            jobs=1,
            retries=chosen.retries,
            timeout_ms=chosen.timeout_ms,
            confirmed=confirmed,
        )
        self._environment = environment
        self._policy = SecretPolicy(environment, receivers=book.receivers, named=chosen.secret_env)
        self._clock = ports.SystemClock()
        self.notes: list[str] = []
        """Lines for users about a log that cannot be reached."""
        info = new_run(
            "pytest",
            self._clock.now(),
            self.receiver,
            scenarios=scenarios,
            unreadable=unreadable(config),
        )
        self._log = open_run(
            self.workspace.log_place, info, lambda: self.workspace.contracts, self.notes.append
        )
        self._lock = threading.Lock()
        """A test may send from several threads."""
        self._thread: EngineThread | None = None
        self._sequence = 1

    @property
    def action(self) -> str:
        """The action of the receiver's URL, else the default one."""
        return self._speaks.action or DEFAULT_ACTION

    def edition_of(self, action: str) -> str:
        """The edition of an action to send where none is named."""
        return self._edition or self._speaks.edition_of(action, self.workspace.contracts)

    def contracts(self) -> list[tuple[str, str]]:
        """The actions and editions that the receiver may be sent."""
        return [each for each in self.workspace.contracts.names if self._speaks.includes(each[1])]

    def url(self, action: str, edition: str) -> str:
        """The exact URL of an action, without its secrets; empty where only a send can tell it."""
        if self.receiver.stand_in:
            return ""
        names = composing.Names(environment=self._environment, receiver=self.receiver.variables)
        try:
            resolved = composing.resolve(self.receiver, names)
            secrets = self._policy.secrets(self.receiver, resolved)
            contracts = self.workspace.contracts
            return secrets.url(composing.url(resolved, contracts.load(action, edition), contracts))
        except SandboxError:
            # Each send says why it cannot be made.
            return ""

    def refresh(self) -> None:
        """Put the orders of the stand-in back to their first state, as each test finds them."""
        if self._thread is not None:
            self._thread.refresh()

    def execute(self, plan: Plan) -> list[Event]:
        """Run a plan and wait for its end. SandboxError where it cannot be sent or logged."""
        return self._engine().execute(self._run(plan))

    def start(self, plan: Plan) -> Future[list[Event]]:
        """Start a plan; the future holds its events."""
        return self._engine().start(self._run(plan))

    def probe(self, contract: Contract, options: ProbeOptions) -> ProbeReport:
        """Probe the receiver and wait for the end. SandboxError where it cannot be sent to or logged."""
        from retailops_sandbox.probe.probing import Prober

        engine = self._engine()
        real = ports.build_ports(self.workspace, engine.transport, self._log, os.environ, self._policy)
        sending = msgspec.structs.replace(self._options, receiver=engine.receiver)
        return engine.probe(Prober(contract, real, sending, options, self._log.info))

    def _engine(self) -> EngineThread:
        with self._lock:
            if self._thread is None:
                self._thread = EngineThread(self.receiver, lambda: self.workspace.contracts)
            return self._thread

    def _run(self, plan: Plan) -> Run:
        engine = self._engine()
        # Fixtures are read anew for each plan: a test may have written one.
        real = ports.build_ports(self.workspace, engine.transport, self._log, os.environ, self._policy)
        with self._lock:
            first, self._sequence = self._sequence, self._sequence + len(plan.scenario.steps)
        options = msgspec.structs.replace(self._options, receiver=engine.receiver, first_sequence=first)
        return Run([plan], real, options)

    def close(self, *, stopped: bool) -> None:
        """Close the connections and finish the run's log. FileError where that cannot be written."""
        if self._thread is not None:
            self._thread.close()
            self._thread = None
        self._log.finish(self._clock.now(), stopped=stopped)


def begin(config: pytest.Config, *, scenarios: int = 0) -> Session:
    """Make the session of this process; pytest.UsageError in one line where nothing could be sent."""
    try:
        config.stash[_SESSION] = session = Session(config, scenarios=scenarios)
    except SandboxError as error:
        raise pytest.UsageError(in_line(str(error))) from None
    return session


def sending(test: pytest.Item) -> Session:
    """The session of this process, begun by now; the test fails where nothing can be sent."""
    session = current(test.config)
    if session is not None:
        return session
    try:
        return begin(test.config)
    except pytest.UsageError as error:
        said = str(error)
    pytest.fail(said, pytrace=False)


def current(config: pytest.Config) -> Session | None:
    """The session of this process; None before it begins."""
    return config.stash.get(_SESSION, None)


def unreadable(config: pytest.Config) -> list[SandboxError]:
    """The errors of scenario files that could not be read."""
    return config.stash.setdefault(_UNREADABLE, [])


def start_folder(config: pytest.Config) -> Path:
    """The folder where workspace and settings are looked for: pytest's own, if within its rootdir."""
    invoked, root = config.invocation_params.dir, config.rootpath
    return invoked if invoked.is_relative_to(root) else root


def _database(config: pytest.Config, chosen: settings.Settings, environment: Mapping[str, str]) -> str:
    """The URL of the log's database: of command line, environment, ini file or pyproject.toml."""
    given: str | None = config.getoption("--retailops-log")
    if given is not None:
        return given
    return environment.get(f"{settings.PREFIX}LOG") or config.getini("retailops_log") or chosen.log


def _receiver(
    config: pytest.Config, chosen: settings.Settings, environment: Mapping[str, str], book: ReceiverBook
) -> Receiver:
    """The receiver: of command line, environment, ini file, pyproject.toml or workspace, the first."""
    option, ini = config.getoption, config.getini
    for name, stand_in, both in (
        (option("--retailops-receiver"), option("--retailops-stand-in"), _OPTIONS),
        (environment.get(f"{settings.PREFIX}RECEIVER"), False, ""),
        (ini("retailops_receiver"), ini("retailops_stand_in"), _INI),
        (chosen.receiver, False, ""),
    ):
        if name and stand_in:
            raise UsageError(f"{both} exclude each other", mend="give one of them")
        if stand_in:
            return receivers.stand_in()
        if name:
            return receivers.named(book, name)
    if book.default:
        return book.named(book.default)
    raise UsageError(
        "no receiver is named for scenarios and the fixture retailops",
        mend="give --retailops-receiver URL_or_name, or --retailops-stand-in to try them without one",
    )
