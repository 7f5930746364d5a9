"""The log's stream over HTTP: what comes from this process and from others, resumed, filtered, bounded."""

from __future__ import annotations

import html
import re
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import httpx2 as httpx
import pytest

from retailops_sandbox.model import RunInfo
from retailops_sandbox.runlog.files.writer import RunWriter
from retailops_sandbox.runlog.log import Log
from tests.e2e.test_web import Desk
from tests.support.receivers import unused_port
from tests.support.serving import MAIN, serving
from tests.unit.runlog.test_runlog import judge, make_delivery

FOREIGN = "20240501T120000Z-aaaaaa"


class Event(NamedTuple):
    name: str
    id: str
    data: str

    @property
    def rows(self) -> dict[str, str]:
        """The verdict of each row's delivery, `gone` where it is to go."""
        found = re.findall(r'<tr id="row-([^"]+)"(.*?)</tr>', self.data, re.DOTALL)
        return {id: _verdict(inner) for id, inner in found}


def _verdict(row: str) -> str:
    named = re.search(r'class="verdict ([^"]+)"', row)
    return named[1] if named else "gone"


class Stream:
    """The events of a stream, as they come."""

    def __init__(self, answer: httpx.Response) -> None:
        self._lines = answer.iter_lines()
        self._pings = 0

    def next(self) -> Event | None:
        """The next one; None where the stream has ended."""
        fields: dict[str, list[str]] = {"event": [], "id": [], "data": []}
        for line in self._lines:
            name, _, value = line.partition(": ")
            self._pings += line.startswith(": ping")
            assert self._pings < 4, "nothing came for a minute"
            if name in fields:
                fields[name].append(value)
            elif not line and fields["data"]:
                return Event(*("\n".join(each) for each in fields.values()))
        return None

    def until(self, delivery: str, verdict: str) -> Event:
        """The event that tells so of a delivery."""
        while (event := self.next()) is not None:
            if event.rows.get(delivery) == verdict:
                return event
        raise AssertionError(f"the stream ended, and {delivery} was not {verdict}")


@contextmanager
def listening(desk: Desk, query: str = "", **headers: str) -> Iterator[Stream]:
    """The stream for a filter, once it listens."""
    with desk.http.stream("GET", f"/deliveries/events?{query}", headers=headers) as answer:
        assert answer.status_code == 200, answer.read()
        stream = Stream(answer)
        assert next(stream._lines) == ": listening"
        yield stream


def live(desk: Desk, query: str = "") -> str:
    """The stream's query, as the log's page carries it."""
    page = desk.http.get(f"/deliveries?{query}").text
    found = re.search(r'data-live="/deliveries/events\?([^"]*)"', page)
    assert found is not None, page
    return html.unescape(found[1])


def sent(desk: Desk, **fields: str) -> str:
    """The id of a delivery that was sent from the page, and may be in flight."""
    return desk.sent(**fields).removeprefix("/deliveries/")


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    workspace = tmp_path / "workspace"
    workspace.mkdir()
    with serving(workspace) as served:
        desk = Desk(served)
        yield desk
        desk.http.close()


@pytest.fixture
def foreign(desk: Desk) -> Iterator[RunWriter]:
    """A run that another process might write."""
    info = RunInfo(id=FOREIGN, started_at="2024-05-01T12:00:00Z", receiver="local")
    run = RunWriter.open(desk.workspace.runs_dir, info)
    yield run
    run.close()


def test_a_delivery_of_this_process_is_told_in_flight_and_when_it_has_landed(desk: Desk):
    desk.add("hanging", "/misbehave/hang")
    with listening(desk, live(desk)) as stream:
        id = sent(desk, receiver="hanging")
        event = stream.until(id, "in flight")
        assert 'name="delivery"' not in event.data
        desk.http.post(f"/deliveries/{id}/cancel")
        assert "cancelled" in stream.until(id, "errored").data


def test_a_run_of_another_process_is_told_and_so_is_judging_again(desk: Desk):
    path = desk.workspace.root / "scenarios" / "a.scenario.json"
    path.parent.mkdir()
    path.write_text(
        '{"name": "A", "steps": [{"name": "cancel", "fixture": "default", "expect": {"status": 200}}]}'
    )
    with listening(desk, live(desk)) as stream:
        command = [*MAIN, "run", "scenarios", "--stand-in", "--workspace", "."]
        subprocess.run(command, cwd=desk.workspace.root, stdout=subprocess.DEVNULL, timeout=60, check=True)
        (run,) = (run for run in Log(desk.workspace.runs_dir).runs() if run.deliveries)
        id = f"{run.id}.000001"
        assert "scenarios/a / cancel" in stream.until(id, "passed").data
        desk.http.post(f"/deliveries/{id}/judge", data={"expectation": '{"status": 201}'})
        stream.until(id, "failed")


def test_what_comes_between_rendering_and_connecting_is_told(desk: Desk, foreign: RunWriter):
    foreign.append(make_delivery(foreign))
    query = live(desk)
    delivery = make_delivery(foreign)
    foreign.append(delivery)
    with listening(desk, query) as stream:
        event = stream.next()
        assert event is not None
        assert event.rows == {delivery.id: "not judged"}


def test_a_stream_that_was_cut_goes_on_after_its_last_event(desk: Desk, foreign: RunWriter):
    first, second = make_delivery(foreign), make_delivery(foreign)
    query = live(desk)
    with listening(desk, query) as stream:
        foreign.append(first)
        last = stream.until(first.id, "not judged")
    # Nobody listens now, and the run is folded before anybody does.
    foreign.append(second)
    foreign.append(judge(second))
    foreign.finish()
    assert re.fullmatch(r"[0-9a-f]{8}:1", last.id)
    with listening(desk, query, **{"Last-Event-ID": last.id}) as stream:
        event = stream.next()
        assert event is not None
        assert event.rows == {second.id: "passed"}


