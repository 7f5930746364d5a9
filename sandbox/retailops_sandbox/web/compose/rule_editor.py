"""The editor of the rule at one expected value: which matcher, with what argument, for which places."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product
from typing import Any, Literal

import msgspec
from msgspec import UNSET
from starlette.datastructures import FormData

from retailops_sandbox import accepting, jsontext
from retailops_sandbox.comparing import matchers
from retailops_sandbox.comparing.matchers import HEADER, MATCHERS, MatcherKind
from retailops_sandbox.comparing.rules import compile_rules, whole_scope
from retailops_sandbox.comparing.values import type_name
from retailops_sandbox.contracts.contract import Contract
from retailops_sandbox.errors import SourceError
from retailops_sandbox.jsontext import pointer
from retailops_sandbox.model import Json, Rule
from retailops_sandbox.web.compose.expectation_cards import BODY
from retailops_sandbox.web.shell.forms import text
from retailops_sandbox.web.shell.send_form import Refused

_MOST_WILD = 2
"""The number of arrays above a value for each of which a rule can reach every item or only one."""

ArgumentInput = Literal["", "choice", "text", "members", "values", "bounds"]
"""The kind of input for the argument of a matcher; empty for a matcher without one."""


class Scope(msgspec.Struct, frozen=True):
    """A path that the rule can have, and in words the places that it reaches."""

    path: str
    says: str


class RulePreview(msgspec.Struct, frozen=True):
    """Whether the rule as typed accepts the expected value."""

    problem: str = ""
    accepts: bool | None = None
    """None for a matcher that is not about a single value."""


class RuleEditor(msgspec.Struct, kw_only=True):
    """The rule at one expected value, as typed."""

    at: str
    label: str
    kinds: Sequence[MatcherKind]
    """The matchers that are offered."""
    scopes: Sequence[Scope] = ()
    word: str = ""
    path: str = ""
    type: str = ""
    pattern: str = ""
    values: str = ""
    least: str = ""
    most: str = ""
    value: Any = UNSET
    """The expected value."""
    before: str = ""
    """The path of the present rule of the value."""
    has_rule: bool = False

    @property
    def kind(self) -> MatcherKind | None:
        """The matcher that is chosen."""
        return MATCHERS.get(self.word)

    @property
    def input(self) -> ArgumentInput:
        """The kind of input for the argument of the chosen matcher."""
        return _input(self._schema)

    @property
    def input_label(self) -> str:
        """The label of the argument's input."""
        title: str = (self._schema or {}).get("title", "Text")
        return title

    @property
    def choices(self) -> Sequence[str]:
        """The values of the argument that can be chosen."""
        choices: Sequence[str] = (self._schema or {}).get("enum", ())
        return choices

    @property
    def _schema(self) -> dict[str, Any] | None:
        return self.kind.argument if self.kind is not None else None

    @property
    def preview(self) -> RulePreview:
        """The rule tried on the expected value."""
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
        """The rule as it is spelled in a file; Refused where it cannot be spelled."""
        if self.kind is None:
            raise Refused("rule", "Choose what is accepted.")
        schema = self.kind.argument
        return self.word if schema is None else {self.word: self._argument(schema)}

    def _argument(self, schema: dict[str, Any]) -> Json:
        match _input(schema):
            case "choice":
                return self.type
            case "text":
                return self.pattern
            case "members":
                return _line(self.pattern)
            case "values":
                return [_line(each) for each in self.values.split("\n") if each.strip()]
            case "bounds":
                return [_bound(self.least), _bound(self.most)]
        only: Json = schema["const"]
        return only

    def proved(self) -> Rule:
        """The rule; Refused where it cannot be used."""
        rule = self.rule()
        try:
            matchers.matcher(rule, self.path)
        except matchers.RuleError as error:
            raise Refused("rule", f"{error.what} ({error.mend})" if error.mend else error.what) from error
        return rule


