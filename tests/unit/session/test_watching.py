"""Which changes of files are worth a run."""

from __future__ import annotations

from pathlib import Path

import pytest
from watchfiles import Change

from retailops_sandbox.session.watching import Watched
from retailops_sandbox.workspace.workspace import Workspace

MODIFIED, ADDED = Change.modified, Change.added


@pytest.mark.parametrize(
    ("change", "path", "counts"),
    [
        (MODIFIED, "receivers.json", True),
        (MODIFIED, "pyproject.toml", True),
        (ADDED, "fixtures", True),
        (MODIFIED, "scenarios/a.scenario.json", True),
        (MODIFIED, "scenarios/notes.txt", False),
        (MODIFIED, ".sandbox/runs/a.json", False),
        (ADDED, ".sandbox/new", False),
        # Its files may have been there before it was watched.
        (ADDED, "fixtures/new", True),
        (MODIFIED, "fixtures/new", False),
        (ADDED, "src/__pycache__", False),
        (MODIFIED, "src/shop.py", True),
        (MODIFIED, "src/shop.pyc", False),
    ],
)
def test_a_change_counts(tmp_path: Path, change: Change, path: str, counts: bool):
    for folder in ("fixtures/new", "src/__pycache__", ".sandbox/new"):
        (tmp_path / folder).mkdir(parents=True)
    watched = Watched(Workspace(tmp_path), (), [tmp_path / "src"])
    assert watched.counts(change, str(tmp_path / path)) is counts
