"""A Content-Encoding that nobody asked for: a client that cannot undo it gets no answer."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache

from retailops_sandbox.model import Headers, Violation

_TACIT = frozenset(["gzip", "x-gzip", "identity"])
"""The codings that are acceptable where none is asked for: RetailOPS' published tool asks for gzip itself."""
_KNOWN = frozenset(["gzip", "x-gzip", "deflate", "br", "zstd", "compress", "x-compress", "dcb", "dcz", "exi"])
_NAME = 40
"""The most characters of a coding's name that are quoted."""


@lru_cache(maxsize=64)
def violations(sent: Headers, received: Headers) -> tuple[Violation, ...]:
    """The violation of an answer in a coding that its request did not ask for; empty where there is none."""
    codings = [coding for coding in _listed(received, "content-encoding") if coding != "identity"]
    if not codings:
        return ()
    asked = set(_listed(sent, "accept-encoding"))
    allowed = asked | {"identity"} if asked else _TACIT
    unasked = [coding[:_NAME] for coding in codings if coding not in allowed]
    if not unasked or "*" in asked:
        return ()
    named = ", ".join(unasked)
    if any(coding not in _KNOWN for coding in unasked):
        mend = "leave the header out: a Content-Encoding is how a body was compressed, and no charset"
    else:
        mend = "answer without compression, or as an Accept-Encoding of the request allows"
    message = f"{named} was not asked for: a client that cannot undo it gets no answer"
    return (Violation("/Content-Encoding", "content-encoding", message, part="headers", hints=(mend,)),)


def _listed(headers: Headers, wanted: str) -> Iterable[str]:
    """The codings that a header names, without those of which it says `;q=0`."""
    for name, value in headers:
        if name.lower() == wanted:
            for each in value.split(","):
                coding, _, weight = each.partition(";")
                if coding.strip() and weight.replace(" ", "") not in ("q=0", "q=0.0", "q=0.00", "q=0.000"):
                    yield coding.strip().lower()
