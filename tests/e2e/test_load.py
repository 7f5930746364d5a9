"""`load` as processes: users, judged answers, what the log keeps, workers, and how it ends."""

from __future__ import annotations

import csv
import importlib.util
import json
import os
import pty
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import httpx2 as httpx
import pytest

from retailops_sandbox.contracts.catalogue import Contracts
from retailops_sandbox.errors import UsageError
from retailops_sandbox.load import launching, setup
from retailops_sandbox.load.evidence import MOST_ALIKE
from retailops_sandbox.load.setup import LoadSetup, Role
from retailops_sandbox.model import Receiver as Target
from retailops_sandbox.runlog.opening import open_log as open_shared_log
from retailops_sandbox.runlog.place import LogPlace
from retailops_sandbox.scenarios.scenario import read as read_scenario
from tests.support import command
from tests.support.command import COMMAND, environment
from tests.support.logged import newest_deliveries, open_log
from tests.support.receivers import Peer, Receiver, answering, receiver, response, unused_port

NOTHING = response(b'{"events":[]}', "Content-Type: application/json")
PASSES = {"status": 200, "body": {"events": []}}
FAILS = {"status": 418}


@pytest.fixture
def shop() -> Iterator[Receiver]:
    with receiver(answering(NOTHING)) as shop:
        yield shop


def scenario(folder: Path, name: str, expect: object = PASSES, **step: object) -> None:
    first = {"name": "send", "fixture": "default", "expect": expect, **step}
    (folder / f"{name}.scenario.json").write_text(json.dumps({"name": f"{name} it", "steps": [first]}))


@contextmanager
def started(folder: Path, shop: Receiver, *arguments: object) -> Iterator[subprocess.Popen[str]]:
    """`load` of the folder's scenarios, killed at the end unless it has ended."""
    users = [] if "--worker" in arguments else ["--users", "2"]
    words = [COMMAND, "load", ".", "--receiver", shop.url, *users, *map(str, arguments)]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    with subprocess.Popen(words, cwd=folder, env=environment(), text=True, **pipes) as process:
        try:
            yield process
        finally:
            process.kill()


class Process:
    """One process of a load test, without the command around it. A worker minds two seconds of silence."""

    def __init__(self, stack: ExitStack, folder: Path, role: Role, shop: Receiver, port: int) -> None:
        step = {"name": "send", "fixture": "default", "set": {"/data/order/ip_address": "at ${sequence}"}}
        text = json.dumps({"steps": [step]})
        asked = LoadSetup(
            workspace=folder,
            plans=(read_scenario(text, id="s", file=""),),
            receiver=Target(name="shop", base_url=shop.url),
            role=role,
            master_port=port,
            rate=100.0,
            pace=15.0,
            users=1500,
            spawn_rate=0.0,
        )
        code = (
            "from retailops_sandbox.load import joining, process; joining._SILENT = 2; exit(process.main())"
        )
        self.process = stack.enter_context(
            subprocess.Popen(
                [sys.executable, "-P", "-c", code],
                env=environment(LOCUST_SKIP_MONKEY_PATCH="1"),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
            )
        )
        stack.callback(self.process.kill)
        assert self.process.stdin is not None
        self.process.stdin.write(setup.written(asked))
        self.process.stdin.flush()


def children(process: int) -> list[int]:
    """The processes that a process has started."""
    return [int(each) for each in Path(f"/proc/{process}/task/{process}/children").read_text().split()]


def is_alive(process: int) -> bool:
    status = Path(f"/proc/{process}/stat")
    return status.exists() and status.read_text().rpartition(")")[2].split()[0] != "Z"


def is_listening(port: int) -> bool:
    with socket.socket() as trial:
        return trial.connect_ex(("127.0.0.1", port)) == 0


