"""The log's stream over HTTP: what comes from this process and from others, resumed, filtered, bounded."""

from __future__ import annotations

import html
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import httpx2 as httpx
import pytest

from retailops_sandbox.model import RunInfo
from retailops_sandbox.runlog.ports import RunWriter
from tests.support.command import run_forked
from tests.support.compose_client import ComposeClient
from tests.support.live_stream import listening, live
from tests.support.logged import open_log
from tests.support.receivers import unused_port
from tests.support.records import begin_run, judge, make_delivery
from tests.support.serving import MAIN, serving

FOREIGN = "20240501T120000Z-aaaaaa"


def sent(client: ComposeClient, **fields: str) -> str:
    """The id of a delivery that was sent from the page, and may be in flight."""
    return client.sent(**fields).removeprefix("/deliveries/")


@pytest.fixture
def client(tmp_path: Path) -> Iterator[ComposeClient]:
    workspace = tmp_path / "workspace"
    workspace.mkdir()
    with serving(workspace) as served:
        client = ComposeClient(served)
        yield client
        client.http.close()


@pytest.fixture
def foreign(client: ComposeClient) -> Iterator[RunWriter]:
    """A run that another process might write."""
    info = RunInfo(id=FOREIGN, started_at="2024-05-01T12:00:00Z", receiver="local")
    run = begin_run(client.workspace.runs_dir, info)
    yield run
    run.close()


def test_a_delivery_of_this_process_is_told_in_flight_and_when_it_has_landed(client: ComposeClient):
    client.add("hanging", "/misbehave/hang")
    with listening(client.http, live(client.http)) as stream:
        id = sent(client, receiver="hanging")
        event = stream.until(id, "in flight")
        assert 'name="delivery"' not in event.data
        client.http.post(f"/deliveries/{id}/cancel")
        assert "cancelled" in stream.until(id, "errored").data


def test_a_run_of_another_process_is_told_and_so_is_judging_again(client: ComposeClient):
    path = client.workspace.root / "scenarios" / "a.scenario.json"
    path.parent.mkdir()
    path.write_text(
        '{"name": "A", "steps": [{"name": "cancel", "fixture": "default", "expect": {"status": 200}}]}'
    )
    with listening(client.http, live(client.http)) as stream:
        command = [*MAIN, "run", "scenarios", "--stand-in", "--workspace", "."]
        subprocess.run(command, cwd=client.workspace.root, stdout=subprocess.DEVNULL, timeout=60, check=True)
        (run,) = (run for run in open_log(client.workspace.runs_dir).runs() if run.deliveries)
        id = f"{run.id}.000001"
        assert "scenarios/a / cancel" in stream.until(id, "passed").data
        client.http.post(f"/deliveries/{id}/judge", data={"expectation": '{"status": 201}'})
        stream.until(id, "failed")


def test_what_comes_between_rendering_and_connecting_is_told(client: ComposeClient, foreign: RunWriter):
    foreign.append(make_delivery(foreign))
    query = live(client.http)
    delivery = make_delivery(foreign)
    foreign.append(delivery)
    with listening(client.http, query) as stream:
        event = stream.next()
        assert event is not None
        assert event.rows == {delivery.id: "not judged"}


def test_a_stream_that_was_cut_goes_on_after_its_last_event(client: ComposeClient, foreign: RunWriter):
    first, second = make_delivery(foreign), make_delivery(foreign)
    query = live(client.http)
    with listening(client.http, query) as stream:
        foreign.append(first)
        last = stream.until(first.id, "not judged")
    # Nobody listens now, and the run is folded before anybody does.
    foreign.append(second)
    foreign.append(judge(second))
    foreign.finish()
    assert re.fullmatch(r"[0-9a-f]{8}:1", last.id)
    with listening(client.http, query, **{"Last-Event-ID": last.id}) as stream:
        event = stream.next()
        assert event is not None
        assert event.rows == {second.id: "passed"}


@pytest.mark.parametrize(
    "last", ["0badcafe:0", "{start}:99", "{start}:-1", "{start}:", "{start}:x", "nonsense"]
)
def test_a_page_that_names_an_unknown_event_is_to_reload_its_list(
    client: ComposeClient, foreign: RunWriter, last: str
):
    start = live(client.http).rpartition("=")[2].partition("%3A")[0]
    query = f"after={last.format(start=start)}"
    with listening(client.http, query) as stream:
        event = stream.next()
        assert event is not None
        assert (event.name, event.id) == ("reload", f"{start}:0")
        # And then it goes on from there.
        delivery = make_delivery(foreign)
        foreign.append(delivery)
        stream.until(delivery.id, "not judged")


def test_an_event_of_another_process_is_unknown_after_a_restart(tmp_path: Path):
    with serving(tmp_path) as served:
        client = ComposeClient(served)
        query = live(client.http)
        client.http.close()
    with serving(tmp_path) as served:
        client = ComposeClient(served)
        with listening(client.http, query) as stream:
            event = stream.next()
        client.http.close()
    assert event is not None
    assert event.name == "reload"


def test_an_event_of_too_long_ago_is_unknown(client: ComposeClient, foreign: RunWriter):
    query = live(client.http)
    for _ in range(2001):
        foreign.append(make_delivery(foreign))
    with listening(client.http, query) as stream:
        event = stream.next()
        assert event is not None
        assert event.name == "reload"


