"""Compose and build: fixture + changes + placeholders -> payload -> the exact request. Pure."""

from __future__ import annotations

import base64
import re
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import SplitResult, unquote, urlsplit, urlunsplit

import msgspec

from sandbox import __version__, pointer, source
from sandbox.errors import ComposeError, SourceError, UsageError
from sandbox.model import Basic, Bearer, Connection, Headers, HttpRequest, Json, Netrc, Receiver, Step

if TYPE_CHECKING:
    from sandbox.contract import Contract

_PLACEHOLDER = re.compile(r"\$\$\{|\$\{([^{}]*)\}?")
_CREDENTIAL = re.compile(r"api[-_]?key|access[-_]?key|auth|token|secret|password|signature|hmac|cookie", re.I)


class MissingCapture(ComposeError):
    """A placeholder names what an earlier step should have captured, and did not."""


class Names(msgspec.Struct, kw_only=True):
    """What placeholders may name, looked up in the order of the fields."""

    captured: dict[str, Json] = {}
    lost: frozenset[str] = frozenset()
    """Names whose capture failed."""
    given: Mapping[str, Json] = {}
    environment: Mapping[str, str] = {}
    """The process's environment: `${env:NAME}`, and `RETAILOPS_SANDBOX_VAR_NAME` for `${NAME}`."""
    receiver: Mapping[str, Json] = {}
    scenario: Mapping[str, Json] = {}
    built_in: Mapping[str, Json] = {}
    expanding: set[str] = set()
    """Variables whose own placeholders are being filled."""

    def lookup(self, name: str) -> Json:
        """The value of `${name}`; ComposeError if nothing has that name."""
        if name.startswith("env:"):
            return self._environment(name[4:])
        if name in self.lost:
            raise MissingCapture(f"${{{name}}} was not captured")
        variable = self.environment.get(f"RETAILOPS_SANDBOX_VAR_{name}")
        for values in (self.captured, self.given):
            if name in values:
                return values[name]
        if variable is not None:
            return variable_value(variable)
        for values in (self.receiver, self.scenario):
            if name in values:
                return self._expanded(name, values[name])
        if name in self.built_in:
            return self.built_in[name]
        known = sorted({*self.captured, *self.given, *self.receiver, *self.scenario, *self.built_in})
        raise ComposeError(
            f"unknown placeholder ${{{name}}}",
            mend=f"known: {', '.join(known)}, env:NAME; a literal ${{ is spelled $${{",
        )

    def _expanded(self, name: str, value: Json) -> Json:
        """A variable's value, which may hold placeholders itself."""
        if name in self.expanding:
            raise ComposeError(f"the variable {name} needs itself", mend="give it a value of its own")
        self.expanding.add(name)
        try:
            return fill(value, self)
        finally:
            self.expanding.discard(name)

    def _environment(self, name: str) -> str:
        if name not in self.environment:
            raise ComposeError(
                f"the environment variable {name} is not set",
                mend=f"set {name}, as ${{env:{name}}} asks for it",
            )
        value = self.environment[name]
        try:
            value.encode()
        except UnicodeEncodeError as error:
            raise ComposeError(f"the environment variable {name} is not UTF-8") from error
        return value


def variable_value(text: str) -> Json:
    """The value that a variable's text stands for: JSON where it is JSON, else the text itself."""
    try:
        return source.parse(text)
    except SourceError:
        return text


def has_placeholder(text: str) -> bool:
    """Whether anything in this JSON text might be filled; its `$` or `{` may be spelled as an escape."""
    return "${" in text or "\\u00" in text


def references(text: str) -> list[str]:
    """The names that the placeholders of a text name."""
    return [found[1] for found in _PLACEHOLDER.finditer(text) if found[1] is not None]


def escaped(value: Json) -> Json:
    """The value, spelled so that `fill` gives it back whatever it holds."""
    if isinstance(value, str):
        return value.replace("${", "$${")
    if isinstance(value, dict):
        return {key: escaped(child) for key, child in value.items()}
    return [escaped(item) for item in value] if isinstance(value, list) else value