def wait_until(happens: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 30
    while not happens():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def load(*arguments: object, cwd: Path, **more: str) -> subprocess.CompletedProcess[str]:
    return command.run("load", ".", *arguments, cwd=cwd, **more)


def statistics(prefix: Path) -> dict[str, dict[str, str]]:
    """The rows of Locust's statistics by the names of requests."""
    with open(f"{prefix}_stats.csv", encoding="utf-8", newline="") as file:
        return {row["Name"]: row for row in csv.DictReader(file)}


def test_wrong_answers_count_as_failures_and_the_log_keeps_some(tmp_path: Path, shop: Receiver):
    scenario(tmp_path, "right")
    scenario(tmp_path, "wrong", FAILS)
    done = load("--receiver", shop.url, "--users", 4, "--time", 0.8, "--csv", "found", cwd=tmp_path)
    assert done.returncode == 1, done.stderr
    assert done.stdout.startswith(f"sends to {shop.url} as 4 users\n")
    rows = statistics(tmp_path / "found")
    right, wrong = rows["right.scenario.json / send"], rows["wrong.scenario.json / send"]
    assert right["Type"] == "order_cancel draft"
    assert right["Failure Count"] == "0"
    assert wrong["Failure Count"] == wrong["Request Count"] != "0"
    sent = int(right["Request Count"]) + int(wrong["Request Count"])
    assert sent == len(shop.requests), "each is counted, and none is cut off at the end"
    assert "failed: status: expected 418, got 200" in done.stdout
    log = open_log(tmp_path / ".sandbox" / "runs")
    (run,) = log.runs()
    assert run.info is not None
    assert (run.info.kind, run.state) == ("load", "finished")
    assert run.deliveries == MOST_ALIKE < int(wrong["Failure Count"])
    newest = newest_deliveries(log, 1)[0]
    assert newest.judgement is not None
    assert newest.judgement.verdict == "failed"
    assert newest.delivery.scenario == "wrong.scenario.json"


def test_the_workers_of_a_machine_count_as_one(tmp_path: Path, shop: Receiver):
    scenario(tmp_path, "right")
    scenario(tmp_path, "wrong", FAILS)
    reports = ("--csv", "found", "--html", "page.html", "--json", "found.json")
    options = ("--users", 4, "--time", 0.8, "--processes", 2, *reports)
    done = load("--receiver", shop.url, *options, cwd=tmp_path)
    assert (done.returncode, done.stderr) == (1, "")
    rows = statistics(tmp_path / "found")
    assert int(rows["Aggregated"]["Request Count"]) == len(shop.requests), "also the last of each worker"
    assert rows["wrong.scenario.json / send"]["Failure Count"] != "0"
    (run,) = open_log(tmp_path / ".sandbox" / "runs").runs()
    assert run.deliveries == MOST_ALIKE < int(rows["Aggregated"]["Failure Count"])
    found = json.loads((tmp_path / "found.json").read_text())
    assert sum(each["num_requests"] for each in found["statistics"]) == len(shop.requests)
    assert "right.scenario.json / send" in (tmp_path / "page.html").read_text()


@pytest.mark.parametrize("processes", [(), ("--processes", 1)])
def test_what_is_in_flight_at_the_end_is_counted(tmp_path: Path, processes: tuple[object, ...]):
    """A receiver that answers nobody would have no failure, if its users were stopped with the time."""
    with receiver(Peer.hang) as shop:
        scenario(tmp_path, "late")
        # Locust's master waits for half a second until its workers have told all.
        options = ("--users", 2, "--time", 0.8, "--timeout", 1.4, "--csv", "found", *processes)
        done = load("--receiver", shop.url, *options, cwd=tmp_path)
    assert done.returncode == 3, "there were only faults"
    assert statistics(tmp_path / "found")["Aggregated"]["Failure Count"] == "2"
    assert "late.scenario.json / send: deadline" in done.stdout


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_all_processes_with_the_report_written(tmp_path: Path, number: signal.Signals):
    scenario(tmp_path, "late")
    with (
        receiver(Peer.hang) as shop,
        started(tmp_path, shop, "--processes", 1, "--html", "page.html") as load,
    ):
        # The first connection asks whether anybody listens, before there are processes.
        wait_until(lambda: shop.connections > 1)
        processes = children(load.pid)
        assert len(processes) == 2
        load.send_signal(number)
        output, _ = load.communicate(timeout=30)
        assert load.returncode == 130
        assert not any(map(is_alive, processes))
    assert "\ninterrupted: what was in flight was cancelled and counts as nothing\n" in output
    assert "Locust" in (tmp_path / "page.html").read_text()
    (run,) = open_log(tmp_path / ".sandbox" / "runs").runs()
    assert (run.state, run.deliveries) == ("stopped", 0), "what the signal ended is no failure"


def test_nothing_outlives_the_command(tmp_path: Path):
    scenario(tmp_path, "late")
    with receiver(Peer.hang) as shop, started(tmp_path, shop, "--processes", 1) as load:
        wait_until(lambda: shop.connections > 1)
        processes = children(load.pid)
        load.kill()
        wait_until(lambda: not any(map(is_alive, processes)))


def test_a_terminal_shows_how_it_goes(tmp_path: Path, shop: Receiver):
    scenario(tmp_path, "wrong", FAILS)
    ours, theirs = pty.openpty()
    words = [COMMAND, "load", ".", "--receiver", shop.url, "--users", "2", "--time", "0.8"]
    width = environment(TERM="xterm", COLUMNS="100")
    with subprocess.Popen(words, cwd=tmp_path, env=width, stdout=theirs, start_new_session=True):
        os.close(theirs)
        shown = read_all(ours)
    assert f"sends to {shop.url} as 2 users\r\n" in shown
    drawn = [part for part in shown.split("\r\x1b[K") if "█" in part]
    assert re.search(r"2 users  [\d,]+ requests  [\d,]+ failed  \d+ s$", drawn[-1])
    assert max(map(len, drawn)) < 100
    assert "\r\x1b[KType " in shown, "the statistics begin where the line was"


def read_all(terminal: int) -> str:
    """All that is shown on a terminal until nobody has its other end open."""
    text = b""
    while True:
        try:
            text += os.read(terminal, 65536)
        except OSError:
            os.close(terminal)
            return text.decode()


def test_secrets_are_in_no_page_and_no_report(tmp_path: Path):
    """Not even where the receiver says them in an answer that differs."""

    def act(peer: Peer) -> None:
        while (request := peer.read_request()) is not None:
            token = request.partition(b"X-Key: ")[2].partition(b"\r\n")[0]
            peer.send(response(b'{"events":[],"key":"%b"}' % token, "Content-Type: application/json"))

    scenario(tmp_path, "echoed")
    with receiver(act) as shop:
        url = shop.url.replace("://", "://user:open-sesame-1@") + "/?key=${env:SHOP_KEY}"
        done = load(
            *("--receiver", url, "-H", "X-Key: ${env:SHOP_KEY}", "--users", 1, "--time", 0.6),
            *("--html", "page.html", "--csv", "found", "--json", "found.json"),
            cwd=tmp_path,
            SHOP_KEY="rosebud-123456",
        )
    assert done.returncode == 1, done.stderr
    files = [path.read_text() for path in tmp_path.rglob("*") if path.is_file()]
    assert len(files) >= 7
    for text in (done.stdout, done.stderr, *files):
        assert "rosebud-123456" not in text
        assert "open-sesame-1" not in text
    assert "/key: expected nothing" in done.stdout


def test_the_page_of_locust_starts_a_test_and_answers_only_its_own(tmp_path: Path, shop: Receiver):
    scenario(tmp_path, "right")
    port = unused_port()
    page = f"http://127.0.0.1:{port}"

    def state() -> tuple[int, list[str]]:
        """How many users there are, and the states of the workers."""
        shown = httpx.get(f"{page}/stats/requests").json()
        return shown["user_count"], [worker["state"] for worker in shown["workers"]]

    with started(tmp_path, shop, "--web", "--web-port", port, "--processes", 1) as load:
        assert load.stdout is not None
        assert load.stdout.readline() == f"Locust's page is at {page} (Ctrl-C ends it)\n"
        wait_until(lambda: is_listening(port))
        form = {"user_count": "2", "spawn_rate": "2", "host": "http://elsewhere.example"}
        foreign = {"Origin": "http://evil.example"}
        assert httpx.post(f"{page}/swarm", data=form, headers=foreign).status_code == 403
        image = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "no-cors"}
        assert httpx.get(f"{page}/stats/requests", headers=image).status_code == 403
        link = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate"}
        assert httpx.get(page, headers=link).status_code == 200
        assert httpx.get(page, headers={"Host": f"evil.example:{port}"}).status_code == 403
        assert "the receiver is" in httpx.post(f"{page}/swarm", data=form).json()["message"]
        assert not shop.requests
        for _ in range(2):  # a worker is there for the next test, too
            wait_until(lambda: state() == (0, ["ready"]))
            assert httpx.post(f"{page}/swarm", data=form | {"host": shop.url}).json()["success"]
            wait_until(lambda: state() == (2, ["running"]))
            wait_until(lambda: httpx.get(f"{page}/stats/requests").json()["total_rps"] > 0)
            assert httpx.post(f"{page}/stop").json()["success"]
        assert "right.scenario.json / send" in httpx.get(f"{page}/stats/requests/csv").text
        load.send_signal(signal.SIGINT)
        assert load.wait(timeout=30) == 0, "a test that was over, and passed"


