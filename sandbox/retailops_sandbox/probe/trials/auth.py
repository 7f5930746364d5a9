"""Trials of the proof of the sender: after each wrong one comes a valid request about its order."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from retailops_sandbox import composing
from retailops_sandbox.contracts.auth import Auth
from retailops_sandbox.model import Deliver, Json, Wire, WrongProof
from retailops_sandbox.probe.fields import token_field
from retailops_sandbox.probe.mutations import MUTATIONS
from retailops_sandbox.probe.probes import Demand, Probe
from retailops_sandbox.probe.trials.making import AFTERWARDS, NOTHING, Attempt, Making

WRONG = "not-the-token-of-this-receiver"
"""A token that nobody has."""
LONG = "${text:4096}"
RESEMBLING: tuple[WrongProof, ...] = (
    "shortened",
    "lengthened",
    "altered",
    "other-case",
    "spaced",
    "in-array",
    "shortened-in-front",
    "lengthened-in-front",
)
"""The wrong proofs that resemble the right one, those that find most first."""
_OF_PAYLOADS: tuple[WrongProof, ...] = ("spaced", "in-array")
"""Those that are wrong in a payload only: HTTP takes blanks around a header's value away."""
_RIGHT_OR_NO_CHANGE = frozenset({"twice", "leading-zeros"})
"""The mutations that would leave the right token, or the wrong one as it is."""


def probes(making: Making) -> Iterator[Probe]:
    """Two probes: the right proof with those that resemble it, and those that do not."""
    auth = making.contract.auth
    if auth is None or not making.options.token:
        return
    name = "Who knows a part of the proof of the sender is refused"
    yield making.probe("auth/resembling", "auth", name, [*_right(making), *_resembling(making, auth)])
    name = "Who has no proof of the sender, or another one, is refused"
    attempts = [*_in_payload(making)] if auth.pointer else [*_in_header(making, auth)]
    yield making.probe("auth/other", "auth", name, attempts)


def _right(making: Making) -> Iterator[Attempt]:
    yield making.attempt(f"the right {_noun(making)}", "right", "accept", order=making.orders.next())


def _resembling(making: Making, auth: Auth) -> Iterator[Attempt]:
    for wrong in RESEMBLING:
        if auth.header and wrong in _OF_PAYLOADS:
            continue
        # A signature in hexadecimal digits is the same in either case.
        if wrong == "other-case" and auth.signature is not None and auth.signature.encoding == "hex":
            continue
        # What is no text breaks the request's schema, too, and may be refused for that.
        demand: Demand = "refuse somehow" if wrong == "in-array" else "refuse"
        name = f"{_noun(making)} {wrong.replace('-', ' ')}"
        yield from _refused(making, name, wrong, demand, wire=Wire(proof=wrong))


def _in_payload(making: Making) -> Iterator[Attempt]:
    """Tokens in the payload that do not resemble the right one."""
    field = token_field(making.contract)
    assert field is not None
    at = field.pointer
    yield from _refused(making, "another token", "wrong", "refuse", set={at: WRONG}, field=at)
    for mutation in MUTATIONS:
        if not mutation.applies(field) or mutation.key in _RIGHT_OR_NO_CHANGE:
            continue
        name = f"token {mutation.key.replace('-', ' ')}"
        if mutation.manner == "remove":
            yield from _refused(making, name, mutation.key, "refuse somehow", remove=[at], field=at)
            continue
        value = mutation.changed(WRONG)
        written = composing.escaped(value) if mutation.written is None else mutation.written
        breaks = making.breaks_contract({at: value})
        sent = {at: written}
        yield from _refused(
            making, name, mutation.key, "refuse somehow", set=sent, off_contract=breaks, field=at
        )


def _in_header(making: Making, auth: Auth) -> Iterator[Attempt]:
    """Headers that prove nothing, and do not resemble the right one."""
    noun = _noun(making)
    other = "0" * 64 if auth.signature is not None else WRONG
    tried: tuple[tuple[str, str, Demand, str | None], ...] = (
        (f"another {noun}", "wrong", "refuse", auth.before_secret + other),
        (f"{noun} missing", "missing", "refuse somehow", None),
        (f"{noun} empty", "empty-text", "refuse somehow", ""),
        (f"{auth.before_secret}alone", "nothing-behind", "refuse somehow", auth.before_secret.strip()),
        (f"{noun} 4096 characters", "4096-characters", "refuse somehow", auth.before_secret + LONG),
    )
    for name, what, demand, value in tried:
        if what != "nothing-behind" or value:
            yield from _refused(making, name, what, demand, headers={auth.header: value})


def _refused(
    making: Making,
    name: str,
    what: str,
    demand: Demand,
    *,
    set: Mapping[str, Json] = NOTHING,
    remove: Sequence[str] = (),
    headers: dict[str, str | None] | None = None,
    wire: Wire | None = None,
    off_contract: bool = False,
    field: str = "",
) -> Iterator[Attempt]:
    """A request that must be refused, then a valid one about the same order, which shows an effect."""
    order = making.orders.next()
    yield making.attempt(
        name,
        what,
        demand,
        order=order,
        set=set,
        remove=remove,
        deliver=Deliver(headers=headers) if headers else None,
        wire=wire,
        off_contract=off_contract,
        field=field,
    )
    yield making.attempt(f"{name}, then the right one", AFTERWARDS, "accept", order=order, after=name)


def _noun(making: Making) -> str:
    """What proves the sender: `token` or `signature`."""
    return making.contract.auth.kind if making.contract.auth is not None else ""
