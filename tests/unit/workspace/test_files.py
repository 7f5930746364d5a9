"""files.py: reading files."""

from __future__ import annotations

from pathlib import Path

import pytest

from retailops_sandbox.workspace.files import read_text


@pytest.mark.parametrize("size", [0, 1, 70_000])
def test_a_text_is_read_whole(tmp_path: Path, size: int):
    file = tmp_path / "text"
    file.write_text("x" * size)
    assert read_text(file) == "x" * size


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="this system has no such files")
def test_a_text_of_which_the_system_gives_no_size_is_read_whole():
    assert read_text("/proc/self/status").startswith("Name:")
    assert read_text("/proc/self/status").count("\n") > 5
