"""Receivers whose answers are wrong."""

from __future__ import annotations

from typing import Any

from tests.support.probed.receiving import Answer, Call, RefusedError, Right, answer, event
from tests.support.probed.wrong import wrong


class Telling(Right):
    """Tells of a cancelled order in an event."""

    def told(self, order: str) -> dict[str, Any]:
        return event("The order is cancelled", "CANCELLED", order)

    def first(self, order: str) -> Answer:
        return answer({"status": "success", "events": [self.told(order)]})


@wrong("answers", "foreign-association")
class NamesAnotherOrder(Telling):
    def told(self, order: str) -> dict[str, Any]:
        return event("The order is cancelled", "CANCELLED", "1001")


@wrong("answers", "no-code")
class TellsWithoutCode(Telling):
    def told(self, order: str) -> dict[str, Any]:
        return {key: value for key, value in super().told(order).items() if key != "code"}


@wrong("answers", "no-message")
class TellsWithoutMessage(Telling):
    def told(self, order: str) -> dict[str, Any]:
        return {**super().told(order), "message": ""}


class Saying(Right):
    """Answers a first cancel with one value."""

    said = ""

    def first(self, order: str) -> Answer:
        return Answer(200, self.said.encode())


@wrong("answers", "null-array")
class SaysNull(Saying):
    said = '{"status": "success", "events": null}'


@wrong("answers", "contradiction")
class SucceedsWithAnError(Telling):
    def told(self, order: str) -> dict[str, Any]:
        return {**super().told(order), "event_type": "error", "message": "The order has shipped"}


@wrong("answers", "contradiction", "no-reason")
class FailsWithoutEvents(Saying):
    said = '{"status": "fail", "events": []}'


@wrong("answers", "off-contract")
class SaysOk(Saying):
    said = '{"status": "ok", "events": []}'


@wrong("answers", "off-contract")
class NumbersCodes(Telling):
    def told(self, order: str) -> dict[str, Any]:
        return {**super().told(order), "code": 1234}


@wrong("answers", "off-contract")
class SaysEventsAsObject(Saying):
    said = '{"status": "success", "events": {}}'


@wrong("answers", "off-contract")
class SaysArray(Saying):
    said = '[{"status": "success"}]'


@wrong("answers", "html", also=("off-contract", "content-type"))
class AnswersPage(Right):
    def first(self, order: str) -> Answer:
        return Answer(200, b"<!DOCTYPE html><html><body><h1>It works!</h1></body></html>", "text/html")


@wrong("answers", "content-type")
class AnswersAsHtml(Right):
    def write(self, writer: Any, call: Call, answered: Answer, *, stays: bool) -> None:
        super().write(writer, call, answered._replace(content_type="text/html; charset=utf-8"), stays=stays)


@wrong("answers", "content-type")
class AnswersWithoutType(Right):
    def write(self, writer: Any, call: Call, answered: Answer, *, stays: bool) -> None:
        super().write(writer, call, answered._replace(content_type=""), stays=stays)


@wrong("answers", "off-contract")
class AnswersNothing(Right):
    def first(self, order: str) -> Answer:
        return Answer(200, b"")


@wrong("answers", "off-contract")
class AnswersText(Right):
    def first(self, order: str) -> Answer:
        return Answer(200, b"OK", "text/plain")


class Status(Right):
    status = 200

    def first(self, order: str) -> Answer:
        return super().first(order)._replace(status=self.status)


@wrong("answers", "wrong-status")
class Answers201(Status):
    status = 201


@wrong("answers", "wrong-status")
class Answers202(Status):
    status = 202


@wrong("answers", "wrong-status")
class Answers204(Right):
    def first(self, order: str) -> Answer:
        return Answer(204, b"", "")


TRACE = (
    "Traceback (most recent call last):\n"
    '  File "/opt/shop/app.py", line 88, in cancel\n    order = orders[payload["id"]]\n'
    "KeyError: 'id'"
)


@wrong("answers", "stack-trace", also=("file-path",))
class LeaksTrace(Right):
    def refused(self, refused: RefusedError) -> Answer:
        return answer({"error": TRACE}, refused.status)


@wrong("answers", "stack-trace", "crash", also=("file-path",))
class LeaksTraceOfPhp(Right):
    def refused(self, refused: RefusedError) -> Answer:
        page = (
            "<br />\n<b>Fatal error</b>: Uncaught TypeError: cancel(): Argument #1 must be of type int,"
            " string given, called in /var/www/html/index.php on line 31\nStack trace:\n#0 {main}\n"
        )
        return Answer(refused.status, page.encode(), "text/html")


@wrong("answers", "stack-trace", also=("file-path",))
class TellsTraceInEvent(Telling):
    def again(self, order: str) -> Answer:
        told = event(TRACE, "ALREADY", order, "error")
        return answer({"status": "fail", "events": [told]})


@wrong("answers", "file-path")
class TellsPath(Telling):
    def again(self, order: str) -> Answer:
        told = event("Already cancelled, see /var/log/shop/orders.log", "ALREADY", order, "warning")
        return answer({"status": "success", "events": [told]})


@wrong("answers", "sql")
class TellsSql(Telling):
    def again(self, order: str) -> Answer:
        told = event(
            "Already cancelled: UPDATE orders SET state = 'cancelled' WHERE refnum = %s",
            "ALREADY",
            order,
            "warning",
        )
        return answer({"status": "success", "events": [told]})


@wrong("answers", "sql", "crash")
class TellsErrorOfSql(Right):
    def refused(self, refused: RefusedError) -> Answer:
        what = "SQLSTATE[42000]: Syntax error or access violation: 1064 You have an error in your SQL syntax"
        return answer({"error": what}, refused.status)


@wrong("answers", "framework-page", "html")
class AnswersPageOfFramework(Right):
    def refused(self, refused: RefusedError) -> Answer:
        page = (
            "<!DOCTYPE html>\n<html lang='en'>\n<head><title>ValueError at /order_cancel_v1</title></head>\n"
            "<body><h1>ValueError</h1><p>You're seeing this error because you have <code>DEBUG = True</code>"
            " in your Django settings file.</p></body></html>"
        )
        return Answer(refused.status, page.encode(), "text/html")


@wrong("answers", "same-answer", "accepts-anything", also=("accepts-wrong-token",))
class AnswersAlways(Right):
    async def answered(self, call: Call) -> Answer:
        try:
            self.route(call)
            self.authorize(self.parsed(call))
        except RefusedError as refused:
            if refused.status != 400:
                return self.refused(refused)
        return self.first("")


@wrong("answers", "off-contract")
class AnswersWithMark(Right):
    """Begins each answer with a byte order mark."""

    def first(self, order: str) -> Answer:
        right = super().first(order)
        return right._replace(body=b"\xef\xbb\xbf" + right.body)


@wrong("answers", "refuses-valid", also=("wrong-status",))
class KnowsOneOrder(Right):
    """Answers 404 where it does not know the order, and the contract has no such status."""

    async def cancel(self, order: str, payload: Any) -> Answer:
        if order != "496":
            raise RefusedError(404, "there is no such order")
        return await super().cancel(order, payload)
