"""What an answer of 8 MB costs `run`, whatever it is made of: processor time and memory of the whole command.

Each shape is sent to a scenario with a token, so that all of it is searched for secrets. Exits 1 where one
takes more than a second of processor time, or more than 150 MB.
"""

from __future__ import annotations

import gzip
import json
import os
import random
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path

COMMAND = str(Path(sys.executable).with_name("retailops-sandbox"))
MB = 1024 * 1024
SIZE = 8 * MB - 200
MOST_SECONDS, MOST_MB = 1.0, 150
TOKEN = "the-secret-token-1"
STEP = {
    "fixture": "default",
    "deliver": {"headers": {"Authorization": f"Bearer {TOKEN}"}},
    "expect": {"body": {"events": []}, "rules": {"": {"extra": "allow"}}},
}


def array(item: bytes) -> bytes:
    return b'{"events":[],"x":[%b%b]}' % ((item + b",") * (SIZE // (len(item) + 1) - 10), item)


def text(part: bytes) -> bytes:
    return b'{"events":[],"x":"%b"}' % (part * (SIZE // len(part) - 10))


def cookies(count: int, body: bytes) -> bytes:
    lines = b"".join(b"Set-Cookie: a%d=value-number-%d-of-many\r\n" % (each, each) for each in range(count))
    return b"HTTP/1.1 200 OK\r\n%bContent-Length: %d\r\n\r\n%b" % (lines, len(body), body)


def plain(body: bytes) -> bytes:
    return cookies(0, body)


def chunks(body: bytes) -> bytes:
    head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    return head + b"".join(b"1\r\n%c\r\n" % each for each in body) + b"0\r\n\r\n"


def shapes() -> Iterator[tuple[str, bytes]]:
    yield "a string", plain(text(b"a"))
    yield "chunks of a byte", chunks(text(b"a"))
    for name, item in {"ones": b"1", "objects": b"{}", "strings": b'"a"', "fractions": b"1.5"}.items():
        yield f"an array of {name}", plain(array(item))
    yield "members", plain(b'{"events":[],%b}' % b",".join(b'"k%d":1' % each for each in range(SIZE // 13)))
    for name, part in {
        "escapes": b"\\u0041",
        "escaped quotes": b'\\"',
        "percent escapes": b"%41",
        "entities": b"&#65;",
    }.items():
        yield name, plain(text(part))
    yield "blank lines", plain(b'{"events":[],"x":[%b]}' % (b"\n" * (SIZE - 40)))
    yield "a token in each item", plain(array(b'"%b"' % TOKEN.encode()))
    yield "JSON cut off", plain(array(b"1")[:-2])
    yield "deeply nested", plain(b"[" * (SIZE // 2) + b"]" * (SIZE // 2))
    yield "text", plain(b"lorem ipsum <p> " * (SIZE // 16))
    yield "lines", plain(b"a\n" * (SIZE // 2))
    yield "JSON lines", plain(b'{"a":1}\n' * (SIZE // 8))
    yield "HTML", plain(b"<html><body>" + b"<div>" * (SIZE // 5))
    yield "bytes", plain(random.Random(1).randbytes(SIZE))
    yield "4,900 cookies", cookies(4_900, b'{"events":[]}')
    yield "1,000 cookies and a text of them", cookies(1_000, text(b"value-number-"))
    packed = gzip.compress(text(b"a"))
    yield "gzip", plain(packed).replace(b"\r\n", b"\r\nContent-Encoding: gzip\r\n", 1)


def main() -> int:
    missed = 0
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "a.scenario.json").write_text(json.dumps({"steps": [STEP]}))
        for name, answer in shapes():
            seconds, peak = measured(answer, folder)
            ok = seconds <= MOST_SECONDS and peak <= MOST_MB
            missed += not ok
            print(f"{'ok  ' if ok else 'MISS'} {name:32} {seconds:5.2f} s, {peak:4.0f} MB", flush=True)
    print(f"at most {MOST_SECONDS:g} s of processor time and {MOST_MB} MB: {missed} missed")
    return 1 if missed else 0


def measured(answer: bytes, folder: str) -> tuple[float, float]:
    """Processor time in seconds and the highest memory in MB of a `run` that gets this answer."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        threading.Thread(target=serve, args=(server, answer), daemon=True).start()
        url = f"http://127.0.0.1:{server.getsockname()[1]}"
        process = subprocess.Popen(
            [COMMAND, "run", "a.scenario.json", "--receiver", url], cwd=folder, stdout=subprocess.DEVNULL
        )
        peak = [0]
        threading.Thread(target=watch, args=(process.pid, peak), daemon=True).start()
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    return usage.ru_utime + usage.ru_stime, peak[0] / 1024


def serve(server: socket.socket, answer: bytes) -> None:
    peer, _ = server.accept()
    with peer:
        asked = b""
        while b"\r\n\r\n" not in asked:
            asked += peer.recv(65536)
        try:
            peer.sendall(answer)
            time.sleep(0.2)
        except OSError:
            return  # the command has had enough


def watch(pid: int, peak: list[int]) -> None:
    """Keep the highest memory that a process says it has had, in KB, as long as it runs."""
    status = Path(f"/proc/{pid}/status")
    while True:
        try:
            lines = status.read_text().splitlines()
        except OSError:
            return
        peak[0] = max(peak[0], *(int(line.split()[1]) for line in lines if line.startswith("VmHWM")), 0)
        time.sleep(0.01)


if __name__ == "__main__":
    sys.exit(main())
