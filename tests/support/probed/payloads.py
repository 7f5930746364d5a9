"""Receivers that get a payload wrong."""

from __future__ import annotations

import asyncio
import json
import struct
from collections.abc import Callable
from typing import Any

from tests.support.probed.receiving import Answer, Call, HangUpError, RefusedError, Right, answer, event
from tests.support.probed.wrong import wrong


def anywhere(value: Any, wanted: Callable[[Any], bool]) -> bool:
    """Whether a value or anything within it is what is wanted."""
    if isinstance(value, dict):
        return wanted(value) or any(anywhere(each, wanted) for each in value.values())
    if isinstance(value, list):
        return wanted(value) or any(anywhere(each, wanted) for each in value)
    return wanted(value)


def text_with(wanted: Callable[[str], bool]) -> Callable[[Any], bool]:
    return lambda value: isinstance(value, str) and wanted(value)


@wrong("contract", "crash")
class TakesIdForNumber(Right):
    def order(self, payload: Any) -> str:
        order = payload.get("order")
        id = order.get("retailops_order_id") if isinstance(order, dict) else 0
        int(id or 0)
        return super().order(payload)


@wrong("contract", "crash")
class ExpectsSection(Right):
    def order(self, payload: Any) -> str:
        payload["order"]["channel_order_refnum"]
        return super().order(payload)


@wrong("contract", "crash")
class ExpectsChannel(Right):
    def order(self, payload: Any) -> str:
        payload["channel_info"]["id"] + 0
        return super().order(payload)


@wrong("contract", "crash")
class CrashesOnNull(Right):
    def order(self, payload: Any) -> str:
        if anywhere(payload, lambda value: value is None):
            raise TypeError("'NoneType' object is not subscriptable")
        return super().order(payload)


@wrong("contract", "crash")
class CrashesOnNullSection(Right):
    def order(self, payload: Any) -> str:
        if "order" in payload and payload["order"] is None:
            raise TypeError("'NoneType' object is not subscriptable")
        return super().order(payload)


@wrong("contract", "crash")
class PacksIn32Bits(Right):
    def order(self, payload: Any) -> str:
        order = payload.get("order")
        id = order.get("retailops_order_id") if isinstance(order, dict) else 0
        if isinstance(id, int):
            struct.pack(">i", id)
        return super().order(payload)


@wrong("contract", "crash")
class PacksIn64Bits(Right):
    def order(self, payload: Any) -> str:
        if anywhere(payload, lambda value: isinstance(value, int) and not -(2**63) <= value < 2**63):
            raise OverflowError("Python int too large to convert to C long")
        return super().order(payload)


@wrong("contract", "crash")
class HasNarrowColumn(Right):
    def order(self, payload: Any) -> str:
        if anywhere(payload, text_with(lambda text: len(text) > 255)):
            raise ValueError("value too long for type character varying(255)")
        return super().order(payload)


@wrong("contract", "crash")
class HasWideColumn(Right):
    def order(self, payload: Any) -> str:
        if anywhere(payload, text_with(lambda text: len(text) > 2000)):
            raise ValueError("value too long")
        return super().order(payload)


@wrong("contract", "crash")
class CrashesOnEmptyText(Right):
    def order(self, payload: Any) -> str:
        if anywhere(payload, lambda value: value == "" and isinstance(value, str)):
            raise IndexError("string index out of range")
        return super().order(payload)


@wrong("contract", "crash")
class WritesLatin1(Right):
    def order(self, payload: Any) -> str:
        if isinstance(payload.get("order"), dict):
            str(payload["order"].get("channel_order_refnum")).encode("latin-1")
        return super().order(payload)


@wrong("contract", "crash")
class HasThreeByteColumn(Right):
    """A column of MySQL's utf8: no character above U+FFFF."""

    def order(self, payload: Any) -> str:
        if anywhere(payload, text_with(lambda text: any(ord(each) > 0xFFFF for each in text))):
            raise ValueError("Incorrect string value")
        return super().order(payload)


@wrong("contract", "crash")
class CrashesOnControlCharacter(Right):
    def order(self, payload: Any) -> str:
        if anywhere(payload, text_with(lambda text: any(ord(each) < 32 for each in text))):
            raise ValueError("invalid character in XML")
        return super().order(payload)


@wrong("contract", "foreign-association", also=("mixed-up",))
class DropsLeadingZeros(Right):
    def order(self, payload: Any) -> str:
        return super().order(payload).lstrip("0") or "0"

    def first(self, order: str) -> Answer:
        return answer({"status": "success", "events": [event("Order cancelled", "DONE", order)]})


@wrong("contract", "refuses-valid", also=("wrong-status",))
class RefusesUnknownMembers(Right):
    def order(self, payload: Any) -> str:
        known = {"integration_auth_token", "action", "version", "client_id", "channel_info", "order"}
        if set(payload) - known:
            raise RefusedError(400, "there is an unknown member")
        return super().order(payload)


@wrong("contract", "crash")
class CrashesOnDuplicateKey(Right):
    def parsed(self, call: Call) -> Any:
        payload = super().parsed(call)

        def members(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
            if len(dict(pairs)) != len(pairs):
                raise KeyError("duplicate")
            return dict(pairs)

        json.loads(call.body, object_pairs_hook=members)
        return payload


@wrong("contract", "crash")
class CrashesOnEmptyObject(Right):
    def order(self, payload: Any) -> str:
        if payload.get("order") == {}:
            raise StopIteration
        return super().order(payload)


@wrong("contract", "crash")
class CrashesOnNegative(Right):
    def order(self, payload: Any) -> str:
        if anywhere(payload, lambda value: isinstance(value, int) and value < 0):
            raise ValueError("negative shift count")
        return super().order(payload)


@wrong("contract", "hang")
class HangsOnEmptyArray(Right):
    async def answered(self, call: Call) -> Answer:
        if b":[]" in call.body:
            await asyncio.sleep(600)
        return await super().answered(call)


@wrong("contract", "hang-up")
class HangsUpOnNull(Right):
    def order(self, payload: Any) -> str:
        if anywhere(payload, lambda value: value is None):
            raise HangUpError
        return super().order(payload)


@wrong("contract", "down", also=("crash", "hang-up"))
class DiesForAWhile(Right):
    """A worker that dies of a wrong type, and whose next requests fail until it is started again."""

    down = 0

    async def answered(self, call: Call) -> Answer:
        if self.down:
            self.down -= 1
            return answer({"error": "bad gateway"}, 502)
        return await super().answered(call)

    def order(self, payload: Any) -> str:
        if isinstance(payload.get("order"), (str, int, list)):
            self.down = 3
            raise HangUpError
        return super().order(payload)
