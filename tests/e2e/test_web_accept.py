"""A review as an HTTP client has it: every decision a plain form, nothing written before the end."""

from __future__ import annotations

import html
import json
import os
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2 as httpx
import pytest

from retailops_sandbox.model import Receiver as ReceiverRecord
from retailops_sandbox.workspace.workspace import Workspace
from tests.support.logged import open_log
from tests.support.pages import hidden, words
from tests.support.receivers import answering, receiver, response, unused_port
from tests.support.serving import MAIN, PACKAGE_ROOT, serving

SCENARIO = """\
{
    "name": "Cancel",
    "steps": [
        {"name": "cancel", "fixture": "default",
         "expect": {
            "status": 200,
            "body": {"events": [
                {"error_code": "ERR1", "error_message": "order 12 is gone"},
                {"error_code": "ERR2", "error_message": "kept"}
            ]}
         }}
    ]
}
"""
TIMES = "\N{MULTIPLICATION SIGN}"
CAME: dict[str, Any] = {
    "events": [
        {"error_code": "ERR1", "error_message": "order 345 is gone"},
        {"error_code": "ERR2", "error_message": "kept", "status": "warning"},
    ]
}


class AcceptClient:
    """A browser at a served workspace, and scenarios that are run there from a terminal."""

    def __init__(self, root: Path, url: str, shop_url: str) -> None:
        self.root = root
        self.shop_url = shop_url
        self.http = httpx.Client(base_url=url, timeout=60)
        self.file = root / "scenarios" / "cancel.scenario.json"

    def run(self, text: str = SCENARIO, *arguments: str) -> str:
        """The path of the review of a new run: of a scenario with this text, or what the arguments name."""
        self.file.parent.mkdir(exist_ok=True)
        self.file.write_text(text)
        command = [*MAIN, "run", "--receiver", self.shop_url, *arguments]
        environment = {**os.environ, "PYTHONPATH": PACKAGE_ROOT}
        subprocess.run(command, cwd=self.root, env=environment, capture_output=True, check=False, timeout=60)
        newest = next(run for run in open_log(self.root / ".sandbox" / "runs").runs() if run.results)
        return f"/runs/{newest.id}/review"

    def page(self, path: str, status: int = 200) -> str:
        answer = self.http.get(path, follow_redirects=True)
        assert answer.status_code == status, answer.text
        return words(answer.text)

    def press(self, review: str, at: int, do: str, **fields: str) -> str:
        """Press a button; where that leads."""
        answer = self.http.post(review, data={"at": at, "do": do, **fields})
        assert answer.status_code == 303, words(answer.text)
        return str(answer.headers["location"])

    def write(self, review: str) -> httpx.Response:
        """Press Write on the page of the changes."""
        shown = hidden(self.http.get(f"{review}/changes").text)
        return self.http.post(f"{review}/changes", data=shown)

    def expected(self) -> Any:
        return json.loads(self.file.read_text())["steps"][0]["expect"]


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AcceptClient]:
    root = tmp_path_factory.mktemp("workspace")
    answer = response(json.dumps(CAME).encode(), "Content-Type: application/json")
    with serving(root) as served, receiver(answering(answer)) as shop:
        Workspace(root).save_receiver(ReceiverRecord("shop", shop.url))
        client = AcceptClient(root, served.url, shop.url)
        with client.http:
            yield client


@pytest.fixture
def client(served: AcceptClient) -> Iterator[AcceptClient]:
    yield served
    for file in served.root.glob("scenarios/*"):  # none where a test ran nothing
        file.unlink()


def test_differences_come_one_at_a_time_and_are_written_at_the_end(client: AcceptClient):
    review = client.run()
    assert "2 differences" in client.page(review)
    first = client.page(f"{review}?at=1")
    assert "Difference 1 of 2" in first
    assert "/events/0/error_message" in first
    assert client.press(review, 1, "accept") == f"{review}?at=2"
    assert "1 decided" in client.page(f"{review}?at=2")
    assert client.press(review, 2, "accept") == f"{review}/changes"
    assert client.file.read_text() == SCENARIO
    assert "order 345 is gone" in client.page(f"{review}/changes")
    done = client.write(review)
    assert done.status_code == 303
    assert "Written" in client.page(done.headers["location"])
    assert client.expected()["body"] == CAME
    lines = SCENARIO.splitlines()
    assert [line for line in client.file.read_text().splitlines() if line not in lines] == [
        '                {"error_code": "ERR1", "error_message": "order 345 is gone"},',
        '                {"error_code": "ERR2", "error_message": "kept", "status": "warning"}',
    ]
    assert "Written" in client.page(review)


