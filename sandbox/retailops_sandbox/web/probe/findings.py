"""What can be done with what a probe found: its deliveries, a scenario of it, the report as a file."""

from __future__ import annotations

import asyncio
from http import HTTPStatus
from urllib.parse import quote

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from retailops_sandbox.errors import SandboxError
from retailops_sandbox.probe.report import Finding, ProbeReport
from retailops_sandbox.reporting.probes import html
from retailops_sandbox.web.probe import evidence
from retailops_sandbox.web.probe.pages import ProbePages
from retailops_sandbox.web.probe.result import SaveAttempt
from retailops_sandbox.web.shell import forms
from retailops_sandbox.web.shell.context import AppContext
from retailops_sandbox.web.shell.pages import Pages
from retailops_sandbox.web.shell.room import RoomPages
from retailops_sandbox.workspace.scenarios import ScenarioFiles


class FindingPages(RoomPages):
    """The pages and files below `/probe/{run}`."""

    section = "Probe"

    def __init__(self, context: AppContext, pages: Pages, probes: ProbePages) -> None:
        super().__init__(context, pages)
        self._probes = probes

    def routes(self) -> list[Route]:
        one = "/probe/{run}"
        return [
            Route(f"{one}/report.html", self.report),
            Route(f"{one}/deliveries", self.deliveries),
            Route(f"{one}/evidence", self.cell),
            Route(f"{one}/save", self.save, methods=["POST"]),
        ]

    def report(self, request: Request) -> Response:
        """The report as a file that opens offline."""
        report = self._probes.report(request.path_params["run"])
        smallest = {each.smallest.delivery for each in report.findings} - {""}
        found = {id: entry.delivery for id in smallest if (entry := self._context.log.delivery(id))}
        return Response(
            html.document(report, found),
            media_type="text/html",
            # An id needs no escapes: it has only letters, digits and hyphens.
            headers={"Content-Disposition": f'attachment; filename="probe-{report.run}.html"'},
        )

    def deliveries(self, request: Request) -> Response:
        """The deliveries that show the finding `?finding=`."""
        report = self._probes.report(request.path_params["run"])
        page = evidence.of_finding(
            self._context, report, _finding(report, request.query_params.get("finding", ""))
        )
        target = self._chosen_target(request, self._context.read_receivers())
        return self._page(request, "probe/deliveries.html", page, target=target)

    def cell(self, request: Request) -> Response:
        """What was sent and answered in the cell of `?field=` and `?what=`: a part of the page."""
        report = self._probes.report(request.path_params["run"])
        field, what = (request.query_params.get(name, "") for name in ("field", "what"))
        found = next((each for each in report.cells if (each.field, each.what) == (field, what)), None)
        if found is None:
            raise HTTPException(HTTPStatus.NOT_FOUND, "This probe did not try that.")
        return self._part(request, "probe/evidence.html", evidence.of_cell(self._context, found))

    async def save(self, request: Request) -> Response:
        """Save the smallest request of a finding as a scenario: 303 to it, or the page with its problem."""
        typed = await forms.read(request)
        key, name = forms.text(typed, "finding"), forms.text(typed, "file").strip()
        return await asyncio.to_thread(self._save, request, key, name)

    def _save(self, request: Request, key: str, name: str) -> Response:
        report = self._probes.report(request.path_params["run"])
        finding = _finding(report, key)
        try:
            done = ScenarioFiles(self._context.workspace).create(name, finding.smallest.scenario)
        except SandboxError as error:
            return self._probes.refused(request, report, SaveAttempt(key, name, str(error)))
        return RedirectResponse(f"/scenarios/show?id={quote(done.change.now)}", HTTPStatus.SEE_OTHER)


def _finding(report: ProbeReport, key: str) -> Finding:
    """The finding of a key; HTTPException 404 where the report has none."""
    found = next((each for each in report.findings if each.key == key), None)
    if found is None:
        raise HTTPException(HTTPStatus.NOT_FOUND, "This probe has no such finding.")
    return found