def test_a_burst_is_told_by_its_newest_rows_and_the_number_of_the_others(
    client: ComposeClient, foreign: RunWriter
):
    query = live(client.http)
    for second in range(250):
        foreign.append(make_delivery(foreign, f"2024-05-01T12:{second // 60:02}:{second % 60:02}.000Z"))
    with listening(client.http, query) as stream:
        event = stream.next()
        assert event is not None
        assert list(event.rows) == [f"{FOREIGN}.{number:06}" for number in range(250, 50, -1)]
        assert 'data-more="50"' in event.data


def test_of_a_burst_those_that_only_change_are_not_counted(client: ComposeClient, foreign: RunWriter):
    known = make_delivery(foreign, "2024-05-01T11:00:00.000Z")
    foreign.append(known)
    query = live(client.http)
    foreign.append(judge(known, "passed", "2024-05-01T11:00:01.000Z"))
    for second in range(250):
        foreign.append(make_delivery(foreign, f"2024-05-01T12:{second // 60:02}:{second % 60:02}.000Z"))
    with listening(client.http, query) as stream:
        event = stream.next()
        assert event is not None
        assert len(event.rows) == 200
        assert 'data-more="50"' in event.data


@pytest.mark.parametrize(
    ("query", "is_wanted"),
    [
        ("receiver=local", True),
        ("receiver=other", False),
        ("edition=v1", False),
        (f"run={FOREIGN}", True),
        ("status=2xx", True),
        ("status=404", False),
        ("text=35.00", True),
        ("text=nowhere", False),
    ],
)
def test_each_stream_has_its_own_filter(
    client: ComposeClient, foreign: RunWriter, query: str, is_wanted: bool
):
    delivery = make_delivery(foreign)
    live_query = live(client.http, query)
    foreign.append(delivery)
    with listening(client.http, f"{live_query}&once") as stream:
        event = stream.next()
    assert event is not None
    assert (event.name, list(event.rows)) == (("rows", [delivery.id]) if is_wanted else ("seen", []))


def test_what_a_filter_does_not_take_any_more_is_gone(client: ComposeClient, foreign: RunWriter):
    with listening(client.http, live(client.http, "verdict=failed")) as stream:
        delivery = make_delivery(foreign)
        foreign.append(delivery)
        foreign.append(judge(delivery, "failed"))
        stream.until(delivery.id, "failed")
        foreign.append(judge(delivery, "passed", "2024-05-01T12:00:03.000Z"))
        stream.until(delivery.id, "gone")


def test_a_filter_that_asks_for_what_cannot_be_is_refused(client: ComposeClient):
    answer = client.http.get("/deliveries/events?status=soon")
    assert answer.status_code == 400
    assert "soon" in html.unescape(answer.text)


def test_once_tells_what_there_is_and_ends(client: ComposeClient, foreign: RunWriter):
    query = live(client.http)
    delivery = make_delivery(foreign)
    foreign.append(delivery)
    with listening(client.http, f"{query}&once") as stream:
        event = stream.next()
        assert event is not None
        assert event.rows == {delivery.id: "not judged"}
        assert stream.next() is None
    with listening(client.http, f"{query}&once", **{"Last-Event-ID": event.id}) as stream:
        assert stream.next() is None


def test_what_is_deleted_goes_from_an_open_list(client: ComposeClient, foreign: RunWriter):
    foreign.append(make_delivery(foreign))
    foreign.finish("2024-05-01T12:01:00Z")
    root = client.workspace.root
    with listening(client.http, live(client.http)) as stream:
        done = run_forked("log", "prune", "--keep", "0", "--workspace", root, cwd=root)
        assert "removed 1 run" in done.stdout
        stream.until_named("reload")


def test_a_folder_that_cannot_be_read_is_said_and_the_stream_goes_on(client: ComposeClient):
    runs, away = client.workspace.runs_dir, client.workspace.runs_dir.with_name("away")
    with listening(client.http, live(client.http)) as stream:
        runs.rename(away)
        runs.write_text("no folder")
        event = stream.next()
        assert event is not None
        assert event.name == "problem"
        assert f"{runs}: cannot be read" in event.data
        runs.unlink()
        away.rename(runs)
        event = stream.next()
        assert event is not None
        assert (event.name, event.data) == ("fixed", "well")
        id = sent(client)
        stream.until(id, client.landed(f"/deliveries/{id}").judgements[-1].verdict)


def test_a_relay_in_another_process_is_told(client: ComposeClient):
    port = unused_port()
    file = client.workspace.root / "recorded.scenario.json"
    command = [*MAIN, "record", "--forward", client.served.stand_in, "--port", str(port), "-o", str(file)]
    with subprocess.Popen(
        [*command, "--workspace", "."], cwd=client.workspace.root, stdout=subprocess.PIPE, text=True
    ) as relay:
        try:
            assert relay.stdout is not None
            assert str(port) in relay.stdout.readline()
            with listening(client.http, live(client.http)) as stream:
                httpx.post(
                    f"http://127.0.0.1:{port}/order_cancel", json={"action": "order_cancel"}, timeout=60
                )
                event = stream.next()
                assert event is not None
                assert "relayed" in event.data
        finally:
            relay.terminate()


def test_who_listens_keeps_no_process_from_ending_and_is_told_what_was_in_flight(client: ComposeClient):
    client.add("hanging", "/misbehave/hang")
    with listening(client.http, live(client.http)) as stream:
        id = sent(client, receiver="hanging")
        stream.until(id, "in flight")
        assert client.served.interrupt() == (0, "")
        stream.until(id, "errored")
        assert stream.next() is None
