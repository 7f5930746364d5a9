"""What the application does about its own bugs, which no client can cause on purpose."""

from __future__ import annotations

from pathlib import Path
from typing import cast

from starlette.testclient import TestClient

from sandbox import shipped
from sandbox.engine import DeliveryLog, Transport
from sandbox.standin import StandIn
from sandbox.store.log import Log
from sandbox.web import serve
from sandbox.web.app import create_app
from sandbox.web.desk import Desk
from sandbox.web.pages import Pages
from sandbox.workspace import Workspace


class BrokenLog:
    """A log with a bug."""

    def runs(self) -> None:
        raise ZeroDivisionError("<b>secret</b>")


def test_a_bug_is_a_page_under_the_same_policy(tmp_path: Path):
    nothing = object()
    desk = Desk(
        Workspace(tmp_path),
        transport=cast(Transport, nothing),
        writer=cast(DeliveryLog, nothing),
        environment={},
        stand_in=StandIn(),
        stand_in_url="http://127.0.0.1:9",
    )
    desk.log = cast(Log, BrokenLog())
    pages = Pages(shipped.templates_dir(), Path(serve.__file__).with_name("static"))
    client = TestClient(create_app(desk, pages), base_url="http://127.0.0.1", raise_server_exceptions=False)
    answer = client.get("/deliveries")
    assert answer.status_code == 500
    assert "ZeroDivisionError" in answer.text
    assert "secret" not in answer.text
    assert answer.headers["content-security-policy"].startswith("default-src 'none'")
