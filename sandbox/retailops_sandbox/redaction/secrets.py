"""The secrets of a run, and how they are struck out of texts, JSON, URLs and headers.

A secret of eight characters or more is struck out wherever it occurs: as it is, JSON-escaped, URL-encoded or
in base64. A shorter one only at a place that makes it secret. Inside a JSON document the whole leaf becomes a
mark, so that it stays valid.
"""

from __future__ import annotations

import json
import re
from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import partial
from itertools import islice
from typing import TypeAlias

import msgspec

from retailops_sandbox import jsontext
from retailops_sandbox.comparing.matchers import matcher
from retailops_sandbox.comparing.values import type_name
from retailops_sandbox.errors import SourceError
from retailops_sandbox.jsontext import pointer
from retailops_sandbox.model import Headers, Json, Mark
from retailops_sandbox.redaction import marks
from retailops_sandbox.redaction.credentials import (
    QUERY,
    SEPARATOR,
    USERINFO,
    Proofs,
    is_credential,
    is_harmless,
    joined,
    query_name,
    secret_header,
    split_value,
)
from retailops_sandbox.redaction.encodings import forms
from retailops_sandbox.redaction.marks import Span
from retailops_sandbox.redaction.search import SMALL, Search

MIN_LENGTH = 8
"""Values under this many characters are redacted only at a place that makes them secret."""
_MOST_MARKS = 10_000
"""The most places at which a text is struck out; beyond, the whole text is."""
_LONG = 64 * 1024
"""The characters above which a text is not joined with others to be searched at once."""
_MOST_CLEAR = 64
"""The most results of `are_not_in` that are kept."""
_MOST_EXTENDED = 32
"""The most results of `and_also` that are kept."""

_LEAST_CUT = 4
"""The fewest characters of a secret's beginning that are struck out where a message cuts it off."""
_BEFORE_ELLIPSIS = "[^…]+(?=…)"


class Cut(msgspec.Struct, frozen=True):
    """A place of a text that is struck out, and what is written there instead: a mark, quoted in JSON."""

    start: int
    end: int
    name: str
    replacement: str
    pointer: str | None = None
    """In a JSON text the pointer to the mark, or to the member whose key it is."""
    is_key: bool = False
    type: str = ""
    """The JSON type of the value as it was."""


KnownMarks: TypeAlias = Mapping[tuple[int, bool], Sequence[Span]]
"""The marks in headers, by the header's position and whether they are in its name."""
NOTHING: KnownMarks = {}
NO_VALUES: Mapping[str, str] = {}


