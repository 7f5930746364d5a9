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
from retailops_sandbox.model import Basic, Bearer, Headers, HttpRequest, Json, Receiver

if TYPE_CHECKING:
    from retailops_sandbox.contracts.catalogue import Contracts
    from retailops_sandbox.contracts.contract import Contract


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
) -> tuple[HttpRequest, Json]:
    """The exact request that delivers a payload, with the receiver's token where the contract wants it.

    With it, the JSON value of its body.
    """
    document = with_token(payload, contract, token)
    return build_raw(head, jsontext.compact(document), contract, token, headers), document


def build_raw(
    head: Head,
    body: bytes,
    contract: Contract,
    token: str,
    headers: Mapping[str, str | None] | None = None,
) -> HttpRequest:
    """The exact request that delivers bytes as they are.

    Where the contract proves the sender by a header, that one is made of the receiver's token. `headers` are
    the step's own: they replace it, too, or leave it out.
    """
    fields = head.headers
    if contract.auth is not None and contract.auth.header and token:
        fields = laid_over(fields, {contract.auth.header: auth.header_value(contract.auth, token, body)})
    return HttpRequest(head.method, head.url, laid_over(fields, headers) if headers else fields, body)
