"""The workbench in a real browser on loopback: its weight, ready to type, typing, from Send to comparison.

Exits 1 where a limit is missed.
"""

from __future__ import annotations

import re
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent))

from tests.support import chromium  # noqa: E402
from tests.support.watching import write_expectation  # noqa: E402

COLD_STARTS, SENDS = 5, 30
READY_MS, BLOCKED_MS, COMPARED_MS, WEIGHT_KB = 1000, 50, 100, 300

WATCH = """
const moment = () => performance.timeOrigin + performance.now();
window.longTasks = [];
new PerformanceObserver((list) => longTasks.push(...list.getEntries().map((each) => each.duration)))
  .observe({ type: "longtask", buffered: true });
addEventListener("click", (event) => {
  if (event.target.closest("button.send")) sessionStorage.setItem("sent", moment());
}, true);
// What is on screen once the browser has drawn it.
const drawn = (name) => requestAnimationFrame(() => setTimeout(() => { window[name] ??= moment(); }));
const look = () => {
  if (!window.editable && document.querySelector(".cm-content")) drawn("editable");
  if (!window.compared && document.querySelector("#answer .comparison")) drawn("compared");
};
new MutationObserver(look).observe(document, { childList: true, subtree: true });
"""


def main() -> int:
    with (
        tempfile.TemporaryDirectory() as folder,
        receiver() as port,
        served(folder) as url,
        sync_playwright() as playwright,
    ):
        program = chromium.find(playwright.chromium.executable_path)
        browser = playwright.chromium.launch(executable_path=program, args=chromium.LAUNCH_OPTIONS)
        met = [_ready(browser, url), _typing(browser, url, "JSON"), _typing(browser, url, "Form")]
        met += [_sending(browser, url, port), _weight(browser, url)]
        browser.close()
    return 0 if all(met) else 1


def _ready(browser: Browser, url: str) -> bool:
    """Opening the page with nothing in the browser's cache; the first time, from a server just started."""
    times = []
    for _ in range(COLD_STARTS):
        with _opened(browser, url) as page:
            times.append(_waited(page, "editable") - page.evaluate("performance.timeOrigin"))
    first, worst = times[0], max(times)
    return told(worst, READY_MS, f"ready to type after {worst:.0f} ms cold, the first after {first:.0f}")


def _typing(browser: Browser, url: str, view: str) -> bool:
    """Typing among 500 items, broken and mended on the way, while the server checks."""
    with _opened(browser, f"{url}?fixture=many-unshipped-items") as page:
        _waited(page, "editable")
        page.locator("#payload-views").get_by_role("button", name=view, exact=True).click()
        if view == "JSON":
            page.locator("#payload-view .cm-content").click()
            page.keyboard.press("Control+Home")
            for _ in range(30):
                page.keyboard.press("ArrowDown")
        else:
            item = page.locator('[data-pointer="/data/order/unshipped_items_ref/250"]')
            unfold = "(each) => { for (let at = each; at; at = at.parentElement) at.open = true; }"
            item.evaluate(unfold)
            item.focus()
            page.keyboard.press("End")
        page.evaluate("longTasks.length = 0")
        for text in ("12345", '"typed"', "7, 8, 9"):
            page.keyboard.type(text, delay=20)
            with page.expect_response("**/compose"):
                page.keyboard.type("0", delay=20)
            page.wait_for_timeout(300)
        for _ in range(20):
            page.keyboard.press("Backspace", delay=20)
        page.wait_for_timeout(800)
        blocked = page.evaluate("longTasks")
    longest = max(blocked, default=0)
    what = f"longest {longest:.0f} ms" if blocked else f"none above {BLOCKED_MS} ms"
    return told(longest, BLOCKED_MS, f"typing among 500 items, {view.lower()}: tasks that block, {what}")


def _sending(browser: Browser, url: str, port: int) -> bool:
    """From the click on Send to the comparison, drawn; less what the receiver took."""
    times = []
    with _opened(browser, f"{url}receivers/new") as page:
        page.get_by_label("Name", exact=True).fill("bench")
        page.get_by_label("Base URL", exact=True).fill(f"http://127.0.0.1:{port}")
        page.get_by_role("button", name="Save receiver").click()
        for _ in range(SENDS):
            page.goto(url)
            _waited(page, "editable")
            write_expectation(page, '{"status": 200, "body": {"events": []}}')
            page.locator("#send").click()
            took = _waited(page, "compared") - float(page.evaluate("sessionStorage.getItem('sent')"))
            said = re.search(r"([\d.]+) ms", page.locator("#answer .banner").inner_text())
            assert said is not None
            times.append(took - float(said[1]))
    middle = statistics.median(times)
    spread = f"{min(times):.0f} to {max(times):.0f}"
    return told(
        middle, COMPARED_MS, f"from Send to the comparison {middle:.0f} ms, median of {SENDS} ({spread})"
    )


def _weight(browser: Browser, url: str) -> bool:
    """What the workbench brings over the wire, compressed, with nothing in the browser's cache."""
    with _opened(browser, url) as page:
        _waited(page, "editable")
        page.wait_for_load_state("networkidle")
        sizes = """() => ["navigation", "resource"].flatMap((kind) => performance.getEntriesByType(kind))
            .map((each) => each.transferSize)"""
        weight = sum(page.evaluate(sizes)) / 1000
    print(
        f"{'ok  ' if weight <= WEIGHT_KB else 'MISS'} the workbench weighs {weight:.0f} KB "
        f"(at most {WEIGHT_KB})"
    )
    return weight <= WEIGHT_KB


def _waited(page: Page, name: str) -> float:
    """When something was drawn, in milliseconds since 1970."""
    return float(page.wait_for_function(f"() => window.{name}").json_value())


def told(value: float, most: float, what: str) -> bool:
    print(f"{'ok  ' if value <= most else 'MISS'} {what} (at most {most:g} ms)")
    return value <= most


@contextmanager
def _opened(browser: Browser, url: str) -> Iterator[Page]:
    context = browser.new_context(viewport={"width": 1440, "height": 900})
    context.add_init_script(WATCH)
    page = context.new_page()
    page.goto(url)
    yield page
    context.close()


@contextmanager
def receiver() -> Iterator[int]:
    receiver = subprocess.Popen([sys.executable, HERE / "receiver.py"], stdout=subprocess.PIPE, text=True)
    try:
        assert receiver.stdout is not None
        yield int(receiver.stdout.readline())
    finally:
        receiver.terminate()
        receiver.communicate()


@contextmanager
def served(folder: str) -> Iterator[str]:
    command = [str(Path(sys.executable).with_name("retailops-sandbox")), "serve", "--port", "0"]
    served = subprocess.Popen([*command, "--workspace", folder], stdout=subprocess.PIPE, text=True)
    try:
        assert served.stdout is not None
        found = re.search(r"http://[^\s]+", served.stdout.readline())
        assert found is not None
        yield found[0]
    finally:
        served.terminate()
        served.communicate()


if __name__ == "__main__":
    sys.exit(main())
