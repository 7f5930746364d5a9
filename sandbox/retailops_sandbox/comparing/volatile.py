"""Values of an answer that will differ the next time, and the rules that accept them then."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import TypeAlias

import msgspec

from retailops_sandbox.comparing import matchers
from retailops_sandbox.comparing.rules import DEEPEST
from retailops_sandbox.comparing.values import same, type_name
from retailops_sandbox.jsontext import pointer
from retailops_sandbox.model import Json, Number, Rule

_EPOCH_MS = range(1_000_000_000_000, 4_102_444_800_000)
"""The milliseconds since 1970 of the years 2001 to 2099; an integer of this range is hardly anything else."""

_UUID = "[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}"
_INSTANT = r"\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(?:\.\d+)?(?:[Zz]|[+-]\d\d:\d\d)"
_WITHIN = re.compile(f"(?P<uuid>(?<![0-9a-zA-Z]){_UUID}(?![0-9a-zA-Z]))|(?P<instant>(?<![0-9]){_INSTANT})")
_HEXADECIMAL = re.compile("[0-9a-f]{8,}|[0-9A-F]{8,}")
_LONGEST = 400
"""The most characters of a string for which a regex is proposed."""

_MATCHERS = [(matchers.matcher(name), matchers.MATCHERS[name].words) for name in matchers.FORMATS]
_EPOCH_WORDS = "milliseconds since 1970"

_Path: TypeAlias = tuple[str, ...]


class Volatile(msgspec.Struct, frozen=True):
    """A value that will differ the next time, with the rule for it."""

    rule: Rule
    reason: str
    sure: bool
    """Whether the value looks made anew each time. Otherwise it only differed, which may matter."""
    shown: Json


def find(
    answer: Json,
    repeats: Sequence[Json],
    *,
    sent: Collection[Json],
    arrays: Mapping[str, tuple[str, ...]],
) -> dict[str, Volatile]:
    """The volatile values of an answer, by rule path; `*` stands for items that all have the same rule.

    `repeats` are the answers to the same request at other times. `sent` are the strings and numbers of the
    payload, whose copies in the answer are not volatile. `arrays` are the contract's set-like arrays.
    """
    sets = {tuple(pointer.parse(path)): identity for path, identity in arrays.items()}
    found = _Search(sent, sets).value(answer, list(repeats), ())
    return {pointer.join(path): each for path, each in found.items() if len(path) < DEEPEST - 1}


class _Search:
    def __init__(self, sent: Collection[Json], sets: Mapping[_Path, tuple[str, ...]]) -> None:
        self._sent = {each for each in sent if isinstance(each, (str, int)) and not isinstance(each, bool)}
        self._sets = sets

    def value(self, value: Json, repeats: list[Json], at: _Path) -> dict[_Path, Volatile]:
        """The volatile parts of a value, by path below it; `at` is its own path, with `*` for every item."""
        if isinstance(value, dict):
            return self._members(value, repeats, at)
        if isinstance(value, list):
            return self._items(value, repeats, at)
        found = _leaf(value, [each for each in repeats if not isinstance(each, (dict, list))], self._sent)
        return {(): found} if found else {}

    def _members(self, value: dict[str, Json], repeats: list[Json], at: _Path) -> dict[_Path, Volatile]:
        found = {}
        for key, child in value.items():
            if key == "*":
                continue  # no path can mean this member alone
            beside = [each[key] for each in repeats if isinstance(each, dict) and key in each]
            inner = self.value(child, beside, (*at, key))
            found.update({(key, *path): each for path, each in inner.items()})
        return found

    def _items(self, value: list[Json], repeats: list[Json], at: _Path) -> dict[_Path, Volatile]:
        same_length = [each for each in repeats if isinstance(each, list) and len(each) == len(value)]
        identity = self._sets.get(at)
        each_found = []
        for position, item in enumerate(value):
            beside = [each[position] for each in same_length]
            if identity:
                # By position only where it is the same item: sets come in any order.
                beside = [
                    other for other in beside if _identity(other, identity) == _identity(item, identity)
                ]
            each_found.append(self.value(item, beside, (*at, "*")))
        alike = _alike(each_found)
        found = {("*", *path): each_found[0][path] for path in alike}
        for position, inner in enumerate(each_found):
            rest = {path: each for path, each in inner.items() if path not in alike}
            found.update({(str(position), *path): each for path, each in rest.items()})
        return found


def _alike(found: Sequence[Mapping[_Path, Volatile]]) -> set[_Path]:
    """The paths at which every item has the same rule."""
    if len(found) < 2:
        return set()
    return {
        path
        for path, first in found[0].items()
        if all(path in other and other[path].rule == first.rule for other in found[1:])
    }


def _identity(item: Json, fields: tuple[str, ...]) -> list[Json]:
    return [item.get(field) if isinstance(item, dict) else None for field in fields]


def blanked(value: Json) -> Json:
    """The value, with the rule for it in the place of each part that looks made anew each time."""
    if isinstance(value, dict):
        return {key: blanked(child) for key, child in value.items()}
    if isinstance(value, list):
        return [blanked(item) for item in value]
    recognised = _recognised(value)
    return value if recognised is None else recognised[0]


# --- one value -----------------------------------------------------------------------------------------


def _leaf(value: Json, repeats: Sequence[Json], sent: Collection[Json]) -> Volatile | None:
    differing = [each for each in repeats if not same(each, value)]
    if not differing:
        recognised = None if _was_sent(value, sent) else _recognised(value)
        return Volatile(*recognised, True, value) if recognised else None
    differed = "differed between repeats of the same request"
    found = [_recognised(each) for each in (value, *differing)]
    if found[0] and all(each and each[0] == found[0][0] for each in found):
        rule, looks = found[0]
        return Volatile(rule, f"{looks}, and {differed}", True, value)
    rule, sure = _common_rule([value, *differing])
    return Volatile(rule, differed, sure, value)


def rule_for(values: Sequence[Json]) -> Rule | None:
    """The rule that accepts all these values and others like them; None without a value."""
    if not values:
        return None
    found = [_recognised(each) for each in values]
    if found[0] and all(each and each[0] == found[0][0] for each in found):
        return found[0][0]
    return _common_rule(values)[0]


def _was_sent(value: Json, sent: Collection[Json]) -> bool:
    return isinstance(value, (str, int)) and not isinstance(value, bool) and value in sent


def _recognised(value: Json) -> tuple[Rule, str] | None:
    """The rule for a value that looks made anew each time, and what it looks like; None for any other."""
    if isinstance(value, int) and not isinstance(value, bool) and value in _EPOCH_MS:
        return {"type": "integer"}, f"looks like {_EPOCH_WORDS}"
    if not isinstance(value, str):
        return None
    for found, looks in _MATCHERS:
        if found.accepts is not None and found.accepts(value):
            return found.rule, f"looks like {looks}"
    if re.fullmatch("[0-9]{13}", value, re.ASCII) and int(value) in _EPOCH_MS:
        return {"regex": "^[0-9]{13}$"}, f"looks like {_EPOCH_WORDS}"
    if len(value) <= _LONGEST and (within := _WITHIN.search(value)):
        return {"regex": _pattern(value)}, "holds a UUID" if within["uuid"] else "holds a date and time"
    return None


def _pattern(text: str) -> str:
    """A regex for the text with any other UUIDs and instants."""
    parts: list[str] = []
    done = 0
    for found in _WITHIN.finditer(text):
        parts += _literally(text[done : found.start()]), _UUID if found["uuid"] else _INSTANT
        done = found.end()
    return f"^{''.join(parts)}{_literally(text[done:])}$"


def _literally(text: str) -> str:
    return re.sub(r"([\\.^$*+?{}\[\]|()])", r"\\\1", text)  # also $ and {, which could form a placeholder


def _common_rule(values: Sequence[Json]) -> tuple[Rule, bool]:
    """A rule that accepts all these values, and whether they look made anew each time."""
    names = {type_name(each) for each in values}
    if names == {"number"}:
        whole = all(isinstance(each, int) for each in values)
        return {"type": "integer" if whole else "number"}, True
    if names == {"string"}:
        texts = [each for each in values if isinstance(each, str)]
        pattern = _common_pattern(texts)
        return ({"regex": pattern}, True) if pattern else ({"type": "string"}, False)
    return ({"type": names.pop()}, False) if len(names) == 1 else ("any", False)


def _common_pattern(texts: Sequence[str]) -> str:
    """A regex for texts that differ only in digits, or are hexadecimal of one length; empty for others."""
    if max(map(len, texts)) > _LONGEST:
        return ""
    shapes = {re.sub("[0-9]+", "0", each, flags=re.ASCII) for each in texts}
    if len(shapes) == 1 and any(character.isdecimal() for character in texts[0]):
        parts = re.split("[0-9]+", texts[0], flags=re.ASCII)
        return f"^{'[0-9]+'.join(map(_literally, parts))}$"
    lengths = {len(each) for each in texts}
    if len(lengths) == 1 and all(map(_HEXADECIMAL.fullmatch, texts)):
        return f"^[0-9a-fA-F]{{{lengths.pop()}}}$"
    return ""


def leaves(value: Json) -> Iterator[Json]:
    """The strings and numbers of a document, at any depth."""
    if isinstance(value, (dict, list)):
        for child in value.values() if isinstance(value, dict) else value:
            yield from leaves(child)
    elif isinstance(value, (str, int, Number)) and not isinstance(value, bool):
        yield value
