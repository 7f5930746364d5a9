"""What the pytest plugin costs a pytest run that does not use it: the same run with and without it.

python bench/plugin.py        exit 1 if it costs more than 20 ms
"""

from __future__ import annotations

import resource
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


def once(folder: str, *options: str) -> tuple[float, float]:
    """Milliseconds from start to exit, and milliseconds of CPU."""
    quiet = [word for name in OTHERS for word in ("-p", f"no:{name}")]
    command = [sys.executable, "-m", "pytest", "-q", *quiet, *options]
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    start = time.perf_counter()
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    wall = time.perf_counter() - start
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode or "1 passed" not in done.stdout:
        raise SystemExit(f"{command} exited {done.returncode}:\n{done.stdout}\n{done.stderr}")
    return wall * 1000, (after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime) * 1000


def main() -> int:
    variants = {"with": (), "without": ("-p", "no:retailops")}
    samples: dict[str, list[tuple[float, float]]] = {name: [] for name in variants}
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "test_nothing.py").write_text("def test_nothing():\n    pass\n")
        once(folder)  # which compiles what is compiled once
        for number in range(ROUNDS):
            # In turns, and each as often first as the other: what else the machine does meets both alike.
            for name in variants if number % 2 else reversed(variants):
                samples[name].append(once(folder, *variants[name]))
    wall, cpu = (
        {name: statistics.median(each[part] for each in taken) for name, taken in samples.items()}
        for part in (0, 1)
    )
    print(f"pytest with the plugin: {wall['with']:.0f} ms, without: {wall['without']:.0f} ms, medians")
    # Loading it waits for nothing, so that CPU is what it costs; time passes for other reasons, too.
    cost = cpu["with"] - cpu["without"]
    print(f"{'ok  ' if cost <= LIMIT_MS else 'MISS'} cost of loading it: {cost:.1f} ms (at most {LIMIT_MS})")
    return 0 if cost <= LIMIT_MS else 1


if __name__ == "__main__":
    sys.exit(main())
