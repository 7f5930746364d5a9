"""The one table: scenarios, and what every face must make of them."""

from __future__ import annotations

from typing import Any

import msgspec

from retailops_sandbox.model import Verdict

UNKNOWN = {"/data/order/id": "no-such-order"}
DUMMY_EVENT = {"status": "error", "error_code": "ERR9999"}


class Case(msgspec.Struct, frozen=True, kw_only=True):
    """One step, the receiver it goes to, and the verdict and differences that must come of it."""

    name: str
    verdict: Verdict
    receiver: str = "shop"
    edition: str = "draft"
    fixture: str = "default"
    change: dict[str, Any] = {}
    """What the step sets."""
    expect: dict[str, Any] | msgspec.UnsetType | None = None
    """UNSET where the fixture's own expectation judges."""
    variables: dict[str, Any] = {}
    off_contract: bool = False
    differences: set[tuple[str, str, str | None]] = set()
    """Part, kind, and the pointer on the expected side, else on the actual side."""
    violated: bool = False
    """Whether the response breaks its contract."""
    parted: dict[str, str] = {}
    """From each source of the contract to where it first finds a violation, where the sources part."""


class Flow(msgspec.Struct, frozen=True, kw_only=True):
    """A scenario that goes to a fresh stand-in, and what must come of each of its steps."""

    name: str
    steps: list[dict[str, Any]]
    variables: dict[str, Any] = {}
    verdicts: list[Verdict]
    sent: list[int]
    """The deliveries of each step."""
    reasons: dict[str, str] = {}
    """How the reason of a step begins, by its name."""


RECEIVERS = {
    "shop": "",
    "html-500": "/misbehave/html-500",
    "not-json": "/misbehave/not-json",
    "wrong-schema": "/misbehave/wrong-schema",
    "null-arrays": "/misbehave/null-arrays",
    "truncated": "/misbehave/truncated-body",
    "reset": "/misbehave/reset",
    "bad-gzip": "/misbehave/bad-gzip",
    "redirect": "/misbehave/redirect",
    "hang": "/misbehave/hang",
    "slow": "/misbehave/slow/80",
}

NOTHING = {"status": 200, "body": {"events": []}}

CASES = [
    Case(name="a cancel passes", verdict="passed", expect=NOTHING),
    Case(name="a class of statuses takes any of it", verdict="passed", expect={"status": ["2xx", 404]}),
    Case(
        name="another class does not",
        verdict="failed",
        expect={"status": [404, "5xx"]},
        differences={("status", "changed", None)},
    ),
    Case(name="nothing expected is recorded", verdict="recorded"),
    Case(
        name="an answer about which the sources part",
        verdict="passed",
        receiver="null-arrays",
        edition="v1",
        expect={"status": 200},
        parted={"SDK tool": "", "documentation": "/events"},
    ),
    Case(name="a cancel that its fixture expects", verdict="passed", expect=msgspec.UNSET),
    Case(
        name="a refusal that its fixture does not expect",
        verdict="failed",
        change=UNKNOWN,
        expect=msgspec.UNSET,
        differences={("body", "changed", "/events")},
    ),
    Case(
        name="a refusal that its fixture expects",
        verdict="passed",
        edition="v1",
        fixture="already-shipped",
        expect=msgspec.UNSET,
    ),
    Case(
        name="an event that nobody expected",
        verdict="failed",
        change=UNKNOWN,
        expect=NOTHING,
        differences={("body", "unexpected", "/events/0")},
    ),
    Case(
        name="an event that did not come",
        verdict="failed",
        expect={"body": {"events": [DUMMY_EVENT]}},
        differences={("body", "missing", "/events/0")},
    ),
    Case(
        name="another status",
        verdict="failed",
        expect={"status": [201, 204], "body": {"events": []}},
        differences={("status", "changed", None)},
    ),
    Case(
        name="rules take the place of equality",
        verdict="passed",
        change=UNKNOWN,
        expect={
            "body": {"events": [{"error_code": "any"}]},
            "rules": {"/events/*": {"extra": "allow"}, "/events/*/error_code": {"regex": "^ERR[0-9]{4}$"}},
        },
    ),
    Case(
        name="a rule that refuses",
        verdict="failed",
        change=UNKNOWN,
        expect={
            "body": {"events": [{"status": "error", "error_code": "x"}]},
            "rules": {"/events/*": {"extra": "allow"}, "/events/*/error_code": {"regex": "^WRONG"}},
        },
        differences={("body", "changed", "/events/0/error_code")},
    ),
    Case(
        name="the type of a value",
        verdict="failed",
        expect={"body": {"events": {}}},
        differences={("body", "type", "/events")},
    ),
    Case(
        name="headers by name in any case",
        verdict="passed",
        expect={"headers": {"content-TYPE": {"regex": "^application/json"}}},
    ),
    Case(
        name="a header that differs",
        verdict="failed",
        expect={"headers": {"Content-Type": "text/plain"}},
        differences={("headers", "changed", "/Content-Type")},
    ),
    Case(
        name="placeholders in payload and expectation",
        verdict="passed",
        change={"/data/order/id": "${order}"},
        variables={"order": "4897", "count": 200},
        expect={"body": {"events": []}},
    ),
    Case(name="v1 with the token", verdict="passed", edition="v1", expect={"status": 200}),
    Case(
        name="v1 with a wrong token",
        verdict="passed",
        edition="v1",
        change={"/integration_auth_token": "not-the-token"},
        expect={"status": 401},
    ),
    Case(
        name="a payload that breaks the contract on purpose",
        verdict="passed",
        change={"/version": "one"},
        off_contract=True,
        expect={"status": 422},
    ),
    Case(
        name="an HTML page",
        verdict="failed",
        receiver="html-500",
        expect=NOTHING,
        differences={("status", "changed", None), ("body", "type", None)},
        violated=True,
    ),
    Case(
        name="an HTML page of which nothing is expected", verdict="failed", receiver="html-500", violated=True
    ),
    Case(
        name="a redirect of which nothing is expected", verdict="failed", receiver="redirect", violated=True
    ),
    Case(name="no JSON of which nothing is expected", verdict="failed", receiver="not-json", violated=True),
    Case(name="not JSON", verdict="failed", receiver="not-json", expect={"status": 200}, violated=True),
    Case(
        name="a wrong schema",
        verdict="failed",
        receiver="wrong-schema",
        expect={"status": 200},
        violated=True,
    ),
    Case(
        name="a wrong schema that is let pass",
        verdict="passed",
        receiver="wrong-schema",
        expect={"status": 200, "contract": False},
        violated=True,
    ),
    Case(name="a truncated body", verdict="errored", receiver="truncated", expect=NOTHING),
    Case(name="a fault that is expected", verdict="passed", receiver="truncated", expect={"fault": "closed"}),
    Case(
        name="another fault than expected",
        verdict="errored",
        receiver="reset",
        expect={"fault": "deadline"},
        differences={("fault", "changed", None)},
    ),
    Case(
        name="an expected fault that does not happen",
        verdict="failed",
        expect={"fault": "closed"},
        differences={("fault", "missing", None)},
    ),
    Case(name="a broken compression", verdict="errored", receiver="bad-gzip", expect=NOTHING),
    Case(name="a redirect is not followed", verdict="passed", receiver="redirect", expect={"status": 307}),
    Case(name="an answer that never comes", verdict="errored", receiver="hang", expect=NOTHING),
    Case(
        name="too slow",
        verdict="failed",
        receiver="slow",
        expect={"max_ms": 20},
        differences={("latency", "changed", None)},
    ),
    Case(name="not too slow", verdict="passed", receiver="slow", expect={"max_ms": 9000}),
]

