"""`record` as a process: what passes through it becomes files that run."""

from __future__ import annotations

import json
import re
import signal
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from retailops_sandbox import resources
from retailops_sandbox.model import Receiver as Target
from retailops_sandbox.workspace.workspace import Workspace
from tests.support.command import COMMAND, run
from tests.support.logged import newest_deliveries, open_log
from tests.support.receivers import Peer, Receiver, answering, receiver, response, unused_port
from tests.support.record_process import recording
from tests.support.serving import serving

FIXTURES = resources.fixtures_dir() / "order_cancel"
DEFAULT = (FIXTURES / "draft" / "default.json").read_bytes()
V1 = json.dumps(
    {
        "integration_auth_token": "the-token-of-the-shop",
        "action": "order_cancel",
        "version": 1,
        "client_id": 497,
        "channel_info": {"id": 21},
        "order": {"channel_order_refnum": "496"},
    }
).encode()


@pytest.fixture
def shop() -> Iterator[Receiver]:
    with receiver(answering(response(b'{"events":[]}'))) as shop:
        yield shop


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=["ctrl-c", "sigterm"])
def test_what_was_recorded_is_written_at_the_end_and_passes(tmp_path: Path, shop: Receiver, number: int):
    with recording(tmp_path, shop.url) as process:
        assert process.post("/order_cancel", DEFAULT) == (200, b'{"events":[]}')
        process.post("/order_cancel", b"not JSON", "text/plain")
        assert not (tmp_path / "out.scenario.json").exists()
        said = process.end(number)
    assert "wrote out.scenario.json: 2 steps" in said
    document = json.loads((tmp_path / "out.scenario.json").read_text())
    assert [set(step) for step in document["steps"]] == [
        {"name", "payload", "expect"},
        {"name", "raw", "deliver", "expect"},
    ]
    done = run("run", "out.scenario.json", "--receiver", shop.url, cwd=tmp_path)
    assert done.returncode == 0, done.stdout
    sent = [request.partition(b"\r\n\r\n")[2] for request in shop.requests]
    assert json.loads(sent[2]) == json.loads(sent[0]) == json.loads(DEFAULT)
    assert sent[3] == sent[1] == b"not JSON"


def test_one_file_for_all_editions_and_no_secret_in_it(tmp_path: Path):
    answer = response(b'{"status":"success","events":[]}')
    with receiver(answering(answer)) as shop:
        with recording(tmp_path, shop.url) as process:
            process.post("/order_cancel", DEFAULT)
            process.post("/order_cancel_v1", V1)
            said = process.end()
        (file,) = (path.name for path in tmp_path.glob("*.json"))
        assert f"wrote {file}: 2 steps" in said
        text = "".join(path.read_text() for path in tmp_path.rglob("*") if path.is_file())
        assert "the-token-of-the-shop" not in text + said
        done = run("run", file, "--receiver", shop.url, "--receiver-token", "another-token", cwd=tmp_path)
        assert done.returncode == 0, done.stdout
        replayed = [json.loads(request.partition(b"\r\n\r\n")[2]) for request in shop.requests[2:]]
        tokens = [each.get("integration_auth_token", "") for each in replayed]
        assert tokens == ["", "another-token"]


def test_kill_9_loses_nothing_that_was_answered(tmp_path: Path, shop: Receiver):
    with recording(tmp_path, shop.url) as process:
        process.post("/order_cancel", DEFAULT)
        process.process.kill()
        process.process.communicate(timeout=60)
    assert not (tmp_path / "out.scenario.json").exists()
    log = open_log(Workspace(tmp_path).runs_dir)
    [run_of_it] = log.runs()
    assert run_of_it.info is not None
    assert run_of_it.info.kind == "record"
    [entry] = newest_deliveries(log, 10)
    assert json.loads(entry.delivery.request.body) == json.loads(DEFAULT)
    assert entry.delivery.response is not None


def test_nothing_recorded_writes_no_file(tmp_path: Path, shop: Receiver):
    with recording(tmp_path, shop.url) as process:
        assert "out.scenario.json was not written" in process.end()
    assert not (tmp_path / "out.scenario.json").exists()


def test_off_loopback_the_path_is_needed(tmp_path: Path, shop: Receiver):
    with recording(tmp_path, shop.url, "--bind", "0.0.0.0") as process:
        whole = process.url.replace("0.0.0.0", "127.0.0.1")
        base, _, path = whole.rpartition("/")
        assert len(path) > 20
        process.url = base
        assert process.post("/order_cancel", DEFAULT) == (404, b"")
        process.url = whole
        assert process.post("/order_cancel", DEFAULT)[0] == 200
        assert "in place of 0.0.0.0, the address by which the caller reaches this machine" in process.end()
    assert len(shop.requests) == 1


def test_a_file_that_came_to_be_there_meanwhile_is_kept(tmp_path: Path, shop: Receiver):
    with recording(tmp_path, shop.url) as process:
        process.post("/order_cancel", DEFAULT)
        (tmp_path / "out.scenario.json").write_text("somebody's")
        assert "wrote out-2.scenario.json" in process.end()
    assert (tmp_path / "out.scenario.json").read_text() == "somebody's"


