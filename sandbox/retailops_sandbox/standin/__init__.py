"""The stand-in: the small receiver that ships with the sandbox, so that it works before yours exists.

It answers every action as one shop: by the rules in `shop.json`, with the orders in `orders.json`. It
misbehaves where `/misbehave/<kind>` or `/misbehave/<kind>/<amount>` precedes a contract's path: a receiver
with the base URL `http://127.0.0.1:8081/misbehave/slow/300` takes 300 ms longer.
An action that the rules do not know, as a workspace's own, is answered by its contract's example.

shop           the shop's state, and its answers
misbehaviour   the ways to misbehave
"""

from __future__ import annotations

import asyncio
import re
from pathlib import Path

import msgspec

from retailops_sandbox import diagnostics, httpserver, jsontext
from retailops_sandbox.contracts import auth
from retailops_sandbox.contracts.catalogue import SHIPPED_CONTRACTS, ContractSource
from retailops_sandbox.contracts.contract import Contract
from retailops_sandbox.errors import SandboxError, SourceError
from retailops_sandbox.httpserver import Request, Response
from retailops_sandbox.model import Json
from retailops_sandbox.standin.misbehaviour import MISBEHAVIOURS, Call
from retailops_sandbox.standin.shop import Order, Rules, Shop

TOKEN = "RETAILOPS_SDK"
"""The token that the stand-in expects where a contract has one. No secret: the SDK's test value."""

_MISBEHAVE = re.compile(r"/misbehave/([a-z0-9-]+)(?:/(\d{1,6}))?(/.*)")


_logger = diagnostics.logger(__name__)


class StandIn:
    """A receiver in the caller's event loop. A new one, or one after `reset`, has fresh orders and lists."""

    def __init__(self, contracts: ContractSource = lambda: SHIPPED_CONTRACTS) -> None:
        rules, orders = (Path(__file__).with_name(name).read_bytes() for name in ("shop.json", "orders.json"))
        self.shop = Shop(
            msgspec.json.decode(rules, type=Rules), msgspec.json.decode(orders, type=tuple[Order, ...])
        )
        self._contracts = contracts
        self._listener = httpserver.Listener(self._exchange)

    async def start(self, host: str = "127.0.0.1", port: int = 0) -> str:
        """Listen, and return the base URL. Port 0 takes a free one; OSError if the port is taken."""
        url = await self._listener.start(host, port)
        _logger.info("started at %s", url)
        return url

    async def stop(self) -> None:
        """Stop listening and drop every connection."""
        await self._listener.stop()

    def reset(self) -> None:
        """Put every order and list back into its first state."""
        self.shop.reset()

    @property
    def actions(self) -> list[str]:
        """The actions that it answers."""
        return list(dict.fromkeys(action for action, _ in self._contracts().names))

    async def _exchange(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        """Answer one request; the result is whether another may follow."""
        request = await httpserver.read_request(reader, writer)
        if request is None:
            return False
        match = _MISBEHAVE.fullmatch(request.path)
        if match and match[1] in MISBEHAVIOURS:
            kind = MISBEHAVIOURS[match[1]]
            response = self._answer(request._replace(path=match[3]))
            await kind.act(Call(reader, writer, response, match[3], int(match[2] or kind.amount)))
            return False
        response = self._answer(request)
        if request.method == "HEAD":
            response = response._replace(body=b"")
        writer.write(httpserver.spelled(response, keep_alive=request.keep_alive))
        await writer.drain()
        return request.keep_alive

    # --- answers ---

    def _answer(self, request: Request) -> Response:
        contracts = self._contracts()
        names = (each.name for each in contracts.headings if each.path == request.path)
        name = next(names, None)
        if name is None:
            return httpserver.text_response(200 if request.path == "/" else 404, self._overview())
        try:
            agreed = contracts.load(*name)
        except SandboxError as error:
            return httpserver.json_response(500, {"error": str(error)})
        if request.method != agreed.method:
            what = f"{agreed.path} takes {agreed.method} only"
            return httpserver.json_response(405, {"error": what}, ("Allow", agreed.method))
        try:
            payload = jsontext.parse(request.body)
        except SourceError as error:
            return httpserver.json_response(400, {"error": str(error)})
        is_authentic = auth.is_authentic(agreed.auth, request.headers, request.body, payload, TOKEN)
        if agreed.auth and not is_authentic:
            what = f"{agreed.auth.place} is missing or wrong"
            challenge = ("WWW-Authenticate", "RetailOPS-Token")
            return httpserver.json_response(agreed.auth.status, {"error": what}, challenge)
        return self._act(agreed, payload)

    def _act(self, agreed: Contract, payload: Json) -> Response:
        violations = agreed.check_request(payload)
        if violations:
            return httpserver.json_response(
                422, {"error": "the payload breaks the contract", "violations": violations}
            )
        name = agreed.action, agreed.edition
        answer = self.shop.answer(*name, payload) if self.shop.knows(*name) else agreed.examples.response
        return httpserver.json_response(agreed.ok_statuses[0], answer)

    def _overview(self) -> str:
        lines = ["The stand-in receiver of the RetailOPS sandbox.", "", "It answers"]
        contracts = self._contracts()
        answered = [contracts.load(*name) for name in contracts.names]
        lines += [f"  {each.method} {each.path}" for each in answered]
        lines += [
            "",
            "It misbehaves under /misbehave/KIND or /misbehave/KIND/AMOUNT, followed by one of these",
        ]
        for name, kind in MISBEHAVIOURS.items():
            amount = f" ({kind.unit}, {kind.amount} unless told)" if kind.unit else ""
            lines.append(f"  {name:15} {kind.what}{amount}")
        lines += ["", "Its orders"]
        lines += [f"  id {order.id}, refnum {order.refnum}: {order.state}" for order in self.shop.orders]
        for name, records in self.shop.lists.items():
            lines += ["", f"Its {name}"]
            lines += [f"  {key}: {value}" for key, value in records.items()]
        return "\n".join([*lines, ""])
