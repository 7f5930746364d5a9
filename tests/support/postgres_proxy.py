"""A proxy before a database, which a test cuts and mends: the database goes away and comes back."""

from __future__ import annotations

import socket
import threading
from contextlib import suppress
from types import TracebackType


class PostgresProxy:
    """Hands on what it gets, from `port` on 127.0.0.1 to the server's port and back.

    After `cut` connections are refused, and those that were open are closed. After `silence` they stay open
    and nothing comes through, as on a network that loses all packets. `mend` ends both.
    """

    def __init__(self, server_port: int) -> None:
        self._server_port = server_port
        # It is bound and never listens: nobody else gets the port while this is cut; connecting is refused.
        self._holder = _bound(0)
        self.port: int = self._holder.getsockname()[1]
        self._changing = threading.Lock()
        self._listener: socket.socket | None = None
        self._open: list[socket.socket] = []
        self._flowing = threading.Event()
        self._flowing.set()
        self.connected = 0
        """How many connections there have been."""

    def __enter__(self) -> PostgresProxy:
        self.mend()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.cut()
        self._holder.close()

    def cut(self) -> None:
        """Close what is open; refuse what comes."""
        with self._changing:
            if self._listener is not None:
                # Closing alone does not wake the thread that accepts.
                self._listener.shutdown(socket.SHUT_RDWR)
                self._listener.close()
                self._listener = None
            for connection in self._open:
                _end(connection)
            self._open.clear()
        self._flowing.set()

    def silence(self) -> None:
        """Hold back whatever is sent from now on, in both directions, and close nothing."""
        self._flowing.clear()

    def mend(self) -> None:
        """Let connections through again."""
        self.mend_connecting()
        self._flowing.set()

    def mend_connecting(self) -> None:
        """Take connections again. After `silence` nothing comes through them."""
        with self._changing:
            if self._listener is None:
                self._listener = _bound(self.port)
                self._listener.listen(100)
                threading.Thread(target=self._accept, args=(self._listener,), daemon=True).start()

    def _accept(self, listener: socket.socket) -> None:
        while True:
            try:
                client, _ = listener.accept()
            except OSError:  # it was closed
                return
            with self._changing:
                if self._listener is not listener:
                    client.close()
                    return
                server = socket.create_connection(("127.0.0.1", self._server_port))
                self._open += [client, server]
                self.connected += 1
            for source, target in ((client, server), (server, client)):
                threading.Thread(target=self._hand_on, args=(source, target), daemon=True).start()

    def _hand_on(self, source: socket.socket, target: socket.socket) -> None:
        try:
            while data := source.recv(65536):
                self._flowing.wait()
                target.sendall(data)
        except OSError:  # one of them was closed
            _end(source)
        _end(target)


def _bound(port: int) -> socket.socket:
    bound = socket.socket()
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    bound.bind(("127.0.0.1", port))
    return bound


def _end(connection: socket.socket) -> None:
    with suppress(OSError):  # its peer may have ended it
        connection.shutdown(socket.SHUT_RDWR)
    connection.close()
