"""What pages cost the process that serves them: 2,000 scenario files, 100,000 results in 50 runs.

python bench/scenarios.py     exit 1 if a limit is passed

A page's server time is the processor time that the process of `serve` spends on its request, in all its
threads, as the kernel counts it in nanoseconds. The wall clock beside it also counts what other processes do
meanwhile. Requests go over one connection, one after the other, and accept compression as browsers do. The
event loop's share is that of the process's first thread, which also sends the deliveries and times them.
"""

from __future__ import annotations

import http.client
import itertools
import json
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlencode

import msgspec
from append import delivery
from log import run_info, serving

from retailops_sandbox.contracts.catalogue import SHIPPED_CONTRACTS
from retailops_sandbox.model import Judgement, Receiver, Result, ResultStep, Verdict
from retailops_sandbox.runlog.opening import open_run
from retailops_sandbox.runlog.place import LogPlace
from retailops_sandbox.workspace.workspace import Workspace

sys.path.insert(0, str(Path(__file__).parent.parent))

from tests.support.pages import hidden, text_areas

FILES, RUNS, NEW = 2_000, 50, 5
"""The newest files have no result yet; as many results are of files that are gone."""
ROUNDS = 21
PAGE_MS, LOOP_MS, ONE_MS, FINDINGS_MS = 20, 5, 300, 3
AREAS = ("cancel", "refund", "partial", "idempotency", "timeout", "address", "payment", "stock")


def scenario_id(number: int) -> str:
    return f"scenarios/{AREAS[number % len(AREAS)]}/case-{number:05}.scenario.json"


def write_files(workspace: Path) -> None:
    """So many scenario files of two steps, about 1 KB each."""
    for number in range(FILES):
        area = AREAS[number % len(AREAS)]
        expect = {"status": 200, "body": {"events": []}, "rules": {"/events/*/diagnostic_data": "ignore"}}
        order = {"/data/order/id": "${order_id}", "/data/order/note": f"case {number} of {area}"}
        document = {
            "format": 1,
            "name": f"The {area} of order {number} is answered as agreed",
            "description": "What the shop answers to it, and to the same again.",
            "tags": [area, f"sprint-{number % 25}"],
            "action": "order_cancel",
            "edition": "draft",
            "variables": {"order_id": str(number)},
            "steps": [
                {"name": name, "fixture": "default", "set": order, "expect": expect}
                for name in ("first", "again")
            ],
        }
        path = workspace / scenario_id(number)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(document, indent=2), encoding="utf-8")


def fill(runs_dir: Path) -> None:
    """A log of so many runs, each with a delivery and a result of every scenario."""
    sample = delivery("")
    for number in range(RUNS):
        info = run_info(number)
        run = open_run(LogPlace(runs_dir), info, lambda: SHIPPED_CONTRACTS)
        for each in range(FILES):
            at = f"{info.started_at[:14]}{each * 60 // FILES:02}:{each % 60:02}.{each % 1000:03}Z"
            name = scenario_id(each if each < FILES - NEW else FILES + each)
            verdict: Verdict = "failed" if (number + each) % 50 == 0 else "passed"
            id = run.next_id()
            sent = msgspec.structs.replace(
                sample, id=id, run=info.id, sent_at=at, scenario=name, step="first"
            )
            steps = [
                ResultStep(number=place, name=step, verdict=verdict, sent=1, seconds=0.004)
                for place, step in enumerate(("first", "again"))
            ]
            run.append(sent)
            run.append(Judgement(delivery=sent.id, verdict=verdict, at=at))
            run.append(Result(scenario=name, name=name, verdict=verdict, at=at, steps=tuple(steps)))
        run.finish(f"{info.started_at[:14]}59:59.999Z")


