"""The receiver under test, as `receivers.json` holds it.

The descriptions of the fields also go into the JSON Schema by which editors complete the file.
"""

from __future__ import annotations

from typing import Annotated, Any, TypeAlias

import msgspec
from msgspec import Meta

from retailops_sandbox.model.wire import LONGEST_MS

_Limit: TypeAlias = Annotated[int, Meta(extra_json_schema={"minimum": 1, "maximum": LONGEST_MS})]
"""The bounds are in the JSON Schema alone: one receiver out of bounds must not make the others unreadable."""

_Secret: TypeAlias = Annotated[str, Meta(description="A ${env:NAME} reference.")]


class Basic(msgspec.Struct, frozen=True, tag="basic", tag_field="kind", forbid_unknown_fields=True):
    """User and password."""

    username: Annotated[str, Meta(description="The user.")]
    password: _Secret


class Bearer(msgspec.Struct, frozen=True, tag="bearer", tag_field="kind", forbid_unknown_fields=True):
    """A bearer token."""

    token: _Secret


class Netrc(msgspec.Struct, frozen=True, tag="netrc", tag_field="kind", forbid_unknown_fields=True):
    """User and password come from the user's netrc file."""


class Receiver(msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """The integrator's endpoint under test. Strings may hold placeholders."""

    name: Annotated[str, Meta(description="What it is called here.")]
    base_url: Annotated[
        str,
        Meta(description="The URL that the contract's path is appended to, unless it ends in one already."),
    ]
    paths: Annotated[
        dict[str, str],
        Meta(
            description="Action to path, where that is not the contract's: appended as it is. May be empty."
        ),
    ] = {}
    editions: Annotated[
        tuple[str, ...],
        Meta(
            description="The editions that it speaks, draft or v1. "
            "Guessed from its URL, its paths and its token where absent."
        ),
    ] = ()
    headers: Annotated[
        dict[str, str],
        Meta(description="Headers of every delivery. Secrets are ${env:NAME} references."),
    ] = {}
    auth: Annotated[
        Basic | Bearer | Netrc | None,
        Meta(
            description="How it is proved who calls: basic, bearer or netrc. "
            "Secrets are ${env:NAME} references."
        ),
    ] = None
    token: Annotated[
        str,
        Meta(
            description="The token or secret that proves who calls, a ${env:NAME} reference: "
            "used as the contract says."
        ),
    ] = ""
    variables: Annotated[dict[str, Any], Meta(description="Values for placeholders, by name.")] = {}
    secret_env: Annotated[
        tuple[str, ...],
        Meta(description="Further environment variables whose values are never written anywhere."),
    ] = ()
    timeout_ms: Annotated[_Limit, Meta(description="How long a delivery may take.")] = 15_000
    connect_timeout_ms: Annotated[_Limit, Meta(description="How long connecting may take.")] = 5_000
    verify: Annotated[bool, Meta(description="Whether its certificate is verified.")] = True
    ca_file: Annotated[str, Meta(description="The authorities that its certificate is verified with.")] = ""
    client_cert: Annotated[str, Meta(description="The client certificate.")] = ""
    client_key: Annotated[str, Meta(description="The client certificate's key.")] = ""
    proxy: Annotated[str, Meta(description="The proxy to send through.")] = ""
    follow_redirects: Annotated[bool, Meta(description="Whether redirects are followed.")] = False
    protected: Annotated[bool, Meta(description="Nothing is sent without an explicit yes for that send.")] = (
        False
    )
    stand_in: Annotated[
        bool, Meta(description="It is the stand-in, which proves nothing about a real receiver.")
    ] = False
