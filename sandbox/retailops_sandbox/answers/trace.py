"""Stack traces, fatal errors and warnings of programming languages in an answer's text.

Each is found by a literal part of it, and only the lines around that are matched: the work is bounded by the
size of the text.
"""

from __future__ import annotations

import re
from html import unescape

import msgspec

_LONGEST = 300
"""The most characters of an error's message."""
_LINE = 600
"""The most characters of a line that are looked at."""


class Trace(msgspec.Struct, frozen=True):
    """An error that a program printed."""

    what: str
    """`a Python traceback`."""
    words: str
    """The error's own message, in one line."""
    is_fatal: bool
    """Whether the program ended with it; it goes on after a warning."""
    start: int
    end: int


def find(text: str) -> Trace | None:
    """The first error in a text; None where there is none."""
    for search in (_php, _python, _frames, _ruby, _go, _perl):
        if found := search(text):
            return found
    return None


def last_warning(text: str) -> Trace | None:
    """The last of several PHP warnings with which a text begins, for what comes after them."""
    found = None
    while (following := _php(text, found.end if found else 0)) and not following.is_fatal:
        if text[found.end if found else 0 : following.start].strip():
            break
        found = following
    return found


# --- PHP ---------------------------------------------------------------------------------------------------

_FATAL = ("Fatal error", "Parse error", "Recoverable fatal error")
_WARNINGS = {"Notice": "a PHP notice", "Deprecated": "a PHP deprecation"}
_PHP_KIND = r"(?P<kind>(?:Recoverable fatal|Fatal|Parse) error|Warning|Notice|Deprecated|Strict Standards)"
_PHP = re.compile(
    rf"(?:<br ?/?>\s{{0,9}})?(?:<b>|PHP )?\b{_PHP_KIND}(?:</b>)?:(?P<words>[^\n]{{0,{_LINE}}}?)"
    r" (?:on line (?:<b>)?|in [^\n:]{1,300}:)(?P<line>\d{1,7})(?:</b>)?(?:<br ?/?>)?\s{0,9}"
)
_PHP_UNCAUGHT = re.compile(
    rf"(?:<br ?/?>\s{{0,9}})?(?:<b>|PHP )?\b{_PHP_KIND}(?:</b>)?:"
    rf"(?P<words>\s{{0,9}}Uncaught [^\n]{{0,{_LINE}}})(?P<line>)"
)


def _php(text: str, start: int = 0) -> Trace | None:
    both = [pattern.search(text, start) for pattern in (_PHP_UNCAUGHT, _PHP)]
    hits = [each for each in both if each is not None]
    if not hits:
        return None
    found = min(hits, key=lambda hit: hit.start())
    fatal = found["kind"] in _FATAL
    what = "a PHP fatal error" if fatal else _WARNINGS.get(found["kind"], "a PHP warning")
    line = f" on line {found['line']}" if found["line"] else ""
    return Trace(what, f"{found['kind']}: {_plain(found['words'])}{line}", fatal, found.start(), found.end())


# --- Traces of a fixed beginning ---------------------------------------------------------------------------

_PYTHON = "Traceback (most recent call last):"
_GO = "panic: "
_AT_LINE_START = re.compile(rf"(?m)^[^\s][^\n]{{0,{_LINE}}}")


def _python(text: str) -> Trace | None:
    start = text.find(_PYTHON)
    if start < 0:
        return None
    last = _AT_LINE_START.search(text, start + len(_PYTHON))
    end = last.end() if last else start + len(_PYTHON)
    return Trace("a Python traceback", _plain(last[0]) if last else "", True, start, end)


def _go(text: str) -> Trace | None:
    start = text.find(_GO)
    if start < 0 or "\ngoroutine " not in text:
        return None
    line = _line_at(text, start)
    return Trace("a Go panic", _plain(line), True, start, start + len(line))


# --- Traces whose frames begin with `at` -------------------------------------------------------------------

_FRAME = re.compile(r"\r?\n[ \t]{1,16}at (?P<frame>[^\n]{1,400})")
_LANGUAGES = (
    ("a Node.js stack trace", re.compile(r":\d{1,7}:\d{1,7}\)?\s*$|\(<anonymous>\)\s*$|node:internal")),
    (
        "a Java stack trace",
        re.compile(
            r"\([\w$]{1,100}\.(?:java|kt|scala|groovy):\d{1,7}\)|\((?:Native Method|Unknown Source)\)"
        ),
    ),
    (
        "a .NET stack trace",
        re.compile(r"^[\w.`<>\[\]+|]{1,300}\([^\n]{0,300}\)(?: in [^\n]{1,300}:line \d{1,7})?\s*$"),
    ),
)


def _frames(text: str) -> Trace | None:
    found = _FRAME.search(text)
    if found is None:
        return None
    what = next((what for what, pattern in _LANGUAGES if pattern.search(found["frame"])), "")
    if not what:
        return None
    line = _line_at(text, max(found.start() - 1, 0))
    return Trace(what, _plain(line), True, max(found.start() - len(line), 0), found.end())


# --- Traces of one line ------------------------------------------------------------------------------------

_RUBY_LINE = re.compile(r"\S{1,300}\.rb:\d{1,7}:in [`'][^'\n]{1,200}': (?P<words>[^\n]{1,600})")
_RAILS_LINE = re.compile(r"[\w/.-]{1,200}\.rb:\d{1,7}:in ")
_PERL_LINE = re.compile(r"(?P<words>[^\n]{1,300} at \S{1,200}\.p[lm] line \d{1,7}\.)")


def _ruby(text: str) -> Trace | None:
    at = text.find(".rb:")
    if at < 0:
        return None
    line = _line_at(text, at)
    start = text.rfind("\n", 0, at) + 1
    if found := _RUBY_LINE.search(line):
        return Trace("a Ruby stack trace", _plain(found["words"]), True, start, start + len(line))
    if _RAILS_LINE.search(line):  # Rails prints the error first, then its places
        before = text[max(0, start - _LINE) : start].strip()
        words = before.rpartition("\n")[2]
        return Trace(
            "a Ruby stack trace", _plain(words), True, max(0, start - len(before)), start + len(line)
        )
    return None


def _perl(text: str) -> Trace | None:
    for ending in (".pl line ", ".pm line "):
        at = text.find(ending)
        if at >= 0 and (found := _PERL_LINE.search(_line_at(text, at))):
            start = text.rfind("\n", 0, at) + 1
            return Trace("a Perl error", _plain(found["words"]), True, start, start + len(found[0]))
    return None


def _line_at(text: str, at: int) -> str:
    """The line that holds a position, as much of it as is looked at."""
    start = max(text.rfind("\n", 0, at) + 1, at - _LINE)
    end = text.find("\n", at)
    return text[start : min(len(text) if end < 0 else end, at + _LINE)]


_TAG = re.compile(
    r"</?(?:a|b|br|code|div|em|font|h[1-6]|i|li|ol|p|pre|span|strong|t[dhrt]|table|tbody|u|ul)"
    r"(?:[ /][^<>]{0,200})?>"
)
"""Markup that errors are printed with. What else is in angle brackets, such as `<class 'int'>`, is text."""


def _plain(words: str) -> str:
    """An error's message in one line, without markup."""
    return " ".join(unescape(_TAG.sub("", words)).split())[:_LONGEST]
