"""Builds and runs what a Containerfile says where no container engine is: by mounts and chroot, as root.

An image's tree is an overlay over this machine's own files, which stand for the base image: they hold a
shell, Python and their libraries. All is in a mount namespace of its own and in memory, and is gone when that
ends.
"""

from __future__ import annotations

import fnmatch
import json
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import msgspec

_MOUNT = """
mount -t tmpfs -o mode=755 tmpfs {place}
echo ready
exec cat
"""
_LAYER = """
mkdir -p {place}/upper {place}/work {place}/root
mount -t overlay -o lowerdir=/,upperdir={place}/upper,workdir={place}/work overlay {place}/root
mount --rbind /proc {place}/root/proc
mount --rbind /dev {place}/root/dev
mount -t tmpfs -o mode=1777 tmpfs {place}/root/tmp
"""
_BASE = """
[ -e {programs}/python ] || ln -s python3 {programs}/python
for folder in {folders}; do chmod o+x "$folder"; done
rm -rf /opt/retailops-sandbox /workspace
"""
_READ_ONLY = """
mount -o remount,bind,ro {root}
mount -t tmpfs -o mode=1777 tmpfs {root}/tmp
"""
_PATH = "/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
_REFERENCE = re.compile(r"\$\{(\w+)\}")


class Instruction(NamedTuple):
    """An instruction of a Containerfile, in capitals, and what follows it."""

    name: str
    rest: str


def parse(text: str) -> list[Instruction]:
    """The instructions of a Containerfile, each with its continued lines as one."""
    written = "\n".join(line for line in text.splitlines() if not line.lstrip().startswith("#"))
    lines = re.sub(r"\\\n", " ", written).splitlines()
    return [Instruction(*line.split(maxsplit=1)) for line in lines if line.strip()]


class Image(msgspec.Struct):
    """A built image: its tree in the namespace of the engine, and how it is run."""

    root: str
    env: dict[str, str]
    user: str = "0:0"
    workdir: str = "/"
    volumes: list[str] = []
    ports: list[str] = []
    entrypoint: list[str] = []
    command: list[str] = []
    health: list[str] = []


