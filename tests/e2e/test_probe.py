"""`probe` as a process, in pytest and from Python: what it says before, what it finds, how it ends."""

from __future__ import annotations

import asyncio
import json
import re
import signal
import subprocess
import threading
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from pathlib import Path

import pytest

from retailops_sandbox.probe.keeping import read_report, spelled
from tests.support import command
from tests.support.command import COMMAND, environment
from tests.support.probe_reports import probe_report
from tests.support.probed.payloads import CrashesOnNull
from tests.support.probed.receiving import PATH, TOKEN, Answer, Call, Right, answer, serving
from tests.support.probed.tokens import EchoesThePayload, TellsTheToken
from tests.support.receivers import unused_port

FEW = ("--only", "contract", "--max-requests", 60, "--seed", 7)


class Counted(Right):
    """A right receiver that counts what it gets."""

    def __init__(self) -> None:
        super().__init__()
        self.calls: list[Call] = []

    async def answered(self, call: Call) -> Answer:
        self.calls.append(call)
        return await super().answered(call)


class Halting(Counted):
    """Answers nothing from the twentieth request on, until it is let go."""

    def __init__(self) -> None:
        super().__init__()
        self.halts, self.is_let_go = threading.Event(), threading.Event()

    async def answered(self, call: Call) -> Answer:
        if len(self.calls) == 20:
            self.halts.set()
            await asyncio.to_thread(self.is_let_go.wait)
        return await super().answered(call)


@pytest.fixture
def shop() -> Iterator[str]:
    with serving(CrashesOnNull()) as url:
        yield url + PATH


def probe(*arguments: object, cwd: Path, **more: str) -> subprocess.CompletedProcess[str]:
    return command.run_forked("probe", *arguments, cwd=cwd, **more)


# --- before anything is sent ---


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((), "no receiver is named (give --receiver URL_OR_NAME"),
        (("--stand-in", "--only", "moon"), "'moon' is not one of 'contract', 'repetition'"),
        (("--stand-in", "--orders", "5"), "write two numbers, the smaller one first: 900000000-900009999"),
        (("--stand-in", "--fail-on", "none", "--fail-on", "any"), "--fail-on none excludes the others"),
        (("--stand-in", "--fail-on", "all"), "'all' is not one of 'contract', 'server'"),
        (("--stand-in", "--fixture", "defautl"), "there is no fixture 'defautl' of order_cancel draft"),
        (("--stand-in", "--action", "order_cancle"), "order_cancel"),
        (("--stand-in", "--baseline", "no.json"), "no.json"),
        (("--stand-in", "--baseline", "other.json"), "is no report of a probe, or damaged"),
        (("--stand-in", "--dry-run", "--junit-xml", "j.xml"), "nothing for --junit-xml to report"),
        (("--stand-in", "--resume"), "there is no probe of this receiver to go on with"),
        (("--stand-in", "--resume", "--seed", "1"), "without --seed"),
        (("--stand-in", "--check", "--max-requests", "5"), "leave --max-requests out"),
        (("--stand-in", "--max-time", "0"), "--max-time"),
        (("--stand-in", "--report-html", "a", "--junit-xml", "a"), "both name a"),
    ],
)
def test_what_is_wrong_is_said_with_how_to_mend_it(tmp_path: Path, arguments: tuple[str, ...], said: str):
    (tmp_path / "other.json").write_text('{"a": 1}')
    done = probe(*arguments, cwd=tmp_path)
    assert done.returncode == 2
    assert said in done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / ".sandbox").exists()


def test_a_dry_run_says_what_would_be_sent_and_sends_nothing(tmp_path: Path):
    receiver = Counted()
    with serving(receiver) as url:
        settings = {"RETAILOPS_SANDBOX_RECEIVER": url + PATH}
        done = probe("--dry-run", "--orders", "900000000-900009999", cwd=tmp_path, **settings)
    assert done.returncode == 5, done.stderr
    assert f"probes {url}{PATH} with order_cancel v1" in done.stdout
    assert re.search(
        r"^sends about [0-9,]+ requests within 90 s: [0-9,]+ Contract", done.stdout, re.MULTILINE
    )
    assert re.search(r"^orders 900000000-900009999, seed [0-9]+$", done.stdout, re.MULTILINE)
    assert receiver.calls == []
    assert not (tmp_path / ".sandbox").exists()


