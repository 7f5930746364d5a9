"""Two sandboxes on one log in PostgreSQL: each shows what the other does, and what it can without the log."""

from __future__ import annotations

import json
import platform
import re
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from retailops_sandbox import resources
from retailops_sandbox.runlog import opening
from retailops_sandbox.runlog.place import database_words
from retailops_sandbox.workspace.workspace import Workspace
from tests.support.command import environment, run_forked
from tests.support.compose_client import ComposeClient
from tests.support.forked import ForkedProcess
from tests.support.live_stream import listening, live
from tests.support.logged import shipped
from tests.support.pages import hidden, main_words, words
from tests.support.postgres import fresh_database, proxied, shows_no_password
from tests.support.postgres_proxy import PostgresProxy
from tests.support.record_process import recording
from tests.support.serving import serving

AWAY = "The shared log is away."
UNWRITTEN = "Not yet in the shared log:"
DEFAULT = "order_cancel/draft/default.json"
PASSES = '{"name": "A", "steps": [{"name": "cancel", "fixture": "default", "expect": {"status": 200}}]}'


class Two:
    """A sandbox here, whose way to the database can be cut, and one there, with a workspace of its own."""

    def __init__(
        self, here: ComposeClient, there: ComposeClient, proxy: PostgresProxy, url: str, direct: str
    ) -> None:
        self.here = here
        self.there = there
        self.proxy = proxy
        self.url = url
        """Of the database, through the proxy."""
        self.direct = direct
        """Of the database itself."""

    def run(self, *arguments: object, cwd: Path) -> str:
        """Run a command with the shared log; what it says."""
        done = run_forked(*arguments, cwd=cwd, RETAILOPS_SANDBOX_LOG=self.url)
        assert done.returncode in (0, 1), done
        return done.stdout + done.stderr


@pytest.fixture
def two(both: Two) -> Iterator[Two]:
    yield both
    both.proxy.mend()


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Two]:
    here, there = tmp_path_factory.mktemp("here"), tmp_path_factory.mktemp("there")
    with (
        fresh_database() as url,
        proxied(url) as (through, proxy),
        serving(here, RETAILOPS_SANDBOX_LOG=through) as served_here,
        serving(there, RETAILOPS_SANDBOX_LOG=url) as served_there,
    ):
        clients = ComposeClient(served_here, through), ComposeClient(served_there, url)
        yield Two(*clients, proxy, through, url)
        for client in clients:
            client.http.close()
        for served in (served_here, served_there):
            code, errors = served.interrupt()
            assert code == 0
            shows_no_password(errors)


def sent(client: ComposeClient, **fields: str) -> str:
    """The id of a delivery that was sent from the page, and may be in flight."""
    return client.sent(**fields).removeprefix("/deliveries/")


def test_each_shows_the_deliveries_of_the_other_at_once(two: Two):
    for one, other in ((two.here, two.there), (two.there, two.here)):
        with listening(other.http, live(other.http)) as stream:
            id = sent(one)
            stream.until(id, "passed")
        assert "passed" in main_words(other.http.get(f"/deliveries/{id}").text)


def test_the_settings_of_one_workspace_delete_nothing_of_a_shared_log(two: Two, tmp_path: Path):
    sent(two.there)
    (tmp_path / "pyproject.toml").write_text("[tool.retailops-sandbox]\nkeep-runs = 1\nkeep-days = 1\n")
    for _ in range(2):
        two.run("send", "default", "--stand-in", cwd=tmp_path)
    before = two.run("log", "list", "--runs", cwd=tmp_path)
    with serving(tmp_path, RETAILOPS_SANDBOX_LOG=two.url) as served:
        code, errors = served.interrupt()
    assert code == 0
    assert "from a shared log only `log prune` does" in errors
    assert two.run("log", "list", "--runs", cwd=tmp_path) == before
    # Who asks for it gets it, by the same settings.
    assert re.search("removed [1-9]", two.run("log", "prune", cwd=tmp_path))


