"""Where a log is kept, in words for people."""

from __future__ import annotations

from pathlib import Path

import pytest

from retailops_sandbox.errors import UsageError
from retailops_sandbox.runlog.place import LogPlace, check_database_url, database_words, log_option


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
        ("postgresql://ann:hush", "postgresql://…"),
        ("postgresql://ann:hush/log", "postgresql://…"),
        ("postgresql://ann:1?x=hush@db", "postgresql://ann@db"),
        (
            "postgresql:///log?host=/run/pg&password=hush&application_name=a@b",
            "postgresql:///log?host=/run/pg",
        ),
        ("postgresql://ann:hush@db/log?sslrootcert=/hush.pem", "postgresql://ann@db/log"),
        ("postgresql://db/log x?password=hush&y=a@b", "postgresql://…"),
        ("postgresql://", "postgresql://"),
    ],
)
def test_the_words_of_a_database_hold_no_password(url: str, words: str) -> None:
    assert database_words(url) == words
    assert str(LogPlace(Path("runs"), url)) == words
    assert "sh" not in repr(LogPlace(Path("runs"), url)).replace("shared", "")


def test_the_url_that_a_command_proposes_is_one_word_of_a_shell() -> None:
    assert log_option("postgresql://ann:hush@db/log") == "--log postgresql://ann@db/log"
    assert log_option("postgresql:///log?host=/run/pg") == "--log 'postgresql:///log?host=/run/pg'"


@pytest.mark.parametrize("port", ["99999", "0", "port", "5432x", "1:2"])
def test_a_port_that_is_none_is_named_as_what_is_wrong(port: str) -> None:
    with pytest.raises(UsageError, match="has a port that is no number from 1 to 65535"):
        check_database_url(f"postgresql://ann:hush@[::1]:5432,db:{port}/log")


def test_files_are_named_by_their_folder(tmp_path: Path) -> None:
    assert str(LogPlace(tmp_path)) == str(tmp_path)
    assert LogPlace(tmp_path / "runs").spool_dir == tmp_path / "shared" / "runs"
