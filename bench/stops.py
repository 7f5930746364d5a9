"""How long other pages of `serve` wait while it handles what is large or hostile.

A second connection asks for a small page without a pause, meanwhile each answer of 8 MB, each paste, form and
fixture is handled and its page is looked at. Exits 1 where one such page took longer than the limit.
"""

from __future__ import annotations

import http.client
import multiprocessing
import random
import socket
import sys
import tempfile
import threading
import time
import urllib.parse
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from multiprocessing.connection import Connection
from pathlib import Path

from browser import served, told
from hostile import MB, TOKEN, plain, shapes

from retailops_sandbox import resources
from retailops_sandbox.model import Bearer, Receiver
from retailops_sandbox.workspace.workspace import Workspace

MOST_MS = 50
FIELDS = {"action": "order_cancel", "edition": "draft", "fixture": "default"}
URLENCODED = "application/x-www-form-urlencoded"


def main() -> int:
    with tempfile.TemporaryDirectory() as folder:
        workspace = Workspace(Path(folder))
        fixture = resources.fixtures_dir() / "order_cancel" / "draft" / "default.json"
        payload = fixture.read_text(encoding="utf-8")
        large = f'{{"version": "{"1" * (31 * MB)}"}}'
        workspace.save_fixture("order_cancel", "draft", "large", large)
        with Answering() as there:
            workspace.save_receiver(Receiver("hostile", there.url, auth=Bearer(TOKEN)))
            with served(folder) as url:
                client = Client(url)
                client.send(payload, there.url)  # what is imported and compiled once is not the size's cost
                met = [_stop(url, "nothing", partial(time.sleep, 1))]
                for name, answer in shapes():
                    there.answer = answer
                    met.append(_stop(url, name, partial(client.send, payload, there.url)))
                for name, work in _forms(client):
                    met.append(_stop(url, name, work))
    return 0 if all(met) else 1


def _forms(client: Client) -> Iterator[tuple[str, Callable[[], None]]]:
    for name, text in _texts():
        yield name, partial(client.post, URLENCODED, urllib.parse.urlencode(FIELDS | text).encode())
    escaped = b"%41" * (10 * MB)
    yield "a form of 31 MB, escaped", partial(client.post, URLENCODED, b"import_text=" + escaped)
    fields = "&".join(f"a{number}=1" for number in range(3_000_000))
    yield "a form of 3,000,000 fields", partial(client.post, URLENCODED, fields.encode())
    files = {
        "bytes": random.Random(1).randbytes(30 * MB),
        "line breaks": b"\r\n" * (15 * MB),
        "dashes": b"\r\n--" * (7 * MB),
    }
    for name, content in files.items():
        yield f"a file of 30 MB, {name}", partial(client.file, content)
    yield "a fixture of 31 MB", partial(client.get, "/?fixture=large")


def _texts() -> Iterator[tuple[str, dict[str, str]]]:
    part = "lorem ipsum dolor "
    yield "a paste of 20 MB", {"do": "import", "import_text": part * (20 * MB // len(part))}
    digits = "1" * (31 * MB)
    yield "a form of 31 MB", {"do": "import", "import_text": digits}
    yield "a typed text of 31 MB", {"payload": digits}


def _stop(url: str, name: str, work: Callable[[], None]) -> bool:
    """Do the work, and tell the longest that the small page took meanwhile."""
    with _asking(url) as times:
        began = time.perf_counter()
        work()
        took = time.perf_counter() - began
    longest = max(times) * 1000
    return told(longest, MOST_MS, f"{name:32} {longest:4.0f} ms, of {len(times):4} pages in {took:.1f} s")


@contextmanager
def _asking(url: str) -> Iterator[list[float]]:
    """Ask for a small page again and again on one connection; the seconds that each took.

    Another process asks, which does not wait while this one makes what it sends.
    """
    times: list[float] = []
    ours, theirs = multiprocessing.Pipe()
    asking = multiprocessing.get_context("spawn").Process(target=_ask, args=(url, theirs))
    asking.start()
    ours.recv()
    yield times
    ours.send("end")
    times += ours.recv()
    asking.join()


def _ask(url: str, ended: Connection) -> None:
    address = urllib.parse.urlsplit(url)
    request = f"GET /nothing HTTP/1.1\r\nHost: {address.netloc}\r\n\r\n".encode()
    times: list[float] = []
    with socket.create_connection((address.hostname, address.port)) as connection:
        ended.send("begun")
        while not ended.poll():
            began = time.perf_counter()
            connection.sendall(request)
            answer = b""
            while not answer.rstrip().endswith(b"</html>"):
                answer += connection.recv(65536)
            times.append(time.perf_counter() - began)
    ended.send(times)


class Client:
    """Somebody who sends and pastes."""

    def __init__(self, url: str) -> None:
        self._address = urllib.parse.urlsplit(url).netloc
        self._sends = 0

    def send(self, payload: str, base_url: str) -> None:
        """Send a payload, wait for its verdict, look at its page and at the log."""
        self._sends += 1
        typed = {"payload": payload, "receiver": "hostile", "shown": f"{base_url}/order_cancel"}
        expected = {"expectation": '{"body": {"events": []}, "rules": {"": {"extra": "allow"}}}'}
        form = {**FIELDS, **typed, **expected, "form_id": f"send-{self._sends}"}
        status, location, _ = self._ask("POST", "/send", URLENCODED, urllib.parse.urlencode(form).encode())
        assert status == 303, status
        self.get(f"{location}/events")
        self.get(location)
        self.get("/deliveries")

    def post(self, content_type: str, body: bytes, path: str = "/compose") -> None:
        self._ask("POST", path, content_type, body)

    def file(self, content: bytes) -> None:
        head = b'--xx\r\nContent-Disposition: form-data; name="file"; filename="a.json"\r\n\r\n'
        self.post("multipart/form-data; boundary=xx", head + content + b"\r\n--xx--\r\n", "/runs/open")

    def get(self, path: str) -> None:
        status, _, _ = self._ask("GET", path, "", b"")
        assert status == 200, (path, status)

    def _ask(self, method: str, path: str, content_type: str, body: bytes) -> tuple[int, str, bytes]:
        connection = http.client.HTTPConnection(self._address, timeout=120)
        headers = {"Content-Type": content_type, "Origin": f"http://{self._address}"} if content_type else {}
        try:
            connection.request(method, path, body or None, headers)
            answer = connection.getresponse()
            return answer.status, answer.getheader("Location", ""), answer.read()
        except (BrokenPipeError, ConnectionResetError):
            return 0, "", b""  # refused before all of it was sent
        finally:
            connection.close()


class Answering:
    """A receiver that gives one answer to all."""

    def __init__(self) -> None:
        self.answer = plain(b'{"events":[]}')
        self._server = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._server.getsockname()[1]}"

    def __enter__(self) -> Answering:
        threading.Thread(target=self._serve, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.close()

    def _serve(self) -> None:
        while True:
            try:
                peer, _ = self._server.accept()
            except OSError:
                return
            with peer:
                asked = b""
                while b"\r\n\r\n" not in asked:
                    asked += peer.recv(65536)
                try:
                    peer.sendall(self.answer)
                    time.sleep(0.2)
                except OSError:
                    continue  # the sandbox has had enough


if __name__ == "__main__":
    sys.exit(main())
