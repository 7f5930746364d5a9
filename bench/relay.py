"""What the relay adds to a request on loopback: the same posts, directly and through it, in turns.

Exits 1 if the median through the relay is more than 2 ms above the direct one.
"""

from __future__ import annotations

import http.client
import re
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

HERE = Path(__file__).parent
PAYLOAD = (HERE.parent / "fixtures/order_cancel/draft/default.json").read_bytes()
ROUNDS, BATCH = 20, 50
MOST_MS = 2.0


def main() -> int:
    receiver = subprocess.Popen([sys.executable, HERE / "receiver.py"], stdout=subprocess.PIPE, text=True)
    try:
        assert receiver.stdout is not None
        port = int(receiver.stdout.readline())
        with tempfile.TemporaryDirectory() as folder, open(Path(folder, "said"), "w+") as said:
            relay = subprocess.Popen(_command(port, folder), stdout=said, text=True)
            try:
                samples = _measure({"direct": port, "relay": _port_of(relay, Path(folder, "said"))})
            finally:
                relay.terminate()
                relay.wait()
    finally:
        receiver.terminate()
        receiver.wait()
    direct, through = (statistics.median(samples[name]) * 1000 for name in ("direct", "relay"))
    added = through - direct
    print(f"direct {direct:.3f} ms, through the relay {through:.3f} ms: median of {ROUNDS * BATCH}")
    print(f"{'ok  ' if added <= MOST_MS else 'MISS'} the relay adds {added:.3f} ms (at most {MOST_MS:g})")
    return 0 if added <= MOST_MS else 1


def _command(port: int, folder: str) -> list[str]:
    command = [str(Path(sys.executable).with_name("retailops-sandbox")), "record", "--port", "0"]
    return [
        *command,
        "--forward",
        f"http://127.0.0.1:{port}",
        "-o",
        f"{folder}/out.json",
        "--workspace",
        folder,
    ]


def _port_of(relay: subprocess.Popen[str], said: Path) -> int:
    """The port that the relay says it listens at."""
    while relay.poll() is None:
        if found := re.search(r"http://127\.0\.0\.1:(\d+)/ ", said.read_text()):
            return int(found[1])
        time.sleep(0.02)
    raise SystemExit(f"the relay did not start: {said.read_text()}")


def _measure(ports: dict[str, int]) -> dict[str, list[float]]:
    """Seconds of each post. They take turns: a machine that is slower for a while is slower for both."""
    samples: dict[str, list[float]] = {name: [] for name in ports}
    connections = {name: http.client.HTTPConnection("127.0.0.1", port) for name, port in ports.items()}
    for turn in range(ROUNDS + 1):
        for name, connection in connections.items():
            for _ in range(BATCH):
                start = time.perf_counter()
                connection.request("POST", "/order_cancel", PAYLOAD, {"Content-Type": "application/json"})
                answer = connection.getresponse().read()
                if turn:  # the first round does not count
                    samples[name].append(time.perf_counter() - start)
                assert answer == b'{"events":[]}'
    return samples


if __name__ == "__main__":
    sys.exit(main())