def fill(value: Json, names: Names, at: str = "") -> Json:
    """The value with its placeholders filled; ComposeError with the pointer of one that cannot be."""
    if isinstance(value, str):
        if "${" not in value:
            return value
        try:
            return _fill_text(value, names.lookup)
        except ComposeError as error:
            error.pointer = at
            raise
    if isinstance(value, dict):
        return {key: fill(child, names, f"{at}/{pointer.escape(key)}") for key, child in value.items()}
    if isinstance(value, list):
        return [fill(child, names, f"{at}/{position}") for position, child in enumerate(value)]
    return value


def fill_text(text: str, names: Names, at: str = "") -> str:
    """A string with its placeholders filled as text; ComposeError with the pointer of one that cannot be."""
    return _as_text(fill(text, names, at))


def _fill_text(text: str, lookup: Callable[[str], Json]) -> Json:
    whole = _PLACEHOLDER.fullmatch(text)
    if whole and whole[1] is not None:
        return lookup(_name(whole))
    return _PLACEHOLDER.sub(lambda found: "${" if found[1] is None else _as_text(lookup(_name(found))), text)


def _name(found: re.Match[str]) -> str:
    if not found[0].endswith("}"):
        raise ComposeError(f"{found[0]!r} is not closed by }}", mend="a literal ${ is spelled $${")
    return found[1]


def _as_text(value: Json) -> str:
    return value if isinstance(value, str) else source.compact(value).decode()


class Template(msgspec.Struct, frozen=True):
    """A fixture as it was read, parsed once for all the steps that use it."""

    payload: Json
    placeholders: bool
    numbers: bool = True
    """Whether it may hold a Number."""

    @staticmethod
    def read(text: str | bytes, *, file: str = "") -> Template:
        """SourceError if the text is not JSON."""
        payload = source.parse(text, file=file)
        placeholders = "${" in text if isinstance(text, str) else b"${" in text
        return Template(payload, placeholders, source.holds_number(payload))


class Payload(msgspec.Struct, frozen=True):
    """A composed payload: what will be sent, and the same before its placeholders were filled."""

    value: Json
    template: Json
    changed: frozenset[str]
    """Pointers that the step set or removed."""
    numbers: bool = True
    """Whether it may hold a Number; to look into a whole payload for one takes long."""


def compose(
    step: Step, base: Template | None, names: Names, *, placeholders: bool = True, token_at: str = ""
) -> Payload:
    """Apply a step's changes to its fixture or own payload, and fill its placeholders.

    `placeholders` says whether the step itself has any. The pointer `token_at` can be removed though no
    fixture has anything there: *build* then puts no token. Raises ComposeError, with the pointer.
    """
    template = base.payload if base is not None else step.payload
    path = ""
    try:
        for path in step.remove:
            if path == token_at and not _has(template, path):
                continue
            template = _unshared(template, path)
            pointer.remove_at(template, path)
        for path, value in step.set.items():
            template = pointer.set_at(_unshared(template, path), path, value)
    except pointer.PointerError as error:
        raise ComposeError(str(error), pointer=path, mend="correct the pointer in set or remove") from error
    fills = placeholders or (base is not None and base.placeholders)
    numbers = fills or base is None or base.numbers or source.holds_number(step.set)
    filled = fill(template, names) if fills else template
    return Payload(filled, template, frozenset([*step.remove, *step.set]), numbers)


def _unshared(document: Json, path: str) -> Json:
    """The document with copies of the objects and arrays on a pointer's way: they can be changed in place."""
    copied = document = _shallow(document)
    for token in pointer.parse(path):
        if isinstance(copied, dict) and token in copied:
            copied[token] = child = _shallow(copied[token])
        elif isinstance(copied, list) and copied and token != "-":
            position = pointer.index(token, len(copied))
            copied[position] = child = _shallow(copied[position])
        else:
            break
        copied = child
    return document


def _shallow(value: Json) -> Json:
    return value.copy() if isinstance(value, (dict, list)) else value


def raw_bytes(raw: str) -> bytes:
    """The bytes that a step's `raw` stands for."""
    if not raw.startswith("base64:"):
        return raw.encode()
    try:
        return base64.b64decode(raw[7:], validate=True)
    except ValueError as error:
        raise ComposeError(f"raw is not base64: {error}", mend="leave out base64: for text") from error


