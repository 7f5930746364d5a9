"""The floor: the same sends as a bare libcurl loop, 8 at once, nothing checked, compared or logged."""

from __future__ import annotations

import sys

import pycurl


def send_all(url: str, body: bytes, count: int, at_once: int = 8) -> None:
    multi = pycurl.CurlMulti()
    free = [_handle(url, body) for _ in range(at_once)]
    started = finished = 0
    while finished < count:
        while free and started < count:
            multi.add_handle(free.pop())
            started += 1
        multi.perform()
        _, done, failed = multi.info_read()
        assert not failed, failed
        for handle in done:
            assert handle.getinfo(pycurl.RESPONSE_CODE) == 200
            multi.remove_handle(handle)
            free.append(handle)
        finished += len(done)
        if not done:
            multi.select(1.0)


def _handle(url: str, body: bytes) -> pycurl.Curl:
    handle = pycurl.Curl()
    handle.setopt(pycurl.URL, url)
    handle.setopt(pycurl.HTTPHEADER, ["Content-Type: application/json", "Expect:"])
    handle.setopt(pycurl.POSTFIELDS, body)
    handle.setopt(pycurl.WRITEFUNCTION, lambda data: None)
    return handle


if __name__ == "__main__":
    url, file, count = sys.argv[1:]
    with open(file, "rb") as payload:
        send_all(url, payload.read(), int(count))
