"""A room of the browser application: its routes and life cycle, and the base of its page classes."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from http import HTTPStatus
from typing import ClassVar

import msgspec
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute

from retailops_sandbox.runlog.entries import Entry
from retailops_sandbox.runlog.runs import RunSummary
from retailops_sandbox.web.shell.choices import chosen_name
from retailops_sandbox.web.shell.context import AppContext, Target
from retailops_sandbox.web.shell.known_receivers import KnownReceivers
from retailops_sandbox.web.shell.pages import Pages


async def _nothing() -> None:
    pass


class Room(msgspec.Struct, frozen=True, kw_only=True):
    """The routes of one feature, and the functions that end it."""

    routes: Sequence[BaseRoute]
    stop: Callable[[], Awaitable[None]] = _nothing
    """Ends the room's work while pages are still answered. It may be called more than once."""
    close: Callable[[], Awaitable[None]] = _nothing
    """Frees the resources of pages, after the last one was answered."""


class RoomPages:
    """The base of a room's page classes."""

    section: ClassVar[str] = ""
    """The place that these pages belong to, by its name in PLACES."""

    def __init__(self, context: AppContext, pages: Pages) -> None:
        self._context = context
        self._pages = pages

    def _page(
        self,
        request: Request,
        name: str,
        page: msgspec.Struct,
        *,
        target: Target,
        section: str | None = None,
        refused: bool = False,
    ) -> Response:
        """A page, with status 422 where it answers a form that was refused; the header shows the target."""
        return self._pages.render(
            request,
            name,
            page,
            section=self.section if section is None else section,
            target=target,
            status=HTTPStatus.UNPROCESSABLE_ENTITY if refused else HTTPStatus.OK,
        )

    def _part(self, request: Request, name: str, page: msgspec.Struct | None = None) -> Response:
        """A part of a page, for a script that puts it in place."""
        return self._pages.render(request, name, page)

    def _chosen_target(
        self, request: Request, receivers: KnownReceivers, action: str = "", edition: str = ""
    ) -> Target:
        """Where a send to the receiver that this browser chose last would go.

        It is a send of the first action, in the edition that the receiver speaks, where none is named.
        """
        name = chosen_name(request, receivers)
        receiver = receivers.find(name)
        if receiver is None:
            return Target.gone(name, receivers)
        if not action:
            return self._context.default_target(receiver)
        return self._context.target(receiver, action, edition)

    def _entry(self, id: str) -> Entry:
        """A delivery of the log; HTTPException 404 where there is none. Blocks."""
        entry = self._context.log.delivery(id)
        if entry is None:
            raise no_delivery(id)
        return entry

    def _run(self, id: str) -> RunSummary:
        """A run of the log; HTTPException 404 where there is none. Blocks."""
        run = self._context.log.run(id)
        if run is None:
            raise no_run(id)
        return run


def no_delivery(id: str) -> HTTPException:
    """The exception for a delivery that is not in the log."""
    return HTTPException(HTTPStatus.NOT_FOUND, f"There is no delivery {id} in the log.")


def no_run(id: str) -> HTTPException:
    """The exception for a run that is not in the log."""
    return HTTPException(HTTPStatus.NOT_FOUND, f"There is no run {id} in the log.")
