"""A receiver that answers as the Magento 2 module of RetailOPS does (gudtech/retailops_magento2)."""

from __future__ import annotations

import json
from typing import Any

from tests.support.receivers import Peer, response

TOKEN = "the-token-of-the-shop"
PATH = "/order_cancel_v1"


class Magento:
    """Orders by their reference number, and the module's answers: code "0", no associations."""

    def __init__(self, orders: dict[str, str]) -> None:
        """`orders` are the states, `open` or `shipped`, by reference number."""
        self._orders = orders
        self.paths: list[str] = []
        """The target of each request."""

    def act(self, peer: Peer) -> None:
        while (request := peer.read_request()) is not None:
            head, _, body = request.partition(b"\r\n\r\n")
            target = head.split()[1].decode()
            self.paths.append(target)
            if target.partition("?")[0].rstrip("/") != PATH:
                peer.send(response(b"<h1>Whoops</h1>", "Content-Type: text/html", status="404 Not Found"))
                continue
            payload = json.loads(body)
            if payload.get("integration_auth_token") != TOKEN:
                peer.send(
                    response(b"Cannot authorized", "Content-Type: text/html", status="401 Unauthorized")
                )
                continue
            answer = json.dumps(self._answer(payload["order"])).encode()
            peer.send(response(answer, "Content-Type: application/json"))

    def _answer(self, order: dict[str, Any]) -> Any:
        if not order:
            return []  # PHP takes an empty order for none
        refnum = order.get("channel_order_refnum")
        if refnum is None:
            return _failed("invalid map")
        if refnum not in self._orders:
            return _failed("The entity that was requested doesn't exist.")
        if self._orders[refnum] != "open":
            return _failed("Order cannot be Canceled")
        self._orders[refnum] = "canceled"
        return {"status": "success", "events": []}


def _failed(message: str) -> Any:
    event = {"event_type": "error", "code": "0", "message": message, "diagnostic_data": "/module/Cancel.php"}
    return {"status": "fail", "events": [event]}