def test_replacing_is_said(tmp_path: Path, shop: Receiver):
    (tmp_path / "out.scenario.json").write_text("before")
    with recording(tmp_path, shop.url, "--replace") as process:
        process.post("/order_cancel", DEFAULT)
        process.end()
    assert json.loads((tmp_path / "out.scenario.json").read_text())["steps"]


def test_volatile_values_become_rules(tmp_path: Path):
    uuid = "0f8fad5b-d9cb-469f-a165-70867728950%d"
    numbers = iter(range(10))

    def act(peer: Peer) -> None:
        while peer.read_request() is not None:
            peer.send(response(b'{"events":[],"id":"%b"}' % (uuid % next(numbers)).encode()))

    with receiver(act) as shop:
        with recording(tmp_path, shop.url) as process:
            process.post("/order_cancel", DEFAULT)
            assert "1 step, 1 rule for what looks volatile" in process.end()
        done = run("run", "out.scenario.json", "--receiver", shop.url, cwd=tmp_path)
        assert done.returncode == 0, done.stdout


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (["--forward", "shop.example", "-o", "x.json"], "there is no receiver 'shop.example'"),
        (["--forward", "http://x", "-o", "gone/x.json"], "there is no folder gone"),
        (
            ["--forward", "http://x", "-o", "here.json"],
            "here.json: is there already (name another file, or give",
        ),
        (["--forward", "http://x", "-o", "."], "is a folder"),
        (["--forward", "http://x", "-o", "x.json", "--bind", "192.0.2.1"], "cannot listen at 192.0.2.1"),
        (["--forward", "live", "-o", "x.json"], "the receiver 'live' is protected"),
        (["--forward", "http://x", "-o", "x.json", "--cacert", "gone.pem"], "gone.pem: cannot be read"),
    ],
)
def test_a_mistake_is_one_line_and_leaves_nothing(tmp_path: Path, options: list[str], says: str):
    Workspace(tmp_path).save_receiver(Target("live", f"http://127.0.0.1:{unused_port()}", protected=True))
    (tmp_path / "here.json").write_text("")
    done = run("record", *options, "--port", "0", cwd=tmp_path)
    assert done.returncode == 2
    assert says in done.stderr
    assert done.stderr.count("\n") == 1
    assert not list(tmp_path.glob(".sandbox/runs/*"))


def test_a_port_that_is_taken_is_one_line(tmp_path: Path, shop: Receiver):
    done = run("record", "--forward", shop.url, "-o", "x.json", "--port", shop.port, cwd=tmp_path)
    assert done.returncode == 2
    assert f"cannot listen at 127.0.0.1:{shop.port}" in done.stderr
    assert COMMAND not in done.stderr


# --- the relay of the browser ---


def form(url: str, **fields: str) -> str:
    """Send a form of the browser application; the page that comes of it."""
    body = urllib.parse.urlencode(fields).encode()
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(urllib.request.Request(url, body), timeout=60) as answer:
        text: str = answer.read().decode()
        return text


def test_the_browsers_relay_ends_with_the_process_and_its_run_is_whole(tmp_path: Path, shop: Receiver):
    Workspace(tmp_path).save_receiver(Target("shop", shop.url))
    with serving(tmp_path) as served:
        page = form(f"{served.url}/record/start", receiver="shop", bind="127.0.0.1", port="0")
        found = re.search(r'id="relay-url">(http://[^<]+)<', page)
        assert found
        relay = urllib.request.Request(f"{found[1]}order_cancel", DEFAULT)
        with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(relay, timeout=60) as answer:
            assert answer.read() == b'{"events":[]}'
        code, errors = served.interrupt()
    assert (code, errors) == (0, "")
    log = open_log(Workspace(tmp_path).runs_dir)
    [recorded] = [each for each in log.runs() if each.info and each.info.kind == "record"]
    assert recorded.state == "finished"
    assert recorded.deliveries == 1


def test_a_second_relay_is_refused(tmp_path: Path, shop: Receiver):
    Workspace(tmp_path).save_receiver(Target("shop", shop.url))
    with serving(tmp_path) as served:
        form(f"{served.url}/record/start", receiver="shop", bind="127.0.0.1", port="0")
        with pytest.raises(urllib.error.HTTPError, match="422"):
            form(f"{served.url}/record/start", receiver="shop", bind="127.0.0.1", port="0")
        assert [path for path in tmp_path.glob(".sandbox/runs/*") if path.suffix == ".journal"] != []


def test_a_review_that_is_not_known_says_where_its_deliveries_are(tmp_path: Path):
    with serving(tmp_path) as served, pytest.raises(urllib.error.HTTPError) as refused:
        form(f"{served.url}/record/reviews/gone", do="save")
    assert refused.value.code == 404
    assert "What was recorded is in the log" in refused.value.read().decode()
