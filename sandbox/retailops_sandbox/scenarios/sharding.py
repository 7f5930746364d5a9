"""Divides the scenarios of a run into shards, the same on every machine. Pure."""

from __future__ import annotations

import hashlib
import heapq
import re
import unicodedata
from collections.abc import Collection, Iterable, Mapping, Sequence

import msgspec

from retailops_sandbox.errors import UsageError
from retailops_sandbox.model import Shard
from retailops_sandbox.scenarios.scenario import Plan


class Part(msgspec.Struct, frozen=True):
    """What a shard has of the plans of a run."""

    plans: list[Plan]
    shard: Shard
    sequences: Mapping[str, int]
    """The `${sequence}` of each plan's first step in the run as a whole, by the plan's id."""


_SHARD = re.compile(r"([0-9]{1,4})/([0-9]{1,4})", re.ASCII)


def parse(text: str) -> Shard:
    """The shard that `2/5` names; UsageError for any other text."""
    found = _SHARD.fullmatch(text)
    if found is None or not 1 <= int(found[1]) <= int(found[2]):
        raise UsageError(
            f"--shard {text!r} names no shard", mend="for example --shard 2/5, the second of five"
        )
    return Shard(number=int(found[1]), count=int(found[2]))


def by_hash(ids: Iterable[str], count: int) -> dict[str, int]:
    """The shard of each scenario by a hash of its id: that of one does not depend on the others."""
    return {id: _hash(id) % count + 1 for id in ids}


def _hash(id: str) -> int:
    return int.from_bytes(hashlib.sha256(_composed(id).encode()).digest()[:8], "big")


def _composed(id: str) -> str:
    """The id with its accents composed: some systems spell the names of files in another way."""
    return id if id.isascii() else unicodedata.normalize("NFC", id)


def by_seconds(ids: Collection[str], seconds: Mapping[str, float], count: int) -> dict[str, int]:
    """The shard of each scenario such that all take about as long, by how long each took before.

    The longest come first, each into the shard that has the least so far. One without seconds counts as the
    mean of those that have some; where none has, all count the same.
    """
    known = [seconds[id] for id in ids if id in seconds]
    mean = sum(known) / len(known) if any(known) else 1.0
    takes = {id: seconds.get(id, mean) if any(known) else mean for id in ids}
    shards = [(0.0, number) for number in range(1, count + 1)]
    of: dict[str, int] = {}
    for id in sorted(takes, key=lambda id: (-takes[id], id)):
        filled, of[id] = shards[0]
        heapq.heapreplace(shards, (filled + takes[id], of[id]))
    return of


def part_of(plans: Sequence[Plan], shard: Shard, seconds: Mapping[str, float] | None = None) -> Part:
    """What a shard has of the plans of a run: by the seconds that each took before, or else by the hash."""
    ids = [plan.id for plan in plans]
    shard_of = by_hash(ids, shard.count) if seconds is None else by_seconds(ids, seconds, shard.count)
    shard = msgspec.structs.replace(shard, scenarios=len(plans), division=_digest(plans, shard_of))
    own = [plan for plan in plans if shard_of[plan.id] == shard.number]
    return Part(own, shard, _sequences(plans))


def _digest(plans: Iterable[Plan], shard_of: Mapping[str, int]) -> str:
    known = sorted((_composed(plan.id), shard_of[plan.id], plan.text.replace("\r\n", "\n")) for plan in plans)
    return hashlib.sha256(repr(known).encode()).hexdigest()[:16]


def _sequences(plans: Iterable[Plan]) -> dict[str, int]:
    numbers: dict[str, int] = {}
    following = 1
    for plan in plans:
        numbers[plan.id] = following
        following += len(plan.scenario.steps)
    return numbers