def test_what_is_in_flight_elsewhere_is_shown_as_such_and_only_its_own_process_cancels_it(two: Two):
    here, there = two.here, two.there
    here.add("hanging", "/misbehave/hang")
    with listening(there.http, live(there.http)) as stream:
        id = sent(here, receiver="hanging")
        assert "in flight elsewhere" in stream.until(id, "in flight elsewhere").data
        assert "in flight elsewhere" in there.http.get("/deliveries").text
        page = there.http.get(f"/deliveries/{id}").text
        assert "in flight elsewhere" in main_words(page)
        assert "Another process sends it." in main_words(page)
        assert f"/deliveries/{id}/cancel" not in page
        assert "in flight elsewhere" in words(there.http.get(f"/deliveries/{id}/preview").text)
        assert f"/deliveries/{id}/cancel" in here.http.get(f"/deliveries/{id}").text
        with there.http.stream("GET", f"/deliveries/{id}/events") as ended:
            here.http.post(f"/deliveries/{id}/cancel")
            assert "event: finished" in list(ended.iter_lines())
        stream.until(id, "errored")
    assert "cancelled" in main_words(there.http.get(f"/deliveries/{id}").text)


def test_judgements_and_accepted_answers_hold_in_both(two: Two):
    here, there = two.here, two.there
    with listening(here.http, live(here.http)) as stream:
        id = sent(here)
        stream.until(id, "passed")
        there.http.post(f"/deliveries/{id}/judge", data={"expectation": '{"status": 201}'})
        stream.until(id, "failed")
        assert "201" in main_words(here.http.get(f"/deliveries/{id}").text)
        page = there.http.get(f"/deliveries/{id}/accept").text
        there.http.post(f"/deliveries/{id}/accept", data={**hidden(page), "do": "accept"})
        stream.until(id, "passed")


def test_a_run_is_live_and_pinned_and_deleted_in_both(two: Two, tmp_path: Path):
    here, there = two.here, two.there
    (tmp_path / "a.scenario.json").write_text(PASSES)
    with listening(there.http, live(there.http)) as stream:
        said = two.run("run", "a.scenario.json", "--stand-in", cwd=tmp_path)
        assert "1 passed" in said
        newest = opening.open_log(Workspace(tmp_path, two.url).log_place, shipped)
        (id,) = (run.id for run in newest.runs() if run.info is not None and run.info.kind == "run")
        stream.until(f"{id}.000001", "passed")
    here.http.post(f"/runs/{id}/pin", data={"do": "pin"})
    assert "pinned" in main_words(there.http.get(f"/runs/{id}").text)
    assert f"{id}  stays: it is pinned" in two.run("log", "prune", "--keep", "0", cwd=tmp_path)
    there.http.post(f"/runs/{id}/pin", data={"do": "unpin"})
    with listening(there.http, live(there.http)) as stream:
        assert f"  {id}  1 sent" in two.run("log", "prune", "--keep", "0", cwd=tmp_path)
        # An open list is made anew: what is deleted goes from it.
        stream.until_named("reload")
    for client in (here, there):
        assert client.http.get(f"/runs/{id}").status_code == 404
        assert client.http.get(f"/deliveries/{id}.000001").status_code == 404


def test_what_passes_through_a_relay_is_shown_elsewhere(two: Two, tmp_path: Path):
    there = two.there
    options = ("--workspace", str(tmp_path), "--log", two.url)
    with (
        listening(there.http, live(there.http)) as stream,
        recording(tmp_path, f"{two.here.served.stand_in}/order_cancel", *options) as relay,
    ):
        status, _ = relay.post("", resources.fixtures_dir().joinpath(DEFAULT).read_bytes())
        assert status == 200
        while not (rows := (event := stream.next()) and event.rows):
            assert event is not None
        (verdict,) = rows.values()
        assert verdict == "recorded"


def test_a_delivery_is_gone_elsewhere_when_its_process_was_killed(two: Two, tmp_path: Path):
    there = two.there
    hanging = f"{two.here.served.stand_in}/misbehave/hang"
    command = ["send", "default", "--receiver", hanging, "--workspace", str(tmp_path)]
    with listening(there.http, live(there.http)) as stream:
        process = ForkedProcess(command, cwd=tmp_path, env=environment(RETAILOPS_SANDBOX_LOG=two.url))
        with process:
            while not (rows := (event := stream.next()) and event.rows):
                assert event is not None
            ((id, verdict),) = rows.items()
            assert verdict == "in flight elsewhere"
            process.kill()
            process.communicate(timeout=60)
        stream.until(id, "gone")
    assert there.http.get(f"/deliveries/{id}").status_code == 404