@pytest.mark.parametrize(
    "last", ["0badcafe:0", "{start}:99", "{start}:-1", "{start}:", "{start}:x", "nonsense"]
)
def test_a_page_that_names_an_unknown_event_is_to_reload_its_list(desk: Desk, foreign: RunWriter, last: str):
    start = live(desk).rpartition("=")[2].partition("%3A")[0]
    query = f"after={last.format(start=start)}"
    with listening(desk, query) as stream:
        event = stream.next()
        assert event is not None
        assert (event.name, event.id) == ("reload", f"{start}:0")
        # And then it goes on from there.
        delivery = make_delivery(foreign)
        foreign.append(delivery)
        stream.until(delivery.id, "not judged")


def test_an_event_of_another_process_is_unknown_after_a_restart(tmp_path: Path):
    with serving(tmp_path) as served:
        desk = Desk(served)
        query = live(desk)
        desk.http.close()
    with serving(tmp_path) as served:
        desk = Desk(served)
        with listening(desk, query) as stream:
            event = stream.next()
        desk.http.close()
    assert event is not None
    assert event.name == "reload"


def test_an_event_of_too_long_ago_is_unknown(desk: Desk, foreign: RunWriter):
    query = live(desk)
    for _ in range(2001):
        foreign.append(make_delivery(foreign))
    with listening(desk, query) as stream:
        event = stream.next()
        assert event is not None
        assert event.name == "reload"


def test_a_burst_is_told_by_its_newest_rows_and_the_number_of_the_others(desk: Desk, foreign: RunWriter):
    query = live(desk)
    for second in range(250):
        foreign.append(make_delivery(foreign, f"2024-05-01T12:{second // 60:02}:{second % 60:02}.000Z"))
    with listening(desk, query) as stream:
        event = stream.next()
        assert event is not None
        assert list(event.rows) == [f"{FOREIGN}.{number:06}" for number in range(250, 50, -1)]
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
def test_each_stream_has_its_own_filter(desk: Desk, foreign: RunWriter, query: str, is_wanted: bool):
    delivery = make_delivery(foreign)
    live_query = live(desk, query)
    foreign.append(delivery)
    with listening(desk, f"{live_query}&once") as stream:
        event = stream.next()
    assert event is not None
    assert (event.name, list(event.rows)) == (("rows", [delivery.id]) if is_wanted else ("seen", []))


def test_what_a_filter_does_not_take_any_more_is_gone(desk: Desk, foreign: RunWriter):
    with listening(desk, live(desk, "verdict=failed")) as stream:
        delivery = make_delivery(foreign)
        foreign.append(delivery)
        foreign.append(judge(delivery, "failed"))
        stream.until(delivery.id, "failed")
        foreign.append(judge(delivery, "passed", "2024-05-01T12:00:03.000Z"))
        stream.until(delivery.id, "gone")


def test_a_filter_that_asks_for_what_cannot_be_is_refused(desk: Desk):
    answer = desk.http.get("/deliveries/events?status=soon")
    assert answer.status_code == 400
    assert "soon" in html.unescape(answer.text)


def test_once_tells_what_there_is_and_ends(desk: Desk, foreign: RunWriter):
    query = live(desk)
    delivery = make_delivery(foreign)
    foreign.append(delivery)
    with listening(desk, f"{query}&once") as stream:
        event = stream.next()
        assert event is not None
        assert event.rows == {delivery.id: "not judged"}
        assert stream.next() is None
    with listening(desk, f"{query}&once", **{"Last-Event-ID": event.id}) as stream:
        assert stream.next() is None


def test_a_folder_that_cannot_be_read_is_said_and_the_stream_goes_on(desk: Desk):
    runs, away = desk.workspace.runs_dir, desk.workspace.runs_dir.with_name("away")
    with listening(desk, live(desk)) as stream:
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
        assert (event.name, event.data) == ("mended", "well")
        id = sent(desk)
        stream.until(id, desk.landed(f"/deliveries/{id}").judgements[-1].verdict)


def test_a_relay_in_another_process_is_told(desk: Desk):
    port = unused_port()
    file = desk.workspace.root / "recorded.scenario.json"
    command = [*MAIN, "record", "--forward", desk.served.stand_in, "--port", str(port), "-o", str(file)]
    with subprocess.Popen(
        [*command, "--workspace", "."], cwd=desk.workspace.root, stdout=subprocess.PIPE, text=True
    ) as relay:
        try:
            assert relay.stdout is not None
            assert str(port) in relay.stdout.readline()
            with listening(desk, live(desk)) as stream:
                httpx.post(
                    f"http://127.0.0.1:{port}/order_cancel", json={"action": "order_cancel"}, timeout=60
                )
                event = stream.next()
                assert event is not None
                assert "relayed" in event.data
        finally:
            relay.terminate()


def test_who_listens_keeps_no_process_from_ending_and_is_told_what_was_in_flight(desk: Desk):
    desk.add("hanging", "/misbehave/hang")
    with listening(desk, live(desk)) as stream:
        id = sent(desk, receiver="hanging")
        stream.until(id, "in flight")
        assert desk.served.interrupt() == (0, "")
        stream.until(id, "errored")
        assert stream.next() is None
