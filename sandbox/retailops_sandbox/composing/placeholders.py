"""Placeholders: `${name}` in payloads, headers and expectations, and what the names stand for. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

import msgspec

from retailops_sandbox import jsontext
from retailops_sandbox.errors import ComposeError, SourceError
from retailops_sandbox.jsontext import pointer
from retailops_sandbox.model import Json, Mark

_PLACEHOLDER = re.compile(r"\$\$\{|\$\{([^{}]*)\}?")


class MissingCapture(ComposeError):
    """The error of a placeholder for a value that an earlier step should have captured, and did not."""


class Names(msgspec.Struct, kw_only=True):
    """The values of placeholders by name, looked up in the order of the fields."""

    captured: dict[str, Json] = {}
    lost: frozenset[str] = frozenset()
    """The names whose capture failed."""
    secrets: tuple[tuple[str, str], ...] = ()
    """Captured values that were struck out of the answer, with the names of these secrets."""
    given: Mapping[str, Json] = {}
    environment: Mapping[str, str] = {}
    """The process's environment, for `${env:NAME}`; its `RETAILOPS_SANDBOX_VAR_NAME` is for `${NAME}`."""
    receiver: Mapping[str, Json] = {}
    scenario: Mapping[str, Json] = {}
    built_in: Mapping[str, Json] = {}
    expanding: set[str] = set()
    """The variables whose own placeholders are being filled now, to refuse one that refers to itself."""

    def lookup(self, name: str) -> Json:
        """The value of `${name}`; ComposeError if nothing has that name."""
        if name.startswith("env:"):
            return self._environment(name[4:])
        if name in self.lost:
            raise MissingCapture(f"${{{name}}} was not captured")
        variable = self.environment.get(f"RETAILOPS_SANDBOX_VAR_{name}")
        for values in (self.captured, self.given):
            if name in values:
                return values[name]
        if variable is not None:
            return variable_value(variable)
        for values in (self.receiver, self.scenario):
            if name in values:
                return self._expanded(name, values[name])
        if name in self.built_in:
            return self.built_in[name]
        known = sorted({*self.captured, *self.given, *self.receiver, *self.scenario, *self.built_in})
        raise ComposeError(
            f"unknown placeholder ${{{name}}}",
            mend=f"known: {', '.join(known)}, env:NAME; a literal ${{ is spelled $${{",
        )

    def _expanded(self, name: str, value: Json) -> Json:
        """A variable's value, with the placeholders in it filled."""
        if name in self.expanding:
            raise ComposeError(f"the variable {name} needs itself", mend="give it a value of its own")
        self.expanding.add(name)
        try:
            return fill(value, self)
        finally:
            self.expanding.discard(name)

    def _environment(self, name: str) -> str:
        if name not in self.environment:
            raise ComposeError(
                f"the environment variable {name} is not set",
                mend=f"set {name}, as ${{env:{name}}} asks for it",
            )
        value = self.environment[name]
        try:
            value.encode()
        except UnicodeEncodeError as error:
            raise ComposeError(f"the environment variable {name} is not UTF-8") from error
        return value


def variable_value(text: str) -> Json:
    """The value of a variable that is given as text: JSON where it is JSON, else the text itself."""
    try:
        return jsontext.parse(text)
    except SourceError:
        return text


def has_placeholder(text: str) -> bool:
    """Whether a JSON text may hold a placeholder, also one whose `$` or `{` is spelled as an escape."""
    return "${" in text or "\\u00" in text


def references(text: str) -> list[str]:
    """The names in the placeholders of a text."""
    return [found[1] for found in _PLACEHOLDER.finditer(text) if found[1] is not None]


def environment_variables(text: str) -> list[str]:
    """The variables of the environment that a text refers to as `${env:NAME}`."""
    return [name[4:] for name in references(text) if name.startswith("env:")]


def escaped(value: Json) -> Json:
    """The value, spelled so that `fill` returns it as it is."""
    if isinstance(value, str):
        return value if isinstance(value, Mark) else value.replace("${", "$${")
    if isinstance(value, dict):
        return {key: escaped(child) for key, child in value.items()}
    return [escaped(item) for item in value] if isinstance(value, list) else value


def fill(value: Json, names: Names, at: str = "") -> Json:
    """The value with its placeholders filled; ComposeError with the pointer of one that cannot be."""
    if isinstance(value, str):
        if "${" not in value:
            return value
        try:
            return _fill_text(value, names.lookup)
        except ComposeError as error:
            error.pointer = at
            raise
    if isinstance(value, dict):
        return {key: fill(child, names, f"{at}/{pointer.escape(key)}") for key, child in value.items()}
    if isinstance(value, list):
        return [fill(child, names, f"{at}/{position}") for position, child in enumerate(value)]
    return value


def fill_text(text: str, names: Names, at: str = "") -> str:
    """A string with its placeholders filled as text; ComposeError with the pointer of one that cannot be."""
    return _as_text(fill(text, names, at))


def _fill_text(text: str, lookup: Callable[[str], Json]) -> Json:
    whole = _PLACEHOLDER.fullmatch(text)
    if whole and whole[1] is not None:
        return lookup(_name(whole))
    return _PLACEHOLDER.sub(lambda found: "${" if found[1] is None else _as_text(lookup(_name(found))), text)


def _name(found: re.Match[str]) -> str:
    if not found[0].endswith("}"):
        raise ComposeError(f"{found[0]!r} is not closed by }}", mend="a literal ${ is spelled $${")
    return found[1]


def _as_text(value: Json) -> str:
    return value if isinstance(value, str) else jsontext.compact(value).decode()
