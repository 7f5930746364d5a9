"""Run files that a browser brought: shown while the process lives, and nothing of them left behind."""

from __future__ import annotations

import io
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from retailops_sandbox.errors import FileError
from retailops_sandbox.runlog.log import FileLog
from retailops_sandbox.web.runs.uploads import Uploads
from tests.support.logged import open_log, shipped
from tests.support.records import RUN, written


@pytest.fixture
def kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder that uploads are kept in."""
    folder = tmp_path / "kept"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    return folder


def files(folder: Path) -> int:
    return sum(path.is_file() for path in folder.rglob("*"))


def test_of_files_of_one_run_that_come_at_once_one_is_shown(tmp_path: Path, kept: Path):
    class Slow(FileLog):
        """The first that it opens it is the last to tell of."""

        def open(self, path: Path, name: str) -> str:
            id = super().open(path, name)
            time.sleep(0.1 if name == "0.json" else 0)
            return id

    text = written(tmp_path / "elsewhere")[0].read_bytes()
    log = Slow(tmp_path / "runs", shipped, print)
    uploads = Uploads(log)
    with ThreadPoolExecutor(8) as threads:
        names = [f"{number}.json" for number in range(8)]
        assert set(threads.map(lambda name: uploads.take(io.BytesIO(text), name), names)) == {RUN}
    assert log.run(RUN) is not None
    assert files(kept) == 1
    uploads.close()
    assert log.run(RUN) is None
    assert files(kept) == 0


def test_of_a_file_that_could_not_be_kept_whole_nothing_is_kept(tmp_path: Path, kept: Path):
    class Torn(io.BytesIO):
        def read(self, size: int | None = -1) -> bytes:
            if self.tell():
                raise OSError(28, "No space left on device")
            return super().read(3)

    uploads = Uploads(open_log(tmp_path / "runs"))
    with pytest.raises(FileError, match="no space left on device"):
        uploads.take(Torn(b"a run file"), "run.json")
    assert files(kept) == 0
    uploads.close()
