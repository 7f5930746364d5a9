"""Makes a request smaller as long as it shows the same: fewer changes, shorter values."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Collection
from functools import partial
from typing import Any, TypeAlias

import msgspec
from msgspec import UNSET

from retailops_sandbox.model import Deliver, Json, Step, Wire

Shows: TypeAlias = Callable[[Step], Awaitable[bool]]
"""Sends a step, and says whether its answer shows the same."""
_Put: TypeAlias = Callable[[Any], dict[str, Any]]
"""Puts a value into its place: the fields of the step with it."""
_USUAL = Wire()
_SHORT = 32
"""A text of so few characters is short enough."""
_STEP = 64
"""The factor by which the length of a text is raised that is too short to show the same."""
_EXACT = 8_192
"""Up to so many characters the least length is found exactly, beyond to a hundredth."""
_FEW = 4
"""So few members or items are few enough."""
_LONG_TEXT = re.compile(r"\$\{text:([0-9]+)\}")


def is_small(step: Step, kept: Collection[str] = ()) -> bool:
    """Whether a step cannot get much smaller: one change, and nothing long.

    What is set at `kept` does not count.
    """
    own = {at: value for at, value in step.set.items() if at not in kept}
    values = [*own.values(), step.raw, None if step.payload is UNSET else step.payload]
    changes = len(step.remove) + len(own) + len(step.deliver.headers) + len(_spelled(step.deliver))
    return changes <= 1 and not any(map(_is_long, values))


async def shrink(step: Step, shows: Shows, *, most: int, kept: Collection[str] = ()) -> Step:
    """The smallest step that is found to show the same, with at most so many tries.

    What is set at `kept` is not touched.
    """
    shrinking = _Shrinking(step, shows, most)
    await shrinking.run(kept)
    return shrinking.step


class _Shrinking:
    def __init__(self, step: Step, shows: Shows, most: int) -> None:
        self.step = step
        """The smallest one until now."""
        self._shows = shows
        self._left = most

    async def run(self, kept: Collection[str]) -> None:
        for at in self.step.remove:
            await self._changed(remove=[each for each in self.step.remove if each != at])
        own = [at for at in self.step.set if at not in kept]
        for at in own:
            await self._changed(set={each: value for each, value in self.step.set.items() if each != at})
        await self._deliver()
        for at in own:
            if at in self.step.set:
                await self._value(self.step.set[at], partial(self._with_set, at))
        if self.step.payload is not UNSET:
            await self._value(self.step.payload, partial(_named, "payload"))
        if self.step.raw is not None and not self.step.raw.startswith("base64:"):
            await self._text(self.step.raw, partial(_named, "raw"))

    async def _deliver(self) -> None:
        """Make the delivery more like the usual one."""
        for header in self.step.deliver.headers:
            headers = {name: value for name, value in self.step.deliver.headers.items() if name != header}
            await self._changed(deliver=msgspec.structs.replace(self.step.deliver, headers=headers))
        await self._changed(deliver=msgspec.structs.replace(self.step.deliver, content_type=None))
        for name in _spelled(self.step.deliver):
            wire = msgspec.structs.replace(self.step.deliver.wire or Wire(), **{name: getattr(_USUAL, name)})
            kept = None if wire == _USUAL else wire
            await self._changed(deliver=msgspec.structs.replace(self.step.deliver, wire=kept))

    def _with_set(self, at: str, value: Json) -> dict[str, Any]:
        return {"set": {**self.step.set, at: value}}

    async def _changed(self, **changes: Any) -> bool:
        """Whether the step with these changes shows the same; it is then the smallest one."""
        smaller = msgspec.structs.replace(self.step, **changes)
        if self._left <= 0 or smaller == self.step:
            return False
        self._left -= 1
        if not await self._shows(smaller):
            return False
        self.step = smaller
        return True

    # --- values: each makes one smaller, whose place `put` knows, and returns what is left of it ---

    async def _value(self, value: Json, put: _Put) -> Json:
        if isinstance(value, str):
            return await self._text(value, put)
        if isinstance(value, list):
            return await self._items(value, put)
        return await self._members(value, put) if isinstance(value, dict) else value

    async def _text(self, value: str, put: _Put) -> str:
        long = _LONG_TEXT.fullmatch(value)
        length = int(long[1]) if long else len(value)
        if length <= _SHORT:
            return value

        def cut(length: int) -> str:
            return f"${{text:{length}}}" if long else value[:length]

        # The length from which on it shows the same lies above `below`, and is at most `length`.
        below, tried = 0, 1
        while below < length - _exact(length) and self._left > 0:
            if await self._changed(**put(cut(tried))):
                length = tried
            else:
                below = tried
            # From below, because long requests take long, and where that has led too far by halving.
            is_far = below * _STEP < length
            tried = max(below * _STEP, 1) if is_far else (below + length) // 2
        return cut(length)

    async def _items(self, value: list[Json], put: _Put) -> list[Json]:
        middle = len(value) // 2
        while middle:
            if await self._changed(**put(value[:middle])):
                value = value[:middle]
            elif await self._changed(**put(value[middle:])):
                value = value[middle:]
            else:
                break
            middle = len(value) // 2
        for number, item in enumerate(value[:_FEW]):
            smaller = await self._value(item, partial(_put_item, put, value, number))
            value = [*value[:number], smaller, *value[number + 1 :]]
        return value

    async def _members(self, value: dict[str, Json], put: _Put) -> dict[str, Json]:
        for key in [*value]:
            rest = {each: inner for each, inner in value.items() if each != key}
            if await self._changed(**put(rest)):
                value = rest
        for key, inner in value.items():
            value = {**value, key: await self._value(inner, partial(_put_member, put, value, key))}
        return value


def _exact(length: int) -> int:
    """How far a length may be above the least one."""
    return 1 if length <= _EXACT else length // 100


def _named(field: str, value: Json) -> dict[str, Any]:
    return {field: value}


def _put_item(put: _Put, within: list[Json], number: int, value: Json) -> dict[str, Any]:
    return put([*within[:number], value, *within[number + 1 :]])


def _put_member(put: _Put, within: dict[str, Json], key: str, value: Json) -> dict[str, Any]:
    return put({**within, key: value})


def _spelled(deliver: Deliver) -> list[str]:
    """The fields by which a request is spelled otherwise than usual."""
    wire = deliver.wire or _USUAL
    return [name for name in Wire.__struct_fields__ if getattr(wire, name) != getattr(_USUAL, name)]


def _is_long(value: Json) -> bool:
    """Whether a value is worth making shorter."""
    if isinstance(value, str):
        return len(value) > _SHORT or _LONG_TEXT.fullmatch(value) is not None
    if isinstance(value, (list, dict)):
        inner = value if isinstance(value, list) else value.values()
        return len(value) > _FEW or any(map(_is_long, inner))
    return False
