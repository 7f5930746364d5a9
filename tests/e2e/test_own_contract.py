"""A contract of a workspace, for an action that nobody ships, goes through every face without code."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.support import command, pytest_runs
from tests.support.compose_client import ComposeClient
from tests.support.contracts import ACTION, EDITION, write_contract
from tests.support.pages import words
from tests.support.recorder import Recorder
from tests.support.serving import serving

PAYLOAD = {"hold": {"refnum": "H-1", "days": 2}}
ADDRESS = f"/?action={ACTION}&edition={EDITION}"


@pytest.fixture
def receiver() -> Iterator[Recorder]:
    with Recorder() as recorder:
        recorder.answer = b'{"results": [{"code": "HELD"}]}'
        yield recorder


def workspace(folder: Path) -> Path:
    """A workspace with the contract, a case of it, and a scenario."""
    write_contract(folder)
    cases = folder / "fixtures" / ACTION / EDITION
    cases.mkdir(parents=True)
    (cases / "default.json").write_text(json.dumps(PAYLOAD))
    (cases / "default.expect.json").write_text('{"body": {"results": [{"code": "HELD"}]}}')
    (folder / "scenarios").mkdir()
    step = {"name": "hold", "fixture": "default"}
    plan = {"action": ACTION, "edition": EDITION, "steps": [step]}
    (folder / "scenarios" / "hold.scenario.json").write_text(json.dumps(plan))
    return folder


@pytest.fixture
def place(tmp_path: Path) -> Path:
    return workspace(tmp_path)


def test_it_is_sent_run_and_found_on_the_command_line(place: Path, receiver: Recorder):
    sent = command.run("send", "default", "--action", ACTION, "--receiver", receiver.url, cwd=place)
    assert sent.returncode == 0, sent.stdout + sent.stderr
    assert f"{receiver.url}/order_hold_v1" in sent.stdout
    ran = command.run("run", "--receiver", receiver.url, cwd=place)
    assert (ran.returncode, "1 passed" in ran.stdout) == (0, True), ran.stdout + ran.stderr
    assert [json.loads(body) for _, body in receiver.requests] == [PAYLOAD, PAYLOAD]
    found = command.run("log", "list", "--order", "H-1", "--code", "HELD", cwd=place)
    assert found.stdout.count("✓ passed") == 2
    # The stand-in has no rules for it, and answers the contract's example.
    tried = command.run("run", "--stand-in", cwd=place)
    assert (tried.returncode, "1 passed" in tried.stdout) == (0, True), tried.stdout + tried.stderr


def test_it_is_tested_by_pytest(pytester: pytest.Pytester, receiver: Recorder):
    workspace(pytester.path)
    pytester.makepyfile(
        f"""
        def test_holding(retailops):
            sent = retailops.send("default", action="{ACTION}")
            assert (sent.passed, sent.response.json()["results"]) == (True, [{{"code": "HELD"}}])
        """
    )
    result = pytest_runs.run(pytester, "--retailops-receiver", receiver.url, alone=True)
    result.assert_outcomes(passed=2)


def test_it_is_sent_and_found_in_the_browser_and_a_broken_one_is_named(place: Path, receiver: Recorder):
    with serving(place) as served, ExitStack() as stack:
        client = ComposeClient(served)
        stack.enter_context(client.http)
        client.add("mine", base_url=receiver.url)
        page = client.http.get(ADDRESS)
        assert "Tells the receiver to hold an order." in page.text
        form = {**client.form(ADDRESS), "receiver": "mine"}
        path = client.sent(**form)
        assert client.landed(path).judgement.verdict == "passed"
        assert json.loads(receiver.requests[-1][1]) == PAYLOAD
        assert "H-1" in words(client.http.get("/deliveries?order=H-1").text)
        tried = client.sent(**{**form, "receiver": "stand-in"})
        assert client.landed(tried).judgement.verdict == "passed"
        # A file that comes to be broken while the pages are served is named on each, and the others work.
        write_contract(place, action="order_broken", secrets=["/nope"])
        write_contract(place, action="order_release", path="/release", summary="Lets an order go.")
        for address in ("/", "/deliveries", "/scenarios", "/receivers", ADDRESS, path):
            shown = client.http.get(address)
            assert shown.status_code == 200, address
        workbench = client.http.get("/").text
        assert "Lets an order go." in workbench
        assert "order_broken.v1.json" in workbench
        assert "/secrets/0: the schema has no 'nope'" in words(workbench)
        refused = client.http.get("/?action=order_broken&edition=v1")
        assert refused.status_code == 400
        assert "/secrets/0: the schema has no 'nope'" in words(refused.text)
        # Where the contract itself is broken, its deliveries are still to be seen.
        write_contract(place, secrets=["/nope"])
        assert client.http.get(path).status_code == 200
        assert client.http.get("/").status_code == 200


def test_a_broken_one_is_an_error_only_where_it_is_needed(place: Path, receiver: Recorder):
    broken = write_contract(place, action="order_broken", secrets=["/nope"])
    assert command.run("run", "--receiver", receiver.url, cwd=place).returncode == 0
    needed = command.run("send", "any", "--action", "order_broken", "--receiver", receiver.url, cwd=place)
    assert needed.returncode == 2
    line = f"{broken}:{needed.stderr.rpartition(str(broken) + ':')[2].partition(':')[0]}"
    assert f"{line}:" in needed.stderr
    assert "at /secrets/0: the schema has no 'nope'" in needed.stderr
    assert "Traceback" not in needed.stderr
    plan = {"action": "order_broken", "edition": "v1", "steps": [{"name": "x", "payload": {}}]}
    (place / "scenarios" / "broken.scenario.json").write_text(json.dumps(plan))
    ran = command.run("run", "--receiver", receiver.url, cwd=place)
    assert ran.returncode == 2
    assert "1 passed, 0 failed, 1 errored" in ran.stdout
    assert "order_broken.v1.json" in ran.stdout


def test_a_run_file_is_shown_where_its_contract_is_unknown(
    place: Path, receiver: Recorder, tmp_path_factory: pytest.TempPathFactory
):
    command.run("run", "--receiver", receiver.url, "--report-json", "kept.json", cwd=place)
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    with serving(elsewhere) as served, ComposeClient(served).http as http:
        opened = http.post("/runs/open", files={"file": ("kept.json", (place / "kept.json").read_bytes())})
        page = http.get(opened.headers.get("location", "/runs"))
        assert page.status_code == 200
        assert "hold" in words(page.text)


def test_an_import_that_fits_several_contracts_is_asked_about(place: Path):
    write_contract(place, action="order_pause", path="/pause")
    (place / "payload.json").write_text(json.dumps(PAYLOAD))
    refused = command.run("import", "payload.json", "--fixture", "mine", cwd=place)
    assert refused.returncode == 2
    assert "fits order_hold v1 and order_pause v1" in refused.stderr
    assert "--action and --edition" in refused.stderr
    chosen = command.run("import", "payload.json", "--fixture", "mine", "--action", "order_pause", cwd=place)
    assert chosen.returncode == 0, chosen.stderr
    assert (place / "fixtures" / "order_pause" / "v1" / "mine.json").exists()
    assert "send mine --action order_pause --edition v1" in chosen.stdout
    with serving(place) as served, ComposeClient(served).http as http:
        client = ComposeClient(served)
        client.http.close()
        client.http = http
        form = {**client.form(), "do": "import", "import_text": json.dumps(PAYLOAD), "import_name": "pasted"}
        asked = http.post("/compose", data=form)
        assert asked.status_code == 200
        assert "it fits order_hold v1 and order_pause v1 (choose its contract)" in words(asked.text)
        assert '<select id="import_as"' in asked.text
        form["import_as"] = "order_pause v1"
        done = http.post("/compose", data=form)
        assert "Made pasted, of order_pause v1." in words(done.text)
        assert "import_as" not in done.text
