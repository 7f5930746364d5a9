"""Placeholders: `${name}` in payloads, headers and expectations, and what the names stand for. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import NamedTuple

import msgspec

from retailops_sandbox import jsontext
from retailops_sandbox.errors import ComposeError, SourceError
from retailops_sandbox.jsontext import pointer
from retailops_sandbox.model import Json, Mark

BUILT_IN = ("uuid", "now", "sequence")
"""The names whose values each step makes anew."""
MOST_FILLED = 2_000_000
"""Characters, about, that the placeholders of one step may be filled with."""
LONGEST_TEXT = 16 * 1024 * 1024
"""The most characters that `${text:N}` stands for in one step, beside what the other placeholders fill in."""
DEEPEST_REFERENCE = 30
"""The most variables of which each refers to the next."""
_TEXT = "text:"
_PLACEHOLDER = re.compile(r"\$\$\{|\$\{([^{}]*)\}?")


class MissingCapture(ComposeError):
    """The error of a placeholder for a value that an earlier step should have captured, and did not."""


class UnknownPlaceholder(ComposeError):
    """The error of a placeholder whose name nothing defines."""

    def __init__(self, name: str, mend: str) -> None:
        super().__init__(f"unknown placeholder ${{{name}}}", mend=mend)
        self.name = name


class _Found(NamedTuple):
    """The value of a name, with its length in characters, about, and its levels of nesting."""

    value: Json
    length: int
    height: int


class Names(msgspec.Struct, kw_only=True):
    """The values of placeholders by name, looked up in the order of the fields.

    What they are filled with is bounded: variables that refer to each other could make a value of any size.
    """

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
    _expanding: dict[str, int] = {}
    """The variables whose own placeholders are being filled now, each with its levels of nesting."""
    _found: dict[str, _Found] = {}
    """The variables that were filled in this step; each is filled once, however often it is named."""
    _length: int = 0
    """The length of what was filled in until now: in the step, or in the variable that is being filled."""
    _height: int = 0
    """The most levels of nesting of what was filled in until now, likewise."""
    _text: int = 0
    """The length of the texts that `${text:N}` stood for in this step."""

    def begin_step(self, built_in: Mapping[str, Json]) -> None:
        """Begin a step, with its built-in names."""
        self.built_in = built_in
        self._found.clear()
        self._length = self._height = self._text = 0

    def lookup(self, name: str, level: int) -> Json:
        """The value of `${name}`, to be put so many levels deep; ComposeError where there is none, and where
        the values become too large."""
        if name.startswith(_TEXT):
            return self._long_text(name)
        found = self._found.get(name) or self._expanded(name)
        self._length += found.length
        self._height = max(self._height, found.height)
        if self._length > MOST_FILLED:
            what = f"with ${{{name}}}, more than {MOST_FILLED:,} characters would be filled in"
            raise ComposeError(what, mend="shorten the variables that refer to each other, or the values")
        if level + found.height > jsontext.MAX_DEPTH:
            what = f"with ${{{name}}} filled in, this is nested deeper than {jsontext.MAX_DEPTH} levels"
            raise ComposeError(what, mend="flatten the value")
        return found.value

    def _long_text(self, name: str) -> str:
        """A text of as many characters as the name says, which must stand in the step itself."""
        if self._expanding:
            raise ComposeError(f"${{{name}}} is in a variable", mend="write it where the text is to stand")
        if not re.fullmatch("[0-9]{1,9}", name[len(_TEXT) :]):
            raise ComposeError(f"${{{name}}} says no length", mend="write a number: ${text:4096}")
        length = int(name[len(_TEXT) :])
        self._text += length
        if self._text > LONGEST_TEXT:
            what = f"with ${{{name}}}, texts of more than {LONGEST_TEXT:,} characters would be filled in"
            raise ComposeError(what, mend="write a smaller number")
        return "x" * length

    def _expanded(self, name: str) -> _Found:
        """The value of a name, with the placeholders in it filled where it is a variable's."""
        value, is_written = self._written(name)
        length, height = _extent(value)
        if not is_written:
            return _Found(value, length, height)
        self._check_references(name, height)
        outside = self._length, self._height
        self._length = self._height = 0
        self._expanding[name] = height
        try:
            filled = fill(value, self)
            found = self._found[name] = _Found(filled, length + self._length, height + self._height)
            return found
        finally:
            del self._expanding[name]
            self._length, self._height = outside

    def _check_references(self, name: str, height: int) -> None:
        """ComposeError for a variable that needs itself, or ends too long a chain of references."""
        if name in self._expanding:
            raise ComposeError(f"the variable {name} needs itself", mend="give it a value of its own")
        if len(self._expanding) < DEEPEST_REFERENCE and (
            sum(self._expanding.values()) + height <= jsontext.MAX_DEPTH
        ):
            return
        chain = [*self._expanding, name]
        first, second = chain[0], chain[1 % len(chain)]
        what = f"the variable {first} refers to {second}, and so on to {name}: "
        if len(self._expanding) < DEEPEST_REFERENCE:
            raise ComposeError(f"{what}nested deeper than {jsontext.MAX_DEPTH} levels", mend="flatten them")
        mend = f"{DEEPEST_REFERENCE} are the most: give one of them a value of its own"
        raise ComposeError(f"{what}more than {DEEPEST_REFERENCE} variables", mend=mend)

    def _written(self, name: str) -> tuple[Json, bool]:
        """The value of a name as it is given, and whether its own placeholders are to be filled."""
        if name.startswith("env:"):
            return self._environment(name[4:]), False
        if name in self.lost:
            raise MissingCapture(f"${{{name}}} was not captured")
        variable = self.environment.get(f"RETAILOPS_SANDBOX_VAR_{name}")
        for values in (self.captured, self.given):
            if name in values:
                return values[name], False
        if variable is not None:
            return variable_value(variable), False
        for values in (self.receiver, self.scenario):
            if name in values:
                return values[name], True
        if name in self.built_in:
            return self.built_in[name], False
        known = sorted({*self.captured, *self.given, *self.receiver, *self.scenario, *self.built_in})
        raise UnknownPlaceholder(
            name, f"known: {', '.join(known)}, env:NAME, text:LENGTH; a literal ${{ is spelled $${{"
        )

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
            level = at.count("/")
            return _fill_text(value, lambda name: names.lookup(name, level))
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


