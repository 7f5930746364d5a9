"""The pictures of docs/probe.md. As a script: takes them, into `docs/`."""

from __future__ import annotations

import json
import re
import tempfile
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, expect, sync_playwright

from tests.support import chromium, command, probed
from tests.support.probed.receiving import PATH, TOKEN, Answer, Right, answer, event
from tests.support.screens import ROOT
from tests.support.serving import serving

_ENVIRONMENT = {"SHOP_TOKEN": TOKEN}
_FILES = ("probe.png", "probe-report.png")


class Shop(Right):
    """Is wrong in some ways at once."""

    def knows(self, token: Any) -> bool:
        return isinstance(token, str) and token.lower() == TOKEN.lower()

    def order(self, payload: Any) -> str:
        if payload["channel_info"]["id"] is None:
            raise TypeError("the channel is null")
        return super().order(payload)

    def first(self, order: str) -> Answer:
        refund = event(f"Refund {self.cancelled[order]} of order {order} is made", "REFUNDED", order)
        return answer({"status": "success", "events": [refund]})

    def again(self, order: str) -> Answer:
        self.cancelled[order] += 1
        return self.first(order)


def take(browser: Browser, url: str, workspace: Path, folder: Path) -> list[Path]:
    """Probe a receiver in the browser, and take its page and its report."""
    receiver = {"name": "my-shop", "base_url": url + PATH, "token": "${env:SHOP_TOKEN}"}
    (workspace / "receivers.json").write_text(json.dumps({"receivers": {"1": receiver}}))
    report = workspace / "report.html"
    # The page then has a probe to compare with.
    command.run_forked(
        "probe", "--receiver", "my-shop", "--report-html", report, cwd=workspace, **_ENVIRONMENT
    )
    shown, reported = (folder / name for name in _FILES)
    with serving(workspace, **_ENVIRONMENT) as served:
        page = browser.new_page(viewport={"width": 1280, "height": 860}, color_scheme="light")
        page.goto(f"{served.url}/probe")
        page.locator("header details").filter(has_text="to").locator("summary").click()
        page.locator("button.choice", has_text="my-shop").click()
        page.get_by_role("button", name=re.compile("^All ")).click()
        expect(page.get_by_text("still there").first).to_be_visible(timeout=60_000)
        expect(page.get_by_role("button", name="Check my receiver")).to_be_enabled(timeout=60_000)
        page.screenshot(path=shown)
        page.set_viewport_size({"width": 1120, "height": 860})
        page.goto(report.as_uri())
        page.locator("#causes").scroll_into_view_if_needed()
        page.screenshot(path=reported)
        page.close()
    return [shown, reported]


def main() -> None:
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        program = chromium.find(playwright.chromium.executable_path)
        browser = playwright.chromium.launch(executable_path=program, args=chromium.LAUNCH_OPTIONS)
        with probed.receiving.serving(Shop()) as url:
            for path in take(browser, url, Path(folder), ROOT / "docs"):
                print(f"{path.relative_to(ROOT)}: {path.stat().st_size // 1024} KB")
        browser.close()


if __name__ == "__main__":
    main()
