"""What is accepted or copied from an answer passes again, against a receiver whose ids and times change."""

from __future__ import annotations

import json
import re
import subprocess
import time
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2 as httpx
import pytest

from retailops_sandbox import jsontext, resources
from retailops_sandbox.model import Receiver as ReceiverRecord
from retailops_sandbox.workspace.workspace import Workspace
from tests.support import command
from tests.support.composing import Page
from tests.support.logged import open_log
from tests.support.pages import hidden, words
from tests.support.receivers import Peer, Receiver, receiver, response
from tests.support.record_process import recording
from tests.support.serving import Served, serving

PAYLOAD = resources.fixtures_dir() / "order_cancel" / "draft" / "default.json"


def changing(peer: Peer) -> None:
    """Answer with ids and times that differ each time, in an order that does, too."""
    while peer.read_request() is not None:
        number = len(peer.receiver.requests)
        events = [
            {"error_code": "ERR1", "at": 1_795_677_403_570 + number, "job": f"{uuid.uuid4()}"},
            {"error_code": "ERR2", "at": 1_795_677_403_570 - number, "job": f"{uuid.uuid4()}"},
        ]
        answer = {"events": events[:: -1 if number % 2 else 1], "answered_at": _instant(number)}
        peer.send(response(json.dumps(answer).encode(), "Content-Type: application/json"))


def _instant(number: int) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(1_795_677_403 + 61 * number))


@pytest.fixture(scope="module")
def shop() -> Iterator[Receiver]:
    with receiver(changing) as listening:
        yield listening


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory, shop: Receiver) -> Iterator[Served]:
    root = tmp_path_factory.mktemp("workspace")
    with serving(root) as served:
        Workspace(root).save_receiver(ReceiverRecord("shop", shop.url))
        yield served


@pytest.fixture(scope="module")
def http(served: Served) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=served.url, timeout=60, follow_redirects=True) as client:
        yield client


def scenario(folder: Path, expect: Any, **deliver: int) -> Path:
    file = folder / "scenarios" / "cancel.scenario.json"
    file.parent.mkdir(exist_ok=True)
    step = {"name": "cancel", "fixture": "default", "expect": expect, "deliver": deliver}
    file.write_text(json.dumps({"steps": [step]}, indent=2))
    return file


def run(folder: Path, *arguments: object) -> subprocess.CompletedProcess[str]:
    return command.run("run", *arguments, cwd=folder)


def rules_of(file: Path) -> Any:
    (step,) = json.loads(file.read_text())["steps"]
    return step["expect"].get("rules", {})


NOTHING = {"status": 200, "body": {"events": []}}
OLD = {
    "body": {
        "events": [
            {"error_code": "ERR2", "at": 1, "job": "none"},
            {"error_code": "ERR1", "at": 2, "job": "none"},
        ]
    },
    "rules": {"/events/1/job": {"regex": "^[0-9]$"}},
}
RULES = {"/answered_at": "datetime", "/events/*/at": {"type": "integer"}, "/events/*/job": "uuid"}


@pytest.mark.parametrize("expect", [NOTHING, OLD])
@pytest.mark.parametrize("times", [1, 2])
def test_run_accept(tmp_path: Path, shop: Receiver, expect: Any, times: int):
    file = scenario(tmp_path, expect, times=times)
    done = run(tmp_path, file, "--receiver", shop.url, "--accept")
    assert done.returncode == 0, done.stdout
    assert rules_of(file) == RULES
    assert "made a rule: step 'cancel': /events/*/at looks like milliseconds since 1970" in done.stdout
    again = run(tmp_path, file, "--receiver", shop.url)
    assert again.returncode == 0, again.stdout


def test_a_step_that_its_fixture_judges_gets_an_expectation_of_its_own(tmp_path: Path, shop: Receiver):
    folder = tmp_path / "fixtures" / "order_cancel" / "draft"
    folder.mkdir(parents=True)
    (folder / "mine.json").write_text(PAYLOAD.read_text())
    own = folder / "mine.expect.json"
    own.write_text('{"body": {"events": []}, "rules": {"/events": {"none": {"error_code": "ERR1"}}}}')
    before = own.read_text()
    file = tmp_path / "scenarios" / "cancel.scenario.json"
    file.parent.mkdir()
    file.write_text('{"steps": [{"name": "cancel", "fixture": "mine"}]}')
    done = run(tmp_path, file, "--receiver", shop.url, "--accept", "--workspace", tmp_path)
    assert done.returncode == 0, done.stdout
    assert rules_of(file) == RULES
    assert own.read_text() == before
    assert run(tmp_path, file, "--receiver", shop.url, "--workspace", tmp_path).returncode == 0


def test_run_accept_exact(tmp_path: Path, shop: Receiver):
    file = scenario(tmp_path, NOTHING)
    done = run(tmp_path, file, "--receiver", shop.url, "--accept", "--exact")
    assert (done.returncode, rules_of(file)) == (0, {})
    assert "made a rule" not in done.stdout
    assert run(tmp_path, file, "--receiver", shop.url).returncode == 1
    refused = run(tmp_path, file, "--receiver", shop.url, "--exact")
    assert (refused.returncode, "--accept" in refused.stderr) == (2, True)