def test_a_shared_log_keeps_what_failed(tmp_path: Path, shop: Receiver, database: str):
    scenario(tmp_path, "wrong", FAILS)
    done = load("--receiver", shop.url, "--users", 2, "--time", 0.8, "--log", database, cwd=tmp_path)
    assert (done.returncode, done.stderr) == (1, "")
    (run,) = open_shared_log(LogPlace(tmp_path, database), Contracts).runs()
    assert run.info is not None
    assert (run.info.kind, run.state, run.deliveries) == ("load", "finished", MOST_ALIKE)
    assert not [*tmp_path.glob(".sandbox/shared/runs/*.json*")], "nothing waits to be pushed"


def test_a_database_without_tables_ends_all_processes(
    tmp_path: Path, shop: Receiver, database_without_tables: str
):
    scenario(tmp_path, "right")
    options = ("--processes", 1, "--time", 30, "--log", database_without_tables)
    done = load("--receiver", shop.url, *options, cwd=tmp_path)
    assert done.returncode == 2
    assert done.stderr.startswith("error: ")
    assert "make them: retailops-sandbox log init" in done.stderr
    assert done.stderr.count("\n") == 1
    assert not shop.requests


def test_a_worker_that_would_send_something_else_is_refused_in_a_line_on_both_sides(
    tmp_path: Path, shop: Receiver
):
    port = unused_port()
    own, other = tmp_path / "own", tmp_path / "other"
    for folder, expect in ((own, PASSES), (other, FAILS)):
        folder.mkdir()
        scenario(folder, "cancel", expect)
    with (
        started(own, shop, "--master", "--master-port", port) as master,
        receiver(answering(NOTHING)) as elsewhere,
        started(other, elsewhere, "--worker", "--master-port", port) as worker,
    ):
        found = [each.communicate(timeout=30) for each in (master, worker)]
    why = (
        f"it sends to {elsewhere.url}, and the master's test is of {shop.url}; "
        "its scenarios differ from the master's"
    )
    at = f"127.0.0.1:{port}"
    assert found == [
        (f"waits for 1 worker at {at}\n", f"error: a worker was refused: {why}\n"),
        (f"waits for the master at {at}\n", f"error: the master at {at} refused this worker: {why}\n"),
    ]
    assert [master.returncode, worker.returncode] == [2, 2]
    assert not shop.requests
    assert not elsewhere.requests


