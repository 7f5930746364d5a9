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
from retailops_sandbox.runlog.log import Log
from retailops_sandbox.workspace.workspace import Workspace
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
CAME: dict[str, Any] = {
    "events": [
        {"error_code": "ERR1", "error_message": "order 345 is gone"},
        {"error_code": "ERR2", "error_message": "kept", "status": "warning"},
    ]
}


class Desk:
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
        newest = next(run for run in Log(self.root / ".sandbox" / "runs").runs() if run.results)
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


def words(page: str) -> str:
    """A page's text, its blanks made one."""
    body = re.sub(r"(?s)<head>.*?</head>", "", page)
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", body)).split())


def hidden(page: str) -> dict[str, str]:
    fields = re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', page)
    return {name: html.unescape(value) for name, value in fields}


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    root = tmp_path_factory.mktemp("workspace")
    answer = response(json.dumps(CAME).encode(), "Content-Type: application/json")
    with serving(root) as served, receiver(answering(answer)) as shop:
        Workspace(root).save_receiver(ReceiverRecord("shop", shop.url))
        desk = Desk(root, served.url, shop.url)
        with desk.http:
            yield desk


@pytest.fixture
def desk(served: Desk) -> Iterator[Desk]:
    yield served
    for file in served.root.glob("scenarios/*"):  # none where a test ran nothing
        file.unlink()


def test_differences_come_one_at_a_time_and_are_written_at_the_end(desk: Desk):
    review = desk.run()
    first = desk.page(review)
    assert "Difference 1 of 2" in first
    assert "/events/0/error_message" in first
    assert desk.press(review, 1, "accept") == f"{review}?at=2"
    assert "1 decided" in desk.page(f"{review}?at=2")
    assert desk.press(review, 2, "accept") == f"{review}/changes"
    assert desk.file.read_text() == SCENARIO
    assert "order 345 is gone" in desk.page(f"{review}/changes")
    done = desk.write(review)
    assert done.status_code == 303
    assert "Written" in desk.page(done.headers["location"])
    assert desk.expected()["body"] == CAME
    lines = SCENARIO.splitlines()
    assert [line for line in desk.file.read_text().splitlines() if line not in lines] == [
        '                {"error_code": "ERR1", "error_message": "order 345 is gone"},',
        '                {"error_code": "ERR2", "error_message": "kept", "status": "warning"}',
    ]
    assert "Written" in desk.page(review)


def test_rejecting_and_skipping_change_nothing(desk: Desk):
    review = desk.run()
    desk.press(review, 1, "keep")
    desk.press(review, 2, "skip")
    page = desk.page(f"{review}/changes")
    assert "Nothing changes" in page
    assert "kept as expected" in page
    assert "skipped" in page
    assert desk.write(review).headers["location"] == f"{review}/changes"
    assert desk.file.read_text() == SCENARIO


def test_undo_takes_back_the_latest_decisions_one_by_one(desk: Desk):
    review = desk.run()
    desk.press(review, 1, "accept")
    desk.press(review, 2, "accept")
    assert desk.press(review, 2, "undo") == f"{review}?at=2"
    assert desk.press(review, 2, "undo") == f"{review}?at=1"
    assert desk.press(review, 1, "undo") == f"{review}?at=1"
    assert "Nothing changes" in desk.page(f"{review}/changes")


@pytest.mark.parametrize(
    ("fields", "rules"),
    [
        ({"rule": "ignore", "everywhere": "yes"}, {"/events/*/error_message": "ignore"}),
        ({"rule": "ignore"}, {"/events/0/error_message": "ignore"}),
        ({"rule": "type"}, {"/events/0/error_message": {"type": "string"}}),
        ({"rule": "regex", "pattern": "^order"}, {"/events/0/error_message": {"regex": "^order"}}),
    ],
)
def test_a_rule_is_made(desk: Desk, fields: dict[str, str], rules: Any):
    review = desk.run()
    desk.press(review, 1, "rule", **fields)
    desk.press(review, 2, "ignore", everywhere="yes")
    desk.write(review)
    body = json.loads(SCENARIO)["steps"][0]["expect"]["body"]
    assert desk.expected() == {
        "status": 200,
        "body": body,
        "rules": {**rules, "/events/*/status": "ignore"},
    }
    assert "Nothing here differs" in desk.page(desk.run(desk.file.read_text()))


@pytest.mark.parametrize(
    ("pattern", "why"),
    [("(", "cannot be used"), ("^nothing like it", "does not match what came")],
)
def test_a_regex_that_settles_nothing_is_refused_with_what_was_typed(desk: Desk, pattern: str, why: str):
    review = desk.run()
    answer = desk.http.post(review, data={"at": 1, "do": "rule", "rule": "regex", "pattern": pattern})
    assert answer.status_code == 422
    assert why in words(answer.text)
    assert f'value="{html.escape(pattern)}"' in answer.text
    assert "0 decided" in words(answer.text)


def test_what_a_regex_matches_is_told_without_deciding(desk: Desk):
    review = desk.run()
    proposed = re.search(r'id="pattern"[^>]* value="([^"]*)"', desk.http.get(review).text)
    assert proposed is not None
    assert html.unescape(proposed[1]) == "^order [0-9]+ is gone$"
    for pattern, told in [
        ("345", "✓ matches what came , ○ does not match what was expected"),
        ("order [0-9]+", "✓ matches what came , ✓ matches what was expected"),
        ("[", "✗ cannot be used:"),
    ]:
        data = {"at": 1, "rule": "regex", "pattern": pattern}
        part = desk.http.post(review, data=data, headers={"HX-Target": "told"})
        assert words(part.text).startswith(told)
        whole = desk.http.post(review, data={**data, "do": "try"})
        assert told in words(whole.text)
    assert "0 decided" in desk.page(review)


