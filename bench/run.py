"""1,000 and 10,000 steps, the full job, against their peers: ratios within this one run.

They are 1,000 scenarios of one step, and once more ten of a hundred. Then 1,000 scenarios of v1 with a token
in the payload, the right one and a wrong one each, as RetailOPS' published tool `verify` sends them. At last
10,000 scenarios of one step, in fewer rounds.

    python bench/run.py [PROGRAM]

PROGRAM is another installation's `retailops-sandbox`, as of an earlier commit. It then runs the same
scenarios in turn with this one, and is compared with it: its start is the measure of ours.

Exits 1 if a ratio is missed.
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
from collections.abc import Mapping
from pathlib import Path

HERE = Path(__file__).parent
FIXTURES = HERE.parent / "fixtures/order_cancel"
COUNT = 1_000
MANY = 10_000
FEW = 10
"""Files that hold the same steps, a hundredth of them each."""
ROUNDS = 7
ROUNDS_OF_MANY = 2
EDITIONS = ("draft", "v1")
TOKEN = "KDS_RETAILOPS_TOKEN"
WRONG_TOKEN = "KDS_SPOLIATER"
"""What the published tool sends."""


def main(other: str = "") -> int:
    with tempfile.TemporaryDirectory() as name, _receiver() as url:
        folder = Path(name)
        cases = _cases(folder / "scenarios", _drafts(COUNT, files=COUNT))
        stepped = _cases(folder / "stepped", _drafts(COUNT, files=FEW))
        many = _cases(folder / "many", _drafts(MANY, files=MANY))
        tokens = _cases(folder / "tokens", _tokens())
        environment = {
            **_ordinary(os.environ),
            "BENCH_CASES": str(cases),
            "BENCH_FOLDER": name,
            "BENCH_PAYLOAD": str(FIXTURES / "draft/default.json"),
            "BENCH_URL": url,
            # The peer is not to pay for plugins that this project's tests need.
            "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
        }

        def run(program: str, *what: object) -> list[str]:
            # A workspace for each program: a run reads the runs before it.
            workspace = folder / program.replace("/", "-")
            base = [program, "run", *what, "--receiver", url, "--workspace", workspace]
            return [str(word) for word in (*base, "--junit-xml", folder / "junit.xml")]

        def runs(program: str, label: str = "") -> dict[str, list[str]]:
            return {
                f"{label}draft": run(program, cases),
                f"{label}stepped": run(program, stepped),
                f"{label}draft one": run(program, _first(cases)),
                f"{label}v1": run(program, tokens, "--receiver-token", TOKEN),
                f"{label}v1 one": run(program, _first(tokens), "--receiver-token", TOKEN),
            }

        def bare(payload: object, path: str, count: int) -> list[str]:
            body = folder / f"{path}.json"
            body.write_text(json.dumps(payload, separators=(",", ":")))
            return [sys.executable, str(HERE / "bare.py"), f"{url}/{path}", str(body), str(count)]

        peer = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"]
        peer += ["--junitxml", str(folder / "peer.xml"), str(HERE / "peer_test.py"), "-c", os.devnull]
        draft, v1 = (json.loads((FIXTURES / f"{edition}/default.json").read_text()) for edition in EDITIONS)
        measured = _measure(
            {
                **runs(_command()),
                **(runs(other, "other ") if other else {}),
                "peer": peer,
                "bare draft": bare(draft, "order_cancel", COUNT),
                "bare v1": bare({**v1, "integration_auth_token": TOKEN}, "order_cancel_v1", 2 * COUNT),
                "bare none": bare(draft, "order_cancel", 0),
                "imports": [sys.executable, "-c", "import asyncio, click, jsonschema_rs, msgspec, pycurl"],
                "nothing": [sys.executable, "-c", "pass"],
            },
            environment,
            rounds=ROUNDS,
        )
        measured |= _measure(
            {
                "many": run(_command(), many),
                **({"other many": run(other, many)} if other else {}),
                "peer many": peer,
            },
            {**environment, "BENCH_CASES": str(many)},
            rounds=ROUNDS_OF_MANY,
        )
    return _report(measured, bool(other))


def _report(measured: dict[str, tuple[float, float]], compared: bool) -> int:
    wall = {name: seconds for name, (seconds, _) in measured.items()}
    cpu = {name: seconds for name, (_, seconds) in measured.items()}
    print(
        f"{COUNT:,} steps: pytest + requests {wall['peer']:.2f} s, "
        f"sandbox {wall['draft']:.2f} s in {COUNT:,} files, {wall['stepped']:.2f} s in {FEW}"
    )
    print(f"{MANY:,} steps: pytest + requests {wall['peer many']:.2f} s, sandbox {wall['many']:.2f} s")
    print(f"{COUNT:,} scenarios of v1 with a right and a wrong token: {wall['v1']:.2f} s")
    checks = [
        ("wall time against pytest + requests", wall["draft"] / wall["peer"], 0.12),
        (f"the same with {FEW} files", wall["stepped"] / wall["peer"], 0.12),
        (f"the same of {MANY:,} steps", wall["many"] / wall["peer many"], 0.05),
    ]
    for edition, steps in zip(EDITIONS, (1, 2), strict=True):
        count = COUNT * steps
        ours = _per_delivery(cpu, edition, "", count)
        floor = (cpu[f"bare {edition}"] - cpu["bare none"]) / count * 1e6
        print(f"CPU per delivery of {edition}: {ours:.0f} us, bare libcurl {floor:.0f} us (without start-up)")
        checks.append((f"CPU per delivery of {edition} against bare libcurl", ours / floor, 2.2))
    print(
        f"one scenario: {wall['draft one'] * 1000:.0f} ms, python -c pass {wall['nothing'] * 1000:.0f} ms, "
        f"importing the five libraries alone {wall['imports'] * 1000:.0f} ms"
    )
    start = wall["draft one"] / wall["nothing"]
    print(f"start to exit of one against python -c pass: {start:.2f}")
    if compared:
        before = wall["other draft one"] / wall["nothing"]
        checks.append(("start to exit of one against python -c pass, as before", start, before + 0.5))
    for name, ratio, most in checks:
        print(f"{'ok  ' if ratio <= most else 'MISS'} {name}: {ratio:.3f} (at most {most:.4g})")
    if compared:
        for edition, steps in zip(EDITIONS, (1, 2), strict=True):
            before = _per_delivery(cpu, edition, "other ", COUNT * steps)
            print(
                f"against the other program, {edition}: wall {wall[edition] / wall[f'other {edition}']:.2f}, "
                f"CPU per delivery {_per_delivery(cpu, edition, '', COUNT * steps) / before:.2f} of "
                f"{before:.0f} us, one scenario {wall[f'{edition} one'] / wall[f'other {edition} one']:.2f}"
            )
        print(f"against the other program, {MANY:,} steps: wall {wall['many'] / wall['other many']:.2f}")
    return 0 if all(ratio <= most for _, ratio, most in checks) else 1


def _per_delivery(cpu: Mapping[str, float], edition: str, label: str, count: int) -> float:
    """The CPU time of a delivery in microseconds, without start-up."""
    all_, one = cpu[f"{label}{edition}"], cpu[f"{label}{edition} one"]
    return (all_ - one) / (count - count // COUNT) * 1e6


def _measure(
    commands: dict[str, list[str]], environment: dict[str, str], *, rounds: int
) -> dict[str, tuple[float, float]]:
    """Median wall and CPU seconds of commands that must succeed.

    They take turns: a machine that is slower for a while is slower for all. The first round does not count.
    """
    samples: dict[str, list[tuple[float, float]]] = {name: [] for name in commands}
    for _ in range(rounds + 1):
        for name, command in commands.items():
            samples[name].append(_once(command, environment))
    return {
        name: (statistics.median(wall for wall, _ in each[1:]), statistics.median(cpu for _, cpu in each[1:]))
        for name, each in samples.items()
    }


def _ordinary(environment: Mapping[str, str]) -> dict[str, str]:
    """The environment without what few have: PYTHONDONTWRITEBYTECODE, PYTHONUNBUFFERED and the like."""
    return {name: value for name, value in environment.items() if not name.startswith("PYTHON")}


def _once(command: list[str], environment: dict[str, str]) -> tuple[float, float]:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    start = time.perf_counter()
    # In a folder of its own: where a project's settings lie near, reading them takes time.
    folder = environment["BENCH_FOLDER"]
    done = subprocess.run(command, env=environment, cwd=folder, capture_output=True, text=True, check=False)
    wall = time.perf_counter() - start
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode:
        raise SystemExit(f"{command} exited {done.returncode}:\n{done.stdout[-2000:]}\n{done.stderr[-2000:]}")
    return wall, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def _command() -> str:
    return str(Path(sys.executable).with_name("retailops-sandbox"))


def _first(folder: Path) -> Path:
    return min(folder.iterdir())


def _cases(folder: Path, scenarios: list[dict[str, object]]) -> Path:
    """A folder with a file for each scenario."""
    folder.mkdir()
    for number, scenario in enumerate(scenarios):
        text = json.dumps({"format": 1, "name": f"case {number}", **scenario}, indent=2)
        (folder / f"case-{number:05}.scenario.json").write_text(text)
    return folder


def _drafts(count: int, *, files: int) -> list[dict[str, object]]:
    """`count` steps in so many scenarios."""
    return [
        {"steps": [_step(number, "/data/order/id", "cancel") for number in range(file, count, files)]}
        for file in range(files)
    ]


def _tokens() -> list[dict[str, object]]:
    """COUNT scenarios, each with the right token and then a wrong one."""
    scenarios: list[dict[str, object]] = []
    for number in range(COUNT):
        right = _step(number, "/order/channel_order_refnum", "right")
        wrong = _step(number, "/order/channel_order_refnum", "wrong")
        wrong |= {"set": {"/integration_auth_token": WRONG_TOKEN}, "expect": {"status": 401}}
        scenarios.append({"edition": "v1", "steps": [right, wrong]})
    return scenarios


def _step(number: int, id_at: str, name: str) -> dict[str, object]:
    return {
        "name": f"{name} {number}",
        "fixture": "default",
        "set": {id_at: str(10_000 + number)},
        "expect": {"status": 200, "body": {"events": []}},
    }


class _receiver:
    """The fast receiver in a process of its own, for as long as the bench runs."""

    def __enter__(self) -> str:
        self._process = subprocess.Popen(
            [sys.executable, HERE / "receiver.py"], stdout=subprocess.PIPE, text=True
        )
        assert self._process.stdout is not None
        return f"http://127.0.0.1:{int(self._process.stdout.readline())}"

    def __exit__(self, *_: object) -> None:
        self._process.terminate()
        self._process.wait()


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