def test_workers_share_the_users_and_send_no_more_when_their_master_is_gone(tmp_path: Path, shop: Receiver):
    """One of them comes while the master, which waits for one alone, has the other start the users."""
    port = unused_port()

    def sent(worker: int) -> bool:
        # Each worker has a billion numbers of a sequence for itself.
        return any(
            int(request.partition(b'"at ')[2].partition(b'"')[0]) // 10**9 == worker
            for request in list(shop.requests)
        )

    with ExitStack() as stack:
        master = Process(stack, tmp_path, "master", shop, port)
        assert master.process.stdout is not None
        assert master.process.stdout.readline() == b"waits for 1 worker at 127.0.0.1:%d\n" % port
        workers = [Process(stack, tmp_path, "worker", shop, port).process for _ in range(2)]
        wait_until(lambda: sent(0) and sent(1))
        master.process.kill()
        assert [worker.wait(timeout=30) for worker in workers] == [setup.UNABLE] * 2
        said = f"error: the master at 127.0.0.1:{port} is gone, and this worker sends no more\n"
        for worker in workers:
            assert worker.stderr is not None
            assert worker.stderr.read().decode() == said


def test_a_worker_that_dies_before_it_has_begun_is_not_waited_for(tmp_path: Path, shop: Receiver):
    scenario(tmp_path, "right")
    with started(tmp_path, shop, "--processes", 1) as load:
        wait_until(lambda: len(children(load.pid)) == 2)
        master, worker = children(load.pid)
        os.kill(worker, signal.SIGKILL)
        _, errors = load.communicate(timeout=30)
        assert not is_alive(master)
    assert (load.returncode, errors) == (2, "error: a worker ended before the test began\n")
    assert not shop.requests