def resolve(receiver: Receiver, names: Names) -> Receiver:
    """The receiver with the placeholders of its strings filled, as text; ComposeError names the field."""
    return msgspec.structs.replace(
        receiver,
        **{field: _resolved(value, names, f"/{field}") for field, value in _written(receiver).items()},
    )


def varies(receiver: Receiver) -> bool:
    """Whether anything in the receiver is to be filled."""
    return any(has_placeholder(text) for value in _written(receiver).values() for text in _strings(value))


def _written(receiver: Receiver) -> dict[str, Any]:
    """The fields of a receiver that may hold placeholders."""
    fields = msgspec.structs.asdict(receiver)
    return {name: value for name, value in fields.items() if name not in ("name", "variables", "secret_env")}


def _resolved(value: Any, names: Names, at: str) -> Any:
    if isinstance(value, str):
        return _as_text(fill(value, names, at))
    if isinstance(value, dict):
        return {key: _resolved(text, names, f"{at}/{pointer.escape(key)}") for key, text in value.items()}
    if isinstance(value, msgspec.Struct):
        return type(value)(**_resolved(msgspec.structs.asdict(value), names, at))
    return value


def is_credential(name: str) -> bool:
    """Whether a header or query parameter of this name holds a secret, as far as names tell."""
    return _CREDENTIAL.search(name) is not None


def _strings(value: Any) -> list[str]:
    if isinstance(value, str):
        return [value]
    if isinstance(value, msgspec.Struct):
        value = msgspec.structs.asdict(value)
    return [text for text in value.values() if isinstance(text, str)] if isinstance(value, dict) else []


def secrets(receiver: Receiver, resolved: Receiver, environment: Mapping[str, str]) -> dict[str, str]:
    """The receiver's secrets by the names that stand for them in the log: the variable's, else what it is."""
    found = {name: environment[name] for name in receiver.secret_env if environment.get(name)}

    def add(name: str, written: str, value: str) -> None:
        names = [each[4:] for each in references(written) if each.startswith("env:")]
        found.update({name: environment[name] for name in names if environment.get(name)})
        if value and value not in found.values():
            found[name] = value

    add("token", receiver.token, resolved.token)
    if isinstance(receiver.auth, Basic) and isinstance(resolved.auth, Basic):
        add("password", receiver.auth.password, resolved.auth.password)
    if isinstance(receiver.auth, Bearer) and isinstance(resolved.auth, Bearer):
        add("bearer-token", receiver.auth.token, resolved.auth.token)
    for name, written in receiver.headers.items():
        # A variable of the environment in a header is taken for a secret, whatever the header is called.
        add(name, written, resolved.headers[name].rpartition(" ")[2] if is_credential(name) else "")
    for part in ("base_url", "proxy"):
        # Only the password: a user name such as "api" is an ordinary word, and would vanish everywhere.
        password = urlsplit(getattr(resolved, part)).password if "@" in getattr(resolved, part) else None
        add(f"{part}-password", getattr(receiver, part).rpartition("@")[0], unquote(password or ""))
    for name in references(receiver.base_url.partition("?")[2]):
        # A key in the query, as it is written there and as the receiver reads it.
        value = environment.get(name[4:], "") if name.startswith("env:") else ""
        add(f"base_url-{name[4:]}", f"${{{name}}}" if value else "", unquote(value))
    return found


LONGEST_MS = 24 * 60 * 60 * 1000
"""The longest time that anything may be told to wait."""


def check(receiver: Receiver) -> None:
    """UsageError or ComposeError for a resolved receiver that cannot be called at all."""
    base_url(receiver)
    for field in ("timeout_ms", "connect_timeout_ms"):
        if not 0 < getattr(receiver, field) <= LONGEST_MS:
            raise UsageError(f"the receiver's {field} must be from 1 to {LONGEST_MS}, a day")
    _laid_over((), receiver.headers)


def connection(
    receiver: Receiver, *, timeout_ms: int | None = None, drop_after_ms: int | None = None
) -> Connection:
    """How the transport is to reach a resolved receiver."""
    return Connection(
        timeout_ms=timeout_ms or receiver.timeout_ms,
        connect_timeout_ms=receiver.connect_timeout_ms,
        verify=receiver.verify,
        ca_file=receiver.ca_file,
        client_cert=receiver.client_cert,
        client_key=receiver.client_key,
        proxy=receiver.proxy,
        netrc=isinstance(receiver.auth, Netrc),
        follow_redirects=receiver.follow_redirects,
        drop_after_ms=drop_after_ms,
    )