class Client:
    """One connection to a sandbox, kept open, and the processor time of its process."""

    def __init__(self, port: int, pid: int) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", port)
        self._tasks = Path(f"/proc/{pid}/task")
        self._loop = self._tasks / str(pid)

    def get(self, path: str, *, compressed: bool = True) -> bytes:
        return self._answer("GET", path, None, {"Accept-Encoding": "gzip"} if compressed else {})

    def post(self, path: str, fields: list[tuple[str, str]], *, part: str) -> bytes:
        """A part of the page that answers a form, as a script asks for it."""
        headers = {
            "Accept-Encoding": "gzip",
            "Content-Type": "application/x-www-form-urlencoded",
            "HX-Request": "true",
            "HX-Target": part,
        }
        return self._answer("POST", path, urlencode(fields), headers)

    def _answer(self, method: str, path: str, body: str | None, headers: dict[str, str]) -> bytes:
        # What is typed is kept for this browser.
        self._connection.request(method, path, body, {**headers, "Cookie": "sandbox_browser=bench"})
        answer = self._connection.getresponse()
        content = answer.read()
        assert answer.status == 200, f"{path}: {answer.status}"
        return content

    def cost(self, ask: Callable[[], bytes]) -> tuple[float, float, float]:
        """Milliseconds of a request: processor time of all threads, that of the loop's, and wall clock."""
        before, loop, start = self._spent(), _spent(self._loop), time.perf_counter()
        ask()
        wall = time.perf_counter() - start
        time.sleep(0.003)  # Until what it does after the answer is done, too.
        return (self._spent() - before) / 1e6, (_spent(self._loop) - loop) / 1e6, wall * 1000

    def _spent(self) -> int:
        return sum(_spent(task) for task in self._tasks.iterdir())


def _spent(task: Path) -> int:
    """Nanoseconds that a thread has run."""
    return int((task / "schedstat").read_text().split()[0])


def typing(client: Client) -> Callable[[], bytes]:
    """Asks for the findings about the form of a fixture, each time with another number in its payload."""
    page = client.get("/?fixture=default", compressed=False).decode()
    form = {**hidden(page), **text_areas(page), "receiver": "shop", "fixture": "default"}
    numbers = itertools.count(1)

    def typed() -> bytes:
        payload = form["payload"].replace("4897", f"4897{next(numbers)}", 1)
        return client.post("/compose", [*{**form, "payload": payload}.items()], part="findings")

    return typed


def main() -> int:
    failures = []

    def told(what: str, ask: Callable[[], bytes], most: float = PAGE_MS) -> None:
        ask()
        costs = [client.cost(ask) for _ in range(ROUNDS)]
        spent, loop, wall = (statistics.median(each) for each in zip(*costs, strict=True))
        print(
            f"{what:<44} {spent:6.1f} ms, at most {most}; on the loop {loop:4.1f}, at most {LOOP_MS}; "
            f"wall {wall:6.1f} (most {max(each[2] for each in costs):.1f})"
        )
        if spent > most or loop > LOOP_MS:
            failures.append(what)

    with tempfile.TemporaryDirectory() as name:
        workspace = Path(name)
        write_files(workspace)
        Workspace(workspace).save_receiver(Receiver("shop", "http://127.0.0.1:9"))
        fill(workspace / ".sandbox" / "runs")
        with serving(workspace) as (port, pid):
            client = Client(port, pid)
            start = time.perf_counter()
            client.get("/scenarios")
            print(f"{FILES:,} scenario files, {FILES * RUNS:,} results in {RUNS} runs")
            print(f"first page of a new process: {(time.perf_counter() - start) * 1000:.0f} ms")
            whole, sent = (len(client.get("/scenarios", compressed=each)) for each in (False, True))
            print(f"weight of a page: {whole / 1000:.0f} KB, {sent / 1000:.0f} KB as it is sent")
            for what, query in (
                ("first page", ""),
                ("middle page", "?page=5"),
                ("last page", "?page=10"),
                ("filter by a word", "?q=refund"),
                ("filter by words of few", "?q=partial+sprint-7"),
                ("filter by tag", "?tag=sprint-7"),
                ("filter by last verdict", "?verdict=failed"),
                ("filter by not run", "?verdict=not+run"),
                ("filter that finds nothing", "?q=none+is+like+this"),
            ):
                told(what, lambda query=query: client.get(f"/scenarios{query}"))
            one = f"/scenarios/show?id={scenario_id(7)}"
            picked = [("pick", scenario_id(each)) for each in range(0, FILES, 5)]
            fields = [("receiver", "stand-in"), ("q", "order"), *picked]
            told(
                f"typing, with {len(picked):,} selected",
                lambda: client.post("/scenarios", fields, part="scenario-list"),
            )
            told("one scenario, with its results", lambda: client.get(one), ONE_MS)
            told("findings at a keystroke", typing(client), FINDINGS_MS)
    if failures:
        print(f"missed: {', '.join(failures)}")
    return 1 if failures else 0


if __name__ == "__main__":
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    sys.exit(main())