class Secrets:
    """The secrets of a run, by the names that stand for them."""

    def __init__(
        self,
        values: Mapping[str, str] | Iterable[tuple[str, str]] = (),
        *,
        quoted: Mapping[str, str] = NO_VALUES,
        base: Secrets | None = None,
        proofs: Proofs = (),
    ) -> None:
        """`quoted` are names by short values, which are secret where a message quotes them alone.

        `base` are those that were known before an exchange gave away others; they name what is in a place.
        `proofs` are the headers whose values are secret because a contract proves its sender by them.
        """
        self.proofs = proofs
        self._base = self if base is None else base
        pairs = values.items() if isinstance(values, Mapping) else values
        self._pairs = [(name, value) for name, value in pairs if value]
        self._quoted = quoted
        found_anywhere = [pair for pair in self._pairs if _is_long(pair[1], self._pairs)]
        # A value that is part of the mark's own prefix cannot be hidden by a mark.
        self._names = {
            form: name for name, value in found_anywhere for form in forms(value) if form not in marks.PREFIX
        }
        """The secrets' names by what is looked for."""
        self._search = Search(self._names)
        self._clear: set[tuple[str, Headers, Headers, str]] = set()
        """The latest of which `are_not_in` was true: most deliveries of a run differ in their payload."""
        self._exact = {value: name for name, value in self._pairs}
        self._shown: dict[str, str] = {}
        """The names as marks have them, as far as they were needed."""
        self._extended: dict[tuple[tuple[tuple[str, str], ...], bool], Secrets] = {}
        """The latest results of `and_also`: deliveries of one run give away the same few secrets."""
        self._proving: dict[Proofs, Secrets] = {}
        """The results of `and_proofs`: each contract has its own proof."""

    def __bool__(self) -> bool:
        return bool(self._pairs or self._quoted)

    def and_also(self, more: Iterable[tuple[str, str]]) -> Secrets:
        """These secrets and those in `more`, without long ones that contain one of these.

        The short ones are struck out of what quotes them alone.
        """
        return self._with(more, base=None)

    def and_learned(self, more: Iterable[tuple[str, str]]) -> Secrets:
        """As `and_also`, for those that an exchange gave away, which name nothing at other places."""
        return self._with(more, base=self._base)

    def and_proofs(self, proofs: Proofs) -> Secrets:
        """These secrets, and the values of headers by which a contract proves its sender."""
        new = (*self.proofs, *(each for each in proofs if each not in self.proofs))
        if new == self.proofs:
            return self
        if new not in self._proving:
            self._proving[new] = Secrets(self._pairs, quoted=self._quoted, proofs=new)
        return self._proving[new]

    def _with(self, more: Iterable[tuple[str, str]], base: Secrets | None) -> Secrets:
        found = tuple([pair for pair in more if pair[1]])
        if not found:
            return self
        key = found, base is None
        extended = self._extended.get(key)
        if extended is None:
            long = {value for _, value in found if _is_long(value, self._pairs)}
            new = [pair for pair in found if pair[1] in long and not self._found_in(pair[1])]
            short = {value: name for name, value in found if value not in long}
            extended = self
            if new or not short.items() <= self._quoted.items():
                quoted = {**self._quoted, **short}
                extended = Secrets([*new, *self._pairs], quoted=quoted, base=base, proofs=self.proofs)
            if len(self._extended) >= _MOST_EXTENDED:
                self._extended.clear()
            self._extended[key] = extended
        return extended

    def text(self, text: str) -> str:
        """Any text, redacted: a JSON object or array by its leaves, everything else in place."""
        return self.document(text) if text.lstrip()[:1] in ("{", "[") else self.plain(text)

    def plain(self, text: str) -> str:
        """A text, each secret in it redacted."""
        spans = self.spans(text)
        return marks.struck_out(text, spans)[0] if spans else text

    def url(self, text: str) -> str:
        """A URL or a text that may hold some, redacted: userinfo and secrets."""
        if "@" not in text and "?" not in text and self._search.rules_out(text):
            return text  # as most, of which each delivery asks
        return self.struck_url(text)[0]

    def quoting(self, text: str) -> str:
        """A message, redacted, which may quote a secret only up to a `…`."""
        text = self.plain(text)
        for value, name in self._quoted.items():
            text = text.replace(jsontext.compact(value).decode(), f'"{marks.mark(self.shown(name))}"')
        if "…" not in text or not self._search:
            return text
        return re.sub(_BEFORE_ELLIPSIS, self._without_beginning, text)

    def spans(self, text: str) -> list[Span]:
        """Where the text holds secrets, however they are encoded there; spans may overlap."""
        return [*self._found(text)]

    def _found(self, text: str) -> Iterator[Span]:
        if self._search:
            for start, end, needle in self._search.hits(text):
                yield Span(start, end, self.shown(self._names[needle]))

    def are_not_in(self, url: str, sent: Headers, came: Headers, answer: str) -> bool:
        """Whether one look shows that these hold no secret, and no sent header is one."""
        all_but_payload = (url, sent, came, answer)
        if all_but_payload in self._clear:
            return True
        texts = (url, joined(sent), joined(came), answer)
        looked_at = texts if max(map(len, texts)) > _LONG else (SEPARATOR.join(texts),)
        clear = all(map(self._search.rules_out, looked_at)) and not self._holds_exactly(sent)
        if clear and sum(map(len, texts)) <= SMALL:
            if len(self._clear) == _MOST_CLEAR:
                self._clear.clear()
            self._clear.add(all_but_payload)
        return clear

    def struck_url(self, text: str, known: Sequence[Span] = ()) -> tuple[str, list[Span]]:
        """As `url`, with the spans of the marks. `known` are those of marks that the text has already."""
        text, found = self.struck_text(text, known)
        whole: list[Span] = []
        if "@" in text and "//" in text:
            whole += [self._userinfo(match, found) for match in re.finditer(USERINFO, text)]
        if "?" in text and "=" in text:
            whole += self._query(text, found)
        return marks.struck_out(text, [*found, *whole]) if whole else (text, found)

    def struck_text(self, text: str, known: Sequence[Span] = ()) -> tuple[str, list[Span]]:
        """As `plain`, with the spans of the marks. `known` are those of marks that the text has already."""
        found = [span for span in self.spans(text) if not any(map(partial(_overlap, span), known))]
        return marks.struck_out(text, [*known, *found]) if found else (text, list(known))

    def json(self, value: Json) -> Json:
        """A JSON value with marks for its secrets; the same object where there is none.

        An object that has a secret in a key is one mark.
        """
        if not self._search or not self._found_in(jsontext.compact(value).decode()):
            return value
        return self._redacted(value)

    def document(self, text: str) -> str:
        """A JSON text with marks for leaves and keys that hold secrets, no other byte touched.

        A text that is not JSON is redacted in place.
        """
        return self.struck_document(text)[0]

    def struck_document(self, text: str, known: Sequence[Cut] = ()) -> tuple[str, list[Cut]]:
        """As `document`, with the places of the marks, sorted.

        `known` are places that are struck out in any case, with what takes their place.
        """
        outside = (
            span
            for span in self._found(text)
            if not any(cut.start <= span.start and span.end <= cut.end for cut in known)
        )
        spans = [*islice(outside, _MOST_MARKS + 1)]
        if not spans:
            return struck_cuts(text, known) if known else (text, [])
        if len(spans) > _MOST_MARKS:
            name = spans[0].name
            return struck_cuts(text, [Cut(0, len(text), name, f'"{marks.mark(name)}"', "")])
        try:
            jsontext.parse(text)
        except SourceError:
            return struck_cuts(text, [*known, *(Cut(*span, marks.mark(span.name)) for span in spans)])
        return struck_cuts(text, [*known, *_cuts_of_leaves(text, spans, known)])

    def headers(self, headers: Headers, *, sent: bool = False) -> Headers:
        """Headers, redacted; in those we sent, also a whole value that is a secret however short."""
        return self.struck_headers(headers, sent=sent)[0]

    def struck_headers(
        self, headers: Headers, *, sent: bool = False, known: KnownMarks = NOTHING
    ) -> tuple[Headers, list[tuple[int, bool, Span]]]:
        """As `headers`, with the marks: the header's position, whether it is in the name, the span.

        `known` are the marks that the headers have already.
        """
        clean = not self._found_in(joined(headers))
        if (
            clean
            and not known
            and is_harmless(headers, self.proofs)
            and not (sent and self._holds_exactly(headers))
        ):
            return headers, []
        kept: list[tuple[str, str]] = []
        found: list[tuple[int, bool, Span]] = []
        plain_names = not known and not self._found_in("\n".join([name for name, _ in headers]))
        for position, (name, value) in enumerate(headers):
            new_name, in_name = (
                (name, []) if plain_names else self.struck_text(name, known.get((position, True), ()))
            )
            in_value = known.get((position, False), ())
            value, in_value = self._struck_value(name, value, clean, sent, in_value)
            kept.append((new_name, value))
            found += [(position, True, span) for span in in_name]
            found += [(position, False, span) for span in in_value]
        return tuple(kept), found

    def _holds_exactly(self, headers: Headers) -> bool:
        """Whether the whole value of a header is a secret, however short."""
        return not self._exact.keys().isdisjoint([value for _, value in headers])

    def _struck_value(
        self, name: str, value: str, clean: bool, sent: bool, known: Sequence[Span]
    ) -> tuple[str, list[Span]]:
        """A header's value, redacted, with the spans of the marks."""
        credentials = secret_header(name, self.proofs)
        if known and (credentials or (sent and value in self._exact)):
            return value, list(known)
        if credentials:
            scheme, rest = split_value(name, value, self.proofs)
            if not rest:
                return value, []
            whole = Span(len(scheme), len(value), self.name_at(rest, credentials))
            return marks.struck_out(value, [whole])
        if sent and value in self._exact:
            return marks.struck_out(value, [Span(0, len(value), self.shown(self._exact[value]))])
        if not clean or "@" in value or "?" in value:
            return self.struck_url(value, known)
        return value, list(known)

    def name_at(self, value: str, name: str) -> str:
        """The name in the mark of a value that is secret because of its place, which gives it this name."""
        known = self._exact.get(value)
        if known is not None:
            return self.shown(known)
        return self._base._name_in(value) or self.shown(name)

    def shown(self, name: str) -> str:
        """The name of a secret as its mark has it: none where the name gives a secret away."""
        if name not in self._shown:
            spelled = marks.mark(name)
            safe = json.dumps(spelled, ensure_ascii=False)[1:-1] == spelled and not self._found_in(spelled)
            self._shown[name] = spelled[len(marks.PREFIX) : -1] if safe else marks.NAMELESS
        return self._shown[name]

    def _userinfo(self, userinfo: re.Match[str], found: Sequence[Span]) -> Span:
        """One span for the whole userinfo, with the name of the password's secret where that is known."""
        inside = (span.name for span in found if userinfo.start() <= span.start < userinfo.end())
        return Span(*userinfo.span(), next(inside, None) or self.name_at(userinfo[0], "URL"))

    def _query(self, text: str, found: Sequence[Span]) -> Iterator[Span]:
        """The values of the query parameters that are named like credentials."""
        for parameter in re.finditer(QUERY, text):
            if is_credential(parameter[1]):
                inside = (span.name for span in found if parameter.start(2) <= span.start < parameter.end(2))
                own = self.name_at(parameter[2], query_name(parameter[1]))
                yield Span(*parameter.span(2), next(inside, None) or own)

    def _without_beginning(self, cut: re.Match[str]) -> str:
        """The text before a `…`, without the beginning of a secret at its end."""
        text = cut[0]
        for needle, name in self._names.items():
            for spelled in (needle, json.dumps(needle, ensure_ascii=False)[1:-1]):
                for length in range(min(len(spelled) - 1, len(text)), _LEAST_CUT - 1, -1):
                    if text.endswith(spelled[:length]):
                        return text[:-length] + marks.mark(self.shown(name))
        return text

    def _found_in(self, text: str) -> bool:
        return self._search.first(text) is not None

    def _name_in(self, text: str) -> str | None:
        """The name of a secret that the text holds, if it holds one."""
        needle = self._search.first(text)
        return None if needle is None else self.shown(self._names[needle])

    def _redacted(self, value: Json) -> Json:
        if isinstance(value, dict):
            for key in value:
                name = self._name_in(jsontext.compact(key).decode())
                if name is not None:
                    return Mark(marks.mark(name), name, "object")
            return {key: self._redacted(member) for key, member in value.items()}
        if isinstance(value, list):
            return [self._redacted(item) for item in value]
        if value is None or isinstance(value, (bool, Mark)):
            return value
        name = self._name_in(jsontext.compact(value).decode())
        return value if name is None else Mark(marks.mark(name), name, json_type(value))


