"""`log` as a process: what it prints, what it writes as JSON, and what it deletes."""

from __future__ import annotations

import json
import os
import signal
import time
from pathlib import Path
from typing import Any

import pytest

from retailops_sandbox.cli.log.list_ import _FILTERS
from retailops_sandbox.model import RunInfo
from retailops_sandbox.runlog.query import Query
from tests.support.command import run, run_forked
from tests.support.logged import newest_deliveries, open_log
from tests.support.receivers import answering, receiver, response, unused_port
from tests.support.records import begin_run
from tests.support.serving import serving

EVENT = response(
    b'{"events":[{"error_code":"ERR7","status":"error","n":1.50}]}', "Content-Type: application/json"
)
BAD = """{"name": "It is bad", "steps": [{"name": "cancel", "fixture": "default",
  "expect": {"body": {"events": [{"error_code": "ERR7", "status": "error", "n": 2.50}]}}}]}"""
ABSENT = "20200101T000000Z-aaaaaa"


def said(*arguments: object, cwd: Path, **environment: str) -> str:
    done = run_forked("log", *arguments, cwd=cwd, **environment)
    assert (done.returncode, done.stderr) == (0, ""), done.stderr
    return done.stdout


def documents(*arguments: object, cwd: Path) -> list[dict[str, Any]]:
    text = said(*arguments, "--format", "json", cwd=cwd)
    return [json.loads(line) for line in text.splitlines()]


