"""A rule at one place of an expectation, chosen by a person who sees expected and answered. Pure.

What is chosen is an edit of the expectation's text, which leaves every other byte alone. It applies to the
file, whose placeholders stay, and to the expectation as it was judged by, which a preview needs.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Any

import msgspec
from msgspec import UNSET

from retailops_sandbox import composing, jsontext, redaction
from retailops_sandbox.accepting.deciding import decision_options, proposed_regex
from retailops_sandbox.comparing import Judge, matchers, volatile
from retailops_sandbox.comparing.matchers import RuleError
from retailops_sandbox.comparing.rules import Scope, compile_rules, whole_scope
from retailops_sandbox.comparing.values import same, type_name
from retailops_sandbox.jsontext import holds_mark, pointer
from retailops_sandbox.model import Delivery, Difference, Expectation, Json, Mark, Rule
from retailops_sandbox.model.judging import DifferenceKind

EXACTLY = "exactly"
"""The choice of no rule: the answer's value is the expected one from then on."""
_SHOWN = 300
"""Characters of an item that are shown."""
_TYPES = {"string": "text", "integer": "number"}


class RulePlace(msgspec.Struct, frozen=True, kw_only=True):
    """A place of an expectation where a rule can stand, with both values; UNSET where a side has none."""

    at: str
    """The pointer into the expected body."""
    wide: str
    """The path for all items of the set-like arrays above it; empty where there is none."""
    expected: Any = UNSET
    actual: Any = UNSET
    choices: tuple[str, ...]
    """EXACTLY, and the names of matchers that accept the answer's value."""

    @property
    def value(self) -> Any:
        """The answer's value, else the expected one."""
        return self.expected if self.actual is UNSET else self.actual

    @property
    def regex(self) -> str:
        """A pattern for both values; empty where they are no texts."""
        if not isinstance(self.value, str):
            return ""
        both = [each for each in (self.actual, self.expected) if isinstance(each, str)]
        rule = volatile.rule_for(both)
        if isinstance(rule, dict) and isinstance(rule.get("regex"), str):
            return str(rule["regex"])
        return proposed_regex(self.expected, self.value)


class RuleChoice(msgspec.Struct, frozen=True):
    """What was chosen for a place."""

    word: str
    """EXACTLY or the name of a matcher."""
    pattern: str = ""
    """The pattern of `regex`."""
    everywhere: bool = False
    """Whether it is for all items of the set-like arrays above the place."""


def place_at(
    expected_body: Json, actual_body: Json, at: str, actual_at: str | None, sets: Mapping[str, Any]
) -> RulePlace:
    """The place at a pointer into the expected body, and at one into the answer's; None where it has none.

    PointerError where the answer's pointer leads nowhere, or neither body has a value.
    """
    expected: Any = pointer.get(expected_body, at, UNSET)
    actual: Any = UNSET if actual_at is None else pointer.resolve(actual_body, actual_at)
    if expected is UNSET and actual is UNSET:
        raise pointer.PointerError(f"neither side has anything at {at}")
    kind: DifferenceKind = "missing" if actual is UNSET else "unexpected" if expected is UNSET else "changed"
    found = Difference(kind=kind, expected_pointer=at, actual_pointer=actual_at, actual=actual)
    options = decision_options(found, tuple(sets))
    if holds_mark(actual) or holds_mark(expected):
        # What was struck out is not known, so nothing can be compared with it.
        choices: tuple[str, ...] = ("ignore",) if options.rules else ()
    elif kind != "changed" and not options.rules:
        choices = ()  # an item of an array: the items behind it would get other positions
    elif actual is UNSET:
        choices = (EXACTLY, *options.rules)
    else:
        formats = [word for word in options.rules if word in matchers.FORMATS]
        several = ["one_of"] if options.rules and _is_single(actual) and not same(expected, actual) else []
        regex = ["regex"] if "regex" in options.rules else []
        ignore = ["ignore"] if "ignore" in options.rules else []
        typed = ["type"] if "type" in options.rules else []
        choices = (EXACTLY, *typed, *formats, *regex, *several, *ignore)
    return RulePlace(at=at, wide=options.wide, expected=expected, actual=actual, choices=choices)


def item_at(actual_body: Json, at: str) -> Json:
    """The item of the answer at a pointer; PointerError where there is none."""
    return pointer.resolve(actual_body, at)


