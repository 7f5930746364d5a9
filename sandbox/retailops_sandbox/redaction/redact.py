"""Redaction: what must not be kept is replaced by `«redacted:NAME»` before anything is written or compared.

A secret of eight characters or more is replaced wherever it occurs: as it is, JSON-escaped, URL-encoded or
in base64. A shorter one only in its place: the contract's secret pointers, the headers that carry
credentials, the userinfo of URLs. Inside a JSON document the whole leaf gives way, so that it stays valid.
Redacting what is redacted already changes nothing.
"""

from __future__ import annotations

import json
import re
from base64 import b64decode, b64encode
from binascii import Error as Base64Error
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any, NamedTuple

import msgspec
from msgspec import UNSET

from retailops_sandbox import jsontext
from retailops_sandbox.comparing.matchers import MATCHERS
from retailops_sandbox.errors import SourceError
from retailops_sandbox.jsontext import pointer as pointers
from retailops_sandbox.model import (
    Exchange,
    Expectation,
    Fault,
    Headers,
    HttpRequest,
    Json,
    Request,
    Response,
    Rule,
)

MIN_LENGTH = 8
"""Values under this many characters are redacted only in their place."""

_PREFIX = "«redacted:"
MARK = re.compile("«redacted:([^«»]*)»")
"""What stands for a secret, and the name of it."""

# Patterns that few runs need are texts: `re` compiles and keeps them when they are first used.
_SCHEME = "(?is)((?:Basic|Bearer|Digest|Negotiate|NTLM|Token|ApiKey|Hawk|AWS4-HMAC-SHA256) +)?(.*)"
_USERINFO = r"(?<=//)[^/?#\s]+(?=@)"
_JSON_LEAF = r'(?s)("[^"\\]*(?:\\.[^"\\]*)*")([ \t\n\r]*:)?|-?[0-9][-+.0-9eE]*'

_CREDENTIALS = {
    "authorization": "Authorization",
    "proxy-authorization": "Proxy-Authorization",
    "cookie": "Cookie",
    "set-cookie": "Set-Cookie",
}


class RedactedExchange(NamedTuple):
    """What of an exchange may be kept."""

    request: Request
    response: Response | None
    fault: Fault | None
    secrets: Secrets
    """All that was looked for, also what the exchange itself gave away."""


def exchange(
    request: HttpRequest, exchange: Exchange, secrets: Secrets, secret_pointers: tuple[str, ...] = ()
) -> RedactedExchange:
    """The exchange as it may be kept: the headers really sent, bodies as text where they are UTF-8.

    What the exchange itself gives away as secret (a cookie, the value at a secret pointer) is looked for in
    all of it, too.
    """
    sent = exchange.request_headers or request.headers
    received = exchange.response
    came = () if received is None else received.headers
    sent_body = _Body.of(request.body, secret_pointers)
    received_body = _Body.of(b"" if received is None else received.body, secret_pointers)
    harmless = _is_harmless(sent) and _is_harmless(came) and "@" not in request.url
    disclosed = [] if harmless else [*_disclosed_by_headers(request.url, sent + came)]
    for place in (*sent_body.places, *received_body.places):
        disclosed += [(place.name, leaf) for leaf in _leaves(place.value)]
    secrets = secrets.and_also(disclosed)
    nothing_hidden = harmless and not secrets
    return RedactedExchange(
        Request(
            method=request.method,
            url=secrets.url(request.url),
            headers=sent if nothing_hidden else secrets.headers(sent, sent=True),
            body=sent_body.kept(secrets),
            base64=sent_body.binary,
        ),
        None
        if received is None
        else Response(
            status=received.status,
            http_version=received.http_version,
            headers=came if nothing_hidden else secrets.headers(came),
            body=received_body.kept(secrets),
            base64=received_body.binary,
        ),
        exchange.fault and Fault(exchange.fault.kind, secrets.url(exchange.fault.message)),
        secrets,
    )


