"""What all rooms share in one process: workspace, log, environment, stand-in, sends and runs."""

from __future__ import annotations

from collections import ChainMap
from collections.abc import Container, Iterable, Mapping, Sequence

import msgspec

from retailops_sandbox import composing
from retailops_sandbox.composing.editions import SpokenEditions, spoken
from retailops_sandbox.contracts.catalogue import Contracts
from retailops_sandbox.engine import Clock, DeliveryLog, Ports, Transport
from retailops_sandbox.errors import SandboxError, UsageError
from retailops_sandbox.model import Json, Receiver
from retailops_sandbox.redaction import SecretPolicy, Secrets
from retailops_sandbox.reporting.render.contract_words import ContractWords, words_of
from retailops_sandbox.runlog.opening import open_log
from retailops_sandbox.runlog.ports import Log
from retailops_sandbox.session.fitting import editions_of
from retailops_sandbox.session.ports import SystemClock, build_ports
from retailops_sandbox.standin import TOKEN, StandIn
from retailops_sandbox.web.shell.environment import WorkspaceEnvironment, named_variables
from retailops_sandbox.web.shell.known_receivers import KnownReceivers, ReceiversFile
from retailops_sandbox.web.shell.rows import FlightRow, flight_row, row_elsewhere
from retailops_sandbox.web.shell.running import Running
from retailops_sandbox.web.shell.scenario_index import ScenarioIndex
from retailops_sandbox.web.shell.sending import Sending
from retailops_sandbox.workspace.edits import Edits
from retailops_sandbox.workspace.workspace import Workspace

_MADE_WHEN_SENT: dict[str, Json] = {name: f"${{{name}}}" for name in composing.BUILT_IN}
"""Values of the placeholders that only a send fills: a URL that is shown before it keeps them as written."""


GROUPS = ("orders", "catalog", "inventory")
"""The groups of actions that come first in lists, in this order."""


class Action(msgspec.Struct, frozen=True):
    """An action, and the editions of its contract; the default edition comes first."""

    name: str
    editions: tuple[str, ...]
    group: str
    """The word under which lists show it, such as `orders`."""
    summary: str
    """What RetailOPS calls for, in a sentence."""
    is_own: bool
    """Whether a contract of it is a file of the workspace."""

    def edition_for(self, speaks: SpokenEditions, wanted: str = "") -> str:
        """The edition to begin with for a receiver: the wanted one where it speaks that, else its default."""
        for edition in (wanted, speaks.default):
            if edition in self.editions and speaks.includes(edition):
                return edition
        return next(filter(speaks.includes, self.editions), self.editions[0])


class Target(msgspec.Struct, frozen=True):
    """A receiver, and the exact URLs that a send or a run would go to."""

    receiver: Receiver
    urls: tuple[str, ...] = ()
    problem: str = ""
    """Why nothing can be sent there."""
    doubt: str = ""
    """Why the receiver may not understand what is sent: it speaks another edition."""
    is_gone: bool = False
    """Whether there is no receiver of that name."""
    is_unsaved: bool = False
    """Whether the receiver is in no file."""

    @classmethod
    def gone(cls, name: str, receivers: KnownReceivers) -> Target:
        """The target of a name that no receiver has."""
        problem = receivers.problem or f"there is no receiver {name!r} any more: choose one"
        return cls(Receiver(name, ""), problem=problem, is_gone=True)

    @property
    def url(self) -> str:
        """The first URL; empty where there is none."""
        return self.urls[0] if self.urls else ""

    @property
    def shown(self) -> str:
        """The URLs, one a line, for a hidden field: the form sends them back to be compared."""
        return "\n".join(self.urls)


