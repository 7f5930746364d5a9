"""The index of a log lies beside the folder of its runs, so each test has a folder inside of its own."""

from __future__ import annotations

from pathlib import Path

import pytest


@pytest.fixture
def tmp_path(tmp_path: Path) -> Path:
    """An empty folder for runs, with nothing beside it."""
    folder = tmp_path / "runs"
    folder.mkdir()
    return folder
