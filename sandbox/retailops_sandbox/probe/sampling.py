"""A sample of probes: every field, every kind of mutation, and of all else what finds most."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from random import Random
from typing import NamedTuple

import msgspec

from retailops_sandbox.probe.mutations import MUTATIONS
from retailops_sandbox.probe.probes import Probe
from retailops_sandbox.probe.trials.making import CHECK, requests

_SHARES = {
    "contract": 20,
    "transport": 30,
    "repetition": 28,
    "auth": 18,
    "speed": 10,
    "fixture": 4,
    CHECK: 4,
}
"""How what is left beside fields and mutations is divided."""
_FINDS_MOST: dict[str, tuple[str, ...]] = {
    "contract": (
        *("null", "missing", "text", "number", "array", "empty-text", "object", "empty-array", "boolean"),
        *("beyond-64-bits", "4096-characters", "control-characters"),
    ),
    "transport": (
        *("not-json", "empty-body", "charset", "get", "no-content-type", "truncated", "chunked", "utf-16"),
        *("byte-order-mark", "lower-case", "gzip", "unknown-action", "expect-continue", "1-mb", "latin-1"),
        *("doubled-header", "charset-unknown", "form-type", "future-version", "put", "http-1-0"),
        *("slow-upload", "close", "other-path", "head", "text-plain", "64-kb", "delete", "keep-alive"),
    ),
    "repetition": (
        *("same-again", "ten-at-once", "fixture-again", "alternating", "sent-again", "longer-payload"),
        *("later", "five-times"),
    ),
    "auth": (
        *("wrong", "missing", "shortened", "null", "other-case", "lengthened", "empty-text", "altered"),
        *(
            "in-array",
            "zero",
            "spaced",
            "number",
            "object",
            "shortened-in-front",
            "lengthened-in-front",
            "right",
        ),
    ),
    "speed": ("one-at-a-time", "four-at-once", "sixteen-at-once"),
}
"""What finds most of an area, the most first. What is not named comes later."""
_LAST = frozenset({"10-mb"})
"""What takes long, and comes last."""


_SMALL_AREAS = frozenset(_FINDS_MOST) - {"contract"}
"""The areas of which one trial comes before all that covers fields and mutations."""
_KINDS = tuple(mutation.key for mutation in MUTATIONS)


class _Unit(NamedTuple):
    """Steps of a probe that only go together."""

    probe: int
    steps: tuple[int, ...]
    requests: int
    group: str
    """Whose share it takes of."""
    what: str
    """What one of the steps tries: the first of `_FINDS_MOST`, if one of them is there."""
    field: str


def sample(probes: Sequence[Probe], max_requests: int, seed: int) -> list[Probe]:
    """Probes of at most so many requests, in their order; as they are where all are no more.

    Where the number allows it, they cover every field and every kind of mutation. The same seed gives the
    same sample.
    """
    if sum(requests(step) for probe in probes for step in probe.scenario.steps) <= max_requests:
        return [*probes]
    random = Random(seed)
    units = random.sample(found := [*_units(probes)], len(found))
    subjects = _subjects(probes)
    chosen = _of_each_area(units, max_requests, subjects)
    left = max_requests - _requests(chosen)
    covering = _covering([unit for unit in units if unit.field or unit.what in _KINDS], subjects)
    covering = [unit for unit in covering if unit not in chosen]
    if _requests(covering) <= left:
        chosen += covering
        left -= _requests(covering)
    taken = set(chosen)
    chosen = [*chosen, *_divided([unit for unit in units if unit not in taken], left, subjects)]
    return _cut(probes, chosen)


def without(probes: Sequence[Probe], done: Mapping[str, Collection[str]]) -> list[Probe]:
    """Probes without the steps that were `done`, given by the id of each probe.

    What only tells something together stays together.
    """
    left: list[Probe] = []
    for probe in probes:
        steps = done.get(probe.id, ())
        if not steps:
            left.append(probe)
            continue
        units = [
            unit for unit in _inseparable(probe) if not all(probe.trials[each].step in steps for each in unit)
        ]
        if units:
            left.append(_with(probe, sorted(each for unit in units for each in unit)))
    return left


def _of_each_area(units: Sequence[_Unit], most: int, subjects: Collection[str]) -> list[_Unit]:
    """The unit of each area but the contract's that finds most, as far as the number of requests goes."""
    chosen: list[_Unit] = []
    for area, members in _by(units, lambda unit: unit.group).items():
        if area in _SMALL_AREAS:
            best = min(members, key=lambda unit: _rank(unit, subjects))
            if _requests([*chosen, best]) <= most:
                chosen.append(best)
    return chosen


def _requests(units: Sequence[_Unit]) -> int:
    return sum(unit.requests for unit in units)


