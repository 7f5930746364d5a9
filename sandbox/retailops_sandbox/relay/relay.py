"""The recording relay: an HTTP server that passes requests on to a receiver, and logs both directions.

Bodies keep their bytes in both directions. The transport leaves the content-encoding of a response alone, and
only the log's copy is decoded. For that copy, the receiver is asked only for encodings that can be decoded
here.
"""

from __future__ import annotations

import asyncio
import hmac
import re
import secrets
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from urllib.parse import urlsplit, urlunsplit

import msgspec
from msgspec import UNSET

from retailops_sandbox import composing, diagnostics, httpserver, redaction
from retailops_sandbox.comparing import Answer, Judge
from retailops_sandbox.composing.editions import spoken
from retailops_sandbox.contracts import recognition
from retailops_sandbox.contracts.catalogue import Contracts
from retailops_sandbox.engine import Clock, DeliveryLog, Transport, is_large
from retailops_sandbox.errors import FileError, SandboxError
from retailops_sandbox.foreign_text import visible
from retailops_sandbox.httpserver import Listener, Request, Response, host_name, is_loopback
from retailops_sandbox.model import (
    Connection,
    Delivery,
    DeliveryInFlight,
    Exchange,
    Fault,
    Headers,
    HttpRequest,
    HttpResponse,
    Receiver,
)
from retailops_sandbox.recording import Recorded, parsed
from retailops_sandbox.redaction import SecretPolicy
from retailops_sandbox.transport import decoding

IDLE = 75.0
"""The seconds that a connection may take for its next request."""
GRACE = 2.0
"""The seconds that requests under way may still take when the relay stops."""

_logger = diagnostics.logger(__name__)

_HOP_BY_HOP = frozenset(
    {
        *("connection", "keep-alive", "proxy-authenticate", "proxy-authorization", "proxy-connection", "te"),
        *("trailer", "transfer-encoding", "upgrade"),
    }
)
_OF_ONE_CONNECTION = _HOP_BY_HOP | {"host", "content-length", "expect"}
"""Request headers that belong to one connection, and are made anew for the other."""
_DECODABLE = (*decoding.UNDONE, "identity")
_TOO_LATE = ("deadline", "connect timeout")


