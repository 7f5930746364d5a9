"""What the requests of one process share: workspace, log, ports, stand-in, and what is under way."""

from __future__ import annotations

from collections import ChainMap, OrderedDict
from collections.abc import Mapping

import msgspec

from sandbox import compose, contract, ports, redact
from sandbox.engine import DeliveryLog, Ports, Transport
from sandbox.errors import SandboxError, UsageError
from sandbox.model import Receiver
from sandbox.standin import TOKEN, StandIn
from sandbox.store.log import Log
from sandbox.web.sending import Sending
from sandbox.workspace import Workspace

_KEPT_DELETED = 50


class Action(msgspec.Struct, frozen=True):
    """An action, and the editions of its contract; the default edition comes first."""

    name: str
    editions: tuple[str, ...]


class Target(msgspec.Struct, frozen=True):
    """A receiver, and the exact URL that a send would go to."""

    receiver: Receiver
    url: str
    problem: str = ""
    """Why there is no such URL."""


class Desk:
    """One process's work on one workspace."""

    def __init__(
        self,
        workspace: Workspace,
        *,
        transport: Transport,
        writer: DeliveryLog,
        environment: Mapping[str, str],
        stand_in: StandIn,
        stand_in_url: str,
    ) -> None:
        self.workspace = workspace
        self.writer = writer
        self.log = Log(workspace.runs_dir)
        self.stand_in = stand_in
        self.stand_in_receiver = Receiver(name="stand-in", base_url=stand_in_url, token=TOKEN, stand_in=True)
        self.secrets: dict[str, str] = {}
        """Typed in the browser, by the environment variable that stands for each; gone with the process."""
        self.environment: Mapping[str, str] = ChainMap(self.secrets, dict(environment))
        self.ports: Ports = ports.put_together(workspace, transport, writer, self.environment)
        self.sending = Sending(self.ports)
        self._deleted: OrderedDict[str, Receiver] = OrderedDict()

    # --- contracts ---

    def actions(self) -> list[Action]:
        """Every action that there is a contract for."""
        editions: dict[str, list[str]] = {}
        for action, edition in contract.available():
            editions.setdefault(action, []).append(edition)
        return [Action(name, tuple(sorted(each, key=_default_first))) for name, each in editions.items()]

    # --- receivers ---

    def receivers(self) -> list[Receiver]:
        """The stand-in, then the workspace's."""
        own = self.workspace.receivers().receivers
        return [self.stand_in_receiver, *(each for each in own if each.name != self.stand_in_receiver.name)]

    def receiver(self, name: str) -> Receiver:
        """The receiver of this name; UsageError where there is none."""
        if name == self.stand_in_receiver.name:
            return self.stand_in_receiver
        return self.workspace.receiver(name)

    def target(self, receiver: Receiver, action: str, edition: str) -> Target:
        """Where a send to this receiver would go. Secrets that its URL holds are not shown."""
        try:
            wanted = contract.load(action, edition)
            names = compose.Names(environment=self.environment, receiver=receiver.variables)
            resolved = compose.resolve(receiver, names)
            secrets = redact.Secrets(compose.secrets(receiver, resolved, self.environment))
            return Target(receiver, secrets.url(compose.url(resolved, wanted)))
        except SandboxError as error:
            return Target(receiver, redact.Secrets().url(receiver.base_url), str(error))

    def delete_receiver(self, name: str) -> None:
        """Delete a receiver; `undelete_receiver` brings it back for as long as the process lives."""
        self._deleted[name] = self.workspace.delete_receiver(name)
        if len(self._deleted) > _KEPT_DELETED:
            self._deleted.popitem(last=False)

    def undelete_receiver(self, name: str) -> None:
        """Bring back a receiver that was deleted; UsageError if it is not known any more."""
        if name not in self._deleted:
            raise UsageError(f"{name!r} was not deleted here", mend="add it again")
        self.workspace.save_receiver(self._deleted[name])
        del self._deleted[name]


def _default_first(edition: str) -> tuple[bool, str]:
    return edition != "draft", edition
