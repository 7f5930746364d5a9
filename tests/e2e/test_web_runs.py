"""Runs as an HTTP client has them: a real process, a real port, real files."""

from __future__ import annotations

import html
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from retailops_sandbox.model import Receiver
from retailops_sandbox.runlog.runs import RunSummary
from tests.support.accepting import accept
from tests.support.logged import open_log
from tests.support.pages import hidden, main_words, words
from tests.support.receivers import receiver, unused_port
from tests.support.run_client import EVENT, FAILS, PASSES, RunClient, run_client
from tests.support.serving import MAIN, serving
from tests.support.shop import Shop


@pytest.fixture
def shop() -> Shop:
    return Shop()


@pytest.fixture
def client(tmp_path: Path, shop: Shop) -> Iterator[RunClient]:
    with run_client(tmp_path, shop) as client:
        yield client


# --- running ---


def verdict(run: RunSummary) -> str:
    """How the only scenario of a run came out."""
    (only,) = run.outcomes
    return only


def test_what_is_selected_runs_as_a_run_of_its_own(client: RunClient):
    first, _ = client.scenario("first", PASSES), client.scenario("second", PASSES)
    path = client.started(first)
    run = client.ended(path)
    assert run.info is not None
    assert (run.state, run.info.kind, run.info.receiver, run.info.scenarios) == ("finished", "run", "shop", 1)
    assert [(each.scenario, each.verdict) for each in client.log.results(run.id)] == [(first, "passed")]
    page = client.text(path)
    assert "✓ 1 passed" in headline(client, path)
    assert "1 of 1 scenario" in page
    assert "to shop" in page


def headline(client: RunClient, path: str) -> str:
    (found,) = re.findall("(?s)<h1[^>]*>(.*?)</h1>", client.http.get(path).text)
    return words(found)


def test_a_cause_that_all_have_is_said_once_and_what_failed_runs_again(client: RunClient, shop: Shop):
    client.workspace.save_receiver(Receiver("later", f"http://127.0.0.1:{unused_port()}"))
    ids = [client.scenario(f"case-{number}", PASSES) for number in range(3)]
    path = client.ran(*ids, receiver="later")
    assert headline(client, path) == "✗ 3 of 3 did not pass"
    page = client.text(path)
    assert "All 3 for the same cause: refused: nothing listens on 127.0.0.1" in page
    assert page.count("nothing listens") == 1
    # A review could accept nothing.
    assert "Review what differs" not in page
    again = client.http.post("/scenarios/run", data=again_form(client, path))
    assert again.status_code == 303, main_words(again.text)
    repeated = client.ended(again.headers["location"])
    assert repeated.info is not None
    assert (repeated.info.scenarios, repeated.info.receiver) == (3, "later")


def again_form(client: RunClient, path: str) -> dict[str, Any]:
    """The fields of the form that runs again what failed."""
    page = client.http.get(path).text
    (form,) = re.findall(r'(?s)<form[^>]* action="/scenarios/run".*?</form>', page)
    return {**hidden(form), "pick": re.findall('name="pick" value="([^"]*)"', form)}


def test_what_is_no_common_cause_stays_with_its_scenario(client: RunClient):
    wrong = {**PASSES, "off_contract": False, "remove": ["/data"], "name": "broken"}
    ids = [client.scenario(f"broken-{number}", wrong) for number in range(2)]
    other = client.scenario("other", FAILS)
    fine = client.scenario("fine", PASSES)
    path = client.ran(*ids, other, fine)
    assert headline(client, path) == "✗ 3 of 4 did not pass"
    page = client.text(path)
    assert "2 of 3 for the same cause: nothing was sent: the payload breaks the contract" in page
    assert page.count("for the same cause") == 3
    assert "/events/0" in page
    assert again_form(client, path)["pick"] == [*ids, other]


def test_each_run_against_the_stand_in_has_a_fresh_one(client: RunClient):
    twice = client.scenario("twice", {**PASSES, "expect": {"status": 200, "body": {"events": []}}})
    verdicts = [verdict(client.run(client.ran(twice, receiver="stand-in"))) for _ in range(2)]
    assert verdicts == ["passed", "passed"]
    assert "It proves nothing about yours." in client.text(client.ran(twice, receiver="stand-in"))


