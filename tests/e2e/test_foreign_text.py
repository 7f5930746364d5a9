"""What others wrote (a receiver, a file, a caller) acts on nothing that shows it, in any output."""

from __future__ import annotations

import json
import os
import re
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import httpx2 as httpx
import pytest

from retailops_sandbox.model import Receiver as Target
from retailops_sandbox.workspace.workspace import Workspace
from tests.support.command import run
from tests.support.logged import open_log
from tests.support.receivers import Peer, Receiver, receiver, response
from tests.support.serving import serving

NASTY = "a\n::error::forged\r\n  ::stop-commands::x\n##[error]y\t\x1b[2J\x7f\x85\x9b\u2028\u202e\u2066\u200bz"
"""Line breaks with commands behind them, and characters that act on a terminal or hide from a reader."""
HUGE = "k" * 1_000_000
_LONGEST = 10_000
"""More characters than any line of an output needs."""
_OWN_COMMAND = re.compile(r"::error (file=|title=)")
GITHUB = {"GITHUB_ACTIONS": "true", "FORCE_COLOR": ""}


def answer(peer: Peer) -> None:
    """Answer by the order's id: with a foreign text in each place, or with what is no HTTP."""
    while (request := peer.read_request()) is not None:
        if b"no-http" in request:
            peer.send(f"{NASTY}\r\n\r\n".encode())
            return
        event = {NASTY: NASTY, "error_message": NASTY, "status": [NASTY], HUGE: HUGE}
        body = json.dumps({"events": [event, {HUGE: 1}], NASTY: {NASTY: 1}}).encode()
        peer.send(
            response(body, f"X-Shop: {NASTY.translate({10: 32, 13: 32})}", "Content-Type: application/json")
        )


@pytest.fixture(scope="module")
def shop() -> Iterator[Receiver]:
    with receiver(answer) as listening:
        yield listening


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory, shop: Receiver) -> Path:
    """A workspace with foreign texts in each place of its files, and a run of them in its log."""
    folder = tmp_path_factory.mktemp("workspace")
    (folder / "scenarios").mkdir()
    event = {"error_code": NASTY, HUGE: 2}
    steps: list[dict[str, Any]] = [
        {
            "name": f"differs {NASTY}",
            "fixture": "default",
            "set": {"/data/order/notes": NASTY},
            "expect": {
                "body": {"events": [event], NASTY: {NASTY: 2}},
                "headers": {"X-Shop": "mine"},
                "rules": {"/events/0/error_message": {"regex": f"^{HUGE[:500]}$"}},
            },
        },
        {"name": f"lost {NASTY}", "fixture": "default", "set": {"/data/order/id": "no-http"}, "expect": {}},
    ]
    left_out = [
        {"name": "captures", "fixture": "default", "capture": {"found": f"/{NASTY}/nothing"}, "expect": {}},
        {"name": f"unknown {NASTY}", "payload": {"a": f"${{{NASTY}}}"}, "off_contract": True},
    ]
    for number, each in enumerate((steps, left_out)):
        document = {"name": f"{number} {NASTY}", "description": NASTY, "tags": [NASTY, "tag"], "steps": each}
        document["variables"] = {"v": NASTY}
        name = f"{number}{NASTY.replace('/', '')}".encode()[:100]
        path = os.path.join(os.fsencode(folder / "scenarios"), name + b".scenario.json")
        Path(os.fsdecode(path)).write_text(json.dumps(document))
    (folder / "scenarios" / "broken\n::error::.scenario.json").write_text(json.dumps({"name": "x", HUGE: 1}))
    Workspace(folder).save_receiver(Target("shop \u202e\u200b", shop.url), is_default=True)
    return folder


@pytest.fixture(scope="module")
def ran(workspace: Path) -> str:
    """What a run of the workspace printed; its reports are beside it."""
    done = run(
        *("run", "scenarios", "--verbose", "--log-level", "debug", "--var", f"x={json.dumps(NASTY)}"),
        *("--junit-xml", "junit.xml", "--report-html", "report.html"),
        cwd=workspace,
        GITHUB_STEP_SUMMARY=str(workspace / "summary.md"),
        **GITHUB,
    )
    assert "Traceback" not in done.stderr
    assert done.returncode == 2, done.stderr
    return done.stdout + done.stderr


def assert_clean(printed: str) -> None:
    """No character acts or hides; no line is endless, or a command to a runner other than our own."""
    for line in printed.removesuffix("\n").split("\n"):
        assert line.isprintable(), ascii(line)[:400]
        assert len(line) < _LONGEST, line[:400]
        if not _OWN_COMMAND.match(line):
            assert not line.lstrip().startswith("::"), line[:400]
            assert not re.search(r"##\w*\[", line), line[:400]


def assert_visible(text: str) -> None:
    shown = text.replace("\n", "").replace("\t", "")
    assert shown.isprintable(), [
        ascii(each) for each in re.findall(r".{40}[^ -~].{9}", shown) if not each.isprintable()
    ][:3]


def test_a_run_prints_and_annotates_clean_lines(ran: str):
    assert_clean(ran)
    assert "::error file=" in ran or "::error title=" in ran
    assert "differs a\\n:" in ran


def test_a_dry_run_prints_clean_lines(workspace: Path, ran: str):
    assert_clean(run("run", "scenarios", "--dry-run", cwd=workspace, **GITHUB).stdout)