def test_a_rule_that_is_there_is_kept_and_one_that_only_differed_is_not_made(tmp_path: Path, shop: Receiver):
    expect = {**NOTHING, "rules": {"/events/*/at": "ignore", "/answered_at": {"regex": "Z$"}}}
    file = scenario(tmp_path, expect)
    assert run(tmp_path, file, "--receiver", shop.url, "--accept").returncode == 0
    assert rules_of(file) == {**expect["rules"], "/events/*/job": "uuid"}


def reviewed(http: httpx.Client, served: Served, shop: Receiver) -> tuple[Path, str]:
    """A review in which all is accepted and nothing is written yet; its scenario file and its address."""
    file = scenario(served.workspace, NOTHING)
    assert run(served.workspace, file, "--receiver", shop.url).returncode == 1
    newest = next(each for each in open_log(served.workspace / ".sandbox" / "runs").runs() if each.results)
    review = f"/runs/{newest.id}/review"
    while "/changes" not in (page := http.get(f"{review}?at=0")).url.path:
        http.post(review, data={**hidden(page.text), "do": "accept"})
    return file, review


def test_a_review(http: httpx.Client, served: Served, shop: Receiver):
    file, review = reviewed(http, served, shop)
    page = http.get(f"{review}/changes")
    assert "/events/*/at → becomes {" in words(page.text)
    offered = re.findall(r'name="take" value="([^"]*)" checked', page.text)
    assert len(offered) == 3
    ticked = {"offered": offered, "take": offered}
    http.post(f"{review}/changes", data={**hidden(page.text), **ticked})
    assert rules_of(file) == RULES
    assert run(served.workspace, file, "--receiver", shop.url).returncode == 0


def test_a_review_without_one_of_the_rules(http: httpx.Client, served: Served, shop: Receiver):
    file, review = reviewed(http, served, shop)
    page = http.get(f"{review}/changes")
    offered = re.findall(r'name="take" value="([^"]*)" checked', page.text)
    ticked = {"offered": offered, "take": offered[:-1]}
    # What the page showed is not what would be written: it is shown first.
    shown = http.post(f"{review}/changes", data={**hidden(page.text), **ticked})
    assert "Nothing was written" in words(shown.text)
    assert re.findall(r'name="take" value="([^"]*)" checked', shown.text) == offered[:-1]
    http.post(f"{review}/changes", data={**hidden(shown.text), **ticked})
    assert len(rules_of(file)) == 2
    assert run(served.workspace, file, "--receiver", shop.url).returncode == 1


def test_from_the_last_answer(http: httpx.Client, served: Served):
    page = Page(http, served.workspace).press("expect-view:json", receiver="shop", expectation="")
    assert "recorded" in sent(http, page)
    page.press("expect-last:", receiver="shop")
    assert "Made a rule for what looks volatile: /" in page.said
    assert page.expectation["rules"] == RULES
    assert "passed" in sent(http, page)
    # A rule about the items of an array does not leave out what the answer has there.
    page.press("show", expectation='{"body": {}, "rules": {"/events": {"none": {"status": "error"}}}}')
    page.press("expect-last:", receiver="shop")
    assert page.expectation["rules"] == RULES


def sent(http: httpx.Client, page: Page) -> str:
    """Send what the page has; the words of the page of the delivery, once it has landed."""
    answer = http.post("/send", data=page.fields, follow_redirects=False)
    path = str(answer.headers["location"])
    with http.stream("GET", f"{path}/events") as stream:
        assert "event: finished" in list(stream.iter_lines())
    return words(http.get(path).text)


@pytest.mark.parametrize(("options", "code"), [((), 0), (("--exact",), 1)])
def test_record(tmp_path: Path, shop: Receiver, options: tuple[str, ...], code: int):
    with recording(tmp_path, shop.url, *options) as process:
        process.post("/order_cancel", PAYLOAD.read_bytes())
        said = process.end()
    assert ("made a rule: step 'order_cancel': /events/*/at looks like" in said) == (code == 0)
    assert run(tmp_path, "out.scenario.json", "--receiver", shop.url).returncode == code


@pytest.mark.parametrize(("options", "code"), [((), 0), (("--exact",), 1)])
def test_import(tmp_path: Path, shop: Receiver, options: tuple[str, ...], code: int):
    posted = httpx.post(f"{shop.url}/order_cancel", content=PAYLOAD.read_bytes())
    entry = {
        "request": {
            "method": "POST",
            "url": "https://shop.example/order_cancel",
            "headers": [],
            "postData": {"mimeType": "application/json", "text": PAYLOAD.read_text()},
        },
        "response": {"status": 200, "headers": [], "content": {"text": posted.text}},
    }
    (tmp_path / "a.har").write_bytes(jsontext.compact({"log": {"entries": [entry]}}))
    made = command.run("import", "a.har", "-o", "out.scenario.json", *options, cwd=tmp_path)
    assert made.returncode == 0, made.stderr
    assert ("its answer gets a rule for /events/*/at" in made.stdout) == (code == 0)
    assert run(tmp_path, "out.scenario.json", "--receiver", shop.url).returncode == code
