"""Sources of a contract that part about an answer: each report and each page says so beside the verdict."""

from __future__ import annotations

import json
from pathlib import Path

from retailops_sandbox.contracts.catalogue import SHIPPED_CONTRACTS
from tests.support import command
from tests.support.compose_client import ComposeClient
from tests.support.pages import words
from tests.support.receivers import answering, receiver, response
from tests.support.record_process import recording
from tests.support.serving import serving

SAID = "passes the SDK tool, breaks the documentation: /events is null"
NULL = response(b'{"status":"success","events":null}', "Content-Type: application/json")
STEP = {"name": "cancel", "fixture": "default", "expect": {"body": {"status": "success", "events": None}}}


def test_every_report_says_where_the_sources_part(tmp_path: Path):
    file = tmp_path / "a.scenario.json"
    file.write_text(json.dumps({"edition": "v1", "steps": [STEP]}))
    reports = ["--junit-xml", "r.xml", "--report-html", "r.html", "--report-json", "r.json"]
    with receiver(answering(NULL)) as shop:
        done = command.run(
            "run", ".", "--receiver", shop.url, *reports, cwd=tmp_path, GITHUB_STEP_SUMMARY="summary.md"
        )
    assert done.returncode == 0, done.stdout
    assert f"({SAID})" in done.stdout
    assert SAID in words((tmp_path / "r.html").read_text())
    assert f"step 'cancel': {SAID}" in (tmp_path / "r.xml").read_text()
    report = json.loads((tmp_path / "r.json").read_text())
    for records in ("judgements", "results"):
        (record,) = report[records].values()
        sources = record["sources"] if records == "judgements" else record["steps"][0]["sources"]
        assert [each["source"] for each in sources if "violations" in each] == ["documentation"]
    shown = command.run("log", "show", report["deliveries"]["1"]["id"], cwd=tmp_path)
    assert f"({SAID})" in shown.stdout


def test_every_page_says_where_the_sources_part(tmp_path: Path):
    with serving(tmp_path) as served:
        client = ComposeClient(served)
        with client.http:
            client.add("null", "/misbehave/null-arrays", token="RETAILOPS_SDK")
            fields = client.form("/?edition=v1&fixture=default") | {"receiver": "null"}
            path = client.sent(**fields)
            client.landed(path)
            id = path.rpartition("/")[2]
            for page in (path, f"{path}/preview", f"/answer?delivery={id}"):
                assert SAID in words(client.http.get(page).text), page


def test_a_recording_says_where_the_sources_part(tmp_path: Path):
    payload = SHIPPED_CONTRACTS.load("order_cancel", "v1").examples.request
    with receiver(answering(NULL)) as shop, recording(tmp_path, shop.url) as process:
        process.post("/order_cancel_v1", json.dumps(payload).encode())
        assert f" ms  {SAID}" in process.end()
