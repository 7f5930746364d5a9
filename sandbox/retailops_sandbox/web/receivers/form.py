"""A receiver as form fields, and the receiver that was typed into them."""

from __future__ import annotations

import re
from collections import defaultdict
from urllib.parse import parse_qsl, urlsplit

import msgspec
from starlette.datastructures import FormData

from retailops_sandbox import composing, jsontext, redaction
from retailops_sandbox.errors import SandboxError
from retailops_sandbox.model import Basic, Bearer, Netrc, Receiver
from retailops_sandbox.web.shell.context import Action
from retailops_sandbox.web.shell.forms import text
from retailops_sandbox.web.shell.pages import problems
from retailops_sandbox.web.shell.send_form import variables

_ENV_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_ENV_REFERENCE = re.compile(r"\$\{env:([^{}]+)\}")
_REACHED_BY = ("base_url", "proxy", "timeout_ms", "connect_timeout_ms")
_NAME_A_VARIABLE = "name the environment variable that holds it: the workspace never keeps the secret itself"


class TypedReceiver(msgspec.Struct, frozen=True):
    """A receiver as typed: the form's fields, what is wrong with them, and the secrets among them."""

    values: defaultdict[str, str]
    problems: defaultdict[str, str]
    receiver: Receiver
    """The receiver, as far as its fields could be read."""
    secrets: dict[str, str]
    """The typed secrets by environment variable; never written to the workspace."""
    is_default: bool

    @property
    def is_wrong(self) -> bool:
        """Whether it has problems, and so cannot be saved."""
        return any(self.problems.values())

    @property
    def unreachable(self) -> str:
        """Why its URL, proxy or timeouts cannot be used; empty where they can."""
        return next(filter(None, (self.problems[field] for field in _REACHED_BY)), "")


def auth_kind(receiver: Receiver) -> str:
    """The kinds of authentication that a receiver has; empty where it has none."""
    kinds = {Basic: "basic", Bearer: "bearer", Netrc: "netrc"}
    kind = kinds.get(type(receiver.auth), "") if receiver.auth else ""
    return ", ".join(filter(None, [kind, "token" if receiver.token else ""]))


def editions(actions: list[Action]) -> list[str]:
    """The editions of these actions; the default edition comes first."""
    return list(dict.fromkeys(edition for action in actions for edition in action.editions))


def differing(typed: TypedReceiver, actions: list[Action]) -> set[str]:
    """The names of the actions with a path of their own, or with a problem at it."""
    said = {name for each in (typed.values, typed.problems) for name, value in each.items() if value}
    return {each.name for each in actions if {f"path_{each.name}", f"whole_{each.name}"} & said}


# --- a receiver as the form shows it ---


def from_receiver(receiver: Receiver, actions: list[Action], *, is_default: bool) -> TypedReceiver:
    """The form of a receiver, as if it had been typed."""
    return TypedReceiver(_values(receiver, is_default, actions), problems(), receiver, {}, is_default)


def _values(receiver: Receiver, is_default: bool, actions: list[Action]) -> defaultdict[str, str]:
    auth = receiver.auth
    plain = ("name", "base_url", "proxy", "ca_file", "client_cert", "client_key")
    values = defaultdict(str, {name: getattr(receiver, name) for name in plain})
    values |= {name: "yes" for name in ("protected", "verify", "follow_redirects") if getattr(receiver, name)}
    values |= {name: str(getattr(receiver, name)) for name in ("timeout_ms", "connect_timeout_ms")}
    values["default"] = "yes" if is_default else ""
    values["auth"] = auth_kind(msgspec.structs.replace(receiver, token=""))
    values["username"] = auth.username if isinstance(auth, Basic) else ""
    values["headers"] = "\n".join(f"{name}: {value}" for name, value in receiver.headers.items())
    values["variables"] = jsontext.pretty(receiver.variables) if receiver.variables else ""
    values["secret_env"] = " ".join(receiver.secret_env)
    secrets = {
        "password": auth.password if isinstance(auth, Basic) else "",
        "bearer": auth.token if isinstance(auth, Bearer) else "",
        "token": receiver.token,
    }
    for name, value in secrets.items():
        reference = _ENV_REFERENCE.fullmatch(value)
        values[f"{name}_env" if reference else name] = reference[1] if reference else value
    for action in actions:
        path = receiver.paths.get(action.name)
        values[f"path_{action.name}"] = path or ""
        values[f"whole_{action.name}"] = "yes" if path == "" else ""
    values |= {f"edition_{edition}": "yes" for edition in receiver.editions}
    return values


# --- a receiver as it was typed ---


def read(form: FormData, actions: list[Action]) -> TypedReceiver:
    """The receiver that a form describes, and what is wrong with it."""
    values = defaultdict(str, {name: text(form, name).strip() for name in form})
    reading = _Reading(values)
    receiver = reading.receiver(actions)
    return TypedReceiver(values, reading.problems, receiver, reading.secrets, values["default"] == "yes")