def _is_long(value: str, secrets: Sequence[tuple[str, str]]) -> bool:
    """Whether a secret is looked for everywhere.

    So is one of these that lacks its first or its last character, which a wrong proof may be made of.
    """
    if len(value) != MIN_LENGTH - 1:
        return len(value) >= MIN_LENGTH
    return any(len(each) == MIN_LENGTH and value in (each[:-1], each[1:]) for _, each in secrets)


def json_type(value: Json) -> str:
    """The JSON type of a value, `integer` among them."""
    if isinstance(value, str):
        return "string"
    is_integer = matcher({"type": "integer"}).accepts
    return "integer" if is_integer is not None and is_integer(value) else type_name(value)


def _overlap(one: Span, other: Span) -> bool:
    return one.start < other.end and other.start < one.end


def merged(spans: Iterable[Span]) -> list[tuple[int, int]]:
    """Spans as pairs of start and end, sorted, those that overlap as one."""
    found: list[tuple[int, int]] = []
    for start, end, _ in sorted(spans):
        if found and start < found[-1][1]:
            found[-1] = found[-1][0], max(end, found[-1][1])
        else:
            found.append((start, end))
    return found


def struck_cuts(text: str, cuts: Iterable[Cut]) -> tuple[str, list[Cut]]:
    """The text with the replacements of these cuts, and the cuts with the places of the marks in it."""
    parts: list[str] = []
    done = length = 0
    made: list[Cut] = []
    for cut in sorted(cuts, key=lambda each: (each.start, -each.end)):
        if cut.start >= done:
            stays = text[done : cut.start]
            length += len(stays)
            inner = cut.replacement[0] == '"'
            made.append(
                msgspec.structs.replace(cut, start=length + inner, end=length + len(cut.replacement) - inner)
            )
            length += len(cut.replacement)
            parts += stays, cut.replacement
        done = max(done, cut.end)
    return "".join(parts) + text[done:], made


