"""files.py: reading files."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from retailops_sandbox.workspace.files import read_text


@pytest.mark.parametrize("size", [0, 1, 70_000])
def test_a_text_is_read_whole(tmp_path: Path, size: int):
    file = tmp_path / "text"
    file.write_text("x" * size)
    assert read_text(file) == "x" * size


@pytest.mark.parametrize("said", [0, 5, 200])
def test_a_text_is_read_whole_whatever_size_the_system_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, said: int
):
    file = tmp_path / "text"
    file.write_text("x" * 100)
    mode, *others = os.stat(file)
    monkeypatch.setattr(os, "fstat", lambda _: os.stat_result([mode, *others[:5], said, *others[6:]]))
    assert read_text(file) == "x" * 100