def shown_item(item: Json) -> str:
    """An item in one line."""
    return jsontext.excerpt(item, _SHOWN)


def words(place: RulePlace, word: str) -> str:
    """A choice in words: `exactly this`, `any text`, `a UUID`."""
    if word == EXACTLY:
        return "not there" if place.actual is UNSET else "exactly this"
    if word == "type":
        name = type_name(place.value)
        return f"any {_TYPES.get(name, name)}"
    return {"regex": "pattern", "one_of": "one of both", "ignore": "ignore"}.get(
        word, matchers.MATCHERS[word].words
    )


def rule_of(place: RulePlace, choice: RuleChoice, rules: Mapping[str, Rule]) -> Rule | None:
    """The rule of a choice; None for EXACTLY. RuleError where it cannot be used."""
    if choice.word == EXACTLY:
        return None
    if choice.word == "type":
        return {"type": type_name(place.value)}
    if choice.word == "regex":
        rule: Rule = {"regex": choice.pattern}
    elif choice.word == "one_of":
        rule = {"one_of": _values(place, _deciding(rules, place.at))}
    else:
        rule = choice.word
    matchers.matcher(rule, place.at)
    return rule


def with_choice(text: str, place: RulePlace, choice: RuleChoice, *, is_template: bool) -> str:
    """The text of an expectation with what was chosen; RuleError or PointerError where it cannot be written.

    `is_template` says whether `${` refers to something there, as it does in a file.
    """
    spelled: Callable[[Any], Any] = composing.escaped if is_template else lambda value: value
    rules = _rules(text)
    rule = rule_of(place, choice, rules)
    path = place.wide if choice.everywhere and place.wide and rule is not None else place.at
    if rule is None:
        return _exactly(text, place, rules, spelled)
    if path != place.at and place.at in rules:
        text = jsontext.remove(text, f"/rules/{pointer.escape(place.at)}")  # it would win over the wide one
    return _with_rule(text, path, spelled(rule))


def expecting(
    text: str, array: str, item: Json, *, sent: Iterable[Json], sets: Mapping[str, Any], is_template: bool
) -> str:
    """The text of an expectation with one more item of an array, and rules for what in it looks volatile."""
    spelled: Callable[[Any], Any] = composing.escaped if is_template else lambda value: value
    there: Any = pointer.get(jsontext.parse(text), f"/body{array}", UNSET)
    number = len(there) if isinstance(there, list) else 0
    at = f"/body{array}"
    text = (
        jsontext.insert(text, f"{at}/-", spelled(item))
        if isinstance(there, list)
        else jsontext.insert(text, at, [spelled(item)])
    )
    inner = {
        path.removeprefix(f"{array}/*"): each for path, each in sets.items() if path.startswith(f"{array}/*/")
    }
    for path, found in volatile.find(item, (), sent=list(sent), arrays=inner).items():
        if found.sure:
            text = _with_rule(text, f"{array}/{number}{path}", spelled(found.rule))
    return text


def kind_of(item: Json, array: str, sets: Mapping[str, tuple[str, ...]]) -> dict[str, Json]:
    """The members of an item by which others are of its kind; empty where the contract names none."""
    tokens = pointer.parse(array)
    fields = next((fields for path, fields in sets.items() if _means(pointer.parse(path), tokens)), ())
    if not isinstance(item, dict):
        return {}
    return {name: item[name] for name in fields if name in item and _is_single(item[name])}


def ignoring(text: str, array: str, kind: Mapping[str, Json], *, is_template: bool) -> str:
    """The text of an expectation that allows further items of a kind in an array.

    RuleError where another rule stands for the array already.
    """
    spelled: Callable[[Any], Any] = composing.escaped if is_template else lambda value: value
    wanted = {name: {"one_of": [spelled(value)]} for name, value in kind.items()}
    rule = _rules(text).get(array)
    if rule is None:
        return _with_rule(text, array, {"besides": wanted})
    known = rule.get("besides") if isinstance(rule, dict) else None
    merged = _merged(known, wanted)
    if merged is None:
        raise RuleError(array, "another rule stands there already", "change it in the file")
    return _with_rule(text, array, {"besides": merged})


def _merged(known: Any, wanted: Mapping[str, dict[str, list[Json]]]) -> Any:
    """The members of both kinds of items; None where no rule can say both."""
    if not isinstance(known, dict) or len(wanted) != 1 or set(known) != set(wanted):
        return None
    ((name, member),) = wanted.items()
    values = known[name].get("one_of") if isinstance(known[name], dict) else [known[name]]
    if not isinstance(values, list):
        return None
    (value,) = member["one_of"]
    return {name: {"one_of": values if any(same(value, each) for each in values) else [*values, value]}}


