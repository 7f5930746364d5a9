"""The floor: the same sends by libcurl on asyncio, 8 at once, with the same evidence taken of each.

The evidence is what libcurl tells: the headers really sent, the answer's headers and body, the phases' times.
Nothing is composed, checked, logged or compared.
"""

from __future__ import annotations

import asyncio
import sys

import pycurl

TIMES = (
    pycurl.NAMELOOKUP_TIME_T,
    pycurl.CONNECT_TIME_T,
    pycurl.APPCONNECT_TIME_T,
    pycurl.PRETRANSFER_TIME_T,
    pycurl.STARTTRANSFER_TIME_T,
    pycurl.TOTAL_TIME_T,
)


async def send_all(url: str, body: bytes, count: int, at_once: int = 8) -> None:
    """Send a body `count` times."""
    async with pycurl.AsyncCurlMulti() as multi:
        numbers = iter(range(count))

        async def work() -> None:
            sent: list[tuple[int, bytes]] = []
            lines: list[bytes] = []
            answer = bytearray()
            handle = pycurl.Curl()
            handle.setopt(pycurl.URL, url)
            handle.setopt(pycurl.HTTPHEADER, ["Content-Type: application/json", "Expect:"])
            handle.setopt(pycurl.VERBOSE, 1)
            handle.setopt(pycurl.DEBUGFUNCTION, lambda kind, data: sent.append((kind, data)))
            handle.setopt(pycurl.HEADERFUNCTION, lines.append)
            handle.setopt(pycurl.WRITEFUNCTION, answer.extend)
            for _ in numbers:
                handle.setopt(pycurl.POSTFIELDS, body)
                await multi.perform(handle)
                assert handle.getinfo(pycurl.RESPONSE_CODE) == 200
                assert answer == b'{"events":[]}'
                assert len([handle.getinfo(time) for time in TIMES]) == len(TIMES)
                for evidence in (sent, lines, answer):
                    evidence.clear()

        await asyncio.gather(*(work() for _ in range(at_once)))


if __name__ == "__main__":
    url, file, count = sys.argv[1:]
    with open(file, "rb") as payload:
        asyncio.run(send_all(url, payload.read(), int(count)))
