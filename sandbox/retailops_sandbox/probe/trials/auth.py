"""Trials of the proof of the sender: after each wrong one comes a valid request about its order."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from retailops_sandbox import composing
from retailops_sandbox.contracts.auth import Auth
from retailops_sandbox.model import Deliver, Json, Wire, WrongProof
from retailops_sandbox.probe.fields import token_field
from retailops_sandbox.probe.mutations import MUTATIONS
from retailops_sandbox.probe.probes import Demand, Probe
from retailops_sandbox.probe.trials.making import AFTERWARDS, NOTHING, Making

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
_NOT_OF_TOKENS = frozenset({"twice", "leading-zeros", "other-scripts", "astral-characters"})
"""The mutations that would leave the right token, or the wrong one as it is; and text that is not ASCII, at
which functions that compare in constant time raise an error, so that careful receivers crash, too."""


def probes(making: Making) -> Iterator[Probe]:
    """The right proof, and a probe for each wrong one."""
    auth = making.contract.auth
    if auth is None:
        return
    if not making.options.token:
        # Who accepts one that is made up looks at none.
        yield from _made_up(making, auth)
        return
    right = making.attempt(f"the right {auth.kind}", "right", "accept", order=making.orders.next())
    name = f"Who has the right {auth.kind} is accepted"
    yield making.probe("auth/right", "auth", name, [right])
    yield from _resembling(making, auth)
    yield from _in_payload(making, auth.pointer) if auth.pointer else _in_header(making, auth)


def _made_up(making: Making, auth: Auth) -> Iterator[Probe]:
    """A wrong proof that needs no right one."""
    found = _in_payload(making, auth.pointer) if auth.pointer else _in_header(making, auth)
    yield next(found)


def _resembling(making: Making, auth: Auth) -> Iterator[Probe]:
    for wrong in RESEMBLING:
        if auth.header and wrong in _OF_PAYLOADS:
            continue
        # A signature in hexadecimal digits is the same in either case.
        if wrong == "other-case" and auth.signature is not None and auth.signature.encoding == "hex":
            continue
        # What is no text breaks the request's schema, too, and may be refused for that.
        demand: Demand = "refuse somehow" if wrong == "in-array" else "refuse"
        yield _refused(making, auth, wrong, demand, wire=Wire(proof=wrong))


def _in_payload(making: Making, at: str) -> Iterator[Probe]:
    """Tokens in the payload that do not resemble the right one."""
    field, auth = token_field(making.contract), making.contract.auth
    assert field is not None
    assert auth is not None
    yield _refused(making, auth, "wrong", "refuse", set={at: WRONG}, field=at)
    for mutation in MUTATIONS:
        if not mutation.applies(field) or mutation.key in _NOT_OF_TOKENS:
            continue
        what: str = mutation.key
        if what == "number":
            yield _zero(making, auth, at)
        if mutation.manner == "remove":
            yield _refused(making, auth, what, "refuse somehow", remove=[at], field=at)
            continue
        value = mutation.changed(WRONG)
        sent = {at: composing.escaped(value) if mutation.written is None else mutation.written}
        breaks = making.breaks_contract({at: value})
        yield _refused(making, auth, what, "refuse somehow", set=sent, off_contract=breaks, field=at)


def _zero(making: Making, auth: Auth, at: str) -> Probe:
    """The number 0, to which any text is equal where types are converted to compare."""
    breaks = making.breaks_contract({at: 0})
    return _refused(making, auth, "zero", "refuse somehow", set={at: 0}, off_contract=breaks, field=at)


def _in_header(making: Making, auth: Auth) -> Iterator[Probe]:
    """Headers that prove nothing, and do not resemble the right one."""
    other = "0" * 64 if auth.signature is not None else WRONG
    tried: tuple[tuple[str, Demand, str | None], ...] = (
        ("wrong", "refuse", auth.before_secret + other),
        ("missing", "refuse somehow", None),
        ("empty-text", "refuse somehow", ""),
        ("nothing-behind", "refuse somehow", auth.before_secret.strip()),
        ("4096-characters", "refuse somehow", auth.before_secret + LONG),
    )
    for what, demand, value in tried:
        if what != "nothing-behind" or value:
            yield _refused(making, auth, what, demand, headers={auth.header: value})


def _refused(
    making: Making,
    auth: Auth,
    what: str,
    demand: Demand,
    *,
    set: Mapping[str, Json] = NOTHING,
    remove: Sequence[str] = (),
    headers: dict[str, str | None] | None = None,
    wire: Wire | None = None,
    off_contract: bool = False,
    field: str = "",
) -> Probe:
    """A request that must be refused, then a valid one about the same order, which shows an effect.

    Where all requests are about one order, which was acted on before, nothing would show it.
    """
    order = making.orders.next()
    name = f"{auth.kind} {what.replace('-', ' ')}"
    refused = making.attempt(
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
    after = making.attempt(f"the right {auth.kind}", AFTERWARDS, "accept", order=order, after=name)
    title = f"A wrong {auth.kind} is refused, and does nothing: {what.replace('-', ' ')}"
    attempts = [refused, after] if making.orders.are_own else [refused]
    return making.probe(f"auth/{what}", "auth", title, attempts)