class Engine:
    """A mount namespace in which images are built and run."""

    def __init__(self, holder: subprocess.Popen[str], place: Path) -> None:
        self._namespace = f"/proc/{holder.pid}/ns/mnt"
        self._place = place
        self._stages = 0

    def build(self, context: Path, **arguments: str) -> Image:
        """The last stage of the context's Containerfile; `arguments` are those of the build."""
        known: dict[str, str] = {}
        stages: dict[str, Image] = {}
        image = None
        for name, rest in parse((context / "Containerfile").read_text()):
            if name == "ARG":
                key, _, default = rest.partition("=")
                known[key] = arguments.get(key, known.get(key, default))
            elif name == "FROM":
                _, *alias = _filled(rest, known).split(" AS ")
                image = self._base()
                stages.update(dict.fromkeys(alias, image))
            else:
                assert image is not None
                self._follow(Instruction(name, rest), image, context, stages, known)
        assert image is not None
        self._sh(_READ_ONLY.format(root=image.root))
        return image

    def _follow(
        self,
        instruction: Instruction,
        image: Image,
        context: Path,
        stages: Mapping[str, Image],
        known: Mapping[str, str],
    ) -> None:
        rest = instruction.rest
        match instruction.name:
            case "COPY":
                self._copy(_filled(rest, {**known, **image.env}).split(), image, context, stages)
            case "RUN":
                # As an engine hands on what the build needs of the machine: a proxy, pip's index.
                of_build = {key: text for key, text in os.environ.items() if key.startswith("PIP_")}
                env = {"HOME": "/root", **of_build, **image.env, **known}
                done = subprocess.run(
                    self._command(image, ["sh", "-c", rest], image.user, env),
                    capture_output=True,
                    text=True,
                    check=False,
                )
                assert done.returncode == 0, f"{rest}\n{done.stdout}\n{done.stderr}"
            case "ENV":
                pairs = (pair.split("=", 1) for pair in shlex.split(_filled(rest, image.env)))
                image.env |= dict(pairs)
            case "WORKDIR":
                image.workdir = rest
            case "USER":
                image.user = rest
            case "VOLUME":
                image.volumes.append(rest)
            case "EXPOSE":
                image.ports.append(rest)
            case "ENTRYPOINT":
                image.entrypoint = json.loads(rest)
            case "CMD":
                image.command = json.loads(rest)
            case "HEALTHCHECK":
                image.health = json.loads(rest.partition(" CMD ")[2])
            case name:
                raise AssertionError(f"an instruction that is not known here: {name}")

    def command(self, image: Image, *arguments: str, user: str = "", volume: Path, **env: str) -> list[str]:
        """The command that runs the image's entry point, or its own command without arguments."""
        program = [*image.entrypoint, *(arguments or image.command)]
        return self.shell_command(image, program, user=user, volume=volume, **env)

    def shell_command(
        self, image: Image, program: Sequence[str], *, user: str = "", volume: Path, **env: str
    ) -> list[str]:
        """The command that runs any program in the image, with a folder of this machine as its volume."""
        (place,) = image.volumes
        at = f"{image.root}{place}"
        # The volume of the container before.
        self._sh(f"! mountpoint -q {at} || umount {at}")
        if not volume.exists():
            # As an engine makes a new volume: of the one to whom the image's folder belongs.
            volume.mkdir()
            self._sh(f"chown --reference={at} {shlex.quote(str(volume))}")
        self._sh(f"mount --bind {shlex.quote(str(volume))} {at}")
        return self._command(image, program, user or image.user, {**image.env, "HOME": "/", **env})

    def _command(self, image: Image, program: Sequence[str], user: str, env: Mapping[str, str]) -> list[str]:
        uid, _, gid = user.partition(":")
        dropped = ("--clear-groups", "--no-new-privs", "--bounding-set=-all", "--inh-caps=-all")
        drop = [] if uid == "0" else ["setpriv", f"--reuid={uid}", f"--regid={gid or uid}", *dropped]
        pairs = [f"{key}={text}" for key, text in env.items()]
        enter = ["nsenter", f"--mount={self._namespace}", "chroot", image.root]
        return [*enter, "env", "-i", "-C", image.workdir, *pairs, *drop, *program]

    def _base(self) -> Image:
        """A stage that begins with this machine's files, and `python` on PATH."""
        self._stages += 1
        place = f"{self._place}/{self._stages}"
        self._sh(_LAYER.format(place=place))
        programs = Path(sys.base_prefix, "bin")
        image = Image(f"{place}/root", {"PATH": f"{programs}:{_PATH}"})
        folders = shlex.join(str(each) for each in programs.parents)
        base = _BASE.format(programs=shlex.quote(str(programs)), folders=folders)
        subprocess.run(self._command(image, ["sh", "-ec", base], "0:0", image.env), check=True)
        return image

    def _copy(self, words: list[str], image: Image, context: Path, stages: Mapping[str, Image]) -> None:
        whence = next((word.removeprefix("--from=") for word in words if word.startswith("--from=")), "")
        *sources, target = (word for word in words if not word.startswith("--"))
        to = f"{image.root}{target}"
        if whence:
            (source,) = sources
            self._sh(f"mkdir -p {to} && cp -a {stages[whence].root}{source}/. {to}")
            return
        found = [path for each in sources for path in copied(context, each)]
        assert found, f"nothing to copy: {sources}"
        self._sh(f"mkdir -p {to} && cp {shlex.join(map(str, found))} {to}")

    def _sh(self, script: str) -> None:
        subprocess.run(["nsenter", f"--mount={self._namespace}", "sh", "-ec", script], check=True)


def copied(context: Path, pattern: str) -> list[Path]:
    """The files of a context that a pattern means and its .containerignore lets in."""
    rules = [line for line in (context / ".containerignore").read_text().split() if not line.startswith("#")]
    return [path for path in sorted(context.glob(pattern)) if _is_let_in(path.relative_to(context), rules)]


def _is_let_in(path: Path, rules: Sequence[str]) -> bool:
    let_in = True
    for rule in rules:
        if fnmatch.fnmatch(str(path), rule.removeprefix("!")):
            let_in = rule.startswith("!")
    return let_in


def _filled(text: str, known: Mapping[str, str]) -> str:
    return _REFERENCE.sub(lambda found: known[found[1]], text)


@contextmanager
def container_engine(place: Path) -> Iterator[Engine]:
    """An engine whose images lie in a folder, until the block ends."""
    script = _MOUNT.format(place=shlex.quote(str(place)))
    command = ["unshare", "--mount", "--propagation", "private", "sh", "-ec", script]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout is not None
        assert holder.stdin is not None
        assert holder.stdout.readline() == "ready\n"
        yield Engine(holder, place)
        holder.stdin.close()
