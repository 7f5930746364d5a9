"""A disk that is full, and a folder that is read-only: said once, where somebody looks; the rest goes on."""

from __future__ import annotations

import json
import os
import re
import resource
import signal
import subprocess
import threading
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import httpx2 as httpx
import pytest

from retailops_sandbox.model import Receiver as Receiving
from retailops_sandbox.runlog.ports import Log
from retailops_sandbox.workspace.workspace import Workspace
from tests.support.compose_client import ComposeClient
from tests.support.disks import Disk, disk
from tests.support.logged import open_log
from tests.support.orders import judged_orders, payload, write_scenario
from tests.support.pages import hidden, words
from tests.support.receivers import Peer, Receiver, receiver, response
from tests.support.serving import MAIN, PACKAGE_ROOT, Served, address

ANSWER = response(b'{"events":[]}', "Content-Type: application/json")
NO_SPACE = "(no space left on device|file too large)"
READ_ONLY = "(read-only file system|permission denied)"
KEPT_IN_MEMORY = "(the log's index is kept in memory)"
FREE_AT_FIRST = 10


class Gate:
    """A receiver that answers the first few requests, and the others when it may."""

    def __init__(self) -> None:
        self.opened = threading.Event()
        self.reached = threading.Event()

    def act(self, peer: Peer) -> None:
        while peer.read_request() is not None:
            if len(peer.receiver.requests) > FREE_AT_FIRST:
                self.reached.set()
                self.opened.wait(60)
            peer.send(ANSWER)


@pytest.fixture
def gate() -> Gate:
    return Gate()


@pytest.fixture
def shop(gate: Gate) -> Iterator[Receiver]:
    with receiver(gate.act) as shop:
        yield shop
        gate.opened.set()


@pytest.fixture
def place(tmp_path: Path, shop: Receiver) -> Iterator[Disk]:
    """A workspace on a disk of its own."""
    folder = tmp_path / "workspace"
    folder.mkdir()
    with disk(folder) as place:
        workspace = Workspace(place.folder)
        workspace.save_receiver(Receiving("shop", shop.url))
        for number in range(3 * FREE_AT_FIRST):
            write_scenario(place.folder / "scenarios", f"run-{number:03}", {"events": []})
        yield place


@pytest.fixture
def lockable(place: Disk) -> Disk:
    """The same, where it can be made read-only."""
    place.must_freeze()
    return place


def start(place: Disk, *arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        place.command(*MAIN, *arguments),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": PACKAGE_ROOT, "PYTHONUNBUFFERED": "1", "NO_COLOR": "1"},
    )


def end(process: subprocess.Popen[str]) -> tuple[int, str, list[str]]:
    """Exit code, standard output, and the lines of standard error."""
    with process:
        printed, errors = process.communicate(timeout=60)
    return process.returncode, printed, errors.splitlines()


def log_of(place: Disk) -> Log:
    return open_log(Workspace(place.folder).runs_dir)


def large(order: str) -> str:
    """A payload that fits into no corner of a full disk."""
    return json.dumps({**json.loads(payload(order)), "remark": "x" * 20_000})


def passed(printed: str) -> set[str]:
    return set(re.findall(r"✓ passed +(\S+)", printed))


# --- the command line ---


@pytest.mark.parametrize(
    "arguments",
    [
        ["run", "--receiver", "shop"],
        ["send", "default", "--receiver", "shop"],
        ["record", "--forward", "shop", "-o", "../out.scenario.json", "--port", "0"],
    ],
    ids=lambda each: each[0],
)
def test_nothing_is_sent_that_could_not_be_logged(
    lockable: Disk, shop: Receiver, arguments: list[str]
) -> None:
    for lose, regain, why in (
        (lockable.fill, lockable.clear, NO_SPACE),
        (lockable.freeze, lockable.thaw, READ_ONLY),
    ):
        lose()
        code, _, (line,) = end(start(lockable, *arguments))
        regain()
        assert code == 2
        assert re.fullmatch(rf"error: \S+\.journal: cannot be written: {why}( \(.+\))?", line)
    assert shop.requests == []
    assert list(Workspace(lockable.folder).runs_dir.iterdir()) == []


