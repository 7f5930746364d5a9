"""The compose page as a browser without script uses it: fill in, send, and look into the log."""

from __future__ import annotations

from typing import Any

import httpx2 as httpx

from retailops_sandbox.model import Receiver
from retailops_sandbox.runlog import opening
from retailops_sandbox.runlog.entries import Entry
from retailops_sandbox.runlog.ports import Log
from retailops_sandbox.workspace.workspace import Workspace
from tests.support.logged import newest_deliveries, shipped
from tests.support.pages import BROWSER, hidden, text_areas
from tests.support.serving import Served


class ComposeClient:
    """A browser without script at the compose page of a served workspace, and what it leaves in the log."""

    def __init__(self, served: Served, database: str = "") -> None:
        """`database` is the URL of the one that keeps the log."""
        self.served = served
        self.workspace = Workspace(served.workspace, database)
        self.http = httpx.Client(base_url=served.url, timeout=60)

    def add(self, name: str, path: str = "", **fields: Any) -> str:
        """A receiver in the workspace; without a URL, the stand-in under a path."""
        base_url = fields.pop("base_url", self.served.stand_in + path)
        self.workspace.save_receiver(Receiver(name, base_url, **fields))
        return name

    def form(self, path: str = "/") -> dict[str, str]:
        """The fields of the compose page when it is first loaded."""
        # Each form is of a browser of its own: what another one typed is not there.
        self.http.cookies.delete(BROWSER)
        page = self.http.get(path).text
        return {**hidden(page), **text_areas(page), "receiver": "stand-in"}

    def filled(self, **fields: str) -> dict[str, str]:
        """The compose page's fields, with the receiver chosen and the URL seen."""
        form = {**self.form(), **fields}
        part = self.http.post("/compose", data=form, headers={"HX-Target": "target"})
        return {**form, "shown": hidden(part.text)["shown"]}

    def again(self, path: str, **fields: str) -> httpx.Response:
        """Press Send again on the page of a delivery."""
        return self.http.post(f"{path}/again", data={**hidden(self.http.get(path).text), **fields})

    def send(self, **fields: str) -> httpx.Response:
        return self.http.post("/send", data=self.filled(**fields))

    def sent(self, **fields: str) -> str:
        """The path of the delivery that a send made."""
        response = self.send(**fields)
        assert response.status_code == 303, response.text
        return response.headers["location"]

    def landed(self, path: str) -> Entry:
        """Wait until the delivery's event stream ends; the delivery in the log."""
        with self.http.stream("GET", f"{path}/events") as stream:
            assert "event: finished" in list(stream.iter_lines())
        entry = self.log.delivery(path.rpartition("/")[2])
        assert entry is not None
        return entry

    @property
    def log(self) -> Log:
        return opening.open_log(self.workspace.log_place, shipped)

    def count(self) -> int:
        return len(newest_deliveries(self.log, 10_000))
