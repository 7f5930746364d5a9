"""What no client can cause on purpose: the application's own bugs, and waiting where all would wait."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, cast

import msgspec
import pytest
from starlette.testclient import TestClient

from retailops_sandbox.model import Fault
from retailops_sandbox.runlog.entries import Entry
from retailops_sandbox.runlog.log import FileLog
from retailops_sandbox.runlog.ports import Log
from retailops_sandbox.runlog.rows import DeliveryRow
from retailops_sandbox.web.app import Application
from retailops_sandbox.workspace.workspace import Workspace
from tests.support.apps import app_of
from tests.support.logged import shipped
from tests.support.records import RUN, judge, make_delivery, open_run


class BrokenLog:
    """A log with a bug."""

    def cursor(self) -> None:
        return None

    def runs(self) -> None:
        raise ZeroDivisionError("<b>secret</b>")

    def in_flight(self) -> list[DeliveryRow]:
        return []

    def count(self) -> int:
        return 0

    def away(self) -> str:
        return ""

    def unwritten(self) -> str:
        return ""

    def waiting(self) -> list[str]:
        return []


class WatchedLog(FileLog):
    """A log that knows whether it was asked where all pages and sends would wait for it."""

    asked_in_loop: bool = False

    def _asked(self, *args: Any, **options: Any) -> Any:
        with contextlib.suppress(RuntimeError):
            asyncio.get_running_loop()
            self.asked_in_loop = True
        return super()._asked(*args, **options)


class AwayLog(FileLog):
    """The files that are here while the shared log is away."""

    def away(self) -> str:
        return "postgresql://shop: cannot be reached"


def client_of(folder: Path, log: Log) -> TestClient:
    return TestClient(app_of(folder, log).asgi, base_url="http://127.0.0.1", raise_server_exceptions=False)


def test_an_empty_list_claims_nothing_of_a_log_that_is_away(tmp_path: Path):
    page = client_of(tmp_path, AwayLog(tmp_path / "runs", shipped, print)).get("/deliveries").text
    assert "No delivery is kept here." in page
    assert "Nothing has been sent" not in page


def test_a_bug_is_a_page_under_the_same_policy(tmp_path: Path):
    answer = client_of(tmp_path, cast(Log, BrokenLog())).get("/deliveries")
    assert answer.status_code == 500
    assert "ZeroDivisionError" in answer.text
    assert "secret" not in answer.text
    assert answer.headers["content-security-policy"].startswith("default-src 'none'")


@pytest.mark.parametrize(
    "path",
    [
        "/deliveries",
        "/deliveries?text=order",
        "/deliveries/latency",
        f"/deliveries/{RUN}.000001?text=order",
        f"/deliveries/{RUN}.000001/request",
        f"/?from={RUN}.000001",
        "/runs",
        f"/runs/{RUN}",
        "/runs/none",
        "/deliveries/none.000001",
    ],
)
def test_no_page_looks_through_the_log_where_everybody_waits(tmp_path: Path, path: str):
    workspace = Workspace(tmp_path)
    with open_run(workspace.runs_dir) as run:
        delivery = make_delivery(run)
        run.append(delivery)
        run.append(judge(delivery))
    log = WatchedLog(workspace.runs_dir, shipped, print)
    assert client_of(tmp_path, log).get(path).status_code == (404 if "none" in path else 200)
    assert not log.asked_in_loop


def test_the_last_answer_is_looked_for_in_lines_and_not_in_records(tmp_path: Path):
    asked: list[str] = []

    class CountedLog(FileLog):
        def delivery(self, id: str) -> Entry | None:
            asked.append(id)
            return super().delivery(id)

    workspace = Workspace(tmp_path)
    with open_run(workspace.runs_dir) as run:
        for second in range(9):
            delivery = make_delivery(run, f"2024-05-01T12:00:0{second}.000Z")
            receiver, fault = ("stand-in", Fault("refused", "")) if second == 4 else ("other", None)
            run.append(msgspec.structs.replace(delivery, receiver=receiver, fault=fault, fixture="default"))
    form = {"action": "order_cancel", "edition": "draft", "receiver": "stand-in", "fixture": "default"}
    form |= {"payload": "{}", "do": "expect-last:"}
    answer = client_of(tmp_path, CountedLog(workspace.runs_dir, shipped, print)).post("/compose", data=form)
    assert f"From the answer to {RUN}.000005" in answer.text
    assert asked == [f"{RUN}.000005"]


def test_what_is_under_way_is_stopped_in_order_whatever_one_of_it_does():
    stopped: list[str] = []

    def stop(name: str) -> Callable[[], Awaitable[None]]:
        async def call() -> None:
            stopped.append(name)
            if name == "relay":
                raise OSError("the disk is full")

        return call

    application = Application(lambda *_: stop("asgi")(), [stop("sends"), stop("relay"), stop("runs")], [])
    with pytest.raises(OSError, match="the disk is full"):
        asyncio.run(application.stop())
    assert stopped == ["sends", "relay", "runs"]