def test_a_disk_that_fills_up_ends_a_run_with_one_line(place: Disk, gate: Gate) -> None:
    process = start(place, "run", "-j", "16", "--receiver", "shop")
    assert gate.reached.wait(60)
    place.fill(process.pid)
    gate.opened.set()
    code, printed, errors = end(process)
    place.clear()
    assert code == 2
    (line,) = errors
    assert re.fullmatch(
        rf"error: \S+: cannot be written: {NO_SPACE}( \(free some space on that disk\))?", line
    )
    logged = judged_orders(log_of(place))
    assert passed(printed) <= logged.keys()
    assert set(logged.values()) <= {1}
    assert [run.problems for run in log_of(place).runs()] == [()]


def test_a_disk_that_fills_up_takes_no_report_of_another_disk(
    tmp_path: Path, place: Disk, gate: Gate
) -> None:
    place.must_be_mounted()
    names = {"--junit-xml": "r.xml", "--report-html": "r.html", "--report-json": "r.json"}
    reports = [word for option, name in names.items() for word in (option, str(tmp_path / name))]
    process = start(place, "run", "-j", "16", "--receiver", "shop", *reports)
    assert gate.reached.wait(60)
    place.fill()
    gate.opened.set()
    code, printed, errors = end(process)
    place.clear()
    assert (code, len(errors)) == (2, 1)
    assert re.search(rf"cannot be written: {NO_SPACE}", errors[0])
    junit = (tmp_path / "r.xml").read_text()
    assert junit.count("<testcase") == 3 * FREE_AT_FIRST
    skipped = junit.count("<skipped>the run ended before, as nothing more could be logged</skipped>")
    assert 0 < skipped == 3 * FREE_AT_FIRST - len(passed(printed))
    assert "nothing more could be logged" in (tmp_path / "r.html").read_text()
    reported = json.loads((tmp_path / "r.json").read_text())
    assert len(reported["deliveries"]) == sum(judged_orders(log_of(place)).values())
    assert {run.state for run in log_of(place).runs()} <= {"stopped", "interrupted"}


def test_a_run_that_cannot_be_folded_is_reported_all_the_same(
    tmp_path: Path, lockable: Disk, gate: Gate
) -> None:
    reports = ["--junit-xml", str(tmp_path / "r.xml"), "--report-json", str(tmp_path / "r.json")]
    process = start(lockable, "run", "-j", "4", "--receiver", "shop", *reports)
    assert gate.reached.wait(60)
    lockable.freeze()
    gate.opened.set()
    code, printed, errors = end(process)
    assert code == 2
    (line,) = errors
    assert re.fullmatch(rf"error: \S+\.json: cannot be written: {READ_ONLY} \(.+\)", line)
    assert f"{3 * FREE_AT_FIRST} passed, 0 failed" in printed
    assert (tmp_path / "r.xml").read_text().count("<testcase") == 3 * FREE_AT_FIRST
    assert len(json.loads((tmp_path / "r.json").read_text())["deliveries"]) == 3 * FREE_AT_FIRST
    assert judged_orders(log_of(lockable)) == Counter(passed(printed))
    lockable.thaw()


def test_a_relay_says_once_that_nothing_more_is_logged(tmp_path: Path, place: Disk) -> None:
    output = tmp_path / "out.scenario.json"
    process = start(place, "record", "--forward", "shop", "-o", str(output), "--port", "0")
    url = f"{address(process)}/order_cancel"
    assert httpx.post(url, content=payload("kept")).status_code == 200
    place.fill(process.pid)
    for number in range(3):
        lost = httpx.post(url, content=large(f"lost-{number}"))
        assert lost.status_code == 502
        assert "it went through, and could not be logged" in lost.text
    place.clear(process.pid)
    assert httpx.post(url, content=payload("kept-again")).status_code == 200
    process.send_signal(signal.SIGINT)
    code, printed, errors = end(process)
    assert code == 2
    (line,) = errors
    assert re.search(rf"what passes through cannot be logged: \S+: cannot be written: {NO_SPACE}", line)
    assert "2 steps" in printed
    assert judged_orders(log_of(place)) == Counter(["kept", "kept-again"])


