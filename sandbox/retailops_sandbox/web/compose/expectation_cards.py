"""An expected response as cards, which are made from its JSON text, and edits of that text.

Pointers are into the text: `/status`, `/headers/Name`, `/body/events/0/status`. Rule paths are into the body.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from copy import deepcopy
from typing import Any, Literal

import msgspec
from msgspec import UNSET

from retailops_sandbox import jsontext, redaction
from retailops_sandbox.comparing import matchers, statuses
from retailops_sandbox.comparing.rules import Scope, compile_rules, whole_scope, without_quantifiers
from retailops_sandbox.contracts.contract import Contract, documented, schema_at
from retailops_sandbox.errors import SandboxError, SourceError
from retailops_sandbox.jsontext import pointer
from retailops_sandbox.model import Expectation, Json, Rule
from retailops_sandbox.scenarios import scenario
from retailops_sandbox.web.compose import inputs
from retailops_sandbox.web.compose.inputs import count, value_at, with_inner
from retailops_sandbox.web.shell import expected_status

MOST_VALUES = 400
"""The most values of an expectation that has cards; a larger one is edited as JSON."""
EMPTY = "{\n}"
"""The text that is edited in place of an empty one."""
BODY = "/body"
_PARTS = ("status", "max_ms", "headers", "body", "rules")


class Applied(msgspec.Struct, frozen=True):
    """A rule and its path."""

    path: str
    says: str
    is_wide: bool = False
    """Whether it is for more than one place."""
    problem: str = ""


class Value(msgspec.Struct, kw_only=True):
    """A single value with its input."""

    kind: Literal["value"] = "value"
    pointer: str
    label: str
    text: str
    is_json: bool
    """Whether the input shows JSON."""
    rule: Applied | None = None
    problem: str = ""


class Box(msgspec.Struct, kw_only=True):
    """An object or array with its members or items."""

    kind: Literal["object", "array"]
    pointer: str
    label: str
    rule: Applied | None = None
    is_item: bool = False
    """Whether it is an item of a set-like array; there is no rule for such an item as a whole."""
    title: str = ""
    """The identity fields that distinguish it from its siblings, in words."""
    parts: list[Value | Box] = []
    offered: tuple[str, ...] = ()
    """The documented members that it lacks."""
    problem: str = ""


class Header(msgspec.Struct, kw_only=True):
    """A header that is expected: a text, or what a rule accepts."""

    pointer: str
    name: str
    text: str = ""
    rule: Applied | None = None
    problem: str = ""


class Cards(msgspec.Struct, kw_only=True):
    """All of an expectation, or why it can only be edited as JSON."""

    unusable: str = ""
    status: str = ""
    status_problem: str = ""
    max_ms: str = ""
    max_ms_problem: str = ""
    headers: list[Header] = []
    body: Value | Box | None = None
    events: str = ""
    """The pointer of the array in which an answer tells what happened; empty where the contract has none."""
    other_rules: list[Applied] = []
    """The rules of places that are not in the expected body."""
    also: dict[str, str] = {}
    """The expectation's members that have no cards, as JSON."""
    problem: str = ""
    """A mistake in the expectation that belongs to none of the above."""
    problem_at: str = ""


def of(text: str, contract: Contract) -> Cards:
    """The cards of an expectation's text."""
    try:
        document = jsontext.parse(text) if text.strip() else {}
    except SourceError as error:
        return Cards(unusable=f"This is not JSON: {error}")
    if not isinstance(document, dict):
        return Cards(unusable="An expectation is a JSON object.")
    if count(document.get("body")) > MOST_VALUES:
        return Cards(unusable=f"The body has more than {MOST_VALUES} values: edit it as JSON.")
    return _Maker(document, contract).cards(_mistake(text))


def _mistake(text: str) -> SandboxError | None:
    if not text.strip():
        return None
    try:
        scenario.expectation(text)
    except SandboxError as error:
        return error
    return None


