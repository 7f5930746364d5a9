"""An expected body and its rules, after the decisions on its differences.

The expected body exists in two forms: as the file has it, with placeholders, and as it was compared, filled
and redacted. Both get the same changes, so that a placeholder stays where its value stays.

A redacted value is never written: the mark may stand for a part of it only, and the file must run where the
secret is not known. The rule `any` is written for it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

import msgspec
from msgspec import UNSET

from retailops_sandbox import composing
from retailops_sandbox.accepting.deciding import KEEP, Decision, Key
from retailops_sandbox.comparing import matchers
from retailops_sandbox.comparing.aligning import align
from retailops_sandbox.comparing.node import NOTHING_KNOWN, Kind, Node, settle
from retailops_sandbox.comparing.rules import Scope, compile_rules, whole_scope
from retailops_sandbox.comparing.values import same
from retailops_sandbox.jsontext import holds_mark, pointer
from retailops_sandbox.model import Json, Mark, Rule
from retailops_sandbox.redaction.literals import without_values

Tokens: TypeAlias = "tuple[str, ...]"
"""The tokens of a pointer."""
_Value: TypeAlias = Any
"""Json, or UNSET where there is no value."""


class Decided(msgspec.Struct, frozen=True):
    """An expected body and its rules after the decisions."""

    body: Json
    """The body as it is compared: filled and redacted."""
    template: Json
    """The body as the file has it."""
    rules: dict[str, Rule]
    """The rules as they are compared with."""
    template_rules: dict[str, Rule]
    """The rules as the file has them."""
    renamed: dict[str, str]
    """The new paths of the file's rules that stay, by their old paths."""
    accepted: Mapping[Tokens, Tokens]
    """The places in the body of the values that were accepted, by their places in the answer."""
    gave_way: frozenset[str]
    """The paths of the rules that were made for accepted values alone, because another rule refused them."""


def decide(
    filled: Json,
    template: Json,
    actual: Json,
    *,
    rules: Mapping[str, Rule],
    template_rules: Mapping[str, Rule],
    sets: Mapping[str, tuple[str, ...]],
    decisions: Mapping[Key, Decision],
    otherwise: Decision = KEEP,
    known: Mapping[tuple[str, str], Kind] = NOTHING_KNOWN,
) -> Decided:
    """The body and rules after the decisions; `otherwise` is the decision on all other differences.

    `known` are the differences that were found before something was struck out.
    """
    scope = whole_scope(compile_rules(rules), sets)
    walk = _Walk(rules, decisions, otherwise)
    root = align(filled, actual, scope)
    settle(root, known)
    pair = walk.node(root, scope, _Place(), template)
    kept = walk.renumbered(rules)
    added: Any = walk.added
    added_template: Any = composing.escaped(added)
    return Decided(
        pair.filled,
        pair.template,
        {**{new: rules[old] for old, new in kept.items()}, **added},
        {**{new: template_rules[old] for old, new in kept.items()}, **added_template},
        kept,
        walk.accepted,
        frozenset(walk.gave_way),
    )


class _Pair(msgspec.Struct, frozen=True):
    """An expected value in both forms."""

    filled: _Value
    template: _Value


_NOTHING = _Pair(UNSET, UNSET)


class _Place(msgspec.Struct, frozen=True):
    """The tokens of a place in the expected body as it was and as it will be, and in the actual body."""

    old: Tokens = ()
    new: Tokens = ()
    actual: Tokens = ()
    wide: Tokens = ()
    """The tokens of `new`, with `*` for the items of set-like arrays."""

    def beneath(self, child: Node, new: str | int, *, wide: bool = False) -> _Place:
        return _Place(
            (*self.old, str(child.expected_token)),
            (*self.new, str(new)),
            (*self.actual, str(child.actual_token)),
            (*self.wide, "*" if wide else str(new)),
        )


class _Renumbered(msgspec.Struct, frozen=True):
    """The length of an array before, and the new positions of the items that stay, by the old ones."""

    length: int
    numbers: dict[int, int]