def fill_but_environment(text: str, names: Names) -> str:
    """A string as a step writes it, with all its placeholders filled but those of the environment."""

    def filled(found: re.Match[str]) -> str:
        if found[1] is None or found[1].startswith("env:"):
            return found[0]
        return str(escaped(_as_text(names.lookup(_name(found), 0))))

    return _PLACEHOLDER.sub(filled, text)


def _fill_text(text: str, lookup: Callable[[str], Json]) -> Json:
    whole = _PLACEHOLDER.fullmatch(text)
    if whole and whole[1] is not None:
        return lookup(_name(whole))
    return _PLACEHOLDER.sub(lambda found: "${" if found[1] is None else _as_text(lookup(_name(found))), text)


def _extent(value: Json) -> tuple[int, int]:
    """The length of a value in characters, about, and its levels of nesting."""
    if isinstance(value, str):
        return len(value), 0
    if not value or not isinstance(value, (dict, list)):
        return 4, 0
    length = sum(map(len, value)) if isinstance(value, dict) else 0
    extents = [_extent(child) for child in (value.values() if isinstance(value, dict) else value)]
    return length + sum(each[0] + 2 for each in extents), 1 + max(each[1] for each in extents)


def _name(found: re.Match[str]) -> str:
    if not found[0].endswith("}"):
        raise ComposeError(f"{found[0]!r} is not closed by }}", mend="a literal ${ is spelled $${")
    return found[1]


def _as_text(value: Json) -> str:
    return value if isinstance(value, str) else jsontext.compact(value).decode()
