"""All mutations of both editions of order_cancel against a fast receiver, and as many plain sends, in turns.

Each is the whole command: the sends are scenarios of `run`, with as many steps as the probe sends requests.

Exits 1 if the probes take more than twice as long as the sends.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
from pathlib import Path

from run import TOKEN, _cases, _command, _measure, _once, _ordinary, _receiver, _step

ROUNDS = 5
MOST = 2.0
STEPS = 15
"""About as many requests as the probe of one field sends."""
EDITIONS = ("draft", "v1")


def main() -> int:
    with tempfile.TemporaryDirectory() as name, _receiver() as url:
        folder = Path(name)
        environment = {**_ordinary(os.environ), "BENCH_FOLDER": name}
        probes = {edition: _probe(folder, url, edition) for edition in EDITIONS}
        counts = {}
        for edition, command in probes.items():
            _once(command, environment)
            counts[edition] = int(json.loads((folder / "report.json").read_text())["requests"])
        sends = {f"send {edition}": _sends(folder, url, edition, counts[edition]) for edition in EDITIONS}
        measured = _measure({**probes, **sends}, environment, rounds=ROUNDS)
    probing = sum(measured[edition][0] for edition in EDITIONS)
    sending = sum(measured[f"send {edition}"][0] for edition in EDITIONS)
    print(
        f"{sum(counts.values()):,} requests: {probing:.2f} s as {len(EDITIONS)} probes, "
        f"{sending:.2f} s as plain sends"
    )
    ratio = probing / sending
    print(f"{'ok  ' if ratio <= MOST else 'MISS'} probing against sending: {ratio:.2f} (at most {MOST:g})")
    return 0 if ratio <= MOST else 1


def _probe(folder: Path, url: str, edition: str) -> list[str]:
    command = [_command(), "probe", "--receiver", url, "--receiver-token", TOKEN, "--seed", "1"]
    command += ["--action", "order_cancel", "--edition", edition, "--only", "contract", "--fail-on", "none"]
    return [*command, "--workspace", str(folder / "probes"), "--report-json", str(folder / "report.json")]


def _sends(folder: Path, url: str, edition: str, count: int) -> list[str]:
    id_at = "/data/order/id" if edition == "draft" else "/order/channel_order_refnum"
    steps = [_step(number, id_at, "cancel") for number in range(count)]
    scenarios: list[dict[str, object]] = [
        {"edition": edition, "steps": steps[first : first + STEPS]} for first in range(0, count, STEPS)
    ]
    command = [_command(), "run", str(_cases(folder / edition, scenarios)), "--receiver", url]
    return [*command, "--receiver-token", TOKEN, "--workspace", str(folder / "sends")]


if __name__ == "__main__":
    sys.exit(main())
