"""`run` of 1,000 scenarios with its log in PostgreSQL, against the same on files: the ratio within this run.

    python bench/shared_log.py

The database is a real one on this machine, and commits reach its disk. Exits 1 if the ratio is missed.
"""

from __future__ import annotations

import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import psycopg
from run import _receiver

sys.path.insert(0, str(Path(__file__).parents[1]))

from tests.support.postgres import fresh_database, owned_server

HERE = Path(__file__).parent
COUNT = 1_000
ROUNDS = 5
MOST = 2.0


def main() -> int:
    with tempfile.TemporaryDirectory() as name, _receiver() as url, owned_server(), fresh_database() as log:
        folder = Path(name)
        cases = _cases(folder / "scenarios")
        program = str(Path(sys.executable).with_name("retailops-sandbox"))
        places = {"files": "", "PostgreSQL": log}
        samples: dict[str, list[tuple[float, float]]] = {place: [] for place in places}
        # They take turns: a machine that is slower for a while is slower for both. The first round is not
        # counted.
        for _ in range(ROUNDS + 1):
            for place, database in places.items():
                command = [program, "run", str(cases), "--receiver", url, "--workspace", str(folder / place)]
                samples[place].append(_once([*command, "--log", database], folder))
        with psycopg.connect(log) as connection:
            found = connection.execute(
                "select count(*), count(distinct run), count(distinct added) from deliveries"
            ).fetchone()
    assert found is not None
    deliveries, runs, transactions = found
    assert (deliveries, runs) == (COUNT * (ROUNDS + 1), ROUNDS + 1), found
    wall = {place: statistics.median(each for each, _ in found[1:]) for place, found in samples.items()}
    cpu = {place: statistics.median(each for _, each in found[1:]) for place, found in samples.items()}
    print(
        f"{COUNT:,} scenarios: {wall['files']:.2f} s on files, {wall['PostgreSQL']:.2f} s in PostgreSQL, "
        f"CPU {cpu['files']:.2f} and {cpu['PostgreSQL']:.2f} s, "
        f"{deliveries / transactions:.1f} deliveries a transaction"
    )
    ratio = wall["PostgreSQL"] / wall["files"]
    said = "ok  " if ratio <= MOST else "MISS"
    print(f"{said} run in PostgreSQL against files: {ratio:.2f} (at most {MOST:g})")
    return 0 if ratio <= MOST else 1


def _once(command: list[str], folder: Path) -> tuple[float, float]:
    """Wall and CPU seconds of a command that must succeed."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    start = time.perf_counter()
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    wall = time.perf_counter() - start
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode:
        raise SystemExit(f"{command} exited {done.returncode}:\n{done.stdout[-2000:]}\n{done.stderr[-2000:]}")
    return wall, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def _cases(folder: Path) -> Path:
    """A folder with a file for each scenario."""
    folder.mkdir()
    for number in range(COUNT):
        step = {
            "name": f"cancel {number}",
            "fixture": "default",
            "set": {"/data/order/id": str(10_000 + number)},
            "expect": {"status": 200, "body": {"events": []}},
        }
        scenario = {"format": 1, "name": f"case {number}", "steps": [step]}
        (folder / f"case-{number:05}.scenario.json").write_text(json.dumps(scenario, indent=2))
    return folder


if __name__ == "__main__":
    sys.exit(main())