def url(receiver: Receiver, contract: Contract) -> str:
    """The exact URL that a receiver is called at for this action; UsageError where its base URL is none."""
    parts = base_url(receiver)
    path = receiver.paths.get(contract.action, contract.path)
    joined = parts.path.rstrip("/") + "/" + path.lstrip("/") if path else parts.path or "/"
    return urlunsplit((parts.scheme, parts.netloc, joined, parts.query, ""))


def base_url(receiver: Receiver) -> SplitResult:
    """The parts of a resolved receiver's base URL; UsageError without http(s) scheme or host."""
    written = receiver.base_url
    shown = re.sub(r"(?s)\?.+", "?…", re.sub("(?s)(?<=//).*@", "…@", written))
    try:
        parts = urlsplit(written)
        host, _ = parts.hostname, parts.port
    except ValueError:
        # Without the reason, which may quote a password that breaks the URL.
        raise UsageError(f"the receiver's URL {shown!r} cannot be read", mend="mind its port") from None
    if parts.scheme not in ("http", "https") or not host:
        rest = shown.split("://")[-1].lstrip("/") or "localhost:8000"
        raise UsageError(
            f"the receiver's URL {shown!r} has no http:// or https:// and host", mend=f"write http://{rest}"
        )
    if any(character <= " " for character in written):
        raise UsageError(f"the receiver's URL {shown!r} has a blank or control character")
    return parts


class Head(msgspec.Struct, frozen=True):
    """What every request to a resolved receiver begins with: the same for all steps of one contract."""

    method: str
    url: str
    headers: Headers


def head(contract: Contract, receiver: Receiver) -> Head:
    """The start of every request to a resolved receiver; its own headers replace ours of the same name."""
    given = {"Content-Type": "application/json", "Accept": "*/*"}
    given["User-Agent"] = f"retailops-sandbox/{__version__}"
    if isinstance(receiver.auth, Basic):
        pair = f"{receiver.auth.username}:{receiver.auth.password}".encode()
        given["Authorization"] = "Basic " + base64.b64encode(pair).decode()
    elif isinstance(receiver.auth, Bearer):
        given["Authorization"] = f"Bearer {receiver.auth.token}"
    return Head(contract.method, url(receiver, contract), _laid_over(tuple(given.items()), receiver.headers))


def build(
    head: Head,
    payload: Payload,
    contract: Contract,
    token: str,
    headers: Mapping[str, str] | None = None,
) -> HttpRequest:
    """The exact request that delivers a payload, the receiver's token put where the contract wants it."""
    return build_raw(head, source.compact(_with_token(payload, contract, token)), headers)


def build_raw(head: Head, body: bytes, headers: Mapping[str, str] | None = None) -> HttpRequest:
    """The exact request that delivers bytes as they are."""
    fields = _laid_over(head.headers, headers) if headers else head.headers
    return HttpRequest(head.method, head.url, fields, body)


def _laid_over(headers: Headers, over: Mapping[str, str]) -> Headers:
    fields = {name.lower(): (name, value) for name, value in headers}
    fields.update({name.lower(): (name, _header_value(name, value)) for name, value in over.items()})
    return tuple(fields.values())


def _header_value(name: str, value: str) -> str:
    if not re.fullmatch(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+", name):
        raise ComposeError(f"{name!r} is not a header name", mend="letters, digits and hyphens only")
    if any(character in value for character in "\r\n\0"):
        raise ComposeError(f"the value of header {name} has a line break or a null")
    return value


def _with_token(payload: Payload, contract: Contract, token: str) -> Json:
    """The payload with the receiver's token at the auth pointer, unless the step minded that itself."""
    auth = contract.auth
    if auth is None or not token or auth.pointer in payload.changed:
        return payload.value
    if _has(payload.value, auth.pointer):
        return payload.value
    return pointer.set_at(_unshared(payload.value, auth.pointer), auth.pointer, token)


def _has(document: Json, path: str) -> bool:
    try:
        pointer.resolve(document, path)
    except pointer.PointerError:
        return False
    return True
