"""The decisions that a difference allows."""

from __future__ import annotations

import re
from typing import Literal, TypeAlias

import msgspec
from msgspec import UNSET

from retailops_sandbox.comparing import matchers
from retailops_sandbox.jsontext import pointer
from retailops_sandbox.model import Difference, Json, Mark, Rule

Key: TypeAlias = "tuple[str, str, str | None, str | None]"
Word = Literal["accept", "keep", "rule"]

MOST_PROPOSED = 200
"""The most characters of a value for which a regex is proposed."""


class Decision(msgspec.Struct, frozen=True):
    """What to do about a difference: accept the actual value, keep the expectation, or make a rule."""

    word: Word
    rule: Rule = ""
    everywhere: bool = False
    """Whether the rule is for all items of the set-like arrays above the place, and not for one alone."""


ACCEPT = Decision("accept")
KEEP = Decision("keep")


class DecisionOptions(msgspec.Struct, frozen=True):
    """The decisions that a difference allows, besides keeping the expectation."""

    accept: bool
    rules: tuple[str, ...] = ()
    """The names of the matchers that a rule there could have."""
    path: str = ""
    """The path of a rule for the place alone."""
    wide: str = ""
    """The path of a rule for all items of the set-like arrays above it; empty where there is none."""


def key(difference: Difference) -> Key:
    """What identifies a difference among those of its judgement."""
    return difference.part, difference.kind, difference.expected_pointer, difference.actual_pointer


def decision_options(difference: Difference, sets: tuple[str, ...]) -> DecisionOptions:
    """The decisions that a difference allows. `sets` are the paths of the contract's set-like arrays."""
    actual = difference.actual
    if difference.part == "headers":
        return DecisionOptions(True, ("ignore", *_of_text(actual)), (difference.expected_pointer or "")[1:])
    if difference.part != "body":
        return DecisionOptions(True)
    path = difference.expected_pointer
    if path is None:
        tail = pointer.parse(difference.actual_pointer or "")[-1]
        path = f"{difference.within}/{pointer.escape(tail)}"
    wide = _widened(path, sets)
    if path == "" or difference.kind == "moved" or (_is_one_sided(difference) and _is_item(path)):
        # A rule that accepts anything as this item would also accept the item of another expectation.
        return DecisionOptions(True)
    if difference.kind == "missing":
        return DecisionOptions(True, ("ignore",), path, wide)
    return DecisionOptions(True, ("ignore", "type", *_of_text(actual)), path, wide)


def _of_text(value: Json) -> tuple[str, ...]:
    """The matchers that accept a text, those of one format first."""
    if not isinstance(value, str) or isinstance(value, Mark):
        return ()
    return (*(name for name in matchers.FORMATS if _accepts(name, value)), "regex")


def _accepts(rule: Rule, value: Json) -> bool:
    accepts = matchers.matcher(rule).accepts
    return accepts is not None and accepts(value)


def _is_one_sided(difference: Difference) -> bool:
    return difference.kind in ("missing", "unexpected")


def _is_item(path: str) -> bool:
    return pointer.parse(path)[-1].isdecimal()


def _widened(path: str, sets: tuple[str, ...]) -> str:
    """The path with `*` for the items of set-like arrays; empty where it goes through none."""
    tokens = list(pointer.parse(path))
    patterns = {pointer.parse(each) for each in sets}
    wide = list(tokens)
    for depth, token in enumerate(tokens):
        above = wide[:depth]
        if token.isdecimal() and any(_fits(above, pattern) for pattern in patterns):
            wide[depth] = "*"
    # A rule whose path ends in `*` would replace the comparison of whole items.
    return "" if wide == tokens or wide[-1] == "*" else pointer.join(tuple(wide))


def _fits(tokens: list[str], pattern: tuple[str, ...]) -> bool:
    return len(tokens) == len(pattern) and all(
        wanted in ("*", token) for wanted, token in zip(pattern, tokens, strict=True)
    )


# --- Regular expressions ------------------------------------------------------------------------------

_pieces = re.compile(r"[0-9A-Za-z]+|\s+|.", re.DOTALL).findall
_UUID = "^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$"


def proposed_regex(expected: Json, actual: Json) -> str:
    """A regex that accepts the actual text, and the expected one where both have the same structure.

    Parts that both texts have in common are literal. Without an expected text of the same structure, digits
    and parts that look random are taken to vary.
    """
    if not isinstance(actual, str) or isinstance(actual, Mark):
        return ""
    if len(actual) > MOST_PROPOSED:
        return "^" + re.escape(actual[:MOST_PROPOSED])
    if _accepts("uuid", actual):
        return _UUID
    pieces = _pieces(actual)
    others = _pieces(expected) if isinstance(expected, str) else []
    if len(others) == len(pieces):
        return f"^{''.join(map(_either, pieces, others))}$"
    return f"^{''.join(map(_alone, pieces))}$"


def _either(one: str, other: str) -> str:
    """A regex that accepts both pieces, which are at the same position in two texts."""
    if one == other:
        return _escaped(one)
    both = one + other
    if not (both.isascii() and both.isalnum()):
        return ".+" if both.isprintable() else "(?s:.+)"
    if both.isdecimal():
        return _digits(one) if len(one) == len(other) else "[0-9]+"
    (letters, digits), (other_letters, other_digits) = _lettered(one), _lettered(other)
    if letters and letters == other_letters:
        return letters + _either(digits, other_digits)
    return r"\w+"


def _alone(piece: str) -> str:
    """A regex that accepts a piece and others like it."""
    if not (piece.isascii() and piece.isalnum()) or piece.isalpha():
        return _escaped(piece)
    if piece.isdecimal():
        return _digits(piece)
    letters, digits = _lettered(piece)
    if letters:
        return letters + _digits(digits)
    return f"[0-9a-f]{{{len(piece)}}}" if set(piece) <= set("0123456789abcdef") else r"\w+"


def _lettered(piece: str) -> tuple[str, str]:
    """The letters and the digits of a piece that is letters and then digits; empty for any other."""
    found = re.fullmatch("([A-Za-z]+)([0-9]+)", piece)
    return (found[1], found[2]) if found else ("", "")


def _digits(piece: str) -> str:
    return f"[0-9]{{{len(piece)}}}" if len(piece) > 1 else "[0-9]"


def _escaped(piece: str) -> str:
    """A regex for the piece itself, without backslashes before spaces and hyphens."""
    return re.escape(piece).replace("\\ ", " ").replace("\\-", "-")


class RegexPreview(msgspec.Struct, frozen=True):
    """Whether a regex accepts the expected and the actual value of a difference."""

    problem: str = ""
    """Why the regex cannot be used."""
    actual: bool = False
    expected: bool | None = None
    """None where the expected value is no text."""


def preview_regex(pattern: str, difference: Difference) -> RegexPreview:
    """The regex tried on both values of a difference."""
    try:
        accepts = matchers.matcher({"regex": pattern}).accepts
    except matchers.RuleError as error:
        return RegexPreview(error.what.removeprefix("regex: "))
    assert accepts is not None
    expected = difference.expected
    return RegexPreview(
        actual=difference.actual is not UNSET and accepts(difference.actual),
        expected=accepts(expected) if isinstance(expected, str) else None,
    )