def expectation(expected: Expectation, secrets: Secrets) -> Expectation:
    """An expectation, redacted as the answer that it will be compared with."""
    headers = expected.headers
    if not secrets and (not headers or _CREDENTIALS.keys().isdisjoint(map(str.lower, headers))):
        return expected
    return msgspec.structs.replace(
        expected,
        body=expected.body if expected.body is UNSET else secrets.json(expected.body),
        rules={path: secrets.json(rule) for path, rule in expected.rules.items()},
        headers={name: _expected_header(name, rule, secrets) for name, rule in headers.items()},
    )


def _expected_header(name: str, rule: Rule, secrets: Secrets) -> Any:
    if not isinstance(rule, str) or rule in MATCHERS:
        return secrets.json(rule)
    ((_, value),) = secrets.headers(((name, rule),))
    return value


def template(text: bytes, secrets: Secrets, secret_pointers: tuple[str, ...] = ()) -> str:
    """A payload before its placeholders were filled, as it may be kept: references stay where they are."""
    body = _Body.of(text, secret_pointers)
    places = [place for place in body.places if not _is_reference(place.value)]
    disclosed = [(place.name, leaf) for place in places for leaf in _leaves(place.value)]
    return msgspec.structs.replace(body, places=places).kept(secrets.and_also(disclosed))


def marked(value: Json, at: str = "") -> Iterator[str]:
    """Where in a value something was struck out, as pointers."""
    if isinstance(value, str) and MARK.search(value):
        yield at
    elif isinstance(value, dict):
        for name, child in value.items():
            yield from marked(child, f"{at}/{pointers.escape(name)}")
    elif isinstance(value, list):
        for position, child in enumerate(value):
            yield from marked(child, f"{at}/{position}")


def struck_out(*sides: Request | Response | None) -> list[str]:
    """The names of what was redacted in a request or response that was kept, each once."""
    names: dict[str, None] = {}
    for side in sides:
        if side is None:
            continue
        texts = [side.url] if isinstance(side, Request) else []
        texts += [part for header in side.headers for part in header]
        texts.append(b64decode(side.body).decode("utf-8", "replace") if side.base64 else side.body)
        for text in texts:
            names.update(dict.fromkeys(MARK.findall(text)))
    return list(names)


