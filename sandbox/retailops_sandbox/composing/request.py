"""The exact request: the payload as bytes, with the headers of receiver and step. Pure."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import TYPE_CHECKING

import msgspec

from retailops_sandbox import __version__, jsontext
from retailops_sandbox.composing.headers import laid_over
from retailops_sandbox.composing.payload import Payload, with_token
from retailops_sandbox.composing.receiver import url
from retailops_sandbox.contracts import auth
from retailops_sandbox.errors import ComposeError
from retailops_sandbox.model import Basic, Bearer, Headers, HttpRequest, Json, Receiver, Wire, WrongProof

if TYPE_CHECKING:
    from retailops_sandbox.contracts.catalogue import Contracts
    from retailops_sandbox.contracts.contract import Contract

_PROOF = "/deliver/wire/proof"


class Head(msgspec.Struct, frozen=True):
    """The start of every request to a resolved receiver, the same for all steps of one contract."""

    method: str
    url: str
    headers: Headers


def head(contract: Contract, receiver: Receiver, contracts: Contracts) -> Head:
    """The start of requests to a resolved receiver, whose headers replace the usual ones of the same name.

    `contracts` are those whose paths the receiver's URL may end in.
    """
    given = {"Content-Type": "application/json", "Accept": "*/*"}
    given["User-Agent"] = f"retailops-sandbox/{__version__}"
    if isinstance(receiver.auth, Basic):
        pair = f"{receiver.auth.username}:{receiver.auth.password}".encode()
        given["Authorization"] = "Basic " + base64.b64encode(pair).decode()
    elif isinstance(receiver.auth, Bearer):
        given["Authorization"] = f"Bearer {receiver.auth.token}"
    address = url(receiver, contract, contracts)
    return Head(contract.method, address, laid_over(tuple(given.items()), receiver.headers))


def build(
    head: Head,
    payload: Payload,
    contract: Contract,
    token: str,
    headers: Mapping[str, str | None] | None = None,
    wire: Wire | None = None,
) -> tuple[HttpRequest, Json]:
    """The exact request that delivers a payload, with the receiver's token where the contract wants it.

    With it, the JSON value of its body. `wire` is how the request is spelled, with its placeholders filled;
    ComposeError where it cannot be.
    """
    document = with_token(payload, contract, _token(contract, token, wire))
    return _request(head, jsontext.compact(document), contract, token, headers, wire), document


def build_raw(
    head: Head,
    body: bytes,
    contract: Contract,
    token: str,
    headers: Mapping[str, str | None] | None = None,
    wire: Wire | None = None,
) -> HttpRequest:
    """The exact request that delivers bytes, as they are unless `wire` encodes or compresses them.

    Where the contract proves the sender by a header, that one is made of the receiver's token. `headers` are
    the step's own: they replace it, too, or leave it out.
    """
    _token(contract, token, wire)  # raw bytes hold none, but the header may
    return _request(head, body, contract, token, headers, wire, is_raw=True)


def _request(
    head: Head,
    composed: bytes,
    contract: Contract,
    token: str,
    headers: Mapping[str, str | None] | None,
    wire: Wire | None,
    *,
    is_raw: bool = False,
) -> HttpRequest:
    if wire is not None or (headers and None in headers.values()):
        from retailops_sandbox.composing import wire as spelling

        left_out = spelling.left_out(headers)
        if wire is not None or left_out:
            wire = wire or Wire()
            body = spelling.spelled(composed, wire, is_raw=is_raw)
            fields = _fields(head, body, contract, token, headers, wire.proof)
            return HttpRequest(
                wire.method or head.method,
                spelling.url(wire, head.url),
                spelling.fields(fields, wire, headers),
                body,
                wire,
                None if body is composed else composed,
                left_out,
            )
    return HttpRequest(head.method, head.url, _fields(head, composed, contract, token, headers), composed)


def _token(contract: Contract, token: str, wire: Wire | None) -> Json:
    """The token as it goes into a payload; ComposeError where there is none to make wrong."""
    if wire is None or wire.proof is None:
        return token
    if contract.auth is None:
        what = f"{contract.action} in {contract.edition} has no proof of the sender that could be wrong"
        raise ComposeError(what, pointer=_PROOF, mend="leave it out")
    if not token:
        what = "the receiver has no token that could be made wrong"
        raise ComposeError(what, pointer=_PROOF, mend="give it one, by --receiver-token or on its page")
    return [token] if wire.proof == "in-array" else auth.made_wrong(token, wire.proof)


def _fields(
    head: Head,
    body: bytes,
    contract: Contract,
    token: str,
    headers: Mapping[str, str | None] | None,
    wrong: WrongProof | None = None,
) -> Headers:
    fields = head.headers
    if contract.auth is not None and contract.auth.header and token:
        proof = auth.header_value(contract.auth, token, body, wrong)
        fields = laid_over(fields, {contract.auth.header: proof})
    return laid_over(fields, headers) if headers else fields
