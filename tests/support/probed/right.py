"""Right receivers of different styles, against which nothing may be said."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import json
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from http.server import BaseHTTPRequestHandler, HTTPServer
from socketserver import ThreadingMixIn
from typing import Any, NamedTuple

from tests.support.probed.receiving import (
    PATH,
    Answer,
    Call,
    RefusedError,
    Right,
    answer,
    event,
    serving,
)


class Served(NamedTuple):
    """How a right receiver is started, and which edition of order_cancel it speaks."""

    start: Callable[[], AbstractContextManager[str]]
    edition: str = "v1"


RIGHT: dict[str, Served] = {"Right": Served(lambda: serving(Right()))}


def right(receiver: type[Right]) -> type[Right]:
    """Lists a receiver under its class's name."""
    RIGHT[receiver.__name__] = Served(lambda: serving(receiver()), receiver.edition)
    return receiver


# --- How much they accept ----------------------------------------------------------------------------


@right
class Strict(Right):
    """Refuses each type that is not the documented one, in a document of its own type."""

    types: tuple[tuple[str, type, bool], ...] = (
        ("/action", str, True),
        ("/version", int, True),
        ("/client_id", int, True),
        ("/channel_info", dict, True),
        ("/channel_info/id", int, False),
        ("/order", dict, True),
        ("/order/retailops_order_id", int, False),
        ("/order/channel_order_refnum", str, False),
    )

    def order(self, payload: Any) -> str:
        for place, wanted, is_required in self.types:
            value = functools.reduce(member, place.split("/")[1:], payload)
            if (value is not MISSING or is_required) and type(value) is not wanted:
                raise RefusedError(422, f"{place} must be {wanted.__name__}")
        return super().order(payload)

    def refused(self, refused: RefusedError) -> Answer:
        problem = {"type": "about:blank", "title": refused.what, "status": refused.status}
        return answer(problem, refused.status, "application/problem+json")


MISSING = object()


def member(value: Any, name: str) -> Any:
    return value.get(name, MISSING) if isinstance(value, dict) else MISSING


@right
class Lenient(Right):
    """Takes whatever JSON it gets, in any encoding, and says in events what it could not do."""

    def parsed(self, call: Call) -> Any:
        try:
            payload = json.loads(call.body)
        except (ValueError, RecursionError):
            raise RefusedError(400, "the body is no JSON") from None
        return payload if isinstance(payload, dict) else {}

    def order(self, payload: Any) -> str:
        order = payload.get("order")
        order = order if isinstance(order, dict) else {}
        return str(order.get("channel_order_refnum") or order.get("retailops_order_id") or "")

    async def cancel(self, order: str, payload: Any) -> Answer:
        if order:
            return await super().cancel(order, payload)
        told = {"event_type": "error", "code": "NO_ORDER", "message": "No order was named"}
        return answer({"status": "fail", "events": [told]})


@right
class Picky(Right):
    """Refuses properly what it does not speak."""

    async def body(self, call: Call, reader: asyncio.StreamReader) -> bytes:
        body = await super().body(call, reader)
        names = [name.lower() for name, _ in call.headers]
        refusals = {
            505: call.version == "HTTP/1.0",
            411: "transfer-encoding" in names,
            417: "expect" in names,
            413: len(body) > 100_000,
            415: "content-encoding" in names
            or call.header("content-type").lower().partition(";")[0] != "application/json",
            400: len(set(names)) != len(names),
        }
        for status, applies in refusals.items():
            if applies and call.method == "POST":
                raise RefusedError(status, "this is not spoken here")
        return body

    def expected(self, call: Call, writer: asyncio.StreamWriter) -> None:
        """Lets the client send the body all the same."""

    def route(self, call: Call) -> None:
        if call.method not in ("POST", "GET", "HEAD"):
            raise RefusedError(501, "this method is not implemented")
        super().route(call)


@right
class MindsNoPath(Right):
    """Takes what is posted to any path, as a receiver of one action may."""

    def route(self, call: Call) -> None:
        super().route(call._replace(path=self.path))


@right
class PageOfServer(Right):
    """Stands behind a server that refuses with pages of its own."""

    def refused(self, refused: RefusedError) -> Answer:
        page = f"<html><head><title>{refused.status}</title></head><body><center><h1>{refused.status}</h1>"
        page += "</center><hr><center>nginx</center></body></html>"
        return Answer(refused.status, page.encode(), "text/html")


# --- What they tell ----------------------------------------------------------------------------------


@right
class Replaying(Right):
    """Answers a second cancel as the first."""

    def again(self, order: str) -> Answer:
        return self.first(order)


@right
class Minimal(Right):
    """Answers with no more than the schema demands."""

    def first(self, order: str) -> Answer:
        return answer({})

    def again(self, order: str) -> Answer:
        return answer({})


@right
class Telling(Right):
    """Tells of each cancel, and of a second one that it was done."""

    def first(self, order: str) -> Answer:
        return answer({"status": "success", "events": [event("The order is cancelled", "CANCELLED", order)]})


@right
class Numbering(Telling):
    """Tells under which number a refund was made, also of a second cancel."""

    def first(self, order: str) -> Answer:
        told = event(f"Refund R-{7000 + self.cancelled[order]} was made", "REFUNDED", order)
        return answer({"status": "success", "events": [told]})

    def again(self, order: str) -> Answer:
        number = 7000 + self.cancelled[order]
        told = event(f"The order was already cancelled, refund R-{number}", "DONE_BEFORE", order)
        return answer({"status": "success", "events": [told]})


