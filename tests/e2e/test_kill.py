"""`kill -9` of busy processes, at any moment: whatever one of them had reported is in the log, once.

A run has reported a scenario when it has printed its line; `serve` has reported a delivery when its page
shows a verdict; a relay has reported one when its caller has the answer. Every delivery sends an order id of
its own, so that each can be told from the others wherever it turns up.
"""

from __future__ import annotations

import random
import re
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx2 as httpx
import pytest
from tinydb import TinyDB

from retailops_sandbox.model import Receiver as Receiving
from retailops_sandbox.runlog.postgres.log import PostgresLog
from retailops_sandbox.workspace.workspace import Workspace
from tests.support.command import run_forked
from tests.support.compose_client import ComposeClient
from tests.support.logged import open_log, shipped
from tests.support.orders import judged_orders, order_in, payload, started, write_scenario
from tests.support.receivers import Receiver, answering, receiver, response
from tests.support.serving import serving

ANSWER = response(b'{"events":[]}', "Content-Type: application/json")
SCENARIOS = 60
SENDERS = 6
"""How many threads keep a process busy."""
LONGEST = 0.25
"""Seconds that a process is kept busy at most."""


class Senders:
    """Threads that send until what they send to is no more, and the orders whose delivery was reported."""

    def __init__(self, send: Callable[[int, Senders], None]) -> None:
        self.reported: list[str] = []
        self.failures: list[BaseException] = []
        self._send = send
        self._threads = [threading.Thread(target=self._work, args=(number,)) for number in range(SENDERS)]
        for thread in self._threads:
            thread.start()

    def _work(self, number: int) -> None:
        try:
            self._send(number, self)
        except httpx.HTTPError:
            pass  # It was killed.
        except BaseException as error:
            self.failures.append(error)

    def wait(self) -> None:
        """Until the first was reported, and then for no time or some."""
        while not self.reported and any(thread.is_alive() for thread in self._threads):
            time.sleep(0.005)
        time.sleep(random.uniform(0, LONGEST))

    def end(self) -> list[str]:
        for thread in self._threads:
            thread.join()
        assert self.failures == []
        return self.reported


def kill_a_run(folder: Path, shop: Receiver, number: int) -> list[str]:
    """Kill a `run -j 16`, also while it ends and folds; the orders of the scenarios that it had printed."""
    name = f"r{number:03}"
    scenarios = folder / name
    scenarios.mkdir()
    for index in range(SCENARIOS):
        order = f"{name}-{index:03}"
        write_scenario(scenarios, order, {"events": []})
    reported: list[str] = []
    with started(folder, "run", name, "-j", "16", "--receiver", shop.url) as process:
        assert process.stdout is not None
        most = random.randint(1, SCENARIOS + 1)
        for line in process.stdout:
            reported += re.findall(r"✓ passed +(\S+)", line)
            if len(reported) >= most or "passed, 0 failed" in line:
                break
        process.kill()
        reported += re.findall(r"✓ passed +(\S+)", process.stdout.read())
    assert reported
    return reported


def kill_serve(folder: Path, shop: Receiver, number: int) -> list[str]:
    """Kill a `serve` that several browsers send through; the orders whose page had shown a verdict."""
    with serving(folder) as served:
        client = ComposeClient(served)
        form = client.filled(receiver="shop")
        client.http.close()

        def send(sender: int, told: Senders) -> None:
            with httpx.Client(base_url=served.url, timeout=20) as http:
                for count in range(1000):
                    order = f"s{number:03}-{sender}-{count:03}"
                    fields = {**form, "form_id": order, "payload": payload(order).decode()}
                    sent = http.post("/send", data=fields)
                    assert sent.status_code == 303, sent.text
                    while "in flight" in (page := http.get(sent.headers["location"]).text):
                        pass
                    assert order in page
                    told.reported.append(order)

        senders = Senders(send)
        senders.wait()
        served.process.kill()
        return senders.end()