def test_a_form_that_is_sent_twice_runs_once(client: RunClient, shop: Shop):
    data = {**client.form(), "do": "selected", "pick": client.scenario("once", PASSES)}
    answers = [client.http.post("/scenarios/run", data=data) for _ in range(2)]
    places = [answer.headers["location"] for answer in answers]
    assert places[1] == f"{places[0]}?started=before"
    assert "This form was sent already" in client.text(places[1])
    client.ended(places[0])
    assert len([run for run in open_log(client.workspace.runs_dir).runs() if run.results]) == 1


def test_two_runs_at_once_do_not_disturb_each_other(client: RunClient, shop: Shop):
    shop.close()
    scenario = client.scenario("slow", PASSES)
    paths = [client.started(scenario), client.started(scenario)]
    shop.wait_for(2)
    assert len(set(paths)) == 2
    for path in paths:
        assert "running" in client.text(path)
    shop.open()
    assert [verdict(client.ended(path)) for path in paths] == ["passed", "passed"]


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({}, "select a scenario first"),
        ({"receiver": "live", "do": "listed"}, "live is protected"),
        ({"shown": "http://elsewhere/order_cancel", "do": "listed"}, "the page showed http://elsewhere"),
        ({"receiver": "nobody", "do": "listed"}, "there is no receiver 'nobody'"),
        ({"pick": "scenarios/gone.scenario.json"}, "scenarios/gone.scenario.json is gone"),
        ({"do": "listed", "q": "no such words"}, "there is nothing to run"),
        ({"do": "listed", "form_id": ""}, "the form has no id"),
    ],
)
def test_what_cannot_be_run_is_said_and_nothing_is_sent(client: RunClient, fields: dict[str, str], says: str):
    client.scenario("cancel", PASSES)
    shown = client.form(fields.get("receiver", "shop"))
    answer = client.http.post("/scenarios/run", data={**shown, "do": "selected", **fields})
    assert answer.status_code == 422
    assert says in main_words(answer.text)
    assert [run for run in open_log(client.workspace.runs_dir).runs() if run.deliveries] == []


def test_a_protected_receiver_takes_a_run_after_an_explicit_yes(client: RunClient):
    path = client.ran(client.scenario("cancel", PASSES), receiver="live", confirmed="live")
    assert verdict(client.run(path)) == "passed"


def test_more_than_a_thousand_can_be_selected(client: RunClient):
    client.scenario("cancel", PASSES)
    gone = [f"scenarios/{number}.scenario.json" for number in range(1500)]
    answer = client.start(*gone)
    assert answer.status_code == 422
    assert "is gone" in main_words(answer.text)


# --- stopping, and following ---


def test_a_run_that_is_stopped_keeps_and_tells_what_was_done(client: RunClient, shop: Shop):
    # So many that the shop closes long before the last.
    several = {**PASSES, "deliver": {"times": 2_000}}
    scenario = client.scenario("several", several, {**PASSES, "name": "then"})
    path = client.started(scenario)
    shop.wait_for(2)
    shop.close()
    shop.wait_for(1)
    assert "running" in client.text(path)
    stopped = client.http.post(f"{path}/stop")
    assert (stopped.status_code, stopped.headers["location"]) == (303, path)
    run = client.run(path)
    assert run.state == "stopped"
    (result,) = client.log.results(run.id)
    assert result.stopped
    assert result.steps[1].reason
    page = client.text(path)
    assert "Stopped" in page
    assert re.search(r"the run was stopped: [\d,]+ of 2,?000 deliveries were not sent", page)
    assert "▸" not in page
    # A run that has ended is not stopped again.
    assert client.http.post(f"{path}/stop").status_code == 303


def test_ending_the_process_stops_its_runs_and_they_are_whole(tmp_path: Path, shop: Shop):
    shop.close()
    with receiver(shop.act) as listening:
        with serving(tmp_path) as served:
            client = RunClient(served, listening.url)
            path = client.started(client.scenario("hangs", PASSES))
            shop.wait_for(1)
            with client.http.stream("GET", f"{path}/events") as watching:
                told = watching.iter_lines()
                assert next(told).startswith("id: ")
                code, errors = served.interrupt()
                assert (code, errors) == (0, "")
                # Who watches the run is told of its end, and not just cut off.
                assert "event: finished" in list(told)
        run = client.run(path)
        client.http.close()
        shop.open()
    assert (run.state, verdict(run)) == ("stopped", "errored")