class _Reading:
    """Reads the fields of one form and collects what is wrong with each."""

    def __init__(self, values: defaultdict[str, str]) -> None:
        self._values = values
        self.problems = problems()
        self.secrets: dict[str, str] = {}

    def receiver(self, actions: list[Action]) -> Receiver:
        values = self._values
        receiver = Receiver(
            name=self._name(),
            base_url=self._url("base_url"),
            paths=self._paths(actions),
            editions=tuple(each for each in editions(actions) if f"edition_{each}" in self._values),
            headers=self._headers(),
            auth=self._auth(),
            token=self._secret("token"),
            variables=self._variables(),
            secret_env=tuple(values["secret_env"].split()),
            timeout_ms=self._milliseconds("timeout_ms"),
            connect_timeout_ms=self._milliseconds("connect_timeout_ms"),
            verify="verify" in values,
            ca_file=values["ca_file"],
            client_cert=values["client_cert"],
            client_key=values["client_key"],
            proxy=self._url("proxy") if values["proxy"] else "",
            follow_redirects="follow_redirects" in values,
            protected="protected" in values,
        )
        if "${" not in receiver.base_url and not self.problems["base_url"]:
            self._check("base_url", msgspec.structs.replace(receiver, headers={}))
        if not self.problems["headers"]:
            self._check("headers", msgspec.structs.replace(receiver, base_url="http://localhost"))
        return receiver

    def _check(self, field: str, receiver: Receiver) -> None:
        """Note at the field a problem that would keep every request from being sent."""
        try:
            composing.check(receiver)
        except SandboxError as error:
            self.problems[field] = str(error)

    def _name(self) -> str:
        name = self._values["name"]
        if not name or len(name) > 100 or not name.isprintable():
            self.problems["name"] = "give it a name, of up to 100 characters"
        elif name == "stand-in":
            self.problems["name"] = "that name belongs to the receiver that ships with the sandbox"
        return name

    def _url(self, field: str) -> str:
        url = self._values[field]
        if not url:
            self.problems[field] = "where is it? Write a URL, such as http://localhost:8000"
            return url
        try:
            parts = urlsplit(url)
        except ValueError as error:
            self.problems[field] = f"this cannot be read as a URL: {error}"
            return url
        userinfo, at, _ = parts.netloc.rpartition("@")
        if at and not redaction.is_userinfo_reference(userinfo):
            self.problems[field] = (
                "the URL holds a user or password: write it as ${env:NAME}, or use Basic below"
            )
        self._query(field, parts.query)
        return url

    def _query(self, field: str, query: str) -> None:
        for name, value in parse_qsl(query):
            if redaction.is_credential(name) and not redaction.is_reference(value):
                self.problems[field] = f"{name} is a secret, write its value as ${{env:NAME}}"

    def _paths(self, actions: list[Action]) -> dict[str, str]:
        paths = {}
        for action in actions:
            path = self._values[f"path_{action.name}"]
            if f"whole_{action.name}" in self._values:
                paths[action.name] = ""
                if path:
                    self.problems[f"path_{action.name}"] = (
                        "leave this empty where the base URL is the whole URL"
                    )
            elif path:
                paths[action.name] = path
                self._query(f"path_{action.name}", path.partition("?")[2])
        return paths

    def _headers(self) -> dict[str, str]:
        headers = {}
        for number, line in enumerate(self._values["headers"].splitlines(), 1):
            if not line.strip():
                continue
            name, colon, value = (part.strip() for part in line.partition(":"))
            if not colon or not name:
                self.problems["headers"] = f"line {number}: write Name: value"
            elif value and redaction.is_credential(name) and not redaction.is_reference(value):
                self.problems["headers"] = (
                    f"line {number}: {name} is a secret, write its value as ${{env:NAME}}"
                )
            headers[name] = value
        return headers

    def _auth(self) -> Basic | Bearer | Netrc | None:
        kind = self._values["auth"]
        if kind == "basic":
            return Basic(self._values["username"], self._secret("password"))
        if kind == "bearer":
            return Bearer(self._secret("bearer"))
        return Netrc() if kind == "netrc" else None

    def _secret(self, field: str) -> str:
        """The reference to a secret, which is saved. A value typed with it is kept in this process only."""
        value, name = self._values[field], self._values[f"{field}_env"]
        if name:
            if not _ENV_NAME.fullmatch(name):
                self.problems[f"{field}_env"] = "letters, digits and underscores, not starting with a digit"
            if value:
                self.secrets[name] = value
            return f"${{env:{name}}}"
        if value and not redaction.is_reference(value):
            self.problems[f"{field}_env"] = _NAME_A_VARIABLE
        return value

    def _variables(self) -> dict[str, object]:
        try:
            return dict(variables(self._values["variables"]))
        except SandboxError as error:
            self.problems["variables"] = str(error)
            return {}

    def _milliseconds(self, field: str) -> int:
        typed = self._values[field]
        if typed.isascii() and typed.isdigit() and 0 < int(typed[:12]) <= 86_400_000:
            return int(typed)
        self.problems[field] = "a whole number of milliseconds, from 1 to a day (86400000)"
        return 1
