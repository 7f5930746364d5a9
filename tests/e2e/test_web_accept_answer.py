"""Accepting the answer to one delivery: shown before it is written, and taken back."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support import command
from tests.support.accepting import accept
from tests.support.compose_client import ComposeClient
from tests.support.pages import hidden, main_words
from tests.support.receivers import Peer, receiver, response
from tests.support.serving import serving

EVENT = b'{"events": [{"error_code": "ERR1", "status": "warning", "job": "ID"}]}'
UUIDS = [f"0f8fad5b-d9cb-469f-a165-70867728950{number}" for number in range(10)]


class Answers:
    """A receiver whose next answer is set; `ID` in it is another id each time."""

    def __init__(self) -> None:
        self.answer(EVENT)

    def answer(self, body: bytes, status: str = "200 OK", content_type: str = "application/json") -> None:
        self.body, self.status, self.content_type = body, status, content_type

    def act(self, peer: Peer) -> None:
        while peer.read_request() is not None:
            number = len(peer.receiver.requests) % len(UUIDS)
            body = self.body.replace(b"ID", UUIDS[number].encode())
            peer.send(response(body, f"Content-Type: {self.content_type}", status=self.status))


@pytest.fixture(scope="module")
def listening() -> Iterator[tuple[Answers, str]]:
    answers = Answers()
    with receiver(answers.act) as shop:
        yield answers, shop.url


@pytest.fixture
def answers(listening: tuple[Answers, str]) -> Answers:
    answers = listening[0]
    answers.answer(EVENT)
    return answers


@pytest.fixture
def client(
    tmp_path_factory: pytest.TempPathFactory, listening: tuple[Answers, str]
) -> Iterator[ComposeClient]:
    with serving(tmp_path_factory.mktemp("workspace")) as served:
        client = ComposeClient(served)
        client.add("shop", base_url=listening[1])
        client.add("nobody", base_url="http://127.0.0.1:9")
        with client.http:
            yield client


def own(client: ComposeClient, name: str = "default") -> Path:
    return client.workspace.own_expectation("order_cancel", "draft", name)


def verdicts(client: ComposeClient, path: str) -> list[str]:
    return [each.verdict for each in client.landed(path).judgements]


def test_an_answer_is_expected_by_its_fixture_from_then_on(client: ComposeClient, answers: Answers):
    path = client.sent(receiver="shop", expectation='{"status": 200, "body": {"events": []}, "max_ms": 9000}')
    assert verdicts(client, path) == ["failed"]
    page = main_words(client.http.get(f"{path}/accept").text)
    assert "writes fixtures/order_cancel/draft/default.expect.json" in page
    assert '"error_code": "ERR1"' in page
    assert "/events/0/job → becomes" in page
    assert not own(client).exists()
    done = accept(client.http, path)
    assert re.fullmatch(re.escape(path) + r"\?accepted=[0-9a-f]{32}", done.headers["location"])
    written = json.loads(own(client).read_text())
    assert written["rules"] == {"/events/0/job": "uuid"}
    assert written["body"]["events"][0]["error_code"] == "ERR1"
    assert written["max_ms"] == 9000
    # The payload is of the same layer as what it expects.
    assert client.workspace.own_fixture("order_cancel", "draft", "default").exists()
    # Both verdicts are in sight, on the page and in the log.
    assert verdicts(client, path) == ["failed", "passed"]
    assert client.landed(path).judgements[-1].expected_by.endswith("default.expect.json")
    for shown in (done.headers["location"], "/deliveries"):
        assert "failed, then ✓ passed" in main_words(client.http.get(shown).text)
    # The next answer has another id, and passes.
    again = client.again(path).headers["location"]
    assert verdicts(client, again) == ["passed"]


def test_accepting_is_taken_back(client: ComposeClient, answers: Answers):
    path = client.sent(receiver="shop", expectation='{"body": {"events": []}}')
    client.landed(path)
    before = own(client).read_text() if own(client).exists() else None
    done = accept(client.http, path)
    notice = client.http.get(done.headers["location"]).text
    assert "Accepted: this answer is expected from now on." in main_words(notice)
    change = re.search('name="change" value="([^"]+)"', notice)
    assert change
    undone = client.http.post(f"{path}/accept", data={"do": "undo", "change": change[1]})
    assert undone.headers["location"] == path
    assert (own(client).read_text() if own(client).exists() else None) == before
    assert verdicts(client, path) == ["failed", "passed", "failed"]
    twice = client.http.post(f"{path}/accept", data={"do": "undo", "change": change[1]})
    assert twice.status_code == 422
    assert "taken back" in main_words(twice.text)


def test_what_changed_since_is_not_taken_back(client: ComposeClient, answers: Answers):
    path = client.sent(receiver="shop", expectation='{"body": {"events": []}}')
    client.landed(path)
    done = accept(client.http, path)
    own(client).write_text("{}")
    change = done.headers["location"].partition("accepted=")[2]
    undone = client.http.post(f"{path}/accept", data={"do": "undo", "change": change})
    assert undone.status_code == 422
    assert "was changed since: nothing was taken back" in main_words(undone.text)
    assert own(client).read_text() == "{}"


def test_an_answer_of_which_nothing_was_expected_is_expected_exactly(client: ComposeClient, answers: Answers):
    for expectation in ('{"status": 200}', ""):
        path = client.sent(receiver="shop", fixture="mine", expectation=expectation)
        client.landed(path)
        page = main_words(client.http.get(f"{path}/accept").text)
        assert "in no file" in page
        assert accept(client.http, path).headers["location"] == path
        assert verdicts(client, path)[-1] == "passed"
        latest = client.landed(path).judgement
        assert latest is not None
        assert latest.expectation is not None
        assert latest.expectation.body["events"][0]["error_code"] == "ERR1"


@pytest.mark.parametrize(
    ("status", "content_type", "body", "on_purpose"),
    [
        ("500 Oops", "text/html", b"<html>Oops</html>", 'say "status": 500 in expect'),
        ("200 OK", "text/html", b"<html>Hello</html>", 'say "contract": false in expect'),
        ("200 OK", "application/json", b'{"events": 7}', 'say "contract": false in expect'),
    ],
)
def test_what_breaks_the_contract_is_not_accepted(
    client: ComposeClient, answers: Answers, status: str, content_type: str, body: bytes, on_purpose: str
):
    answers.answer(body, status, content_type)
    path = client.sent(receiver="shop")
    before = verdicts(client, path)
    page = client.http.get(f"{path}/accept").text
    assert "It cannot be accepted" in main_words(page)
    assert on_purpose in main_words(page)
    assert "shown" not in hidden(page)
    client.http.post(f"{path}/accept", data={"do": "accept", "shown": ""})
    assert verdicts(client, path) == before
    assert not own(client).exists()


def test_a_fault_is_not_accepted(client: ComposeClient):
    path = client.sent(receiver="nobody")
    client.landed(path)
    page = main_words(client.http.get(f"{path}/accept").text)
    assert 'The fault refused is no answer: to expect it on purpose, say "fault": "refused"' in page


def test_it_is_written_as_it_was_shown_or_not_at_all(client: ComposeClient, answers: Answers):
    path = client.sent(receiver="shop", expectation='{"body": {"events": []}}')
    client.landed(path)
    unruled = accept(client.http, path, offered=["/events/0/job"])
    assert unruled.status_code == 422
    assert "Nothing was written" in main_words(unruled.text)
    assert not own(client).exists()
    shown = hidden(unruled.text)["shown"]
    data = {"shown": shown, "do": "accept", "offered": ["/events/0/job"]}
    assert client.http.post(f"{path}/accept", data=data).status_code == 303
    assert "rules" not in json.loads(own(client).read_text())


def test_a_step_is_accepted_into_its_scenario_and_taken_back(client: ComposeClient, answers: Answers):
    nothing = {"body": {"events": []}}
    root = client.workspace.root
    file = root / "scenarios" / "bad.scenario.json"
    file.parent.mkdir()
    steps = [{"name": name, "fixture": "default", "expect": nothing} for name in ("said", "kept")]
    file.write_text(json.dumps({"steps": steps}))
    before = file.read_text()
    assert command.run("run", "--receiver", "shop", cwd=root).returncode == 1
    path = next(f"/deliveries/{each.id}" for each in client.log.rows() if each.step == "said")
    done = accept(client.http, path)
    assert done.status_code == 303, main_words(done.text)
    said, kept = json.loads(file.read_text())["steps"]
    assert said["expect"]["rules"] == {"/events/0/job": "uuid"}
    assert kept["expect"] == nothing
    assert verdicts(client, path) == ["failed", "passed"]
    change = done.headers["location"].partition("accepted=")[2]
    client.http.post(f"{path}/accept", data={"do": "undo", "change": change})
    assert file.read_text() == before
    assert verdicts(client, path) == ["failed", "passed", "failed"]
