"""files.py: reading files."""

from __future__ import annotations

from pathlib import Path

import pytest

from retailops_sandbox.workspace.files import read_text


@pytest.mark.parametrize("size", [0, 1, 64 * 1024 - 1, 64 * 1024, 64 * 1024 + 1, 300_000])
def test_a_text_is_read_whole(tmp_path: Path, size: int):
    file = tmp_path / "text"
    file.write_text("x" * size)
    assert read_text(file) == "x" * size
