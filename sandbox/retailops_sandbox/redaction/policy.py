"""What is secret: one policy of a workspace, which every face hands to the engine, the relay and the exports.

A secret is a receiver's credential, and the value of a variable of the environment that a receiver of the
workspace refers to in a credential, or that a receiver or the settings name as secret. The modules
`credentials` and `places` know what is secret because of its place in a message.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from functools import cached_property
from typing import TypeAlias
from urllib.parse import parse_qsl, unquote

from retailops_sandbox.composing import references
from retailops_sandbox.contracts.auth import signature
from retailops_sandbox.contracts.contract import Contract
from retailops_sandbox.model import Basic, Bearer, Json, Receiver
from retailops_sandbox.redaction.credentials import Proofs, is_credential, split_scheme
from retailops_sandbox.redaction.places import leaves
from retailops_sandbox.redaction.secrets import Secrets

# Patterns that few runs need are texts: `re` compiles and keeps them when they are first used.
_REFERENCE = r"\$\{env:[^{}]+\}"
_SECRET_REFERENCE = rf"(?:[A-Za-z][A-Za-z0-9-]* +)?{_REFERENCE}"
_USERINFO_REFERENCE = rf"(?:[^:]*:)?{_REFERENCE}"


SIGNATURE = "signature"
"""The name of the secret that is the right signature of a body: it can be made anew."""


class SecretPolicy:
    """What is secret in a workspace."""

    def __init__(
        self, environment: Mapping[str, str], *, receivers: Iterable[Receiver], named: Iterable[str]
    ) -> None:
        """`receivers` are all that the workspace has; `named` are variables that are secret in any case."""
        self._environment = environment
        names = dict.fromkeys(named)
        for receiver in receivers:
            names.update(dict.fromkeys(secret_variables(receiver)))
        self._known = [pair for name in names for pair in self._values(name)]
        self._last: tuple[list[tuple[str, str]], Secrets] = ([], Secrets())

    @cached_property
    def everywhere(self) -> Secrets:
        """The secrets that are known for the whole workspace, independent of a send's receiver."""
        return Secrets(self._known)

    def secrets(self, written: Receiver, resolved: Receiver | None = None) -> Secrets:
        """What is secret in a send to a receiver, which need not be one of the workspace.

        `resolved` is the receiver with its placeholders filled. Without it, values that result from
        filling are not known.
        """
        own = dict.fromkeys(secret_variables(written))
        # The receiver's own come last: of two secrets with the same value, the last gives the name.
        found = [pair for pair in self._known if pair[0] not in own]
        found += [pair for name in own for pair in self._values(name)]
        values = {value for _, value in found}
        for name, _, value in _credentials(written, resolved or written):
            if value and value not in values and (resolved is not None or "${" not in value):
                values.add(value)
                found.append((name, value))
        # Each step resolves its receiver anew, nearly always to the same values.
        if found != self._last[0]:
            self._last = (found, Secrets(found))
        return self._last[1]

    def header_secrets(
        self, headers: Iterable[str], variables: Mapping[str, Json]
    ) -> Iterator[tuple[str, str]]:
        """The secrets, with their names, that the values of a step's headers refer to.

        `variables` are those that the headers may name, before their own placeholders are filled.
        """
        for text in headers:
            if "${" in text:
                for name in _variables(text, variables):
                    yield from self._values(name)

    def _values(self, name: str) -> Iterator[tuple[str, str]]:
        """The value of a variable, also as it is read where it is part of a URL."""
        value = self._environment.get(name)
        if value:
            yield name, value
            if "%" in value:
                yield name, unquote(value)


def secret_pointers(contract: Contract) -> tuple[str, ...]:
    """The pointers at which values are secret in payloads and answers of a contract."""
    auth = contract.auth
    if auth is None or not auth.pointer or auth.pointer in contract.secrets:
        return contract.secrets
    return (*contract.secrets, auth.pointer)


