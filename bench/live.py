"""How long a delivery takes to be on the log's page in a real browser, and what it costs to watch the log.

It is sent by `send`, which is another process, and by the page's own. Exits 1 where a limit is missed.
"""

from __future__ import annotations

import re
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.parse
import urllib.request
from collections.abc import Callable
from datetime import datetime
from html import unescape
from pathlib import Path

from append import delivery
from browser import receiver, served, told
from playwright.sync_api import Page, sync_playwright

from retailops_sandbox.contracts.catalogue import SHIPPED_CONTRACTS
from retailops_sandbox.model import RunInfo
from retailops_sandbox.runlog.opening import open_log, open_run
from retailops_sandbox.runlog.place import LogPlace
from retailops_sandbox.runlog.ports import Log
from retailops_sandbox.workspace.workspace import Workspace
from tests.support import chromium

RUNS, PER_RUN, SENDS, LOOKS = 200, 20, 20, 200
SHOWN_MS, LOOK_MS = 250, 5

WATCH = """
// When each row was first on screen with its verdict, in milliseconds since 1970.
window.shown = {};
const look = () => {
  for (const row of document.querySelectorAll("table.log tbody tr")) {
    if (row.id in shown || row.querySelector(".verdict").matches(".flight, .not")) continue;
    shown[row.id] = 0;
    requestAnimationFrame(() => setTimeout(() => {
      shown[row.id] = performance.timeOrigin + performance.now();
    }));
  }
};
new MutationObserver(look).observe(document, { childList: true, subtree: true });
"""


def main() -> int:
    with tempfile.TemporaryDirectory() as folder, receiver() as port:
        runs_dir = Workspace(Path(folder)).runs_dir
        _fill(runs_dir)
        (Path(folder) / "expect.json").write_text('{"status": 200}')
        met = [_looking(runs_dir)]
        target = f"http://127.0.0.1:{port}"
        with served(folder) as url, sync_playwright() as playwright:
            program = chromium.find(playwright.chromium.executable_path)
            browser = playwright.chromium.launch(executable_path=program, args=chromium.LAUNCH_OPTIONS)
            page = browser.new_page(viewport={"width": 1440, "height": 900})
            page.add_init_script(WATCH)
            _save_receiver(page, url, target)
            page.goto(f"{url}deliveries")
            log = open_log(LogPlace(runs_dir), lambda: SHIPPED_CONTRACTS)
            by_other = _shown(page, log, lambda: _send(folder))
            met.append(_within(by_other, "another process"))
            last = next(log.rows()).id
            by_own = _shown(page, log, lambda: _again(url, last))
            met.append(_within(by_own, "the page's own process"))
            browser.close()
    return 0 if all(met) else 1


def _fill(runs_dir: Path) -> None:
    for number in range(RUNS):
        info = RunInfo(id=f"20240501T12{number:04}Z-aaaaaa", started_at="2024-05-01T12:00:00.000Z")
        run = open_run(LogPlace(runs_dir), info, lambda: SHIPPED_CONTRACTS)
        for _ in range(PER_RUN):
            run.append(delivery(run.next_id()))
        run.finish()


def _looking(runs_dir: Path) -> bool:
    """What a look costs where nothing came; there are many a second while a page is open."""
    log = open_log(LogPlace(runs_dir), lambda: SHIPPED_CONTRACTS)
    cursor = log.cursor()
    times = []
    for _ in range(LOOKS):
        start = time.perf_counter()
        assert not cursor.changes()
        times.append((time.perf_counter() - start) * 1000)
    middle = statistics.median(times)
    what = f"a look at {RUNS} runs where nothing is new {middle:.2f} ms, median of {LOOKS}"
    return told(middle, LOOK_MS, f"{what} (most {max(times):.2f})")


def _save_receiver(page: Page, url: str, target: str) -> None:
    page.goto(f"{url}receivers/new")
    page.get_by_label("Name", exact=True).fill("bench")
    page.get_by_label("Base URL", exact=True).fill(target)
    page.get_by_role("button", name="Save receiver").click()


def _shown(page: Page, log: Log, send: Callable[[], None]) -> list[float]:
    """Milliseconds from the end of each delivery until it is on screen with its verdict."""
    took = []
    for _ in range(SENDS):
        before = next(log.rows()).id
        send()
        sent = next(log.rows())
        assert sent.id != before
        drawn = page.wait_for_function("(id) => window.shown[id]", arg=f"row-{sent.id}").json_value()
        ended = datetime.fromisoformat(sent.sent_at).timestamp() * 1000 + sent.total_ms
        took.append(float(drawn) - ended)
        # Not in step with the looks.
        time.sleep(0.037)
    return took


def _send(folder: str) -> None:
    """A delivery by a process of its own."""
    command = [str(Path(sys.executable).with_name("retailops-sandbox")), "send", "default"]
    command += ["--receiver", "bench", "--workspace", folder, "--expect", f"{folder}/expect.json"]
    subprocess.run(command, stdout=subprocess.DEVNULL, check=True)


def _again(url: str, id: str) -> None:
    """A delivery by the process that serves the page."""
    with urllib.request.urlopen(f"{url}deliveries/{id}") as answer:
        page = answer.read().decode()
    form = page[page.index('/again"') :]
    fields = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', form)[:2])
    data = urllib.parse.urlencode({name: unescape(value) for name, value in fields.items()}).encode()
    with urllib.request.urlopen(f"{url}deliveries/{id}/again", data) as answer:
        sent = answer.url
    with urllib.request.urlopen(f"{sent}/events") as answer:
        answer.read()


def _within(times: list[float], by: str) -> bool:
    middle = statistics.median(times)
    spread = f"{min(times):.0f} to {max(times):.0f}"
    return told(
        middle,
        SHOWN_MS,
        f"on screen {middle:.0f} ms after a delivery by {by}, median of {len(times)} ({spread})",
    )


if __name__ == "__main__":
    sys.exit(main())
