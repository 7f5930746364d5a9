"""Downloads of a delivery or of a whole run, in formats of other tools."""

from __future__ import annotations

from http import HTTPStatus

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from retailops_sandbox.reporting.exporters import FORMATS, exporting
from retailops_sandbox.reporting.exporters.exporter import Sources
from retailops_sandbox.runlog.entries import Entry
from retailops_sandbox.web.shell.room import RoomPages


class ExportPages(RoomPages):
    """`/deliveries/{id}/export/{format}` and `/runs/{id}/export/{format}`."""

    def routes(self) -> list[Route]:
        return [
            Route("/deliveries/{id}/export/{format}", self.delivery),
            Route("/runs/{id}/export/{format}", self.run),
        ]

    def delivery(self, request: Request) -> Response:
        """One delivery as a file."""
        id = request.path_params["id"]
        return self._download(request, id, [self._entry(id)])

    def run(self, request: Request) -> Response:
        """All deliveries of a run as a file."""
        id = request.path_params["id"]
        self._run(id)
        return self._download(request, id, self._context.log.deliveries(id))

    def _download(self, request: Request, id: str, entries: list[Entry]) -> Response:
        wanted = request.path_params["format"]
        format = FORMATS.get(wanted)
        if format is None:
            known = ", ".join(FORMATS)
            raise HTTPException(HTTPStatus.NOT_FOUND, f"There is no export as {wanted}: there are {known}.")
        own = not self._context.log.opened_from(id)
        made = exporting.deliveries(entries, format, self._sources(), name=id, own=own)
        return Response(
            made.text,
            media_type=made.media_type,
            # The name needs no escapes: it has only letters, digits, dots, hyphens and underscores.
            headers={"Content-Disposition": f'attachment; filename="{made.name}"'},
        )

    def _sources(self) -> Sources:
        receivers = self._context.read_receivers()
        policy = self._context.policy(receivers)
        return exporting.workspace_sources(self._context.workspace, receivers.find, policy)