def test_reports_hold_visible_characters_only(workspace: Path, ran: str):
    junit = (workspace / "junit.xml").read_text()
    assert_visible(junit)
    assert "forged" in "".join(ElementTree.fromstring(junit).itertext())
    assert max(map(len, junit.split("\n"))) < 4 * _LONGEST
    assert_visible((workspace / "report.html").read_text())
    summary = (workspace / "summary.md").read_text()
    assert_visible(summary)
    assert max(map(len, summary.split("\n"))) < _LONGEST


def test_the_log_prints_clean_lines_and_json_that_means_the_same(workspace: Path, ran: str):
    log = open_log(workspace / ".sandbox" / "runs")
    (newest, *_) = log.runs()
    entries = log.deliveries(newest.id)
    for arguments in (["log", "list"], ["log", "list", "--runs"], ["log", "show", newest.id]):
        assert_clean(run(*arguments, cwd=workspace).stdout)
    for entry in entries:
        shown = run("log", "show", entry.delivery.id, cwd=workspace).stdout
        assert_clean("\n".join(line[: _LONGEST - 1] for line in shown.split("\n")))  # A body is evidence.
        document = run("log", "show", entry.delivery.id, "--format", "json", cwd=workspace).stdout
        assert_visible(document)
        body = entry.delivery.response.body if entry.delivery.response else None
        assert json.loads(document)["delivery"].get("response", {}).get("body") == body


def test_comments_and_notes_of_exports_are_clean(workspace: Path, ran: str):
    newest = next(each for each in open_log(workspace / ".sandbox" / "runs").runs() if each.deliveries)
    for format in ("curl", "pytest"):
        done = run("export", newest.id, "--format", format, cwd=workspace)
        assert done.returncode == 0, done.stderr
        comments = [line for line in done.stdout.split("\n") if line.lstrip().startswith("# ")]
        assert comments
        assert_clean("\n".join(comments))
        if done.stderr:
            assert_clean(done.stderr)
        if format == "pytest":
            assert_visible(done.stdout)


def test_an_import_notes_clean_lines(workspace: Path):
    command = f"curl -H 'X-{NASTY}: {NASTY}' -d '{json.dumps({NASTY: NASTY})}' 'http://a/{NASTY}'"
    done = run("import", "-", "--fixture", "foreign", cwd=workspace, stdin=command, **GITHUB)
    assert_clean(done.stdout + done.stderr)


def test_every_page_holds_visible_characters_only(workspace: Path, ran: str):
    with serving(workspace) as served, httpx.Client(base_url=served.url, timeout=60) as client:
        seen: dict[str, str] = {}
        places: Counter[str] = Counter()
        waiting = ["/", "/scenarios", "/runs", "/deliveries", "/receivers", "/record"]
        while waiting and len(seen) < 60:
            path = waiting.pop(0)
            place, _, of = path.partition("?")[0].rpartition("/")
            if path in seen or places[place or of] == 10:
                continue
            places[place or of] += 1
            answer = client.get(path)
            assert answer.status_code < 500, path
            seen[path] = answer.text if answer.headers.get("content-type", "").startswith("text/html") else ""
            for found in re.findall(r'href="(/[^"#]*)', seen[path]):
                if not found.startswith("/static/") and "/export/" not in found:
                    waiting.append(found.replace("&amp;", "&"))
    for path, page in seen.items():
        # What a field holds is sent back, and must stay as it was typed.
        shown = re.sub(r'(?s)<textarea.*?</textarea>|(value|name|data-[\w-]+)="[^"]*"', "", page)
        try:
            assert_visible(shown)
        except AssertionError as error:
            raise AssertionError(path) from error
    everything = "".join(seen.values())
    assert "forged" in everything
    assert any(path.startswith("/deliveries/") for path in seen)


# --- pytest ---

TEST = """
from pathlib import Path

NASTY = Path("nasty.txt").read_bytes().decode()

def test_it(retailops):
    retailops.send("default", expect={"body": {"events": []}}).check()

def test_lost(retailops):
    retailops.send("default", set={"/data/order/id": "no-http"}).response

def test_refused(retailops):
    retailops.send(NASTY)

def test_sections(retailops):
    retailops.send("default", expect={"body": {"events": []}})
    raise AssertionError("z")
"""


@pytest.mark.parametrize("style", ["long", "short", "line", "native"])
def test_pytest_prints_clean_lines(workspace: Path, shop: Receiver, tmp_path: Path, style: str):
    (tmp_path / "test_it.py").write_text(TEST)
    (tmp_path / "nasty.txt").write_bytes(NASTY.encode())
    for path in (workspace / "scenarios").iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    done = run(
        *("-p", "no:randomly", "-p", "no:playwright", "-p", "no:cacheprovider", "-v", "-ra", f"--tb={style}"),
        *("--continue-on-collection-errors", "--retailops-receiver", shop.url, "--junit-xml", "junit.xml"),
        cwd=tmp_path,
        command=(str(Path(sys.executable).with_name("pytest")),),
        **GITHUB,
    )
    assert done.returncode == 1, done.stdout
    assert_clean(done.stdout + done.stderr)
    assert_visible((tmp_path / "junit.xml").read_text())