def many(client: AcceptClient, *scenarios: tuple[str, str]) -> str:
    """The review of a run of scenarios with these names, which expect these messages."""
    client.file.parent.mkdir(exist_ok=True)
    for name, message in scenarios:
        expect = {"body": {"events": [{"error_code": "ERR1", "error_message": message}, CAME["events"][1]]}}
        step = {"name": "cancel", "fixture": "default", "expect": expect}
        file = client.file.with_name(f"{name}.scenario.json")
        file.write_text(json.dumps({"name": name, "steps": [step]}))
    return client.run()


def test_differences_that_are_alike_are_one_row_and_one_decision(client: AcceptClient):
    names = [f"case {number}" for number in range(5)]
    review = many(client, *((name, "gone") for name in names), ("other", "order 7"))
    page = client.page(review)
    assert "8 differences, 4 causes in 7 scenarios; 0 decided" in page
    assert f'5 {TIMES} /events/*/error_message changed expected "gone" → answered "order 345 is gone"' in page
    assert "case 0, case 1, case 2 and 2 more" in page
    rows = client.http.get(review).text
    row = re.search(rf'5 {TIMES}</b> <a href="[^"]*at=(\d+)"', rows)
    assert row
    done = client.press(review, int(row[1]), "accept", alike="yes", **{"from": "list"})
    assert re.fullmatch(re.escape(review) + r"#group-\d", done)
    assert "5 decided" in client.page(done)
    summary = client.page(f"{review}/changes")
    assert "5 files change" in summary
    assert (
        f'5 {TIMES} /events/*/error_message "gone" → "order 345 is gone" case 0, case 1, case 2 and 2 more'
        in summary
    )
    # One of them is decided alone, and all are undone at once.
    client.press(review, int(row[1]), "keep")
    assert "4 files change" in client.page(f"{review}/changes")
    assert "5 of 5 decided" in client.page(review)
    client.press(review, 1, "undo")
    client.press(review, 1, "undo", **{"from": "list"})
    assert "0 decided" in client.page(review)


def test_what_was_written_is_taken_back(client: AcceptClient):
    review = client.run()
    client.press(review, 1, "accept")
    client.write(review)
    written = client.file.read_text()
    assert written != SCENARIO
    undo = {"do": "undo"}
    assert client.http.post(f"{review}/changes", data=undo).status_code == 303
    assert client.file.read_text() == SCENARIO
    assert "1 file changes" in client.page(f"{review}/changes")
    client.write(review)
    assert client.file.read_text() == written
    client.file.write_text("{}")
    refused = client.http.post(f"{review}/changes", data=undo)
    assert refused.status_code == 422
    assert "was changed since: nothing was taken back" in words(refused.text)
    assert client.file.read_text() == "{}"


def test_rejecting_and_skipping_change_nothing(client: AcceptClient):
    review = client.run()
    client.press(review, 1, "keep")
    client.press(review, 2, "skip")
    page = client.page(f"{review}/changes")
    assert "Nothing changes" in page
    assert "kept as expected" in page
    assert "skipped" in page
    assert client.write(review).headers["location"] == f"{review}/changes"
    assert client.file.read_text() == SCENARIO


def test_undo_takes_back_the_latest_decisions_one_by_one(client: AcceptClient):
    review = client.run()
    client.press(review, 1, "accept")
    client.press(review, 2, "accept")
    assert client.press(review, 2, "undo") == f"{review}?at=2"
    assert client.press(review, 2, "undo") == f"{review}?at=1"
    assert client.press(review, 1, "undo") == f"{review}?at=1"
    assert "Nothing changes" in client.page(f"{review}/changes")