def test_what_is_logged_can_be_exported_from_a_read_only_folder(lockable: Disk, gate: Gate) -> None:
    gate.opened.set()
    assert end(start(lockable, "run", "--receiver", "shop"))[0] == 0
    lockable.freeze()
    code, printed, (note,) = end(start(lockable, "export", "latest", "--format", "har"))
    assert code == 0
    assert re.search(rf"^note: \S+index\.db: cannot be written: {READ_ONLY}", note)
    assert KEPT_IN_MEMORY in note
    assert len(json.loads(printed)["log"]["entries"]) == 3 * FREE_AT_FIRST
    code, _, (_, line) = end(start(lockable, "export", "latest", "--format", "har", "-o", "here.har"))
    assert code == 2
    assert re.search(rf"here\.har: cannot be written: {READ_ONLY}", line)
    lockable.thaw()


# --- the browser ---


@pytest.fixture
def client(place: Disk) -> Iterator[ComposeClient]:
    client = serve(place)
    yield client
    client.http.close()
    with client.served.process as process:
        if process.poll() is None:
            process.kill()


def serve(place: Disk) -> ComposeClient:
    process = start(place, "serve", "--port", "0")
    return ComposeClient(Served(process, address(process), address(process), place.folder))


def leave(client: ComposeClient) -> tuple[int, list[str]]:
    """The exit code of a server that is stopped, and what it said; without the one line about the index."""
    code, errors = client.served.interrupt()
    lines = errors.splitlines()
    of_index = [line for line in lines if KEPT_IN_MEMORY in line]
    assert len(of_index) <= 1
    return code, [line for line in lines if line not in of_index]


def finished(client: ComposeClient, path: str) -> None:
    with client.http.stream("GET", f"{path}/events") as stream:
        assert "event: finished" in list(stream.iter_lines())


def told(answer: httpx.Response, why: str) -> str:
    """What an answer says, which says once what could not be written."""
    text = words(answer.text)
    assert len(re.findall("cannot be written", text)) == 1, text
    assert re.search(rf"cannot be written: {why}", text)
    return text


EVERY_PAGE = ("/", "/deliveries", "/runs", "/scenarios", "/receivers", "/record")


def test_a_delivery_that_could_not_be_logged_says_so_on_its_page(place: Disk, client: ComposeClient) -> None:
    kept = client.landed(client.sent(receiver="shop"))
    form = {**client.filled(receiver="shop", payload=large("lost")), "off_contract": "on"}
    place.fill(client.served.process.pid)
    path = client.http.post("/send", data=form).headers["location"]
    finished(client, path)
    page = client.http.get(path)
    text = told(page, NO_SPACE)
    assert "not logged" in text
    assert "It was sent, but what came of it is lost" in text
    assert 'http-equiv="refresh"' not in page.text
    assert "in flight" not in text
    # All that is there can still be looked at, and what is asked for again is said again.
    for each in (*EVERY_PAGE, f"/deliveries/{kept.delivery.id}", f"/runs/{kept.delivery.run}"):
        assert client.http.get(each).status_code == 200
    judged = client.http.post(
        f"/deliveries/{kept.delivery.id}/judge", data={"expectation": json.dumps({"body": large("x")})}
    )
    assert judged.status_code == 422
    told(judged, NO_SPACE)
    assert "xxxx" in judged.text  # What was typed is kept.
    place.clear(client.served.process.pid)
    again = client.landed(client.http.post("/send", data={**form, "form_id": "another"}).headers["location"])
    assert again.judgement is not None
    assert leave(client) == (0, [])
    assert [run.state for run in log_of(place).runs()] == ["finished"]
    assert len(judged_orders(log_of(place))) == 2


def test_a_judgement_that_could_not_be_logged_says_so_on_the_deliverys_page(client: ComposeClient) -> None:
    kept = client.landed(client.sent(receiver="shop"))
    journal = Workspace(client.served.workspace).runs_dir / f"{kept.delivery.run}.journal"
    written = journal.read_bytes()
    (delivery,) = (line for line in written.splitlines() if line.startswith(b'{"delivery"'))
    process = client.served.process.pid
    hard = resource.prlimit(process, resource.RLIMIT_FSIZE)[1]
    form = client.filled(receiver="shop", expectation=json.dumps({"body": "x" * 20_000}))
    # Room for a delivery, and not for what is expected of it.
    resource.prlimit(process, resource.RLIMIT_FSIZE, (len(written) + len(delivery) + 1000, hard))
    path = client.http.post("/send", data=form).headers["location"]
    finished(client, path)
    text = told(client.http.get(path), "file too large")
    assert "It could not be judged" in text
    assert "not judged" in text
    assert client.http.get("/deliveries").status_code == 200
    resource.prlimit(process, resource.RLIMIT_FSIZE, (hard, hard))
    assert client.http.post(f"{path}/judge", data={"expectation": '{"status": 200}'}).status_code == 303
    text = words(client.http.get(path).text)
    assert "passed" in text
    assert "could not be judged" not in text
    assert leave(client) == (0, [])


