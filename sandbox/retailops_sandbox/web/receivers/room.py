"""The room of the receivers."""

from __future__ import annotations

from retailops_sandbox.web.receivers.connection_check import ConnectionChecks
from retailops_sandbox.web.receivers.deleted import DeletedReceivers
from retailops_sandbox.web.receivers.pages import ReceiverPages
from retailops_sandbox.web.shell.context import AppContext
from retailops_sandbox.web.shell.pages import Pages
from retailops_sandbox.web.shell.room import Room


def receivers_room(context: AppContext, pages: Pages) -> Room:
    checks = ConnectionChecks(context)
    deleted = DeletedReceivers(context.workspace)
    return Room(routes=ReceiverPages(context, pages, checks, deleted).routes(), stop=checks.stop)
