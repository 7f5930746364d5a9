"""diagnostics.py: what is logged is shown from a level on, redacted, and otherwise nobody sees it."""

from __future__ import annotations

import logging
import re
import subprocess
import sys

import pytest

from retailops_sandbox import diagnostics
from retailops_sandbox.errors import FileError
from retailops_sandbox.redaction import Secrets, mark

SECRET = "a-secret-of-the-run"
LEVELS = ("debug", "info", "warning", "error")


def logged(level: str, *, redact: object = Secrets({"TOKEN": SECRET}).plain) -> list[str]:
    """What is shown from a level on where every level is told the secret, in each way that logging knows."""
    lines: list[str] = []
    logger = diagnostics.logger("retailops_sandbox.some.module")
    with diagnostics.shown(level, lines.append, redact):
        for each in LEVELS:
            tell = getattr(logger, each)
            tell(f"in the message: {SECRET}")
            tell("as an argument: %s", SECRET)
            try:
                raise ValueError(f"in an error: {SECRET}")
            except ValueError:
                tell("with a traceback", exc_info=True)
    return lines


@pytest.mark.parametrize("level", LEVELS)
def test_no_level_shows_a_secret(level: str):
    lines = logged(level)
    assert len(lines) == 3 * (len(LEVELS) - LEVELS.index(level))
    assert not any(SECRET in line for line in lines)
    assert all(mark("TOKEN") in line for line in lines)


def test_a_line_says_when_how_bad_and_where():
    assert re.fullmatch(
        r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3} error some: in the message: .*", logged("error")[0]
    )


def test_nothing_of_a_message_is_shown_where_what_is_secret_is_not_known():
    def redact(text: str) -> str:
        raise FileError("cannot be read", file="receivers.json")

    lines = logged("error", redact=redact)
    assert lines
    assert all(line.endswith("error some: not shown: receivers.json: cannot be read") for line in lines)


def test_what_was_shown_is_not_shown_any_more_afterwards():
    lines: list[str] = []
    with diagnostics.shown("debug", lines.append, str):
        pass
    logger = diagnostics.logger("retailops_sandbox.some")
    logger.error("later")
    assert lines == []
    assert not logger.isEnabledFor(logging.INFO)


def test_nothing_is_printed_unless_it_is_asked_for():
    program = (
        "from retailops_sandbox import diagnostics; diagnostics.logger('retailops_sandbox.x').error('e')"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout + done.stderr == ""