REFUSED = {"fixture": "default", "set": {"/data/order/id": "9999999"}, "expect": {"status": 200}}
PUBLISHED = {"edition": "v1", "fixture": "unknown-order"}

FLOWS = [
    Flow(
        name="steps of two editions",
        steps=[{"name": "draft", "fixture": "default"}, {"name": "published", **PUBLISHED}],
        verdicts=["passed", "passed"],
        sent=[1, 1],
    ),
    Flow(
        name="a list that was captured is expected again",
        steps=[
            {
                "name": "first",
                **REFUSED,
                "capture": {"codes": "/events/*/error_code", "associations": "/events/*/associations/*"},
            },
            {
                "name": "members",
                **REFUSED,
                "capture": {"seen": {"path": "/events/*", "members": {"error_code": "/error_code"}}},
            },
            {
                "name": "again",
                **REFUSED,
                "expect": {
                    "body": {"events": "${seen}"},
                    "rules": {"/events/*": {"extra": "allow"}},
                },
            },
        ],
        verdicts=["passed", "passed", "passed"],
        sent=[1, 1, 1],
    ),
    Flow(
        name="a list of what is missing fails, and what uses it is skipped",
        steps=[
            {"name": "empty", "fixture": "default", "capture": {"all": "/events/*"}},
            {"name": "missing", **REFUSED, "capture": {"lost": "/orders/*"}},
            {"name": "uses both", **REFUSED, "set": {"/data/order/id": "${lost}", "/seen": "${all}"}},
        ],
        verdicts=["passed", "failed", "skipped"],
        sent=[1, 1, 0],
        reasons={"missing": "lost could not be captured from /orders/*: there is no member 'orders'"},
    ),
    Flow(
        name="all pages are pulled, and acknowledged by what they held",
        steps=[
            {
                "name": "pull",
                "action": "order_pull",
                "edition": "v1",
                "fixture": "default",
                "set": {"/page_token": "${next}"},
                "capture": {
                    "next": "/next_page_token",
                    "pulled": {
                        "path": "/orders/*",
                        "members": {"channel_order_refnum": "/channel_order_refnum"},
                    },
                },
                "repeat_while": {"captured": "next", "at_most": 9},
            },
            {
                "name": "acknowledge",
                "action": "order_acknowledge",
                "edition": "v1",
                "fixture": "default",
                "set": {"/orders": "${pulled}"},
            },
            {
                "name": "nothing waits",
                "action": "order_pull",
                "edition": "v1",
                "fixture": "default",
                "expect": {"body": {"orders": [], "next_page_token": ""}},
            },
        ],
        variables={"next": ""},
        verdicts=["passed", "passed", "passed"],
        sent=[3, 1, 1],
    ),
    Flow(
        name="the rest of a group goes on without one that breaks the contract",
        steps=[
            {"name": "broken", "fixture": "default", "set": {"/data": "x"}},
            {"name": "cancel", "fixture": "default", "together": True, "expect": NOTHING},
            {"name": "refused", **REFUSED, "together": True, "expect": {"status": "4xx"}},
            {"name": "later", "fixture": "default"},
        ],
        verdicts=["errored", "passed", "failed", "skipped"],
        sent=[0, 1, 1, 0],
        reasons={"later": "step 'broken' errored"},
    ),
    Flow(
        name="a step is done again until the bound",
        steps=[
            {
                "name": "cancel",
                **REFUSED,
                "capture": {"refusals": "/events/*"},
                "repeat_while": {"captured": "refusals", "at_most": 3},
            },
        ],
        verdicts=["failed"],
        sent=[3],
        reasons={"cancel": "it was done 3 times, as often as at_most allows, and refusals is still captured"},
    ),
]
