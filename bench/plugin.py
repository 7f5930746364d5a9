"""What the pytest plugin costs a pytest run that does not use it: the same run with and without it.

python bench/plugin.py        exit 1 if it costs more than 20 ms
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

LIMIT_MS = 20
ROUNDS = 30
OTHERS = ("randomly", "playwright", "hypothesispytest", "xdist", "anyio", "cacheprovider")
"""Plugins that would only add noise."""


def once(folder: str, *options: str) -> float:
    """Milliseconds from start to exit."""
    quiet = [word for name in OTHERS for word in ("-p", f"no:{name}")]
    command = [sys.executable, "-m", "pytest", "-q", *quiet, *options]
    start = time.perf_counter()
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    taken = time.perf_counter() - start
    if done.returncode or "1 passed" not in done.stdout:
        raise SystemExit(f"{command} exited {done.returncode}:\n{done.stdout}\n{done.stderr}")
    return taken * 1000


def main() -> int:
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "test_nothing.py").write_text("def test_nothing():\n    pass\n")
        once(folder)  # which compiles what is compiled once
        pairs = []
        for number in range(ROUNDS):
            # In turns, and each first as often as the other: what else the machine does meets both alike.
            if number % 2:
                without, loaded = once(folder, "-p", "no:retailops"), once(folder)
            else:
                loaded, without = once(folder), once(folder, "-p", "no:retailops")
            pairs.append((loaded, without))
    loaded, without = (statistics.median(each) for each in zip(*pairs, strict=True))
    cost = statistics.median(loaded - without for loaded, without in pairs)
    print(f"pytest with the plugin: {loaded:.0f} ms, without: {without:.0f} ms (medians of {ROUNDS} rounds)")
    print(f"{'ok  ' if cost <= LIMIT_MS else 'MISS'} cost of loading it: {cost:.1f} ms (at most {LIMIT_MS})")
    return 0 if cost <= LIMIT_MS else 1


if __name__ == "__main__":
    sys.exit(main())
