"""How a request proves its sender: by a token in the payload, by a token in a header, or by a signature."""

# No `from __future__ import annotations`: msgspec would compile each string when the first contract is read.

import re
from typing import Literal

import msgspec

from retailops_sandbox.jsontext import pointer as pointers
from retailops_sandbox.model import Headers, Json, WrongProof, encoder

# hmac and base64 are imported where a signature is made: few contracts have one.

_OF_THE_CONNECTION = frozenset({"host", "connection", "content-length", "content-type", "transfer-encoding"})
"""The headers that every request has of its own."""


class Signature(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An HMAC of the body's exact bytes, whose key is the receiver's secret."""

    algorithm: Literal["sha256", "sha1", "sha512"]
    """The hash of the HMAC."""
    encoding: Literal["hex", "base64"]
    """How its bytes are written."""
    prefix: str = ""
    """The text before the signature in its header, such as `sha256=`."""


class Auth(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How a request proves its sender, and the status that must answer a wrong proof.

    It is one of three: a token at `pointer`, a token in `header`, or a `signature` in `header`.
    """

    pointer: str = ""
    """The pointer of the token in the payload."""
    header: str = ""
    """The name of the header that proves the sender."""
    scheme: str = ""
    """The word before the token in the header, such as `Bearer`."""
    signature: Signature | None = None
    """The HMAC of the body that the header holds; null for a token."""
    status: int
    """The status that must answer a wrong proof."""

    @property
    def place(self) -> str:
        """Where the proof stands: a pointer into the payload, or `header NAME`."""
        return self.pointer or f"header {self.header}"

    @property
    def kind(self) -> Literal["token", "signature"]:
        """What the proof is."""
        return "token" if self.signature is None else "signature"

    @property
    def before_secret(self) -> str:
        """The text before token or signature in the header's value."""
        if self.signature is not None:
            return self.signature.prefix
        return f"{self.scheme} " if self.scheme else ""

    @property
    def recipe(self) -> str:
        """How the proof is made of the receiver's token or secret, in words."""
        if self.signature is None:
            return f"{self.scheme} and the receiver's token" if self.scheme else "the receiver's token"
        name = f"HMAC-{self.signature.algorithm.upper()}"
        made = f"the {name} of the body in {self.signature.encoding}, by the receiver's secret"
        return f"{self.signature.prefix} and {made}" if self.signature.prefix else made


def how_made(agreed: Auth) -> str:
    """`X-Signature: ` and how this header is made, in words."""
    return f"{agreed.header}: {agreed.recipe}"


def signature(made: Signature, secret: str, body: bytes) -> str:
    """The signature of a body, without its prefix."""
    import hmac
    from base64 import b64encode

    digest = hmac.digest(secret.encode("utf-8", "surrogateescape"), body, made.algorithm)
    return digest.hex() if made.encoding == "hex" else b64encode(digest).decode()


def header_value(auth: Auth, token: str, body: bytes, wrong: WrongProof | None = None) -> str:
    """The value of the header that proves the sender of a body. `token` is the receiver's token or secret.

    `wrong` says how the proof is made wrong.
    """
    made = token if auth.signature is None else signature(auth.signature, token, body)
    return auth.before_secret + (made if wrong is None else made_wrong(made, wrong))


def made_wrong(proof: str, wrong: WrongProof) -> str:
    """A token or a signature that proves nothing, but resembles the right one; an array is JSON text."""
    more, swapped = _another(proof), proof.swapcase()
    altered = proof[:-1] + more
    made: dict[WrongProof, str] = {
        "shortened": proof[:-1],
        "shortened-in-front": proof[1:],
        "lengthened": proof + more,
        "lengthened-in-front": more + proof,
        "altered": altered,
        # A proof without letters has no other case.
        "other-case": swapped if swapped != proof else altered,
        "spaced": f" {proof} ",
        "in-array": encoder.encode([proof]).decode(),
    }
    return made[wrong]


def _another(proof: str) -> str:
    """A character that is not the last one, and is one of hexadecimal digits and of base64."""
    return "1" if proof.endswith("0") else "0"


def is_authentic(auth: Auth | None, headers: Headers, body: bytes, payload: Json, token: str) -> bool:
    """Whether a request proves that its sender knows a receiver's token; always where no proof is asked.

    `body` are the exact bytes as they came, and `payload` is their JSON value. The comparison takes as long
    for any wrong proof.
    """
    import hmac

    if auth is None:
        return True
    if auth.pointer:
        given, wanted = [pointers.get(payload, auth.pointer, None)], token
    else:
        given = [value for name, value in headers if name.lower() == auth.header.lower()]
        wanted = header_value(auth, token, body)
    if len(given) != 1 or not isinstance(given[0], str) or not token:
        return False
    return hmac.compare_digest(given[0].encode("utf-8", "surrogatepass"), wanted.encode())


def problem(auth: Auth) -> tuple[str, str] | None:
    """The first mistake in a contract's auth: the pointer within it, and what it is."""
    if bool(auth.pointer) == bool(auth.header):
        return "", "it says where the proof stands: a pointer into the payload, or a header"
    if auth.pointer and (auth.scheme or auth.signature):
        return "", "a scheme or a signature goes with a header, not with a pointer"
    if auth.header and not re.fullmatch(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+", auth.header):
        return "/header", "it is not a header name: letters, digits and hyphens only"
    if auth.header.lower() in _OF_THE_CONNECTION:
        return "/header", "every request has this header of its own: name another one"
    if auth.scheme and auth.signature:
        return "/scheme", "a signature has a prefix, not a scheme"
    if not re.fullmatch(r"[!-~]*", auth.scheme):
        return "/scheme", "it is one word of ASCII, such as Bearer"
    if auth.signature and not re.fullmatch(r"[ -~]*", auth.signature.prefix):
        return "/signature/prefix", "it is printable ASCII, such as sha256="
    return None