def proofs(contract: Contract) -> Proofs:
    """The header by which a contract proves its sender, if it does so by one: its value is secret."""
    auth = contract.auth
    return ((auth.header.lower(), auth.before_secret),) if auth is not None and auth.header else ()


def with_proof(secrets: Secrets, contract: Contract, token: str, body: bytes) -> Secrets:
    """The secrets of a request of a contract: also its proof of the sender, and the right one for its body.

    A receiver that refuses a wrong signature may well quote the one that it expected.
    """
    secrets = secrets.and_proofs(proofs(contract))
    if contract.auth is None or contract.auth.signature is None or not token:
        return secrets
    return secrets.and_also([(SIGNATURE, signature(contract.auth.signature, token, body))])


def secret_variables(receiver: Receiver) -> Iterator[str]:
    """The variables of the environment that a receiver names as secret or refers to in a credential."""
    yield from receiver.secret_env
    for _, text, _ in _credentials(receiver, receiver):
        if "${" in text:
            yield from _variables(text, receiver.variables)


def is_reference(text: str) -> bool:
    """Whether a secret is written as a workspace may keep it: as `${env:NAME}`, perhaps after a scheme."""
    return re.fullmatch(_SECRET_REFERENCE, text) is not None


def is_userinfo_reference(text: str) -> bool:
    """Whether the userinfo of a URL is written as a workspace may keep it."""
    return re.fullmatch(_USERINFO_REFERENCE, text) is not None


_Credential: TypeAlias = tuple[str, str, str]
"""A credential of a receiver: the secret's name where no variable names it; its text as written, in which
every variable of the environment is secret; and its secret value once placeholders are filled, or empty."""


def _credentials(written: Receiver, resolved: Receiver) -> Iterator[_Credential]:
    """The credentials of a receiver; `resolved` is the same one with its placeholders filled."""
    yield ("token", written.token, resolved.token)
    if isinstance(written.auth, Basic) and isinstance(resolved.auth, Basic):
        yield ("password", written.auth.password, resolved.auth.password)
    if isinstance(written.auth, Bearer) and isinstance(resolved.auth, Bearer):
        yield ("bearer-token", written.auth.token, resolved.auth.token)
    for name, text in written.headers.items():
        # A variable of the environment in a header is secret, whatever the header is called.
        value = split_scheme(resolved.headers[name])[1] if is_credential(name) else ""
        yield (name, text, value)
        # Perhaps the first of two words is a scheme that nobody knows here.
        if value.count(" ") == 1:
            yield (name, "", value.rpartition(" ")[2])
    for field in ("base_url", "proxy"):
        # Only the password: a user name such as "api" is an ordinary word, and would vanish everywhere.
        password = unquote(_password(getattr(resolved, field)))
        yield (f"{field}-password", _secret_parts(getattr(written, field)), password)
    yield from _query("base_url", resolved.base_url)
    for action, path in written.paths.items():
        yield ("path", path, "")
        yield from _query("path", resolved.paths[action])


def _secret_parts(url: str) -> str:
    """A URL without its scheme and host, in which variables are no secrets."""
    userinfo, _, behind = url.partition("//")[2].rpartition("@")
    return f"{userinfo} {behind.partition('/')[2]} {behind.partition('?')[2]}"


def _password(url: str) -> str:
    authority = re.split("[/?#]", url.partition("//")[2], maxsplit=1)[0]
    return authority.rpartition("@")[0].partition(":")[2]


def _query(field: str, resolved: str) -> Iterator[_Credential]:
    """The credentials in the query of a URL or path."""
    for name, value in parse_qsl(resolved.partition("?")[2].partition("#")[0]):
        if is_credential(name):
            yield (f"{field}-{name}", "", value)


def _variables(text: str, variables: Mapping[str, Json]) -> Iterator[str]:
    """The variables of the environment that a text refers to, also by way of the receiver's variables."""
    seen: set[str] = set()
    left = [text]
    while left:
        for name in references(left.pop()):
            if name.startswith("env:"):
                yield name[4:]
            elif name in variables and name not in seen:
                seen.add(name)
                left.extend(leaves(variables[name]))
