"""Files that are not what they should be: deleted, pipes, links, half written, or readable by everybody."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import socket
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx2 as httpx
import pytest

from retailops_sandbox.model import Receiver as Receiving
from retailops_sandbox.workspace.workspace import Workspace
from tests.support.command import COMMAND, environment, run
from tests.support.compose_client import ComposeClient
from tests.support.logged import open_log
from tests.support.orders import judged_orders
from tests.support.orders import write_scenario as write
from tests.support.pages import words
from tests.support.receivers import Peer, Receiver, answering, receiver, response
from tests.support.serving import serving

ANSWER = response(b'{"events":[]}', "Content-Type: application/json")
PAGES = ("/", "/deliveries", "/runs", "/scenarios", "/receivers", "/record")


def write_scenario(folder: Path, name: str) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    write(folder, name, {"events": []})


@pytest.fixture(scope="module")
def shop() -> Iterator[Receiver]:
    with receiver(answering(ANSWER)) as shop:
        yield shop


@pytest.fixture
def workspace(tmp_path: Path, shop: Receiver) -> Workspace:
    workspace = Workspace(tmp_path / "workspace")
    workspace.save_receiver(Receiving("shop", shop.url), is_default=True)
    write_scenario(workspace.root / "scenarios", "cancel")
    return workspace


@pytest.fixture
def client(workspace: Workspace) -> Iterator[ComposeClient]:
    with serving(workspace.root) as served:
        client = ComposeClient(served)
        yield client
        client.http.close()


# --- deleted ---


def test_a_log_that_is_deleted_while_it_is_written_is_made_anew(
    workspace: Workspace, client: ComposeClient
) -> None:
    before = client.landed(client.sent(receiver="shop"))
    shutil.rmtree(workspace.root / ".sandbox")
    after = client.landed(client.sent(receiver="shop"))
    assert after.delivery.run == before.delivery.run
    for each in (before, after):
        assert client.http.get(f"/deliveries/{each.delivery.id}").status_code == 200
    assert client.served.interrupt() == (0, "")
    assert {each.delivery.id for each in open_log(workspace.runs_dir).deliveries(before.delivery.run)} == {
        before.delivery.id,
        after.delivery.id,
    }


def test_a_delivery_in_flight_while_the_log_is_deleted_is_logged(tmp_path: Path) -> None:
    def act(peer: Peer) -> None:
        while peer.read_request() is not None:
            shutil.rmtree(tmp_path / ".sandbox")
            peer.send(ANSWER)

    write_scenario(tmp_path / "scenarios", "cancel")
    with receiver(act) as shop:
        done = run("run", "scenarios", "--receiver", shop.url, "--report-json", "run.json", cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert sum(judged_orders(open_log(tmp_path / ".sandbox" / "runs")).values()) == 1
    assert len(json.loads((tmp_path / "run.json").read_text())["deliveries"]) == 1


def test_nothing_is_sent_where_the_log_cannot_be_made_anew(
    workspace: Workspace, client: ComposeClient, shop: Receiver
) -> None:
    client.landed(client.sent(receiver="shop"))
    shutil.rmtree(workspace.root / ".sandbox")
    (workspace.root / ".sandbox").write_text("in its place")
    seen = len(shop.requests)
    refused = client.send(receiver="shop")
    assert refused.status_code == 422
    assert "cannot be written: " in words(refused.text)
    started = client.http.post("/record/start", data={"receiver": "shop", "bind": "127.0.0.1", "port": "0"})
    assert started.status_code == 422
    assert len(shop.requests) == seen
    (workspace.root / ".sandbox").unlink()
    client.landed(client.sent(receiver="shop"))


# --- pipes, devices and sockets ---


def special(path: Path, kind: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.unlink(missing_ok=True)
    if kind == "pipe":
        os.mkfifo(path)
    elif kind == "device":
        path.symlink_to("/dev/zero")
    else:
        here = os.getcwd()
        os.chdir(path.parent)  # A socket's path is short.
        with socket.socket(socket.AF_UNIX) as sock:
            sock.bind(path.name)
        os.chdir(here)


KINDS = ("pipe", "device", "socket")


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_no_file_is_said_and_waited_for_by_nothing(
    workspace: Workspace, tmp_path: Path, kind: str
) -> None:
    runs = workspace.runs_dir
    for name in ("20260101T000000Z-aaaaaa.json", "20260101T000001Z-aaaaaa.journal"):
        special(runs / name, kind)
    special(tmp_path / "given", kind)
    special(workspace.root / "scenarios" / "special.scenario.json", kind)
    special(workspace.root / "fixtures/order_cancel/draft/special.json", kind)
    for arguments, code in (
        (["log", "list"], 0),
        (["log", "list", "--runs"], 0),
        (["log", "show", "20260101T000000Z-aaaaaa"], 0),
        (["log", "reindex"], 0),
        (["run", "scenarios"], 2),
        (["run", "../given"], 2),
        (["send", "special"], 1),
        (["send", "default", "--expect", "../given"], 2),
        (["serve", "--open", "../given", "--port", "0"], 2),
        (["send", "default", "--cacert", "../given"], 2),
        (["export", "../given", "--format", "har"], 2),
        (["import", "../given", "--fixture", "new"], 2),
    ):
        done = run(*arguments, cwd=workspace.root)
        assert "Traceback" not in done.stderr
        assert len(done.stderr.splitlines()) <= 3, done.stderr
        assert done.returncode in (code, 2), (arguments, done)
        if arguments[0] in ("run", "send", "serve", "import") or arguments[1] == "list":
            assert re.search("is not a regular file|is a link|a link leads out", done.stderr + done.stdout), (
                done
            )
    with serving(workspace.root) as served, httpx.Client(base_url=served.url, timeout=60) as http:
        for page in (*PAGES, "/?fixture=special", "/runs/20260101T000000Z-aaaaaa"):
            assert http.get(page).status_code < 500
        assert "special.scenario.json" in words(http.get("/scenarios").text)


@pytest.mark.parametrize("kind", KINDS)
def test_receivers_that_are_no_file_are_said(workspace: Workspace, kind: str) -> None:
    special(workspace.receivers_file, kind)
    done = run("run", "scenarios", cwd=workspace.root)
    assert done.returncode == 2
    (line,) = done.stderr.splitlines()
    assert "receivers.json" in line
    with serving(workspace.root) as served, httpx.Client(base_url=served.url, timeout=60) as http:
        assert "receivers.json" in words(http.get("/receivers").text)


def test_a_report_for_a_pipe_that_nobody_reads_is_said(workspace: Workspace) -> None:
    os.mkfifo(workspace.root / "pipe")
    for option in ("--junit-xml", "--report-html", "--report-json"):
        done = run("run", option, "pipe", cwd=workspace.root)
        assert done.returncode == 2
        assert done.stderr == "error: pipe: cannot be written: it is a pipe that nobody reads\n"


def test_a_report_is_written_into_a_pipe_that_is_read(workspace: Workspace) -> None:
    os.mkfifo(workspace.root / "pipe")
    for option, start in {"--junit-xml": "<?xml", "--report-json": '{"deliveries"'}.items():
        with subprocess.Popen(["cat", workspace.root / "pipe"], stdout=subprocess.PIPE, text=True) as reader:
            # The reader's opening waits for a writer, which begins with this one.
            done = run(
                *("sh", "-c", 'exec 3>pipe; "$0" run "$1" pipe', COMMAND, option),
                cwd=workspace.root,
                command=(),
            )
            assert (done.returncode, done.stderr) == (0, "")
            assert reader.communicate(timeout=60)[0].startswith(start)


# --- links ---


def test_links_out_of_the_workspace_are_not_read(workspace: Workspace, tmp_path: Path) -> None:
    run("run", "scenarios", cwd=workspace.root)
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "secret.json").write_text('{"secret": "the-secret-of-somebody"}')
    write_scenario(elsewhere, "theirs")
    kept = next(iter(workspace.runs_dir.glob("*.json"))).rename(elsewhere / "20260101T000000Z-aaaaaa.json")
    kept.write_text(kept.read_text().replace(kept.read_text().split('"id":"')[1].split(".")[0], kept.stem))
    fixtures = workspace.root / "fixtures/order_cancel/draft"
    fixtures.mkdir(parents=True)
    (fixtures / "linked.json").symlink_to(elsewhere / "secret.json")
    scenario = workspace.root / "scenarios" / "linked.scenario.json"
    scenario.symlink_to(elsewhere / "theirs.scenario.json")
    (workspace.runs_dir / kept.name).symlink_to(kept)
    done = run("run", "scenarios", cwd=workspace.root)
    assert done.returncode == 2
    assert f"unreadable  {scenario.relative_to(workspace.root)}: is not read: a link leads out" in done.stdout
    sent = run("send", "linked", cwd=workspace.root)
    assert sent.returncode == 2
    assert "linked.json: is not read: a link leads out of the folder, to " in sent.stdout + sent.stderr
    listed = run("log", "list", cwd=workspace.root)
    assert kept.stem not in listed.stdout
    assert f"{kept.name.removesuffix('.json')}" in listed.stderr
    assert "it is a link" in listed.stderr
    with serving(workspace.root) as served, httpx.Client(base_url=served.url, timeout=60) as http:
        for page in (*PAGES, "/?fixture=linked", "/scenarios/show?id=scenarios/linked.scenario.json"):
            answer = http.get(page)
            assert answer.status_code < 500
            assert "the-secret-of-somebody" not in answer.text
        assert "is not read: a link leads out" in words(http.get("/?fixture=linked").text)
        assert "is not read: a link leads out" in words(http.get("/scenarios").text)


@pytest.mark.parametrize("name", [".sandbox", ".sandbox/runs", "scenarios", "fixtures", "receivers.json"])
def test_a_folder_or_file_that_is_a_link_out_of_the_workspace_is_said(
    workspace: Workspace, tmp_path: Path, shop: Receiver, name: str
) -> None:
    there = tmp_path / "elsewhere" / name
    there.parent.mkdir(parents=True, exist_ok=True)
    here = workspace.root / name
    if here.exists():
        shutil.move(here, there)
    else:
        there.mkdir()
    if name == "fixtures":
        (there / "order_cancel/draft").mkdir(parents=True)
        (there / "order_cancel/draft/default.json").write_text("{}")
    here.symlink_to(there)
    before = sorted((tmp_path / "elsewhere").rglob("*"))
    done = run("send", "default", "--receiver", "shop", cwd=workspace.root)
    if name != "scenarios":
        assert done.returncode == 2, done
        assert "is not read: a link leads out of the folder" in done.stderr + done.stdout
    else:
        done = run("run", cwd=workspace.root)
        assert done.returncode == 2, done
        assert "is not read: a link leads out of the folder" in done.stderr + done.stdout
    assert sorted((tmp_path / "elsewhere").rglob("*")) == before


def test_links_within_the_workspace_are_followed(workspace: Workspace) -> None:
    write_scenario(workspace.root / "shared", "other")
    link = workspace.root / "scenarios" / "linked.scenario.json"
    link.symlink_to(workspace.root / "shared" / "other.scenario.json")
    aside = workspace.root.with_name("by-a-link")
    aside.symlink_to(workspace.root)
    done = run("run", cwd=aside)
    assert (done.returncode, done.stderr) == (0, "")
    assert "2 passed" in done.stdout


# --- who may read ---


def modes(folder: Path) -> dict[str, str]:
    return {
        str(path.relative_to(folder)): oct(stat.S_IMODE(path.stat().st_mode))[2:]
        for path in [folder, *folder.rglob("*")]
    }


@pytest.mark.parametrize("umask", [0o022, 0o000, 0o077])
def test_what_holds_evidence_is_for_its_owner_alone(tmp_path: Path, shop: Receiver, umask: int) -> None:
    before = os.umask(umask)
    try:
        write_scenario(tmp_path / "scenarios", "cancel")
        assert run("run", "scenarios", "--receiver", shop.url, cwd=tmp_path).returncode == 0
        assert run("log", "list", cwd=tmp_path).returncode == 0
        with serving(tmp_path) as served:
            client = ComposeClient(served)
            form = client.filled(payload='{"version": "1"}', save_as="mine", do="save")
            assert client.http.post("/compose", data=form).status_code == 200
            client.landed(client.sent())
            found = modes(tmp_path / ".sandbox")
            client.http.close()
    finally:
        os.umask(before)
    assert any(name.endswith(".journal") for name in found)
    assert "index.db" in found
    assert any(name.startswith("undo/") for name in found)
    for name, mode in (found | modes(tmp_path / ".sandbox")).items():
        if name != ".gitignore":
            expected = "700" if (tmp_path / ".sandbox" / name).is_dir() else "600"
            if name == "undo":
                continue  # It lies in a folder that nobody else can enter.
            assert (name, mode) == (name, expected)


def test_files_and_folders_that_are_there_keep_their_modes(workspace: Workspace) -> None:
    for folder in (workspace.root / ".sandbox", workspace.runs_dir):
        folder.mkdir(exist_ok=True)
        folder.chmod(0o755)
    workspace.receivers_file.chmod(0o640)
    workspace.save_receiver(Receiving("other", "http://127.0.0.1:1"))
    assert run("run", cwd=workspace.root).returncode == 0
    assert modes(workspace.root)["receivers.json"] == "640"
    assert modes(workspace.root)[".sandbox"] == "755"
    assert modes(workspace.root)[".sandbox/runs"] == "755"
    report = workspace.root / "run.json"
    for mode in ("644", "600"):
        if mode == "600":
            report.chmod(0o600)
        assert run("run", "--report-json", report, "--junit-xml", "r.xml", cwd=workspace.root).returncode == 0
        assert modes(workspace.root)["run.json"] == mode


# --- half written ---


KILLED_WHILE_WRITING = """
import os, signal, sys
from pathlib import Path
from retailops_sandbox.runlog.files import atomic
from retailops_sandbox.workspace import files
target = Path(sys.argv[1])
if sys.argv[2] == "bytes":
    with atomic.replacing(target) as file:
        file.write(b"half")
        file.flush()
        os.kill(os.getpid(), signal.SIGKILL)
