"""Receivers that get bodies, headers, methods and paths wrong."""

from __future__ import annotations

import asyncio
import json
from typing import Any

from tests.support.probed.receiving import Answer, Call, HangUpError, RefusedError, Right
from tests.support.probed.wrong import wrong


@wrong("transport", "crash")
class CrashesOnNoJson(Right):
    def parsed(self, call: Call) -> Any:
        json.loads(call.body.decode("utf-8", "replace"))
        return super().parsed(call)


@wrong("transport", "crash")
class CrashesOnEmptyBody(Right):
    def parsed(self, call: Call) -> Any:
        call.body[0]
        return super().parsed(call)


@wrong("transport", "crash")
class CrashesOnByteOrderMark(Right):
    def parsed(self, call: Call) -> Any:
        if call.body.startswith(b"\xef\xbb\xbf"):
            raise ValueError("Unexpected UTF-8 BOM")
        return super().parsed(call)


@wrong("transport", "crash")
class CrashesOnWhatIsNotUtf8(Right):
    def parsed(self, call: Call) -> Any:
        call.body.decode("utf-8")
        return super().parsed(call)


@wrong("transport", "crash")
class ExpectsContentType(Right):
    def headers(self, call: Call) -> None:
        {name.lower(): value for name, value in call.headers}["content-type"]


@wrong("transport", "crash")
class LooksUpCharset(Right):
    def headers(self, call: Call) -> None:
        _, _, charset = call.header("content-type").partition("charset=")
        "".encode(charset or "utf-8")
        if charset and charset.lower() != "utf-8":
            raise UnicodeError("not this charset")


@wrong("transport", "refuses-valid", also=("wrong-status",))
class RefusesCharset(Right):
    def headers(self, call: Call) -> None:
        if call.header("content-type").partition(";")[2]:
            raise RefusedError(415, "the content type must be application/json")


@wrong("transport", "refuses-valid", also=("wrong-status",))
class MindsCaseOfHeaders(Right):
    def headers(self, call: Call) -> None:
        if dict(call.headers).get("Content-Type") is None:
            raise RefusedError(415, "the content type must be application/json")


@wrong("transport", "refuses-valid", "crash", also=("wrong-status",))
class MindsCaseOfLength(Right):
    async def body(self, call: Call, reader: asyncio.StreamReader) -> bytes:
        body = await super().body(call, reader)
        return body if "Content-Length" in dict(call.headers) or "chunked" in str(call.headers) else b""


@wrong("transport", "hang", also=("hang-up",))
class HangsOnChunked(Right):
    async def chunks(self, reader: asyncio.StreamReader) -> bytes:
        return await reader.read()


@wrong("transport", "crash")
class CrashesOnChunked(Right):
    async def answered(self, call: Call) -> Answer:
        if not call.header("content-length") and call.method == "POST":
            return await self.crashed(KeyError("CONTENT_LENGTH"))
        return await super().answered(call)


@wrong("transport", "crash")
class CrashesOnGzip(Right):
    def parsed(self, call: Call) -> Any:
        if call.header("content-encoding"):
            call.body.decode("utf-8")
        return super().parsed(call)


@wrong("transport", "hang-up")
class HangsUpOnLarge(Right):
    async def body(self, call: Call, reader: asyncio.StreamReader) -> bytes:
        if int(call.header("content-length", "0")) > 50_000:
            raise HangUpError
        return await super().body(call, reader)


@wrong("transport", "crash")
class CrashesOnLarge(Right):
    def parsed(self, call: Call) -> Any:
        if len(call.body) > 100_000:
            raise MemoryError
        return super().parsed(call)


@wrong("transport", "hang-up")
class HangsUpOnExpect(Right):
    def expected(self, call: Call, writer: asyncio.StreamWriter) -> None:
        raise HangUpError


@wrong("transport", "hang-up")
class HangsUpOnHttp10(Right):
    async def answered(self, call: Call) -> Answer:
        if call.version == "HTTP/1.0":
            raise HangUpError
        return await super().answered(call)


@wrong("transport", "crash")
class CrashesOnDoubledHeader(Right):
    def headers(self, call: Call) -> None:
        names = [name.lower() for name, _ in call.headers]
        if len(set(names)) != len(names):
            raise AttributeError("'list' object has no attribute 'lower'")


@wrong("transport", "hang-up", "crash")
class HasNoPatience(Right):
    async def body(self, call: Call, reader: asyncio.StreamReader) -> bytes:
        try:
            return await asyncio.wait_for(super().body(call, reader), 1)
        except TimeoutError:
            raise HangUpError from None


@wrong("transport", "acts-on-method")
class ActsOnPut(Right):
    def route(self, call: Call) -> None:
        super().route(call._replace(method="POST") if call.method == "PUT" else call)


@wrong("transport", "acts-on-method")
class ActsOnEveryMethod(Right):
    def route(self, call: Call) -> None:
        super().route(call._replace(method="POST"))


@wrong("transport", "crash")
class CrashesOnOtherMethods(Right):
    def route(self, call: Call) -> None:
        if call.method != "POST":
            raise AttributeError("no handler")
        super().route(call)


@wrong("transport", "crash")
class CrashesOnOtherPaths(Right):
    def route(self, call: Call) -> None:
        if not call.path.startswith(self.path):
            raise KeyError(call.path)
        super().route(call)


@wrong("transport", "accepts-anything")
class AcceptsWhatIsNoJson(Right):
    async def answered(self, call: Call) -> Answer:
        try:
            json.loads(call.body.decode("utf-8"))
        except ValueError:
            return self.first("")
        return await super().answered(call)


@wrong("transport", "down", "refuses-valid", "hang-up", "crash", also=("wrong-status",))
class LeavesBodyUnread(Right):
    """Refuses other methods before their body is read, and takes that for the next request."""

    async def body(self, call: Call, reader: asyncio.StreamReader) -> bytes:
        return b"" if call.method != "POST" else await super().body(call, reader)