def test_runs_and_the_relay_say_that_they_cannot_begin(
    lockable: Disk, client: ComposeClient, gate: Gate
) -> None:
    gate.opened.set()
    form = run_form(client)
    for lose, regain, why in (
        (
            lambda: lockable.fill(client.served.process.pid),
            lambda: lockable.clear(client.served.process.pid),
            NO_SPACE,
        ),
        (lockable.freeze, lockable.thaw, READ_ONLY),
    ):
        lose()
        for path, fields in (
            ("/scenarios/run", {**form, "do": "listed"}),
            ("/record/start", {"receiver": "shop", "bind": "127.0.0.1", "port": "0"}),
        ):
            refused = client.http.post(path, data=fields)
            assert refused.status_code == 422
            told(refused, why)
        regain()
    started = client.http.post("/scenarios/run", data={**form, "do": "listed"})
    assert started.status_code == 303
    finished(client, started.headers["location"])
    assert leave(client) == (0, [])


def run_form(client: ComposeClient) -> dict[str, str]:
    """The fields that run the workspace's scenarios."""
    part = client.http.post("/scenarios", data={"receiver": "shop"}, headers={"HX-Target": "target"})
    return {**hidden(client.http.get("/scenarios").text), **hidden(part.text), "receiver": "shop"}


def test_a_run_that_could_not_go_on_says_so_on_its_page(
    place: Disk, client: ComposeClient, gate: Gate
) -> None:
    started = client.http.post("/scenarios/run", data={**run_form(client), "do": "listed"})
    assert started.status_code == 303, words(started.text)
    assert gate.reached.wait(60)
    place.fill(client.served.process.pid)
    gate.opened.set()
    path = started.headers["location"]
    finished(client, path)
    text = told(client.http.get(path), NO_SPACE)
    assert "It could not go on. What it had reported is here." in text
    place.clear(client.served.process.pid)
    assert leave(client) == (0, [])


def test_the_relays_page_says_what_could_not_be_logged(place: Disk, client: ComposeClient) -> None:
    client.http.post("/record/start", data={"receiver": "shop", "bind": "127.0.0.1", "port": "0"})
    found = re.search(r'id="relay-url">(http://[^<]+)<', client.http.get("/record").text)
    assert found
    url = f"{found[1]}order_cancel"
    assert httpx.post(url, content=payload("kept")).status_code == 200
    assert client.http.get("/deliveries").status_code == 200
    for number in range(3):
        # Each time: an index that finds the disk full is given up, and its room is free again.
        place.fill(client.served.process.pid)
        assert httpx.post(url, content=large(f"lost-{number}")).status_code == 502
    text = told(client.http.get("/record"), NO_SPACE)
    assert "3 that passed through could not be logged" in text
    stopped = client.http.post("/record/stop")
    if stopped.status_code != 303:
        told(stopped, NO_SPACE)
    page = words(client.http.get("/record").text)
    assert "1 delivery, recorded by the relay to shop" in page
    place.clear(client.served.process.pid)
    assert leave(client)[0] == 0
    assert judged_orders(log_of(place)) == Counter(["kept"])


def test_a_read_only_workspace_can_be_looked_at(lockable: Disk, gate: Gate) -> None:
    gate.opened.set()
    assert end(start(lockable, "run", "--receiver", "shop"))[0] == 0
    (run,) = log_of(lockable).runs()
    lockable.freeze()
    client = serve(lockable)
    for each in (*EVERY_PAGE, f"/runs/{run.id}"):
        assert client.http.get(each).status_code == 200
    assert "run-000" in words(client.http.get(f"/runs/{run.id}").text)
    refused = client.send(receiver="shop")
    assert refused.status_code == 422
    told(refused, READ_ONLY)
    lockable.thaw()
    client.landed(client.sent(receiver="shop"))
    client.http.close()
    code, (line,) = leave(client)
    assert code == 0
    assert re.search(
        rf"nothing can be sent until it can be logged: \S+: cannot be written: {READ_ONLY}", line
    )
