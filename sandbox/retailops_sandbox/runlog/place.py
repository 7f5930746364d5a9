"""Where a log is kept: a folder of run files, or a PostgreSQL database."""

from __future__ import annotations

import re
from pathlib import Path

import msgspec

from retailops_sandbox.errors import UsageError

_USABLE = re.compile(
    r"postgres(?:ql)?://(?:[^\s:@/?#]*(?::[^\s:@/?#]*)?@)?[^\s@/?#]*(?:/[^\s@/?#]*)?(?:\?[^\s@/#]*)?"
)
_URL = re.compile(
    r"(?P<scheme>[a-z][a-z0-9+.-]*)://(?:(?P<user>[^:@]*)(?::[^@]*)?@)?(?P<host>[^@?#]*)(?:[?#][^@]*)?"
)
"""A URL of a database, without a password that holds an `@`: then nobody can tell where it ends."""


class LogPlace(msgspec.Struct, frozen=True):
    """Where a log is kept. Its text is for people, and holds no password."""

    runs_dir: Path
    """The folder of the run files."""
    database: str = ""
    """The URL of the PostgreSQL database that keeps the log, which may hold a password; empty for files."""

    @property
    def spool_dir(self) -> Path:
        """The folder of the run files that are not yet in the database."""
        return self.runs_dir.parent / "shared" / "runs"

    def __str__(self) -> str:
        return database_words(self.database) if self.database else str(self.runs_dir)

    def __repr__(self) -> str:
        return f"LogPlace({str(self)!r})"


def database_words(url: str) -> str:
    """The URL of a database for people: user, host, port and database, without password and options."""
    found = _URL.fullmatch(url)
    if found is None:
        return "postgresql://…"
    user = f"{found['user']}@" if found["user"] else ""
    return f"{found['scheme']}://{user}{found['host']}"


def without_passwords(text: str) -> str:
    """A text with the URLs of databases in it as `database_words` has them."""
    return _IN_TEXT.sub(lambda found: database_words(found[0]), text)


def check_database_url(url: str) -> None:
    """UsageError for what is no URL of a PostgreSQL database. Its line holds no password."""
    words = database_words(url)
    scheme = _SCHEME.match(url)
    if scheme is None:
        raise UsageError("the log's place is no URL of a database", mend=_EXAMPLE)
    if scheme[1] not in ("postgresql", "postgres"):
        raise UsageError(
            f"the log cannot be kept in {words}", mend=f"only PostgreSQL can keep it: {_EXAMPLE}"
        )
    if not _USABLE.fullmatch(url) or _BROKEN_ESCAPE.search(url):
        raise UsageError(
            f"the URL of the log, {words}, cannot be read",
            mend="write characters such as @ : / ? # % in a name or password as %40 %3A %2F %3F %23 %25",
        )


_IN_TEXT = re.compile(r"\bpostgres(?:ql)?://[^\s'\"]+")
_SCHEME = re.compile("([a-z][a-z0-9+.-]*)://")
_EXAMPLE = "for example --log postgresql://user:password@host:5432/database"
_BROKEN_ESCAPE = re.compile("%(?![0-9A-Fa-f]{2})")
