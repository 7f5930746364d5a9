"""The rule at one expected value, as it is being made: which matcher, with what, for which places."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product
from typing import Any

import msgspec
from msgspec import UNSET
from starlette.datastructures import FormData

from retailops_sandbox import accepting, jsontext
from retailops_sandbox.comparing import matchers
from retailops_sandbox.contracts.contract import Contract
from retailops_sandbox.errors import SourceError
from retailops_sandbox.jsontext import pointer
from retailops_sandbox.model import Json, Rule
from retailops_sandbox.web.compose.expectation_cards import BODY
from retailops_sandbox.web.shell.forms import text
from retailops_sandbox.web.shell.send_form import Refused

WORDS = {
    "ignore": "anything, also nothing",
    "any": "anything, but something",
    "type": "any value of a type",
    "regex": "text that a regular expression finds",
    "contains": "text that has this in it",
    "one_of": "one of these values",
    "range": "a number between two",
    "datetime": "any date and time",
    "uuid": "any UUID",
    "unordered": "the same items in any order",
    "ordered": "the same items in this order",
    "extra": "these members, and others too",
}
"""Each matcher, and what it accepts."""
TYPES = ("string", "number", "integer", "boolean", "null", "array", "object")
_FOR = {
    "string": ("ignore", "any", "type", "regex", "contains", "one_of", "datetime", "uuid"),
    "number": ("ignore", "any", "type", "range", "one_of"),
    "boolean": ("ignore", "any", "type", "one_of"),
    "null": ("ignore", "any", "type", "one_of"),
    "array": ("ignore", "any", "type", "unordered", "ordered"),
    "object": ("ignore", "any", "type", "extra"),
}
_FOR_HEADER = ("ignore", "any", "regex", "contains", "one_of", "datetime", "uuid")
_MOST_WILD = 2
"""Of how many arrays on the way each may be every item or this one."""


class Scope(msgspec.Struct, frozen=True):
    """Where a rule may stand."""

    path: str
    says: str


class RulePreview(msgspec.Struct, frozen=True):
    """What the rule as it is typed makes of the expected value."""

    problem: str = ""
    accepts: bool | None = None
    """None where it is no matter of one value."""


class RuleEditor(msgspec.Struct, kw_only=True):
    """The rule as it is being made."""

    at: str
    label: str
    words: Sequence[str]
    scopes: Sequence[Scope] = ()
    word: str = ""
    path: str = ""
    type: str = ""
    pattern: str = ""
    values: str = ""
    least: str = ""
    most: str = ""
    value: Any = UNSET
    """What is expected there."""
    before: str = ""
    """Where the rule of the body stands that is there now."""
    has_rule: bool = False

    @property
    def told(self) -> RulePreview:
        """What it makes of the expected value, tested now."""
        if not self.word:
            return RulePreview()
        try:
            accepts = matchers.matcher(self.rule()).accepts
        except Refused as refused:
            return RulePreview(str(refused))
        except matchers.RuleError as error:
            return RulePreview(error.what)
        if accepts is None or self.value is UNSET or self.word in ("ignore", "any"):
            return RulePreview()
        return RulePreview(accepts=accepts(self.value))

    def rule(self) -> Rule:
        """The rule as it is spelled in a file; Refused where what is typed cannot be one."""
        if self.word in ("type", "extra"):
            return {self.word: self.type if self.word == "type" else "allow"}
        if self.word in ("regex", "contains"):
            return {self.word: self.pattern}
        if self.word == "one_of":
            return {"one_of": [_line(each) for each in self.values.split("\n") if each.strip()]}
        if self.word == "range":
            return {"range": [_bound(self.least), _bound(self.most)]}
        if self.word not in WORDS:
            raise Refused("rule", "Choose what is accepted.")
        return self.word

    def made(self) -> Rule:
        """The rule, proved; Refused with what is wrong with it."""
        rule = self.rule()
        try:
            matchers.matcher(rule, self.path)
        except matchers.RuleError as error:
            raise Refused("rule", f"{error.what} ({error.mend})" if error.mend else error.what) from error
        return rule


def begun(document: Json, contract: Contract, at: str) -> RuleEditor | None:
    """The rule at a value, as it is or as it might be; None where there is no such value."""
    try:
        value = pointer.resolve(document, at)
    except pointer.PointerError:
        return None
    label = pointer.parse(at)[-1]
    if at.startswith("/headers/"):
        is_text = isinstance(value, str) and value not in matchers.MATCHERS
        ruling = RuleEditor(at=at, label=label, words=_FOR_HEADER, path=at, value=value if is_text else UNSET)
        _take(ruling, UNSET if is_text else value)
        return ruling
    scopes = _scopes(document, contract, at)
    kind = matchers.type_name(value)
    ruling = RuleEditor(at=at, label=label, words=_FOR[kind], scopes=scopes, path=scopes[0].path, value=value)
    rules = document.get("rules") if isinstance(document, dict) else None
    path = applied(rules if isinstance(rules, dict) else {}, contract, at)
    if path is not None and isinstance(rules, dict):
        ruling.before = ruling.path = path
        ruling.has_rule = True
        if path not in [each.path for each in scopes]:
            ruling.scopes = [*scopes, Scope(path, "as it is")]
        _take(ruling, rules[path])
    else:
        _take(ruling, UNSET)
    return ruling


def applied(rules: dict[str, Any], contract: Contract, at: str) -> str | None:
    """The path of the rule that judges a value of the body."""
    try:
        scope = matchers.scope(matchers.compile(rules), contract.arrays)
    except matchers.RuleError:
        return None
    for token in pointer.parse(at.removeprefix(BODY)):
        scope = scope.child(token) if scope is not None else None
    return scope.matcher.path if scope is not None and scope.matcher is not None else None


def fill(ruling: RuleEditor, form: FormData) -> None:
    """Let it be what was typed for this very value."""
    if text(form, "rule_for") != ruling.at:
        return
    for name in ("word", "type", "pattern", "values", "least", "most"):
        if f"rule_{name}" in form:
            setattr(ruling, name, text(form, f"rule_{name}"))
    path = text(form, "rule_path")
    if path in [each.path for each in ruling.scopes]:
        ruling.path = path


def _take(ruling: RuleEditor, rule: Any) -> None:
    """Begin with the rule that is there, and with what the value suggests for the others."""
    value = ruling.value
    ruling.type = "string" if value is UNSET else matchers.type_name(value)
    ruling.pattern = accepting.proposed_regex(None, value) if isinstance(value, str) else ""
    ruling.values = "" if value is UNSET else jsontext.compact(value).decode()
    ruling.least = jsontext.compact(value).decode() if ruling.type == "number" else ""
    if rule is UNSET:
        return
    word, argument = rule, None
    if isinstance(rule, dict) and len(rule) == 1:
        [(word, argument)] = rule.items()
    if not isinstance(word, str) or word not in WORDS:
        return
    ruling.word = word
    if word not in ruling.words:
        ruling.words = [*ruling.words, word]
    if word == "type" and isinstance(argument, str):
        ruling.type = argument
    elif word in ("regex", "contains") and isinstance(argument, str):
        ruling.pattern = argument
    elif word == "one_of" and isinstance(argument, list):
        ruling.values = "\n".join(jsontext.compact(each).decode() for each in argument)
    elif word == "range" and isinstance(argument, list) and len(argument) == 2:
        ruling.least, ruling.most = (
            "" if each is None else jsontext.compact(each).decode() for each in argument
        )


def _scopes(document: Json, contract: Contract, at: str) -> list[Scope]:
    """Where a rule for a value may stand: there alone, or for every item of the arrays on the way."""
    tokens = pointer.parse(at)[1:]
    holder: Any = pointer.resolve(document, BODY)
    indices: list[int] = []
    for depth, token in enumerate(tokens):
        if isinstance(holder, list):
            indices.append(depth)
        holder = pointer.resolve(holder, f"/{pointer.escape(token)}")
    choices = list(product((False, True), repeat=len(indices)))
    if len(indices) > _MOST_WILD:
        choices = [choices[0], choices[-1]]
    scopes = []
    for wild in choices:
        made = list(tokens)
        for depth, is_wild in zip(indices, wild, strict=True):
            made[depth] = "*" if is_wild else made[depth]
        names = [tokens[depth - 1] for depth, is_wild in zip(indices, wild, strict=True) if is_wild and depth]
        says = f"every item of {' and '.join(names)}" if any(wild) and names else "this one"
        if not any(wild):
            says = "this one alone" if indices else "here"
        scopes.append(Scope(pointer.join(tuple(made)), says))
    return scopes


def _line(typed: str) -> Json:
    try:
        return jsontext.parse(typed)
    except SourceError as error:
        spelled = jsontext.compact(typed.strip()).decode()
        raise Refused(
            "rule", f"{typed.strip()} is not JSON ({error.what}): a text is written {spelled}"
        ) from error


def _bound(typed: str) -> Json:
    if not typed.strip():
        return None
    try:
        return jsontext.parse(typed)
    except SourceError as error:
        raise Refused("rule", f"{typed.strip()} is not a number") from error