@pytest.mark.parametrize(
    ("fields", "rules"),
    [
        ({"rule": "ignore", "everywhere": "yes"}, {"/events/*/error_message": "ignore"}),
        ({"rule": "ignore"}, {"/events/0/error_message": "ignore"}),
        ({"rule": "type"}, {"/events/0/error_message": {"type": "string"}}),
        ({"rule": "regex", "pattern": "^order"}, {"/events/0/error_message": {"regex": "^order"}}),
    ],
)
def test_a_rule_is_made(client: AcceptClient, fields: dict[str, str], rules: Any):
    review = client.run()
    client.press(review, 1, "rule", **fields)
    client.press(review, 2, "ignore", everywhere="yes")
    client.write(review)
    body = json.loads(SCENARIO)["steps"][0]["expect"]["body"]
    assert client.expected() == {
        "status": 200,
        "body": body,
        "rules": {**rules, "/events/*/status": "ignore"},
    }
    assert "Nothing here differs" in client.page(client.run(client.file.read_text()))


@pytest.mark.parametrize(
    ("pattern", "why"),
    [("(", "cannot be used"), ("^nothing like it", "does not match what came")],
)
def test_a_regex_that_settles_nothing_is_refused_with_what_was_typed(
    client: AcceptClient, pattern: str, why: str
):
    review = client.run()
    answer = client.http.post(review, data={"at": 1, "do": "rule", "rule": "regex", "pattern": pattern})
    assert answer.status_code == 422
    assert why in words(answer.text)
    assert f'value="{html.escape(pattern)}"' in answer.text
    assert "0 decided" in words(answer.text)


def test_what_a_regex_matches_is_told_without_deciding(client: AcceptClient):
    review = client.run()
    proposed = re.search(r'id="pattern"[^>]* value="([^"]*)"', client.http.get(f"{review}?at=1").text)
    assert proposed is not None
    assert html.unescape(proposed[1]) == "^order [0-9]+ is gone$"
    for pattern, told in [
        ("345", "✓ matches what came , ○ does not match what was expected"),
        ("order [0-9]+", "✓ matches what came , ✓ matches what was expected"),
        ("[", "✗ cannot be used:"),
    ]:
        data = {"at": 1, "rule": "regex", "pattern": pattern}
        part = client.http.post(review, data=data, headers={"HX-Target": "regex-preview"})
        assert words(part.text).startswith(told)
        whole = client.http.post(review, data={**data, "do": "try"})
        assert told in words(whole.text)
    assert "0 decided" in client.page(review)


def test_a_file_that_was_changed_meanwhile_is_left_alone(client: AcceptClient):
    review = client.run()
    client.press(review, 1, "accept")
    edited = SCENARIO.replace('"Cancel"', '"Edited"')
    client.file.write_text(edited)
    refused = client.write(review)
    assert refused.status_code == 422
    assert "was changed on disk since it was read" in words(refused.text)
    assert client.file.read_text() == edited
    # What the step expects is the same, so the review can begin again with the file as it is.
    assert client.press(review, 0, "restart") == review
    assert "0 decided" in client.page(review)
    client.press(review, 1, "accept")
    client.write(review)
    assert '"Edited"' in client.file.read_text()
    assert "order 345" in client.file.read_text()


def test_what_would_be_written_is_what_was_shown(client: AcceptClient):
    review = client.run()
    client.press(review, 1, "accept")
    shown = hidden(client.http.get(f"{review}/changes").text)
    client.press(review, 2, "accept")
    refused = client.http.post(f"{review}/changes", data=shown)
    assert refused.status_code == 422
    assert "would not be what the page showed" in words(refused.text)
    assert client.file.read_text() == SCENARIO


def test_an_expectation_that_was_changed_since_the_run_is_not_reviewed(client: AcceptClient):
    review = client.run()
    client.file.write_text(SCENARIO.replace("ERR2", "ERR9"))
    page = client.page(review)
    assert "Nothing to review" in page
    assert "the file was changed since" in page
    assert "run it again" in page


def test_a_step_that_is_gone_does_not_keep_the_others_from_being_reviewed(client: AcceptClient):
    two = json.loads(SCENARIO)
    two["steps"].append({**two["steps"][0], "name": "again"})
    review = client.run(json.dumps(two))
    two["steps"][1]["name"] = "once more"
    client.file.write_text(json.dumps(two))
    assert "2 differences in 1 scenario" in client.page(review)
    assert "step 'again' does not expect" in client.page(f"{review}/changes")