class _Walk:
    """Walks through an alignment, and applies the decisions to the expected side."""

    def __init__(
        self, rules: Mapping[str, Rule], decisions: Mapping[Key, Decision], otherwise: Decision
    ) -> None:
        self._rules = {path: pointer.parse(path) for path in rules}
        self._words = {path: matchers.matcher(rule, path).name for path, rule in rules.items()}
        self._decisions = decisions
        self._otherwise = otherwise
        self._dropped: set[str] = set()
        self._removed: list[Tokens] = []
        self._arrays: dict[Tokens, _Renumbered] = {}
        """The arrays that were walked through, by their old places."""
        self.added: dict[str, Rule] = {}
        self.accepted: dict[Tokens, Tokens] = {}
        self.gave_way: set[str] = set()

    # --- One place ---

    def node(self, node: Node, scope: Scope | None, place: _Place, template: _Value) -> _Pair:
        """The expected value at a place that both sides have."""
        if node.kind in ("changed", "type"):
            return self._leaf(node, scope, place, template)
        if not node.cost:
            return _Pair(node.expected, template)
        if node.kind == "object":
            pair = self._object(node, scope, place, template if isinstance(template, dict) else {})
        else:
            pair = self._array(node, scope, place, template if isinstance(template, list) else [])
        if type(template) is type(node.expected):
            return pair
        # The whole value is one placeholder in the file: it stays, or is replaced as a whole.
        if same(pair.filled, node.expected):
            return _Pair(node.expected, template)
        return self._accepted(pair.filled, scope, place.new)

    def _leaf(self, node: Node, scope: Scope | None, place: _Place, template: _Value) -> _Pair:
        decision = self._decision(node.kind, place.old, place.actual)
        if decision.word == "accept" and isinstance(node.actual, Mark):
            self.added[pointer.join(place.new)] = "any"
        elif decision.word == "accept" and node.matcher is not None and node.matcher.accepts is not None:
            self.accepted[place.actual] = place.new
            return self._refused_by_rule(node, place)
        elif decision.word == "accept":
            self.accepted[place.actual] = place.new
            return self._accepted(node.actual, scope, place.new)
        elif decision.word == "rule":
            self._add_rule(decision, node, place)
        return _Pair(node.expected, template)

    def _refused_by_rule(self, node: Node, place: _Place) -> _Pair:
        """The actual value that a rule refused, as the expected one. The rule no longer applies here."""
        path = pointer.join(place.new)
        clean = without_values(node.actual)
        reaching = self._reaching(place.old)
        if holds_mark(node.actual):
            self.added[path] = "any"
        elif any("*" in self._rules[each] for each in reaching):
            self._give_way(path, node.actual)
        else:
            self._dropped.update(reaching)
        return _Pair(clean, composing.escaped(clean))

    def _add_rule(self, decision: Decision, node: Node, place: _Place) -> None:
        """Add the rule of a decision; for this place alone where another rule wins over the wide path."""
        judge = self._rules.get(node.matcher.path, ()) if node.matcher is not None else ()
        hidden = node.matcher is not None and judge.count("*") < place.wide.count("*")
        path = place.wide if decision.everywhere and not hidden else place.new
        self.added[pointer.join(path)] = decision.rule

    def _decision(self, kind: str, expected: Tokens | None, actual: Tokens | None) -> Decision:
        expected_pointer = None if expected is None else pointer.join(expected)
        actual_pointer = None if actual is None else pointer.join(actual)
        return self._decisions.get(("body", kind, expected_pointer, actual_pointer), self._otherwise)

    # --- Objects ---

    def _object(
        self, node: Node, scope: Scope | None, place: _Place, template: Mapping[str, _Value]
    ) -> _Pair:
        filled: dict[str, Json] = {}
        own: dict[str, Json] = {}
        for child in node.children:
            name = str(child.expected_token)
            beneath = place.beneath(child, name)
            inner = scope.child(name) if scope is not None else None
            if child.kind == "missing":
                pair = self._missing(child, beneath, template.get(name, UNSET))
            elif child.expected is UNSET:
                pair = self._unexpected_member(child, inner, beneath)
            else:
                pair = self.node(child, inner, beneath, template.get(name, UNSET))
            if pair.filled is not UNSET:
                filled[name] = pair.filled
                own[name] = pair.template
        return _Pair(filled, own)

    def _missing(self, node: Node, place: _Place, template: _Value) -> _Pair:
        """The expected value for a member or item that is missing."""
        decision = self._decision("missing", place.old, None)
        if decision.word == "rule":
            self._add_rule(decision, node, place)
        if decision.word != "accept":
            return _Pair(node.expected, template)
        self._removed.append(place.old)
        if any(self._demands(path, place.old[-1]) for path in self._reaching(place.old)):
            self.added[pointer.join(place.new)] = "ignore"
        return _NOTHING

    def _demands(self, path: str, name: str) -> bool:
        """Whether the rule at a path is an `any` for several places that demands a member of this name."""
        tokens = self._rules[path]
        return "*" in tokens and tokens[-1] == name and self._words[path] == "any"

    def _unexpected_member(self, node: Node, scope: Scope | None, place: _Place) -> _Pair:
        if node.kind != "unexpected":
            return _NOTHING
        decision = self._decision("unexpected", None, place.actual)
        if decision.word == "rule":
            self._add_rule(decision, node, place)
        if decision.word != "accept":
            return _NOTHING
        self.accepted[place.actual] = place.new
        return self._accepted(node.actual, scope, place.new)

    # --- Arrays ---

    def _array(self, node: Node, scope: Scope | None, place: _Place, template: Sequence[_Value]) -> _Pair:
        staying = self._order(node, [child for child in node.children if self._stays(child, place)], place)
        filled: list[Json] = []
        own: list[Json] = []
        numbers: dict[int, int] = {}
        for at, child in enumerate(staying):
            if child.expected is UNSET:
                new = (*place.new, str(at))
                self.accepted[(*place.actual, str(child.actual_token))] = new
                pair = self._accepted(child.actual, _scope_of_new(scope, at, node), new)
            else:
                old = int(child.expected_token)
                numbers[old] = at
                beneath = place.beneath(child, at, wide=node.set_like)
                item_template = template[old] if old < len(template) else UNSET
                if child.kind == "missing":
                    pair = self._missing(child, beneath, item_template)
                else:
                    inner = scope.child(str(old)) if scope is not None else None
                    pair = self.node(child, inner, beneath, item_template)
            filled.append(pair.filled)
            own.append(pair.template)
        self._arrays[place.old] = _Renumbered(len(node.expected), numbers)
        return _Pair(filled, own)

    def _stays(self, child: Node, place: _Place) -> bool:
        """Whether an item is among the expected ones after the decisions."""
        if child.kind == "unexpected":
            actual = (*place.actual, str(child.actual_token))
            return self._decision("unexpected", None, actual).word == "accept"
        if child.kind == "missing":
            return self._decision("missing", (*place.old, str(child.expected_token)), None).word != "accept"
        return child.expected is not UNSET

    def _order(self, node: Node, staying: list[Node], place: _Place) -> list[Node]:
        """The items in expected order, but those whose move was accepted in actual order."""
        if not node.keeps_order:
            return staying
        moving = [child for child in staying if child.moved and self._moves(child, place)]
        ordered = [child for child in staying if child not in moving]
        for child in sorted(moving, key=_actual_position):
            before = [
                at for at, each in enumerate(ordered) if _actual_position(each) < _actual_position(child)
            ]
            ordered.insert(before[-1] + 1 if before else 0, child)
        return ordered

    def _moves(self, child: Node, place: _Place) -> bool:
        expected = (*place.old, str(child.expected_token))
        actual = (*place.actual, str(child.actual_token))
        return self._decision("moved", expected, actual).word == "accept"

    # --- Actual values that are accepted ---

    def _accepted(self, value: Json, scope: Scope | None, path: Tokens) -> _Pair:
        """An actual value as the expected one; rules that would refuse it are replaced at its place."""
        return _Pair(*self._literal(value, scope, path))

    def _literal(self, value: Json, scope: Scope | None, path: Tokens) -> tuple[Json, Json]:
        matcher = scope.matcher if scope is not None else None
        if matcher is not None and matcher.accepts is not None:
            clean = without_values(value)
            if not matcher.accepts(value):
                if holds_mark(value):
                    self.added[pointer.join(path)] = "any"
                else:
                    self._give_way(pointer.join(path), value)
            return clean, composing.escaped(clean)
        if isinstance(value, Mark):
            self.added[pointer.join(path)] = "any"
            return None, None
        if isinstance(value, dict):
            members = {
                name: self._literal(member, scope.child(name) if scope is not None else None, (*path, name))
                for name, member in value.items()
            }
            for name in scope.demanded if scope is not None else ():
                if name not in value:
                    self.added[pointer.join((*path, name))] = "ignore"
            return {name: one for name, (one, _) in members.items()}, {
                name: other for name, (_, other) in members.items()
            }
        if isinstance(value, list):
            items = [
                self._literal(item, scope.child(str(at)) if scope is not None else None, (*path, str(at)))
                for at, item in enumerate(value)
            ]
            return [one for one, _ in items], [other for _, other in items]
        return value, composing.escaped(value)

    def _give_way(self, path: str, value: Json) -> None:
        """Make a rule for an accepted value alone, at whose place another rule would refuse it."""
        self.added[path] = {"one_of": [value]}
        self.gave_way.add(path)

    # --- The rules that were there before ---

    def _reaching(self, place: Tokens) -> list[str]:
        """The paths of the rules that reach a place."""
        return [
            path
            for path, tokens in self._rules.items()
            if len(tokens) == len(place)
            and all(one in ("*", other) for one, other in zip(tokens, place, strict=True))
        ]

    def renumbered(self, rules: Mapping[str, Rule]) -> dict[str, str]:
        """The new paths of the rules that stay, by their old paths, after items were added and removed."""
        found: dict[str, str] = {}
        for path in rules:
            tokens = pointer.parse(path)
            if path in self._dropped or any(tokens[: len(gone)] == gone for gone in self._removed):
                continue
            new = self._moved(tokens)
            if new is not None:
                # Where no position changed, the path keeps its spelling.
                found[path] = path if new == tokens else pointer.join(new)
        return found

    def _moved(self, tokens: Tokens) -> Tokens | None:
        """The tokens of a rule's path with the new positions of items; None where its item is removed."""
        new = list(tokens)
        for depth, token in enumerate(tokens):
            renumbered = self._arrays.get(tokens[:depth])
            if renumbered is None or not token.isdecimal():
                continue
            position = int(token)
            if position < renumbered.length or position in renumbered.numbers.values():
                if position not in renumbered.numbers:
                    return None
                new[depth] = str(renumbered.numbers[position])
        return tuple(new)


def _scope_of_new(array: Scope | None, at: int, node: Node) -> Scope | None:
    """The scope of an item that is added at a position, for which there may be a rule already."""
    if array is None:
        return None
    return array.child(str(at)) if at >= len(node.expected) else array.items


def _actual_position(node: Node) -> int:
    return node.actual_token if isinstance(node.actual_token, int) else -1