class _Maker:
    """Makes the cards of one document."""

    def __init__(self, document: dict[str, Json], contract: Contract) -> None:
        self._document = document
        self._contract = contract
        rules = document.get("rules")
        self._rules: dict[str, Any] = rules if isinstance(rules, dict) else {}
        self._shown: set[str] = set()
        self._known: dict[str, Any] = {}
        """The rules without those that cannot be used."""
        self._wrong: dict[str, str] = {}
        rule: Any
        for path, rule in self._rules.items():
            try:
                compile_rules({path: rule})
                self._known[path] = rule
            except matchers.RuleError as error:
                self._wrong[path] = f"{error.what}; {error.mend}" if error.mend else error.what

    def cards(self, mistake: SandboxError | None) -> Cards:
        document = self._document
        scope = whole_scope(compile_rules(self._known), self._contract.arrays)
        body = self._node(BODY, "body", document["body"], scope) if "body" in document else None
        made = Cards(
            status=expected_status.shown(document.get("status", UNSET)),
            max_ms=_input(document.get("max_ms", UNSET)),
            headers=list(self._headers()),
            body=body,
            events=BODY + self._contract.events if self._contract.events else "",
            other_rules=[self._told(path) for path in self._rules if path not in self._shown],
            also={
                name: jsontext.compact(value).decode()
                for name, value in document.items()
                if name not in _PARTS
            },
        )
        if mistake is not None:
            _put(made, mistake)
        return made

    def _headers(self) -> Iterator[Header]:
        headers = self._document.get("headers")
        rule: Any
        for name, rule in headers.items() if isinstance(headers, dict) else ():
            at = f"/headers/{pointer.escape(name)}"
            if isinstance(rule, str) and rule not in matchers.MATCHERS:
                yield Header(pointer=at, name=name, text=rule)
            else:
                yield Header(pointer=at, name=name, rule=Applied(at, says(rule)))

    def _node(self, at: str, label: str, value: Json, scope: Scope | None) -> Value | Box:
        matcher = scope.matcher if scope is not None else None
        rule = None
        if matcher is not None:
            self._shown.add(matcher.path)
            rule = self._told(matcher.path)
        if isinstance(value, dict):
            members = [
                self._node(f"{at}/{pointer.escape(name)}", name, each, scope.child(name) if scope else None)
                for name, each in value.items()
            ]
            offered = tuple(name for name in documented_members(self._contract, at) if name not in value)
            return Box(kind="object", pointer=at, label=label, rule=rule, parts=members, offered=offered)
        if isinstance(value, list):
            box = Box(kind="array", pointer=at, label=label, rule=rule)
            for position, each in enumerate(value):
                item = self._node(
                    f"{at}/{position}", str(position), each, scope.child(str(position)) if scope else None
                )
                if isinstance(item, Box) and scope is not None and scope.identity is not None:
                    item.is_item = True
                    item.title = _title(each, scope.identity)
                box.parts.append(item)
            return box
        is_json = not isinstance(value, str) or not inputs.is_plain_text(value)
        return Value(
            pointer=at,
            label=label,
            text=inputs.shown(value, is_json=is_json),
            is_json=is_json,
            rule=rule,
        )

    def _told(self, path: str) -> Applied:
        return Applied(path, says(self._rules[path]), "*" in pointer_tokens(path), self._wrong.get(path, ""))


def _put(cards: Cards, mistake: SandboxError) -> None:
    """Put a mistake at its place, or at the whole where it has none."""
    what = mistake.message
    at = mistake.pointer or ""
    places: dict[str, Any] = {each.pointer: each for each in cards.headers}
    if cards.body is not None:
        places |= {each.pointer: each for each in with_inner(cards.body)}
    if at in places:
        places[at].problem = what
    elif re.match("/status(/|$)", at):
        cards.status_problem = what
    elif at == "/max_ms":
        cards.max_ms_problem = what
    else:
        cards.problem, cards.problem_at = what, at


def says(rule: Rule) -> str:
    """A rule in words."""
    if not isinstance(rule, dict) or len(rule) != 1:
        return rule if isinstance(rule, str) else jsontext.compact(rule).decode()
    [(word, argument)] = rule.items()
    spelled = argument if isinstance(argument, str) else jsontext.compact(argument).decode()
    return f"{word} {spelled}"


def pointer_tokens(path: str) -> tuple[str, ...]:
    """The tokens of a rule's path; empty for a path that cannot be parsed."""
    try:
        return pointer.parse(path)
    except pointer.PointerError:
        return ()


def _title(item: Json, identity: Sequence[str]) -> str:
    """The identity of an item, in words."""
    if not isinstance(item, dict):
        return ""
    return " ".join(
        inputs.shown(item[name], is_json=False) for name in identity if isinstance(item.get(name), str)
    )


def _input(value: Any) -> str:
    return "" if value is UNSET or value is None else inputs.shown(value, is_json=not isinstance(value, str))


# --- what the contract documents ---


def _documented(contract: Contract, at: str) -> Any:
    """The documented value at a place of the body; UNSET where nothing is documented."""
    return documented(
        contract.response_schema, contract.examples.response, at.removeprefix(BODY), otherwise=""
    )


def documented_members(contract: Contract, at: str) -> tuple[str, ...]:
    """The members that the contract names in the object at a place of the body."""
    try:
        return tuple(schema_at(contract.response_schema, at.removeprefix(BODY)).get("properties", ()))
    except pointer.PointerError:
        return ()


# --- edits ---


