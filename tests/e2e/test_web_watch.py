"""Watching a run in the browser: what makes what run again, and how a watch ends."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from retailops_sandbox.model import Receiver
from tests.support.pages import main_words
from tests.support.receivers import receiver, unused_port
from tests.support.run_client import FAILS, NOTHING, PASSES, RunClient, run_client
from tests.support.shop import Shop


@pytest.fixture
def shop() -> Shop:
    return Shop()


@pytest.fixture
def client(tmp_path: Path, shop: Shop) -> Iterator[RunClient]:
    with run_client(tmp_path, shop) as client:
        yield client


def watched(client: RunClient, *ids: str) -> str:
    """The path of the run with which the watch of these scenarios began, once the run has ended."""
    path = client.started(*ids, do="watch")
    client.ended(path)
    return path


def followed(client: RunClient, path: str) -> str:
    """The path of the run that follows, when it has ended, as the page's stream leads there."""
    page = client.http.get(path).text
    stream = re.search(r'sse-connect="(/watch/events\?seen=\d+)"', page)
    assert stream is not None, main_words(page)
    with client.http.stream("GET", stream[1]) as events:
        assert "event: again" in list(events.iter_lines())
    asked = client.http.get(f"/watch?of={path.removeprefix('/runs/')}")
    assert asked.status_code == 303
    following = str(asked.headers["location"])
    if following != path:
        client.ended(following)
    return following


def ran(client: RunClient, path: str) -> dict[str, str]:
    """The verdicts of a run by scenario."""
    return {each.scenario: each.verdict for each in client.log.results(path.removeprefix("/runs/"))}


def test_a_change_runs_again_what_did_not_pass(client: RunClient, shop: Shop):
    good, bad = client.scenario("good", PASSES), client.scenario("bad", FAILS)
    first = watched(client, good, bad)
    assert ran(client, first) == {good: "passed", bad: "failed"}
    page = client.text(first)
    assert "Watching 2 scenarios." in page
    assert "One run is watched at a time" in page
    fixed = {"name": "cancel", "fixture": "default", "expect": {"body": NOTHING}}
    client.scenario("bad", fixed)
    second = followed(client, first)
    assert ran(client, second) == {bad: "passed"}
    assert "This run: scenarios/bad.scenario.json changed." in client.text(second)
    assert "Another run is watched" in client.text(first)
    # Where all pass, a change of a fixture runs all again.
    folder = client.workspace.root / "fixtures" / "order_cancel" / "draft"
    folder.mkdir(parents=True)
    (folder / "default.json").write_text(client.workspace.read_fixture("order_cancel", "draft", "default"))
    third = followed(client, second)
    assert set(ran(client, third)) == {good, bad}
    # A file that is no scenario is said, and not run.
    (client.workspace.root / bad).write_text("{")
    fourth = followed(client, third)
    assert set(ran(client, fourth)) == {good}
    assert "1 unreadable" in client.text(fourth)
    (client.workspace.root / good).unlink()
    assert followed(client, fourth) == fourth
    assert "but nothing ran" in client.text(fourth)
    stopped = client.http.post(f"{fourth}/watch", data={"do": "stop"})
    assert stopped.headers["location"] == fourth
    assert "Watching" not in client.text(fourth)


def test_a_receiver_that_is_back_runs_what_failed(client: RunClient):
    port = unused_port()
    client.workspace.save_receiver(Receiver("mine", f"http://127.0.0.1:{port}"))
    good = client.scenario("good", PASSES)
    path = client.started(good, receiver="mine")
    client.ended(path)
    assert ran(client, path) == {good: "errored"}
    assert client.http.post(f"{path}/watch", data={}).status_code == 303
    with receiver(Shop().act, port=port):
        following = followed(client, path)
    assert ran(client, following) == {good: "passed"}
    assert "the receiver is back" in client.text(following)


def test_a_watch_takes_the_place_of_another(client: RunClient):
    good, bad = client.scenario("good", PASSES), client.scenario("bad", FAILS)
    first, second = watched(client, good), watched(client, bad)
    assert "Another run is watched" in client.text(first)
    assert "Watching 1 scenario." in client.text(second)
    assert client.http.post(f"{first}/watch", data={}).status_code == 303
    assert "Watching 1 scenario." in client.text(first)
    assert "Watching" not in client.text(second)


def test_nothing_is_watched_that_would_be_sent_to_a_protected_receiver(client: RunClient, shop: Shop):
    good = client.scenario("good", PASSES)
    refused = client.start(good, receiver="live", do="watch", confirmed="live")
    assert refused.status_code == 422
    assert "live is protected, and a watch would send to it by itself" in main_words(refused.text)
    assert shop.requests == []
    path = client.started(good, receiver="live", confirmed="live")
    client.ended(path)
    assert "/watch" not in client.http.get(path).text
    assert client.http.post(f"{path}/watch", data={}).status_code == 400
    assert client.http.post("/runs/none/watch", data={}).status_code == 404
    assert client.http.get("/watch").headers["location"] == "/runs"


def test_the_icon_tells_the_verdict_also_without_a_script(client: RunClient, shop: Shop):
    bad = client.scenario("bad", FAILS)
    path = watched(client, bad)
    page = client.http.get(path).text
    icon = re.search(r'<link rel="icon" href="([^"]+)">', page)
    assert icon is not None
    assert "M5 5l6 6" in icon[1]
    assert f'<noscript><meta http-equiv="refresh" content="5; url=/watch?of={path[6:]}"></noscript>' in page
