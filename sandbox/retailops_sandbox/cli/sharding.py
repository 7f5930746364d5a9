"""`run --shard`: which part of the scenarios a command line means."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import msgspec

from retailops_sandbox.cli.job import Chosen
from retailops_sandbox.cli.output import say
from retailops_sandbox.errors import SandboxError, UsageError
from retailops_sandbox.model import Shard
from retailops_sandbox.scenarios import sharding


class ShardChoice(msgspec.Struct, frozen=True):
    """The shard that is asked for, and the seconds by which scenarios are divided."""

    shard: Shard
    seconds: Mapping[str, float] | None
    """The seconds that scenarios took before, by id; None where the hash of the id decides."""

    def part(self, chosen: Chosen) -> Chosen:
        """What the shard has of the chosen plans, which is said in a line."""
        part = sharding.part_of(chosen.plans, self.shard, self.seconds)
        count = len(part.plans)
        of = f"{len(chosen.plans):,} scenario{'' if len(chosen.plans) == 1 else 's'}"
        say(f"shard {self.shard}: {count:,} of {of}" if count else f"shard {self.shard} has none of {of}")
        return Chosen(part.plans, chosen.left_out, part)

    def unreadable(
        self, errors: Sequence[SandboxError], scenario_id: Callable[[str], str]
    ) -> list[SandboxError]:
        """The errors of this shard's files: each file belongs to one shard, by the hash of its id."""
        ids = [scenario_id(error.file) for error in errors]
        shard_of = sharding.by_hash(ids, self.shard.count)
        return [error for id, error in zip(ids, errors, strict=True) if shard_of[id] == self.shard.number]


def asked_for(shard: str | None, times: Path | None, *, watch: bool) -> ShardChoice | None:
    """The shard of the options; None for a whole run. SandboxError where they cannot be followed."""
    if shard is None:
        if times is not None:
            raise UsageError("--shard-times is about --shard", mend="give --shard too, or leave it out")
        return None
    if watch:
        raise UsageError("--watch goes on and on, without --shard", mend="leave one out")
    seconds = None
    if times is not None:
        from retailops_sandbox.runlog.opening import scenario_seconds

        seconds = scenario_seconds(times)
    return ShardChoice(sharding.parse(shard), seconds)