def test_a_file_that_was_changed_meanwhile_is_left_alone(desk: Desk):
    review = desk.run()
    desk.press(review, 1, "accept")
    edited = SCENARIO.replace('"Cancel"', '"Edited"')
    desk.file.write_text(edited)
    refused = desk.write(review)
    assert refused.status_code == 422
    assert "was changed on disk since it was read" in words(refused.text)
    assert desk.file.read_text() == edited
    # What the step expects is the same, so the review can begin again with the file as it is.
    assert desk.press(review, 0, "restart") == review
    assert "0 decided" in desk.page(review)
    desk.press(review, 1, "accept")
    desk.write(review)
    assert '"Edited"' in desk.file.read_text()
    assert "order 345" in desk.file.read_text()


def test_what_would_be_written_is_what_was_shown(desk: Desk):
    review = desk.run()
    desk.press(review, 1, "accept")
    shown = hidden(desk.http.get(f"{review}/changes").text)
    desk.press(review, 2, "accept")
    refused = desk.http.post(f"{review}/changes", data=shown)
    assert refused.status_code == 422
    assert "would not be what the page showed" in words(refused.text)
    assert desk.file.read_text() == SCENARIO


def test_an_expectation_that_was_changed_since_the_run_is_not_reviewed(desk: Desk):
    review = desk.run()
    desk.file.write_text(SCENARIO.replace("ERR2", "ERR9"))
    page = desk.page(review)
    assert "Nothing to review" in page
    assert "the file was changed since" in page
    assert "run it again" in page


def test_a_step_that_is_gone_does_not_keep_the_others_from_being_reviewed(desk: Desk):
    two = json.loads(SCENARIO)
    two["steps"].append({**two["steps"][0], "name": "again"})
    review = desk.run(json.dumps(two))
    two["steps"][1]["name"] = "once more"
    desk.file.write_text(json.dumps(two))
    assert "Difference 1 of 2" in desk.page(review)
    assert "step 'again' does not expect" in desk.page(f"{review}/changes")


def test_a_scenario_outside_the_workspace_is_not_touched(desk: Desk, tmp_path: Path):
    outside = tmp_path / "outside.scenario.json"
    outside.write_text(SCENARIO)
    review = desk.run(SCENARIO, str(outside))
    page = desk.page(review)
    assert "Nothing to review" in page
    assert "outside.scenario.json" in page
    assert outside.read_text() == SCENARIO


def test_violations_and_faults_are_named_and_not_accepted(desk: Desk):
    fault = desk.page(desk.run(SCENARIO, "--receiver", f"http://127.0.0.1:{unused_port()}"))
    assert "Nothing to review" in fault
    assert "the fault refused is no answer" in fault
    answer = response(b'{"events": [{"error_code": 7}]}')
    with receiver(answering(answer)) as shop:
        review = desk.run(SCENARIO, "--receiver", shop.url)
    assert "The answer breaks the contract too" in desk.page(review)
    assert "violations of the contract are not accepted" in desk.page(f"{review}/changes")


def test_a_shipped_scenario_is_copied_into_the_workspace(desk: Desk):
    review = desk.run(SCENARIO, str(shipped_file()))
    assert "draft-cancel" in desk.page(review)
    desk.press(review, 1, "accept")
    assert "a copy of the shipped scenario" in desk.page(f"{review}/changes")
    desk.write(review)
    assert "ERR1" in (desk.root / "scenarios" / "draft-cancel.scenario.json").read_text()
    assert "ERR1" not in shipped_file().read_text()


def shipped_file() -> Path:
    from retailops_sandbox import resources

    return resources.fixtures_dir() / "scenarios" / "draft-cancel.scenario.json"


def test_the_delivery_of_a_scenario_leads_to_its_review(desk: Desk):
    run = desk.run().removeprefix("/runs/").removesuffix("/review")
    found = Log(desk.root / ".sandbox" / "runs").run(run)
    assert found is not None
    delivery = found[1][0].delivery.id
    page = desk.http.get(f"/deliveries/{delivery}").text
    assert f'href="/deliveries/{delivery}/review"' in page
    assert "Difference 1 of 2" in desk.page(f"/deliveries/{delivery}/review")
    assert f'href="/runs/{run}/review"' in desk.http.get(f"/runs/{run}").text


@pytest.mark.parametrize(
    "path", ["/runs/none/review", "/deliveries/none/review", "/runs/none/review/changes"]
)
def test_what_is_not_in_the_log_is_not_found(desk: Desk, path: str):
    assert "none" in desk.page(path, 404)


@pytest.mark.parametrize("at", ["0", "3", "-1", "x", "99999999999999999999", "²"])
def test_a_number_that_is_none_leads_to_the_next_open_difference(desk: Desk, at: str):
    review = desk.run()
    assert "Difference 1 of 2" in desk.page(f"{review}?at={at}")
    answer = desk.http.post(review, data={"at": at, "do": "accept"})
    assert answer.headers["location"] == review


def test_other_sites_cannot_decide_or_write(desk: Desk):
    review = desk.run()
    desk.press(review, 1, "accept")
    shown = hidden(desk.http.get(f"{review}/changes").text)
    for path, data in [(review, {"at": "2", "do": "accept"}), (f"{review}/changes", shown)]:
        answer = desk.http.post(path, data=data, headers={"Origin": "http://elsewhere.example"})
        assert answer.status_code == 403
    assert desk.file.read_text() == SCENARIO
    assert "1 decided" in desk.page(f"{review}?at=2")
