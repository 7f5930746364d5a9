"""The stand-in: the small receiver that ships with the sandbox, so that it works before yours exists.

It answers every action as one shop: by the rules in `shop.json`, with the orders in `orders.json`. It
misbehaves where `/misbehave/<kind>` or `/misbehave/<kind>/<amount>` precedes a contract's path: a receiver
with the base URL `http://127.0.0.1:8081/misbehave/slow/300` takes 300 ms longer. Under `/careless/<mode>` it
is another receiver with a shop of its own, wrong in one way that real ones are.
An action that the rules do not know, as a workspace's own, is answered by its contract's example.

shop           the shop's state, and its answers
receiving      the careful receiver
careless       the careless receivers
misbehaviour   the ways to misbehave
"""

from __future__ import annotations

import asyncio
import re
from pathlib import Path

import msgspec

from retailops_sandbox import diagnostics, httpserver
from retailops_sandbox.contracts.catalogue import SHIPPED_CONTRACTS, ContractSource
from retailops_sandbox.httpserver import Request, Response
from retailops_sandbox.standin.careless import CARELESS
from retailops_sandbox.standin.misbehaviour import MISBEHAVIOURS, Call, hang
from retailops_sandbox.standin.receiving import TOKEN, Receiver
from retailops_sandbox.standin.shop import Order, Rules, Shop

__all__ = ["TOKEN", "StandIn"]

_MISBEHAVE = re.compile(r"/misbehave/([a-z0-9-]+)(?:/(\d{1,6}))?(/.*)")
_CARELESS = re.compile(r"/careless/([a-z0-9-]+)(/.*)")

_logger = diagnostics.logger(__name__)


class StandIn:
    """A receiver in the caller's event loop. A new one, or one after `reset`, has fresh orders and lists."""

    def __init__(self, contracts: ContractSource = lambda: SHIPPED_CONTRACTS) -> None:
        rules, orders = (Path(__file__).with_name(name).read_bytes() for name in ("shop.json", "orders.json"))
        self._rules = msgspec.json.decode(rules, type=Rules)
        self._first = msgspec.json.decode(orders, type=tuple[Order, ...])
        self.shop = Shop(self._rules, self._first)
        self._careful = Receiver(self.shop, contracts)
        self._careless: dict[str, Receiver] = {}
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
        self._careless.clear()

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
        misbehaving = match if match and match[1] in MISBEHAVIOURS else None
        path = misbehaving[3] if misbehaving else request.path
        response = await self._answer(request._replace(path=path))
        if response is None:
            await hang(reader)
            return False
        if misbehaving:
            kind = MISBEHAVIOURS[misbehaving[1]]
            await kind.act(Call(reader, writer, response, path, int(misbehaving[2] or kind.amount)))
            return False
        if request.method == "HEAD":
            response = response._replace(body=b"")
        writer.write(httpserver.spelled(response, keep_alive=request.keep_alive))
        await writer.drain()
        return request.keep_alive

    # --- answers ---

    async def _answer(self, request: Request) -> Response | None:
        if request.path == "/":
            if request.method not in ("GET", "HEAD"):
                return httpserver.json_response(405, {"error": "/ takes GET only"}, ("Allow", "GET, HEAD"))
            return httpserver.text_response(200, self._overview())
        match = _CARELESS.fullmatch(request.path)
        if match and match[1] in CARELESS:
            return await self._careless_one(match[1]).answer(request._replace(path=match[2]))
        return await self._careful.answer(request)

    def _careless_one(self, mode: str) -> Receiver:
        if mode not in self._careless:
            shop = Shop(self._rules, self._first)
            self._careless[mode] = CARELESS[mode].receiver(shop, self._contracts)
        return self._careless[mode]

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
        lines += ["", "It is careless under /careless/MODE, followed by one of these, with orders of its own"]
        lines += [f"  {name:20} {mode.what}" for name, mode in CARELESS.items()]
        lines += ["", "Its orders, beside those with 9 and eight digits as id and refnum, made when named"]
        lines += [f"  id {order.id}, refnum {order.refnum}: {order.state}" for order in self.shop.orders]
        for name, records in self.shop.lists.items():
            lines += ["", f"Its {name}"]
            lines += [f"  {key}: {value}" for key, value in records.items()]
        return "\n".join([*lines, ""])