def test_who_watches_a_run_of_another_process_keeps_no_process_from_ending(tmp_path: Path, shop: Shop):
    shop.close()
    with receiver(shop.act) as listening, serving(tmp_path) as served:
        client = RunClient(served, listening.url)
        client.scenario("elsewhere", PASSES)
        command = [*MAIN, "run", "scenarios", "--receiver", listening.url, "--workspace", "."]
        with subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.DEVNULL) as process:
            shop.wait_for(1)
            (id,) = (
                run.id
                for run in open_log(client.workspace.runs_dir).runs()
                if run.info and run.info.scenarios
            )
            with client.http.stream("GET", f"/runs/{id}/events") as watching:
                told = watching.iter_lines()
                assert next(told).startswith("id: ")
                assert served.interrupt() == (0, "")
                assert "event: finished" not in list(told)
            client.http.close()
            shop.open()
        assert process.returncode == 0


def test_a_run_of_another_process_is_shown_while_it_lasts(client: RunClient, shop: Shop):
    shop.close()
    client.scenario("elsewhere", PASSES)
    command = [*MAIN, "run", "scenarios", "--receiver", client.shop_url, "--workspace", "."]
    process = subprocess.Popen(command, cwd=client.workspace.root, stdout=subprocess.DEVNULL)
    try:
        shop.wait_for(1)
        (id,) = (run.id for run in client.log.runs() if run.info and run.info.scenarios)
        path = f"/runs/{id}"
        assert path in client.http.get("/runs").text
        page = client.http.get(path).text
        assert "It runs in another process" in page
        assert f'action="{path}/stop"' not in page
        shop.open()
        assert verdict(client.ended(path)) == "passed"
    finally:
        shop.open()
        process.wait(60)
    assert "✓ 1 passed" in client.text(path)


# --- results ---


def test_results_tell_the_trend_regressions_first(client: RunClient, shop: Shop):
    client.scenario("a-passes", {**PASSES, "expect": {"status": 200}}, tags=["both"])
    client.scenario("b-regresses", PASSES, tags=["both", "one"])
    client.scenario("c-fails", {**FAILS, "expect": {"status": 500}})
    client.scenario("d-mended", FAILS)
    first = client.ran(q="", do="listed", verdict="", tag="both")
    assert "+ new" in client.text(first)
    client.ran("scenarios/c-fails.scenario.json", "scenarios/d-mended.scenario.json")
    shop.answer = EVENT
    client.scenario("e-new", PASSES)
    ids = [
        f"scenarios/{name}.scenario.json"
        for name in ("a-passes", "b-regresses", "c-fails", "d-mended", "e-new")
    ]
    path = client.ran(*ids)
    page = client.http.get(path).text
    order = re.findall(r'class="wrap title"><a [^>]+>([^<]+)<', page)
    assert order == ["B-Regresses", "C-Fails", "E-New", "D-Mended", "A-Passes"]
    told = re.findall(r'<span class="trend [\w-]+"><span aria-hidden="true">.</span> ([\w ]+)</span>', page)
    assert told == ["regressed", "still failing", "new", "fixed", "still passing"]
    # Against another receiver all of it is new.
    assert "regressed" not in client.text(client.ran(*ids, receiver="stand-in"))


def test_results_are_filtered_by_verdict_trend_and_tag_in_the_address(client: RunClient, shop: Shop):
    ids = [client.scenario("good", PASSES, tags=["x", "y z"]), client.scenario("bad", FAILS, tags=["x"])]
    client.ran(*ids)
    path = client.ran(*ids)
    assert "Good" in client.text(path)
    assert "Good" not in client.text(f"{path}?verdict=failed")
    assert "Bad" in client.text(f"{path}?verdict=failed&tag=x")
    assert "Bad" not in client.text(f"{path}?tag=y+z")
    assert "Good" not in client.text(f"{path}?trend=still+failing")
    assert "No result is like that." in client.text(f"{path}?verdict=failed&tag=y+z")
    # Each choice keeps the others.
    links = [
        html.unescape(link) for link in re.findall(r'href="([^"]+)"', client.http.get(f"{path}?tag=x").text)
    ]
    assert f"{path}?verdict=failed&tag=x" in links
    assert path in links


def test_each_difference_is_one_click_from_its_delivery(client: RunClient):
    path = client.ran(client.scenario("bad", FAILS))
    page = client.http.get(path).text
    (link,) = re.findall(r'<a href="(/deliveries/[^"]+)"><code>/events', page)
    answer = client.http.get(link).text
    assert "ERR1" in answer
    assert f'href="{path}"' in answer
    assert f'href="{path}/scenario?id={quote("scenarios/bad.scenario.json", safe="/")}' in answer