def of(document: Json, contract: Contract, at: str) -> RuleEditor | None:
    """The editor of the rule at a value, which may have none yet; None where there is no such value.

    A rule is always at a value within the expectation, never at the whole.
    """
    if not at:
        return None
    try:
        value = pointer.resolve(document, at)
    except pointer.PointerError:
        return None
    label = pointer.parse(at)[-1]
    if at.startswith("/headers/"):
        is_text = isinstance(value, str) and value not in MATCHERS
        kinds = _offered(HEADER)
        editor = RuleEditor(at=at, label=label, kinds=kinds, path=at, value=value if is_text else UNSET)
        _prefill(editor, UNSET if is_text else value)
        return editor
    scopes = _scopes(document, contract, at)
    kinds = _offered(type_name(value))
    editor = RuleEditor(at=at, label=label, kinds=kinds, scopes=scopes, path=scopes[0].path, value=value)
    rules = document.get("rules") if isinstance(document, dict) else None
    path = applied(rules if isinstance(rules, dict) else {}, contract, at)
    if path is not None and isinstance(rules, dict):
        editor.before = editor.path = path
        editor.has_rule = True
        if path not in [each.path for each in scopes]:
            editor.scopes = [*scopes, Scope(path, "as it is")]
        _prefill(editor, rules[path])
    else:
        _prefill(editor, UNSET)
    return editor


def applied(rules: dict[str, Any], contract: Contract, at: str) -> str | None:
    """The path of the rule that judges a value of the body; None where equality does."""
    try:
        scope = whole_scope(compile_rules(rules), contract.arrays)
    except matchers.RuleError:
        return None
    for token in pointer.parse(at.removeprefix(BODY)):
        scope = scope.child(token) if scope is not None else None
    return scope.matcher.path if scope is not None and scope.matcher is not None else None


def fill(editor: RuleEditor, form: FormData) -> None:
    """Put the form's fields into the editor, if they were typed for the same value."""
    if text(form, "rule_for") != editor.at:
        return
    for name in ("word", "type", "pattern", "values", "least", "most"):
        if f"rule_{name}" in form:
            setattr(editor, name, text(form, f"rule_{name}"))
    path = text(form, "rule_path")
    if path in [each.path for each in editor.scopes]:
        editor.path = path


def _prefill(editor: RuleEditor, rule: Any) -> None:
    """Put the present rule into the editor, and proposals from the value for other matchers."""
    value = editor.value
    editor.type = "string" if value is UNSET else type_name(value)
    if isinstance(value, str):
        editor.pattern = accepting.proposed_regex(None, value)
    elif isinstance(value, list) or value is None:
        editor.pattern = jsontext.compact(MATCHERS["some"].example).decode()
    editor.values = "" if value is UNSET else jsontext.compact(value).decode()
    editor.least = jsontext.compact(value).decode() if editor.type == "number" else ""
    if rule is UNSET:
        return
    word, argument = rule, None
    if isinstance(rule, dict) and len(rule) == 1:
        [(word, argument)] = rule.items()
    if not isinstance(word, str) or word not in MATCHERS:
        return
    editor.word = word
    if MATCHERS[word] not in editor.kinds:
        editor.kinds = [*editor.kinds, MATCHERS[word]]
    if editor.input == "choice" and isinstance(argument, str):
        editor.type = argument
    elif editor.input == "text" and isinstance(argument, str):
        editor.pattern = argument
    elif editor.input == "members":
        editor.pattern = jsontext.compact(argument).decode()
    elif editor.input == "values" and isinstance(argument, list):
        editor.values = "\n".join(jsontext.compact(each).decode() for each in argument)
    elif editor.input == "bounds" and isinstance(argument, list) and len(argument) == 2:
        editor.least, editor.most = (
            "" if each is None else jsontext.compact(each).decode() for each in argument
        )


def _offered(type: str) -> list[MatcherKind]:
    """The matchers for an expected value of this type, or for a header."""
    return [kind for kind in MATCHERS.values() if type in kind.applies_to]


def _input(schema: dict[str, Any] | None) -> ArgumentInput:
    """The kind of input for an argument of this schema."""
    if schema is None or "const" in schema:
        return ""
    if "enum" in schema:
        return "choice"
    if schema.get("type") == "array":
        return "bounds" if schema.get("maxItems") == 2 else "values"
    return "members" if schema.get("type") == "object" else "text"


def _scopes(document: Json, contract: Contract, at: str) -> list[Scope]:
    """The paths that a rule for a value can have: of it alone, or of every item of the arrays above it."""
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