def kill_a_relay(folder: Path, shop: Receiver, number: int) -> list[str]:
    """Kill a `record` that several callers post through; the orders that they had an answer for."""
    output = f"recorded-{number:03}.scenario.json"
    with started(folder, "record", "--forward", shop.url, "-o", output, "--port", "0") as process:
        assert process.stdout is not None
        found = re.search(r"http://\S+", process.stdout.readline())
        assert found
        url = f"{found[0]}order_cancel"

        def post(sender: int, told: Senders) -> None:
            with httpx.Client(timeout=20) as http:
                for count in range(10_000):
                    order = f"p{number:03}-{sender}-{count:04}"
                    answer = http.post(url, content=payload(order))
                    assert (answer.status_code, answer.text) == (200, '{"events":[]}')
                    told.reported.append(order)

        senders = Senders(post)
        senders.wait()
        process.kill()
        process.stdout.read()
        return senders.end()


@pytest.fixture
def shop() -> Iterator[Receiver]:
    with receiver(answering(ANSWER)) as shop:
        yield shop


KILLS = {
    "a run": (kill_a_run, 8),
    "serve": (kill_serve, 5),
    "a relay": (kill_a_relay, 7),
}


@pytest.mark.parametrize("what", KILLS)
def test_what_was_reported_survives_a_kill(tmp_path: Path, shop: Receiver, what: str, soak: bool) -> None:
    kill, times = KILLS[what]
    workspace = Workspace(tmp_path)
    workspace.save_receiver(Receiving("shop", shop.url))

    def kept() -> Counter[str]:
        return judged_orders(open_log(workspace.runs_dir))

    reported: set[str] = set()
    for number in range(times * 10 if soak else times):
        orders = kill(tmp_path, shop, number)
        assert len(set(orders)) == len(orders)
        reported.update(orders)
        assert reported - kept().keys() == set()
    assert len(reported) >= times
    before = kept()
    assert set(before.values()) == {1}
    # The next process to serve the workspace folds what the dead ones left, beside its work.
    with serving(tmp_path) as served:
        assert httpx.get(f"{served.url}/deliveries", timeout=60).status_code == 200
        code, errors = served.interrupt()
    assert (code, errors) == (0, "")
    assert kept() == before
    files = list(workspace.runs_dir.iterdir())
    assert [path for path in files if path.suffix == ".journal"] == []
    opened: Counter[str] = Counter()
    for path in files:
        if path.suffix == ".json":
            with TinyDB(path, access_mode="r") as database:
                judged = {each["delivery"] for each in database.table("judgements")}
                for each in database.table("deliveries"):
                    assert each["run"] == path.stem
                    if each["id"] in judged:
                        opened[order_in(each["request"]["body"])] += 1
    assert opened == before


@pytest.mark.parametrize("what", KILLS)
def test_what_was_reported_is_in_the_database_whoever_is_killed(
    tmp_path: Path, shop: Receiver, what: str, soak: bool, database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    kill, _ = KILLS[what]
    monkeypatch.setenv("RETAILOPS_SANDBOX_LOG", database)
    Workspace(tmp_path).save_receiver(Receiving("shop", shop.url))
    # Without the run files of this machine, which may have more.
    log = PostgresLog(database, shipped)
    reported: set[str] = set()
    for number in range(50 if soak else 1):
        orders = kill(tmp_path, shop, number)
        assert len(set(orders)) == len(orders)
        reported.update(orders)
        kept = judged_orders(log)
        assert reported - kept.keys() == set()
        assert set(kept.values()) == {1}
    assert reported
    pushed = run_forked("log", "push", "--log", database, cwd=tmp_path)
    assert (pushed.returncode, pushed.stderr) == (0, "")
    assert list((tmp_path / ".sandbox" / "shared" / "runs").iterdir()) == []
    after = judged_orders(log)
    assert kept.keys() <= after.keys()
    assert set(after.values()) == {1}
