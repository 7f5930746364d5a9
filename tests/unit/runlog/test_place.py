"""Where a log is kept, in words for people."""

from __future__ import annotations

from pathlib import Path

import pytest

from retailops_sandbox.runlog.place import LogPlace, database_words


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("postgresql://ann:hush@db.test:5432/log", "postgresql://ann@db.test:5432/log"),
        ("postgresql://ann@db.test/log", "postgresql://ann@db.test/log"),
        ("postgresql://db.test/log?password=hush&user=ann", "postgresql://db.test/log"),
        ("postgresql://:hush@[::1]:5432/log", "postgresql://[::1]:5432/log"),
        ("postgresql://a,b:2/log", "postgresql://a,b:2/log"),
        ("postgresql://ann:hu%40sh@db/log", "postgresql://ann@db/log"),
        ("postgresql://ann:hu@sh@db/log", "postgresql://…"),
        ("postgresql://ann:hu/sh@db/log", "postgresql://ann@db/log"),
        ("postgresql://ann:hu?sh@db/log", "postgresql://ann@db/log"),
        ("ann:hush@db", "postgresql://…"),
    ],
)
def test_the_words_of_a_database_hold_no_password(url: str, words: str) -> None:
    assert database_words(url) == words
    assert str(LogPlace(Path("runs"), url)) == words
    assert "sh" not in repr(LogPlace(Path("runs"), url)).replace("shared", "")


def test_files_are_named_by_their_folder(tmp_path: Path) -> None:
    assert str(LogPlace(tmp_path)) == str(tmp_path)
    assert LogPlace(tmp_path / "runs").spool_dir == tmp_path / "shared" / "runs"