def test_a_scenario_outside_the_workspace_is_not_touched(client: AcceptClient, tmp_path: Path):
    outside = tmp_path / "outside.scenario.json"
    outside.write_text(SCENARIO)
    review = client.run(SCENARIO, str(outside))
    page = client.page(review)
    assert "Nothing to review" in page
    assert "outside.scenario.json" in page
    assert outside.read_text() == SCENARIO


def test_violations_and_faults_are_named_and_not_accepted(client: AcceptClient):
    fault = client.page(client.run(SCENARIO, "--receiver", f"http://127.0.0.1:{unused_port()}"))
    assert "Nothing to review" in fault
    assert "the fault refused is no answer" in fault
    answer = response(b'{"events": [{"error_code": 7}]}')
    with receiver(answering(answer)) as shop:
        review = client.run(SCENARIO, "--receiver", shop.url)
    assert "cannot be accepted: the answer breaks the contract (/events/0/error_code" in client.page(review)
    assert "It cannot be accepted: the answer breaks" in client.page(f"{review}?at=1")
    assert 'say "contract": false in expect' in client.page(review)
    refused = client.http.post(review, data={"at": 1, "do": "accept"})
    assert refused.status_code == 422
    assert "This answer cannot be accepted." in words(refused.text)
    assert client.press(review, 1, "keep") == f"{review}?at=2"


def test_a_shipped_scenario_is_copied_into_the_workspace(client: AcceptClient):
    answer = response(b'{"events": [{"status": "error", "error_code": "ERR1"}]}')
    with receiver(answering(answer)) as shop:
        review = client.run(SCENARIO, str(shipped_file()), "--receiver", shop.url)
    assert "draft-cancel" in client.page(review)
    client.press(review, 1, "accept")
    assert "a copy of the shipped scenario" in client.page(f"{review}/changes")
    client.write(review)
    assert "ERR1" in (client.root / "scenarios" / "draft-cancel.scenario.json").read_text()
    assert "ERR1" not in shipped_file().read_text()


def shipped_file() -> Path:
    from retailops_sandbox import resources

    return resources.fixtures_dir() / "scenarios" / "draft-cancel.scenario.json"


def test_the_delivery_of_a_scenario_leads_to_its_review(client: AcceptClient):
    run = client.run().removeprefix("/runs/").removesuffix("/review")
    found = open_log(client.root / ".sandbox" / "runs").deliveries(run)
    delivery = found[0].delivery.id
    page = client.http.get(f"/deliveries/{delivery}").text
    assert f'href="/deliveries/{delivery}/review"' in page
    assert "2 differences in 1 scenario" in client.page(f"/deliveries/{delivery}/review")
    assert f'href="/runs/{run}/review"' in client.http.get(f"/runs/{run}").text


@pytest.mark.parametrize(
    "path", ["/runs/none/review", "/deliveries/none/review", "/runs/none/review/changes"]
)
def test_what_is_not_in_the_log_is_not_found(client: AcceptClient, path: str):
    assert "none" in client.page(path, 404)


@pytest.mark.parametrize("at", ["0", "3", "-1", "x", "99999999999999999999", "²"])
def test_a_number_that_is_none_leads_to_the_next_open_difference(client: AcceptClient, at: str):
    review = client.run()
    assert "Difference 1 of 2" in client.page(f"{review}?at={at}")
    answer = client.http.post(review, data={"at": at, "do": "accept"})
    assert answer.headers["location"] == review


def test_other_sites_cannot_decide_or_write(client: AcceptClient):
    review = client.run()
    client.press(review, 1, "accept")
    shown = hidden(client.http.get(f"{review}/changes").text)
    for path, data in [(review, {"at": "2", "do": "accept"}), (f"{review}/changes", shown)]:
        answer = client.http.post(path, data=data, headers={"Origin": "http://elsewhere.example"})
        assert answer.status_code == 403
    assert client.file.read_text() == SCENARIO
    assert "1 decided" in client.page(f"{review}?at=2")
