"""Runs of pytest with scenario files, in a folder of their own."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

STAND_IN = "--retailops-stand-in"


def run(pytester: pytest.Pytester, *arguments: str, alone: bool = False) -> pytest.RunResult:
    """Run pytest: in this process, or alone in one of its own, or with workers."""
    names = ("randomly", "playwright", "hypothesispytest", "faulthandler")
    quiet = [word for name in names for word in ("-p", f"no:{name}")]
    if alone or "-n" in arguments:
        return pytester.runpytest_subprocess(*quiet, "-ra", *arguments, timeout=120)
    return pytester.runpytest_inprocess(*quiet, "-ra", *arguments)


def scenario(pytester: pytest.Pytester, stem: str, expect: object = None, **fields: Any) -> Path:
    """A scenario of one step, which begins in line 2 and expects nothing by default."""
    tags = fields.pop("tags", [])
    title = fields.pop("title", f"The {stem} one")
    step = {"name": "cancel", "fixture": "default", **fields, "expect": expect}
    file = pytester.path / f"{stem}.scenario.json"
    file.write_text(
        f'{{"name": {json.dumps(title)}, "tags": {json.dumps(tags)}, "steps": [\n  {json.dumps(step)}]}}'
    )
    return file
