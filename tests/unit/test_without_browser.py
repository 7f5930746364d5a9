"""Tests outside `tests/browser` need no browser: pytest starts and collects them without Playwright."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
PROGRAM = """
import sys
import pytest

code = pytest.main([*sys.argv[1:], "-q", "-p", "no:playwright", "-p", "no:cacheprovider"])
loaded = sorted(name for name in sys.modules if name.partition(".")[0] == "playwright")
sys.exit(code or bool(loaded) and f"imported: {loaded}")
"""


def run_pytest(*arguments: str) -> None:
    command = [sys.executable, "-c", PROGRAM, *arguments]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr


def test_collecting_imports_no_playwright():
    run_pytest("tests/unit", "tests/contract", "tests/faces", "tests/e2e", "--collect-only")


def test_one_test_file_takes_less_than_five_seconds():
    before = os.times()
    run_pytest("tests/unit/jsontext/test_pointer.py")
    after = os.times()
    # Processor time and not the clock: other tests may run beside this one.
    spent = after.children_user + after.children_system - before.children_user - before.children_system
    assert 0 <= spent < 5