def test_what_cannot_be_written_is_shown_and_said(two: Two):
    here, there = two.here, two.there
    known = sent(here)
    here.landed(f"/deliveries/{known}")
    with psycopg.connect(two.direct, autocommit=True) as admin:
        name = admin.info.dbname
        admin.execute(f"alter database {name} set default_transaction_read_only = on")
        # Connections that there are do not learn of it.
        two.proxy.cut()
        two.proxy.mend()
        kept = sent(here)
        here.landed(f"/deliveries/{kept}")
        page = here.http.get(f"/deliveries/{kept}")
        assert (page.status_code, UNWRITTEN in words(page.text)) == (200, True)
        listed = here.http.get("/deliveries").text
        assert [f"/deliveries/{id}" in listed for id in (known, kept)] == [True, True]
        workbench = words(here.http.get(f"/?fixture=default&delivery={kept}").text)
        assert [each in workbench for each in ("Nothing was sent yet", "There is no delivery")] == [
            False,
            False,
        ]
        assert here.http.get("/healthz").json() == {"status": "ok", "log": "away"}
        assert there.http.get(f"/deliveries/{kept}").status_code == 404
        with listening(here.http, live(here.http)) as stream:
            later = sent(here)
            stream.until(later, "passed")
            admin.execute("set default_transaction_read_only = off")
            admin.execute(f"alter database {name} reset default_transaction_read_only")
            two.proxy.cut()
            two.proxy.mend()
            stream.until_named("reload")
    deadline = time.monotonic() + 60
    while any(each in words(here.http.get("/").text) for each in (UNWRITTEN, AWAY)):
        assert time.monotonic() < deadline
    for id in (kept, later):
        assert there.http.get(f"/deliveries/{id}").status_code == 200


def test_while_the_log_is_away_pages_say_so_and_show_what_is_here(two: Two, tmp_path: Path):
    here, there = two.here, two.there
    known, elsewhere = sent(here), sent(there)
    there.landed(f"/deliveries/{elsewhere}")
    assert AWAY not in here.http.get("/").text
    assert here.http.get("/healthz").json() == {"status": "ok"}
    with listening(here.http, live(here.http)) as stream:
        two.proxy.cut()
        # A page that is open says so, too, and shows what there is without the log.
        assert AWAY in words(stream.until_named("notice").data)
        stream.until_named("reload")
    assert here.http.get("/healthz").json() == {"status": "ok", "log": "away"}
    for path in ("/", "/deliveries", "/runs", "/scenarios", "/receivers"):
        assert AWAY in words(here.http.get(path).text), path
    gone = here.http.get(f"/deliveries/{elsewhere}")
    assert gone.status_code == 404
    assert "The shared log is away, and may have it." in main_words(gone.text)
    kept = sent(here)
    assert "passed" in main_words(here.http.get(f"/deliveries/{kept}").text)
    place = ("--workspace", here.workspace.root)
    assert "log push" in two.run("send", "default", "--stand-in", *place, cwd=tmp_path)
    with listening(there.http, live(there.http)) as stream:
        two.proxy.mend()
        stream.until(kept, "passed")
    # It is tried again after a while.
    deadline = time.monotonic() + 60
    while AWAY in words(here.http.get("/deliveries").text):
        assert time.monotonic() < deadline
    for id in (known, elsewhere, kept, sent(here)):
        assert here.http.get(f"/deliveries/{id}").status_code == 200
    # What another process kept here waits until somebody brings it in.
    assert "1 run waits in this workspace" in words(here.http.get("/").text)
    with listening(there.http, live(there.http)) as stream:
        pushed = two.run("log", "push", *place, cwd=tmp_path).partition(":")[0]
        stream.until(f"{pushed}.000001", "passed")
    assert "waits in this workspace" not in words(here.http.get("/").text)


def test_pages_and_lists_say_which_log_it_is_and_of_which_machine_a_run_is(two: Two, tmp_path: Path):
    two.run("send", "default", "--stand-in", cwd=tmp_path)
    machine = platform.node()
    listed = two.run("log", "list", "--runs", "--limit", "1", cwd=tmp_path)
    assert re.search(rf"receiver +machine\n.* {re.escape(machine)}$", listed, re.MULTILINE), listed
    (run,) = re.findall(r"^\d{8}T\S+", listed, re.MULTILINE)
    shown = json.loads(two.run("log", "show", run, "--format", "json", cwd=tmp_path))
    assert shown["run"]["host"] == machine
    assert database_words(two.url.partition("?")[0]) in main_words(two.here.http.get("/deliveries").text)
    assert f" on {machine} " in main_words(two.here.http.get(f"/runs/{run}").text)
    assert f"on {machine[:20]}" in main_words(two.here.http.get("/runs").text)
