"""Where a log is kept: a folder of run files, or a PostgreSQL database."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import msgspec

from retailops_sandbox.errors import UsageError

_SCHEME = r"(?P<scheme>[a-z][a-z0-9+.-]*)"
_URL = re.compile(
    rf"{_SCHEME}://(?:(?P<user>[^\s:@/?#]*)(?::[^\s:@/?#]*)?@)?(?P<hosts>[^\s@/?#]*)"
    r"(?:(?P<name>/[^\s@/?#]*)(?:\?(?P<options>(?:[A-Za-z_]+=[^\s&]*(?:&|$))*))?"
    # An `@` that comes before the first slash ends a user and a password.
    r"|(?:\?(?P<more>(?:[A-Za-z_]+=[^\s&@/]*(?:&|$))*))?)"
)
"""A URL of a database that can be read in one way alone."""
_UNESCAPED = re.compile(rf"{_SCHEME}://(?P<user>[^\s:@/?#]*):[^@]*@(?P<hosts>[^\s@?#]*)(?:[?#][^@]*)?")
"""A URL whose password ends at its only `@`, whatever else it holds."""
_SAYING_WHERE = ("host", "port", "dbname", "service")
"""The options of a URL that say where the database is."""


class LogPlace(msgspec.Struct, frozen=True):
    """Where a log is kept. Its text is for people, and holds no password."""

    runs_dir: Path
    """The folder of the run files."""
    database: str = ""
    """The URL of the PostgreSQL database that keeps the log, which may hold a password; empty for files."""
    is_named: bool = False
    """Whether an option named the database, so that a command that is proposed has to name it, too."""

    @property
    def spool_dir(self) -> Path:
        """The folder of the run files that are not yet in the database."""
        return self.runs_dir.parent / "shared" / "runs"

    @property
    def option(self) -> str:
        """What a proposed command needs to find the log: ` --log URL` without the password, or nothing."""
        return f" {log_option(self.database)}" if self.database and self.is_named else ""

    def __str__(self) -> str:
        return database_words(self.database) if self.database else str(self.runs_dir)

    def __repr__(self) -> str:
        return f"LogPlace({str(self)!r})"


def database_words(url: str) -> str:
    """The URL of a database for people: user, host, port and database, without what may be secret."""
    found = _URL.fullmatch(url)
    if found is None:
        found = _UNESCAPED.fullmatch(url)
        return f"{found['scheme']}://{found['user']}@{found['hosts']}" if found else _NOWHERE
    if found["user"] is None and not _has_ports(found["hosts"]):
        return _NOWHERE  # It is a user and the beginning of a password.
    user = f"{found['user']}@" if found["user"] else ""
    options = (found["options"] or found["more"] or "").split("&")
    where = "&".join(each for each in options if each.partition("=")[0] in _SAYING_WHERE)
    place = f"{found['scheme']}://{user}{found['hosts']}{found['name'] or ''}"
    return f"{place}?{where}" if where else place


def log_option(url: str) -> str:
    """The option that names a database, for a command that a user may copy: without the password."""
    return f"--log {shlex.quote(database_words(url))}"


def without_passwords(text: str) -> str:
    """A text with the URLs of databases in it as `database_words` has them."""
    return _IN_TEXT.sub(lambda found: database_words(found[0]), text)


def check_database_url(url: str) -> None:
    """UsageError for what is no URL of a PostgreSQL database. Its line holds no password."""
    words = database_words(url)
    scheme = re.match(f"{_SCHEME}://", url)
    if scheme is None:
        raise UsageError("the log's place is no URL of a database", mend=_EXAMPLE)
    if scheme[1] not in ("postgresql", "postgres"):
        raise UsageError(
            f"the log cannot be kept in {words}", mend=f"only PostgreSQL can keep it: {_EXAMPLE}"
        )
    found = _URL.fullmatch(url)
    if found is None or _BROKEN_ESCAPE.search(url):
        raise UsageError(
            f"the URL of the log, {words}, cannot be read",
            mend="write characters such as @ : / ? # % in a name or password as %40 %3A %2F %3F %23 %25, and"
            " options as ?name=value",
        )
    if not _has_ports(found["hosts"]):
        raise UsageError(
            f"the URL of the log, {words}, has a port that is no number from 1 to 65535", mend=_EXAMPLE
        )


def _has_ports(hosts: str) -> bool:
    """Whether what stands behind the colons of hosts can be ports."""
    ports = [each.rpartition("]")[2].partition(":")[2] for each in hosts.split(",")]
    return all(re.fullmatch("[0-9]{1,5}", port) and 0 < int(port) < 65_536 for port in ports if port)


_NOWHERE = "postgresql://…"
_IN_TEXT = re.compile(r"\bpostgres(?:ql)?://[^\s'\"]+")
_EXAMPLE = "for example --log postgresql://user:password@host:5432/database"
_BROKEN_ESCAPE = re.compile("%(?![0-9A-Fa-f]{2})")