def _units(probes: Sequence[Probe]) -> Iterator[_Unit]:
    """The steps of all probes, as they go together."""
    for number, probe in enumerate(probes):
        for steps in _together(probe):
            trial = probe.trials[steps[0]]
            whats = [probe.trials[step].what for step in steps]
            known = (what for what in _FINDS_MOST.get(probe.area, ()) if what in whats)
            yield _Unit(
                probe=number,
                steps=steps,
                requests=sum(requests(probe.scenario.steps[step]) for step in steps),
                group=trial.what if trial.what in _SHARES else probe.area,
                what=next(known, trial.what),
                field=trial.field,
            )


def _together(probe: Probe) -> Iterator[tuple[int, ...]]:
    """The numbers of the steps that a sample takes together."""
    is_series = any(trial.after for trial in probe.trials)
    if probe.area == "auth" and is_series and probe.trials[0].what != "wrong":
        # Whether a refused request has an effect is seen by one of them.
        yield (0,)
    else:
        yield from _inseparable(probe)


def _inseparable(probe: Probe) -> Iterator[tuple[int, ...]]:
    """The numbers of the steps that only tell something together."""
    numbers = range(len(probe.trials))
    if probe.alone or any(trial.after for trial in probe.trials):
        yield tuple(numbers)
    else:
        yield from ((number,) for number in numbers)


def _covering(units: Sequence[_Unit], subjects: Collection[str]) -> list[_Unit]:
    """Units with every field and every kind of mutation of these, by few of them.

    What is odd about a value is tried at `subjects`, the ids of orders, and what is odd about an object at
    those that hold them: a receiver reads these, whatever else it leaves unread.
    """
    chosen: list[_Unit] = []
    fields: set[str] = set()
    holders = {subject.rpartition("/")[0] for subject in subjects}

    def take(candidates: Sequence[_Unit], liked: Collection[str] = ()) -> None:
        best = min(candidates, key=lambda unit: (unit.field not in liked, unit.field in fields))
        chosen.append(best)
        fields.add(best.field)

    of_kind = _by([unit for unit in units if unit.group == "contract"], lambda unit: unit.what)
    for kind in MUTATIONS:
        if kind.key in of_kind:
            is_of_values = kind.within and "object" not in kind.within
            is_of_objects = "object" in kind.within or kind.key == "empty-object"
            take(of_kind[kind.key], subjects if is_of_values else holders if is_of_objects else ())
    wanted = _FINDS_MOST["contract"]
    for number, (field, of_field) in enumerate(_by(units, lambda unit: unit.field).items()):
        if field not in fields:
            turned = (*wanted[number % len(wanted) :], *wanted[: number % len(wanted)])
            take([min(of_field, key=lambda unit: _index(turned, unit.what))])
    return chosen


def _subjects(probes: Sequence[Probe]) -> set[str]:
    """The places of the ids of orders: all that a valid request of a probe sets."""
    return {
        place
        for probe in probes
        for step, trial in zip(probe.scenario.steps, probe.trials, strict=True)
        if trial.is_check
        for place in step.set
    }


def _divided(units: Sequence[_Unit], left: int, subjects: Collection[str]) -> Iterator[_Unit]:
    """The units for so many requests, of each group by its share."""
    waiting = {
        group: deque(sorted(members, key=lambda unit: _rank(unit, subjects)))
        for group, members in _by(units, lambda unit: unit.group).items()
    }
    spent = dict.fromkeys(waiting, 0.0)
    while waiting:
        group = min(waiting, key=lambda each: spent[each])
        unit = waiting[group].popleft()
        if unit.requests <= left:
            left -= unit.requests
            spent[group] += unit.requests / _SHARES[group]
            yield unit
        if not waiting[group]:
            del waiting[group]


def _rank(unit: _Unit, subjects: Collection[str]) -> float:
    """Where a unit stands in its group: what finds most first, ids and outer fields before inner ones."""
    depth = 0 if unit.field in subjects else unit.field.count("/")
    return _index(_FINDS_MOST.get(unit.group, ()), unit.what) + 1.5 * depth + 100 * (unit.what in _LAST)


def _index(wanted: Sequence[str], what: str) -> int:
    return wanted.index(what) if what in wanted else len(wanted)


def _by(units: Sequence[_Unit], key: Callable[[_Unit], str]) -> dict[str, list[_Unit]]:
    found: dict[str, list[_Unit]] = {}
    for unit in units:
        found.setdefault(key(unit), []).append(unit)
    return found


def _cut(probes: Sequence[Probe], chosen: Sequence[_Unit]) -> list[Probe]:
    """The probes with the steps of these units alone, in their order."""
    steps: dict[int, list[int]] = {}
    for unit in chosen:
        steps.setdefault(unit.probe, []).extend(unit.steps)
    return [_with(probes[number], sorted(steps[number])) for number in sorted(steps)]


def _with(probe: Probe, steps: Sequence[int]) -> Probe:
    scenario = msgspec.structs.replace(probe.scenario, steps=[probe.scenario.steps[step] for step in steps])
    return msgspec.structs.replace(
        probe, scenario=scenario, trials=tuple(probe.trials[step] for step in steps)
    )
