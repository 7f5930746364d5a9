"""Deleted receivers, which can be restored until the process ends."""

from __future__ import annotations

import msgspec

from retailops_sandbox.errors import UsageError
from retailops_sandbox.model import Receiver
from retailops_sandbox.web.shell.recent import Recent
from retailops_sandbox.workspace.workspace import Workspace

_KEPT = 50


class _Deleted(msgspec.Struct, frozen=True):
    receiver: Receiver
    was_default: bool


class DeletedReceivers:
    """Deletes receivers of a workspace and restores them."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self._deleted: Recent[_Deleted] = Recent(_KEPT)

    def __contains__(self, name: str) -> bool:
        """Whether a receiver was deleted and can be restored."""
        return name in self._deleted

    def delete(self, name: str) -> None:
        """Delete a receiver; UsageError where there is none of this name."""
        before = self._workspace.delete_receiver(name)
        self._deleted[name] = _Deleted(before.named(name), before.default == name)

    def restore(self, name: str) -> None:
        """Restore a receiver; UsageError where this process did not delete it, or its name is taken."""
        if name not in self._deleted:
            raise UsageError(f"{name!r} was not deleted here", mend="add it again")
        deleted = self._deleted[name]
        is_default = deleted.was_default and not self._workspace.receivers().default
        self._workspace.save_receiver(deleted.receiver, is_default=is_default)
        del self._deleted[name]
