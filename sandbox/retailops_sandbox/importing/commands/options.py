"""Options of programs and cmdlets that send requests, by what they mean for the request."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Literal, NamedTuple

Kind = Literal["request", "secret", "receiver", "no effect", "refused"]


class Option(NamedTuple):
    """What an option means for the request."""

    kind: Kind
    has_value: bool
    why: str = ""
    """Why the option is refused; for an option with a secret, what the secret is."""


def options(
    *,
    request: Iterable[str] = (),
    request_switches: Iterable[str] = (),
    secret: Mapping[str, str] = {},
    receiver_switches: Iterable[str] = (),
    receiver: Iterable[str] = (),
    idle_switches: Iterable[str] = (),
    idle: Iterable[str] = (),
    refused_switches: Mapping[str, str] = {},
    refused: Mapping[str, str] = {},
) -> dict[str, Option]:
    """The options of these names, by name. `secret` and `refused` say why; switches have no value."""
    return {
        **dict.fromkeys(request, Option("request", True)),
        **dict.fromkeys(request_switches, Option("request", False)),
        **{name: Option("secret", True, what) for name, what in secret.items()},
        **dict.fromkeys(receiver_switches, Option("receiver", False)),
        **dict.fromkeys(receiver, Option("receiver", True)),
        **dict.fromkeys(idle_switches, Option("no effect", False)),
        **dict.fromkeys(idle, Option("no effect", True)),
        **{name: Option("refused", False, why) for name, why in refused_switches.items()},
        **{name: Option("refused", True, why) for name, why in refused.items()},
    }
