"""A receiver that is careful: it answers the requests of every contract as one shop.

What cannot be read, what proves no sender and what breaks its contract is refused with a status from 400 to
499. Careless receivers derive from it (`careless`).
"""

from __future__ import annotations

import zlib

from retailops_sandbox import jsontext
from retailops_sandbox.contracts import auth
from retailops_sandbox.contracts.catalogue import ContractSource
from retailops_sandbox.contracts.contract import Contract
from retailops_sandbox.errors import SandboxError, SourceError
from retailops_sandbox.httpserver import (
    MAX_BODY,
    RefusedError,
    Request,
    Response,
    json_response,
    text_response,
)
from retailops_sandbox.model import Json, Violation
from retailops_sandbox.standin.shop import Shop

TOKEN = "RETAILOPS_SDK"
"""The token that the stand-in expects where a contract has one. No secret: the SDK's test value."""

_WINDOW_BITS = {"gzip": 31, "deflate": 15}
"""The content-codings that are undone, and how zlib is told of each."""


class Receiver:
    """Answers the requests of every contract, by the rules and in the state of one shop."""

    def __init__(self, shop: Shop, contracts: ContractSource) -> None:
        self.shop = shop
        self._contracts = contracts

    async def answer(self, request: Request) -> Response | None:
        """The answer to a request; None for never."""
        contracts = self._contracts()
        name = next((each.name for each in contracts.headings if each.path == request.path), None)
        if name is None:
            return text_response(404, f"There is nothing at {request.path}; / lists what there is.\n")
        try:
            agreed = contracts.load(*name)
        except SandboxError as error:
            return json_response(500, {"error": str(error)})
        if request.method != agreed.method:
            what = f"{agreed.path} takes {agreed.method} only"
            return json_response(405, {"error": what}, ("Allow", agreed.method))
        try:
            payload = jsontext.parse(_decoded(request))
        except RefusedError as refused:
            return refused.response
        except SourceError as error:
            return self.unreadable(agreed, str(error))
        if not self.is_authentic(agreed, request, payload):
            assert agreed.auth is not None
            what = f"{agreed.auth.place} is missing or wrong"
            challenge = ("WWW-Authenticate", "RetailOPS-Token")
            return json_response(agreed.auth.status, {"error": what}, challenge)
        violations = agreed.check_request(payload)
        if violations:
            return await self.off_contract(agreed, payload, violations)
        return await self.act(agreed, payload)

    def is_authentic(self, agreed: Contract, request: Request, payload: Json) -> bool:
        """Whether a request proves that its sender knows the token."""
        return auth.is_authentic(agreed.auth, request.headers, request.body, payload, TOKEN)

    def unreadable(self, agreed: Contract, error: str) -> Response:
        """The answer to what is no JSON."""
        return json_response(400, {"error": error})

    async def off_contract(
        self, agreed: Contract, payload: Json, violations: tuple[Violation, ...]
    ) -> Response | None:
        """The answer to a payload that breaks its contract."""
        what = "the payload breaks the contract"
        return json_response(422, {"error": what, "violations": violations})

    async def act(self, agreed: Contract, payload: Json) -> Response | None:
        """The answer to a payload that keeps its contract, after what it asks for was done."""
        name = agreed.action, agreed.edition
        answer = self.shop.answer(*name, payload) if self.shop.knows(*name) else agreed.examples.response
        return json_response(agreed.ok_statuses[0], answer)


def _decoded(request: Request) -> bytes:
    """The body without its content-coding; RefusedError for one that is not known, wrong or too large."""
    coding = request.header("content-encoding").lower()
    if coding in ("", "identity"):
        return request.body
    if coding not in _WINDOW_BITS:
        raise RefusedError(415, f"a body may be coded as {' or '.join(_WINDOW_BITS)}, not as {coding}")
    undoing = zlib.decompressobj(_WINDOW_BITS[coding])
    try:
        body = undoing.decompress(request.body, MAX_BODY)
    except zlib.error:
        raise RefusedError(400, f"the body is not {coding}") from None
    if undoing.unconsumed_tail:
        raise RefusedError(413, f"a body may have {MAX_BODY} bytes")
    if not undoing.eof:
        raise RefusedError(400, f"the body ends in the middle of its {coding}")
    return body
