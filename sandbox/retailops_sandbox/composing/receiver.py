"""Receivers: placeholders filled, URLs, how to connect. Pure."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any
from urllib.parse import SplitResult, urlsplit, urlunsplit

import msgspec

from retailops_sandbox.composing.headers import laid_over
from retailops_sandbox.composing.placeholders import Names, fill_text, has_placeholder
from retailops_sandbox.errors import UsageError
from retailops_sandbox.jsontext import pointer
from retailops_sandbox.model import LONGEST_MS, Connection, Netrc, Receiver

if TYPE_CHECKING:
    from retailops_sandbox.contracts.catalogue import Contracts
    from retailops_sandbox.contracts.contract import Contract


def resolve(receiver: Receiver, names: Names) -> Receiver:
    """The receiver with the placeholders of its strings filled, as text; a ComposeError names the field."""
    return msgspec.structs.replace(
        receiver,
        **{field: _resolved(value, names, f"/{field}") for field, value in _written(receiver).items()},
    )


def varies(receiver: Receiver) -> bool:
    """Whether the receiver has any placeholder."""
    return any(has_placeholder(text) for value in _written(receiver).values() for text in _strings(value))


def _written(receiver: Receiver) -> dict[str, Any]:
    """The fields of a receiver that may hold placeholders."""
    fields = msgspec.structs.asdict(receiver)
    return {name: value for name, value in fields.items() if name not in ("name", "variables", "secret_env")}


def _resolved(value: Any, names: Names, at: str) -> Any:
    if isinstance(value, str):
        return fill_text(value, names, at)
    if isinstance(value, dict):
        return {key: _resolved(text, names, f"{at}/{pointer.escape(key)}") for key, text in value.items()}
    if isinstance(value, msgspec.Struct):
        return type(value)(**_resolved(msgspec.structs.asdict(value), names, at))
    return value


def _strings(value: Any) -> list[str]:
    if isinstance(value, str):
        return [value]
    if isinstance(value, msgspec.Struct):
        value = msgspec.structs.asdict(value)
    return [text for text in value.values() if isinstance(text, str)] if isinstance(value, dict) else []


def check(receiver: Receiver) -> None:
    """UsageError or ComposeError for a resolved receiver that cannot be called at all."""
    base_url(receiver)
    for field in ("timeout_ms", "connect_timeout_ms"):
        if not 0 < getattr(receiver, field) <= LONGEST_MS:
            raise UsageError(f"the receiver's {field} must be from 1 to {LONGEST_MS}, a day")
    laid_over((), receiver.headers)


def connection(
    receiver: Receiver, *, timeout_ms: int | None = None, drop_after_ms: int | None = None
) -> Connection:
    """How the transport connects to a resolved receiver."""
    return msgspec.structs.replace(
        msgspec.convert(receiver, Connection, from_attributes=True),
        timeout_ms=timeout_ms or receiver.timeout_ms,
        netrc=isinstance(receiver.auth, Netrc),
        drop_after_ms=drop_after_ms,
    )


def url(receiver: Receiver, contract: Contract, contracts: Contracts) -> str:
    """The exact URL of a receiver for a contract's action; UsageError where its base URL is none.

    A base URL may end in the path of one of the `contracts`, as whoever copies an action's URL has it: see
    `joined`. The path that the receiver states for the action is appended as it is.
    """
    parts = base_url(receiver)
    own = receiver.paths.get(contract.action)
    path = joined(parts.path, contract.path, contracts) if own is None else _appended(parts.path, own)
    return urlunsplit((parts.scheme, parts.netloc, path, parts.query, ""))


def joined(base: str, path: str, contracts: Contracts) -> str:
    """The path of a base URL with a contract's path at its end, once.

    A base that ends in this path stays as it is, also with a slash at its end. Where it ends in the path of
    another of the contracts, that one gives way.
    """
    from retailops_sandbox.contracts import recognition

    known = recognition.at_end(base, contracts) if base.strip("/") else None
    if known is None:
        return _appended(base, path)
    if known.path.strip("/") == path.strip("/"):
        return base
    return _appended(base.rstrip("/").removesuffix(known.path.strip("/")), path)


def _appended(base: str, path: str) -> str:
    """The path of a base URL with another one appended as it is."""
    return base.rstrip("/") + "/" + path.lstrip("/") if path else base or "/"


def base_url(receiver: Receiver) -> SplitResult:
    """The parts of a resolved receiver's base URL; UsageError without http(s) scheme or host."""
    written = receiver.base_url
    shown = re.sub(r"(?s)\?.+", "?…", re.sub("(?s)(?<=//).*@", "…@", written))
    try:
        parts = urlsplit(written)
        host, _ = parts.hostname, parts.port
    except ValueError:
        # The reason is left out: it may quote a password that makes the URL invalid.
        raise UsageError(f"the receiver's URL {shown!r} cannot be read", mend="mind its port") from None
    if parts.scheme not in ("http", "https") or not host:
        rest = shown.split("://")[-1].lstrip("/") or "localhost:8000"
        raise UsageError(
            f"the receiver's URL {shown!r} has no http:// or https:// and host", mend=f"write http://{rest}"
        )
    if any(character <= " " for character in written):
        raise UsageError(f"the receiver's URL {shown!r} has a blank or control character")
    return parts
