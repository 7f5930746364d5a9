"""The environment variables that a receiver needs, and whether they are set; never their values."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Literal

import msgspec

from retailops_sandbox import composing
from retailops_sandbox.model import Receiver
from retailops_sandbox.web.receivers.proofs import token_field
from retailops_sandbox.web.shell.context import AppContext

_WORDS = {
    "base_url": "base URL",
    "paths": "path",
    "headers": "header",
    "auth": "authentication",
    "token": "token",
    "variables": "variables",
    "ca_file": "CA file",
    "client_cert": "client certificate",
    "client_key": "client key",
    "proxy": "proxy",
}
State = Literal["set", "typed", "empty", "missing"]


class EnvRequirement(msgspec.Struct, frozen=True):
    """An environment variable that a receiver refers to."""

    name: str
    state: State
    uses: tuple[str, ...]
    """The settings that refer to it, in words."""


def of(
    receiver: Receiver, context: AppContext, typed: Mapping[str, str] | None = None
) -> list[EnvRequirement]:
    """The requirements in the order of the receiver's settings; `typed` are secrets of an unsaved form."""
    allow(receiver, context)
    uses: dict[str, list[str]] = {}
    token = token_field(context.contracts.of()).name if receiver.token else ""
    for name, use in _uses(receiver, token):
        uses.setdefault(name, [])
        if use not in uses[name]:
            uses[name].append(use)
    return [
        EnvRequirement(name, _state(name, context, typed or {}), tuple(words)) for name, words in uses.items()
    ]


def allow(receiver: Receiver, context: AppContext) -> None:
    """Let a receiver that is not saved yet use the variables that it refers to, as one in the file may."""
    context.environment.allow(name for name, _ in _uses(receiver))


def _state(name: str, context: AppContext, typed: Mapping[str, str]) -> State:
    if name in typed or name in context.secrets:
        return "typed"
    if name not in context.environment:
        return "missing"
    return "set" if context.environment[name] else "empty"


def _uses(receiver: Receiver, token: str = "") -> Iterator[tuple[str, str]]:
    """Each environment variable that a receiver refers to, with the setting that does so, in words.

    `token` is what the token is called.
    """
    for field, words in _WORDS.items():
        if field == "token":
            words = token or words
        for key, text in _texts(getattr(receiver, field)):
            for name in composing.environment_variables(text):
                yield name, f"{words} {key}" if field == "headers" else words
    for name in receiver.secret_env:
        yield name, "secret in payloads"


def _texts(value: Any, key: str = "") -> Iterator[tuple[str, str]]:
    """Every string in a setting, with the name of the member that holds it."""
    if isinstance(value, msgspec.Struct):
        value = msgspec.structs.asdict(value)
    if isinstance(value, str):
        yield key, value
    elif isinstance(value, dict):
        for name, child in value.items():
            yield from _texts(child, key or name)
    elif isinstance(value, list):
        for item in value:
            yield from _texts(item, key)