@pytest.fixture(scope="module")
def sent(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace: a send that fails, one that ends in a fault, then a scenario that fails."""
    folder = tmp_path_factory.mktemp("workspace")
    (folder / "bad.scenario.json").write_text(BAD)
    (folder / "expect.json").write_text('{"status": 201}')
    with receiver(answering(EVENT)) as shop:
        where = ("--receiver", shop.url)
        run("send", "default", *where, "--expect", "expect.json", cwd=folder)
        run("send", "default", "--receiver", f"http://127.0.0.1:{unused_port()}", cwd=folder)
        run("run", "bad.scenario.json", *where, cwd=folder)
    return folder


def test_list_tells_each_delivery_in_a_line_the_newest_first(sent: Path):
    head, *rows = said("list", cwd=sent).splitlines()
    assert " ".join(head.split()) == "id time (UTC) verdict answer ms receiver fixture or step"
    assert [row.split()[3:6] for row in rows] == [
        ["✗", "failed", "200"], ["!", "errored", "refused"], ["✗", "failed", "200"],
    ]  # fmt: skip
    assert rows[0].endswith("bad / cancel")
    assert not any(line != line.rstrip() for line in rows)
    assert "\x1b[" in said("list", cwd=sent, FORCE_COLOR="1")
    first, note = said("list", "--limit", 1, cwd=sent).splitlines()[1:]
    assert (first.split()[0], note) == (rows[0].split()[0], "the newest 1; --limit N shows more")


def test_list_as_json_tells_all_that_a_line_is_made_of(sent: Path):
    newest, refused, _ = documents("list", cwd=sent)
    assert newest["scenario"] == "bad.scenario.json"
    assert (newest["verdict"], newest["status"], newest["codes"]) == ("failed", 200, ["ERR7"])
    assert newest["id"].startswith(newest["run"] + ".")
    assert "4897" in newest["orders"]
    assert (refused["verdict"], refused["status"], refused["fault"]) == ("errored", None, "refused")
    assert len(documents("list", "--limit", 2, cwd=sent)) == 2


def test_there_is_an_option_for_each_field_of_a_query():
    assert list(_FILTERS) == list(Query.__struct_fields__)


def test_each_option_chooses(sent: Path):
    newest, refused, oldest = documents("list", cwd=sent)
    ids = {"newest": newest["id"], "refused": refused["id"], "oldest": oldest["id"]}
    chosen = {
        ("--verdict", "errored"): ["refused"],
        ("--fault", "any"): ["refused"],
        ("--fault", "refused"): ["refused"],
        ("--status", "2xx"): ["newest", "oldest"],
        ("--status", "404"): [],
        ("--code", "ERR7"): ["newest", "oldest"],
        ("--code", "ERR7", "--scenario", "bad.scenario.json"): ["newest"],
        ("--receiver", refused["receiver"]): ["refused"],
        ("--order", "4897"): ["newest", "refused", "oldest"],
        ("--run", "latest"): ["newest"],
        ("--run", oldest["run"]): ["oldest"],
        ("--text", "will call"): ["newest", "refused", "oldest"],
        ("--text", "err7"): ["newest", "oldest"],
        ("--text", "Err7"): [],
        ("--since", newest["sent_at"]): ["newest"],
        ("--until", refused["sent_at"]): ["oldest"],
        ("--action", "order_cancel", "--edition", "v1"): [],
    }
    for options, wanted in chosen.items():
        assert [each["id"] for each in documents("list", *options, cwd=sent)] == [
            ids[name] for name in wanted
        ]
    assert said("list", "--order", "no such order", cwd=sent) == "nothing is like that\n"


def test_runs_are_listed_with_how_they_came_out(sent: Path):
    rows = said("list", "--runs", cwd=sent).splitlines()[1:]
    assert [row.split()[3:5] for row in rows] == [
        ["run", "finished"],
        ["send", "finished"],
        ["send", "finished"],
    ]
    assert "1 failed" in rows[0]
    newest = documents("list", "--runs", "--limit", 1, cwd=sent)[0]
    assert (newest["kind"], newest["results"], newest["verdicts"]) == ("run", {"failed": 1}, {"failed": 1})
    assert (newest["scenarios"], newest["pinned"], newest["problems"]) == (1, False, [])


def test_a_delivery_is_shown_with_all_there_is(sent: Path):
    newest = documents("list", cwd=sent)[0]
    text = said("show", newest["id"], cwd=sent)
    assert text.startswith(f"✗ failed  200  {newest['id']}\n")
    for part in (
        "step      cancel, delivery 1, attempt 1",
        "/events/0/n: expected 2.50, got 1.50 (changed)",
        "request\n  POST http://127.0.0.1:",
        '"ship_service_name": "Will Call"',
        "response\n  HTTP/1.1 200\n",
        '"error_code": "ERR7"',
        "judgements, the newest first\n  ✗ failed",
    ):
        assert part in text, text


def test_shown_as_json_are_the_records_with_numbers_as_spelled(sent: Path):
    newest = documents("list", cwd=sent)[0]
    text = said("show", newest["id"], "--format", "json", cwd=sent)
    assert '"expected":2.50,"actual":1.50' in text
    (document,) = documents("show", newest["id"], cwd=sent)
    (file,) = (sent / ".sandbox" / "runs").glob(f"{newest['run']}.json")
    stored = json.loads(file.read_text())
    assert document["delivery"] == stored["deliveries"]["1"]
    assert document["judgements"] == list(stored["judgements"].values())


def test_a_run_is_shown_with_what_spoiled_it(sent: Path):
    newest = documents("list", "--runs", cwd=sent)[0]
    text = said("show", "latest", cwd=sent)
    assert text == said("show", newest["id"], cwd=sent)
    assert text.startswith(f"run {newest['id']}  finished\n")
    assert "✗ failed  It is bad  bad.scenario.json" in text
    assert "/events/0/n: expected 2.50, got 1.50 (changed)" in text
    (document,) = documents("show", "latest", cwd=sent)
    assert document["run"] == newest
    assert [(each["name"], each["verdict"]) for each in document["results"]] == [("It is bad", "failed")]


def test_export_is_the_same_command_and_a_run_can_be_given_away(sent: Path, tmp_path: Path):
    newest = documents("list", "--runs", cwd=sent)[0]["id"]
    assert (
        said("export", "latest", "--format", "har", cwd=sent)
        == run("export", "latest", "--format", "har", cwd=sent).stdout
    )
    assert (
        said("export", "latest", "--format", "run", "-o", tmp_path, cwd=sent)
        == f"made {tmp_path}/{newest}.json\n"
    )
    given = (tmp_path / f"{newest}.json").read_text()
    assert given == (sent / ".sandbox" / "runs" / f"{newest}.json").read_text()
    assert said("export", newest, "--format", "run", cwd=sent) == given
    assert run("export", tmp_path / f"{newest}.json", "--format", "har", cwd=tmp_path).returncode == 0


def test_a_run_that_goes_on_is_given_away_as_far_as_it_is(tmp_path: Path):
    run("send", "default", "--stand-in", cwd=tmp_path)
    runs_dir = tmp_path / ".sandbox" / "runs"
    (entry,) = newest_deliveries(open_log(runs_dir), 1)
    with begin_run(runs_dir, RunInfo(id=ABSENT, started_at="2020-01-01T00:00:00Z")) as writer:
        writer.append(entry.delivery)
        text = said("export", ABSENT, "--format", "run", cwd=tmp_path)
        assert json.loads(text)["deliveries"]["1"]["id"] == entry.delivery.id


@pytest.mark.parametrize(
    ("arguments", "what"),
    [
        (["show", "nothing"], "there is no delivery or run 'nothing'"),
        (["show", "latest"], "nothing was sent yet"),
        (["list", "--run", "nothing"], "there is no run 'nothing'"),
        (["list", "--status", "6xx"], "such as 404"),
        (["list", "--since", "yesterday"], "such as 2024-05-01"),
        (["list", "--runs", "--order", "4897"], "--order asks for deliveries"),
        (["export", "nothing", "--format", "run"], "there is no run 'nothing'"),
        (["prune"], "give --keep N or --days N, or set keep-runs or keep-days"),
        (["pin", "nothing"], "there is no run 'nothing'"),
    ],
)  # fmt: skip
def test_a_mistake_is_one_line(tmp_path: Path, arguments: list[str], what: str):
    done = run("log", *arguments, cwd=tmp_path)
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    assert what in done.stderr


def test_where_nothing_was_sent_that_is_said(tmp_path: Path):
    assert said("list", cwd=tmp_path) == "nothing was sent\n"
    assert said("list", "--runs", cwd=tmp_path) == "nothing was run\n"
    assert documents("list", "--run", "latest", cwd=tmp_path) == []
    assert not (tmp_path / ".sandbox").exists()


# --- what goes, and what stays ---


@pytest.fixture
def three(tmp_path: Path) -> list[str]:
    """The ids of three runs in the folder, the newest first."""
    for _ in range(3):
        assert run("send", "default", "--stand-in", cwd=tmp_path).returncode == 0
    return [each["id"] for each in documents("list", "--runs", cwd=tmp_path)]


def listed(folder: Path) -> list[str]:
    return [each["id"] for each in documents("list", "--runs", cwd=folder)]


def test_prune_says_what_goes_before_it_does(tmp_path: Path, three: list[str]):
    newest, middle, oldest = three
    assert said("pin", middle, cwd=tmp_path) == f"◆ pinned {middle}\n"
    assert "finished, ◆ pinned" in said("list", "--runs", cwd=tmp_path)
    assert [each["pinned"] for each in documents("list", "--runs", cwd=tmp_path)] == [False, True, False]
    would = said("prune", "--keep", 1, "--dry-run", cwd=tmp_path)
    assert would.startswith("would remove 1 run, 1 delivery, ")
    assert would.splitlines()[2:] == [f"  {middle}  stays: it is pinned"]
    assert listed(tmp_path) == three
    (done,) = documents("prune", "--keep", 1, cwd=tmp_path)
    assert [each["id"] for each in done["removed"]] == [oldest]
    assert done["kept"] == [{"id": middle, "reason": "it is pinned"}]
    assert (done["deliveries"], done["bytes"] > 1000, done["dry_run"]) == (1, True, False)
    assert listed(tmp_path) == [newest, middle]
    assert said("unpin", middle, cwd=tmp_path) == f"unpinned {middle}\n"
    said("prune", "--keep", 1, cwd=tmp_path)
    assert listed(tmp_path) == [newest]
    assert [path.name for path in (tmp_path / ".sandbox" / "runs").iterdir()] == [f"{newest}.json"]


def test_without_options_the_settings_say_what_is_kept(tmp_path: Path, three: list[str]):
    (tmp_path / "pyproject.toml").write_text("[tool.retailops-sandbox]\nkeep-runs = 2\nkeep-days = 1\n")
    assert said("prune", cwd=tmp_path).startswith("removed 1 run, ")
    assert listed(tmp_path) == three[:2]
    assert said("prune", "--days", 1, cwd=tmp_path).startswith("removed 0 runs, ")
    said("prune", cwd=tmp_path, RETAILOPS_SANDBOX_KEEP_RUNS="1")
    assert listed(tmp_path) == three[:1]
    assert run("log", "prune", cwd=tmp_path, RETAILOPS_SANDBOX_KEEP_RUNS="0").returncode == 2


def test_serving_applies_the_settings_and_says_so(tmp_path: Path, three: list[str]):
    with serving(tmp_path, RETAILOPS_SANDBOX_KEEP_RUNS="1") as served:
        served.process.send_signal(signal.SIGINT)
        assert served.process.stdout is not None
        rest = served.process.stdout.read()
    assert "removed 2 runs, 2 deliveries, " in rest
    assert three[1] in rest
    assert listed(tmp_path) == three[:1]
    with serving(tmp_path) as served:
        served.process.send_signal(signal.SIGINT)
        assert served.process.stdout is not None
        assert "removed" not in served.process.stdout.read()
    assert listed(tmp_path) == three[:1]


def test_reindex_makes_the_index_anew_and_sweeps(tmp_path: Path, three: list[str]):
    runs_dir = tmp_path / ".sandbox" / "runs"
    (runs_dir / f"{ABSENT}.summary").write_text("an earlier version kept these")
    left = runs_dir / f"{ABSENT}.json.new"
    left.write_text("{")
    os.utime(left, (time.time() - 4000, time.time() - 4000))
    text = said("reindex", cwd=tmp_path)
    assert text == "indexed 3 runs anew\nswept up 2 files that nobody needs\n"
    assert documents("reindex", cwd=tmp_path) == [{"runs": 3, "swept": 0, "problems": []}]
    (runs_dir / f"{three[1]}.json").write_text("{")
    done = run("log", "reindex", cwd=tmp_path)
    assert done.returncode == 2
    assert f"{three[1]}.json: damaged" in done.stderr
    assert (runs_dir / f"{three[1]}.json").read_text() == "{"
    listing = run("log", "list", cwd=tmp_path)
    assert (listing.returncode, f"warning: {runs_dir}/{three[1]}.json" in listing.stderr) == (0, True)
