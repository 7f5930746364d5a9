"""Which Chromium the browser tests drive. As a script: makes sure there is one, or says how to get one."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

from playwright.sync_api import sync_playwright

SYSTEM_NAMES = (
    "chromium-headless-shell",  # the same pages, with no window around them: the fastest
    *("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome"),
)
MEND = "set BROWSER_PATH to a Chromium or Chrome, or install one (`playwright install --with-deps chromium`)"

_WITHOUT = (
    # Renderers that no test looks at, and a third of all the time: each window would start one for the list
    # below its address bar, and each navigation one to have in reserve.
    *("WebUIOmniboxPopup", "WebUIOmniboxAimPopup", "WebUIOmniboxFullPopup", "SpareRendererForSitePerProcess"),
    # What Playwright switches off itself: of two such options Chromium takes the last.
    *("AimEnabled", "AvoidCorsURLLoaderRestartOnRedirect", "AvoidUnnecessaryBeforeUnloadCheckSync"),
    *("DestroyProfileOnBrowserClose", "HttpsFirstBalancedModeAutoEnable", "HttpsUpgrades", "LensOverlay"),
    *("MediaRouter", "NetworkTimeServiceQuerying", "OptimizationHints", "PaintHolding", "PreconnectToSearch"),
    *("ThirdPartyStoragePartitioning",),
)

LAUNCH_OPTIONS = [
    # Nothing but the page under test may use the network.
    *("--disable-background-networking", "--disable-component-update", "--disable-quic"),
    f"--disable-features={','.join(_WITHOUT)}",
    # Pages of one context share a renderer.
    "--process-per-site",
    # No script of a test runs for so long that optimising it pays.
    "--js-flags=--no-opt --no-maglev",
]


class NoBrowser(Exception):
    """There is no usable browser; the message says how to mend that."""


def find(playwrights_own: str) -> Path:
    """$BROWSER_PATH, else Playwright's own, else the system's; NoBrowser if there is none."""
    if named := os.environ.get("BROWSER_PATH"):
        if not os.access(named, os.X_OK):
            raise NoBrowser(f"BROWSER_PATH is {named}, which is not a program: {MEND}")
        return Path(named)
    if Path(playwrights_own).exists():
        return Path(playwrights_own)
    for name in SYSTEM_NAMES:
        if found := shutil.which(name):
            return Path(found)
    raise NoBrowser(f"the browser tests need a Chromium: {MEND}")


def ensure() -> Path:
    """The browser that `find` finds, installed first where there is none."""
    with sync_playwright() as playwright:
        own = playwright.chromium.executable_path
    try:
        return find(own)
    except NoBrowser:
        if "BROWSER_PATH" in os.environ or not (_from_playwright() or _from_apt()):
            raise
    return find(own)


def _from_playwright() -> bool:
    return _run(sys.executable, "-m", "playwright", "install", "chromium")


def _from_apt() -> bool:
    is_root = hasattr(os, "geteuid") and os.geteuid() == 0
    if not is_root or shutil.which("apt-get") is None:
        return False
    packages = ("chromium-headless-shell", "chromium")
    return _run("apt-get", "update") and any(_run("apt-get", "install", "--yes", each) for each in packages)


def _run(*command: str) -> bool:
    print("$", *command, flush=True)
    return subprocess.run(command, check=False).returncode == 0


if __name__ == "__main__":
    try:
        print("browser:", ensure())
    except NoBrowser as error:
        sys.exit(str(error))
