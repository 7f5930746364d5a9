"""A receiver that costs next to nothing. Prints its port.

It reads a request and answers `{"events":[]}`, or 401 to the wrong token of RetailOPS' published tool.
"""

from __future__ import annotations

import asyncio

WRONG_TOKEN = b"KDS_SPOLIATER"


def _answer(status: bytes, body: bytes) -> bytes:
    return b"HTTP/1.1 %b\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%b" % (
        status,
        len(body),
        body,
    )


ANSWER = _answer(b"200 OK", b'{"events":[]}')
REFUSAL = _answer(b"401 Unauthorized", b'{"error":"wrong token"}')


class Answering(asyncio.Protocol):
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        self.received = bytearray()

    def data_received(self, data: bytes) -> None:
        self.received += data
        while (end := self.received.find(b"\r\n\r\n")) >= 0:
            head = bytes(self.received[:end]).lower()
            length = int(head.partition(b"content-length:")[2].partition(b"\r\n")[0])
            if len(self.received) < end + 4 + length:
                return
            refused = WRONG_TOKEN in self.received[end : end + 4 + length]
            del self.received[: end + 4 + length]
            self.transport.write(REFUSAL if refused else ANSWER)


async def main() -> None:
    server = await asyncio.get_running_loop().create_server(Answering, "127.0.0.1", 0, backlog=1024)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main())