def _means(pattern: tuple[str, ...], tokens: tuple[str, ...]) -> bool:
    return len(pattern) == len(tokens) and all(
        wanted in ("*", token) for wanted, token in zip(pattern, tokens, strict=True)
    )


class Preview(msgspec.Struct, frozen=True):
    """How many of the latest answers of a case an expectation would pass."""

    passed: int
    fitting: int
    """The answers that do not differ at the place that is decided about; those that pass are among them."""
    judged: int
    left_out: int = 0
    """The answers for which there was no time."""

    @property
    def words(self) -> str:
        """`6 of the last 7 answers would pass`."""
        words = f"{self.passed} of the last {self.judged} answers would pass"
        if self.judged == 1:
            words = f"the last answer would {'pass' if self.passed else 'not pass'}"
        elsewhere = self.fitting - self.passed
        if elsewhere and self.judged == 1:
            words += ", as it differs elsewhere"
        elif elsewhere:
            words += f", and {elsewhere} {'differs' if elsewhere == 1 else 'differ'} elsewhere alone"
        return f"{words}; {self.left_out} more were not tried in the time" if self.left_out else words


def preview(
    judge: Judge,
    expectation: Expectation,
    answers: Iterable[Delivery],
    paths: Collection[str],
    *,
    has_time: Callable[[], bool],
) -> Preview:
    """The answers judged by the real comparer, for as long as there is time; the first is always judged.

    `paths` are the place that is decided about and the path of the rule.
    """
    passed = fitting = judged = left_out = 0
    for sent in answers:
        if judged and not has_time():
            left_out += 1
            continue
        found = judge(redaction.listing.answer(sent), expectation, at=sent.sent_at)
        judged += 1
        passed += found.verdict == "passed"
        fitting += found.verdict == "passed" or not any(_is_at(each, paths) for each in found.differences)
    return Preview(passed, fitting, judged, left_out)


def _is_at(found: Difference, paths: Collection[str]) -> bool:
    return found.part == "body" and (found.rule_path in paths or found.expected_pointer in paths)


def _exactly(text: str, place: RulePlace, rules: Mapping[str, Rule], spelled: Callable[[Any], Any]) -> str:
    """The text with the answer's value expected at a place, which no rule for more than it decides."""
    at = f"/body{place.at}"
    if place.at in rules:
        text = jsontext.remove(text, f"/rules/{pointer.escape(place.at)}")
    if place.actual is UNSET:
        return jsontext.remove(text, at)
    text = (
        jsontext.insert(text, at, spelled(place.actual))
        if place.expected is UNSET
        else jsontext.replace(text, at, spelled(place.actual))
    )
    left = {path: rule for path, rule in rules.items() if path != place.at}
    if _deciding(left, place.at) is None:
        return text
    return _with_rule(text, place.at, spelled({"one_of": [place.actual]}))


def _with_rule(text: str, path: str, rule: Any) -> str:
    return jsontext.insert(text, f"/rules/{pointer.escape(path)}", rule)


def _rules(text: str) -> dict[str, Rule]:
    found: dict[str, Rule] = msgspec.convert(pointer.get(jsontext.parse(text), "/rules", {}), dict[str, Any])
    return found


def _deciding(rules: Mapping[str, Rule], at: str) -> Rule | None:
    """The rule that decides on a place in place of equality, at the place itself or above it."""
    scope: Scope | None = whole_scope(compile_rules(rules))
    for token in (*pointer.parse(at), None):
        matcher = scope.matcher if scope is not None else None
        if matcher is not None and matcher.accepts is not None:
            return matcher.rule
        scope = scope.child(token) if scope is not None and token is not None else None
    return None


def _values(place: RulePlace, rule: Rule | None) -> list[Json]:
    """The values that were allowed before, and the answer's."""
    known = rule.get("one_of") if isinstance(rule, dict) else None
    before = known if isinstance(known, list) else [] if place.expected is UNSET else [place.expected]
    values: list[Json] = []
    for each in (*before, place.actual):
        if not any(same(each, other) for other in values):
            values.append(each)
    return values


def _is_single(value: Any) -> bool:
    return not isinstance(value, (dict, list, Mark))
