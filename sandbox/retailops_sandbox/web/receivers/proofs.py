"""What a receiver's token is for: where the contracts put it, or what they sign with it."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from retailops_sandbox.contracts.auth import Auth
from retailops_sandbox.contracts.contract import Contract
from retailops_sandbox.jsontext import pointer

_NAMED = 3
"""The most contracts that are named beside one use."""


class TokenField(msgspec.Struct, frozen=True):
    """The field for a receiver's token, as the contracts use it."""

    name: str
    """What it is called: `integration_auth_token`, or where there are several uses, `token or secret`."""
    label: str
    uses: Sequence[str]
    """Each use in words, where there are several, or the label does not say it all."""


def token_field(contracts: Sequence[Contract]) -> TokenField:
    """The field for the token by these contracts."""
    users: dict[Auth, list[Contract]] = {}
    for each in contracts:
        if each.auth is not None:
            users.setdefault(msgspec.structs.replace(each.auth, status=0), []).append(each)
    if not users:
        return TokenField("token", "Token", ("No contract asks for one",))
    by = {auth: _named(of, contracts) for auth, of in users.items()}
    if len(by) == 1:
        ((auth, words),) = by.items()
        return TokenField(_place(auth), f"{_label(auth)} ({words})", () if auth.pointer else (_use(auth),))
    kinds = dict.fromkeys("secret" if auth.signature else "token" for auth in users)
    name = " or ".join(sorted(kinds, reverse=True))
    return TokenField(name, name.capitalize(), [f"{_use(auth)} ({words})" for auth, words in by.items()])


def _named(of: Sequence[Contract], contracts: Sequence[Contract]) -> str:
    """Some contracts in a few words: those that are a whole edition by its name."""
    here = {(each.action, each.edition) for each in of}
    mixed = {each.edition for each in contracts if (each.action, each.edition) not in here}
    whole = dict.fromkeys(each.edition for each in of if each.edition not in mixed)
    others = [f"{each.action} {each.edition}" for each in of if each.edition in mixed]
    more = [f"{len(others) - _NAMED} more"] if len(others) > _NAMED else []
    return ", ".join([*whole, *others[:_NAMED], *more])


def _label(auth: Auth) -> str:
    if auth.pointer:
        return _place(auth)
    return f"Secret of {auth.header}" if auth.signature else f"Token in {auth.header}"


def _place(auth: Auth) -> str:
    return pointer.parse(auth.pointer)[-1] if auth.pointer else auth.header


def _use(auth: Auth) -> str:
    if auth.pointer:
        return f"It goes into {_place(auth)} of the payload"
    return f"The header {auth.header} is made of it: {auth.recipe}"
