"""The receivers that a request can send to, as they were read once for it."""

from __future__ import annotations

import msgspec

from retailops_sandbox.errors import SandboxError
from retailops_sandbox.model import Receiver
from retailops_sandbox.workspace.files import FileStamp, file_stamp, is_settled
from retailops_sandbox.workspace.receivers import ReceiverBook
from retailops_sandbox.workspace.workspace import Workspace


class KnownReceivers(msgspec.Struct, frozen=True):
    """The stand-in, and the workspace's receivers unless they cannot be read."""

    stand_in: Receiver
    _own: ReceiverBook | SandboxError
    unsaved: tuple[Receiver, ...] = ()
    """Those of pasted URLs, which end with the process."""

    @classmethod
    def read(cls, workspace: Workspace, stand_in: Receiver) -> KnownReceivers:
        """Read the workspace's receivers."""
        try:
            return cls(stand_in, workspace.receivers())
        except SandboxError as error:
            return cls(stand_in, error)

    def own(self) -> ReceiverBook:
        """The workspace's receivers; SandboxError where they cannot be read."""
        if isinstance(self._own, SandboxError):
            raise self._own
        return self._own

    @property
    def problem(self) -> str:
        """Why the workspace's receivers are not known; empty where they are."""
        return str(self._own) if isinstance(self._own, SandboxError) else ""

    @property
    def all(self) -> list[Receiver]:
        """The stand-in, then the workspace's unless there is a `problem`, then the unsaved."""
        own = () if isinstance(self._own, SandboxError) else self._own.receivers
        return [self.stand_in, *(each for each in own if each.name != self.stand_in.name), *self.unsaved]

    @property
    def names(self) -> list[str]:
        """The names of all."""
        return [each.name for each in self.all]

    @property
    def default(self) -> str:
        """The name of the workspace's default receiver; empty for none."""
        return "" if isinstance(self._own, SandboxError) else self._own.default

    def find(self, name: str) -> Receiver | None:
        """The receiver of this name; None where there is none."""
        return next((each for each in self.all if each.name == name), None)

    def named(self, name: str) -> Receiver:
        """The receiver of this name; SandboxError where there is none."""
        return self.find(name) or self.own().named(name)


class ReceiversFile:
    """Reads the workspace's receivers, and again only where their file has changed. Threads may share it."""

    def __init__(self, workspace: Workspace, stand_in: Receiver) -> None:
        self._workspace = workspace
        self._stand_in = stand_in
        self._known: tuple[FileStamp, KnownReceivers] | None = None
        self._unsaved: dict[str, Receiver] = {}

    def read(self) -> KnownReceivers:
        """The receivers as they are now; the same object as before where nothing has changed."""
        found = self._read()
        taken = {each.name for each in found.all}
        unsaved = tuple(each for name, each in self._unsaved.items() if name not in taken)
        return msgspec.structs.replace(found, unsaved=unsaved) if unsaved else found

    def add(self, receiver: Receiver) -> None:
        """Add a receiver that is in no file, until the process ends or one of its name is saved."""
        self._unsaved = {**self._unsaved, receiver.name: receiver}

    def _read(self) -> KnownReceivers:
        stamp, known = file_stamp(self._workspace.receivers_file), self._known
        if known is not None and known[0] == stamp:
            return known[1]
        found = KnownReceivers.read(self._workspace, self._stand_in)
        self._known = None
        if stamp is not None and is_settled(stamp) and not found.problem:
            self._known = stamp, found
        return found