def test_a_delivery_that_was_judged_again_keeps_what_the_run_said(client: RunClient):
    path = client.ran(client.scenario("bad", FAILS))
    (delivery,) = re.findall(r'<a href="(/deliveries/[^"]+)"><code>', client.http.get(path).text)
    assert accept(client.http, delivery).status_code == 303
    page = client.text(path)
    assert "✗ failed" in page
    assert "re-checked: passed" in page


def test_skipped_steps_and_lost_captures_are_told(client: RunClient):
    lost = {**PASSES, "name": "take", "capture": {"code": "/events/0/error_code"}}
    uses = {"name": "use", "fixture": "default", "set": {"/data/order/id": "${code}"}, "expect": {}}
    scenario = client.scenario("captures", lost, uses)
    path = client.ran(scenario)
    for page in (client.text(path), client.text(f"{path}/scenario?id={scenario}")):
        assert "code could not be captured from /events/0/error_code" in page
        assert "- skipped use" in page


def test_all_deliveries_of_a_scenario_stand_with_it(client: RunClient):
    scenario = client.scenario("thrice", {**PASSES, "deliver": {"times": 3}}, tags=["t"])
    path = client.ran(scenario)
    page = client.http.get(f"{path}/scenario?id={scenario}").text
    assert len(set(re.findall(r'href="(/deliveries/[^"]+)"', page))) == 3
    assert client.http.get(f"{path}/scenario?id=none").status_code == 404
    assert client.http.get("/runs/none").status_code == 404
    assert client.http.get("/runs/none/events").status_code == 404
    assert client.http.post("/runs/none/stop").status_code == 404


def test_files_that_cannot_be_read_hide_no_others(client: RunClient):
    client.scenario("good", PASSES)
    broken = client.workspace.root / "scenarios" / "broken.scenario.json"
    broken.write_text('{\n "steps": [{"fixtrue": "default"}]\n}')
    told = "scenarios/broken.scenario.json:2:"
    page = client.text("/scenarios")
    assert told in page
    assert 'did you mean "fixture"?' in page
    assert "Good" in page
    path = client.ran()
    assert told in client.text(path)
    assert "1 unreadable" in client.text("/runs")
    # What is chosen by hand is all there was to run.
    assert told not in client.text(client.ran("scenarios/good.scenario.json"))


def test_the_runs_are_listed_newest_first_and_damaged_ones_named(client: RunClient):
    paths = [client.ran(client.scenario("good", PASSES)) for _ in range(2)]
    (client.workspace.runs_dir / "20200101T000000Z-aaaaaa.json").write_text("{")
    page = client.http.get("/runs").text
    listed = re.findall(r'<td><a href="(/runs/[^"]+)"', page)
    assert listed == [*reversed(paths), "/runs/20200101T000000Z-aaaaaa"]
    assert "20200101T000000Z-aaaaaa.json: damaged" in main_words(page)
    assert "Damaged" in client.text("/runs/20200101T000000Z-aaaaaa")


def test_what_was_sent_by_hand_is_a_run_too(client: RunClient):
    form = client.form("stand-in", "/")
    part = client.http.post("/compose", data=form, headers={"HX-Target": "target"})
    sent = client.http.post(
        "/send",
        data={
            **form,
            **hidden(part.text),
            "payload": "{}",
            "off_contract": "yes",
            "action": "order_cancel",
            "edition": "draft",
        },
    )
    assert sent.status_code == 303
    with client.http.stream("GET", f"{sent.headers['location']}/events") as stream:
        assert "event: finished" in list(stream.iter_lines())
    page = client.http.get("/runs").text
    assert "sent by hand" in main_words(page)
    (run,) = re.findall(r'href="(/runs/[^"]+)"', page)
    assert sent.headers["location"] in client.http.get(run).text


def test_a_run_says_of_which_scenarios_events_were_not_compared(client: RunClient):
    hollow = client.scenario("hollow", {"name": "cancel", "fixture": "default", "expect": {"status": 200}})
    whole = client.scenario("whole", PASSES)
    path = client.ran(hollow, whole)
    assert client.text(path).count("events were not compared") == 1
    assert "events were not compared" in client.text(f"{path}/scenario?id={hollow}")
    assert "not compared" not in client.text(f"{path}/scenario?id={whole}")
