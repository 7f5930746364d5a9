"""files.py: reading files."""

from __future__ import annotations

import os
import threading
from pathlib import Path

import pytest

from retailops_sandbox.workspace.files import read_text


@pytest.mark.parametrize("size", [0, 1, 70_000])
def test_a_text_is_read_whole_from_a_file_and_from_a_pipe(tmp_path: Path, size: int):
    file = tmp_path / "text"
    file.write_text("x" * size)
    assert read_text(file) == "x" * size
    reading, writing = os.pipe()

    def write() -> None:
        with open(writing, "w") as pipe:
            for start in range(0, size, 1_000):
                pipe.write("x" * min(1_000, size - start))
                pipe.flush()

    writer = threading.Thread(target=write, daemon=True)
    writer.start()
    assert read_text(f"/dev/fd/{reading}") == "x" * size
    writer.join()
    os.close(reading)
