"""Receivers that get the token wrong."""

from __future__ import annotations

import json
from typing import Any

from tests.support.probed.receiving import TOKEN, Answer, RefusedError, Right, answer, event
from tests.support.probed.wrong import wrong


@wrong("auth", "accepts-wrong-token")
class IgnoresToken(Right):
    def knows(self, token: Any) -> bool:
        return True


@wrong("auth", "accepts-missing-token")
class AcceptsMissingToken(Right):
    def authorize(self, payload: Any) -> None:
        if "integration_auth_token" in payload:
            super().authorize(payload)


@wrong("auth", "accepts-wrong-token")
class AcceptsFalsyToken(Right):
    def knows(self, token: Any) -> bool:
        return not token or token == TOKEN


@wrong("auth", "accepts-wrong-token")
class AcceptsNullToken(Right):
    def authorize(self, payload: Any) -> None:
        if payload.get("integration_auth_token", "") is not None:
            super().authorize(payload)


@wrong("auth", "accepts-wrong-token")
class IgnoresCaseOfToken(Right):
    def knows(self, token: Any) -> bool:
        return isinstance(token, str) and token.lower() == TOKEN.lower()


@wrong("auth", "accepts-wrong-token")
class AcceptsPrefix(Right):
    def knows(self, token: Any) -> bool:
        return isinstance(token, str) and len(token) >= 4 and TOKEN.startswith(token)


@wrong("auth", "accepts-wrong-token")
class AcceptsSuffix(Right):
    def knows(self, token: Any) -> bool:
        return isinstance(token, str) and token.startswith(TOKEN)


@wrong("auth", "accepts-wrong-token")
class AcceptsPart(Right):
    def knows(self, token: Any) -> bool:
        return isinstance(token, str) and token != "" and token in TOKEN


@wrong("auth", "accepts-wrong-token")
class StripsToken(Right):
    def knows(self, token: Any) -> bool:
        return isinstance(token, str) and token.strip() == TOKEN


@wrong("auth", "accepts-wrong-token")
class ComparesFirstCharacters(Right):
    def knows(self, token: Any) -> bool:
        return isinstance(token, str) and token[:8] == TOKEN[:8]


@wrong("auth", "accepts-wrong-token")
class UnpacksTokenInArray(Right):
    def knows(self, token: Any) -> bool:
        return (token[0] if isinstance(token, list) and token else token) == TOKEN


class Refuses(Right):
    status = 401

    def authorize(self, payload: Any) -> None:
        if not self.knows(payload.get("integration_auth_token")):
            raise RefusedError(self.status, "the token is wrong")


@wrong("auth", "wrong-refusal")
class RefusesBy403(Refuses):
    status = 403


@wrong("auth", "wrong-refusal")
class RefusesBy400(Refuses):
    status = 400


@wrong("auth", "crash", "wrong-refusal")
class RefusesBy500(Refuses):
    status = 500


@wrong("auth", "accepts-wrong-token", "wrong-refusal")
class RefusesBy200(Right):
    def refused(self, refused: RefusedError) -> Answer:
        if refused.status != 401:
            return super().refused(refused)
        told = event("The token is wrong", "AUTH", "", "error") | {"associations": []}
        return answer({"status": "fail", "events": [told]})


@wrong("auth", "crash")
class EncodesToken(Right):
    def knows(self, token: Any) -> bool:
        return token is not None and bool(token.encode() == TOKEN.encode())


@wrong("auth", "wrong-token-acts")
class ActsBeforeItRefuses(Right):
    def authorize(self, payload: Any) -> None:
        try:
            super().authorize(payload)
        except RefusedError:
            self.cancelled.setdefault(self.order(payload), 0)
            raise


@wrong("auth", "secret-echoed")
class TellsTheToken(Right):
    def authorize(self, payload: Any) -> None:
        if not self.knows(payload.get("integration_auth_token")):
            raise RefusedError(401, f"the token must be {TOKEN}")


@wrong("answers", "secret-echoed", also=("too-large",))
class EchoesThePayload(Right):
    async def cancel(self, order: str, payload: Any) -> Answer:
        right = json.loads((await super().cancel(order, payload)).body)
        return answer({**right, "request": payload})


@wrong("auth", "accepts-wrong-token")
class IgnoresTokenAndKnowsNoOrder(Right):
    """Tells that there is no such order, whoever asks."""

    def knows(self, token: Any) -> bool:
        return True

    async def cancel(self, order: str, payload: Any) -> Answer:
        return answer({"status": "fail", "events": [event("No such order", "E404", order, "error")]})
