"""The receiver under test, as `receivers.json` holds it."""

from __future__ import annotations

from typing import Any

import msgspec


class Basic(msgspec.Struct, frozen=True, tag="basic", tag_field="kind", forbid_unknown_fields=True):
    username: str
    password: str


class Bearer(msgspec.Struct, frozen=True, tag="bearer", tag_field="kind", forbid_unknown_fields=True):
    token: str


class Netrc(msgspec.Struct, frozen=True, tag="netrc", tag_field="kind", forbid_unknown_fields=True):
    """User and password come from the user's netrc file."""


class Receiver(msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """The integrator's endpoint under test, as `receivers.json` holds it. Strings may hold placeholders."""

    name: str
    base_url: str
    paths: dict[str, str] = {}
    """Action to path, where it is not the contract's; may be empty."""
    headers: dict[str, str] = {}
    auth: Basic | Bearer | Netrc | None = None
    token: str = ""
    """The shared secret that *build* puts at the contract's auth pointer."""
    variables: dict[str, Any] = {}
    secret_env: tuple[str, ...] = ()
    """Names of further environment variables whose values are secret."""
    timeout_ms: int = 15_000
    connect_timeout_ms: int = 5_000
    verify: bool = True
    ca_file: str = ""
    client_cert: str = ""
    client_key: str = ""
    proxy: str = ""
    follow_redirects: bool = False
    protected: bool = False
    """Nothing is sent without an explicit yes for that send."""
    stand_in: bool = False
