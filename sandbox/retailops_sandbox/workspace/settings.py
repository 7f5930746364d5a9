"""Settings from the environment, else from pyproject.toml. Options of the command line override both."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from retailops_sandbox.errors import SourceError, UsageError, did_you_mean
from retailops_sandbox.workspace.files import checked, read_text

PREFIX = "RETAILOPS_SANDBOX_"


class Settings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="kebab"):
    """The settings that environment and pyproject.toml can hold."""

    receiver: str = ""
    """A receiver's name or URL."""
    jobs: Annotated[int, Meta(ge=1)] = 8
    retries: Annotated[int, Meta(ge=0)] = 0
    timeout_ms: Annotated[int, Meta(ge=1, le=86_400_000)] | None = None
    host: str = "127.0.0.1"
    secret_env: tuple[str, ...] = ()
    """Names of environment variables whose values are secret, whatever the receiver."""
    port: Annotated[int, Meta(ge=0, le=65_535)] = 8080
    token: str = ""
    """The token that a browser must present where `serve` is bound to an address other than loopback."""
    keep_runs: Annotated[int, Meta(ge=1)] | None = None
    """The number of runs that the log keeps; None keeps all."""
    keep_days: Annotated[int, Meta(ge=1, le=36_500)] | None = None
    """The days for which the log keeps a run; None keeps it for good."""
    log: str = ""
    """The URL of a PostgreSQL database that keeps the log, which may hold a password; empty for files."""


def read(environment: Mapping[str, str], start: Path) -> Settings:
    """The settings for a folder. UsageError or SourceError names the variable or file that is wrong."""
    file = _pyproject(start)
    known = Settings() if file is None else _converted(_section(file), str(file))
    for name in Settings.__struct_fields__:
        variable = PREFIX + name.upper()
        text = environment.get(variable)
        if text:
            given = _converted({name.replace("_", "-"): text}, f"the environment variable {variable}")
            known = msgspec.structs.replace(known, **{name: getattr(given, name)})
    return known


def places(environment: Mapping[str, str], start: Path) -> list[str]:
    """The sources of the settings for a folder: a file, and variables of the environment."""
    file = _pyproject(start)
    variables = (PREFIX + name.upper() for name in Settings.__struct_fields__)
    found = [f"the environment variable {each}" for each in variables if environment.get(each)]
    return [*([str(file)] if file is not None else []), *found]


def readable(environment: Mapping[str, str]) -> Mapping[str, str]:
    """The environment itself; UsageError where one of its variables for the sandbox cannot be decoded."""
    for name, text in environment.items():
        if name.startswith(PREFIX):
            try:
                (name + text).encode()
            except UnicodeEncodeError as error:
                raise UsageError(f"the environment variable {name} is not UTF-8") from error
    return environment


def _converted(values: dict[str, Any], place: str) -> Settings:
    try:
        for text in values.values():
            if isinstance(text, str):
                text.encode()
        names = values.get("secret-env")
        if isinstance(names, str):
            values = {**values, "secret-env": names.replace(",", " ").split()}
        return msgspec.convert(values, Settings, strict=False)
    except msgspec.ValidationError as error:
        raise UsageError(f"the settings in {place}: {error}", mend=_known(str(error))) from error
    except UnicodeEncodeError as error:
        raise UsageError(f"{place} is not UTF-8") from error


def _pyproject(start: Path) -> Path | None:
    files = (folder / "pyproject.toml" for folder in (start, *start.parents))
    return next((file for file in files if checked(Path.is_file, file)), None)


def _section(file: Path) -> dict[str, Any]:
    text = read_text(file)
    if "retailops-sandbox" not in text:
        return {}
    import tomllib

    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise SourceError(f"is not TOML: {error}", file=str(file)) from error
    tool = document.get("tool", {})
    section = tool.get("retailops-sandbox", {}) if isinstance(tool, dict) else None
    if not isinstance(section, dict):
        raise SourceError("[tool.retailops-sandbox] is not a table", file=str(file))
    return section


def _known(message: str) -> str:
    names = [name.replace("_", "-") for name in Settings.__struct_fields__]
    named = message.split("`")[1] if "unknown field" in message else ""
    return did_you_mean(named, names) or f"known settings: {', '.join(names)}"
