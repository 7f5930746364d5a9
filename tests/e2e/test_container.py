"""The Containerfile: its image, built and run as a container engine does, on a read-only root."""

from __future__ import annotations

import contextlib
import http.client
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.containerfile import Engine, Image, container_engine, copied, parse
from tests.support.receivers import unused_port

ROOT = Path(__file__).parents[2]
TOKEN = "a-token-of-some-length"

pytestmark = pytest.mark.skipif(
    sys.platform != "linux" or os.geteuid() != 0,
    reason="mounts, as a container engine does: as root on Linux",
)


@pytest.fixture(scope="module")
def context(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What `make image` hands to the engine, and a file that is none of its business."""
    context = tmp_path_factory.mktemp("context")
    (context / "dist").mkdir()
    shutil.copy(wheel, context / "dist")
    for name in ("Containerfile", ".containerignore", "constraints.txt"):
        shutil.copy(ROOT / name, context)
    (context / "secret.env").write_text("TOKEN=x")
    return context


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    with container_engine(tmp_path_factory.mktemp("images")) as engine:
        yield engine


@pytest.fixture(scope="module")
def image(engine: Engine, context: Path) -> Image:
    return engine.build(context)


@pytest.fixture
def volume(tmp_path: Path) -> Path:
    """Where the workspace's volume comes to lie, which the first container makes."""
    for folder in (tmp_path, *tmp_path.parents[:2]):
        folder.chmod(0o755)
    return tmp_path / "volume"


def run(command: list[str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)


def test_it_says_who_runs_what_where(image: Image):
    assert image.user == "10001:10001"
    assert image.volumes == [image.workdir] == [image.env["RETAILOPS_SANDBOX_WORKSPACE"]] == ["/workspace"]
    assert image.ports == [image.env["RETAILOPS_SANDBOX_PORT"]] == ["8080"]
    assert (image.entrypoint, image.command) == (["retailops-sandbox"], ["serve"])


def test_nothing_but_the_wheel_and_the_constraints_is_copied(context: Path):
    assert [path.name for path in copied(context, "*")] == ["constraints.txt"]
    assert [path.suffix for path in copied(context, "*/*")] == [".whl"]
    sources = [rest for name, rest in parse((ROOT / "Containerfile").read_text()) if name == "COPY"]
    assert sources[0].split()[:-1] == ["constraints.txt", "dist/*.whl"]


def test_it_holds_the_package_and_its_extra_as_the_constraints_say(
    engine: Engine, image: Image, volume: Path
):
    code = (
        "import importlib.metadata as m, psycopg, retailops_sandbox as r; print(r.__file__);"
        "[print(f'{d.name}=={d.version}'.lower().replace('_', '-')) for d in m.distributions()]"
    )
    file, *found = run(engine.shell_command(image, ["python", "-c", code], volume=volume)).stdout.split()
    assert file.startswith("/opt/retailops-sandbox/lib/")
    pinned = {line.lower() for line in (ROOT / "constraints.txt").read_text().splitlines()}
    own = {"pip", "setuptools", "retailops-sandbox"}
    assert {each for each in found if each.partition("==")[0] not in own} - pinned == set()


def test_without_a_token_it_does_not_start(engine: Engine, image: Image, volume: Path):
    done = run(engine.command(image, volume=volume, RETAILOPS_SANDBOX_PORT="0"))
    assert done.returncode == 2
    assert done.stderr.startswith("error: 0.0.0.0 can be reached by others, so serving on it needs a token (")
    assert "RETAILOPS_SANDBOX_TOKEN" in done.stderr


def asked(port: int, path: str, **headers: str) -> int:
    with contextlib.closing(http.client.HTTPConnection("127.0.0.1", port, timeout=30)) as connection:
        connection.request("GET", path, headers={"Connection": "close", **headers})
        with connection.getresponse() as answer:
            return answer.status


@contextlib.contextmanager
def started(command: list[str]) -> Iterator[subprocess.Popen[str]]:
    """A program that runs in a container, and no longer than the block."""
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        try:
            yield process
        finally:
            process.kill()


def test_it_serves_as_nobody_on_a_root_that_cannot_be_written(engine: Engine, image: Image, volume: Path):
    port = unused_port()
    env = {"RETAILOPS_SANDBOX_PORT": str(port), "RETAILOPS_SANDBOX_TOKEN": TOKEN}
    health = engine.shell_command(image, image.health, volume=volume, **env)
    assert run(health).returncode != 0
    command = engine.command(image, volume=volume, **env)
    with started(command) as served:
        assert served.stdout is not None
        assert f"http://0.0.0.0:{port}/" in served.stdout.readline()
        assert run(health).returncode == 0
        assert asked(port, "/") == 401
        assert asked(port, "/", Authorization=f"Bearer {TOKEN}", Host="sandbox.example") == 200
        status = Path(f"/proc/{served.pid}/status").read_text()
        for line in (
            "Uid:\t10001\t10001",
            "Gid:\t10001\t10001",
            "CapEff:\t0000000000000000",
            "NoNewPrivs:\t1",
        ):
            assert line in status
        served.send_signal(signal.SIGTERM)
        _, errors = served.communicate(timeout=60)
    assert (served.returncode, errors) == (0, "")
    assert run(health).returncode != 0


def test_what_it_writes_is_in_the_volume_and_nowhere_else(engine: Engine, image: Image, volume: Path):
    sent = run(engine.command(image, "send", "default", "--stand-in", volume=volume))
    assert sent.returncode == 0, sent.stderr
    assert (volume / ".sandbox" / "runs").stat().st_uid == 10001
    listed = run(engine.command(image, "log", "list", volume=volume))
    assert "passed" in listed.stdout
    for place in ("/x", "/opt/retailops-sandbox/x", "/etc/x"):
        done = run(engine.shell_command(image, ["touch", place], volume=volume))
        assert "Read-only file system" in done.stderr


def test_another_user_may_run_it(engine: Engine, image: Image, volume: Path):
    volume.mkdir()
    os.chown(volume, 4711, 0)
    done = run(engine.command(image, "run", "--stand-in", user="4711:0", volume=volume))
    assert done.returncode == 0, done.stderr
    assert (volume / ".sandbox").stat().st_uid == 4711