@right
class FailsAgain(Telling):
    """Answers a second cancel with an error event."""

    def again(self, order: str) -> Answer:
        told = event("Order is already in state cancelled", "E-409", order, "error")
        return answer({"status": "fail", "events": [told]})


@right
class KnowsFew(Telling):
    """Knows the order of the default fixture, and few others."""

    known = ("496", "4897", "498", "1001")

    async def cancel(self, order: str, payload: Any) -> Answer:
        if order in self.known:
            return await super().cancel(order, payload)
        told = event(f"Unknown order {order}", "UNKNOWN_ORDER", order, "error")
        return answer({"status": "fail", "events": [told]})


@right
class KnowsOne(KnowsFew):
    known = ("496",)


@right
class WithoutAssociations(Right):
    """Tells without associations and diagnostic data."""

    def first(self, order: str) -> Answer:
        told = {"event_type": "info", "code": "1000", "message": "Cancelled."}
        return answer({"status": "success", "events": [told]})

    def again(self, order: str) -> Answer:
        told = {"event_type": "warning", "code": "1001", "message": "Duplicate request ignored."}
        return answer({"status": "success", "events": [told]})


# --- How fast they are -------------------------------------------------------------------------------


@right
class Waiting(Telling):
    """Waits for a database, and does one thing about an order at a time."""

    def __init__(self) -> None:
        super().__init__()
        self.locks: dict[str, asyncio.Lock] = {}

    async def cancel(self, order: str, payload: Any) -> Answer:
        async with self.locks.setdefault(order, asyncio.Lock()):
            await asyncio.sleep(0.02)
            return await super().cancel(order, payload)


@right
class StartsSlowly(Telling):
    """Needs time for its first answer only."""

    is_warm = False

    async def cancel(self, order: str, payload: Any) -> Answer:
        if not self.is_warm:
            await asyncio.sleep(0.5)
            self.is_warm = True
        return await super().cancel(order, payload)


# --- The draft ---------------------------------------------------------------------------------------


@right
class Draft(Right):
    """Speaks the draft, which has no token and no status of its own."""

    path = "/order_cancel"
    edition = "draft"

    def authorize(self, payload: Any) -> None:
        """Nothing proves the sender in the draft."""

    def order(self, payload: Any) -> str:
        id = member(member(member(payload, "data"), "order"), "id")
        if not isinstance(id, str) or not id:
            raise RefusedError(422, "/data/order/id must be a string")
        return id

    def told(self, kind: str, code: str, message: str, order: str) -> Answer:
        about = [{"type": "order_id", "identity": order}]
        told = {"status": kind, "error_code": code, "error_message": message, "associations": about}
        return answer({"events": [told]})

    def first(self, order: str) -> Answer:
        return answer({"events": []})

    def again(self, order: str) -> Answer:
        return self.told("warning", "ALREADY", "The order was already cancelled", order)


@right
class DraftTelling(Draft):
    def first(self, order: str) -> Answer:
        return self.told("info", "CANCELLED", "The order is cancelled", order)


# --- Other servers -----------------------------------------------------------------------------------


class _Handler(BaseHTTPRequestHandler):
    """The standard library's server, which answers 501 to other methods with a page."""

    shop: Right

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        call = Call("POST", self.path, self.request_version, list(self.headers.items()), body)
        if "Content-Length" not in self.headers:
            answered = answer({"error": "the length is missing"}, 411)
            self.close_connection = True
        else:
            answered = asyncio.run(self.shop.answered(call))
        self.send_response(answered.status)
        self.send_header("Content-Type", answered.content_type)
        self.send_header("Content-Length", str(len(answered.body)))
        self.end_headers()
        self.wfile.write(answered.body)

    def log_message(self, format: str, *args: Any) -> None:
        pass


@contextlib.contextmanager
def standard_library(server: type[HTTPServer], version: str) -> Iterator[str]:
    """A receiver of the standard library's HTTP server, one request at a time or in threads."""
    handler = type("Handler", (_Handler,), {"shop": Right(), "protocol_version": version})
    with server(("127.0.0.1", 0), handler) as listening:
        thread = threading.Thread(target=listening.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield f"http://127.0.0.1:{listening.server_port}"
        finally:
            listening.shutdown()
            thread.join()


class _OneAtATime(HTTPServer):
    request_queue_size = 128

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that is gone is no error."""


class _Threaded(ThreadingMixIn, _OneAtATime):
    daemon_threads = True


RIGHT["OneAtATime"] = Served(lambda: standard_library(_OneAtATime, "HTTP/1.0"))
RIGHT["Threaded"] = Served(lambda: standard_library(_Threaded, "HTTP/1.1"))


@contextlib.contextmanager
def framework() -> Iterator[str]:
    """A receiver of Starlette and uvicorn, as many are made."""
    import uvicorn
    from starlette.applications import Starlette
    from starlette.requests import Request
    from starlette.responses import Response
    from starlette.routing import Route

    shop = Right()

    async def cancel(request: Request) -> Response:
        call = Call("POST", request.url.path, "HTTP/1.1", request.headers.items(), await request.body())
        answered = await shop.answered(call)
        return Response(answered.body, answered.status, media_type=answered.content_type)

    ready = threading.Event()

    class Server(uvicorn.Server):
        async def startup(self, sockets: Any = None) -> None:
            await super().startup(sockets)
            ready.set()

    app = Starlette(routes=[Route(PATH, cancel, methods=["POST"])])
    server = Server(uvicorn.Config(app, port=0, log_level="critical", lifespan="off"))
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        ready.wait(30)
        yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join()


RIGHT["Framework"] = Served(framework)
