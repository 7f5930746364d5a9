"""A browser at a served workspace that runs scenarios against a shop which can be changed and held back."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2 as httpx

from retailops_sandbox.model import Receiver
from retailops_sandbox.runlog.ports import Log
from retailops_sandbox.runlog.runs import RunSummary
from retailops_sandbox.workspace.workspace import Workspace
from tests.support.logged import open_log
from tests.support.pages import hidden, main_words
from tests.support.receivers import receiver
from tests.support.serving import Served, serving
from tests.support.shop import Shop

NOTHING = {"events": []}
EVENT = {"events": [{"error_code": "ERR1", "status": "error"}]}
PASSES = {"name": "cancel", "fixture": "default", "expect": {"status": 200, "body": NOTHING}}
FAILS = {"name": "cancel", "fixture": "default", "expect": {"body": EVENT}}


class RunClient:
    """A browser without script at the scenarios of a served workspace, and the runs that it starts."""

    def __init__(self, served: Served, shop_url: str) -> None:
        self.workspace = Workspace(served.workspace)
        self.shop_url = shop_url
        self.http = httpx.Client(base_url=served.url, timeout=60)
        self.workspace.save_receiver(Receiver("shop", shop_url))
        self.workspace.save_receiver(Receiver("live", shop_url, protected=True))

    def scenario(self, name: str, *steps: dict[str, Any], **fields: Any) -> str:
        """A scenario file in the workspace; its id."""
        path = self.workspace.root / "scenarios" / f"{name}.scenario.json"
        path.parent.mkdir(exist_ok=True)
        path.write_text(json.dumps({"name": name.title(), "steps": steps, **fields}))
        return f"scenarios/{name}.scenario.json"

    def text(self, path: str, status: int = 200) -> str:
        """The words of a page."""
        answer = self.http.get(path)
        assert answer.status_code == status, answer.text
        return main_words(answer.text)

    def form(self, receiver: str = "shop", page: str = "/scenarios") -> dict[str, Any]:
        """The fields of the page, with the receiver chosen and the URL seen."""
        if page == "/scenarios":
            part = self.http.post(page, data={"receiver": receiver}, headers={"HX-Target": "target"}).text
        else:
            part = ""
        fields = hidden(self.http.get(page).text) | hidden(part)
        return {**fields, "receiver": receiver}

    def start(self, *ids: str, receiver: str = "shop", **fields: Any) -> httpx.Response:
        """Select these and run them; all that are listed where none is named."""
        what = {"do": "selected", "pick": list(ids)} if ids else {"do": "listed"}
        return self.http.post("/scenarios/run", data={**self.form(receiver), **what, **fields})

    def started(self, *ids: str, **fields: Any) -> str:
        """The path of the run that was started."""
        answer = self.start(*ids, **fields)
        assert answer.status_code == 303, main_words(answer.text)
        return str(answer.headers["location"])

    def ended(self, path: str) -> RunSummary:
        """The run, once its stream says that it has ended."""
        with self.http.stream("GET", f"{path}/events") as stream:
            assert "event: finished" in list(stream.iter_lines())
        return self.run(path)

    def run(self, path: str) -> RunSummary:
        found = self.log.run(path.removeprefix("/runs/"))
        assert found is not None
        return found

    @property
    def log(self) -> Log:
        """The workspace's log."""
        return open_log(self.workspace.runs_dir)

    def ran(self, *ids: str, **fields: Any) -> str:
        """The path of a run that was started, and has ended."""
        path = self.started(*ids, **fields)
        self.ended(path)
        return path


@contextlib.contextmanager
def run_client(folder: Path, shop: Shop, **environment: str) -> Iterator[RunClient]:
    """Serve a workspace, with the shop as one of its receivers."""
    with receiver(shop.act) as listening, serving(folder, **environment) as served:
        client = RunClient(served, listening.url)
        yield client
        shop.open()
        client.http.close()
