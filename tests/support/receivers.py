"""Small receivers on raw sockets, each in a thread of its own, for tests of what goes over the wire."""

from __future__ import annotations

import atexit
import contextlib
import socket
import ssl
import struct
import sys
import threading
from collections.abc import Callable, Iterator
from typing import Any


class Peer:
    """One accepted connection, seen from the receiver's side."""

    def __init__(self, sock: socket.socket, receiver: Receiver, unread: bytes = b"") -> None:
        """`unread` are bytes that were read from the socket already."""
        self.sock = sock
        self.receiver = receiver
        self._unread = unread

    def read_request(self) -> bytes | None:
        """The next request, head and body, which is also counted; None if the client hung up.

        A body that came in chunks is put together.
        """
        while b"\r\n\r\n" not in self._unread:
            if not self._read():
                return None
        head, _, _ = self._unread.partition(b"\r\n\r\n")
        if b"transfer-encoding: chunked" in head.lower():
            self._unread = self._unread[len(head) + 4 :]
            body = self._chunks()
            request = None if body is None else head + b"\r\n\r\n" + body
        else:
            request = self._taken(len(head) + 4 + _content_length(head))
        if request is not None:
            self.receiver.requests.append(request)
        return request

    def _taken(self, size: int) -> bytes | None:
        """The next bytes; None if the client hung up before they came."""
        while len(self._unread) < size:
            if not self._read():
                return None
        taken, self._unread = self._unread[:size], self._unread[size:]
        return taken

    def _chunks(self) -> bytes | None:
        """The body that comes in chunks; None if the client hung up in it."""
        body = b""
        while True:
            while b"\r\n" not in self._unread:
                if not self._read():
                    return None
            line, _, self._unread = self._unread.partition(b"\r\n")
            size = int(line, 16)
            chunk = self._taken(size + 2)
            if chunk is None or not size:
                return None if chunk is None else body
            body += chunk[:size]

    def read_until(self, is_enough: Callable[[bytes], bool]) -> bytes:
        """All bytes of the connection until they are enough or the client hung up, counted as a request."""
        while not is_enough(self._unread) and self._read():
            pass
        seen, self._unread = self._unread, b""
        self.receiver.requests.append(seen)
        return seen

    def send(self, data: bytes) -> None:
        self.sock.sendall(data)

    def reset(self) -> None:
        """End the connection by a reset."""
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.sock.close()

    def hang(self) -> None:
        """Do nothing until the client hangs up or the test ends."""
        with contextlib.suppress(OSError):
            while self.sock.recv(65536):
                pass
        self.receiver.left.set()

    def _read(self) -> bool:
        data = self.sock.recv(65536)
        self._unread += data
        return bool(data)


class Receiver:
    """What a test sees of its receiver."""

    def __init__(self, port: int, scheme: str) -> None:
        self.port = port
        self.url = f"{scheme}://127.0.0.1:{port}"
        self.requests: list[bytes] = []
        self.connections = 0
        self.left = threading.Event()
        """Set when the client has closed a connection on which `Peer.hang` waits."""


Act = Callable[[Peer], Any]


@contextlib.contextmanager
def receiver(act: Act, *, tls: ssl.SSLContext | None = None, port: int = 0) -> Iterator[Receiver]:
    """Listens on a port, by default a free one.

    `act` runs in a thread for each connection, which ends with it.
    """
    listener = socket.create_server(("127.0.0.1", port), backlog=512)
    told = Receiver(listener.getsockname()[1], "https" if tls else "http")
    threads: list[threading.Thread] = []
    open_sockets: list[socket.socket] = []

    def serve(sock: socket.socket) -> None:
        # A client that hangs up, or refuses the handshake, is what many tests are about.
        with contextlib.suppress(OSError), contextlib.closing(sock):
            if tls:
                sock = tls.wrap_socket(sock, server_side=True, do_handshake_on_connect=False)
                open_sockets.append(sock)
            with sock:
                if isinstance(sock, ssl.SSLSocket):
                    _shake_hands(sock)
                act(Peer(sock, told))

    def accept() -> None:
        with contextlib.suppress(OSError):
            while True:
                sock, _ = listener.accept()
                told.connections += 1
                open_sockets.append(sock)
                threads.append(threading.Thread(target=serve, args=(sock,)))
                threads[-1].start()

    accepting = threading.Thread(target=accept)
    accepting.start()
    try:
        yield told
    finally:
        for sock in (listener, *open_sockets):
            with contextlib.suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)
        listener.close()
        accepting.join()
        for sock in open_sockets:
            with contextlib.suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)
        for thread in threads:
            thread.join()


def _shake_hands(sock: ssl.SSLSocket) -> None:
    try:
        sock.do_handshake()
    except ssl.SSLError:
        # Closing with something unread would be a reset, and the client might not see the alert.
        plain = socket.socket(fileno=sock.detach())
        with plain:
            plain.shutdown(socket.SHUT_WR)
            while plain.recv(65536):
                pass
        raise


def answering(*answers: bytes) -> Act:
    """Answers each request of a connection in turn, the last answer again and again."""

    def act(peer: Peer) -> None:
        number = 0
        while peer.read_request() is not None:
            peer.send(answers[min(number, len(answers) - 1)])
            number += 1

    return act


def answering_when(is_enough: Callable[[bytes], bool], answer: bytes) -> Act:
    """Reads, as they come, the bytes of a connection until they are enough, sends this, closes."""

    def act(peer: Peer) -> None:
        peer.read_until(is_enough)
        peer.send(answer)

    return act


def closing_after(answer: bytes) -> Act:
    """Reads one request, sends this, closes."""

    def act(peer: Peer) -> None:
        if peer.read_request() is not None:
            peer.send(answer)

    return act


def response(body: bytes = b"", *headers: str, status: str = "200 OK") -> bytes:
    """The bytes of a response with a Content-Length."""
    lines = [f"HTTP/1.1 {status}", *headers, f"Content-Length: {len(body)}"]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def unused_port() -> int:
    """A port on which nothing listens; on Linux it is reserved, so that only a server told of it uses it."""
    sock = socket.socket()
    # On Linux, bound is not yet taken for somebody who sets the same option, as servers do.
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    sock.bind(("127.0.0.1", 0))
    port: int = sock.getsockname()[1]
    if sys.platform == "linux":
        atexit.register(sock.close)
    else:
        sock.close()
    return port


def _content_length(head: bytes) -> int:
    for line in head.split(b"\r\n"):
        name, _, value = line.partition(b":")
        if name.lower() == b"content-length":
            return int(value)
    return 0


def tunnel(peer: Peer) -> None:
    """Serve a connection as an HTTP proxy: connect to the requested port, and pass on bytes both ways."""

    def pump(source: socket.socket, sink: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(65536):
                sink.sendall(data)
        with contextlib.suppress(OSError):
            sink.shutdown(socket.SHUT_WR)

    request = peer.read_request()
    assert request is not None
    port = int(request.split()[1].rpartition(b":")[2])
    with socket.create_connection(("127.0.0.1", port)) as onward:
        peer.send(b"HTTP/1.1 200 Connected\r\nVia: proxy\r\n\r\n")
        back = threading.Thread(target=pump, args=(onward, peer.sock))
        back.start()
        pump(peer.sock, onward)
        back.join()
