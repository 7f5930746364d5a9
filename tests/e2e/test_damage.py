"""Run files that somebody damaged by hand: named where somebody looks, kept as they are, the rest goes on."""

from __future__ import annotations

import json
import re
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import httpx2 as httpx
import pytest

from retailops_sandbox.model import Receiver as Receiving
from retailops_sandbox.workspace.workspace import Workspace
from tests.support.command import run as command
from tests.support.compose_client import ComposeClient
from tests.support.logged import open_log
from tests.support.orders import write_scenario
from tests.support.pages import words
from tests.support.receivers import Receiver, answering, receiver, response
from tests.support.serving import serving

SCENARIOS = 12


def truncated(text: bytes) -> bytes:
    return text[: len(text) // 2]


def garbage_in_the_middle(text: bytes) -> bytes:
    half = len(text) // 2
    return text[:half] + b"\x00\xff#### garbage" + text[half + 20 :]


def no_generation(text: bytes) -> bytes:
    return re.sub(rb'"generation":\d+', b'"generation":"last"', text)


def nothing(text: bytes) -> bytes:
    return b""


def every_record(text: bytes) -> bytes:
    return text.replace(b'"sent_at":"', b'"sent_at":17,"was":"')


WHOLE = (truncated, garbage_in_the_middle, no_generation)
"""Ways to damage a run file so that nothing of it can be read."""


class Place:
    """A workspace with three runs, and the middle one damaged."""

    def __init__(self, workspace: Workspace, runs: list[str], shop: Receiver) -> None:
        self.workspace = workspace
        self.before, self.bad, self.after = runs
        self.file = workspace.runs_dir / f"{self.bad}.json"
        self.shop = shop
        self._spoiled = b""

    def damage(self, way: Callable[[bytes], bytes]) -> None:
        self._spoiled = way(self.file.read_bytes())
        self.file.write_bytes(self._spoiled)

    def assert_kept(self) -> None:
        assert self.file.read_bytes() == self._spoiled

    def run(self, *arguments: object) -> tuple[int, str, list[str]]:
        done = command(*arguments, cwd=self.workspace.root)
        assert "Traceback" not in done.stderr
        return done.returncode, done.stdout, done.stderr.splitlines()


@pytest.fixture(scope="module")
def shop() -> Iterator[Receiver]:
    with receiver(answering(response(b'{"events":[]}', "Content-Type: application/json"))) as shop:
        yield shop


@pytest.fixture(scope="module")
def three_runs(tmp_path_factory: pytest.TempPathFactory, shop: Receiver) -> tuple[Path, list[str]]:
    workspace = Workspace(tmp_path_factory.mktemp("damage") / "workspace")
    workspace.save_receiver(Receiving("shop", shop.url))
    for number in range(SCENARIOS):
        write_scenario(workspace.root / "scenarios", f"o-{number:03}", {"events": []})
    runs: list[str] = []
    for _ in range(3):
        assert command("run", "--receiver", "shop", cwd=workspace.root).returncode == 0
        runs += {run.id for run in open_log(workspace.runs_dir).runs()}.difference(runs)
    return workspace.root, runs


@pytest.fixture
def place(tmp_path: Path, three_runs: tuple[Path, list[str]], shop: Receiver) -> Place:
    root, runs = three_runs
    shutil.copytree(root, tmp_path / "workspace")
    return Place(Workspace(tmp_path / "workspace"), runs, shop)


def damages(text: str) -> int:
    return len(re.findall("damaged: ", text))


def told_once(answer: httpx.Response, place: Place, status: int = 200) -> str:
    text = words(answer.text)
    assert answer.status_code == status, text
    assert damages(text) == 1, text
    assert f"{place.file}" in text
    return text


@pytest.mark.parametrize("way", WHOLE)
def test_a_damaged_run_file_is_named_on_each_page_that_misses_it(
    place: Place, way: Callable[[bytes], bytes]
) -> None:
    place.damage(way)
    with serving(place.workspace.root) as served:
        client = ComposeClient(served)
        pages = client.http
        lost = f"{place.bad}.000001"
        for path in ("/deliveries", "/runs", f"/runs/{place.bad}"):
            told_once(pages.get(path), place)
        for path in (
            f"/deliveries/{lost}",
            f"/deliveries/{lost}/export/curl",
            f"/?from={lost}",
            f"/runs/{place.bad}/scenario?id=scenarios/o-001.scenario.json",
        ):
            told_once(pages.get(path), place, 404)
        told_once(pages.get(f"/runs/{place.bad}/export/har"), place, 400)
        told_once(pages.post(f"/deliveries/{lost}/judge", data={"expectation": "{}"}), place, 404)
        told_once(pages.post(f"/deliveries/{lost}/again", data={"form_id": "x"}), place, 404)
        # What has nothing to do with it says nothing, and works.
        for run in (place.before, place.after):
            for path in (f"/runs/{run}", f"/deliveries/{run}.000001", f"/runs/{run}/export/har"):
                page = pages.get(path)
                assert page.status_code == 200
                assert damages(page.text) == 0
        for path in ("/", "/scenarios", "/receivers", "/record", f"/scenarios?of={place.bad}"):
            assert pages.get(path).status_code == 200
        judged = pages.post(
            f"/deliveries/{place.after}.000002/judge", data={"expectation": '{"status": 201}'}
        )
        assert judged.status_code == 303
        assert client.landed(client.sent(receiver="shop")).judgement is not None
        pages.close()
        assert served.interrupt() == (0, "")
    place.assert_kept()


def test_an_empty_file_is_no_run_yet(place: Place) -> None:
    """TinyDB makes one where it opens a path at which there is nothing."""
    place.damage(nothing)
    code, printed, (line,) = place.run("export", place.bad, "--format", "curl")
    assert (code, printed) == (2, "")
    assert line.startswith(f"error: there is no delivery, run or file '{place.bad}' in the log")
    _, _, (line,) = place.run("export", str(place.file), "--format", "curl")
    assert line.startswith(f"error: {place.file}: damaged: ")
    with serving(place.workspace.root) as served:
        client = ComposeClient(served)
        text = words(client.http.get("/deliveries").text)
        assert f"{2 * SCENARIOS} deliveries" in text
        assert damages(text) == 0
        assert client.http.get(f"/runs/{place.bad}").status_code == 404
        client.http.close()
        assert served.interrupt() == (0, "")
    place.assert_kept()


@pytest.mark.parametrize("way", WHOLE)
def test_the_command_line_names_it_and_goes_on(place: Place, way: Callable[[bytes], bytes]) -> None:
    place.damage(way)
    for what in (place.bad, f"{place.bad}.000001", str(place.file)):
        code, printed, (line,) = place.run("export", what, "--format", "curl")
        assert (code, printed) == (2, "")
        assert line.startswith(f"error: {place.file}: damaged: ")
    code, printed, errors = place.run("export", place.after, "--format", "har")
    assert (code, errors) == (0, [])
    assert len(json.loads(printed)["log"]["entries"]) == SCENARIOS
    code, printed, errors = place.run("run", "--receiver", "shop")
    assert (code, errors) == (0, [])
    assert f"{SCENARIOS} passed" in printed
    assert place.run("send", "default", "--receiver", "shop")[2] == []
    place.assert_kept()


def test_many_damaged_records_are_not_as_many_lines(place: Place) -> None:
    place.damage(every_record)
    with serving(place.workspace.root) as served:
        client = ComposeClient(served)
        for path in ("/deliveries", "/runs", f"/runs/{place.bad}"):
            text = words(client.http.get(path).text)
            assert damages(text) == 3
            assert f"and {SCENARIOS - 3} more like this" in text
        client.http.close()
        assert served.interrupt() == (0, "")
    place.assert_kept()


def test_one_damaged_record_hides_no_other(place: Place) -> None:
    place.damage(lambda text: text.replace(b'"sent_at":"', b'"sent_at":17,"was":"', 1))
    code, printed, (line,) = place.run("export", place.bad, "--format", "har")
    assert code == 0
    assert len(json.loads(printed)["log"]["entries"]) == SCENARIOS - 1
    assert line.startswith(f"note: some of it cannot be read: {place.file} at /deliveries/1: damaged: ")
    place.assert_kept()


def test_a_journal_of_another_generation_is_kept_beside_its_file_and_said_once(place: Place) -> None:
    journal = place.file.with_suffix(".journal")
    head = next(iter(json.loads(place.file.read_bytes())["run"].values()))
    journal.write_text(json.dumps({"run": {**head, "generation": head["generation"] + 1}}) + "\n")
    before = journal.read_bytes()
    place.damage(bytes)
    with serving(place.workspace.root) as served:
        client = ComposeClient(served)
        assert client.http.get(f"/deliveries/{place.bad}.000001").status_code == 200
        assert client.landed(client.sent(receiver="shop")).judgement is not None
        client.http.close()
        code, errors = served.interrupt()
    assert code == 0
    assert errors.splitlines() == [f"error: {place.file}: is older than its journal; both are kept"]
    assert journal.read_bytes() == before
    place.assert_kept()


@pytest.mark.parametrize("way", [truncated, garbage_in_the_middle, nothing])
def test_a_damaged_index_is_made_anew_from_the_run_files(place: Place, way: Callable[[bytes], bytes]) -> None:
    index = place.workspace.runs_dir.parent / "index.db"

    def damage() -> None:
        with closing(sqlite3.connect(index)) as connection:
            # What was written last is in a file of its own until somebody closes the index.
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        index.write_bytes(way(index.read_bytes()))

    note = f"note: {index}: was damaged, and is made anew from the run files"
    # An empty file is one that nobody has filled yet.
    notes = [note] if way is not nothing else []
    damage()
    code, printed, errors = place.run("export", place.bad, "--format", "har")
    assert (code, errors) == (0, notes)
    assert len(json.loads(printed)["log"]["entries"]) == SCENARIOS
    damage()
    with serving(place.workspace.root) as served:
        client = ComposeClient(served)
        page = words(client.http.get("/deliveries").text)
        assert damages(page) == 0
        assert f"{3 * SCENARIOS} deliveries" in page
        assert client.http.get(f"/deliveries/{place.bad}.000001").status_code == 200
        client.http.close()
        code, said = served.interrupt()
    assert (code, said.splitlines()) == (0, notes)
