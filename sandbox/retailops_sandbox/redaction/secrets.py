"""The secrets of a run, and how they are struck out of texts, JSON, URLs and headers.

A secret of eight characters or more is struck out wherever it occurs: as it is, JSON-escaped, URL-encoded or
in base64. A shorter one only at a place that makes it secret. Inside a JSON document the whole leaf becomes a
mark, so that it stays valid. Redacting what is redacted already changes nothing.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping

from retailops_sandbox import jsontext
from retailops_sandbox.errors import SourceError
from retailops_sandbox.model import Headers, Json
from retailops_sandbox.redaction import marks
from retailops_sandbox.redaction.credentials import (
    USERINFO,
    credential_header,
    is_harmless,
    joined,
    split_scheme,
)
from retailops_sandbox.redaction.encodings import forms
from retailops_sandbox.redaction.search import Search

MIN_LENGTH = 8
"""Values under this many characters are redacted only at a place that makes them secret."""
_MOST_EXTENDED = 32

_JSON_LEAF = r'(?s)("[^"\\]*(?:\\.[^"\\]*)*")([ \t\n\r]*:)?|-?[0-9][-+.0-9eE]*'


class Secrets:
    """The secrets of a run, by the names that stand for them."""

    def __init__(self, values: Mapping[str, str] | Iterable[tuple[str, str]] = ()) -> None:
        pairs = values.items() if isinstance(values, Mapping) else values
        self._pairs = [(name, value) for name, value in pairs if value and not marks.holds_mark(value)]
        found_anywhere = [pair for pair in self._pairs if len(pair[1]) >= MIN_LENGTH]
        # A value that is part of the mark's own prefix cannot be hidden by a mark.
        self._names = {
            form: name for name, value in found_anywhere for form in forms(value) if form not in marks.PREFIX
        }
        """The secrets' names by what is looked for."""
        self._search = Search(self._names)
        self._exact = {value: name for name, value in self._pairs}
        self._spelled: dict[str, str] = {}
        """The marks that were spelled so far, by name."""
        self._extended: dict[tuple[tuple[str, str], ...], Secrets] = {}
        """The latest results of `and_also`: deliveries of one run give away the same few secrets."""

    def __bool__(self) -> bool:
        return bool(self._pairs)

    def and_also(self, more: Iterable[tuple[str, str]]) -> Secrets:
        """These secrets and the long ones among `more`, without those that contain one of these."""
        new = tuple([pair for pair in more if len(pair[1]) >= MIN_LENGTH and not self._found_in(pair[1])])
        if not new:
            return self
        extended = self._extended.get(new)
        if extended is None:
            extended = Secrets([*new, *self._pairs])
            if len(self._extended) >= _MOST_EXTENDED:
                self._extended.clear()
            self._extended[new] = extended
        return extended

    def text(self, text: str) -> str:
        """Any text, redacted: a JSON object or array by its leaves, everything else in place."""
        return self.document(text) if text.lstrip()[:1] in ("{", "[") else self.plain(text)

    def json(self, value: Json) -> Json:
        """A JSON value, redacted as `document` redacts its text; the same object where there is no hit."""
        if not self._search or not self._found_in(jsontext.compact(value).decode()):
            return value
        return self._redacted(value, _Keys())

    def document(self, text: str) -> str:
        """A JSON text, redacted leaf by leaf and no other byte touched; other texts in place."""
        if not self._found_in(text):
            return text
        try:
            jsontext.parse(text)
        except SourceError:
            return self.plain(text)
        keys = _Keys()

        def leaf(match: re.Match[str]) -> str:
            mark = self._mark_of(match[0])
            if mark is None:
                return match[0]
            if match[2] is None:
                return f'"{mark}"'
            return f'"{keys.distinct(json.loads(match[1]), mark)}"{match[2]}'

        return re.sub(_JSON_LEAF, leaf, text)

    def plain(self, text: str) -> str:
        """A text, each secret in it redacted."""
        hits = sorted(self._search.hits(text), key=lambda hit: (hit[0], -hit[1]))
        if not hits:
            return text
        parts: list[str] = []
        done = 0
        for start, end, needle in hits:
            if start >= done:
                parts += text[done:start], self.mark(self._names[needle])
            done = max(done, end)
        return "".join(parts) + text[done:]

    def url(self, text: str) -> str:
        """A URL or a text that may hold some, redacted: userinfo and secrets."""
        text = self.plain(text)
        if "@" not in text or "//" not in text:
            return text
        return re.sub(USERINFO, lambda userinfo: self._userinfo_mark(userinfo[0]), text)

    def headers(self, headers: Headers, *, sent: bool = False) -> Headers:
        """Headers, redacted; in those we sent, also a whole value that is a secret however short."""
        clean = not self._found_in(joined(headers))
        if clean and is_harmless(headers) and not (sent and self._holds_exactly(headers)):
            return headers
        kept: list[tuple[str, str]] = []
        for name, value in headers:
            credentials = credential_header(name)
            if credentials:
                scheme, rest = split_scheme(value)
                value = scheme + self.place(rest, credentials)
            elif sent and value in self._exact:
                value = self.mark(self._exact[value])
            elif not clean or "@" in value:
                value = self.url(value)
            kept.append((name if clean else self.plain(name), value))
        return tuple(kept)

    def _holds_exactly(self, headers: Headers) -> bool:
        """Whether the whole value of a header is a secret, however short."""
        return not self._exact.keys().isdisjoint([value for _, value in headers])

    def place(self, value: str, name: str) -> str:
        """The mark of a value that is secret because of its place; an empty value and a mark stay."""
        if not value or marks.is_mark(value):
            return value
        known = self._exact.get(value)
        return self._mark_of(value) or self.mark(name) if known is None else self.mark(known)

    def mark(self, name: str) -> str:
        """The mark of a secret of this name; one without a name where the name gives a secret away."""
        if name not in self._spelled:
            spelled = marks.mark(name)
            safe = json.dumps(spelled, ensure_ascii=False)[1:-1] == spelled and not self._found_in(spelled)
            self._spelled[name] = spelled if safe else marks.mark("…")
        return self._spelled[name]

    def _userinfo_mark(self, userinfo: str) -> str:
        """One mark for the whole userinfo; the password's mark where that has been redacted already."""
        found = marks.MARK.search(userinfo)
        return found[0] if found else self.place(userinfo, "URL")

    def _found_in(self, text: str) -> bool:
        return self._search.first(text) is not None

    def _mark_of(self, text: str) -> str | None:
        """The mark of a secret that the text holds, if it holds one."""
        needle = self._search.first(text)
        return None if needle is None else self.mark(self._names[needle])

    def _redacted(self, value: Json, keys: _Keys) -> Json:
        if isinstance(value, dict):
            return {self._key(key, keys): self._redacted(member, keys) for key, member in value.items()}
        if isinstance(value, list):
            return [self._redacted(item, keys) for item in value]
        if value is None or isinstance(value, bool):
            return value
        mark = self._mark_of(jsontext.compact(value).decode())
        return value if mark is None else mark

    def _key(self, key: str, keys: _Keys) -> str:
        mark = self._mark_of(jsontext.compact(key).decode())
        return key if mark is None else keys.distinct(key, mark)


class _Keys:
    """Marks for the keys of one document: different keys get different ones and become no duplicates."""

    def __init__(self) -> None:
        self._marks: dict[str, str] = {}

    def distinct(self, key: str, mark: str) -> str:
        if key not in self._marks:
            same = sum(other.startswith(mark[:-1]) for other in self._marks.values())
            self._marks[key] = marks.numbered(mark, same + 1) if same else mark
        return self._marks[key]