def _cuts_of_leaves(text: str, spans: Sequence[Span], known: Sequence[Cut]) -> Iterator[Cut]:
    """The marks for leaves and keys in which there is one of the spans, outside the known cuts."""
    keys = _Keys()
    renamed: list[tuple[str, str]] = []
    cuts = deque(sorted(known, key=_start))
    ahead = deque(sorted(spans))
    within: list[Span] = []
    for leaf in jsontext.leaves_within(text, merged(spans)):
        while cuts and cuts[0].end <= leaf.start:
            cuts.popleft()
        while ahead and ahead[0].start < leaf.end:
            within.append(ahead.popleft())
        within = [span for span in within if span.end > leaf.start]
        if cuts and cuts[0].start <= leaf.start:
            continue
        name = max(within, key=_length).name
        written = jsontext.parse(text[leaf.start : leaf.end])
        at = _renamed(leaf.pointer, renamed)
        if leaf.is_key:
            name = keys.distinct(str(written), name)
            at = f"{at.rpartition('/')[0]}/{pointer.escape(marks.mark(name))}"
            renamed.append((leaf.pointer, at))
        type = "" if leaf.is_key else json_type(written)
        mark = f'"{marks.mark(name)}"'
        yield Cut(leaf.start, leaf.end, name, mark, at, is_key=leaf.is_key, type=type)


def _renamed(at: str, renamed: Sequence[tuple[str, str]]) -> str:
    """A pointer in the text with marks in the place of keys; the later of the renamed lie deeper."""
    for old, new in reversed(renamed):
        if at == old or at.startswith(f"{old}/"):
            return new + at[len(old) :]
    return at


def _start(cut: Cut) -> int:
    return cut.start


def _length(span: Span) -> int:
    return span.end - span.start


class _Keys:
    """Names for the marks of the keys of one document: different keys get different ones."""

    def __init__(self) -> None:
        self._names: dict[str, str] = {}

    def distinct(self, key: str, name: str) -> str:
        if key not in self._names:
            same = sum(other.startswith(name) for other in self._names.values())
            self._names[key] = marks.numbered(name, same + 1) if same else name
        return self._names[key]
