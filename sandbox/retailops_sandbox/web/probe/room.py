"""The room where receivers are probed."""

from __future__ import annotations

from retailops_sandbox.probe.keeping import KeptReports
from retailops_sandbox.web.probe.findings import FindingPages
from retailops_sandbox.web.probe.live import LiveProbes
from retailops_sandbox.web.probe.pages import ProbePages
from retailops_sandbox.web.shell.context import AppContext
from retailops_sandbox.web.shell.pages import Pages
from retailops_sandbox.web.shell.room import Room


def probe_room(context: AppContext, pages: Pages) -> Room:
    kept = KeptReports(context.workspace)
    live = LiveProbes(context, kept)
    probes = ProbePages(context, pages, live, kept)
    return Room(
        routes=[*probes.routes(), *FindingPages(context, pages, probes).routes()],
        stop=live.stop_all,
    )
