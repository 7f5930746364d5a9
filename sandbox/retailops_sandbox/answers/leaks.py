"""What a text gives away of the program that made it: file paths, SQL, a framework's error page.

A product's name, a route or a URL may look like a path: only what hardly anything else looks like is told.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Literal, TypeAlias

import msgspec

from retailops_sandbox.answers import trace

LeakKind: TypeAlias = Literal["stack-trace", "framework-page", "sql", "file-path"]

_SHOWN = 160
"""The most characters that are quoted."""


class Leak(msgspec.Struct, frozen=True):
    """A part of a text that gives something away."""

    kind: LeakKind
    what: str
    """`a Python traceback`."""
    text: str
    """The part, in one line."""


def find(text: str) -> Leak | None:
    """The worst that a text gives away; None where there is nothing."""
    return next(_found(text), None)


def _found(text: str) -> Iterator[Leak]:
    if printed := trace.find(text):
        yield Leak("stack-trace", printed.what, printed.words[:_SHOWN])
    for what, pattern in _FRAMES:
        if found := pattern.search(text):
            yield Leak("stack-trace", what, _line(found[0]))
    for framework, words in _PAGES:
        if words.lower() in text.lower():
            yield Leak("framework-page", f"{framework}'s error page", words)
    for pattern in _SQL:
        if found := pattern.search(text):
            yield Leak("sql", "SQL or a database's error", _line(text[found.start() :][:_SHOWN]))
    for pattern in _PATHS:
        if found := pattern.search(text):
            yield Leak("file-path", "a path of the receiver's files", _line(found[0]))


_FRAMES = (
    ("a Python stack trace", re.compile(r'File "[^"\n]{1,300}", line \d{1,7}')),
    ("a PHP stack trace", re.compile(r"#\d{1,3} (?:/|[A-Z]:\\)[^\s(]{1,300}\(\d{1,7}\)")),
    (
        "a Java stack trace",
        re.compile(r"\bat [\w.$<>]{3,300}\([\w$]{1,100}\.(?:java|kt|scala|groovy):\d{1,7}\)"),
    ),
    (
        "a Node.js stack trace",
        re.compile(r"\bat [^\n]{1,200}[\\/][^\n()]{1,200}\.[cm]?[jt]s:\d{1,7}:\d{1,7}\b"),
    ),
    ("a .NET stack trace", re.compile(r"\bin [^\n]{1,300}\.(?:cs|vb|fs):line \d{1,7}\b")),
    ("a Ruby stack trace", re.compile(r"[\w./-]{1,200}\.rb:\d{1,7}:in [`']")),
    ("a Go stack trace", re.compile(r"\.go:\d{1,7} \+0x[0-9a-f]+")),
    ("a Rust panic", re.compile(r"thread '[^'\n]{1,100}' panicked at ")),
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
    re.compile(r"\bSQLSTATE\b\[?"),
    re.compile(r"\bORA-\d{5}\b"),
    re.compile(r"You have an error in your SQL syntax"),
    re.compile(r"(?i)\bsyntax error at or near\b|\bnear \"[^\"\n]{1,100}\": syntax error"),
    re.compile(r"\b(?:psycopg2?|sqlite3|pymysql|MySQLdb|sqlalchemy|mysql\.connector|asyncpg)\.[\w.]{3,}"),
    re.compile(r"\bPG::[A-Z]\w+|\bSQLITE_[A-Z]{3,}|\bER_[A-Z_]{6,}\b|\bPDOException\b|\bSQLException\b"),
    re.compile(r"\bno such (?:table|column): \w"),
    re.compile(r"\bUnknown column '[^'\n]{1,100}' in\b|\bTable '[^'\n]{1,100}' doesn't exist\b"),
    re.compile(r"\bviolates (?:unique|not-null|foreign key|check) constraint\b"),
    re.compile(r"\b(?:UNIQUE|NOT NULL|FOREIGN KEY|CHECK) constraint failed\b"),
    re.compile(r"\bDuplicate entry '[^'\n]{0,200}' for key\b"),
    re.compile(r"\b(?:relation|column) \"[^\"\n]{1,100}\" does not exist\b"),
    re.compile(r"\binvalid input syntax for (?:type )?\w+|\bvalue too long for type character\b"),
    re.compile(r"\b(?:Data too long|Out of range value) for column\b|\bIncorrect string value: '"),
    re.compile(
        r"\bDeadlock found when trying to get lock\b|\bLock wait timeout exceeded\b|\bdatabase is locked\b"
    ),
    re.compile(
        r"\bSELECT\s[^\n]{1,300}\sFROM\s+[\w.`\"\[\]]+\s*(?:WHERE|JOIN|LEFT|INNER|LIMIT|ORDER BY|GROUP BY|;)"
    ),
    re.compile(
        r"\bINSERT INTO\s+[\w.`\"\[\]]+\s*(?:\(|VALUES)|\bUPDATE\s+[\w.`\"\[\]]+\s+SET\s+[\w.`\"\[\]]+\s*="
    ),
    re.compile(r"\bDELETE FROM\s+[\w.`\"\[\]]+\s+WHERE\b"),
)

_CODE = r"(?:py|rb|go|java|kt|cs|ts|tsx|pl|pm|phtml|ex|exs|rs|cpp|jar|war|sqlite3?|db)"
_SCRIPT = rf"(?:{_CODE}|php|js|mjs|cjs|jsp|aspx?|ini|conf|log|env|ya?ml|json|xml|sql|sock|html?|twig|so|cfg)"
_STRONG = r"(?:srv|var|usr|home|Users|root|mnt|opt|private|etc|tmp|proc)"
_WEAK = r"(?:app|apps|code|workspace|src|data|build|project|site|www|web|service|lib)"
_PART = r"[\w.@+~-]{1,100}"
_PATHS = (
    re.compile(rf"(?<![\w/:.])/{_STRONG}(?:/{_PART}){{0,20}}/{_PART}\.{_SCRIPT}\b(?![/?=])"),
    re.compile(rf"(?<![\w/:.])/{_WEAK}(?:/{_PART}){{0,20}}/{_PART}\.{_CODE}\b(?![/?=])"),
    re.compile(rf"(?<![\w/:.])/{_WEAK}(?:/{_PART}){{0,20}}/{_PART}\.{_SCRIPT}(?::\d| on line \d|\(\d)"),
    re.compile(
        rf"(?<![\w/:.])/(?:var/(?:www|lib|log|task|run)|usr/(?:local|lib|share|src)|etc/(?:passwd|nginx|php))/?{_PART}"
    ),
    re.compile(
        rf"(?<![\w:.])(?:/{_PART}){{1,20}}/(?:node_modules|site-packages|vendor/[\w-]+/[\w-]+)/{_PART}"
    ),
    re.compile(
        rf"(?<![A-Za-z])[A-Za-z]:\\(?:[\w .@+~()-]{{1,100}}\\){{1,20}}{_PART}\.(?:{_SCRIPT}|dll|exe)\b"
    ),
)
"""Paths of files: below the folders of a system with an ending of code, or in the folders of packages."""


def _line(text: str) -> str:
    return " ".join(text.split())[:_SHOWN]