def test_a_reader_that_is_gone_changes_nothing(tmp_path: Path, shop: Receiver):
    scenario(tmp_path, "right")
    with started(tmp_path, shop, "--time", 0.3, "--json", "found.json") as load:
        assert load.stdout is not None
        load.stdout.close()
        assert load.wait(timeout=30) == 0
        assert load.stderr is not None
        assert load.stderr.read() == ""
    assert json.loads((tmp_path / "found.json").read_text())


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (
            ["nothing.json"],
            "there is no file or folder 'nothing.json' (name a scenario file, or a folder of them)",
        ),
        (["empty"], "no scenario files in empty (name a scenario file, or a folder of them)"),
        (["a.scenario.json", "--receiver", "nobody"], "there is no receiver 'nobody' in"),
        (
            ["a.scenario.json", "--receiver", "live"],
            "the receiver 'live' is protected: nothing is sent without an explicit yes",
        ),
        (["a.scenario.json", "--receiver", "live", "--worker"], "the receiver 'live' is protected"),
        (["a.scenario.json", "--processes", "2", "--master"], "--processes, --master and --worker exclude"),
        (["a.scenario.json", "--workers", "2"], "--workers has no meaning without --master"),
        (["a.scenario.json", "--master-port", "5557"], "no meaning without --master or --worker"),
        (["a.scenario.json", "--web-port", "8089"], "--web-port has no meaning without --web"),
        (
            ["a.scenario.json", "--worker", "--rate", "9"],
            "--rate has no meaning with --worker (give it to the",
        ),
        (["a.scenario.json", "--collide", "--users", "1"], "--collide has no meaning with one user"),
        (["a.scenario.json", "--html", "nowhere/x.html"], "there is no folder"),
        (["a.scenario.json", "--csv", "nowhere/x"], "there is no folder"),
        (["unknown.scenario.json"], "unknown placeholder ${nope}"),
        (["broken.scenario.json"], "its payload breaks the contract at /data/order: is missing (correct it"),
    ],
)
def test_a_mistake_is_one_line(tmp_path: Path, arguments: list[str], said: str):
    scenario(tmp_path, "a")
    scenario(tmp_path, "unknown", set={"/data/order/id": "${nope}"})
    scenario(tmp_path, "broken", remove=["/data/order"])
    (tmp_path / "empty").mkdir()
    live = {"name": "live", "base_url": "http://127.0.0.1:1", "protected": True}
    (tmp_path / "receivers.json").write_text(json.dumps({"receivers": {"1": live}}))
    receiver = [] if "--receiver" in arguments else ["--stand-in"]
    done = command.run_forked("load", *arguments, *receiver, cwd=tmp_path)
    assert done.returncode == 2
    assert said in done.stderr
    assert done.stderr.startswith("error: ")
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize(
    ("wait", "said"),
    [
        ([], "nothing listens at {} (start your receiver, or give --wait SECONDS)"),
        (["--wait", "0.05"], "nothing listened at {} within 0.05 s"),
    ],
)
def test_a_receiver_that_is_not_there_is_one_line_and_nothing_is_sent(
    tmp_path: Path, wait: list[str], said: str
):
    scenario(tmp_path, "a")
    url = f"http://127.0.0.1:{unused_port()}"
    done = command.run_forked("load", ".", "--receiver", url, *wait, cwd=tmp_path)
    assert (done.returncode, done.stdout, done.stderr) == (3, "", said.format(url) + "\n")


@pytest.mark.parametrize("option", ["--web-port", "--master-port"])
def test_a_port_that_is_taken_is_one_line(tmp_path: Path, shop: Receiver, option: str):
    scenario(tmp_path, "a")
    role = "--web" if option == "--web-port" else "--master"
    done = command.run_forked("load", ".", "--receiver", shop.url, role, option, shop.port, cwd=tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    said = f"cannot listen at 127.0.0.1:{shop.port}: Address already in use (give another one by {option})"
    assert done.stderr == f"error: {said}\n"


def test_without_locust_one_line_says_what_to_install(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(UsageError, match=r"install it: pip install 'retailops-sandbox\[load\]'"):
        launching.require_locust()
