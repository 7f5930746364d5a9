"""What a text gives away of the program that made it: file paths, SQL, a framework's error page.

A product's name, a route or a URL may look like a path: only what hardly anything else looks like is told.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Literal, NamedTuple, TypeAlias

import msgspec

from retailops_sandbox.answers import trace

LeakKind: TypeAlias = Literal["stack-trace", "framework-page", "sql", "file-path"]

_SHOWN = 160
"""The most characters that are quoted."""
_AROUND = 400
"""The characters before and behind a literal in which a pattern is searched."""
_SHORT = 512
"""The most characters of a text that is remembered with what was found."""
_MOST_PLACES = 8
"""The most places of a literal that are looked at."""


class Leak(msgspec.Struct, frozen=True):
    """A part of a text that gives something away."""

    kind: LeakKind
    what: str
    """`a Python traceback`."""
    text: str
    """The part, in one line."""


def find(text: str) -> Leak | None:
    """The worst that a text gives away; None where there is nothing."""
    return _found_in_short(text) if len(text) <= _SHORT else next(_found(text), None)


@lru_cache(maxsize=512)
def _found_in_short(text: str) -> Leak | None:
    # A receiver says the same words in most of its answers.
    return next(_found(text), None)


def _found(text: str) -> Iterator[Leak]:
    if printed := trace.find(text):
        yield Leak("stack-trace", printed.what, printed.words[:_SHOWN])
    for what, frames in _FRAMES:
        if part := _part(text, frames):
            yield Leak("stack-trace", what, part)
    lower = text.lower()
    for framework, words in _PAGES:
        if words.lower() in lower:
            yield Leak("framework-page", f"{framework}'s error page", words)
    for pattern in _SQL:
        if part := _part(text, pattern, to_end=True):
            yield Leak("sql", "SQL or a database's error", part)
    for pattern in _PATHS:
        if part := _part(text, pattern):
            yield Leak("file-path", "a path of the receiver's files", part)


class _Pattern(NamedTuple):
    """A pattern that is searched around literal parts of it: the work is bounded by the text's size.

    It is compiled where one of the literals is found first, which is seldom.
    """

    literals: tuple[str, ...]
    pattern: str


def _pattern(literals: str, pattern: str) -> _Pattern:
    """A pattern around one of some literals, which bars part."""
    return _Pattern(tuple(literals.split("|")), pattern)


def _part(text: str, wanted: _Pattern, *, to_end: bool = False) -> str:
    """The part of a text that a pattern matches, or all from there on; empty where there is none."""
    for literal in wanted.literals:
        at = text.find(literal)
        for _ in range(_MOST_PLACES):
            if at < 0:
                break
            around = text[max(0, at - _AROUND) : at + _AROUND]
            if found := re.search(wanted.pattern, around):
                shown = around[found.start() :] if to_end else found[0]
                return " ".join(shown.split())[:_SHOWN]
            at = text.find(literal, at + len(literal))
    return ""


_FRAMES = (
    ("a Python stack trace", _pattern('File "', r'File "[^"\n]{1,300}", line \d{1,7}')),
    ("a PHP stack trace", _pattern("#0 |#1 ", r"#\d{1,3} (?:/|[A-Z]:\\)[^\s(]{1,300}\(\d{1,7}\)")),
    (
        "a Java stack trace",
        _pattern(
            ".java:|.kt:|.scala:|.groovy:",
            r"\bat [\w.$<>]{3,200}\([\w$]{1,100}\.(?:java|kt|scala|groovy):\d{1,7}\)",
        ),
    ),
    (
        "a Node.js stack trace",
        _pattern(
            ".js:|.cjs:|.mjs:|.ts:|.cts:|.mts:",
            r"\bat [^\n\\/]{0,200}[\\/][^\n()]{1,200}\.[cm]?[jt]s:\d{1,7}:\d{1,7}\b",
        ),
    ),
    (
        "a .NET stack trace",
        _pattern(".cs:line |.vb:line |.fs:line ", r"\bin [^\n]{1,300}\.(?:cs|vb|fs):line \d{1,7}\b"),
    ),
    ("a Ruby stack trace", _pattern(".rb:", r"[\w./-]{1,200}\.rb:\d{1,7}:in [`']")),
    ("a Go stack trace", _pattern(".go:", r"\.go:\d{1,7} \+0x[0-9a-f]+")),
    ("a Rust panic", _pattern("panicked at ", r"thread '[^'\n]{1,100}' panicked at ")),
)
"""Single lines of stack traces, which stand in messages without their beginning."""

_PAGES = (
    ("Django", "re seeing this error because you have <code>DEBUG"),
    ("Werkzeug", "Werkzeug Debugger"),
    ("Laravel", "Whoops, looks like something went wrong"),
    ("Laravel", "spatie/laravel-ignition"),
    ("Symfony", "Symfony Exception"),
    ("Rails", "Action Controller: Exception caught"),
    ("Spring Boot", "Whitelabel Error Page"),
    ("ASP.NET", "Server Error in '/"),
    ("ASP.NET Core", "An unhandled exception occurred while processing the request"),
    ("Tomcat", "<h3>Apache Tomcat/"),
    ("CakePHP", "CakePHP: the rapid development"),
)
"""What stands in the error pages that frameworks make for developers."""

_SQL = (
    _pattern("SQLSTATE", r"\bSQLSTATE\b"),
    _pattern("ORA-", r"\bORA-\d{5}\b"),
    _pattern("SQL syntax", r"You have an error in your SQL syntax"),
    _pattern("syntax error", r"\bsyntax error at or near\b|\bnear \"[^\"\n]{1,100}\": syntax error"),
    _pattern(
        "psycopg|sqlite3.|pymysql.|MySQLdb.|sqlalchemy.|mysql.connector.|asyncpg.",
        r"\b(?:psycopg2?|sqlite3|pymysql|MySQLdb|sqlalchemy|mysql\.connector|asyncpg)\.[\w.]{3,}",
    ),
    _pattern(
        "PG::|SQLITE_|ER_|PDOException|SQLException",
        r"\bPG::[A-Z]\w+|\bSQLITE_[A-Z]{3,}|\bER_[A-Z_]{6,}\b|\bPDOException\b|SQLException\b",
    ),
    _pattern("no such ", r"\bno such (?:table|column): \w"),
    _pattern(
        "Unknown column|doesn't exist",
        r"\bUnknown column '[^'\n]{1,100}' in\b|\bTable '[^'\n]{1,100}' doesn't exist\b",
    ),
    _pattern(
        "constraint",
        r"\bviolates (?:unique|not-null|foreign key|check) constraint\b"
        r"|\b(?:UNIQUE|NOT NULL|FOREIGN KEY|CHECK) constraint failed\b",
    ),
    _pattern("Duplicate entry", r"\bDuplicate entry '[^'\n]{0,200}' for key\b"),
    _pattern("does not exist", r"\b(?:relation|column) \"[^\"\n]{1,100}\" does not exist\b"),
    _pattern(
        "invalid input syntax|value too long",
        r"\binvalid input syntax for (?:type )?\w+|\bvalue too long for type character\b",
    ),
    _pattern(
        "Data too long|Out of range|Incorrect string",
        r"\b(?:Data too long|Out of range value) for column\b|\bIncorrect string value: '",
    ),
    _pattern(
        "Deadlock|Lock wait|database is locked",
        r"\bDeadlock found when trying to get lock\b|\bLock wait timeout exceeded\b|\bdatabase is locked\b",
    ),
    _pattern(
        "SELECT ",
        r"\bSELECT\s[^\n]{1,300}\sFROM\s+[\w.`\"\[\]]+\s*(?:WHERE|JOIN|LEFT|INNER|LIMIT|ORDER BY|GROUP BY|;)",
    ),
    _pattern("INSERT INTO", r"\bINSERT INTO\s+[\w.`\"\[\]]+\s*(?:\(|VALUES)"),
    _pattern("UPDATE ", r"\bUPDATE\s+[\w.`\"\[\]]+\s+SET\s+[\w.`\"\[\]]+\s*="),
    _pattern("DELETE FROM", r"\bDELETE FROM\s+[\w.`\"\[\]]+\s+WHERE\b"),
)
"""SQL, and what databases and their drivers say."""

_CODE = r"(?:py|rb|go|java|kt|cs|ts|tsx|pl|pm|phtml|ex|exs|rs|cpp|jar|war|sqlite3?|db)"
_SCRIPT = rf"(?:{_CODE}|php|js|mjs|cjs|jsp|aspx?|ini|conf|log|env|ya?ml|json|xml|sql|sock|html?|twig|so|cfg)"
_STRONG = ("srv", "var", "usr", "home", "Users", "root", "mnt", "opt", "private", "etc", "tmp", "proc")
_WEAK = (
    *("app", "apps", "code", "workspace", "src", "data", "build", "project", "site", "www", "web"),
    *("service", "lib"),
)
_PART = r"[\w.@+~-]{1,100}"
_STRONG_ROOT = rf"(?<![\w/:.])/(?:{'|'.join(_STRONG)})"
_WEAK_ROOT = rf"(?<![\w/:.])/(?:{'|'.join(_WEAK)})"


def _roots(names: tuple[str, ...]) -> str:
    return "|".join(f"/{name}/" for name in names)


_PATHS = (
    _pattern(_roots(_STRONG), rf"{_STRONG_ROOT}(?:/{_PART}){{0,20}}/{_PART}\.{_SCRIPT}\b(?![/?=])"),
    _pattern(_roots(_WEAK), rf"{_WEAK_ROOT}(?:/{_PART}){{0,20}}/{_PART}\.{_CODE}\b(?![/?=])"),
    _pattern(_roots(_WEAK), rf"{_WEAK_ROOT}(?:/{_PART}){{0,20}}/{_PART}\.{_SCRIPT}(?::\d| on line \d|\(\d)"),
    _pattern(
        "/var/|/usr/|/etc/",
        r"(?<![\w/:.])/(?:var/(?:www|lib|log|task|run)|usr/(?:local|lib|share|src)"
        rf"|etc/(?:passwd|nginx|php))/?{_PART}",
    ),
    _pattern(
        "/node_modules/|/site-packages/|/vendor/",
        rf"(?<![\w:.])(?:/{_PART}){{1,20}}/(?:node_modules|site-packages|vendor/[\w-]+/[\w-]+)/{_PART}",
    ),
    _pattern(
        ":\\",
        rf"(?<![A-Za-z])[A-Za-z]:\\(?:[\w .@+~()-]{{1,100}}\\){{1,20}}{_PART}\.(?:{_SCRIPT}|dll|exe)\b",
    ),
)
"""Paths of files: below the folders of a system with an ending of code, or in the folders of packages."""