class AppContext:
    """The state of one process that serves one workspace."""

    def __init__(
        self,
        workspace: Workspace,
        *,
        transport: Transport,
        writer: DeliveryLog,
        environment: Mapping[str, str],
        secret_env: Sequence[str],
        stand_in: StandIn,
        stand_in_url: str,
        log: Log | None = None,
    ) -> None:
        """`secret_env` are the variables that the settings name as secret.

        `log` is the workspace's, where somebody has opened it already.
        """
        self._secret_env = secret_env
        self.workspace = workspace
        self.writer = writer
        self.log = log or open_log(workspace.log_place, lambda: workspace.contracts)
        self.stand_in = stand_in
        self.stand_in_receiver = Receiver(name="stand-in", base_url=stand_in_url, token=TOKEN, stand_in=True)
        self._receivers_file = ReceiversFile(workspace, self.stand_in_receiver)
        self._receivers: KnownReceivers | None = None
        """As they were read last."""
        self.secrets: dict[str, str] = {}
        """Secrets that were typed in the browser, by environment variable; kept until the process ends."""
        self.environment = WorkspaceEnvironment(
            workspace, ChainMap(self.secrets, dict(environment)), secret_env
        )
        self.transport = transport
        self.clock: Clock = SystemClock()
        self.sending = Sending(self.clock, is_logged=lambda id: self.log.delivery(id) is not None)
        self.running = Running(transport)
        self.scenario_index = ScenarioIndex(workspace)
        self.edits = Edits(workspace)

    # --- the log ---

    def damage(self, id: str) -> str:
        """Which parts of a run, or of a delivery's run, cannot be read; empty where all can."""
        run = self.log.run(id) or self.log.run(id.rpartition(".")[0])
        return str(run.problems[0]) if run is not None and run.problems else ""

    def refuse_opened(self, id: str) -> None:
        """UsageError where a run or a delivery was opened from a file, and so is read-only."""
        if name := self.log.opened_from(id):
            raise UsageError(
                f"{id} was opened from {name}, and is only to be looked at",
                mend="edit and send it, or run its scenario here: that is in the log",
            )

    def flying(self, logged: Container[str]) -> list[FlightRow]:
        """The deliveries in flight of all processes, without the ids in `logged`; the newest first. Blocks.

        Those are in the log already, and are being judged.
        """
        # First its own: one that ends in between is known to be its own.
        own = {flight.id: flight_row(flight) for flight in self.sending.flights}
        others = (row_elsewhere(row) for row in self.log.in_flight() if row.id not in own)
        flying = (row for row in (*own.values(), *others) if row.id not in logged)
        return sorted(flying, key=lambda row: row.key, reverse=True)

    def elsewhere(self, id: str) -> FlightRow | None:
        """The delivery of this id, if another process is sending it. Blocks."""
        return next((row_elsewhere(row) for row in self.log.in_flight() if row.id == id), None)

    # --- contracts ---

    @property
    def contracts(self) -> Contracts:
        """The workspace's contracts as they are now."""
        return self.workspace.contracts

    def actions(self) -> list[Action]:
        """The actions that have a contract, the default one first, each group together."""
        contracts = self.contracts
        actions = dict.fromkeys(action for action, _ in contracts.names)
        return sorted((_action(name, contracts) for name in actions), key=_place)

    def words(self, action: str, edition: str) -> ContractWords:
        """The words of a contract; empty ones for a contract that does not exist here."""
        agreed = self.contracts.find(action, edition)
        # A log may hold deliveries of a removed contract.
        return ContractWords() if agreed is None else words_of(agreed)

    # --- receivers ---

    def read_receivers(self) -> KnownReceivers:
        """The receivers as they are now: a request reads them once, and hands them on."""
        self._receivers = self._receivers_file.read()
        self.environment.allow(name for each in self._receivers.all for name in named_variables(each))
        return self._receivers

    def policy(self, receivers: KnownReceivers) -> SecretPolicy:
        """The redaction policy, from the receivers of a request and the typed secrets.

        SandboxError where the receivers cannot be read, as the secrets are then unknown.
        """
        return self._policy((*receivers.own().receivers, *receivers.unsaved))

    def add_receiver(self, receiver: Receiver) -> None:
        """Make a receiver known that is in no file, until the process ends or one of its name is saved."""
        self._receivers_file.add(receiver)

    def _policy(self, receivers: Iterable[Receiver]) -> SecretPolicy:
        named = (*self._secret_env, *self.secrets)
        return SecretPolicy(self.environment, receivers=receivers, named=named)

    def ports(self, policy: SecretPolicy) -> Ports:
        """The ports of one send."""
        return build_ports(self.workspace, self.transport, self.writer, self.environment, policy)

    def target_named(
        self,
        receivers: KnownReceivers,
        name: str,
        action: str,
        edition: str,
        variables: Mapping[str, Json] | None = None,
    ) -> Target:
        """Where a send to the receiver of this name would go; a target with a problem where there is none."""
        receiver = receivers.find(name)
        if receiver is None:
            return Target.gone(name, receivers)
        return self.target(receiver, action, edition, variables)

    def speaks(self, receiver: Receiver) -> SpokenEditions:
        """The editions that a receiver speaks."""
        return editions_of(receiver, {}, self.environment, self.contracts)

    def targets(self, action: str = "", edition: str = "") -> list[Target]:
        """Where a send of an action to each receiver would go; of the first action where none is named.

        They are those that were read last: a page whose header offers them has read them for its own target.
        """
        known = self._receivers or self.read_receivers()
        return [
            msgspec.structs.replace(
                self.target(each, action, edition) if action else self.default_target(each),
                is_unsaved=each in known.unsaved,
            )
            for each in known.all
        ]

    def default_target(self, receiver: Receiver) -> Target:
        """The target of a send of the first action, in the edition that the receiver speaks."""
        action, _ = self.contracts.default
        return self.target(receiver, action, self.speaks(receiver).edition_of(action, self.contracts))

    def target(
        self, receiver: Receiver, action: str, edition: str, variables: Mapping[str, Json] | None = None
    ) -> Target:
        """The target of a send to this receiver. Secrets in its URL are redacted."""
        try:
            contracts = self.contracts
            wanted = contracts.load(action, edition)
            resolved, secrets = self.resolved(receiver, variables)
            speaks = spoken(resolved, contracts)
            doubt = (
                ""
                if speaks.includes(edition)
                else f"The payload is {edition}, and the receiver {speaks.words}."
            )
            return Target(receiver, (secrets.url(composing.url(resolved, wanted, contracts)),), doubt=doubt)
        except SandboxError as error:
            known = self._policy((receiver,)).secrets(receiver)
            return Target(receiver, (known.url(receiver.base_url),), str(error))

    def resolved(
        self, receiver: Receiver, variables: Mapping[str, Json] | None = None
    ) -> tuple[Receiver, Secrets]:
        """A receiver with its placeholders filled, and its secrets; ComposeError names the field."""
        names = composing.Names(
            environment=self.environment,
            receiver=receiver.variables,
            scenario=variables or {},
            built_in=_MADE_WHEN_SENT,
        )
        resolved = composing.resolve(receiver, names)
        return resolved, self._policy((receiver,)).secrets(receiver, resolved)


def grouped(actions: Iterable[Action]) -> dict[str, list[Action]]:
    """The actions by their groups, in the order of `AppContext.actions`."""
    groups: dict[str, list[Action]] = {}
    for action in actions:
        groups.setdefault(action.group, []).append(action)
    return groups


def _action(name: str, contracts: Contracts) -> Action:
    editions = contracts.editions(name)
    agreed = contracts.load(name, editions[0])
    is_own = any(contracts.is_own(name, each) for each in editions)
    return Action(name, editions, agreed.group, agreed.summary, is_own)


def _place(action: Action) -> tuple[int, str]:
    """The place of an action's group in lists; within it, the actions are in the order of the contracts."""
    return GROUPS.index(action.group) if action.group in GROUPS else len(GROUPS), action.group
