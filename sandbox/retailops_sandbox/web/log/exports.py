"""Downloads of a delivery or of a whole run, in formats of other tools."""

from __future__ import annotations

from http import HTTPStatus

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from retailops_sandbox.reporting.exporters import FORMATS, exporting
from retailops_sandbox.reporting.exporters.exporter import Sources
from retailops_sandbox.runlog.entries import Entry
from retailops_sandbox.web.log.selected import entries
from retailops_sandbox.web.shell.room import RoomPages


class ExportPages(RoomPages):
    """`/deliveries/export/{format}`, `/deliveries/{id}/export/{format}` and `/runs/{id}/export/{format}`."""

    def routes(self) -> list[Route]:
        return [
            Route("/deliveries/export/{format}", self.selected),
            Route("/deliveries/{id}/export/{format}", self.delivery),
            Route("/runs/{id}/export/{format}", self.run),
        ]

    def delivery(self, request: Request) -> Response:
        """One delivery as a file."""
        id = request.path_params["id"]
        return self._download(request, id, [self._entry(id)], own=self._is_own(id))

    def selected(self, request: Request) -> Response:
        """The deliveries that were ticked, as one file."""
        ids = request.query_params.getlist("delivery")
        if not ids:
            return RedirectResponse("/deliveries?selected=none", HTTPStatus.SEE_OTHER)
        found = [each for each in entries(self._context, ids).values() if each is not None]
        opened = any(self._context.log.opened_from(each.delivery.id) for each in found)
        return self._download(request, "deliveries", found, own=not opened)

    def run(self, request: Request) -> Response:
        """All deliveries of a run as a file."""
        id = request.path_params["id"]
        self._run(id)
        return self._download(request, id, self._context.log.deliveries(id), own=self._is_own(id))

    def _download(self, request: Request, name: str, found: list[Entry], *, own: bool) -> Response:
        """These deliveries as a file with this name; `own` says whether this workspace sent them."""
        wanted = request.path_params["format"]
        format = FORMATS.get(wanted)
        if format is None:
            known = ", ".join(FORMATS)
            raise HTTPException(HTTPStatus.NOT_FOUND, f"There is no export as {wanted}: there are {known}.")
        made = exporting.deliveries(found, format, self._sources(), name=name, own=own)
        return Response(
            made.text,
            media_type=made.media_type,
            # The name needs no escapes: it has only letters, digits, dots, hyphens and underscores.
            headers={"Content-Disposition": f'attachment; filename="{made.name}"'},
        )

    def _is_own(self, id: str) -> bool:
        return not self._context.log.opened_from(id)

    def _sources(self) -> Sources:
        receivers = self._context.read_receivers()
        policy = self._context.policy(receivers)
        return exporting.workspace_sources(self._context.workspace, receivers.find, policy)
