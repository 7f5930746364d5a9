"""Every row of the table over real sockets, through `run`, `serve` and `record`."""

from __future__ import annotations

import contextlib
import html
import http.client
import json
import signal
import subprocess
import threading
import urllib.parse
from collections.abc import Callable, Iterator
from typing import Any
from xml.etree import ElementTree

import msgspec
import pytest

from retailops_sandbox import composing
from retailops_sandbox.contracts.catalogue import SHIPPED_CONTRACTS
from retailops_sandbox.model import Delivery, Judgement, Receiver
from retailops_sandbox.workspace.workspace import Workspace
from tests.hostile.table import ROWS, TIMEOUT_MS, Row
from tests.support.command import COMMAND
from tests.support.compose_client import ComposeClient
from tests.support.receivers import Act, Peer, receiver
from tests.support.serving import address as serving_address
from tests.support.serving import serving

BY_NAME = {row.name: row for row in ROWS}


class Outcome(msgspec.Struct, frozen=True):
    """What a face made of a row."""

    delivery: Delivery
    judgement: Judgement
    shown: tuple[str, ...] = ()
    """What it shows to people."""


def answering(row: Row) -> Act:
    """Answers each connection's one request as a row says."""

    def act(peer: Peer) -> None:
        if peer.read_request() is None:
            return
        peer.send(row.answer)
        if row.then == "hang":
            peer.hang()
        elif row.then == "reset":
            peer.reset()

    return act


class ByPath:
    """Answers as the row says whose name the path begins with. `wait` returns when a connection is closed."""

    def __init__(self) -> None:
        self._closed = threading.Semaphore(0)

    def __call__(self, peer: Peer) -> None:
        request = peer.read_request()
        if request is not None:
            row = BY_NAME[request.split(b" ", 2)[1].decode().split("/")[1]]
            answering(row)(Peer(peer.sock, peer.receiver, request))
            peer.sock.close()
            self._closed.release()

    def wait(self) -> None:
        assert self._closed.acquire(timeout=60)


@pytest.fixture(scope="module")
def ports() -> Iterator[dict[str, int]]:
    """A port for each row, so that no row's connection is used for another."""
    with contextlib.ExitStack() as stack:
        yield {row.name: stack.enter_context(receiver(answering(row))).port for row in ROWS}


@pytest.fixture(scope="module")
def by_run(ports: dict[str, int], tmp_path_factory: pytest.TempPathFactory) -> dict[str, Outcome]:
    """All rows as scenarios of one run; its receiver's URL has variables for the port and the name."""
    folder = tmp_path_factory.mktemp("run")
    url = "http://127.0.0.1:${port}/${row}"
    Workspace(folder).save_receiver(Receiver("shop", url, timeout_ms=TIMEOUT_MS))
    for row in ROWS:
        document = {
            "name": row.name,
            "edition": row.edition,
            "variables": {"port": ports[row.name], "row": row.name},
            "steps": [{"name": "send", "fixture": "default", "expect": None}],
        }
        file = folder / "scenarios" / f"{row.name}.scenario.json"
        file.parent.mkdir(exist_ok=True)
        file.write_text(json.dumps(document))
    reports = {"--report-json": folder / "run.json", "--junit-xml": folder / "junit.xml"}
    command = [COMMAND, "run", "--receiver", "shop", "--workspace", folder, "-v", "-j", 32]
    command += [each for pair in reports.items() for each in pair]
    done = subprocess.run(list(map(str, command)), capture_output=True, text=True, check=False, timeout=120)
    assert (done.returncode, done.stderr) == (1, "")
    failures = ElementTree.parse(reports["--junit-xml"]).iterfind(".//testcase")
    said = {case.get("name", ""): "".join(case.itertext()) for case in failures}
    run = json.loads(reports["--report-json"].read_text())
    return outcomes(run, lambda name: (done.stdout, said[name]))