def test_orders_are_fresh_and_the_seed_is_that_of_the_probe_that_is_compared_with(tmp_path: Path):
    (tmp_path / "before.json").write_text(spelled(probe_report(seed=11)))
    told = [
        probe("--stand-in", "--edition", "v1", "--dry-run", *more, cwd=tmp_path).stdout.splitlines()[-1]
        for more in (("--seed", 11), ("--seed", 11), ("--baseline", "before.json"))
    ]
    assert all(line.startswith("orders 9") and line.endswith(", seed 11") for line in told)
    assert len(set(told)) == 3


def test_a_protected_receiver_is_not_probed_without_a_yes(tmp_path: Path):
    receiver = Counted()
    with serving(receiver) as url:
        book = {"receivers": {"1": {"name": "shop", "base_url": url + PATH, "protected": True}}}
        (tmp_path / "receivers.json").write_text(json.dumps(book))
        done = probe("--receiver", "shop", *FEW, cwd=tmp_path)
    assert done.returncode == 2
    assert "is protected: nothing is sent without an explicit yes (give --yes" in done.stderr
    assert receiver.calls == []


# --- what is found ---


def test_a_finding_is_printed_reported_and_compared(tmp_path: Path, shop: str):
    sending = ("--receiver", shop, "--receiver-token", TOKEN, *FEW)
    files = ("--report-html", "r.html", "--junit-xml", "r.xml", "--report-json", "r.json")
    done = probe(*sending, *files, cwd=tmp_path)
    assert done.returncode == 1, done.stdout + done.stderr
    assert "not yet fit: 1 cause " in " ".join(done.stdout.split())
    assert re.search("^✗ Crashes .*null", done.stdout, re.MULTILINE)
    assert all(len(line) <= 120 for line in done.stdout.splitlines())
    report = read_report(tmp_path / "r.json")
    (crash,) = [each for each in report.findings if each.kind == "crash"]
    shown = command.run_forked("log", "show", crash.smallest.delivery, cwd=tmp_path)
    assert "500" in shown.stdout
    page = (tmp_path / "r.html").read_text()
    assert crash.title in page
    assert "<b>Request</b>" in page
    failures = ET.parse(tmp_path / "r.xml").getroot().iter("failure")
    assert {each.get("message") for each in failures} == {crash.title}
    assert TOKEN not in done.stdout
    for file in (each for each in tmp_path.rglob("*") if each.is_file()):
        assert TOKEN.encode() not in file.read_bytes(), file

    again = probe(*sending, "--baseline", "r.json", "--fail-on", "new", cwd=tmp_path, COLUMNS="80")
    assert again.returncode == 0, again.stdout + again.stderr
    assert re.search("^✗ Crashes .*still there", again.stdout, re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize("receiver", [TellsTheToken, EchoesThePayload])
def test_no_report_holds_a_secret_that_the_receiver_tells(tmp_path: Path, receiver: type[Right]):
    files = ("--report-html", "r.html", "--junit-xml", "r.xml", "--report-json", "r.json")
    with serving(receiver()) as url:
        sending = ("--receiver", url + PATH, "--receiver-token", TOKEN, "--only", "auth", "--seed", 7)
        done = probe(*sending, *files, "--fail-on", "any", cwd=tmp_path)
    assert done.returncode == 1, done.stdout + done.stderr
    kinds = {each.kind for each in read_report(tmp_path / "r.json").findings}
    assert kinds == {"secret-echoed"}
    assert "✗ not yet fit: 1 cause does harm" in done.stdout
    assert TOKEN not in done.stdout
    for file in (each for each in tmp_path.rglob("*") if each.is_file()):
        assert TOKEN.encode() not in file.read_bytes(), file


def test_a_right_receiver_is_fit(tmp_path: Path):
    with serving(Right()) as url:
        done = probe(
            "--receiver", url + PATH, "--receiver-token", TOKEN, *FEW, "--fail-on", "any", cwd=tmp_path
        )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "✓ fit: nothing broke the contract" in done.stdout
    assert re.search("^the SDK's tool: It would pass all [0-9]+ answers", done.stdout, re.MULTILINE)


@pytest.mark.parametrize(("refused", "code"), [(True, 3), (False, 5)])
def test_without_an_accepted_request_nothing_is_judged(tmp_path: Path, refused: bool, code: int):
    class Refuses(Right):
        async def answered(self, call: Call) -> Answer:
            return answer({"error": "not now"}, 403)

    with serving(Refuses()) as url:
        target = f"http://127.0.0.1:{unused_port()}" if refused else url
        done = probe("--receiver", target + PATH, *FEW, cwd=tmp_path)
    assert done.returncode == code, done.stdout + done.stderr
    assert "! not judged: " in done.stdout
    assert "✗" not in done.stdout


def test_a_stopped_probe_keeps_what_it_found_and_goes_on(tmp_path: Path):
    receiver = Halting()
    with serving(receiver) as url:
        sending = ("--receiver", url + PATH, "--receiver-token", TOKEN)
        process = subprocess.Popen(
            [COMMAND, "probe", *sending, "--only", "auth"],
            cwd=tmp_path,
            env=environment(),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        assert process.stdout is not None
        with process:
            assert receiver.halts.wait(60)
            process.send_signal(signal.SIGINT)
            output = process.stdout.read()
        assert process.returncode == 130, output
        assert "! not finished: it was stopped; nothing broke the contract so far" in output
        (kept,) = (tmp_path / ".sandbox" / "probes").glob("*.json")
        first = read_report(kept)
        assert sum(first.left_out.values()) > 0
        receiver.calls.clear()
        receiver.is_let_go.set()
        done = probe(*sending, "--resume", cwd=tmp_path)
        assert done.returncode == 0, done.stdout + done.stderr
        assert f"orders {first.orders}, seed {first.seed}" in done.stdout
        assert "✓ fit: nothing broke the contract; only Auth tried" in done.stdout


# --- in pytest, and from Python ---


def test_a_probe_is_a_test_that_fails_with_what_was_found(tmp_path: Path, shop: str):
    (tmp_path / "receivers.json").write_text(
        json.dumps({"receivers": {"1": {"name": "shop", "base_url": shop, "token": "${env:SHOP_TOKEN}"}}})
    )
    (tmp_path / "test_it.py").write_text(
        "def test_fit(retailops):\n"
        "    found = retailops.probe(only=['contract'], max_requests=60, seed=7)\n"
        "    assert found.check('documentation') is found\n"
        "    found.check()\n"
    )
    words = (COMMAND.replace("retailops-sandbox", "pytest"), "-q", "-p", "no:cacheprovider")
    done = command.run("--retailops-receiver", "shop", "-n", 1, cwd=tmp_path, command=words, SHOP_TOKEN=TOKEN)
    assert done.returncode == 1, done.stdout + done.stderr
    assert "AssertionError: not yet fit: 1 cause" in done.stdout
    assert re.search("✗ Crashes .*null", done.stdout)
    assert TOKEN not in done.stdout


def test_a_program_probes_a_receiver(tmp_path: Path, shop: str):
    code = (
        "import sys, retailops_sandbox as sandbox\n"
        "report = sandbox.probe_receiver(sys.argv[1], token=sys.argv[2],\n"
        "                                only=['contract'], max_requests=60, seed=7)\n"
        "print(*{each.kind for each in report.findings if each.label == 'contract' or each.server})\n"
    )
    done = command.run(
        "-c", code, shop, TOKEN, cwd=tmp_path, command=(COMMAND.replace("retailops-sandbox", "python"),)
    )
    assert done.stdout == "crash\n", done.stderr
