"""`run` as a process: what it chooses, when it ends, what it shows beforehand and where it reports."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from retailops_sandbox.reporting import reporters
from retailops_sandbox.reporting.reporters.progress import AFTER
from tests.support import command
from tests.support.authority import self_signed
from tests.support.command import COMMAND, environment, imported
from tests.support.receivers import Peer, Receiver, answering, receiver, response

NOTHING = response(b'{"events":[]}', "Content-Type: application/json")
PASSES = {"status": 200, "body": {"events": []}}
FAILS = {"status": 418}


@pytest.fixture
def shop() -> Iterator[Receiver]:
    with receiver(answering(NOTHING)) as shop:
        yield shop


def run(*arguments: object, cwd: Path, **more: str) -> subprocess.CompletedProcess[str]:
    return command.run("run", *arguments, cwd=cwd, **more)


def scenario(folder: Path, name: str, expect: object = None, *tags: str, **step: object) -> Path:
    first = {"name": "send", **({} if "payload" in step or "raw" in step else {"fixture": "default"}), **step}
    if expect is not None:
        first["expect"] = expect
    file = folder / f"{name}.scenario.json"
    file.write_text(json.dumps({"name": f"{name} it", "tags": tags, "steps": [first]}, indent=2))
    return file


# --- which, and how far ---


def test_only_what_is_meant_runs(tmp_path: Path, shop: Receiver):
    scenario(tmp_path, "cancel", PASSES, "smoke")
    scenario(tmp_path, "refuse", PASSES, "slow")
    scenario(tmp_path, "again", FAILS, "slow", "smoke")
    done = run(".", "--receiver", shop.url, "-k", "cancel or refuse and not smoke", cwd=tmp_path)
    assert done.returncode == 0, done.stdout
    assert "2 passed, 0 failed, 1 left out in" in done.stdout
    done = run(".", "--receiver", shop.url, "--tag", "smoke", "--tag", "nothing", cwd=tmp_path)
    assert "1 passed, 1 failed, 1 left out in" in done.stdout
    done = run(".", "--receiver", shop.url, "--tag", "smoke", "-k", "cancel", cwd=tmp_path)
    assert "1 passed, 0 failed, 2 left out in" in done.stdout
    assert len(shop.requests) == 5


def test_nothing_that_is_meant_is_exit_5(tmp_path: Path, shop: Receiver):
    scenario(tmp_path, "cancel", PASSES)
    done = run(".", "--receiver", shop.url, "-k", "refuse", cwd=tmp_path)
    assert done.returncode == 5
    assert "none of 1 scenarios is meant by -k, --tag, --action and --edition" in done.stderr
    assert "nothing was judged" in done.stderr


@pytest.mark.parametrize("option", [["-x"], ["--maxfail", "1"], ["-x", "--maxfail", "3"]])
def test_after_the_first_failure_nothing_more_is_sent(tmp_path: Path, shop: Receiver, option: list[str]):
    for name in "abcd":
        scenario(tmp_path, name, FAILS if name != "a" else PASSES)
    report = ["--junit-xml", "report.xml"]
    done = run(".", "--receiver", shop.url, "-j", "1", *option, *report, cwd=tmp_path)
    assert done.returncode == 1
    assert len(shop.requests) == 2
    assert "- skipped   2 scenarios: the run ended after 1 failure\n" in done.stdout
    assert "1 passed, 1 failed, 2 skipped in" in done.stdout
    assert (tmp_path / "report.xml").read_text().count("the run ended after 1 failure") == 2


def test_maxfail_counts(tmp_path: Path, shop: Receiver):
    for name in "abcd":
        scenario(tmp_path, name, FAILS)
    done = run(".", "--receiver", shop.url, "-j", "1", "--maxfail", "3", cwd=tmp_path)
    assert len(shop.requests) == 3
    assert "the run ended after 3 failures" in done.stdout
    assert run(".", "--receiver", shop.url, "--maxfail", "0", cwd=tmp_path).returncode == 2


def test_one_broken_in_the_middle_keeps_no_other_from_running(tmp_path: Path, shop: Receiver):
    for name in ("a", "c"):
        scenario(tmp_path, name, PASSES)
    (tmp_path / "b.scenario.json").write_text('{"steps": [{"fixture": "default",}]}')
    reports = ["--junit-xml", "r.xml", "--report-html", "r.html", "--report-json", "r.json"]
    done = run(".", "--receiver", shop.url, *reports, cwd=tmp_path)
    assert done.returncode == 2
    assert len(shop.requests) == 2
    assert "2 passed, 0 failed, 1 unreadable" in done.stdout
    for report in ("r.xml", "r.html"):
        assert "b.scenario.json" in (tmp_path / report).read_text(), report
    assert len(json.loads((tmp_path / "r.json").read_text())["deliveries"]) == 2


# --- before anything is sent ---


def dry(folder: Path, *arguments: object, **more: str) -> subprocess.CompletedProcess[str]:
    return run(".", "--dry-run", *arguments, cwd=folder, **more)


def test_a_dry_run_lists_what_would_be_sent_where_and_sends_nothing(tmp_path: Path, shop: Receiver):
    scenario(tmp_path, "cancel", PASSES, deliver={"times": 3}, set={"/data/order/id": "${id}"})
    (tmp_path / "receivers.json").write_text(
        json.dumps({"receivers": {"1": {"name": "live", "base_url": shop.url + "/base", "protected": True}}})
    )
    done = dry(tmp_path, "--receiver", "live", "--var", 'id="4711"')
    assert done.returncode == 5, "nothing was judged"
    assert done.stderr == ""
    assert f"→ 'send'  POST {shop.url}/base/order_cancel  1,0" in done.stdout
    assert "3 times" in done.stdout
    assert done.stdout.endswith(
        "3 deliveries of 1 scenario would be sent; nothing was sent, receiver: live\n"
    )
    assert shop.connections == 0
    assert not (tmp_path / ".sandbox").exists()


def test_a_dry_run_tells_every_mistake(tmp_path: Path):
    scenario(tmp_path, "a", PASSES, set={"/version": "one"})
    scenario(tmp_path, "b", PASSES, set={"/version": "one"}, off_contract=True)
    scenario(tmp_path, "c", PASSES, fixture="absent")
    scenario(tmp_path, "d", {"body": "${nobody}"})
    done = dry(tmp_path, "--stand-in")
    assert done.returncode == 2
    out = done.stdout
    assert "a.scenario.json:5: not sent, because the payload breaks the contract:" in out
    assert out.count("/version: must be an integer") == 2
    assert "sent although the payload breaks the contract:" in out
    assert re.search(r"c\.scenario\.json:5: .*absent", out)
    assert re.search(r"d\.scenario\.json:5: .*nobody", out)
    assert (
        "1 delivery of 1 scenario would be sent, 1 step breaks the contract, 2 steps cannot be composed"
        in out
    )
    (tmp_path / "c.scenario.json").unlink()
    (tmp_path / "d.scenario.json").unlink()
    assert dry(tmp_path, "--stand-in").returncode == 1
    (tmp_path / "a.scenario.json").write_text("[]")
    assert dry(tmp_path, "--stand-in").returncode == 2


def test_a_dry_run_shows_no_secret(tmp_path: Path):
    scenario(tmp_path, "a", PASSES)
    row = {"name": "shop", "base_url": "http://me:hidden-word@h/${env:KEY}"}
    (tmp_path / "receivers.json").write_text(json.dumps({"receivers": {"1": row}}))
    done = dry(tmp_path, "--receiver", "shop", KEY="base")
    assert "h/base/order_cancel" in done.stdout
    assert "hidden-word" not in done.stdout + done.stderr


def test_a_dry_run_reports_nothing(tmp_path: Path):
    scenario(tmp_path, "a", PASSES)
    done = dry(tmp_path, "--stand-in", "--junit-xml", "r.xml")
    assert done.returncode == 2
    assert "--junit-xml" in done.stderr
    assert not (tmp_path / "r.xml").exists()


# --- reports ---


@pytest.mark.parametrize(
    ("reports", "says"),
    [
        (["--junit-xml", "x", "--report-html", "./x"], "--junit-xml and --report-html both name x"),
        (["--report-json", "x", "--report-html", "x"], "--report-json and --report-html both name x"),
        (["--report-html", "absent/r.html"], "no folder absent"),
        (["--report-html", "."], "is a folder"),
    ],
)
def test_reports_are_checked_before_anything_is_sent(
    tmp_path: Path, shop: Receiver, reports: list[str], says: str
):
    scenario(tmp_path, "a", PASSES)
    done = run("a.scenario.json", "--receiver", shop.url, *reports, cwd=tmp_path)
    assert done.returncode == 2
    assert says in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert shop.requests == []


def test_what_regressed_and_what_was_fixed_is_told(tmp_path: Path, shop: Receiver):
    scenario(tmp_path, "worse", PASSES)
    scenario(tmp_path, "better", FAILS)
    first = run(".", "--receiver", shop.url, cwd=tmp_path)
    assert "regressed" not in first.stdout
    scenario(tmp_path, "worse", FAILS)
    scenario(tmp_path, "better", PASSES)
    other = run(".", "--receiver", shop.url + "/other", cwd=tmp_path)
    assert "regressed" not in other.stdout, "that is another receiver"
    done = run(".", "--receiver", shop.url, "--report-html", "r.html", cwd=tmp_path)
    line = "1 regressed (worse it), 1 fixed since the last finished run on this receiver"
    assert done.stdout.splitlines()[-2] == line
    page = (tmp_path / "r.html").read_text()
    assert line in page
    assert '<span class="trend regressed">regressed</span>' in page
    assert '<span class="trend fixed">fixed</span>' in page
    again = run(".", "--receiver", shop.url, cwd=tmp_path)
    assert "fixed" not in again.stdout


def test_no_reason_tells_a_secret(tmp_path: Path):
    file = scenario(tmp_path, "a", PASSES, deliver={"headers": {"X": "a\nhidden-word-of-mine"}})
    row = {"name": "shop", "base_url": "http://h", "headers": {"Authorization": "${env:KEY}"}}
    (tmp_path / "receivers.json").write_text(json.dumps({"receivers": {"1": row}}))
    file.write_text(file.read_text().replace('"fixture": "default"', '"fixture": "hidden-word-of-mine"'))
    reports = ["--report-html", "r.html", "--junit-xml", "r.xml", "--report-json", "r.json"]
    done = run(".", "--receiver", "shop", *reports, cwd=tmp_path, KEY="hidden-word-of-mine")
    assert "«redacted:KEY»" in done.stdout
    for text in (done.stdout, *((tmp_path / name).read_text() for name in ("r.html", "r.xml", "r.json"))):
        assert "hidden-word" not in text


def test_a_report_that_cannot_be_written_keeps_no_other_from_it(tmp_path: Path, shop: Receiver):
    scenario(tmp_path, "a", PASSES)
    reports = ["--junit-xml", "/dev/full", "--report-html", "r.html"]
    done = run(".", "--receiver", shop.url, *reports, cwd=tmp_path)
    assert done.returncode == 2
    assert done.stderr == "error: /dev/full: cannot be written: no space left on device\n"
    assert "1 passed, 0 failed" in done.stdout
    assert "All passed" in (tmp_path / "r.html").read_text()


# --- in GitHub Actions ---


def test_in_github_actions_failures_are_marked_and_summed_up(tmp_path: Path, shop: Receiver):
    (tmp_path / "s").mkdir()
    scenario(tmp_path / "s", "bad", FAILS)
    summary = tmp_path / "summary.md"
    summary.write_text("before\n")
    here = {"GITHUB_ACTIONS": "true", "GITHUB_WORKSPACE": str(tmp_path), "GITHUB_STEP_SUMMARY": str(summary)}
    done = run(".", "--receiver", shop.url, cwd=tmp_path / "s", **here)
    assert done.returncode == 1
    (mark,) = [line for line in done.stdout.splitlines() if "::error" in line]
    assert mark.startswith("::error file=s/bad.scenario.json,line=5,title=bad it%3A step 'send' failed::")
    text = summary.read_text()
    assert text.startswith("before\n### RetailOPS sandbox: 1 failed\n")
    assert "::error" not in run(".", "--receiver", shop.url, cwd=tmp_path / "s").stdout


def test_a_summary_that_cannot_be_written_is_a_warning(tmp_path: Path, shop: Receiver):
    scenario(tmp_path, "good", PASSES)
    here = {"GITHUB_ACTIONS": "true", "GITHUB_STEP_SUMMARY": str(tmp_path)}
    done = run(".", "--receiver", shop.url, cwd=tmp_path, **here)
    assert done.returncode == 0
    assert done.stderr.startswith("warning: the step summary ")
    assert len(done.stderr.splitlines()) == 1


def test_no_answer_gives_the_runner_a_command(tmp_path: Path):
    """Wherever a line of it may begin: wrapped, cut, in a name."""
    attack = "::error::" * 200 + "##[error]"
    answer = json.dumps({"events": [{"error_message": attack, "error_code": "##[add-mask]x"}]}).encode()
    scenario(tmp_path, "::add-mask::x", {"body": {"events": [{"error_message": "b" * 2000}]}})
    scenario(tmp_path, "raw", FAILS)
    with receiver(answering(response(answer))) as shop:
        done = run(
            ".", "--receiver", shop.url, cwd=tmp_path, GITHUB_ACTIONS="true", GITHUB_WORKSPACE=str(tmp_path)
        )
    commands = [line for line in done.stdout.splitlines() if line.lstrip().startswith("::") or "##[" in line]
    assert len(commands) == 2
    assert all(line.startswith("::error file=") for line in commands)
    assert "error::" in done.stdout


# --- on a terminal ---


class Terminal:
    """What a process shows on a terminal of its own, byte by byte as it comes."""

    def __init__(self, *arguments: object, cwd: Path, **more: str) -> None:
        import pty

        ours, theirs = pty.openpty()
        self._ours = ours
        self.process = subprocess.Popen(
            [COMMAND, "run", *map(str, arguments)],
            cwd=cwd,
            env=environment(**{"TERM": "xterm", "COLUMNS": "100", **more}),
            stdout=theirs,
            stdin=theirs,
            start_new_session=True,
        )
        os.close(theirs)
        self.text = ""

    def read(self) -> bool:
        try:
            data = os.read(self._ours, 65536)
        except OSError:  # its other end is closed
            data = b""
        self.text += data.decode(errors="replace")
        return bool(data)

    def read_until(self, wanted: Callable[[str], Any]) -> None:
        while not wanted(self.text):
            assert self.read(), self.text

    def end(self) -> int:
        while self.read():
            pass
        os.close(self._ours)
        return self.process.wait(60)

    @property
    def shown(self) -> list[str]:
        """The lines that stand there at the end."""
        lines = self.text.replace("\r\n", "\n").split("\n")
        return [re.sub(r"\x1b\[[0-9;]*m", "", line.rpartition("\r\x1b[K")[2]) for line in lines]


@pytest.fixture
def gate() -> Iterator[tuple[Receiver, threading.Event]]:
    """A receiver that answers the first three requests, and the others when it may."""
    opened = threading.Event()

    def act(peer: Peer) -> None:
        while peer.read_request() is not None:
            if len(peer.receiver.requests) > 3:
                opened.wait(60)
            peer.send(NOTHING)

    with receiver(act) as shop:
        yield shop, opened
        opened.set()


BAR = re.compile(r"█*░+  (\d+) of (\d+)")


def test_a_long_run_shows_its_progress_beneath_what_failed(
    tmp_path: Path, gate: tuple[Receiver, threading.Event]
):
    shop, opened = gate
    for number in range(30):
        scenario(tmp_path, f"{number:02}", PASSES if number else FAILS)
    terminal = Terminal(".", "--receiver", shop.url, "-j", "1", cwd=tmp_path)
    terminal.read_until(lambda text: "3 of 30" in text)
    assert terminal.text.index("00 it") < terminal.text.index("of 30")
    assert BAR.search(terminal.text)
    opened.set()
    assert terminal.end() == 1
    shown = [line for line in terminal.shown if line]
    assert shown[0] == f"sends to {shop.url}/order_cancel"
    assert "✗ failed" in shown[1]
    assert shown[-1].startswith("29 passed, 1 failed in ")
    assert not any("of 30" in line or "✓ passed" in line for line in shown)


@pytest.mark.parametrize("quiet", [{"CI": "1"}, {"TERM": "dumb"}])
def test_no_progress_where_nobody_looks(
    tmp_path: Path, gate: tuple[Receiver, threading.Event], quiet: dict[str, str]
):
    shop, opened = gate
    for number in range(5):
        scenario(tmp_path, f"{number}", PASSES)
    terminal = Terminal(".", "--receiver", shop.url, "-j", "1", cwd=tmp_path, **quiet)
    terminal.read_until(lambda text: text.count("✓ passed") == 3)
    time.sleep(3 * AFTER)  # long enough for it to show, if it were to
    opened.set()
    assert terminal.end() == 0
    assert "\x1b[K" not in terminal.text
    assert terminal.text.count("✓ passed") == 5


def test_without_colour_there_is_progress_still(tmp_path: Path, gate: tuple[Receiver, threading.Event]):
    shop, opened = gate
    for number in range(5):
        scenario(tmp_path, f"{number}", PASSES)
    terminal = Terminal(".", "--receiver", shop.url, "-j", "1", cwd=tmp_path, NO_COLOR="1")
    terminal.read_until(BAR.search)
    opened.set()
    assert terminal.end() == 0
    assert not re.search(r"\x1b\[[0-9;]*m", terminal.text)
    assert terminal.shown[-2].startswith("5 passed, 0 failed in ")


def test_an_interrupt_takes_the_progress_away_and_reports(
    tmp_path: Path, gate: tuple[Receiver, threading.Event]
):
    shop, _ = gate
    for number in range(30):
        scenario(tmp_path, f"{number:02}", PASSES)
    terminal = Terminal(".", "--receiver", shop.url, "-j", "1", "--junit-xml", "r.xml", cwd=tmp_path)
    terminal.read_until(BAR.search)
    os.kill(terminal.process.pid, signal.SIGINT)
    assert terminal.end() == 130
    shown = [line for line in terminal.shown if line]
    assert shown[-1].startswith("3 passed, 0 failed, 1 errored, 26 skipped in ")
    assert not any("of 30" in line for line in shown)
    assert "26 scenarios: the run was stopped" in shown[-2]
    assert (tmp_path / "r.xml").read_text().count("<testcase") == 30


def test_variables_without_end_are_errors_of_their_scenario_alone(tmp_path: Path):
    step = {"fixture": "default", "set": {"/data/x": "${v0}"}, "off_contract": True}
    chain = {f"v{number}": f"${{v{number + 1}}}" for number in range(300)}
    double = {f"v{number}": f"${{v{number + 1}}}${{v{number + 1}}}" for number in range(24)}
    for name, variables in (("chain", chain), ("double", double | {"v24": "end"})):
        file = tmp_path / f"{name}.scenario.json"
        file.write_text(json.dumps({"name": name, "variables": variables, "steps": [step]}))
    scenario(tmp_path, "passes", PASSES)
    done = run(".", "--stand-in", cwd=tmp_path)
    assert done.returncode == 2, "as for any placeholder that cannot be filled"
    assert "the variable v0 refers to v1, and so on to v30: more than 30 variables" in done.stdout
    assert "more than 2,000,000 characters would be filled in" in done.stdout
    assert "1 passed, 0 failed, 2 errored" in done.stdout


# --- what it costs ---


def test_what_is_not_asked_for_is_not_imported(tmp_path: Path, shop: Receiver):
    command = ("run", scenario(tmp_path, "a", PASSES), "--receiver", shop.url)
    reports = {f"{reporters.__name__}.{each.module}" for each in reporters.FILES}
    heavy = {"jinja2", "retailops_sandbox.reporting.render.evidence", *reports}
    late = {
        "retailops_sandbox.reporting.reporters.github",
        "retailops_sandbox.reporting.reporters.progress",
        "retailops_sandbox.scenarios.selection",
        "retailops_sandbox.engine.preview",
        "retailops_sandbox.comparing.aligning",
        "retailops_sandbox.patterns.spelling",
        "retailops_sandbox.patterns.process",
        "retailops_sandbox.runlog.files.runfile",
        "retailops_sandbox.runlog.rows",
        "retailops_sandbox.workspace.receiver_database",
        "re2",
    }
    unwanted = (
        heavy | late | {"starlette", "retailops_sandbox.standin", "difflib", "concurrent.futures.thread"}
    )
    assert unwanted & imported(tmp_path, *command) == set()
    asked = [word for each in reporters.FILES for word in (each.option, f"report.{each.module}")]
    assert imported(tmp_path, *command, *asked, "-k", "a") >= heavy


def test_the_program_imports_neither_openssl_nor_a_second_typing(tmp_path: Path):
    tls, own = self_signed(tmp_path)
    with receiver(answering(response(b'{"events":[]}')), tls=tls) as shop:
        # It exits without Python's clean-up.
        program = (
            "import os, sys\n"
            "leave = os._exit\n"
            "said = lambda: print(*sys.modules, sep='\\n', file=sys.stderr, flush=True)\n"
            "os._exit = lambda code: (said(), leave(code))\n"
            "from retailops_sandbox.cli import program; program()"
        )
        done = command.run(
            *("run", scenario(tmp_path, "a", PASSES), "--receiver", shop.url, "--cacert", own),
            cwd=tmp_path,
            command=(sys.executable, "-c", program),
        )
    assert done.returncode == 0, done.stdout
    modules = set(done.stderr.splitlines())
    assert {"asyncio.sslproto", "msgspec._core"} <= modules
    assert modules & {"_ssl", "typing_extensions"} == set()


def test_a_dry_run_imports_nothing_that_sends(tmp_path: Path):
    command = ("run", scenario(tmp_path, "a", PASSES), "--receiver", "http://127.0.0.1:1")
    sends = {"pycurl", "tinydb", "retailops_sandbox.transport", "retailops_sandbox.session.run"}
    assert sends & imported(tmp_path, *command, "--dry-run", code=5) == set()
    assert imported(tmp_path, *command, code=3) >= sends