@pytest.fixture(scope="module")
def by_serve(
    ports: dict[str, int], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Callable[[Row], Outcome]]:
    """Sends a row from the compose page of a served workspace, and looks at its delivery's page."""
    folder = tmp_path_factory.mktemp("serve")
    workspace = Workspace(folder)
    for row in ROWS:
        url = f"http://127.0.0.1:{ports[row.name]}/{row.name}"
        workspace.save_receiver(Receiver(row.name, url, timeout_ms=TIMEOUT_MS))
    with serving(folder) as served:
        client = ComposeClient(served)

        def send(row: Row) -> Outcome:
            agreed = SHIPPED_CONTRACTS.load("order_cancel", row.edition)
            form = {
                "form_id": row.name,
                "action": "order_cancel",
                "edition": row.edition,
                "payload": workspace.read_fixture("order_cancel", row.edition, "default"),
                "receiver": row.name,
                "shown": composing.url(workspace.receivers().named(row.name), agreed, SHIPPED_CONTRACTS),
                "expectation": "",
                "variables": "{}",
            }
            sent = client.http.post("/send", data=form)
            assert sent.status_code == 303, sent.text
            entry = client.landed(sent.headers["location"])
            assert entry.judgement is not None
            page = client.http.get(sent.headers["location"])
            assert page.status_code == 200
            return Outcome(entry.delivery, entry.judgement, (html.unescape(page.text),))

        yield send
        client.http.close()


@pytest.fixture(scope="module")
def by_record(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Outcome]:
    """All rows through one relay, which somebody else posts to."""
    folder = tmp_path_factory.mktemp("record")
    workspace = Workspace(folder)
    by_path = ByPath()
    with receiver(by_path) as there:
        command = [COMMAND, "record", "--forward", there.url, "-o", folder / "out.scenario.json", "--port", 0]
        command += ["--workspace", folder, "--timeout", TIMEOUT_MS / 1000]
        with subprocess.Popen(
            list(map(str, command)), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        ) as process:
            address = urllib.parse.urlsplit(serving_address(process)).netloc
            try:
                for row in ROWS:
                    pass_through(address, workspace, row)
                    by_path.wait()  # a connection that is about to be closed must not be used again
            finally:
                process.send_signal(signal.SIGINT)
                printed, errors = process.communicate(timeout=60)
    assert errors == ""
    (run,) = workspace.runs_dir.glob("*.json")
    shown = {name: () if row.fault else (printed,) for name, row in BY_NAME.items()}
    return outcomes(json.loads(run.read_text()), shown.__getitem__)


def pass_through(address: str, workspace: Workspace, row: Row) -> None:
    """Post a payload for a row to the relay, and read its answer."""
    agreed = SHIPPED_CONTRACTS.load("order_cancel", row.edition)
    payload = workspace.read_fixture("order_cancel", row.edition, "default").encode()
    with contextlib.closing(http.client.HTTPConnection(address, timeout=60)) as connection:
        connection.putrequest("POST", f"/{row.name}{agreed.path}", skip_accept_encoding=True)
        connection.putheader("Content-Type", "application/json")
        connection.putheader("Content-Length", str(len(payload)))
        connection.endheaders(payload)
        connection.getresponse().read()


def outcomes(run: dict[str, Any], shown: Callable[[str], tuple[str, ...]]) -> dict[str, Outcome]:
    """The outcomes in a run file, by the row's name, which the URL holds."""
    judged = {row["delivery"]: msgspec.convert(row, Judgement) for row in run["judgements"].values()}
    sent = [msgspec.convert(row, Delivery) for row in run["deliveries"].values()]
    named = {urllib.parse.urlsplit(each.request.url).path.split("/")[1]: each for each in sent}
    return {name: Outcome(each, judged[each.id], shown(name)) for name, each in named.items()}


def check(row: Row, outcome: Outcome, verdict: str) -> None:
    delivery, judgement = outcome.delivery, outcome.judgement
    fault = delivery.fault
    assert (judgement.verdict, fault.kind if fault else "") == (verdict, row.fault)
    if verdict == "recorded":
        return
    words = fault.message if fault else judgement.reason
    assert words.startswith(row.says), words
    assert not words.endswith((":", ": "))
    assert "HTTP/0.9" not in words
    for shown in outcome.shown:
        # A run prints the violations themselves, and no number of them.
        assert row.says in shown or "the response breaks the contract:" in shown


@pytest.mark.parametrize("row", ROWS, ids=[row.name for row in ROWS])
def test_a_hostile_answer_in_a_run(row: Row, by_run: dict[str, Outcome]):
    check(row, by_run[row.name], row.verdict)


@pytest.mark.parametrize("row", ROWS, ids=[row.name for row in ROWS])
def test_a_hostile_answer_in_the_browser(row: Row, by_serve: Callable[[Row], Outcome]):
    check(row, by_serve(row), row.verdict)


@pytest.mark.parametrize("row", ROWS, ids=[row.name for row in ROWS])
def test_a_hostile_answer_through_a_relay(row: Row, by_record: dict[str, Outcome]):
    check(row, by_record[row.name], row.relayed or row.verdict)


def test_every_row_has_a_name_of_its_own():
    assert len(BY_NAME) == len(ROWS)
