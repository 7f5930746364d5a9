"""Configuration: command line, then environment, then pyproject.toml, then the workspace."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from pathlib import Path

import msgspec

from sandbox.errors import SandboxError, SourceError, UsageError
from sandbox.workspace import read_text

PREFIX = "RETAILOPS_SANDBOX_"


class Settings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="kebab"):
    """What the environment and pyproject.toml may say; the command line overrides each."""

    receiver: str = ""
    """A receiver's name or URL."""
    jobs: int = 8
    retries: int = 0
    timeout_ms: int | None = None
    host: str = "127.0.0.1"
    port: int = 8080
    token: str = ""
    """What a browser must show when the sandbox is bound to an address that is not loopback."""


def read(environment: Mapping[str, str], start: Path) -> Settings:
    """The settings in force at a folder. Raises UsageError or SourceError that names the culprit."""
    values: dict[str, object] = {}
    file = _pyproject(start)
    if file is not None:
        values.update(_section(file))
    for name in Settings.__struct_fields__:
        text = environment.get(PREFIX + name.upper())
        if text:
            values[name.replace("_", "-")] = text
    try:
        return msgspec.convert(values, Settings, strict=False)
    except msgspec.ValidationError as error:
        raise UsageError(
            f"the settings in {file or 'the environment'}: {error}", mend=_known(str(error))
        ) from error


def _pyproject(start: Path) -> Path | None:
    return next(
        (file for folder in (start, *start.parents) if (file := folder / "pyproject.toml").is_file()), None
    )


def _section(file: Path) -> dict[str, object]:
    text = read_text(file)
    if "retailops-sandbox" not in text:
        return {}
    import tomllib

    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise SourceError(f"is not TOML: {error}", file=str(file)) from error
    section = document.get("tool", {}).get("retailops-sandbox", {})
    if not isinstance(section, dict):
        raise SandboxError("[tool.retailops-sandbox] is not a table", file=str(file))
    return section


def _known(message: str) -> str:
    names = [name.replace("_", "-") for name in Settings.__struct_fields__]
    named = message.split("`")[1] if "unknown field" in message else ""
    near = difflib.get_close_matches(named, names, 1)
    return f"did you mean {near[0]}?" if near else f"known settings: {', '.join(names)}"