class Secrets:
    """The secrets of a run, by the names that stand for them."""

    def __init__(self, values: Mapping[str, str] | Iterable[tuple[str, str]] = ()) -> None:
        pairs = values.items() if isinstance(values, Mapping) else values
        self._pairs = [(name, value) for name, value in pairs if value and not MARK.search(value)]
        found_anywhere = [pair for pair in self._pairs if len(pair[1]) >= MIN_LENGTH]
        forms = {form: name for name, value in found_anywhere for form in _forms(value)}
        # A part of the marker itself can never be hidden by it.
        self._needles = sorted((form for form in forms if form not in _PREFIX), key=len, reverse=True)
        spaced = any(" " in needle for needle in self._needles)
        self._encodings = _ENCODINGS if spaced else _ENCODINGS[:2]
        self._marks = {needle: self.mark(forms[needle]) for needle in self._needles}
        self._exact = {value: self.mark(name) for name, value in self._pairs}

    def __bool__(self) -> bool:
        return bool(self._pairs)

    def and_also(self, more: Iterable[tuple[str, str]]) -> Secrets:
        """These secrets and those that have to be looked for and hold none of these."""
        new = [pair for pair in more if len(pair[1]) >= MIN_LENGTH and not self._found_in(pair[1])]
        return Secrets([*new, *self._pairs]) if new else self

    def text(self, text: str) -> str:
        """Any text, redacted: a JSON object or array by its leaves, everything else in place."""
        return self.document(text) if text.lstrip()[:1] in ("{", "[") else self.plain(text)

    def json(self, value: Json) -> Json:
        """A JSON value, redacted as `document` redacts its text; the same object where there is no hit."""
        if not self._needles or not self._found_in(jsontext.compact(value).decode()):
            return value
        return self._redacted(value, _Keys())

    def document(self, text: str) -> str:
        """A JSON text, redacted leaf by leaf and no other byte touched; other texts in place."""
        if not self._needles or not self._found_in(text):
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
        if not self._needles:
            return text
        hits = sorted(self._hits(text), key=lambda hit: (hit[0], -hit[1]))
        if not hits:
            return text
        parts: list[str] = []
        done = 0
        for start, end, mark in hits:
            if start >= done:
                parts += text[done:start], mark
            done = max(done, end)
        return "".join(parts) + text[done:]

    def url(self, text: str) -> str:
        """A URL or a text that may hold some, redacted: userinfo and secrets."""
        text = self.plain(text)
        if "@" not in text or "//" not in text:
            return text
        return re.sub(_USERINFO, lambda userinfo: self._userinfo_mark(userinfo[0]), text)

    def headers(self, headers: Headers, *, sent: bool = False) -> Headers:
        """Headers, redacted; in those we sent, also a whole value that is a secret however short."""
        clean = not self._found_in(_joined(headers))
        if clean and _is_harmless(headers) and not (sent and self._exact):
            return headers
        kept: list[tuple[str, str]] = []
        for name, value in headers:
            credentials = _CREDENTIALS.get(name.lower())
            if credentials:
                scheme, rest = _split_scheme(value)
                value = scheme + self.place(rest, credentials)
            elif sent and value in self._exact:
                value = self._exact[value]
            elif not clean or "@" in value:
                value = self.url(value)
            kept.append((name if clean else self.plain(name), value))
        return tuple(kept)

    def place(self, value: str, name: str) -> str:
        """What stands for a value that is secret because of its place; nothing stands for nothing."""
        if not value or MARK.fullmatch(value):
            return value
        return self._exact.get(value) or self._mark_of(value) or self.mark(name)

    def mark(self, name: str) -> str:
        """`«redacted:NAME»`, unless the name itself gives a secret away."""
        mark = f"{_PREFIX}{re.sub('[«»]', '', name)}»"
        safe = json.dumps(mark, ensure_ascii=False)[1:-1] == mark and not self._found_in(mark)
        return mark if safe else f"{_PREFIX}…»"

    def _userinfo_mark(self, userinfo: str) -> str:
        """One mark for all of it; that of the password where it has been redacted already."""
        marked = MARK.search(userinfo)
        return marked[0] if marked else self.place(userinfo, "URL")

    def _found_in(self, text: str) -> bool:
        return self._needle_in(text) is not None

    def _mark_of(self, text: str) -> str | None:
        """The mark of a secret that the text holds, if it holds one."""
        needle = self._needle_in(text)
        return None if needle is None else self._marks[needle]

    def _needle_in(self, text: str) -> str | None:
        if self._needles:
            for reading, _ in self._readings(text):
                for needle in self._needles:
                    if needle in reading:
                        return needle
        return None

    def _hits(self, text: str) -> Iterator[tuple[int, int, str]]:
        """Start, end and mark of each secret in the text, however it is encoded there."""
        for reading, encodings in self._readings(text):
            present = [needle for needle in self._needles if needle in reading]
            if not present:
                continue
            starts, ends = _origins(text, encodings)
            for needle in present:
                at = reading.find(needle)
                while at >= 0:
                    yield starts[at], ends[at + len(needle) - 1], self._marks[needle]
                    at = reading.find(needle, at + 1)

    def _readings(self, text: str) -> Iterator[tuple[str, tuple[_Encoding, ...]]]:
        """The text as it is and as it reads when decoded, also repeatedly, and with what it was decoded."""
        readings: list[tuple[str, tuple[_Encoding, ...]]] = [(text, ())]
        for reading, encodings in readings:
            yield reading, encodings
            for encoding in self._encodings:
                if encoding.sign in reading and len(readings) < _MAX_READINGS:
                    decoded = re.sub(encoding.pattern, encoding.decode, reading)
                    if all(decoded != other for other, _ in readings):
                        readings.append((decoded, (*encodings, encoding)))

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
            self._marks[key] = f"{mark[:-1]} {same + 1}»" if same else mark
        return self._marks[key]