os.replace = lambda *_: os.kill(os.getpid(), signal.SIGKILL)
files.write_atomically(target, "half")
"""


@pytest.mark.parametrize("kind", ["bytes", "text"])
def test_what_a_kill_left_half_written_is_deleted_by_the_next_that_writes_there(
    tmp_path: Path, workspace: Workspace, kind: str
) -> None:
    reports = tmp_path / "reports"
    reports.mkdir()
    left: list[Path] = []
    for name in ("run.json", "other.json"):
        killed = subprocess.run(
            [sys.executable, "-c", KILLED_WHILE_WRITING, str(reports / name), kind],
            env=environment(),
            check=False,
        )
        assert killed.returncode == -signal.SIGKILL
    left = list(reports.iterdir())
    assert len(left) == 2
    assert all(each.name.startswith(".") and each.name.endswith(".new") for each in left)
    fresh, old = left
    os.utime(old, (1, 1))
    (reports / ".mine.new").write_text("of somebody else")
    os.utime(reports / ".mine.new", (1, 1))
    done = run("run", "--report-json", reports / "run.json", cwd=workspace.root)
    assert done.returncode == 0, done.stderr
    assert {each.name for each in reports.iterdir()} == {"run.json", ".mine.new", fresh.name}


# --- damaged ---


def test_a_damaged_file_is_one_warning(workspace: Workspace) -> None:
    for number in range(5):
        write_scenario(workspace.root / "scenarios", f"more-{number}")
    assert run("run", cwd=workspace.root).returncode == 0
    (file,) = workspace.runs_dir.glob("*.json")
    file.write_text(file.read_text().replace('"sent_at":"', '"sent_at":17,"was":"'))
    for arguments in (["list"], ["list", "--runs"], ["reindex"]):
        (line,) = run("log", *arguments, cwd=workspace.root).stderr.splitlines()
        assert str(file) in line
        assert line.endswith("(and 5 more like this)")