def typed(text: str, written: Mapping[str, str]) -> tuple[str, list[str]]:
    """The text with the inputs' values, by the inputs' names; and the inputs that could not be put into it.

    An unchanged input changes no byte. SourceError where the text is not JSON.
    """
    document = jsontext.parse(_base(text))
    changed = {}
    for name, value in written.items():
        _, _, at = name.partition(":")
        if at not in ("/status", "/max_ms"):
            changed[name] = value
            continue
        present = document.get(at[1:], UNSET) if isinstance(document, dict) else UNSET
        if value.strip() == (expected_status.shown(present) if at == "/status" else _input(present)):
            continue
        if not value.strip():
            text = jsontext.remove(_base(text), at)
        elif at == "/status":
            text = jsontext.insert(_base(text), at, expected_status.read(value))
        else:
            changed[name] = value.strip()
    if not changed:
        return text, []
    made, refused = inputs.typed(_base(text), changed)
    return (text if made == EMPTY else made), refused


def add(text: str, contract: Contract, at: str) -> str:
    """The text with one more item in the array at a pointer, which is made where there is none."""
    text = _base(text)
    present = value_at(jsontext.parse(text), at)
    item = _documented(contract, f"{at}/0")
    if isinstance(present, list):
        if item is UNSET:
            item = deepcopy(present[-1]) if present else ""
        return jsontext.insert(text, f"{at}/-", item)
    return jsontext.insert(text, at, ["" if item is UNSET else item])


def begin(text: str, at: str) -> str:
    """The text with an empty array at a pointer, that is with no items expected."""
    return jsontext.insert(_base(text), at, [])


def member(text: str, contract: Contract, at: str, name: str) -> str:
    """The text with one more member in the object at a pointer, with its documented value."""
    inside = f"{at}/{pointer.escape(name)}"
    value = _documented(contract, inside) if at.startswith(BODY) else ""
    return jsontext.insert(_base(text), inside, "" if value is UNSET else value)


def remove(text: str, at: str) -> str:
    """The text without the value at a pointer, and without the rules that were for it alone.

    Rules for later items of the same array follow them.
    """
    holder = value_at(jsontext.parse(text), at.rpartition("/")[0])
    text = jsontext.remove(text, at)
    if at == "/headers" or not at.startswith(BODY):
        return _without_empty(text, "/headers")
    gone = pointer.parse(at.removeprefix(BODY))
    moved: dict[str, str] = {}
    for path in list(_rules(text)):
        tokens = pointer_tokens(path)
        if tokens[: len(gone)] == gone and tokens:
            text = jsontext.remove(text, f"/rules/{pointer.escape(path)}")
        elif isinstance(holder, list) and len(tokens) >= len(gone) and tokens[: len(gone) - 1] == gone[:-1]:
            position = tokens[len(gone) - 1]
            if position.isdecimal() and int(position) > int(gone[-1]):
                moved[path] = pointer.join((*gone[:-1], str(int(position) - 1), *tokens[len(gone) :]))
    if moved:
        text = jsontext.rename(text, "/rules", moved)
    return _without_empty(text, "/rules")


def rule(text: str, path: str, rule: Rule) -> str:
    """The text with a rule at a path of the body, or of a header at its pointer."""
    made: Any = rule
    if path.startswith("/headers/"):
        return jsontext.insert(_base(text), path, made)
    return jsontext.insert(_base(text), f"/rules/{pointer.escape(path)}", made)


def unrule(text: str, path: str) -> str:
    """The text without the rule at a path."""
    return _without_empty(jsontext.remove(text, f"/rules/{pointer.escape(path)}"), "/rules")


def answered(text: str, answer: Expectation) -> str:
    """The text with the status and body of an answer; rules, limits and a status that accepts it stay.

    A redacted value gets the rule `any`, as the value itself is not known.
    """
    try:
        document = deepcopy(jsontext.parse(_base(text)))
    except SourceError:
        document = {}
    if not isinstance(document, dict):
        text, document = "", {}
    document.pop("fault", None)
    if answer.fault is not None:
        document = {**document, "fault": answer.fault}
        document.pop("status", None)
        document.pop("body", None)
    else:
        status: Any = answer.status
        if not statuses.accepts(document.get("status"), status):
            document["status"] = status
        document.pop("body", None)
        if answer.body is not UNSET:
            spelled = redaction.expected_again(answer)
            document["body"] = spelled.body
            written: Any = document.get("rules", {})
            # A rule about the items of an array would leave out what this answer has there.
            kept = without_quantifiers(written) if isinstance(written, dict) else {}
            rules: Any = {**kept, **spelled.rules}
            if rules:
                document["rules"] = rules
            else:
                document.pop("rules", None)
    try:
        return jsontext.rewrite(_base(text), document)
    except SourceError:
        return jsontext.pretty(document)


def _base(text: str) -> str:
    return text if text.strip() else EMPTY


def _rules(text: str) -> dict[str, Json]:
    found = value_at(jsontext.parse(text), "/rules")
    return found if isinstance(found, dict) else {}


def _without_empty(text: str, at: str) -> str:
    return jsontext.remove(text, at) if value_at(jsontext.parse(text), at) == {} else text