# --- The forms of a secret ---------------------------------------------------------------------------------


def _forms(value: str) -> Iterator[str]:
    """A value as it is, and in base64 the characters that do not depend on what stands around it."""
    yield value
    octets = value.encode("utf-8", "surrogateescape")
    for before in range(3):
        encoded = b64encode(bytes(before) + octets).decode()
        form = encoded[(before * 8 + 5) // 6 : (before + len(octets)) * 8 // 6]
        yield form
        yield form.replace("+", "-").replace("/", "_")


class _Encoding(msgspec.Struct, frozen=True):
    """A way to write characters: `sign` occurs in all that `pattern` matches."""

    sign: str
    pattern: str
    decode: Callable[[re.Match[str]], str]


_SHORT_ESCAPES = dict(zip('"\\/bfnrt', '"\\/\b\f\n\r\t', strict=True))


def _unescape(escape: re.Match[str]) -> str:
    return _SHORT_ESCAPES.get(escape[0][1:]) or str(json.loads(f'"{escape[0]}"'))


def _unquote(sequence: re.Match[str]) -> str:
    try:
        return bytes.fromhex(sequence[0].replace("%", "")).decode()
    except UnicodeDecodeError:
        return sequence[0]


_PERCENT = (
    "(?i)%[0-7][0-9a-f]|%[cd][0-9a-f]%[89ab][0-9a-f]|%e[0-9a-f](?:%[89ab][0-9a-f]){2}|"
    "%f[0-4](?:%[89ab][0-9a-f]){3}"
)
_ESCAPE = (
    r"\\(?:u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|"
    r'["\\/bfnrt])'
)
_ENCODINGS = (
    _Encoding("\\", _ESCAPE, _unescape),
    _Encoding("%", _PERCENT, _unquote),
    _Encoding("+", r"\+", lambda _: " "),
)
_MAX_READINGS = 12


def _origins(text: str, encodings: tuple[_Encoding, ...]) -> tuple[Sequence[int], Sequence[int]]:
    """Where in the text each character of its reading starts and ends."""
    starts: Sequence[int] = range(len(text))
    ends: Sequence[int] = range(1, len(text) + 1)
    for encoding in encodings:
        new_starts: list[int] = []
        new_ends: list[int] = []
        read: list[str] = []
        done = 0
        for match in re.finditer(encoding.pattern, text):
            decoded = encoding.decode(match)
            new_starts += (*starts[done : match.start()], *[starts[match.start()]] * len(decoded))
            new_ends += (*ends[done : match.start()], *[ends[match.end() - 1]] * len(decoded))
            read += text[done : match.start()], decoded
            done = match.end()
        starts, ends = [*new_starts, *starts[done:]], [*new_ends, *ends[done:]]
        text = "".join(read) + text[done:]
    return starts, ends


# --- What is secret because of its place -------------------------------------------------------------------


class _Place(msgspec.Struct, frozen=True):
    """A value at a secret pointer, by its text."""

    start: int
    end: int
    name: str
    value: Json


class _Body(msgspec.Struct, frozen=True):
    """A body as text, even where it is not UTF-8, and the places in it that are secret."""

    text: str
    binary: bool
    places: list[_Place]

    @classmethod
    def of(cls, body: bytes, secret_pointers: tuple[str, ...]) -> _Body:
        try:
            text = body.decode()
        except UnicodeDecodeError:
            return cls(body.decode("utf-8", "surrogateescape"), True, [])
        return cls(text, False, _places(text, secret_pointers))

    def kept(self, secrets: Secrets) -> str:
        if not self.places and not self.binary:
            return secrets.document(self.text)
        if self.binary:
            return b64encode(secrets.plain(self.text).encode("utf-8", "surrogateescape")).decode()
        parts: list[str] = []
        done = 0
        for place in self.places:
            if place.start >= done:
                written = self.text[place.start : place.end]
                mark = secrets.place(place.value if isinstance(place.value, str) else written, place.name)
                parts += self.text[done : place.start], f'"{mark}"'
                done = place.end
        return secrets.document("".join(parts) + self.text[done:])


def _places(text: str, secret_pointers: tuple[str, ...]) -> list[_Place]:
    """Where the secret pointers lead to, outer ones first; null, "" and marks are no secrets."""
    if not secret_pointers:
        return []
    named = [(pointer, pointers.parse(pointer)[-1]) for pointer in secret_pointers]
    named = [(pointer, name) for pointer, name in named if name in text or "\\" in text]
    if not named:
        return []
    try:
        jsontext.parse(text)
    except SourceError:
        loose = [place for _, name in named for place in _loose_places(text, name)]
        return sorted(loose, key=_position)
    spans = [(jsontext.span(text, pointer), name) for pointer, name in named]
    places = [_Place(*span, name, jsontext.parse(text[slice(*span)])) for span, name in spans if span]
    return sorted((place for place in places if _is_secret(place.value)), key=_position)


def _position(place: _Place) -> tuple[int, int]:
    return place.start, -place.end


def _loose_places(text: str, name: str) -> Iterator[_Place]:
    """Values of members of that name in a text that is almost JSON."""
    member = re.compile(rf'"{re.escape(name)}"\s*:\s*("[^"\\]*(?:\\.[^"\\]*)*"|[-+.\w]+)', re.S)
    for match in member.finditer(text):
        value = match[1].strip('"')
        if value != "null" and _is_secret(value):
            yield _Place(*match.span(1), name, value)


def _is_secret(value: Json) -> bool:
    return value is not None and value != "" and not (isinstance(value, str) and MARK.fullmatch(value))


def _is_reference(value: Json) -> bool:
    return isinstance(value, str) and re.fullmatch(r"\$\{[^{}]+\}", value) is not None


def _joined(headers: Headers) -> str:
    return "\n".join([part for header in headers for part in header])


@lru_cache(maxsize=64)
def _is_harmless(headers: Headers) -> bool:
    """Whether no header among these can be a credential or hold userinfo, as far as a glance tells."""
    text = _joined(headers).lower()
    return "@" not in text and "authorization" not in text and "cookie" not in text


def _disclosed_by_headers(url: str, headers: Headers) -> Iterator[tuple[str, str]]:
    """Secrets, with their names, that a URL and headers give away by their place."""
    for name, value in headers:
        credentials = _CREDENTIALS.get(name.lower())
        if credentials:
            for secret in _secrets_of_header(credentials, value):
                yield credentials, secret
    for value in (url, *(value for _, value in headers)):
        for userinfo in re.findall(_USERINFO, value) if "@" in value else ():
            _, colon, password = userinfo.partition(":")
            yield "URL", re.sub(_PERCENT, _unquote, password if colon else userinfo)


def _split_scheme(value: str) -> tuple[str, str]:
    match = re.fullmatch(_SCHEME, value)
    return (match[1] or "", match[2]) if match else ("", value)


def _secrets_of_header(name: str, value: str) -> Iterator[str]:
    if name in ("Cookie", "Set-Cookie"):
        pairs = value.split(";") if name == "Cookie" else [value.partition(";")[0]]
        for pair in pairs:
            yield pair.partition("=")[2].strip().strip('"')
        return
    scheme, credentials = _split_scheme(value)
    yield credentials
    if scheme.strip().lower() == "basic":
        try:
            decoded = b64decode(credentials.encode(), validate=True).decode()
        except (Base64Error, UnicodeDecodeError):
            return
        yield decoded.partition(":")[2]


def _leaves(value: Json) -> Iterator[str]:
    if isinstance(value, dict | list):
        for inner in value.values() if isinstance(value, dict) else value:
            yield from _leaves(inner)
    elif isinstance(value, str):
        yield value
    else:
        yield jsontext.compact(value).decode()
