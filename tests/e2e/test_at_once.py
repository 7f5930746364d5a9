"""Several processes at work on one workspace at once: nothing is lost, and nothing mixed."""

from __future__ import annotations

import json
import re
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx2 as httpx
import pytest
from tinydb import TinyDB

from retailops_sandbox.model import Receiver as Receiving
from retailops_sandbox.runlog.entries import Entry
from retailops_sandbox.workspace.workspace import Workspace
from tests.support.compose_client import ComposeClient
from tests.support.logged import open_log
from tests.support.orders import entries, order_in, payload, started, write_scenario
from tests.support.pages import words
from tests.support.receivers import Peer, Receiver, receiver, response
from tests.support.serving import serving

SCENARIOS = 120
SENT = 12
"""By each browser."""
POSTED = 40
"""By each caller of the relay."""


def answer(order: str) -> dict[str, object]:
    return {"events": [], "order": order}


def answer_each_order(peer: Peer) -> None:
    """Every answer names the order that it is about."""
    while (request := peer.read_request()) is not None:
        order = order_in(request.partition(b"\r\n\r\n")[2])
        peer.send(response(json.dumps(answer(order)).encode(), "Content-Type: application/json"))


@pytest.fixture
def shop() -> Iterator[Receiver]:
    with receiver(answer_each_order) as shop:
        yield shop


def browse(url: str, name: str, form: dict[str, str], begin: Callable[[], object]) -> list[tuple[str, str]]:
    """Send through one browser, and look at each delivery's page; the ids, with their orders."""
    sent: list[tuple[str, str]] = []
    with httpx.Client(base_url=url, timeout=60) as http:
        begin()
        for number in range(SENT):
            order = f"{name}-{number:03}"
            fields = {"payload": payload(order).decode(), "expectation": json.dumps({"body": answer(order)})}
            gone = http.post("/send", data={**form, **fields, "form_id": order})
            assert gone.status_code == 303, gone.text
            path = gone.headers["location"]
            with http.stream("GET", f"{path}/events") as stream:
                assert "event: finished" in list(stream.iter_lines())
            page = words(http.get(path).text)
            assert "\N{CHECK MARK} passed" in page
            assert f'"order": "{order}"' in page
            sent.append((path.rpartition("/")[2], order))
    return sent


def post(url: str, name: str, begin: Callable[[], object]) -> list[str]:
    """Post to a relay; the orders that were answered."""
    with httpx.Client(timeout=60) as http:
        begin()
        for number in range(POSTED):
            order = f"{name}-{number:03}"
            came = http.post(url, content=payload(order))
            assert (came.status_code, came.json()) == (200, answer(order))
    return [f"{name}-{number:03}" for number in range(POSTED)]


def order_of(entry: Entry) -> str:
    return order_in(entry.delivery.request.body)


def test_browsers_a_run_and_a_relay_at_once(tmp_path: Path, shop: Receiver) -> None:
    workspace = Workspace(tmp_path)
    workspace.save_receiver(Receiving("shop", shop.url))
    (tmp_path / "many").mkdir()
    planned = [f"run-{number:03}" for number in range(SCENARIOS)]
    for order in planned:
        write_scenario(tmp_path / "many", order, answer(order))
    relaying = ("record", "--forward", "shop", "-o", "recorded.scenario.json", "--port", "0")
    with (
        serving(tmp_path) as served,
        serving(tmp_path) as second,
        started(tmp_path, *relaying) as relay,
        ThreadPoolExecutor(5) as pool,
    ):
        assert relay.stdout is not None
        found = re.search(r"http://\S+", relay.stdout.readline())
        assert found
        client, other = ComposeClient(served), ComposeClient(second)
        form = client.filled(receiver="shop")
        begin = threading.Barrier(6, timeout=60).wait
        browsing = [
            pool.submit(browse, url, name, form, begin)
            for url, name in ((served.url, "one"), (served.url, "two"), (second.url, "three"))
        ]
        posting = [pool.submit(post, f"{found[0]}order_cancel", name, begin) for name in ("four", "five")]
        begin()
        with started(tmp_path, "run", "many", "-j", "16", "--receiver", "shop") as run:
            printed, errors = run.communicate(timeout=120)
        assert (run.returncode, errors) == (0, "")
        assert sorted(re.findall(r"passed +(run-\d+)", printed)) == planned
        by_browser = [each.result() for each in browsing]
        posted = [order for each in posting for order in each.result()]
        relay.terminate()
        recorded, errors = relay.communicate(timeout=60)
        assert (relay.returncode, errors) == (0, "")
        assert f"wrote recorded.scenario.json: {len(posted)} steps" in recorded

        # Each browser shows what the other processes sent, while nobody has ended.
        for id, order in (by_browser[0][0], by_browser[2][0]):
            for each in (client, other):
                assert f'"order": "{order}"' in words(each.http.get(f"/deliveries/{id}").text)
        log = open_log(workspace.runs_dir)
        for page in (words(each.http.get("/deliveries").text) for each in (client, other)):
            assert f"{len(entries(log)):,}" in page
        for each in (client, other):
            each.http.close()
        assert [each.interrupt() for each in (served, second)] == [(0, ""), (0, "")]

    sent = [order for browser in by_browser for _, order in browser]
    logged = open_log(workspace.runs_dir)
    assert [(run.state, run.problems) for run in logged.runs()] == [("finished", ())] * 4
    everything = Counter(map(order_of, entries(logged)))
    assert everything == Counter(planned + sent + posted)
    for id, order in (pair for browser in by_browser for pair in browser):
        entry = logged.delivery(id)
        assert entry is not None
        assert order_of(entry) == order

    # Each run has what its own process sent, each answer stands with its request, each is judged once.
    whose: dict[str, set[str]] = {}
    for entry in entries(logged):
        order = order_of(entry)
        delivery = entry.delivery
        whose.setdefault(delivery.run, set()).add(order)
        assert delivery.response is not None
        assert json.loads(delivery.response.body) == answer(order)
        verdict = "recorded" if order in posted else "passed"
        assert [(each.delivery, each.verdict) for each in entry.judgements] == [(delivery.id, verdict)]
    one, two, three = ({order for _, order in browser} for browser in by_browser)
    assert sorted(whose.values(), key=len) == sorted([three, one | two, set(posted), set(planned)], key=len)
    for run in logged.runs():
        with TinyDB(workspace.runs_dir / f"{run.id}.json", access_mode="r") as database:
            opened = {order_in(each["request"]["body"]) for each in database.table("deliveries")}
            assert opened == whose[run.id]
