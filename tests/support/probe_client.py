"""A browser without script at the page of probes, and a receiver to probe that can be held back."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2 as httpx

from retailops_sandbox.model import Receiver
from retailops_sandbox.probe.keeping import KeptReports
from retailops_sandbox.probe.report import ProbeReport
from retailops_sandbox.workspace.workspace import Workspace
from tests.support.pages import hidden, main_words
from tests.support.probed.receiving import TOKEN, Answer, Call, Right
from tests.support.probed.receiving import serving as listening
from tests.support.serving import Served, serving

CONTRACT = "order_cancel v1"
_WAIT = 0.2
"""Seconds."""


class Crashing(Right):
    """Answers 500 where a member is null; while it is closed, each request after the first few waits a while.

    It waits less than what is called hanging, and long enough for a probe to go on for a minute.
    """

    def __init__(self, free: int = 0) -> None:
        super().__init__()
        self.free = free
        """How many requests it answers at once while it is closed."""
        self.asked = 0
        self.is_reached = threading.Event()
        """Set once a request has to wait."""
        self._opened = threading.Event()
        self._opened.set()

    def close(self) -> None:
        self.is_reached.clear()
        self._opened.clear()

    def open(self) -> None:
        self._opened.set()

    async def answered(self, call: Call) -> Answer:
        self.asked += 1
        if self.asked > self.free and not self._opened.is_set():
            self.is_reached.set()
            await asyncio.to_thread(self._opened.wait, _WAIT)
        return await super().answered(call)

    def order(self, payload: Any) -> str:
        if _has_null(payload):
            raise TypeError("null")
        return super().order(payload)


def _has_null(value: Any) -> bool:
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return value is None or any(map(_has_null, inner))


class ProbeClient:
    """A browser without script at the page of probes, with a receiver chosen."""

    def __init__(self, served: Served, url: str) -> None:
        self.served = served
        self.shop_url = url
        self.workspace = Workspace(served.workspace)
        self.http = httpx.Client(base_url=served.url, timeout=60)
        for name, protected in {"shop": False, "live": True}.items():
            self.workspace.save_receiver(Receiver(name, url, token=TOKEN, protected=protected))
        self.choose("shop")

    def choose(self, name: str) -> None:
        self.http.post("/receivers/choose", data={"name": name})

    @property
    def kept(self) -> KeptReports:
        return KeptReports(self.workspace)

    def text(self, path: str = "/probe", status: int = 200) -> str:
        """The words of a page."""
        answer = self.http.get(path)
        assert answer.status_code == status, answer.text
        return main_words(answer.text)

    def start(self, do: str = "check", **fields: Any) -> httpx.Response:
        """Press a button of the page as it is."""
        page = self.http.get(f"/probe?contract={CONTRACT}").text
        return self.http.post("/probe/start", data={**hidden(page), "contract": CONTRACT, "do": do, **fields})

    def started(self, do: str = "check", **fields: Any) -> str:
        """The path of a probe that was started."""
        answer = self.start(do, **fields)
        assert answer.status_code == 303, main_words(answer.text)
        return str(answer.headers["location"])

    def ended(self, path: str) -> ProbeReport:
        """The report of a probe, once its stream says that it has ended."""
        with self.http.stream("GET", f"{path}/events") as stream:
            assert "event: finished" in list(stream.iter_lines())
        return self.kept.load(path.rpartition("/")[2])


@contextlib.contextmanager
def probe_client(folder: Path, shop: Right, **environment: str) -> Iterator[ProbeClient]:
    """Serve a workspace, with the shop as its receiver."""
    with listening(shop) as url, serving(folder, **environment) as served:
        client = ProbeClient(served, url)
        yield client
        if isinstance(shop, Crashing):
            shop.open()
        client.http.close()