class Relay:
    """A relay to one receiver, in the caller's event loop."""

    def __init__(
        self,
        receiver: Receiver,
        *,
        transport: Transport,
        log: DeliveryLog,
        clock: Clock,
        contracts: Contracts,
        environment: Mapping[str, str],
        policy: SecretPolicy,
        timeout_ms: int | None = None,
        on_recorded: Callable[[Recorded], None] = lambda _: None,
        on_unlogged: Callable[[FileError], None] = lambda _: None,
    ) -> None:
        """`on_recorded` gets logged deliveries; `on_unlogged` gets the reasons why others are not, each once.

        Raises UsageError or ComposeError for a receiver that cannot be called.
        """
        names = composing.Names(
            environment=environment,
            receiver=receiver.variables,
            built_in={"uuid": clock.uuid(), "now": clock.now(), "sequence": 1},
        )
        self._receiver = composing.resolve(receiver, names)
        composing.check(self._receiver)
        connection = composing.connection(self._receiver, timeout_ms=timeout_ms)
        self._connection = msgspec.structs.replace(
            connection, decode=False, follow_redirects=False, netrc=False, max_body=httpserver.MAX_BODY
        )
        self._contracts = contracts
        known = contracts.of()
        self._judges = {(each.action, each.edition): Judge(each, sends_tokens=False) for each in known}
        # A request may belong to any contract, so the secret places of all contracts apply.
        proofs = tuple(proof for each in known for proof in redaction.proofs(each))
        self._secrets = policy.secrets(receiver, self._receiver).and_proofs(proofs)
        self._secret_pointers = tuple(
            dict.fromkeys(pointer for each in known for pointer in redaction.secret_pointers(each))
        )
        self._transport = transport
        self._log = log
        self._clock = clock
        self._on_recorded = on_recorded
        self._on_unlogged = on_unlogged
        self._listener = Listener(self._exchange)
        self._prefix = ""
        self._under_way: dict[str, asyncio.Task[Response]] = {}
        self.records: list[Recorded] = []
        """The deliveries that were logged, in order."""
        self.problems: dict[str, int] = {}
        """The reasons why deliveries could not be logged, each with how many were passed on all the same."""

    @property
    def passed(self) -> int:
        """The number of requests that passed through, logged or not."""
        return len(self.records) + sum(self.problems.values())

    @property
    def forwards_to(self) -> str:
        """The URL that paths are appended to, without its secrets."""
        return self._secrets.url(self._receiver.base_url)

    @property
    def example(self) -> tuple[str, str]:
        """A path that RetailOPS posts to, and the exact URL that it is passed on to, without its secrets."""
        action, _ = self._contracts.default
        edition = spoken(self._receiver, self._contracts).edition_of(action, self._contracts)
        path = self._contracts.load(action, edition).path
        return path, self._secrets.url(_joined(self._receiver, path, self._contracts))

    async def start(self, host: str, port: int, *, secret_path: bool) -> str:
        """Listen, and return the URL to post to. OSError for an address that cannot be listened at.

        `secret_path` answers only paths below one that nobody can guess.
        """
        self._prefix = f"/{secrets.token_urlsafe(18)}" if secret_path else ""
        url = await self._listener.start(host, port)
        _logger.info("listening at %s", url)
        return url + (self._prefix or "/")

    async def stop(self) -> None:
        """Stop listening, wait a moment for the requests under way, and cancel those that take longer."""
        self._listener.close()
        if self._under_way:
            await asyncio.wait(self._under_way.values(), timeout=GRACE)
        for id in tuple(self._under_way):
            self._transport.cancel(id)
        if self._under_way:
            await asyncio.wait(self._under_way.values())
        await asyncio.sleep(0)  # the answers go out in the loop's next turn
        await self._listener.stop()

    # --- one request ---

    async def _exchange(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        try:
            async with asyncio.timeout(IDLE):
                request = await httpserver.read_request(reader, writer)
        except TimeoutError:
            return False
        if request is None:
            return False
        tail = _tail(request.target, self._prefix)
        if tail is None:
            return _write(writer, _empty(404), request)
        if not self._prefix and not _names_loopback(request):
            what = "this relay answers to a loopback name only; --bind another address for a secret path"
            return _write(writer, _one_line(421, what), request)
        if _comes_from_a_page(request):
            return _write(writer, _empty(403), request)
        # A task of its own, which `stop` can wait for.
        try:
            id = self._log.next_id()
        except FileError as error:
            self._note_unlogged(error, passed=0)
            return _write(
                writer, _one_line(503, f"not passed on, as it could not be logged: {error}"), request
            )
        forwarding = asyncio.create_task(self._forward(id, request, tail))
        self._under_way[id] = forwarding
        forwarding.add_done_callback(lambda _: self._under_way.pop(id))
        response = await forwarding
        _write(writer, response, request)
        await writer.drain()
        return request.keep_alive

    def _note_unlogged(self, error: FileError, *, passed: int) -> None:
        if str(error) not in self.problems:
            self._on_unlogged(error)
        self.problems[str(error)] = self.problems.get(str(error), 0) + passed

    async def _forward(self, id: str, request: Request, tail: str) -> Response:
        """The response for the caller, after the request went to the receiver and was logged."""
        sent_at = self._clock.now()
        forwarded = HttpRequest(
            request.method,
            _joined(self._receiver, tail, self._contracts),
            tuple(_passed_on(request.headers, _OF_ONE_CONNECTION, as_bytes=True)),
            request.body,
        )
        try:
            with self._log.sending(self._flight(id, sent_at, forwarded)):
                exchange = await self._transport.send(forwarded, self._connection, key=id)
                work = partial(self._logged, id, sent_at, forwarded, exchange)
                recorded = await asyncio.to_thread(work) if is_large(forwarded, exchange) else work()
            # Logged before it is answered, so that a caller that has the answer finds it in the log.
            await self._log.flush()
        except FileError as error:
            _logger.error("%s: passed on and not logged: %s", id, error)
            self._note_unlogged(error, passed=1)
            return _one_line(502, f"it went through, and could not be logged: {error}")
        except SandboxError as error:
            return _one_line(400, error.what)
        self.records.append(recorded)
        self._on_recorded(recorded)
        _log(recorded.delivery)
        fault = exchange.fault
        if fault is None and exchange.response is not None:
            return _returned(exchange.response, request.method)
        what = fault or Fault("closed", "there was no answer")
        status = 504 if what.kind in _TOO_LATE else 502
        return _one_line(status, self._secrets.url(f"{what.kind}: {what.message}"))

    def _flight(self, id: str, sent_at: str, request: HttpRequest) -> DeliveryInFlight:
        path = urlsplit(request.url).path
        agreed = recognition.at_end(path, self._contracts)
        action, edition = self._contracts.default if agreed is None else (agreed.action, agreed.edition)
        return DeliveryInFlight(
            id=id,
            sent_at=sent_at,
            action=action,
            edition=edition,
            receiver=self._receiver.name,
            stand_in=self._receiver.stand_in,
        )

    def _logged(self, id: str, sent_at: str, request: HttpRequest, exchange: Exchange) -> Recorded:
        """Log what passed; FileError where that fails."""
        recorded = self._record(id, sent_at, request, exchange)
        self._log.append(recorded.delivery)
        if recorded.judgement is not None:
            self._log.append(recorded.judgement)
        return recorded

    def _record(self, id: str, sent_at: str, request: HttpRequest, exchange: Exchange) -> Recorded:
        """The delivery for the log, and its judgement without an expectation."""
        try:
            sent = parsed(request.body.decode())
        except UnicodeDecodeError:
            sent = UNSET
        payload = None if sent is UNSET else sent
        path = urlsplit(request.url).path
        agreed = recognition.recognise_at_receiver(path, payload, self._receiver.paths, self._contracts)
        request = msgspec.structs.replace(request, headers=_legible(request.headers))
        decoded = _decoded(exchange, self._connection)
        kept = redaction.exchange(request, decoded, self._secrets, self._secret_pointers)
        violations = () if sent is UNSET else agreed.check_request(sent)
        delivery = Delivery(
            id=id,
            run=id.rpartition(".")[0],
            sent_at=sent_at,
            action=agreed.action,
            edition=agreed.edition,
            receiver=self._receiver.name,
            stand_in=self._receiver.stand_in,
            off_contract=bool(violations),
            request=kept.request,
            response=kept.response,
            fault=kept.fault,
            timings=exchange.timings,
            struck_out=kept.struck_out,
        )
        judge = self._judges[agreed.action, agreed.edition]
        answer = Answer(delivery, kept.answered)
        found = judge(answer, None, at=self._clock.now(), payload_violations=violations)
        return Recorded(delivery, redaction.judgement(found, delivery, kept.secrets, self._secret_pointers))


def _log(sent: Delivery) -> None:
    what = f"{sent.id}: {sent.request.method} {sent.request.url}"
    if sent.fault is not None:
        _logger.warning("%s: fault %s: %s", what, sent.fault.kind, sent.fault.message)
    else:
        status = sent.response.status if sent.response else "no answer"
        _logger.info("%s: answered %s in %.0f ms", what, status, sent.timings.total)


# --- the request to the receiver ---


def _tail(target: str, prefix: str) -> str | None:
    """The part of a target that is appended to the receiver's URL; None for a target without the prefix."""
    tail = target[len(prefix) :]
    is_ours = hmac.compare_digest(target[: len(prefix)].encode(), prefix.encode())
    if not is_ours or not target.startswith("/") or not re.match("[/?]|$", tail):
        return None
    return re.sub("^/(?=[?]|$)", "", tail)


def _joined(receiver: Receiver, tail: str, contracts: Contracts) -> str:
    """The receiver's URL with a path tail and its query appended.

    A contract's path is there once, also where the receiver's URL ends in one.
    """
    parts = urlsplit(receiver.base_url)
    path, _, query = tail.partition("?")
    agreed = recognition.at_end(path, contracts)
    if agreed is not None and agreed.path == path.rstrip("/") and agreed.action not in receiver.paths:
        joined = composing.joined(parts.path, path, contracts)
    else:
        joined = parts.path.rstrip("/") + path if path else parts.path
    queries = "&".join(each for each in (parts.query, query) if each)
    url = urlunsplit((parts.scheme, parts.netloc, joined or "/", queries, ""))
    return url + "?" if tail.endswith("?") and not queries else url


def _names_loopback(request: Request) -> bool:
    """Whether the Host header names this machine, or is missing, which no browser leaves out.

    A page of a name that resolves to 127.0.0.1 (DNS rebinding) is of the relay's own origin to its browser.
    """
    host = request.header("host")
    return not host or is_loopback(host_name(host))


def _comes_from_a_page(request: Request) -> bool:
    """Whether a page in a browser made the request. No page may make the sandbox send."""
    return bool(request.header("origin")) or request.header("sec-fetch-site") not in ("", "none")


def _passed_on(headers: Headers, kept_back: frozenset[str], *, as_bytes: bool) -> Iterator[tuple[str, str]]:
    """The headers for the other side, in order: all but those of one connection and those in `kept_back`."""
    named = httpserver.connection_tokens(headers)
    for name, value in headers:
        lower = name.lower()
        if lower in kept_back or lower in named:
            continue
        if lower == "accept-encoding" and as_bytes:
            value = _decodable(value)
        yield name, _as_it_came(value) if as_bytes else value


def _decodable(accepted: str) -> str:
    """The content-codings that the caller accepts and the log can decode."""
    codings = [each.strip() for each in accepted.split(",")]
    kept = [each for each in codings if each.partition(";")[0].strip().lower() in _DECODABLE]
    return ", ".join(kept) or "identity"


def _as_it_came(value: str) -> str:
    """A received header's value as the string that the transport sends as the same bytes."""
    return value if value.isascii() else value.encode("latin-1").decode("utf-8", "surrogateescape")


def _legible(headers: Headers) -> Headers:
    """Headers as text for the log, whatever their bytes."""
    return tuple(
        (name, value.encode("utf-8", "surrogateescape").decode("utf-8", "replace")) for name, value in headers
    )


# --- the response to the caller ---


def _returned(response: HttpResponse, method: str) -> Response:
    """The receiver's response for the caller, its body unchanged."""
    bodiless = method == "HEAD" or response.status == 304 or response.status == 204
    own = _HOP_BY_HOP if bodiless else _HOP_BY_HOP | {"content-length"}
    headers = tuple(_passed_on(response.headers, own, as_bytes=False))
    if not bodiless:
        headers += (("Content-Length", str(len(response.body))),)
    return Response(response.status, response.body, "", headers)


def _one_line(status: int, what: str) -> Response:
    answer = httpserver.text_response(status, f"retailops-sandbox relay: {visible(what)}\n")
    length = ("Content-Length", str(len(answer.body)))
    return answer._replace(headers=(length,))


def _empty(status: int) -> Response:
    return Response(status, b"", "", (("Content-Length", "0"),))


def _write(writer: asyncio.StreamWriter, response: Response, request: Request) -> bool:
    """Write the response. Whether the connection may bring another request."""
    framing = () if request.keep_alive else (httpserver.CLOSE,)
    body = b"" if request.method == "HEAD" else response.body
    writer.write(httpserver.head(response, *framing) + body)
    return request.keep_alive


def _decoded(exchange: Exchange, connection: Connection) -> Exchange:
    """The exchange for the log, with the response's content-encoding decoded."""
    if exchange.response is None or exchange.fault is not None:
        return exchange
    response, fault = decoding.decoded(exchange.response, connection.max_body)
    if fault is not None:
        fault = Fault(fault.kind, f"{fault.message} (it was passed on as it came)")
    return msgspec.structs.replace(exchange, response=response, fault=fault)
